"""The bytes of a stream that statements may still point to."""

from __future__ import annotations

MAX_KEPT = 1 << 20  # bytes of one direction of a layer; no message here is longer


class Kept:
    """The newest bytes of one direction of a layer. Bytes that were skipped or are missing leave holes."""

    __slots__ = ("pieces", "size")

    def __init__(self) -> None:
        self.pieces: list[tuple[int, bytes]] = []  # offset of the first byte, and the bytes
        self.size = 0

    def add(self, start: int, data: bytes, trim_to: int) -> None:
        """The next bytes; those that end at or before `trim_to` are let go, and the oldest of too many."""
        self.pieces.append((start, data))
        self.size += len(data)
        gone = 0
        for at, piece in self.pieces[:-1]:
            if at + len(piece) > trim_to and self.size <= MAX_KEPT:
                break
            self.size -= len(piece)
            gone += 1
        del self.pieces[:gone]

    def part(self, start: int, end: int) -> bytes:
        """The bytes from start to end; none where one of them is not there."""
        parts, at = [], start
        for offset, piece in self.pieces:
            if offset + len(piece) <= at:
                continue
            if offset > at or at >= end:
                break
            parts.append(piece[at - offset : end - offset])
            at = offset + len(piece)
        return b"".join(parts) if at >= end else b""
