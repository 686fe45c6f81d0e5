"""Where the headers of a packet lie, as far as they are rewritten: Ethernet or no link layer, IP, TCP, UDP, ICMP."""

from __future__ import annotations

from typing import NamedTuple

from amtdecode.net.link import ARP, ETHERNET, IPV4, IPV4_ONLY, IPV6, IPV6_ONLY, LOOP, MAX_TAGS, NULL, RAW, VLAN_TAGS

TCP, UDP, ICMP, ICMPV6 = 6, 17, 1, 58


class Layers(NamedTuple):
    """Offsets into the packet; what lies behind `end` is padding."""

    network: int
    ethertype: int
    transport: int = 0
    protocol: int = -1
    payload: int = 0
    end: int = 0
    wire_end: int = 0
    """Where it ended on the wire, as the header says."""
    fragment: bool = False

    @property
    def whole(self) -> bool:
        """Nothing of it was cut when it was captured."""
        return self.end == self.wire_end


def layers_of(link_type: int, data: bytes) -> Layers | None:
    """The layers of a packet; `None` for what is not rewritten here."""
    found = _link(link_type, data)
    if found is None:
        return None
    start, ethertype = found
    if ethertype == ARP:
        return Layers(start, ARP, end=len(data), wire_end=len(data)) if len(data) >= start + 28 else None
    if ethertype == IPV4:
        return _ipv4(data, start)
    return _ipv6(data, start) if ethertype == IPV6 else None


def _link(link_type: int, data: bytes) -> tuple[int, int] | None:
    if link_type == ETHERNET:
        at = 12
        for _ in range(MAX_TAGS):
            if len(data) < at + 2:
                return None
            ethertype = int.from_bytes(data[at : at + 2], "big")
            if ethertype not in VLAN_TAGS:
                return at + 2, ethertype
            at += 4
        return None
    if link_type in (RAW, IPV4_ONLY, IPV6_ONLY, NULL, LOOP):
        start = 4 if link_type in (NULL, LOOP) else 0
        version = data[start] >> 4 if len(data) > start else 0
        return (start, IPV4) if version == 4 else (start, IPV6) if version == 6 else None
    return None


def _ipv4(data: bytes, start: int) -> Layers | None:
    if len(data) < start + 20 or data[start] >> 4 != 4:
        return None
    size, total = (data[start] & 15) * 4, int.from_bytes(data[start + 2 : start + 4], "big")
    if size < 20 or len(data) < start + size or (total and total < size):
        return None
    wire_end = start + total if total else len(data)
    fragment = bool(int.from_bytes(data[start + 6 : start + 8], "big") & 0x3FFF)
    return _transport(data, start, IPV4, start + size, data[start + 9], wire_end, fragment=fragment)


def _ipv6(data: bytes, start: int) -> Layers | None:
    if len(data) < start + 40 or data[start] >> 4 != 6:
        return None
    wire_end = start + 40 + int.from_bytes(data[start + 4 : start + 6], "big")
    return _transport(data, start, IPV6, start + 40, data[start + 6], wire_end, fragment=False)


def _transport(
    data: bytes, network: int, ethertype: int, start: int, protocol: int, wire_end: int, *, fragment: bool
) -> Layers:
    end = min(wire_end, len(data))
    payload = end
    if fragment:
        payload = start
    elif protocol == TCP and end >= start + 20:
        payload = min(end, start + max(20, (data[start + 12] >> 4) * 4))
    elif protocol in (UDP, ICMP, ICMPV6) and end >= start + 8:
        payload = start + 8
    elif protocol not in (TCP, UDP, ICMP, ICMPV6):
        payload = start
    return Layers(network, ethertype, start, protocol, payload, end, wire_end, fragment)
