"""Decodes the packets that somebody looks at: the flow of each, from its beginning, and on from there when asked again.

A *conversation* is what `conversations` puts in one place, read by an engine of its own. It stops behind the packet
that was asked for, and goes on from there. What it has said of the packets looked at is kept for a while.
"""

from __future__ import annotations

from array import array
from collections import OrderedDict
from threading import Condition, Thread
from typing import TYPE_CHECKING

from amtdecode.capture.packets import notice
from amtdecode.model import Note
from amtdecode.tui.conversations import place
from amtdecode.tui.store import NUMBER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from amtdecode.capture import RawPacket
    from amtdecode.engine import Engine
    from amtdecode.model import Observation
    from amtdecode.protocols.dissector import Protocol
    from amtdecode.secrets import Keys
    from amtdecode.tui.store import Store

MAX_CONVERSATIONS = 32  # that can go on from where they are
MAX_KEPT = 8 << 20  # bytes of what was said of packets
OVERHEAD = 2000  # bytes that an observation takes besides its message
TICK = Note("tui", "somebody waits")
"""Has the engine state something, so that it can be left behind a packet."""
STRIDE = 64  # packets between looks at whether something else is wanted


def rows_before(store: Store, row: int, known: int = -1) -> array[int]:
    """The rows of the conversation of a row, from behind `known` up to it."""
    found = array("I")
    at = row
    while at > known:
        found.append(at)
        at = store.entry(at).before - 1
    found.reverse()
    return found


def place_of(store: Store, row: int) -> int:
    """The place of the conversation that a packet belongs to."""
    _, data, start, captured, *_, interface = store.raw(row)
    return place(data, start, captured, interface.link_type)


class Conversation:
    """Packets of one place, decoded as far as was asked for."""

    def __init__(self, store: Store, engine: Engine, keep: Callable[[int, Observation], None]) -> None:
        self._store = store
        self._keep = keep
        self._rows = array("I")
        self._at = 0
        self.last = -1
        """The latest row that was read."""
        self._observations = engine.observe(self._packets())

    def read_to(self, row: int, wanted: Callable[[], bool]) -> bool:
        """Read on until a row is decoded; false where it is not `wanted` any more before that."""
        rest = self._rows[-1] if self._rows else -1
        self._rows.extend(rows_before(self._store, row, rest))
        for observation in self._observations:
            if observation.event is not TICK:
                self._file(observation)
            elif self.last >= row:
                return True
            elif not wanted():
                return False
        return True

    def _packets(self) -> Iterator[RawPacket]:
        while True:
            row = self._rows[self._at]
            self._at += 1
            raw = self._store.raw(row)
            yield raw
            self.last = row
            if not self._at % STRIDE or self._at == len(self._rows):
                yield notice(raw[7].input, raw[0], TICK)

    def _file(self, observation: Observation) -> None:
        """Keep what was said with its packet: one that was read lately, as a rule the latest."""
        at = self._at
        for near in range(at, max(0, at - STRIDE), -1):
            row = self._rows[near - 1]
            if self._store.entry(row).id & NUMBER == observation.packet:
                self._keep(row, observation)
                return


class Looking:
    """A thread that decodes what is wanted. `changed`: called, in that thread, when something is known.

    `begin`: what it does first, as to load what takes long.
    """

    def __init__(
        self,
        store: Store,
        keys: Keys | None,
        rooms: tuple[Protocol, ...],
        changed: Callable[[], None],
        begin: Callable[[], None] = lambda: None,
    ) -> None:
        self._begin = begin
        self._store, self._keys, self._rooms = store, keys, rooms
        self._changed = changed
        self._conversations: OrderedDict[int, Conversation] = OrderedDict()
        self._known: OrderedDict[int, tuple[Observation, ...]] = OrderedDict()
        self._size = 0
        self._wanted: Sequence[int] = ()
        self._asked = Condition()
        self._ended = False
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def of(self, row: int) -> tuple[Observation, ...] | None:
        """What a packet completes; `None` while that is not known. It is then to be `want`ed."""
        return self._known.get(row)

    def want(self, rows: Sequence[int]) -> None:
        """Decode these packets, the first one first, instead of those wanted before."""
        with self._asked:
            if rows != self._wanted:
                self._wanted = rows
                self._asked.notify()

    def close(self) -> None:
        """End the thread."""
        with self._asked:
            self._ended = True
            self._asked.notify()
        self._thread.join(1)

    def _run(self) -> None:
        done: Sequence[int] = ()
        self._begin()
        while True:
            with self._asked:
                while self._wanted == done and not self._ended:
                    self._asked.wait()
                if self._ended:
                    return
                wanted = self._wanted
            for row in wanted:
                if self._wanted is not wanted or self._ended:
                    break
                if row not in self._known:
                    self._decode(row, wanted)
                    self._changed()
            else:
                done = wanted

    def _decode(self, row: int, wanted: Sequence[int]) -> None:
        where = place_of(self._store, row)
        conversation = self._conversations.pop(where, None) if where else None
        if conversation is None or conversation.last >= row:
            from amtdecode.engine import Engine

            engine = Engine(self._keys, registry=self._rooms, pdus=True)
            conversation = Conversation(self._store, engine, self._keep)
        if conversation.read_to(row, lambda: self._wanted is wanted and not self._ended):
            self._known.setdefault(row, ())
        if where:
            self._conversations[where] = conversation
            if len(self._conversations) > MAX_CONVERSATIONS:
                self._conversations.popitem(last=False)

    def _keep(self, row: int, observation: Observation) -> None:
        known = self._known.pop(row, ())
        # read once more from the beginning, a conversation says the same again
        if all((each.event, each.offset) != (observation.event, observation.offset) for each in known):
            known = (*known, observation)
            self._size += OVERHEAD + len(observation.pdu or b"")
        self._known[row] = known
        while self._size > MAX_KEPT and len(self._known) > 1:
            for gone in self._known.popitem(last=False)[1]:
                self._size -= OVERHEAD + len(gone.pdu or b"")
