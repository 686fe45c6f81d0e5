"""pcapng: sections, interfaces, every block that matters, every cut; byte-exact packets, times and offsets."""

from __future__ import annotations

import re
import struct

import oracle
import pytest
import wire
from hypothesis import given
from hypothesis import strategies as st

from amtdecode.capture import NOTICE, open_capture
from amtdecode.capture.pcapng import Comment, DecryptionSecrets, NameResolution
from amtdecode.model import LimitReached, Malformed, Note, Truncated

ORDERS = pytest.mark.parametrize("order", ["<", ">"])


def timed(data):
    return [
        packet[7].time_ns(packet[5], packet[6]) for packet in wire.raw_packets(data) if packet[7].link_type != NOTICE
    ]


@ORDERS
def test_packet_blocks_of_all_kinds(order):
    data = wire.shb(order) + wire.idb(order, link=113, snap=40)
    data += wire.epb(b"enhanced", 5, order) + wire.spb(b"simple", order) + wire.opb(b"obsolete!", 1 << 40, order)
    packets = list(wire.raw_packets(data))
    assert wire.split(packets) == ([b"enhanced", b"simple", b"obsolete!"], [])
    assert [packet[0] for packet in packets] == [1, 2, 3]
    assert timed(data) == [5000, None, (1 << 40) * 1000]
    assert {packet[7].link_type for packet in packets} == {113}


@ORDERS
def test_simple_packets_are_cut_by_the_snap_length(order):
    data = wire.shb(order) + wire.idb(order, snap=4) + wire.spb(b"abcd", order, original=100)
    (packet,) = wire.raw_packets(data)
    assert (packet[1][packet[2] : packet[2] + packet[3]], packet[4]) == (b"abcd", 100)


@ORDERS
@pytest.mark.parametrize(
    ("resolution", "per_second", "precision"),
    [(None, 10**6, 6), (6, 10**6, 6), (9, 10**9, 9), (3, 10**3, 6), (0, 1, 6), (12, 10**12, 9), (0x80 | 10, 1 << 10, 6),
     (0x80 | 30, 1 << 30, 9), (0x80 | 20, 1 << 20, 9), (0x80, 1, 6)],
)  # fmt: skip
def test_time_stamp_resolutions(order, resolution, per_second, precision):
    options = b"" if resolution is None else wire.option(9, bytes([resolution]), order)
    ticks = 10_000_007 * per_second // 3
    data = wire.shb(order) + wire.idb(order, options=options) + wire.epb(b"x", ticks, order)
    (packet,) = wire.raw_packets(data)
    assert packet[7].time_ns(packet[5], packet[6]) == ticks * 10**9 // per_second
    assert packet[7].precision == precision


@ORDERS
@pytest.mark.parametrize("offset", [0, 1_000_000_000, -5])
def test_time_stamp_offset(order, offset):
    options = wire.option(9, b"\x09", order) + wire.option(14, struct.pack(order + "q", offset), order)
    data = wire.shb(order) + wire.idb(order, options=options) + wire.epb(b"x", 7 * 10**9 + 1, order)
    assert timed(data) == [(7 + offset) * 10**9 + 1]


def test_a_time_before_1970_or_after_9999_is_none():
    options = wire.option(14, struct.pack("<q", -5))
    data = wire.shb() + wire.idb(options=options) + wire.epb(b"x", 4_999_999) + wire.epb(b"x", 5_000_000)
    assert timed(data) == [None, 0]
    data = wire.shb() + wire.idb() + wire.epb(b"x", 253402300800 * 10**6 - 1) + wire.epb(b"x", 253402300800 * 10**6)
    assert timed(data) == [(253402300800 * 10**6 - 1) * 1000, None]


def test_interfaces_have_their_own_link_type_resolution_and_snap_length():
    data = wire.shb() + wire.idb(link=1, snap=96, options=wire.option(2, b"eth0"))
    data += wire.idb(link=101, snap=65535, options=wire.option(9, b"\x09") + wire.option(2, b"tun0"))
    data += (
        wire.epb(b"one", 1000, interface=1) + wire.epb(b"two", 1000, interface=0) + wire.opb(b"three", 1, interface=1)
    )
    found = [(p[7].link_type, p[7].snap_length, p[7].name, p[7].time_ns(p[5], p[6])) for p in wire.raw_packets(data)]
    assert found == [(101, 65535, "tun0", 1000), (1, 96, "eth0", 1_000_000), (101, 65535, "tun0", 1)]


def test_a_section_has_its_own_byte_order_and_interfaces():
    data = b""
    for order, link in (("<", 1), (">", 113), ("<", 276)):
        data += wire.shb(order) + wire.idb(order, link=link) + wire.epb(b"p%d" % link, link, order)
    packets = list(wire.raw_packets(data))
    assert [(p[0], p[7].link_type, p[7].time_ns(p[5], p[6])) for p in packets] == [
        (1, 1, 1000),
        (2, 113, 113000),
        (3, 276, 276000),
    ]
    missing = wire.shb() + wire.idb() + wire.epb(b"x") + wire.shb(">") + wire.epb(b"y", 0, ">")
    taken, (event,) = wire.split(wire.raw_packets(missing))
    assert taken == [b"x"]
    assert event.reason.startswith("a packet of interface 0, which was never described; at byte ")
    assert event.reason.endswith(f"at byte {len(missing) - len(wire.epb(b'y'))} of the file")


def test_a_comment_of_several_lines_has_a_summary_of_one():
    assert Comment("section", "one\r\ntwo\n\n three").summary() == "comment on the section: one two three"


@ORDERS
def test_packets_are_numbered_as_tshark_numbers_them(order, tshark, tmp_path):
    passed = [wire.block(kind, struct.pack(order + "I", 32473) + b"text", order) for kind in (0xBAD, 0x40000BAD)]
    passed += [wire.block(9, b"__REALTIME_TIMESTAMP=1\n", order), wire.block(5, bytes(12), order)]
    data = wire.shb(order) + wire.idb(order) + b"".join(wire.epb(bytes(14), 0, order) + other for other in passed)
    data += wire.epb(bytes(14), 0, order)
    (tmp_path / "x").write_bytes(data)
    command = [tshark, "-r", str(tmp_path / "x"), "-Y", "eth", "-T", "fields", "-e", "frame.number"]
    theirs = oracle.run(command, text=True, check=True).stdout.split()
    assert [str(packet[0]) for packet in wire.raw_packets(data)] == theirs == ["1", "3", "5", "7", "8"]


@ORDERS
def test_comments_names_and_secrets_stand_where_they_are(order):
    comment = wire.option(1, "grüß".encode(), order)
    names = struct.pack(order + "HH", 1, 4 + 9) + bytes([192, 0, 2, 7]) + b"host\0pc7\0" + bytes(3)
    names += struct.pack(order + "HH", 2, 16 + 3) + bytes(15) + b"\1" + b"lo\0" + b"\0"
    secrets = struct.pack(order + "II", 0x544C534B, 5) + b"CLIEN"
    data = wire.shb(order, comment) + wire.block(10, secrets, order) + wire.idb(order, options=comment)
    data += wire.epb(b"one", 0, order, options=comment + comment) + wire.block(4, names, order)
    data += wire.epb(b"two", 0, order) + wire.block(10, secrets, order)
    found = [
        p[7].event if p[7].link_type == NOTICE else (p[0], p[1][p[2] : p[2] + p[3]]) for p in wire.raw_packets(data)
    ]
    assert found == [
        Comment("section", "grüß"),
        DecryptionSecrets(0x544C534B, b"CLIEN"),
        Comment("interface", "grüß"),
        (1, b"one"),
        Comment("packet", "grüß"),
        Comment("packet", "grüß"),
        NameResolution("192.0.2.7", ("host", "pc7")),
        NameResolution("::1", ("lo",)),
        (2, b"two"),
        DecryptionSecrets(0x544C534B, b"CLIEN"),
    ]


@ORDERS
def test_what_the_capture_dropped_is_told_once(order):
    def statistics(interface, *dropped):
        comment = wire.option(1, b"Counters provided by dumpcap", order)  # no news
        options = b"".join(wire.option(code, struct.pack(order + "Q", count), order) for code, count in dropped)
        return wire.block(5, struct.pack(order + "III", interface, 0, 0) + comment + options, order)

    received, by_interface, by_system = 4, 5, 7
    data = wire.shb(order) + wire.idb(order, options=wire.option(2, b"eth7", order)) + wire.idb(order)
    data += statistics(0, (received, 9), (by_interface, 0)) + wire.epb(b"one", 0, order)
    data += statistics(0, (received, 9), (by_interface, 3)) + statistics(0, (by_interface, 3))
    data += statistics(1, (by_system, 1)) + statistics(2, (by_interface, 5))
    data += statistics(0, (by_interface, 3), (by_system, 4))
    assert [(p[0], p[7].event) for p in wire.raw_packets(data) if p[7].link_type == NOTICE] == [
        (1, Note("pcapng", "the capture lacks 3 packets that eth7 dropped so far")),
        (1, Note("pcapng", "the capture lacks 1 packet that interface 1 dropped so far")),
        (1, Note("pcapng", "the capture lacks 7 packets that eth7 dropped so far")),
    ]


def test_a_secrets_block_that_claims_too_much():
    data = wire.shb() + wire.block(10, struct.pack("<II", 1, 50) + b"12345678") + wire.idb() + wire.epb(b"x")
    taken, (event,) = wire.split(wire.raw_packets(data))
    assert taken == [b"x"]
    assert event == Malformed("pcapng", "a decryption secrets block claims 50 bytes and holds 8")


def test_a_large_secrets_block_reaches_its_limit():
    size = 8 * 1024 * 1024 + 1
    data = wire.shb() + wire.block(10, struct.pack("<II", 1, size) + bytes(size)) + wire.idb() + wire.epb(b"x")
    taken, (event,) = wire.split(wire.raw_packets(data))
    assert (taken, type(event), event.limit, event.value) == ([b"x"], LimitReached, "MAX_SECRETS", 8 * 1024 * 1024)


@ORDERS
def test_unknown_blocks_are_passed_over(order):
    data = wire.shb(order) + wire.block(0x0BAD, b"custom", order) + wire.idb(order) + wire.block(5, bytes(12), order)
    data += wire.epb(b"x", 0, order) + wire.block(0x80000001, b"", order)
    assert wire.split(wire.raw_packets(data)) == ([b"x"], [])


@ORDERS
def test_cut_at_every_byte(order):
    comment = wire.option(1, b"c", order)
    blocks = [wire.shb(order), wire.idb(order), wire.epb(b"ab", 0, order, options=comment), wire.spb(b"cde", order),
              wire.opb(b"fghi", 0, order), wire.epb(b"", 0, order), wire.block(0xBAD, b"xy", order)]  # fmt: skip
    holds = [b"", b"", b"ab", b"cde", b"fghi", b"", b""]
    data = b"".join(blocks)
    ends = [sum(map(len, blocks[: n + 1])) for n in range(len(blocks))]
    for size in range(4, len(data) + 1):
        taken, told = wire.split(wire.raw_packets(data[:size]))
        whole = sum(end <= size for end in ends)
        expected = [hold for at, hold in enumerate(holds[:whole]) if at in (2, 3, 4, 5)]
        # a packet's bytes may be given out before its block's end is there, never before all of the packet is
        assert taken[: len(expected)] == expected
        assert len(taken) == len(expected)
        faults = [event for event in told if not isinstance(event, Comment)]
        if size in ends:
            assert faults == []
        else:
            assert faults == [Truncated("pcapng", "the file ends inside a block", size)]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (struct.pack("<II", 6, 8), "a block of type 0x6 claims 8 bytes"),
        (struct.pack("<II", 6, 0xFFFFFFFC), "a block of type 0x6 claims 4294967292 bytes"),
        (struct.pack("<III", 7, 12, 16), "the two lengths of a block of type 0x7 differ"),
        (wire.epb(b"x", interface=1), "a packet of interface 1, which was never described"),
        (wire.block(1, b"\1\0"), "a block of type 0x1 is too short for its fields"),
        (wire.block(0x0A0D0D0A, b"not the mark"), "a section header without its byte order mark"),
        (wire.shb(major=2), "a section of version 2, where only 1 is known"),
        (
            wire.block(6, struct.pack("<IIIII", 0, 0, 0, 99, 99) + b"1234"),
            "a packet claims 99 bytes in a block that has room for 4",
        ),
    ],
)
def test_damage_is_told_with_its_byte(bad, reason):
    good = wire.shb() + wire.idb() + wire.epb(b"kept")
    data = good + bad + wire.epb(b"behind, not trusted") * 2
    taken, (event,) = wire.split(wire.raw_packets(data))
    assert taken == [b"kept"]
    assert isinstance(event, Malformed)
    assert event.reason == f"{reason}; at byte {len(good)} of the file"
    assert event.data == data[len(good) : len(good) + 32]


def test_too_many_interfaces():
    taken, told = wire.split(wire.raw_packets(wire.shb() + wire.idb() * 4097 + wire.epb(b"x")))
    assert taken == []
    assert (told[0].limit, told[0].value) == ("MAX_INTERFACES", 4096)
    assert len(told) == 2
    assert wire.split(wire.raw_packets(wire.shb() + wire.idb() * 4096 + wire.epb(b"x", interface=4095))) == ([b"x"], [])


@given(st.lists(st.binary(max_size=70), max_size=8), st.sampled_from("<>"), st.data())
def test_round_trip(packets, order, data):
    made = [data.draw(st.sampled_from([wire.epb, wire.opb, wire.spb])) for _ in packets]
    file = wire.shb(order) + wire.idb(order)
    file += b"".join(make(one, order=order) for make, one in zip(made, packets, strict=True))
    assert wire.split(wire.raw_packets(file)) == (packets, [])


def _expected(sharkd, path):
    """Time, number, original and captured length of each packet. Custom blocks are packets without protocol there."""
    names = ("frame.time_epoch", "frame.number", "frame.len", "frame.cap_len", "frame.protocols")
    return [row[:4] for row in sharkd.columns(path, names) if row[0] or row[4] != "data"]


def test_the_generator_s_files_of_both_orders(shared, sharkd):
    """Packet numbers, lengths and times of every file are tshark's; both byte orders tell the same."""
    root = shared / "captures" / "third-party" / "pcapng-test-generator"
    files = sorted((root / "output_le").rglob("*.pcapng")) + sorted((root / "output_be").rglob("*.pcapng"))
    assert len(files) > 40
    told = {}
    for path in files:
        rows = []
        for packet in open_capture(str(path)):
            number, _, _, captured, original, high, low, interface = packet
            if interface.link_type != NOTICE:
                rows.append((number, interface.time_ns(high, low), original, captured))
        theirs = _expected(sharkd, path)
        assert [[str(row[0]), str(row[2]), str(row[3])] for row in rows] == [line[1:] for line in theirs], path
        for (_, time, *_), (epoch, *_) in zip(rows, theirs, strict=True):
            seconds, _, fraction = epoch.partition(".")  # nothing for simple packets
            assert time == (int(seconds) * 10**9 + int(fraction.ljust(9, "0")) if epoch else None), path
        told.setdefault(re.sub("output_[lb]e", "", str(path)), []).append(rows)
    assert all(len(pair) == 2 and pair[0] == pair[1] for pair in told.values())
