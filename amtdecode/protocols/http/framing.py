"""Cutting one direction of a connection into HTTP messages (RFC 9112), whatever way its bytes arrive.

Every decision depends only on the bytes before it, never on where a packet ends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.compiled import TEXTS
from amtdecode.counting import counted
from amtdecode.model import End, Event, Gap, LimitReached, Malformed, Note, Truncated, Unrecognised
from amtdecode.protocols.http.body_framing import (
    WITHHELD,
    read_body,
    read_chunk,
    read_length,
    read_promised,
    read_trailers,
    read_until_close,
    settle,
)
from amtdecode.protocols.http.lines import LINE_LIMIT, find_first_line, first_line, header_lines, odd_first_line
from amtdecode.protocols.http.message_reader import HEADERS_LIMIT, TUNNEL, MessageReader
from amtdecode.protocols.pairs import Pairs

if TYPE_CHECKING:
    from amtdecode.model import Direction
    from amtdecode.protocols.http.message_reader import Owner

HEAD_LIMIT = 128 << 10
"""Bytes of a head. A Kerberos token alone may fill 64 KiB."""
SEARCH_TAIL = 2 << 10
"""Bytes kept while looking for the next message, so that a first line in two packets is found."""

HTTP_2 = "HTTP/2.0"
_LINE = ("request line", "status line")


def message_reader(direction: Direction) -> MessageReader:
    """Make the reader of one direction."""
    return MessageReader(direction, between=read_head, lost=search, ended=stop)


def receive_gap(reader: MessageReader, owner: Owner, size: int) -> None:
    """Go on behind missing bytes: in step where a length tells the end of the message, else at the next one."""
    settle(reader, owner)
    start = reader.base + len(reader.buffer)
    step = reader.step
    if step is read_head and reader.buffer:
        read_partial_head(reader, owner)
    elif step is not read_head and step is not search and not reader.dropping and step is not stop:
        reader.finish(owner, complete=False)
    reader.base, reader.buffer, reader.position = start + size, b"", 0
    owner.state(Gap("http", size), reader.direction, start, start + size)
    if step is stop:
        return
    if (step is read_length or step is read_chunk) and size <= reader.need:
        reader.need -= size
        reader.dropping, reader.step = True, step
        while reader.step(reader, owner):
            pass
    elif step is read_until_close:
        reader.dropping, reader.step = True, step
    else:
        reader.lose(owner)


def receive_end(reader: MessageReader, owner: Owner, end: End) -> None:
    """No more bytes come: give what is there."""
    if reader.step is read_head and not reader.buffer:  # mostly nothing is
        reader.step = stop
        return
    if reader.step is read_promised and reader.buffer:
        reader.step = reader.promised
        reader.receive(owner, b"")
    settle(reader, owner)
    step, stated, begin = reader.step, reader.dropping, reader.begin
    stop_at = reader.base + len(reader.buffer)
    reader.step = stop
    if step is stop or stated:
        return
    if step is search:
        if stop_at > reader.begin:
            what = f"{counted(stop_at - reader.begin, 'byte')} without a {_LINE[reader.direction]}"
            owner.state(Unrecognised("http", what), reader.direction, reader.floor(), stop_at)
        return
    missing, where = 0, "inside the body"
    if step is read_head:
        if not reader.buffer:
            return
        begin, where = reader.base, "inside the head"
        read_partial_head(reader, owner)
    elif step is read_until_close and end is End.FIN:
        reader.finish(owner, complete=True)
        return
    else:
        if step is read_length or step is read_chunk:
            missing = reader.need
        reader.position = len(reader.buffer)
        reader.finish(owner, complete=step is read_trailers)  # the last chunk was there
    event: Event = Truncated("http", f"{where}: {end.value}", stop_at, missing)
    if step is read_promised and end is not End.CAPTURE:
        event = Note("http", WITHHELD)
    owner.state(event, reader.direction, begin, stop_at)


def read_head(reader: MessageReader, owner: Owner) -> bool:
    """Wait for a whole head; empty lines before it are passed over (RFC 9112 §2.2)."""
    buffer, start = reader.buffer, reader.position
    if start < len(buffer) and buffer[start] in b"\r\n":
        start = reader.position = len(buffer) - len(buffer[start:].lstrip(b"\r\n"))
    if start == len(buffer):
        return False
    if TEXTS is not None:
        found = TEXTS.head(buffer, start, (HEAD_LIMIT, LINE_LIMIT, HEADERS_LIMIT), reader.direction)
        if found is not None:
            reader.begin = reader.base + start
            reader.position, reader.first, headers, reader.index = found
            reader.headers = Pairs(headers)
            return _go_on(reader, owner)
    limit = start + HEAD_LIMIT
    after = reader.scanned - reader.base
    if after < start:
        after = start
    end = buffer.find(b"\n\r\n", after, limit)
    bare = buffer.find(b"\n\n", after, limit if end < 0 else end + 1)
    if bare >= 0:
        end, body = bare, bare + 2
    elif end >= 0:
        body = end + 3
    else:
        return _wait_for_head(reader, owner)
    reader.begin = reader.base + start
    first, _, lines = buffer[start:end].partition(b"\n")
    if not _read_first_line(reader, owner, first.decode("latin-1")):
        return _no_first_line(reader, owner)
    reader.position = body
    read_headers(reader, owner, lines)
    return _go_on(reader, owner)


def _go_on(reader: MessageReader, owner: Owner) -> bool:
    """Go on behind a head."""
    mode, size = owner.on_head(reader)
    if not read_body(reader, mode, size):
        if mode == TUNNEL:
            reader.step = stop
        reader.finish(owner, complete=True)
    return True


def _read_first_line(reader: MessageReader, owner: Owner, line: str) -> bool:
    """Read a request or status line; whether it is one. A note says what is odd about it."""
    if len(line) >= LINE_LIMIT:
        return False
    first = first_line(line, reader.direction)
    if first is None:
        first = odd_first_line(line, reader.direction)
        if first is None:
            return False
        odd = (
            "HTTP/2.0 in a message of text, read as HTTP/1.1" if HTTP_2 in first else "several spaces before the status"
        )
        owner.state(Note("http", odd), reader.direction, reader.begin, reader.begin + len(line.rstrip("\r")))
    reader.first = first
    return True


def read_headers(reader: MessageReader, owner: Owner, data: bytes) -> None:
    """Read the header lines of a head."""
    headers, reader.index, odd = header_lines(data)
    if odd:
        owner.state(Malformed("http", ", ".join(odd)), reader.direction, reader.begin, reader.offset)
    if len(headers) > HEADERS_LIMIT:
        limit = LimitReached("http", "HEADERS_LIMIT", HEADERS_LIMIT, "further header lines are not shown")
        owner.state(limit, reader.direction, reader.begin, reader.offset)
    reader.headers = Pairs(headers[:HEADERS_LIMIT])


def _wait_for_head(reader: MessageReader, owner: Owner) -> bool:
    """Tell a head that is not whole yet from bytes that are none."""
    buffer, start = reader.buffer, reader.position
    reader.begin = reader.base + start
    reader.scanned = reader.base + min(len(buffer), start + HEAD_LIMIT) - 2
    if not reader.line_seen:
        end = buffer.find(b"\n", start, start + LINE_LIMIT)
        if end < 0:
            return len(buffer) - start >= LINE_LIMIT and _no_first_line(reader, owner)
        line, direction = buffer[start:end].decode("latin-1"), reader.direction
        if first_line(line, direction) is None and odd_first_line(line, direction) is None:
            return _no_first_line(reader, owner)
        reader.line_seen = True
    if len(buffer) - start < HEAD_LIMIT:
        return False
    reader.position = start + HEAD_LIMIT
    limit = LimitReached("http", "HEAD_LIMIT", HEAD_LIMIT, "the message is passed over")
    owner.state(limit, reader.direction, reader.begin, reader.offset)
    reader.lose(owner)
    return True


def _no_first_line(reader: MessageReader, owner: Owner) -> bool:
    start = reader.begin
    event: Event = (
        Malformed("http", f"no {_LINE[reader.direction]} where one is due")
        if start
        else Note("http", f"does not begin with a {_LINE[reader.direction]}: looking for the next")
    )
    owner.state(event, reader.direction, start, start + 1)
    reader.lose(owner)
    reader.position += 1
    return True


def read_partial_head(reader: MessageReader, owner: Owner) -> None:
    """Give a head that ends early: its whole lines, when the first is among them."""
    start = reader.position
    lines = reader.buffer[start:].rpartition(b"\n")[0]
    reader.begin = reader.base + start
    first, _, headers = lines.partition(b"\n")
    if b"\n" in reader.buffer[start:] and _read_first_line(reader, owner, first.decode("latin-1")):
        reader.position = len(reader.buffer)
        read_headers(reader, owner, headers)
        owner.on_head(reader)
        reader.finish(owner, complete=False)


def search(reader: MessageReader, owner: Owner) -> bool:
    """Look for the next first line."""
    direction = reader.direction
    found = find_first_line(reader.buffer, reader.position, direction)
    if found is None:
        reader.position = max(reader.position, len(reader.buffer) - SEARCH_TAIL)
        return False
    reader.position = found.start()
    passed = reader.offset - reader.begin
    if passed:
        what = f"in step again at a {_LINE[direction]}, {counted(passed, 'byte')} passed over"
        owner.state(Note("http", what), direction, reader.offset, reader.base + found.end())
    reader.step = read_head
    return True


def stop(reader: MessageReader, owner: Owner) -> bool:  # noqa: ARG001 - all states are called alike
    """Pass over what is no HTTP any more."""
    reader.position = len(reader.buffer)
    return False
