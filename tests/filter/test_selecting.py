"""What a filter can tell early: from the headers of plain packets, and of packets of which nothing was decoded."""

from __future__ import annotations

from pathlib import Path

import pytest
import wire
from hypothesis import given
from hypothesis import strategies as st

from amtdecode.capture import open_records
from amtdecode.capture.packets import NOTICE, NanosecondInterface, one_by_one
from amtdecode.engine import Engine
from amtdecode.errors import FilterError
from amtdecode.filter import compile_filter
from amtdecode.filter.facts import Facts, RawFacts
from amtdecode.filter.operands import Operands
from amtdecode.filter.packets import Judge
from amtdecode.filter.parser import parse
from amtdecode.filter.plain import FIELDS, LAYERS, plain
from amtdecode.filter.schema import schema_of
from amtdecode.frame.reading import PacketReader
from amtdecode.protocols.registry import REGISTRY

ROOT = Path(__file__).resolve().parents[2]
CAPTURES = sorted([*(ROOT / "pcaps").glob("*.pcap"), *(ROOT / "pcaps").glob("*.pcapng")])
INTERFACE = NanosecondInterface("test", 1)


def source(name):
    operands = Operands(name, schema_of(REGISTRY))
    operands.field_like(parse(name).operand)
    return operands.sources[0]


OF_FIELDS = {name: source(name) for name in FIELDS}
OF_LAYERS = {name: source(name) for name in LAYERS}


def same_both_ways(raw):
    """Whether the packet is plain; if so, all values are those that its headers give."""
    quick, slow = RawFacts(raw, PacketReader(()), (), at_once=False), Facts(PacketReader(()).read(raw), ())
    if quick.plain is None:
        return False
    for name, each in OF_FIELDS.items():
        assert each.read(quick) == each.read(slow), name
    for name, each in OF_LAYERS.items():
        assert each.there(quick) is each.there(slow), name
    return True


@pytest.mark.parametrize("path", CAPTURES, ids=[path.name for path in CAPTURES])
def test_plain_packets_have_the_values_that_headers_have(path):
    raws = one_by_one(iter(open_records([str(path)])))
    assert sum(same_both_ways(raw) for raw in raws if raw[7].link_type != NOTICE)


FRAMES = [
    wire.ether(wire.ipv4(wire.tcp(b"GET / HTTP/1.1\r\n", flags=wire.PSH | wire.ACK))),
    wire.ether(wire.ipv4(wire.tcp(flags=wire.SYN, options=b"\2\4\5\xb4"))),
    wire.ether(wire.ipv4(wire.udp(b"\0" * 20, 53, 4000), proto=17)),
    wire.ether(wire.ipv4(wire.tcp(b"x" * 40), options=b"\1" * 8)),
]


@given(
    st.sampled_from(FRAMES),
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 255)), max_size=3),
    st.integers(0, 70),
    st.integers(0, 4),
)
def test_so_do_mutated_ones(frame, changes, cut, more):
    data = bytearray(frame)
    for at, value in changes:
        data[at % len(data)] = value
    captured = len(data) - cut if cut < len(data) else 0
    # what stands behind in the buffer is none of the packet's
    same_both_ways((7, bytes(data) + bytes(100), 0, captured, len(data) + more, 1, 2, INTERFACE))


def test_the_frames_are_plain_but_for_the_one_with_options():
    raws = [(1, frame, 0, len(frame), len(frame), 0, 0, INTERFACE) for frame in FRAMES]
    assert [plain(raw) is not None for raw in raws] == [True, True, True, False]


@pytest.mark.parametrize(
    "text",
    [
        "tcp.len > 0 and ip.src == 192.0.2.10",
        "udp or tcp.flags.syn == 1",
        "tcp.len > 0 and ip.id > 0x1000",  # the second is not read from plain packets
        "ip.src#1 == 192.0.2.10",
        "len(tcp) > 20",
        "tcp[13] == 2",
        "frame.time_relative > 1",
        "frame.len > 100 and not ip.addr == 192.0.2.0/28",
    ],
)
def test_packets_are_chosen_alike_however_they_are_looked_at(text):
    chosen, count = compile_filter(text), 0
    for path in CAPTURES:
        every = Judge(chosen, Engine, None).judge(open_records([str(path)]))
        passing = Judge(chosen, Engine).passing(open_records([str(path)]))
        wanted = [each.packet.number for each in every if each.passes]
        assert [facts.packet.number for facts in passing] == wanted
        count += len(wanted)
    assert count


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("tcp.port == 9971 && tcp.len > 0", None),
        ("!dns", True),
        ("dns.qry.name", False),
        ("!(dns.qry.name)", True),
        ('dns.qry.name != "a"', False),
        ("dns or tcp", None),
        ("dns and tcp", False),
        ("dns or http", False),
        ("not (dns and tcp)", True),
        ("not dns or tcp", True),
        ("len(dns.qry.name) > 3", False),
        ("max(tcp.srcport, dns.id) > 3", None),
        ("max(dns.count.answers, dns.id) > 3", False),
        ("dns.id + 1 == 3", False),
        ("tcp.srcport == dns.id", False),
        ("dns.id in {1, 2}", False),
        ("dns[0:2] == 00:01", False),
        ('_ws.col.Info contains "a"', False),
    ],
)
def test_what_a_filter_says_of_packets_of_which_nothing_was_decoded(text, found):
    from amtdecode.filter.plan import without_events

    assert without_events(parse(text), schema_of(REGISTRY)) is found
    assert compile_filter(text).needs_events is (found is False)
    if found is not None:
        assert compile_filter(text).passes(Facts(None, ())) is found


def test_labels_of_wireshark_say_that_something_is_there():
    path = str(ROOT / "pcaps/tls10_mutual.pcap")

    def selected(text):
        judged = Judge(compile_filter(text), lambda: Engine(registry=compile_filter(text).rooms(REGISTRY)))
        return [facts.packet.number for facts in judged.passing(open_records([path]))]

    assert selected("tls.handshake") == selected("tls.handshake.type") == [4, 6, 8]
    assert selected("tls.handshake or !tls.handshake") == selected("frame")
    with pytest.raises(FilterError) as told:
        compile_filter("tls.handshake == 1")
    assert told.value.reason == "tls.handshake (type=Label) cannot participate in == comparison."
    assert compile_filter("tls.alert_message").event_names == {"tls.alert_message.level"}
