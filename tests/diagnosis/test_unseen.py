"""What the capture did not show: bytes acknowledged and never seen, cut replies, an identity that was cut."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pki_lab as pki
import pytest
from diagnosis_lab import CLIENT_FLIGHT, SCS, Bench, Lab, desk, lease_options
from scene_faults import FAULTS, PKI, PSK, Play, setup
from test_health_of_the_capture import frames_of, not_judged, report_of, said, written
from test_psk_and_rcfg import presented, sound

from pcaps import messages, tls
from pcaps.build import ACK, TO_CLIENT, TO_SERVER, datagram, packed
from pcaps.make import NETWORK

if TYPE_CHECKING:
    from pcaps.build import Connection

HERE = desk()


def opened(lab: Lab) -> Connection:
    tcp = lab.connection(SCS, HERE.host, 16993)
    lab.put(tcp.open())
    return tcp


@pytest.mark.parametrize("vlan", [None, 7])
@pytest.mark.parametrize("lost", [0, 1, 900])
def test_a_bare_acknowledgment_proves_bytes_that_never_came(bench: Bench, lost: int, vlan: int | None) -> None:
    """One byte may be a FIN, which takes a number too."""
    lab = Lab()
    lab.greet(HERE)
    tcp = opened(lab)
    secure = tls.PskConnection(lab.rng, b"0000037M", messages.PSK, hint=None)
    lab.put(tcp.send(TO_SERVER, secure.client_hello()))
    tcp.seq[TO_CLIENT] += lost
    lab.put([tcp.segment(TO_SERVER, flags=ACK)])
    lab.wait(60)
    lab.who_has(SCS, "192.0.2.99", 1)
    frames = frames_of(lab)
    if vlan:
        tag = struct.pack(">HH", 0x8100, vlan)
        frames = [(time, data[:12] + tag + data[12:], size + 4) for time, data, size in frames]
    report = report_of(bench, written(frames))
    assert report["health"][0].get("gap_bytes", 0) == (lost if lost > 1 else 0)
    assert ("900 bytes missing in 1 stream" in said(report)) is (lost > 1)


def test_a_machine_that_asks_for_nothing_is_not_told_of_where_bytes_are_lost(bench: Bench) -> None:
    flights = pki.until_client(pki.shake(sound(), ask=False))
    whole = presented(sound(), flights=flights)
    bench.fires("AMT-RCFG-021", whole)
    lossy = presented(sound(), flights=flights)
    last = max(number for number, packet in enumerate(lossy.packets) if len(packet[1]) > 300)
    del lossy.packets[last]
    bench.silent("AMT-RCFG-021", lossy)


def test_alert_40_names_no_cause_where_bytes_are_lost(bench: Bench) -> None:
    lab = presented(sound(), code=40)
    assert "no client certificate" not in bench.fires("AMT-RCFG-035", lab)["explanation"]
    lossy = presented(sound(), code=40)
    first = next(number for number, packet in enumerate(lossy.packets) if len(packet[1]) > 1200)
    del lossy.packets[first]
    assert "not in this capture" in bench.fires("AMT-RCFG-035", lossy)["explanation"]


def _psk(alert: int, *, greeted: bool = True, identity: bool = True) -> Lab:
    lab = Lab()
    if greeted:
        lab.greet(HERE)
    lab.psk(HERE, stop=CLIENT_FLIGHT, alert=(2, alert))
    if not identity:  # the ClientKeyExchange is cut behind its header
        lab.packets = [
            (time, data[:66] if b"0000037M" in data[60:] and len(data) > 150 else data, wire)
            for time, data, wire in lab.packets
        ]
    return lab


@pytest.mark.parametrize(
    ("alert", "greeted", "verdict", "title"),
    [
        (51, True, "confirmed", "The secrets (PPS) of server and machine differ; the PID is the same"),
        (20, True, "confirmed", "The secrets (PPS) of server and machine differ; the PID is the same"),
        (51, False, "likely", "The secrets (PPS) of server and machine differ"),
        (20, False, "confirmed", "The secrets (PPS) of server and machine differ"),
    ],
)
def test_alert_51_may_speak_of_the_pid_where_no_hello_tells_it(
    bench: Bench, alert: int, greeted: bool, verdict: str, title: str
) -> None:
    finding = bench.fires("AMT-PSK-003", _psk(alert, greeted=greeted), verdict=verdict)
    assert finding["title"] == title


def _reply(domain: str) -> bytes:
    mac = bytes.fromhex(HERE.host.mac.replace(":", ""))
    client = struct.pack(">HHHH", 1, 10, 3, 1) + mac
    server = struct.pack(">HHHH", 2, 10, 3, 1) + bytes(6)
    address = bytes.fromhex("20010db8000000000000000000000030") + struct.pack(">II", 3600, 7200)
    association = (
        struct.pack(">HHIII", 3, 12 + 4 + len(address), 1, 0, 0) + struct.pack(">HH", 5, len(address)) + address
    )
    name = b"".join(bytes([len(label)]) + label.encode() for label in domain.split(".")) + b"\0"
    return b"\x07\0\0\1" + client + server + association + struct.pack(">HH", 24, len(name)) + name


@pytest.mark.parametrize("cut", [False, True])
def test_a_cut_reply_of_dhcpv6_may_have_named_the_domain(bench: Bench, cut: bool) -> None:
    lab = Lab()
    lab.dhcp(HERE, options=lease_options(None))
    v6 = HERE.host._replace(ip="fe80::30")
    here = len(lab.packets)
    lab.put([datagram(NETWORK.dhcp._replace(ip="fe80::1"), v6, 547, 546, _reply("example.com"))])
    lab.greet(HERE, messages.hello_pki(HERE.uuid, messages.ROOTS_SHA256[:4]))
    frames = frames_of(lab)
    if cut:
        time, data, size = frames[here]
        frames[here] = time, data[:-12], size
    report = report_of(bench, written(frames))
    assert "AMT-NET-001" not in {finding["id"] for finding in report["findings"]}
    assert ("cut" in not_judged(report, "AMT-NET-001")) is cut


@pytest.mark.parametrize(("silent", "outcome"), [(150, "unknown"), (700, "committed")])
def test_silence_is_measured_by_how_often_the_machine_says_hello(bench: Bench, silent: int, outcome: str) -> None:
    """A commit that was refused looks the same from outside: only the next hello tells."""
    lab = Lab()
    run = Play(lab, HERE, PSK, "3.0.5", tls.TLS10)
    run.hello()
    lab.wait(300)
    run.hello()
    run.calls(setup(run.version))
    lab.wait(silent)
    lab.who_has(NETWORK.scs, "192.0.2.99", 1)
    report = bench.report(lab)
    assert [attempt["outcome"] for device in report["devices"] for attempt in device["attempts"]] == [outcome]


def test_short_waits_are_not_told_as_zero_seconds(bench: Bench) -> None:
    lab = Lab()
    lab.greet(HERE)
    lab.wait(1)
    lab.talk(SCS, HERE.host, 16992, [(TO_SERVER, setup("3.0.5")[0][0])] * 4, by=TO_CLIENT)
    lab.wait(100)
    lab.who_has(SCS, "192.0.2.99", 1)
    text = str(bench.report(lab))
    assert "0.0 s" not in text


# -- scenes by hand: what they found ----------------------------------------------------------------------------------


def _begun(method: str = PSK, steps: tuple[str, ...] = ("lease", "name", "hello")) -> tuple[Lab, Play]:
    lab = Lab()
    lab.now = int(pki.AT.timestamp()) * 1_000_000_000
    run = Play(lab, HERE, method, "4.2.20", tls.TLS10)
    for step in steps:
        run.sound(step)
    return lab, run


def _ended(lab: Lab, run: Play) -> Lab:
    lab.wait(60)
    run.hello()
    lab.wait(300)
    lab.who_has(NETWORK.scs, "192.0.2.99", 1)
    return lab


@pytest.mark.parametrize("size", [96, 128])
@pytest.mark.parametrize(
    ("kind", "alert", "rule"),
    [("unmarked", 42, "AMT-RCFG-027"), ("expired", 45, "AMT-RCFG-030"), ("gap", 48, "AMT-RCFG-032")],
)
def test_an_alert_is_judged_where_hello_and_certificates_are_cut(
    bench: Bench, kind: str, alert: int, rule: str, size: int
) -> None:
    lab, run = _begun(PKI)
    run.presented(kind, alert)
    frames = [(time, data[:size], original) for time, data, original in frames_of(_ended(lab, run))]
    above = [found["id"] for found in report_of(bench, written(frames))["findings"] if found["severity"] != "info"]
    assert above == [rule]


def test_a_server_that_asks_for_the_machine_by_arp_only(bench: Bench) -> None:
    lab, _ = _begun()
    lab.wait(5)
    lab.who_has(SCS, HERE.host.ip, 6)
    lab.wait(300)
    bench.fires("AMT-CONN-001", lab, severity="high", verdict="likely")
    for asker, before in ((NETWORK.dns, False), (SCS, True)):
        other, run = _begun(steps=("lease", "name"))
        if before:
            other.who_has(asker, HERE.host.ip, 6)
        run.hello()
        if not before:
            other.who_has(asker, HERE.host.ip, 6)
        other.wait(300)
        bench.silent("AMT-CONN-001", other)


def test_a_router_that_turns_the_hello_away(bench: Bench) -> None:
    lab, _ = _begun(steps=("lease", "name"))
    lab.unreachable(HERE.host, SCS, 9971)
    lab.wait(60)
    lab.who_has(SCS, "192.0.2.99", 1)
    finding = bench.fires("AMT-HELLO-002", lab, severity="high", verdict="confirmed")
    assert "turned away by 192.0.2.1" in finding["title"]
    other, _ = _begun(steps=("lease", "name"))
    other.unreachable(desk(31).host, SCS, 9971)
    other.wait(60)
    other.syns(HERE.host, SCS, 9971, 1)
    assert "turned away" not in str(bench.found("AMT-HELLO-002", other))


def test_a_wrong_name_is_found_though_the_machine_says_hello_again(bench: Bench) -> None:
    lab, run = _begun()
    away = NETWORK.dns._replace(mac="02:00:00:00:00:09", ip="192.0.2.140")
    lab.dns(SCS, f"desk-30.{HERE.domain}", [(f"desk-30.{HERE.domain}", messages.A, packed(away.ip))])
    lab.syns(SCS, away, 16993)
    bench.fires("AMT-CONN-003", _ended(lab, run), verdict="confirmed")


def test_a_clock_that_was_not_set_expires_no_certificate(bench: Bench) -> None:
    lab = Lab()
    lab.now = 10**9
    run = Play(lab, HERE, PKI, "4.2.20", tls.TLS10)
    run.hello()
    run.presented("sound", 42)
    bench.silent("AMT-CERT-001", _ended(lab, run))


def test_a_login_refused_in_a_log_of_rpc(bench: Bench) -> None:
    line = (
        'time="2024-05-01T10:00:05Z" level=error msg="Status: Unable to authenticate with AMT. Exceeded Retry Attempts"'
    )
    finding = bench.fires(
        "AMT-LOG-STEP", None, bench.file("rpc.log", line + "\n"), severity="high", verdict="confirmed"
    )
    assert "password" in finding["title"]


def test_a_tls_failure_without_a_number_is_not_told_beside_its_number(bench: Bench) -> None:
    text = (
        "Error 0x80090325 returned by InitializeSecurityContext during follow up TLS handshaking with server.\n"
        "**** Error 0x4d89b4c returned by ApplyControlToken\n"
    )
    found = bench.found("AMT-LOG-SCH", None, bench.file("amtopmgr.log", text))
    assert ["0x80090325" in each["title"] for each in found] == [True]


@pytest.mark.parametrize(("greeted", "found"), [(True, []), (False, ["likely"])])
def test_a_setup_that_began_before_the_capture_is_not_surely_management(
    bench: Bench, greeted: bool, found: list[str]
) -> None:
    lab, run = _begun(PKI, ("hello",) if greeted else ())
    FAULTS["certificate: the server refuses the machine's"].play(run)
    lab.wait(60)
    run.hello()  # it goes on, which does not make what was before it management
    assert [each["verdict"] for each in bench.found("AMT-CERT-007", lab)] == found
