"""The makers of captures: the same bytes each time, and nothing tshark calls malformed."""

from __future__ import annotations

import hashlib
import io
import random
import sys
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import oracle
import pytest

import amtdecode
from benchmarks import captures
from benchmarks.makers import apf, fleet, hello, office, scslog, tls, traffic, wsman, wsman_real
from pcaps import make, messages
from pcaps.build import Pcap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parents[2]
PACKETS = 3000
SMALL: dict[str, Callable[[], Iterator[tuple[int, bytes]]]] = {
    "hello-storm": lambda: hello.hello_storm(PACKETS),
    "office-noise": lambda: office.office_noise(PACKETS),
    "office-short": lambda: office.short_connections(PACKETS),
    "tls-bulk": lambda: tls.bulk(1 << 20),
    "tls-bulk-one-way": lambda: tls.bulk_one_way(1 << 20),
    "psk-handshakes": lambda: tls.psk_handshakes(800),
    "tls-cbc": lambda: tls.small_records(1 << 19),
    "wsman": lambda: wsman.wsman(PACKETS),
    "http-bulk": lambda: apf.bare(1 << 20),
    "apf-bulk": lambda: apf.carried(1 << 20),
    "fleet": lambda: fleet.fleet(60),
}


def write(name: str, path: Path) -> int:
    with path.open("wb") as file:
        capture = Pcap(file)
        for time_ns, frame in SMALL[name]():
            capture.packet(time_ns, frame)
    return capture.count


def run(tshark: str, path: Path, *words: str) -> list[str]:
    command = [tshark, "-n", "-r", str(path), *words]
    return oracle.run(command, text=True, check=True).stdout.splitlines()


@pytest.mark.parametrize("name", SMALL)
def test_the_same_packets_each_time_and_in_order(name: str) -> None:
    one, other = list(SMALL[name]()), list(SMALL[name]())
    assert one == other
    assert len(one) > 500
    times = [time_ns for time_ns, _ in one]
    assert times == sorted(times)


@pytest.mark.parametrize("name", SMALL)
def test_tshark_reads_every_packet_and_finds_no_fault(name: str, tshark: str, tmp_path: Path) -> None:
    path = tmp_path / "made.pcap"
    count = write(name, path)
    sums = [word for layer in ("ip", "tcp", "udp") for word in ("-o", f"{layer}.check_checksum:TRUE")]
    wrong = " || ".join(["_ws.malformed", *(f"{layer}.checksum.status == 0" for layer in ("ip", "tcp", "udp"))])
    order = ("-o", "tcp.reassemble_out_of_order:TRUE")
    assert run(tshark, path, *sums, *order, "-Y", wrong) == []
    assert len(run(tshark, path, "-T", "fields", "-e", "frame.number")) == count


@pytest.mark.parametrize("name", ["psk-handshakes", "tls-cbc", "tls-bulk"])
def test_intels_documented_pair_opens_what_is_sealed(name: str, tshark: str, tmp_path: Path) -> None:
    path, log = tmp_path / "made.pcap", tmp_path / "tls.log"
    write(name, path)
    key = ("-o", f"tls.psk:{messages.PSK.hex()}", "-o", f"tls.debug_file:{log}", "-d", "tcp.port==16993,tls")
    run(tshark, path, *key, "-Y", "tls.handshake.type == 20", "-T", "fields", "-e", "frame.number")
    text = log.read_text(errors="replace")
    assert "mac failed" not in text
    assert text.count("mac ok") >= 16


def test_a_handshake_connection_has_16_packets_and_a_hello_about_nine(tshark: str, tmp_path: Path) -> None:
    path = tmp_path / "made.pcap"
    write("psk-handshakes", path)
    assert {len(list(tls.psk_connection(random.Random(1), number))) for number in range(5)} == {16}
    write("hello-storm", path)
    hellos = run(tshark, path, "-Y", "tcp.dstport == 9971 && tcp.flags.syn == 1", "-T", "fields", "-e", "tcp.stream")
    assert 8.5 < PACKETS / len(set(hellos)) < 10.5


def test_short_connections_have_8_packets_and_two_in_a_hundred_are_hellos(tshark: str, tmp_path: Path) -> None:
    path = tmp_path / "made.pcap"
    write("office-short", path)
    rows = [line.split("\t") for line in run(tshark, path, "-T", "fields", "-e", "tcp.stream", "-e", "tcp.dstport")]
    sizes = Counter(stream for stream, _ in rows)
    begun = int(rows[-1][0]) + 1
    assert sizes.most_common()[begun // 2][1] == 8
    hellos = {stream for stream, port in rows if port == "9971"}
    assert 1 <= len(hellos) <= begun * 0.05


def test_one_way_there_is_only_one_side(tshark: str, tmp_path: Path) -> None:
    path = tmp_path / "made.pcap"
    write("tls-bulk-one-way", path)
    assert set(run(tshark, path, "-T", "fields", "-e", "tcp.srcport")) == {"16993"}


def test_two_in_a_hundred_office_flows_are_of_amt(tshark: str, tmp_path: Path) -> None:
    assert sum(weight for weight, _ in office.MIX) == 1000
    assert sum(weight for weight, kind in office.MIX if kind.__name__.startswith("amt")) == 20


def test_one_packet_in_a_hundred_of_the_exchanges_is_early(tshark: str, tmp_path: Path) -> None:
    path = tmp_path / "made.pcap"
    count = write("wsman", path)
    late = run(tshark, path, "-Y", "tcp.analysis.out_of_order", "-T", "fields", "-e", "frame.number")
    assert 0.005 < len(late) / count < 0.015


@pytest.fixture
def answers(shared: Path) -> list[wsman_real.Recorded]:
    if not (shared / captures.RECORDED).is_dir():
        pytest.skip("no recorded answers")
    return wsman_real.recorded(shared / captures.RECORDED)


def test_every_recorded_answer_belongs_to_its_request_and_none_comes_twice(answers) -> None:
    assert len(answers) == 297
    rng, seen = random.Random(1), set()
    for number in range(3 * len(answers)):
        answer = answers[number % len(answers)]
        asked, told = wsman_real.request_body(answer, rng, number), wsman_real.response_body(answer, rng, number)
        one, other = ET.fromstring(asked), ET.fromstring(told)
        text = {ask: one.findtext(f".//{{{wsman.ADDRESSING}}}{ask}") for ask in ("Action", "MessageID")}
        assert text["MessageID"] == str(number)
        assert other.findtext(f".//{{{wsman.ADDRESSING}}}RelatesTo") in (str(number), None)  # one has none
        action = (other.findtext(f".//{{{wsman.ADDRESSING}}}Action") or "").strip()
        assert text["Action"] == action.removesuffix("Response")
        name = f".//{{{wsman.WSMAN}}}ResourceURI"
        assert one.findtext(name) == (other.findtext(name) or "").strip()
        seen |= {asked, told}
    assert len(seen) == 6 * len(answers)


@pytest.mark.parametrize("packets", [1, 3, 6])
def test_tshark_finds_every_exchange_with_as_many_packets_as_said(answers, packets, tshark, tmp_path: Path) -> None:
    path = tmp_path / "made.pcap"
    with path.open("wb") as file:
        capture = Pcap(file)
        for time_ns, frame in wsman_real.wsman_real(answers, 2000, packets):
            capture.packet(time_ns, frame)
    order = ("-o", "tcp.reassemble_out_of_order:TRUE", "-d", "tcp.port==16992,http")
    codes = run(tshark, path, *order, "-Y", "http.response", "-T", "fields", "-e", "http.response.code")
    responses = ",".join(codes).split(",")
    assert set(responses) == {"200"}
    assert 0.75 < 2000 / len(responses) / packets < 1.25


def test_keys_of_the_fleet_have_right_check_characters() -> None:
    pid, pps = traffic.pid_pps(4711)
    assert pid[-1] == messages.check_character(pid.replace("-", "")[:7])
    assert all(group[3] == messages.check_character(group[:3]) for group in pps.split("-"))
    assert (len(pid), len(pps)) == (9, 39)
    assert len({traffic.pid_pps(number) for number in range(1000)}) == 1000


def test_the_log_has_the_size_asked_for_and_whole_lines() -> None:
    text = "".join(scslog.scs_log(1_000_000))
    assert len(text) == 1_000_000
    assert (
        hashlib.sha256(text.encode()).digest() == hashlib.sha256("".join(scslog.scs_log(1_000_000)).encode()).digest()
    )
    lines = text.split("\r\n")[:-1]
    assert all(line.startswith("11/") for line in lines)
    assert any("Cannot contact back AMT with IP:" in line for line in lines)


def test_every_capture_names_a_maker_that_exists(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AMTDECODE_BENCH_DIR", str(tmp_path))
    monkeypatch.setitem(captures.MAKERS, "hello-storm", captures.MAKERS["hello-storm"]._replace(quick=100))
    path = captures.ensure("hello-storm", quick=True)
    assert path == tmp_path / "quick-hello-storm.pcap"
    for maker in captures.MAKERS.values():
        module, function = maker.function.split(":")
        assert callable(getattr(sys.modules[f"benchmarks.makers.{module}"], function))


@pytest.mark.parametrize("name", make.CAPTURES)
def test_the_synthetic_captures_in_the_repository_are_what_the_code_makes(name: str, tmp_path: Path) -> None:
    assert make.make(name, tmp_path).read_bytes() == (ROOT / "pcaps" / name).read_bytes()


@pytest.mark.parametrize("path", sorted((ROOT / "pcaps").glob("*.pcap*")), ids=lambda path: path.name)
def test_every_capture_has_its_row(path: Path) -> None:
    assert f"`{path.name}`" in (ROOT / "pcaps" / "README.md").read_text()


def test_the_clean_run_opens_and_ends_with_commit_changes(tshark: str) -> None:
    path = ROOT / "pcaps" / "psk_clean.pcapng"
    key = ("-o", f"tls.psk:{messages.PSK.hex()}", "-d", "tcp.port==16993,tls", "-d", "tls.port==16993,http")
    actions = [
        line for line in run(tshark, path, *key, "-Y", "http.request", "-V") if line.startswith("    SOAPAction")
    ]
    assert len(actions) == 7
    assert "#CommitChanges" in actions[-1]


def test_a_capture_in_memory_has_the_length_its_packets_say() -> None:
    file = io.BytesIO()
    capture = Pcap(file)
    frames = [frame for _, frame in islice(hello.hello_storm(20), 20)]
    for frame in frames:
        capture.packet(0, frame)
    assert len(file.getvalue()) == 24 + sum(16 + len(frame) for frame in frames)


def test_a_channel_carries_the_same_http(tmp_path: Path) -> None:
    """The calls read in the channel are those read without it."""
    told = []
    for name in ("http-bulk", "apf-bulk"):
        write(name, path := tmp_path / f"{name}.pcap")
        read = amtdecode.read(str(path))
        told.append([(type(one.event).__name__, one.event.summary()) for one in read if one.protocol != "iamt.apf"])
    assert len(told[0]) > 100
    assert told[0] == told[1]
