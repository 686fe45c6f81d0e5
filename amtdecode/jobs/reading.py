"""`read` of the library by several processes: observations cross from one to the other."""

from __future__ import annotations

from contextlib import closing
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from amtdecode.capture import limited, open_records
from amtdecode.capture.health import Health
from amtdecode.capture.source import OpenFile
from amtdecode.engine import Engine
from amtdecode.engine.loop import ENDED
from amtdecode.filter import compile_filter
from amtdecode.filter.gate import Gate
from amtdecode.jobs.places import Places
from amtdecode.jobs.telling import CrossedError
from amtdecode.jobs.workers import shared

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from amtdecode.capture.inputs import Capture
    from amtdecode.flow.share import Share
    from amtdecode.jobs.telling import Telling
    from amtdecode.model import Observation
    from amtdecode.protocols.dissector import Protocol
    from amtdecode.secrets import Keys

ADDED_UP = ("gaps", "gap_bytes", "both_ways", "one_way", "duplicates")
"""Of `Health`: what each share counts of its own connections. The rest is of all packets, and the same in each."""
BYTES_EACH = 512  # of an observation on its way, about


class ObservationShare(NamedTuple):
    """What each process does: its observations, in lists."""

    captures: tuple[Capture, ...]
    most: int | None
    keys: Keys | None
    connections: str
    filter: str | None
    pdus: bool
    protocols: tuple[Protocol, ...] | None
    """`None`: our own. Others can be sent only to processes that are copies of this one."""

    def __call__(self, share: Share, telling: Telling) -> list[Health]:
        """What the inputs lack, as far as this share knows."""
        options = {} if self.protocols is None else {"registry": self.protocols}
        engine = Engine(self.keys, connections=self.connections, pdus=self.pdus, share=share, **options)  # type: ignore[arg-type]
        places = Places(engine, telling)
        gate = None
        if self.filter is not None:
            gate = Gate(compile_filter(self.filter, *options.values()))
        telling.lacks = lambda: engine.lacks() or (gate.lacks if gate is not None else "")
        packets = places.watch(limited(open_records(self.captures), self.most))
        made = _Made(engine.batches(packets if gate is None else gate.watch(packets)))
        for batch in made if gate is None else gate.batches(made):
            if engine.at == ENDED and not share.first:  # nothing else is left
                return [each.event for each in batch if isinstance(each.event, Health)]
            if made.count:
                telling.tell(places.now(), (made.count, made.first, batch), BYTES_EACH * len(batch) + 8)
        return []


class _Made:
    """Lists of observations on their way from the engine, and of the latest its length and the number of its first."""

    def __init__(self, batches: Iterator[list[Observation]]) -> None:
        self._batches = batches
        self.count = self.first = 0

    def __iter__(self) -> Iterator[list[Observation]]:
        for batch in self._batches:
            self.count = len(batch)
            self.first = batch[0].number if batch else 0
            yield batch
        self.count = 0


def can_share(capture: Capture) -> bool:
    """Whether several processes can read a capture at a time: a file by its name, and bytes."""
    from io import BytesIO
    from os.path import isfile

    if isinstance(capture, str):
        return isfile(capture)
    return isinstance(capture, OpenFile) and isinstance(capture.file, BytesIO)


def shared_batches(
    work: ObservationShare, jobs: int, alone: Callable[[], Iterator[list[Observation]]]
) -> Iterator[list[Observation]]:
    """The observations of all shares in order; where they cannot be told apart, those of `alone` from there on."""
    count = given = 0
    last: list[Observation] = []
    results: list[list[Health]] = []
    try:
        # closed here, not by the collector, in which an interrupt would be lost
        with closing(shared(work, jobs, by_addresses=work.keys is not None, results=results)) as telling:
            for made, first, batch in chain.from_iterable(telling):
                for observation in batch:
                    msgspec.structs.force_setattr(observation, "number", count + 1 + observation.number - first)
                count += made
                if batch and isinstance(batch[-1].event, Health):
                    last = batch
                elif batch:
                    given += len(batch)
                    yield batch
    except CrossedError:
        for batch in alone():
            left_out = min(given, len(batch))
            given -= left_out
            yield batch[left_out:]
        return
    if last:
        yield _added_up(last, results[1:])


def _added_up(last: list[Observation], others: list[list[Health]]) -> list[Observation]:
    at = 0
    found = []
    for observation in last:
        event = observation.event
        if isinstance(event, Health):
            same = [event, *(each[at] for each in others)]
            at += 1
            added = {name: sum(getattr(each, name) for each in same) for name in ADDED_UP}
            observation = msgspec.structs.replace(observation, event=msgspec.structs.replace(event, **added))
        found.append(observation)
    return found
