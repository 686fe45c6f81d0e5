"""The channels of one APF connection: which number means which, what they may still send, what they carried.

Each side numbers channels for itself, and a message names a channel by its receiver's number. So there are two tables:
one for what goes to the server, with the server's numbers, and one for what goes to the client.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.model import TO_CLIENT, TO_SERVER, Direction
from amtdecode.protocols.apf.events import ChannelEnded

if TYPE_CHECKING:
    from amtdecode.protocols.apf.events import ChannelOpen

MAX_OPEN = 256
"""Channels of a connection that are followed at once, and openings that wait for an answer on each side."""
MAX_FORGOTTEN = 256
"""Numbers of closed or unknown channels remembered each way, so that what still comes for them is told once."""
OTHER = (TO_CLIENT, TO_SERVER)


class Channel:
    """One conversation inside."""

    __slots__ = (
        "behind", "client", "closed", "credit", "excess", "judged", "messages", "number", "numbers", "opened", "sizes"
    )  # fmt: skip

    def __init__(self, number: int, client: Direction, opened: ChannelOpen, own: int, window: int) -> None:
        self.number = number  # the engine's
        self.client = client  # the direction in which whoever opened it sends
        self.opened = opened
        self.numbers = [own, opened.sender] if client is TO_SERVER else [opened.sender, own]
        """The number by which what goes in each direction names it."""
        self.credit = [window, opened.window] if client is TO_SERVER else [opened.window, window]
        """Bytes that may still go in each direction."""
        self.judged = True  # no bytes are missing that might have granted more
        self.excess = [0, 0]
        self.sizes = [0, 0]
        self.messages = 0
        self.closed = [False, False]
        self.behind = False  # data came behind an end, which is told once

    def send(self, direction: Direction, size: int) -> int:
        """Count data. Gives the bytes beyond the window, where that is told for the first time."""
        self.messages += 1
        self.sizes[direction] += size
        left = self.credit[direction] = self.credit[direction] - size
        if left >= 0 or not self.judged:
            return 0
        first = not self.excess[direction]
        self.excess[direction] = max(self.excess[direction], -left)
        return -left if first else 0

    def ended(self) -> ChannelEnded:
        """What became of it."""
        to_server, to_client = self.sizes if self.client is TO_SERVER else reversed(self.sizes)
        stalled = self.judged and any(sent and left <= 0 for sent, left in zip(self.sizes, self.credit, strict=True))
        opened = self.opened
        excess = max(self.excess)
        return ChannelEnded(opened.port, opened.address, to_server, to_client, self.messages, excess, stalled)


class Channels:
    """All of a connection."""

    def __init__(self) -> None:
        self.waiting: tuple[dict[int, ChannelOpen], dict[int, ChannelOpen]] = ({}, {})
        """Openings without an answer, by the direction they went in and the number of their sender."""
        self.known: tuple[dict[int, Channel], dict[int, Channel]] = ({}, {})
        """Open channels, by direction and the number that names them there."""
        self.forgotten: tuple[dict[int, str], dict[int, str]] = ({}, {})
        """What is to be told of numbers that name no open channel, when data comes for them; "" once it was told."""
        self.count = 0

    def ask(self, direction: Direction, opened: ChannelOpen) -> None:
        """Somebody wants to open one."""
        waiting = self.waiting[direction]
        waiting.pop(opened.sender, None)
        if len(waiting) >= MAX_OPEN:
            del waiting[next(iter(waiting))]
        waiting[opened.sender] = opened

    def answer(self, direction: Direction, recipient: int) -> ChannelOpen | None:
        """The opening that an answer is to."""
        return self.waiting[OTHER[direction]].pop(recipient, None)

    def room(self) -> bool:
        """Whether one more can be followed."""
        return len(self.known[0]) < MAX_OPEN and len(self.known[1]) < MAX_OPEN

    def open(self, direction: Direction, opened: ChannelOpen, own: int, window: int) -> Channel:
        """Note a channel; `direction` is that of the answer which confirms it."""
        self.count += 1
        channel = Channel(self.count, OTHER[direction], opened, own, window)
        for way in (TO_SERVER, TO_CLIENT):
            self.known[way][channel.numbers[way]] = channel
            self.forgotten[way].pop(channel.numbers[way], None)
        return channel

    def taken(self, direction: Direction, opened: ChannelOpen, own: int) -> list[Channel]:
        """Open channels whose numbers an answer uses again."""
        numbers = {direction: opened.sender, OTHER[direction]: own}
        found = [self.known[way].get(number) for way, number in numbers.items()]
        return [each for at, each in enumerate(found) if each is not None and each not in found[:at]]

    def forget(self, channel: Channel) -> None:
        """A channel is closed both ways."""
        for way in (TO_SERVER, TO_CLIENT):
            number = channel.numbers[way]
            if self.known[way].get(number) is channel:
                del self.known[way][number]
                self._remember(way, number, "which is closed")

    def leave(self, direction: Direction, opened: ChannelOpen, own: int) -> None:
        """A channel is open, and not followed."""
        self._remember(direction, opened.sender, "")
        self._remember(OTHER[direction], own, "")

    def why_unknown(self, direction: Direction, number: int) -> str:
        """What to tell of data for a number that names no open channel; "" where it was told before."""
        words = self.forgotten[direction].get(number, "whose opening is not in the capture")
        self._remember(direction, number, "")
        return words

    def _remember(self, direction: Direction, number: int, words: str) -> None:
        forgotten = self.forgotten[direction]
        if number not in forgotten and len(forgotten) >= MAX_FORGOTTEN:
            del forgotten[next(iter(forgotten))]
        forgotten[number] = words

    def all(self) -> list[Channel]:
        """Every open one, in the order of opening."""
        return sorted({*self.known[0].values(), *self.known[1].values()}, key=lambda channel: channel.number)

    def lose_count(self) -> None:
        """Bytes are missing that may have granted more: nobody can tell any more who sends too much."""
        for channel in self.all():
            channel.judged = False
