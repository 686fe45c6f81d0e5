"""Tunnels: a hello inside each of them is found, and tshark finds the same connections."""

from __future__ import annotations

import re
import struct

import oracle
import pytest
import wire

from amtdecode import packets
from amtdecode.capture.health import Health
from amtdecode.model import Unrecognised
from amtdecode.net.tunnels import MAX_TUNNELS, ip_tunnel, udp_tunnel
from amtdecode.protocols.hello import HelloMessage

OUTER, OTHER = "198.51.100.1", "198.51.100.9"
OUTER6, OTHER6 = "2001:db8:f::1", "2001:db8:f::9"


def frame(packet):
    return wire.ether(packet, 0x0800 if packet[0] >> 4 == 4 else 0x86DD)


def udp(port, payload):
    return wire.ipv4(wire.udp(payload, 50000, port), OUTER, OTHER, 17)


def gre(flags, kind, rest, payload):
    return wire.ipv4(struct.pack(">HH", flags, kind) + rest + payload, OUTER, OTHER, 47)


ETHER, IP4 = 0x6558, 0x0800
TUNNELS = {
    "VXLAN": lambda one: udp(4789, bytes.fromhex("0800000000002a00") + frame(one)),
    "VXLAN of Linux": lambda one: udp(8472, bytes.fromhex("0800000000002a00") + frame(one)),
    "VXLAN over IPv6": lambda one: wire.ipv6(
        wire.udp(bytes.fromhex("0800000000002a00") + frame(one), 50000, 4789), OUTER6, OTHER6, 17
    ),
    "VXLAN-GPE with IP": lambda one: udp(4790, bytes.fromhex("0c00000100002a00") + one),
    "VXLAN-GPE with Ethernet": lambda one: udp(4790, bytes.fromhex("0c00000300002a00") + frame(one)),
    "Geneve": lambda one: udp(6081, bytes.fromhex("0000655800002a00") + frame(one)),
    "Geneve with options": lambda one: udp(6081, bytes.fromhex("0200655800002a00") + bytes(8) + frame(one)),
    "GTP-U": lambda one: udp(2152, struct.pack(">BBHI", 0x30, 255, len(one), 7) + one),
    "GTP-U with an extension header": lambda one: udp(
        2152, struct.pack(">BBHI", 0x34, 255, len(one) + 8, 7) + b"\0\0\0\x85" + b"\1\0\0\0" + one
    ),
    "GRE": lambda one: gre(0, IP4, b"", one),
    "GRE with checksum, key and number": lambda one: gre(0xB000, IP4, bytes(12), one),
    "GRE with Ethernet": lambda one: gre(0x2000, ETHER, bytes(4), frame(one)),
    "GRE with MPLS": lambda one: gre(0, 0x8847, bytes.fromhex("0001013f"), one),
    "enhanced GRE": lambda one: gre(0x3001, 0x880B, bytes(8), b"\xff\x03\x00\x21" + one),
    "ERSPAN I": lambda one: gre(0, 0x88BE, b"", frame(one)),
    "ERSPAN II": lambda one: gre(0x1000, 0x88BE, bytes(4) + bytes.fromhex("1001000100000000"), frame(one)),
    "ERSPAN III": lambda one: gre(0x1000, 0x22EB, bytes(4) + bytes.fromhex("200100010000000000000000"), frame(one)),
    "ERSPAN III with a platform part": lambda one: gre(
        0x1000, 0x22EB, bytes(4) + bytes.fromhex("200100010000000000000001") + bytes(8), frame(one)
    ),
    "IP in IP": lambda one: wire.ipv4(one, OUTER, OTHER, 4),
    "IP in IPv6": lambda one: wire.ipv6(one, OUTER6, OTHER6, 4),
    "EtherIP": lambda one: wire.ipv4(b"\x30\0" + frame(one), OUTER, OTHER, 97),
    "MPLS in IP": lambda one: wire.ipv4(bytes.fromhex("0001013f") + one, OUTER, OTHER, 137),
    "TZSP": lambda one: udp(37008, bytes.fromhex("01000001") + b"\x0a\1x\0\1" + frame(one)),
    "VXLAN in GRE": lambda one: gre(0, IP4, b"", udp(4789, bytes.fromhex("0800000000002a00") + frame(one))),
}
SAID = {"VXLAN of Linux": "VXLAN", "IP in IP": "IPv4 in IP", "IP in IPv6": "IPv4 in IP", "enhanced GRE": "GRE"}


def conversation():
    talk = wire.Talk()
    return [*talk.open(), *talk.say(wire.PKI_HELLO, size=40), *talk.close()]


def capture(wrap):
    return wire.pcap([frame(wrap(one)) for one in conversation()])


@pytest.mark.parametrize("name", TUNNELS)
def test_a_hello_inside_is_found(name):
    found = wire.observe(capture(TUNNELS[name]), connections="all")
    (hello,) = [one for one in found if isinstance(one.event, HelloMessage)]
    assert (str(hello.src), str(hello.dst), hello.flow.number) == (f"{wire.CLIENT}:49152", f"{wire.SERVER}:9971", 0)
    (health,) = [one.event for one in found if isinstance(one.event, Health)]
    count = len(conversation())
    first = SAID.get(name) or re.match(r"MPLS in IP|[\w-]+", name)[0]
    assert f"{first}: {count} packets" in health.unwrapped
    assert not health.unread


def test_tshark_numbers_the_same(tshark, tmp_path):
    """One file of all that it knows by itself, each with ports of its own."""
    made = []
    for number, name in enumerate(sorted(TUNNELS.keys() - {"VXLAN of Linux"})):
        talk = wire.Talk(40_000 + number)
        made += [frame(TUNNELS[name](one)) for one in [*talk.open(), *talk.say(wire.PKI_HELLO)]]
    path = tmp_path / "tunnels.pcap"
    path.write_bytes(wire.pcap(made))
    fields = ["tcp.stream", "udp.stream", "tcp.srcport", "ip.src"]
    command = [tshark, "-n", "-r", str(path), "-T", "fields", *[part for field in fields for part in ("-e", field)]]
    theirs = oracle.run(command, text=True, check=True).stdout.splitlines()
    ours = ["\t".join(",".join(map(str, one.values(field))) for field in fields) for one in packets(str(path))]
    assert ours == theirs


@pytest.mark.parametrize("name", TUNNELS)
def test_a_cut_tunnel_says_no_wrong_thing(name):
    whole = TUNNELS[name](conversation()[3])
    for size in range(20, len(whole)):
        events = wire.events(wire.pcap([frame(whole[:size])]))
        assert not [event for event in events if isinstance(event, HelloMessage)]


def test_tunnels_in_tunnels_have_an_end():
    packet = conversation()[0]
    for _ in range(MAX_TUNNELS + 3):
        packet = wire.ipv4(packet, OUTER, OTHER, 4)
    (event,) = wire.events(wire.pcap([frame(packet)]))
    assert event == Unrecognised("net", "IPv4 in IP, not unwrapped: 1 packet")


@pytest.mark.parametrize(
    ("protocol", "data", "readable"),
    [(50, bytes(40), False), (115, bytes(40), False), (47, b"\0", False), (47, b"\0\0\x12\x34" + bytes(20), False),
     (97, b"\x20\0" + bytes(40), False), (47, b"\x10\0\x22\xeb" + bytes(14) + b"\x1c\0" + bytes(40), False)],
)  # fmt: skip
def test_what_is_not_read_is_named(protocol, data, readable):
    assert ip_tunnel(protocol, data, 0, len(data)).readable is readable


@pytest.mark.parametrize("port", [4789, 4790, 6081, 2152, 37008])
def test_other_bytes_on_a_tunnels_port_are_none(port):
    assert udp_tunnel(port, b"\xff" * 60, 0, 60) is None
    assert udp_tunnel(port, b"\x08", 0, 1) is None
    assert ip_tunnel(6, bytes(40), 0, 40) is None
