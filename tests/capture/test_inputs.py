"""What a program may give in place of a file name: bytes, open files, packets of its own or of other libraries."""

from __future__ import annotations

import gzip
import io
import os
import struct
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
import wire

import amtdecode
from amtdecode.capture import NOTICE, open_capture
from amtdecode.capture.inputs import captures_of

PCAPS = sorted((Path(__file__).resolve().parents[2] / "pcaps").glob("*.pcap*"))
CLASSIC = [path for path in PCAPS if path.suffix == ".pcap"]
of_all = pytest.mark.parametrize("path", PCAPS, ids=lambda path: path.name)
of_classic = pytest.mark.parametrize("path", CLASSIC, ids=lambda path: path.name)


def told(reading):
    """Everything about the observations but the name of their input."""
    return [
        (one.event, one.packet, one.packets, one.time_ns, one.flow, one.direction, one.offset, one.precision)
        for one in reading
    ]


def names(reading):
    return {one.input for one in reading}


def raw(path):
    """Time in nanoseconds, bytes and link type of each packet."""
    return [
        (interface.time_ns(high, low), buffer[start : start + captured], interface.link_type)
        for _, buffer, start, captured, _, high, low, interface in open_capture(str(path))
        if interface.link_type != NOTICE
    ]


def piped(data):
    """A file that cannot go back, filled by another thread."""
    there, here = os.pipe()

    def fill():
        with suppress(BrokenPipeError), open(here, "wb") as file:
            file.write(data)

    threading.Thread(target=fill, daemon=True).start()
    return open(there, "rb")


@of_all
def test_bytes_and_open_files_read_as_the_file_does(path):
    data = path.read_bytes()
    by_name = told(amtdecode.read(path))
    assert by_name
    assert told(amtdecode.read(data)) == by_name
    assert told(amtdecode.read(bytearray(data))) == by_name
    assert told(amtdecode.read(gzip.compress(data))) == by_name
    assert told(amtdecode.read(io.BytesIO(data))) == by_name
    with path.open("rb") as file, path.open("rb", buffering=0) as unbuffered:
        assert told(amtdecode.read(file)) == by_name
        assert told(amtdecode.read(unbuffered)) == by_name
        assert not file.closed
    with piped(data) as pipe:
        assert told(amtdecode.read(pipe)) == by_name
    with gzip.open(io.BytesIO(gzip.compress(data))) as file:
        assert told(amtdecode.read(file)) == by_name


def test_inputs_have_names():
    data = CLASSIC[0].read_bytes()
    assert names(amtdecode.read(data)) == {"<bytes>"}
    assert [one.name for one in captures_of([data, io.BytesIO(data), data])] == ["<bytes>", "<file>", "<bytes 2>"]
    assert [one.name for one in captures_of([[(1, b"x")], [(1, b"x")]])] == ["<packets>", "<packets 2>"]
    with CLASSIC[0].open("rb") as file:
        assert names(amtdecode.read(file)) == {str(CLASSIC[0])}
    assert names(amtdecode.read([(1, b"x", 147)])) == {"<packets>"}


def test_a_file_is_read_from_where_it_stands():
    data = CLASSIC[0].read_bytes()
    file = io.BytesIO(b"before" + data)
    file.seek(6)
    reading = amtdecode.read(file)
    file.seek(0)  # somebody else moves it meanwhile
    assert told(reading) == told(amtdecode.read(data))
    assert not file.closed


@of_classic
def test_packets_read_as_the_file_does(path):
    by_name = told(amtdecode.read(path))
    packets = raw(path)
    link_types = {link_type for _, _, link_type in packets}
    exact = [(Decimal(time).scaleb(-9), data, link_type) for time, data, link_type in packets]
    assert told(amtdecode.read(exact)) == by_name
    assert told(amtdecode.read(iter(exact))) == by_name
    floats = ((time / 1e9, memoryview(data), link_type) for time, data, link_type in packets)
    assert told(amtdecode.read(floats)) == by_name  # to the microsecond, which these captures have
    moments = [
        (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=time // 1000), data, link_type)
        for time, data, link_type in packets
    ]
    assert told(amtdecode.read(moments)) == by_name
    if link_types == {1}:
        assert told(amtdecode.read([(time, data) for time, data, _ in exact])) == by_name


@of_classic
def test_dpkt_readers(path):
    import dpkt

    by_name = told(amtdecode.read(path))
    with path.open("rb") as file:
        assert told(amtdecode.read(dpkt.pcap.Reader(file))) == by_name
    if path.name == "hello.pcap":
        with path.open("rb") as file:
            frames = [(time, dpkt.ethernet.Ethernet(data)) for time, data in dpkt.pcap.Reader(file)]
        assert told(amtdecode.read(frames)) == by_name


@of_classic
def test_scapy_packets(path):
    utils = pytest.importorskip("scapy.utils")
    import scapy.layers.all  # noqa: F401

    by_name = told(amtdecode.read(path))
    packets = utils.rdpcap(str(path))
    assert told(amtdecode.read(packets)) == by_name
    assert told(amtdecode.read(list(packets))) == by_name
    with utils.PcapReader(str(path)) as reader:
        assert told(amtdecode.read(reader)) == by_name


def test_scapy_packets_keep_their_link_types_and_lengths():
    inet = pytest.importorskip("scapy.layers.inet")
    from scapy.layers.l2 import CookedLinux, Ether, Loopback
    from scapy.packet import Raw

    ip = inet.IP(src="192.0.2.1", dst="192.0.2.2") / inet.UDP(sport=1, dport=2) / b"x"
    frames = [Ether() / ip, ip, CookedLinux() / ip, Loopback() / ip, Ether() / ip, Raw(b"x")]
    frames[0].wirelen = 100
    (capture,) = captures_of(frames)
    found = list(open_capture(capture))
    assert [packet[7].link_type for packet in found] == [1, 101, 113, 0, 1, 1]
    assert [packet[4] - packet[3] for packet in found] == [100 - len(frames[0]), 0, 0, 0, 0, 0]
    assert [packet[0] for packet in found] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("time", "time_ns", "precision"),
    [
        (1, 10**9, 6),
        (1_700_000_000.123456, 1_700_000_000_123_456_000, 6),
        (0.1 + 0.2, 300_000_000, 6),
        (Decimal("1700000000.123456789"), 1_700_000_000_123_456_789, 9),
        (Decimal("1700000000.123456000"), 1_700_000_000_123_456_000, 6),
        (Decimal("1E-9"), 1, 9),
        (Decimal("1E-10"), 0, 6),
        (Fraction(1, 3), 333_333_333, 9),
        (datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC), 1_767_323_045_000_006_000, 6),
        (datetime(2026, 1, 2, 4, 4, 5, 6, tzinfo=timezone(timedelta(hours=1))), 1_767_323_045_000_006_000, 6),
        (None, None, 6),
        (float("nan"), None, 6),
        (float("inf"), None, 6),
        (-1.0, None, 6),
        (Decimal("NaN"), None, 6),
        (Decimal("-0.5"), None, 6),
        (1e300, None, 6),
        (Decimal("253402300799.999999999"), 253_402_300_799_999_999_999, 9),
        (Decimal(253402300800), None, 6),
    ],
)
def test_times(time, time_ns, precision):
    (capture,) = captures_of([(time, b"x")])
    ((number, data, start, size, wire_size, high, low, interface),) = open_capture(capture)
    assert (number, data, start, size, wire_size) == (1, b"x", 0, 1, 1)
    assert interface.time_ns(high, low) == time_ns
    assert interface.precision == precision


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ((1_700_000_000_000_000_000, b"x"), r"packet 2: times are in seconds, .* Decimal\(ns\)\.scaleb\(-9\)"),
        ((datetime(2026, 1, 2), b"x"), "packet 2: a datetime needs its time zone"),  # noqa: DTZ001
        ((1, b"x", -1), "packet 2: -1 is no link type"),
        ((1, b"x", "Ethernet"), "packet 2: 'Ethernet' is no link type"),
        ((1, "x"), r"item 2 is of type tuple: packets are \(time, bytes\)"),
        ((b"x", 1), "item 2 is of type tuple"),
        (b"x", "item 2 is of type bytes"),
        (None, "item 2 is of type NoneType"),
    ],
)
def test_items_that_are_no_packets(item, reason):
    reading = amtdecode.read([(1, b"x"), item])
    with pytest.raises(amtdecode.UsageError, match=reason):
        list(reading)


def test_what_was_told_before_a_wrong_item_is_kept():
    talk = wire.Talk()
    frames = wire.frames([*talk.open(), *talk.say(wire.PSK_HELLO), *talk.close()])
    reading = amtdecode.read([*[(wire.T0 + n, frame) for n, frame in enumerate(frames)], None])
    assert next(reading).protocol == "iamt.hello"
    with pytest.raises(amtdecode.UsageError, match=rf"item {len(frames) + 1} "):
        list(reading)


@pytest.mark.parametrize(
    "given",
    [
        None, 5, 1.5, object(), [5], [None], [["a.pcap"]], {1: 2}, (1.0, b"x"), amtdecode,
        io.StringIO("x"), [io.StringIO("x")], iter([3]),
    ],
    ids=repr,
)  # fmt: skip
def test_what_is_no_capture_is_refused_by_the_call(given):
    with pytest.raises(amtdecode.UsageError, match="in binary mode"):
        amtdecode.read(given)
    if not hasattr(given, "__next__"):  # whose only item is gone
        with pytest.raises(amtdecode.UsageError, match="in binary mode"):
            amtdecode.diagnose(given)


def test_a_text_file_is_refused(tmp_path):
    path = tmp_path / "x.pcap"
    path.write_bytes(wire.pcap([b"x"]))
    with path.open() as file, pytest.raises(amtdecode.UsageError, match="binary mode"):
        amtdecode.read(file)


def test_a_file_of_a_programs_own_that_gives_text_is_refused():
    class Text:
        def read(self, size=-1):
            return "text"

    for door in (amtdecode.read, amtdecode.packets, amtdecode.diagnose):
        with pytest.raises(amtdecode.UsageError, match="open it in binary mode"):
            door(Text())


def test_views_with_gaps_are_read():
    data = CLASSIC[0].read_bytes()
    spread = bytearray(2 * len(data))
    spread[::2] = data
    assert told(amtdecode.read(memoryview(spread)[::2])) == told(amtdecode.read(data))


def test_closed_files_and_files_that_fail(tmp_path):
    file = io.BytesIO(b"x")
    file.close()
    with pytest.raises(amtdecode.CaptureError, match="reading failed: the file is closed"):
        amtdecode.read(file)
    data = gzip.compress(wire.pcap([b"x" * 60] * 100))
    with gzip.open(io.BytesIO(data[:-20])) as cut:
        *_, last = amtdecode.read(cut)
    assert type(last.event).__name__ == "Truncated"
    assert last.event.reason == "reading failed: its data end too soon"
    with pytest.raises(amtdecode.CaptureError, match=r"^<bytes>: is empty"):
        amtdecode.read(b"")
    with pytest.raises(amtdecode.CaptureError, match=r"^<bytes 2>: is not a capture"):
        amtdecode.read([wire.pcap([b"x"]), b"nonsense"])


def test_several_of_all_kinds_are_one_timeline(tmp_path):
    def talk(port, start):
        talk = wire.Talk(sport=port)
        return wire.frames([*talk.open(), *talk.say(wire.PSK_HELLO), *talk.close()]), start

    path = tmp_path / "x.pcap"
    frames, start = talk(50_001, wire.T0 + 100)
    path.write_bytes(wire.pcap(frames, start=start))
    second, earlier = talk(50_002, wire.T0 - 100)
    third, latest = talk(50_003, wire.T0 + 200)
    fourth, middle = talk(50_004, wire.T0)
    found = list(
        amtdecode.read(
            [
                path,
                io.BytesIO(wire.pcap(second, start=earlier)),
                ((latest + n, frame) for n, frame in enumerate(third)),
                wire.pcap(fourth, start=middle),
            ]
        )
    )
    assert [one.src.port for one in found] == [50_002, 50_004, 50_001, 50_003]
    assert [one.input for one in found] == ["<file>", "<bytes>", str(path), "<packets>"]
    with piped(wire.pcap(second)) as pipe, pytest.raises(amtdecode.CaptureError, match="cannot go back"):
        amtdecode.read([pipe, path])
    assert names(amtdecode.read(one for one in [path, path])) == {str(path)}
    assert list(amtdecode.read([])) == []
    assert next(amtdecode.read([[], path])).input == str(path)


def test_secrets_inside_are_found_in_bytes_and_files_as_well(tmp_path):
    keylog = b"CLIENT_RANDOM " + b"11" * 32 + b" " + b"22" * 48 + b"\n"
    secrets = wire.block(10, struct.pack("<II", 0x544C534B, len(keylog)) + keylog)
    data = wire.shb() + wire.idb() + wire.epb(b"x") + secrets
    from amtdecode.api import with_secrets_inside

    for given in (lambda: data, lambda: io.BytesIO(data), lambda: [data, data]):
        keys = with_secrets_inside(captures_of(given()), None)
        assert keys is not None
        assert keys.secret("CLIENT_RANDOM", b"\x11" * 32) == b"\x22" * 48
        assert "DecryptionSecrets" in {type(one.event).__name__ for one in amtdecode.read(given())}
    assert with_secrets_inside(captures_of([(1, b"x")]), None) is None
