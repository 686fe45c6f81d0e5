"""AMT-NET-* at their edges: the near miss stays silent, and the evidence is the right packet."""

import pytest
from by_hand import (
    AT_ONCE,
    CUT,
    DESK,
    GAPS,
    ONE,
    ONE_WAY,
    UUID,
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
)

from amtdecode.capture.health import Health
from amtdecode.provisioning.state import Lease, Outcome

OTHER_UUID = UUID.replace("4c", "5c")


def unanswered(**more) -> Lease:
    return lease(1, **({"ack": 0, "ack_time": None, "requests": 2, "requests_ref": 4, "requests_time": at(4)} | more))


def test_004_a_refusal_counts_only_after_the_last_lease() -> None:
    assert asked("AMT-NET-004", machine(lease(1, ack=0, nak=5))) == [("confirmed", "", [5])]
    assert asked("AMT-NET-004", machine(lease(1, ack=6, nak=5))) == []
    assert asked("AMT-NET-004", machine(lease(1, ack=0, nak=5), lease(9))) == []  # the latest
    (hit,) = hits("AMT-NET-004", machine(lease(1, ack=0, nak=5)))
    assert hit.values == {"mac": "00:00:5e:00:53:30", "what": "refused"}


def test_004_requests_nobody_answers() -> None:
    assert asked("AMT-NET-004", machine(unanswered())) == [("confirmed", "", [1, 4])]
    assert asked("AMT-NET-004", machine(unanswered(requests_ref=1))) == [("confirmed", "", [1])]
    assert asked("AMT-NET-004", machine(unanswered(requests=1))) == []
    assert asked("AMT-NET-004", machine(unanswered(ack=9))) == []
    assert hits("AMT-NET-004", machine(unanswered()))[0].values["what"] == "left without an answer"
    assert hits("AMT-NET-004", machine(unanswered(offer=3)))[0].values["what"] == "answered by an offer only"


def test_004_is_not_judged_where_the_capture_does_not_show_it() -> None:
    spoke = "the answer of the DHCP server, which the machine must have had: it has an address"
    assert asked("AMT-NET-004", machine(unanswered(), hello(9))) == [spoke]
    assert asked("AMT-NET-004", machine(unanswered(), lookup(9))) == [spoke]
    assert asked("AMT-NET-004", machine(unanswered(), hello(1))) == [("confirmed", "", [1, 4])]  # not after it
    desk = machine(unanswered())
    assert asked("AMT-NET-004", desk, capture(desk, health=ONE_WAY)) == [ONE]
    assert asked("AMT-NET-004", desk, capture(desk, health=GAPS)) == [("likely", "", [1, 4])]
    assert asked("AMT-NET-004", desk, capture(desk, last=2)) == [("confirmed", "", [1, 4])]
    assert asked("AMT-NET-004", desk, capture(desk, last=1.9)) == [AT_ONCE]
    cut = machine(unanswered(cut=True))
    assert asked("AMT-NET-004", cut) == [CUT]
    assert asked("AMT-NET-004", machine(), capture(seen="")) == ["no DHCP in this capture"]
    assert asked("AMT-NET-004", machine(), capture()) == ["no DHCP of the machine in this capture"]


def test_003_no_name_server() -> None:
    assert asked("AMT-NET-003", machine(lease(4, dns=None))) == [("confirmed", "", [5])]
    assert asked("AMT-NET-003", machine(lease(4, dns=()))) == [("confirmed", "", [5])]
    assert asked("AMT-NET-003", machine(lease(4))) == []
    assert asked("AMT-NET-003", machine(lease(4, dns=None), lease(7))) == []
    assert asked("AMT-NET-003", machine(lease(4), lease(7, dns=None))) == [("confirmed", "", [8])]
    assert asked("AMT-NET-003", machine(lease(4, dns=None), lookup(8))) == []
    assert asked("AMT-NET-003", machine(lease(4, dns=None), hello(8))) == []
    assert asked("AMT-NET-003", machine(lease(4, dns=None, cut=True))) == [CUT]


def test_001_no_suffix() -> None:
    bare = lease(4, suffix=None)
    assert asked("AMT-NET-001", machine(bare)) == [("confirmed", "high", [5])]
    assert asked("AMT-NET-001", machine(lease(4, suffix=b""))) == [("confirmed", "high", [5])]
    assert asked("AMT-NET-001", machine(lease(4, suffix=None, cut=True))) == [CUT]
    assert asked("AMT-NET-001", machine(lease(4, suffix=b"", cut=True))) == [("confirmed", "high", [5])]
    assert asked("AMT-NET-001", machine(lease(4, cut=True))) == []
    assert asked("AMT-NET-001", machine(bare, lease(7))) == []
    assert asked("AMT-NET-001", machine(lease(2), lease(7, suffix=None))) == [("confirmed", "high", [8])]


def test_001_a_search_list_of_dhcpv6_is_a_suffix() -> None:
    bare = lease(4, suffix=None)
    assert asked("AMT-NET-001", machine(bare, lease(7, v6=True))) == []
    assert asked("AMT-NET-001", machine(bare, lease(7, v6=True, suffix=None))) == [("confirmed", "high", [5])]


@pytest.mark.parametrize(
    "more",
    [
        (lookup(8, "192.0.2.10"),),  # it knows a domain from elsewhere
        (hello(8, version=2),),
        (hello(8, version=9),),  # it found its server, and no name is compared
    ],
)
def test_001_matters_little_where_the_name_was_found(more) -> None:
    assert asked("AMT-NET-001", machine(lease(4, suffix=None), *more)) == [("confirmed", "low", [5])]


def test_001_stays_serious() -> None:
    for more in (hello(8), lookup(8, name="provisionserver"), contact(8)):
        assert asked("AMT-NET-001", machine(lease(4, suffix=None), more)) == [("confirmed", "high", [5])]
    site = '[network]\nsuffixes = ["example.com"]\n'
    assert asked("AMT-NET-001", machine(lease(4, suffix=None)), site=site) == [("confirmed", "low", [5])]


@pytest.mark.parametrize(
    ("raw", "verdict", "faults"),
    [
        (b"a.com b.com", "likely", "it holds several names"),
        (b"a.com,b.com", "likely", "it holds several names"),
        (b"a.com;b.com", "likely", "it holds several names"),
        (b"a.com ", "likely", "it begins or ends with a space"),
        (b" a.com", "likely", "it begins or ends with a space"),
        (b".a.com", "likely", "it begins with a dot"),
        (b"a\x1f.com", "likely", "it holds bytes that no domain name holds"),
        (b"a\x7f.com", "likely", "it holds bytes that no domain name holds"),
        (b"a" * 256, "likely", "it is longer than a domain name may be"),
        (b"a.com\0", "possible", "it ends with a NUL byte"),
        (b".a.com\0", "likely", "it begins with a dot; it ends with a NUL byte"),
        (b"a.com", "", ""),
        (b"a" * 255, "", ""),
        (b"a~.com", "", ""),
        (b"a.com.", "possible", "it ends with a dot"),
        (b"a.com.\0", "possible", "it ends with a dot; it ends with a NUL byte"),
        (b".a.com.", "likely", "it begins with a dot; it ends with a dot"),
        (b"", "", ""),
    ],
)
def test_002_each_fault_by_itself(raw, verdict, faults) -> None:
    desk = machine(lease(4, suffix=raw))
    assert asked("AMT-NET-002", desk) == ([(verdict, "", [5])] if faults else [])
    if faults:
        assert hits("AMT-NET-002", desk)[0].values["faults"] == faults
    assert asked("AMT-NET-002", machine(lease(4, suffix=raw), lease(7))) == []
    done = machine(lease(4, suffix=raw), attempt(outcome=Outcome.COMMITTED))
    assert asked("AMT-NET-002", done) == ([(verdict, "info", [5])] if faults else [])


def test_005_silence_after_the_lease() -> None:
    desk = machine(lease(4))
    assert asked("AMT-NET-005", desk) == [("likely", "", [5])]
    assert hits("AMT-NET-005", desk, capture(desk, last=305))[0].values == {"address": DESK, "seconds": "300"}
    assert asked("AMT-NET-005", desk, capture(desk, last=125)) == [("likely", "", [5])]
    short = ["the capture ends less than two hello intervals (2 min) after the lease"]
    assert asked("AMT-NET-005", desk, capture(desk, last=124.9)) == short
    assert asked("AMT-NET-005", desk, capture(desk, last=None)) == short
    assert asked("AMT-NET-005", desk, capture(desk, health=ONE_WAY)) == [ONE]


def test_005_any_word_of_the_machine_ends_the_silence() -> None:
    silent = [("likely", "", [5])]
    for word in (hello(8), lookup(8), contact(8), called(8), hello(5), lookup(5), contact(5, until=5)):
        assert asked("AMT-NET-005", machine(lease(4), word)) == []
    for before in (hello(3), lookup(3), contact(3), contact(8, "refused"), called(8, "unanswered")):
        assert asked("AMT-NET-005", machine(lease(4), before)) == silent
    assert asked("AMT-NET-005", machine(lease(4), attempt(outcome=Outcome.COMMITTED))) == []
    assert asked("AMT-NET-005", machine(lease(4), attempt(outcome=Outcome.FAILED))) == silent
    assert asked("AMT-NET-005", machine(lease(4), hello(2), lease(200))) == [("likely", "", [201])]


def test_006_two_machines_of_one_mac() -> None:
    def found(*others, uuid: str = OTHER_UUID, more: dict | None = None):
        one = machine(hello(4), hello(5))
        two = machine(*others, uuid=uuid, id=2, **(more or {}))
        return asked("AMT-NET-006", one, capture(one, two))

    assert found(hello(8, source="192.0.2.31")) == [("likely", "", [4, 8])]
    assert found(hello(8, mac="b")) == []
    assert found(hello(8), uuid=UUID) == []
    assert found(hello(8), uuid="") == []
    assert found(hello(8), uuid="03000200-0400-0500-0006-000700080009") == []
    assert found(hello(8, destination="198.51.100.10")) == []  # a router's address
    assert found(hello(7, mac="b"), hello(8)) == [("likely", "", [4, 8])]
    six = {"source": "2001:db8::1:30", "destination": "2001:db8::1:10"}
    assert found(hello(8, **six)) == [("likely", "", [4, 8])]
    assert found(hello(8, **(six | {"destination": "2001:db8::2:10"}))) == []
    for blank in ("", "00:00:00:00:00:00"):
        one, two = machine(hello(4, mac=blank)), machine(hello(8, mac=blank), uuid=OTHER_UUID, id=2)
        assert asked("AMT-NET-006", one, capture(one, two)) == []
    one, two = machine(hello(4)), machine(hello(8), uuid=OTHER_UUID, id=2)
    (hit,) = hits("AMT-NET-006", one, capture(one, two))
    assert (hit.about, hit.values) == (one, {"mac": "00:00:5e:00:53:30", "count": 2})


def test_absence_is_confirmed_only_where_anybody_is_answered() -> None:
    silent = {0: Health(packets=9)}

    def verdict(desk, **more) -> str:
        return asked("AMT-NET-004", desk, capture(desk, **more))[0][0]

    desk = machine(unanswered())
    assert verdict(desk) == "confirmed"
    assert verdict(desk, health=silent) == "likely"
    assert verdict(desk, health={0: Health(packets=9), 1: Health(packets=9, both_ways=1)}) == "confirmed"
    assert verdict(desk, health={0: Health(packets=9, both_ways=1), 1: Health(packets=9, dropped=1)}) == "likely"
    assert verdict(desk, health=silent, lookups={("a", "b"): lookup(8)}) == "confirmed"
    assert verdict(desk, health=silent, lookups={("a", "b"): lookup(8, answer=0)}) == "likely"
    granted = machine(lease(1), unanswered())
    assert verdict(granted, health=silent) == "confirmed"
    refused = machine(lease(1, ack=0, nak=2), unanswered())
    assert verdict(refused, health=silent) == "confirmed"
