"""Which lines of a block may say something: those with a needle of `table/*.toml`, a numbered error, or level error.

Lines of a log mostly differ in their numbers only. So what may be in a line is found out once for all lines that are
the same without their digits, and remembered.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from amtdecode.artifacts.logs.anchors import UNKNOWN_ERROR, Anchor, table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

MAX_KNOWN = 1 << 20  # bytes of different lines that are remembered
ERROR_NUMBER = re.compile(rb"error\W{0,3}(?:code\W{0,3})?(\d{2,5})(?![-/.:,]\d|\w)")
DIGITS = b"0123456789"
HEX_CODE = re.compile(rb"x[a-f]*(?!\w)")  # what is left of 0x8009030e: needles with digits are such codes
LOWER = bytes(range(256)).lower()
ERROR_LEVEL = re.compile(
    rb'(?:level|severity|lvl)\\?"?\s?[=:]\s?(?:\\?"?(?:error|fatal|panic|critical)|[,}])'
    rb"|\b(?:erro|fata|pani)\b.{0,8}\[|\[lm_error"
    rb'|(?:^|[\s|;,\[(<"])(?:error|fatal|critical|err|e)(?:\s?[\]|;,:)>"-]|\t)'
    rb"|(?:^|[-:.,\])zm]\s)(?:error|fatal|critical|err|e)\s"
)
"""What a line of level error or fatal holds, in lower case and without its digits: `layout` says whether it is one."""
HEAD = 160  # bytes in which a level stands; of a record of ConfigMgr it stands behind the message
MAX_ERRORS = 4096  # different lines of which it is remembered whether their level is error
CMTRACE_ERROR = b'type="3"'


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


class Sieve:
    """Goes through the blocks of one log."""

    def __init__(self, is_error: Callable[[bytes], bool] = lambda _line: False) -> None:
        self._is_error = is_error
        self._known: dict[bytes, tuple[Needle, ...]] = {}  # by the line without its digits
        self._errors: dict[bytes, bool] = {}  # likewise: whether its level is error
        self._size = 0

    def telling(self, block: bytes, lines: Sequence[bytes]) -> Iterator[tuple[int, list[Anchor], bool]]:
        """The lines worth reading: index, the anchors each may be taken for, and whether its level may be error.

        Without anchors it is of that level, and nothing more is known of it.
        """
        bare = block.translate(LOWER, DIGITS).split(b"\n")
        self._learn(bare)
        for number, needles in enumerate(map(self._known.__getitem__, bare)):
            if needles:
                line = lines[number].lower()
                anchors = _anchors(needles, line)
                flagged = needles[-1] is LEVEL
                if anchors or (flagged and self._error(bare[number], line, lines[number])):
                    yield number, anchors, flagged

    def _error(self, bare: bytes, low: bytes, line: bytes) -> bool:
        """Whether a line is of level error: looked at once for all that are the same without their digits."""
        if b"]log]!>" in low:
            return CMTRACE_ERROR in low
        known = self._errors.get(bare)
        if known is None:
            if len(self._errors) > MAX_ERRORS:
                self._errors.clear()
            known = self._errors[bare] = self._is_error(line)
        return known

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
        for line in new:
            found = [needle for needle in possible if needle.may_be_in(line)]
            if ERROR_LEVEL.search(line, 0, HEAD) or b"]log]!>" in line:
                found.append(LEVEL)
            if found:
                self._known[line] = tuple(found)


def _anchors(needles: Sequence[Needle], line: bytes) -> list[Anchor]:
    """The anchors of the needles that are in a line, in lower case."""
    found: list[Anchor] = []
    for needle in needles:
        if needle.anchors:
            if needle.text in line:
                found += needle.anchors
        elif needle is not LEVEL:
            known = table()
            numbers = ERROR_NUMBER.findall(line)
            found += [known.numbered.get(number) or known.by_id[UNKNOWN_ERROR] for number in numbers]
    return found


@lru_cache(maxsize=1)
def _needles() -> list[Needle]:
    """All needles; last the word in front of the number of an error, which tells the anchor."""
    found = [Needle(text, text.translate(None, DIGITS), anchors) for text, anchors in table().by_needle.items()]
    return [*found, Needle(b"error", b"error", ())]
