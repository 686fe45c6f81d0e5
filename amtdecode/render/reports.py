"""The field catalogue in the forms of `tshark -G`: lines of columns with tabs between, for scripts that read those."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.fields import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from amtdecode.fields import Field

REPORTS = ("fields", "protocols", "values", "ftypes")
BASES = {"UINT": "BASE_DEC", "INT": "BASE_DEC"}


def report_lines(report: str, fields: Iterable[Field], protocols: Sequence[str]) -> Iterator[str]:
    """The lines of one report.

    `fields`: `F`, meaning, name, type, protocol, base, bit mask (always 0x0), blurb (empty). `protocols`: name, short
    name, filter name. `values`: `V`, field, value, its name. `ftypes`: type, what it is.
    """
    if report == "ftypes":
        yield from (f"{kind.ftype}\t{kind.words}" for kind in Kind)
    elif report == "protocols":
        yield from (f"{name}\t{name}\t{name}" for name in protocols)
    elif report == "values":
        yield from (f"V\t{each.name}\t{value}\t{name}" for each in fields for value, name in each.values.items())
    else:
        for each in fields:
            base = BASES.get(each.kind.name.rstrip("0123456789"), "")
            yield f"F\t{each.meaning}\t{each.name}\t{each.kind.ftype}\t{_protocol(each, protocols)}\t{base}\t0x0\t"


def _protocol(field: Field, protocols: Sequence[str]) -> str:
    """The protocol a field belongs to: the longest that its name begins with, else its first word."""
    owners = [name for name in protocols if field.name.startswith(f"{name}.")]
    return max(owners, key=len, default=field.name.partition(".")[0])
