"""The state of one direction of an HTTP connection: which message it is in, and what of it is there.

Each step is a function that takes bytes off the front of the buffer and says whether to go on: `framing` has those of
heads, `body_framing` those of bodies. What they find they tell an `Owner`, which is given with each call so that no
circle of references outlives a connection.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias

from amtdecode.model import LimitReached, Malformed
from amtdecode.protocols.pairs import Pairs

if TYPE_CHECKING:
    from collections.abc import Callable

    from amtdecode.model import Direction, Event

HEADERS_LIMIT = 256
"""Header lines kept of a message; further ones are passed over."""
BODY_LIMIT = 1 << 20
"""Bytes of a body kept, out of its chunks; AMT envelopes stay below 64 KiB."""
PIECES_LIMIT = 1 << 10
"""Pieces a body is held in; more are put together, so that chunks of one byte do not cost forty each."""

NO_BODY, LENGTH, CHUNKED, UNTIL_CLOSE, TUNNEL = range(5)
"""How the end of a body is told. After a tunnel's head the connection speaks something else."""


class Owner(Protocol):
    """Who is told what a reader finds."""

    skip_bytes: list[int]

    def on_head(self, reader: MessageReader) -> tuple[int, int]:
        """Say how the body behind the head just read ends, and its size where that is by length."""

    def on_message(self, reader: MessageReader, body: bytes, complete: bool, end: int) -> None:
        """Take a message that ends at this offset, whole or as much of it as there is; `body` is out of its chunks."""

    def is_answered(self, reader: MessageReader) -> bool:
        """Say whether the response to the request that a reader is in was seen, other than an interim one."""

    def on_lost(self, reader: MessageReader) -> None:
        """Hear that messages may be missing: where they begin is not known any more."""

    def state(self, event: Event, direction: Direction, start: int, end: int) -> None:
        """State an event of the bytes start (inclusive) to end (exclusive)."""


class MessageReader:
    """One direction: what it holds, and which message it is in."""

    __slots__ = (
        "base",
        "begin",
        "between",
        "buffer",
        "direction",
        "dropping",
        "ended",
        "exchange",
        "first",
        "headers",
        "index",
        "kept",
        "line_seen",
        "lost",
        "need",
        "pieces",
        "position",
        "promised",
        "scanned",
        "step",
        "trailed",
    )

    def __init__(self, direction: Direction, between: Step, lost: Step, ended: Step) -> None:
        self.direction = direction
        self.between = between  # what to do where a message may begin
        self.lost = lost  # where that is not known
        self.ended = ended  # behind the last one
        self.step = self.promised = between
        """What to do next; and how the body is read, once it is sure that it comes."""
        self.buffer = b""
        self.base = 0  # offset of buffer[0] in the direction
        self.position = 0  # what is consumed of the buffer
        self.begin = 0  # offset of the message, or of the loss
        self.first = ("", "", "")  # the words of the first line
        self.headers = Pairs()
        self.index: dict[str, str] = {}
        """Lower-case name to value, the values of one name in a list."""
        self.exchange: object = None  # the owner's
        self.need = 0  # bytes of the body or chunk still to come
        self.pieces: list[bytes] = []  # the body so far
        self.kept = 0  # bytes in them
        self.dropping = False  # the message is stated, the rest of it is passed over
        self.line_seen = False  # the first line is whole and makes sense
        self.scanned = 0  # offset before which no head ends
        self.trailed = 0  # bytes of trailers so far

    @property
    def offset(self) -> int:
        """Of the next byte to be consumed."""
        return self.base + self.position

    def floor(self) -> int:
        """Offset before which nothing will be stated any more."""
        step = self.step
        if step is self.between or self.dropping or step is self.lost or step is self.ended:
            return self.base + self.position
        return self.begin

    def receive(self, owner: Owner, data: bytes) -> None:
        """Go through the next bytes."""
        if self.buffer:
            data = self.buffer + data
        self.buffer = data
        size = len(data)
        step = self.step
        while step(self, owner) and self.position < size:
            step = self.step
        position = self.position
        if position:
            self.buffer = data[position:] if position < size else b""
            self.base += position
            self.position = 0
        if len(self.pieces) > PIECES_LIMIT:
            self.pieces = [b"".join(self.pieces)]

    def finish(self, owner: Owner, complete: bool) -> None:
        """Hand over the message and stand ready for the next one."""
        if self.dropping:
            self.dropping = False
        else:
            owner.on_message(self, b"".join(self.pieces), complete, self.base + self.position)
        self.pieces = []
        self.kept = 0
        self.line_seen = False
        if self.step is not self.ended:
            self.step = self.between

    def take_needed(self, owner: Owner) -> bool:
        """Move the bytes a length asks for to the body; whether those were all. Those not wanted are skipped."""
        start = self.position
        size = len(self.buffer) - start
        if size > self.need:
            size = self.need
        missing = self.need = self.need - size
        if self.dropping or self.kept + size > BODY_LIMIT:
            self.take(owner, size)
        else:
            self.position = end = start + size
            self.pieces.append(self.buffer[start:end])
            self.kept += size
        if not missing:
            return True
        if not self.dropping:
            return False
        owner.skip_bytes[self.direction] = missing
        self.base += missing
        self.need = 0
        return True

    def take(self, owner: Owner, size: int) -> None:
        """Move bytes from the buffer to the body, as far as there is room for them."""
        start = self.position
        self.position = end = start + size
        if self.dropping:
            return
        self.kept += size
        if self.kept <= BODY_LIMIT:
            self.pieces.append(self.buffer[start:end])
            return
        self.position -= self.kept - BODY_LIMIT
        self.pieces.append(self.buffer[start : self.position])
        owner.on_message(self, b"".join(self.pieces), False, self.offset)
        limit = LimitReached("http", "BODY_LIMIT", BODY_LIMIT, "the rest of this body is passed over")
        owner.state(limit, self.direction, self.begin, self.offset)
        self.pieces, self.dropping, self.position = [], True, end

    def lose(self, owner: Owner) -> None:
        """Look for the next message from here on."""
        self.begin = self.offset
        self.dropping = self.line_seen = False
        self.step = self.lost
        owner.on_lost(self)

    def broken(self, owner: Owner, reason: str) -> None:
        """Give the message as far as it is known to be right, and look for the next one."""
        begin = self.begin
        stated = self.dropping
        self.finish(owner, complete=False)
        if stated:
            begin = self.offset
        owner.state(Malformed("http", reason), self.direction, begin, self.offset + 1)
        self.lose(owner)


Step: TypeAlias = "Callable[[MessageReader, Owner], bool]"
