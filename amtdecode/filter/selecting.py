"""The packets that pass a filter, each once and in order: for output that is about packets alone."""

from __future__ import annotations

from bisect import bisect_right
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from amtdecode.capture.packets import NOTICE, Records
from amtdecode.filter.gate import Gate
from amtdecode.filter.packets import MAX_HELD, Judge
from amtdecode.frame.reading import NUMBER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from amtdecode.capture import RawPacket
    from amtdecode.engine import Engine
    from amtdecode.filter.compile import Filter
    from amtdecode.filter.facts import RawFacts
    from amtdecode.frame import Packet
    from amtdecode.protocols.dissector import Protocol


TOGETHER = 256  # observations that are looked at together


class Selected(NamedTuple):
    """A packet that passes."""

    input: str
    number: int
    packet: Packet | RawFacts | None
    """With its headers, or what reads them; `None` where nobody asked for them, or it lies too far back."""


_number = attrgetter("number")


class Selection:
    """Finds the packets of a reading that pass.

    `engine`: makes one of the rooms that the filter needs, with a `batch_size`.
    `names`: the packet fields that will be asked for. `waiting`: the input grows, and somebody waits for each packet.
    `inputs`: how many there are.
    """

    def __init__(
        self,
        chosen: Filter,
        engine: Callable[[tuple[Protocol, ...], int], Engine],
        rooms: tuple[Protocol, ...],
        names: Iterable[str],
        *,
        waiting: bool = False,
        inputs: int = 1,
    ) -> None:
        names = {*names} - {"frame.number"}
        self._newest = 0
        self._waiting = waiting
        self._judge: Judge | None = None
        if chosen.needs_events and (waiting or inputs == 1):
            self._engine = engine(chosen.rooms(rooms), 1 if waiting else TOGETHER)
            self._gate = Gate(chosen, names)
        else:
            held = 1 if waiting else MAX_HELD
            self._judge = Judge(chosen, lambda: engine(chosen.rooms(rooms), 1), names, held=held)

    @property
    def forgotten(self) -> int:
        """Packets judged without their headers, which lay too far back."""
        return self._gate.forgotten if self._judge is None else 0

    def of(self, pieces: Iterable[RawPacket | Records]) -> Iterator[list[Selected]]:
        """The packets that pass, some at a time."""
        if self._judge is None:
            return self._by_events(pieces)
        return self._one_by_one(self._judge, pieces)

    def _one_by_one(self, judge: Judge, pieces: Iterable[RawPacket | Records]) -> Iterator[list[Selected]]:
        for facts in judge.passing(pieces):
            raw = facts.raw
            yield [Selected(raw[7].input, raw[0] & NUMBER, facts)]

    def _by_events(self, pieces: Iterable[RawPacket | Records]) -> Iterator[list[Selected]]:
        """Packets of which nothing was decoded never pass. What is decoded may complete an earlier packet."""
        known, older = set[tuple[str, int]](), set[tuple[str, int]]()
        ready: list[Selected] = []
        gate = self._gate
        for groups in gate.groups(self._engine.batches(gate.watch(self._watched(pieces)))):
            for packet, (first, *_) in groups:
                place = first.input, first.packet
                if not first.packet or place in known or place in older:
                    continue
                if len(known) >= MAX_HELD:
                    known, older = set(), known
                known.add(place)
                ready.append(Selected(*place, packet))
            ready.sort(key=_number)  # mostly they are in order
            due = len(ready) if self._waiting else bisect_right(ready, self._newest - MAX_HELD, key=_number)
            yield ready[:due]
            del ready[:due]
        yield ready

    def _watched(self, pieces: Iterable[RawPacket | Records]) -> Iterator[RawPacket | Records]:
        """Notes how far the reading is."""
        for piece in pieces:
            yield piece
            if isinstance(piece, Records):
                self._newest = piece.number & NUMBER
            elif piece[7].link_type != NOTICE:
                self._newest = piece[0] & NUMBER
