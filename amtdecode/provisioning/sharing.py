"""One story by several processes: each decodes its share of the connections, and tells what the fold needs of it.

What they tell is put in the order of the reading and goes through one fold, since what one connection means depends on
others: whose address it was, whether a hello came before it.
"""

from __future__ import annotations

from contextlib import closing
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple, cast

import msgspec

from amtdecode.capture.health import Health as HealthEvent
from amtdecode.engine import Engine
from amtdecode.engine.loop import ENDED
from amtdecode.jobs.places import Places
from amtdecode.jobs.reading import ADDED_UP
from amtdecode.jobs.several import opened
from amtdecode.jobs.workers import shared
from amtdecode.model import Direction, Observation
from amtdecode.provisioning.fold.dispatch import Handlers
from amtdecode.provisioning.journal import facts
from amtdecode.provisioning.journal.facts import Fact  # noqa: TC001 - msgspec reads annotations
from amtdecode.provisioning.journal.facts.network import Health
from amtdecode.provisioning.journal.reading import Flow

if TYPE_CHECKING:
    from collections.abc import Callable

    from amtdecode.capture.inputs import Capture
    from amtdecode.flow.share import Share
    from amtdecode.jobs.telling import Telling
    from amtdecode.net.copies import Copies
    from amtdecode.protocols.dissector import Protocol
    from amtdecode.provisioning.tracker import Tracker
    from amtdecode.secrets import Keys


class Told(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What one observation adds, on its way from one process to the other."""

    said: Fact
    packet: int
    first: int
    time: int | None
    input: str
    flow: Flow | None
    to_client: bool


class Totals(NamedTuple):
    """What a process says at its end."""

    health: list[HealthEvent]
    observations: int
    first: int | None
    last: int | None
    seen: set[str]
    copies: Copies | None


class TrackShare(NamedTuple):
    """What each process does: observations, and what the story takes of each."""

    captures: tuple[Capture, ...]
    most: int | None
    keys: Keys | None
    rooms: Callable[[], tuple[Protocol, ...]] | None = None
    """`None`: our own. What cannot be pickled goes only to processes that are copies of this one."""
    without_copies: bool = False

    def __call__(self, share: Share, telling: Telling) -> Totals:
        """Decode a share, and tell."""
        options = {} if self.rooms is None else {"registry": self.rooms()}
        engine = Engine(self.keys, connections="all", share=share, **options)  # type: ignore[arg-type]
        places = Places(engine, telling)
        telling.lacks = engine.lacks
        packets, copies = opened(self.captures, self.most, without_copies=self.without_copies)
        handlers = Handlers()
        encode = msgspec.msgpack.Encoder().encode
        health: list[HealthEvent] = []
        count, first, last = 0, None, None
        seen: set[str] = set()
        for batch in engine.batches(places.watch(packets)):
            if engine.at == ENDED and not share.first:  # nothing else is left
                health += [each.event for each in batch if isinstance(each.event, HealthEvent)]
                continue
            for observation in batch:
                count += 1
                if (time := observation.time_ns) is not None:
                    first = time if first is None or time < first else first
                    last = time if last is None or time > last else last
                told = _told(handlers, observation, seen)
                if told is not None:
                    text = encode(told)
                    telling.tell(places.now(), text, len(text))
        return Totals(health, count, first, last, seen, copies)


def _told(handlers: Handlers, observation: Observation, seen: set[str]) -> Told | None:
    said = facts.kept(handlers, observation.event, seen)
    if said is None:
        return None
    flow, packets = observation.flow, observation.packets
    return Told(
        cast("Fact", said),
        observation.packet,
        packets[0] if packets else observation.packet,
        observation.time_ns,
        observation.input,
        None if flow is None else Flow.of(flow),
        observation.direction is Direction.TO_CLIENT,
    )


def track_shared(work: TrackShare, jobs: int, tracker: Tracker, method: str | None = None) -> Copies | None:
    """Feed a tracker what `jobs` processes decode; gives what they left out as copies.

    Raises `CrossedError` where one must do it, with another tracker, and `WorkerError`.
    """
    results: list[Totals] = []
    told = msgspec.msgpack.Decoder(Told)
    healths: list[tuple[Observation, Health]] = []
    with closing(shared(work, jobs, by_addresses=work.keys is not None, method=method, results=results)) as telling:
        for text in chain.from_iterable(telling):
            one = told.decode(text)
            said, flow = one.said, one.flow
            key = None if flow is None else flow.key()
            direction = Direction.TO_CLIENT if one.to_client else Direction.TO_SERVER
            observation = Observation(said.as_event(), one.packet, (one.first,), one.time, one.input, key, direction)
            if isinstance(said, Health):
                healths.append((observation, said))
            else:
                tracker.feed_kept(observation, said)
    for index, (observation, said) in enumerate(healths):
        parts = [said.health, *(each.health[index] for each in results[1:])]
        added = {name: sum(getattr(part, name) for part in parts) for name in ADDED_UP}
        whole = msgspec.structs.replace(said.health, **added)
        tracker.feed_kept(msgspec.structs.replace(observation, event=whole), said)
    for each in results:
        tracker.story.add_up(each.observations, each.first, each.last, each.seen)
    return results[0].copies  # all leave out the same
