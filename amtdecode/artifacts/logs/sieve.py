"""Which lines of a block may say something: those with a needle of `anchors.toml`, or a numbered error.

Lines of a log mostly differ in their numbers only. So what may be in a line is found out once for all lines that are
the same without their digits, and remembered.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from amtdecode.artifacts.logs.anchors import UNKNOWN_ERROR, Anchor, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MAX_KNOWN = 1 << 20  # bytes of different lines that are remembered
ERROR_NUMBER = re.compile(rb"error\W{0,3}(?:code\W{0,3})?(\d{2,5})(?![-/.:,]\d|\w)")
DIGITS = b"0123456789"
HEX_CODE = re.compile(rb"x[a-f]*(?!\w)")  # what is left of 0x8009030e: needles with digits are such codes
LOWER = bytes(range(256)).lower()


class Needle(NamedTuple):
    """What to look for, in lower case, and the anchors a line with it may be taken for."""

    text: bytes
    bare: bytes  # without its digits
    anchors: Sequence[Anchor]

    def may_be_in(self, bare: bytes) -> bool:
        """Whether a line that is `bare` without its digits may hold it."""
        return self.bare in bare and (self.bare == self.text or HEX_CODE.search(bare) is not None)


class Sieve:
    """Goes through the blocks of one log."""

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[Needle, ...]] = {}  # by the line without its digits
        self._size = 0

    def telling(self, block: bytes, lines: Sequence[bytes]) -> Iterator[tuple[int, list[Anchor]]]:
        """The lines worth reading, by their index, and the anchors each may be taken for."""
        bare = block.translate(LOWER, DIGITS).split(b"\n")
        self._learn(bare)
        for number, needles in enumerate(map(self._known.__getitem__, bare)):
            if needles and (anchors := _anchors(needles, lines[number].lower())):
                yield number, anchors

    def _learn(self, bare: list[bytes]) -> None:
        """Find the needles that may be in lines not seen before."""
        new = set(bare).difference(self._known)
        if not new:
            return
        text = b"\n".join(new)
        self._size += len(text)
        if self._size > MAX_KNOWN:
            self._known.clear()
            new = set(bare)
            text = b"\n".join(new)
            self._size = len(text)
        self._known.update(dict.fromkeys(new, ()))
        possible = [needle for needle in _needles() if needle.bare in text]
        for line in new if possible else ():
            if found := [needle for needle in possible if needle.may_be_in(line)]:
                self._known[line] = tuple(found)


def _anchors(needles: Sequence[Needle], line: bytes) -> list[Anchor]:
    """The anchors of the needles that are in a line, in lower case."""
    found: list[Anchor] = []
    for needle in needles:
        if needle.anchors:
            if needle.text in line:
                found += needle.anchors
        else:
            known = table()
            numbers = ERROR_NUMBER.findall(line)
            found += [known.numbered.get(number) or known.by_id[UNKNOWN_ERROR] for number in numbers]
    return found


@lru_cache(maxsize=1)
def _needles() -> list[Needle]:
    """All needles; last the word in front of the number of an error, which tells the anchor."""
    found = [Needle(text, text.translate(None, DIGITS), anchors) for text, anchors in table().by_needle.items()]
    return [*found, Needle(b"error", b"error", ())]
