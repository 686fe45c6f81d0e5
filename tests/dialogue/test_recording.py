"""How a dialogue is recorded: who sent a step, what kind it is, where an attempt ends, the machine's words."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from by_hand import DESK, MAC, SCS, UUID, at, contact, hello, lease, machine

from amtdecode.dialogue import recording
from amtdecode.dialogue.recording import OWN
from amtdecode.flow.events import Connection
from amtdecode.model import Direction, Endpoint, Event, FlowKey, Note, Observation
from amtdecode.protocols.dhcp.v4 import DhcpMessage
from amtdecode.protocols.dns.message import DnsMessage
from amtdecode.protocols.http.events import HttpRequest
from amtdecode.protocols.soap.events import Call
from amtdecode.provisioning.state import Attempt

OTHER = "192.0.2.80"


class Said(Event, frozen=True):
    """An event of any protocol."""

    protocol: ClassVar[str] = "x"


def seen(event: Event, direction: Direction = Direction.TO_SERVER, *, time: float | None = 5.0, client: str = DESK,
         server: str = SCS, port: int = 80) -> Observation:  # fmt: skip
    key = FlowKey("tcp", 1, Endpoint(client, 40000), Endpoint(server, port))
    return Observation(event, 9, (9,), at(time), "a.pcap", key, direction)


def wanted(*facts: Any, number: int | None = None, **more: Any) -> recording.Wanted:
    return recording.Wanted(machine(*facts, **more), number)


def test_who_sent_a_step() -> None:
    sender = wanted(hello(1)).sender
    assert sender(seen(Said())) == "machine"
    assert sender(seen(Said(), Direction.TO_CLIENT)) == "peer"
    assert sender(seen(Said(), client=SCS, server=DESK)) == "peer"
    assert sender(seen(Said(), Direction.TO_CLIENT, client=SCS, server=DESK)) == "machine"
    assert sender(Observation(Said(), 9, (9,), at(5), "a.pcap")) == "peer"


def test_which_observations_belong_to_a_machine() -> None:
    belongs = wanted(hello(1))
    assert belongs(seen(Said()))
    assert belongs(seen(Said(), client=SCS, server=DESK))
    assert belongs(seen(Said(), time=None))
    assert not belongs(seen(Said(), client=SCS, server=OTHER))
    assert not belongs(seen(Note("tcp", "x")))
    assert not belongs(Observation(Said(), 9, (9,), at(5), "a.pcap"))


def window(number: int | None, *attempts: tuple[float | None, float | None]) -> tuple[int, int]:
    return recording._window([Attempt(started=at(start), ended=at(end)) for start, end in attempts], number)


def test_an_attempt_goes_from_the_end_of_the_one_before_to_its_own() -> None:
    least, most = -(1 << 63), 1 << 63
    three = ((1, 2), (3, 5), (7, 9))
    assert window(None, *three) == (least, most)
    assert window(1, *three) == (least, at(2))
    assert window(2, *three) == (at(2) + 1, at(5))
    assert window(3, *three) == (at(5) + 1, most)
    assert window(1, (1, None), (3, 5)) == (least, at(3) - 1)  # nothing says when it ended: until the next begins
    assert window(1, (1, None), (None, 5)) == (least, most - 1)
    assert window(2, (1, None), (3, 5)) == (least, most)
    busy = Attempt(started=at(1), ended=at(2), sessions=(contact(4), contact(6, until=None)))
    assert recording._window([busy, Attempt(started=at(9))], 1) == (least, at(4.5))


@pytest.mark.parametrize(
    ("name", "text", "shown"),
    [
        ("abc", "abc and ABC", "(its name) and (its name)"),
        ("ab", "ab and AB", "ab and AB"),
        ("abc", "xabc abcx x-abc abc-x .abc", "xabc abcx x-abc abc-x .abc"),
    ],
)
def test_a_name_of_three_characters_stands_for_the_machine(name: str, text: str, shown: str) -> None:
    own = recording._own_words(machine(uuid="", mac="", fqdn=name), set())
    assert recording._general(text, own) == shown


def test_what_names_the_machine() -> None:
    device = machine(
        hello(4, pid="0000-037M"), lease(2, hostname="leased"), uuid=UUID, mac=MAC, fqdn="desk.example.com"
    )
    own = recording._own_words(device, {"given", "x"})
    text = [f"{DESK}.", UUID.upper(), MAC, "desk.example.com", "desk", "leased", "given", "0000-037M 0000037M", "x"]
    assert recording._general(text, own) == [
        OWN["address"] + ".", OWN["uuid"], OWN["mac"], OWN["name"], OWN["name"], OWN["name"], OWN["name"],
        f"{OWN['pid']} {OWN['pid']}", "x",
    ]  # fmt: skip
    assert recording._general([["desk", 5], None, True], own) == [[OWN["name"], 5], None, True]
    assert recording._general(7, own) == 7


def blank(event: type[Event]) -> Event:
    """One that says nothing: its fields are given beside it."""
    return event(*[None] * (len(event.__struct_fields__) - len(event.__struct_defaults__)))


@pytest.mark.parametrize(
    ("event", "fields", "kind"),
    [
        (Connection, {"http.request.uri": "/x"}, ("Connection", "16993")),
        (DhcpMessage, {"dhcp.option.dhcp": 5, "dhcp.type": 2}, ("peer", "DhcpMessage", "5", "")),
        (DnsMessage, {"dns.qry.name": "PS.example.com", "dns.flags.response": 1, "dns.qry.type": 28},
         ("peer", "DnsMessage", "ps", "1", "28")),
        (DnsMessage, {}, ("peer", "DnsMessage", "", "", "")),
        (HttpRequest, {"http.request.method": "GET", "http.request.uri": "/x", "iamt.call.kind": "eoi"},
         ("peer", "HttpRequest", "GET", "/x", "", "")),
        (Call, {"iamt.call.kind": "wsman", "iamt.wsman.class": "C", "iamt.wsman.method": "Get", "http.request.uri": 1},
         ("peer", "Call", "wsman", "", "", "C", "Get")),
        (Said, {"iamt.call.kind": "wsman", "http.request.uri": "/x"}, ("peer", "Said")),
    ],
)  # fmt: skip
def test_the_kind_of_a_step_is_what_it_is_without_what_it_says(
    event: type[Event], fields: dict[str, Any], kind: tuple[str, ...]
) -> None:
    flow = FlowKey("tcp", 1, Endpoint(SCS, 40000), Endpoint(DESK, 16993))
    assert recording._kind(blank(event), fields, "peer", flow) == kind
    if event is Connection:
        assert recording._kind(blank(event), fields, "peer", None) == ("Connection", "")
