"""Tunnels that hide conversations. They are counted and named, not unwrapped (docs/limits.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

IP_TUNNELS = {
    4: "IPv4 in IP",
    41: "IPv6 in IP",
    47: "GRE",
    50: "ESP",
    94: "IPIP",
    97: "EtherIP",
    115: "L2TP",
    137: "MPLS in IP",
}
"""By IP protocol (IANA)."""

ERSPAN = {0x88BE: "ERSPAN in GRE", 0x22EB: "ERSPAN in GRE"}
"""By the protocol type of GRE: type I and II, type III (draft-foschiano-erspan)."""


class UdpTunnel(NamedTuple):
    """A tunnel known by its UDP port, and by how its header begins."""

    name: str
    carries: Callable[[bytes], bool]


def _vxlan(data: bytes) -> bool:
    return len(data) > 8 and data[0] & 0x08 == 0x08 and data[0] & 0x60 == 0  # the I flag: RFC 7348 §5


def _geneve(data: bytes) -> bool:
    return len(data) > 8 and data[0] >> 6 == 0 and data[2:4] in (b"\x65\x58", b"\x08\x00", b"\x86\xdd")  # RFC 8926 §3.4


def _gtp_u(data: bytes) -> bool:
    return len(data) > 8 and data[0] & 0xF0 == 0x30 and data[1] == 0xFF  # a G-PDU: 3GPP TS 29.281 §5.1


def _tzsp(data: bytes) -> bool:
    return len(data) > 8 and data[0] == 1 and data[1] in (0, 1)  # version, and a received or transmitted packet


_VXLAN = UdpTunnel("VXLAN", _vxlan)
UDP_TUNNELS = {
    4789: _VXLAN,
    8472: _VXLAN,  # before IANA gave it a number, and Linux still
    4790: UdpTunnel("VXLAN-GPE", _vxlan),
    6081: UdpTunnel("Geneve", _geneve),
    2152: UdpTunnel("GTP-U", _gtp_u),
    37008: UdpTunnel("TZSP", _tzsp),
}
"""By destination port (IANA, but for 8472 and 37008)."""


def ip_tunnel(protocol: int, data: bytes, start: int, end: int) -> str:
    """The name of a tunnel by its IP protocol; "" for what is none. GRE says in its header what it carries."""
    name = IP_TUNNELS.get(protocol, "")
    if protocol == 47 and end - start >= 4:
        return ERSPAN.get(data[start + 2] << 8 | data[start + 3], name)
    return name
