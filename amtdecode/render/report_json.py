"""The report as JSON: one object, as docs/report-schema.json describes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from amtdecode.diagnosis.report import Report


def report_json(report: Report) -> str:
    """One line of JSON, without a line end."""
    return msgspec.json.encode(report).decode("utf-8")
