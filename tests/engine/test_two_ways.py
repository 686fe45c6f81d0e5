"""The fast and the slow way of TCP state the same, to the packet number and the time.

The fast way of `engine.loop` reads Ethernet only. The same packets in frames of Linux cooked captures, which keep the
sender and tags, or as raw IP, go through `net` and `flow.reassembly`, every one of them.
"""

from __future__ import annotations

import copy
import re
from pathlib import Path

import pytest
import wire
from hypothesis import given, settings
from hypothesis import strategies as st

from amtdecode.capture import NOTICE, open_capture
from amtdecode.capture.health import Health
from amtdecode.engine import Engine
from amtdecode.net.link import ETHERNET, LINUX_SLL, RAW, network_layer

PCAPS = sorted(Path(__file__).resolve().parents[2].glob("pcaps/*.pcap*"))
CAPTURE = re.compile(r"\.(pcap|pcapng|cap|trace)(\.gz)?$")
EVERY = 12  # of the shared captures, one in so many is read
LONGEST = 60_000  # bytes of a shared capture read, and of one of ours mutated
FLAGS_AT = 14 + 20 + 13  # of TCP, behind Ethernet and a plain IPv4 header
OF_CARDS = (0x888E, 0x88CC)  # 802.1X and LLDP are stated with the receiver, which cooked frames lack
OPTIONS = ({"connections": "all"}, {}, {"statistics": True})


def cooked(packets):
    """Ethernet frames as Linux cooked ones (LINKTYPE_LINUX_SLL)."""
    interfaces = {}
    for number, buffer, start, captured, original, high, low, interface in packets:
        network = network_layer(interface.link_type, buffer, start, start + captured)
        if interface.link_type != ETHERNET or network.ethertype in OF_CARDS:
            yield number, buffer, start, captured, original, high, low, interface
            continue
        if id(interface) not in interfaces:
            interfaces[id(interface)] = copy.copy(interface)
            interfaces[id(interface)].link_type = LINUX_SLL
        frame = buffer[start : start + captured]
        made = b"\0\0\0\1\0\6" + frame[6:12] + b"\0\0" + frame[12:] if captured >= 14 else b"\0" * captured
        yield number, made, 0, len(made), original + 2, high, low, interfaces[id(interface)]


def raw(packets):
    """The IP packets of Ethernet frames without the frames (LINKTYPE_RAW), others as they are."""
    interfaces = {}
    for number, buffer, start, captured, original, high, low, interface in packets:
        network = network_layer(interface.link_type, buffer, start, start + captured)
        if interface.link_type != ETHERNET or network.ethertype not in (0x0800, 0x86DD) or network.limit >= 0:
            yield number, buffer, start, captured, original, high, low, interface
            continue
        if id(interface) not in interfaces:
            interfaces[id(interface)] = copy.copy(interface)
            interfaces[id(interface)].link_type = RAW
        head = network.start - start
        packet = buffer[network.start : start + captured]
        yield number, packet, 0, len(packet), original - head, high, low, interfaces[id(interface)]


def fields_of(event, left_out):
    fields = dict(event.fields())
    # the fast way looks at the time of fewer packets, and counts fewer that are cut
    for name in (*left_out, "iamt.health.cut_length", "iamt.health.cut_packets", "iamt.health.jumps"):
        fields.pop(name, None)
    if type(event).__name__ == "Connection":
        fields["times"] = event.first_time_ns, event.last_time_ns
    return fields


def stated(packets, options, left_out=()):
    """What is stated about packets, with place, proof and time; with statistics, what is counted."""
    engine = Engine(**options)
    found = []
    for one in engine.observe(packets):
        event = one.event
        summary = "" if isinstance(event, Health) else event.summary()  # the fast way counts fewer cut packets
        said = (type(event).__name__, summary, str(fields_of(event, left_out)))
        found.append((one.packet, one.packets, one.time_ns, one.flow, one.direction, one.offset, said))
    for flow in engine.conversations() if "statistics" in options else ():
        sizes = (flow.client.packets, flow.server.packets) if flow.key.transport == "tcp" else flow.packets
        found.append((flow.key, sizes, flow.protocol if flow.key.transport == "tcp" else ""))
    return found, engine.connections


def slow(packets):
    """How many of these packets take the slow way."""
    engine, taken = Engine(), []
    read_slowly = engine._packet

    def counted(packet):
        taken.append(packet)
        read_slowly(packet)

    engine._packet = counted
    list(engine.observe(packets))
    return len(taken)


def agree(packets, reframe=cooked, left_out=()):
    for options in OPTIONS:
        assert stated(packets, options, left_out) == stated(reframe(packets), options, left_out), options


def read(path):
    packets, size = [], 0
    for packet in open_capture(str(path)):
        packets.append(packet)
        size += packet[3]
        if size > LONGEST:
            break
    return packets


@pytest.mark.parametrize("path", PCAPS, ids=lambda path: path.name)
def test_both_ways_state_the_same_about_our_captures(path):
    packets = list(open_capture(str(path)))
    agree(packets)
    agree(packets, raw, ("eth.src", "vlan.id"))


def test_both_ways_state_the_same_about_shared_captures(shared):
    paths = sorted(path for path in (shared / "captures").rglob("*") if CAPTURE.search(path.name))
    paths = [*paths[::EVERY], *sorted((shared / "cases" / "hostile").glob("*.pcap"))]
    assert len(paths) > 100
    for path in paths:
        agree(read(path))


def one_side(packets, greater):
    """The packets of one side of each conversation only: that with the greater address, or the other."""
    for packet in packets:
        _, buffer, start, captured, *_, interface = packet
        network = network_layer(interface.link_type, buffer, start, start + captured)
        size, at = {0x0800: (4, 12), 0x86DD: (16, 8)}.get(network.ethertype, (0, 0))
        source = buffer[network.start + at :][:size]
        if not size or (source > buffer[network.start + at + size :][:size]) == greater:
            yield packet


@pytest.mark.parametrize("greater", [False, True])
@pytest.mark.parametrize("path", PCAPS, ids=lambda path: path.name)
def test_both_ways_state_the_same_about_one_side_from_anywhere_on(path, greater):
    packets = list(one_side(read(path), greater))
    for begin in (*range(6), *range(6, len(packets), max(1, len(packets) // 6))):
        agree(packets[begin:])


def test_one_side_from_the_middle_takes_the_fast_way():
    talk = wire.Talk(40_000, 16992)
    talk.open()
    packets = [packet for _ in range(40) for packet in (*talk.say(b"POST / HTTP/1.0\r\n\r\n"), talk.packet(1))]
    packets = list(wire.raw_packets(wire.pcap(wire.frames(packets))))
    for greater in (False, True):
        side = list(one_side(packets, greater))
        assert len(side) == 40
        assert 0 < slow(side) < 6


KINDS = ["flip", "flip", "flip", "set", "lose", "again", "swap", "cut", "flags"]
BYTES = [0, 1, 2, 3, 4, 6, 16, 17, 18, 20, 24, 25, 63, 64, 128, 194, 255]
CHANGES = st.lists(
    st.tuples(st.sampled_from(KINDS), st.floats(0, 1, exclude_max=True), st.integers(0, 79), st.sampled_from(BYTES)),
    min_size=1,
    max_size=12,
)


def mutated(packets, changes):
    """Packets lost, sent twice, in another order, cut, and with other bits and bytes in their headers."""
    packets = list(packets)
    for kind, which, place, value in changes:
        at = int(which * len(packets))
        number, buffer, start, captured, *rest = packets[at]
        frame = bytearray(buffer[start : start + captured])
        other = min(len(packets) - 1, at + 1 + value % 6)
        if kind == "lose" and len(packets) > 1:
            del packets[at]
        elif kind == "again":
            packets.insert(other, packets[at])
        elif kind == "swap":
            packets[at], packets[other] = packets[other], packets[at]
        elif place < len(frame) and packets[at][7].link_type != NOTICE:
            if kind == "flip":
                frame[place] ^= 1 << value % 8
            elif kind == "set":
                frame[place] = value
            elif kind == "flags" and len(frame) > FLAGS_AT:
                frame[FLAGS_AT] = value
            elif kind == "cut":
                del frame[place:]
            packets[at] = (number, bytes(frame), 0, len(frame), *rest)
    return [(number, *packet[1:]) for number, packet in enumerate(packets, 1)]


@pytest.mark.parametrize("path", PCAPS, ids=lambda path: path.name)
def test_both_ways_state_the_same_about_mutations(path):
    original = read(path)

    @settings(max_examples=12)
    @given(CHANGES)
    def check(changes):
        agree(mutated(original, changes))

    check()


def test_both_ways_state_the_same_about_mutated_talks():
    """Short connections with and without tags, over IPv4 and IPv6, wanted and not, with fragments and ICMP errors."""
    packets = []
    for number, port in enumerate((9971, 16992, 12345)):
        talk, other = (
            wire.Talk(40_000 + number, port),
            wire.Talk(40_000, port, client=wire.CLIENT6, server=wire.SERVER6),
        )
        for one in (talk, other):
            packets += [*one.open(), *one.say(wire.PKI_HELLO, size=200), *one.say(b"no", 1), *one.close()]
        packets += [*talk.open(), *talk.say(b"x" * 90, size=30)]
    packets.append(wire.ipv4(b"\x03\x03\0\0\0\0\0\0" + packets[0][:40], "192.0.2.254", wire.CLIENT, 1))
    packets += [wire.ipv4(wire.udp(b"x" * 30, 5000, 4000), proto=17)] * 6
    packets += [wire.ipv4(packets[3][20:][at : at + 16], ident=5, offset=at, more=True) for at in (0, 16)]
    frames = wire.frames(packets)
    frames += [wire.ether(b"\x00\x05" + frame[12:], 0x8100) for frame in frames[:40]]
    original = list(wire.raw_packets(wire.pcap(frames)))
    agree(original)

    @settings(max_examples=150)
    @given(CHANGES)
    def check(changes):
        agree(mutated(original, changes))

    check()


@pytest.mark.parametrize("path", PCAPS[:1], ids=lambda path: path.name)
def test_the_cooked_packets_take_the_slow_way(path):
    """Or the comparisons above would compare a thing with itself."""
    packets = list(open_capture(str(path)))
    assert slow(cooked(packets)) == len(packets)
    assert slow(packets) < len(packets) / 2
