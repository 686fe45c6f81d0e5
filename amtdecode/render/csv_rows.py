"""Rows for spreadsheets: RFC 4180, and no cell that a spreadsheet would take for a formula."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any, Final

from amtdecode.render.layout import FORMULA
from amtdecode.safe import safe
from amtdecode.times import IsoTimes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import TextIO

    from amtdecode.diagnosis.report import DeviceReport, Finding, Report
    from amtdecode.model import Observation

FINDINGS: Final = (
    "machine", "uuid", "fqdn", "addresses", "method", "amt_version", "attempts", "stage", "outcome", "confidence",
    "started", "ended", "severity", "verdict", "finding", "title", "explanation", "fix", "input", "packets", "source",
)  # fmt: skip
OBSERVATIONS: Final = (
    "input", "packet", "packets", "time", "transport", "flow", "src", "dst", "protocol", "event", "summary",
)  # fmt: skip


class Rows:
    """Writes rows with a heading. A cell that begins as a formula gets an apostrophe in front."""

    def __init__(self, stream: TextIO, heading: Sequence[str]) -> None:
        self._write = csv.writer(stream).writerow
        self._write(heading)
        self.count = 0

    def __call__(self, cells: Sequence[Any]) -> None:
        """One row; `None` is an empty cell."""
        self._write([_cell(value) for value in cells])
        self.count += 1


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = safe(str(value))
    return f"'{text}" if text.startswith(FORMULA) and not isinstance(value, (int, float)) else text


def finding_rows(report: Report, device: str | None = None) -> Iterator[list[Any]]:
    """A row for each finding, with its machine; a row for each machine that has none, so that all are there."""
    by_device: dict[int | None, list[Finding]] = {}
    for finding in report.findings:
        by_device.setdefault(finding.device_id, []).append(finding)
    for known in report.devices:
        if device is None or known.name == device:
            about = _about(known)
            for one in by_device.get(known.id, ()):
                yield [*about, *_found(one)]
            if known.id not in by_device:
                yield [*about, *[""] * 9]
    if device is None:
        for one in by_device.get(None, []):
            yield [""] * 12 + _found(one)


def _about(device: DeviceReport) -> list[Any]:
    last = device.attempts[-1] if device.attempts else None
    return [
        device.name, device.uuid, device.fqdn, " ".join(device.addresses), device.method, device.amt_version,
        len(device.attempts), last and last.stage, last and last.outcome, last and last.confidence,
        last and last.started, last and last.ended,
    ]  # fmt: skip


def _found(finding: Finding) -> list[Any]:
    places: dict[str, list[str]] = {}
    for proof in finding.evidence:
        number = proof.packet if proof.packet is not None else proof.line
        places.setdefault(proof.input, []).extend([str(number)] if number is not None else [])
    several = len(places) > 1
    numbers = "; ".join(f"{name}: {' '.join(found)}" if several else " ".join(found) for name, found in places.items())
    return [
        finding.severity, finding.verdict, finding.id, finding.title, finding.explanation, finding.fix,
        " ".join(places), numbers, finding.source,
    ]  # fmt: skip


class ObservationRows:
    """A row for each observation; what is a secret is in no cell."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._time = IsoTimes()

    def __call__(self, observation: Observation) -> None:
        """Write one."""
        flow = observation.flow
        self._rows(
            [
                observation.input, observation.packet or None, " ".join(map(str, observation.packets)),
                self._time(observation.time_ns, observation.precision), flow and flow.transport, flow and flow.number,
                observation.src, observation.dst, observation.protocol, type(observation.event).__name__,
                observation.event.summary(),
            ]
        )  # fmt: skip
