"""Captures that show less than they seem to: what is wrong is said, and nothing is concluded from what is missing."""

from __future__ import annotations

import io
import random
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from diagnosis_lab import SCS, Bench, Lab, command, desk
from test_hello_and_contact import greeted, psk

from amtdecode.capture import open_capture
from pcaps import messages
from pcaps.build import Host, Pcap, datagram, packed
from pcaps.make import NETWORK

if TYPE_CHECKING:
    from collections.abc import Callable

DATA = Path(__file__).resolve().parent.parent / "data" / "health"
HERE = desk()
Frames = list[tuple[int, bytes, int]]  # time in nanoseconds, captured bytes, length on the wire


def frames_of(lab: Lab) -> Frames:
    return [(time, data, len(data)) for time, data, _ in sorted(lab.packets, key=lambda packet: packet[0])]


def written(frames: Frames, *, nanoseconds: bool = False) -> bytes:
    file = io.BytesIO()
    capture = Pcap(file, nanoseconds=nanoseconds)
    for time, data, original in frames:
        capture.packet(time, data, original)
    return file.getvalue()


def report_of(bench: Bench, *captures: bytes) -> dict[str, Any]:
    return bench.report(None, *(bench.file(f"c{number}.pcap", data) for number, data in enumerate(captures)))


def ids(report: dict[str, Any]) -> set[str]:
    return {finding["id"] for finding in report["findings"]}


def not_judged(report: dict[str, Any], rule: str) -> str:
    return "; ".join(entry["missing"] for entry in report["not_judged"] if entry["id"] == rule)


def said(report: dict[str, Any]) -> str:
    return "; ".join(clause for health in report["health"] for clause in health.get("said", []))


def outcomes(report: dict[str, Any]) -> set[str]:
    return {attempt["outcome"] for device in report["devices"] for attempt in device["attempts"]}


def from_host(address: str) -> Callable[[bytes], bool]:
    source = packed(address)
    start = 26 if len(source) == 4 else 22
    return lambda frame: frame[start : start + len(source)] == source


# -- captures kept as files -------------------------------------------------------------------------------------------


def test_field_25_one_direction(bench: Bench) -> None:
    report = bench.report(None, str(DATA / "one_direction.pcap"))
    assert "captured in one direction only: 9 of 9 connections;" in said(report)
    assert "AMT-CONN-001" not in ids(report)
    assert "one" in not_judged(report, "AMT-CONN-001")
    assert "failed" not in outcomes(report)


def test_field_30_snap_length(bench: Bench) -> None:
    report = bench.report(None, str(DATA / "cut_262.pcap"))
    assert "packets cut at 262 bytes (at least 3 of 15" in said(report)
    assert outcomes(report) == {"unknown"}
    assert not ids(report)


def test_field_40_one_query_captured_twice(bench: Bench) -> None:
    report = bench.report(None, str(DATA / "dns_once_dup.pcap"))
    assert not ids(report)


def test_field_47_the_mirror_drops_a_flight(bench: Bench) -> None:
    report = bench.report(None, str(DATA / "mirror_drop.pcap"))
    assert "3064 bytes missing in 1 stream" in said(report)
    assert outcomes(report) == {"unknown"}


def test_field_63_bytes_lost_ahead_of_a_fin(bench: Bench) -> None:
    report = bench.report(None, str(DATA / "lost_before_fin.pcap"))
    assert report["health"][0]["gap_bytes"] == 900
    assert "failed" not in outcomes(report)
    assert not {"AMT-PSK-008", "AMT-RCFG-037", "AMT-RCFG-038"} & ids(report)


def test_scene_59_a_whole_alert_among_cut_packets(bench: Bench) -> None:
    report = bench.report(None, str(DATA / "psk_wrong_cut_96.pcap"))
    assert report["findings"][0]["id"] == "AMT-PSK-003"
    assert "packets cut at 96 bytes" in said(report)
    assert "AMT-DNS-004" not in ids(report)  # the answer is cut, not empty


# -- every kind, built ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [54, 60, 64, 68, 96, 128, 262, 600])
def test_cut_packets_never_give_a_confirmed_absence(bench: Bench, size: int) -> None:
    lab = Lab()
    lab.dhcp(HERE)
    lab.found(HERE)
    lab.greet(HERE)
    lab.psk(HERE)
    lab.wait(200)
    lab.who_has(SCS, "192.0.2.99", 1)
    cut = [(time, data[:size], original) for time, data, original in frames_of(lab)]
    report = report_of(bench, written(cut))
    if size > 200:  # only DHCP is cut: the silent close is whole
        assert "AMT-NET-001" not in ids(report)
        return
    assert f"packets cut at {size} bytes" in said(report)
    assert "failed" not in outcomes(report)
    assert all(finding["severity"] in ("info", "low") for finding in report["findings"]), ids(report)


def test_lengths_of_offload_are_said_and_read(bench: Bench) -> None:
    lab = greeted(psk())
    clean = report_of(bench, written(frames_of(lab)))
    for total in (0, 20):
        frames = [
            (
                time,
                data[:16] + struct.pack(">H", total) + data[18:] if data[23] == 6 and len(data) > 60 else data,
                size,
            )
            for time, data, size in frames_of(lab)
        ]
        report = report_of(bench, written(frames))
        assert report["health"][0]["odd_lengths"] == 1
        assert "the captured length was taken" in said(report)
        assert [device["uuid"] for device in report["devices"]] == [device["uuid"] for device in clean["devices"]]


def test_nanoseconds_in_a_file_of_microseconds(bench: Bench) -> None:
    lab = greeted(psk())
    lab.refused(SCS, HERE.host, 16993)
    capture = bytearray(written(frames_of(lab), nanoseconds=True))
    capture[:4] = struct.pack("<I", 0xA1B2C3D4)
    report = report_of(bench, bytes(capture))
    assert "the times are nanoseconds" in said(report)
    assert "AMT-CONN-002" in ids(report)


@pytest.mark.parametrize("delay_us", [10, 900, 5000])
def test_a_mirror_that_delivers_twice(bench: Bench, delay_us: int) -> None:
    """The copy has another TTL and other MAC addresses."""
    lab = Lab()
    for number in range(3):
        lab.greet(HERE, messages.hello_psk(HERE.uuid, retry=number) if number else None)
        lab.wait(60)
    lab.syns(SCS, HERE.host, 16993, times=1)
    lab.wait(100)
    lab.who_has(SCS, "192.0.2.99", 1)
    frames = []
    for time, data, size in frames_of(lab):
        copy = b"\x02\0\0\0\0\1\x02\0\0\0\0\2" + data[12:]
        frames += [(time, data, size), (time + delay_us * 1000, copy, size)]
    report = report_of(bench, written(sorted(frames)))
    assert not {"AMT-CONN-001", "AMT-REPLAY-001", "AMT-REPLAY-002", "AMT-HELLO-008"} & ids(report)
    assert report["health"][0]["duplicates"]


@pytest.mark.parametrize("seen", ["server", "machine"])
def test_one_leg_of_a_tap(bench: Bench, seen: str) -> None:
    lab = greeted(psk())
    lab.psk(HERE, alert=(2, 20))
    lab.wait(5)
    lab.syns(SCS, HERE.host, 16993)
    lab.wait(60)
    lab.who_has(SCS, "192.0.2.99", 1)
    wanted = from_host(SCS.ip if seen == "server" else HERE.host.ip)
    report = report_of(bench, written([frame for frame in frames_of(lab) if wanted(frame[1])]))
    assert "captured in one direction only" in said(report)
    assert not {"AMT-CONN-001", "AMT-HELLO-002", "AMT-HELLO-003", "AMT-DNS-003"} & ids(report)


def test_silence_between_two_files_is_no_silence(bench: Bench) -> None:
    first = Lab()
    first.found(HERE)
    second = Lab()
    second.now += 19 * 365 * 86400 * 10**9
    second.who_has(SCS, "192.0.2.99", 1)
    captures = [written(frames_of(lab)) for lab in (first, second)]
    report = report_of(bench, *captures)
    assert "AMT-HELLO-001" not in ids(report)
    assert "less than two hello intervals" in not_judged(report, "AMT-HELLO-001")
    together = report_of(bench, written([*frames_of(first), *frames_of(second)]))
    assert "without a packet" in said(together)
    assert "AMT-HELLO-001" not in ids(together)
    first.wait(300)
    first.who_has(SCS, "192.0.2.99", 1)
    assert "AMT-HELLO-001" in ids(report_of(bench, written(frames_of(first))))


def test_the_last_packet_ends_the_capture_not_the_last_thing_said(bench: Bench) -> None:
    lab = Lab()
    lab.found(HERE)
    lab.wait(300)
    lab.put([datagram(Host("02:00:00:00:00:09", "192.0.2.77"), NETWORK.dns, 5000, 5001, b"nobody reads this")])
    assert "AMT-HELLO-001" in ids(report_of(bench, written(frames_of(lab))))


def test_a_damaged_file_is_told_as_read_tells_it(bench: Bench) -> None:
    lab = greeted(psk())
    whole = written(frames_of(lab))
    report = report_of(bench, whole[:-7])
    assert report["health"][0]["damage"] == [
        f"pcap cut at byte {len(whole) - 7}: the file ends inside a packet, 7 bytes missing"
    ]
    code, out, _ = command("diagnose", "-q", bench.file("cut.pcap", whole[:-7]))
    assert code == 0
    told = " ".join(out.split())
    assert f"damaged: pcap cut at byte {len(whole) - 7}: the file ends inside a packet, 7 bytes missing" in told


@pytest.mark.parametrize(
    ("port", "head", "name"),
    [
        (4789, bytes.fromhex("0800000000000100"), "VXLAN"),
        (8472, bytes.fromhex("0800000000000100"), "VXLAN"),
        (6081, bytes.fromhex("0000655800000100"), "Geneve"),
        (2152, bytes.fromhex("30ff002000000001"), "GTP-U"),
    ],
)
def test_tunnels_are_unwrapped_and_named(bench: Bench, port: int, head: bytes, name: str) -> None:
    lab = greeted(psk())
    one, other = Host("02:00:00:00:00:01", "198.51.100.1"), Host("02:00:00:00:00:02", "198.51.100.2")
    inside = 14 if name == "GTP-U" else 0
    frames = [(time, datagram(one, other, 50000, port, head + data[inside:]), 0) for time, data, _ in frames_of(lab)]
    report = report_of(bench, written([(time, data, len(data)) for time, data, _ in frames]))
    health = report["health"][0]
    assert (health["unwrapped"], "unread" in health) == ([f"{name}: {len(frames)} packets"], False)
    bare = report_of(bench, written(frames_of(lab)))
    assert [device["uuid"] for device in report["devices"]] == [device["uuid"] for device in bare["devices"]]
    assert ids(report) == ids(bare)


def test_what_is_sealed_in_a_tunnel_is_counted(bench: Bench) -> None:
    lab = greeted(psk())
    frames = [(time, data[:23] + b"\x32" + data[24:], size) for time, data, size in frames_of(lab)]  # IP protocol 50
    health = report_of(bench, written(frames))["health"][0]
    assert ("unwrapped" in health, health["unread"]) == (False, [f"ESP: {len(frames)} packets"])


def test_random_cuts_and_losses_never_confirm_a_failure(bench: Bench) -> None:
    """A setup that works, spoilt by chance: nothing may be confirmed to have failed."""
    rng = random.Random(11)
    path = Path(__file__).resolve().parent.parent.parent / "pcaps" / "psk_clean.pcapng"
    whole: Frames = []
    for _, buffer, start, captured, original, high, low, interface in open_capture(str(path)):
        time = interface.time_ns(high, low)
        if time is not None and captured:
            whole.append((time, buffer[start : start + captured], original))
    clean = {finding["id"] for finding in report_of(bench, written(whole))["findings"]}
    for _ in range(60):
        begin, end = sorted((rng.randrange(len(whole)), rng.randrange(1, len(whole) + 1)))
        size = rng.choice([60, 96, 128, 600, 2000])
        kept = [(time, data[:size], original) for time, data, original in whole[begin:end] if rng.random() > 0.1]
        report = report_of(bench, written(kept))
        wrong = [
            finding
            for finding in report["findings"]
            if finding["verdict"] == "confirmed"
            and finding["severity"] in ("critical", "high")
            and finding["id"] not in clean
        ]
        assert not wrong, (begin, end, size, wrong)


# -- what is a machine ------------------------------------------------------------------------------------------------


def test_a_port_scan_finds_no_machine(bench: Bench) -> None:
    lab = Lab()
    for port in (16992, 16993):
        lab.syns(Host("02:00:00:00:00:09", "198.51.100.9"), HERE.host, port, times=2)
    lab.wait(60)
    report = bench.report(lab)
    assert not report["devices"]
    assert not report["findings"]
    assert command("diagnose", "-q", str(lab.write(bench.folder / "scan.pcap")))[0] == 4


def test_a_scan_of_many_hosts_finds_no_machine(bench: Bench) -> None:
    lab = Lab()
    for number in range(40, 60):
        lab.refused(Host("02:00:00:00:00:09", "198.51.100.9"), desk(number).host, 16992)
    assert not bench.report(lab)["devices"]


def test_who_is_asked_for_again_and_again_is_possibly_a_machine(bench: Bench) -> None:
    lab = Lab()
    lab.syns(Host("02:00:00:00:00:09", "198.51.100.9"), HERE.host, 16993, times=3)
    lab.wait(60)
    lab.who_has(SCS, "192.0.2.99", 1)
    report = bench.report(lab)
    assert [finding["verdict"] for finding in report["findings"] if finding["severity"] != "info"] == ["possible"]
    assert outcomes(report) == {"unknown"}
    lab = Lab()
    lab.syns(SCS, HERE.host, 16993, times=3)
    lab.greet(desk(50))  # its server is one of setup
    lab.wait(60)
    lab.who_has(SCS, "192.0.2.99", 1)
    bench.fires("AMT-CONN-001", lab, verdict="confirmed")
