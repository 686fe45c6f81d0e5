"""Asks every rule about every machine, lets causes silence their consequences, and makes the report."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING

from amtdecode.diagnosis.report import (
    SEVERITIES,
    VERDICTS,
    AttemptReport,
    DeviceReport,
    Evidence,
    Finding,
    NotJudged,
    Report,
)
from amtdecode.diagnosis.rule import CAUSES, RANKS, SEVERITY_WORDS, Case, Hit, Missing, Text, fill, texts
from amtdecode.diagnosis.rulebook import fleet_rules, lacking, rules_without
from amtdecode.diagnosis.site import Site
from amtdecode.provisioning.facts import place

if TYPE_CHECKING:
    from amtdecode.provisioning.facts import Attempt, Device, Ref, Story

EPOCH = date(1970, 1, 1).toordinal()
MAX_EVIDENCE = 40  # proofs printed per finding; the most telling come first


def diagnose(story: Story, site: Site | None = None, *, last: bool = False) -> Report:
    """Judge a story. `site` brings the facts no packet shows.

    `last`: nobody asks the story any more, so of a machine that has been judged only the first log row is kept.
    """
    case = Case(story, site or Site(), {})
    report = Report(inputs=list(story.inputs), devices=[_device(case, device) for device in story.devices])
    missing: dict[NotJudged, None] = {}
    told: frozenset[str] = frozenset()  # kinds of evidence known to be missing: one machine without was asked all
    for device in story.devices:
        lacks = lacking(case, device)
        found: list[tuple[str, Hit]] = []
        for rule_id, ask in rules_without(lacks & told):
            try:
                for answer in ask(case, device):
                    if isinstance(answer, Missing):
                        missing[NotJudged(rule_id, answer.what)] = None
                    else:
                        found.append((rule_id, answer))
            except Exception as error:
                missing[_fault(rule_id, error)] = None
        told |= lacks
        if last:
            del device.rows[1:]
        report.findings += [_finding(story, rule_id, hit, device) for rule_id, hit in _silence(found)]
    for rule_id, ask_all in fleet_rules():
        try:
            for answer in ask_all(case):
                if isinstance(answer, Missing):
                    missing[NotJudged(rule_id, answer.what)] = None
                else:
                    report.findings.append(_finding(story, rule_id, answer, answer.values.get("device")))
        except Exception as error:
            missing[_fault(rule_id, error)] = None
    _order(report)
    report.not_judged = sorted(missing, key=lambda entry: (entry.id, entry.missing))
    return report


RAISE_FAULTS = False  # the tests set this, so that no defect hides behind a rule not judged


def _fault(rule_id: str, error: Exception) -> NotJudged:
    """A rule that fails on odd evidence is a defect of ours: told, and the others go on."""
    if RAISE_FAULTS:
        raise error
    return NotJudged(rule_id, f"internal fault in this rule ({type(error).__name__}); please report it with the inputs")


def _silence(found: list[tuple[str, Hit]]) -> list[tuple[str, Hit]]:
    """Drop what an earlier failure explains; its proofs go to the cause."""
    book = texts()
    names = {rule_id for rule_id, _ in found}
    causes = [(RANKS.get(book[rule_id][0], 9), hit) for rule_id, hit in found if _blocks(book[rule_id][1], hit)]
    kept: list[tuple[str, Hit]] = []
    for rule_id, hit in found:
        question, text = book[rule_id]
        rank = RANKS.get(question, 9)
        cause = next((cause for upstream, cause in causes if text.absence and upstream < rank), None)
        if cause is None and (stronger := names.intersection(text.silenced_by)):
            cause = next(other for name, other in found if name in stronger)
        if cause is None:
            kept.append((rule_id, hit))
            continue
        known = {proof for proof, _ in cause.proofs}
        cause.proofs.extend(entry for entry in hit.proofs if entry[0] not in known)
    return kept


def _blocks(text: Text, hit: Hit) -> bool:
    severity = hit.severity or SEVERITY_WORDS[text.severity]
    return text.blocks and hit.verdict == "confirmed" and severity not in ("low", "info")


def _finding(story: Story, rule_id: str, hit: Hit, device: Device | str | None) -> Finding:
    _, text = texts()[rule_id]
    name = device if isinstance(device, str) or device is None else device.name
    proofs = hit.proofs if len(hit.proofs) == 1 else list(dict.fromkeys(hit.proofs))[:MAX_EVIDENCE]
    return Finding(
        id=rule_id,
        title=fill(text.title, hit.values),
        severity=hit.severity or SEVERITY_WORDS[text.severity],
        verdict=hit.verdict,
        device=name,
        layer=text.layer,
        explanation=fill(text.explanation, hit.values),
        fix=fill(text.fix, hit.values),
        evidence=[_evidence(story, proof, words) for proof, words in proofs],
        source=text.source,
    )


def _evidence(story: Story, proof: Ref, words: str) -> Evidence:
    if not proof:
        return Evidence("", words)
    source, number = place(proof)
    name = story.inputs[source] if source < len(story.inputs) else ""
    if source in story.lined:
        from amtdecode.artifacts.logs import masked

        return Evidence(name, masked(words), line=number)
    return Evidence(name, words, packet=number or None)


def _order(report: Report) -> None:
    """Machines worst first; of one machine the earliest cause first, what is merely good to know last."""
    book = texts()

    def weight(finding: Finding) -> tuple[int, int, int, int]:
        refused = finding.id in CAUSES and finding.verdict == "confirmed"
        rank = RANKS["rcfg"] if refused else RANKS.get(book[finding.id][0], 7)
        severity = SEVERITIES.index(finding.severity)
        # a serious link of the causal chain comes before a weakness found beside it
        tier = 0 if severity <= 1 and rank < 7 else 1 if severity <= 1 else 2 + severity
        return (tier, VERDICTS.index(finding.verdict), rank, severity)

    report.findings.sort(key=weight)  # stable: rules of one rank keep the order of the rulebook
    worst: dict[str | None, tuple[int, int, int, int]] = {}
    for finding in report.findings:
        worst.setdefault(finding.device, weight(finding))
    place_of = {device.name: number for number, device in enumerate(report.devices)}
    last = (99, 0, 0, 0)
    report.findings.sort(key=lambda f: (worst[f.device], place_of.get(f.device or "", len(place_of))))
    report.devices.sort(key=lambda device: worst.get(device.name, last))


def _device(case: Case, device: Device) -> DeviceReport:
    return DeviceReport(
        uuid=device.uuid or None,
        addresses=[address.text for address in device.addresses],
        fqdn=device.fqdn or None,
        method=device.method,  # type: ignore[arg-type]
        amt_version=case.version(device) or None,
        attempts=[_attempt(attempt) for attempt in device.attempts],
    )


def _attempt(attempt: Attempt) -> AttemptReport:
    return AttemptReport(
        started=iso(attempt.started),
        ended=iso(attempt.ended),
        stage=attempt.stage or "none",
        outcome=attempt.outcome,  # type: ignore[arg-type]
        confidence=round(attempt.confidence, 2),
        packets=[place(proof)[1] for proof in attempt.refs()],
    )


def iso(time: int | None) -> str | None:
    """A time in nanoseconds as ISO 8601, UTC, microseconds."""
    if time is None:
        return None
    seconds, rest = divmod(time, 1_000_000_000)
    minutes, seconds = divmod(seconds, 60)
    day, minutes = divmod(minutes, 24 * 60)
    try:
        return f"{_date(day)}T{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}.{rest // 1000:06d}Z"
    except (OverflowError, ValueError):
        return None


@lru_cache(maxsize=64)
def _date(day: int) -> str:
    """A day since 1970 as ISO 8601."""
    return date.fromordinal(EPOCH + day).isoformat()
