"""All fields of packets: which header has them, and what must be followed before they can be read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from amtdecode.errors import UsageError
from amtdecode.frame import analysis, ethernet, frame, icmp, ip, ipv6, tcp, tcp_options, udp

if TYPE_CHECKING:
    from amtdecode.fields import Field
    from amtdecode.frame.header import Header

NOTHING, CONVERSATIONS, ANALYSIS = 0, 1, 2
"""What has to be followed through a capture: nothing, conversations, or how each TCP segment stands to others too."""

_DECLARED: tuple[tuple[type[Header], int, tuple[Field, ...]], ...] = (
    (frame.Frame, NOTHING, frame.FIELDS),
    (ethernet.Ethernet, NOTHING, ethernet.ETHERNET_FIELDS),
    (ethernet.Vlan, NOTHING, ethernet.VLAN_FIELDS),
    (ethernet.ServiceTag, NOTHING, ethernet.SERVICE_TAG_FIELDS),
    (ethernet.Sll, NOTHING, ethernet.SLL_FIELDS),
    (ethernet.Sll2, NOTHING, ethernet.SLL2_FIELDS),
    (ip.Ip, NOTHING, ip.FIELDS),
    (ipv6.Ipv6, NOTHING, ipv6.FIELDS),
    (ipv6.Ipv6Fragment, NOTHING, ipv6.FRAGMENT_FIELDS),
    (tcp.Tcp, NOTHING, tcp.FIELDS),
    (tcp.Tcp, NOTHING, tcp_options.FIELDS),
    (tcp.Tcp, CONVERSATIONS, tcp.STREAM_FIELDS),
    (tcp.Tcp, CONVERSATIONS, tcp_options.STREAM_FIELDS),
    (tcp.Tcp, ANALYSIS, analysis.FIELDS),
    (udp.Udp, NOTHING, udp.FIELDS),
    (udp.Udp, CONVERSATIONS, udp.STREAM_FIELDS),
    (icmp.Icmp, NOTHING, icmp.FIELDS),
    (icmp.Icmpv6, NOTHING, icmp.FIELDS_V6),
)
LARGE = frozenset({"tcp.payload", "udp.payload"})
"""Fields as large as their packet: read when they are named, left out where all fields are asked for."""

FIELDS = tuple({field.name: field for _, _, fields in _DECLARED for field in fields}.values())
BY_NAME: dict[str, dict[type[Header], Field]] = {}
for _layer, _, _fields in _DECLARED:
    for _field in _fields:
        BY_NAME.setdefault(_field.name, {})[_layer] = _field

_NEEDS = {field.name: needs for _, needs, fields in _DECLARED for field in fields}
READ_WITH_ALL = {
    layer: tuple(
        field for other, _, fields in _DECLARED if other is layer for field in fields if field.name not in LARGE
    )
    for layer, _, _ in _DECLARED
}


def needed(names: Iterable[str]) -> int:
    """What has to be followed for these fields to be read. Raises `UsageError` for a name that is none of them."""
    most = NOTHING
    if isinstance(names, str) or not isinstance(names, Iterable):
        raise UsageError(f"fields takes a list of names, not {names!r}")
    for name in names:
        if not isinstance(name, str) or name not in _NEEDS:
            raise UsageError(f"{name}: no such field of a packet; `amtdecode fields` lists them")
        most = max(most, _NEEDS[name])
    return most
