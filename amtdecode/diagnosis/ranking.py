"""Causes before consequences: what an earlier failure explains is silenced, and the worst machine comes first."""

from __future__ import annotations

import itertools
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from amtdecode.diagnosis.question import Question
from amtdecode.diagnosis.rule import text_of
from amtdecode.diagnosis.severity import Severity, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amtdecode.diagnosis.report import Finding, Report
    from amtdecode.diagnosis.rule import Hit, Rule, Text

DOUBTS = {
    "name": frozenset(
        ("AMT-RCFG-001", "AMT-RCFG-002", "AMT-RCFG-009", "AMT-RCFG-010", "AMT-RCFG-026", "AMT-NET-001", "AMT-NET-002")
    ),
    "root": frozenset(
        ("AMT-RCFG-003", "AMT-RCFG-004", "AMT-RCFG-005", "AMT-RCFG-006", "AMT-RCFG-007", "AMT-RCFG-008",
         "AMT-RCFG-015", "AMT-HELLO-015", "AMT-HELLO-016")
    ),
    "key": frozenset(("AMT-CERT-003", "AMT-CERT-004", "AMT-CERT-005")),
    "date": frozenset(("AMT-CERT-001",)),
}  # fmt: skip
"""Findings that name what may be wrong with a setup certificate: an alert names nothing, and comes behind them."""
DIGIT = 16  # verdicts, places and severities are fewer
LAST = DIGIT**4  # behind all that has a finding
BESIDE = 7  # place of what is asked beside the chain of causes: after all of it


class Found(NamedTuple):
    """A rule, and its yes."""

    rule: Rule
    hit: Hit


def place_of(rule: Rule) -> int:
    """Where a rule stands in the chain of causes."""
    place = rule.question.place
    return BESIDE if place is None else place


def silence(found: list[Found]) -> list[Found]:
    """Drop what an earlier failure of the same machine explains; its proofs go to the cause."""
    causes = [each for each in found if _blocks(each)]
    kept: list[Found] = []
    for each in found:
        text, place = text_of(each.rule), place_of(each.rule)
        cause = next((cause for cause in causes if text.absence and place_of(cause.rule) < place), None)
        if cause is None and text.silenced_by:
            cause = next((other for other in found if _says_more(other, text)), None)
        if cause is None:
            kept.append(each)
            continue
        known = {proof for proof, _ in cause.hit.proofs}
        cause.hit.proofs.extend(entry for entry in each.hit.proofs if entry[0] not in known)
    return [each for each in kept if not text_of(each.rule).fallback or not _told(kept)]


def _told(found: list[Found]) -> bool:
    """Whether anything above info is said, besides what is said for want of anything else."""
    return any(_severity(each) != Severity.INFO and not text_of(each.rule).fallback for each in found)


def _severity(found: Found) -> Severity:
    return found.hit.severity or text_of(found.rule).level


def _says_more(other: Found, text: Text) -> bool:
    """Whether a finding says better what this text says; of a family ("AMT-LOG-*") only one that is serious."""
    for name in text.silenced_by:
        if other.rule.id == name:
            return True
        if name.endswith("*") and other.rule.id.startswith(name[:-1]) and not _severity(other).minor:
            return True
    return False


def _blocks(found: Found) -> bool:
    return text_of(found.rule).blocks and found.hit.verdict == Verdict.CONFIRMED and not _severity(found).minor


def order(report: Report, rules: Iterable[Rule]) -> None:
    """Machines worst first; of one machine the earliest cause first, what is merely good to know last."""
    places = {rule.id: (place_of(rule), rule.causes_refusal) for rule in rules}
    rcfg = Question.RCFG.place or 0

    def weight(finding: Finding) -> int:  # one number: tuples for all findings of a fleet would take as much as they do
        place, causes_refusal = places[finding.id]
        if causes_refusal and finding.verdict == Verdict.CONFIRMED:
            place = rcfg
        severity = finding.severity.rank
        serious = severity <= Severity.HIGH.rank
        # a serious link of the causal chain comes before a weakness found beside it
        tier = 0 if serious and place < BESIDE else 1 if serious else 2 + severity
        return ((tier * DIGIT + finding.verdict.rank) * DIGIT + place) * DIGIT + severity

    report.findings.sort(key=weight)  # stable: rules of one place keep the order in which they were asked
    worst: dict[int | None, int] = {}
    for finding in report.findings:
        worst.setdefault(finding.device_id, weight(finding))
    behind_all = max((device.id for device in report.devices), default=0) + 1

    def machine(finding: Finding) -> int:
        number = finding.device_id
        return worst[number] * (behind_all + 1) + (behind_all if number is None else number)

    report.findings.sort(key=machine)
    report.devices.sort(key=lambda device: worst.get(device.id, LAST))
    told = {finding.id for finding in report.findings}
    behind = {
        rule.id: frozenset[str]().union(*(DOUBTS[about] for about in text_of(rule).behind))
        for rule in rules
        if rule.id in told
    }
    report.findings = _doubts_first(report.findings, behind)


def _doubts_first(findings: list[Finding], behind: dict[str, frozenset[str]]) -> list[Finding]:
    """Put what names no cause, as an alert, behind the doubts of the same machine that may be the cause."""
    ordered: list[Finding] = []
    for _, group in itertools.groupby(findings, key=attrgetter("device_id")):
        own = list(group)
        for finding in [each for each in own if behind[each.id]]:
            doubts = [each for each in own if each.id in behind[finding.id] and each.severity != Severity.INFO]
            if doubts and (last := max(map(own.index, doubts))) > own.index(finding):
                own.remove(finding)
                own.insert(last, finding)
        ordered += own
    return ordered
