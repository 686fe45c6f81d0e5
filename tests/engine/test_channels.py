"""Who plays client in a channel decides how it is read, not who opened the TCP connection: by a carrier made here."""

from __future__ import annotations

import wire
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_mux import CLOSE, DATA, MAGIC, MUX, frame, opening

from amtdecode.model import TO_CLIENT, TO_SERVER, Gap, LimitReached, Unrecognised
from amtdecode.protocols.hello import HELLO
from amtdecode.protocols.http.events import HttpRequest, HttpResponse
from amtdecode.protocols.registry import REGISTRY
from amtdecode.protocols.soap.events import Call

ROOMS = (MUX, *REGISTRY)
CIM = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_"
ENVELOPE = (
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
    'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
    'xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"><s:Header>{}</s:Header><s:Body>{}</s:Body></s:Envelope>'
)
GET = "http://schemas.xmlsoap.org/ws/2004/09/transfer/Get"


def request(name, number):
    head = (
        f"<a:Action>{GET}</a:Action><a:MessageID>uuid:{number}</a:MessageID><w:ResourceURI>{CIM}{name}</w:ResourceURI>"
    )
    body = ENVELOPE.format(head, "").encode()
    return b"POST /wsman HTTP/1.1\r\nHost: amt\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


def response(name, number):
    head = f"<a:Action>{GET}Response</a:Action><a:RelatesTo>uuid:{number}</a:RelatesTo>"
    body = ENVELOPE.format(head, f'<c:CIM_{name} xmlns:c="{CIM}{name}"/>').encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


def observed(*said, size=1 << 16, lost=(), registry=ROOMS):
    """What is observed of bytes said by side 0 (the TCP client) or 1 in turn; packets of `size` bytes, some lost."""
    talk = wire.Talk(49152, 4433)
    packets = [*talk.open(), *talk.say(MAGIC), *talk.say(MAGIC, 1)]
    for side, data in said:
        packets += talk.say(data, side, size)
    packets += talk.close()
    kept = [packet for number, packet in enumerate(packets) if number not in lost]
    return wire.observe(wire.pcap(wire.frames(kept)), registry=registry)


def of(found, *kinds):
    return [one for one in found if isinstance(one.event, kinds)]


def test_a_request_towards_the_tcp_client_is_a_request():
    found = observed(
        (1, opening(7, 16992, b"machine.example")),
        (1, frame(DATA, 7, request("ComputerSystem", 1))),
        (0, frame(DATA, 7, response("ComputerSystem", 1))),
        (1, frame(CLOSE, 7)),
        (0, frame(CLOSE, 7)),
    )
    asked, told = of(found, HttpRequest, HttpResponse)
    assert (asked.event.method, asked.event.target, asked.direction) == ("POST", "/wsman", TO_CLIENT)
    assert (told.event.status, told.event.target, told.direction) == (200, "/wsman", TO_SERVER)
    assert (str(asked.src), str(asked.dst)) == (f"{wire.SERVER}:4433", f"{wire.CLIENT}:49152")
    assert (str(told.src), str(told.dst)) == (f"{wire.CLIENT}:49152", f"{wire.SERVER}:4433")
    (call,) = of(found, Call)
    assert (call.event.class_name, call.event.method, call.event.http_status) == ("CIM_ComputerSystem", "Get", 200)
    assert call.direction == TO_SERVER
    assert call.packets == (7, 8)  # the request, and the response that completes it


def test_a_request_from_the_tcp_client_is_a_request_too():
    found = observed(
        (0, opening(7, 16992)), (0, frame(DATA, 7, request("Card", 1))), (1, frame(DATA, 7, response("Card", 1)))
    )
    assert [one.direction for one in of(found, HttpRequest, HttpResponse)] == [TO_SERVER, TO_CLIENT]
    assert [one.event.class_name for one in of(found, Call)] == ["CIM_Card"]


@settings(max_examples=60)
@given(st.integers(1, 400), st.lists(st.integers(1, 300), min_size=1, max_size=12), st.booleans())
def test_two_channels_never_mix(size, cuts, opposed):
    """However frames and packets are cut, each channel has its own call, and nobody else's."""
    first, second = (7, "ComputerSystem", 1), (8, "Card", 0 if opposed else 1)  # number, class, who plays client

    def pieces(data):
        at = 0
        while at < len(data):
            for cut in cuts:
                yield data[at : at + cut]
                at += cut

    said = [(first[2], opening(7, 16992)), (second[2], opening(8, 16992))]
    for make, way in ((request, 0), (response, 1)):
        streams = [
            [(client ^ way, frame(DATA, number, piece)) for piece in pieces(make(name, 5)) if piece]
            for number, name, client in (first, second)
        ]
        for turn in range(max(map(len, streams))):
            said += [stream[turn] for stream in streams if turn < len(stream)]
    found = observed(*said, size=size)
    calls = {one.event.class_name: one for one in of(found, Call)}
    assert {name: one.event.http_status for name, one in calls.items()} == {"CIM_ComputerSystem": 200, "CIM_Card": 200}
    assert calls["CIM_ComputerSystem"].direction == TO_SERVER
    assert calls["CIM_Card"].direction == (TO_CLIENT if opposed else TO_SERVER)
    asked = {(one.direction, one.event.body_size) for one in of(found, HttpRequest)}
    sizes = [len(request(name, 5).partition(b"\r\n\r\n")[2]) for name in ("ComputerSystem", "Card")]
    assert asked == {(TO_CLIENT, sizes[0]), (TO_SERVER if opposed else TO_CLIENT, sizes[1])}
    assert len(of(found, HttpRequest, HttpResponse)) == 4
    assert not of(found, Unrecognised, Gap, LimitReached)


def test_the_port_of_the_channel_breaks_ties():
    """A hello of a version nobody knows is one only on its own port."""
    odd = wire.PSK_HELLO[:2] + b"\x07\0" + wire.PSK_HELLO[4:]
    rooms = (MUX, HELLO._replace(carried=True))
    for port, expected in ((9971, "iamt.hello"), (4711, "toy.mux")):
        said = (0, opening(3, port)), (0, frame(DATA, 3, odd)), (0, frame(CLOSE, 3)), (1, frame(CLOSE, 3))
        found = observed(*said, registry=rooms)
        told = [one.protocol for one in found if one.protocol in {"iamt.hello", "toy.mux"}]
        assert told == [expected]


def test_bytes_that_no_room_knows_are_told_once():
    strange = b"\x01\x02 nothing known here"
    found = observed(
        (0, opening(3, 16994)), (0, frame(DATA, 3, strange)), (1, frame(DATA, 3, strange)), (0, frame(DATA, 3, strange))
    )
    (one,) = of(found, Unrecognised)
    assert one.event == Unrecognised("toy.mux", "bytes in a channel to port 16994 that no room here knows", strange)


def test_the_end_of_a_channel_reaches_its_dissectors():
    body = b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n<html>" + bytes(20)  # goes on until its end
    asked = b"GET / HTTP/1.0\r\n\r\n"
    said = [(1, opening(7, 16992)), (1, frame(DATA, 7, asked)), (0, frame(DATA, 7, body))]
    later = (1, opening(8, 16992) + frame(DATA, 8, b"GET /later HTTP/1.0\r\n\r\n"))
    for end, order in (((0, frame(CLOSE, 7)), [26, "/later"]), ((1, b""), ["/later", 26])):
        found = of(observed(*said, end, later), HttpRequest, HttpResponse)[1:]
        assert [(getattr(one.event, "status", 0) and one.event.body_size) or one.event.target for one in found] == order


def test_a_number_used_again_is_another_conversation():
    found = observed(
        (1, opening(7, 16992)),
        (1, frame(DATA, 7, request("Card", 1)[:60])),
        (0, opening(7, 16992)),
        (0, frame(DATA, 7, request("Card", 2))),
        (1, frame(DATA, 7, response("Card", 2))),
    )
    assert [one.direction for one in of(found, HttpRequest)] == [TO_CLIENT, TO_SERVER]
    assert [one.event.complete for one in of(found, HttpRequest)] == [False, True]


def test_channels_are_capped_and_that_is_told_once(monkeypatch):
    monkeypatch.setattr("amtdecode.engine.stack.MAX_CHANNELS", 3)
    said = [(0, b"".join(opening(number, 16992) for number in range(1, 8)))]
    said += [(0, frame(DATA, number, b"GET /%d HTTP/1.1\r\n\r\n" % number)) for number in range(1, 8)]
    said += [(side, frame(CLOSE, 2)) for side in (0, 1)]
    said += [(0, opening(8, 16992)), (0, frame(DATA, 7, b"lost")), (0, opening(9, 16992))]
    said += [(0, frame(DATA, number, b"GET /%d HTTP/1.1\r\n\r\n" % number)) for number in (5, 8, 9)]
    found = observed(*said)
    (limit,) = of(found, LimitReached)
    assert (limit.event.layer, limit.event.limit, limit.event.value) == ("toy.mux", "MAX_CHANNELS", 3)
    assert [one.event.target for one in of(found, HttpRequest)] == ["/1", "/2", "/3", "/8"]


def test_a_gap_concerns_one_channel_where_the_carrier_knows_which():
    """The frame with the middle of a request is cut by a lost packet; the other channel does not hear of it."""
    asked = request("ComputerSystem", 1)
    said = [
        (1, opening(7, 16992) + opening(8, 16992)),
        (1, frame(DATA, 7, asked)),
        (1, frame(DATA, 8, request("Card", 1))),
    ]
    whole = observed(*said, size=200)
    assert [one.event.complete for one in of(whole, HttpRequest)] == [True, True]
    found = observed(*said, size=200, lost={7})  # the third packet of the first request
    (gap,) = of(found, Gap)
    assert (gap.event, gap.direction) == (Gap("toy.mux", 200), TO_CLIENT)
    assert [one.event.complete for one in of(found, HttpRequest)] == [False, True]
    assert of(found, Call)[-1].event == of(whole, Call)[-1].event
    assert of(whole, Call)[-1].event.class_name == "CIM_Card"


def test_a_gap_that_takes_the_frames_concerns_all_and_is_told_once():
    said = [
        (1, opening(7, 16992) + opening(8, 16992)),
        (1, frame(DATA, 7, request("Card", 1)[:100]) + frame(DATA, 8, request("Card", 2)[:100])),
        (1, frame(DATA, 7, b"x" * 500)),
        (1, frame(DATA, 8, b"x" * 500)),
    ]
    found = observed(*said, lost={7})
    assert [one.event for one in of(found, Gap)] == [Gap("toy.mux", 505)]
    assert [one.event.complete for one in of(found, HttpRequest)] == [False, False]
