"""Builds tokens of Negotiate and Kerberos, and HTTP with them. Sources: RFC 4178, RFC 4121, RFC 4120, X.690 (DER)."""

from __future__ import annotations

import base64

OID = bytes.fromhex("06092a864886f712010202")
SPNEGO = bytes.fromhex("06062b0601050502")


def der(tag: int, *parts: bytes) -> bytes:
    """An element, its parts put together."""
    data = b"".join(parts)
    size = len(data)
    head = bytes((size,)) if size < 128 else bytes((0x82,)) + size.to_bytes(2, "big")
    return bytes((tag,)) + head + data


def integer(value: int) -> bytes:
    """A small number."""
    return der(2, value.to_bytes(1 + value // 128 // 2, "big"))


def text(value: str, tag: int = 0x1B) -> bytes:
    """A GeneralString; tag 18h makes a time of it."""
    return der(tag, value.encode())


def tagged(number: int, data: bytes) -> bytes:
    """An element in a context tag."""
    return der(0xA0 + number, data)


def name(*parts: str) -> bytes:
    """A PrincipalName."""
    return der(0x30, tagged(0, integer(2)), tagged(1, der(0x30, *map(text, parts))))


def sealed(etype: int) -> bytes:
    """EncryptedData of this encryption type, its cipher all zero."""
    return der(0x30, tagged(0, integer(etype)), tagged(2, der(4, bytes(200))))


def ticket(*service: str) -> bytes:
    """A ticket for this service."""
    return der(0x61, der(0x30, tagged(0, integer(5)), tagged(1, text("EXAMPLE.COM")),
                               tagged(2, name(*service)), tagged(3, sealed(23))))  # fmt: skip


TICKET = ticket("HTTP", "desk.example.com:16992")
REQUEST = der(0x6E, der(0x30, tagged(0, integer(5)), tagged(1, integer(14)), tagged(2, der(3, bytes(5))),
                        tagged(3, TICKET), tagged(4, sealed(18))))  # fmt: skip


def error(code: int, client_time: str = "20261129202000Z") -> bytes:
    """A KRB-ERROR with this code, for a client whose clock says this time."""
    return der(0x7E, der(0x30, tagged(0, integer(5)), tagged(1, integer(30)),
                         *([tagged(2, text(client_time, 0x18))] if client_time else []),
                         tagged(4, text("20261129203140Z", 0x18)), tagged(5, integer(1)),
                         tagged(6, integer(code)), tagged(9, text("EXAMPLE.COM")),
                         tagged(10, name("HTTP", "desk.example.com:16992"))))  # fmt: skip


def framed(message: bytes, number: int) -> bytes:
    """A message of Kerberos as GSS-API has it: 1 AP-REQ, 2 AP-REP, 3 KRB-ERROR."""
    return der(0x60, OID, bytes((number, 0)), message)


def first(token: bytes) -> bytes:
    """SPNEGO's first token (NegTokenInit)."""
    inside = der(0x30, tagged(0, der(0x30, OID)), tagged(2, der(4, token)))
    return der(0x60, SPNEGO, tagged(0, inside))


def answer(token: bytes) -> bytes:
    """SPNEGO's answer (NegTokenResp)."""
    return tagged(1, der(0x30, tagged(0, der(10, b"\2")), tagged(1, OID), tagged(2, der(4, token))))


def ask(token: bytes) -> bytes:
    """A request with a token of Negotiate."""
    head = b"GET /wsman HTTP/1.1\r\nHost: desk\r\nAuthorization: Negotiate "
    return head + base64.b64encode(token) + b"\r\n\r\n"


def refuse(token: bytes) -> bytes:
    """A refusal of AMT, with a token that says why."""
    head = b"HTTP/1.1 401 Unauthorized\r\nServer: Intel(R) Active Management Technology 9.1.34\r\n"
    return head + b"WWW-Authenticate: Negotiate " + base64.b64encode(token) + b"\r\nContent-Length: 0\r\n\r\n"


# -- between a client and its KDC --------------------------------------------------------------------------------------


def asks(tag: int, service: str, client: str = "", etypes: tuple[int, ...] = (18, 17, 23)) -> bytes:
    """An AS-REQ (10) or TGS-REQ (12) for a service, without preauthentication."""
    named = [tagged(1, name(client))] if client else []
    body = der(0x30, tagged(0, der(3, b"\0\x40\x81\0\x10")), *named, tagged(2, text("EXAMPLE.COM")),
                     tagged(3, name(*service.split("/"))), tagged(5, text("20370913024805Z", 0x18)),
                     tagged(7, integer(5)), tagged(8, der(0x30, *map(integer, etypes))))  # fmt: skip
    return der(0x60 + tag, der(0x30, tagged(1, integer(5)), tagged(2, integer(tag)), tagged(4, body)))


def gives(tag: int, client: str = "admin") -> bytes:
    """An AS-REP (11) with a ticket for the KDC itself, or a TGS-REP (13) with that for the machine."""
    given = ticket("krbtgt", "EXAMPLE.COM") if tag == 11 else TICKET
    return der(0x60 + tag, der(0x30, tagged(0, integer(5)), tagged(1, integer(tag)), tagged(3, text("EXAMPLE.COM")),
                                     tagged(4, name(client)), tagged(5, given), tagged(6, sealed(18))))  # fmt: skip
