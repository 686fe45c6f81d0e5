"""The table of anchors (`anchors.toml`): loaded when first asked for."""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from amtdecode.artifacts.logs.row import LogRow

UNKNOWN_ERROR = "unknown-error"
CAPITAL = re.compile(r"\\.|\?P<|[A-Z]")  # a capital letter of a pattern, or what must stay as it is


class Anchor(NamedTuple):
    """What a line can say. See the head of `anchors.toml`."""

    id: str
    kind: str
    meaning: str
    fix: str
    source: str
    certainty: str
    needles: tuple[str, ...]
    pattern: re.Pattern[str] | None = None  # of a line in lower case
    code: str = ""
    rule: str = ""
    rank: int = 0  # its place in the table: the lowest wins


class Code(NamedTuple):
    """A hexadecimal code that lines carry."""

    code: str  # "0x" and lower case
    name: str
    meaning: str
    fix: str
    source: str
    certainty: str
    outcome: bool = False  # it only says that something failed, not why


class Explanation(NamedTuple):
    """What a row means and what to do about it."""

    meaning: str
    fix: str
    source: str
    certainty: str  # "doc", "code", "page", "recall"
    codes: tuple[Code, ...] = ()  # what is known of the codes in the line, in their order


class Table(NamedTuple):
    """The whole table, in the order in which anchors are tried."""

    anchors: Sequence[Anchor]
    by_needle: Mapping[bytes, Sequence[Anchor]]
    by_id: Mapping[str, Anchor]
    numbered: Mapping[bytes, Anchor]  # by the numbers of the SCS event log, which need no pattern
    codes: Mapping[str, Code]


def _lower(match: re.Match[str]) -> str:
    return match[0] if len(match[0]) > 1 else match[0].lower()


def _anchor(rank: int, row: dict[str, object]) -> Anchor:
    values = dict(row)
    pattern = values.pop("pattern", None)
    needles = values.pop("needles")
    compiled = re.compile(CAPITAL.sub(_lower, str(pattern))) if pattern else None
    return Anchor(**values, needles=tuple(needles), pattern=compiled, rank=rank)  # type: ignore[arg-type]


@lru_cache(maxsize=1)
def table() -> Table:
    """Read `anchors.toml`, once."""
    raw = tomllib.loads(files(__package__).joinpath("anchors.toml").read_text("utf-8"))
    anchors = tuple(_anchor(rank, row) for rank, row in enumerate(raw["anchor"]))
    return Table(
        anchors,
        {
            needle.encode(): [anchor for anchor in anchors if needle in anchor.needles]
            for needle in sorted({needle for anchor in anchors for needle in anchor.needles})
        },
        {anchor.id: anchor for anchor in anchors},
        {
            anchor.code.encode(): anchor._replace(pattern=None)
            for anchor in anchors
            if anchor.code and anchor.id == f"scs-{anchor.code}"
        },
        {row["code"]: Code(**row) for row in raw["code"]},
    )


def explain(row: LogRow) -> Explanation | None:
    """What a row means and what to do; `None` for a row without an anchor."""
    anchor = table().by_id.get(row.anchor)
    if anchor is None:
        return None
    known = table().codes
    codes = tuple(known[code] for code in row.codes if code in known)
    return Explanation(anchor.meaning, anchor.fix, anchor.source, anchor.certainty, codes)
