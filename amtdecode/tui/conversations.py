"""Which packets belong together, told from a few bytes of each, so that a flow can be decoded without the others.

A packet has a place in a table by its addresses and ports, the same both ways. Two conversations may share a place:
the engine tells them apart again. The pieces of fragmented packets have no ports, and go by their addresses.
"""

from __future__ import annotations

import struct

from amtdecode.net.link import ETHERNET, IPV4, IPV6, network_layer

PLACES = 1 << 18
ALONE = 0
"""The place of packets that are decoded each by itself (ARP, and what is not IP)."""

TCP, UDP = 6, 17
PIECES = 0x3FFF  # of an IPv4 fragment: more follow, or it stands behind others (RFC 791 §3.1)
# Ethernet with IPv4: Ether type, version and length, fragment, protocol, addresses, ports
_USUAL = struct.Struct(">12xHB5xHxB2xIIHH").unpack_from
_USUAL_SIZE = 38
_SPREAD, _SPREAD_PORTS = 0x9E3779B1, 0x85EBCA6B  # odd numbers that spread well (Knuth; MurmurHash3)


def place(data: bytes, start: int, captured: int, link_type: int) -> int:
    """The place of the packet data[start:start + captured]."""
    if link_type == ETHERNET and captured >= _USUAL_SIZE:
        kind, version, fragment, protocol, source, target, port, other = _USUAL(data, start)
        if kind == IPV4 and version == 0x45 and not fragment & PIECES:
            return _spread(source + target, port + other if protocol in (TCP, UDP) else 0)
    return _unusual(data, start, start + captured, link_type)


def _spread(addresses: int, ports: int) -> int:
    value = addresses * _SPREAD + ports * _SPREAD_PORTS
    return 1 + ((value ^ value >> 17) & 0x7FFFFFFF) % (PLACES - 1)


def _unusual(data: bytes, start: int, end: int, link_type: int) -> int:
    network = network_layer(link_type, data, start, end)
    at = network.start
    if network.ethertype == IPV4 and end - at >= 20:
        source, target = struct.unpack_from(">II", data, at + 12)
        whole = not (data[at + 6] << 8 | data[at + 7]) & PIECES
        return _spread(source + target, _ports(data, at + (data[at] & 15) * 4, end) if _has(data[at + 9], whole) else 0)
    if network.ethertype == IPV6 and end - at >= 40:
        addresses = int.from_bytes(data[at + 8 : at + 24], "big") + int.from_bytes(data[at + 24 : at + 40], "big")
        return _spread(addresses, _ports(data, at + 40, end) if _has(data[at + 6], True) else 0)
    return ALONE


def _has(protocol: int, whole: bool) -> bool:
    return whole and protocol in (TCP, UDP)


def _ports(data: bytes, at: int, end: int) -> int:
    if at + 4 > end:
        return 0
    first, second = struct.unpack_from(">HH", data, at)
    return int(first + second)
