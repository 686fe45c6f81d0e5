"""A setup.bin as text and as JSON, secrets masked unless asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amtdecode.counting import counted
from amtdecode.fields import MASK
from amtdecode.render.safe import safe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.artifacts.setupbin import Entry, Record, SetupBin


def setupbin_lines(found: SetupBin, *, show_secrets: bool = False) -> Iterator[str]:
    """Lines of text, one for each value."""
    release = f", for {found.first_release} and later" if found.first_release else ""
    yield f"setup.bin version {found.version}{release}: {counted(len(found.records), 'record')}"
    keeps = (
        "not consumed: every machine takes the same record" if found.keeps_records else f"consumed: {found.consumed}"
    )
    yield f"    records {keeps}"
    for remark in found.remarks:
        yield f"    odd: {safe(remark)}"
    for record in found.records:
        yield _record_line(record)
        for entry in record.entries:
            variable = entry.variable
            name = variable.name if variable else f"{entry.module}/{entry.number} (unknown)"
            remark = f"  ({variable.remark})" if variable and variable.remark else ""
            yield f"    {name:<22} {_value(entry, show_secrets=show_secrets)}{remark}"


def _record_line(record: Record) -> str:
    words = ["valid" if record.valid else "consumed or invalid"]
    if record.scrambled:
        words.append("scrambled")
    if not record.entries:
        words.append("no values")
    return f"record {record.number}: {', '.join(words)}"


def _value(entry: Entry, *, show_secrets: bool) -> str:
    variable = entry.variable
    # what no source names may be a secret
    hidden = not show_secrets and (variable is None or variable.secret)
    return MASK if hidden else safe(entry.shown)


def setupbin_dict(found: SetupBin, *, show_secrets: bool = False) -> dict[str, Any]:
    """The same as a dictionary for JSON. `place`: offset in the file, in bytes."""
    return {
        "version": found.version,
        "first_release": found.first_release,
        "keeps_records": found.keeps_records,
        "stated_records": found.stated,
        "consumed_records": found.consumed,
        "modules": list(found.modules),
        "remarks": list(found.remarks),
        "records": [
            {
                "number": record.number,
                "type": record.kind,
                "valid": record.valid,
                "scrambled": record.scrambled,
                "place": record.place,
                "values": [
                    {
                        "module": entry.module,
                        "variable": entry.number,
                        "name": entry.variable.name if entry.variable else "",
                        "value": _value(entry, show_secrets=show_secrets),
                        "place": entry.place,
                    }
                    for entry in record.entries
                ],
            }
            for record in found.records
        ],
    }
