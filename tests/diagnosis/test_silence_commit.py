"""AMT-OK-* and AMT-UNP-* at their edges."""

import pytest
from by_hand import GAPS, asked, at, attempt, capture, contact, hello, hits, machine, tls

from amtdecode.provisioning.state import LogEntry, Outcome, Recognition
from amtdecode.provisioning.state.incidents import (
    CallFault,
    CallRefused,
    Commit,
    ErrorStatus,
    FullUnprovision,
    Login,
    LoginLoop,
    PartialUnprovision,
    SetupStep,
)

OPENED = "the calls themselves: the traffic is encrypted and no key opens it"
FIRST = contact(10, messages=8)


def step(packet: int, connection: int = 10) -> SetupStep:
    return SetupStep(ref=packet, time=at(packet), call=f"Call{packet}", step="clock", connection=connection)


def commit(packet: int, connection: int = 10) -> Commit:
    return Commit(ref=packet, time=at(packet), call="CommitChanges", connection=connection)


# -- 003 ---------------------------------------------------------------------------------------------------------------


def test_003_steps_and_no_commit() -> None:
    desk = machine(hello(4), FIRST, step(12), step(14))
    assert asked("AMT-OK-003", desk) == [("confirmed", "", [12, 14])]
    assert hits("AMT-OK-003", desk)[0].values == {"count": 2, "last": "Call14"}
    assert asked("AMT-OK-003", desk, capture(desk, health=GAPS)) == [("likely", "", [12, 14])]
    assert asked("AMT-OK-003", machine(FIRST, step(12))) == [("confirmed", "", [12])]
    assert asked("AMT-OK-003", machine(hello(4), FIRST, step(12), commit(16))) == []
    assert asked("AMT-OK-003", machine(attempt(hello(4), FIRST, commit=16), step(12))) == []
    managed = contact(10, messages=8, setup=False)
    assert asked("AMT-OK-003", machine(managed, step(12))) == []  # later management needs no commit
    assert asked("AMT-OK-003", machine(hello(4), managed, step(12))) == [("confirmed", "", [12])]
    lost = contact(10, messages=8, server_missing=1)
    assert asked("AMT-OK-003", machine(lost, step(12))) == ["bytes of the connection that the capture lacks"]
    half = contact(10, messages=8, only="client")
    only = "the other direction of the traffic: this capture has only one"
    assert asked("AMT-OK-003", machine(half, step(12))) == [only]
    other = contact(20, messages=8, server_missing=1)
    assert asked("AMT-OK-003", machine(FIRST, other, step(12))) == [("confirmed", "", [12])]


@pytest.mark.parametrize("state", ["", "open"])
def test_003_while_the_machine_is_being_configured(state: str) -> None:
    desk = machine(contact(10, state, messages=8), step(12), step(14))
    under_way = ["the capture ends while the machine is being configured"]
    assert asked("AMT-OK-003", desk, capture(desk, last=73.9)) == under_way
    assert asked("AMT-OK-003", desk, capture(desk, last=None)) == under_way
    assert asked("AMT-OK-003", desk, capture(desk, last=74)) == [("confirmed", "", [12, 14])]
    closed = machine(FIRST, step(12))
    assert asked("AMT-OK-003", closed, capture(closed, last=12)) == [("confirmed", "", [12])]


def test_003_what_no_key_opens_is_not_judged() -> None:
    done = {"client_ccs": 11, "server_ccs": 12}
    assert asked("AMT-OK-003", machine(contact(10, handshake=tls(**done)))) == [OPENED]
    assert asked("AMT-OK-003", machine(contact(10, handshake=tls(**done)), commit(20))) == []
    for near in (
        contact(10, handshake=tls(**done), setup=False),
        contact(10, handshake=tls(client_ccs=11)),
        contact(10),
        contact(10, handshake=tls(**done), messages=1),
    ):
        assert asked("AMT-OK-003", machine(near)) == []


def refusals(connection: int = 10, granted: int = 0):
    call = {"call": "Commit", "connection": connection}
    return {
        "code": CallRefused(
            ref=13, time=at(13), result="1", meaning="", code=1, own_value=False, granted=granted, **call
        ),
        "fault": CallFault(ref=13, time=at(13), fault="denied", wsman=True, granted=granted, **call),
        "status": ErrorStatus(ref=13, time=at(13), request="POST", status=500, reason="", connection=connection),
        "login": LoginLoop(
            ref=13, time=at(13), target="/", user="", scheme="Digest", refusals=3, connection=connection
        ),
    }


@pytest.mark.parametrize("kind", ["code", "fault", "status", "login"])
def test_003_is_silent_where_a_refusal_says_why(kind: str) -> None:
    assert asked("AMT-OK-003", machine(FIRST, step(12), refusals()[kind])) == []
    elsewhere = refusals(connection=99)[kind]
    assert asked("AMT-OK-003", machine(FIRST, step(12), elsewhere)) == [("confirmed", "", [12])]
    earlier = machine(attempt(contact(5, messages=1)), attempt(FIRST), step(12), refusals(connection=5)[kind])
    assert asked("AMT-OK-003", earlier) == [("confirmed", "", [12])]
    same = machine(attempt(contact(5, messages=1), FIRST), step(12), refusals(connection=5)[kind])
    assert asked("AMT-OK-003", same) == []
    let_go = machine(step(12, connection=77), attempt(contact(5)), refusals(connection=77)[kind])
    assert asked("AMT-OK-003", let_go) == []


def test_003_what_was_granted_later_says_nothing() -> None:
    for kind in ("code", "fault"):
        assert asked("AMT-OK-003", machine(FIRST, step(12), refusals(granted=15)[kind])) == [("confirmed", "", [12])]
    loop = refusals()["login"]
    for ref, connection, found in ((14, 10, [("confirmed", "", [12])]), (13, 10, []), (14, 11, [])):
        login = Login(ref=ref, time=at(ref), scheme="Digest", connection=connection)
        assert asked("AMT-OK-003", machine(FIRST, step(12), loop, login)) == found
    for code, own, found in ((4096, True, [("confirmed", "", [12])]), (4096, False, []), (4097, True, [])):
        job = CallRefused(ref=13, time=at(13), call="C", result="", meaning="", code=code, own_value=own, connection=10)
        assert asked("AMT-OK-003", machine(FIRST, step(12), job)) == found


# -- 001, 002, 004 -----------------------------------------------------------------------------------------------------


def test_001_the_first_commit() -> None:
    assert asked("AMT-OK-001", machine(commit(16), commit(30))) == [("confirmed", "", [16])]
    assert hits("AMT-OK-001", machine(commit(16)))[0].proofs == [(16, "CommitChanges succeeds")]
    logged = Commit(ref=3, time=at(3), line="Setup succeeded")
    assert hits("AMT-OK-001", machine(logged))[0].proofs == [(3, "Setup succeeded")]
    assert asked("AMT-OK-001", machine(FIRST)) == []


def test_002_success_that_is_inferred() -> None:
    big = contact(10, handshake=tls(requests=5, answers=5, client_bytes=2000), last_ref=15)
    reasons = ("many requests", "silence")

    def found(confidence: float, outcome: Outcome, *more, commit: int = 0, sessions=None):
        made = attempt(
            *(sessions or (big, contact(20))), outcome=outcome, confidence=confidence, reasons=reasons, commit=commit
        )
        return asked("AMT-OK-002", machine(made, *more))

    assert found(0.8, Outcome.COMMITTED, commit=18) == [("likely", "", [18, 18])]
    assert found(0.5, Outcome.UNKNOWN) == [("possible", "", [15, 15])]
    assert found(0.49, Outcome.UNKNOWN) == []
    assert found(1.0, Outcome.COMMITTED) == []
    assert found(0.5, Outcome.UNKNOWN, commit(30)) == []
    assert found(0.5, Outcome.UNKNOWN, sessions=(contact(20),)) == [("possible", "", [0, 0])]
    twice = found(0.6, Outcome.UNKNOWN, attempt(big, confidence=0.1, reasons=reasons))
    assert twice == [("possible", "", [15, 15])]
    done = attempt(big, outcome=Outcome.COMMITTED, confidence=0.8, reasons=reasons)
    assert hits("AMT-OK-002", machine(done))[0].values == {
        "how": "probably",
        "confidence": "80%",
        "reasons": "many requests; silence",
    }


def failed(*facts, **more):
    return attempt(*facts, outcome=Outcome.FAILED, **more)


def test_004_quotes_how_an_attempt_ended() -> None:
    def what(session) -> str:
        return hits("AMT-OK-004", machine(failed(session)))[0].proofs[0][1].partition(": ")[2]

    assert asked("AMT-OK-004", machine(failed(contact(4), contact(8, "refused")))) == [("confirmed", "", [9])]
    assert asked("AMT-OK-004", machine(failed(contact(4), contact(8, "")))) == [("confirmed", "", [5])]
    assert asked("AMT-OK-004", machine(failed(contact(4, last_ref=0)))) == [("confirmed", "", [4])]
    assert asked("AMT-OK-004", machine(attempt(contact(4), outcome=Outcome.INCOMPLETE))) == []
    assert asked("AMT-OK-004", machine(failed())) == []
    assert what(contact(4, "refused")) == "RST answers the SYN"
    assert what(contact(4, "half-closed")) == "one side closes it"
    assert what(contact(4, "odd")) == "odd"
    shaken = contact(4, handshake=tls(client_hello=5), who_closed="server")
    assert what(shaken) == "AMT closes the connection without an alert"


def test_004_a_later_success_makes_up_for_it() -> None:
    done = attempt(contact(20), outcome=Outcome.COMMITTED)
    assert asked("AMT-OK-004", machine(failed(contact(4)), done)) == [("confirmed", "info", [5])]
    assert asked("AMT-OK-004", machine(done, failed(contact(40)))) == [("confirmed", "", [41])]
    two = machine(failed(contact(4)), failed(contact(8)))
    assert asked("AMT-OK-004", two) == [("confirmed", "", [5]), ("confirmed", "", [9])]


def test_004_quotes_a_log_where_there_is_no_connection() -> None:
    lines = [
        LogEntry(ref=ref, time=None, recognition=Recognition(kind=kind), text=f"line {ref}")
        for ref, kind in ((3, "failure"), (5, "failure"), (7, "state"))
    ]
    assert hits("AMT-OK-004", machine(failed(), log_entries=lines))[0].proofs == [(5, 'the log says "line 5"')]
    assert asked("AMT-OK-004", machine(failed(), log_entries=lines[2:])) == []
    assert asked("AMT-OK-004", machine(failed(contact(4)), log_entries=lines)) == [("confirmed", "", [5])]


def test_004_is_silent_about_a_host_on_the_way_of_a_search() -> None:
    def searched(count: int):
        desk = machine(failed(contact(4, "refused")), uuid="")
        others = [machine(contact(9, "refused"), id=number, uuid="") for number in range(2, count + 1)]
        return asked("AMT-OK-004", desk, capture(desk, *others))

    assert searched(16) == []
    assert searched(15) == [("confirmed", "", [5])]
    both = machine(failed(contact(4, "refused"), contact(6, "refused", client="192.0.2.99")), uuid="")
    others = [machine(contact(9, "refused"), id=number, uuid="") for number in range(2, 30)]
    assert asked("AMT-OK-004", both, capture(both, *others)) == [("confirmed", "", [7])]


# -- unprovision -------------------------------------------------------------------------------------------------------

ROOT, OWN = (1, b"a", "root"), (1, b"b", "own")


def full(packet: int = 20) -> FullUnprovision:
    return FullUnprovision(ref=packet, time=at(packet), call="Unprovision")


def partial(packet: int = 20) -> PartialUnprovision:
    return PartialUnprovision(ref=packet, time=at(packet), line="Partial unprovision")


def test_unp_002_hashes_that_vanished() -> None:
    both, one = (ROOT, OWN), (ROOT,)
    lost = machine(hello(4, hashes=both), full(), hello(30, hashes=one), hello(40))
    assert asked("AMT-UNP-002", lost) == [("confirmed", "medium", [20, 30])]
    assert hits("AMT-UNP-002", lost)[0].proofs[1][1] == "next hello: 1 hash"
    for before, after in ((one, one), (one, both)):
        kept = machine(hello(4, hashes=before), full(), hello(30, hashes=after))
        assert asked("AMT-UNP-002", kept) == [("confirmed", "", [20, 30])]
    assert asked("AMT-UNP-002", machine(full(), hello(30))) == [("confirmed", "", [20, 30])]
    assert asked("AMT-UNP-002", machine(hello(4), full())) == [("confirmed", "", [20])]
    assert asked("AMT-UNP-002", machine(hello(20, hashes=both), full())) == [("confirmed", "", [20])]
    latest = machine(hello(4, hashes=both), hello(5, hashes=one), full(), hello(30, hashes=one))
    assert asked("AMT-UNP-002", latest) == [("confirmed", "", [20, 30])]
    assert asked("AMT-UNP-002", machine(full(20), full(25))) == [("confirmed", "", [20])]
    part = machine(hello(4, hashes=both), partial(), hello(30, hashes=one))
    assert asked("AMT-UNP-001", part) == [("confirmed", "", [20, 30])]
    psk = machine(partial(), hello(30, version=2))
    assert hits("AMT-UNP-001", psk)[0].proofs == [(20, "Partial unprovision"), (30, "next hello: PID 0000037M")]


def test_unp_says_what_becomes_of_the_suffix() -> None:
    def words(version: str) -> tuple[str, str]:
        values = hits("AMT-UNP-002", machine(full(), amt_version=version))[0].values
        return values["suffix"].split()[2], values["too"]

    assert words("11.8.50") == ("erases", ", suffix")
    assert words("12.0.0") == ("keeps", "")
    assert words("")[1] == ", and the suffix before AMT 12.0"


def test_unp_003_refused_meanwhile() -> None:
    def line(ref: int, anchor: str = "scs-137") -> LogEntry:
        return LogEntry(ref=ref, time=None, recognition=Recognition(anchor=anchor), text="Error 137")

    assert asked("AMT-UNP-003", machine(full(20), log_entries=[line(10), line(30), line(40)])) == [
        ("likely", "", [20, 30, 40])
    ]
    assert asked("AMT-UNP-003", machine(partial(15), full(20), log_entries=[line(18)])) == [("likely", "", [15, 18])]
    (hit,) = hits("AMT-UNP-003", machine(full(20), log_entries=[line(30)]))
    assert hit.proofs == [(20, "Unprovision"), (30, "Error 137")]
    assert hits("AMT-UNP-003", machine(partial(20), log_entries=[line(30)]))[0].proofs[0][1] == "Partial unprovision"
    for near in (line(10), line(20), line(30, "scs-138")):
        assert asked("AMT-UNP-003", machine(full(20), log_entries=[near])) == []
    assert asked("AMT-UNP-003", machine(log_entries=[line(30)])) == []
