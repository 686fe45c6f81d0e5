"""The bytes of an HTTP message as a tree: its first line, its headers, its body with the chunks (RFC 9112).

Positions are those of `tshark -T pdml`: a header's field covers its line with the line end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.fields import BYTES, UINT32, Field
from amtdecode.masking import masked
from amtdecode.model import TO_CLIENT, TO_SERVER
from amtdecode.protocols.http import headers
from amtdecode.protocols.http.fields import BODY, REQUEST_LINE, STATUS_LINE
from amtdecode.protocols.http.lines import chunk_size, content_length, first_line, odd_first_line
from amtdecode.tree import Node, group, node

if TYPE_CHECKING:
    from amtdecode.model import Direction

CHUNK_SIZE = Field("http.chunk_size", UINT32, "size of a chunk, in bytes")
CHUNK_DATA = Field("http.chunk_data", BYTES, "bytes of a chunk", secret=True)  # bodies hold passwords
FILE_DATA = Field("http.file_data", BYTES, "bytes of a body that is not in chunks", secret=True)
MAX_NODES = 4096  # of one message


def tree(pdu: bytes, direction: Direction) -> tuple[Node, ...]:
    """Read a message; of a cut one, what stands before the cut."""
    nodes: list[Node] = []
    at, chunked = 0, False
    while len(nodes) < MAX_NODES:
        end = pdu.find(b"\n", at)
        if end < 0:
            return tuple(nodes)
        end += 1
        line = pdu[at:end].decode("latin-1").rstrip("\r\n")
        if not line:
            break
        if at:
            name, _, value = line.partition(":")
            value = value.strip(" \t")
            chunked = chunked or (name.lower() == "transfer-encoding" and value.lower().endswith("chunked"))
            nodes.append(_header(name, value, at, end - at))
        else:
            nodes.append(_first_line(line, direction, end))
        at = end
    if chunked:
        nodes += _chunks(pdu, end, MAX_NODES - len(nodes))
    elif end < len(pdu):
        nodes.append(node(FILE_DATA, pdu[end:], end, len(pdu) - end))
    return tuple(nodes)


def _first_line(line: str, direction: Direction, length: int) -> Node:
    words = first_line(line, direction) or odd_first_line(line, direction)
    if words is None:
        return group(masked(line), 0, length, ())
    fields = (REQUEST_LINE if direction == TO_SERVER else STATUS_LINE)[1:]
    parts, at = [], 0
    for field, word in zip(fields, words, strict=True):
        at = line.index(word, at)
        parts.append(
            node(field, int(word) if direction == TO_CLIENT and field is STATUS_LINE[2] else word, at, len(word))
        )
        at += len(word)
    return group("Request line" if direction == TO_SERVER else "Status line", 0, length, tuple(parts))


def _header(name: str, value: str, start: int, length: int) -> Node:
    field, shown = headers.shown(name, value)
    size = content_length(value) if name.lower() == "content-length" else None
    below = () if size is None else (node(BODY[0], size, start, length),)
    return node(field, shown, start, length, below)


def _chunks(pdu: bytes, at: int, most: int) -> list[Node]:
    chunks: list[Node] = []
    while len(chunks) < most:
        end = pdu.find(b"\n", at)
        size = chunk_size(pdu[at:end]) if end >= 0 else -1
        if size < 0:
            break
        start, stop = end + 1, end + 1 + size
        parts = [node(CHUNK_SIZE, size, at, end - at - (pdu[end - 1 : end] == b"\r"))]
        if size:
            parts.append(node(CHUNK_DATA, pdu[start:stop], start, min(size, len(pdu) - start)))
        behind = pdu[stop : stop + 2]
        length = min(stop + (2 if behind == b"\r\n" else 1 if behind[:1] == b"\n" else 0), len(pdu)) - at
        chunks.append(group("Chunk", at, length, tuple(parts)))
        at += length
        if not size:
            break
    return chunks
