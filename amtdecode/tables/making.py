"""One reading that fills all tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.engine import Engine
from amtdecode.tables.collecting import TOGETHER, Collector
from amtdecode.tables.schemas import OF_STORY, of_observations

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from amtdecode.capture import RawPacket, Records
    from amtdecode.diagnosis.rule import Rule
    from amtdecode.filter import Filter
    from amtdecode.filter.gate import Gate
    from amtdecode.model import Observation
    from amtdecode.protocols.dissector import Protocol
    from amtdecode.provisioning import Story, Tracker
    from amtdecode.secrets import Keys
    from amtdecode.tables.writing import Writer


def fill(
    writer: Writer,
    names: Sequence[str],
    packets: Iterable[RawPacket | Records],
    tables: Sequence[str],
    *,
    keys: Keys | None,
    registry: tuple[Protocol, ...],
    rules: Sequence[Rule] = (),
    chosen: Filter | None = None,
) -> int:
    """Read captures once, and fill these tables. `names`: of the captures, in the order of their packets' inputs.

    `chosen`: only observations of packets that pass; the story is of all. Gives the observations that were judged
    without their packet, which lay too far back.
    """
    of_story = [name for name in tables if name in OF_STORY]
    outcomes = bool(of_story) or "flows" in tables
    reads = chosen is not None and chosen.reads_messages
    own = registry if chosen is None else chosen.in_full(registry)
    engine = Engine(keys, connections="all" if outcomes else "failures", registry=own, batch_size=TOGETHER, pdus=reads)
    gate = None if chosen is None else _gate(chosen)
    collector = Collector(writer.take, of_observations(tables), registry, outcomes=outcomes)
    tracker = _tracker(names) if of_story else None
    batches: Iterable[list[Observation]]
    if gate is None:
        batches = _told(engine.batches(packets), tracker)
    else:
        batches = gate.batches(_told(engine.batches(gate.watch(packets)), tracker))
    for batch in batches:
        collector.add(batch)
    collector.flush()
    if tracker is not None:
        _write_story(writer, tracker.finish(), tables, rules)
    return gate.forgotten if gate is not None else 0


def _gate(chosen: Filter) -> Gate:
    from amtdecode.filter.gate import Gate

    return Gate(chosen)


def _tracker(names: Sequence[str]) -> Tracker:
    from amtdecode.provisioning import Tracker

    tracker = Tracker()
    for name in names:
        tracker.input(name)
    return tracker


def _told(batches: Iterable[list[Observation]], tracker: Tracker | None) -> Iterable[list[Observation]]:
    """The same observations, of which the tracker is told on their way."""
    if tracker is None:
        return batches
    return _telling(batches, tracker)


def _telling(batches: Iterable[list[Observation]], tracker: Tracker) -> Iterator[list[Observation]]:
    feed = tracker.feed
    for batch in batches:
        for observation in batch:
            feed(observation)
        yield batch


def _write_story(writer: Writer, story: Story, tables: Sequence[str], rules: Sequence[Rule]) -> None:
    from amtdecode.diagnosis import diagnose
    from amtdecode.tables.findings import sessions_of, tables_of

    if "sessions" in tables:
        writer.take("sessions", sessions_of(story))
    for name, table in tables_of(diagnose(story, rules=rules, last=True)).items():
        if name in tables:
            writer.take(name, table)
