"""IPv4 and IPv6 headers, fragments in any order, ICMP errors on their flow, checksums: known bytes, known answers."""

from __future__ import annotations

import random
import struct

import pytest
import wire
from hypothesis import given
from hypothesis import strategies as st

from amtdecode.engine.lane import COMPILED
from amtdecode.model import TO_CLIENT, TO_SERVER, LimitReached, Malformed, Note, Truncated
from amtdecode.net import fragments as fragments_module
from amtdecode.net.checksum import checksum_is_bad, tcp_checksum, word_sum
from amtdecode.net.icmp import IcmpError
from amtdecode.net.ip import Datagram, IpLayer
from amtdecode.protocols.hello import HelloMessage

SEGMENTS = wire.Talk()
SEGMENTS = [*SEGMENTS.open(), *SEGMENTS.say(wire.PKI_HELLO), *SEGMENTS.close()]
HELLO = SEGMENTS[3][20:]  # the TCP segment alone


def layer():
    told = []
    return IpLayer(told.append), told


def pieces(data, size, *, ident=7, source=wire.CLIENT, order=None, last=None):
    """IPv4 fragments of a datagram."""
    cuts = list(range(0, len(data), size))
    made = [wire.ipv4(data[at : at + size], src=source, ident=ident, offset=at, more=at != cuts[-1]) for at in cuts]
    return made if order is None else [made[at] for at in order]


def pieces6(data, size, *, ident=7, proto=6, before=b"", first=44):
    made = []
    for at in range(0, len(data), size):
        part = data[at : at + size]
        head = struct.pack(">BBHI", proto, 0, at | (at + size < len(data)), ident)
        made.append(wire.ipv6(before + head + part, proto=first))
    return made


def read(ip, packet):
    reader = ip.read_ipv4 if packet[0] >> 4 == 4 else ip.read_ipv6
    return reader(b"**" + packet + b"trailer", 2, 2 + len(packet), 2 + len(packet))


def payload(datagram):
    assert isinstance(datagram, Datagram), datagram
    return datagram.data[datagram.start : datagram.end]


# -- headers -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [b"", b"\x01" * 4, b"\x07\x27\x04" + bytes(36) + b"\0"])
def test_ipv4_options(options):
    ip, _ = layer()
    datagram = read(ip, wire.ipv4(HELLO, options=options))
    assert payload(datagram) == HELLO
    assert datagram.addresses == bytes([192, 0, 2, 10, 192, 0, 2, 1])
    assert (datagram.protocol, datagram.cut) == (6, 0)
    talk = [wire.ether(packet) for packet in SEGMENTS]
    talk[3] = wire.ether(wire.ipv4(HELLO, options=options))
    assert [type(event) for event in wire.events(wire.pcap(talk))] == [HelloMessage]


def test_ethernet_padding_is_no_data():
    talk = [packet + b"padding" for packet in wire.frames(SEGMENTS)]
    assert [type(event) for event in wire.events(wire.pcap(talk))] == [HelloMessage]


def test_total_length_zero_is_segmentation_offload():
    ip, _ = layer()
    packet = wire.ipv4(HELLO, total=0)
    datagram = ip.read_ipv4(packet, 0, len(packet), len(packet))
    assert payload(datagram) == HELLO
    packet = wire.ipv6(HELLO, length=0)
    assert payload(ip.read_ipv6(packet, 0, len(packet), len(packet))) == HELLO


def test_what_the_snap_length_cuts():
    ip, _ = layer()
    packet = wire.ipv4(HELLO)
    datagram = ip.read_ipv4(packet, 0, 60, len(packet))
    assert (payload(datagram), datagram.cut) == (HELLO[:40], len(HELLO) - 40)
    packet = wire.ipv6(HELLO)
    datagram = ip.read_ipv6(packet, 0, 80, len(packet))
    assert (payload(datagram), datagram.cut) == (HELLO[:40], len(HELLO) - 40)


@pytest.mark.parametrize(
    ("packet", "what"),
    [
        (b"\x45" + bytes(18), "IPv4 header cut"),
        (b"\x44" + bytes(19), "not an IPv4 header"),
        (b"\x65" + bytes(19), "not an IPv4 header"),
        (wire.ipv4(b"", total=19), "IPv4 total length 19 is less than its header of 20 bytes"),
        (wire.ipv4(b"", options=bytes(8))[:24], "IPv4 options cut"),
    ],
)
def test_broken_ipv4_headers(packet, what):
    ip, _ = layer()
    assert ip.read_ipv4(packet, 0, len(packet), len(packet)) == what
    (event,) = wire.events(wire.pcap([wire.ether(packet)]))
    assert event == Malformed("net", what, packet[:64])


EXTENSIONS = {
    "hop by hop": (0, b"\x00" + bytes(6), 1),
    "routing, 24 bytes": (43, b"\x02" + bytes(22), 3),
    "destination": (60, b"\x00" + bytes(6), 1),
    "authentication": (51, b"\x04" + bytes(22), 3),
    "mobility": (135, b"\x00" + bytes(6), 1),
}


@pytest.mark.parametrize("names", [[name] for name in EXTENSIONS] + [list(EXTENSIONS)])
def test_ipv6_extension_headers(names):
    body, proto = HELLO, 6
    for name in reversed(names):
        number, rest, _ = EXTENSIONS[name]
        body, proto = bytes([proto]) + rest + body, number
    ip, _ = layer()
    datagram = read(ip, wire.ipv6(body, proto=proto))
    assert (payload(datagram), datagram.protocol) == (HELLO, 6)


def test_too_many_or_cut_extension_headers():
    ip, _ = layer()
    packet = wire.ipv6(b"\0" * 8 * 17, proto=0)
    assert read(ip, packet) == "too many IPv6 extension headers"
    packet = wire.ipv6(b"\x06\x05" + bytes(6), proto=0)
    assert read(ip, packet) == "IPv6 extension header cut"
    assert read(ip, wire.ipv6(b"\x06\0\0", proto=44)) == "IPv6 fragment header cut"
    assert ip.read_ipv6(packet, 0, 39, 39) == "IPv6 header cut"


# -- fragments ---------------------------------------------------------------------------------------------------------

DATA = random.Random(5).randbytes(100)


@given(st.permutations(range(13)))
def test_fragments_in_any_order(order):
    for make in (lambda: pieces(DATA, 8), lambda: pieces6(DATA, 8, proto=17)):
        ip, told = layer()
        found = [read(ip, make()[at]) for at in order]
        assert [one for one in found[:-1] if one != ""] == []
        assert payload(found[-1]) == DATA
        assert told == []


@given(st.data())
def test_fragments_repeated_and_overlapping_alike(data):
    whole = [(at, min(at + 8, 100)) for at in range(0, 100, 8)]
    more = data.draw(st.lists(st.tuples(st.integers(0, 11), st.integers(1, 5)), max_size=6))
    ranges = whole + [(8 * at, min(8 * (at + size), 96)) for at, size in more]
    ranges = data.draw(st.permutations(ranges))
    ip, told = layer()
    done = []
    for low, high in ranges:
        if low < high:
            found = read(ip, wire.ipv4(DATA[low:high], ident=9, offset=low, more=high < 100))
            if found != "":
                done.append(payload(found))
    assert done[:1] == [DATA]
    assert told == []


def test_fragments_of_several_datagrams_mixed():
    ip, _ = layer()
    mixed = [
        *zip(
            pieces(DATA, 40, ident=1),
            pieces(DATA[::-1], 40, ident=2),
            pieces(DATA * 2, 80, ident=1, source="192.0.2.9"),
            strict=True,
        )
    ]
    found = [read(ip, packet) for group in mixed for packet in group]
    assert found[:6] == [""] * 6
    assert [payload(one) for one in found[6:]] == [DATA, DATA[::-1], DATA * 2]


def test_overlapping_fragments_that_differ_keep_the_first():
    ip, told = layer()
    assert read(ip, wire.ipv4(b"A" * 16, ident=3, offset=0, more=True)) == ""
    assert read(ip, wire.ipv4(b"B" * 16, ident=3, offset=8, more=True)) == ""
    assert payload(read(ip, wire.ipv4(b"C" * 8, ident=3, offset=24))) == b"A" * 16 + b"B" * 8 + b"C" * 8
    assert told == [Note("net", "fragments overlap with different content at byte 8; the first to come was kept")]
    # a late one fills a hole and meets both neighbours
    ip, told = layer()
    read(ip, wire.ipv4(b"A" * 8, ident=3, offset=0, more=True))
    read(ip, wire.ipv4(b"C" * 8, ident=3, offset=16, more=False))
    assert (
        payload(read(ip, wire.ipv4(b"A" * 8 + b"B" * 8 + b"X" * 8, ident=3, offset=0, more=True)))
        == b"A" * 8 + b"B" * 8 + b"C" * 8
    )
    assert len(told) == 1


def test_fragments_that_cannot_be():
    ip, told = layer()
    assert read(ip, wire.ipv4(b"1234567", offset=0, more=True)) == ""
    assert read(ip, wire.ipv4(b"x" * 16, offset=65528)) == ""
    assert told == [
        Malformed("net", "fragment of 7 bytes at 0 cannot be part of a datagram"),
        Malformed("net", "fragment of 16 bytes at 65528 cannot be part of a datagram"),
    ]


def test_a_fragment_cut_by_the_snap_length():
    ip, told = layer()
    packet = wire.ipv4(b"x" * 80, offset=80, more=True)
    assert ip.read_ipv4(packet, 0, 60, 100) == ""
    assert told == [Truncated("net", "a fragment is cut by the capture's snap length; its datagram is lost", 80, 40)]


def test_missing_fragments_give_nothing():
    for missing in range(13):
        ip, _ = layer()
        assert [read(ip, piece) for at, piece in enumerate(pieces(DATA, 8)) if at != missing] == [""] * 12


def test_too_many_fragments(monkeypatch):
    monkeypatch.setattr(fragments_module, "MAX_FRAGMENTS", 5)
    ip, told = layer()
    assert {read(ip, wire.ipv4(b"x" * 8, ident=1, offset=8 * at, more=True)) for at in range(6)} == {""}
    assert told == [LimitReached("net", "MAX_FRAGMENTS", 5, "a datagram in more fragments is dropped")]


def test_too_many_unfinished_datagrams():
    ip, told = layer()
    for ident in range(300):
        read(ip, wire.ipv4(b"x" * 8, ident=ident, more=True))
    assert [(event.limit, event.value) for event in told] == [("MAX_DATAGRAMS", 256)]
    assert payload(read(ip, wire.ipv4(b"y", ident=299, offset=8))) == b"x" * 8 + b"y"
    assert read(ip, wire.ipv4(b"y", ident=43, offset=8)) == ""


def test_ipv6_fragments_behind_other_headers():
    ip, _ = layer()
    hop = b"\x2c\0" + bytes(6)
    found = [read(ip, packet) for packet in pieces6(DATA, 40, before=hop, first=0)]
    assert (found[:-1], payload(found[-1])) == (["", ""], DATA)
    # fragmented extension headers: they are read once all is whole
    found = [read(ip, packet) for packet in pieces6(b"\x06\0" + bytes(6) + HELLO, 64, proto=60)]
    assert (payload(found[-1]), found[-1].protocol) == (HELLO, 6)


def test_an_atomic_fragment_is_whole():
    ip, _ = layer()
    assert payload(read(ip, wire.ipv6(b"\x06\0\0\0\0\0\0\7" + HELLO, proto=44))) == HELLO


@given(st.permutations(range(4)))
def test_a_hello_in_fragments(order):
    """Four fragments in any order among the other packets of its connection."""
    for version in (4, 6):
        if version == 4:
            talk, make = SEGMENTS, lambda: pieces(HELLO, 32)
        else:
            v6 = wire.Talk(client=wire.CLIENT6, server=wire.SERVER6)
            talk = [*v6.open(), *v6.say(wire.PKI_HELLO), *v6.close()]
            segment = talk[3][40:]
            make = lambda segment=segment: pieces6(segment, 32)  # noqa: E731
        packets = [*talk[:3], *[make()[at] for at in order], *talk[4:]]
        (one,) = wire.observe(wire.pcap(wire.frames(packets)))
        assert (one.event.uuid, one.packets) == (wire.UUID_TEXT, (7,))


# -- ICMP --------------------------------------------------------------------------------------------------------------


def icmp(kind, code, quoted, *, src="192.0.2.254", dst=wire.CLIENT):
    return wire.ipv4(struct.pack(">BBHI", kind, code, 0, 0) + quoted, src, dst, 1)


def test_an_icmp_error_is_told_on_its_flow():
    talk = wire.Talk()
    syn = talk.packet(0, b"", wire.SYN)
    found = wire.observe(wire.pcap(wire.frames([syn, icmp(3, 13, syn[:28])])))
    error = found[0]
    assert error.event == IcmpError(3, 13, "administratively prohibited", "192.0.2.254")
    assert (error.packet, error.flow.number, error.direction) == (2, 0, TO_SERVER)
    assert dict(error.event.fields()) == {
        "icmp.type": 3,
        "icmp.code": 13,
        "iamt.icmp.meaning": "administratively prohibited",
        "iamt.icmp.reporter": "192.0.2.254",
    }


def test_an_icmp_error_about_the_answer_and_without_its_flow():
    talk = wire.Talk()
    opening = talk.open()
    found = wire.observe(wire.pcap(wire.frames([*opening, icmp(11, 0, opening[1][:28], dst=wire.SERVER)])))
    assert (found[0].event.meaning, found[0].direction) == ("time exceeded", TO_CLIENT)
    alone = wire.observe(wire.pcap(wire.frames([icmp(3, 3, opening[0][:28])])))
    assert (alone[0].event.meaning, str(alone[0].flow.server)) == ("port unreachable", "192.0.2.1:9971")
    other = wire.Talk(dport=80).open()[0]
    assert wire.observe(wire.pcap(wire.frames([icmp(3, 3, other[:28])]))) == []


def test_an_icmpv6_error():
    syn = wire.Talk(client=wire.CLIENT6, server=wire.SERVER6).packet(0, b"", wire.SYN)
    body = struct.pack(">BBHI", 1, 4, 0, 0) + syn[:48]
    error = wire.observe(wire.pcap(wire.frames([syn, wire.ipv6(body, "2001:db8::fe", wire.CLIENT6, 58)])))[0]
    assert error.event == IcmpError(1, 4, "port unreachable", "2001:db8::fe", 6)
    assert dict(error.event.fields())["icmpv6.code"] == 4


@pytest.mark.parametrize("size", [0, 7, 8, 27, 35])
def test_icmp_that_quotes_too_little(size):
    syn = wire.Talk().packet(0, b"", wire.SYN)
    body = (struct.pack(">BBHI", 3, 3, 0, 0) + syn)[:size]
    frame = wire.ether(wire.ipv4(body, "192.0.2.254", wire.CLIENT, 1))
    # what lies behind the packet in the file must not be taken for its end
    assert wire.observe(wire.pcap([frame, wire.ether(syn)]))[:1] != []
    assert not any(isinstance(event, IcmpError) for event in wire.events(wire.pcap([frame, wire.ether(syn)])))


def test_icmp_quoting_a_header_longer_than_the_quote():
    """The ports must come from the quote, never from the bytes of the next packet."""
    quoted = bytearray(wire.ipv4(b"", options=bytes(4)) + b"\xc0\x00\x26\xf3")
    for words in (4, 7, 15):
        quoted[0] = 0x40 | words
        frame = wire.ether(icmp(3, 3, bytes(quoted[:28])))
        follow = wire.ether(wire.Talk().packet(0, b"", wire.SYN))
        alone = [event for event in wire.events(wire.pcap([frame])) if isinstance(event, IcmpError)]
        followed = [event for event in wire.events(wire.pcap([frame, follow, follow])) if isinstance(event, IcmpError)]
        assert alone == followed


# -- checksums ---------------------------------------------------------------------------------------------------------


def test_word_sum_of_rfc_1071():
    assert word_sum(bytes.fromhex("0001f203f4f5f6f7")) % 0xFFFF == 0xDDF2  # RFC 1071 §3
    assert word_sum(b"") % 0xFFFF == 0
    assert word_sum(b"\xff\xff") % 0xFFFF == 0
    assert word_sum(b"\x01") % 0xFFFF == 0x0100


@given(st.binary(max_size=3000))
def test_tcp_checksum_is_the_sum_word_by_word(data):
    for src, dst in ((wire.CLIENT, wire.SERVER), (wire.CLIENT6, wire.SERVER6)):
        packet = wire.ip(wire.tcp(data, src=src, dst=dst), src, dst)
        at, size = (12, 8) if ":" not in src else (8, 32)
        assert tcp_checksum(packet[at:], size) == "good"
        changed = bytearray(packet)
        changed[-1] ^= 0x10
        assert tcp_checksum(bytes(changed[at:]), size) == "bad"


@pytest.mark.skipif(COMPILED is None, reason="the lane is not built, or left out")
@given(st.binary(min_size=52, max_size=3000), st.sampled_from((8, 32)), st.sampled_from(("", "whole", "offloaded")))
def test_the_compiled_lane_judges_checksums_alike(data, addresses, right):
    """Of any bytes, and of such whose checksum was put right or left to the card."""
    field, pseudo = addresses + 16, (6 + len(data) - addresses).to_bytes(4, "big")
    if right:
        covered = bytearray(data if right == "whole" else data[:addresses])
        if right == "whole":
            covered[field : field + 2] = b"\0\0"
            covered += bytes(len(data) & 1)
        total = wire.ones_complement(pseudo + bytes(covered))
        total ^= 0xFFFF if right == "offloaded" else 0
        data = data[:field] + total.to_bytes(2, "big") + data[field + 2 :]
    expected = checksum_is_bad(data, addresses)
    assert COMPILED.checksum_is_bad(data, addresses) is expected
    if right:
        assert not expected
    with pytest.raises(ValueError, match="no part"):
        COMPILED.checksum_is_bad(data, len(data) + 1)


def test_offloaded_checksums_are_told_apart():
    pseudo = bytes([192, 0, 2, 10, 192, 0, 2, 1]) + struct.pack(">II", 20 + 5, 6)
    partial = wire.ones_complement(pseudo) ^ 0xFFFF
    assert tcp_checksum(wire.ipv4(wire.tcp(b"hello", checksum=partial))[12:], 8) == "offload"
    assert tcp_checksum(wire.ipv4(wire.tcp(b"hello", checksum=partial ^ 1))[12:], 8) == "bad"


def test_a_wrong_checksum_is_noted_once_and_loses_nothing():
    talk = wire.Talk()
    packets = [
        *talk.open(),
        *[talk.packet(0, wire.PKI_HELLO[at : at + 20], checksum=1) for at in range(0, 81, 20)],
        *talk.close(),
    ]
    for link in (1, 101):
        found = wire.events(wire.pcap(wire.frames(packets) if link == 1 else packets, link=link))
        assert sorted(type(event).__name__ for event in found) == ["HelloMessage", "Note"]
        (note,) = [event for event in found if isinstance(event, Note)]
        assert note.what.startswith("wrong TCP checksum")
