"""Builds the messages of a provisioning run: hello, DHCP, DNS, and the SOAP calls of set-up.

Sources: Intel AMT Implementation and Reference Guide (Setup Mode Hello Messages, PID/PPS checksum), RFC 2131 and 2132,
RFC 1035. The hashes are those of well-known roots.
"""

from __future__ import annotations

import base64
import hashlib
import struct
from typing import TYPE_CHECKING

from pcaps.build import mac, packed

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable

PID, PPS = "0000-037M", "NKLD-G5DC-RRNQ-E9YZ-ZIJL-7LFL-VJED-69XJ"
"""Intel's documented example pair; all nine check characters are right."""
PSK = PPS.replace("-", "").encode()

SHA1, SHA256 = 1, 2
ROOTS_SHA1 = tuple(
    bytes.fromhex(text)
    for text in (
        "742c3192e607e424eb4549542be1bbc53e6174e2",  # VeriSign Class 3 PCA G1
        "132d0d45534b6997cdb2d5c339e25576609b5cc6",  # VeriSign Class 3 PCA G3
        "2796bae63f1801e277261ba0d77770028f20eee4",  # Go Daddy Class 2
        "d1eb23a46d17d68fd92564c2f1f1601764d8e349",  # Comodo AAA
        "ad7e1c28b064ef8f6003402014c3d0e3370eb58a",  # Starfield Class 2
    )
)
ROOTS_SHA256 = tuple(
    bytes.fromhex(text)
    for text in (
        "c3846bf24b9e93ca64274c0ec67c1ecc5e024ffcacd2d74019350e81fe546ae4",  # Go Daddy Class 2
        "45140b3247eb9cc8c5b4f0d7b53091f73292089e6e5a63e2749dd3aca9198eda",  # Go Daddy G2
        "d7a7a0fb5d7e2731d771e9484ebcdef71d5f0c3e0a2948782bc83ee0ea699ef4",  # Comodo AAA
        "1465fa205397b876faa6f0a9958e5590e40fcc7faa4fb7c2c8677521fb5fb658",  # Starfield Class 2
        "2ce1cb0bf9d2f9e102993fbe215152c3b2dd0cabde1c68e5319b839154dbb7f5",  # Starfield G2
        "eb04cf5eb1f39afa762f2bb120f296cba520c1b97db1589565b81cb9a17b7244",  # VeriSign Class 3 PCA G3
        "83ce3c1229688a593d485f81973c0f9195431eda37cc5e36430e79c7a888638b",  # VeriSign Class 3 PCA G2
        "a4b6b3996fc2f306b3fd8681bd63413d8c5009cc4fa329c2ccf0e2fa1b140305",  # VeriSign Class 3 PCA G1.5
        "9acfab7e43c8d880d06b262a94deeee4b4659989c3d0caf19baf6405e41ab7df",  # VeriSign Class 3 PCA G5
        "2399561127a57125de8cefea610ddf2fa078b5c8067f4e828290bfb860e84b3c",  # VeriSign Universal
        "a53125188d2110aa964b02c7b7c6da3203170894e5fb71fffb6667d5e6810a36",  # GTE CyberTrust Global
        "16af57a9f676b0ab126095aa5ebadef22ab31119d644ac95cd4b93dbf3f26aeb",  # Baltimore CyberTrust
        "960adf0063e96356750c2965dd0a0867da0b9cbd6e77714aeafb2349ab393da3",  # Cybertrust Global
        "68ad50909b04363c605ef13581a939ff2c96372e3f12325b0a6861e1d59f6603",  # Verizon Global
        "6dc47172e01cbcb0bf62580d895fe2b8ac9ad4f873801e0c10b9c837d21eb177",  # Entrust.net 2048
        "73c176434f1bc6d5adf45b0e76e727287c8de57616c1e6e6141a2b2cbc7d8e4c",  # Entrust Root
        "43df5774b03e7fef5fe40d931a7bedf1bb2e6b42738c4e6d3841103d3aa7f339",  # Entrust G2
        "70a73f7f376b60074248904534b11482d5bf0e698ecc498df52577ebf2e93b9a",  # AffirmTrust Premium
        "4348a0e9444c78cb265e058d5e8944b4d84f9662bd26db257f8934a443c70161",  # DigiCert Global
        "cb3ccbb76031e5e0138f8dd39a23f9de47ffc35e43c1144cea27d46a5ab1cb5f",  # DigiCert G2
        "31ad6648f8104138c738f39ea4320133393e3a18cc02296ef97c2ac9ef6731d0",  # DigiCert G3
        "552f7bdcf1a7af9e6ce672017f4f12abf77240c78e761ac203d1d9d20ac89988",  # DigiCert Trusted G4
        "cbb522d7b7f127ad6a0113865bdf1cd4102e7d0759af635a7cf4720dc963c53b",  # GlobalSign R3
        "179fbc148a3dd00fd24ea13458cc43bfa7f59c8182d783a513f6ebec100c8924",  # GlobalSign ECC R5
    )
)


def check_character(text: str) -> str:
    """The check character of a PID or PPS group: the sum of its ASCII codes modulo 36, as 0-9A-Z."""
    return "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[sum(text.encode()) % 36]


def hello_psk(machine: uuid.UUID, pid: str = PID, *, retry: int = 0, credentials_set: int = 1) -> bytes:
    """A hello message of version 2 (32 bytes)."""
    return struct.pack("<HHI", credentials_set, 2, retry) + machine.bytes_le + pid.replace("-", "").encode()


def hello_pki(
    machine: uuid.UUID, hashes: Iterable[bytes] = ROOTS_SHA256, *, retry: int = 0, credentials_set: int = 1
) -> bytes:
    """A hello message of version 3 with the hashes of trusted roots; their length tells the algorithm."""
    entries = [bytes([{20: 1, 32: 2, 48: 3}[len(value)], len(value)]) + value for value in hashes]
    head = struct.pack("<HHI", credentials_set, 3, retry) + machine.bytes_le
    return head + bytes([len(entries)]) + b"".join(entries)


DISCOVER, OFFER, REQUEST, ACKNOWLEDGE, NAK = 1, 2, 3, 5, 6


def dhcp(
    kind: int,
    transaction: int,
    client_mac: str,
    *,
    client: str = "0.0.0.0",
    yours: str = "0.0.0.0",
    options: Iterable[tuple[int, bytes]] = (),
) -> bytes:
    """A DHCP message (RFC 2131); `options` follow the message type in the order given."""
    operation = 2 if kind in (OFFER, ACKNOWLEDGE, NAK) else 1
    head = struct.pack(">BBBBIHH", operation, 1, 6, 0, transaction, 0, 0)
    head += packed(client) + packed(yours) + bytes(8) + mac(client_mac) + bytes(10) + bytes(192) + b"\x63\x82\x53\x63"
    body = bytes([53, 1, kind]) + b"".join(bytes([code, len(value)]) + value for code, value in options) + b"\xff"
    return head + body.ljust(60, b"\0")  # BOOTP's 300 bytes at least


def lease_options(server: str, *, domain: str | None, dns: str | None, lease: int = 691200) -> list[tuple[int, bytes]]:
    """What a server tells with a lease: mask, router, DNS (6), domain name (15), lease time, itself."""
    options = [(1, packed("255.255.255.0")), (3, packed(server.rsplit(".", 1)[0] + ".1"))]
    if dns:
        options.append((6, packed(dns)))
    if domain:
        options.append((15, domain.encode()))
    return [*options, (51, struct.pack(">I", lease)), (54, packed(server))]


A, CNAME, PTR, AAAA = 1, 5, 12, 28
NOERROR, SERVFAIL, NXDOMAIN, REFUSED = 0, 2, 3, 5


def dns_name(name: str) -> bytes:
    """A name as labels, without compression."""
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".") if label) + b"\0"


def dns_query(number: int, name: str, kind: int = A) -> bytes:
    """A recursive question."""
    return struct.pack(">HHHHHH", number, 0x0100, 1, 0, 0, 0) + dns_name(name) + struct.pack(">HH", kind, 1)


def dns_response(
    number: int, name: str, kind: int = A, *, code: int = NOERROR, answers: Iterable[tuple[str, int, bytes]] = ()
) -> bytes:
    """An answer: `answers` are (name, type, data); names equal to the question's point to it."""
    records = []
    for owner, record, data in answers:
        label = b"\xc0\x0c" if owner == name else dns_name(owner)
        records.append(label + struct.pack(">HHIH", record, 1, 3600, len(data)) + data)
    head = struct.pack(">HHHHHH", number, 0x8180 | code, 1, len(records), 0, 0)
    return head + dns_name(name) + struct.pack(">HH", kind, 1) + b"".join(records)


EOI = "http://schemas.intel.com/platform/client/"
SOAP11 = "http://schemas.xmlsoap.org/soap/envelope/"
SERVER = "Server: Intel(R) Active Management Technology "


def _envelope(element: str, namespace: str, content: str) -> str:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><soap:Envelope xmlns:soap="{SOAP11}"><soap:Body>'
        f'<{element} xmlns="{namespace}">{content}</{element}></soap:Body></soap:Envelope>'
    )


def eoi_request(service: str, method: str, arguments: str = "", authorization: str = "", host: str = "") -> bytes:
    """An EOI call (SOAP 1.1 over HTTP), as setup and configuration applications of 2007 send it."""
    namespace = f"{EOI}{service}/2004/01"
    body = _envelope(method, namespace, arguments)
    lines = [
        f"POST /{service}Service HTTP/1.1",
        f"Host: {host}",
        "User-Agent: gSOAP/2.7",
        "Content-Type: text/xml; charset=utf-8",
        f"Content-Length: {len(body)}",
        f'SOAPAction: "{namespace}#{method}"',
    ]
    if authorization:
        lines.append(f"Authorization: {authorization}")
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def eoi_response(service: str, method: str, result: str = "<Status>0</Status>", version: str = "3.0.5") -> bytes:
    """The answer to an EOI call, in one chunk with AMT's zero-padded size."""
    body = _envelope(f"{method}Response", f"{EOI}{service}/2004/01", result)
    head = f"HTTP/1.1 200 OK\r\n{SERVER}{version}\r\nContent-Type: text/xml; charset=UTF-8\r\n"
    return f"{head}Transfer-Encoding: chunked\r\n\r\n{len(body):04X}\r\n{body}\r\n0\r\n\r\n".encode()


def unauthorized(realm: str, nonce: str, version: str = "3.0.5") -> bytes:
    """AMT's 401 with its digest challenge (no space after some commas)."""
    body = "<html><head><title>401 Unauthorized</title></head><body><h1>Log on failed.</h1></body></html>"
    challenge = f'WWW-Authenticate: Digest realm="{realm}", nonce="{nonce}",stale="false",qop="auth"'
    head = f"HTTP/1.1 401 Unauthorized\r\n{challenge}\r\nContent-Type: text/html\r\n{SERVER}{version}\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()


def nonce(number: int) -> str:
    """A nonce of the form AMT's have: 20 bytes in base64."""
    return base64.b64encode(hashlib.sha1(number.to_bytes(8, "big")).digest()).decode()


def digest(realm: str, challenge: str, uri: str, count: int, user: str = "admin", password: str = "admin") -> str:
    """The Authorization header that answers a challenge (RFC 2617, MD5, qop=auth)."""

    def md5(text: str) -> str:
        return hashlib.md5(text.encode()).hexdigest()

    cnonce = f"{count:016x}"
    proof = f"{challenge}:{count:08x}:{cnonce}:auth"
    response = md5(f"{md5(f'{user}:{realm}:{password}')}:{proof}:{md5(f'POST:{uri}')}")
    return (
        f'Digest username="{user}", realm="{realm}", nonce="{challenge}", uri="{uri}", response="{response}", '
        f'qop=auth, nc={count:08x}, cnonce="{cnonce}"'
    )


def rmcp_ping(tag: int) -> bytes:
    """A presence ping (ASF 2.0, DMTF DSP0136)."""
    return struct.pack(">BBBBIBBBB", 6, 0, 0xFF, 6, 4542, 0x80, tag, 0, 0)


def rmcp_pong(tag: int, own: bytes) -> bytes:
    """A presence pong with its 16 bytes of data."""
    return struct.pack(">BBBBIBBBB", 6, 0, 0xFF, 6, 4542, 0x40, tag, 0, len(own)) + own


def amt_pong(tag: int, *, version: tuple[int, int] = (6, 2), state: int = 2, port: int = 16992) -> bytes:
    """The pong of AMT 6.0 and later, after Intel's guide; state 2 is provisioned."""
    old = version[0] << 4 | version[1] if version[0] < 11 else 0
    late = (0, 0) if old else version
    return rmcp_pong(tag, struct.pack(">IHBBBBBB4x", 343, port, old, state, 0, 0x20, *late))


def ber(tag: int, value: bytes) -> bytes:
    """An element of BER shorter than 256 bytes."""
    return bytes([tag, len(value)] if len(value) < 128 else [tag, 0x81, len(value)]) + value


def trap(guid: uuid.UUID, agent: str, specific: int, severity: int, *, sequence: int = 1) -> bytes:
    """A platform event trap (PET 1.0) of AMT: SNMPv1, source 58h, Intel, with no text of its own."""
    fixed = (sequence, 310_000_000, 0xFFFF, 0x58, 0x58, severity, 0xFF, 0xFF, 0x26, 0, bytes(8), 0x19, 343, 0, 0xC1)
    body = guid.bytes + struct.pack(">HIHBBBBBBB8sBIHB", *fixed)
    enterprise = bytes.fromhex("2b06010401986f0101")
    variable = ber(0x30, ber(6, enterprise + b"\1") + ber(4, body))
    head = ber(6, enterprise) + ber(0x40, packed(agent)) + ber(2, b"\6") + ber(2, struct.pack(">I", specific)[1:])
    message = ber(2, b"\0") + ber(4, b"public") + ber(0xA4, head + ber(0x43, b"\0") + ber(0x30, variable))
    return ber(0x30, message)
