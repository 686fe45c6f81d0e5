"""The report as JSON: one object on one line, as docs/report-schema.json describes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from amtdecode.render.json_text import json_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from amtdecode.diagnosis.report import Report

SHARE = 256  # members of a list encoded at a time, so that a fleet's report is never held twice


def report_json(report: Report) -> str:
    """One line of JSON, without a line end."""
    return "".join(report_json_parts(report))


def report_json_parts(report: Report) -> Iterator[str]:
    """The same, in parts."""
    yield f'{{"schema":{report.schema},"inputs":{json_text(report.inputs)}'
    yield from _list("health", report.health)
    yield from _list("causes", report.causes)
    yield from _list("devices", report.devices)
    yield from _list("findings", report.findings)
    yield from _list("not_judged", report.not_judged)
    yield from _list("other_traffic", report.other_traffic)
    if report.plan is not msgspec.UNSET:
        yield f',"plan":{json_text(report.plan)}'
    yield "}"


def _list(name: str, members: Sequence[object]) -> Iterator[str]:
    yield f',"{name}":['
    for start in range(0, len(members), SHARE):
        part = json_text(members[start : start + SHARE])[1:-1]
        yield f",{part}" if start else part
    yield "]"
