"""Causes before consequences: what comes first of several findings, what a later success makes up for, what is
inferred of connections that no key opens, and that no failure goes without a finding."""

from pathlib import Path

import pki_lab as pki
import pytest
from diagnosis_lab import SCS, SET_UP, Bench, Lab, desk
from test_application import ask, login, plain, say, talked
from test_psk_and_rcfg import first, presented, sound

from pcaps import messages
from pcaps.build import FIN, TO_CLIENT, TO_SERVER
from pcaps.make import NETWORK

HERE = desk()


def above(report: dict) -> list[str]:
    return [finding["id"] for finding in report["findings"] if finding["severity"] != "info"]


def level(report: dict, rule: str) -> str:
    return next(finding["severity"] for finding in report["findings"] if finding["id"] == rule)


def outcome(report: dict) -> str:
    return report["devices"][0]["attempts"][-1]["outcome"]


# -- a refused call and "never committed" -----------------------------------------------------------------------------


def exchanged(*exchanges: tuple[bytes, bytes], port: int = 16992) -> Lab:
    lab = Lab()
    lab.greet(HERE)
    lab.wait(3)
    lab.http(HERE, list(exchanges), port=port)
    lab.wait(200)
    lab.who_has(SCS, "192.0.2.99", 1)
    return lab


STEP = (ask("SetMEBxPassword"), say("SetMEBxPassword"))
REFUSED = (ask("SetHostName"), say("SetHostName", "<Status>12</Status>"))
COMMIT = (ask("CommitChanges"), say("CommitChanges"))


@pytest.mark.parametrize(
    ("refusal", "rule"),
    [
        (REFUSED, "AMT-PT-001"),
        ((ask("SetHostName"), say("SetHostName", "<Status>2057</Status>")), "AMT-PT-809"),
        ((ask("SetHostName"), plain("403 Forbidden")), "AMT-HTTP-006"),
    ],
)
def test_a_refused_call_is_the_cause_and_never_committed_its_consequence(bench: Bench, refusal, rule: str) -> None:
    report = bench.report(exchanged(STEP, refusal))
    calls = [each for each in above(report) if not each.startswith("AMT-SEC")]
    assert calls == [rule]
    assert outcome(report) != "committed"


def test_without_a_refusal_never_committed_stays(bench: Bench) -> None:
    assert "AMT-OK-003" in above(bench.report(exchanged(STEP)))


def test_a_refusal_that_was_granted_later_is_no_cause(bench: Bench) -> None:
    granted = (ask("SetHostName"), say("SetHostName"))
    report = bench.report(exchanged(STEP, REFUSED, granted))
    assert "AMT-OK-003" in above(report)
    assert level(report, "AMT-PT-001") == "info"


def test_a_refusal_of_another_attempt_is_no_cause(bench: Bench) -> None:
    lab = exchanged(STEP, REFUSED)
    lab.greet(HERE, messages.hello_psk(HERE.uuid, retry=0))
    lab.wait(3)
    lab.http(HERE, [STEP])
    lab.wait(200)
    lab.who_has(SCS, "192.0.2.99", 1)
    report = bench.report(lab)
    if len(report["devices"][0]["attempts"]) > 1:
        assert "AMT-OK-003" in above(report)


def test_what_the_machine_survived_before_its_commit_is_info(bench: Bench) -> None:
    report = bench.report(exchanged(STEP, REFUSED, COMMIT))
    assert outcome(report) == "committed"
    assert level(report, "AMT-PT-001") == "info"


def test_what_is_refused_after_the_commit_is_none_of_it(bench: Bench) -> None:
    report = bench.report(exchanged(STEP, COMMIT, REFUSED))
    assert level(report, "AMT-PT-001") != "info"


def test_refused_logins_before_the_commit_are_info_and_after_it_are_not(bench: Bench) -> None:
    challenge = messages.unauthorized("Digest:1", messages.nonce(1), "16.1.25")
    refused = [(ask("GetCoreVersion", authorization=login()), challenge)] * 4
    lab = exchanged(STEP, COMMIT)
    lab.http(HERE, refused)
    report = bench.report(lab)
    assert level(report, "AMT-HTTP-002") == "high"


def test_what_came_before_a_commit_in_another_capture_is_info_too(bench: Bench) -> None:
    before = Lab()
    before.greet(HERE)
    before.wait(3)
    before.http(HERE, [STEP, REFUSED])
    one = str(before.write(bench.folder / "one.pcap"))
    after = Lab(8)
    after.now = before.now + 5_000_000_000
    after.http(HERE, [STEP, COMMIT])
    two = str(after.write(bench.folder / "two.pcap"))
    report = bench.report(None, one, two)
    assert level(report, "AMT-PT-001") == "info"
    assert level(bench.report(None, one), "AMT-PT-001") == "medium"


# -- probes and resets ------------------------------------------------------------------------------------------------


def test_a_probe_before_the_setup_is_info(bench: Bench) -> None:
    lab = Lab()
    lab.greet(HERE)
    lab.talk(SCS, HERE.host, 16993, [])
    lab.wait(3)
    lab.set_up_psk(NETWORK, HERE, SET_UP)
    assert level(bench.report(lab), "AMT-CONN-004") == "info"


def test_a_probe_by_one_server_is_not_made_up_for_by_another(bench: Bench) -> None:
    lab = Lab()
    lab.greet(HERE)
    lab.wait(3)
    lab.set_up_psk(NETWORK, HERE, SET_UP[:2])
    lab.talk(SCS, HERE.host, 16993, [])
    assert level(bench.report(lab), "AMT-CONN-004") == "medium"  # nothing came after it


def reset_behind(flags: int, first_by: int, then_by: int) -> Lab:
    lab = Lab()
    tcp = lab.connection(SCS, HERE.host, 16992)
    lab.put(tcp.open())
    lab.put(tcp.send(TO_SERVER, ask()))
    lab.put(tcp.send(TO_CLIENT, say()))
    if flags:
        lab.put([tcp.segment(first_by, flags=flags | 0x10)])
    lab.put(tcp.reset(then_by))
    return lab


@pytest.mark.parametrize("first_by", [TO_SERVER, TO_CLIENT])
@pytest.mark.parametrize("then_by", [TO_SERVER, TO_CLIENT])
def test_a_reset_behind_a_fin_is_none(bench: Bench, first_by: int, then_by: int) -> None:
    bench.silent("AMT-CONN-005", reset_behind(FIN, first_by, then_by))


@pytest.mark.parametrize(("by", "blamed"), [(TO_SERVER, SCS.ip), (TO_CLIENT, "the machine")])
def test_who_reset_a_connection_is_who_sent_the_rst(bench: Bench, by: int, blamed: str) -> None:
    finding = bench.fires("AMT-CONN-005", reset_behind(0, by, by), severity="high", verdict="confirmed")
    assert f"is reset by {blamed}" in finding["explanation"]
    assert ("Management Engine" in finding["fix"]) == (blamed == "the machine")


def test_a_reset_behind_the_commit_is_info(bench: Bench) -> None:
    lab = Lab()
    lab.greet(HERE)
    lab.http(HERE, [STEP, COMMIT], end="reset", by=TO_CLIENT)
    assert level(bench.report(lab), "AMT-CONN-005") == "info"


# -- closed connections -----------------------------------------------------------------------------------------------


def closed(calls: list[tuple[int, int]], *, split: bool = False, after: float = 300, retry: int = -1) -> Lab:
    """A setup with certificates, by OpenSSL, whose calls nobody can read."""
    lab = presented(sound(), flights=pki.shake(sound(), calls=calls, split=split), by=TO_SERVER)
    lab.wait(after)
    if retry >= 0:
        own = (*messages.ROOTS_SHA256[:4], pki.root().digest())
        lab.greet(HERE, messages.hello_pki(HERE.uuid, own, retry=retry))
    lab.who_has(SCS, "192.0.2.99", 1)
    return lab


WHOLE = pki.setup(9)
LOGINS = [(470, 410), *[(640, 410)] * 9]
STOPPED = pki.setup(9)[:6]
LONG_END = [*pki.setup(9)[:-1], (900, 540)]


@pytest.mark.parametrize("split", [False, True])
def test_a_whole_setup_and_silence_are_probably_a_success(bench: Bench, split: bool) -> None:
    report = bench.report(closed(WHOLE, split=split))
    assert outcome(report) == "committed"
    assert 0.5 < report["devices"][0]["attempts"][-1]["confidence"] < 1
    assert above(report) == []


@pytest.mark.parametrize("split", [False, True])
@pytest.mark.parametrize("calls", [LOGINS, STOPPED, LONG_END], ids=["logins", "stopped", "a long request at the end"])
def test_a_setup_that_fails_inside_tls_is_no_success(bench: Bench, calls, split: bool) -> None:
    report = bench.report(closed(calls, split=split))
    assert outcome(report) == "unknown"
    assert not any(finding["id"] == "AMT-OK-002" for finding in report["findings"])


def test_a_setup_that_looks_whole_is_no_success_while_nothing_follows(bench: Bench) -> None:
    report = bench.report(closed(WHOLE, after=20))
    assert outcome(report) == "unknown"
    finding = next(finding for finding in report["findings"] if finding["id"] == "AMT-OK-002")
    assert (finding["verdict"], finding["severity"]) == ("possible", "info")
    assert "may have" in finding["title"]


def test_a_machine_that_goes_on_counting_was_not_set_up(bench: Bench) -> None:
    counted = bench.report(closed(WHOLE, retry=1))["devices"][0]["attempts"][0]
    anew = bench.report(closed(WHOLE, retry=0))["devices"][0]["attempts"][0]
    assert (counted["outcome"], anew["outcome"]) == ("unknown", "committed")


@pytest.mark.parametrize("split", [False, True])
def test_empty_records_count_nothing(bench: Bench, split: bool) -> None:
    """Two requests are next to nothing, be there records of a byte ahead of each or not."""
    lab = presented(sound(), flights=pki.shake(sound(), calls=[(470, 410)] * 2, split=split), by=TO_SERVER)
    assert "2 requests" in bench.fires("AMT-RCFG-039", lab)["explanation"]


def test_the_headline_says_probably(bench: Bench) -> None:
    from diagnosis_lab import command

    path = closed(WHOLE).write(bench.folder / "closed.pcap")
    assert command("diagnose", "-q", str(path))[1].startswith("1 machine in 1 input: 1 set up (probably)\n")
    path = closed(STOPPED).write(bench.folder / "stopped.pcap")
    out = command("diagnose", "-q", str(path))[1]
    assert out.startswith("1 machine in 1 input: 1 unclear\n")
    assert "unclear, last seen during configuration, from" in out  # how unlikely it is helps nobody
    path = exchanged(STEP, COMMIT).write(bench.folder / "clear.pcap")
    assert command("diagnose", "-q", str(path))[1].startswith("1 machine in 1 input: 1 set up\n")


# -- doubts and alerts ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [42, 46, 49, 40])
def test_a_doubt_about_option_15_comes_before_the_bare_alert(bench: Bench, code: int) -> None:
    report = bench.report(presented(sound(), code=code, domain=b"example.com\0"))
    assert above(report)[0] in ("AMT-NET-002", "AMT-RCFG-009")


@pytest.mark.parametrize(("code", "rule"), [(45, "AMT-RCFG-030"), (43, "AMT-RCFG-028"), (44, "AMT-RCFG-029")])
def test_a_doubt_about_something_else_stays_behind_the_alert(bench: Bench, code: int, rule: str) -> None:
    assert above(bench.report(presented(sound(), code=code, domain=b"example.com\0")))[0] == rule


def test_rcfg_004_only_where_nothing_else_is_said(bench: Bench) -> None:
    bench.fires("AMT-RCFG-004", presented(sound(), code=48))
    bench.fires("AMT-RCFG-004", presented(sound()))
    for code in (42, 43, 45, 46, 49):
        bench.silent("AMT-RCFG-004", presented(sound(), code=code))


def test_fixes_name_what_to_do(bench: Bench) -> None:
    finding = bench.fires("AMT-RCFG-027", presented(sound(), code=42))
    assert "none" not in finding["explanation"]
    assert "MEBx" in finding["fix"] or finding["fix"].startswith("Give")
    plain_leaf = [pki.leaf(purposes=(pki.SERVER_AUTH,)), *sound()[1:]]
    finding = bench.fires("AMT-RCFG-027", presented(plain_leaf, code=42))
    assert "AMT-RCFG-001" in finding["explanation"]
    assert first(bench, presented(plain_leaf, code=42)) == "AMT-RCFG-001"


@pytest.mark.parametrize("alert", [None, 48])
def test_net_001_stays_high_for_certificates(bench: Bench, alert: int | None) -> None:
    bench.fires("AMT-NET-001", presented(sound(), code=alert, domain=None), severity="high")


def test_net_001_is_low_once_the_certificate_was_taken(bench: Bench) -> None:
    lab = presented(sound(), domain=None, flights=pki.shake(sound(), records=3), by=TO_SERVER)
    assert level(bench.report(lab), "AMT-NET-001") in ("low", "info")


def test_rcfg_037_counts_the_silent_seconds(bench: Bench) -> None:
    lab = Lab()
    lab.now = int(pki.AT.timestamp()) * 1_000_000_000
    lab.greet(HERE, messages.hello_pki(HERE.uuid, messages.ROOTS_SHA256[:4]))
    lab.wait(3)
    tcp = lab.connection(SCS, HERE.host, 16993)
    lab.put(tcp.open())
    lab.put(tcp.send(TO_SERVER, pki.shake(sound())[0][1]))
    lab.wait(30)
    lab.put(tcp.close(TO_SERVER))
    assert "after 30.0 s" in bench.fires("AMT-RCFG-037", lab)["explanation"]


# -- logs -------------------------------------------------------------------------------------------------------------


def ignored() -> Lab:
    lab = Lab()
    for retry in range(4):
        lab.greet(HERE, messages.hello_psk(HERE.uuid, retry=retry))
        lab.wait(60)
    return lab


def test_a_log_row_that_names_the_reason_silences_the_server_that_never_comes(bench: Bench) -> None:
    row = f"2007-11-05 09:01:00 ERROR Error 913 - No rows found in get UuidMap for {HERE.uuid}\n"
    report = bench.report(ignored(), bench.file("scs.log", row))
    assert above(report)[0] == "AMT-LOG-913"
    assert "AMT-HELLO-003" not in above(report)
    assert len(next(f for f in report["findings"] if f["id"] == "AMT-LOG-913")["evidence"]) > 1  # its proofs stay
    assert above(bench.report(ignored()))[0] == "AMT-HELLO-003"


def test_a_row_that_names_no_reason_does_not(bench: Bench) -> None:
    row = f"2007-11-05 09:01:00 INFO Error 103 - already in the queue, {HERE.uuid}\n"
    assert "AMT-HELLO-003" in above(bench.report(ignored(), bench.file("scs.log", row)))


# -- no failure without a finding -------------------------------------------------------------------------------------


def failures(report: dict) -> list[str]:
    """Machines whose latest attempt failed, and of which nothing above info is said."""
    told = {finding["device_id"] for finding in report["findings"] if finding["severity"] != "info"}
    return [
        device["addresses"][-1] if device["addresses"] else str(device["uuid"])
        for device in report["devices"]
        if device["attempts"] and device["attempts"][-1]["outcome"] == "failed" and device["id"] not in told
    ]


def test_no_failure_of_our_captures_goes_without_a_finding(bench: Bench) -> None:
    from test_report import ROOT

    for path in sorted((ROOT / "pcaps").glob("*.pcap*")):
        assert failures(bench.report(None, str(path))) == [], path


def test_no_failure_of_the_cases_and_captures_given_goes_without_a_finding(bench: Bench, shared: Path) -> None:
    kinds = ("*.pcap", "*.pcapng", "*.log", "*.txt", "*.json")
    folders = (shared / "captures" / "loopback", shared / "cases" / "field", shared / "cases" / "scenes")
    files = [path for folder in folders for kind in kinds for path in sorted(folder.rglob(kind))]
    assert files
    for path in files:
        if path.name not in ("check.json", "expect.json"):
            assert failures(bench.report(None, str(path))) == [], path


def test_a_failure_that_no_rule_knows_quotes_its_packet(bench: Bench) -> None:
    lab = Lab()
    lab.greet(HERE)
    lab.wait(3)
    lab.http(HERE, [(ask("GetCoreVersion"), say("GetCoreVersion"))] * 6)
    report = bench.report(lab)
    assert failures(report) == []


def test_the_stage_is_none_that_was_not_seen(bench: Bench) -> None:
    lab = Lab()
    lab.syns(SCS, HERE.host, 16994)
    report = bench.report(lab)
    assert report["devices"][0]["attempts"][0]["stage"] == "none"


# -- loopback ---------------------------------------------------------------------------------------------------------


def test_what_stays_inside_one_host_is_not_managed_over_the_network(bench: Bench) -> None:
    from pcaps.build import Host

    one = Host("00:00:00:00:00:00", "127.0.0.1")
    lab = Lab()
    lab.talk(one, one, 16992, [(TO_SERVER, ask(authorization=login())), (TO_CLIENT, say())])
    ids = {finding["id"] for finding in bench.report(lab)["findings"]}
    assert not ids & {"AMT-SEC-001", "AMT-SEC-002", "AMT-SEC-004"}
    ids = {finding["id"] for finding in bench.report(talked((ask(authorization=login()), say())))["findings"]}
    assert {"AMT-SEC-001", "AMT-SEC-004"} <= ids


# -- a fleet ----------------------------------------------------------------------------------------------------------


def test_a_fleet_is_its_causes(bench: Bench) -> None:
    from diagnosis_lab import command

    lab = Lab()
    for number in range(60):
        each = desk(30 + number)
        kind = number % 4
        if kind == 0:
            lab.dns(each.host, "provisionserver.example.com", [], code=3)
            continue
        lab.greet(each)
        lab.wait(1)
        if kind == 1:
            lab.refused(SCS, each.host, 16993)
        elif kind == 2:
            lab.psk(each, alert=(2, 115))
        else:
            lab.set_up_psk(NETWORK, each, SET_UP)
    lab.wait(200)
    lab.who_has(SCS, "192.0.2.199", 1)
    report = bench.report(lab)
    counts = {cause["id"]: cause["count"] for cause in report["causes"]}
    assert counts["AMT-CONN-002"] == 15
    assert counts["AMT-DNS-001"] == 15
    assert sum(counts.values()) >= 45
    for cause in report["causes"]:
        assert 0 < len(cause["machines"]) <= 5 or not cause["count"]
    path = lab.write(bench.folder / "fleet.pcap")
    lines = command("diagnose", "-q", str(path))[1].splitlines()
    assert len(lines) < 50
    for cause in report["causes"]:
        count = str(cause["count"]) if cause["count"] else "the site"
        assert any(line.strip().startswith(f"{count} ") and cause["title"] in line for line in lines), cause
    named = report["causes"][0]["machines"]
    assert sum(name in "\n".join(lines) for name in named) == 3
