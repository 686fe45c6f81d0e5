"""Asks every rule about every machine, lets causes silence their consequences, and makes the report."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from amtdecode.artifacts.certificates.remembered import remembering
from amtdecode.diagnosis.addressing import port_words
from amtdecode.diagnosis.asking import Asking
from amtdecode.diagnosis.case import ABOUT_ALL, Case
from amtdecode.diagnosis.causes import causes
from amtdecode.diagnosis.proving import evidence_of
from amtdecode.diagnosis.ranking import Found, order, silence
from amtdecode.diagnosis.report import AttemptReport, DeviceReport, Finding, InputHealth, NotJudged, Report
from amtdecode.diagnosis.rule import Hit, Missing, fill, text_of
from amtdecode.diagnosis.rulebook import with_own
from amtdecode.diagnosis.severity import Verdict
from amtdecode.diagnosis.site import Site
from amtdecode.diagnosis.survived import soften
from amtdecode.provisioning.state import place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from amtdecode.diagnosis.rule import Rule
    from amtdecode.provisioning.state import Attempt, Device, Story

Some = TypeVar("Some")

EPOCH = date(1970, 1, 1).toordinal()
STRETCH = 1000  # machines judged before they are let go together
MAX_EVIDENCE = 40  # proofs printed per finding; the most telling come first
RAISE_FAULTS = False  # the tests set this, so that no defect hides behind a rule not judged


@remembering()
def diagnose(story: Story, site: Site | None = None, *, rules: Iterable[Rule] = (), last: bool = False) -> Report:
    """Judge a story. `site` brings the facts no packet shows; `rules` are asked beside those of amtdecode.

    `last`: nobody asks the story any more, so that machines are let go as they are judged, unless there are further
    rules, which may look at all of them.
    Raises `UsageError` for a rule that makes no sense.
    """
    rules = tuple(rules)
    case = whole = Case(story, site or Site(), {})
    book = with_own(rules)
    asking = Asking(case, book)
    report = Report(inputs=list(story.inputs), health=[_health(story, index) for index in sorted(story.health)])
    not_judged: dict[NotJudged, None] = {}
    about_all = _about_all(case, asking, not_judged)
    for look in ABOUT_ALL:
        look(case)
    for seen in story.sites:
        seen.devices = story.devices
    devices: Iterable[Device] = story.devices
    if last and not rules:
        devices, story.devices = _let_go(story.devices), []
    for device in devices:
        case = whole._replace(story=story.around(device)) if story.sites else whole
        report.devices.append(_device(case, device))
        questions = asking.of(device)
        not_judged.update(dict.fromkeys(questions.not_judged))
        found: list[Found] = []
        for rule, ask in questions.asked:
            try:
                for answer in ask(case, device):
                    if isinstance(answer, Missing):
                        not_judged[NotJudged(rule.id, answer.what)] = None
                    elif isinstance(answer, Hit):
                        found.append(Found(rule, at_most_possible(answer) if device.suspected else answer))
            except Exception as error:
                not_judged[_fault(rule, error)] = None
        report.findings += [_finding(case, rule, hit, device) for rule, hit in silence(soften(found, device))]
    report.findings += about_all
    order(report, book)
    report.causes = causes(report)
    report.not_judged = sorted(not_judged, key=lambda entry: (entry.id, entry.missing))
    return report


def _about_all(case: Case, asking: Asking, not_judged: dict[NotJudged, None]) -> list[Finding]:
    """What the rules say that are asked once, of all machines and files."""
    found: list[Finding] = []
    asked, lacking = asking.of_all()
    not_judged.update(dict.fromkeys(lacking))
    for rule, ask in asked:
        try:
            for answer in ask(case):
                if isinstance(answer, Missing):
                    not_judged[NotJudged(rule.id, answer.what)] = None
                elif isinstance(answer, Hit):
                    found.append(_finding(case, rule, answer, answer.about))
        except Exception as error:
            not_judged[_fault(rule, error)] = None
    return found


def _let_go(devices: list[Device]) -> Iterator[Device]:
    """Machines in their order; a thousand at a time are forgotten.

    Not one by one: then what is reported of each would lie where it lay, and its neighbours' room be of no use.
    """
    devices.reverse()
    while devices:
        stretch = devices[: -STRETCH - 1 : -1]
        del devices[-STRETCH:]
        yield from stretch


def at_most_possible(hit: Hit) -> Hit:
    """The answer about a host of which nothing says that it has AMT."""
    return hit._replace(verdict=Verdict.POSSIBLE)


def _fault(rule: Rule, error: Exception) -> NotJudged:
    """A rule that fails on odd evidence is a defect: it is reported, and the others go on."""
    if RAISE_FAULTS:
        raise error
    fault = f"internal fault in this rule ({type(error).__name__}); please report it with the inputs"
    return NotJudged(rule.id, fault)


def _finding(case: Case, rule: Rule, hit: Hit, device: Device | None) -> Finding:
    text, same = text_of(rule), case.same
    proofs = hit.proofs if len(hit.proofs) == 1 else list(dict.fromkeys(hit.proofs))[:MAX_EVIDENCE]
    return Finding(
        id=rule.id,
        title=same(fill(text.title, hit.values)),
        severity=hit.severity or text.level,
        verdict=hit.verdict,
        device=None if device is None else device.name,
        device_id=None if device is None else device.id,
        layer=text.layer,
        explanation=same(fill(text.explanation, hit.values)),
        fix=same(fill(text.fix, hit.values)),
        evidence=_short([evidence_of(case.story, proof, words) for proof, words in proofs]),
        source=text.source,
    )


def _short(made: list[Some]) -> list[Some]:
    """The same in no more memory than it needs: a list made one by one has room for more."""
    return made[:]


def _health(story: Story, index: int) -> InputHealth:
    health = story.health[index]
    return InputHealth(
        input=story.inputs[index],
        packets=health.packets,
        first=iso(health.first),
        last=iso(health.last),
        said=[*health.said, *story.clocks.get(index, ())],
        cut_packets=health.cut_packets,
        gaps=health.gaps,
        gap_bytes=health.gap_bytes,
        both_ways=health.both_ways,
        one_way=health.one_way,
        duplicates=health.duplicates,
        dropped=health.dropped,
        unread=list(health.unread),
        unwrapped=list(health.unwrapped),
        odd_lengths=health.odd_lengths,
        damage=list(health.damage),
        switch_ports=[port_words(each) for (where, _, _), each in story.neighbours.items() if where == index],
    )


def _device(case: Case, device: Device) -> DeviceReport:
    return DeviceReport(
        id=device.id,
        uuid=device.uuid or None,
        addresses=list(device.addresses),
        fqdn=device.fqdn or None,
        method=device.method,
        amt_version=case.version(device) or None,
        attempts=_short([_attempt(case.story, attempt) for attempt in device.attempts]),
        comment=_comment(case.story, device),
    )


def _comment(story: Story, device: Device) -> str | None:
    """What somebody wrote on a packet of the machine, else the name that the capture keeps for its address."""
    if story.comments:
        refs = {lease.ref for lease in device.leases} | {lookup.ref for lookup in device.lookups}
        refs |= {hello.ref for hello in device.hellos} | {session.ref for session in device.sessions}
        if commented := refs & story.comments.keys():
            return story.comments[min(commented)]
    return story.names.get(device.address)


def _attempt(story: Story, attempt: Attempt) -> AttemptReport:
    return AttemptReport(
        started=iso(attempt.started),
        ended=iso(attempt.ended),
        stage=attempt.stage,
        outcome=attempt.outcome,
        confidence=attempt.confidence,
        packets=_short([number for source, number in map(place, attempt.refs()) if source not in story.line_inputs]),
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
