"""`amtdecode fields`: the field catalogue."""

from __future__ import annotations

from fnmatch import fnmatchcase
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from amtdecode.cli.common import plugin_option, registry
from amtdecode.cli.completing import field_names
from amtdecode.cli.console import write_json, write_line
from amtdecode.cli.main import complain
from amtdecode.cli.paging import page, pager_option
from amtdecode.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amtdecode.fields import Field
    from amtdecode.protocols.dissector import Protocol

SHOWN_VALUES = 12  # named values shown of a field; some registries have hundreds


@click.command()
@click.argument("pattern", default="*", metavar="[GLOB]", shell_complete=field_names)
@click.option("-T", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the output.")
@click.option("-G", "report", metavar="REPORT", help="As tshark -G prints it: fields, protocols, values or ftypes.")
@pager_option
@plugin_option
def fields(pattern: str, form: str, report: str | None, plugins: bool) -> int:
    """List field names, their kinds and meanings, and the names of their values.

    GLOB chooses among them, as in `iamt.hello.*`.
    """
    from amtdecode.protocols.catalogue import catalogue

    rooms = registry(plugins=plugins)
    chosen = [field for field in catalogue(rooms) if fnmatchcase(field.name, pattern)]
    page()
    if report is not None:
        return _report(report, chosen, rooms)
    if not chosen:
        complain(f"note: no field matches {pattern}; `amtdecode fields` lists all")
    if form == "json":
        import msgspec

        for field in chosen:
            write_json([msgspec.json.encode(as_json(field)).decode()])
        return 0
    kinds = [f"{field.kind.words}{', repeated' if field.repeated else ''}" for field in chosen]
    width, kind_width = max(map(len, (field.name for field in chosen)), default=0), max(map(len, kinds), default=0)
    for field, kind in zip(chosen, kinds, strict=True):
        write_line(f"{field.name:<{width}}  {kind:<{kind_width}}  {field.meaning}{value_names(field)}")
    return 0


def _report(report: str, chosen: Sequence[Field], rooms: tuple[Protocol, ...]) -> int:
    from amtdecode.render.reports import REPORTS, report_lines

    if report not in REPORTS:
        raise UsageError(f"-G {report}: is none of {', '.join(REPORTS)}")
    for line in report_lines(report, chosen, sorted({room.name for room in rooms})):
        write_line(line)
    return 0


def value_names(field: Field) -> str:
    """The names of a field's values behind a colon, the first few of many."""
    named = [f"{value} {name}" for value, name in islice(field.values.items(), SHOWN_VALUES)]
    more = len(field.values) - len(named)
    return f": {', '.join(named)}{f' and {more} more' if more else ''}" if named else ""


def as_json(field: Field) -> dict[str, Any]:
    """A field as an object: what it is by Wireshark's constants, and all names of its values."""
    return {
        "name": field.name,
        "kind": field.kind.ftype,
        "repeated": field.repeated,
        "secret": field.secret,
        "meaning": field.meaning,
        "values": {str(value): name for value, name in field.values.items()},
    }
