"""Which lines of a block may say something: those with a needle of `anchors.toml`, or a numbered error.

Lines of a log mostly differ in their numbers only. So each needle is first sought in the different lines without their
digits, which are few; only those found there are sought in the block.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from amtdecode.artifacts.logs.anchors import UNKNOWN_ERROR, Anchor, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ERROR_NUMBER = re.compile(rb"error\W{0,3}(?:code\W{0,3})?(\d{2,5})(?![-/.:,]\d|\w)")
DIGITS = b"0123456789"


class Hit:
    """The end of a line, and the anchors it may be taken for."""

    __slots__ = ("anchors", "end")

    def __init__(self, end: int) -> None:
        self.end = end
        self.anchors: list[Anchor] = []


def hits(low: bytes) -> dict[int, Hit]:
    """The lines of a block, in lower case, that are worth reading, by where they start."""
    found: dict[int, Hit] = {}
    for needle, anchors in _possible(low):
        at = low.find(needle)
        while at >= 0:
            end = low.find(b"\n", at)
            _line(found, low, at, end).extend(anchors)
            at = low.find(needle, end)
    known = table()
    for match in ERROR_NUMBER.finditer(low):
        numbered = known.numbered.get(match[1]) or known.by_id[UNKNOWN_ERROR]
        _line(found, low, match.start(), low.find(b"\n", match.end())).append(numbered)
    return found


def _possible(low: bytes) -> Iterator[tuple[bytes, Sequence[Anchor]]]:
    """The needles that may occur in a block, with their anchors."""
    different = b"\n".join(set(low.translate(None, DIGITS).split(b"\n")))
    for bare, needle, anchors in _needles():
        if bare in different:
            yield needle, anchors


@lru_cache(maxsize=1)
def _needles() -> list[tuple[bytes, bytes, Sequence[Anchor]]]:
    """All needles: without their digits, whole, and the anchors they belong to."""
    return [(needle.translate(None, DIGITS), needle, anchors) for needle, anchors in table().by_needle.items()]


def _line(found: dict[int, Hit], low: bytes, at: int, end: int) -> list[Anchor]:
    start = low.rfind(b"\n", 0, at) + 1
    hit = found.get(start)
    if hit is None:
        hit = found[start] = Hit(end)
    return hit.anchors
