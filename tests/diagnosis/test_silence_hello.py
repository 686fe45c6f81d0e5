"""AMT-HELLO-* at their edges: the near miss stays silent, and the evidence is the right packet."""

import pytest
from by_hand import (
    AMI,
    AT_ONCE,
    CUT,
    DESK,
    GAPS,
    ONE,
    ONE_WAY,
    OTHER,
    SCS,
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
    tls,
)

from amtdecode.provisioning.state import AddressQuery, Outcome
from amtdecode.provisioning.state.incidents import ContactElsewhere, HelloAnswered, MalformedHello, PartialUnprovision

HOUR = 3600


def refs(found) -> list:
    return [each if isinstance(each, str) else each[2] for each in found]


# -- 002 ---------------------------------------------------------------------------------------------------------------


def test_002_the_latest_connections_that_failed() -> None:
    assert asked("AMT-HELLO-002", machine(called(4, "refused"))) == [("confirmed", "", [4])]
    many = [called(number, "refused") for number in (2, 4, 6, 8)]
    assert asked("AMT-HELLO-002", machine(*many)) == [("confirmed", "", [4, 6, 8])]
    assert asked("AMT-HELLO-002", machine(called(2, "refused"), called(6, "closed"))) == [("confirmed", "", [2])]
    for silent in (called(4, "closed"), called(4, "reset"), contact(4, "refused"), called(4, "refused", port=9999)):
        assert asked("AMT-HELLO-002", machine(silent)) == []


def test_002_a_later_hello_makes_up_for_it() -> None:
    assert asked("AMT-HELLO-002", machine(called(4, "refused"), hello(9))) == []
    assert asked("AMT-HELLO-002", machine(called(4, "refused"), hello(4))) == [("confirmed", "", [4])]
    assert asked("AMT-HELLO-002", machine(called(4, "refused"), hello(9, None).__class__(
        9, None, DESK, SCS, 9971, 3, 1, 0, "", ()))) == [("confirmed", "", [4])]  # fmt: skip


def test_002_an_answer_that_was_not_captured() -> None:
    desk = machine(called(4, "unanswered"))
    assert asked("AMT-HELLO-002", desk) == [("confirmed", "", [4])]
    assert asked("AMT-HELLO-002", desk, capture(desk, health=GAPS)) == [("likely", "", [4])]
    assert asked("AMT-HELLO-002", desk, capture(desk, health=ONE_WAY)) == [ONE]
    assert asked("AMT-HELLO-002", desk, capture(desk, sides={SCS: -1})) == [ONE]
    assert asked("AMT-HELLO-002", desk, capture(desk, sides={SCS: 0})) == [("confirmed", "", [4])]
    assert asked("AMT-HELLO-002", machine(called(4, "unanswered", only="client"))) == [ONE]
    assert asked("AMT-HELLO-002", desk, capture(desk, last=4.9)) == [AT_ONCE]
    assert asked("AMT-HELLO-002", desk, capture(desk, last=5)) == [("confirmed", "", [4])]
    once = machine(called(4, "unanswered", syn_count=1))
    assert asked("AMT-HELLO-002", once) == ["the capture ends before the machine repeats its unanswered SYN"]
    refused = machine(called(4, "refused", syn_count=1))
    assert asked("AMT-HELLO-002", refused, capture(refused, health=ONE_WAY)) == [("confirmed", "", [4])]


def test_002_names_the_dead_record_of_two() -> None:
    name = lookup(1, SCS, OTHER)
    (hit,) = hits("AMT-HELLO-002", machine(name, called(4, "refused")))
    assert hit.values["said"] == f"port 9971 of {SCS} is refused (RST)"
    assert "Remove the record" in hit.values["todo"]
    assert hit.values["todo"].endswith(f"Or start the service on {SCS}.")
    (hit,) = hits("AMT-HELLO-002", machine(name, called(4, "refused"), called(6, "unanswered", server=OTHER)))
    assert hit.values["said"] == f"port 9971 of {OTHER} is not answered (2 SYN)"
    assert "Start the AMTconfig service" in hit.values["todo"]  # none of the two is alive
    (hit,) = hits("AMT-HELLO-002", machine(lookup(1, OTHER), called(4, "refused")))
    assert hit.values["todo"] == f"Start the AMTconfig service on {SCS}, and open TCP port 9971 to it."


def reply(packet: int = 5, speaks: str = "HTTP", server: str = SCS, data: bytes = b"HTTP/1.0 400") -> HelloAnswered:
    return HelloAnswered(ref=packet, time=at(packet), server=server, port=9971, speaks=speaks, data=data)


def test_002_a_host_that_answers_is_no_setup_server() -> None:
    assert asked("AMT-HELLO-002", machine(hello(4), reply(5), reply(8))) == [("confirmed", "", [5, 8])]
    answered = machine(hello(4), reply(5))
    assert asked("AMT-HELLO-002", machine(hello(4), reply(5), contact(9))) == []
    for vain in (contact(9, "refused"), contact(9, client=OTHER), contact(9, port=16995)):
        assert refs(asked("AMT-HELLO-002", machine(hello(4), reply(5), vain))) == [[5]]
    assert asked("AMT-HELLO-002", machine(hello(4), reply(5), hello(9, destination=OTHER))) == []
    for again in (hello(9), hello(5, destination=OTHER), hello(3, destination=OTHER)):
        assert refs(asked("AMT-HELLO-002", machine(hello(4), reply(5), again))) == [[5]]
    assert hits("AMT-HELLO-002", answered)[0].values["said"] == f"{SCS} is not a setup server: it speaks HTTP"


@pytest.mark.parametrize(
    ("speaks", "who", "cause"),
    [
        ("HTTP", "it speaks HTTP", "a web server or a web proxy"),
        ("TLS", "it speaks TLS", "a TLS server, which may be a load balancer"),
        ("SSH", "it speaks SSH", "a host that speaks SSH"),
        ("", "its bytes are of no protocol known here", "another service"),
    ],
)
def test_002_says_what_the_host_is(speaks: str, who: str, cause: str) -> None:
    (hit,) = hits("AMT-HELLO-002", machine(lookup(1, SCS), lookup(2, OTHER, name="other"), hello(4), reply(5, speaks)))
    assert hit.values["said"].endswith(who)
    assert f"It is {cause}:" in hit.values["explained"]
    assert f'{SCS}, which is what "provisionserver.example.com" leads to, answers' in hit.values["explained"]
    (hit,) = hits("AMT-HELLO-002", machine(lookup(2, OTHER), hello(4), reply(5, speaks)))
    assert f"{SCS} answers the hello" in hit.values["explained"]


# -- 001 ---------------------------------------------------------------------------------------------------------------


def test_001_no_hello_after_the_name() -> None:
    desk = machine(lookup(1, OTHER), lookup(4, SCS))
    assert asked("AMT-HELLO-001", desk) == [("likely", "", [5, 5])]
    assert asked("AMT-HELLO-001", desk, capture(desk, last=125)) == [("likely", "", [5, 5])]
    short = "the capture ends less than two hello intervals (2 min) after the name was resolved"
    assert asked("AMT-HELLO-001", desk, capture(desk, last=124)) == [short]
    assert asked("AMT-HELLO-001", desk, capture(desk, last=None)) == [short]
    for word in (hello(9), called(9), called(9, "refused"), MalformedHello(ref=9, time=at(9), fault="short")):
        assert asked("AMT-HELLO-001", machine(lookup(4, SCS), word)) == []
    assert refs(asked("AMT-HELLO-001", machine(lookup(4, SCS), contact(9)))) == [[5, 5]]
    assert refs(asked("AMT-HELLO-001", machine(lookup(4, SCS), called(9, server=OTHER, port=443)))) == [[5, 5]]
    assert asked("AMT-HELLO-001", machine(lookup(4, SCS), called(9, port=80))) == []  # a port set in MEBx
    assert len(asked("AMT-HELLO-001", machine(lookup(4)))) == 1  # not judged: no address


# -- 007, 008, 017, 018 ------------------------------------------------------------------------------------------------

BLANK = "00000000-0000-0000-0000-000000000000"


def test_007_a_uuid_of_many() -> None:
    assert asked("AMT-HELLO-007", machine(hello(4))) == []
    assert asked("AMT-HELLO-007", machine(hello(4), uuid="")) == []
    five = [hello(packet) for packet in (4, 5, 6, 7, 8)]
    assert asked("AMT-HELLO-007", machine(*five, uuid=BLANK)) == [("confirmed", "", [4, 5, 6, 7])]
    done = attempt(hello(4), outcome=Outcome.COMMITTED)
    assert asked("AMT-HELLO-007", machine(done, uuid=AMI)) == [("confirmed", "low", [4])]
    (hit,) = hits("AMT-HELLO-007", machine(hello(4), uuid=BLANK))
    assert (hit.values["said"], hit.values["what"], hit.values["here"]) == ("", "the BIOS holds no SMBIOS UUID", "")


def test_007_counts_the_machines_that_say_it() -> None:
    done = machine(attempt(hello(4), outcome=Outcome.COMMITTED), uuid=AMI)
    twins = [machine(hello(packet), hello(packet + 1), uuid=AMI, id=packet) for packet in (10, 20, 30, 40, 50)]
    story = capture(done, *twins, machine(hello(60)))
    assert asked("AMT-HELLO-007", done, story) == [("confirmed", "", [4, 10, 20, 30, 40])]
    (hit,) = hits("AMT-HELLO-007", done, story)
    assert hit.values["here"] == " 6 machines in what was given say it."
    assert hit.values["said"] == ": it says a placeholder"


def test_008_one_of_two_came_back() -> None:
    def said(*places: tuple[str, str]):
        return machine(*(hello(number, mac=mac, source=ip) for number, (mac, ip) in enumerate(places, 1)))

    a, b = ("mac-a", DESK), ("mac-b", OTHER)
    assert asked("AMT-HELLO-008", said(a, b, a)) == [("confirmed", "", [1, 2, 3])]
    assert asked("AMT-HELLO-008", said(a, a, b, b)) == []
    assert asked("AMT-HELLO-008", said(a, a)) == []
    assert asked("AMT-HELLO-008", said(("mac-a", DESK), ("mac-b", DESK), ("mac-a", DESK))) == []  # behind a router
    one = said(("mac-a", DESK), ("mac-a", OTHER), ("mac-a", DESK))
    assert asked("AMT-HELLO-008", one) == [("likely", "", [1, 2, 3])]
    assert hits("AMT-HELLO-008", one)[0].values == {"what": "address", "values": f"{DESK} and {OTHER}"}
    assert asked("AMT-HELLO-008", said(("mac-a", DESK), ("", OTHER), ("mac-a", OTHER))) == []
    assert asked("AMT-HELLO-008", said(("", DESK), ("", OTHER), ("", DESK))) == [("likely", "", [1, 2, 3])]


def test_017_a_pid_that_was_mistyped() -> None:
    wrong = hello(4, version=2, pid="0000037L")
    assert asked("AMT-HELLO-017", machine(wrong)) == [("confirmed", "", [4])]
    assert hits("AMT-HELLO-017", machine(wrong))[0].values["what"] == "has a wrong check character"
    assert asked("AMT-HELLO-017", machine(hello(4, version=2))) == []
    assert asked("AMT-HELLO-017", machine(hello(4, version=2, pid="0000-037M"))) == []
    assert asked("AMT-HELLO-017", machine(hello(4, pid="0000037L"))) == []
    assert asked("AMT-HELLO-017", machine(hello(3, version=2, pid="0000037L"), hello(4, version=2))) == []
    odd = machine(hello(4, version=2, pid="000 03_M"))
    assert asked("AMT-HELLO-017", odd) == [("confirmed", "", [4])]
    assert hits("AMT-HELLO-017", odd)[0].values["said"] == 'it holds " " "_"; a PID has only A to Z and 0 to 9.'
    (hit,) = hits("AMT-HELLO-017", machine(wrong))
    assert hit.values["said"] == "its last character is L, and the seven before it ask for M: it was mistyped."


def test_017_matters_little_where_both_sides_have_the_same_pid() -> None:
    wrong = hello(4, version=2, pid="0000037L")
    taken = tls(psk_identity="0000037L", complete=True)
    assert asked("AMT-HELLO-017", machine(wrong, contact(6, handshake=taken))) == [("confirmed", "info", [4])]
    for other in (tls(psk_identity="0000037L"), tls(complete=True), None):
        assert asked("AMT-HELLO-017", machine(wrong, contact(6, handshake=other))) == [("confirmed", "", [4])]
    assert asked("AMT-HELLO-017", machine(attempt(wrong, outcome=Outcome.COMMITTED))) == [("confirmed", "info", [4])]


def test_018_a_pid_of_two_machines() -> None:
    one = machine(hello(4, version=2), hello(5, version=2))
    two = machine(hello(8, version=2, mac="b"), id=2, uuid=UUID.replace("4c", "5c"))
    assert asked("AMT-HELLO-018", one, capture(one, two)) == [("confirmed", "", [4, 8])]
    assert hits("AMT-HELLO-018", one, capture(one, two))[0].values["count"] == 2
    assert asked("AMT-HELLO-018", one, capture(one, machine(hello(8, version=2, mac="b"), id=2))) == []  # one UUID
    assert asked("AMT-HELLO-018", one, capture(one, machine(hello(8, version=2, pid="B"), id=2, uuid=two.uuid))) == []
    pki = machine(hello(8), id=2, uuid=two.uuid), machine(hello(9), id=3)
    assert asked("AMT-HELLO-018", pki[0], capture(*pki)) == []


def test_018_placeholders_are_told_apart_by_the_host() -> None:
    one = machine(hello(4, version=2), uuid=AMI)
    for more, found in (
        ({"mac": "b"}, [[4, 8]]),
        ({"source": OTHER}, []),  # the same card
        ({"mac": "", "source": OTHER}, [[4, 8]]),
    ):
        other = machine(hello(8, version=2, **more), uuid=AMI, id=2)
        assert refs(asked("AMT-HELLO-018", one, capture(one, other))) == found


# -- 020 ---------------------------------------------------------------------------------------------------------------


def rhythm(*hours: float, **more):
    return [hello(packet, seconds=hour * HOUR, **more) for packet, hour in enumerate(hours, 1)]


def window(*facts, last: float = 20, site: str = "", **more):
    desk = machine(*facts, **more)
    return refs(asked("AMT-HELLO-020", desk, capture(desk, last=last * HOUR), site=site))


def test_020_the_window_at_its_edges() -> None:
    assert window(*rhythm(0, 5, 6)) == [[1, 3]]
    assert window(*rhythm(0, 4, 5)) == [[1, 3]]  # the next hello would have come when it closed
    assert window(*rhythm(0, 4, 4.99)) == []
    assert window(*rhythm(0, 5.1, 6.01)) == []
    assert window(*rhythm(0, 6)) == []
    assert window(*rhythm(0, 3, 6)) == [[1, 3]]  # half the window apart
    assert window(*rhythm(0, 2.9, 6)) == []
    assert window(*rhythm(0, 3, 4), site="[policy]\nwindow_hours = 4\n") == [[1, 3]]
    first, *others = rhythm(0, 5, 6)
    assert window(hello(1, seconds=0, retry_count=1), *others) == []
    assert window(first, hello(2, seconds=5 * HOUR, retry_count=1), others[1]) == [[1, 3]]


def test_020_speaks_of_the_latest_attempt_that_did_not_succeed() -> None:
    hellos = rhythm(0, 5, 6)
    assert window(attempt(*hellos, outcome=Outcome.FAILED)) == [[1, 3]]
    assert window(attempt(*hellos, outcome=Outcome.COMMITTED)) == []
    assert window(attempt(*hellos), attempt(hello(9, seconds=7 * HOUR))) == []
    assert window(attempt(hello(9, seconds=-HOUR)), attempt(*hellos)) == [[1, 3]]


def test_020_not_where_the_server_came_afterwards() -> None:
    hellos = rhythm(0, 5, 6)
    assert window(*hellos, contact(9, seconds=7 * HOUR)) == []
    for vain in (contact(9, seconds=3 * HOUR), contact(9, "refused", seconds=7 * HOUR)):
        assert window(*hellos, vain) == [[1, 3]]
    assert window(*hellos, contact(9, seconds=7 * HOUR, port=5900)) == [[1, 3]]


def test_020_needs_two_intervals_of_silence() -> None:
    short = "the capture ends less than two retry intervals after the last hello"
    assert window(*rhythm(0, 5, 6), last=8) == [short]
    assert window(*rhythm(0, 5, 6), last=8.001) == [[1, 3]]
    none = machine(*rhythm(0, 5, 6))
    assert asked("AMT-HELLO-020", none, capture(none, last=None)) == [short]
    untimed = [hello(1), hello(2), hello(3)]
    for each in untimed:
        each.time = None
    assert window(*untimed) == []


# -- 003 ---------------------------------------------------------------------------------------------------------------


def test_003_three_hellos_make_a_pattern() -> None:
    three = [hello(packet) for packet in (4, 6, 8)]
    assert asked("AMT-HELLO-003", machine(*three)) == [("confirmed", "", [4, 6, 8])]
    desk = machine(*three)
    assert asked("AMT-HELLO-003", desk, capture(desk, health=GAPS)) == [("likely", "", [4, 6, 8])]
    assert asked("AMT-HELLO-003", desk, capture(desk, health=ONE_WAY)) == [ONE]
    assert asked("AMT-HELLO-003", desk, capture(desk, sides={SCS: -1})) == [ONE]
    assert asked("AMT-HELLO-003", desk, capture(desk, sides={SCS: 0, OTHER: -1})) == [("confirmed", "", [4, 6, 8])]
    assert asked("AMT-HELLO-003", machine(attempt(hello(8), hello_count=3))) == [("confirmed", "", [8])]
    (hit,) = hits("AMT-HELLO-003", machine(*three, hello(9, destination=OTHER)))
    assert hit.values == {"count": "4 hello messages", "server": f"{SCS}, {OTHER}"}


def test_003_fewer_do_where_an_hour_of_silence_follows() -> None:
    two = machine(hello(4), hello(6))
    assert asked("AMT-HELLO-003", two, capture(two, last=3606)) == [("possible", "", [4, 6])]
    assert asked("AMT-HELLO-003", two, capture(two, last=3605)) == []
    assert asked("AMT-HELLO-003", two, capture(two, last=None)) == []
    gaps = capture(two, health=GAPS)
    assert asked("AMT-HELLO-003", two, gaps) == [("possible", "", [4, 6])]
    earlier = machine(attempt(hello(4)), attempt(hello(6), hello(7), hello(8)))
    assert asked("AMT-HELLO-003", earlier) == [("confirmed", "", [6, 7, 8])]


def test_003_is_silent_where_something_answered() -> None:
    three = [hello(packet) for packet in (4, 6, 8)]
    assert asked("AMT-HELLO-003", machine(attempt(*three, outcome=Outcome.COMMITTED))) == []
    assert asked("AMT-HELLO-003", machine(*three, contact(9))) == []
    assert asked("AMT-HELLO-003", machine(*three, contact(9, "refused", port=16992))) == []
    assert refs(asked("AMT-HELLO-003", machine(*three, contact(9, port=16995)))) == [[4, 6, 8]]
    elsewhere = ContactElsewhere(ref=9, time=at(9), server=SCS, address=OTHER)
    assert asked("AMT-HELLO-003", machine(*three, elsewhere)) == []
    twice = machine(attempt(*three), attempt(hello(20), contact(22)), elsewhere)
    assert refs(asked("AMT-HELLO-003", twice)) == [[4, 6, 8]]
    assert refs(asked("AMT-HELLO-003", machine(attempt(contact(2)), attempt(*three)))) == [[4, 6, 8]]


# -- 005, 010, 019 -----------------------------------------------------------------------------------------------------


def test_005_says_nothing_of_cut_bytes() -> None:
    odd = [MalformedHello(ref=ref, time=at(ref), fault=fault, cut=cut) for ref, fault, cut in (
        (4, "short", True), (6, "long", False), (8, "odd", False))]  # fmt: skip
    assert asked("AMT-HELLO-005", machine(*odd)) == [("confirmed", "", [6, 8])]
    assert hits("AMT-HELLO-005", machine(*odd))[0].values == {"what": "long"}
    assert asked("AMT-HELLO-005", machine(odd[0])) == [CUT]
    assert asked("AMT-HELLO-005", machine(hello(4))) == []


def test_010_one_hello_and_gone() -> None:
    syn = contact(8, "unanswered")
    assert asked("AMT-HELLO-010", machine(hello(4), syn)) == [("likely", "", [4, 8])]
    assert asked("AMT-HELLO-010", machine(hello(4), hello(5), syn)) == []
    for other in (contact(8, "refused"), contact(8), contact(8, "unanswered", server=OTHER),
                  contact(8, "unanswered", port=16995)):  # fmt: skip
        assert asked("AMT-HELLO-010", machine(hello(4), other)) == []
    assert asked("AMT-HELLO-010", machine(hello(4), contact(6, "closed"), syn)) == []
    desk = machine(hello(4), syn)
    assert asked("AMT-HELLO-010", desk, capture(desk, health=ONE_WAY)) == [ONE]
    assert asked("AMT-HELLO-010", desk, capture(desk, last=8.5)) == [AT_ONCE]


def test_010_cites_arp_and_the_next_place() -> None:
    syn = contact(8, "unanswered")
    asks = AddressQuery(ref=6, time=at(6), count=3)
    desk = machine(hello(4), syn, hello(20, source=OTHER))
    story = capture(desk, arp={DESK: asks})
    assert asked("AMT-HELLO-010", desk, story) == [("likely", "", [4, 8, 6, 20])]
    (hit,) = hits("AMT-HELLO-010", desk, story)
    assert hit.values == {"address": DESK, "later": OTHER}
    assert hit.proofs[2][1].endswith("; nobody answers")
    asks.answered = True
    assert hits("AMT-HELLO-010", desk, story)[0].proofs[2][1] == f"ARP asks who has {DESK}"
    assert hits("AMT-HELLO-010", machine(hello(4), syn))[0].values["later"] == "nowhere yet"
    before = machine(hello(4, source=OTHER), hello(6), syn)
    assert asked("AMT-HELLO-010", before) == [("likely", "", [6, 8])]


def test_010_is_another_thing_where_the_machine_had_moved() -> None:
    syn = contact(8, "unanswered")
    assert asked("AMT-HELLO-010", machine(hello(4), hello(6, source=OTHER), syn)) == []
    assert asked("AMT-HELLO-010", machine(hello(4), lease(5, address=OTHER), syn)) == []


def test_019_the_pid_of_before() -> None:
    done = attempt(hello(4, version=2), outcome=Outcome.COMMITTED, confidence=1, commit=6)
    again, other = attempt(hello(9, version=2)), attempt(hello(9, version=2, pid="B"))
    assert asked("AMT-HELLO-019", machine(done, again)) == [("confirmed", "", [4, 6, 9])]
    assert asked("AMT-HELLO-019", machine(done, other)) == []
    assert asked("AMT-HELLO-019", machine(done, other, attempt(hello(12, version=2)))) == [
        ("confirmed", "", [4, 6, 12])
    ]
    probably = attempt(hello(4, version=2), outcome=Outcome.COMMITTED, confidence=0.9, commit=6)
    assert asked("AMT-HELLO-019", machine(probably, again)) == [("likely", "", [4, 6, 9])]
    assert asked("AMT-HELLO-019", machine(attempt(hello(4, version=2), outcome=Outcome.FAILED), again)) == []
    assert asked("AMT-HELLO-019", machine(again, done)) == []
    pki = attempt(hello(4), outcome=Outcome.COMMITTED, confidence=1)
    assert asked("AMT-HELLO-019", machine(pki, attempt(hello(9)))) == []
    kept = PartialUnprovision(ref=8, time=at(8))
    assert asked("AMT-HELLO-019", machine(done, kept, again)) == []
    assert asked("AMT-HELLO-019", machine(attempt(outcome=Outcome.COMMITTED), again)) == []


# -- what is merely said -----------------------------------------------------------------------------------------------


def test_006_and_011_read_version_and_credentials() -> None:
    assert asked("AMT-HELLO-006", machine(hello(4), hello(5, version=1), hello(6, version=2))) == [
        ("confirmed", "", [5])
    ]
    assert asked("AMT-HELLO-006", machine(hello(4), hello(6, version=2))) == []
    assert asked("AMT-HELLO-011", machine(hello(4, admin_credentials_set=0))) == [("confirmed", "info", [4])]
    psk = hello(4, version=2, admin_credentials_set=0)
    assert asked("AMT-HELLO-011", machine(psk)) == [("confirmed", "low", [4])]
    assert asked("AMT-HELLO-011", machine(psk, hello(5))) == []  # the latest counts


def test_004_reads_the_retry_counters() -> None:
    def said(*counters: int) -> str:
        found = hits("AMT-HELLO-004", machine(*(hello(n, retry_count=c) for n, c in enumerate(counters, 1))))
        return found[0].values["said"] if found else ""

    assert said(0, 1, 2) == said(0, 0) == said(0) == ""
    assert said(1) == "1 hello message was sent before this capture began"
    assert said(2, 3) == "2 hello messages were sent before this capture began"
    assert said(0, 1, 0) == "the counter went back 1 time: setup was started anew"
    assert said(0, 2, 5) == "3 hello messages between the captured ones are not in this capture"
    assert said(0, 2) == "1 hello message between the captured ones is not in this capture"
    assert said(*range(14), 15)  # 15 counters
    assert said(*range(15), 16) == ""  # 16: the middle ones were let go
    assert refs(asked("AMT-HELLO-004", machine(hello(4), hello(7, retry_count=2)))) == [[4, 7]]


def test_009_and_021_say_where_a_hello_went() -> None:
    moved = machine(hello(4), hello(5), hello(7, source=OTHER), hello(8))
    assert asked("AMT-HELLO-009", moved) == [("confirmed", "", [5, 7])]
    assert asked("AMT-HELLO-009", machine(hello(4), hello(5))) == []
    assert hits("AMT-HELLO-009", moved)[0].values == {"before": DESK, "after": OTHER}
    assert asked("AMT-HELLO-021", machine(hello(4), hello(5, vlan=0), hello(6, vlan=3))) == [("confirmed", "", [5])]
    assert asked("AMT-HELLO-021", machine(hello(4), hello(6, port=9972))) == [("confirmed", "", [6])]
    both = hits("AMT-HELLO-021", machine(hello(6, port=9972, vlan=12)))[0]
    assert both.values["what"] == "tagged for VLAN 12 and sent to port 9972 instead of 9971"
    assert asked("AMT-HELLO-021", machine(hello(4))) == []
