"""What holds of every filter, and of every text given as one."""

from __future__ import annotations

import io

import pytest
import wire
from hypothesis import example, given
from hypothesis import strategies as st

import amtdecode
from amtdecode.capture import open_records
from amtdecode.engine import Engine
from amtdecode.errors import FilterError
from amtdecode.filter import Filter, compile_filter
from amtdecode.filter.schema import Schema
from amtdecode.protocols.registry import REGISTRY
from pcaps import messages

NAMES = """tcp.port tcp.len ip.addr ip.src frame.number tcp.flags.syn iamt.hello iamt.hello.version
iamt.hello.hash.value iamt.hello.uuid iamt.hello.pid tcp.payload frame.time frame.time_relative
tcp udp tcp.connection.syn eth.src nosuch"""
OTHERS = """== != === !== ~= < <= > >= contains matches in not and or any all ( ) { } [ ] [0:2] #1 #[1-2]
, .. + - * / % & ! len( count( max( 9971 0x10 1.5 127.0.0.1/8 ::1 aa:bb "a" r"\\d" 'c' ${ip.src} True
00:00:00:00:00:00 "2026-01-01" "(" "(a+)+" \\ " """
WORDS = [*NAMES.split(), *OTHERS.split()]


def outcome(text):
    try:
        return compile_filter(text)
    except FilterError as error:
        return error


@given(st.one_of(st.text(max_size=60), st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join)))
@example("(" * 5000)
@example("{" * 5000 + "tcp.port")
@example("!" * 5000 + "tcp")
@example("tcp.port == " + "-" * 500 + "1")
@example("len(" * 3000)
@example("tcp and " * 3000 + "tcp")
@example('frame.protocols matches "' + "(" * 3000 + ")" * 3000 + '"')
@example('frame.protocols matches "' + "[a]*" * 3000 + '"')
@example("a" * 70_000)
@example("\x00")
@example("tcp.port == ²")
@example('frame.time > "0000-01-01"')
@example('frame.time > "9999-12-31 23:59:59-23:59"')
@example("tcp.port == \ud800")
def test_any_text_is_a_filter_or_one_clear_error(text):
    found = outcome(text)
    if isinstance(found, Filter):
        return
    assert len(str(found).splitlines()) <= 1 + text.count("\n") + sum(
        text.count(c) for c in "\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
    )
    assert 0 <= found.column <= len(text) + 1
    assert bool(found.column) == bool(found.length)
    assert found.reason


COMPARED = """tcp.port == 9971
tcp.len > 0
tcp.srcport == tcp.dstport
iamt.hello
iamt.hello.version == 3
iamt.hello.version != 3
tcp.flags.syn == 1
frame.number < 20
iamt.hello.uuid[0] == 93
udp
all tcp.port > 10000
iamt.hello.pid matches "^a"
count(iamt.hello.hash.value) > 23
ip.addr in {127.0.0.0/8}
tcp.payload contains 01:00"""
FILTERS = st.recursive(
    st.sampled_from(COMPARED.splitlines()),
    lambda inner: st.one_of(
        inner.map("not ({})".format),
        st.tuples(inner, st.sampled_from(["and", "or", "&&", "||"]), inner).map("({0[0]}) {0[1]} ({0[2]})".format),
    ),
    max_leaves=6,
)


@given(FILTERS)
def test_not_not_is_nothing(text):
    plain, twice, once = (compile_filter(each).passes for each in (text, f"not not ({text})", f"!({text})"))
    for facts in READ:
        assert twice(facts) is plain(facts)
        assert once(facts) is not plain(facts)


@pytest.fixture(scope="module", autouse=True)
def read(pcaps):
    from decoded_once import decoded

    READ[:] = [each.facts for each in decoded(str(pcaps / "hello.pcap"))]


READ: list = []


def both_ways(path, text):
    """The numbers of packets of observations that pass, by the gate; and of those that pass, by judging all packets."""
    gate = [each.number for each in amtdecode.read(path, filter=text) if each.packet]
    passing = {packet.number for packet in amtdecode.packets(path, filter=text)}
    plain = Engine(registry=compile_filter(text).in_full(REGISTRY)).observe(open_records([path]))
    return gate, [observation.number for observation in plain if observation.packet in passing]


@given(FILTERS)
def test_observations_that_pass_are_those_of_packets_that_pass(pcaps, text):
    gate, judged = both_ways(str(pcaps / "hello.pcap"), text)
    assert gate == judged


@pytest.mark.parametrize("name", ["hello.pcap", "office.pcapng", "wsman.pcap", "dns.pcap", "tls10_psk.pcap"])
@pytest.mark.parametrize(
    "text",
    [
        "tcp.len > 100",
        "tcp.stream == 1 || udp.stream == 2",
        "tcp.seq > 1000",
        "frame.time_relative > 0.5",
        "ip.src == ip.dst or dns or http.response",
        "tcp.flags.reset == 1 or iamt.hello.version == 3",
        "not tcp",
    ],
)
def test_lazily_read_packets_are_the_same(name, text, pcaps):
    gate, judged = both_ways(str(pcaps / name), text)
    assert gate == judged


def cut(data, at):
    """A classic capture as two, the first with so many packets."""
    head, place = data[:24], 24
    for _ in range(at):
        place += 16 + int.from_bytes(data[place + 8 : place + 12], "little")
    return data[:place], head + data[place:]


@given(FILTERS, st.integers(0, 63))
def test_split_captures_select_the_same(pcaps, text, at):
    data = (pcaps / "hello.pcap").read_bytes()
    whole = [(o.number, repr(o.event)) for o in amtdecode.read(data, filter=text)]
    first, second = cut(data, at)
    parts = [io.BytesIO(first), io.BytesIO(second)]
    if "frame.number" not in text:  # it counts in each file
        assert [(o.number, repr(o.event)) for o in amtdecode.read(parts, filter=text)] == whole


def test_every_field_of_the_catalogue_can_be_asked_for(select, pcaps):
    for name in Schema().names:
        select(pcaps / "wsman.pcap", name)


def test_fragments_are_seen_as_their_whole_datagram():
    """A lazily read packet that completes a fragmented datagram has the fields of UDP, as a followed one has."""
    segment = wire.udp(messages.dns_query(7, "provisionserver.example.com"), 40_000, 53)
    pieces = [segment[at : at + 16] for at in range(0, len(segment), 16)]
    whole = [
        wire.ipv4(piece, proto=17, ident=9, offset=16 * n, more=n < len(pieces) - 1) for n, piece in enumerate(pieces)
    ]
    plain = wire.ipv4(wire.udp(messages.dns_query(8, "other.example.com"), 40_001, 53), proto=17)
    data = wire.pcap([wire.ether(plain), *[wire.ether(each) for each in whole], wire.ether(plain)])
    last = len(whole) + 1
    for text in (
        "udp.srcport == 40000",
        "udp.length > 8 && dns.id == 7",
        "udp.stream == 1",
        "ip.flags.mf == 0 and ip.frag_offset > 0",
    ):
        assert [o.packet for o in amtdecode.read(data, filter=text)] == [last], text
    assert [o.packet for o in amtdecode.read(data, filter="frame.time_relative >= 0 and udp.srcport == 40000")] == [
        last
    ]
