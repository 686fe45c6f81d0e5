"""Cutting one direction of a connection into HTTP messages (RFC 9112), whatever way its bytes arrive.

A `Half` holds the state of a direction. What it finds it tells an `Owner`, given with each call so that no circle of
references outlives a connection. Each state is a function that takes bytes off the front and says whether to go on.
Every decision depends only on the bytes before it, never on where a packet ends.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from amtdecode.model import End, Event, Gap, LimitReached, Malformed, Note, Truncated, Unrecognised
from amtdecode.protocols.http.layouts import Headers, Layout, layout_of
from amtdecode.protocols.http.lines import (
    BEGINNINGS,
    FIRST_LINES,
    LINE_LIMIT,
    chunk_size,
    find_first_line,
    first_line,
    header_lines,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from amtdecode.model import Direction

HEAD_LIMIT = 128 << 10
"""Bytes of a head. A Kerberos token alone may fill 64 KiB."""
HEADERS_LIMIT = 256
"""Header lines kept of a message; further ones are passed over."""
BODY_LIMIT = 1 << 20
"""Bytes of a body kept, out of its chunks; AMT envelopes stay below 64 KiB."""
WHOLE_LIMIT = 8 << 10
"""Bytes of a body or chunk that is waited for and taken as one; of larger ones, each packet's part is taken."""
PIECES_LIMIT = 1 << 10
"""Pieces a body is held in; more are put together, so that chunks of one byte do not cost forty each."""
SHORT_FIRST_LINE = 256
"""Characters of a request or status line whose meaning is kept, as the same ones come again."""
CHUNK_LINE_LIMIT = 4 << 10
"""Bytes of a chunk's size line with its extensions."""
SHORT_LINE = 16
"""Bytes of a chunk's size line whose meaning is kept, as the same sizes come again."""
TRAILER_LIMIT = 16 << 10
"""Bytes of all trailers behind a chunked body."""
SEARCH_TAIL = 2 << 10
"""Bytes kept while looking for the next message, so that a first line in two packets is found."""

WITHHELD = "the client waited for 100 Continue and kept the body back"

NO_BODY, LENGTH, CHUNKED, UNTIL_CLOSE, TUNNEL = range(5)
"""How the end of a body is told. After a tunnel's head the connection speaks something else."""

_LINE = ("request line", "status line")


class Owner(Protocol):
    """Who is told what a half finds."""

    skip_bytes: list[int]

    def on_head(self, half: Half) -> tuple[int, int]:
        """Say how the body behind the head just read ends, and its size where that is by length."""

    def on_message(self, half: Half, body: bytes, complete: bool, end: int) -> None:
        """Take a message that ends at this offset, whole or as much of it as there is; `body` is out of its chunks."""

    def is_answered(self, half: Half) -> bool:
        """Say whether the response to the request that a half is in was seen, other than an interim one."""

    def on_lost(self, half: Half) -> None:
        """Hear that messages may be missing: where they begin is not known any more."""

    def state(self, event: Event, direction: Direction, start: int, end: int) -> None:
        """State an event of the bytes start (inclusive) to end (exclusive)."""


class Half:
    """One direction: what it holds, and which message it is in."""

    __slots__ = (
        "_index",
        "base",
        "begin",
        "buffer",
        "direction",
        "dropping",
        "exchange",
        "first",
        "head",
        "headers",
        "kept",
        "layout",
        "line",
        "line_seen",
        "need",
        "pieces",
        "position",
        "promised",
        "scanned",
        "step",
        "trailed",
    )

    def __init__(self, direction: Direction) -> None:
        self.direction = direction
        self.step: Callable[[Half, Owner], bool] = read_head
        self.promised = self.step  # how the body is read, once it is sure that it comes
        self.buffer = b""
        self.base = 0  # offset of buffer[0] in the direction
        self.position = 0  # what is consumed of the buffer
        self.begin = 0  # offset of the message, or of the loss
        self.first = ("", "", "")  # the words of the first line
        self.line = ""  # as it stands, of the message before or this one
        self.head = b""  # of the message before or this one, when it has a layout
        self.headers: Sequence[tuple[str, str]] = ()
        self.layout: Layout | None = None
        self._index: dict[str, str] | None = None
        self.exchange: object = None  # the owner's
        self.need = 0  # bytes of the body or chunk still to come
        self.pieces: list[bytes] = []  # the body so far
        self.kept = 0  # bytes in them
        self.dropping = False  # the message is stated, the rest of it is passed over
        self.line_seen = False  # the first line is whole and makes sense
        self.scanned = 0  # offset before which no head ends
        self.trailed = 0  # bytes of trailers so far

    @property
    def index(self) -> dict[str, str]:
        """Lower-case name to value, the values of one name in a list; made where the layout does not tell enough."""
        index, headers = self._index, self.headers
        if index is None:
            assert type(headers) is Headers  # noqa: S101 (others come with an index)
            index = self._index = dict(zip(headers.layout.lowers, headers.values, strict=True))
        return index

    def expects(self) -> bool:
        """Whether the sender may wait before it sends the body."""
        headers = self.headers
        return "expect" in (headers.layout.lowers if type(headers) is Headers else self.index)

    @property
    def offset(self) -> int:
        """Of the next byte to be consumed."""
        return self.base + self.position

    def floor(self) -> int:
        """Offset before which nothing will be stated any more."""
        step = self.step
        if step is read_head or self.dropping or step is search or step is stop:
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

    def gap(self, owner: Owner, size: int) -> None:
        """Go on behind missing bytes: in step where a length tells the end of the message, else at the next one."""
        self.settle(owner)
        start = self.base + len(self.buffer)
        step = self.step
        if step is read_head and self.buffer:
            read_partial_head(self, owner)
        elif step is not read_head and step is not search and not self.dropping and step is not stop:
            self.finish(owner, complete=False)
        self.base, self.buffer, self.position = start + size, b"", 0
        owner.state(Gap("http", size), self.direction, start, start + size)
        if step is stop:
            return
        if (step is read_length or step is read_chunk) and size <= self.need:
            self.need -= size
            self.dropping, self.step = True, step
            while self.step(self, owner):
                pass
        elif step is read_until_close:
            self.dropping, self.step = True, step
        else:
            self.lose(owner)

    def end(self, owner: Owner, end: End) -> None:
        """No more bytes come: give what is there."""
        if self.step is read_head and not self.buffer:  # mostly nothing is
            self.step = stop
            return
        if self.step is read_promised and self.buffer:
            self.step = self.promised
            self.receive(owner, b"")
        self.settle(owner)
        step, stated, begin = self.step, self.dropping, self.begin
        stop_at = self.base + len(self.buffer)
        self.step = stop
        if step is stop or stated:
            return
        if step is search:
            if stop_at > self.begin:
                what = f"{stop_at - self.begin} bytes without a {_LINE[self.direction]}"
                owner.state(Unrecognised("http", what), self.direction, self.floor(), stop_at)
            return
        missing, where = 0, "inside the body"
        if step is read_head:
            if not self.buffer:
                return
            begin, where = self.base, "inside the head"
            read_partial_head(self, owner)
        elif step is read_until_close and end is End.FIN:
            self.finish(owner, complete=True)
            return
        else:
            if step is read_length or step is read_chunk:
                missing = self.need
            self.position = len(self.buffer)
            self.finish(owner, complete=step is read_trailers)  # the last chunk was there
        event: Event = Truncated("http", f"{where}: {end.value}", stop_at, missing)
        if step is read_promised and end is not End.CAPTURE:
            event = Note("http", WITHHELD)
        owner.state(event, self.direction, begin, stop_at)

    def settle(self, owner: Owner) -> None:
        """Take the part that is there of a body or chunk that was waited for: not all of it will come."""
        if self.step is read_whole:
            self.step = read_length
            self.take_needed(owner)
        elif self.step is read_chunk_size and self.buffer and read_chunk_size(self, owner, patient=False):
            self.step(self, owner)

    def finish(self, owner: Owner, complete: bool) -> None:
        """Hand over the message and stand ready for the next one."""
        if self.dropping:
            self.dropping = False
        else:
            owner.on_message(self, b"".join(self.pieces), complete, self.base + self.position)
        self.pieces = []
        self.kept = 0
        self.line_seen = False
        if self.step is not stop:
            self.step = read_head

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
        self.step = search
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


def read_head(half: Half, owner: Owner) -> bool:
    """Wait for a whole head; empty lines before it are passed over (RFC 9112 §2.2)."""
    buffer, start = half.buffer, half.position
    if start < len(buffer) and buffer[start] in b"\r\n":
        start = half.position = len(buffer) - len(buffer[start:].lstrip(b"\r\n"))
    if start == len(buffer):
        return False
    size = len(half.head)
    if size and buffer.startswith(half.head, start):  # machines answer alike
        half.begin, half.position = half.base + start, start + size
    elif not _read_alike(half, start):
        limit = start + HEAD_LIMIT
        after = half.scanned - half.base
        if after < start:
            after = start
        end = buffer.find(b"\n\r\n", after, limit)
        bare = buffer.find(b"\n\n", after, limit if end < 0 else end + 1)
        if bare >= 0:
            end, body = bare, bare + 2
        elif end >= 0:
            body = end + 3
        else:
            return _wait_for_head(half, owner)
        half.begin = half.base + start
        lines = buffer[start:end].decode("latin-1").split("\n")
        if not _read_first_line(half, lines[0]):
            return _no_first_line(half, owner)
        half.position = body
        read_headers(half, owner, lines)
        half.head = buffer[start:body] if type(half.headers) is Headers else b""
    mode, half.need = owner.on_head(half)
    if mode == LENGTH and half.need:
        half.step = read_whole if half.need <= WHOLE_LIMIT <= BODY_LIMIT else read_length
    elif mode == CHUNKED:
        half.step = read_chunk_size
    elif mode == UNTIL_CLOSE:
        half.step = read_until_close
    else:
        if mode == TUNNEL:
            half.step = stop
        half.finish(owner, complete=True)
        return True
    if not half.direction and half.expects():
        half.promised, half.step = half.step, read_promised
    return True


_short_line = lru_cache(1 << 8)(first_line)


def _read_first_line(half: Half, line: str) -> bool:
    """Read a request or status line; whether it is one. It is mostly that of the message before."""
    if line != half.line:
        if len(line) >= LINE_LIMIT:
            return False
        first = (_short_line if len(line) < SHORT_FIRST_LINE else first_line)(line, half.direction)
        if first is None:
            return False
        half.line, half.first = line, first
    return True


_latest: list[Layout | None] = [None, None]
"""The layout last met in each direction of any connection: each has few messages, but many are alike."""


def _read_alike(half: Half, start: int) -> bool:
    """Read a head of the layout of the one before, if it is all there and of that layout."""
    layout = half.layout or _latest[half.direction]
    if layout is None or not layout.learned:
        return False
    end = half.buffer.find(b"\r\n\r\n", start, start + HEAD_LIMIT) + 4
    if end < 4:
        return False
    head = half.buffer[start:end]
    texts = layout.read(head.decode("latin-1"))
    if texts is None or not _read_first_line(half, texts[0]):
        return False
    half.begin, half.position = half.base + start, end
    half.head = head
    half.layout = layout
    half.headers = Headers(layout, texts[1:])
    half._index = None
    return True


def read_headers(half: Half, owner: Owner, lines: list[str]) -> None:
    """Read the header lines of a head: all but the first."""
    headers, half._index, bad = header_lines(lines)
    if bad:
        reason = f"{bad} of {len(lines) - 1} header lines without a name"
        owner.state(Malformed("http", reason), half.direction, half.begin, half.offset)
    if len(headers) > HEADERS_LIMIT:
        half.headers = tuple(headers[:HEADERS_LIMIT])
        limit = LimitReached("http", "HEADERS_LIMIT", HEADERS_LIMIT, "further header lines are not shown")
        owner.state(limit, half.direction, half.begin, half.offset)
        return
    layout = None if bad else layout_of(headers)
    if layout is None:
        half.headers = tuple(headers)
        return
    if not layout.learned and layout is (half.layout or _latest[half.direction]):
        layout.learn()
    half.layout = _latest[half.direction] = layout
    half.headers = Headers(layout, tuple([value for _, value in headers]))


def _wait_for_head(half: Half, owner: Owner) -> bool:
    """Tell a head that is not whole yet from bytes that are none."""
    buffer, start = half.buffer, half.position
    half.begin = half.base + start
    half.scanned = half.base + min(len(buffer), start + HEAD_LIMIT) - 2
    if not half.line_seen:
        end = buffer.find(b"\n", start, start + LINE_LIMIT)
        if end < 0:
            return len(buffer) - start >= LINE_LIMIT and _no_first_line(half, owner)
        if first_line(buffer[start:end].decode("latin-1"), half.direction) is None:
            return _no_first_line(half, owner)
        half.line_seen = True
    if len(buffer) - start < HEAD_LIMIT:
        return False
    half.position = start + HEAD_LIMIT
    limit = LimitReached("http", "HEAD_LIMIT", HEAD_LIMIT, "the message is passed over")
    owner.state(limit, half.direction, half.begin, half.offset)
    half.lose(owner)
    return True


def _no_first_line(half: Half, owner: Owner) -> bool:
    start = half.begin
    event: Event = (
        Malformed("http", f"no {_LINE[half.direction]} where one is due")
        if start
        else Note("http", f"does not begin with a {_LINE[half.direction]}: looking for the next")
    )
    owner.state(event, half.direction, start, start + 1)
    half.lose(owner)
    half.position += 1
    return True


def read_partial_head(half: Half, owner: Owner) -> None:
    """Give a head that ends early: its whole lines, when the first is among them."""
    start = half.position
    lines = half.buffer[start:].decode("latin-1").split("\n")
    if len(lines) > 1 and _read_first_line(half, lines[0]):
        half.begin = half.base + start
        half.position = len(half.buffer)
        half.head = b""
        read_headers(half, owner, lines[:-1])
        owner.on_head(half)
        half.finish(owner, complete=False)


def read_promised(half: Half, owner: Owner) -> bool:
    """See whether the body of a request with `Expect: 100-continue` comes: a client that is refused keeps it back."""
    buffer, start = half.buffer, half.position
    if start == len(buffer):
        return False
    ahead = buffer[start : start + 8]
    if owner.is_answered(half) and any(ahead.startswith(method[: len(ahead)]) for method in BEGINNINGS):
        if FIRST_LINES[0].match(buffer, start):
            note = Note("http", WITHHELD)
            begin, end = half.begin, half.offset
            half.finish(owner, complete=False)
            owner.state(note, half.direction, begin, end)
            return True
        if buffer.find(b"\n", start, start + SEARCH_TAIL) < 0 and len(buffer) - start < SEARCH_TAIL:
            return False
    half.step = half.promised
    return True


def read_whole(half: Half, owner: Owner) -> bool:
    """Wait for a small body whose size is given."""
    start = half.position
    end = start + half.need
    if end > len(half.buffer):
        return False
    half.position = end
    owner.on_message(half, half.buffer[start:end], True, half.base + end)
    half.line_seen = False
    half.step = read_head
    return True


def read_length(half: Half, owner: Owner) -> bool:
    """Read a body whose size is given."""
    if not half.take_needed(owner):
        return False
    half.finish(owner, complete=True)
    return True


_short_size = lru_cache(1 << 10)(chunk_size)


def read_chunk_size(half: Half, owner: Owner, patient: bool = True) -> bool:
    """Read the line before a chunk: its size in hexadecimal digits, leading zeros allowed, and extensions.

    Chunks that are all there are taken in one go, small ones waited for; the states behind this one are for the others.
    """
    buffer, start = half.buffer, half.position
    while True:
        line = start
        end = buffer.find(b"\n", start, start + CHUNK_LINE_LIMIT)
        if end < 0:
            half.position = start
            if len(buffer) - start < CHUNK_LINE_LIMIT:
                return False
            half.broken(owner, "no chunk size where one is due")
            return True
        size = _short_size(buffer[start:end]) if end - start < SHORT_LINE else chunk_size(buffer[start:end])
        if size < 0:
            half.position = start
            half.broken(owner, "no chunk size where one is due")
            return True
        start = end + 1
        end = start + size
        if size and not half.dropping and size <= BODY_LIMIT - half.kept:
            if buffer[end : end + 2] == b"\r\n":
                half.pieces.append(buffer[start:end])
                half.kept += size
                start = end + 2
                continue
            if patient and size <= WHOLE_LIMIT and end > len(buffer):
                half.position = line
                return False
        half.position, half.need, half.trailed = start, size, 0
        if size:
            half.step = read_chunk
        elif buffer[start : start + 2] == b"\r\n":
            half.position = start + 2
            half.finish(owner, complete=True)
        else:
            half.step = read_trailers
        return True


def read_chunk(half: Half, owner: Owner) -> bool:
    """Read the bytes of a chunk."""
    if not half.take_needed(owner):
        return False
    if half.buffer.startswith(b"\r\n", half.position):
        half.position += 2
        half.step = read_chunk_size
    else:
        half.step = read_chunk_end
    return True


def read_chunk_end(half: Half, owner: Owner) -> bool:
    """Read the line end behind the bytes of a chunk."""
    start = half.position
    mark = half.buffer[start : start + 2]
    if mark == b"\r\n":
        half.position = start + 2
    elif mark[:1] == b"\n":
        half.position += 1
    elif mark in (b"", b"\r"):
        return False
    else:
        half.broken(owner, "a chunk is longer than its size says")
        return True
    half.step = read_chunk_size
    return True


def read_trailers(half: Half, owner: Owner) -> bool:
    """Read the header lines behind the last chunk, up to an empty line."""
    start = half.position
    end = half.buffer.find(b"\n", start)
    size = (len(half.buffer) if end < 0 else end + 1) - start
    if half.trailed + size > TRAILER_LIMIT:
        limit = LimitReached("http", "TRAILER_LIMIT", TRAILER_LIMIT, "further trailers are passed over")
        begin = half.offset if half.dropping else half.begin
        half.finish(owner, complete=True)
        owner.state(limit, half.direction, begin, half.offset + 1)
        half.lose(owner)
        return True
    if end < 0:
        return False
    half.trailed += size
    half.position = end + 1
    line = half.buffer[start:end].rstrip(b"\r").decode("latin-1")
    if not line:
        half.finish(owner, complete=True)
    elif len(half.headers) < HEADERS_LIMIT and not half.dropping:
        name, colon, value = line.partition(":")
        if colon:
            half.index  # noqa: B018 - of the headers before the body
            half.headers = (*half.headers, (name.strip(" \t"), value.strip(" \t")))
            half.head = b""
    return True


def read_until_close(half: Half, owner: Owner) -> bool:
    """Read a body that ends with its direction."""
    size = len(half.buffer) - half.position
    if size:
        half.take(owner, size)
    return False


def search(half: Half, owner: Owner) -> bool:
    """Look for the next first line."""
    direction = half.direction
    found = find_first_line(half.buffer, half.position, direction)
    if found is None:
        half.position = max(half.position, len(half.buffer) - SEARCH_TAIL)
        return False
    half.position = found.start()
    passed = half.offset - half.begin
    if passed:
        what = f"in step again at a {_LINE[direction]}, {passed} bytes passed over"
        owner.state(Note("http", what), direction, half.offset, half.base + found.end())
    half.step = read_head
    return True


def stop(half: Half, owner: Owner) -> bool:  # noqa: ARG001 - all states are called alike
    """Pass over what is no HTTP any more."""
    half.position = len(half.buffer)
    return False
