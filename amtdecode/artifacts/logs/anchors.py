"""The table of anchors (`table/*.toml`, one file for each program that writes logs): loaded when first asked for."""

from __future__ import annotations

import os
import re
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from amtdecode.artifacts.logs.row import LogRow

FILES = (
    "trace", "rpc", "rps", "mps", "meshcentral", "lms", "ema", "scs", "acuconfig", "windows", "configmgr", "any",
)  # fmt: skip
"""The files of the table in the order in which their anchors are tried."""
UNKNOWN_ERROR = "unknown-error"
RPC_ERROR = "rpc-error"
CAPITAL = re.compile(r"\\.|\?P<|[A-Z]")  # a capital letter of a pattern, or what must stay as it is


class Pattern:
    """A regular expression, compiled when the first line is tried: a log meets few of those in the table."""

    __slots__ = ("_search", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._search: Callable[[str], re.Match[str] | None] | None = None

    def search(self, low: str) -> re.Match[str] | None:
        """Where it is found in a line in lower case."""
        if self._search is None:
            self._search = re.compile(CAPITAL.sub(_lower, self.text)).search
        return self._search(low)


class Anchor(NamedTuple):
    """What a line can say. See the head of `table/any.toml`."""

    id: str
    kind: str
    meaning: str
    fix: str
    source: str
    certainty: str
    needles: tuple[str, ...]
    step: str = ""
    severity: str = ""  # of a failure: "high" where it says nothing
    pattern: Pattern | None = None  # of a line in lower case
    unless: Pattern | None = None  # a line that holds this says something else
    code: str = ""
    rule: str = ""
    sets: str = ""  # "commit", "unprovision": what has happened to the machine
    outcome: bool = False  # it tells that a step failed, never why: another line names the cause
    product: str = ""  # of its file
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


class Product(NamedTuple):
    """A program that writes logs."""

    name: str
    signs: tuple[str, ...] = ()  # lower case: a line with one of these is its own
    verbose: str = ""  # how it is told to write more


class Explanation(NamedTuple):
    """What a row means and what to do about it."""

    meaning: str
    fix: str
    source: str
    certainty: str  # "doc", "code", "page", "recall"
    codes: tuple[Code, ...] = ()  # what is known of the codes in the line, in their order
    step: str = ""  # of setup and configuration, or of what comes after it


class Table(NamedTuple):
    """The whole table, in the order in which anchors are tried."""

    anchors: Sequence[Anchor]
    by_needle: Mapping[bytes, Sequence[Anchor]]
    by_id: Mapping[str, Anchor]
    numbered: Mapping[bytes, Anchor]  # by the numbers of the SCS event log, which need no pattern
    codes: Mapping[str, Code]
    products: Mapping[str, Product]
    signs: re.Pattern[str]  # any sign of any product


def _lower(match: re.Match[str]) -> str:
    return match[0] if len(match[0]) > 1 else match[0].lower()


def _pattern(text: object) -> Pattern | None:
    return Pattern(str(text)) if text else None


def _anchor(rank: int, product: str, row: dict[str, object]) -> Anchor:
    values = dict(row)
    pattern, unless = _pattern(values.pop("pattern", None)), _pattern(values.pop("unless", None))
    needles = values.pop("needles")
    return Anchor(**values, needles=tuple(needles), pattern=pattern, unless=unless, product=product, rank=rank)  # type: ignore[arg-type]


def _load(name: str) -> dict[str, list[dict[str, object]]]:
    import tomllib

    with open(os.path.join(os.path.dirname(__file__), "table", f"{name}.toml"), "rb") as file:
        return tomllib.load(file)


@lru_cache(maxsize=1)
def table() -> Table:
    """Read the table, once."""
    anchors: list[Anchor] = []
    products: dict[str, Product] = {}
    for name in FILES:
        raw = _load(name)
        product = Product(
            str(raw.get("product", "")), tuple(map(str, raw.get("signs", ()))), str(raw.get("verbose", ""))
        )
        if product.name:
            products[product.name] = product
        anchors += [_anchor(len(anchors) + number, product.name, row) for number, row in enumerate(raw["anchor"])]
    by_needle: dict[str, list[Anchor]] = {
        needle: [] for needle in sorted({*chain(*(each.needles for each in anchors))})
    }
    for anchor in anchors:
        for needle in dict.fromkeys(anchor.needles):
            by_needle[needle].append(anchor)
    signs = [f"(?P<p{place}>{'|'.join(map(re.escape, each.signs))})" for place, each in enumerate(products.values())]
    return Table(
        anchors,
        {needle.encode(): found for needle, found in by_needle.items()},
        {anchor.id: anchor for anchor in anchors},
        {
            anchor.code.encode(): anchor._replace(pattern=None)
            for anchor in anchors
            if anchor.code and anchor.id == f"scs-{anchor.code}"
        },
        {str(row["code"]): Code(**row) for row in _load("codes")["code"]},  # type: ignore[arg-type]
        products,
        re.compile("|".join(signs)),
    )


def product_of(low: str) -> str:
    """The program that a line in lower case is a sign of, or an empty text."""
    match = table().signs.search(low)
    return list(table().products)[int(match.lastgroup[1:])] if match and match.lastgroup else ""


def explain(row: LogRow) -> Explanation | None:
    """What a row means and what to do; `None` for a row without an anchor."""
    anchor = table().by_id.get(row.anchor)
    if anchor is None:
        return None
    known = table().codes
    codes = tuple(known[code] for code in row.codes if code in known)
    return Explanation(anchor.meaning, anchor.fix, anchor.source, anchor.certainty, codes, anchor.step)
