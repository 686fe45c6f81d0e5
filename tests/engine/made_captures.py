"""Captures made by chance: connections that share addresses and ports, in order and not, whole and cut.

One draw gives a list of Ethernet frames; what it holds follows from the draw alone.
"""

from __future__ import annotations

import random
import struct
from itertools import zip_longest

import wire
from hypothesis import strategies as st

from pcaps.tls import PskConnection

FIN, SYN, RST, PSH, ACK = wire.FIN, wire.SYN, wire.RST, wire.PSH, wire.ACK
HOSTS = ((wire.CLIENT, wire.SERVER), (wire.CLIENT6, wire.SERVER6), (wire.SERVER, wire.CLIENT))
CLIENT_PORTS = (40_000, 40_001, 9971)  # few, so that connections come again
SERVER_PORTS = (9971, 12_345, 12_345, 12_345, 16_992, 443, 53)
SEQUENCES = (0, 1000, 0xFFFFFFF0, 0xFFFFFFFF, 0x7FFFFFFF)
SAID = (
    b"no room knows this",
    b"\xc8" * 90,
    b"x" * 1400,
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nServer: Intel(R) Active Management Technology 6.2.0\r\nContent-Length: 3000\r\n\r\n",
    b"G",
    b"HTTP",
    b"z" * 5000,
    wire.PSK_HELLO,
    wire.PKI_HELLO,
    wire.PSK_HELLO + b"more",
    b"\x16\x03\x01\x00\x2f\x01\x00\x00\x2b\x03\x01" + bytes(32) + b"\0\0\x04\0\x2f\0\x35\x01\0",
    b"\x16\x03\x01\x00\x04\x0e\0\0\0\x17\x03\x01\x40\x00" + bytes(6000),
    b"\x17\x03\x01\x0f\xa0" + bytes(4000),
    b"",
)
STEPS = st.tuples(
    st.sampled_from(("say", "say", "say", "say", "ack", "fin", "reset", "syn", "again", "ahead", "behind", "odd")),
    st.integers(0, 1),
    st.integers(0, len(SAID) - 1),
    st.sampled_from((20, 90, 700, 1460)),
)
CONVERSATIONS = st.tuples(
    st.sampled_from(HOSTS),
    st.sampled_from(CLIENT_PORTS),
    st.sampled_from(SERVER_PORTS),
    st.sampled_from(SEQUENCES),
    st.sampled_from(SEQUENCES),
    st.sampled_from(("whole", "whole", "whole", "whole", "client only", "server only", "no answer", "middle")),
    st.booleans(),  # a VLAN tag
    st.lists(STEPS, max_size=7),
    st.sampled_from(("close", "close", "close", "other", "reset", "open")),
)
UDP = st.tuples(st.sampled_from(HOSTS), st.integers(5000, 5005), st.sampled_from((53, 123, 5355, 16_992)))
TROUBLE = st.lists(
    st.tuples(
        st.sampled_from(("flip", "lose", "again", "swap", "cut", "flags", "sum")),
        st.floats(0, 1, exclude_max=True),
        st.integers(0, 79),
        st.integers(0, 255),
    ),
    max_size=6,
)


def conversation(drawn):
    """Its frames, in order."""
    hosts, client, server, isn, server_isn, captured, tagged, steps, end = drawn
    talk = wire.Talk(client, server, client=hosts[0], server=hosts[1], isn=isn, server_isn=server_isn)
    packets = [(packet, index % 2) for index, packet in enumerate(talk.open())]
    for what, side, which, size in steps:
        if what == "say":
            packets += [(packet, side) for packet in talk.say(SAID[which], side, size)]
        elif what == "again":
            packets.append(packets[len(packets) * which // len(SAID)])
        else:
            packets.append((talk.packet(side, *SINGLE[what](talk.seq[side], talk.seq[1 - side])), side))
    if end == "reset":
        packets.append((talk.packet(1, b"", RST | ACK), 1))
    elif end != "open":
        first = end == "other"
        packets += [(packet, (index + first) % 2) for index, packet in enumerate(ending(talk, first))]
    if captured == "middle":
        del packets[:3]
    elif captured == "no answer":
        del packets[1]
    elif captured != "whole":
        packets = [one for one in packets if one[1] == (captured == "server only")]
    frames = wire.frames([packet for packet, _ in packets])
    return [frame[:12] + b"\x81\x00\x20\x07" + frame[12:] if tagged else frame for frame in frames]


SINGLE = {
    "ack": lambda mine, other: (b"", ACK),
    "fin": lambda mine, other: (b"", FIN | ACK),
    "reset": lambda mine, other: (b"", RST),
    "syn": lambda mine, other: (b"", SYN),
    "odd": lambda mine, other: (b"x", 0xC0 | ACK | PSH),
    "ahead": lambda mine, other: (b"ahead", ACK),
    "behind": lambda mine, other: (b"", FIN | PSH | ACK),
}


def ending(talk, first):
    return [
        talk.packet(first, b"", FIN | ACK),
        talk.packet(not first, b"", FIN | ACK),
        talk.packet(first),
    ]


def told_by_icmp(frame):
    """A router's complaint about a frame's packet."""
    packet = frame[14:]
    if packet[0] >> 4 != 4:
        return frame
    return wire.ether(wire.ipv4(b"\x03\x01\0\0\0\0\0\0" + packet[:28], "192.0.2.254", wire.CLIENT, 1))


def troubled(frames, changes):
    """Frames lost, copied, in another order, cut, and with other bits."""
    frames = list(frames)
    for kind, which, place, value in changes:
        if not frames:
            break
        at = int(which * len(frames))
        other = min(len(frames) - 1, at + 1 + value % 6)
        frame = bytearray(frames[at])
        if kind == "lose":
            del frames[at]
        elif kind == "again":
            frames.insert(other, frames[at])
        elif kind == "swap":
            frames[at], frames[other] = frames[other], frames[at]
        elif kind == "cut":
            frames[at] = bytes(frame[: max(14, len(frame) - place)])
        elif kind == "sum" and len(frame) >= 52:
            frame[50:52] = struct.pack(">H", value)
            frames[at] = bytes(frame)
        elif place < len(frame):
            frame[47 if kind == "flags" and len(frame) > 47 else place] ^= 1 << value % 8
            frames[at] = bytes(frame)
    return frames


@st.composite
def captures(draw):
    """The frames of up to eight conversations, mixed, with what goes wrong on the way."""
    told = [conversation(one) for one in draw(st.lists(CONVERSATIONS, min_size=1, max_size=8))]
    for hosts, port, server in draw(st.lists(UDP, max_size=4)):
        data = wire.udp(b"what is this, and how much longer than a header", port, server)
        told.append(wire.frames([wire.ip(data, *hosts, 17)] * draw(st.integers(1, 6))))
    rng = draw(st.randoms(use_true_random=False))
    together = draw(st.integers(1, 3))  # conversations under way at a time
    frames, under_way = [], []
    while told or under_way:
        while told and len(under_way) < together:
            under_way.append(told.pop(0))
        one = rng.choice(under_way)
        if one:
            frames.append(one.pop(0))
        else:
            under_way.remove(one)
    for at in draw(st.lists(st.integers(0, len(frames)), max_size=1)) if frames else ():
        frames.insert(at, told_by_icmp(frames[min(at, len(frames) - 1)]))
    return troubled(frames, draw(TROUBLE))


# -- bulk of TLS ------------------------------------------------------------------------------------------------------

RECORDS = st.tuples(
    st.sampled_from((23, 23, 23, 23, 23, 23, 23, 22, 21, 20, 99)),
    st.sampled_from((0, 1, 32, 64, 65, 90, 500, 1455, 1460, 3000, 6000, 18_432, 18_433)),
)
TURNS = st.tuples(st.integers(0, 1), st.lists(RECORDS, min_size=1, max_size=6), st.sampled_from((3, 90, 700, 1460)))


def tls_conversation(drawn):
    """Frames of a TLS connection, its data sealed and mostly in large records."""
    hosts, port, begins, seed, captured, turns, end = drawn
    rng = random.Random(seed)
    secure = PskConnection(rng, b"0000037M", b"x" * 32, hint=b"hint")
    talk = wire.Talk(40_000 + seed % 3, port, client=hosts[0], server=hosts[1], isn=seed, server_isn=0xFFFFF000)
    packets = [(packet, index % 2) for index, packet in enumerate(talk.open())]
    flights = (secure.client_hello, secure.server_flight, secure.client_flight, secure.server_finish)
    for index, flight in enumerate(flights[:begins]):
        packets += [(packet, index % 2) for packet in talk.say(flight(), index % 2)]
    for side, records, size in turns:
        data = b"".join(struct.pack(">BHH", kind, 0x0301, length) + rng.randbytes(length) for kind, length in records)
        for number, packet in enumerate(talk.say(data, side, max(size, len(data) // 12))):
            packets.append((packet, side))
            if number % 2:
                packets.append((talk.packet(1 - side), 1 - side))
    if end:
        packets += [(packet, index % 2) for index, packet in enumerate(ending(talk, 0))]
    if captured == "middle":
        del packets[: seed % 9]
    elif captured != "whole":
        packets = [one for one in packets if one[1] == (captured == "server only")]
    return wire.frames([packet for packet, _ in packets])


@st.composite
def bulk(draw):
    """One or two TLS connections at a time, with what goes wrong on the way."""
    one = st.tuples(
        st.sampled_from(HOSTS),
        st.sampled_from((16_993, 443)),
        st.sampled_from((4, 4, 4, 2, 0)),
        st.integers(0, 1 << 31),
        st.sampled_from(("whole", "whole", "middle", "server only", "client only")),
        st.lists(TURNS, min_size=1, max_size=6),
        st.booleans(),
    )
    told = [tls_conversation(each) for each in draw(st.lists(one, min_size=1, max_size=2))]
    frames = [frame for pair in zip_longest(*told) for frame in pair if frame is not None]
    return troubled(frames, draw(TROUBLE))
