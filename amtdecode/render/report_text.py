"""The report for a terminal: the fleet first, then the machines, worst first, each with its findings, cause first."""

from __future__ import annotations

import textwrap
from collections import Counter
from typing import TYPE_CHECKING

from amtdecode.counting import counted
from amtdecode.render.safe import safe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from amtdecode.diagnosis.report import AttemptReport, Cause, DeviceReport, Evidence, Finding, Report

    Painter = Callable[[str, str], str]  # colour code and text

WIDTH = 110
FIRST_PROOFS = 4  # printed without -V
MAX_MACHINES = 12  # shown one by one without -V: with more, their causes are
MAX_REST = 5  # findings of no single machine that are shown with so many
COLORS = {"critical": "1;31", "high": "31", "medium": "33", "low": "36", "info": "2"}
OUTCOMES = {"committed": "set up", "failed": "failed", "incomplete": "incomplete", "unknown": "unclear"}


def report_lines(report: Report, *, verbose: bool = False, color: bool = False) -> Iterator[str]:
    """The lines of the report. Captured text is escaped. `verbose`: all evidence, sources, all that was not judged.

    Of more than `MAX_MACHINES` machines only the causes are shown unless `verbose`.
    """
    paint = _paint if color else _plain
    whole = verbose or len(report.devices) <= MAX_MACHINES
    yield from _health(report)
    yield from _fleet(report, paint, whole)
    by_device: dict[int | None, list[Finding]] = {}
    for finding in report.findings:
        by_device.setdefault(finding.device_id, []).append(finding)
    rest = by_device.get(None)
    if not whole:
        yield ""
        yield "-V shows every machine; -T json has them all, with their evidence."
    else:
        if len(report.devices) > 1:
            yield from _table(report.devices, by_device, paint)
        for device in report.devices:
            yield ""
            yield from _machine(device, by_device.pop(device.id, []), paint, verbose, len(report.inputs))
    if rest:
        yield ""
        yield paint("1", "Not of one machine alone")
        for finding in rest if whole else rest[:MAX_REST]:
            yield from _finding(finding, paint, verbose, len(report.inputs))
        if not whole and len(rest) > MAX_REST:
            yield f"  and {len(rest) - MAX_REST} more with -V"
    yield from _not_judged(report, verbose)


def overview_lines(report: Report, *, color: bool = False) -> Iterator[str]:
    """The causes and the table of machines, without any detail: what a screen shows while a capture goes on."""
    paint = _paint if color else _plain
    yield from _fleet(report, paint, whole=True)
    by_device: dict[int | None, list[Finding]] = {}
    for finding in report.findings:
        by_device.setdefault(finding.device_id, []).append(finding)
    if report.devices:
        yield from _table(report.devices, by_device, paint)


def _health(report: Report) -> Iterator[str]:
    """What is wrong with the captures, one line for each, before anything is concluded from them."""
    troubled = [health for health in report.health if health.said]
    for health in troubled:
        yield f"{safe(health.input)}: {safe('; '.join(health.said))}"
    if troubled:
        yield ""


def _plain(_code: str, text: str) -> str:
    return text


def _paint(code: str, text: str) -> str:
    return f"\x1b[{code}m{text}\x1b[0m"


def _fleet(report: Report, paint: Painter, whole: bool) -> Iterator[str]:
    outcomes = Counter(_word(device) for device in report.devices)
    count = len(report.devices)
    machines = counted(count, "machine")
    inputs = "1 input" if len(report.inputs) == 1 else f"{len(report.inputs)} inputs"
    split = ", ".join(f"{number} {name}" for name, number in outcomes.most_common())
    yield f"{machines} in {inputs}{': ' + split if split else ''}"
    for cause in report.causes:
        yield from _cause(cause, paint, whole)
    if not report.causes and report.devices:
        yield "  nothing above info was found"


def _cause(cause: Cause, paint: Painter, whole: bool) -> Iterator[str]:
    if whole:
        who = f"{cause.count} machines" if cause.count > 1 else safe(cause.machines[0]) if cause.count else "the site"
    else:
        who = f"{cause.count} machine{'s' if cause.count != 1 else ''}" if cause.count else "the site"
    alike = ", and others like it" if cause.titles > 1 else ""
    head = f"  {cause.severity.upper()} {cause.id} {safe(cause.title)}{alike}"
    yield paint(COLORS[cause.severity], head) + f" [{cause.verdict}; {who}]"
    if not whole and cause.count:
        shown = cause.machines[:1]
        for name in cause.machines[1:]:
            if len(", ".join([*shown, name])) > WIDTH - 10:
                break
            shown.append(name)
        yield from _wrapped(", ".join(shown) + (", …" if cause.count > len(shown) else ""), "      ")
        yield from _wrapped(f"Fix: {cause.fix}", "      ")


def _word(device: DeviceReport) -> str:
    """How a machine's latest attempt ended; what is inferred is said to be so."""
    if not device.attempts:
        return "unclear"
    last = _latest(device)
    return "set up (probably)" if _inferred(last) else OUTCOMES[last.outcome]


def _inferred(attempt: AttemptReport) -> bool:
    return attempt.outcome == "committed" and attempt.confidence < 1


def _latest(device: DeviceReport) -> AttemptReport:
    return device.attempts[-1]


def _table(devices: list[DeviceReport], by_device: dict[int | None, list[Finding]], paint: Painter) -> Iterator[str]:
    yield ""
    yield f"{'MACHINE':<37} {'ADDRESS':<16} {'METHOD':<8} {'STAGE':<14} {'OUTCOME':<21} CAUSE"
    for device in devices:
        found = [finding for finding in by_device.get(device.id, []) if finding.severity != "info"]
        cause = f"{found[0].severity} {found[0].id}" if found else "-"
        stage, outcome = "-", "-"
        if device.attempts:
            last = _latest(device)
            stage, outcome = last.stage, _outcome(last)
        address = device.addresses[-1] if device.addresses else "-"
        line = f"{safe(device.name):<37} {safe(address):<16} {device.method:<8} {stage:<14} {outcome:<21} "
        yield line + (paint(COLORS[found[0].severity], cause) if found else cause)


def _outcome(attempt: AttemptReport) -> str:
    word = "probably set up" if _inferred(attempt) else OUTCOMES[attempt.outcome]
    sure = attempt.outcome != "unknown" and 0 < attempt.confidence < 1
    return f"{word} ({attempt.confidence:.0%})" if sure else word


def _machine(
    device: DeviceReport, findings: list[Finding], paint: Painter, verbose: bool, inputs: int
) -> Iterator[str]:
    parts = [safe(device.name)]
    parts += [safe(address) for address in device.addresses if address != device.name]
    if device.fqdn and device.fqdn != device.name:
        parts.append(safe(device.fqdn))
    if device.method != "unknown":
        parts.append(device.method.upper())
    if device.amt_version:
        parts.append(f"AMT {safe(device.amt_version)}")
    yield paint("1", ", ".join(parts))
    for number, attempt in enumerate(device.attempts, 1):
        yield "  " + _attempt(number, attempt, several=len(device.attempts) > 1)
    for finding in findings:
        yield from _finding(finding, paint, verbose, inputs)


def _attempt(number: int, attempt: AttemptReport, *, several: bool) -> str:
    name = f"attempt {number}: " if several else ""
    first, last = (attempt.packets or [0])[0], (attempt.packets or [0])[-1]
    packets = f", packets {first} to {last}" if first < last else ""  # of several captures they may go back
    when = f", from {attempt.started}" if attempt.started else ""
    reached = "no step was seen" if attempt.stage == "none" else f"got as far as {attempt.stage}"
    return f"{name}{reached}, {_outcome(attempt)}{when}{packets}"


def _finding(finding: Finding, paint: Painter, verbose: bool, inputs: int) -> Iterator[str]:
    head = f"  {finding.severity.upper():<8} {finding.id}  {safe(finding.title)}"
    yield paint(COLORS[finding.severity], head) + f"  [{finding.verdict}; {finding.layer}]"
    if finding.severity == "info" and not verbose:
        yield from _wrapped(finding.explanation, "           ")
        return
    yield from _wrapped(finding.explanation, "           ")
    yield from _wrapped(f"Fix: {finding.fix}", "           ")
    proofs = finding.evidence if verbose else finding.evidence[:FIRST_PROOFS]
    for proof in proofs:
        yield from _wrapped(f"{_place(proof, inputs)}{proof.text}", "           - ", "             ")
    if len(proofs) < len(finding.evidence):
        yield f"           - {len(finding.evidence) - len(proofs)} more with -V"
    if verbose:
        yield from _wrapped(f"Source: {finding.source}", "           ")


def _place(proof: Evidence, inputs: int) -> str:
    where = f" of {proof.input}" if inputs > 1 else ""
    if proof.packet is not None:
        return f"packet {proof.packet}{where}: "
    if proof.line is not None:
        return f"line {proof.line}{where}: "
    return ""


def _wrapped(text: str, first: str, rest: str = "") -> Iterator[str]:
    yield from textwrap.wrap(
        safe(text),
        WIDTH,
        initial_indent=first,
        subsequent_indent=rest or first,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _not_judged(report: Report, verbose: bool) -> Iterator[str]:
    if not report.not_judged:
        return
    missing: dict[str, list[str]] = {}
    for entry in report.not_judged:
        missing.setdefault(entry.missing, []).append(entry.id)
    yield ""
    yield "Not judged: the evidence is missing" + ("" if verbose else " (-V lists the rules)")
    for what, ids in missing.items():
        names = ", ".join(ids) if verbose else f"{len(ids)} rule{'s' if len(ids) > 1 else ''}"
        yield from _wrapped(f"{names}: {what}", "  - ", "    ")
