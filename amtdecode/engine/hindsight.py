"""The latest datagrams of rooms that pass over most of theirs, in case something later says that they matter.

An office's DNS is passed over message by message. Which of its names is that of a management presence server shows
only when a machine calls there; then what was asked and answered about that name before is stated, late, with the
packets and times that it had.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from amtdecode.model import TO_CLIENT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from amtdecode.capture import Stamp
    from amtdecode.flow.share import Share
    from amtdecode.flow.table import UdpFlow
    from amtdecode.model import Direction, FlowKey
    from amtdecode.protocols.dissector import Dissector, Hindsight, Protocol
    from amtdecode.protocols.memory import Memory

MAX_HELD = 4096  # datagrams; an office of 1,000 desks asks as much in a minute, a machine calls at once
MAX_CALLS = 4096  # callers and their servers that were looked at


class Held(NamedTuple):
    """One datagram."""

    flow: UdpFlow
    direction: Direction
    stamp: Stamp
    data: bytes
    dissector: Dissector | None  # that passed it over; `None`: it was stated


class Latest:
    """All that are held, oldest first."""

    def __init__(self, registry: Iterable[Protocol], memory: Memory, share: Share | None) -> None:
        made = (room.hindsight(memory) for room in registry if room.hindsight is not None)
        self._hindsight: Hindsight | None = next(made, None)
        self._share = share
        self._held: deque[Held] = deque(maxlen=MAX_HELD)
        self._calls: dict[tuple[bytes, bytes], Held] = {}  # the newest when these two were looked at
        self.hold: Callable[[Held], None] = self._held.append
        """Hold one more; the oldest goes."""

    def pass_by(self, held: Held) -> None:
        """The same of one that another process states. What it would have to know of this one ends the sharing."""
        self.hold(held)
        if self._hindsight is not None and self._share is not None and self._hindsight.concerns(held.data):
            self._share.crossed = CROSSED

    def of_call(self, flow: FlowKey) -> Iterator[Held]:
        """A machine calls a server: the messages that matter after all, which are to be stated now."""
        hindsight, client, server = self._hindsight, flow.client.packed, flow.server
        address = server.packed
        if hindsight is None or not self._held or self._calls.get((client, address)) is self._held[-1]:
            return
        if len(self._calls) >= MAX_CALLS:
            self._calls.clear()
        self._calls[client, address] = self._held[-1]
        answers = [one.data for one in self._held if address in one.data and _receiver(one) == client]
        if not hindsight.learn(answers, server):
            return
        if self._share is not None:
            self._share.crossed = CROSSED
            return
        for at, one in enumerate(self._held):
            if one.dissector is not None and hindsight.concerns(one.data):
                self._held[at] = one._replace(dissector=None)
                yield one


CROSSED = "the name of a server that a machine calls"


def _receiver(held: Held) -> bytes:
    key = held.flow.key
    return (key.client if held.direction is TO_CLIENT else key.server).packed
