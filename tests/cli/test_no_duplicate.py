"""`--no-duplicate`: packets that a mirror delivered twice are left out, and how many is said."""

from __future__ import annotations

import json
import struct

import pytest
import wire

from amtdecode.capture.packets import NanosecondInterface
from amtdecode.net.copies import Copies

INTERFACE = NanosecondInterface("test", 1)


def mirrored(packets):
    """Every packet twice, as from a router's two ports: another link layer around it, and a hop less."""
    found = []
    for packet in packets:
        found.append(packet)
        head = bytearray(packet[14:34])
        head[8] -= 1
        head[10:12] = b"\0\0"
        head[10:12] = struct.pack(">H", wire.ones_complement(bytes(head)))
        found.append(b"\2\0\0\0\0\x99" * 2 + packet[12:14] + bytes(head) + packet[34:])
    return found


@pytest.fixture
def both(tmp_path):
    """A capture, and the same as a mirror delivers it; packets have numbers of their own (RFC 791, identification)."""
    talk = wire.Talk()
    packets = [*talk.open(), *talk.say(wire.PKI_HELLO, size=400), *talk.close()]
    numbered = []
    for ident, packet in enumerate(packets, 1):
        head = packet[:4] + struct.pack(">H", ident) + packet[6:10] + b"\0\0" + packet[12:20]
        numbered.append(head[:10] + struct.pack(">H", wire.ones_complement(head)) + head[12:] + packet[20:])
    once = wire.frames(numbered)
    (tmp_path / "once.pcap").write_bytes(wire.pcap(once, step=1))
    (tmp_path / "twice.pcap").write_bytes(wire.pcap(mirrored(once), step=1))
    return len(once)


def test_what_is_left_is_the_capture_without_copies(run, both):
    done = run("read", "twice.pcap", "--no-duplicate", "-w", "left.pcap")
    assert f"note: {both} packets left out that the capture has twice" in done.err
    assert f"{both} packets in left.pcap" in done.err
    words = ["-T", "fields", "-e", "frame.len", "-e", "ip.id", "-Y", "ip"]
    assert run("read", "left.pcap", *words).out == run("read", "once.pcap", *words).out
    once = [json.loads(line) for line in run("flows", "once.pcap", "-T", "json").out.splitlines()]
    assert [
        json.loads(line) for line in run("flows", "twice.pcap", "-T", "json", "--no-duplicate").out.splitlines()
    ] == once
    assert [json.loads(line) for line in run("flows", "twice.pcap", "-T", "json").out.splitlines()] != once


def test_health_then_finds_none(run, both):
    plain = json.loads(run("diagnose", "twice.pcap", "-T", "json").out)
    without = json.loads(run("diagnose", "twice.pcap", "-T", "json", "--no-duplicate").out)
    assert "captured twice" in json.dumps(plain)
    assert "captured twice" not in json.dumps(without)
    assert run("diagnose", "twice.pcap", "-q", "--no-duplicate").err == ""


def test_commands_that_read_captures_take_it(run, both):
    for command in (["follow", "--flow", "0"], ["stats"], ["export", "--pcap", "x.pcapng", "--frame", "1-"], ["read"]):
        done = run(*command, "twice.pcap", "--no-duplicate")
        assert f"note: {both} packets left out that the capture has twice" in done.err, command
    assert (
        f"{both} packets in x.pcapng"
        in run("export", "twice.pcap", "--no-duplicate", "--pcap", "x.pcapng", "--frame", "1-").err
    )
    assert run("live", "--no-duplicate").code == 2


def copies_among(*packets):
    """Of packets and their times in milliseconds: which are copies."""
    found = Copies()
    return [
        found.is_copy((n, data, 0, len(data), len(data), 5, at * 10**6, INTERFACE))
        for n, (data, at) in enumerate(packets, 1)
    ]


def test_what_a_copy_is():
    segment = wire.ether(wire.ipv4(wire.tcp(b"x", flags=wire.PSH | wire.ACK), ident=7))
    other = wire.ether(wire.ipv4(wire.tcp(b"x", flags=wire.PSH | wire.ACK), ident=8))
    assert copies_among((segment, 0), (segment, 99), (other, 99), (segment, 300)) == [False, True, False, False]
    ack = wire.ether(wire.ipv4(wire.tcp()))  # without a number of its own: hosts repeat it at once
    assert copies_among((ack, 0), (ack, 1)) == [False, False]
    ack6 = wire.ether(wire.ipv6(wire.tcp(src=wire.CLIENT6, dst=wire.SERVER6)), 0x86DD)
    data6 = wire.ether(wire.ipv6(wire.tcp(b"x", src=wire.CLIENT6, dst=wire.SERVER6)), 0x86DD)
    assert copies_among((ack6, 0), (ack6, 1), (data6, 2), (data6, 3)) == [False, False, False, True]
    assert copies_among((segment, 50), (segment, 0)) == [False, False]  # before it
    arp = wire.ether(bytes(28), 0x0806)
    assert copies_among((arp, 0), (arp, 5), (arp[:30], 6)) == [False, True, False]
