"""The fast lane: records walked by the engine say what the same packets say one by one, and nothing else."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import pytest
import wire
from hypothesis import given, settings
from hypothesis import strategies as st

import amtdecode.capture.source as source_module
from amtdecode.capture.packets import Records, one_by_one
from amtdecode.capture.pcap import pcap_records
from amtdecode.capture.source import Source
from amtdecode.engine import Engine

PCAPS = sorted(Path(__file__).resolve().parents[2].glob("pcaps/*.pcap"))
VARIANTS = [("<", 0xA1B2C3D4, b""), (">", 0xA1B2C3D4, b""), (">", 0xA1B23C4D, b""), ("<", 0xA1B2CD34, bytes(8))]
CUT_OR_FLIPPED = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 7)), max_size=8)


def frames_of(path):
    return [data[start : start + size] for _, data, start, size, *_ in wire.raw_packets(path.read_bytes())]


def say(pieces, **options):
    """What the engine says, and the conversations it counts."""
    engine = Engine(**options)
    found = [(repr(one.event), one.packets, one.time_ns, one.flow, one.offset) for one in engine.observe(pieces)]
    flows = [(flow.key, flow.client.packets, flow.server.packets, flow.client.bytes) for flow in counted(engine)]
    return found, flows


def counted(engine):
    return [flow for flow in engine.conversations() if flow.key.transport == "tcp"]


def pieces(data):
    return pcap_records(Source("x", io.BytesIO(data)))


def alone(data):
    """Each packet in a buffer of its own, so that nothing can be read behind it."""
    for number, buffer, start, size, *rest in one_by_one(pieces(data)):
        yield number, buffer[start : start + size], 0, size, *rest


def agree(data):
    assert any(isinstance(piece, Records) for piece in pieces(data))
    for options in ({"connections": "all"}, {"batch_size": 256}, {"statistics": True}):
        walked = say(pieces(data), **options)
        assert walked == say(alone(data), **options)
    return walked


@pytest.mark.parametrize(("order", "magic", "tail"), VARIANTS)
@pytest.mark.parametrize("path", PCAPS, ids=lambda path: path.name)
def test_every_variant_says_the_same(path, order, magic, tail, monkeypatch):
    frames = frames_of(path)
    monkeypatch.setattr(source_module, "CHUNK", 1500)  # records cut by every piece
    _, flows = agree(wire.pcap(frames, order=order, magic=magic, tail=tail))
    assert flows == agree(wire.pcap(frames))[1]
    assert flows or all(frame[23] != 6 for frame in frames)  # of TCP


@given(changes=CUT_OR_FLIPPED, which=st.integers(0, len(PCAPS) - 1), variant=st.sampled_from(VARIANTS))
@settings(max_examples=60, deadline=None)
def test_broken_packets_are_walked_like_others(changes, which, variant):
    """Bits flipped anywhere in packets, and packets cut by the snap length, Ethernet and other headers among them."""
    frames = [bytearray(frame) for frame in frames_of(PCAPS[which])[:40]]
    for place, bit in changes:
        at = place * len(frames)
        frame = frames[int(at)]
        if not frame:
            continue
        position = int((at % 1) * min(len(frame), 120))
        if bit:
            frame[position] ^= 1 << bit
        else:
            del frame[position:]
    order, magic, tail = variant
    agree(wire.pcap([bytes(frame) for frame in frames], order=order, magic=magic, tail=tail))


@pytest.mark.parametrize("tags", [b"", b"\x81\x00\x00\x05"])
@pytest.mark.parametrize("hosts", [(wire.CLIENT, wire.SERVER), (wire.CLIENT6, wire.SERVER6)])
def test_a_packet_cut_in_its_headers_says_nothing_that_stands_behind_it(hosts, tags):
    """What follows a cut packet is the next record, or the end of the file."""
    talk = wire.Talk(client=hosts[0], server=hosts[1])
    packets = [*talk.open(), *talk.say(wire.PSK_HELLO), *talk.close()]
    frames = [frame[:12] + tags + frame[12:] for frame in wire.frames(packets)]
    for size in range(len(frames[-3])):
        agree(wire.pcap([*frames[:-3], frames[-3][:size], *frames[-3:]]))
        agree(wire.pcap([*frames[:-3], frames[-3][:size]]))


@pytest.mark.parametrize(("link", "lead"), [(101, b""), (0, struct.pack("<I", 2)), (113, bytes(14) + b"\x08\x00")])
def test_files_of_other_links_are_walked_too(link, lead):
    talk = wire.Talk()
    packets = [*talk.open(), *talk.say(wire.PSK_HELLO), *talk.close()]
    _, flows = agree(wire.pcap([lead + packet for packet in packets], link=link))
    assert [packets for _, *packets, _ in flows] == [[5, 2]]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("offset", [8 << bit for bit in range(13)])
def test_a_later_fragment_is_no_segment(order, offset):
    """Whatever its offset, and however much it looks like a FIN in order."""
    talk = wire.Talk()
    said = [*talk.open(), *talk.say(wire.PSK_HELLO)]
    fin = wire.ipv4(talk.packet(0, b"", wire.FIN | wire.ACK)[20:], offset=offset)
    _, flows = agree(wire.pcap(wire.frames([*said, fin]), order=order))
    assert [packets for _, *packets, _ in flows] == [[3, 1]]
