"""How chosen fields are laid out on a line: what tshark's `-E` says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from amtdecode.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

CHARACTERS = {"/t": "\t", "/s": " "}
QUOTES = {"d": '"', "s": "'", "n": ""}
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # OWASP, CSV Injection
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
OPTIONS = "bom=y|n, header=y|n, separator=/t|/s|CHARACTER, occurrence=f|l|a, aggregator=,|/s|CHARACTER, quote=d|s|n"


class Layout(msgspec.Struct, frozen=True):
    """The characters between and around values."""

    separator: str = "\t"
    aggregator: str = ","
    """Between the values of a repeated field."""
    occurrence: str = "a"
    """Of a repeated field: the first value (`f`), the last (`l`), or all (`a`)."""
    quote: str = ""
    doubled: bool = False
    """For spreadsheets: a quote inside a value is written twice (RFC 4180, section 2), and what would be taken for a
    formula gets an apostrophe in front. tshark does neither."""
    header: bool = False
    header_quoted: bool = False
    bom: bool = False

    def first_line(self, names: Sequence[str]) -> str:
        """What stands before all: the byte order mark, and the names of the fields; "" where neither is asked for."""
        line = "\ufeff" if self.bom else ""
        if not self.header:
            return line
        shown = [self.quoted(name) for name in names] if self.header_quoted else names
        return f"{line}{self.separator.join(shown)}\n"

    def line(self, cells: Iterable[str]) -> str:
        """A line of values; an empty one has no quotes."""
        plain = not (self.quote or self.doubled)
        return self.separator.join(cells if plain else [self.quoted(cell) for cell in cells]) + "\n"

    def quoted(self, cell: str) -> str:
        """A value between its quotes."""
        if self.doubled and cell.startswith(FORMULA) and not NUMBER.fullmatch(cell):
            cell = f"'{cell}"
        if not cell or not self.quote:
            return cell
        return f"{self.quote}{cell.replace(self.quote, self.quote * 2) if self.doubled else cell}{self.quote}"

    def occurring(self, values: list[str]) -> list[str]:
        """Those of a field's values that `occurrence` asks for."""
        if self.occurrence == "a" or not values:
            return values
        return values[:1] if self.occurrence == "f" else values[-1:]

    def chosen(self, values: Sequence[str]) -> str:
        """The values of one field as a cell."""
        if self.occurrence != "a":
            return (values[0] if self.occurrence == "f" else values[-1]) if values else ""
        return self.aggregator.join(values)


CSV = Layout(separator=",", quote='"', doubled=True, header=True, header_quoted=True)
"""What spreadsheets take: RFC 4180, with the names in front."""


def layout(options: Sequence[str], start: Layout | None = None) -> Layout:
    """The layout that options of `-E` describe, from `start` on. Raises `UsageError` where tshark refuses them too."""
    made = start or Layout()
    for option in options:
        name, equals, value = option.partition("=")
        changed = _changed(name, value) if equals and value else None
        if changed is None:
            raise UsageError(f"-E {option}: is none of {OPTIONS}")
        made = msgspec.structs.replace(made, **changed)
    return made


def _changed(name: str, value: str) -> dict[str, str | bool] | None:
    """What one option sets, by its first letter as tshark takes it; `None` for what it refuses."""
    first = value[0]
    if name in ("header", "bom"):
        return {name: first == "y"} if first in "yn" else None
    if name in ("separator", "aggregator"):
        return {name: CHARACTERS.get(value[:2], first)}
    if name == "occurrence":
        return {name: first} if first in "fla" else None
    if name == "quote":
        return {name: QUOTES[first]} if first in QUOTES else None
    return None
