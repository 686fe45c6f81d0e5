"""Which packets carried which bytes of a direction: the proof behind every observation."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from amtdecode.flow.chunks import Stamp

MAX_MARKS = 2048  # chunks of one direction of a layer remembered; older proof is let go


class Marks:
    """For one direction of a layer: where each chunk ends in the stream, and the packets it came in."""

    __slots__ = ("_entries",)

    def __init__(self) -> None:
        self._entries: list[tuple[int, tuple[Stamp, ...]]] = []

    def add(self, end: int, stamps: tuple[Stamp, ...]) -> None:
        """A chunk that ends at stream offset `end`."""
        self._entries.append((end, stamps))
        if len(self._entries) > MAX_MARKS:
            del self._entries[: MAX_MARKS // 2]

    def trim(self, floor: int) -> None:
        """Let go of what ends at or before `floor`."""
        entries = self._entries
        if len(entries) > 1:
            count = 0
            while count < len(entries) - 1 and entries[count][0] <= floor:
                count += 1
            if count:
                del entries[:count]

    def stamps(self, start: int, end: int) -> tuple[Stamp, ...]:
        """The packets of bytes start to end; for no bytes at all, those of the byte before."""
        entries = self._entries
        if len(entries) == 1:
            return entries[0][1]
        if end <= start:
            start, end = max(0, end - 1), max(1, end)
        found: list[Stamp] = []
        for until, stamps in entries:
            if until > start:
                found.extend(stamps)
                if until >= end:
                    break
        return tuple(found)

    def newest(self) -> tuple[Stamp, ...]:
        """The packets of the last chunk."""
        return self._entries[-1][1] if self._entries else ()
