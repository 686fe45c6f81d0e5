"""Stream numbers against tshark's, and what it costs to make room for new connections."""

from __future__ import annotations

import struct
import sys

import oracle
import pytest
import wire

from amtdecode import packets
from amtdecode.capture import open_capture
from amtdecode.engine import Engine
from amtdecode.flow import table
from amtdecode.model import Malformed
from amtdecode.net.icmp import IcmpError


def numbered_by_tshark(tshark, path, field="tcp.stream"):
    command = [tshark, "-n", "-r", str(path), "-T", "fields", "-e", field]
    text = oracle.run(command, text=True, check=True).stdout
    return [int(line) for line in text.splitlines() if line]


def numbered(path):
    """The TCP stream of each packet that has one."""
    return [number for packet in packets(str(path)) for number in packet.values("tcp.stream")]


@pytest.mark.parametrize("name", ["rst-retry", "icmp-quote", "split-handshake-5whs"])
def test_awkward_streams_are_numbered_as_tshark_does(name, shared, tshark):
    path = shared / "cases" / "hostile" / f"{name}.pcap"
    expected = numbered_by_tshark(tshark, path)
    assert numbered(path) == expected
    engine = Engine(connections="all")
    stated = {one.flow.number for one in engine.observe(open_capture(str(path))) if one.flow is not None}
    assert engine.connections == max(expected) + 1
    assert stated <= set(expected)
    for options in ({"statistics": True}, {"tcp_tap": lambda flow, chunk: None}):
        engine = Engine(**options)
        list(engine.observe(open_capture(str(path))))
        assert engine.connections == max(expected) + 1


def test_a_refused_syn_that_is_sent_again_continues_its_stream():
    syn = wire.ipv4(wire.tcp(b"", 40_000, 16_992, 777, 0, wire.SYN))
    rst = wire.ipv4(
        wire.tcp(b"", 16_992, 40_000, 0, 778, wire.RST | wire.ACK, src=wire.SERVER, dst=wire.CLIENT),
        wire.SERVER,
        wire.CLIENT,
    )
    other = wire.ipv4(wire.tcp(b"", 40_000, 16_992, 778, 0, wire.SYN))
    data = wire.pcap(wire.frames([syn, rst, syn, rst, other, rst]))
    found = [(one.flow.number, one.event.state, one.packets) for one in wire.observe(data)]
    assert found == [(0, "refused", (1, 2)), (0, "refused", (3, 4)), (1, "refused", (5, 6))]


def test_a_quoted_header_takes_a_number_that_the_connection_then_has():
    talk = wire.Talk(dport=16_992)
    opening = talk.open()
    icmp = wire.ipv4(b"\x03\x01\0\0\0\0\0\0" + opening[0], "192.0.2.254", wire.CLIENT, 1)
    other = wire.Talk(sport=50_000, dport=16_992)
    packets = [icmp, *other.open(), *opening, *talk.say(b"GET / HTTP/1.1\r\n\r\n")]
    found = wire.observe(wire.pcap(wire.frames(packets)))
    assert [one.flow.number for one in found if isinstance(one.event, IcmpError)] == [0]
    assert {one.flow.number for one in found if one.protocol == "http"} == {0}


@pytest.mark.parametrize(("length", "numbers"), [(0, 0), (7, 0), (8, 1), (13, 1), (100, 1)])
def test_udp_of_an_impossible_length_takes_no_number(length, numbers, tshark, tmp_path):
    datagram = wire.udp(b"hello", 4000, 5000)
    packet = wire.ipv4(datagram[:4] + struct.pack(">H", length) + datagram[6:], proto=17)
    path = tmp_path / "udp.pcap"
    path.write_bytes(wire.pcap(wire.frames([packet])))
    assert len(numbered_by_tshark(tshark, path, "udp.stream")) == numbers
    engine = Engine(statistics=True)
    found = [type(one.event) for one in engine.observe(open_capture(str(path)))]
    assert len(engine.conversations()) == numbers
    assert found == [Malformed] * (1 - numbers)


def test_making_room_costs_the_same_however_many_connections_there_are(monkeypatch):
    """A scan of an AMT port, most of whose connections are given up for newer ones."""
    monkeypatch.setattr(table, "EVICT", 16)

    def steps(count, limit):
        monkeypatch.setattr(table, "MAX_TCP_FLOWS", limit)
        packets = [wire.ipv4(wire.tcp(b"", 1024 + n, 16_992, n, 0, wire.SYN)) for n in range(count)]
        packets = list(wire.raw_packets(wire.pcap(wire.frames(packets))))
        engine, taken = Engine(), 0

        def trace(frame, event, _argument):
            nonlocal taken
            if frame.f_code.co_filename != table.__file__:
                return None
            frame.f_trace_opcodes = True
            taken += event == "opcode"
            return trace

        before = sys.gettrace()
        sys.settrace(trace)
        try:
            list(engine.observe(packets))
        finally:
            sys.settrace(before)
        assert engine.connections == count
        return taken

    once, twice, larger = steps(2_000, 256), steps(4_000, 256), steps(4_000, 1_024)
    assert once > 2_000
    assert twice < 2.1 * once
    assert larger < 1.1 * twice, "the cost grows with the table"
