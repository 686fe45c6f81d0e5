"""AMT-DNS-* at their edges: the near miss stays silent, and the evidence is the right packet."""

import pytest
from by_hand import (
    AT_ONCE,
    CUT,
    DESK,
    GAPS,
    ONE,
    ONE_WAY,
    OTHER,
    SCS,
    THIRD,
    asked,
    at,
    called,
    capture,
    contact,
    hello,
    hits,
    lookup,
    machine,
)

from amtdecode.provisioning.state import Lookup

BARE = "ProvisionServer"


def failed(packet: int, rcode: int, **more) -> Lookup:
    return lookup(packet, rcode=rcode, **more)


def silent(packet: int, **more) -> Lookup:
    said = {"answer": 0, "answer_time": None, "rcode": -1, "queries": 2, "last_query": packet + 3} | more
    return lookup(packet, **({"last_query_time": at(packet + 3)} | said))


def test_003_the_resolver_says_so() -> None:
    assert asked("AMT-DNS-003", machine(failed(4, 2))) == [("confirmed", "", [4, 5])]
    assert asked("AMT-DNS-003", machine(failed(4, 5))) == [("confirmed", "", [4, 5])]
    assert hits("AMT-DNS-003", machine(failed(4, 2)))[0].values["what"] == "answered SERVFAIL"
    assert hits("AMT-DNS-003", machine(failed(4, 5)))[0].values["what"] == "answered REFUSED"
    for code in (0, 1, 3, 4):
        assert asked("AMT-DNS-003", machine(failed(4, code))) == []
    assert asked("AMT-DNS-003", machine(failed(4, 2), lookup(8, SCS, name="b.example.com"))) == []
    assert asked("AMT-DNS-003", machine(failed(4, 2), hello(9))) == [("confirmed", "low", [4, 5])]
    two = machine(failed(4, 2), failed(8, 5, name="b.example.com"))
    assert asked("AMT-DNS-003", two) == [("confirmed", "", [4, 5]), ("confirmed", "", [8, 9])]


def test_003_nobody_answers() -> None:
    desk = machine(silent(4))
    assert asked("AMT-DNS-003", desk) == [("confirmed", "", [4, 7])]
    assert hits("AMT-DNS-003", desk)[0].values["what"] == "left 2 queries without an answer"
    assert asked("AMT-DNS-003", machine(silent(4, queries=1))) == []
    assert asked("AMT-DNS-003", machine(lookup(4, queries=2))) == []
    assert asked("AMT-DNS-003", machine(silent(4, cut=True))) == [CUT]
    assert asked("AMT-DNS-003", desk, capture(desk, health=GAPS)) == [("likely", "", [4, 7])]
    assert asked("AMT-DNS-003", desk, capture(desk, health=ONE_WAY)) == [ONE]
    assert asked("AMT-DNS-003", desk, capture(desk, last=5)) == [("confirmed", "", [4, 7])]
    assert asked("AMT-DNS-003", desk, capture(desk, last=4.9)) == [AT_ONCE]
    spoke = ["the answer of the DNS server, which the machine must have had: it says hello"]
    assert asked("AMT-DNS-003", machine(silent(4), hello(4))) == spoke
    assert asked("AMT-DNS-003", machine(silent(4), hello(3))) == [("confirmed", "low", [4, 7])]
    two = machine(silent(4, cut=True), failed(8, 2))
    assert asked("AMT-DNS-003", two) == [CUT, ("confirmed", "", [8, 9])]


def test_003_times_that_are_not_known() -> None:
    untimed = silent(4, last_query_time=None)
    untimed.time = None
    desk = machine(untimed)
    assert asked("AMT-DNS-003", desk, capture(desk, last=0)) == [("confirmed", "", [4, 7])]
    late = silent(4)
    late.time = None
    desk = machine(late)
    assert asked("AMT-DNS-003", desk, capture(desk, last=7.5)) == [AT_ONCE]  # by the last query, at 7


def test_001_no_such_name() -> None:
    assert asked("AMT-DNS-001", machine(failed(4, 3))) == [("confirmed", "", [4, 5])]
    assert asked("AMT-DNS-001", machine(failed(4, 3), hello(9))) == [("confirmed", "low", [4, 5])]
    assert asked("AMT-DNS-001", machine(failed(4, 3, name=BARE))) == []
    assert asked("AMT-DNS-001", machine(failed(4, 3), lookup(8, SCS, name=BARE))) == []
    for code in (-1, 0, 2, 5):
        assert asked("AMT-DNS-001", machine(failed(4, code))) == []
    both = machine(failed(2, 3, name=BARE), failed(4, 3))
    assert asked("AMT-DNS-001", both) == [("confirmed", "", [4, 5])]
    assert asked("AMT-DNS-001", machine(), capture(seen="")) == ["no DNS in this capture"]
    lacking = "no DNS query of the machine for ProvisionServer in this capture"
    assert asked("AMT-DNS-001", machine(), capture(seen="dns")) == [lacking]


def test_002_the_bare_name_alone() -> None:
    bare = failed(4, 3, name=BARE)
    assert asked("AMT-DNS-002", machine(bare)) == [("confirmed", "", [4, 5])]
    again = failed(8, 3, name="provisionserver.")
    assert asked("AMT-DNS-002", machine(bare, again)) == [("confirmed", "", [8, 9])]
    for other in (failed(8, 3), lookup(8, SCS), silent(8)):
        assert asked("AMT-DNS-002", machine(bare, other)) == []
    assert asked("AMT-DNS-002", machine(bare, hello(9))) == []
    for near in (failed(4, 3), lookup(4, SCS, name=BARE), failed(4, 2, name=BARE)):
        assert asked("AMT-DNS-002", machine(near)) == []
    desk = machine(bare)
    assert asked("AMT-DNS-002", desk, capture(desk, last=15)) == [("confirmed", "", [4, 5])]
    short = ["the capture ends right after the query for the bare name"]
    assert asked("AMT-DNS-002", desk, capture(desk, last=14.9)) == short
    assert asked("AMT-DNS-002", desk, capture(desk, last=None)) == short


def test_004_an_answer_without_an_address() -> None:
    assert asked("AMT-DNS-004", machine(lookup(4))) == [("confirmed", "", [4, 5])]
    assert hits("AMT-DNS-004", machine(lookup(4)))[0].values["what"] == "no record at all"
    alias = machine(lookup(4, aliases=("a.example.com", "b.example.com")))
    assert hits("AMT-DNS-004", alias)[0].values["what"] == 'only the alias "b.example.com", which has no address'
    assert asked("AMT-DNS-004", machine(lookup(4), hello(9))) == [("confirmed", "low", [4, 5])]
    assert asked("AMT-DNS-004", machine(lookup(4, cut=True))) == [CUT]
    assert asked("AMT-DNS-004", machine(lookup(4, SCS))) == []
    assert asked("AMT-DNS-004", machine(lookup(4), lookup(8, SCS, name="b.example.com"))) == []
    for code in (-1, 2, 3, 5):
        assert asked("AMT-DNS-004", machine(failed(4, code))) == []


SITE = f'[scs]\naddresses = ["{SCS}"]\n'


@pytest.mark.parametrize("state", ["refused", "unanswered"])
def test_005_the_name_leads_to_a_host_that_takes_nothing(state: str) -> None:
    name = lookup(4, OTHER)
    vain = called(8, state, server=OTHER)
    assert asked("AMT-DNS-005", machine(name, called(6, state, server=OTHER), vain)) == [("possible", "", [5, 8])]
    assert asked("AMT-DNS-005", machine(name)) == []
    for near in (
        called(8, state),
        called(8, "closed", server=OTHER),
        called(8, state, server=OTHER, client=OTHER),
        called(8, state, server=OTHER, port=16993),
    ):
        assert asked("AMT-DNS-005", machine(name, near)) == []
    assert asked("AMT-DNS-005", machine(name, vain, hello(10, destination=OTHER))) == []
    assert asked("AMT-DNS-005", machine(name, vain, hello(10))) == [("possible", "", [5, 8])]
    later = machine(name, vain, lookup(12, SCS, name="b.example.com"))
    assert asked("AMT-DNS-005", later) == []


def test_005_the_site_names_its_servers() -> None:
    vain = called(8, "refused", server=OTHER)
    assert asked("AMT-DNS-005", machine(lookup(4, OTHER)), site=SITE) == [("confirmed", "", [5])]
    twice = machine(lookup(4, OTHER), called(6, "refused", server=OTHER), vain)
    assert asked("AMT-DNS-005", twice, site=SITE) == [("confirmed", "", [5, 8])]
    assert asked("AMT-DNS-005", machine(lookup(4, SCS), called(8, "refused")), site=SITE) == []
    worked = machine(lookup(4, OTHER), hello(10, destination=OTHER))
    assert asked("AMT-DNS-005", worked, site=SITE) == [("confirmed", "", [5])]
    two = machine(lookup(4, SCS, OTHER))
    assert asked("AMT-DNS-005", two, site=SITE) == [("confirmed", "", [5])]


def test_006_answers_that_differ() -> None:
    assert asked("AMT-DNS-006", machine(lookup(4, SCS))) == []
    assert asked("AMT-DNS-006", machine(lookup(4, SCS, OTHER))) == [("likely", "", [5])]
    changed = lookup(4, SCS, others=((OTHER,), (THIRD,)), other_refs=(2, 3))
    assert asked("AMT-DNS-006", machine(changed)) == [("likely", "", [2, 3, 5])]
    (hit,) = hits("AMT-DNS-006", machine(changed))
    assert hit.values["said"] == f"{OTHER} / {THIRD} / {SCS}"
    assert hit.values["advice"].startswith("Verify each address")


def test_006_names_the_dead_one() -> None:
    def advice(*more) -> str:
        return hits("AMT-DNS-006", machine(lookup(4, SCS, OTHER), *more))[0].values["advice"]

    dead = f"Remove the record provisionserver.example.com = {OTHER}, where nobody answers; {SCS} stays."
    assert advice(called(8, "refused", server=OTHER)).startswith(dead)
    for near in (
        called(8, server=OTHER),
        called(8, "refused", server=OTHER, port=16993),
        called(8, "refused", server=OTHER, client=OTHER),
        called(8, "refused", server=THIRD),
    ):
        assert advice(near).startswith("Verify each address")
    assert advice(called(8, "refused", server=OTHER), called(9, server=OTHER)).startswith("Verify")
    assert advice(called(8, "refused", server=OTHER), hello(9, destination=OTHER)).startswith("Verify")
    assert advice(called(8, "refused", server=OTHER), hello(9)).startswith(dead)
    both = called(8, "refused", server=OTHER), called(8, "refused")
    assert advice(*both).startswith("Verify")
    assert advice(contact(9)).startswith("Verify")


def test_007_the_name_of_the_machine() -> None:
    def reverse(packet: int, rcode: int, client: str = SCS) -> Lookup:
        return Lookup(client=client, name="x.in-addr.arpa", ref=packet, time=at(packet), answer=packet + 1, rcode=rcode)

    desk = machine(addresses=[OTHER, DESK])

    def found(*lookups: Lookup, address: str = DESK):
        return asked("AMT-DNS-007", desk, capture(desk, reverse={address: list(lookups)}))

    assert found(reverse(4, 3)) == [("confirmed", "", [4, 5])]
    assert found(reverse(4, 0), reverse(8, 3)) == [("confirmed", "", [8, 9])]
    for code in (-1, 0, 2, 5):
        assert found(reverse(4, code)) == []
    assert found(reverse(4, 3), address=THIRD) == []
    assert asked("AMT-DNS-007", desk, capture(desk, seen="")) == ["no DNS in this capture"]
