"""The packets of captures that pass a filter, each judged by all that was decoded from it."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

from amtdecode.capture.packets import NOTICE, Records, notice, one_by_one
from amtdecode.capture.pcapng import Comment
from amtdecode.filter.facts import Facts, RawFacts
from amtdecode.filter.plain import plain_frame
from amtdecode.filter.plan import followed, must_follow
from amtdecode.frame.reading import NUMBER, PacketReader
from amtdecode.model import Note
from amtdecode.net.link import ETHERNET

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from amtdecode.capture import RawPacket
    from amtdecode.engine import Engine
    from amtdecode.filter.compile import Filter
    from amtdecode.frame import Packet
    from amtdecode.model import Observation

MAX_HELD = 4096
"""Packets that are held before they are judged, as later ones may complete what they began or say how it ended."""
MAX_HELD_BYTES = 16 << 20  # of packets that are held before they are judged
OVERHEAD = 1000  # bytes that holding a packet takes besides its own
MAX_WAITING = 256  # packets that are ready while the engine has nothing to state


class Judged(NamedTuple):
    """A packet with what was decoded from it, and whether it passes."""

    facts: RawFacts
    passes: bool

    @property
    def raw(self) -> RawPacket:
        """As captured."""
        return self.facts.raw

    @property
    def packet(self) -> Packet:
        """With its headers."""
        return self.facts.packet

    @property
    def observations(self) -> Sequence[Observation]:
        """What it completes."""
        return self.facts.observations


TICK = Note("filter", "somebody waits")
"""Has the engine state something, so that whoever waits behind it has his turn."""


class Judge:
    """Judges every packet of a reading, in order.

    `engine`: makes what decodes the packets, where the filter asks for more than their headers, or `always`; it must
    give out observations one by one (`batch_size` 1). `names`: packet fields that will be asked for besides those of
    the filter; `None` for all. `held`: packets that are held before they are judged.
    """

    def __init__(
        self,
        chosen: Filter,
        engine: Callable[[], Engine],
        names: Iterable[str] | None = (),
        *,
        held: int = MAX_HELD,
    ) -> None:
        self._passes = chosen.passes
        self._plainly = chosen.reads_plain
        self._engine = engine() if chosen.event_names else None
        asked = None if names is None else followed({*chosen.packet_names, *names})
        self._reader = PacketReader(asked)
        self._at_once = asked is None or must_follow(asked)
        self._most = held
        self._held: deque[tuple[RawFacts, list[Observation]]] = deque()
        self._by_place: dict[tuple[str, int], list[Observation]] = {}
        self._size = 0
        self._ready: list[Judged] = []

    def judge(self, pieces: Iterable[RawPacket | Records]) -> Iterator[Judged]:
        """All packets, each with its verdict; notices of the capture are passed over."""
        if self._engine is None:
            for facts in self._read(pieces):
                yield Judged(facts, self._passes(facts))
            return
        raws = one_by_one(iter(pieces))
        ready = self._ready
        comments: list[Observation] = []
        for observation in self._engine.observe(self._holding(raws)):
            event = observation.event
            if type(event) is Comment:  # it stands before the packet that it is about
                comments.append(observation)
                continue
            for known in (*comments, observation) if event is not TICK else comments:
                place = self._by_place.get((known.input, known.packet))
                if place is not None:
                    place.append(known)
            comments.clear()
            if ready:
                yield from ready
                ready.clear()
        for comment in comments:
            place = self._by_place.get((comment.input, comment.packet))
            if place is not None:
                place.append(comment)
        while self._held:
            ready.append(self._release())
        yield from ready

    def passing(self, pieces: Iterable[RawPacket | Records]) -> Iterator[RawFacts]:
        """The packets that pass, in order. Of a plain one that does not, nothing but its headers is looked at."""
        if self._engine is not None or self._at_once or not self._plainly:
            return (judged.facts for judged in self.judge(pieces) if judged.passes)
        return self._passing(pieces)

    def _passing(self, pieces: Iterable[RawPacket | Records]) -> Iterator[RawFacts]:
        passes, reader, headers = self._passes, self._reader, Facts(None, ())
        for piece in pieces:
            if not isinstance(piece, Records) or piece.interface.link_type != ETHERNET:
                for facts in self._read((piece,)):
                    if passes(facts):
                        yield facts
                continue
            buffer, unpack, header, end = piece.buffer, piece.unpack, piece.header, piece.end
            interface, position, number = piece.interface, piece.position, piece.number
            while position <= end - header:
                high, low, captured, original = unpack(buffer, position)
                start = position + header
                if start + captured > end:
                    break
                position = start + captured
                number += 1
                found = headers.plain = plain_frame(buffer, start, captured, original, number)
                if found is not None and not passes(headers):
                    continue
                raw = (number, buffer, start, captured, original, high, low, interface)
                facts = RawFacts(raw, reader, (), at_once=found is None, known=found)
                if found is not None or passes(facts):
                    piece.position, piece.number = position, number
                    yield facts
            piece.position, piece.number = position, number

    def _read(self, pieces: Iterable[RawPacket | Records]) -> Iterator[RawFacts]:
        reader, at_once = self._reader, self._at_once
        for raw in one_by_one(iter(pieces)):
            if raw[7].link_type != NOTICE:
                yield RawFacts(raw, reader, (), at_once=at_once)

    def _holding(self, raws: Iterator[RawPacket]) -> Iterator[RawPacket]:
        """Pass packets on to the engine, and hold them until they are judged."""
        ready = self._ready
        for raw in raws:
            if raw[7].link_type != NOTICE:
                found: list[Observation] = []
                self._held.append((RawFacts(raw, self._reader, found, at_once=self._at_once), found))
                self._by_place[_place(raw)] = found
                self._size += OVERHEAD + raw[3]
                while len(self._held) > self._most or (self._size > MAX_HELD_BYTES and len(self._held) > 1):
                    ready.append(self._release())
                if len(ready) >= MAX_WAITING:
                    yield notice(raw[7].input, raw[0], TICK)
            yield raw

    def _release(self) -> Judged:
        facts, _ = self._held.popleft()
        self._by_place.pop(_place(facts.raw), None)
        self._size -= OVERHEAD + facts.raw[3]
        return Judged(facts, self._passes(facts))


def _place(raw: RawPacket) -> tuple[str, int]:
    """The packet as observations name it."""
    return raw[7].input, raw[0] & NUMBER


def chosen_pieces(
    chosen: Filter, engine: Engine, raws: Iterable[RawPacket | Records], settle: Callable[[bool], Any]
) -> Iterator[Observation]:
    """The observations of the packets that pass, with a call behind each packet: whether it passes.

    For what an engine hands out beside its observations, which must give them out one by one: all since the call before
    belongs to that packet. What the end of the capture makes known is judged by itself.
    """
    reader = PacketReader(followed(chosen.packet_names))
    current: list[Observation] = []
    passed: list[Observation] = []

    def feed() -> Iterator[RawPacket]:
        for raw in one_by_one(iter(raws)):
            if raw[7].link_type == NOTICE:
                yield raw
                continue
            packet = reader.read(raw)
            yield raw
            passes = chosen.passes(Facts(packet, current))
            settle(passes)
            if passes:
                passed.extend(current)
            current.clear()

    for observation in engine.observe(feed()):
        if passed:
            yield from passed
            passed.clear()
        current.append(observation)
    passes = chosen.passes(Facts(None, current))
    settle(passes)
    yield from passed
    if passes:
        yield from current
