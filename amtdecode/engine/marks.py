"""Which packets carried which bytes of a direction: the proof behind every observation.

The marks of one direction of a layer are a plain list of (stream offset behind a chunk, the packets it came in).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from amtdecode.capture import Stamp

MAX_MARKS = 2048  # chunks of one direction of a layer remembered; older proof is let go

FEW_MARKS = 8  # so many are not worth looking at for what can go

Marks: TypeAlias = "list[tuple[int, tuple[Stamp, ...]]]"


def trim(marks: Marks, floor: int) -> None:
    """Let go of what ends at or before `floor`, but for the newest chunk."""
    count, last = 0, len(marks) - 1
    if last < MAX_MARKS and marks[0][0] > floor:
        return
    while count < last and marks[count][0] <= floor:
        count += 1
    if last - count >= MAX_MARKS:
        count += MAX_MARKS // 2
    if count:
        del marks[:count]


def stamps_of(marks: Marks, start: int, end: int) -> tuple[Stamp, ...]:
    """The packets of bytes start to end; for no bytes at all, those of the byte before."""
    size = len(marks)
    if size == 1:
        return marks[0][1]
    if size and start < end:  # mostly they came in the newest chunk, or in the newest two
        before, stamps = marks[-2]
        if before <= start:
            return marks[-1][1]
        if before < end and (size == 2 or marks[-3][0] <= start):
            return stamps + marks[-1][1]
    if end <= start:
        start, end = max(0, end - 1), max(1, end)
    found: list[Stamp] = []
    for until, stamps in marks:
        if until > start:
            found.extend(stamps)
            if until >= end:
                break
    return tuple(found)
