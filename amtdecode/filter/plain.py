"""Packets of the common kind, judged from one look at their headers: nothing is made of those that do not pass.

Plain is a frame of Ethernet without tags, with an IPv4 header without options, and one whole TCP segment or UDP
datagram in it. What the fields named here have there is what `frame` reads, by another way; a property test holds both
equal. All other packets, and all other fields, are read by `frame`.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Any, TypeAlias

from amtdecode.frame.tcp import ACK, AE, CWR, ECE, FIN, PSH, RST, SYN, URG
from amtdecode.model import PACKET_NUMBER_BITS
from amtdecode.net.ip import TCP, UDP
from amtdecode.net.link import ETHERNET, IPV4

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from amtdecode.capture import RawPacket

Plain: TypeAlias = "tuple[int, ...]"
"""What `plain` reads: fields in the order of `_HEADERS`, then packet number, captured and original length."""

# Ethernet type; IPv4 version, total length, identification, fragment, time to live, protocol, addresses (RFC 791);
# ports, sequence and acknowledgment number, data offset with flags, window (RFC 9293). Of UDP (RFC 768) the length
# stands in the upper half of the sequence number.
_HEADERS = Struct(">12xHBxHHHBB2xIIHHIIHH").unpack_from
_SIZE = 14 + 20 + 16
_ETHERNET, _LEAST = 14, 20
_NO_OPTIONS = 0x45
_PIECES = 0x3FFF  # of a fragment: more follow, or it stands behind others
_TOTAL, _TTL, _PROTOCOL, _SOURCE, _TARGET, _FROM, _TO, _SEQ, _ACK, _FLAGS, _WINDOW = (
    2,
    5,
    6,
    7,
    8,
    9,
    10,
    11,
    12,
    13,
    14,
)
_NUMBER, _CAPTURED, _ORIGINAL = 15, 16, 17
_MASK = (1 << PACKET_NUMBER_BITS) - 1


def plain(raw: RawPacket) -> Plain | None:
    """The headers of a packet; `None` where it is of another kind, or cut."""
    number, data, start, captured, original, _, _, interface = raw
    if interface.link_type != ETHERNET:
        return None
    return plain_frame(data, start, captured, original, number)


def plain_frame(data: bytes, start: int, captured: int, original: int, number: int) -> Plain | None:
    """The same of a frame of Ethernet in data[start:start + captured]."""
    if captured < _SIZE:
        return None
    found = _HEADERS(data, start)
    if found[0] != IPV4 or found[1] != _NO_OPTIONS or found[4] & _PIECES:
        return None
    total, protocol = found[_TOTAL], found[_PROTOCOL]
    if total + _ETHERNET > captured:
        return None
    if protocol == TCP:
        if total < 2 * _LEAST or not 5 <= found[_FLAGS] >> 12 <= total - _LEAST >> 2:
            return None
    elif protocol != UDP or total < _LEAST + 8:
        return None
    return (*found, number & _MASK, captured, original)


def _all(at: int) -> Callable[[Plain], list[Any]]:
    return lambda found: [found[at]]


def _both(first: int, second: int) -> Callable[[Plain], list[Any]]:
    return lambda found: [found[first], found[second]]


def _of(protocol: int, read: Callable[[Plain], list[Any]]) -> Callable[[Plain], list[Any]]:
    return lambda found: read(found) if found[_PROTOCOL] == protocol else []


def _flag(mask: int) -> Callable[[Plain], list[Any]]:
    return lambda found: [found[_FLAGS] & mask != 0]


FIELDS: Mapping[str, Callable[[Plain], list[Any]]] = {
    "frame.number": _all(_NUMBER),
    "frame.len": lambda found: [found[_ORIGINAL]],
    "frame.cap_len": _all(_CAPTURED),
    "ip.src": _all(_SOURCE),
    "ip.dst": _all(_TARGET),
    "ip.addr": _both(_SOURCE, _TARGET),
    "ip.proto": _all(_PROTOCOL),
    "ip.ttl": _all(_TTL),
    "ip.len": _all(_TOTAL),
    "tcp.srcport": _of(TCP, _all(_FROM)),
    "tcp.dstport": _of(TCP, _all(_TO)),
    "tcp.port": _of(TCP, _both(_FROM, _TO)),
    "tcp.len": _of(TCP, lambda found: [found[_TOTAL] - _LEAST - (found[_FLAGS] >> 12) * 4]),
    "tcp.hdr_len": _of(TCP, lambda found: [(found[_FLAGS] >> 12) * 4]),
    "tcp.seq_raw": _of(TCP, _all(_SEQ)),
    "tcp.ack_raw": _of(TCP, _all(_ACK)),
    "tcp.window_size_value": _of(TCP, _all(_WINDOW)),
    "tcp.flags": _of(TCP, lambda found: [found[_FLAGS] & 0x0FFF]),
    "tcp.flags.ae": _of(TCP, _flag(AE)),
    "tcp.flags.cwr": _of(TCP, _flag(CWR)),
    "tcp.flags.ece": _of(TCP, _flag(ECE)),
    "tcp.flags.urg": _of(TCP, _flag(URG)),
    "tcp.flags.ack": _of(TCP, _flag(ACK)),
    "tcp.flags.push": _of(TCP, _flag(PSH)),
    "tcp.flags.reset": _of(TCP, _flag(RST)),
    "tcp.flags.syn": _of(TCP, _flag(SYN)),
    "tcp.flags.fin": _of(TCP, _flag(FIN)),
    "udp.srcport": _of(UDP, _all(_FROM)),
    "udp.dstport": _of(UDP, _all(_TO)),
    "udp.port": _of(UDP, _both(_FROM, _TO)),
    "udp.length": _of(UDP, lambda found: [found[_SEQ] >> 16]),
}
"""By field: its values in a plain packet, as filters compare them."""

LAYERS: Mapping[str, Callable[[Plain], bool]] = {
    "frame": lambda _found: True,
    "eth": lambda _found: True,
    "ip": lambda _found: True,
    "ipv6": lambda _found: False,
    "vlan": lambda _found: False,
    "icmp": lambda _found: False,
    "icmpv6": lambda _found: False,
    "tcp": lambda found: found[_PROTOCOL] == TCP,
    "udp": lambda found: found[_PROTOCOL] == UDP,
}
"""By protocol: whether a plain packet has its header."""
