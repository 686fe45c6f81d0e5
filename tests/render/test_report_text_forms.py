"""The report for people: how far in words, causes with counts and machines, one sentence for what was not judged."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

import amtdecode
from amtdecode.cli.main import group
from amtdecode.diagnosis import needs
from amtdecode.diagnosis.need import Need
from amtdecode.diagnosis.report import AttemptReport, Cause, DeviceReport, Evidence, Finding, NotJudged, Report
from amtdecode.diagnosis.severity import Severity, Verdict
from amtdecode.provisioning.state import Method, Outcome, Stage
from amtdecode.render.redact import redacted
from amtdecode.render.report_text import overview_lines, report_lines
from amtdecode.render.report_words import ELSE_NEEDED, how_far, needed_for

PCAPS = Path(__file__).resolve().parents[2] / "pcaps"
HIGH = {"severity": Severity.HIGH, "verdict": Verdict.CONFIRMED}


def attempt(stage: Stage, outcome: Outcome, confidence: float = 0.0) -> AttemptReport:
    return AttemptReport(stage=stage, outcome=outcome, confidence=confidence)


@pytest.mark.parametrize(
    ("stage", "outcome", "confidence", "words"),
    [
        (Stage.HELLO, Outcome.INCOMPLETE, 0.6, "stopped after hello (confidence 60 %)"),
        (Stage.CONTACT_BACK, Outcome.FAILED, 0.9, "failed at the contact back (confidence 90 %)"),
        (Stage.NONE, Outcome.FAILED, 0.9, "failed at the first step (confidence 90 %)"),
        (Stage.COMMIT, Outcome.COMMITTED, 1.0, "set up"),
        (Stage.CONFIGURATION, Outcome.COMMITTED, 0.8, "probably set up (confidence 80 %)"),
        (Stage.MANAGEMENT, Outcome.UNKNOWN, 0.0, "already managed; setup is not in this capture"),
        (Stage.CONFIGURATION, Outcome.UNKNOWN, 0.65, "unclear, last seen during configuration"),
        (Stage.NONE, Outcome.UNKNOWN, 0.0, "unclear: no step was seen"),
    ],
)
def test_how_far_in_words(stage: Stage, outcome: Outcome, confidence: float, words: str) -> None:
    assert how_far(attempt(stage, outcome, confidence)) == words


def finding(rule: str, title: str, device: DeviceReport, packet: int) -> Finding:
    """A cause of one machine."""
    return Finding(
        id=rule,
        title=title,
        device=device.uuid,
        device_id=device.id,
        layer="client",
        explanation="It is so.",
        fix="Mend it.",
        evidence=[Evidence("x.pcap", "seen", packet=packet)],
        **HIGH,
    )


def fleet(machines: int, *causes: str) -> Report:
    """Machines in turn with one of the causes, or with none."""
    report = Report(inputs=["x.pcap"])
    counts = dict.fromkeys(causes, 0)
    for number in range(1, machines + 1):
        uuid = f"a3700000-1de5-11dc-8000-{number:012x}"
        stopped = attempt(Stage.HELLO, Outcome.INCOMPLETE, 0.6)
        report.devices.append(
            DeviceReport(id=number, uuid=uuid, addresses=[f"10.0.{number >> 8}.{number & 255}"], method=Method.PSK,
                         attempts=[stopped], comment=f"desk-{number}")
        )  # fmt: skip
        if (turn := number % (len(causes) + 1)) < len(causes):
            counts[causes[turn]] += 1
            report.findings.append(finding(causes[turn], f"Title of {causes[turn]}", report.devices[-1], number))
    report.causes = [
        Cause(id=rule, title=f"Title of {rule}", count=count, fix="Mend it.", **HIGH) for rule, count in counts.items()
    ]
    return report


@pytest.mark.parametrize("width", [80, 110])
def test_a_thousand_machines_fit_a_screen_and_a_half(width: int) -> None:
    lines = [*report_lines(fleet(1000, "LAB-1", "LAB-2", "LAB-3"), width=width)]
    assert len(lines) <= 36
    assert max(map(len, lines)) <= width
    text = "\n".join(lines)
    assert lines[0] == "1000 machines in 1 input: 1000 stopped"
    for rule in ("LAB-1", "LAB-2", "LAB-3"):
        assert f"     250  HIGH     Title of {rule}  [{rule}; confirmed]" in lines
        assert "and 247 more" in text
    assert "     250  nothing above info was found" in lines
    assert "a3700000-1de5-11dc-8000-000000000004 (desk-4)" in text
    assert "a3700000-1de5-11dc-8000-000000000010" not in text  # only a few of each cause


def test_causes_beyond_those_shown_are_counted() -> None:
    lines = [*report_lines(fleet(90, *[f"LAB-{number}" for number in range(8)]))]
    assert sum("[LAB-" in line for line in lines) == 8
    assert sum(line.startswith("HIGH  Title") for line in lines) == 5
    assert "and 3 causes more" in lines


def test_few_machines_stand_under_their_causes_with_titles_and_names() -> None:
    lines = [*report_lines(fleet(4, "LAB-1"))]
    at = lines.index("       2  HIGH     Title of LAB-1  [LAB-1; confirmed]")
    assert lines[at + 1] == "      a3700000-1de5-11dc-8000-000000000002 (desk-2)  10.0.0.2  PSK  stopped after hello"
    assert "a3700000-1de5-11dc-8000-000000000002 (desk-2), 10.0.0.2, PSK" in lines
    assert [*overview_lines(fleet(4, "LAB-1"))] == lines[: lines.index("")] + lines[1 : lines.index("", 2)]


def test_findings_of_one_kind_stand_under_the_first() -> None:
    report = fleet(1)
    report.findings = [finding("LAB-1", f"Call {number} fails", report.devices[0], number) for number in range(1, 8)]
    text = "\n".join(report_lines(report))
    assert text.count("Mend it.") == 1
    assert "Also: Call 2 fails (packet 2)" in text
    assert "Call 6" not in text
    assert "and 2 more of this kind with -V" in text
    assert "\n".join(report_lines(report, verbose=True)).count("Mend it.") == 7


def test_what_was_not_judged_is_one_sentence() -> None:
    report = fleet(1)
    report.not_judged = [
        NotJudged("A-1", "no log of the setup server"),
        NotJudged("A-1", "a PEM file"),
        NotJudged("A-2", "version of SCS (--site: scs.version)"),
        NotJudged("A-3", "something new"),
    ]
    last = [*report_lines(report)][-1]
    assert last == (
        f"Not judged: 3 rules need more: a server log, a certificate, {ELSE_NEEDED}, --site (-V lists them)"
    )
    longer = [*report_lines(report, verbose=True)]
    assert "  - A-1: no log of the setup server" in longer
    assert "  - A-3: something new" in longer


def test_every_condition_that_is_declared_has_its_words() -> None:
    declared = [each for each in vars(needs).values() if isinstance(each, Need) and isinstance(each.missing, str)]
    assert len(declared) > 20
    assert [each.missing for each in declared if each.missing and needed_for(each.missing) == ELSE_NEEDED] == []


def run(*words: str, **environment: str) -> str:
    return CliRunner().invoke(group, ["diagnose", "-q", *words], env=environment).stdout


@pytest.mark.parametrize("width", [60, 80, 132])
def test_the_width_is_that_of_the_terminal(width: int) -> None:
    text = run(str(PCAPS / "office.pcapng"), COLUMNS=str(width))
    assert max(map(len, text.splitlines())) <= width
    assert max(map(len, text.splitlines())) > width - 12
    assert text.split() == run(str(PCAPS / "office.pcapng")).split()  # nothing is lost


def test_without_amt_it_says_what_the_packets_are_and_where_to_capture(tmp_path: Path) -> None:
    from pcaps.build import Host, Pcap, datagram

    one, two = Host("02:00:00:00:00:01", "192.0.2.1"), Host("02:00:00:00:00:02", "192.0.2.2")
    path = tmp_path / "ntp.pcap"
    with path.open("wb") as file:
        capture = Pcap(file)
        for number in range(5):
            capture.packet(number, datagram(one, two, 40000, 123 if number else 9999, b"\0" * 48))
    text = run(str(path))
    assert text.startswith("No AMT traffic seen in 1 input: 5 packets\n")
    assert "What they are: UDP port 123 (NTP): 4, UDP port 9999: 1" in text
    assert "Where to capture instead:" in text
    assert "mirror (SPAN) port" in text
    report = amtdecode.diagnose(str(path))
    assert [(each.what, each.packets) for each in report.other_traffic] == [
        ("UDP port 123 (NTP)", 4),
        ("UDP port 9999", 1),
    ]
    assert amtdecode.diagnose(PCAPS.joinpath("office.pcapng")).other_traffic == []


def test_comments_and_names_of_the_capture_stand_beside_the_uuid() -> None:
    report = amtdecode.diagnose(PCAPS / "office.pcapng")
    assert {device.addresses[-1]: device.comment for device in report.devices} == {
        f"192.0.2.{number}": f"desk-{number}: DHCP lease" for number in (21, 22, 23, 24)
    }
    assert {device.comment for device in redacted(report).devices} == {None}


def test_nothing_about_vanished_hashes_where_none_vanished() -> None:
    assert "vanished" in run(str(PCAPS / "hello.pcap"), "-V")  # one did in this capture
    text = run(str(PCAPS / "office.pcapng"), "-V")
    assert "vanish" not in text
