"""Which lines of a block may say something: those with a needle of `table/*.toml`, a numbered error, or level error.

Lines of a log mostly differ in their numbers only. So what may be in a line is found out once for all lines that are
the same without their digits, and remembered.
"""

from __future__ import annotations

import re
from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from amtdecode.artifacts.logs.anchors import UNKNOWN_ERROR, Anchor, table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

MAX_KNOWN = 1 << 20  # bytes of different lines that are remembered
ERROR_NUMBER = re.compile(rb"error\W{0,3}(?:code\W{0,3})?(\d{2,5})(?![-/.:,]\d|\w)")
DIGITS = b"0123456789"
HEX_CODE = re.compile(rb"x[a-f]*(?!\w)")  # what is left of 0x8009030e: needles with digits are such codes
LOWER = bytes(range(256)).lower()
UUID_REST = re.compile(rb"(?<![a-z-])[a-f]{0,8}-[a-f]{0,4}-[a-f]{0,4}-[a-f]{0,4}-[a-f]{0,12}(?![a-z-])")
"""What is left of a UUID without its digits."""
ERROR_LEVEL = re.compile(
    rb'(?:level|severity|lvl)\\?"?\s?[=:]\s?(?:\\?"?(?:error|fatal|panic|critical)|[,}])'
    rb"|\b(?:erro|fata|pani)\b.{0,8}\[|\[lm_error"
    rb'|(?:^|[\s|;,\[(<"])(?:error|fatal|critical|err|e)(?:\s?[\]|;,:)>"-]|\t)'
    rb"|(?:^|[-:.,\])zm]\s)(?:error|fatal|critical|err|e)\s"
)
"""What a line of level error or fatal holds, in lower case and without its digits: `layout` says whether it is one."""
HEAD = 160  # bytes in which a level stands; of a record of ConfigMgr it stands behind the message
MAX_QUOTED = 3  # lines of level error that no anchor knows, kept to be quoted
CMTRACE_ERROR = b'type="3"'
RANK = attrgetter("rank")


class Needle(NamedTuple):
    """What to look for, in lower case, and the anchors a line with it may be taken for."""

    text: bytes
    bare: bytes  # without its digits
    anchors: Sequence[Anchor]

    def may_be_in(self, bare: bytes) -> bool:
        """Whether a line that is `bare` without its digits may hold it."""
        return self.bare in bare and (self.bare == self.text or HEX_CODE.search(bare) is not None)


LEVEL = Needle(b"", b"", ())
"""Stands last among the needles of a line that may be of level error."""
MAYBE, ERROR, RECORD = (LEVEL,), (LEVEL, LEVEL), (LEVEL, LEVEL, LEVEL)
"""A line with no other needle: not looked at yet; of level error; a record of ConfigMgr, whose type tells its level."""


class Sieve:
    """Goes through the blocks of one log."""

    def __init__(self, is_error: Callable[[bytes], bool] = lambda _line: False) -> None:
        self._is_error = is_error
        self._known: dict[bytes, tuple[Needle, ...]] = {}  # by the line without its digits
        self._shown = 0  # lines given without an anchor
        self.errors = 0
        """Lines of level error without an anchor that were counted, and not given."""
        self._alike: dict[bytes, tuple[Needle, ...]] = {}  # by the line without its UUIDs too
        self._size = 0

    def telling(self, block: bytes, lines: Sequence[bytes]) -> Iterator[tuple[int, list[Anchor], bool]]:
        """The lines worth reading: index, the anchors each may be taken for, and whether its level may be error.

        Without anchors it is of that level, and nothing more is known of it; after the first of these, lines are
        only counted, in `errors`.
        """
        bare = block.translate(LOWER, DIGITS).split(b"\n")
        self._learn(bare)
        known = self._known
        for number, needles in enumerate(map(known.__getitem__, bare)):
            if not needles:
                continue
            if needles is ERROR:
                self.errors += 1
            elif needles is MAYBE:
                if not self._is_error(lines[number]):
                    known[bare[number]] = ()
                    continue
                self._shown += 1
                if self._shown >= MAX_QUOTED:
                    known[bare[number]] = ERROR
                yield number, [], True
            elif needles is RECORD:
                if CMTRACE_ERROR in lines[number].lower():
                    yield number, [], True
            else:
                flagged = needles[-1] is LEVEL
                anchors = _anchors(needles, lines[number].lower())
                if anchors:
                    yield number, anchors, flagged
                elif flagged and self._is_error(lines[number]):
                    yield number, [], True

    def _learn(self, bare: list[bytes]) -> None:
        """Find the needles that may be in lines not seen before."""
        new = list(set(bare).difference(self._known))
        if not new:
            return
        text = b"\n".join(new)
        self._size += len(text)
        if self._size > MAX_KNOWN:
            self._known.clear()
            self._alike.clear()
            new = list(set(bare))
            text = b"\n".join(new)
            self._size = len(text)
        alike = UUID_REST.sub(b"-", text).split(b"\n")
        self._search(set(alike).difference(self._alike))
        self._known.update(zip(new, map(self._alike.__getitem__, alike), strict=True))

    def _search(self, new: set[bytes]) -> None:
        """The same, for lines without their UUIDs."""
        text = b"\n".join(new)
        possible = [needle for needle in _needles() if needle.bare in text]
        for line in new:
            found = [needle for needle in possible if needle.may_be_in(line)]
            if b"]log]!>" in line:
                self._alike[line] = (*found, LEVEL) if found else RECORD
            elif ERROR_LEVEL.search(line, 0, HEAD):
                self._alike[line] = (*found, LEVEL) if found else MAYBE
            else:
                self._alike[line] = tuple(found)


def _anchors(needles: Sequence[Needle], line: bytes) -> list[Anchor]:
    """The anchors of the needles that are in a line, in lower case, in the order in which they are tried."""
    found: list[Anchor] = []
    held = 0
    for needle in needles:
        if needle.anchors:
            if needle.text in line:
                found += needle.anchors
                held += 1
        elif needle is not LEVEL:
            known = table()
            numbers = ERROR_NUMBER.findall(line)
            found += [known.numbered.get(number) or known.by_id[UNKNOWN_ERROR] for number in numbers]
            held += len(numbers)
    if held > 1:
        found.sort(key=RANK)
    return found


@lru_cache(maxsize=1)
def _needles() -> list[Needle]:
    """All needles; last the word in front of the number of an error, which tells the anchor."""
    found = [Needle(text, text.translate(None, DIGITS), anchors) for text, anchors in table().by_needle.items()]
    return [*found, Needle(b"error", b"error", ())]
