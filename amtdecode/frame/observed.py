"""Packet fields of observations: those of the packet that completes each."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from amtdecode.capture.packets import NOTICE, one_by_one

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from amtdecode.capture import RawPacket, Records
    from amtdecode.model import Observation

MAX_KEPT = 8 << 20  # bytes of values of recent packets kept for the observations that they complete
OVERHEAD = 400  # bytes that keeping the values of a packet takes besides their own


class PacketValues:
    """Reads chosen fields of packets on their way to the engine, and keeps them until their observations come.

    At most `MAX_KEPT` bytes are kept, the newest: an observation whose packet lies further back has none of them, and
    is counted in `forgotten`.
    """

    def __init__(self, names: Iterable[str]) -> None:
        from amtdecode.frame.reading import PacketReader

        self._names = tuple(names)
        self._reader = PacketReader(self._names)
        self._kept: OrderedDict[tuple[str, int], dict[str, Any]] = OrderedDict()  # its oldest is found at once
        self._size = 0
        self._dropped: dict[str, int] = {}  # by input, the latest packet whose values were let go
        self.forgotten = 0

    def watch(self, packets: Iterator[RawPacket | Records]) -> Iterator[RawPacket]:
        """Pass packets on, reading each."""
        for raw in one_by_one(packets):
            if raw[7].link_type != NOTICE:
                self._read(raw)
            yield raw

    def _read(self, raw: RawPacket) -> None:
        packet = self._reader.read(raw)
        found = {name: values for name in self._names if (values := packet.shown(name))}
        if not found:
            return
        self._kept[(packet.input, packet.number)] = found
        self._size += _size(found)
        while self._size > MAX_KEPT:
            oldest = next(iter(self._kept))
            self._dropped[oldest[0]] = oldest[1]
            self._size -= _size(self._kept.pop(oldest))

    def of(self, observation: Observation) -> Mapping[str, Any]:
        """The fields of the packet that completes an observation; lists of values, as a packet may have several."""
        found = self._kept.get((observation.input, observation.packet))
        if found is None and 0 < observation.packet <= self._dropped.get(observation.input, 0):
            self.forgotten += 1
        return found or {}


def _size(found: dict[str, Any]) -> int:
    return OVERHEAD + sum(len(str(values)) for values in found.values())
