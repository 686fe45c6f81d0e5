"""Finding the end of a body (RFC 9112 §6 and §7): by its length, by its chunks, or by the end of the connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.compiled import TEXTS
from amtdecode.model import LimitReached, Note
from amtdecode.protocols.http.lines import BEGINNINGS, FIRST_LINES, chunk_size
from amtdecode.protocols.http.message_reader import BODY_LIMIT, CHUNKED, HEADERS_LIMIT, LENGTH, UNTIL_CLOSE
from amtdecode.protocols.pairs import Pairs

if TYPE_CHECKING:
    from amtdecode.protocols.http.message_reader import MessageReader, Owner

WHOLE_LIMIT = 8 << 10
"""Bytes of a body or chunk that is waited for and taken as one; of larger ones, each packet's part is taken."""
CHUNK_LINE_LIMIT = 4 << 10
"""Bytes of a chunk's size line with its extensions."""
TRAILER_LIMIT = 16 << 10
"""Bytes of all trailers behind a chunked body."""
AHEAD_LIMIT = 2 << 10
"""Bytes within which the first line of a request has to end that comes in place of a body."""

WITHHELD = "the client waited for 100 Continue and kept the body back"


def read_body(reader: MessageReader, mode: int, size: int) -> bool:
    """Make ready for the body behind a head; whether there is one."""
    reader.need = size
    if mode == LENGTH and size:
        reader.step = read_whole if size <= WHOLE_LIMIT <= BODY_LIMIT else read_length
    elif mode == CHUNKED:
        reader.step = read_chunk_size
    elif mode == UNTIL_CLOSE:
        reader.step = read_until_close
    else:
        return False
    if not reader.direction and "expect" in reader.index:
        reader.promised, reader.step = reader.step, read_promised
    return True


def read_promised(reader: MessageReader, owner: Owner) -> bool:
    """See whether the body of a request with `Expect: 100-continue` comes: a client that is refused keeps it back."""
    buffer, start = reader.buffer, reader.position
    if start == len(buffer):
        return False
    ahead = buffer[start : start + 8]
    if owner.is_answered(reader) and any(ahead.startswith(method[: len(ahead)]) for method in BEGINNINGS):
        if FIRST_LINES[0].match(buffer, start):
            note = Note("http", WITHHELD)
            begin, end = reader.begin, reader.offset
            reader.finish(owner, complete=False)
            owner.state(note, reader.direction, begin, end)
            return True
        if buffer.find(b"\n", start, start + AHEAD_LIMIT) < 0 and len(buffer) - start < AHEAD_LIMIT:
            return False
    reader.step = reader.promised
    return True


def read_whole(reader: MessageReader, owner: Owner) -> bool:
    """Wait for a small body whose size is given."""
    start = reader.position
    end = start + reader.need
    if end > len(reader.buffer):
        return False
    reader.position = end
    return _whole(reader, owner, reader.buffer[start:end])


def _whole(reader: MessageReader, owner: Owner, body: bytes) -> bool:
    """Hand over a message whose body was there as one, and stand ready for the next one."""
    owner.on_message(reader, body, True, reader.base + reader.position)
    reader.line_seen = False
    reader.step = reader.between
    return True


def read_length(reader: MessageReader, owner: Owner) -> bool:
    """Read a body whose size is given."""
    if not reader.take_needed(owner):
        return False
    reader.finish(owner, complete=True)
    return True


def read_chunk_size(reader: MessageReader, owner: Owner, patient: bool = True) -> bool:
    """Read the line before a chunk: its size in hexadecimal digits, leading zeros allowed, and extensions.

    Chunks that are all there are taken in one go, small ones waited for; the states behind this one are for the others.
    """
    buffer, start, dropping, kept, pieces = reader.buffer, reader.position, reader.dropping, reader.kept, reader.pieces
    if TEXTS is not None and not (kept or dropping):
        found = TEXTS.chunks(buffer, start, BODY_LIMIT)
        if found is not None:
            body, reader.position = found
            return _whole(reader, owner, body)
    while True:
        line = start
        end = buffer.find(b"\n", start, start + CHUNK_LINE_LIMIT)
        if end < 0:
            reader.position = start
            if len(buffer) - start < CHUNK_LINE_LIMIT:
                return False
            reader.broken(owner, "no chunk size where one is due")
            return True
        size = chunk_size(buffer[start:end])
        if size < 0:
            reader.position = start
            reader.broken(owner, "no chunk size where one is due")
            return True
        start = end + 1
        end = start + size
        if size and not dropping and size <= BODY_LIMIT - kept:
            if buffer[end : end + 2] == b"\r\n":
                pieces.append(buffer[start:end])
                reader.kept = kept = kept + size
                start = end + 2
                continue
            if patient and size <= WHOLE_LIMIT and end > len(buffer):
                reader.position = line
                return False
        reader.position, reader.need, reader.trailed = start, size, 0
        if size:
            reader.step = read_chunk
        elif buffer[start : start + 2] == b"\r\n":
            reader.position = start + 2
            reader.finish(owner, complete=True)
        else:
            reader.step = read_trailers
        return True


def read_chunk(reader: MessageReader, owner: Owner) -> bool:
    """Read the bytes of a chunk."""
    if not reader.take_needed(owner):
        return False
    if reader.buffer.startswith(b"\r\n", reader.position):
        reader.position += 2
        reader.step = read_chunk_size
    else:
        reader.step = read_chunk_end
    return True


def read_chunk_end(reader: MessageReader, owner: Owner) -> bool:
    """Read the line end behind the bytes of a chunk."""
    start = reader.position
    mark = reader.buffer[start : start + 2]
    if mark == b"\r\n":
        reader.position = start + 2
    elif mark[:1] == b"\n":
        reader.position += 1
    elif mark in (b"", b"\r"):
        return False
    else:
        reader.broken(owner, "a chunk is longer than its size says")
        return True
    reader.step = read_chunk_size
    return True


def read_trailers(reader: MessageReader, owner: Owner) -> bool:
    """Read the header lines behind the last chunk, up to an empty line."""
    start = reader.position
    end = reader.buffer.find(b"\n", start)
    size = (len(reader.buffer) if end < 0 else end + 1) - start
    if reader.trailed + size > TRAILER_LIMIT:
        limit = LimitReached("http", "TRAILER_LIMIT", TRAILER_LIMIT, "further trailers are passed over")
        begin = reader.offset if reader.dropping else reader.begin
        reader.finish(owner, complete=True)
        owner.state(limit, reader.direction, begin, reader.offset + 1)
        reader.lose(owner)
        return True
    if end < 0:
        return False
    reader.trailed += size
    reader.position = end + 1
    line = reader.buffer[start:end].rstrip(b"\r").decode("latin-1")
    if not line:
        reader.finish(owner, complete=True)
    elif len(reader.headers) < HEADERS_LIMIT and not reader.dropping:
        name, colon, value = line.partition(":")
        if colon:
            reader.headers = Pairs((*reader.headers, (name.strip(" \t"), value.strip(" \t"))))
    return True


def read_until_close(reader: MessageReader, owner: Owner) -> bool:
    """Read a body that ends with its direction."""
    size = len(reader.buffer) - reader.position
    if size:
        reader.take(owner, size)
    return False


def settle(reader: MessageReader, owner: Owner) -> None:
    """Take the part that is there of a body or chunk that was waited for: not all of it will come."""
    if reader.step is read_whole:
        reader.step = read_length
        reader.take_needed(owner)
    elif reader.step is read_chunk_size and reader.buffer and read_chunk_size(reader, owner, patient=False):
        reader.step(reader, owner)
