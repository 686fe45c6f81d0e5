"""Each link layer carries the same hello; what it says is the same."""

from __future__ import annotations

import struct

import pytest
import wire

from amtdecode.model import Gap, Malformed, Unrecognised
from amtdecode.net.link import UNREADABLE, Network, network_layer
from amtdecode.protocols.hello import HelloMessage

V4 = wire.Talk()
V4 = [*V4.open(), *V4.say(wire.PKI_HELLO, size=20), *V4.close()]
V6 = wire.Talk(client=wire.CLIENT6, server=wire.SERVER6)
V6 = [*V6.open(), *V6.say(wire.PKI_HELLO, size=20), *V6.close()]


def kind(packet):
    return struct.pack(">H", 0x0800 if packet[0] >> 4 == 4 else 0x86DD)


def protocol(packet):
    return b"\x00\x21" if packet[0] >> 4 == 4 else b"\x00\x57"


MACS = wire.SERVER_MAC + wire.CLIENT_MAC
PPPOE = b"\x11\x00\x12\x34"  # version and type, code, session
LAYERS = {
    "ethernet": (1, lambda p: MACS + kind(p) + p),
    "802.1Q": (1, lambda p: MACS + b"\x81\x00\x60\x07" + kind(p) + p),
    "QinQ": (1, lambda p: MACS + b"\x88\xa8\x00\x64\x81\x00\x00\x07" + kind(p) + p),
    "QinQ of old": (1, lambda p: MACS + b"\x91\x00\x00\x64\x81\x00\x00\x07" + kind(p) + p),
    "SNAP": (1, lambda p: MACS + struct.pack(">H", len(p) + 8) + b"\xaa\xaa\x03\0\0\0" + kind(p) + p),
    "MPLS": (1, lambda p: MACS + b"\x88\x47\x00\x01\x00\x40\x00\x02\x01\x40" + p),
    "MPLS in a VLAN": (1, lambda p: MACS + b"\x81\x00\x00\x07\x88\x47\x00\x02\x01\x40" + p),
    "PPPoE": (1, lambda p: MACS + b"\x88\x64" + PPPOE + struct.pack(">H", len(p) + 2) + protocol(p) + p + b"padding"),
    "cooked": (113, lambda p: b"\0\0\0\1\0\6" + wire.CLIENT_MAC + b"\0\0" + kind(p) + p),
    "cooked with a VLAN": (113, lambda p: b"\0\0\0\1\0\6" + wire.CLIENT_MAC + b"\0\0\x81\0\0\x07" + kind(p) + p),
    "cooked v2": (276, lambda p: kind(p) + b"\0\0\0\0\0\2\0\1\0\6" + wire.CLIENT_MAC + b"\0\0" + p),
    "null, little-endian": (0, lambda p: (b"\x02\0\0\0" if p[0] >> 4 == 4 else b"\x1e\0\0\0") + p),
    "null, big-endian": (0, lambda p: (b"\0\0\0\x02" if p[0] >> 4 == 4 else b"\0\0\0\x18") + p),
    "loop": (108, lambda p: (b"\0\0\0\x02" if p[0] >> 4 == 4 else b"\0\0\0\x1c") + p),
    "raw": (101, lambda p: p),
    "raw, 12": (12, lambda p: p),
    "raw, 14": (14, lambda p: p),
    "PPP": (9, lambda p: protocol(p) + p),
    "PPP with address and control": (9, lambda p: b"\xff\x03" + protocol(p) + p),
    "PPP, compressed protocol": (9, lambda p: protocol(p)[1:] + p),
    "MPLS in PPP": (9, lambda p: b"\xff\x03\x02\x81" + b"\0\1\0\x40" + b"\0\2\1\x40" + p),
    "MPLS multicast in PPP": (9, lambda p: b"\x02\x83" + b"\0\2\1\x40" + p),
    "PPP in HDLC": (50, lambda p: b"\xff\x03" + protocol(p) + p),
    "Cisco HDLC": (104, lambda p: b"\x0f\x00" + kind(p) + p),
}


@pytest.mark.parametrize("packets", [V4, V6], ids=["IPv4", "IPv6"])
@pytest.mark.parametrize("name", LAYERS)
def test_same_observations_on_every_link_layer(name, packets):
    link, wrap = LAYERS[name]
    found = wire.observe(wire.pcap([wrap(packet) for packet in packets], link=link))
    (one,) = found
    assert one.event == HelloMessage(0, 3, 1, wire.UUID_TEXT, "", one.event.hashes)
    assert [entry[:2] for entry in one.event.hashes] == [(2, wire.SHA256_VALUE), (1, bytes(range(20)))]
    assert (one.packets, one.offset, one.flow.number) == ((4, 5, 6, 7, 8), 0, 0)
    ends = ("192.0.2.10:49152", "192.0.2.1:9971")
    if packets is V6:
        ends = ("[2001:db8::10]:49152", "[2001:db8::1]:9971")
    assert (str(one.src), str(one.dst)) == ends


def test_ipv4_only_and_ipv6_only():
    for link, packets in ((228, V4), (229, V6)):
        (one,) = wire.events(wire.pcap(packets, link=link))
        assert one.uuid == wire.UUID_TEXT


@pytest.mark.parametrize("name", LAYERS)
def test_frames_cut_anywhere_are_malformed_or_have_a_gap(name):
    """A gap where the cut is behind TCP's header, of as many bytes as are missing."""
    link, wrap = LAYERS[name]
    frame = wrap(V4[3]).removesuffix(b"padding")
    for size in range(len(frame)):
        cut = wire.epb(frame[:size], original=len(frame))
        for event in wire.events(wire.shb() + wire.idb(link=link) + cut):
            if isinstance(event, Gap):
                assert event == Gap("tcp", len(frame) - size)
            elif isinstance(event, Unrecognised):
                assert wire.PKI_HELLO.startswith(event.data)
            else:
                assert isinstance(event, Malformed)
                assert event.layer in ("net", "tcp")


def test_tags_and_addresses():
    tagged = MACS + b"\x81\x00\xe0\x07\x81\x00\x00\x09\x08\x00" + b"x"
    assert network_layer(1, b"--" + tagged, 2, 2 + len(tagged)) == Network(0x0800, 24, 7, wire.CLIENT_MAC)
    cooked = b"\0\0\0\1\0\6" + wire.CLIENT_MAC + b"\0\0\x08\x00x"
    assert network_layer(113, cooked, 0, 17) == Network(0x0800, 16, -1, wire.CLIENT_MAC)
    short = b"\0\0\0\1\0\2" + wire.CLIENT_MAC + b"\0\0\x08\x00x"
    assert network_layer(113, short, 0, 17).source_mac == wire.CLIENT_MAC[:2]
    assert network_layer(1, MACS + b"\x08\x06", 0, 14) == Network(0x0806, 14, -1, wire.CLIENT_MAC)
    assert network_layer(1, MACS + b"\x81\x00\x00", 0, 15) == UNREADABLE


def test_pppoe_says_where_its_payload_ends():
    packet = V4[0]
    frame = LAYERS["PPPoE"][1](packet)
    assert network_layer(1, frame, 0, len(frame)).limit == 14 + 6 + 2 + len(packet)


def test_more_tags_than_any_network_has():
    assert network_layer(1, MACS + b"\x81\x00\x00\x07" * 50, 0, 212).ethertype == 0x8100


def test_unknown_link_types_are_counted_and_named_once():
    found = wire.observe(wire.pcap([b"x" * 40] * 3, link=127))
    assert [one.event for one in found] == [Unrecognised("net", "link type 127 (IEEE802_11_RADIOTAP): 3 packets")]
    assert found[0].packet == 1
    (event,) = wire.events(wire.pcap([b"x"], link=3210))
    assert event.what == "link type 3210: 1 packet"


def test_tunnels_are_counted():
    gre = [wire.ether(wire.ipv4(b"inside", proto=47))] * 2
    esp = [wire.ether(wire.ipv6(b"inside", proto=50), 0x86DD)]
    assert [event.what for event in wire.events(wire.pcap(gre + esp))] == [
        "GRE, not unwrapped: 2 packets",
        "ESP, not unwrapped: 1 packet",
    ]


@pytest.mark.parametrize("order", ["<", ">"])
def test_nflog_holds_its_packet_among_other_values(order):
    def value(kind: int, data: bytes) -> bytes:
        return struct.pack(order + "HH", 4 + len(data), kind) + data + bytes(-len(data) % 4)

    frame = b"\x02\0\0\x05" + value(1, b"abcd") + value(10, b"eth0\0") + value(9, b"\x45" + bytes(19))
    at = 4 + 8 + 12 + 4
    assert network_layer(239, b"--" + frame, 2, 2 + len(frame)) == Network(0x0800, 2 + at)
    assert network_layer(239, frame, 0, at - 1) == UNREADABLE
    assert network_layer(239, frame[:24], 0, 24) == UNREADABLE
    assert network_layer(239, b"\x02\0\0\x05" + bytes(8), 0, 12) == UNREADABLE  # a value of no size


def test_pktap_holds_a_packet_of_any_link_type():
    def pktap(link_type: int, size: int = 108, record: int = 1) -> bytes:
        return struct.pack("<III", size, record, link_type) + bytes(96) + MACS + b"\x08\x00" + b"\x45" + bytes(19)

    for outer in (258, 149):
        assert network_layer(outer, pktap(1), 0, 142) == Network(0x0800, 108 + 14, -1, wire.CLIENT_MAC)
        assert network_layer(outer, pktap(101), 0, 142).start == 108
        for wrong in (pktap(1, size=107), pktap(1, size=143), pktap(1, record=2), pktap(258), pktap(149)):
            assert network_layer(outer, wrong, 0, 142) == UNREADABLE
        assert network_layer(outer, pktap(1), 0, 107) == UNREADABLE


def test_fddi_and_vn_tag():
    fddi = b"\x57" + MACS + b"\xaa\xaa\x03\0\0\0\x08\x00" + b"\x45" + bytes(19)
    assert network_layer(10, fddi, 0, len(fddi)) == Network(0x0800, 21, -1, wire.CLIENT_MAC)
    assert network_layer(10, b"\x41" + fddi[1:], 0, len(fddi)) == UNREADABLE  # no data: station management
    tagged = MACS + b"\x89\x26\x80\x06\0\0" + b"\x81\x00\x00\x07\x08\x00" + b"\x45" + bytes(19)
    assert network_layer(1, tagged, 0, len(tagged)) == Network(0x0800, 24, 7, wire.CLIENT_MAC)
    assert network_layer(1, tagged[:19], 0, 19) == UNREADABLE
