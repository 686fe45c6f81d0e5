"""Any split of the bytes gives the same statements, for every room of the registry; and no bytes make one raise.

What is split is real traffic: what the engine hands each room of the captures in `pcaps/`, and of the shared ones.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amtdecode.capture import open_capture
from amtdecode.engine import Engine
from amtdecode.model import TO_CLIENT, TO_SERVER, End, Endpoint, Payload
from amtdecode.protocols.dissector import Context, DatagramDissector
from amtdecode.protocols.registry import REGISTRY
from amtdecode.secrets import Keys

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("AMTDECODE_SHARED", ROOT.parent / "shared")) / "captures" / "loopback"
PCAPS = sorted([*ROOT.glob("pcaps/*.pcap*"), *SHARED.glob("*/*.pcap")])
LONGEST = 6000  # bytes of a conversation that are split; the rest is left out
SAMPLES = 8  # conversations of a room, as different in size as there are
ROOMS = pytest.mark.parametrize("room", REGISTRY, ids=lambda room: f"{room.name}-{room.transport}")


# as RFC 8415 lays them out: a Solicit with client identifier, elapsed time and IA_NA; a Reply with an address
MADE_DHCPV6 = (
    bytes.fromhex("01123456 0001000a 00030001001122334455 00080002 0000 0003000c 020304050000000000000000"),
    bytes.fromhex(
        "07123456 0001000a 00030001001122334455 0002000a 0003000166778899aabb"
        "00030028 020304050000000000000000 00050018 20010db8000000000000000000000063 0000012c 00000258"
    ),
)


class Recorder:
    """A conversation as the engine hands it to a dissector: its context, and (direction, bytes or size of a gap)."""

    def __init__(self, context, dissector):
        self.context, self.dissector, self.parts = context, dissector, []
        self.skipped, self.broken = [0, 0], False
        for name in ("receive_data", "receive_message", "receive_gap", "receive_eof"):
            setattr(dissector, name, self.watched(name, getattr(dissector, name)))

    def watched(self, name, call):
        def note(direction, what, *more):
            if name == "receive_gap" and self.skipped[direction]:
                self.broken = True  # how much of the gap was to be skipped is not known here
            left = self.dissector.skip_bytes[direction] if name == "receive_eof" else 0
            unseen, self.skipped[direction] = self.skipped[direction] - left, 0
            if not self.broken and (unseen or name != "receive_eof"):
                data = what.data if name == "receive_message" else what
                self.parts += [(direction, bytes(unseen))] * bool(unseen) + [(direction, data)] * (
                    name != "receive_eof"
                )
            statements = call(direction, what, *more)
            self.skipped[direction] = self.dissector.skip_bytes[direction]
            return statements

        return note


def recording(room, made):
    def dissector(context):
        dissector = room.dissector(context)
        made.setdefault((room.name, room.transport), []).append(Recorder(context, dissector))
        return dissector

    return room._replace(dissector=dissector, single_message=None)


@cache
def recorded():
    """All conversations of the captures, by room."""
    made = {}
    rooms = tuple(recording(room, made) for room in REGISTRY)
    for path in PCAPS:
        log = path.with_name(path.name.partition(".pcap")[0] + ".keylog.txt")
        keys = Keys.load(keylogs=[str(log)]) if log.exists() else Keys.load(psk=["*=0123456789ABCDEFGHJKLMNPQRSTUVWX"])
        for _ in Engine(keys, registry=rooms).observe(open_capture(str(path))):
            pass
    return made


@cache
def samples(room):
    """Conversations of a room, each with its context; made where no capture has any."""
    found = {}
    for one in recorded().get((room.name, room.transport), []):
        parts, size = [], 0
        for direction, part in one.parts:
            if size < LONGEST:
                parts.append((direction, part if isinstance(part, int) else part[: LONGEST - size]))
                size += 0 if isinstance(part, int) else len(part)
        if size:
            found.setdefault(tuple(parts), one.context)
    if room.name == "dns" and room.transport == "tcp" and not found:
        udp = next(each for each in REGISTRY if (each.name, each.transport) == ("dns", "udp"))
        for context, parts in samples(udp):
            framed = [(way, len(data).to_bytes(2, "big") + data) for way, data in parts[:60]]
            found[tuple(framed)] = context._replace(transport="tcp")
    if room.name == "dhcpv6" and not found:
        context = Context("udp", Endpoint(bytes(15) + b"\1", 546), Endpoint(b"\xff\2" + bytes(13) + b"\2", 547))
        found[tuple((TO_SERVER, message) for message in MADE_DHCPV6)] = context
    by_size = sorted(found.items(), key=lambda item: sum(len(part) for _, part in item[0] if isinstance(part, bytes)))
    step = max(1, len(by_size) // SAMPLES)
    return [(context, parts) for parts, context in by_size[::-step][:SAMPLES]]


def stated(room, context, parts, sizes):
    """The statements about these parts, their bytes in pieces of these sizes in turn; pieces never cross a gap."""
    dissector, told, at = room.dissector(context), [], 0
    for direction, part in joined(parts):
        if isinstance(part, int):
            told += dissector.receive_gap(direction, part)
            continue
        while part and not dissector.finished:
            size = sizes[at % len(sizes)]
            at += 1
            piece, part = part[:size], part[size:]
            skipped = min(dissector.skip_bytes[direction], len(piece))
            dissector.skip_bytes[direction] -= skipped
            if skipped < len(piece):
                told += dissector.receive_data(direction, piece[skipped:])
    for direction in (TO_SERVER, TO_CLIENT):
        told += dissector.receive_eof(direction, End.FIN)
    for statement in told:
        assert isinstance(statement.event.summary(), str)
        dict(statement.event.fields())
    return in_one_piece(told)


def in_one_piece(told):
    """What a carrier hands on as it comes (RFB behind redirection), as if it had come at once."""
    pieces = []
    for one in told:
        before = pieces[-1] if pieces else None
        if (
            before is not None
            and isinstance(one.event, Payload)
            and isinstance(before.event, Payload)
            and (before.direction, before.end) == (one.direction, one.start)
            and one.event.head is None
            and not one.event.channel
        ):
            joined_data = msgspec.structs.replace(before.event, data=before.event.data + one.event.data)
            pieces[-1] = msgspec.structs.replace(before, event=joined_data, end=one.end)
        else:
            pieces.append(one)
    return pieces


def joined(parts):
    """Bytes of one direction that follow each other, as one part."""
    together = []
    for direction, part in parts:
        if together and isinstance(part, bytes) and isinstance(together[-1][1], bytes) and together[-1][0] is direction:
            part = together.pop()[1] + part
        together.append((direction, part))
    return together


def apart(room, parts):
    """The statements about messages that each have a dissector of their own."""
    return [statement for context, way, data in parts for statement in room.dissector(context).receive_data(way, data)]


def messages(room):
    return [(context, way, data) for context, parts in samples(room) for way, data in parts if isinstance(data, bytes)]


SPLITS = st.one_of(st.just([1]), st.lists(st.integers(1, 700), min_size=1, max_size=6))


def is_stream(room):
    return not isinstance(room.dissector(samples(room)[0][0]), DatagramDissector)


@ROOMS
def test_there_is_real_traffic_for_each_room(room):
    assert samples(room)
    assert any(stated(room, context, parts, [LONGEST]) for context, parts in samples(room)) or not is_stream(room)


@ROOMS
def test_any_split_gives_the_same_statements(room):
    """Of what comes in whole messages: any order and company."""

    @settings(max_examples=25)
    @given(st.data(), SPLITS)
    def of_a_stream(data, sizes):
        context, parts = data.draw(st.sampled_from(samples(room)))
        assert stated(room, context, parts, sizes) == stated(room, context, parts, [LONGEST])

    @settings(max_examples=25)
    @given(st.lists(st.sampled_from(messages(room)), max_size=20))
    def of_messages(chosen):
        dissector = room.dissector(chosen[0][0]) if chosen else None
        assert [each for _, way, data in chosen for each in dissector.receive_data(way, data)] == apart(room, chosen)

    (of_a_stream if is_stream(room) else of_messages)()


@st.composite
def changed(draw, parts):
    """Bytes of the parts flipped, cut out, put in, doubled; parts lost, or become gaps."""
    parts = list(joined(parts))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(parts) - 1))
        direction, part = parts[at]
        if isinstance(part, int) or not part:
            continue
        place, size = draw(st.integers(0, len(part) - 1)), draw(st.integers(1, 40))
        kind = draw(st.sampled_from(["flip", "cut", "put", "double", "gap", "end", "turn"]))
        before, behind = part[:place], part[place:]
        if kind == "flip":
            new = [(direction, before + bytes([behind[0] ^ 1 << size % 8]) + behind[1:])]
        elif kind == "cut":
            new = [(direction, before + behind[size:])]
        elif kind == "put":
            new = [(direction, before + draw(st.binary(min_size=1, max_size=20)) + behind)]
        elif kind == "double":
            new = [(direction, before + behind[:size] + behind)]
        elif kind == "gap":
            new = [(direction, before), (direction, size), (direction, behind[size:])]
        elif kind == "end":
            new = [(direction, before)]
        else:
            new = [(direction, before), (TO_CLIENT if direction is TO_SERVER else TO_SERVER, behind)]
        parts[at : at + 1] = [(way, piece) for way, piece in new if piece]
        if not parts:
            break
    return parts


@ROOMS
def test_no_bytes_make_a_room_raise_and_any_split_of_them_says_the_same(room):
    @settings(max_examples=60)
    @given(st.data(), SPLITS)
    def of_a_stream(data, sizes):
        context, parts = data.draw(st.sampled_from(samples(room)))
        parts = data.draw(changed(parts))
        assert stated(room, context, parts, sizes) == stated(room, context, parts, [LONGEST])

    @settings(max_examples=60)
    @given(st.data(), st.sampled_from(messages(room)))
    def of_messages(data, message):
        context, way, _ = message
        sent = [(context, way, part) for _, part in data.draw(changed([message[1:]])) if isinstance(part, bytes)]
        between = [message, *sent, message]
        dissector = room.dissector(context)
        assert [each for _, way, part in between for each in dissector.receive_data(way, part)] == apart(room, between)

    (of_a_stream if is_stream(room) else of_messages)()
