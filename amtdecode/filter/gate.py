"""Lets the observations of those packets through that pass a filter.

A packet is judged by its own fields together with all observations that it completes. They come out of the engine in
one go; what becomes known of a packet later (how its connection ended) is judged together with what was known of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from amtdecode.capture.pcapng import Comment
from amtdecode.filter.facts import Facts
from amtdecode.filter.plan import must_follow
from amtdecode.filter.recent import FollowedPackets, RecentPieces

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from amtdecode.capture import RawPacket, Records
    from amtdecode.filter.compile import Filter
    from amtdecode.frame import Packet
    from amtdecode.model import Observation

MAX_REMEMBERED = 1024
"""Packets whose observations are remembered at least, for those that come later."""


class Passed(NamedTuple):
    """A packet that passes, where it is at hand, and what has become known of it."""

    packet: Packet | None
    observations: list[Observation]


class Gate:
    """What stands behind the engine, and for packet fields also in front of it."""

    def __init__(self, chosen: Filter, names: Iterable[str] = ()) -> None:
        """`names`: packet fields that will be asked for besides those of the filter."""
        self._passes = chosen.passes
        self._whole = bool(chosen.event_names)
        self._known: dict[tuple[str, int], list[Observation]] = {}
        self._older: dict[tuple[str, int], list[Observation]] = {}  # the same of packets before
        self._early: list[Observation] = []
        """Comments stand before the packet that they are about."""
        self.lacks = ""
        """Of one share of several: what would have to be known of the others; "" for nothing."""
        self._packets: FollowedPackets | RecentPieces | None = None
        asked = {*chosen.packet_names, *names}
        if asked:
            self._packets = FollowedPackets(asked) if must_follow(asked) else RecentPieces()

    @property
    def forgotten(self) -> int:
        """Observations judged without their packet, which lay too far back."""
        return self._packets.forgotten if self._packets is not None else 0

    def watch(self, pieces: Iterable[RawPacket | Records]) -> Iterable[RawPacket | Records]:
        """The packets on their way to the engine."""
        return pieces if self._packets is None else self._packets.watch(pieces)

    def batches(self, batches: Iterable[list[Observation]]) -> Iterator[list[Observation]]:
        """The observations on their way from the engine; empty batches stay, as somebody may wait for them."""
        for groups in self.groups(batches):
            yield [observation for _, group in groups for observation in group]

    def groups(self, batches: Iterable[list[Observation]]) -> Iterator[list[Passed]]:
        """The same by packets: what became known together of each that passes."""
        for batch in batches:
            yield self._passing(batch)
        if self._early:
            yield self._passing([])

    def _passing(self, batch: list[Observation]) -> list[Passed]:
        early, self._early = self._early, []
        if not batch:  # the end
            batch = early
        else:
            batch = [*early, *batch]
            while batch and type(batch[-1].event) is Comment:
                self.lacks = "comments on packets, under a filter"
                self._early.insert(0, batch.pop())
        found: list[Passed] = []
        passes, packets, size = self._passes, self._packets, len(batch)
        at = 0
        while at < size:
            first = batch[at]
            number, name = first.packet, first.input
            end = at + 1
            while end < size and batch[end].packet == number and batch[end].input == name:
                end += 1
            group = batch[at:end]
            at = end
            known = self._with_earlier((name, number), group) if self._whole else group
            packet = None if packets is None else packets.of(first)
            passed = passes(Facts(packet, known))
            if passed:
                found.append(Passed(packet, group))
            if len(known) > len(group) and passes(Facts(packet, group)) != passed:
                self.lacks = "what came early of a packet, under a filter"  # how long it is remembered depends on all
        return found

    def _with_earlier(self, place: tuple[str, int], group: list[Observation]) -> list[Observation]:
        known = self._known
        earlier = known.get(place) or self._older.get(place)
        if earlier is not None:
            group = earlier + group
        elif len(known) >= MAX_REMEMBERED:
            self._older = known
            known = self._known = {}
        known[place] = group
        return group
