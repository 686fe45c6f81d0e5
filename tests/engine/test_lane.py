"""The compiled lane says what the loop says, to the byte, whatever comes and wherever it hands over."""

from __future__ import annotations

import io
import random
import re
import struct
from contextlib import contextmanager
from pathlib import Path

import made_captures
import pytest
import wire
from hypothesis import given, settings
from hypothesis import strategies as st

import amtdecode
import amtdecode.capture.source as source_module
from amtdecode.capture import open_captures, open_records
from amtdecode.capture.pcap import pcap_records
from amtdecode.capture.source import Source
from amtdecode.engine import Engine, connections, lane, loop
from amtdecode.engine.connections import CHECKED
from amtdecode.flow import table
from amtdecode.model import Direction, Endpoint
from amtdecode.protocols.dissector import NO, Context, may_begin
from amtdecode.protocols.registry import REGISTRY
from amtdecode.render.json_lines import JsonLines
from amtdecode.render.report_json import report_json
from pcaps.tls import PskConnection

needs_lane = pytest.mark.skipif(lane.COMPILED is None, reason="the compiled lane is not built, or left out")
PCAPS = sorted(Path(__file__).resolve().parents[2].glob("pcaps/*.pcap*"))
CAPTURE = re.compile(r"\.(pcap|pcapng|cap|trace)(\.gz)?$")
OTHER_PORT = 12_345
EVERY = 9  # of the shared captures, one in so many is read
OPTIONS = ({}, {"connections": "all"}, {"batch_size": 256}, {"pdus": True, "connections": "all"})
CAPS = ("MAX_TCP_FLOWS", "MAX_UDP_FLOWS", "MAX_IGNORED_FLOWS", "MAX_CLOSED_FLOWS", "MAX_QUOTED_FLOWS", "EVICT")


@contextmanager
def changed(*changes):
    """Attributes of modules that are others for a while."""
    before = [(module, name, getattr(module, name)) for module, name, _ in changes]
    try:
        for module, name, value in changes:
            setattr(module, name, value)
        yield
    finally:
        for module, name, value in before:
            setattr(module, name, value)


def said(pieces, compiled, options):
    """JSON of all observations, their times of connections and bytes, and how many connections there were."""
    with changed((lane, "COMPILED", compiled)):
        engine = Engine(**options)
    lines = []
    write = JsonLines(lines.append)
    for one in engine.observe(pieces):
        write(one)
        if type(one.event).__name__ == "Connection":
            lines.append(f"{one.event.first_time_ns} {one.event.last_time_ns}".encode())
        lines.append(f"{one.number} {one.packets} {one.pdu!r}".encode())
    return lines, engine.connections


def agree(pieces, options, every=0):
    """`pieces` gives the capture anew each time."""
    with changed((lane, "EVERY", every)):
        assert said(pieces(), lane.COMPILED, options) == said(pieces(), None, options)


@needs_lane
@settings(max_examples=400)
@given(
    frames=made_captures.captures(),
    options=st.sampled_from(OPTIONS),
    every=st.sampled_from((0, 0, 0, 1, 2, 3, 5, 7)),
    piece=st.sampled_from((60, 200, 1000, 1 << 16)),
    header=st.sampled_from((("<", 0xA1B2C3D4, b""), (">", 0xA1B23C4D, b""), ("<", 0xA1B2CD34, bytes(8)))),
    step=st.sampled_from((1, 1000, 60_000)),
    cap=st.sampled_from((0, 0, 2, 4)),
)
def test_captures_made_by_chance(frames, options, every, piece, header, step, cap):
    order, magic, tail = header
    data = wire.pcap(frames, order=order, magic=magic, tail=tail, step=step)
    caps = [(table, name, cap if name != "EVICT" else 2) for name in CAPS] if cap else []
    with changed((source_module, "CHUNK", piece), *caps):
        agree(lambda: pcap_records(Source("x", io.BytesIO(data))), options, every)
        agree(lambda: wire.raw_packets(data), options, every)


@needs_lane
@settings(max_examples=300)
@given(
    frames=made_captures.bulk(),
    options=st.sampled_from(OPTIONS),
    every=st.sampled_from((0, 0, 0, 2, 7)),
    checked=st.sampled_from((0, 0, 3000, CHECKED)),
)
def test_bulk_made_by_chance(frames, options, every, checked):
    data = wire.pcap(frames)
    with changed(*((module, "CHECKED", checked) for module in (loop, connections, lane))):
        agree(lambda: wire.raw_packets(data), options, every)


@needs_lane
@pytest.mark.parametrize("path", PCAPS, ids=lambda path: path.name)
@pytest.mark.parametrize("every", [0, 1, 2, 3, 10])
def test_our_captures(path, every):
    for options in OPTIONS:
        agree(lambda: open_records([str(path)]), options, every)


@needs_lane
def test_shared_captures(shared):
    paths = sorted(path for path in (shared / "captures").rglob("*") if CAPTURE.search(path.name))
    paths = [*paths[::EVERY], *sorted((shared / "cases" / "hostile").glob("*.pcap*"))]
    assert len(paths) > 100
    for number, path in enumerate(paths):
        if path.stat().st_size < 4 << 20:
            agree(lambda path=path: open_records([str(path)]), OPTIONS[number % 2])


@needs_lane
def test_reports_are_the_same():
    for compiled in (lane.COMPILED, None):
        with changed((lane, "COMPILED", compiled)):
            reports = [report_json(amtdecode.diagnose([str(path)])) for path in PCAPS]
        if compiled is not None:
            first = reports
    assert reports == first


@needs_lane
def test_several_captures_are_one_timeline():
    names = [str(path) for path in PCAPS[:4]]
    agree(lambda: open_captures(names), {"connections": "all"})


@needs_lane
@pytest.mark.parametrize("cut", [0, 1])
def test_the_lane_takes_what_is_regular_and_the_loop_the_rest(cut):
    """Or the comparisons above would compare a thing with itself. A tenth of the connections lack a byte."""
    packets = []
    for number in range(100):
        other, hello = wire.Talk(sport=2000 + number, dport=12_345), wire.Talk(sport=2000 + number)
        packets += [*other.open(), *other.say(b"\xc8" * 90), *other.say(b"\xc8" * 90, side=1), *other.close()]
        packets += [*hello.open(), *hello.say(wire.PSK_HELLO), *hello.close()]
    frames = [frame[: len(frame) - (cut and at % 150 == 3)] for at, frame in enumerate(wire.frames(packets))]
    packets = pcap_records(Source("x", io.BytesIO(wire.pcap(frames))))
    handed = [piece[0] for piece in Engine()._lane.pieces(packets) if piece is not None]
    assert [number for number in handed if number % 150 == 4] == [*range(4, 1500, 150)] * cut
    assert len(handed) <= 50 * cut, "of a connection out of order, what comes behind the cut packet"


@needs_lane
def test_records_that_only_count_never_come_back_to_python():
    """After the handshake, and the first 16 KiB of a direction, whose checksums are verified."""
    said = [(1, [(23, 500)], 1460), (0, [(23, 400)], 1460), (1, [(23, 5000)] * 40, 1460)]
    frames = made_captures.tls_conversation((made_captures.HOSTS[0], 16_993, 4, 7, "whole", said, False))
    engine = Engine()
    pieces, handed = engine._lane.pieces, []

    def watched(packets):
        for piece in pieces(packets):
            handed.append(piece[0])
            yield piece

    engine._lane.pieces = watched
    *_, last = engine.observe(wire.raw_packets(wire.pcap(frames)))
    server = last.event
    assert (server.sender, server.records, server.turns) == ("server", 41, (500, 200_000))
    assert max(handed) <= len(frames) - 15


@needs_lane
def test_keys_that_come_while_bytes_wait_open_what_follows(tmp_path):
    """Secrets of a pcapng behind first bytes that no room knows; then the other side speaks TLS."""
    secure = PskConnection(random.Random(1), b"0000037M", b"x" * 32, hint=b"hint")
    talk = wire.Talk(40_000, OTHER_PORT)
    first = [*talk.open(), *talk.say(b"\xc8" * 90)]
    flights = (secure.client_hello, secure.server_flight, secure.client_flight, secure.server_finish)
    rest = [packet for side, flight in enumerate(flights, 1) for packet in talk.say(flight(), side % 2)]
    rest += talk.say(secure.data(0, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"), 1)
    log = f"CLIENT_RANDOM {secure.client_random.hex()} {secure.master.hex()}\n".encode()
    secrets = wire.block(0x0A, struct.pack("<II", 0x544C534B, len(log)) + log + bytes(-len(log) % 4))
    before, behind = (b"".join(map(wire.epb, wire.frames(packets))) for packets in (first, rest))
    path = tmp_path / "late.pcapng"
    path.write_bytes(wire.shb() + wire.idb() + before + secrets + behind)
    for options in OPTIONS:
        agree(lambda: open_records([str(path)]), options)
    stated = [one.event for one in Engine().observe(open_records([str(path)]))]
    assert [event.fields()["http.request.uri"] for event in stated if type(event).__name__ == "HttpRequest"] == ["/"]


# -- what rooms say of first bytes ------------------------------------------------------------------------------------

ROOMS = [room for room in REGISTRY if room.transport == "tcp"]
CLIENT = Endpoint(bytes(4), 40_000)


def could_begin(room, data):
    """Whether a room says anything but no, of a connection between ports of none."""
    context = Context("tcp", CLIENT, Endpoint(bytes(4), OTHER_PORT))
    return any(room.recognise(data, direction, context) != NO for direction in Direction)


def test_every_room_here_says_how_it_begins():
    assert all(room.openings is not None for room in ROOMS)
    assert not any(OTHER_PORT in room.ports or CLIENT.port in room.ports for room in ROOMS)


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_a_room_says_no_to_other_first_bytes(room):
    """For each pair of first bytes, with what could follow them; and for bytes drawn near the openings."""
    follows = (
        b"",
        b"\x03\x01\0\x40\x01\0\0\x3c\x03\x03",
        b"\0\x03\0\0\0\0\0",
        b"\x01\x03\0\0\x03\0\0\0\x10" * 4,
        b"T / HTTP/1.1\r\n\r\n",
    )
    for first in range(256):
        for second in range(256):
            for rest in follows:
                data = bytes((first, second)) + rest
                if not may_begin(room.openings, data):
                    assert not could_begin(room, data), data
        data = bytes((first,))
        assert may_begin(room.openings, data) or not could_begin(room, data)


TAIL = b"/ HTTP/1.1\r\nServer: Intel(R) Active Management Technology\r\n\r\n"


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_a_room_says_no_as_soon_as_one_byte_is_none_of_its_opening(room):
    """Each byte of each opening set to each other value, cut behind it and later."""
    for opening in room.openings:
        for lowest in (True, False):
            like = bytes((min if lowest else max)(choice) for choice in opening)
            for place, choice in enumerate(opening):
                for value in set(range(256)).difference(choice):
                    data = like[:place] + bytes((value,)) + like[place + 1 :] + TAIL
                    for size in {*range(place + 1, len(opening) + 4), len(data)}:
                        if not may_begin(room.openings, data[:size]):
                            assert not could_begin(room, data[:size]), data[:size]


BEGINNINGS = (
    b"",
    b"GET ",
    b"\x16\x03",
    b"\0\0",
    b"\x80\x2e\x01",
    b"GET /x HTTP/1.1\r\n\r\n",
    b"GET /wsman HTTP/1.1\r\n\r\n",
)


@needs_lane
@given(st.binary(min_size=1, max_size=12), st.sampled_from(BEGINNINGS))
@settings(max_examples=200)
def test_the_lane_asks_the_rooms_that_may_begin_so_and_no_others(data, begins):
    data = begins + data
    asked = []

    def watched(room):
        def recognise(data, direction, context):
            asked.append(room.name)
            return room.recognise(data, direction, context)

        return room._replace(recognise=recognise)

    talk = wire.Talk(dport=OTHER_PORT)
    packets = wire.raw_packets(wire.pcap(wire.frames([*talk.open(), *talk.say(data)])))
    engine = Engine(registry=tuple(map(watched, ROOMS)))
    handed = [piece[0] for piece in engine._lane.pieces(packets) if piece is not None]
    context = Context("tcp", CLIENT, Endpoint(bytes(4), OTHER_PORT))
    wanted = any(room.recognise(data, Direction.TO_SERVER, context) != NO for room in ROOMS)
    assert handed == [4] * wanted
    assert set(asked) <= {room.name for room in ROOMS if may_begin(room.openings, data)}
    assert wanted or len(asked) == sum(may_begin(room.openings, data) for room in ROOMS)


@needs_lane
def test_a_reading_may_be_left_in_the_middle():
    """Leaving it closes the lane's iteration, which once took a method of the table for its own."""
    packets = wire.raw_packets(wire.pcap(wire.frames([*wire.Talk().open(), *wire.Talk(sport=5).say(b"x")])))
    runs = pcap_records(Source("x", io.BytesIO(wire.pcap(wire.frames(wire.Talk(sport=5).say(b"x", 1) * 3)))))
    for pieces in (Engine()._lane.pieces(packets), Engine()._lane.pieces(runs)):
        assert next(pieces) is not None
        pieces.close()
