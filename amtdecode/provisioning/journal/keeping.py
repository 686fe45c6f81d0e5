"""Makes a reading: takes observations one by one, and keeps what the story may need of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import msgspec

from amtdecode.capture.health import Health
from amtdecode.model import Direction
from amtdecode.provisioning.fold.dispatch import Handlers
from amtdecode.provisioning.journal.facts import kept
from amtdecode.provisioning.journal.journal import Journal
from amtdecode.provisioning.journal.reading import BLOCK, Entry, Flow, Head, made, packed
from amtdecode.provisioning.state.tables import bounded

if TYPE_CHECKING:
    from amtdecode.model import FlowKey, Observation
    from amtdecode.provisioning.journal.facts import Fact
    from amtdecode.provisioning.journal.kept import Kept

MAX_ENTRIES = 4_000_000  # of one reading
MAX_FLOW_ENTRIES = 4_096  # of one connection or conversation
MAX_COUNTED = 65_536  # flows whose entries are counted
MAX_REPEATS = 16  # that the story only counts, kept of one flow; behind them each that doubles their number
NO_FLOW = -1
BETWEEN_CARDS = ("eapol", "lldp")  # their conversations have no numbers of their own


class Keeper:
    """Feed it the observations of one reading, with connections="all", then ask for the journal."""

    def __init__(self, sensor: str = "", inputs: tuple[str, ...] = ()) -> None:
        """`sensor`: where it was captured; addresses are compared within one. `inputs`: names, in their order."""
        self._sensor = sensor
        self._handlers = Handlers()
        self._inputs = {name: index for index, name in enumerate(inputs)}
        self._flows: dict[tuple[str, int, FlowKey | None], int] = {}
        self._flow_count = 0
        self._pending_flows: list[Flow] = []
        self._pending: list[Entry] = []
        self._flow_blocks: list[bytes] = []
        self._entry_blocks: list[bytes] = []
        self._counts: dict[tuple[int, type[Kept] | None, bytes], int] = {}
        self._entries = self._observations = 0
        self._first: int | None = None
        self._last: int | None = None
        self._seen: set[str] = set()
        self._limits: dict[str, None] = {}

    def feed(self, observation: Observation) -> None:
        """One observation, in the order of the reading."""
        self._observations += 1
        time = observation.time_ns
        if time is not None:
            if self._first is None or time < self._first:
                self._first = time
            if self._last is None or time > self._last:
                self._last = time
        event = observation.event
        said = kept(self._handlers, event, self._seen)
        if said is None:
            return
        flow = NO_FLOW if observation.flow is None else self._flow(observation.flow)
        if not self._wanted(said, flow):
            return
        first = observation.packets[0] if observation.packets else 0
        name = observation.input
        index = self._inputs.get(name)
        if index is None:
            index = self._inputs[name] = len(self._inputs)
        self._pending.append(
            Entry(
                self._last,
                time,
                index,
                observation.packet,
                0 if first == observation.packet else first,
                flow,
                observation.direction is Direction.TO_CLIENT,
                cast("Fact", said),
            )
        )
        self._entries += 1
        if len(self._pending) >= BLOCK:
            self._write()
        if isinstance(event, Health):
            for time in (event.first, event.last):
                if time is not None:
                    self._first = time if self._first is None else min(self._first, time)
                    self._last = time if self._last is None else max(self._last, time)

    def _flow(self, flow: FlowKey) -> int:
        numbered = flow.number >= 0 and flow.transport not in BETWEEN_CARDS
        key = flow.transport, flow.number, None if numbered else flow
        index = self._flows.get(key)
        if index is None:
            index = self._flow_count
            self._flow_count += 1
            bounded(self._flows, MAX_COUNTED)  # one that comes again later is another entry of the table
            self._flows[key] = index
            self._pending_flows.append(Flow.of(flow))
        return index

    def _wanted(self, said: Kept, flow: int) -> bool:
        """Whether there is room for it; what is let go is told."""
        if self._entries >= MAX_ENTRIES:
            self._limits["MAX_ENTRIES"] = None
            return False
        kind = type(said)
        if kind.protocol in ("tcp", "capture"):
            return True
        if kind.repeats:
            key = (flow, kind, msgspec.json.encode(said) if flow == NO_FLOW else b"")
            count = self._count(key)
            return count <= MAX_REPEATS or count & (count - 1) == 0
        if flow != NO_FLOW and self._count((flow, None, b"")) > MAX_FLOW_ENTRIES:
            self._limits["MAX_FLOW_ENTRIES"] = None
            return False
        return True

    def _count(self, key: tuple[int, type[Kept] | None, bytes]) -> int:
        counts = self._counts
        count = counts.get(key, 0) + 1
        if count == 1:
            bounded(counts, MAX_COUNTED)
        counts[key] = count
        return count

    def _write(self) -> None:
        if self._pending:
            self._entry_blocks.append(packed(self._pending))
            self._pending = []
        if len(self._pending_flows) >= BLOCK:
            self._write_flows()

    def _write_flows(self) -> None:
        if self._pending_flows:
            self._flow_blocks.append(packed(self._pending_flows))
            self._pending_flows = []

    def journal(self) -> Journal:
        """All that was kept. Nothing more can be fed."""
        self._write()
        self._write_flows()
        head = Head(
            self._sensor,
            tuple(self._inputs),
            self._entries,
            self._observations,
            self._first,
            self._last,
            tuple(sorted(self._seen)),
            tuple(self._limits),
        )
        reading = made(head, self._flow_blocks, self._entry_blocks)
        return Journal({reading.digest: reading})
