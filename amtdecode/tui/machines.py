"""The machines and what is said of each, as lines: fit for a terminal, each proof with the packet it leads to."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, NamedTuple

from amtdecode.counting import counted
from amtdecode.render.report_words import called, how_far, of_machine, place_of
from amtdecode.render.safe import safe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.diagnosis.report import DeviceReport, Finding, Report

STYLES = {"critical": "bold red", "high": "red", "medium": "yellow", "low": "cyan", "info": "dim"}
MIN_WIDTH = 30  # columns that a text is set in at least
NAME, ADDRESS, STAGE = 36, 15, 29  # columns
NARROW = 110  # columns below which the name is cut
SHORT_NAME = 18


class Target(NamedTuple):
    """A packet."""

    input: str
    number: int


class Line(NamedTuple):
    """A line, and the packet that it leads to."""

    text: str
    style: str = ""
    target: Target | None = None


def head(width: int) -> str:
    """What the columns of `machine_line` are."""
    return _columns(("MACHINE", "ADDRESS", "HOW FAR", "CAUSE"), width)


def machine_line(device: DeviceReport | None, findings: list[Finding], width: int) -> Line:
    """A machine with its stage and cause; `None` stands for what is said of no single machine."""
    found = [finding for finding in findings if finding.severity != "info"]
    cause = f"{found[0].severity} {found[0].id} {found[0].title}" if found else "-"
    style = STYLES[found[0].severity] if found else ""
    if device is None:
        return Line(_columns(("(no single machine)", "", "", cause), width), style)
    address = device.addresses[-1] if device.addresses else "-"
    return Line(_columns((device.name, address, of_machine(device, confidence=False), cause), width), style)


def _columns(cells: tuple[str, str, str, str], width: int) -> str:
    sizes = (NAME if width >= NARROW else SHORT_NAME, ADDRESS, STAGE)
    return " ".join([*(_fit(safe(cell), size) for cell, size in zip(cells, sizes, strict=False)), safe(cells[3])])


def _fit(text: str, size: int) -> str:
    return f"{text:<{size}}" if len(text) <= size else f"{text[: size - 1]}…"


def detail_lines(report: Report, device: DeviceReport | None, width: int) -> Iterator[Line]:
    """All that is said of a machine, or of no single one: its attempts, findings with cause, proof and fix."""
    width = max(MIN_WIDTH, width)
    if device is not None:
        names = [device.name, *(each for each in (*device.addresses, called(device)) if each != device.name)]
        if device.method != "unknown":
            names.append(device.method.upper())
        if device.amt_version:
            names.append(f"AMT {device.amt_version}")
        yield from _wrapped(", ".join(filter(None, names)), width, style="bold")
        for number, attempt in enumerate(device.attempts, 1):
            which = f"attempt {number}: " if len(device.attempts) > 1 else ""
            begins = attempt.packets[0] if attempt.packets else 0
            place = f", from packet {begins}" if begins else ""
            target = Target(report.inputs[0], begins) if begins and len(report.inputs) == 1 else None
            yield from _wrapped(f"{which}{how_far(attempt)}{place}", width, "  ", target=target)
    findings = report.of(device)
    for finding in findings:
        yield Line("")
        yield from _finding(finding, width, len(report.inputs))
    if not findings:
        yield Line("nothing was found")


def _finding(finding: Finding, width: int, inputs: int) -> Iterator[Line]:
    title = f"{finding.severity.upper()} {finding.id}  {finding.title} [{finding.verdict}; {finding.layer}]"
    yield from _wrapped(title, width, style=STYLES[finding.severity])
    yield from _wrapped(finding.explanation, width, "  ")
    yield from _wrapped(f"Fix: {finding.fix}", width, "  ")
    for proof in finding.evidence:
        target = Target(proof.input, proof.packet) if proof.packet is not None else None
        where = place_of(proof, inputs)
        text = f"{where}: {proof.text}" if where else proof.text
        yield from _wrapped(text, width, "  - ", style="underline" if target else "", target=target)


def note_lines(report: Report | None, faults: list[str], width: int) -> Iterator[Line]:
    """How good the captures are, and what cannot be judged, and why."""
    width = max(MIN_WIDTH, width)
    for fault in faults:
        yield from _wrapped(fault, width, style="red")
    if report is None:
        yield Line("nothing is known yet")
        return
    yield Line("How good the capture is", "bold")
    for health in report.health:
        said = "; ".join(health.said) or "nothing is wrong with it"
        yield from _wrapped(f"{health.input}: {counted(health.packets, 'packet')}; {said}", width, "  ")
    if not report.health:
        yield Line("  not known yet")
    yield Line("")
    yield Line("What cannot be judged, because evidence is missing", "bold")
    missing: dict[str, list[str]] = {}
    for entry in report.not_judged:
        missing.setdefault(entry.missing, []).append(entry.id)
    for what, ids in missing.items():
        yield from _wrapped(f"{what}: {', '.join(ids)}", width, "  - ")
    if not missing:
        yield Line("  nothing")


def _wrapped(
    text: str, width: int, first: str = "", *, style: str = "", target: Target | None = None
) -> Iterator[Line]:
    lines = textwrap.wrap(
        safe(text), width, initial_indent=first, subsequent_indent=" " * len(first), break_on_hyphens=False
    )
    for line in lines:
        yield Line(line, style, target)
