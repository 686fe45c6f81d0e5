"""Where the fields of headers stand: offset in the header, and bytes; as `tshark -T pdml` counts them.

Sources: IEEE 802.3 and 802.1Q, RFC 791, RFC 8200, RFC 9293, RFC 768, RFC 792, RFC 4443. What is not here stands in no
fixed place (options), or in no byte.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

Offset = tuple[int, int]
"""First byte in the header, and how many."""

_TCP_FLAGS = ("cwr", "ece", "urg", "ack", "push", "reset", "syn", "fin")
_SOURCE_4, _TARGET_4, _SOURCE_6, _TARGET_6 = (12, 4), (16, 4), (8, 16), (24, 16)

OFFSETS: Mapping[str, tuple[Offset, ...]] = {
    "eth.dst": ((0, 6),),
    "eth.src": ((6, 6),),
    "eth.addr": ((0, 6), (6, 6)),
    "eth.type": ((12, 2),),
    # the two bits that say who gave an address, and whom it means, by the three bytes that name the maker
    "eth.dst.lg": ((0, 3),),
    "eth.dst.ig": ((0, 3),),
    "eth.src.lg": ((6, 3),),
    "eth.src.ig": ((6, 3),),
    "eth.lg": ((0, 3), (6, 3)),
    "eth.ig": ((0, 3), (6, 3)),
    "vlan.priority": ((0, 2),),
    "vlan.dei": ((0, 2),),
    "vlan.id": ((0, 2),),
    "vlan.etype": ((2, 2),),
    "ip.version": ((0, 1),),
    "ip.hdr_len": ((0, 1),),
    "ip.dsfield": ((1, 1),),
    "ip.dsfield.dscp": ((1, 1),),
    "ip.dsfield.ecn": ((1, 1),),
    "ip.len": ((2, 2),),
    "ip.id": ((4, 2),),
    "ip.flags": ((6, 1),),
    "ip.flags.rb": ((6, 1),),
    "ip.flags.df": ((6, 1),),
    "ip.flags.mf": ((6, 1),),
    "ip.frag_offset": ((6, 2),),
    "ip.ttl": ((8, 1),),
    "ip.proto": ((9, 1),),
    "ip.checksum": ((10, 2),),
    "ip.src": (_SOURCE_4,),
    "ip.dst": (_TARGET_4,),
    "ip.addr": (_SOURCE_4, _TARGET_4),
    "ipv6.version": ((0, 1),),
    "ipv6.tclass": ((0, 4),),
    "ipv6.tclass.dscp": ((0, 4),),
    "ipv6.tclass.ecn": ((0, 4),),
    "ipv6.flow": ((1, 3),),
    "ipv6.plen": ((4, 2),),
    "ipv6.nxt": ((6, 1),),
    "ipv6.hlim": ((7, 1),),
    "ipv6.src": (_SOURCE_6,),
    "ipv6.dst": (_TARGET_6,),
    "ipv6.addr": (_SOURCE_6, _TARGET_6),
    "tcp.srcport": ((0, 2),),
    "tcp.dstport": ((2, 2),),
    "tcp.port": ((0, 2), (2, 2)),
    "tcp.seq": ((4, 4),),
    "tcp.seq_raw": ((4, 4),),
    "tcp.ack": ((8, 4),),
    "tcp.ack_raw": ((8, 4),),
    "tcp.hdr_len": ((12, 1),),
    "tcp.flags": ((12, 2),),
    "tcp.flags.str": ((12, 2),),
    "tcp.flags.res": ((12, 1),),
    "tcp.flags.ae": ((12, 1),),
    **{f"tcp.flags.{name}": ((13, 1),) for name in _TCP_FLAGS},
    "tcp.window_size_value": ((14, 2),),
    "tcp.window_size": ((14, 2),),
    "tcp.window_size_scalefactor": ((14, 2),),
    "tcp.checksum": ((16, 2),),
    "tcp.urgent_pointer": ((18, 2),),
    "udp.srcport": ((0, 2),),
    "udp.dstport": ((2, 2),),
    "udp.port": ((0, 2), (2, 2)),
    "udp.length": ((4, 2),),
    "udp.checksum": ((6, 2),),
    **{f"{icmp}.{name}": (place,) for icmp in ("icmp", "icmpv6")
       for name, place in (("type", (0, 1)), ("code", (1, 1)), ("checksum", (2, 2)))},
}  # fmt: skip
"""By field: the place of each of its values in a header."""
