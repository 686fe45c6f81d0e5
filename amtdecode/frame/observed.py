"""Packet fields of observations: those that an observation's flow gives, and those of the packet that completes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amtdecode.capture.packets import NOTICE, one_by_one

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from amtdecode.capture import RawPacket, Records
    from amtdecode.model import Observation

MAX_KEPT = 8 << 20  # bytes of values of recent packets kept for the observations that they complete
OVERHEAD = 400  # bytes that keeping the values of a packet takes besides their own

BOTH_WAYS = {
    # fields that stand for either end, as in tshark
    "ip.addr": ("ip.src", "ip.dst"),
    "ipv6.addr": ("ipv6.src", "ipv6.dst"),
    "tcp.port": ("tcp.srcport", "tcp.dstport"),
    "udp.port": ("udp.srcport", "udp.dstport"),
}
OF_FLOWS = frozenset({*BOTH_WAYS, *(name for both in BOTH_WAYS.values() for name in both), "tcp.stream", "udp.stream"})
"""Fields that the flow of an observation gives."""
OF_OBSERVATIONS = frozenset({"frame.number", "frame.time", "frame.time_epoch"})


def flow_fields(observation: Observation) -> dict[str, Any]:
    """Addresses, ports and stream number, under tshark's names."""
    flow = observation.flow
    if flow is None:
        return {}
    src, dst = flow.source(observation.direction), flow.destination(observation.direction)
    ip = "ipv6" if len(src.packed) == 16 else "ip"
    fields: dict[str, Any] = {f"{ip}.src": src.address, f"{ip}.dst": dst.address}
    if flow.transport in ("tcp", "udp"):
        fields[f"{flow.transport}.srcport"] = src.port
        fields[f"{flow.transport}.dstport"] = dst.port
        fields[f"{flow.transport}.stream"] = flow.number
    return fields


def only_in_packets(names: Iterable[str]) -> list[str]:
    """Those of the fields that neither the observation nor its flow can give."""
    from amtdecode.frame.catalogue import BY_NAME

    return [name for name in names if name in BY_NAME and name not in OF_FLOWS and name not in OF_OBSERVATIONS]


class PacketValues:
    """Reads chosen fields of packets on their way to the engine, and keeps them until their observations come.

    At most `MAX_KEPT` bytes are kept, the newest: an observation whose packet lies further back has none of them, and
    is counted in `forgotten`.
    """

    def __init__(self, names: Iterable[str]) -> None:
        from amtdecode.frame.reading import NUMBER, PacketReader

        self._names = tuple(names)
        self._newest = NUMBER  # older than none, where nothing is kept
        self._reader = PacketReader(self._names)
        self._kept: dict[tuple[str, int], dict[str, Any]] = {}
        self._size = 0
        self._dropped = False
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
            self._dropped = True
            self._size -= _size(self._kept.pop(next(iter(self._kept))))

    def of(self, observation: Observation) -> Mapping[str, Any]:
        """The fields of the packet that completes an observation; lists of values, as a packet may have several."""
        found = self._kept.get((observation.input, observation.packet))
        if found is None and self._dropped and observation.packet < self._oldest():
            self.forgotten += 1
        return found or {}

    def _oldest(self) -> int:
        return next(iter(self._kept), ("", self._newest))[1]


def _size(found: dict[str, Any]) -> int:
    return OVERHEAD + sum(len(str(values)) for values in found.values())
