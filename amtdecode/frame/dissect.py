"""From a raw packet to its headers: Ethernet, tags, IP with fragments put together, TCP, UDP, ICMP and its quotes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.flow.streams import is_numbered
from amtdecode.frame.ethernet import Ethernet, ServiceTag, Sll, Sll2, Vlan
from amtdecode.frame.icmp import Icmp, Icmpv6
from amtdecode.frame.ip import Ip
from amtdecode.frame.ipv6 import Ipv6, Ipv6Fragment
from amtdecode.frame.tcp import Tcp
from amtdecode.frame.udp import Udp
from amtdecode.net.fragments import Fragments
from amtdecode.net.icmp import ERRORS_V4, ERRORS_V6
from amtdecode.net.ip import AUTHENTICATION, EXTENSIONS, FRAGMENT, ICMP, ICMPV6, MAX_EXTENSIONS, TCP, UDP
from amtdecode.net.link import ETHERNET, IPV4, IPV6, LINUX_SLL, LINUX_SLL2, MAX_TAGS, VLAN_TAGS, VN_TAG, network_layer
from amtdecode.net.tunnels import MAX_TUNNELS, ip_tunnel, udp_tunnel

if TYPE_CHECKING:
    from amtdecode.frame.header import Header
    from amtdecode.model import Event
    from amtdecode.net.link import Network
    from amtdecode.net.tunnels import Inside

SERVICE_TAG = 0x88A8
MAX_QUOTED = 4  # ICMP errors about ICMP errors, and so on
TYPE_AT = {ETHERNET: (12, 14), LINUX_SLL: (14, 16), LINUX_SLL2: (0, 20)}
"""By link type: where the type of the payload stands, and where the payload begins."""


def _ignore(_event: Event) -> None:
    """What is wrong with fragments is for the engine to say."""


class Dissector:
    """Finds the headers of packets, in order; those of a datagram in fragments in the packet that completes it."""

    def __init__(self) -> None:
        self._fragments = Fragments(_ignore)
        self._tunnels = 0  # that what is read now lies in

    def headers(self, link_type: int, data: bytes, start: int, end: int, wire: int) -> list[Header]:
        """The headers of the packet data[start:end], which on the wire ended at `wire`."""
        found: list[Header] = []
        if link_type in TYPE_AT:
            self._tags(link_type, data, start, end, wire, found)
        self._network(network_layer(link_type, data, start, end), data, end, wire, found)
        return found

    def _network(self, network: Network, data: bytes, end: int, wire: int, found: list[Header]) -> None:
        if network.limit >= 0:
            end, wire = min(end, network.limit), min(wire, network.limit)
        if network.ethertype == IPV4:
            self._ipv4(data, network.start, end, wire, found, 0)
        elif network.ethertype == IPV6:
            self._ipv6(data, network.start, end, wire, found, 0)

    def _unwrap(self, inside: Inside | None, data: bytes, end: int, wire: int, found: list[Header]) -> None:
        """The headers inside a tunnel."""
        if inside is None or self._tunnels >= MAX_TUNNELS:
            return
        self._tunnels += 1
        if inside.link_type == ETHERNET:
            found += self.headers(ETHERNET, data, inside.start, end, wire)
        else:
            self._network(inside.network(data, end), data, end, wire, found)
        self._tunnels -= 1

    def _tags(self, link_type: int, data: bytes, start: int, end: int, wire: int, found: list[Header]) -> None:
        if link_type == ETHERNET:
            found.append(Ethernet(data, start, end, wire))
        elif link_type == LINUX_SLL:
            found.append(Sll(data, start, end, wire))
        else:
            found.append(Sll2(data, start, end, wire))
        type_at, at = TYPE_AT[link_type]
        type_at, at = start + type_at, start + at
        for _ in range(MAX_TAGS):
            kind = data[type_at] << 8 | data[type_at + 1] if at <= end else 0
            if kind == VN_TAG:
                type_at, at = at + 4, at + 6
                continue
            if kind not in VLAN_TAGS:
                return
            found.append((ServiceTag if kind == SERVICE_TAG else Vlan)(data, at, end, wire))
            type_at, at = at + 2, at + 4

    def _ipv4(self, data: bytes, start: int, end: int, wire: int, found: list[Header], quoted: int) -> None:
        header = Ip(data, start, end, wire)
        found.append(header)
        version = header.bits(0, 4, 0x0F)
        if version is not None and version != 4:
            header.end = min(end, start + 1)
            if version == 6 and not quoted:
                self._ipv6(data, start, end, wire, found, 0)
            return
        size, total, place = header.size(), header.u16(2), header.u16(6)
        if size < 20:  # nothing behind it can be trusted
            header.end = min(end, start + 1)
            return
        if total is None or place is None or header.u32(16) is None:
            return
        if total == 0:  # segmentation offload: the sending host captured before the length was known
            total = wire - start
        if total < size:
            header.end = start + 4
            return
        if start + size > end:
            return
        missing = end < start + total  # cut by the capture, or a length that cannot be
        wire = min(wire, start + total) if not quoted else start + total
        end = min(end, wire)
        protocol, addresses = data[start + 9], data[start + 12 : start + 20]
        if place & 0x3FFF:  # a fragment
            if quoted or missing:  # not put together: the first is read as far as it goes
                if not place & 0x1FFF:
                    self._transport(protocol, addresses, data, start + size, end, wire, found, quoted, partial=True)
            else:
                key = (addresses, protocol, data[start + 4] << 8 | data[start + 5])
                more, offset = bool(place & 0x2000), (place & 0x1FFF) * 8
                whole = self._fragments.add(key, offset, more, data[start + size : end], wire - end)
                if whole is not None:
                    self._transport(protocol, addresses, whole, 0, len(whole), len(whole), found, quoted)
            return
        self._transport(protocol, addresses, data, start + size, end, wire, found, quoted)

    def _ipv6(self, data: bytes, start: int, end: int, wire: int, found: list[Header], quoted: int) -> None:
        header = Ipv6(data, start, end, wire)
        found.append(header)
        payload = header.u16(4)
        if end > start and data[start] >> 4 != 6:
            header.end = start + 1
            return
        if payload is None or header.take(0, 40) is None:
            return
        if payload:
            wire = start + 40 + payload if quoted else min(wire, start + 40 + payload)
        end = min(end, wire)
        protocol, at, addresses = data[start + 6], start + 40, data[start + 8 : start + 40]
        partial = False
        for _ in range(MAX_EXTENSIONS):
            if protocol in EXTENSIONS or protocol == AUTHENTICATION:
                if end - at < 8:
                    return
                size = (data[at + 1] + 2) * 4 if protocol == AUTHENTICATION else (data[at + 1] + 1) * 8
                protocol, at = data[at], at + size
                if at > end:
                    return
            elif protocol == FRAGMENT:
                part = Ipv6Fragment(data, at, end, wire)
                place, ident = part.u16(2), part.u32(4)
                if place is None or ident is None:
                    return
                found.append(part)
                offset, more, protocol = place & 0xFFF8, bool(place & 1), data[at]
                at += 8
                if not offset and not more:  # an atomic fragment (RFC 6946)
                    continue
                if quoted or end < wire:
                    if offset:
                        return
                    partial = True
                    continue
                whole = self._fragments.add((addresses, -1, ident), offset, more, data[at:end], wire - end, protocol)
                if whole is None:
                    return
                protocol = self._fragments.first_header
                data, at, end, wire = whole, 0, len(whole), len(whole)
            else:
                self._transport(protocol, addresses, data, at, end, wire, found, quoted, partial=partial)
                return

    def _transport(
        self,
        protocol: int,
        addresses: bytes,
        data: bytes,
        start: int,
        end: int,
        wire: int,
        found: list[Header],
        quoted: int,
        *,
        partial: bool = False,
    ) -> None:
        if protocol == TCP:
            found.append(Tcp(data, start, end, wire, addresses, partial=partial or quoted > 0))
        elif protocol == UDP:
            header = Udp(data, start, end, wire, addresses, partial=partial or quoted > 0)
            found.append(header)
            length = header.u16(4)
            if quoted or partial or length is None or not is_numbered(length, len(addresses) > 8):
                return
            behind = min(end, start + length) if length else end
            port = data[start + 2] << 8 | data[start + 3]
            self._unwrap(udp_tunnel(port, data, start + 8, behind), data, behind, max(wire - end, 0) + behind, found)
        elif protocol == ICMP and len(addresses) == 8:
            found.append(Icmp(data, start, end, wire, quoted=quoted > 0))
            if start + 8 < end and data[start] in ERRORS_V4 and quoted < MAX_QUOTED:
                self._ipv4(data, start + 8, end, wire, found, quoted + 1)
        elif protocol == ICMPV6 and len(addresses) == 32:
            found.append(Icmpv6(data, start, end, wire))
            if start + 8 < end and data[start] in ERRORS_V6 and quoted < MAX_QUOTED:
                self._ipv6(data, start + 8, end, wire, found, quoted + 1)
        elif not quoted and not partial:
            self._unwrap(ip_tunnel(protocol, data, start, end), data, end, wire, found)
