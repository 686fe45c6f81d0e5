"""Builds frames of EAPOL (IEEE 802.1X, RFC 3748) and of LLDP (IEEE 802.1AB), without the Ethernet header."""

from __future__ import annotations

from pcaps.build import mac

ETHERTYPE, LLDP_TYPE = 0x888E, 0x88CC
GROUP, LLDP_GROUP = "01:80:c2:00:00:03", "01:80:c2:00:00:0e"  # whoever is at the other end of the cable
REQUEST, RESPONSE, SUCCESS, FAILURE = 1, 2, 3, 4
IDENTITY, EAP_TLS = 1, 13


def eapol(kind: int, body: bytes = b"", version: int = 1) -> bytes:
    """A frame: 0 EAP, 1 start, 2 logoff."""
    return bytes((version, kind)) + len(body).to_bytes(2, "big") + body


def eap(code: int, number: int, method: int | None = None, data: bytes = b"") -> bytes:
    """A packet of EAP; success and failure have no method."""
    inside = data if method is None else bytes((method,)) + data
    return bytes((code, number)) + (4 + len(inside)).to_bytes(2, "big") + inside


def identity(number: int, name: str) -> bytes:
    """A machine says who it is."""
    return eapol(0, eap(RESPONSE, number, IDENTITY, name.encode()))


def begins(number: int, method: int = EAP_TLS) -> bytes:
    """A switch proposes a method with TLS."""
    return eapol(0, eap(REQUEST, number, method, b"\x20"))


def alert(number: int, description: int, code: int = RESPONSE) -> bytes:
    """A TLS alert in the clear, as a fragment of its own."""
    return eapol(0, eap(code, number, EAP_TLS, b"\x80\0\0\0\7" + b"\x15\3\1\0\2\2" + bytes((description,))))


WHO = eapol(0, eap(REQUEST, 1, IDENTITY))
ALERT = alert(3, 48)


def part(kind: int, value: bytes) -> bytes:
    """A part (TLV) of LLDP."""
    return (kind << 9 | len(value)).to_bytes(2, "big") + value


def lldp(chassis: str, port: str, *more: bytes) -> bytes:
    """A frame of a neighbour with this MAC address, whose port has this name."""
    return (
        part(1, b"\4" + mac(chassis)) + part(2, b"\5" + port.encode()) + part(3, b"\0\x78") + b"".join(more) + b"\0\0"
    )
