"""Tunnels: packets inside packets, as mirrors of traffic (SPAN, clouds) and overlays make them.

GRE (RFC 2784, 2890; version 1 of RFC 2637), ERSPAN I to III (draft-foschiano-erspan-03), IP in IP (RFC 2003, 2473,
4213), EtherIP (RFC 3378), MPLS in IP (RFC 4023), VXLAN (RFC 7348), VXLAN-GPE (draft-ietf-nvo3-vxlan-gpe), Geneve
(RFC 8926), GTP-U (3GPP TS 29.281), TZSP, WCCP's redirected packets in GRE. All big-endian. What is encrypted (ESP) or
of a kind not read here is named, so that it can be counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from amtdecode.net.link import ETHERNET, IPV4, IPV6, MPLS_UNICAST, PPP, RAW, UNKNOWN, UNREADABLE, ether_payload
from amtdecode.net.link import network_layer as read_link

if TYPE_CHECKING:
    from collections.abc import Callable

    from amtdecode.net.link import Network

MAX_TUNNELS = 8
"""Tunnels inside each other; a mirror of an overlay has two or three."""

GRE, ESP = 47, 50
IP_TUNNELS = {
    4: "IPv4 in IP",
    41: "IPv6 in IP",
    GRE: "GRE",
    ESP: "ESP",
    94: "IPIP",
    97: "EtherIP",
    115: "L2TP",
    137: "MPLS in IP",
}
"""By IP protocol (IANA)."""

ERSPAN_II, ERSPAN_III = 0x88BE, 0x22EB  # protocol types of GRE; type I has that of type II
BRIDGED, WCCP, GRE_PPP = 0x6558, 0x883E, 0x880B
CHECKSUM, ROUTING, KEY, SEQUENCE, ACKNOWLEDGMENT = 0x8000, 0x4000, 0x2000, 0x1000, 0x0080  # in the first 2 bytes


class Inside(NamedTuple):
    """What a tunnel carries, and where it begins."""

    name: str  # of the tunnel
    link_type: int = UNKNOWN  # ETHERNET, RAW (IP) or PPP; UNKNOWN: not read, or by `ethertype`
    start: int = 0
    ethertype: int = 0

    @property
    def readable(self) -> bool:
        """Whether what is inside can be read here."""
        return self.link_type != UNKNOWN or self.ethertype != 0

    def network(self, data: bytes, end: int) -> Network:
        """The network layer inside."""
        if self.ethertype:
            return ether_payload(self.ethertype, data, self.start, end, b"")
        return read_link(self.link_type, data, self.start, end) if self.link_type != UNKNOWN else UNREADABLE


def ip_tunnel(protocol: int, data: bytes, start: int, end: int) -> Inside | None:
    """What an IP packet of a tunnel's protocol carries; `None` for what is none."""
    name = IP_TUNNELS.get(protocol)
    if name is None:
        return None
    if protocol == GRE:
        return _gre(data, start, end)
    if protocol in (4, 41, 94):
        return Inside(name, RAW, start) if end > start else Inside(name)
    if protocol == 97 and end - start > 2 and data[start] == 0x30:  # version 3
        return Inside(name, ETHERNET, start + 2)
    if protocol == 137:
        return Inside(name, UNKNOWN, start, MPLS_UNICAST)
    return Inside(name)


def _gre(data: bytes, start: int, end: int) -> Inside:
    if end - start < 4:
        return Inside("GRE")
    flags, kind = data[start] << 8 | data[start + 1], data[start + 2] << 8 | data[start + 3]
    at = start + 4
    if flags & 7 == 1:  # enhanced GRE, which carries PPP behind length and call
        at += 4 + 4 * bool(flags & SEQUENCE) + 4 * bool(flags & ACKNOWLEDGMENT)
        return Inside("GRE", PPP, at) if kind == GRE_PPP and at < end else Inside("GRE")
    at += 4 * (bool(flags & (CHECKSUM | ROUTING)) + bool(flags & KEY) + bool(flags & SEQUENCE))
    if flags & ROUTING:  # entries with their length, up to an empty one
        while at + 4 <= end and data[at + 3]:
            at += 4 + data[at + 3]
        at += 4
    if kind == ERSPAN_II:
        return _frame("ERSPAN", at + (8 if flags & SEQUENCE else 0), end)  # type I has no header of its own
    if kind == ERSPAN_III:
        return _erspan_3(data, at, end)
    if kind == BRIDGED:
        return _frame("GRE", at, end)
    if kind == WCCP:
        at += 0 if at < end and data[at] >> 4 == 4 else 4  # version 2 has a header of its own
        return Inside("GRE", RAW, at) if at < end else Inside("GRE")
    return Inside("GRE", UNKNOWN, at, kind) if at < end and kind in (IPV4, IPV6, MPLS_UNICAST) else Inside("GRE")


def _erspan_3(data: bytes, at: int, end: int) -> Inside:
    """12 bytes, and 8 more where the last bit says so; frame type 0 is Ethernet, 2 an IP packet (section 4.2.1)."""
    if end - at < 12:
        return Inside("ERSPAN")
    last = data[at + 10] << 8 | data[at + 11]
    kind, behind = last >> 10 & 0x1F, at + 12 + 8 * (last & 1)
    if kind == 2:
        return Inside("ERSPAN", RAW, behind) if behind < end else Inside("ERSPAN")
    return _frame("ERSPAN", behind, end) if kind == 0 else Inside("ERSPAN")


def _frame(name: str, at: int, end: int) -> Inside:
    return Inside(name, ETHERNET, at) if end - at >= 14 else Inside(name)


# -- inside UDP: (data, where the payload begins, where it ends); `None` where its header does not fit ----------------


def _vxlan(data: bytes, start: int, end: int) -> Inside | None:
    if end - start <= 8 or data[start] & 0x68 != 0x08:  # the I flag: RFC 7348 section 5
        return None
    return _frame("VXLAN", start + 8, end)


def _vxlan_gpe(data: bytes, start: int, end: int) -> Inside | None:
    if end - start <= 8 or data[start] & 0x68 != 0x08:
        return None
    kind = data[start + 3] if data[start] & 0x04 else 3  # the P flag says that there is a next protocol
    if kind in (1, 2):
        return Inside("VXLAN-GPE", RAW, start + 8)
    return _frame("VXLAN-GPE", start + 8, end) if kind == 3 else Inside("VXLAN-GPE")


def _geneve(data: bytes, start: int, end: int) -> Inside | None:
    kind = data[start + 2 : start + 4]
    if end - start <= 8 or data[start] >> 6 or kind not in (b"\x65\x58", b"\x08\x00", b"\x86\xdd"):
        return None
    at = start + 8 + 4 * (data[start] & 0x3F)  # options: RFC 8926 section 3.4
    if kind == b"\x65\x58":
        return _frame("Geneve", at, end)
    return Inside("Geneve", RAW, at) if at < end else Inside("Geneve")


def _gtp_u(data: bytes, start: int, end: int) -> Inside | None:
    if end - start <= 8 or data[start] & 0xF0 != 0x30 or data[start + 1] != 0xFF:  # a G-PDU: section 5.1
        return None
    at = start + 8
    if data[start] & 7:  # one of three optional parts: all three places are there
        at += 4
        follows = data[at - 1] if data[start] & 4 and at <= end else 0
        while follows and at < end and data[at]:  # extension headers, of 4 bytes times their first
            size = 4 * data[at]
            if at + size > end:
                return Inside("GTP-U")
            follows, at = data[at + size - 1], at + size
    return Inside("GTP-U", RAW, at) if at < end and data[at] >> 4 in (4, 6) else Inside("GTP-U")


def _tzsp(data: bytes, start: int, end: int) -> Inside | None:
    """Version 1, a received or transmitted packet; tags behind 4 bytes, up to tag 1."""
    if end - start <= 8 or data[start] != 1 or data[start + 1] not in (0, 1):
        return None
    at = start + 4
    while at < end and data[at] != 1:
        at += 1 if data[at] == 0 or at + 1 >= end else 2 + data[at + 1]
    return _frame("TZSP", at + 1, end) if data[start + 2 : start + 4] == b"\0\1" else Inside("TZSP")


UDP_TUNNELS: dict[int, tuple[str, Callable[[bytes, int, int], Inside | None]]] = {
    4789: ("VXLAN", _vxlan),
    8472: ("VXLAN", _vxlan),  # before IANA gave it a number, and Linux still
    4790: ("VXLAN-GPE", _vxlan_gpe),
    6081: ("Geneve", _geneve),
    2152: ("GTP-U", _gtp_u),
    37008: ("TZSP", _tzsp),
}
"""By destination port (IANA, but for 8472 and 37008)."""


def udp_tunnel(port: int, data: bytes, start: int, end: int) -> Inside | None:
    """What a UDP payload to a tunnel's port carries; `None` for what is none."""
    known = UDP_TUNNELS.get(port)
    return known[1](data, start, end) if known is not None else None
