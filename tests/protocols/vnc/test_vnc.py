"""RFB against known bytes, its declaration, tshark, gaps and mutations."""

from __future__ import annotations

import struct

import oracle
import pytest
import wire
from hypothesis import given
from hypothesis import strategies as st

from amtdecode.model import (
    TO_CLIENT,
    TO_SERVER,
    End,
    Endpoint,
    Gap,
    LimitReached,
    Malformed,
    Note,
    Truncated,
    Unrecognised,
)
from amtdecode.protocols.dissector import MORE, NO, YES, Context
from amtdecode.protocols.vnc import VNC, spec
from amtdecode.protocols.vnc.dissector import MAX_CUT, MAX_TEXT
from amtdecode.protocols.vnc.events import VncEvent, VncKey, VncScreen, VncUpdate

CONTEXT = Context("tcp", Endpoint(b"\xc0\0\2\1", 40000), Endpoint(b"\xc0\0\2\2", 5900))
V3, V37, V38 = b"RFB 003.003\n", b"RFB 003.007\n", b"RFB 003.008\n"
RGB565 = {
    "bits_per_pixel": 16, "depth": 16, "big_endian_flag": 0, "true_color_flag": 1, "red_max": 31, "green_max": 63,
    "blue_max": 31, "red_shift": 11, "green_shift": 5, "blue_shift": 0, "padding": None,
}  # fmt: skip
RGB332 = RGB565 | {"bits_per_pixel": 8, "depth": 8, "red_max": 7, "green_max": 7, "blue_max": 3, "red_shift": 5}
SCREEN = spec.SCREEN.build({"width": 1024, "height": 768, "format": RGB565, "name": b"Intel(r) AMT KVM"})
SET_FORMAT = spec.SET_FORMAT.build({"type": None, "padding": None, "format": RGB332})
SET_ENCODINGS = spec.SET_ENCODINGS.build({"type": None, "padding": None, "encodings": [16, 0, 1092, -223]})
ASK = spec.ASK.build({"type": None, "incremental": 1, "x": 1, "y": 2, "width": 1024, "height": 768})
KEY = spec.KEY.build({"type": None, "down": 1, "padding": None, "key": 0x61})
POINTER = spec.POINTER.build({"type": None, "buttons": 1, "x": 10, "y": 20})


def client_cut(text: bytes) -> bytes:
    return bytes(spec.CLIENT_CUT.build({"type": None, "padding": None, "text": text}))


def server_cut(text: bytes) -> bytes:
    return bytes(spec.SERVER_CUT.build({"type": None, "padding": None, "text": text}))


def update(*tiles: tuple[tuple[int, int, int, int], int, bytes]) -> bytes:
    return struct.pack(">BxH", 0, len(tiles)) + b"".join(
        struct.pack(">HHHHi", *area, encoding) + data for area, encoding, data in tiles
    )


RAW_TILE = ((0, 0, 4, 2), 0, bytes(range(8)))  # one byte a pixel
PACKED_TILE = ((64, 0, 64, 64), 16, struct.pack(">I", 300) + bytes(300))
SIZE_TILE = ((0, 0, 800, 600), -223, b"")
UPDATE = update(RAW_TILE, PACKED_TILE, SIZE_TILE)
HANDSHAKE = [
    (TO_CLIENT, V38),
    (TO_SERVER, V38),
    (TO_CLIENT, b"\1\1"),
    (TO_SERVER, b"\1"),
    (TO_CLIENT, bytes(4)),
    (TO_SERVER, b"\1"),
    (TO_CLIENT, SCREEN),
]
TALK = [
    *HANDSHAKE,
    (TO_SERVER, SET_FORMAT + SET_ENCODINGS + ASK),
    (TO_CLIENT, UPDATE + b"\2"),
    (TO_SERVER, KEY + POINTER + client_cut(b"a clipboard")),
    (TO_CLIENT, server_cut(b"another")),
    (TO_SERVER, client_cut(b"\0KvmExtCmd\0\2\3")),
    (TO_CLIENT, server_cut(b"\0KvmDataChannel\0abc")),
    (TO_CLIENT, struct.pack(">BxHH", 1, 0, 2) + bytes(12) + b"\2"),
]


def say(parts, size=1 << 16, ends=True):
    dissector, told = VNC.dissector(CONTEXT), []
    for direction, data in parts:
        if isinstance(data, int):
            told += dissector.receive_gap(direction, data)
            continue
        for at in range(0, len(data), size):
            piece = data[at : at + size]
            skipped = min(dissector.skip_bytes[direction], len(piece))
            dissector.skip_bytes[direction] -= skipped
            if skipped < len(piece):
                told += dissector.receive_data(direction, piece[skipped:])
    for direction in (TO_SERVER, TO_CLIENT) if ends else ():
        told += dissector.receive_eof(direction, End.FIN)
    return told


def events(parts, **more):
    return [each.event for each in say(parts, **more)]


def summaries(parts, **more):
    return [each.summary() for each in events(parts, **more)]


def test_a_session() -> None:
    assert summaries(TALK) == [
        "RFB 003.008, server",
        "RFB 003.008, client",
        "RFB: ways to log in: none",
        "RFB: login by none",
        "RFB: login accepted",
        "RFB: the client begins, shared",
        "RFB: screen of 1024 by 768 pixels, 16 bits a pixel, depth 16, Intel(r) AMT KVM",
        "RFB: 8 bits a pixel, depth 8 wanted",
        "RFB: the client takes ZRLE, or AMT's tiles, raw, KVM data channel of AMT, desktop size",
        "RFB: changes of 1024 by 768 pixels at 1, 2 asked for",
        "RFB: 3 tiles of the screen, 352 bytes",
        "RFB: ring bell",
        "RFB: a key is pressed",
        "RFB: mouse at 10, 20, buttons 0x01",
        "RFB: clipboard of 11 bytes",
        "RFB: clipboard of 7 bytes",
        "KVM: set decimation 3",
        "KVM: 3 bytes for the data channel",
        "RFB: set colour map entries",
        "RFB: ring bell",
    ]


def test_tiles_are_counted_not_kept() -> None:
    (event,) = [each for each in events(TALK) if isinstance(each, VncUpdate)]
    assert event.fields() == {
        "vnc.server_message_type": 0,
        "vnc.fb_update_num_rects": 3,
        "iamt.vnc.encoding": [0, 16, -223],
        "iamt.vnc.pixels": 8 + 64 * 64,
        "iamt.vnc.bytes": len(UPDATE),
    }
    told = next(each for each in say(TALK) if isinstance(each.event, VncUpdate))
    assert told.end - told.start == len(UPDATE)
    dissector = VNC.dissector(CONTEXT)
    for direction, data in HANDSHAKE:
        list(dissector.receive_data(direction, data))
    big = update(((0, 0, 4000, 4000), 16, struct.pack(">I", 1 << 30)))
    list(dissector.receive_data(TO_CLIENT, big))
    assert dissector.skip_bytes[TO_CLIENT] == (1 << 30) - 1  # all but the last byte


def test_what_is_typed_and_copied_is_masked() -> None:
    key = next(each for each in events(TALK) if isinstance(each, VncKey))
    assert (key.fields()["vnc.key"], key.masked_fields()["vnc.key"]) == (0x61, "********")
    shown = " ".join(repr(each) + each.summary() for each in events(TALK))
    assert "a clipboard" not in shown
    assert "another" not in shown


def test_other_versions_and_logins() -> None:
    vnc33 = [(TO_CLIENT, V3), (TO_SERVER, V3), (TO_CLIENT, b"\0\0\0\2"), (TO_CLIENT, bytes(range(16))),
             (TO_SERVER, bytes(16) + b"\0"), (TO_CLIENT, bytes(4) + SCREEN)]  # fmt: skip
    assert summaries(vnc33)[2:6] == [
        "RFB: ways to log in: VNC authentication",
        "RFB: challenge",
        "RFB: answer to the challenge",
        "RFB: the client begins, alone",
    ]
    assert isinstance(events(vnc33)[-1], VncScreen)
    vnc37 = [(TO_CLIENT, V37), (TO_SERVER, V37), (TO_CLIENT, b"\1\1"), (TO_SERVER, b"\1\1"), (TO_CLIENT, SCREEN)]
    assert isinstance(events(vnc37)[-1], VncScreen)  # no result after none
    real = [(TO_CLIENT, b"RFB 004.000\n"), (TO_SERVER, V38), *HANDSHAKE[2:]]  # AMT 11.8 and MeshCommander
    assert isinstance(events(real)[-1], VncScreen)
    both = [(TO_CLIENT, b"RFB 004.000\n"), (TO_SERVER, b"RFB 004.000\n"), (TO_CLIENT, b"\1\2\3")]
    assert events(both)[-1] == Unrecognised("vnc", "RFB 4, of which no description is public", b"\1\2\3")
    refused = [*HANDSHAKE[:2], (TO_CLIENT, b"\0\0\0\0\4busy")]
    assert summaries(refused)[-1] == "RFB: refused: busy"
    wrong = [*HANDSHAKE[:2], (TO_CLIENT, b"\1\2"), (TO_SERVER, b"\2"), (TO_CLIENT, bytes(16)), (TO_SERVER, bytes(16)),
             (TO_CLIENT, b"\0\0\0\1\0\0\0\2no")]  # fmt: skip
    assert summaries(wrong)[-1] == "RFB: login refused: no"
    foreign = [*HANDSHAKE[:2], (TO_CLIENT, b"\1\x13"), (TO_SERVER, b"\x13\0\2"), (TO_CLIENT, b"\0\2")]
    assert [each.what for each in events(foreign) if isinstance(each, Unrecognised)] == ["login of RFB by type 19"] * 2


def test_one_side_alone_is_read_too() -> None:
    server = [(way, data) for way, data in TALK if way is TO_CLIENT and data != UPDATE + b"\2"]
    assert isinstance(events(server)[3], VncScreen)
    client = [(way, data) for way, data in TALK if way is TO_SERVER]
    assert summaries(client)[-1] == "KVM: set decimation 3"


def test_limits_and_faults() -> None:
    name = SCREEN[:20] + struct.pack(">I", MAX_TEXT + 1)
    assert isinstance(events([*HANDSHAKE[:6], (TO_CLIENT, name)])[-1], LimitReached)
    assert events([(TO_CLIENT, b"RFB 00x.008\n")]) == [
        Malformed("vnc", "no version of RFB at the beginning", b"RFB 00x.008\n")
    ]
    long = client_cut(b"x" * (MAX_CUT + 500))
    told = events([*HANDSHAKE, (TO_SERVER, long + KEY)])
    assert (told[-2].size, len(told[-2].raw)) == (MAX_CUT + 500, MAX_CUT)
    assert isinstance(told[-1], VncKey)
    odd = events([*HANDSHAKE, (TO_SERVER, b"\x63abc")])[-1]
    assert odd == Unrecognised("vnc", "client message of type 99", b"\x63abc")
    tight = events([*HANDSHAKE, (TO_CLIENT, update(((0, 0, 1, 1), 7, b"abc")))])[-1]
    assert isinstance(tight, Unrecognised)
    assert tight.what == "tile in encoding 7"


def test_gaps_and_ends() -> None:
    begun = update(PACKED_TILE)
    inside = [*HANDSHAKE, (TO_CLIENT, begun[:50]), (TO_CLIENT, 100), (TO_CLIENT, begun[150:] + b"\2")]
    assert [type(each) for each in events(inside)[-3:]] == [Gap, VncUpdate, type(events(TALK)[-1])]
    lost = [*HANDSHAKE, (TO_CLIENT, 10), (TO_CLIENT, UPDATE)]
    assert [type(each) for each in events(lost)[-2:]] == [Gap, Note]
    cut = say([*HANDSHAKE, (TO_CLIENT, begun[:50])])[-1]
    assert cut.event == Truncated("vnc", "a message ends early (FIN)", 12 + 2 + 4 + len(SCREEN) + 50, len(begun) - 50)
    assert events([*HANDSHAKE, (TO_SERVER, KEY[:5])])[-1] == Truncated("vnc", "a message ends early (FIN)", 12 + 2 + 5)


@given(st.data())
def test_any_split_says_the_same_whatever_the_bytes(data) -> None:
    parts = list(TALK)
    if data.draw(st.booleans()):
        at = data.draw(st.integers(0, len(parts) - 1))
        direction, message = parts[at]
        place = data.draw(st.integers(0, len(message)))
        parts[at] = (direction, message[:place] + data.draw(st.binary(max_size=5)) + message[place + 1 :])
    size = data.draw(st.integers(1, 60))
    assert [(s.event, s.start, s.end) for s in say(parts, size)] == [(s.event, s.start, s.end) for s in say(parts)]
    known = {field.name for field in VNC.fields()}
    for each in events(parts):
        if isinstance(each, VncEvent):
            assert set(each.fields()) <= known
            assert each.summary()


@pytest.mark.parametrize(
    ("data", "direction", "port", "verdict"),
    [
        (V38, TO_CLIENT, 6000, YES),
        (b"RFB 00", TO_CLIENT, 6000, MORE),
        (b"RFB 003-008\n", TO_CLIENT, 6000, NO),
        (V38, TO_SERVER, 6000, NO),
        (V38, TO_SERVER, 5900, YES),
        (b"SSH-2.0", TO_CLIENT, 5900, NO),
    ],
)
def test_recognised(data, direction, port, verdict) -> None:
    context = CONTEXT._replace(server=Endpoint(b"\xc0\0\2\2", port))
    assert VNC.recognise(data, direction, context) == verdict


def test_trees_stand_where_the_declaration_has_them() -> None:
    whole = {TO_SERVER: b"", TO_CLIENT: b""}
    for direction, data in TALK:
        whole[direction] += data
    seen = 0
    for each in say(TALK):
        fields = each.event.fields()
        for root in each.event.tree(whole[each.direction][each.start : each.end]):
            for one in root.walk():
                if one.name in fields and not isinstance(fields[one.name], list):
                    assert one.value == fields[one.name], one
                    seen += 1
    assert seen > 40


OTHERWISE = {"vnc.server_cut_text", "vnc.server_cut_text_len"}
"""tshark 4.0 takes the length of ServerCutText from another place than RFC 6143, section 7.6.4, has it."""
NAMES = sorted({field.name for field in VNC.fields() if field.name.startswith("vnc.")} - OTHERWISE)
"""All else that is called as tshark calls it."""
REASON = struct.pack(">I", 11) + b"not allowed"
TALKS = [
    # one message a packet, as tshark's dissector wants it
    [*HANDSHAKE, *((TO_SERVER, each) for each in (SET_FORMAT, SET_ENCODINGS, ASK, KEY, POINTER)),
     (TO_SERVER, client_cut(b"a clipboard")), (TO_CLIENT, update(RAW_TILE)),
     (TO_CLIENT, b"\2")],
    [(TO_CLIENT, V38), (TO_SERVER, V38), (TO_CLIENT, b"\1\2"), (TO_SERVER, b"\2"), (TO_CLIENT, bytes(range(16))),
     (TO_SERVER, bytes(range(16, 32))), (TO_CLIENT, b"\0\0\0\1" + REASON)],
    [(TO_CLIENT, V3), (TO_SERVER, V3), (TO_CLIENT, b"\0\0\0\2"), (TO_CLIENT, bytes(range(16))),
     (TO_SERVER, bytes(range(16, 32))), (TO_CLIENT, bytes(4)), (TO_SERVER, b"\1"), (TO_CLIENT, SCREEN)],
]  # fmt: skip


def test_agrees_with_tshark(tshark, tmp_path) -> None:
    """Every field of every message, and each field has a value somewhere."""
    packets = []
    for number, parts in enumerate(TALKS):
        talk = wire.Talk(40_000 + number, 5900)
        packets += talk.open()
        for direction, data in parts:
            packets += talk.say(data, int(direction))
    path = tmp_path / "vnc.pcap"
    path.write_bytes(wire.pcap(wire.frames(packets)))
    columns = [part for name in ("frame.number", *NAMES) for part in ("-e", name)]
    lines = oracle.run(
        [tshark, "-n", "-r", str(path), "-Y", "vnc", "-T", "fields", *columns],
        check=True,
        text=True,
    ).stdout.splitlines()
    found = wire.observe(path.read_bytes())
    ours = {one.packets[-1]: one.event.fields() for one in found if one.protocol == "vnc"}
    assert len(ours) == len(lines) == sum(map(len, TALKS))
    seen = set()
    for line in lines:
        number, *values = line.split("\t")
        for name, value in zip(NAMES, values, strict=True):
            own = ours[int(number)].get(name)
            if not value:
                assert own is None, (number, name)
            elif isinstance(own, str):
                assert value == own, (number, name)
            else:
                numbers = [int(part, 0) for part in value.split(",")]
                assert numbers == [int(each) for each in (own if isinstance(own, list) else [own])], (number, name)
            seen |= {name} if value else set()
    assert seen == set(NAMES)
