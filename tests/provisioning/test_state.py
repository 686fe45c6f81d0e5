"""What a story remembers says of itself: names, methods, times watched, what a connection and a handshake are."""

import pytest
from by_hand import DESK, SCS, UUID, alert, at, attempt, capture, contact, hello, lookup, machine, tls

from amtdecode.capture.health import Health
from amtdecode.diagnosis.report import DeviceReport, Evidence, Finding, Report, evidence_packets
from amtdecode.diagnosis.severity import Severity, Verdict
from amtdecode.model import Note, Observation
from amtdecode.provisioning import Tracker
from amtdecode.provisioning.state import LogEntry, Method, Recognition, place, ref
from amtdecode.provisioning.state.incidents import CallRefused, LoginLoop, LoginRefused

BLANK = "03000200-0400-0500-0006-000700080009"


def test_a_proof_names_its_input_and_its_packet() -> None:
    assert [place(ref(source, 7)) for source in (0, 1, 5)] == [(0, 7), (1, 7), (5, 7)]
    story = capture()
    assert [story.at(ref(source, 7)) for source in (0, 1)] == [("desk.pcap", 7), ("", 7)]


# -- machines ----------------------------------------------------------------------------------------------------------


def test_what_a_machine_is_called() -> None:
    assert machine(fqdn="desk").name == UUID
    assert machine(uuid=BLANK, fqdn="desk").name == "desk"
    assert machine(uuid="").name == DESK
    moved = [SCS, DESK]
    assert machine(uuid="", addresses=moved).name == DESK
    assert (machine(uuid="", addresses=[], mac="m").name, machine(uuid="", addresses=[]).address) == ("m", "")
    for said, name in (
        ({"uuid": UUID, "fqdn": "desk"}, UUID),
        ({"uuid": BLANK, "fqdn": "desk", "addresses": [DESK]}, "desk"),
        ({"addresses": [SCS, DESK]}, DESK),
        ({}, "unknown machine"),
    ):
        assert DeviceReport(id=1, **said).name == name


def test_how_a_machine_is_provisioned() -> None:
    psk, pki = tls(psk_identity="x"), tls(client_chain=(b"x",))
    for device, method in (
        (machine(hello(2, version=2)), Method.PSK),
        (machine(hello(2)), Method.PKI),
        (machine(hello(2, version=4)), Method.UNKNOWN),
        (machine(hello(2, version=2), hello(4)), Method.PKI),
        (machine(attempt(hello(2, version=2)), attempt()), Method.PSK),
        (machine(contact(2, handshake=psk)), Method.PSK),
        (machine(contact(2, handshake=pki)), Method.PKI),
        (machine(contact(2, handshake=psk), contact(4, handshake=pki), contact(6, handshake=tls())), Method.PKI),
        (machine(contact(2, handshake=psk, setup=False)), Method.UNKNOWN),
        (machine(contact(2)), Method.UNKNOWN),
        (machine(), Method.UNKNOWN),
    ):
        assert device.method is method


def test_hellos_and_connections_of_all_attempts() -> None:
    one, two, three, four = hello(2), contact(4), hello(6), contact(8)
    device = machine(attempt(one, two), attempt(three, four), attempt())
    assert (device.hellos, device.sessions, device.last_hello) == ((one, three), (two, four), three)
    assert device.attempt_of(8) is device.attempts[1]
    assert device.attempt_of(9) is None
    assert (device.attempts[0].hello, device.attempts[2].hello, machine().last_hello) == (one, None, None)


def test_the_packets_that_mark_the_steps_of_an_attempt() -> None:
    shaken = tls(client_hello=11, server_hello=12, server_certificate=13, client_certificate=14, key_exchange=15,
                 client_ccs=16, server_ccs=17, request=99, alerts=[alert(18, 48)])  # fmt: skip
    made = attempt(hello(2), contact(10, handshake=shaken, last_ref=19), contact(30, last_ref=0), commit=5)
    assert made.refs() == [2, 5, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 30]
    assert attempt().refs() == []


# -- connections and handshakes ----------------------------------------------------------------------------------------


def test_what_a_connection_is() -> None:
    assert contact(2).whole
    for lost in ({"only": "client"}, {"client_missing": 1}, {"server_missing": 1}):
        assert not contact(2, **lost).whole
    assert [contact(2, state).connected for state in ("closed", "reset", "", "refused", "unanswered")] == [
        True, True, True, False, False,
    ]  # fmt: skip
    for client, server, local in (
        (DESK, DESK, True), (SCS, DESK, False), ("127.0.0.1", "127.0.0.2", True), ("::1", "::1", True),
        ("::1", "127.0.0.1", True), ("::ffff:127.0.0.1", "127.0.0.1", True), ("127.0.0.1", DESK, False),
        (DESK, "127.0.0.1", False),
    ):  # fmt: skip
        assert contact(2, client=client, server=server).local is local


def test_what_a_handshake_is() -> None:
    for shaken, established in (
        (tls(client_ccs=1, server_ccs=2), True),
        (tls(requests=1, answers=1), True),
        (tls(client_ccs=1, answers=1), False),
        (tls(server_ccs=1, requests=1), False),
        (tls(), False),
    ):
        assert shaken.established is established
    assert tls(psk_identity="x").psk
    assert tls(suite_name="TLS_PSK_WITH_AES_128_CBC_SHA").psk
    assert not tls(suite_name="TLS_RSA_WITH_AES_128_CBC_SHA").psk


def test_a_name_of_one_label() -> None:
    assert [lookup(2, name=name).bare for name in ("provisionserver", "provisionserver.", "provisionserver.lan")] == [
        True, True, False,
    ]  # fmt: skip


# -- incidents ---------------------------------------------------------------------------------------------------------


def test_what_is_the_same_thing_once_more() -> None:
    loop = {"target": "/", "user": "admin", "scheme": "Digest", "connection": 1}
    one = LoginLoop(2, at(2), refusals=3, **loop)
    assert one.alike(LoginLoop(9, at(9), 4, refusals=6, **loop))
    assert not one.alike(LoginLoop(9, at(9), refusals=3, **(loop | {"user": "root"})))
    assert not one.alike(LoginLoop(9, at(9), refusals=3, **(loop | {"connection": 2})))
    refused = LoginRefused(2, at(2), **loop)
    assert refused.alike(LoginRefused(9, at(9), **(loop | {"target": "/x", "connection": 2})))
    assert not refused.alike(LoginRefused(9, at(9), **(loop | {"scheme": "Basic"})))
    said = {"call": "A.B", "result": "x", "meaning": "", "code": 1, "own_value": False, "connection": 1}
    assert CallRefused(2, None, granted=9, **said).alike(CallRefused(4, None, **said))
    assert not CallRefused(2, None, **said).alike(CallRefused(4, None, **(said | {"code": 2})))


# -- the story ---------------------------------------------------------------------------------------------------------


def test_the_time_that_captures_cover() -> None:
    story = capture(last=100)
    assert story.watched_after(at(40)) == 60
    assert story.watched_after(at(140)) == 0
    assert (story.watched_after(None), capture(last=None).watched_after(at(4))) == (None, None)
    assert story.watched_between(at(10), at(30)) == 20
    assert (story.watched_between(None, at(30)), story.watched_between(at(10), None)) == (None, None)
    story.covered = (at(0), at(10)), (at(50), at(60)), (at(90), at(100))  # type: ignore[assignment]
    assert story.watched_after(at(5)) == 25
    assert story.watched_between(at(5), at(55)) == 10
    assert story.watched_between(at(20), at(40)) == 0
    assert story.watched_between(at(52), at(58)) == 6


@pytest.mark.parametrize(
    ("health", "whole"), [({}, True), ({0: Health(9)}, True), ({0: Health(9), 1: Health(9, gaps=1)}, False)]
)
def test_whether_captures_lack_packets(health: dict[int, Health], whole: bool) -> None:
    assert capture(health=health).whole is whole


# -- the report --------------------------------------------------------------------------------------------------------


def finding(device: int | None, *proofs: Evidence, severity: Severity = Severity.LOW) -> Finding:
    name = None if device is None else f"desk-{device}"
    return Finding(id="R", title="", severity=severity, verdict=Verdict.LIKELY, device=name, device_id=device, layer="",
                   explanation="", fix="", evidence=list(proofs))  # fmt: skip


def test_findings_of_a_machine_and_the_worst_of_all() -> None:
    one, two, fleet = finding(1), finding(2, severity=Severity.HIGH), finding(None)
    report = Report(findings=[one, two, fleet])
    assert report.of(DeviceReport(id=2)) == [two]
    assert report.of(None) == [fleet]
    assert (report.worst(), Report(findings=[one]).worst(), Report().worst()) == (Severity.HIGH, Severity.LOW, None)


def test_the_packets_that_prove_a_report() -> None:
    device = machine(hello(4), uuid="", fqdn="desk-1", id=1)
    other = machine(hello(ref(1, 6)), uuid="", fqdn="desk-2", id=2)
    logged = machine(attempt(commit=ref(2, 8)), uuid="", fqdn="desk-3", id=3)
    story = capture(device, other, logged)
    story.inputs, story.line_inputs = ["a.pcap", "b.pcap", "c.log"], {2}
    report = Report(
        findings=[
            finding(1, Evidence("a.pcap", "x", packet=1), Evidence("a.pcap", "x", packet=2)),
            finding(2, Evidence("b.pcap", "x", packet=3), Evidence("c.log", "x", line=9)),
        ]
    )
    assert evidence_packets(report) == {"a.pcap": {1, 2}, "b.pcap": {3}}
    assert evidence_packets(report, 1) == evidence_packets(report, "desk-1") == {"a.pcap": {1, 2}}
    assert evidence_packets(report, "desk-9") == {}
    assert evidence_packets(report, story=story) == {"a.pcap": {1, 2, 4}, "b.pcap": {3, 6}}
    assert evidence_packets(report, 2, story) == evidence_packets(report, "desk-2", story) == {"b.pcap": {3, 6}}


# -- the tracker -------------------------------------------------------------------------------------------------------


def test_what_is_fed_one_by_one() -> None:
    watch = Tracker()
    for packet, seconds in ((1, 5), (2, 3), (3, None), (4, 9), (5, 7)):
        watch.feed(Observation(Note("tcp", "odd"), packet, (packet,), at(seconds), "a.pcap"))
    story = watch.story
    assert (story.observations, story.first, story.last) == (5, at(3), at(9))


def test_hosts_that_only_their_port_speaks_of_are_no_machines() -> None:
    watch = Tracker()
    known = watch.machines
    known.machine_with(UUID, DESK)
    known.machine_at(SCS, guessed=True)
    logged = known.machine_at("192.0.2.80", guessed=True)
    logged.log_entries = (LogEntry(ref=9, time=None, recognition=Recognition()),)
    insists = known.machine_at("192.0.2.82", guessed=True)
    refused = tls(client_hello=1, alerts=[alert(2, 48, server=False)])
    insists.attempts = [attempt(*(contact(n, client=insists.address, port=4433, handshake=refused) for n in (4, 6)))]
    devices = watch.finish().devices
    assert [device.address for device in devices] == [DESK, logged.address, insists.address]
    assert [device.called_home for device in devices] == [False, False, True]
