"""Fields of packets: exact values for known bytes, cut and damaged packets, and what is kept for observations."""

from __future__ import annotations

import struct

import pytest
import wire
from hypothesis import given, settings
from hypothesis import strategies as st

from amtdecode import UsageError, packets
from amtdecode.engine import Engine
from amtdecode.fields import Kind
from amtdecode.frame import FIELDS, PacketReader, observed
from amtdecode.frame.flow_fields import only_in_packets
from amtdecode.frame.observed import PacketValues

SYN, ACK, PSH, FIN = wire.SYN, wire.ACK, wire.PSH, wire.FIN


def read(frames, names=None):
    return list(PacketReader(names).read_all(wire.raw_packets(wire.pcap(frames))))


def test_known_bytes():
    options = bytes.fromhex("020405b4 0402 080a 00000001 00000002 01 030307".replace(" ", ""))
    segment = wire.tcp(b"hello", 49152, 9971, 7, 9, PSH | ACK, options=options)
    tagged = struct.pack(">HH", 0xA00A, 0x0800) + wire.ipv4(segment, ident=0x1234)
    fields = read([wire.ether(tagged, 0x8100)])[0].fields()
    expected = {
        "frame.number": 1, "frame.len": 83, "frame.cap_len": 83, "frame.time": "2026-09-21T14:13:20.000000Z",
        "frame.protocols": "eth:vlan:ip:tcp", "eth.dst": "02:00:00:00:00:01", "eth.src": "02:00:00:00:00:10",
        "eth.addr": ["02:00:00:00:00:01", "02:00:00:00:00:10"], "eth.dst.lg": True, "eth.dst.ig": False,
        "eth.type": 0x8100,
        "vlan.priority": 5, "vlan.dei": False, "vlan.id": 10, "vlan.etype": 0x0800,
        "ip.version": 4, "ip.hdr_len": 20, "ip.len": 65, "ip.id": 0x1234, "ip.ttl": 64, "ip.proto": 6,
        "ip.flags.df": False, "ip.checksum.status": 1, "ip.src": "192.0.2.10", "ip.addr": ["192.0.2.10", "192.0.2.1"],
        "tcp.srcport": 49152, "tcp.port": [49152, 9971], "tcp.len": 5, "tcp.seq_raw": 7, "tcp.ack_raw": 9,
        "tcp.hdr_len": 40,
        "tcp.flags": 0x018, "tcp.flags.push": True, "tcp.flags.syn": False, "tcp.flags.str": "·······AP···",
        "tcp.window_size_value": 8192, "tcp.checksum.status": 1, "tcp.options.mss_val": [1460],
        "tcp.option_kind": [2, 4, 8, 1, 3], "tcp.option_len": [4, 2, 10, 3], "tcp.options.wscale.multiplier": [128],
        "tcp.options.timestamp.tsval": [1], "tcp.options.timestamp.tsecr": [2], "tcp.stream": 0, "tcp.seq": 1,
        "tcp.nxtseq": 6,
    }  # fmt: skip
    assert {name: fields.get(name) for name in expected} == expected
    assert "tcp.payload" not in fields
    assert read([wire.ether(tagged, 0x8100)])[0].values("tcp.payload") == [b"hello"]


def test_ipv6_and_udp():
    packet = read([wire.ether(wire.ipv6(wire.udp(b"abc", 546, 547), proto=17), 0x86DD)])[0]
    fields = packet.fields()
    assert (fields["ipv6.src"], fields["ipv6.nxt"], fields["ipv6.hlim"]) == ("2001:db8::10", 17, 64)
    assert (fields["ip.version"], fields["udp.length"], fields["udp.checksum.status"]) == (6, 11, 3)
    assert packet.values("udp.payload") == [b"abc"]


def test_an_icmp_error_has_the_fields_of_what_it_quotes_too():
    inner = wire.ipv4(wire.tcp(flags=SYN, seq=5))
    packet = read([wire.ether(wire.ipv4(b"\x03\x01\0\0\0\0\0\0" + inner, "192.0.2.254", wire.CLIENT, 1))])[0]
    assert packet.values("ip.src") == ["192.0.2.254", wire.CLIENT]
    assert packet.fields()["ip.dst"] == [wire.CLIENT, wire.SERVER]
    assert packet.values("icmp.type") == [3]
    assert packet.values("tcp.dstport") == [9971]


def test_a_retransmission_and_the_acks_around_it():
    talk = wire.Talk()
    opening = talk.open()
    data = talk.packet(0, b"x" * 100, PSH | ACK)
    ack = talk.packet(1)
    found = read(wire.frames([*opening, data, data, ack, ack]))  # a millisecond apart
    marks = [[name for name in ("retransmission", "spurious_retransmission", "duplicate_ack", "lost_segment")
              if packet.values(f"tcp.analysis.{name}")] for packet in found]  # fmt: skip
    assert marks == [[], [], [], [], ["retransmission"], [], ["duplicate_ack"]]
    assert found[4].values("tcp.analysis.rto") == ["0.001000000"]
    assert found[4].values("tcp.analysis.rto_frame") == [4]
    assert found[5].values("tcp.analysis.acks_frame") == [4]
    assert found[5].values("tcp.analysis.ack_rtt") == ["0.002000000"]
    assert found[3].values("tcp.analysis.bytes_in_flight") == [100]
    assert found[5].values("tcp.analysis.initial_rtt") == ["0.002000000"]
    assert [packet.values("tcp.completeness")[0] for packet in found] == [0, 1, 3, 7, 15, 15, 15]


def test_a_new_initial_sequence_number_opens_a_stream_and_the_same_does_not():
    first, second = wire.Talk(isn=1000), wire.Talk(isn=2000)
    syn = first.packet(0, b"", SYN)
    found = read(wire.frames([syn, first.packet(1, b"", wire.RST | ACK), syn, second.packet(0, b"", SYN)]))
    assert [packet.values("tcp.stream") for packet in found] == [[0], [0], [0], [1]]
    assert [bool(packet.values("tcp.analysis.reused_ports")) for packet in found] == [False, False, False, True]


def test_only_what_is_asked_for_is_followed():
    talk = wire.Talk()
    found = read(wire.frames([*talk.open(), *talk.say(b"x")]), ["ip.src", "tcp.seq_raw"])
    assert found[0].values("tcp.seq_raw") == [1000]
    assert [packet.values("tcp.stream") for packet in found] == [[]] * 4
    assert [packet.values("tcp.analysis") for packet in found] == [[]] * 4


def test_a_name_that_is_none_is_refused():
    with pytest.raises(UsageError, match=r"tcp\.nosuch: no such field of a packet"):
        packets(wire.pcap([]), fields=["tcp.nosuch"])
    for names in ("tcp.stream", 5):
        with pytest.raises(UsageError, match=f"^fields takes a list of names, not {names!r}$"):
            packets(wire.pcap([]), fields=names)
    with pytest.raises(UsageError, match="no such field of a packet"):
        packets(wire.pcap([]), fields=[["tcp.stream"]])


def test_the_library_gives_packets():
    data = wire.pcap(wire.frames(wire.Talk().open()))
    assert [packet.values("tcp.flags") for packet in packets(data, count=2)] == [[0x002], [0x012]]


def test_kinds_hold():
    talk = wire.Talk()
    frames = wire.frames([*talk.open(), *talk.say(wire.PKI_HELLO), *talk.close()])
    types = {Kind.BOOLEAN: bool, Kind.STRING: str, Kind.BYTES: bytes, Kind.NONE: bool}
    for packet in read(frames):
        for field in FIELDS:
            for value in packet.values(field.name):
                assert type(value) is types.get(field.kind, int if field.kind.bits else str), field.name
                if field.kind.bits and field.kind is not Kind.INT32:
                    assert 0 <= value < 1 << field.kind.bits


@settings(max_examples=150)
@given(st.data())
def test_no_bytes_make_it_raise(data):
    """Whole packets with bytes changed, cut anywhere, in any order, on any link type."""
    talk, other = wire.Talk(), wire.Talk(client=wire.CLIENT6, server=wire.SERVER6)
    inner = wire.ipv4(wire.tcp(flags=SYN))
    some = wire.frames([*talk.open(), *talk.say(wire.PSK_HELLO), *other.open(), *other.say(b"abc"), *talk.close(),
                        wire.ipv4(b"\x03\x01\0\0\0\0\0\0" + inner, proto=1),
                        wire.ipv4(wire.udp(b"x", 53, 53), proto=17),
                        wire.ipv4(b"x" * 16, ident=3, more=True), wire.ipv4(b"y" * 9, ident=3, offset=16)])  # fmt: skip
    some.append(wire.ether(b"\x00\x05\x08\x00" + talk.open()[0], 0x8100))
    made = []
    for _ in range(data.draw(st.integers(1, 12))):
        frame = bytearray(data.draw(st.sampled_from(some)))
        for _ in range(data.draw(st.integers(0, 4))):
            frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))
        made.append(bytes(frame[: data.draw(st.integers(0, len(frame)))]) if data.draw(st.booleans()) else bytes(frame))
    link = data.draw(st.sampled_from([1, 1, 1, 0, 101, 113, 276, 228, 147]))
    for packet in PacketReader().read_all(wire.raw_packets(wire.pcap(made, link=link))):
        for name, value in packet.fields().items():
            assert value is not None, name
        for field in FIELDS:
            packet.values(field.name)


def test_values_of_packets_are_kept_until_their_observations_come(monkeypatch):
    talk = wire.Talk()
    frames = wire.frames([*talk.open(), *talk.say(wire.PKI_HELLO), *talk.close()])
    names = only_in_packets(["frame.number", "ip.src", "tcp.stream", "ip.ttl", "tcp.len", "iamt.hello.uuid"])
    assert names == ["ip.ttl", "tcp.len"]
    values = PacketValues(names)
    hello = next(iter(Engine().observe(values.watch(wire.raw_packets(wire.pcap(frames))))))
    assert values.of(hello) == {"ip.ttl": [64], "tcp.len": [len(wire.PKI_HELLO)]}
    assert values.forgotten == 0
    monkeypatch.setattr(observed, "MAX_KEPT", 500)
    few = PacketValues(names)
    for _ in few.watch(wire.raw_packets(wire.pcap(frames))):
        pass
    assert few.of(hello) == {}
    assert few.forgotten == 1
