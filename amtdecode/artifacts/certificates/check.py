"""One question asked of a chain, and its answer."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

PASS, WARN, UNKNOWN, FAIL = "pass", "warn", "unknown", "fail"
OUTCOMES = (PASS, WARN, UNKNOWN, FAIL)

GUIDE = "Intel AMT Implementation and Reference Guide"
ARTICLE = "2007 article on remote configuration"


class Side(NamedTuple):
    """One side of a comparison."""

    what: str
    text: str
    hex: str = ""  # UTF-8 bytes of the text, where the two sides look alike and are not the same


class Check(msgspec.Struct, frozen=True):
    """A question with a stable id (that of the rule it stands for) and its answer."""

    id: str
    title: str
    outcome: str  # "pass", "warn", "unknown" (evidence is missing), "fail"
    explanation: str
    fix: str = ""
    source: str = ""
    compared: tuple[Side, ...] = ()
    details: tuple[str, ...] = ()


def sides(*pairs: tuple[str, str]) -> tuple[Side, ...]:
    """Return both sides of a comparison, with their bytes in hex when they are easily taken for one another."""
    hexed = any(alike(one, other) for _, one in pairs for _, other in pairs)
    return tuple(Side(what, text, text.encode("utf-8", "surrogatepass").hex() if hexed else "") for what, text in pairs)


def alike(one: str, other: str) -> bool:
    """Whether two texts differ and still look the same to a hurried eye."""
    if one == other:
        return False
    first, second = plain(one), plain(other)
    return first == second or (len(first) == len(second) > 3 and sum(map(str.__ne__, first, second)) <= 2)


def plain(text: str) -> str:
    """Return a text without what the eye passes over: case, widths, accents, blanks, control and look-alike letters."""
    flat = unicodedata.normalize("NFKD", text.replace("®", "(R)")).casefold().translate(_LOOK_ALIKES)
    return "".join(
        each for each in flat if not unicodedata.combining(each) and each.isprintable() and not each.isspace()
    )


# Cyrillic and Greek letters drawn like Latin ones
_LOOK_ALIKES = str.maketrans("асеорхуіјѕԁоαοιν", "aceopxyijsdoaoiv")


def worst(outcomes: Iterable[str]) -> str:
    """Return the gravest outcome; "pass" of nothing."""
    return max(outcomes, key=OUTCOMES.index, default=PASS)
