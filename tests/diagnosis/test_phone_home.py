"""AMT-CIRA-002 to 012: how far a machine gets with its MPS, and what stops it; AMT-REDIR-003, a closed port."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from by_hand import DESK, SCS, alert, asked, at, called, contact, hits, lease, machine, tls
from diagnosis_lab import NETWORK, Lab, packed

from amtdecode.protocols.apf import fields as f
from amtdecode.provisioning.state import Cira, LogEntry, RefusedChannel, Session
from amtdecode.provisioning.state.incidents import EnvironmentDetection
from amtdecode.provisioning.state.log import Recognition
from amtdecode.provisioning.state.terms import Standing
from pcaps import apf
from pcaps.build import ACK, FIN, TO_CLIENT, TO_SERVER, Host
from pcaps.scene import machine as made
from pcaps.tls import TLS11, PskConnection

if TYPE_CHECKING:
    from diagnosis_lab import Bench

MPS = Host("00:00:5e:00:53:90", "192.0.2.90")
HERE = made(61, "example.com")


def call(packet: int, cira: Cira | None = None, **more) -> Session:
    """A call home in which the machine said at least who it is."""
    said = {"port": 4433, "who_closed": "client", "client_bytes": 100, "server_bytes": 100} | more
    return called(packet, said.pop("state", "closed"), said.pop("seconds", None), cira=cira, **said)


def greeted(packet: int, **more) -> Cira:
    return Cira(version=packet + 1, trigger="periodic", **more)


def logged_in(packet: int, **more) -> Cira:
    said = {"login": packet + 2, "user": "mesh", "method": "password", "accepted": packet + 3} | more
    return greeted(packet, **said)


def refused(packet: int, **more) -> Cira:
    return logged_in(packet, **{"accepted": 0, "refused": packet + 3} | more)


# -- by hand ---------------------------------------------------------------------------------------------------------


def test_002_the_login_is_refused() -> None:
    assert asked("AMT-CIRA-002", machine(call(10, refused(10)))) == [("confirmed", "", [10, 12, 13])]
    assert asked("AMT-CIRA-002", machine(call(10, logged_in(10)))) == []
    assert asked("AMT-CIRA-002", machine(call(10, refused(10, accepted=15)))) == []  # at the second try
    later = machine(call(10, refused(10)), call(30, logged_in(30)))
    assert asked("AMT-CIRA-002", later) == [("confirmed", "info", [10, 12, 13, 30])]


def test_003_the_server_turns_the_machine_away() -> None:
    away = {"who_closed": "server"}
    assert asked("AMT-CIRA-003", machine(call(10, greeted(10), **away))) == [("likely", "", [10, 11, 11])]
    login = logged_in(10, accepted=0)
    assert asked("AMT-CIRA-003", machine(call(10, login, **away))) == [("likely", "", [10, 11, 12, 11])]
    told = greeted(10, disconnect=14, disconnect_reason="host not allowed", disconnect_by_server=True)
    assert asked("AMT-CIRA-003", machine(call(10, told))) == [("confirmed", "", [10, 11, 14])]
    for near in (
        call(10, greeted(10)),  # the machine leaves
        call(10, logged_in(10), **away),
        call(10, refused(10), **away),
        call(10, greeted(10), client_missing=20, **away),
        call(10, greeted(10, lost=True), **away),
        call(10, greeted(10), state="open", **away),
        call(10, logged_in(10, accepted=0, method="none"), **away),  # AMT-CIRA-009
        call(10, None, **away),
    ):
        assert asked("AMT-CIRA-003", machine(near)) == []


def line(anchor: str, seconds: float | None) -> LogEntry:
    return LogEntry(500, at(seconds), Recognition(anchor=anchor, kind="failure"), "a line")


def test_the_line_of_the_servers_log_that_belongs_to_the_call() -> None:
    away = {"who_closed": "server", "seconds": 1000, "until": 1003}
    turned, login = call(10, greeted(10), **away), call(10, refused(10), **away)
    for rule, session, anchor, verdict, packets in (
        ("AMT-CIRA-003", turned, "mc-unknown-node", "likely", [10, 11, 11]),
        ("AMT-CIRA-003", turned, "mps-not-allowed", "likely", [10, 11, 11]),
        ("AMT-CIRA-002", login, "mps-login", "confirmed", [10, 12, 13]),
        ("AMT-CIRA-002", login, "mc-cira-password", "confirmed", [10, 12, 13]),
    ):
        for seconds in (995, 1001, 1008):
            known = machine(session, log_entries=(line("mc-cira", 1001), line(anchor, seconds)))
            assert asked(rule, known) == [("confirmed", "", [*packets, 500])]
        for near in (line(anchor, 994), line(anchor, 1009), line(anchor, None), line("mc-cira", 1001)):
            assert asked(rule, machine(session, log_entries=(near,))) == [(verdict, "", packets)]


def sealed(packet: int, seconds: float, lasts: float = 3, **more) -> Session:
    shaken = tls(client_hello=packet + 1, client_ccs=packet + 2, server_ccs=packet + 3)
    return call(packet, None, handshake=shaken, seconds=seconds, until=seconds + lasts, **more)


def test_004_short_calls_in_a_row() -> None:
    row = [sealed(packet, packet) for packet in (10, 20, 30)]
    assert asked("AMT-CIRA-004", machine(*row)) == [("likely", "", [10, 20, 30, 31])]
    assert hits("AMT-CIRA-004", machine(*row))[0].values["who"] == "the machine"
    for near in (
        row[:2],
        [*row[:2], sealed(900, 900)],  # long afterwards
        [sealed(packet, packet, 90) for packet in (10, 110, 210)],  # they stay for a while
        [call(packet, refused(packet), seconds=packet) for packet in (10, 20, 30)],  # AMT-CIRA-002
        [call(packet, None, seconds=packet) for packet in (10, 20, 30)],  # TLS is not up
        [*row[:2], sealed(30, 30, server_missing=5)],
    ):
        assert asked("AMT-CIRA-004", machine(*near)) == []


def test_005_more_than_the_window() -> None:
    cira = logged_in(10, beyond=20, beyond_port=16992, excess=5, beyond_by_server=True)
    assert asked("AMT-CIRA-005", machine(call(10, cira))) == [("confirmed", "", [10, 20])]
    assert hits("AMT-CIRA-005", machine(call(10, cira)))[0].values["who"] == "The MPS"
    assert asked("AMT-CIRA-005", machine(call(10, logged_in(10)))) == []


def test_006_a_channel_is_refused() -> None:
    port = RefusedChannel(20, 16993, 2, "connect failed")
    not_forwarded = logged_in(10, granted=(16992, 623), forwards=15, refused_channels=(port,))
    (hit,) = hits("AMT-CIRA-006", machine(call(10, not_forwarded)))
    assert ([packet for packet, _ in hit.proofs], hit.values["cause"]) == (
        [20, 15], "it does not forward that port, only 16992, 623"
    )  # fmt: skip
    closed = logged_in(10, granted=(16993,), forwards=15, refused_channels=(port,))
    assert "nobody listens" in hits("AMT-CIRA-006", machine(call(10, closed)))[0].values["cause"]
    unknown = Cira(refused_channels=(port,), lost=True)
    assert "not in the capture" in hits("AMT-CIRA-006", machine(call(10, unknown)))[0].values["cause"]
    assert asked("AMT-CIRA-006", machine(call(10, logged_in(10, granted=(16992,), forwards=15)))) == []


def test_007_the_server_ends_an_idle_call() -> None:
    quiet = {"seconds": 10, "until": 200, "who_closed": "server"}
    cira = logged_in(10, machine_heard=100_000_000_000, keepalive=14, keepalives=2, interval=30)
    assert asked("AMT-CIRA-007", machine(call(10, cira, **quiet))) == [("likely", "", [11, 14])]
    for near in (
        call(10, logged_in(10, machine_heard=150_000_000_000), **quiet),
        call(10, cira, **quiet | {"who_closed": "client"}),
        call(10, greeted(10, machine_heard=100_000_000_000), **quiet),
        call(10, cira, **quiet, server_missing=9),
        call(10, cira, **quiet | {"state": "open"}),
    ):
        assert asked("AMT-CIRA-007", machine(near)) == []


def test_008_environment_detection() -> None:
    told = EnvironmentDetection(20, 20_000_000_000, domains=("corp.example", "Example.com"), connection=3)
    here = lease(5)
    assert asked("AMT-CIRA-008", machine(told, here)) == [("likely", "", [20, 6])]
    assert asked("AMT-CIRA-008", machine(told, here, call(30, greeted(30)))) == []  # it does call
    other = EnvironmentDetection(20, 20_000_000_000, domains=("never.example",), connection=3)
    assert asked("AMT-CIRA-008", machine(other, here)) == []
    dark = contact(40, "refused")
    assert asked("AMT-CIRA-008", machine(other, here, dark)) == [("possible", "info", [20, 6, 40])]
    assert asked("AMT-CIRA-008", machine(told)) == ["no DHCP of the machine in this capture"]


def test_009_out_of_step() -> None:
    lost = greeted(10, out_of_step=20, out_of_step_server=True)
    assert asked("AMT-CIRA-009", machine(call(10, lost))) == [("confirmed", "", [10, 20])]
    without = logged_in(10, accepted=0, method="none")
    assert asked("AMT-CIRA-009", machine(call(10, without))) == [("possible", "", [10, 12])]
    for near in (greeted(10, out_of_step=20, lost=True), logged_in(10, method="none"), logged_in(10)):
        assert asked("AMT-CIRA-009", machine(call(10, near))) == []
    assert asked("AMT-CIRA-009", machine(call(10, without, state="open"))) == []


def test_010_the_server_is_not_reached() -> None:
    assert asked("AMT-CIRA-010", machine(call(10, state="refused"))) == [("confirmed", "", [10])]
    assert asked("AMT-CIRA-010", machine(call(10, state="unanswered"))) == [("confirmed", "", [10])]
    assert asked("AMT-CIRA-010", machine(call(10))) == []
    assert asked("AMT-CIRA-010", machine(call(10, state="unanswered", only="client"))) == []
    later = machine(call(10, state="refused"), call(30, logged_in(30)))
    assert asked("AMT-CIRA-010", later) == [("confirmed", "info", [10, 30])]


def hello(packet: int, *alerts, **more) -> Session:
    shaken = tls(client_hello=packet + 1, offered_version=0x0302, alerts=list(alerts), **more.pop("tls", {}))
    return call(packet, None, handshake=shaken, **{"server_bytes": 0, "who_closed": "server"} | more)


def test_011_no_tls_in_common() -> None:
    assert asked("AMT-CIRA-011", machine(hello(10, alert(12, 70)))) == [("confirmed", "", [11, 12])]
    assert asked("AMT-CIRA-011", machine(hello(10))) == [("likely", "", [11, 11])]
    for near in (
        hello(10, alert(12, 48, server=False)),  # AMT-CIRA-001
        hello(10, server_bytes=90),
        hello(10, state="open"),
        hello(10, only="client"),
        hello(10, tls={"server_hello": 12}),
        hello(10, tls={"client_ccs": 12, "server_ccs": 13}),
    ):
        assert asked("AMT-CIRA-011", machine(near)) == []


def test_012_the_stages_of_the_best_call() -> None:
    cira = logged_in(30, granted=(16992, 16993), forwards=35, keepalive=40, keepalives=2, channels=1, channel=38)
    (hit,) = hits("AMT-CIRA-012", machine(call(10, greeted(10)), call(30, cira)))
    assert [packet for packet, _ in hit.proofs] == [30, 31, 32, 33, 35, 40, 38]
    assert (hit.values["stage"], hit.values["server"]) == ("channels", f"{SCS}:4433")
    assert asked("AMT-CIRA-012", machine(call(10, None))) == []
    assert asked("AMT-CIRA-012", machine(contact(10, server=DESK))) == []


def test_redir_003_the_port_of_redirection_is_closed() -> None:
    for port in (16994, 16995):
        closed = contact(10, "refused", port=port)
        assert asked("AMT-REDIR-003", machine(closed)) == [("confirmed", "", [10])]
        assert asked("AMT-REDIR-003", machine(closed, standing=Standing.IN_VAIN)) == [("possible", "", [10])]
        assert asked("AMT-REDIR-003", machine(closed, contact(20, port=port))) == []  # it is open later
        assert asked("AMT-REDIR-003", machine(contact(10, "unanswered", port=port))) == []
    assert asked("AMT-REDIR-003", machine(contact(10, "refused", port=16992))) == []


# -- from packets ----------------------------------------------------------------------------------------------------


def talked(*said: tuple[int, bytes], end: str = "close", by: int = TO_SERVER) -> Lab:
    lab = Lab()
    lab.talk(HERE.host, MPS, 4433, [(TO_SERVER, apf.version(HERE.uuid)), *said], end, by)
    return lab


LOGIN = (
    (TO_SERVER, apf.service(apf.AUTH)),
    (TO_CLIENT, apf.service(apf.AUTH, f.SERVICE_ACCEPT)),
    (TO_SERVER, apf.login(b"mesh", b"P@ssw0rd")),
)
ACCEPTED = (
    *LOGIN,
    (TO_CLIENT, b"\x34"),
    (TO_SERVER, apf.service(apf.PFWD)),
    (TO_CLIENT, apf.service(apf.PFWD, f.SERVICE_ACCEPT)),
    (TO_SERVER, apf.forward(16992) + apf.forward(623)),
    (TO_CLIENT, apf.success(16992) + apf.success(623)),
)


@pytest.mark.parametrize(
    ("rule", "said", "severity"),
    [
        ("AMT-CIRA-002", (*LOGIN, (TO_CLIENT, apf.refusal())), "high"),
        ("AMT-CIRA-003", (*LOGIN, (TO_CLIENT, apf.disconnect(1))), "high"),
        ("AMT-CIRA-005", (*ACCEPTED, (TO_CLIENT, apf.opening(4, 16992)), (TO_SERVER, apf.confirmation(4, 4, 10)),
                          (TO_CLIENT, apf.data(4, bytes(11)))), "medium"),
        ("AMT-CIRA-006", (*ACCEPTED, (TO_CLIENT, apf.opening(4, 16993)), (TO_SERVER, apf.failure(4))), "medium"),
        ("AMT-CIRA-009", (*LOGIN, (TO_CLIENT, b"\x34\0\0\0\0")), "high"),
        ("AMT-CIRA-012", ACCEPTED, "info"),
    ],
)  # fmt: skip
def test_told_of_packets(bench: Bench, rule: str, said: tuple[tuple[int, bytes], ...], severity: str) -> None:
    lab = talked(*said)
    finding = bench.fires(rule, lab, severity=severity, verdict="confirmed")
    assert "P@ssw0rd" not in str(finding)
    (device,) = bench.report(lab)["devices"]
    assert (device["uuid"], device["addresses"]) == (str(HERE.uuid), [HERE.host.ip])


def in_tls(lab: Lab, *, fin_first: bool) -> tuple[str, ...]:
    """A call in TLS: the server says close_notify, and the machine sends the first FIN, behind it or before it."""
    secure = PskConnection(random.Random(3), b"mps", b"0123456789ABCDEF")
    tcp = lab.connection(HERE.host, MPS, 4433)
    lab.put(tcp.open())
    for way, flight in (
        (TO_SERVER, secure.client_hello),
        (TO_CLIENT, secure.server_flight),
        (TO_SERVER, secure.client_flight),
        (TO_CLIENT, secure.server_finish),
    ):
        lab.put(tcp.send(way, flight()))
    for way, message in ((TO_SERVER, apf.version(HERE.uuid)), *LOGIN):
        lab.put(tcp.send(way, secure.data(way, message)))
    over = (tcp.send(TO_CLIENT, secure.close_notify(TO_CLIENT)), [tcp.segment(TO_SERVER, flags=FIN | ACK)])
    for frames in reversed(over) if fin_first else over:
        lab.put(frames)
    lab.put([tcp.segment(TO_CLIENT, flags=FIN | ACK), tcp.segment(TO_SERVER)])
    return "--psk", "*=0123456789ABCDEF"


@pytest.mark.parametrize("fin_first", [False, True])
def test_who_says_close_notify_first_ends_a_call(bench: Bench, fin_first: bool) -> None:
    """Node's servers, and so MeshCentral, say it and leave the FIN to the machine."""
    lab = Lab()
    options = in_tls(lab, fin_first=fin_first)
    found = {finding["id"] for finding in bench.report(lab, options=options)["findings"]}
    assert ("AMT-CIRA-003" in found) is not fin_first
    assert "AMT-CIRA-012" in found


NAME = "mps.example.com"


def ask(lab: Lab, host: Host, address: str) -> None:
    lab.dns(host, NAME, [(NAME, 1, packed(address))])


def evidence(bench: Bench, rule: str, lab: Lab) -> list[tuple[int, str]]:
    (finding,) = [each for each in bench.report(lab)["findings"] if each["id"] == rule]
    return [(each["packet"], each["text"]) for each in finding["evidence"]]


OTHER = made(62, "example.com").host
TOLD = f'name: "{NAME}" is {MPS.ip}, says the DNS server {NETWORK.dns.ip}'
CONNECTED = f"connection: {HERE.host.ip} to {MPS.ip}:4433"


@pytest.mark.parametrize(
    ("asked_for", "first"),
    [
        ([(HERE.host, MPS.ip)], [(2, TOLD), (3, CONNECTED)]),
        ([(HERE.host, MPS.ip), (HERE.host, MPS.ip)], [(4, TOLD), (5, CONNECTED)]),
        ([(HERE.host, MPS.ip), (HERE.host, "192.0.2.91")], [(2, TOLD), (5, CONNECTED)]),
        ([(OTHER, MPS.ip)], [(3, CONNECTED)]),
        ([(HERE.host, "192.0.2.91")], [(3, CONNECTED)]),
    ],
)
def test_the_look_up_comes_before_the_call(
    bench: Bench, asked_for: list[tuple[Host, str]], first: list[tuple[int, str]]
) -> None:
    lab = Lab()
    for host, address in asked_for:
        ask(lab, host, address)
    lab.talk(HERE.host, MPS, 4433, [(TO_SERVER, apf.version(HERE.uuid))])
    assert evidence(bench, "AMT-CIRA-012", lab)[: len(first)] == first


def test_a_look_up_behind_the_call_is_not_of_it(bench: Bench) -> None:
    lab = talked()
    ask(lab, HERE.host, MPS.ip)
    assert evidence(bench, "AMT-CIRA-012", lab)[0] == (1, CONNECTED)


@pytest.mark.parametrize("before", [True, False])
def test_the_look_up_of_a_server_that_is_not_reached(bench: Bench, before: bool) -> None:
    lab = talked(*ACCEPTED)
    lab.wait(60)
    number = len(lab.packets) + 1
    if before:
        ask(lab, HERE.host, MPS.ip)
    lab.refused(HERE.host, MPS, 4433)
    if not before:
        ask(lab, HERE.host, MPS.ip)
    found = evidence(bench, "AMT-CIRA-010", lab)
    names = [each for each in found if each[1].startswith("name")]
    assert names == ([(number + 1, TOLD)] if before else [])
    assert len(found) == 1 + before


TRACE = """\
2007-11-05 {hour}:00:00 - MPSCMD: --> PROTOCOLVERSION 1 0 {uuid}
2007-11-05 {hour}:00:00 - MPS: CIRA connection for unknown node. groupid: mesh//AAAABBBBCCCC, uuid: {uuid}
"""


def test_the_line_of_a_trace_in_local_time(bench: Bench) -> None:
    lab = talked(*LOGIN, by=TO_CLIENT)
    trace = bench.file("trace.log", TRACE.format(hour=11, uuid=HERE.uuid))
    (alone,), (both,) = bench.found("AMT-CIRA-003", lab), bench.found("AMT-CIRA-003", lab, trace)
    assert (alone["verdict"], both["verdict"]) == ("likely", "confirmed")
    (line,) = [each for each in both["evidence"] if each not in alone["evidence"] and "line" in each]
    assert line["line"] == 2
    assert line["text"].startswith("the server's log says so: ")
    assert str(HERE.uuid) in line["text"]
    other = bench.file("other.log", TRACE.format(hour=11, uuid=made(62, "example.com").uuid))
    assert bench.found("AMT-CIRA-003", lab, other)[0]["verdict"] == "likely"
    greeting, unknown = TRACE.format(hour=11, uuid=HERE.uuid).splitlines()
    apart = bench.file("apart.log", f"{greeting}\n{unknown.replace('11:00', '12:00')}\n")
    assert bench.found("AMT-CIRA-003", lab, apart)[0]["verdict"] == "likely"


def test_environment_detection_that_is_written_to_the_machine(bench: Bench) -> None:
    name = "AMT_EnvironmentDetectionSettingData"
    uri = f"http://intel.com/wbem/wscim/1/amt-schema/1/{name}"
    body = f'<h:{name} xmlns:h="{uri}"><h:DetectionStrings>example.com</h:DetectionStrings></h:{name}>'

    def soap(first: str, action: str) -> bytes:
        envelope = (
            '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
            'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
            'xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"><s:Header>'
            f"<a:Action>http://schemas.xmlsoap.org/ws/2004/09/transfer/{action}</a:Action>"
            f"<w:ResourceURI>{uri}</w:ResourceURI></s:Header><s:Body>{body}</s:Body></s:Envelope>"
        )
        head = f"{first}\r\nContent-Type: application/soap+xml\r\nContent-Length: {len(envelope)}\r\n\r\n"
        return (head + envelope).encode()

    lab = Lab()
    lab.dhcp(HERE)
    said = [(TO_SERVER, soap("POST /wsman HTTP/1.1", "Put")), (TO_CLIENT, soap("HTTP/1.1 200 OK", "PutResponse"))]
    lab.talk(Host("00:00:5e:00:53:0a", "192.0.2.10"), HERE.host, 16992, said)
    finding = bench.fires("AMT-CIRA-008", lab, severity="high", verdict="likely")
    assert '"example.com"' in finding["title"]


def test_old_firmware_that_finds_no_tls_in_common(bench: Bench) -> None:
    """Nothing but its way of calling says that it is AMT: no server name, TLS 1.1 at most, again and again."""
    for times, found in ((1, []), (3, ["AMT-CIRA-011"])):
        lab = Lab()
        for _ in range(times):
            hello = PskConnection(lab.rng, b"", b"", version=TLS11).client_hello()
            lab.talk(HERE.host, MPS, 4433, [(TO_SERVER, hello)], "reset", TO_CLIENT)
            lab.wait(20)
        assert [each["id"] for each in bench.report(lab)["findings"] if each["id"].startswith("AMT-CIRA-011")] == found


def test_a_call_that_goes_well_says_nothing_else(bench: Bench) -> None:
    lab = talked(*ACCEPTED, (TO_CLIENT, apf.opening(4, 16992)), (TO_SERVER, apf.confirmation(4, 4)))
    found = {each["id"] for each in bench.report(lab)["findings"] if each["severity"] != "info"}
    assert not found


def test_machines_behind_one_address_are_told_apart(bench: Bench) -> None:
    """As a capture at the server shows them, behind one router."""
    lab, other = talked(*LOGIN, (TO_CLIENT, apf.refusal())), made(62, "example.com")
    lab.talk(HERE.host, MPS, 4433, [(TO_SERVER, apf.version(other.uuid)), *ACCEPTED])
    report = bench.report(lab)
    by_id = {device["id"]: device["uuid"] for device in report["devices"]}
    assert set(by_id.values()) == {str(HERE.uuid), str(other.uuid)}
    refusals = [each for each in report["findings"] if each["id"] == "AMT-CIRA-002"]
    assert [by_id[each["device_id"]] for each in refusals] == [str(HERE.uuid)]
    assert [each["severity"] for each in refusals] == ["high"]
