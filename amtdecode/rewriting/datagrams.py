"""DNS, DHCP, hello and ASF, renamed in their places. What is not understood is `None`: it is to be cut."""

from __future__ import annotations

from ipaddress import ip_address
from struct import unpack_from
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from amtdecode.rewriting.pseudonyms import Pseudonyms

A, PTR, AAAA = 1, 12, 28
NAMES_IN_DATA = {2: 0, 5: 0, 12: 0, 15: 2, 33: 6, 39: 0}  # NS, CNAME, PTR, MX, SRV, DNAME: bytes ahead of the name
OPT, OPT_CODE = 41, 0
REVERSE = ".in-addr.arpa"
MAX_LABELS = 128  # of one name; 127 fill its 255 bytes (RFC 1035 section 3.1)


def dns(data: bytes, known: Pseudonyms) -> bytes | None:
    """A DNS message (RFC 1035 section 4.1); other records than those of addresses and names lose their data."""
    if len(data) < 12:
        return None
    out = bytearray(data)
    questions, *records = unpack_from(">4H", data, 4)
    at = 12
    try:
        for _ in range(questions):
            at = _dns_name(data, out, at, known) + 4
        for _ in range(sum(records)):
            at = _dns_name(data, out, at, known)
            kind, size = unpack_from(">H6xH", data, at)
            at += 10
            if at + size > len(data):
                return None
            value = data[at : at + size]
            if (kind, size) in ((A, 4), (AAAA, 16)):
                out[at : at + size] = known.packed(value)
            elif kind in NAMES_IN_DATA and size > NAMES_IN_DATA[kind]:
                _dns_name(data, out, at + NAMES_IN_DATA[kind], known)
            elif size:
                return None
            at += size
    except (IndexError, ValueError, OverflowError):
        return None
    except Exception as error:  # struct.error: the message is cut
        if type(error).__name__ != "error":
            raise
        return None
    return bytes(out) if at == len(data) else None


def _dns_name(data: bytes, out: bytearray, at: int, known: Pseudonyms) -> int:
    """Rename the labels that stand here; what a pointer leads to is renamed where it stands. Gives where it ends."""
    labels: list[str] = []
    places: list[int] = []
    start = at
    while (size := data[at]) != 0:
        if size >= 0xC0:
            at += 1
            break
        if size > 63 or len(labels) >= MAX_LABELS:
            raise ValueError
        label = data[at + 1 : at + 1 + size].decode("latin-1")
        if "." in label:
            raise ValueError
        labels.append(label)
        places.append(at)
        at += 1 + size
    end = at + 1
    if end > len(data):
        raise IndexError
    reverse = ".".join(labels).lower()
    if reverse.endswith(REVERSE):
        parts = reverse.removesuffix(REVERSE).split(".")
        if len(parts) == 4:
            other = known.address(str(ip_address(".".join(reversed(parts))))).split(".")[::-1]
            made = b"".join(bytes([len(each)]) + each.encode() for each in other)
            if len(made) == places[4] - start:
                out[start : places[4]] = made
                return end
        raise ValueError
    if reverse.endswith(".ip6.arpa"):
        raise ValueError
    if labels:
        pointed = data[at] >= 0xC0
        other_labels = known.name(".".join(labels) + (".x" if pointed else "")).split(".")
        for place, label in zip(places, other_labels, strict=False):
            out[place + 1 : place + 1 + len(label)] = label.encode("latin-1")
    return end


KEPT_OPTIONS = frozenset((51, 52, 53, 55, 57, 58, 59, 1, 2, 28))
"""Of DHCP (RFC 2132): times, message type, list of what is asked, size, mask."""
ADDRESS_OPTIONS = frozenset((3, 4, 5, 6, 42, 44, 50, 54))
NAME_OPTIONS = frozenset((12, 15))
MAGIC = b"\x63\x82\x53\x63"


def dhcp(data: bytes, known: Pseudonyms) -> bytes | None:
    """A DHCP message (RFC 2131 section 2); options that are not understood are filled with x."""
    if len(data) < 240 or data[236:240] != MAGIC or data[1] != 1 or data[2] != 6:
        return None
    out = bytearray(data)
    for at in (12, 16, 20, 24):
        out[at : at + 4] = known.packed(data[at : at + 4])
    out[28:34] = known.mac(data[28:34])
    out[34:236] = bytes(202)  # padding, sname, file
    at = 240
    while at < len(data) and data[at] != 255:
        if data[at] == 0:
            at += 1
            continue
        if at + 2 > len(data) or at + 2 + data[at + 1] > len(data):
            return None
        code, size = data[at], data[at + 1]
        start, end = at + 2, at + 2 + size
        out[start:end] = _option(code, data[start:end], known)
        at = end
    out[at + 1 :] = bytes(max(0, len(data) - at - 1))
    return bytes(out)


def _option(code: int, value: bytes, known: Pseudonyms) -> bytes:
    if code in KEPT_OPTIONS:
        return value
    if code in ADDRESS_OPTIONS and len(value) % 4 == 0:
        return b"".join(known.packed(value[at : at + 4]) for at in range(0, len(value), 4))
    if code in NAME_OPTIONS:
        bare = value.rstrip(b"\0")
        return known.name(bare.decode("latin-1")).encode("latin-1") + value[len(bare) :]
    if code == 61 and len(value) == 7 and value[0] == 1:
        return value[:1] + known.mac(value[1:])
    if code == 60 and value in (b"MSFT 5.0", b"PXEClient"):
        return value
    return b"x" * len(value)


HELLO_HEADER, PSK, PKI = 24, 2, 3


def hello(data: bytes, known: Pseudonyms) -> bytes | None:
    """A hello (docs/protocols/hello.md): the UUID, in SMBIOS order, and the PID. Hashes of roots stay."""
    from uuid import UUID

    if len(data) < HELLO_HEADER:
        return None
    version = int.from_bytes(data[2:4], "little")
    if data[0] > 1 or data[1] or version not in (PSK, PKI):
        return None
    uuid = UUID(bytes_le=data[8:24])
    head = data[:8] + UUID(known.uuid(str(uuid))).bytes_le
    if version == PSK:
        pid = data[24:32].decode("latin-1")
        return head + known.pid(pid).encode("latin-1") if len(data) == 32 else None
    at = 25
    for _ in range(data[24] if len(data) > 24 else 0):
        if at + 2 > len(data):
            break
        at += 2 + data[at + 1]
    return head + data[24:] if at >= len(data) else None


def asf(data: bytes) -> bytes | None:
    """Ping, pong and acknowledgment of RMCP (DSP0136 section 3.2), which name nobody; sessions do."""
    if len(data) >= 4 and data[0] == 6 and (data[3] & 0x80 or (len(data) >= 12 and data[8] in (0x40, 0x80))):
        return data
    return None
