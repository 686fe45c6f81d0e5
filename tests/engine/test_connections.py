"""How connections fare, flag by flag, and what is asked of bytes that no room knows: exact values by hand."""

from __future__ import annotations

import pytest
import wire
from wire import ACK, FIN, PSH, RST, SYN

from amtdecode.engine import Engine, connections, lane, recognition
from amtdecode.flow.events import Connection
from amtdecode.model import Unrecognised
from amtdecode.protocols.registry import REGISTRY

OPEN = [(0, SYN, b""), (1, SYN | ACK, b""), (0, ACK, b"")]
TALK = [(0, ACK | PSH, b"\xc8" * 50), (1, ACK | PSH, b"\xc9" * 30)]  # nothing that a room knows
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture(autouse=True, params=["as built", "in Python"])
def way(request, monkeypatch):
    """With the compiled lane, where there is one, and without it."""
    if request.param == "in Python":
        monkeypatch.setattr(lane, "COMPILED", None)


def made(steps, port=16993, step=110_000):
    """A capture of (side, flags, data); packets come each 0.11 s."""
    talk = wire.Talk(dport=port)
    return wire.pcap(wire.frames([talk.packet(side, data, flags) for side, flags, data in steps]), step=step)


def outcomes(data):
    return [one for one in wire.observe(data, connections="all") if isinstance(one.event, Connection)]


@pytest.mark.parametrize(
    ("steps", "state", "syns", "sizes", "closed_by", "broken_by", "proof"),
    [
        ([*OPEN, *TALK, (0, FIN | ACK, b""), (1, FIN | ACK, b""), (0, ACK, b"")],
         "closed", 1, (50, 30), "client", "", (1, 2, 6, 7)),
        ([*OPEN, *TALK, (1, FIN | ACK, b""), (0, FIN | ACK, b"")], "closed", 1, (50, 30), "server", "", (1, 2, 6, 7)),
        ([*OPEN, (0, FIN | ACK, b"x" * 9), (1, FIN | ACK, b"y" * 7)], "closed", 1, (9, 7), "client", "", (1, 2, 4, 5)),
        ([*OPEN, *TALK, (1, FIN | ACK, b"")], "half-closed", 1, (50, 30), "server", "", (1, 2, 6)),
        ([*OPEN, *TALK, (0, RST | ACK, b"")], "reset", 1, (50, 30), "client", "client", (1, 2, 6)),
        ([*OPEN, *TALK, (1, RST | ACK, b"")], "reset", 1, (50, 30), "server", "server", (1, 2, 6)),
        ([*OPEN, *TALK, (0, FIN | ACK, b""), (1, RST | ACK, b"")], "reset", 1, (50, 30), "client", "", (1, 2, 6, 7)),
        ([*OPEN, *TALK, (1, FIN | ACK, b""), (0, RST | ACK, b"")], "reset", 1, (50, 30), "server", "", (1, 2, 6, 7)),
        ([*OPEN, *TALK, (1, FIN | RST | ACK, b"")], "reset", 1, (50, 30), "server", "", (1, 2, 6)),
        ([(0, SYN, b""), (1, RST | ACK, b"")], "refused", 1, (0, 0), "server", "server", (1, 2)),
        ([(0, SYN, b"")], "unanswered", 1, (0, 0), "", "", (1,)),
        ([*OPEN, *TALK], "open", 1, (50, 30), "", "", (1, 2, 5)),
        (TALK, "open", 0, (50, 30), "", "", (1, 2)),
        ([*TALK, (0, RST, b"")], "reset", 0, (50, 30), "client", "client", (2, 3)),
    ],
)  # fmt: skip
def test_how_a_connection_ends_and_who_ended_it(steps, state, syns, sizes, closed_by, broken_by, proof):
    (told,) = outcomes(made(steps))
    event = told.event
    assert (event.state, event.syn_count, event.client_bytes, event.server_bytes) == (state, syns, *sizes)
    assert (event.closed_by, event.broken_by, event.only, told.packets) == (closed_by, broken_by, "", proof)
    assert (event.client_missing, event.server_missing) == (0, 0)


@pytest.mark.parametrize(("step", "syns"), [(110_000, 3), (50_000, 1)])
def test_a_syn_that_comes_again_is_counted_unless_it_is_a_copy(step, syns):
    talk = wire.Talk(dport=16993)
    again = [talk.packet(0, b"", SYN, seq=1000) for _ in range(3)]
    (told,) = outcomes(wire.pcap(wire.frames(again), step=step))
    assert (told.event.state, told.event.syn_count) == ("unanswered", syns)
    assert told.packets == (1, 2, 3)


def test_a_syn_ack_that_comes_again_is_no_syn_of_the_client():
    talk = wire.Talk(dport=16993)
    packets = [talk.packet(0, b"", SYN), *(talk.packet(1, b"", SYN | ACK, seq=5000) for _ in range(4))]
    (told,) = outcomes(wire.pcap(wire.frames(packets), step=110_000))
    assert (told.event.state, told.event.syn_count, told.packets) == ("open", 1, (1, 2, 3, 4, 5))


def test_so_many_packets_prove_an_outcome():
    talk = wire.Talk(dport=16993)
    again = [talk.packet(0, b"", SYN, seq=1000) for _ in range(9)]
    (told,) = outcomes(wire.pcap(wire.frames(again), step=110_000))
    assert told.event.syn_count == 9
    assert told.packets == (*range(1, connections.MAX_PROOF + 1), 9)  # the last one says until when


@pytest.mark.parametrize(("flags", "missing"), [(ACK | PSH, 40), (PSH, 0)])
def test_bytes_that_are_acknowledged_and_not_captured_are_missing(flags, missing):
    """The acknowledgment number counts only where ACK is set (RFC 9293 §3.1)."""
    talk = wire.Talk(dport=16993)
    opening = [*talk.open(), *talk.say(b"\xc8" * 50)]
    seq, ack = talk.seq[1], talk.seq[0] + 40
    segment = wire.tcp(b"\xc9" * 30, 16993, 49152, seq, ack, flags, src=wire.SERVER, dst=wire.CLIENT)
    packets = [*opening, wire.ip(segment, wire.SERVER, wire.CLIENT)]
    (told,) = outcomes(wire.pcap(wire.frames(packets), step=110_000))
    assert (told.event.client_missing, told.event.server_missing) == (missing, 0)


@pytest.mark.parametrize("lacking", [False, True])
def test_a_connection_in_order_takes_the_short_way(monkeypatch, lacking):
    """Only what is irregular is looked at flag by flag: counted, a hundred segments in order are not."""
    taken = []
    segment = connections.Connections.segment
    monkeypatch.setattr(
        connections.Connections, "segment", lambda self, each: (taken.append(each), segment(self, each))[1]
    )
    talk = wire.Talk(dport=16993)
    opening, said = talk.open(), talk.say(b"\xc8" * 100 * 100, 0, 100)
    answers = talk.say(b"\xc9" * 100, 1)
    if lacking:
        del said[10]  # from here on the client waits
    wire.observe(wire.pcap(wire.frames([*opening, *answers, *said])), connections="all")
    assert (len(taken) > 80) is lacking
    assert (len(taken) < 10) is not lacking


@pytest.mark.parametrize(("tries", "found"), [(3, []), (4, ["GET /"])])
def test_bytes_that_no_room_knows_are_tried_so_often(monkeypatch, tries, found):
    """After three chunks in vain a request is still seen where four are tried."""
    monkeypatch.setattr(recognition, "MAX_RESYNC_TRIES", tries)
    talk = wire.Talk(dport=16993)
    packets = [*talk.open(), *(p for _ in range(3) for p in talk.say(b"\xc8" * 5000)), *talk.say(GET)]
    told = [one.event.summary() for one in wire.observe(wire.pcap(wire.frames(packets))) if one.protocol == "http"]
    assert told == found


@pytest.mark.parametrize(
    ("port", "data", "protocol"),
    [(16992, GET, "http"), (9971, wire.PSK_HELLO, "iamt.hello"), (443, b"\xc8" * 9000, "")],
)
def test_statistics_name_the_protocol_of_a_connection(port, data, protocol):
    talk = wire.Talk(dport=port)
    engine = Engine(statistics=True)
    packets = [*talk.open(), *talk.say(data, 0, 1000), *talk.close()]
    assert [*engine.observe(wire.raw_packets(wire.pcap(wire.frames(packets))))] == []
    (flow,) = engine.conversations()
    assert (flow.protocol, flow.client.packets, flow.server.packets) == (protocol, 4 + -(-len(data) // 1000), 2)


@pytest.mark.parametrize(("port", "told"), [(16993, 1), (4711, 0)])
def test_oddities_of_a_direction_that_nobody_reads_are_not_told(port, told):
    talk = wire.Talk(dport=port)
    opening = talk.open()
    early = [talk.packet(0, bytes([fill]) * 20, ACK | PSH, seq=1001 + 10) for fill in (0xC8, 0xC9)]
    packets = [*opening, *early, talk.packet(0, b"\xc8" * 10, ACK | PSH, seq=1001)]
    notes = [one for one in wire.observe(wire.pcap(wire.frames(packets))) if "differ" in one.event.summary()]
    assert len(notes) == told


def test_a_mere_acknowledgment_is_not_the_last_that_was_said():
    steps = [(0, SYN, b""), (0, ACK, b""), (0, ACK | PSH, b"\xc8" * 50), (0, ACK, b""), (0, ACK, b"")]
    (told,) = outcomes(made(steps))
    event = told.event
    assert (event.state, event.only, event.client_bytes, event.server_bytes) == ("open", "client", 50, 0)
    assert (event.first_time_ns, event.last_time_ns) == (wire.T0 * 10**9, wire.T0 * 10**9 + 220_000_000)
    assert told.packets == (1, 3)


def test_what_came_late_and_filled_the_hole_is_followed_by_the_short_way(monkeypatch):
    taken = []
    segment = connections.Connections.segment
    monkeypatch.setattr(
        connections.Connections, "segment", lambda self, each: (taken.append(each), segment(self, each))[1]
    )
    talk = wire.Talk(dport=16993)
    opening, said = talk.open(), talk.say(b"\xc8" * 100 * 100, 0, 100)
    said[3], said[4] = said[4], said[3]
    (told,) = outcomes(wire.pcap(wire.frames([*opening, *talk.say(b"\xc9" * 100, 1), *said])))
    assert (told.event.client_bytes, told.event.client_missing) == (10_000, 0)
    assert 2 <= len(taken) < 12


@pytest.mark.parametrize(
    ("steps", "states"),
    [
        ([(0, SYN, b""), (1, RST | ACK, b"")], ["refused"]),
        ([(0, SYN, b"")], ["unanswered"]),
        ([*OPEN, *TALK, (0, FIN | ACK, b""), (1, FIN | ACK, b"")], []),
        ([*OPEN, *TALK], []),
    ],
)
def test_without_being_asked_only_failures_are_told(steps, states):
    told = [event.state for event in wire.events(made(steps)) if isinstance(event, Connection)]
    assert told == states


def test_the_first_bytes_that_no_room_knows_are_shown():
    data = bytes([0xC8] * 50 + [0xC9] * 5000)
    talk = wire.Talk(dport=16993)
    packets = [*talk.open(), *talk.say(data, 0, 40)]
    (told,) = [one for one in wire.observe(wire.pcap(wire.frames(packets))) if isinstance(one.event, Unrecognised)]
    assert told.event.what == "bytes on port 16993 that no room here knows"
    assert told.event.data == data[: recognition.SHOWN]
    assert (told.offset, told.packets) == (0, tuple(range(4, 4 + -(-recognition.SHOWN // 40))))


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize(("again", "told"), [(b"\xc9" * 20, 1), (b"\xc8" * 20, 0)])
def test_a_retransmission_with_other_bytes_is_told(again, told, late):
    talk = wire.Talk(dport=16993)
    opening, said = talk.open(), talk.say(b"\x11" * 30 + b"\xc8" * 30, 0, 30)
    packets = [*opening, *(said[::-1] if late else said)]
    packets.append(talk.packet(0, again, ACK | PSH, seq=1001 + 30))
    notes = [one for one in wire.observe(wire.pcap(wire.frames(packets))) if "differ" in one.event.summary()]
    assert len(notes) == told


def test_a_hello_in_one_segment_is_one_message():
    talk = wire.Talk()
    packets = [*talk.open(), *talk.say(wire.PSK_HELLO), *talk.close()]
    (told,) = wire.observe(wire.pcap(wire.frames(packets)))
    assert (type(told.event).__name__, told.event.uuid, told.packets) == ("HelloMessage", wire.UUID_TEXT, (4,))


def test_a_hello_in_two_segments_is_one_message():
    talk = wire.Talk()
    packets = [*talk.open(), *talk.say(wire.PSK_HELLO, 0, 20), *talk.close()]
    (told,) = wire.observe(wire.pcap(wire.frames(packets)))
    assert (type(told.event).__name__, told.event.uuid, told.packets) == ("HelloMessage", wire.UUID_TEXT, (4, 5))


def test_a_room_that_fails_is_named_and_asked_no_more(monkeypatch):
    monkeypatch.setattr("amtdecode.engine.stack.RAISE_FAULTS", False)
    asked = []

    def fails(data, direction, context):
        asked.append(data)
        raise ValueError("a defect")

    registry = [room._replace(recognise=fails) if room.name == "http" else room for room in REGISTRY]
    talk = wire.Talk(dport=16992)
    packets = [*talk.open(), *talk.say(GET), *talk.say(GET)]
    found = [*Engine(registry=tuple(registry)).observe(wire.raw_packets(wire.pcap(wire.frames(packets))))]
    assert ([one.packets for one in found], asked) == ([(4,)], [GET])
    assert "a defect" not in found[0].event.summary()


def test_statistics_ask_no_more_once_they_know():
    asked = []

    def watched(room):
        def recognise(data, direction, context):
            asked.append(room.name)
            return room.recognise(data, direction, context)

        return room._replace(recognise=recognise)

    talk = wire.Talk(dport=16992)
    packets = [*talk.open(), *talk.say(GET * 10, 0, len(GET))]
    engine = Engine(registry=tuple(map(watched, REGISTRY)), statistics=True)
    assert [*engine.observe(wire.raw_packets(wire.pcap(wire.frames(packets))))] == []
    assert asked == ["http"]
    assert engine.conversations()[0].protocol == "http"
