"""Packets that a capture has twice, as a mirror port delivers them that copies both what comes in and what goes out.

A copy is the same packet behind its link layer, but for what a router on its way changes (hops left, header checksum),
and comes so soon that no host can have sent it again (`capture.health.too_soon`): what the health of a capture counts
by the bytes that a connection has already given, here told of every packet.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from amtdecode.capture.health import too_soon
from amtdecode.capture.packets import NOTICE, one_by_one
from amtdecode.net.ip import TCP
from amtdecode.net.link import IPV4, IPV6, network_layer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from amtdecode.capture import RawPacket, Records

MAX_REMEMBERED = 8192
"""Packets that a later one is compared with."""
_FLAGS_THAT_SAY = 0x07  # FIN, SYN, RST


class Copies:
    """Leaves out packets that came before."""

    def __init__(self) -> None:
        self.left_out = 0
        self._seen: OrderedDict[bytes, int] = OrderedDict()  # when each came last

    def watch(self, pieces: Iterable[RawPacket | Records]) -> Iterator[RawPacket]:
        """The packets without copies."""
        for raw in one_by_one(iter(pieces)):
            if raw[7].link_type == NOTICE or not self.is_copy(raw):
                yield raw

    def is_copy(self, raw: RawPacket) -> bool:
        """Whether a packet is a copy of one shown before; those must come in the order of the capture."""
        _, data, start, captured, original, high, low, interface = raw
        time = interface.time_ns(high, low)
        if time is None:
            return False
        what = _what(interface.link_type, data, start, start + captured)
        if what is None:
            return False
        key = what + original.to_bytes(4, "big")
        before = self._seen.pop(key, None)
        self._seen[key] = time
        if len(self._seen) > MAX_REMEMBERED:
            self._seen.popitem(last=False)
        if before is None or not too_soon(before, time):
            return False
        self.left_out += 1
        return True


def _what(link_type: int, data: bytes, start: int, end: int) -> bytes | None:
    """What makes a packet the same as another; `None` where a host may well send the same twice."""
    network = network_layer(link_type, data, start, end)
    kind, at = network.ethertype, network.start
    if kind == IPV4 and end - at >= 20:
        head = data[at : at + 8] + data[at + 9 : at + 10]
        size = (data[at] & 0x0F) * 4
        if not data[at + 4] and not data[at + 5] and _says_nothing(data[at + 9], data, at + size, end):
            return None
        return head + data[at + 12 : end]
    if kind == IPV6 and end - at >= 40:
        if _says_nothing(data[at + 6], data, at + 40, end):
            return None
        return data[at : at + 7] + data[at + 8 : end]
    return data[start:end]


def _says_nothing(protocol: int, data: bytes, at: int, end: int) -> bool:
    """Whether a packet, which has no number of its own, is a bare acknowledgment: those repeat (RFC 5681 §2)."""
    if protocol != TCP or end - at < 20:
        return False
    return not data[at + 13] & _FLAGS_THAT_SAY and at + (data[at + 12] >> 4) * 4 >= end
