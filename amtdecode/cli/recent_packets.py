"""Keeps the newest packets, for `-V` and `-x`."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from amtdecode.capture import NOTICE, one_by_one
from amtdecode.frame.reading import PacketReader
from amtdecode.render.hex_text import Span, hex_dump, overlaps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.capture import RawPacket, Records
    from amtdecode.frame import Packet
    from amtdecode.model import Observation

OVERHEAD = 1000  # bytes that keeping a packet takes besides its own
MAX_DUMPED = 16 << 20  # bytes of recent packets kept for -V and -x


class RecentPackets:
    """The newest packets, no more than `MAX_DUMPED` bytes of them."""

    def __init__(self) -> None:
        self._reader = PacketReader()
        self._packets: OrderedDict[tuple[str, int], Packet] = OrderedDict()
        self._size = 0

    def watch(self, packets: Iterator[RawPacket | Records]) -> Iterator[RawPacket]:
        """Pass packets on, keeping them for a while."""
        for raw in one_by_one(packets):
            number, buffer, start, captured, original, high, low, interface = raw
            if interface.link_type != NOTICE:
                own = buffer[start : start + captured]
                packet = self._reader.read((number, own, 0, captured, original, high, low, interface))
                self._packets[(packet.input, packet.number)] = packet
                self._size += captured + OVERHEAD
                while self._size > MAX_DUMPED:
                    _, gone = self._packets.popitem(last=False)
                    self._size -= len(gone.data) + OVERHEAD
            yield raw

    def of(self, observation: Observation) -> Packet | None:
        """The packet that completes an observation; `None` where it is not kept."""
        return self._packets.get((observation.input, observation.packet))

    def dump(self, observation: Observation, *, color: bool = False) -> str:
        """The bytes of each packet behind an observation, and which of them are its message.

        The message itself stands below where several packets carried it, or where it was opened.
        """
        parts, found = [], 0
        message = observation.pdu or b""
        for number in observation.packets:
            packet = self._packets.get((observation.input, number))
            if packet is None:
                continue
            span = _part(packet, message)
            where = ""
            if span is not None:
                found += span[1] - span[0]
                where = f" ({observation.protocol} in bytes {span[0]} to {span[1] - 1})"
            marked = [span] if span is not None and color else []
            parts.append(f"\npacket {number}{where}:\n{hex_dump(packet.data, marked, color=color)}")
        if message and (len(observation.packets) > 1 or not found):
            parts.append(f"\n{observation.protocol}, the whole message, {len(message)} bytes:\n{hex_dump(message)}")
        return "".join(parts) + "\n"


def field_dump(observation: Observation, name: str, *, color: bool = False) -> str:
    """The bytes of a message, those of one field marked; "" where it has no such field."""
    message = observation.pdu or b""
    spans = [
        (node.start, node.start + node.length)
        for each in (observation.event.tree(message) if message else ())
        for node in each.walk()
        if node.name == name or node.name.startswith(f"{name}.")
    ]
    if not spans:
        return ""
    places = ", ".join(f"{first}" if behind - first == 1 else f"{first}-{behind - 1}" for first, behind in spans)
    return f"\n{name} in bytes {places} of {len(message)}:\n{hex_dump(message, spans, color=color)}\n"


def _part(packet: Packet, message: bytes) -> Span | None:
    """Which bytes of the packet belong to the message."""
    data = packet.data
    carried = [*packet.values("tcp.payload"), *packet.values("udp.payload")]
    payload: bytes = carried[-1] if carried else data
    span = overlaps(payload, message)
    if span is None:
        return None
    start = data.rfind(payload)
    return start + span[0], start + span[1]
