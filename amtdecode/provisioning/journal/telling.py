"""The story that a journal tells: all its readings, put in the order of time, go through the fold once more."""

from __future__ import annotations

from heapq import heapify, heappop, heapreplace
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from amtdecode.errors import ArtifactError
from amtdecode.model import Direction, Observation
from amtdecode.provisioning.journal.clocks import Copies
from amtdecode.provisioning.journal.connections import Cut
from amtdecode.provisioning.journal.facts.network import Connection
from amtdecode.provisioning.journal.joining import put_together
from amtdecode.provisioning.journal.sites import Site
from amtdecode.provisioning.tracker import Tracker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.model import FlowKey
    from amtdecode.provisioning.journal.facts import Fact
    from amtdecode.provisioning.journal.journal import Journal
    from amtdecode.provisioning.journal.reading import Entry, Reading
    from amtdecode.provisioning.state import Story

LONG_AGO = -(1 << 63)


def tell(journal: Journal) -> Story:
    """The story of all machines of a journal, judged. Raises `ArtifactError` for a journal that makes no sense."""
    return replay(journal).finish()


def replay(journal: Journal, tracker: Tracker | None = None) -> Tracker:
    """A tracker to which the journal was fed: logs and other files may follow. Raises `ArtifactError` as `tell`."""
    teller = _Teller(journal, tracker or Tracker())
    for entry, reading in _by_time(teller.readings):
        teller.take(entry, reading)
    teller.end()
    return teller.tracker


class _Opened:
    """A reading as it is told."""

    def __init__(self, reading: Reading, site: Site | None) -> None:
        self.reading = reading
        self.site = site
        self.inputs = reading.head.inputs
        self.flows = reading.flows()
        self.keys: dict[int, FlowKey] = {}  # by index of the flow
        self.copies: dict[int, bool] = {}  # the same: whether another sensor showed it

    def open(self) -> Iterator[Entry]:
        """Its entries."""
        if self.site is not None:
            self.site.begin_reading(self.reading.head.first, self.reading.head.last)
        yield from self.reading.entries()
        self.flows = self.reading.flows()
        self.keys, self.copies = {}, {}


class _Next(NamedTuple):
    """The place of a reading in the order: when its next entry became known, then the rank of the reading."""

    known: int
    rank: int


def _by_time(readings: list[_Opened]) -> Iterator[tuple[Entry, _Opened]]:
    """Entries of all readings in one order. A reading is unpacked when its time comes, a block at a time."""
    heads = [
        _Next(LONG_AGO if each.reading.head.first is None else each.reading.head.first, rank)
        for rank, each in enumerate(readings)
    ]
    heapify(heads)
    going: dict[int, tuple[Iterator[Entry], Entry]] = {}
    while heads:
        known, rank = heads[0]
        reading = readings[rank]
        if rank not in going:
            entries = reading.open()
        else:
            entries, entry = going[rank]
            yield entry, reading
        following = next(entries, None)
        if following is None:
            going.pop(rank, None)
            heappop(heads)
            continue
        going[rank] = entries, following
        heapreplace(heads, _Next(known if following.known is None else max(known, following.known), rank))


class _Teller:
    """Feeds the fold."""

    def __init__(self, journal: Journal, tracker: Tracker) -> None:
        self.tracker = tracker
        ordered = sorted(journal.readings.values(), key=_order)
        sensors = journal.sensors
        fleet = tracker.machines
        several = len(ordered) > 1
        self._sites = {sensor: Site(fleet, sensor) for sensor in sensors} if several else {}
        self.readings = [_Opened(each, self._sites.get(each.head.sensor)) for each in ordered]
        self._machines = {sensor: self._sites.get(sensor, fleet) for sensor in sensors}
        self._numbers: dict[str, int] = {}  # of the latest connection or conversation
        self._cut = Cut() if several else None
        self._copies = Copies() if len(sensors) > 1 else None
        for each in ordered:
            head = each.head
            for name in head.inputs:
                fleet.input(name)
            self._machines[head.sensor].story.add_up(head.observations, head.first, head.last, head.seen)
            fleet.story.limits += [limit for limit in head.limits if limit not in fleet.story.limits]

    def take(self, entry: Entry, opened: _Opened) -> None:
        """One entry, in its turn."""
        try:
            name = opened.inputs[entry.input]
            flow = None if entry.flow < 0 else opened.keys.get(entry.flow) or self._key(entry.flow, opened)
        except IndexError:
            raise ArtifactError("a journal names an input or a connection that it has not") from None
        said, sensor = entry.said, opened.reading.head.sensor
        if flow is not None and self._is_copy(entry, flow, opened):
            return
        direction = Direction.TO_CLIENT if entry.to_client else Direction.TO_SERVER
        observation = Observation(
            said.as_event(), entry.packet, (entry.first or entry.packet,), entry.time, name, flow, direction
        )
        if isinstance(said, Connection):  # nothing more comes of it
            opened.keys.pop(entry.flow, None)
        if self._cut is None or not isinstance(said, Connection):
            self._feed(sensor, observation, said)
            return
        for held in self._cut.over(entry.known):
            self._feed(*held)
        if (told := self._cut.told(sensor, observation, said)) is not None:
            self._feed(*told)

    def _is_copy(self, entry: Entry, flow: FlowKey, opened: _Opened) -> bool:
        """Whether another sensor showed this connection already."""
        if self._copies is None:
            return False
        known = opened.copies.get(entry.flow)
        if known is None:
            said, sensor = entry.said, opened.reading.head.sensor
            known = opened.copies[entry.flow] = self._copies.is_copy(sensor, flow, entry.time, said)
        if isinstance(entry.said, Connection):
            del opened.copies[entry.flow]
        return known

    def end(self) -> None:
        """All entries have been taken."""
        if self._cut is not None:
            for held in self._cut.rest():
                self._feed(*held)
        if self._sites:
            put_together(self.tracker.machines, list(self._sites.values()))
        if self._copies is not None:
            self._say_clocks(self._copies)

    def _say_clocks(self, copies: Copies) -> None:
        """Beside the first input of a sensor stands how its clock goes."""
        story = self.tracker.story
        for sensor, words in copies.words():
            opened = next(each for each in self.readings if each.reading.head.sensor == sensor and each.inputs)
            story.clocks.setdefault(self.tracker.input(opened.inputs[0]), []).append(words)

    def _key(self, index: int, opened: _Opened) -> FlowKey:
        key = opened.flows[index].key()
        known = None
        if self._cut is not None and key.transport == "tcp":
            known = self._cut.going_on(opened.reading.head.sensor, key)
        if known is None and key.number >= 0 and self._cut is not None:
            number = self._numbers[key.transport] = self._numbers.get(key.transport, -1) + 1
            key = msgspec.structs.replace(key, number=number)
        if key.transport == "tcp":
            opened.keys[index] = known or key
        return known or key

    def _feed(self, sensor: str, observation: Observation, said: Fact) -> None:
        self.tracker.feed_kept(observation, said, self._machines[sensor])


def _order(reading: Reading) -> tuple[int, str, tuple[str, ...], bytes]:
    """Readings by their beginning; what else they are decides between those that begin together."""
    head = reading.head
    return LONG_AGO if head.first is None else head.first, head.sensor, head.inputs, reading.digest
