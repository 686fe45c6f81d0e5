"""Causes before consequences: what an earlier failure explains is silenced, and the worst machine comes first."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from amtdecode.diagnosis.question import Question
from amtdecode.diagnosis.rule import text_of
from amtdecode.diagnosis.severity import Severity, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amtdecode.diagnosis.report import Finding, Report
    from amtdecode.diagnosis.rule import Hit, Rule

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
    ids = {each.rule.id for each in found}
    causes = [each for each in found if _blocks(each)]
    kept: list[Found] = []
    for each in found:
        text, place = text_of(each.rule), place_of(each.rule)
        cause = next((cause for cause in causes if text.absence and place_of(cause.rule) < place), None)
        if cause is None and (stronger := ids.intersection(text.silenced_by)):
            cause = next(other for other in found if other.rule.id in stronger)
        if cause is None:
            kept.append(each)
            continue
        known = {proof for proof, _ in cause.hit.proofs}
        cause.hit.proofs.extend(entry for entry in each.hit.proofs if entry[0] not in known)
    return kept


def _blocks(found: Found) -> bool:
    text = text_of(found.rule)
    severity = found.hit.severity or text.level
    return text.blocks and found.hit.verdict == Verdict.CONFIRMED and not severity.minor


def order(report: Report, rules: Iterable[Rule]) -> None:
    """Machines worst first; of one machine the earliest cause first, what is merely good to know last."""
    places = {rule.id: (place_of(rule), rule.causes_refusal) for rule in rules}
    rcfg = Question.RCFG.place or 0

    def weight(finding: Finding) -> tuple[int, int, int, int]:
        place, causes_refusal = places[finding.id]
        if causes_refusal and finding.verdict == Verdict.CONFIRMED:
            place = rcfg
        severity = finding.severity.rank
        serious = severity <= Severity.HIGH.rank
        # a serious link of the causal chain comes before a weakness found beside it
        tier = 0 if serious and place < BESIDE else 1 if serious else 2 + severity
        return (tier, finding.verdict.rank, place, severity)

    report.findings.sort(key=weight)  # stable: rules of one place keep the order in which they were asked
    worst: dict[int | None, tuple[int, int, int, int]] = {}
    for finding in report.findings:
        worst.setdefault(finding.device_id, weight(finding))
    number_of = {device.id: number for number, device in enumerate(report.devices)}
    last = (99, 0, 0, 0)

    def machine(finding: Finding) -> tuple[tuple[int, int, int, int], int]:
        number = finding.device_id
        return worst[number], len(number_of) if number is None else number_of[number]

    report.findings.sort(key=machine)
    report.devices.sort(key=lambda device: worst.get(device.id, last))
