"""APF conversations: whole ones, ambiguous ones, broken ones."""

from __future__ import annotations

import random
import uuid

import pytest
import wire
from meshcentral_log import as_logged, lines_of

from amtdecode.capture import open_capture
from amtdecode.engine import Engine
from amtdecode.model import (
    TO_CLIENT,
    TO_SERVER,
    ChannelClosed,
    ChannelGap,
    ChannelOpened,
    End,
    Endpoint,
    Gap,
    LimitReached,
    Malformed,
    Note,
    Payload,
    Truncated,
    Unrecognised,
)
from amtdecode.protocols.apf import APF
from amtdecode.protocols.apf import events as e
from amtdecode.protocols.apf import fields as f
from amtdecode.protocols.apf.channels import MAX_FORGOTTEN, MAX_OPEN
from amtdecode.protocols.apf.dissector import MAX_PENDING, PIECE
from amtdecode.protocols.dissector import MORE, NO, YES, Context
from amtdecode.protocols.http.events import HttpRequest, HttpResponse
from amtdecode.protocols.soap.events import Call
from amtdecode.protocols.tls.hellos import ClientHello
from amtdecode.secrets import Keys
from pcaps import apf
from pcaps.tls import APPLICATION_DATA, PskConnection

MACHINE = uuid.UUID("44b3d470-afdb-11e5-be66-1e7a66911400")
CONTEXT = Context("tcp", Endpoint(bytes(4), 49152), Endpoint(bytes(4), 4433))
GREETING = (0, apf.version(MACHINE))
ASKED = b"GET /index.htm HTTP/1.1\r\nHost: amt\r\n\r\n"
TOLD = b"HTTP/1.1 200 OK\r\nServer: Intel(R) Active Management Technology 14.0.39\r\nContent-Length: 2\r\n\r\nok"
CHANNEL = (GREETING, (1, apf.opening(4, 16992)), (0, apf.confirmation(4, 7)))


def soap(first, action, body=""):
    """A call or its answer over HTTP."""
    envelope = (
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
        'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
        'xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"><s:Header>'
        f"<a:Action>http://schemas.xmlsoap.org/ws/2004/09/transfer/{action}</a:Action>"
        f"<w:ResourceURI>{CIM}</w:ResourceURI></s:Header><s:Body>{body}</s:Body></s:Envelope>"
    )
    head = f"{first}\r\nContent-Type: application/soap+xml\r\nContent-Length: {len(envelope)}\r\n\r\n"
    return (head + envelope).encode()


CIM = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ComputerSystem"
CALL = soap("POST /wsman HTTP/1.1", "Get")
ANSWER = soap("HTTP/1.1 200 OK", "GetResponse", f'<c:CIM_ComputerSystem xmlns:c="{CIM}"/>')


def stated(*said):
    """The events of what side 0 (the machine) and 1 (its server) say in turn; a number is a gap of that size."""
    dissector, out = APF.dissector(CONTEXT), []
    for side, data in said:
        way = (TO_SERVER, TO_CLIENT)[side]
        out += dissector.receive_gap(way, data) if isinstance(data, int) else dissector.receive_data(way, data)
    return out


def told(*said):
    return [one.event for one in stated(*said)]


def of(events, *kinds):
    return [one for one in events if isinstance(one, kinds)]


def observed(*said, port=4433):
    talk = wire.Talk(49152, port)
    packets = talk.open()
    for side, data in said:
        packets += talk.say(data, side, 1400)
    return wire.observe(wire.pcap(wire.frames([*packets, *talk.close()])))


# -- what the next bytes decide --------------------------------------------------------------------------------------


def test_success_has_a_port_behind_a_forward_and_none_behind_the_others():
    cancel = apf.forward(16992, request=b"cancel-tcpip-forward")
    events = told(
        GREETING, (0, apf.forward(16992) + cancel + apf.forward(623)),
        (1, apf.success(16992) + apf.success() + apf.success(623) + apf.build(f.KEEPALIVE_REQUEST, cookie=1)),
    )  # fmt: skip
    assert of(events, e.RequestSuccess) == [
        e.RequestSuccess(16992, "tcpip-forward"),
        e.RequestSuccess(None, "cancel-tcpip-forward"),
        e.RequestSuccess(623, "tcpip-forward"),
    ]
    assert not of(events, Malformed)
    assert of(events, e.KeepaliveRequest)


def test_success_without_its_request_is_decided_by_the_next_byte():
    keep = apf.build(f.KEEPALIVE_REPLY, cookie=5)
    for answer, port in ((apf.success(664), 664), (apf.success(), None)):
        for cut in range(1, len(answer) + 1):
            said = (1, answer[:cut]), (1, answer[cut:] + keep)
            events = told(GREETING, *[one for one in said if one[1]])
            assert of(events, e.RequestSuccess) == [e.RequestSuccess(port)]
            assert of(events, e.KeepaliveReply) == [e.KeepaliveReply(5)]


def test_a_request_that_comes_while_the_form_is_open_decides_nothing():
    events = told(GREETING, (1, b"\x51"), (0, apf.forward(16992)), (1, b"\xd0\0\0\0\1"))
    assert of(events, e.RequestSuccess)[0].port is None
    assert of(events, e.KeepaliveRequest) == [e.KeepaliveRequest(1)]


@pytest.mark.parametrize("padding", [None, b"\0"])
def test_the_flag_of_a_refusal_has_one_byte_or_two(padding):
    events = told(GREETING, (0, apf.login(b"x", b"y")), (1, apf.refusal(padding)), (1, apf.disconnect(14)))
    assert of(events, e.UserauthFailure, e.Disconnect) == [e.UserauthFailure("password", False), e.Disconnect(14)]
    assert not of(events, Malformed)


def test_requests_refused_name_their_port():
    events = told(GREETING, (0, apf.forward(5900) + apf.forward(623)), (1, b"\x52" + apf.success(623)))
    assert of(events, e.RequestFailure) == [e.RequestFailure(5900, "tcpip-forward")]
    assert of(events, e.RequestSuccess) == [e.RequestSuccess(623, "tcpip-forward")]


# -- channels --------------------------------------------------------------------------------------------------------


def test_who_opens_a_channel_is_client_in_it():
    server = stated(GREETING, (1, apf.opening(4, 16993, address=b"a.example")), (0, apf.confirmation(4, 7)))[-1].event
    assert server == ChannelOpened(1, TO_CLIENT, 16993, "a.example")
    machine = stated(GREETING, (0, apf.opening(2, 443, kind=apf.DIRECT)), (1, apf.confirmation(2, 9)))[-1].event
    assert machine == ChannelOpened(1, TO_SERVER, 443, "")


def test_each_side_has_its_own_numbers():
    """4 to the server of the connection, 7 to the machine; a second channel has them the other way round."""
    events = told(
        *CHANNEL, (1, apf.opening(7, 623)), (0, apf.confirmation(7, 4)),
        (1, apf.data(7, b"a")), (0, apf.data(4, b"b")), (1, apf.data(4, b"c")), (0, apf.data(7, b"d")),
    )  # fmt: skip
    assert [(one.data, one.channel) for one in of(events, Payload)] == [(b"a", 1), (b"b", 1), (b"c", 2), (b"d", 2)]


def test_an_alert_of_the_machine_through_the_server_is_read_in_its_own_role():
    found = observed(
        GREETING, (0, apf.opening(2, 80, kind=apf.DIRECT)), (1, apf.confirmation(2, 9)),
        (0, apf.data(9, b"POST /event HTTP/1.1\r\nContent-Length: 0\r\n\r\n")), (1, apf.data(2, TOLD)),
    )  # fmt: skip
    http = [(type(one.event), one.direction) for one in found if isinstance(one.event, (HttpRequest, HttpResponse))]
    assert http == [(HttpRequest, TO_SERVER), (HttpResponse, TO_CLIENT)]


def test_http_in_both_directions_of_a_forwarded_port():
    found = observed(*CHANNEL, (1, apf.data(7, ASKED)), (0, apf.data(4, TOLD)))
    http = [(type(one.event), one.direction) for one in found if isinstance(one.event, (HttpRequest, HttpResponse))]
    assert http == [(HttpRequest, TO_CLIENT), (HttpResponse, TO_SERVER)]


def test_a_channel_ends_when_both_sides_have_closed_it():
    events = told(*CHANNEL, (1, apf.data(7, b"abc")), (0, apf.closing(4)), (1, apf.data(7, b"d")), (1, apf.closing(7)))
    assert of(events, ChannelClosed) == [ChannelClosed(1), ChannelClosed(1)]
    assert of(events, e.ChannelEnded) == [e.ChannelEnded(16992, "", 4, 0, 2)]
    assert of(events, Payload)[-1].data == b"d"


def test_data_behind_the_end_is_dropped_and_told_once():
    closed = (*CHANNEL, (0, apf.closing(4)), (1, apf.closing(7)))
    events = told(*closed, (1, apf.data(7, b"late")), (1, apf.data(7, b"later")), (1, b"\xd0\0\0\0\1"))
    assert [one.what for one in of(events, Unrecognised)] == ["bytes in channel 7, which is closed"]
    assert not of(events, Payload)
    assert of(events, e.KeepaliveRequest)
    half = told(*CHANNEL, (0, apf.closing(4)), (0, apf.data(4, b"late")), (0, apf.data(4, b"later")))
    assert [one.what for one in of(half, Note)] == ["channel 4 goes on behind its end"]


def test_a_number_used_again_replaces_the_channel():
    events = told(*CHANNEL, (1, apf.opening(4, 623)), (0, apf.confirmation(4, 7)), (1, apf.data(7, b"x")))
    assert of(events, ChannelClosed) == [ChannelClosed(1, End.REPLACED)] * 2
    assert of(events, Payload) == [Payload(b"x", channel=2)]


def test_a_refused_channel_names_its_port():
    events = told(GREETING, (1, apf.opening(4, 16994)), (0, apf.failure(4)))
    assert of(events, e.ChannelOpenFailure) == [e.ChannelOpenFailure(4, 2, 16994, "forwarded-tcpip")]
    assert not of(events, ChannelOpened)


def test_long_data_goes_on_in_pieces():
    events = told(*[(one[0], one[1]) for one in CHANNEL], (1, apf.data(7, bytes(PIECE + 10))))
    assert [len(one.data) for one in of(events, Payload)] == [PIECE, 10]


# -- windows ---------------------------------------------------------------------------------------------------------


def windows(*said, window=100):
    opened = GREETING, (1, apf.opening(4, 16992, window)), (0, apf.confirmation(4, 7, window))
    return of(told(*opened, *said), e.BeyondWindow)


def test_the_window_may_be_used_up_and_not_more():
    assert windows((1, apf.data(7, bytes(100)))) == []
    assert windows((1, apf.data(7, bytes(101)))) == [e.BeyondWindow(7, 16992, 1)]
    assert windows((1, apf.data(7, bytes(100))), (1, apf.data(7, b"ab"))) == [e.BeyondWindow(7, 16992, 2)]


def test_an_adjustment_lets_the_other_side_send_more():
    """Its number is the one its receiver gave: 7 to the machine, whose data then goes to 4."""
    said = (0, apf.data(4, bytes(100))), (1, apf.adjust(7, 50)), (0, apf.data(4, bytes(50)))
    assert windows(*said) == []
    assert windows(*said, (0, apf.data(4, b"x"))) == [e.BeyondWindow(4, 16992, 1)]
    assert windows((0, apf.data(4, bytes(100))), (1, apf.adjust(4, 50)), (0, apf.data(4, b"x"))) != []


def test_where_bytes_are_missing_nobody_is_accused():
    assert windows((1, 30), (1, apf.data(7, bytes(500)))) == []


def test_a_channel_that_waits_for_ever_is_told():
    dissector = APF.dissector(CONTEXT)
    for side, data in (
        *CHANNEL[:1],
        (1, apf.opening(4, 16992, 5)),
        (0, apf.confirmation(4, 7)),
        (0, apf.data(4, b"12345")),
    ):
        dissector.receive_data((TO_SERVER, TO_CLIENT)[side], data)
    ended = [*dissector.receive_eof(TO_SERVER, End.FIN), *dissector.receive_eof(TO_CLIENT, End.FIN)]
    assert [one.event for one in ended] == [e.ChannelEnded(16992, "", 0, 5, 1, stalled=True)]


# -- what is broken --------------------------------------------------------------------------------------------------


def test_a_server_out_of_step_is_told_and_found_again():
    """As where a server of old versions writes what it should have read: the rest is not guessed at."""
    events = told(*CHANNEL, (1, b"\0\0\0\x03" + b"none"), (1, apf.data(7, b"abc")))
    assert [one.reason for one in of(events, Malformed)] == ["byte 0x00 begins no message: out of step"]
    assert of(events, Note) == [Note("iamt.apf", "in step again")]
    assert of(events, Payload) == [Payload(b"abc", channel=1)]


def test_data_of_a_channel_nobody_opened_is_no_way_back_into_step():
    events = told(*CHANNEL, (1, b"\0"), (1, apf.data(8, b"abc") + apf.opening(5, 623)), (0, apf.confirmation(5, 5)))
    assert not of(events, Payload)
    assert of(events, e.ChannelOpen)[-1].port == 623


def test_a_gap_inside_data_concerns_that_channel():
    whole = apf.data(7, b"abcdefgh")
    events = told(*CHANNEL, (1, whole[:11]), (1, 3), (1, whole[14:] + b"\xd0\0\0\0\1"))
    assert of(events, Payload, Gap, ChannelGap, e.KeepaliveRequest) == [
        Payload(b"ab", channel=1), Gap("iamt.apf", 3), ChannelGap(1, 3), Payload(b"fgh", channel=1),
        e.KeepaliveRequest(1),
    ]  # fmt: skip


def test_a_gap_elsewhere_concerns_all_channels():
    events = told(*CHANNEL, (1, b"\xd0\0\0"), (1, 30), (1, b"\0\1" + apf.data(7, b"abc")))
    assert of(events, ChannelGap, Payload) == [ChannelGap(1, 30), Payload(b"abc", channel=1)]


def test_what_the_end_cuts_is_told():
    for data, missing in ((apf.data(7, b"abcdef")[:-2], 2), (apf.forward(16992)[:-3], 3), (b"\xc1\0"[:0], 0)):
        dissector = APF.dissector(CONTEXT)
        for side, part in (*CHANNEL, (1, data)):
            if part:
                dissector.receive_data((TO_SERVER, TO_CLIENT)[side], part)
        cut = [one.event for one in dissector.receive_eof(TO_CLIENT, End.RESET) if isinstance(one.event, Truncated)]
        assert [one.missing for one in cut] == [missing] * bool(missing)


def test_channels_without_end_stay_bounded():
    dissector = APF.dissector(CONTEXT)
    dissector.receive_data(TO_SERVER, GREETING[1])
    limits = []
    for number in range(3 * MAX_OPEN):
        dissector.receive_data(TO_CLIENT, apf.opening(number, 16992))
        out = dissector.receive_data(TO_SERVER, apf.confirmation(number, number))
        limits += [one.event for one in out if isinstance(one.event, LimitReached)]
        dissector.receive_data(TO_CLIENT, apf.data(number, b"x") + apf.opening(10_000 + number, 1))
        dissector.receive_data(
            TO_SERVER, apf.forward(number) if number < 2 * MAX_PENDING else apf.data(90_000 + number, b"x")
        )
    assert [one.limit for one in limits if one.limit == "MAX_OPEN"] == ["MAX_OPEN"]
    channels = dissector.channels
    assert all(len(table) <= MAX_OPEN for table in (*channels.known, *channels.waiting))
    assert all(len(table) <= MAX_FORGOTTEN for table in channels.forgotten)
    assert all(len(asked) <= MAX_PENDING for asked in dissector.pending)


# -- where it is found -----------------------------------------------------------------------------------------------


def test_recognised_on_any_port():
    away = CONTEXT._replace(server=Endpoint(bytes(4), 8443))
    greeting = GREETING[1]
    for context, needed in ((CONTEXT, 13), (away, 93), (away._replace(carrier="tls"), 13)):
        for size in range(1, len(greeting) + 1):
            assert APF.recognise(greeting[:size], TO_SERVER, context) == (YES if size >= needed else MORE)
    assert APF.recognise(greeting[:-1] + b"x", TO_SERVER, away) == NO
    assert APF.recognise(b"GET / HTTP/1.1\r\n", TO_SERVER, CONTEXT) == NO


CONTROL = apf.build(f.JSON_CONTROL, text=b'{"action":"connType","value":2}')


def test_control_messages_of_meshcentral_may_come_first():
    for size in range(1, len(CONTROL) + 1):
        assert APF.recognise(CONTROL[:size], TO_SERVER, CONTEXT) == (YES if size > 5 else MORE)
    away = CONTEXT._replace(server=Endpoint(bytes(4), 8443))
    assert APF.recognise(CONTROL, TO_SERVER, away) == NO
    assert APF.recognise(CONTROL, TO_SERVER, away._replace(carrier="tls")) == YES
    for other in (b"\xfa\0\0\0\x10[", b"\xfa\1", b"\xfa\0\1"):
        assert APF.recognise(other, TO_SERVER, CONTEXT) == NO
    found = observed((0, CONTROL + GREETING[1]), (1, apf.service(apf.AUTH, f.SERVICE_ACCEPT)))
    assert [type(one.event) for one in found if one.protocol == "iamt.apf"] == [
        e.JsonControl, e.ProtocolVersion, e.ServiceAccept,
    ]  # fmt: skip


def test_a_capture_that_begins_inside_is_read_from_the_next_name_on():
    talk = wire.Talk(49152, 4433)
    talk.open()
    said = [
        (0, apf.data(4, b"old")), (1, apf.opening(9, 16992)), (0, apf.confirmation(9, 9)), (1, apf.data(9, ASKED)),
        (0, apf.forward(623)), (0, apf.data(9, TOLD)),
    ]  # fmt: skip
    packets = [packet for side, data in said for packet in talk.say(data, side)]
    kinds = [type(one.event) for one in wire.observe(wire.pcap(wire.frames([*packets, *talk.close()])))]
    assert {e.ChannelOpen, e.GlobalRequest} <= {*kinds}
    assert Malformed not in kinds


def test_as_lms_speaks_it():
    """Between programs of one host: version 4, reason LME, no login, small windows."""
    found = observed(
        (0, apf.version(MACHINE, 254, 4)), (1, apf.version(uuid.UUID(int=0), 0, 4)),
        (0, apf.service(apf.PFWD)), (1, apf.service(apf.PFWD, f.SERVICE_ACCEPT)),
        (0, apf.forward(16992, request=b"TCPIP-forward")), (1, apf.success(16992)),
        (1, apf.opening(1, 16992, 1024)), (0, apf.confirmation(1, 1, 4096)),
        (1, apf.data(1, ASKED)), (0, apf.data(1, TOLD)),
        port=16994,
    )  # fmt: skip
    versions = [one.event for one in found if isinstance(one.event, e.ProtocolVersion)]
    assert [(one.major, one.reason) for one in versions] == [(4, "local host (LME)"), (4, "reason 0")]
    assert [type(one.event) for one in found if one.protocol == "http"] == [HttpRequest, HttpResponse]


def test_five_layers_deep():
    """TLS of the machine to its server, APF, TLS of the server to the machine, HTTP, SOAP: each in its own role."""
    psk = b"0123456789ABCDEFGHJKLMNPQRSTUVWX"
    outer = PskConnection(random.Random(1), b"outer", psk)
    inner = PskConnection(random.Random(2), b"inner", psk)
    said = [
        (0, outer.client_hello()),
        (1, outer.server_flight()),
        (0, outer.client_flight()),
        (1, outer.server_finish()),
    ]

    def say(side, message):
        said.append((side, outer.seal((TO_SERVER, TO_CLIENT)[side], APPLICATION_DATA, message)))

    for side, message in ((0, apf.version(MACHINE)), (1, apf.opening(4, 16993)), (0, apf.confirmation(4, 7))):
        say(side, message)
    for side, make in (
        (1, inner.client_hello),
        (0, inner.server_flight),
        (1, inner.client_flight),
        (0, inner.server_finish),
    ):
        say(side, apf.data((4, 7)[side], make()))
    for side, message in ((1, CALL), (0, ANSWER)):
        say(side, apf.data((4, 7)[side], inner.seal((TO_CLIENT, TO_SERVER)[side], APPLICATION_DATA, message)))
    talk = wire.Talk(49152, 4433)
    packets = [*talk.open(), *[packet for side, data in said for packet in talk.say(data, side, 700)], *talk.close()]
    keys = Keys.load(psk=[f"*={psk.decode()}"])
    found = wire.observe(wire.pcap(wire.frames(packets)), keys=keys)
    hellos = [(one.event.server_name, one.direction) for one in found if isinstance(one.event, ClientHello)]
    assert hellos == [("", TO_SERVER), ("", TO_CLIENT)]
    (call,) = [one for one in found if isinstance(one.event, Call)]
    assert (call.event.class_name, call.event.http_status, call.direction) == ("CIM_ComputerSystem", 200, TO_SERVER)
    assert not [one for one in found if isinstance(one.event, (Malformed, Unrecognised, Gap, Truncated))]


# -- recorded, against the logs of the programs that spoke -----------------------------------------------------------


@pytest.mark.parametrize("name", ["cira_apf_plain", "cira_apf_tls10_rsa", "cira_apf_tls13"])
def test_the_recorded_connections(shared, name):
    folder = shared / "captures" / "loopback" / "cira"
    keylog = folder / f"{name}.keylog.txt"
    keys = Keys.load(keylogs=[str(keylog)]) if keylog.exists() else None
    found = list(Engine(keys).observe(open_capture(str(folder / f"{name}.pcap"))))
    ours = [as_logged(one) for one in found if isinstance(one.event, e.ApfMessage)]
    log = lines_of((folder / f"{name}.log").read_text(errors="replace"))
    theirs = [one for one in log if one[1] != "CHANNEL_DATA"]
    assert len(theirs) > 20
    for way in ("-->", "<--"):
        assert [one for one in ours if one[0] == way] == [one for one in theirs if one[0] == way]
    assert not [one for one in found if isinstance(one.event, (Malformed, Unrecognised, Gap, LimitReached, Truncated))]
    sizes = {"-->": 0, "<--": 0}
    for way, kind, text in log:
        sizes[way] += int(text.split()[1]) if kind == "CHANNEL_DATA" else 0
    ended = [one.event for one in found if isinstance(one.event, e.ChannelEnded)]
    assert (sum(one.to_server for one in ended), sum(one.to_client for one in ended)) == (sizes["<--"], sizes["-->"])
