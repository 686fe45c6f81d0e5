"""One reading that fills all tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.engine import Engine
from amtdecode.tables.collecting import Collector
from amtdecode.tables.schemas import OF_STORY, of_observations

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from amtdecode.capture import RawPacket, Records
    from amtdecode.diagnosis.rule import Rule
    from amtdecode.protocols.dissector import Protocol
    from amtdecode.secrets import Keys
    from amtdecode.tables.writing import Writer

TOGETHER = 256  # observations given out together


def fill(
    writer: Writer,
    names: Sequence[str],
    packets: Iterable[RawPacket | Records],
    tables: Sequence[str],
    *,
    keys: Keys | None,
    registry: tuple[Protocol, ...],
    rules: Sequence[Rule] = (),
) -> None:
    """Read captures once, and fill these tables. `names`: of the captures, in the order of their packets' inputs."""
    of_story = [name for name in tables if name in OF_STORY]
    outcomes = bool(of_story) or "flows" in tables
    engine = Engine(keys, connections="all" if outcomes else "failures", registry=registry, batch_size=TOGETHER)
    collector = Collector(writer.take, of_observations(tables), registry, outcomes=outcomes)
    if not of_story:
        for batch in engine.batches(packets):
            collector.add(batch)
        collector.flush()
        return
    from amtdecode.diagnosis import diagnose
    from amtdecode.provisioning import Tracker
    from amtdecode.tables.findings import sessions_of, tables_of

    tracker = Tracker()
    for name in names:
        tracker.input(name)
    feed = tracker.feed
    for batch in engine.batches(packets):
        collector.add(batch)
        for observation in batch:
            feed(observation)
    collector.flush()
    story = tracker.finish()
    if "sessions" in tables:
        writer.take("sessions", sessions_of(story))
    for name, table in tables_of(diagnose(story, rules=rules, last=True)).items():
        if name in tables:
            writer.take(name, table)
