"""Where attempts begin and how they end, at the edges of every threshold, with facts made by hand."""

import pytest
from by_hand import (
    DESK,
    GAPS,
    ONE_WAY,
    SCS,
    alert,
    at,
    attempt,
    called,
    capture,
    contact,
    hello,
    lease,
    lookup,
    machine,
    tls,  # fmt: skip
)

from amtdecode.provisioning.attempts import (
    begins_anew,
    ends_in_order,
    failed_handshake,
    in_setup,
    looks_complete,
    settle,
    substantial,
)
from amtdecode.provisioning.calling_home import calls_home, looks_like_amt, refuses_certificate
from amtdecode.provisioning.evidence import persistent, setup_servers, speaks, weigh
from amtdecode.provisioning.outcomes import judge
from amtdecode.provisioning.state import LogEntry, Outcome, Recognition, Session
from amtdecode.provisioning.state.incidents import Commit, FullUnprovision, PartialUnprovision
from amtdecode.provisioning.state.terms import Standing

OTHER, THIRD = "192.0.2.80", "192.0.2.81"
ENOUGH = {
    "client_hello": 1,
    "requests": 7,
    "answers": 6,
    "client_bytes": 2000,
    "answer_sizes": 3,
    "last_is_least": True,
}


def setup(packet: int = 20, state: str = "closed", *, session: dict | None = None, **more) -> Session:
    """A closed connection of setup that looks like one with a commit, but for what is given."""
    return contact(packet, state, handshake=tls(**(ENOUGH | {"last_is_least": True} | more)), **(session or {}))


# -- attempts ----------------------------------------------------------------------------------------------------------


def test_enough_was_said_to_configure_a_machine() -> None:
    assert substantial(setup(requests=5, answers=2))
    for near in ({"requests": 4}, {"answers": 1}, {"client_bytes": 1999}):
        assert not substantial(setup(**near))
    assert not substantial(setup(session={"setup": False}))
    assert not substantial(contact(20))


def test_what_a_connection_with_a_commit_looks_like() -> None:
    assert looks_complete(setup())
    for near in ({"requests": 6}, {"answer_sizes": 2}, {"last_is_least": False}, {"client_bytes": 1999}):
        assert not looks_complete(setup(**near))
    assert not looks_complete(setup(session={"messages": 1}))
    assert not looks_complete(contact(20))
    assert not looks_complete(setup(state="open"))


def test_an_orderly_end() -> None:
    for state in ("closed", "reset", "half-closed"):
        assert ends_in_order(setup(state=state))
    for state in ("open", "", "refused"):
        assert not ends_in_order(setup(state=state))
    assert not ends_in_order(setup(session={"broken_by": "client"}))
    assert not ends_in_order(setup(alerts=[alert(9, 20)]))
    warning = alert(9, 90)
    warning.level = 1
    assert ends_in_order(setup(alerts=[alert(8, 0), alert(8, -1), warning]))
    assert ends_in_order(contact(20))


def test_a_handshake_that_failed() -> None:
    def fails(state: str = "closed", session: dict | None = None, **more) -> bool:
        made = contact(20, state, handshake=tls(**({"client_hello": 21} | more)), **(session or {}))
        return failed_handshake(made.handshake, made)

    assert fails()
    assert fails("reset")
    assert not fails("open")
    assert not fails(server_ccs=25)
    assert not fails(client_hello=0)
    assert not fails(session={"only": "client"})
    assert not fails(requests=1, answers=1, alerts=[alert(25, 40)])
    assert fails(requests=1, answers=0)
    assert fails("open", server_ccs=25, alerts=[alert(25, 40)])
    assert fails("open", client_hello=0, alerts=[alert(25, 0)])
    assert not fails("open", alerts=[alert(25, -1)])
    warning = alert(25, 90)
    warning.level = 1
    assert not fails("open", alerts=[warning])


def test_a_hello_begins_another_attempt() -> None:
    def anew(*facts, retry: int = 5, incident=None, **more) -> bool:
        before = attempt(*facts, **more)
        return begins_anew(before, hello(90, retry_count=retry), machine(before, *([incident] if incident else [])))

    assert not anew(hello(4, retry_count=4))
    assert not anew(hello(4, retry_count=5))
    assert anew(hello(4, retry_count=6))
    assert not anew(hello(2, retry_count=9), hello(4, retry_count=4))
    assert anew(hello(4, retry_count=4), setup())
    assert not anew(hello(4, retry_count=4), setup(requests=4))
    assert anew(hello(4, retry_count=4), commit=8)
    assert anew(setup(requests=4), commit=8)
    assert not anew(commit=8)
    assert anew(setup())
    assert not anew(setup(requests=4))
    assert anew(outcome=Outcome.COMMITTED)
    assert not anew(outcome=Outcome.FAILED)
    for kind in (FullUnprovision, PartialUnprovision):
        assert anew(hello(4, retry_count=4), incident=kind(ref=8, time=at(8)))
    assert not anew(hello(4, retry_count=4), incident=Commit(ref=8, time=at(8)))


def test_a_connection_made_now_belongs_to_setup() -> None:
    assert in_setup(machine(hello(4)))
    assert in_setup(machine(hello(4), setup(requests=6)))
    assert not in_setup(machine(hello(4), setup()))
    assert not in_setup(machine(contact(4)))
    assert not in_setup(machine(attempt(hello(4), commit=8)))
    assert not in_setup(machine(attempt(hello(4)), attempt(contact(8))))
    assert in_setup(machine(attempt(hello(4), commit=8), attempt(hello(9))))
    nothing = machine()
    nothing.attempts = []
    assert not in_setup(nothing)


def numbers(device) -> list[list[int]]:
    return [[session.number for session in each.sessions] for each in device.attempts]


def test_connections_go_into_the_attempt_of_their_time() -> None:
    def settled(*attempts):
        device = machine(*attempts)
        settle(device)
        return numbers(device)

    late = attempt(hello(20), contact(30), contact(10), contact(20))
    assert settled(attempt(hello(4)), late) == [[10], [20, 30]]
    assert settled(attempt(hello(4), contact(9), contact(2))) == [[2, 9]]
    assert settled(attempt(contact(30)), attempt(hello(20)), attempt(hello(40), contact(19))) == [[19], [30], []]
    assert settled(attempt(hello(4)), attempt(hello(20))) == [[], []]
    unknown = contact(30)
    unknown.time = None
    assert settled(attempt(hello(4)), attempt(hello(20), unknown, contact(10))) == [[], [30, 10]]
    untimed = attempt(contact(50))
    assert settled(attempt(hello(4)), untimed, attempt(hello(40), contact(10))) == [[], [10], [50]]


# -- outcomes ----------------------------------------------------------------------------------------------------------


def judged(*facts, story=None, **more):
    """Stage, outcome and confidence of the latest attempt."""
    device = machine(*facts, **more)
    judge(device, story or capture(device))
    last = device.attempts[-1]
    return str(last.stage), str(last.outcome), last.confidence


def test_how_far_an_attempt_got() -> None:
    assert judged()[0] == "none"
    assert judged(lease(4))[0] == "lease"
    assert judged(lease(4), lookup(6, SCS))[0] == "name"
    assert judged(lookup(6, SCS), hello(8))[0] == "hello"
    assert judged(hello(8), contact(10, "refused"))[0] == "contact back"
    assert judged(contact(10, "refused", setup=False))[0] == "contact back"
    assert judged(hello(8), contact(10, handshake=tls(client_hello=11)))[0] == "handshake"
    data = {"requests": 1, "answers": 1}
    assert judged(hello(8), contact(10, handshake=tls(**data)))[0] == "configuration"
    assert judged(contact(10, handshake=tls(**data)))[0] == "configuration"
    assert judged(contact(10, handshake=tls(**data), setup=False))[0] == "management"
    assert judged(hello(8), contact(10, handshake=tls(**data), setup=False))[0] == "configuration"
    assert judged(hello(8), contact(10, handshake=tls(requests=1)))[0] == "handshake"
    assert judged(contact(10, messages=1, port=16992, setup=False))[0] == "management"
    assert judged(contact(10, messages=1, port=16992))[0] == "configuration"
    assert judged(attempt(hello(8), commit=12))[0] == "commit"


def test_other_ports_are_management_where_the_machine_answers() -> None:
    def stage(*facts) -> str:
        return judged(lease(4), *facts)[0]

    assert stage(contact(10, port=16995, setup=False)) == "management"
    assert stage(contact(10, "refused", port=16995, setup=False)) == "lease"
    assert stage(contact(10, port=16995, setup=False, server=OTHER)) == "lease"
    assert stage(hello(8), contact(10, port=16995, setup=False)) == "hello"


def test_what_a_commit_or_the_lack_of_one_proves() -> None:
    assert judged(attempt(hello(4), commit=8))[1:] == ("committed", 1.0)
    opened = {"messages": 9}
    assert judged(hello(4), setup(session=opened))[1:] == ("failed", 0.9)
    assert judged(hello(4), setup(state="open", session=opened))[1:] == ("incomplete", 0.6)
    assert judged(hello(4), setup(session=opened | {"server_missing": 1}))[1:] == ("unknown", 0.0)


def test_how_an_attempt_without_enough_ends() -> None:
    assert judged(hello(4))[1:] == ("incomplete", 0.6)
    assert judged(lookup(4, SCS))[1:] == ("incomplete", 0.6)
    assert judged(lease(4))[1:] == ("unknown", 0.0)
    assert judged(hello(4), contact(8, "refused"))[1:] == ("failed", 0.9)
    assert judged(hello(4), contact(8, "unanswered"))[1:] == ("failed", 0.9)
    assert judged(hello(4), contact(8))[1:] == ("incomplete", 0.6)
    assert judged(contact(8))[1:] == ("incomplete", 0.6)
    assert judged(contact(8, setup=False))[1:] == ("unknown", 0.0)
    assert judged(contact(7), contact(8, setup=False))[1:] == ("incomplete", 0.6)
    assert judged(hello(4), contact(8, only="client"))[1:] == ("unknown", 0.0)
    assert judged(hello(4), contact(8, "refused"), contact(9))[1:] == ("incomplete", 0.6)  # the latest decides
    assert judged(hello(4), contact(8), contact(9, "refused"))[1:] == ("failed", 0.9)
    assert judged(hello(4), contact(8, handshake=tls(client_hello=9)))[1:] == ("failed", 0.9)
    assert judged(hello(4), contact(8, handshake=tls(client_hello=9, server_ccs=11)))[1:] == ("incomplete", 0.6)
    for port in (16994, 16995):  # no port of setup
        assert judged(hello(4), contact(8, "refused", port=port))[1:] == ("failed", 0.9)
        assert judged(hello(4), contact(8, port=port))[1:] == ("incomplete", 0.6)
    assert judged(called(8, "refused"))[1:] == ("failed", 0.9)
    assert judged(called(8))[1:] == ("unknown", 0.0)


def test_silence_is_no_failure_where_the_capture_would_not_show_an_answer() -> None:
    def outcome(story, **more) -> str:
        return judged(hello(4), contact(8, "unanswered", **more), story=story)[1]

    assert outcome(capture()) == "failed"
    assert outcome(capture(health=ONE_WAY)) == "unknown"
    assert outcome(capture(sides={DESK: -1})) == "unknown"
    assert outcome(capture(sides={SCS: -1})) == "failed"
    assert outcome(capture(), only="client") == "unknown"
    assert outcome(capture(last=9)) == "failed"
    assert outcome(capture(last=8.9)) == "unknown"
    assert outcome(capture(health=GAPS)) == "failed"
    assert judged(hello(4), contact(8, "refused"), story=capture(last=8))[1] == "failed"


def test_a_host_that_may_be_no_machine_has_no_outcome() -> None:
    assert judged(contact(8, "refused"), standing=Standing.IN_VAIN)[1:] == ("unknown", 0.0)


def test_every_attempt_is_judged() -> None:
    device = machine(attempt(hello(4), contact(8, "refused")), attempt(hello(20)))
    judge(device, capture(device))
    assert [str(each.outcome) for each in device.attempts] == ["failed", "incomplete"]


def test_a_machine_that_only_asked_has_an_attempt_of_that_time() -> None:
    device = machine(lease(4), lookup(6, SCS))
    device.attempts = []
    judge(device, capture(device))
    assert [(each.started, each.ended, str(each.stage)) for each in device.attempts] == [(at(6), at(6), "name")]
    device = machine(lease(4))
    device.attempts = []
    judge(device, capture(device))
    assert [(each.started, str(each.stage)) for each in device.attempts] == [(at(4), "lease")]
    device = machine()
    device.attempts = []
    judge(device, capture(device))
    assert device.attempts == []


# -- success inferred from closed TLS ----------------------------------------------------------------------------------


def inferred(*facts, last: float | None = 1000.0):
    """Outcome, confidence, proof of the commit and what speaks for or against it, of the first attempt."""
    device = machine(*facts)
    judge(device, capture(device, last=last))
    first = device.attempts[0]
    return str(first.outcome), first.confidence, first.commit, first.reasons[1:]


ORDERLY = "the last request is as short as a commit, and the connection ends in order"
ODD_END = "but it does not end as a commit does: too few requests, or a long one at the end"


def test_inferred_from_its_pattern_and_the_silence_behind_it() -> None:
    quiet = "no further hello in 980 s"
    assert inferred(hello(4), setup()) == ("committed", 0.8, 21, (ORDERLY, quiet))
    assert inferred(hello(4), setup(), last=140.5)[0] == "committed"
    assert inferred(hello(4), setup(), last=140.4) == ("unknown", 0.65, 0, (ORDERLY,))
    assert inferred(hello(4), setup(), last=None) == ("unknown", 0.65, 0, (ORDERLY,))
    short = ("unknown", 0.35, 0, (ODD_END, quiet))
    assert inferred(hello(4), setup(requests=6)) == short
    assert inferred(hello(4), setup(last_is_least=False)) == short
    alike = "but the answers are all alike, as when login after login is refused"
    assert inferred(hello(4), setup(answer_sizes=2)) == ("unknown", 0.35, 0, (alike, quiet))
    broken = "but the connection does not end in order"
    assert inferred(hello(4), setup(session={"broken_by": "server"})) == ("unknown", 0.35, 0, (broken, quiet))
    assert inferred(hello(4), setup(last_is_least=False), last=30) == ("unknown", 0.2, 0, (ODD_END,))
    said = machine(hello(4), setup())
    judge(said, capture(said))
    assert said.attempts[0].reasons[0] == "7 requests with 2000 bytes to the machine, 6 answers"
    assert inferred(hello(4), setup(20), setup(40), last=1000)[2] == 41  # the latest


def test_inferred_less_where_the_machine_says_hello_again() -> None:
    def again(second: float, retry: int = 0):
        begin = attempt(hello(90, seconds=second, retry_count=retry), started=at(second))
        return inferred(attempt(hello(4), setup()), begin)

    soon = "but another hello follows soon"
    goes_on = "but the next hello goes on counting: the machine still tries"
    assert again(140.5) == ("committed", 0.8, 21, (ORDERLY, "no further hello in 120 s"))
    assert again(140.4) == ("unknown", 0.35, 0, (ORDERLY, soon))
    assert again(300, 1) == ("unknown", 0.5, 0, (ORDERLY, "no further hello in 280 s", goes_on))
    assert again(100, 1) == ("unknown", 0.05, 0, (ORDERLY, soon, goes_on))
    later = attempt(contact(90, setup=False))
    assert inferred(attempt(hello(4), setup()), later)[0] == "committed"
    first = inferred(attempt(setup()), attempt(hello(90, seconds=300, retry_count=3), started=at(300)))
    assert first[:2] == ("committed", 0.8)  # no hello before, so none that it could go on from


def test_inferred_from_another_certificate_in_later_management() -> None:
    def certified(end: float = 50, chain=(b"issued",), **more):
        shown = contact(60, seconds=end, setup=False, handshake=tls(server_chain=chain, server_certificate=63))
        return inferred(hello(4), setup(server_chain=(b"own",), **more), shown)

    proof = "later management shows another, issued certificate"
    quiet = "no further hello in 980 s"
    assert certified() == ("committed", 0.95, 21, (ORDERLY, quiet, proof))
    assert certified(last_is_least=False) == ("committed", 0.8, 21, (ODD_END, quiet, proof))
    assert certified(chain=(b"own",))[:2] == ("committed", 0.8)
    assert certified(chain=())[:2] == ("committed", 0.8)
    assert certified(end=20.5)[:2] == ("committed", 0.8)  # not behind it
    assert certified(end=20.6)[:2] == ("committed", 0.95)
    untold = setup(server_chain=(b"own",), session={"last_ref": 0})
    shown = contact(60, setup=False, handshake=tls(server_chain=(b"issued",), server_certificate=63))
    assert inferred(hello(4), untold, shown)[2] == 63


# -- by a log alone ----------------------------------------------------------------------------------------------------


def line(number: int, *, kind: str = "state", rule: str = "", step: str = "") -> LogEntry:
    return LogEntry(ref=number, time=at(number), recognition=Recognition(kind=kind, rule=rule, step=step))


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([line(1, kind="failure", rule="AMT-LOG-CCB")], ("contact back", "failed", 0.6)),
        ([line(1, kind="failure"), line(2)], ("none", "incomplete", 0.5)),
        ([line(1), line(2, kind="failure")], ("none", "failed", 0.6)),
        ([line(1, rule="AMT-LOG-407"), line(2, rule="AMT-LOG-SCH")], ("configuration", "incomplete", 0.5)),
        ([line(1, step="hello"), line(2, step="TLS handshake")], ("handshake", "incomplete", 0.5)),
        ([line(1, rule="AMT-LOG-TCP", step="commit")], ("contact back", "incomplete", 0.5)),
        ([line(1, step="commit")], ("configuration", "incomplete", 0.5)),
    ],
)
def test_the_latest_line_of_a_log_decides(lines, expected) -> None:
    assert judged(log_entries=lines) == expected
    device = machine(log_entries=lines)
    device.attempts = []
    judge(device, capture(device))
    assert (device.attempts[0].started, device.attempts[0].ended) == (lines[0].time, lines[-1].time)


def test_a_log_counts_only_where_no_packet_does() -> None:
    failure = [line(1, kind="failure", rule="AMT-LOG-CCB")]
    assert judged(attempt(commit=5), log_entries=failure) == ("commit", "committed", 1.0)
    assert judged(hello(4), log_entries=failure) == ("hello", "incomplete", 0.6)
    assert judged(contact(4), log_entries=failure)[:2] == ("contact back", "incomplete")


# -- what is a machine -------------------------------------------------------------------------------------------------


def nobody(*facts, **more):
    return machine(*facts, uuid="", **more)


def test_a_machine_is_what_speaks_of_amt() -> None:
    assert not speaks(nobody())
    for fact in (lookup(4), Commit(ref=4, time=at(4)), contact(4, server_bytes=1), contact(4, handshake=tls()),
                 contact(4, messages=1), called(4, port=4433)):  # fmt: skip
        assert speaks(nobody(fact)), fact
    assert speaks(machine())
    assert speaks(nobody(amt_version="9.0"))
    assert speaks(nobody(log_entries=[line(1)]))
    assert not speaks(nobody(contact(4, client_bytes=9)))
    assert not speaks(nobody(lease(4), contact(4, "refused")))


def test_a_contact_in_vain_counts_where_somebody_insists() -> None:
    def syns(*counts: int, ports=(16993, 16993, 16993), clients=(SCS, SCS, SCS)):
        made = [
            contact(number, "unanswered", syn_count=count, port=port, client=client)
            for number, (count, port, client) in enumerate(zip(counts, ports, clients, strict=False), 1)
        ]
        return persistent(nobody(*made))

    assert syns(3)
    assert syns(2)  # one port alone
    assert not syns(1)
    assert syns(1, 1)
    assert syns(0, 0)  # a connection is at least one SYN
    assert not syns(0)
    assert not syns(2, 2, ports=(16992, 16993))
    assert syns(3, 1, ports=(16992, 16993))
    assert not syns(1, 1, clients=(SCS, OTHER))
    assert not persistent(nobody())


def test_what_lay_on_the_way_of_a_scanner_goes() -> None:
    def kept(*devices, servers: str = ""):
        story = capture(*devices, hello_servers={servers: 1} if servers else {})
        weigh(story)
        return [(device.id, device.suspected) for device in story.devices]

    once, thrice = contact(4, "unanswered", syn_count=1), contact(4, "unanswered", syn_count=3)
    assert kept(nobody(once)) == []
    assert kept(nobody(thrice)) == [(1, True)]
    assert kept(machine(once)) == [(1, False)]
    assert kept(nobody(once), servers=SCS) == [(1, False)]
    assert kept(nobody(once), servers=DESK) == [(1, False)]
    assert kept(nobody(once), servers=THIRD) == []
    assert kept(nobody(once), machine(contact(9, messages=1), id=2)) == [(1, False), (2, False)]
    assert kept(nobody(once), machine(contact(9), id=2)) == [(2, False)]  # nothing was said


def test_a_setup_server_talks_to_a_machine_on_intels_ports() -> None:
    assert setup_servers(capture(machine(contact(4, messages=1)))) == {SCS}
    assert setup_servers(capture(machine(contact(4)))) == set()
    assert setup_servers(capture(machine(contact(4, messages=1, port=664)))) == set()
    assert setup_servers(capture(machine(contact(4)), hello_servers={THIRD: 1})) == {THIRD}


# -- CIRA --------------------------------------------------------------------------------------------------------------


def home(packet: int, code: int = 48, *, server: bool = False, level: int = 2, **more):
    said = alert(packet + 3, code, server=server)
    said.level = level
    return called(packet, port=4433, handshake=tls(alerts=[said]), **more)


def test_a_machine_that_refuses_the_certificate_of_its_presence_server() -> None:
    for code in (42, 43, 44, 45, 46, 48):
        assert refuses_certificate(home(4, code))
    for near in (home(4, 40), home(4, 47), home(4, server=True), home(4, level=1), called(4, port=4433)):
        assert not refuses_certificate(near)
    assert looks_like_amt(machine(home(4), home(8)))
    assert not looks_like_amt(machine(home(4)))
    assert not looks_like_amt(machine(home(4), home(8, client=OTHER)))
    assert [each.number for each in calls_home(machine(home(4), called(6), home(8)))] == [4, 8]
