"""Packets of a capture in order, with what can only be said by following them: times, conversations, TCP analysis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.capture.packets import NOTICE, one_by_one
from amtdecode.frame.analysis import analyse
from amtdecode.frame.catalogue import ANALYSIS, CONVERSATIONS, needed
from amtdecode.frame.conversations import Conversations
from amtdecode.frame.dissect import Dissector
from amtdecode.frame.frame import Frame
from amtdecode.frame.packet import Packet
from amtdecode.frame.tcp import Tcp
from amtdecode.frame.udp import Udp
from amtdecode.model import PACKET_NUMBER_BITS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from amtdecode.capture import RawPacket, Records

NUMBER = (1 << PACKET_NUMBER_BITS) - 1


class PacketReader:
    """Makes packets of raw packets, which must come in the order of the capture.

    `names`: the fields that will be asked for; what none of them needs is not followed, and reads as absent. All by
    default. Raises `UsageError` for a name that is no field of a packet.
    """

    def __init__(self, names: Iterable[str] | None = None) -> None:
        self._needs = ANALYSIS if names is None else needed(names)
        self._dissector = Dissector()
        self._conversations = Conversations()
        self._first_ns: int | None = None
        self._last_ns: int | None = None

    def read(self, raw: RawPacket) -> Packet:
        """The next packet; `raw` must not be a notice."""
        number, data, start, captured, original, high, low, interface = raw
        time_ns = interface.time_ns(high, low)
        end = start + captured
        wire = max(end, start + original)
        frame = Frame(data, start, end, start + original, number & NUMBER, time_ns, interface.precision)
        if time_ns is not None:
            if self._first_ns is None or self._last_ns is None:
                self._first_ns = self._last_ns = time_ns
            frame.relative_ns = time_ns - self._first_ns
            frame.delta_ns = time_ns - self._last_ns
            self._last_ns = time_ns
        headers = self._dissector.headers(interface.link_type, data, start, end, wire)
        frame.protocols = [header.protocol for header in headers]
        if self._needs >= CONVERSATIONS:
            for header in headers:
                if type(header) is Tcp:
                    connection = self._conversations.tcp(header, time_ns)
                    if connection is not None and self._needs >= ANALYSIS:
                        analyse(header, frame.number, time_ns, connection)
                elif type(header) is Udp:
                    self._conversations.udp(header, time_ns)
        return Packet(interface.input, frame, [frame, *headers])

    def read_all(self, pieces: Iterable[RawPacket | Records]) -> Iterator[Packet]:
        """All packets; notices of the capture are passed over."""
        for raw in one_by_one(iter(pieces)):
            if raw[7].link_type != NOTICE:
                yield self.read(raw)
