"""Asks every prerequisite of each way of setup."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.diagnosis.asking import Asking
from amtdecode.diagnosis.case import Case
from amtdecode.diagnosis.circumstances import KEY, Circumstances, Probed, Way
from amtdecode.diagnosis.proving import evidence_of
from amtdecode.diagnosis.rule import Hit, Met, Missing, fill, text_of
from amtdecode.diagnosis.rulebook import prerequisites
from amtdecode.masking import masked
from amtdecode.preflight.readiness import Outcome, Preflight, Prerequisite, Readiness, best, gravest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from amtdecode.diagnosis.report import Evidence
    from amtdecode.diagnosis.rule import Answer, Rule
    from amtdecode.diagnosis.site import Site
    from amtdecode.provisioning.state import Ref, Story

NO_PROBE = Probed()
SAY_IT = "Say it in the site file, or give what shows it."
MAX_EVIDENCE = 20  # proofs of one prerequisite


def judge(story: Story, site: Site, *, at: datetime, ways: Sequence[Way] = (), probed: Probed = NO_PROBE) -> Preflight:
    """Judge every prerequisite of each way; without `ways` of those that `ways_of` finds.

    `at`: certificates are judged at this time, which has a time zone.
    """
    asked = [_ready(story, site, Circumstances(way, at, probed)) for way in ways or ways_of(story, site)]
    return Preflight(
        inputs=tuple(story.inputs),
        judged_at=at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        outcome=best(each.outcome for each in asked),
        ways=tuple(asked),
    )


def ways_of(story: Story, site: Site) -> list[Way]:
    """The ways that are meant: as the site file says, else by what was given, else all."""
    method: str = site.policy.method
    if not method:
        keys = any(file.pids for file in story.setup_bins)
        if keys and not story.certificate_files:
            method = "psk"
        elif story.certificate_files and not keys:
            method = "pki"
        else:
            seen = {str(device.method) for device in story.devices if device.last_hello is not None}
            method = seen.pop() if len(seen) == 1 else ""
    if method == "psk":
        return [Way.PSK]
    by_agent = {True: [Way.AGENT], False: [Way.BARE_METAL], None: [Way.AGENT, Way.BARE_METAL]}[site.hosts.agent]
    return by_agent if method == "pki" else [Way.PSK, *by_agent]


def _ready(story: Story, site: Site, circumstances: Circumstances) -> Readiness:
    case = Case(story, site, {KEY: circumstances})
    asked, lacking = Asking(case, prerequisites()).of_all()
    missing = {entry.id: entry.missing for entry in lacking}
    questions = {rule.id: ask for rule, ask in asked}
    found: list[Prerequisite] = []
    for rule in sorted(prerequisites(), key=lambda rule: rule.id):
        if rule.id in missing:
            found.append(_unknown(rule, missing[rule.id]))
        elif rule.id in questions:
            found += _answered(story, rule, list(questions[rule.id](case)))
    outcome = gravest(each.outcome for each in found)
    way = circumstances.way
    return Readiness(way=way, title=way.words, outcome=outcome, prerequisites=tuple(found))


def _answered(story: Story, rule: Rule, answers: list[Answer]) -> Iterator[Prerequisite]:
    """Every failure of a rule by itself; else what is missing; else what shows that it is met."""
    text = text_of(rule)
    hits = [answer for answer in answers if isinstance(answer, Hit)]
    for hit in hits:
        fix = fill(text.fix, hit.values)
        if "{" in text.fix and not hit.values.get("advice"):
            fix = text.remedy
        yield Prerequisite(
            id=rule.id,
            title=text.title,
            outcome=Outcome.FAIL,
            what=fill(text.explanation, hit.values),
            fix=fix,
            source=text.source,
            evidence=_proofs(story, hit.proofs),
        )
    if hits:
        return
    lacking = next((answer for answer in answers if isinstance(answer, Missing)), None)
    met = next((answer for answer in answers if isinstance(answer, Met)), None)
    if met is None or lacking is not None:
        yield _unknown(rule, lacking.what if lacking is not None else "evidence")
        return
    yield Prerequisite(
        id=rule.id,
        title=text.title,
        outcome=Outcome.PASS,
        what=met.what,
        doubt=met.doubt,
        source=text.source,
        evidence=_proofs(story, met.proofs),
    )


def _unknown(rule: Rule, what: str) -> Prerequisite:
    text, what = text_of(rule), what.replace("--site: ", "")
    fix = f"{SAY_IT} If it is not so: {text.remedy or text.fix}"
    return Prerequisite(id=rule.id, title=text.title, outcome=Outcome.UNKNOWN, what=what, fix=fix, source=text.source)


def _proofs(story: Story, proofs: Sequence[tuple[Ref, str]]) -> tuple[Evidence, ...]:
    shown = list(dict.fromkeys(proofs))[:MAX_EVIDENCE]
    return tuple(evidence_of(story, proof, masked(words)) for proof, words in shown)
