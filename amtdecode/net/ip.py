"""IPv4 (RFC 791) and IPv6 (RFC 8200): from a network layer to the datagram it carries, fragments put together."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from amtdecode.net.fragments import Fragments

if TYPE_CHECKING:
    from collections.abc import Callable

    from amtdecode.model import Event

TCP, UDP, ICMP, ICMPV6 = 6, 17, 1, 58
HOP_BY_HOP, ROUTING, FRAGMENT, AUTHENTICATION, NO_NEXT, DESTINATION, MOBILITY, HIP, SHIM6 = (
    0,
    43,
    44,
    51,
    59,
    60,
    135,
    139,
    140,
)
EXTENSIONS = frozenset({HOP_BY_HOP, ROUTING, DESTINATION, MOBILITY, HIP, SHIM6})
MAX_EXTENSIONS = 16  # headers deep; real packets have one or two


class Datagram(NamedTuple):
    """What an IP packet carries to one protocol."""

    protocol: int
    addresses: bytes  # source and destination, 8 or 32 bytes
    data: bytes
    start: int
    end: int  # of the captured part
    cut: int  # bytes behind `end` that the packet had and the capture lacks


class IpLayer:
    """Reads IP headers; keeps fragments until they are whole."""

    def __init__(self, report: Callable[[Event], None]) -> None:
        self._fragments = Fragments(report)
        self.odd_lengths = 0
        """Packets so far whose length cannot be, and of which the captured length was taken."""

    def finish(self) -> None:
        """The capture ends: say what is still unfinished."""
        self._fragments.finish()

    def read_ipv4(self, data: bytes, start: int, end: int, wire: int) -> Datagram | str:
        """The datagram of an IPv4 packet captured up to `end`, on the wire up to `wire`.

        "" while fragments of it are missing; a text that says what is wrong with the packet.
        """
        if end - start < 20:
            return "IPv4 header cut"
        header = (data[start] & 0x0F) * 4
        if data[start] >> 4 != 4 or header < 20:
            return "not an IPv4 header"
        total = data[start + 2] << 8 | data[start + 3]
        if not total or (total == header and data[start + 9] == TCP and wire - start >= header + 20):
            # segmentation offload: the sending host captured before its network card set the length
            self.odd_lengths += 1
            total = wire - start
        if total < header:
            return f"IPv4 total length {total} is less than its header of {header} bytes"
        if end - start < header:
            return "IPv4 options cut"
        flags = data[start + 6] << 8 | data[start + 7]
        addresses = data[start + 12 : start + 20]
        protocol = data[start + 9]
        captured = min(end, start + total)
        cut = min(wire, start + total) - captured
        if flags & 0x3FFF:  # more fragments, or an offset
            key = (addresses, protocol, data[start + 4] << 8 | data[start + 5])
            whole = self._fragments.add(
                key, (flags & 0x1FFF) * 8, bool(flags & 0x2000), data[start + header : captured], cut
            )
            return Datagram(protocol, addresses, whole, 0, len(whole), 0) if whole is not None else ""
        return Datagram(protocol, addresses, data, start + header, captured, cut)

    def read_ipv6(self, data: bytes, start: int, end: int, wire: int) -> Datagram | str:
        """The same for an IPv6 packet."""
        if end - start < 40:
            return "IPv6 header cut"
        if data[start] >> 4 != 6:
            return "not an IPv6 header"
        payload = data[start + 4] << 8 | data[start + 5]
        if payload == 0:  # a jumbogram or segmentation offload
            payload = wire - start - 40
            self.odd_lengths += payload > 0
        addresses = data[start + 8 : start + 40]
        captured = min(end, start + 40 + payload)
        cut = min(wire, start + 40 + payload) - captured
        protocol, at = data[start + 6], start + 40
        return self._walk(protocol, addresses, data, at, captured, cut)

    def _walk(self, protocol: int, addresses: bytes, data: bytes, at: int, end: int, cut: int) -> Datagram | str:
        """Past the extension headers to the payload."""
        for _ in range(MAX_EXTENSIONS):
            if protocol in EXTENSIONS or protocol == AUTHENTICATION:
                if end - at < 8:
                    return "IPv6 extension header cut"
                size = (data[at + 1] + 2) * 4 if protocol == AUTHENTICATION else (data[at + 1] + 1) * 8
                protocol, at = data[at], at + size
                if at > end:
                    return "IPv6 extension header cut"
            elif protocol == FRAGMENT:
                if end - at < 8:
                    return "IPv6 fragment header cut"
                field = data[at + 2] << 8 | data[at + 3]
                protocol, offset, more = data[at], field & 0xFFF8, bool(field & 1)
                key = (addresses, -1, int.from_bytes(data[at + 4 : at + 8], "big"))
                if not offset and not more:  # an atomic fragment (RFC 6946)
                    at += 8
                    continue
                whole = self._fragments.add(key, offset, more, data[at + 8 : end], cut, protocol)
                if whole is None:
                    return ""
                protocol = self._fragments.first_header
                data, at, end, cut = whole, 0, len(whole), 0
            else:
                return Datagram(protocol, addresses, data, at, end, cut)
        return "too many IPv6 extension headers"
