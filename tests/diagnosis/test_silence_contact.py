"""AMT-CONN-* and what several rules ask of connections, at their edges."""

import pytest
from by_hand import (
    AT_ONCE,
    DESK,
    GAPS,
    ONE,
    ONE_WAY,
    OTHER,
    SCS,
    THIRD,
    alert,
    asked,
    at,
    attempt,
    called,
    capture,
    contact,
    hello,
    hits,
    lease,
    lookup,
    machine,
    tls,
)

from amtdecode.diagnosis.case import Case
from amtdecode.diagnosis.contacts import began_after, unreached, wrong_protocol
from amtdecode.diagnosis.site import Site
from amtdecode.provisioning.state import AddressQuery, Outcome, Unreachable
from amtdecode.provisioning.state.incidents import Commit, ContactElsewhere

SECOND_ADDRESS = [DESK, OTHER]


def syn(packet: int, **more):
    return contact(packet, "unanswered", **more)


# -- 001, 002 ----------------------------------------------------------------------------------------------------------


def test_001_the_latest_contact_decides() -> None:
    assert asked("AMT-CONN-001", machine(syn(4))) == [("confirmed", "", [4])]
    assert asked("AMT-CONN-001", machine(syn(2), syn(4), syn(6), syn(8))) == [("confirmed", "", [4, 6, 8])]
    assert asked("AMT-CONN-001", machine(syn(4), contact(6))) == []
    assert asked("AMT-CONN-001", machine(contact(4), syn(6))) == [("confirmed", "", [6])]
    assert asked("AMT-CONN-001", machine(contact(4, "refused"))) == []
    assert asked("AMT-CONN-001", machine(called(4, "unanswered"))) == []
    assert asked("AMT-CONN-001", machine(syn(4, port=443))) == []
    assert asked("AMT-CONN-001", machine(syn(4, server=OTHER))) == []
    (hit,) = hits("AMT-CONN-001", machine(syn(4), syn(6, port=16992, client=THIRD)))
    assert hit.values == {"address": DESK, "port": 16992, "server": THIRD}


def test_001_where_the_capture_would_not_show_an_answer() -> None:
    desk = machine(syn(4))
    assert asked("AMT-CONN-001", desk, capture(desk, health=GAPS)) == [("likely", "", [4])]
    assert asked("AMT-CONN-001", desk, capture(desk, health=ONE_WAY)) == [ONE]
    assert asked("AMT-CONN-001", desk, capture(desk, sides={DESK: -1})) == [ONE]
    assert asked("AMT-CONN-001", machine(syn(4, only="client"))) == [ONE]
    assert asked("AMT-CONN-001", machine(syn(4, only="server"))) == [("confirmed", "", [4])]
    assert asked("AMT-CONN-001", desk, capture(desk, last=4.99)) == [AT_ONCE]
    assert asked("AMT-CONN-001", desk, capture(desk, last=5)) == [("confirmed", "", [4])]
    once = ["the capture ends before the server repeats its unanswered SYN"]
    assert asked("AMT-CONN-001", machine(syn(4, syn_count=1))) == once
    assert asked("AMT-CONN-001", machine(syn(2, syn_count=1), syn(4, syn_count=1))) == [("confirmed", "", [2, 4])]


def test_001_icmp_and_arp_are_proofs() -> None:
    error = Unreachable(ref=7, time=at(7), meaning="host unreachable", reporter="192.0.2.1")
    once = machine(syn(4, syn_count=1))
    assert asked("AMT-CONN-001", once, capture(once, icmp={DESK: error})) == [("confirmed", "", [4, 7])]
    one_way = capture(once, icmp={DESK: error}, health=ONE_WAY)
    assert asked("AMT-CONN-001", once, one_way) == [("likely", "", [4, 7])]
    elsewhere = ["the capture ends before the server repeats its unanswered SYN"]
    assert asked("AMT-CONN-001", once, capture(once, icmp={OTHER: error})) == elsewhere

    def arp(count: int, *, answered: bool = False):
        query = AddressQuery(ref=3, time=at(3), count=count, answered=answered)
        return asked("AMT-CONN-001", once, capture(once, arp={DESK: query}))

    assert arp(2) == [("confirmed", "", [4, 3])]
    assert arp(1) == elsewhere
    assert arp(2, answered=True) == elsewhere


@pytest.mark.parametrize(("rule", "state"), [("AMT-CONN-001", "unanswered"), ("AMT-CONN-002", "refused")])
def test_a_call_to_the_former_address_is_another_rule(rule: str, state: str) -> None:
    call = contact(8, state)
    assert asked(rule, machine(hello(4), call)) == [("confirmed", "", [8])]
    assert asked(rule, machine(hello(4), hello(6, source=OTHER), call)) == []
    assert asked(rule, machine(hello(4), hello(9, source=OTHER), call)) == [("confirmed", "", [8])]


@pytest.mark.parametrize(("rule", "state"), [("AMT-CONN-001", "unanswered"), ("AMT-CONN-002", "refused")])
def test_a_search_of_the_network_is_worth_a_word(rule: str, state: str) -> None:
    def searched(count: int, **more):
        desk = machine(contact(4, state), uuid="", **more)
        others = [machine(contact(9, state), id=number, uuid="") for number in range(2, count + 1)]
        return asked(rule, desk, capture(desk, *others))

    assert searched(16) == [("confirmed", "info", [4])]
    assert searched(15) == [("confirmed", "", [4])]
    known = machine(contact(4, state))
    others = [machine(contact(9, state), id=number, uuid="") for number in range(2, 30)]
    assert asked(rule, known, capture(known, *others)) == [("confirmed", "", [4])]  # it has a UUID
    named = [machine(lookup(1), contact(9, state), id=number, uuid="") for number in range(2, 30)]
    desk = machine(contact(4, state), uuid="")
    assert asked(rule, desk, capture(desk, *named)) == [("confirmed", "", [4])]
    answered = [machine(contact(9, state), contact(11), id=number, uuid="") for number in range(2, 30)]
    assert asked(rule, desk, capture(desk, *answered)) == [("confirmed", "", [4])]


def test_002_refused() -> None:
    no = [contact(number, "refused") for number in (2, 4, 6, 8)]
    assert asked("AMT-CONN-002", machine(*no)) == [("confirmed", "", [4, 6, 8])]
    assert asked("AMT-CONN-002", machine(no[0], contact(4))) == []
    assert asked("AMT-CONN-002", machine(no[0], syn(4))) == []
    assert asked("AMT-CONN-002", machine(contact(2), no[1])) == [("confirmed", "", [4])]
    assert asked("AMT-CONN-002", machine(contact(4, "refused", port=16995))) == []
    assert hits("AMT-CONN-002", machine(no[0]))[0].values["hint"] == ""
    open_too = machine(contact(2, port=16992), contact(4, "refused"))
    assert hits("AMT-CONN-002", open_too)[0].values["hint"] == "; port 16992 does answer"
    vain = machine(syn(2, port=16992), contact(4, "refused"))
    assert hits("AMT-CONN-002", vain)[0].values["hint"] == ""


def test_002_a_machine_managed_on_its_other_port() -> None:
    def done(*sessions):
        return machine(attempt(*sessions, outcome=Outcome.COMMITTED))

    no = contact(4, "refused")
    assert asked("AMT-CONN-002", done(contact(2, port=16992), no)) == [("confirmed", "info", [4])]
    assert asked("AMT-CONN-002", done(no)) == [("confirmed", "", [4])]
    assert asked("AMT-CONN-002", done(contact(2), no)) == [("confirmed", "", [4])]
    assert asked("AMT-CONN-002", machine(contact(2, port=16992), no)) == [("confirmed", "", [4])]


# -- 003 ---------------------------------------------------------------------------------------------------------------


def test_003_a_server_that_calls_somebody_else() -> None:
    call = ContactElsewhere(ref=9, time=at(9), server=SCS, address=OTHER, name="desk.example.com")
    assert asked("AMT-CONN-003", machine(hello(4), hello(6), call)) == [("confirmed", "", [6, 9])]
    said = f'{SCS} contacts {OTHER}; "desk.example.com" was looked up before'
    assert hits("AMT-CONN-003", machine(hello(4), call))[0].proofs[1] == (9, said)
    unnamed = ContactElsewhere(ref=9, time=at(9), server=SCS, address=OTHER)
    assert asked("AMT-CONN-003", machine(hello(4), unnamed)) == [("likely", "", [4, 9])]
    assert hits("AMT-CONN-003", machine(unnamed))[0].proofs == [(9, f"{SCS} contacts {OTHER}")]
    assert asked("AMT-CONN-003", machine(unnamed)) == [("likely", "", [9])]
    assert asked("AMT-CONN-003", machine(hello(4), contact(9))) == []
    assert hits("AMT-CONN-003", machine(hello(4), call))[0].values == {"address": DESK, "other": OTHER, "former": ""}


def test_003_the_address_the_machine_had_before() -> None:
    moved = hello(6, source=OTHER)
    assert asked("AMT-CONN-003", machine(hello(4), moved, syn(8))) == [("confirmed", "", [4, 6, 8])]
    assert asked("AMT-CONN-003", machine(lease(4, address=OTHER), syn(8))) == [("confirmed", "", [5, 8])]
    for near in (
        machine(hello(4), moved, contact(8)),
        machine(hello(4), moved, syn(8), contact(10)),
        machine(hello(4), syn(5), moved),  # called before it moved
        machine(hello(4), hello(6, source="2001:db8::30"), syn(8)),  # its IPv6 address is another thing
        machine(lease(4, address=OTHER), hello(7), syn(8)),  # it has the address again
        machine(hello(4, source=OTHER), lease(5), syn(8)),
        machine(hello(4, source=OTHER), hello(5), syn(8)),
        machine(lease(4, address="", v6=True), syn(8)),
        machine(lease(7, address=OTHER), syn(8)),  # at the same moment
        machine(hello(8, source=OTHER), syn(8)),
        machine(lease(4, address="2001:db8::30"), syn(8)),
        machine(hello(4), moved, syn(8, port=16995)),
    ):
        assert asked("AMT-CONN-003", near) == []


def test_003_cites_the_latest_calls_to_that_address() -> None:
    calls = [syn(3), *(syn(number) for number in (8, 10, 12, 14))]
    desk = machine(hello(2), hello(6, source=OTHER), hello(7, source=DESK + "1"), *calls)
    assert asked("AMT-CONN-003", desk) == [("confirmed", "", [2, 7, 10, 12, 14])]
    (hit,) = hits("AMT-CONN-003", desk)
    assert (hit.values["address"], hit.values["other"]) == (DESK + "1", DESK)
    early = machine(hello(2), hello(6, source=OTHER), syn(3), syn(8))
    assert asked("AMT-CONN-003", early) == [("confirmed", "", [2, 6, 8])]
    mixed = machine(hello(2), hello(6, source=THIRD), syn(8, server=OTHER), syn(10), addresses=SECOND_ADDRESS)
    assert asked("AMT-CONN-003", mixed) == [("confirmed", "", [2, 6, 10])]


# -- 004, 005 ----------------------------------------------------------------------------------------------------------


def test_004_opened_for_nothing() -> None:
    nothing = [contact(number) for number in (2, 4, 6, 8)]
    assert asked("AMT-CONN-004", machine(*nothing)) == [("confirmed", "", [4, 6, 8])]
    assert asked("AMT-CONN-004", machine(contact(2, "reset"))) == [("confirmed", "", [2])]
    for said in ({"client_bytes": 1}, {"server_bytes": 1}, {"only": "client"}, {"client_missing": 3}, {"syn_count": 0}):
        assert asked("AMT-CONN-004", machine(contact(2, **said))) == []
    for state in ("open", "half-closed", "refused", "unanswered"):
        assert asked("AMT-CONN-004", machine(contact(2, state))) == []


def test_004_a_probe_before_the_real_thing() -> None:
    empty = contact(4)
    assert asked("AMT-CONN-004", machine(empty, contact(6, client_bytes=9))) == [("confirmed", "info", [4])]
    assert asked("AMT-CONN-004", machine(contact(2, client_bytes=9), empty)) == [("confirmed", "", [4])]
    assert asked("AMT-CONN-004", machine(empty, contact(6, client_bytes=9, client=OTHER))) == [("confirmed", "", [4])]
    assert asked("AMT-CONN-004", machine(empty, contact(6, server_bytes=9))) == [("confirmed", "", [4])]
    same = contact(6, client_bytes=9, seconds=4)
    assert asked("AMT-CONN-004", machine(empty, same)) == [("confirmed", "", [4])]
    done = attempt(empty, outcome=Outcome.COMMITTED)
    assert asked("AMT-CONN-004", machine(done)) == [("confirmed", "info", [4])]


def broken(packet: int = 4, **more):
    return contact(
        packet, "reset", **({"client_bytes": 9, "server_bytes": 9, "broken_by": "server", "messages": 1} | more)
    )


def test_005_who_sent_the_reset() -> None:
    assert asked("AMT-CONN-005", machine(broken())) == [("confirmed", "", [4, 5])]
    assert asked("AMT-CONN-005", machine(broken(2), broken(6))) == [("confirmed", "", [2, 3])]
    (hit,) = hits("AMT-CONN-005", machine(broken()))
    assert (hit.values["who"], "firmware" in hit.values["advice"]) == ("the machine", True)
    assert "error 137" in hit.values["why"]
    (hit,) = hits("AMT-CONN-005", machine(broken(broken_by="client")))
    assert hit.values["who"] == SCS
    assert hit.values["advice"].startswith(f"Read the log of {SCS}")
    assert hit.values["why"].startswith(f"{SCS} gave up")
    for near in ({"broken_by": ""}, {"client_bytes": 0}, {"server_bytes": 0}, {"messages": 0}):
        assert asked("AMT-CONN-005", machine(broken(**near))) == []
        assert asked("AMT-CONN-005", machine(broken(2, **near), broken(6))) == [("confirmed", "", [6, 7])]


def test_005_in_tls_only_after_data_and_without_notice() -> None:
    said = {"requests": 1, "answers": 1}
    assert asked("AMT-CONN-005", machine(broken(messages=0, handshake=tls(**said)))) == [("confirmed", "", [4, 5])]
    for near in ({"requests": 1}, {"answers": 1}, {}, {**said, "alerts": [alert(5, 0)]}):
        assert asked("AMT-CONN-005", machine(broken(handshake=tls(**near)))) == []
        assert asked("AMT-CONN-005", machine(broken(2, handshake=tls(**near)), broken(6))) == [
            ("confirmed", "", [6, 7])
        ]


def test_005_behind_the_commit() -> None:
    commit = Commit(ref=4, time=at(4), call="CommitChanges", connection=4)
    assert asked("AMT-CONN-005", machine(broken(4), commit)) == [("confirmed", "info", [4, 5])]
    other = Commit(ref=4, time=at(4), call="CommitChanges", connection=9)
    assert asked("AMT-CONN-005", machine(broken(4), other)) == [("confirmed", "", [4, 5])]


# -- 006, 007, 008, 009 ------------------------------------------------------------------------------------------------


def test_006_another_server_than_the_one_asked() -> None:
    assert asked("AMT-CONN-006", machine(hello(4), hello(5), contact(8, client=OTHER))) == [("confirmed", "", [4, 8])]
    assert asked("AMT-CONN-006", machine(hello(4), contact(8))) == []
    assert asked("AMT-CONN-006", machine(hello(4), contact(8, client=OTHER, setup=False))) == []
    assert asked("AMT-CONN-006", machine(hello(4), hello(5, destination=OTHER), contact(8, client=OTHER))) == []
    assert asked("AMT-CONN-006", machine(contact(8, client=OTHER))) == ["no hello in this capture"]
    twice = machine(hello(4), contact(6), contact(8, client=OTHER), contact(10, client=THIRD))
    assert asked("AMT-CONN-006", twice) == [("confirmed", "", [4, 8])]
    site = '[scs]\naddresses = ["{}"]\n'
    assert asked("AMT-CONN-006", twice, site=site.format(THIRD)) == [("confirmed", "", [4, 10])]
    assert asked("AMT-CONN-006", twice, site=site.format("203.0.113.9")) == []


def test_007_strangers_who_set_up() -> None:
    site = f'[scs]\naddresses = ["{SCS}"]\n'
    desk = machine(
        contact(2), contact(4, client=OTHER), contact(6, client=THIRD, setup=False), contact(8, client=THIRD)
    )
    assert asked("AMT-CONN-007", desk, site=site) == [("confirmed", "", [4]), ("confirmed", "", [8])]
    assert asked("AMT-CONN-007", machine(contact(2)), site=site) == []
    lacking = "the list of servers that may provision (--site: scs.addresses)"
    assert asked("AMT-CONN-007", desk) == [lacking]
    assert asked("AMT-CONN-007", machine(hello(4))) == []


def test_008_late() -> None:
    gap = 600 * 10**9
    late = contact(8, after_gap=gap + 1)
    assert asked("AMT-CONN-008", machine(hello(2), hello(3), late)) == [("confirmed", "", [2, 8])]
    assert asked("AMT-CONN-008", machine(late)) == [("confirmed", "", [8])]
    for near in ({"after_gap": gap}, {"after_gap": gap + 1, "setup": False}):
        assert asked("AMT-CONN-008", machine(hello(2), contact(8, **near))) == []
    assert asked("AMT-CONN-008", machine(hello(2), contact(8, "refused", after_gap=gap + 1))) == []
    twice = machine(hello(2), contact(6), late, contact(10, after_gap=gap * 2))
    assert asked("AMT-CONN-008", twice) == [("confirmed", "", [2, 8])]


def test_009_wireless() -> None:
    site = '[network]\nwireless = ["192.0.2.0/24"]\n'
    assert asked("AMT-CONN-009", machine(contact(2), contact(4)), site=site) == [("likely", "", [2])]
    assert asked("AMT-CONN-009", machine(hello(1), contact(2)), site=site) == []
    there = hello(1, source=OTHER)
    assert asked("AMT-CONN-009", machine(there, contact(2)), site=site) == [("likely", "", [2])]
    assert asked("AMT-CONN-009", machine(contact(2)), site='[network]\nwireless = ["198.51.100.0/24"]\n') == []
    link = '[[machine]]\naddress = "192.0.2.30"\nlink = "{}"\n'
    assert asked("AMT-CONN-009", machine(contact(2)), site=link.format("wireless")) == [("likely", "", [2])]
    assert asked("AMT-CONN-009", machine(contact(2)), site=link.format("wired")) == []
    done = attempt(contact(2), outcome=Outcome.COMMITTED)
    assert asked("AMT-CONN-009", machine(done), site=site) == []
    assert asked("AMT-CONN-009", machine(attempt(contact(2), outcome=Outcome.FAILED)), site=site) == [
        ("likely", "", [2])
    ]
    assert asked("AMT-CONN-009", machine(done, contact(4)), site=site) == [("likely", "", [4])]
    lacking = ["which addresses are wireless (--site: network.wireless)"]
    assert asked("AMT-CONN-009", machine(contact(2))) == lacking
    assert asked("AMT-CONN-009", machine(hello(1), contact(2))) == []


# -- what several rules ask --------------------------------------------------------------------------------------------


def case_of(desk, **more) -> Case:
    return Case(capture(desk, **more), Site(), {})


def test_the_proof_that_the_latest_contact_did_not_reach_the_machine() -> None:
    def found(*sessions, **more) -> list[int]:
        desk = machine(*sessions)
        return [packet for packet, _ in unreached(case_of(desk, **more), desk)]

    assert found(contact(2, "refused"), syn(4)) == [4]
    assert found(contact(2), contact(4, "refused"), called(6)) == [4]
    assert found(syn(2), contact(4)) == found() == []
    assert found(syn(4), health=ONE_WAY) == []
    assert found(contact(4, "refused"), health=ONE_WAY) == [4]


@pytest.mark.parametrize("state", ["closed", "reset", "half-closed"])
def test_a_client_that_speaks_what_the_port_is_not_for(state: str) -> None:
    def spoken(port: int, handshake=None, **more) -> str:
        return wrong_protocol(contact(4, more.pop("state", state), port=port, handshake=handshake, **more))

    hello_only = {"client_hello": 5}
    for port in (16992, 16994, 623):
        assert spoken(port, tls(**hello_only)) == "TLS"
        assert spoken(port) == spoken(port, asked=1) == ""
        assert spoken(port, tls(**hello_only, server_hello=6)) == ""
        assert spoken(port, tls()) == ""
        assert spoken(port, tls(**hello_only, alerts=[alert(6, 40)])) == ""
        assert spoken(port, tls(**hello_only, alerts=[alert(6, 40, server=False)])) == "TLS"
        assert spoken(port, tls(**hello_only), state="open") == ""
        assert spoken(port, tls(**hello_only), only="client") == ""
    for port in (16993, 16995, 664):
        assert spoken(port, asked=1) == "HTTP"
        assert spoken(port, asked=1, answered=1) == spoken(port) == ""
        assert spoken(port, tls(**hello_only), asked=1) == ""
        assert spoken(port, asked=1, state="open") == ""
        assert spoken(port, asked=1, server_missing=1) == ""
    assert spoken(9971, tls(**hello_only)) == spoken(9971, asked=1) == ""


def test_which_connection_began_later() -> None:
    untimed = contact(9)
    untimed.time = None
    assert began_after(contact(6), contact(4))
    assert not began_after(contact(4), contact(4))
    assert not began_after(contact(4), contact(6))
    assert not began_after(untimed, contact(4))
    assert not began_after(contact(4), untimed)
