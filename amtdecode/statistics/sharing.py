"""The counts of one reading by several processes: each counts its share of the connections; then they are added up."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from amtdecode.capture.health import Health
from amtdecode.engine import Engine
from amtdecode.jobs.places import Places
from amtdecode.jobs.several import opened, results_of
from amtdecode.statistics.collecting import Collector

if TYPE_CHECKING:
    from collections.abc import Callable

    from amtdecode.capture.inputs import Capture
    from amtdecode.flow.share import Share
    from amtdecode.jobs.several import Jobs
    from amtdecode.jobs.telling import Telling
    from amtdecode.net.copies import Copies
    from amtdecode.protocols.dissector import Protocol
    from amtdecode.secrets import Keys

TOGETHER = 256  # observations given out together: none has to be put in order


class CountShare(NamedTuple):
    """What each process does."""

    captures: tuple[Capture, ...]
    most: int | None
    keys: Keys | None
    rooms: Callable[[], tuple[Protocol, ...]] | None = None
    """`None`: our own."""
    without_copies: bool = False

    def __call__(self, share: Share, telling: Telling) -> tuple[Collector, Copies | None]:
        """Count a share."""
        options = {} if self.rooms is None else {"registry": self.rooms()}
        engine = Engine(self.keys, connections="all", batch_size=TOGETHER, share=share, **options)  # type: ignore[arg-type]
        collector = Collector(share.of)
        telling.lacks = lambda: engine.lacks() or collector.lacks()
        packets, copies = opened(self.captures, self.most, without_copies=self.without_copies)
        for batch in engine.batches(Places(engine, telling).watch(packets)):
            for observation in batch:
                if share.first or not isinstance(observation.event, Health):  # each states that of every input
                    collector.feed(observation)
        return collector, copies


def counted_by_several(work: CountShare, jobs: Jobs) -> Collector | None:
    """What `jobs` count together; `None` where one must do it. Raises `WorkerError`."""
    results = results_of(work, jobs, by_addresses=work.keys is not None)
    if results is None:
        return None
    whole: Collector
    (whole, copies), *others = results
    for collector, _ in others:
        whole.merge(collector)
    if why := whole.lacks():
        jobs.crossed(why)
        return None
    if copies is not None:
        jobs.told(copies)  # all leave out the same
    return whole
