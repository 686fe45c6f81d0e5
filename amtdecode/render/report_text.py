"""The report for a terminal: the fleet first, then the machines, worst first, each with its findings, cause first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from amtdecode.counting import counted
from amtdecode.render.report_fleet import COLORS, MAX_MACHINES, fleet_lines
from amtdecode.render.report_words import called, how_far, lacking, place_of
from amtdecode.render.safe import safe
from amtdecode.render.wrapping import colored, headed, plain, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from amtdecode.diagnosis.report import AttemptReport, DeviceReport, Finding, InputHealth, Report
    from amtdecode.render.wrapping import Painter

WIDTH = 110
MIN_WIDTH, MAX_WIDTH = 40, 160  # columns; longer lines are hard to read
FIRST_PROOFS = 4  # printed without -V
MAX_ALIKE = 4  # findings of one kind named behind the first without -V
MAX_PORTS = 4  # switch ports named of one capture
MAX_REST = 5  # findings of no single machine that are shown with a fleet
INDENT = "           "


def report_lines(report: Report, *, width: int = WIDTH, verbose: bool = False, color: bool = False) -> Iterator[str]:
    """The lines of the report. Captured text is escaped. `width`: columns.

    `verbose`: all evidence, sources, all that was not judged. Of more than `MAX_MACHINES` machines only the causes are
    shown unless `verbose`, with a few machines of each.
    """
    paint = colored if color else plain
    width = min(max(width, MIN_WIDTH), MAX_WIDTH)
    whole = verbose or len(report.devices) <= MAX_MACHINES
    yield from _health(report, width)
    if _nothing_of_amt(report):
        yield from _elsewhere(report, width)
        yield from _not_judged(report, width, verbose)
        return
    yield from fleet_lines(report, width, paint, whole=whole)
    writer = _Writer(width, len(report.inputs), verbose, paint)
    by_device: dict[int | None, list[Finding]] = {}
    for finding in report.findings if whole else ():
        by_device.setdefault(finding.device_id, []).append(finding)
    rest = report.of(None)
    if not whole:
        yield ""
        yield "-V shows every machine; -T json has them all, with their evidence."
    else:
        for device in report.devices:
            yield ""
            yield from writer.machine(device, by_device.pop(device.id, []))
    if rest:
        yield ""
        yield paint("1", "Not of one machine alone")
        yield from writer.findings(rest if whole else rest[:MAX_REST])
        if not whole and len(rest) > MAX_REST:
            yield f"  and {len(rest) - MAX_REST} more with -V"
    if not isinstance(report.plan, msgspec.UnsetType):
        from amtdecode.render.plan_text import ticked_lines

        yield ""
        yield from ticked_lines(report.plan, width=width, inputs=len(report.inputs), verbose=verbose, color=color)
    yield from _not_judged(report, width, verbose)


def overview_lines(report: Report, *, width: int = WIDTH, color: bool = False) -> Iterator[str]:
    """The causes and the machines, without any detail: what a screen shows while a capture goes on."""
    paint = colored if color else plain
    whole = len(report.devices) <= MAX_MACHINES
    yield from fleet_lines(report, max(width, MIN_WIDTH), paint, whole=whole, details_follow=False)


def _health(report: Report, width: int) -> Iterator[str]:
    """What is wrong with the captures, and where they were made: before anything is concluded from them."""
    told = [(health, [*health.said, *_made_at(health)]) for health in report.health]
    for health, words in told:
        if words:
            yield from _wrapped(f"{health.input}: {'; '.join(words)}", width, "", "  ")
    if any(words for _, words in told):
        yield ""


def _made_at(health: InputHealth) -> list[str]:
    """The switch ports that LLDP names: one is where the capture was made, of several it may be any."""
    ports = health.switch_ports
    if len(ports) > MAX_PORTS:
        return [f"LLDP of {len(ports)} switch ports"]
    return [f"LLDP: {', '.join(ports)}"] if ports else []


def _nothing_of_amt(report: Report) -> bool:
    return bool(report.health) and not (report.devices or report.findings)


def _elsewhere(report: Report, width: int) -> Iterator[str]:
    """What was captured instead of AMT's traffic, and where that can be captured."""
    packets = sum(health.packets for health in report.health)
    yield f"No AMT traffic seen in {counted(len(report.inputs), 'input')}: {counted(packets, 'packet')}"
    if report.other_traffic:
        looked_at = sum(each.packets for each in report.other_traffic)
        some = f"the first {looked_at} are" if looked_at < packets else "they are"
        kinds = ", ".join(f"{each.what}: {each.packets}" for each in report.other_traffic)
        yield from _wrapped(f"What {some}: {kinds}", width, "  ", "    ")
    yield "Where to capture instead:"
    for line in (
        "on a mirror (SPAN) port of the switch, towards the setup server: everything between machines and server",
        "on the setup server: hello (TCP port 9971), contact back and calls (16992 to 16995)",
        "on the DHCP or DNS server, for machines that never say hello",
        "not on the machine itself: its operating system does not see the packets of AMT",
    ):
        yield from _wrapped(line, width, "  - ", "    ")


class _Writer:
    """Writes machines and findings, so wide, with so many inputs to tell apart."""

    def __init__(self, width: int, inputs: int, verbose: bool, paint: Painter) -> None:
        self._width, self._inputs, self._verbose, self._paint = width, inputs, verbose, paint

    def machine(self, device: DeviceReport, findings: list[Finding]) -> Iterator[str]:
        other = called(device)
        parts = [safe(f"{device.name} ({other})" if other else device.name)]
        parts += [safe(address) for address in device.addresses if address != device.name]
        if device.method != "unknown":
            parts.append(device.method.upper())
        if device.amt_version:
            parts.append(f"AMT {safe(device.amt_version)}")
        yield from wrapped(", ".join(parts), self._width, "", "  ")
        for number, attempt in enumerate(device.attempts, 1):
            words = _attempt(number, attempt, several=len(device.attempts) > 1)
            yield from _wrapped(words, self._width, "  ", "    ")
        yield from self.findings(findings)

    def findings(self, findings: Iterable[Finding]) -> Iterator[str]:
        """Those of one kind under the first of them."""
        kinds: dict[str, list[Finding]] = {}
        for finding in findings:
            kinds.setdefault(finding.id, []).append(finding)
        for alike in kinds.values():
            if self._verbose:
                for finding in alike:
                    yield from self._finding(finding)
                continue
            yield from self._finding(alike[0])
            for finding in alike[1 : 1 + MAX_ALIKE]:
                where = place_of(finding.evidence[0], self._inputs) if finding.evidence else ""
                yield from self._text(f"Also: {finding.title}{f' ({where})' if where else ''}", INDENT, INDENT + "  ")
            if len(alike) > 1 + MAX_ALIKE:
                yield f"{INDENT}and {len(alike) - 1 - MAX_ALIKE} more of this kind with -V"

    def _finding(self, finding: Finding) -> Iterator[str]:
        head = f"{finding.severity.upper():<8} {finding.id}  {safe(finding.title)}"
        tail = f"  [{finding.verdict}; {finding.layer}]"
        yield from headed((COLORS[finding.severity], head), tail, self._width, self._paint, "  ", INDENT)
        yield from self._text(finding.explanation, INDENT)
        if finding.severity == "info" and not self._verbose:
            return
        yield from self._text(f"Fix: {finding.fix}", INDENT)
        proofs = finding.evidence if self._verbose else finding.evidence[:FIRST_PROOFS]
        for proof in proofs:
            place = place_of(proof, self._inputs)
            yield from self._text(f"{place}: {proof.text}" if place else proof.text, f"{INDENT}- ", f"{INDENT}  ")
        if len(proofs) < len(finding.evidence):
            yield f"{INDENT}- {len(finding.evidence) - len(proofs)} more with -V"
        if self._verbose:
            yield from self._text(f"Source: {finding.source}", INDENT)

    def _text(self, text: str, first: str, rest: str | None = None) -> Iterator[str]:
        return _wrapped(text, self._width, first, rest)


def _attempt(number: int, attempt: AttemptReport, *, several: bool) -> str:
    name = f"attempt {number}: " if several else ""
    first, last = (attempt.packets or [0])[0], (attempt.packets or [0])[-1]
    packets = f", packets {first} to {last}" if first < last else ""  # of several captures they may go back
    when = f", from {attempt.started}" if attempt.started else ""
    return f"{name}{how_far(attempt)}{when}{packets}"


def _wrapped(text: str, width: int, first: str, rest: str | None = None) -> Iterator[str]:
    return wrapped(safe(text), width, first, rest)


def _not_judged(report: Report, width: int, verbose: bool) -> Iterator[str]:
    """In one sentence, or with `verbose` each rule with what it lacked."""
    if not report.not_judged:
        return
    yield ""
    if not verbose:
        yield from _wrapped(f"Not judged: {lacking(report.not_judged)} (-V lists them)", width, "", "  ")
        return
    missing: dict[str, list[str]] = {}
    for entry in report.not_judged:
        missing.setdefault(entry.missing, []).append(entry.id)
    yield "Not judged: the evidence is missing"
    for what, ids in missing.items():
        yield from _wrapped(f"{', '.join(ids)}: {what}", width, "  - ", "    ")
