"""Any mutation of any capture gives events, never an exception; and the same ones whichever way packets come."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import wire
from hypothesis import given, settings
from hypothesis import strategies as st

from amtdecode.capture.opening import identify
from amtdecode.capture.pcap import pcap_records
from amtdecode.capture.source import Source
from amtdecode.engine import Engine
from amtdecode.errors import CaptureError

PCAPS = sorted(Path(__file__).resolve().parents[2].glob("pcaps/*.pcap*"))
LONGEST = 40_000  # bytes of a capture mutated; longer ones from their start


@st.composite
def mutated(draw, data):
    """Bytes flipped, cut out, inserted or copied from elsewhere in the capture."""
    data = bytearray(data)
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(data) - 1))
        kind = draw(st.sampled_from(["flip", "cut", "insert", "copy", "end", "zero"]))
        if kind == "flip":
            data[at] ^= 1 << draw(st.integers(0, 7))
        elif kind == "cut":
            del data[at : at + draw(st.integers(1, 64))]
        elif kind == "insert":
            data[at:at] = draw(st.binary(min_size=1, max_size=16))
        elif kind == "copy":
            other = draw(st.integers(0, len(data) - 1))
            size = draw(st.integers(1, 200))
            data[at : at + size] = data[other : other + size]
        elif kind == "end":
            del data[max(at, 30) :]
        else:
            data[at : at + 4] = draw(st.sampled_from([bytes(4), b"\xff" * 4, b"\0\0\0\x80"]))
        if not data:
            break
    return bytes(data)


def heard(packets, **options):
    found = []
    for one in Engine(**options).observe(packets):
        found.append((repr(one.event), one.packets, one.time_ns, one.flow, one.direction, one.offset))
        one.event.summary()
        dict(one.event.fields())
    return found


def alone(packets):
    """Each packet in a buffer of its own, so that nothing can be read behind it."""
    for number, buffer, start, size, *rest in packets:
        yield number, buffer[start : start + size], 0, size, *rest


def agree(data):
    """What is heard of a capture as users read it, walked as records where it can be, and of its packets alone."""
    source = Source("x", io.BytesIO(data))
    try:
        walked = pcap_records(source) if identify(source) == "pcap" else wire.raw_packets(data)
        apart = wire.raw_packets(data)
    except CaptureError:
        return
    assert heard(walked, batch_size=256) == heard(alone(apart))


@pytest.mark.parametrize("path", PCAPS, ids=lambda path: path.name)
def test_mutations_of_our_captures(path):
    original = path.read_bytes()[:LONGEST]

    @settings(max_examples=25)
    @given(mutated(original))
    def check(data):
        agree(data)

    check()


def test_mutated_packets_keep_the_frame():
    """The file stays whole and its packets change: headers of all layers, with tags, fragments and IPv6 among them."""
    talk, other = wire.Talk(), wire.Talk(client=wire.CLIENT6, server=wire.SERVER6)
    segments = [*talk.open(), *talk.say(wire.PKI_HELLO, size=20), *talk.close()]
    fragments = [wire.ipv4(segments[3][20:][at : at + 16], ident=5, offset=at, more=at < 16) for at in (0, 16, 32)]
    packets = [*segments, *fragments, *other.open(), *other.say(wire.PSK_HELLO), *other.close()]
    packets.append(wire.ipv4(b"\x03\x03\0\0\0\0\0\0" + segments[0][:28], "192.0.2.254", wire.CLIENT, 1))
    frames = wire.frames(packets) + [wire.ether(b"\x00\x05" + b"\x08\x00" + packet, 0x8100) for packet in segments]
    sizes = [len(frame) for frame in frames]

    @settings(max_examples=300)
    @given(
        st.lists(st.tuples(st.integers(0, len(frames) - 1), st.integers(12, 80), st.integers(0, 255)), max_size=8),
        st.permutations(range(len(frames))),
    )
    def check(changes, order):
        made = [bytearray(frame) for frame in frames]
        for frame, at, value in changes:
            made[frame][at % sizes[frame]] = value
        data = wire.pcap([bytes(made[at]) for at in order])
        agree(data)

    check()
