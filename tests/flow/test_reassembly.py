"""TCP reassembly against a model: whatever splits, orders and repeats the segments, the bytes are the stream's."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
import wire
from hypothesis import given
from hypothesis import strategies as st

from amtdecode.capture.packets import Interface
from amtdecode.flow import reassembly as reassembly_module
from amtdecode.flow.reassembly import (
    GAP_PATIENCE,
    MAX_JUMP,
    MAX_OUT_OF_ORDER_BYTES,
    MAX_OUT_OF_ORDER_SEGMENTS,
    MAX_OUT_OF_ORDER_TOTAL,
    Reassembly,
    remember,
)
from amtdecode.flow.table import FlowTable
from amtdecode.flow.tcp import ACK, FIN, RST, SYN
from amtdecode.model import End, Gap, LimitReached, Note, Unrecognised

NOWHERE = Interface("x", 1)


class Driver:
    """Feeds one connection to `Reassembly` and keeps what comes out of the client's direction."""

    def __init__(self, isn=1000, *, handshake=True, shared=None):
        self.told = []
        self.reassembly = shared or Reassembly(lambda event, half, stamp: self.told.append(event))
        table = FlowTable(lambda event, stamp: None, lambda flow, why: None)
        self.flow = table.open(bytes(8) + b"\xc0\0\x26\xf3", bytes(8) + b"\x26\xf3\xc0\0", (0, 0, 0, NOWHERE))
        self.out = []  # bytes, gap sizes, ends, in order
        self.count = 0
        self.isn = isn
        if handshake:
            self.flow.handshake = 3
            self.client(-1, flags=SYN)
            self.server(-1, flags=SYN | ACK, ack=0)
        self.out = []

    def client(self, at, data=b"", flags=ACK, cut=0):
        self._segment(self.flow.client, self.isn + 1 + at, data, flags, 5001, cut)

    def server(self, at=0, data=b"", flags=ACK, ack=0):
        self._segment(self.flow.server, 5001 + at, data, flags, self.isn + 1 + ack, 0)

    def _segment(self, half, seq, data, flags, ack, cut):
        self.count += 1
        stamp = (self.count, 0, 0, NOWHERE)
        self._keep(self.reassembly.segment(half, seq % 2**32, flags, ack % 2**32, data, cut, stamp))

    def end(self, end=End.CAPTURE):
        self._keep(self.reassembly.end(self.flow.client, end, (self.count, 0, 0, NOWHERE)))

    def _keep(self, chunks):
        for chunk in chunks:
            if chunk.data:  # as the engine does
                remember(chunk.sender, chunk.offset - len(chunk.data), chunk.data)
            if chunk.sender is self.flow.client:
                self.out.append(chunk.data or chunk.gap or chunk.end)

    @property
    def data(self):
        return b"".join(piece for piece in self.out if isinstance(piece, bytes))

    @property
    def rest(self):
        return [piece for piece in self.out if not isinstance(piece, bytes)]


def stream(size, seed=3):
    return random.Random(seed).randbytes(size)


isns = st.sampled_from([0, 1000, 2**31 - 50, 2**32 - 1, 2**32 - 2, 2**32 - 60])


@st.composite
def segments(draw):
    """A stream, and segments that cover it in any order, some of them more than once or overlapping."""
    data = draw(st.binary(min_size=1, max_size=200))
    cuts = sorted(draw(st.sets(st.integers(1, max(1, len(data) - 1)), max_size=8)) | {0, len(data)})
    ranges = [(low, high) for low, high in pairwise(cuts) if low < high]
    more = draw(st.lists(st.tuples(st.integers(0, len(data) - 1), st.integers(1, 60)), max_size=5))
    ranges += [(low, min(len(data), low + size)) for low, size in more]
    return data, draw(st.permutations(ranges))


@given(segments(), isns)
def test_any_split_order_and_repetition_gives_the_stream(made, isn):
    data, ranges = made
    driver = Driver(isn)
    for low, high in ranges:
        driver.client(low, data[low:high])
    driver.client(len(data), flags=FIN | ACK)
    assert driver.data == data
    assert driver.rest == [End.FIN]
    assert driver.told == []
    assert driver.flow.client.offset == len(data)
    assert (driver.reassembly._out_of_order_total, driver.flow.client.out_of_order_bytes) == (0, 0)


@given(segments(), isns, st.integers(0, 14))
def test_the_fin_may_come_at_any_time(made, isn, when):
    data, ranges = made
    driver = Driver(isn)
    for number, (low, high) in enumerate(ranges):
        if number == when % len(ranges):
            driver.client(len(data), flags=FIN | ACK)
        driver.client(low, data[low:high])
    driver.end()
    assert (driver.data, driver.rest) == (data, [End.FIN])


@given(segments(), st.data())
def test_missing_bytes_are_gaps_of_their_size(made, draw):
    """Each byte that no segment carries is in a gap, at its place; all others come out once."""
    data, ranges = made
    kept = [one for one in ranges if draw.draw(st.booleans())]
    driver = Driver()
    have = set()
    for low, high in kept:
        driver.client(low, data[low:high])
        have |= set(range(low, high))
    driver.end()
    last = max(have, default=-1) + 1
    rebuilt = []
    for piece in driver.out[:-1]:
        rebuilt += list(piece) if isinstance(piece, bytes) else [None] * piece
    assert rebuilt == [data[at] if at in have else None for at in range(last)]
    assert driver.out[-1] is End.CAPTURE


@given(segments(), isns, st.booleans())
def test_a_connection_captured_from_its_middle(made, isn, server_first):
    """Without SYN the lowest of the first segments is the start; nothing behind it is lost."""
    data, ranges = made
    start = next(number for number, one in enumerate(ranges) if one[0] == 0)
    ranges = list(ranges)
    ranges.insert(min(start, 2), ranges.pop(start))  # within the patience
    driver = Driver(isn, handshake=False)
    if server_first:
        driver.server(ack=0)
    for low, high in ranges:
        driver.client(low, data[low:high])
    driver.client(len(data), flags=FIN | ACK)
    driver.end()
    assert (driver.data, driver.rest) == (data, [End.FIN])


# -- conflicts --------------------------------------------------------------------------------------------------------


def test_overlap_with_other_content_keeps_the_first():
    driver = Driver()
    driver.client(5, b"FIRST")
    driver.client(5, b"OTHER")
    driver.client(0, b"01234OTHERx")
    assert driver.data == b"01234FIRSTx"
    assert [event.what for event in driver.told] == [
        "segments overlap with different content at byte 5; the first to come was kept",
        "segments overlap with different content at byte 0; the first to come was kept",
    ]
    assert all(isinstance(event, Note) for event in driver.told)


def test_a_retransmission_with_other_content_is_noted():
    driver = Driver()
    driver.client(0, b"abcdef")
    driver.client(6, b"ghi")
    driver.client(4, b"eXgXijk")
    assert driver.data == b"abcdefghijk"
    assert [event.what for event in driver.told] == [
        "bytes 4 to 5 came again with different content; the first were kept"
    ]
    driver.client(0, b"abcdefghijk")
    assert len(driver.told) == 1


@given(st.data())
def test_first_to_come_wins_byte_by_byte(data):
    """Overlaps of any kind with any content, held or given out: the model is an array written once."""
    driver = Driver()
    model = {}
    for _ in range(data.draw(st.integers(1, 8))):
        at, content = data.draw(st.tuples(st.integers(0, 20), st.binary(min_size=2, max_size=12)))
        driver.client(at, content)
        for offset, value in enumerate(content, at):
            model.setdefault(offset, value)
    driver.end()
    rebuilt = {}
    offset = 0
    for piece in driver.out[:-1]:
        if isinstance(piece, bytes):
            rebuilt.update(enumerate(piece, offset))
            offset += len(piece)
        else:
            offset += piece
    assert rebuilt == model


# -- loss and limits --------------------------------------------------------------------------------------------------


def test_a_gap_is_declared_after_the_peer_acknowledged_it_and_patience():
    driver = Driver()
    driver.client(0, b"begin")
    driver.client(15, b"behind")
    for _ in range(GAP_PATIENCE * 3):
        driver.server(ack=5)  # not acknowledged: may still come
    assert driver.out == [b"begin"]
    for _ in range(GAP_PATIENCE):
        driver.server(ack=21)
    assert driver.out == [b"begin"]
    driver.server(ack=21)
    assert driver.out == [b"begin", 10, b"behind"]
    driver.client(5, b"too late..")
    assert driver.out == [b"begin", 10, b"behind"]


def test_reordering_within_patience_of_acknowledged_bytes():
    """A capture may see the acknowledgement before the segment."""
    data = stream(100)
    driver = Driver()
    driver.client(10, data[10:])
    for _ in range(GAP_PATIENCE - 1):
        driver.server(ack=100)
    driver.client(0, data[:10])
    assert driver.out == [data[:10], data[10:]]


def test_bytes_cut_by_the_snap_length_are_a_gap():
    driver = Driver()
    driver.client(0, b"head", cut=6)
    driver.client(10, b"next")
    driver.client(14, b"", cut=3)
    assert driver.out == [b"head", 6, b"next", 3]
    driver = Driver()
    driver.client(10, b"next")
    driver.client(0, b"head", cut=6)
    assert driver.out == [b"head", 6, b"next"]


def test_a_retransmission_reaches_behind_what_was_cut():
    driver = Driver()
    driver.client(20, b"tail")
    driver.client(0, b"0123456789", cut=10)
    assert driver.out == [b"0123456789", 10, b"tail"]
    driver.client(0, b"0123456789----------tailmore")
    assert driver.out[3:] == [b"more"]


def test_keep_alives_and_empty_segments_say_nothing():
    driver = Driver()
    driver.client(0, b"data")
    before = list(driver.out)
    for _ in range(50):
        driver.client(3, b"\0")  # one byte behind the window's edge
        driver.client(3)
        driver.client(4)
    assert (driver.out, driver.told) == (before, [])
    driver.client(4, b"more")
    assert driver.data == b"datamore"


def test_data_in_the_syn():
    driver = Driver(handshake=False)
    driver.flow.handshake = 1
    driver.client(-1, b"early", flags=SYN)
    driver.client(5, b" bird")
    assert driver.data == b"early bird"


def test_a_reset_gives_out_what_waits_and_ends_both():
    driver = Driver()
    driver.client(10, b"held")
    driver.server(flags=RST)
    assert driver.out == [10, b"held", End.RESET]
    assert driver.flow.server.ended is End.RESET


def test_far_off_sequence_numbers_are_passed_over():
    driver = Driver()
    driver.client(0, b"ab")
    for far in (MAX_JUMP + 3, -MAX_JUMP - 1, 2**31 - 1):
        driver.client(far, b"nonsense")
    assert [type(event) for event in driver.told] == [Note] * 3
    assert driver.told[0].what == f"a segment {MAX_JUMP + 1} bytes away from what is expected was passed over"
    driver.client(2, b"cd")
    assert (driver.data, list(driver.flow.client.out_of_order)) == (b"abcd", [])


def test_too_many_held_segments():
    driver = Driver()
    for number in range(MAX_OUT_OF_ORDER_SEGMENTS):
        driver.client(10 + 2 * number, b"x")
    assert driver.out == []
    driver.client(10 + 2 * MAX_OUT_OF_ORDER_SEGMENTS, b"x")
    assert driver.out == [10, b"x"]
    assert driver.told == [
        LimitReached(
            "tcp",
            "MAX_OUT_OF_ORDER_SEGMENTS",
            MAX_OUT_OF_ORDER_SEGMENTS,
            "bytes still missing are taken for lost, now and further on in this direction",
        )
    ]


def test_too_many_held_bytes():
    driver = Driver()
    size = 1 << 16
    for number in range(MAX_OUT_OF_ORDER_BYTES // size):
        driver.client(10 + number * size, bytes(size))
    assert driver.out == []
    driver.client(10 + MAX_OUT_OF_ORDER_BYTES, b"x")
    assert driver.out[0] == 10
    assert driver.data == bytes(MAX_OUT_OF_ORDER_BYTES) + b"x"
    assert [event.limit for event in driver.told] == ["MAX_OUT_OF_ORDER_BYTES"]


def test_too_many_held_bytes_of_all_connections():
    reports = []
    shared = Reassembly(lambda event, half, stamp: reports.append(event.limit))
    size = MAX_OUT_OF_ORDER_BYTES // 2
    drivers = [Driver(shared=shared) for _ in range(MAX_OUT_OF_ORDER_TOTAL // size + 1)]
    for driver in drivers:
        driver.client(10, bytes(size))
    assert reports == ["MAX_OUT_OF_ORDER_TOTAL"]
    assert drivers[-1].out == [10, bytes(size)]
    assert shared._out_of_order_total == MAX_OUT_OF_ORDER_TOTAL


def test_what_is_forgotten_does_not_count():
    driver = Driver()
    driver.client(10, b"held")
    assert driver.reassembly._out_of_order_total == 4
    driver.reassembly.forget(driver.flow)
    assert (driver.reassembly._out_of_order_total, list(driver.flow.client.out_of_order)) == (0, [])


def test_only_recent_bytes_are_kept():
    driver = Driver()
    for number in range(1000):
        driver.client(100 * number, bytes(100))
    kept = sum(len(data) for _, data in driver.flow.client.recent)
    assert reassembly_module.RECENT_BYTES <= kept <= reassembly_module.RECENT_BYTES + 100


# -- through the engine -----------------------------------------------------------------------------------------------


def hello_talk(**options):
    talk = wire.Talk(**options)
    return [*talk.open(), *talk.say(wire.PKI_HELLO, size=11), *talk.close()]


def told(packets):
    return [one.event for one in wire.observe(wire.pcap(wire.frames(packets)))]


EXPECTED = told(hello_talk())


@given(st.data())
def test_segments_in_any_order_give_the_same_events(data):
    """Packets moved within a window and repeated; sequence numbers that wrap inside the message.

    The SYN is not repeated: behind the end of its connection it opens another, as tshark sees it too.
    """
    packets = hello_talk(isn=data.draw(st.sampled_from([1000, 2**32 - 40, 2**32 - 1])), server_isn=2**32 - 1)
    order = sorted(range(len(packets)), key=lambda at: at + data.draw(st.floats(0, 4)))
    mixed = [packets[at] for at in order]
    for _ in range(data.draw(st.integers(0, 5))):
        at = data.draw(st.integers(0, len(mixed) - 1))
        if mixed[at] is not packets[0]:
            mixed.insert(data.draw(st.integers(at, len(mixed))), mixed[at])
    found = [event for event in told(mixed) if type(event).__name__ != "Connection"]
    assert found == EXPECTED
    assert len(found) == 1


def test_ports_used_again():
    """A new SYN on the same ports is another connection, with or without an end of the first."""
    first, second = hello_talk(), hello_talk(isn=70_000)
    for packets in (first + second, first[:-3] + second):
        found = wire.observe(wire.pcap(wire.frames(packets)))
        assert [type(one.event).__name__ for one in found] == ["HelloMessage"] * 2
        assert [one.flow.number for one in found] == [0, 1]
    # an unfinished hello before it is told apart from the new one
    found = wire.observe(wire.pcap(wire.frames(first[:6] + second)))
    assert [(type(one.event).__name__, one.flow.number) for one in found] == [
        ("PartialHello", 0),
        ("Truncated", 0),
        ("HelloMessage", 1),
    ]
    assert found[1].event.reason == "the message ends early (its ports were used again)"
    assert (found[1].event.offset, found[1].event.missing) == (33, 26)


def test_packets_cut_before_anything_can_be_recognised_are_told():
    """Old tcpdumps kept 68 bytes of a packet, some only the headers."""
    talk = wire.Talk()
    packets = wire.frames([*talk.open(), *talk.say(wire.PSK_HELLO), *talk.say(wire.PSK_HELLO), *talk.close()])

    def cut(size):
        records = (wire.epb(packet[:size], at, original=len(packet)) for at, packet in enumerate(packets))
        return wire.observe(wire.shb() + wire.idb(snap=size) + b"".join(records))

    bare = 14 + 20 + 20
    assert [(one.event, one.packet, one.offset) for one in cut(bare + 6)] == [
        (Unrecognised("tcp", "bytes on port 9971 that no room here knows", wire.PSK_HELLO[:6]), 4, 0),
        (Gap("tcp", 26), 4, 6),
    ]
    assert [(one.event, one.packet, one.offset) for one in cut(bare)] == [(Gap("tcp", 32), 4, 0)]


def test_a_syn_sent_again_is_no_new_connection():
    packets = hello_talk()
    found = wire.observe(wire.pcap(wire.frames([packets[0], packets[0], *packets])))
    assert [(type(one.event).__name__, one.flow.number) for one in found] == [("HelloMessage", 0)]


@pytest.mark.parametrize("start", range(11))
def test_a_capture_that_starts_anywhere(start):
    """Without the opening a hello is still found; without its beginning it is not made up."""
    found = told(hello_talk()[start:])
    names = [type(event).__name__ for event in found if type(event).__name__ != "Connection"]
    if start <= 3:
        assert found[0] == EXPECTED[0]
    else:
        assert "HelloMessage" not in names
