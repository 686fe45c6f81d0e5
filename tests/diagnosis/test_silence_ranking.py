"""Which rules are asked, which finding silences which, and in what order they come: with rules made up for it."""

import pytest
from by_hand import SCS, at, attempt, capture, contact, hello, lease, lookup, machine

from amtdecode.capture.health import Health
from amtdecode.diagnosis import run as running
from amtdecode.diagnosis.asking import Asking
from amtdecode.diagnosis.case import Case
from amtdecode.diagnosis.need import Need
from amtdecode.diagnosis.question import Question
from amtdecode.diagnosis.ranking import Found, order, place_of, silence
from amtdecode.diagnosis.report import DeviceReport, Finding, Report
from amtdecode.diagnosis.rule import Missing, Rule, Text, confirmed, likely, possible
from amtdecode.diagnosis.run import diagnose, iso
from amtdecode.diagnosis.severity import Severity, Verdict
from amtdecode.diagnosis.site import Site
from amtdecode.diagnosis.survived import soften
from amtdecode.provisioning.state import Outcome, ref
from amtdecode.provisioning.state.incidents import Commit, FullUnprovision
from amtdecode.provisioning.state.terms import Standing

CONFIRMED, LIKELY, POSSIBLE = Verdict
CRITICAL, HIGH, MEDIUM, LOW, INFO = Severity


def text(severity: str = "high", **more) -> Text:
    said = {name: name for name in ("layer", "evidence", "explanation", "fix", "source")}
    return Text(**({"title": "title", "severity": severity} | said | more))


def rule(rule_id: str, question: Question = Question.HELLO, severity: str = "high", **more) -> Rule:
    own = {
        name: more.pop(name) for name in ("when", "needs", "causes_refusal", "of_machine", "of_fleet") if name in more
    }
    return Rule(id=rule_id, question=question, text=text(severity, **more), **own)


def found(made: Rule, *packets: int, answer=confirmed, severity: Severity | None = None) -> Found:
    return Found(made, answer(*((packet, "said") for packet in packets or (4,)), severity=severity))


def kept(*all_found: Found) -> list[str]:
    return [each.rule.id for each in silence(list(all_found))]


# -- silence -----------------------------------------------------------------------------------------------------------

CAUSE = rule("CAUSE", Question.NAMES, blocks=True)
ABSENT = rule("ABSENT", Question.HELLO, absence=True)


def test_a_proven_earlier_failure_explains_what_is_absent() -> None:
    assert kept(found(CAUSE), found(ABSENT)) == ["CAUSE"]
    assert kept(found(ABSENT), found(CAUSE)) == ["CAUSE"]
    assert kept(found(CAUSE), found(rule("SEEN", Question.HELLO))) == ["CAUSE", "SEEN"]
    assert kept(found(rule("CAUSE", Question.NAMES)), found(ABSENT)) == ["CAUSE", "ABSENT"]
    for question in (Question.HELLO, Question.CONTACT, Question.SECURITY):
        other = rule("CAUSE", question, blocks=True)
        assert kept(found(other), found(ABSENT)) == ["CAUSE", "ABSENT"]
    for answer in (likely, possible):
        assert kept(found(CAUSE, answer=answer), found(ABSENT)) == ["CAUSE", "ABSENT"]
    for severity in (LOW, INFO):
        assert kept(found(CAUSE, severity=severity), found(ABSENT)) == ["CAUSE", "ABSENT"]
    assert kept(found(CAUSE, severity=MEDIUM), found(ABSENT)) == ["CAUSE"]
    beside = rule("BESIDE", Question.VERSIONS, absence=True)
    assert kept(found(CAUSE), found(beside)) == ["CAUSE"]


def test_the_proofs_go_to_the_cause_once() -> None:
    cause = found(CAUSE, 4, 5)
    silence([cause, found(ABSENT, 5, 6)])
    assert [packet for packet, _ in cause.hit.proofs] == [4, 5, 6]


def test_a_finding_that_says_it_better() -> None:
    vague = rule("VAGUE", silenced_by=("BETTER", "AMT-LOG-*"))
    assert kept(found(vague), found(rule("BETTER", severity="info"))) == ["BETTER"]
    assert kept(found(vague), found(rule("OTHER"))) == ["VAGUE", "OTHER"]
    assert kept(found(vague), found(rule("AMT-LOG-407"))) == ["AMT-LOG-407"]
    assert kept(found(vague), found(rule("AMT-LOG-407", severity="low"))) == ["VAGUE", "AMT-LOG-407"]
    assert kept(found(vague), found(rule("AMT-LOG-407"), severity=INFO)) == ["VAGUE", "AMT-LOG-407"]
    assert kept(found(vague), found(rule("AMT-LO"))) == ["VAGUE", "AMT-LO"]


def test_what_is_said_for_want_of_anything_else() -> None:
    fallback = rule("FALLBACK", fallback=True)
    assert kept(found(fallback)) == ["FALLBACK"]
    assert kept(found(fallback), found(rule("SEEN", severity="low"))) == ["SEEN"]
    assert kept(found(fallback), found(rule("SEEN", severity="info"))) == ["FALLBACK", "SEEN"]
    assert kept(found(fallback), found(rule("SEEN"), severity=INFO)) == ["FALLBACK", "SEEN"]
    assert kept(found(fallback), found(rule("MORE", fallback=True))) == ["FALLBACK", "MORE"]
    assert place_of(fallback) == 2
    assert place_of(rule("BESIDE", Question.SECURITY)) == 7


# -- what was survived -------------------------------------------------------------------------------------------------


def softened(each: Found, device) -> Severity | None:
    return soften([each], device)[0].hit.severity


def test_what_lies_before_a_commit_is_worth_a_word() -> None:
    done = machine(attempt(hello(2), outcome=Outcome.COMMITTED, commit=10))
    assert softened(found(CAUSE, 4, 9), done) == INFO
    for packets in ((4, 10), (4, 11), (0,)):
        assert softened(found(CAUSE, *packets), done) is None
    assert softened(found(CAUSE, 0, 4), done) == INFO
    assert softened(found(rule("L", lasting=True), 4), done) is None
    assert softened(found(rule("S", Question.SECURITY), 4), done) is None
    failed = machine(attempt(outcome=Outcome.FAILED, commit=10))
    assert softened(found(CAUSE, 4), failed) is None
    assert softened(found(CAUSE, 4), machine(attempt(outcome=Outcome.COMMITTED))) is None
    twice = machine(attempt(outcome=Outcome.COMMITTED, commit=10), attempt(outcome=Outcome.COMMITTED, commit=20))
    assert softened(found(CAUSE, 15), twice) == INFO
    assert softened(found(CAUSE, 25), twice) is None


def test_between_two_inputs_times_decide() -> None:
    commit = Commit(ref=ref(1, 3), time=at(10), call="C")
    done = attempt(outcome=Outcome.COMMITTED, commit=ref(1, 3))
    early = machine(done, hello(20, seconds=9), commit)
    assert softened(found(CAUSE, 20), early) == INFO
    assert softened(found(CAUSE, 20), machine(done, hello(20, seconds=10), commit)) is None
    assert softened(found(CAUSE, 21), early) is None  # a packet whose time nobody kept
    assert softened(found(CAUSE, 20), machine(done, hello(20, seconds=9))) is None
    ended = machine(done, contact(20, seconds=8), commit)
    assert softened(found(CAUSE, 20, 21), ended) == INFO
    assert softened(found(CAUSE, 21), machine(done, contact(20, seconds=8, until=11), commit)) is None
    asked = machine(done, lookup(5, SCS), commit)
    assert softened(found(CAUSE, 5, 6), asked) == INFO
    assert softened(found(CAUSE, 6), machine(done, lookup(5, answer_time=at(12)), commit)) is None
    again = lookup(5, queries=2, last_query=7, last_query_time=at(12))
    assert softened(found(CAUSE, 5), machine(done, again, commit)) == INFO
    assert softened(found(CAUSE, 5, 7), machine(done, again, commit)) is None
    granted = lease(5)
    assert softened(found(CAUSE, 5, 6), machine(done, granted, commit)) == INFO
    assert softened(found(CAUSE, 6), machine(done, lease(5, ack_time=at(12)), commit)) is None
    other = FullUnprovision(ref=30, time=at(4))
    assert softened(found(CAUSE, 30), machine(done, other, commit)) == INFO


# -- order -------------------------------------------------------------------------------------------------------------


def finding(rule_id: str, severity: Severity = HIGH, verdict: Verdict = CONFIRMED, device: int | None = 1) -> Finding:
    return Finding(id=rule_id, title="", severity=severity, verdict=verdict, device_id=device, layer="", explanation="",
                   fix="")  # fmt: skip


def ordered(*findings: Finding, rules: tuple[Rule, ...] = (), devices: int = 1) -> list[str]:
    known = (rule("NAME", Question.NAMES), rule("HELLO"), rule("RCFG", Question.RCFG), rule("LOG", Question.LOGS),
             rule("SEC", Question.SECURITY), rule("CERT", Question.CERTIFICATES, causes_refusal=True),
             rule("ALERT", Question.PSK, behind=("date", "key")),
             rule("AMT-CERT-001", Question.CERTIFICATES), rule("AMT-CERT-003", Question.CERTIFICATES))  # fmt: skip
    numbers = [DeviceReport(id=number) for number in range(1, devices + 1)]
    report = Report(inputs=[], health=[], devices=numbers, findings=list(findings))
    order(report, (*known, *rules))
    return [f"{each.id}{each.device_id if devices > 1 else ''}" for each in report.findings] + (
        [str(each.id) for each in report.devices] if devices > 1 else []
    )


def test_the_earliest_cause_comes_first() -> None:
    assert ordered(finding("LOG"), finding("HELLO"), finding("NAME")) == ["NAME", "HELLO", "LOG"]
    assert ordered(finding("NAME", MEDIUM), finding("HELLO")) == ["HELLO", "NAME"]
    assert ordered(finding("NAME", HIGH), finding("HELLO", CRITICAL)) == ["NAME", "HELLO"]
    assert ordered(finding("NAME", INFO), finding("HELLO", LOW)) == ["HELLO", "NAME"]
    assert ordered(finding("NAME", verdict=LIKELY), finding("HELLO")) == ["HELLO", "NAME"]
    assert ordered(finding("SEC", CRITICAL), finding("HELLO", verdict=POSSIBLE)) == ["HELLO", "SEC"]
    assert ordered(finding("HELLO", MEDIUM), finding("SEC")) == ["SEC", "HELLO"]
    assert ordered(finding("HELLO", MEDIUM), finding("SEC", MEDIUM)) == ["HELLO", "SEC"]


def test_a_certificate_refused_for_its_own_sake_is_a_cause() -> None:
    assert ordered(finding("LOG"), finding("CERT")) == ["CERT", "LOG"]
    assert ordered(finding("LOG"), finding("CERT", verdict=LIKELY)) == ["LOG", "CERT"]
    assert ordered(finding("CERT"), finding("HELLO")) == ["HELLO", "CERT"]
    assert ordered(finding("RCFG"), finding("CERT")) == ["RCFG", "CERT"]


def test_an_alert_comes_behind_the_doubts_that_may_be_its_cause() -> None:
    doubt, other = finding("AMT-CERT-001"), finding("AMT-CERT-003", LOW)
    assert ordered(finding("ALERT"), doubt) == ["AMT-CERT-001", "ALERT"]
    assert ordered(finding("ALERT"), doubt, other) == ["AMT-CERT-001", "AMT-CERT-003", "ALERT"]
    assert ordered(finding("ALERT"), finding("AMT-CERT-001", INFO)) == ["ALERT", "AMT-CERT-001"]
    assert ordered(finding("ALERT"), finding("SEC")) == ["ALERT", "SEC"]
    elsewhere = ordered(finding("ALERT"), finding("AMT-CERT-001", device=2), devices=2)
    assert elsewhere == ["ALERT1", "AMT-CERT-0012", "1", "2"]
    assert ordered(finding("ALERT", INFO), doubt) == ["AMT-CERT-001", "ALERT"]


def test_the_worst_machine_comes_first() -> None:
    assert ordered(finding("HELLO", LOW), finding("NAME", device=2), devices=3) == ["NAME2", "HELLO1", "2", "1", "3"]
    assert ordered(finding("HELLO", LOW, device=None), finding("HELLO", LOW, device=2), devices=2) == [
        "HELLO2", "HELLONone", "2", "1"]  # fmt: skip
    assert ordered(finding("HELLO", device=None), finding("HELLO", LOW, device=2), devices=2)[0] == "HELLONone"
    both = ordered(finding("HELLO", device=2), finding("HELLO"), finding("LOG", INFO, device=2), devices=2)
    assert both == ["HELLO1", "HELLO2", "LOG2", "1", "2"]


# -- asking ------------------------------------------------------------------------------------------------------------


def says(case, device):
    yield confirmed((4, "said"))


def says_of_all(case):
    yield confirmed((4, "said"))


def asked(*rules: Rule, device=None, story=None) -> tuple[list[str], list[tuple[str, str]]]:
    desk = device or machine(hello(4))
    asking = Asking(Case(story or capture(desk), Site(), {}), rules)
    questions = asking.of(desk)
    again = asking.of(desk)
    assert again is questions
    return [each.id for each, _ in questions.asked], [(each.id, each.missing) for each in questions.not_judged]


YES, NO = Need(missing="yes", machine=lambda *_: True), Need(missing="no", machine=lambda *_: False)
HERE, NOT_HERE = Need(missing="here", inputs=lambda _: True), Need(missing="not here", inputs=lambda _: False)
INCIDENT = Need(missing="no commit", incident=Commit)


@pytest.mark.parametrize(
    ("own", "judged", "missing"),
    [
        ({}, True, ""),
        ({"when": (YES,), "needs": (YES, HERE)}, True, ""),
        ({"when": (NO,)}, False, ""),
        ({"when": (YES, NOT_HERE)}, False, ""),
        ({"when": (NO,), "needs": (NO,)}, False, ""),
        ({"needs": (NO,)}, False, "no"),
        ({"needs": (YES, NOT_HERE, NO)}, False, "not here"),
        ({"when": (INCIDENT,)}, False, ""),
        ({"needs": (INCIDENT,)}, False, "no commit"),
    ],
)
def test_what_a_rule_needs_decides(own, judged: bool, missing: str) -> None:
    made = rule("R", of_machine=says, **own)
    assert asked(made) == (["R"] if judged else [], [("R", missing)] if missing else [])


def test_incidents_of_the_machine_are_needs() -> None:
    made = rule("R", of_machine=says, needs=(INCIDENT,))
    assert asked(made, device=machine(Commit(ref=4, time=None))) == (["R"], [])
    assert asked(made, device=machine(FullUnprovision(ref=4, time=None))) == ([], [("R", "no commit")])
    assert asked(rule("FLEET", of_fleet=says_of_all)) == ([], [])


def test_rules_about_all_machines_wait_for_the_inputs_only() -> None:
    def of_all(**own) -> tuple[list[str], list[tuple[str, str]]]:
        made = rule("R", of_fleet=says_of_all, **own)
        asking = Asking(Case(capture(), Site(), {}), (made, rule("MACHINE", of_machine=says)))
        judged, lacking = asking.of_all()
        return [each.id for each, _ in judged], [(each.id, each.missing) for each in lacking]

    assert of_all() == of_all(when=(HERE,), needs=(HERE,)) == of_all(needs=(NO,)) == (["R"], [])
    assert of_all(when=(NOT_HERE,)) == of_all(when=(NOT_HERE,), needs=(NOT_HERE,)) == ([], [])
    assert of_all(needs=(HERE, NOT_HERE)) == ([], [("R", "not here")])


# -- the report --------------------------------------------------------------------------------------------------------


def own(*rules: Rule, device=None, story=None, last: bool = False):
    desk = device or machine(hello(4))
    report = diagnose(story or capture(desk), rules=rules, last=last)
    ids = {each.id for each in rules}
    return [each for each in report.findings if each.id in ids], [
        (each.id, each.missing) for each in report.not_judged if each.id in ids
    ]


def test_answers_become_findings() -> None:
    def ask(case, device):
        yield confirmed((4, "one"), (4, "one"), (0, "no packet"), name="x")
        yield Missing("the rest")

    def ask_all(case):
        yield likely((5, "all"), severity=LOW)
        yield Missing("more")
        yield confirmed((6, "of one"), about=case.story.devices[0])

    made = rule("M", of_machine=ask, title="of {name}"), rule("F", of_fleet=ask_all)
    findings, missing = own(*made)
    by_id = {(each.id, each.device_id): each for each in findings}
    one = by_id["M", 1]
    assert (one.title, one.severity, one.verdict) == ("of x", HIGH, CONFIRMED)
    assert [(each.input, each.packet, each.text) for each in one.evidence] == [
        ("desk.pcap", 4, "one"),
        ("", None, "no packet"),
    ]
    assert (by_id["F", None].severity, by_id["F", None].device) == (LOW, None)
    assert by_id["F", 1].device == machine().uuid
    assert missing == [("F", "more"), ("M", "the rest")]


def test_a_host_that_may_be_no_machine_is_at_most_possible() -> None:
    findings, _ = own(rule("M", of_machine=says), device=machine(hello(4), standing=Standing.IN_VAIN))
    assert [each.verdict for each in findings] == [POSSIBLE]


def test_no_more_proofs_than_can_be_read() -> None:
    def ask(case, device):
        yield confirmed(*((number, "said") for number in range(1, 60)))

    findings, _ = own(rule("M", of_machine=ask))
    assert [each.packet for each in findings[0].evidence] == list(range(1, running.MAX_EVIDENCE + 1))


def test_a_rule_that_fails_is_reported_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("amtdecode.diagnosis.run.RAISE_FAULTS", False)

    def fail(*_):
        raise KeyError("x")
        yield

    findings, missing = own(rule("BAD", of_machine=fail), rule("WORSE", of_fleet=fail), rule("M", of_machine=says))
    assert [each.id for each in findings] == ["M"]
    fault = "internal fault in this rule (KeyError); please report it with the inputs"
    assert missing == [("BAD", fault), ("WORSE", fault)]


def test_of_a_log_lines_have_numbers_and_secrets_are_masked() -> None:
    def ask(case, device):
        yield confirmed((ref(1, 7), "password=Secret1! said"), (ref(0, 3), "packet"))

    desk = machine(attempt(hello(4), commit=ref(1, 9)))
    story = capture(desk, line_inputs={1})
    story.inputs.append("scs.log")
    findings, _ = own(rule("M", of_machine=ask), device=desk, story=story)
    (finding,) = findings
    assert [(each.input, each.packet, each.line) for each in finding.evidence] == [
        ("scs.log", None, 7),
        ("desk.pcap", 3, None),
    ]
    assert "Secret1!" not in finding.evidence[0].text
    report = diagnose(story)
    assert report.devices[0].attempts[0].packets == [4]


def test_of_the_health_of_each_input() -> None:
    desk = machine(hello(4))
    story = capture(desk, health={0: Health(packets=9, first=at(1), last=at(2), both_ways=3, gaps=1, gap_bytes=7)})
    (health,) = diagnose(story).health
    assert (health.input, health.packets, health.both_ways, health.one_way) == ("desk.pcap", 9, 3, 0)
    assert (health.first, health.gaps, health.gap_bytes) == ("1970-01-01T00:00:01.000000Z", 1, 7)


def test_times_of_a_report() -> None:
    assert iso(None) is None
    assert iso(0) == "1970-01-01T00:00:00.000000Z"
    assert iso((86400 + 3600 + 60 + 1) * 10**9 + 1500) == "1970-01-02T01:01:01.000001Z"
    assert iso(1_700_000_000_123_456_789) == "2023-11-14T22:13:20.123456Z"
    assert iso(10**21) is None
    assert iso(-1) == "1969-12-31T23:59:59.999999Z"


def test_a_report_is_ordered_and_says_who_a_machine_is() -> None:
    def ask(case, device):
        yield confirmed((4, "said"))

    early = rule("EARLY", Question.NETWORK, of_machine=ask)
    desk = machine(hello(4), fqdn="desk.example.com", amt_version="9.0.1")
    findings, _ = own(rule("LATE", of_machine=ask), early, device=desk)
    assert [each.id for each in findings] == ["EARLY", "LATE"]
    report = diagnose(capture(desk, machine(uuid="", id=2, addresses=[])), rules=(early,))
    assert [each.device_id for each in report.findings if each.id == "EARLY"] == [1, 2]
    first, second = (next(each for each in report.devices if each.id == number) for number in (1, 2))
    assert (first.fqdn, first.uuid, first.amt_version) == ("desk.example.com", machine().uuid, "9.0.1")
    assert (second.fqdn, second.uuid, second.amt_version, second.addresses) == (None, None, None, [])


def test_machines_are_let_go_once_nobody_asks(monkeypatch) -> None:
    monkeypatch.setattr("amtdecode.diagnosis.run.STRETCH", 2)
    fleet = [machine(hello(2), id=number) for number in range(1, 6)]

    def ask(case, device):
        yield confirmed((4, "one of many"), count=len(case.story.devices))

    for rules, last, left in (((), False, fleet), ((), True, []), ((rule("M", of_machine=ask),), True, fleet)):
        story = capture(*fleet)
        report = diagnose(story, rules=rules, last=last)
        assert [each.id for each in report.devices] == [1, 2, 3, 4, 5]
        assert story.devices == left
        assert report == diagnose(capture(*fleet), rules=rules)
