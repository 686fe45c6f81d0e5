"""Classic pcap: every variant, every cut, absurd headers; byte-exact packets, times and offsets."""

from __future__ import annotations

import struct

import pytest
import wire
from hypothesis import given
from hypothesis import strategies as st

from amtdecode.capture.packets import NOTICE
from amtdecode.model import Malformed, Truncated

PACKETS = [b"first packet", b"", b"third, a longer one", bytes(range(256))]
NS, US = 1, 1000
VARIANTS = [
    # magic, nanoseconds a fraction, extra file header, extra packet header
    (0xA1B2C3D4, US, b"", b""),
    (0xA1B23C4D, NS, b"", b""),
    (0xA1B2CD34, US, b"", bytes(8)),
    (0x1C0001AC, NS, bytes(4), b""),
    (0x1C0001AB, US, bytes(4), b""),
]


def times(data):
    return [
        interface.time_ns(high, low)
        for *_, high, low, interface in wire.raw_packets(data)
        if interface.link_type != NOTICE
    ]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("magic", "unit", "extra", "tail"), VARIANTS)
def test_variants(order, magic, unit, extra, tail):
    data = wire.pcap(PACKETS, order=order, magic=magic, extra=extra, tail=tail, step=7)
    packets = list(wire.raw_packets(data))
    assert wire.split(packets) == (PACKETS, [])
    assert times(data) == [wire.T0 * 10**9 + number * 7 * unit for number in range(4)]
    assert [packet[0] for packet in packets] == [1, 2, 3, 4]
    assert {(packet[7].link_type, packet[7].precision, packet[7].snap_length) for packet in packets} == {
        (1, 9 if unit == NS else 6, 262144)
    }


@pytest.mark.parametrize("order", ["<", ">"])
def test_files_of_version_2_3_may_swap_the_lengths(order):
    head = struct.pack(order + "IHHiIII", 0xA1B2C3D4, 2, 3, 0, 0, 65535, 1)
    data = head
    for captured, original in ((60, 4), (4, 60), (5, 5)):
        data += struct.pack(order + "IIII", wire.T0, 0, captured, original) + b"x" * min(captured, original)
    packets = list(wire.raw_packets(data))
    assert [packet[3:5] for packet in packets] == [(4, 60), (4, 60), (5, 5)]
    cut = wire.split(wire.raw_packets(data[:-2]))
    assert cut == ([b"xxxx", b"xxxx"], [Truncated("pcap", "the file ends inside a packet", len(data) - 2, 2)])
    # the same swapped lengths, cut inside the packet
    (event,) = wire.split(wire.raw_packets(data[: 24 + 16 + 3]))[1]
    assert event == Truncated("pcap", "the file ends inside a packet", 43, 1)
    # of a packet longer on the wire than any that is kept: no damage
    data = head + struct.pack(order + "IIII", wire.T0, 0, 1 << 20, 9) + b"xxx"
    assert wire.split(wire.raw_packets(data)) == ([], [Truncated("pcap", "the file ends inside a packet", 43, 6)])


def test_link_type_without_the_frame_check_length_above_it():
    (packet,) = wire.raw_packets(wire.pcap([b"x"], link=0x14000071))
    assert packet[7].link_type == 0x71


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("magic", "unit", "extra", "tail"), VARIANTS)
def test_cut_at_every_byte(order, magic, unit, extra, tail):
    packets = [b"ab", b"", b"cde"]
    data = wire.pcap(packets, order=order, magic=magic, extra=extra, tail=tail)
    header = 16 + len(tail)
    ends = [24 + len(extra)]
    for packet in packets:
        ends.append(ends[-1] + header + len(packet))
    for size in range(4, len(data)):
        taken, told = wire.split(wire.raw_packets(data[:size]))
        whole = sum(end <= size for end in ends[1:])
        assert taken == packets[:whole]
        if size < 24:
            assert told == [Truncated("pcap", "the file ends inside its header", size, 24 - size)]
        elif size in ends:
            assert told == []
        elif size >= ends[0]:
            left = size - ends[whole]
            if left < header:
                assert told == [Truncated("pcap", "the file ends inside a packet header", size, header - left)]
            else:
                missing = len(packets[whole]) - (left - header)
                assert told == [Truncated("pcap", "the file ends inside a packet", size, missing)]


@pytest.mark.parametrize("claimed", [262145, 0x7FFFFFFF, 0xFFFFFFFF])
def test_absurd_length_is_damage_at_its_byte(claimed):
    good = wire.pcap([b"good"])
    data = good + struct.pack("<IIII", wire.T0, 0, claimed, claimed) + b"rest"
    taken, (event,) = wire.split(wire.raw_packets(data))
    assert taken == [b"good"]
    assert isinstance(event, Malformed)
    assert event.reason == f"packet 2 claims {claimed} bytes, more than 262144; at byte {len(good)} of the file"
    assert event.data == data[len(good) : len(good) + 16]


@pytest.mark.parametrize(("link", "size"), [(1, 262144), (249, 4 << 20), (231, 8 << 20)])
def test_the_largest_packets_of_a_link_type(link, size):
    taken, told = wire.split(wire.raw_packets(wire.pcap([bytes(size), b"behind"], link=link)))
    assert ([len(one) for one in taken], told) == ([size, 6], [])


def test_nanoseconds_in_a_file_of_microseconds_are_read_as_such():
    packets = (
        wire.pcap([b"x"]) + struct.pack("<IIII", wire.T0, 10**6, 0, 0) + struct.pack("<IIII", wire.T0, 987654321, 0, 0)
    )
    assert times(packets) == [wire.T0 * 10**9, wire.T0 * 10**9 + 10**6, wire.T0 * 10**9 + 987654321]


def test_impossible_fractions_have_no_time():
    for magic, limit in ((0xA1B2C3D4, 10**9), (0xA1B23C4D, 10**9)):
        assert times(wire.pcap([b"x"], magic=magic) + struct.pack("<IIII", 1, limit, 0, 0)) == [wire.T0 * 10**9, None]
        last = wire.pcap([], magic=magic) + struct.pack("<IIII", 0xFFFFFFFF, limit - 1, 0, 0)
        assert times(last) == [0xFFFFFFFF * 10**9 + (limit - 1) * (10**9 // limit)]


@given(st.lists(st.binary(max_size=70), max_size=8), st.sampled_from("<>"), st.sampled_from(VARIANTS))
def test_round_trip(packets, order, variant):
    magic, _, extra, tail = variant
    data = wire.pcap(packets, order=order, magic=magic, extra=extra, tail=tail)
    assert wire.split(wire.raw_packets(data)) == (packets, [])
    lengths = [packet[3:5] for packet in wire.raw_packets(data)]
    assert lengths == [(len(one), len(one)) for one in packets]
