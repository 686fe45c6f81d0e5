"""Logins, statuses, calls, requests without an answer, wrong protocols and CIRA at their edges."""

import pki_lab as pki
import pytest
from by_hand import (
    DESK,
    ONE_WAY,
    SCS,
    alert,
    asked,
    at,
    called,
    capture,
    contact,
    hello,
    hits,
    machine,
    tls,  # fmt: skip
)

from amtdecode.diagnosis.knowledge import return_advice, status_advice
from amtdecode.diagnosis.rules.calls import FAULT_WORDS
from amtdecode.provisioning.state import Session
from amtdecode.provisioning.state.incidents import (
    CallFault,
    CallRefused,
    Commit,
    CommitUnanswered,
    ErrorStatus,
    Login,
    LoginLoop,
    LoginRefused,
    NegotiateRefused,
    RealmMismatch,
    StaleNonce,
)
from amtdecode.provisioning.state.terms import Standing

OTHER = "192.0.2.80"
LOST = "bytes of the connection that the capture lacks"
ENDS = "the capture ends before the machine answers"


# -- logins and statuses -----------------------------------------------------------------------------------------------


def loop(packet: int, refusals: int = 3, scheme: str = "Digest", **more) -> LoginLoop:
    said = {"target": "/wsman", "user": "admin", "connection": packet} | more
    return LoginLoop(packet, None, scheme=scheme, refusals=refusals, **said)


def refused(packet: int, count: int, scheme: str = "digest", user: str = "admin") -> LoginRefused:
    return LoginRefused(packet, None, count, target="/wsman", user=user, scheme=scheme, connection=packet)


def test_http_002_login_after_login_is_refused() -> None:
    desk = machine(loop(4, 5), loop(9, 7))
    assert asked("AMT-HTTP-002", desk) == [("confirmed", "", [4])]
    (hit,) = hits("AMT-HTTP-002", desk)
    assert hit.proofs == [(4, '5 logins as "admin" (Digest) refused for "/wsman"')]
    assert (hit.values["what"], hit.values["how"], hit.values["count"]) == ("password", "as admin", 5)
    assert asked("AMT-HTTP-002", machine(refused(4, 2), refused(9, 3))) == [("confirmed", "", [9])]
    assert asked("AMT-HTTP-002", machine(refused(4, 2))) == []
    assert asked("AMT-HTTP-002", machine(refused(4, 5), loop(9))) == [("confirmed", "", [9])]
    nameless = hits("AMT-HTTP-002", machine(refused(4, 3, user="")))[0]
    assert (nameless.proofs[0][1], nameless.values["how"]) == ('3 logins (digest) refused for "/wsman"', "as the user")


@pytest.mark.parametrize(("scheme", "what"), [("Negotiate", "Kerberos ticket"), ("kerberos", "Kerberos ticket"),
                                              ("Digest", "password"), ("Basic", "password")])  # fmt: skip
def test_http_002_says_what_was_refused(scheme: str, what: str) -> None:
    values = hits("AMT-HTTP-002", machine(loop(4, scheme=scheme)))[0].values
    assert values["what"] == what
    assert ("SPN" in values["todo"]) == (what != "password")
    assert values["how"] == ("as admin" if what == "password" else "with a Kerberos ticket")


def test_of_other_incidents_of_logins_the_first_is_told() -> None:
    login = Login(4, None, 3, scheme="digest", connection=1), Login(9, None, scheme="", connection=2)
    assert asked("AMT-HTTP-001", machine(*login)) == [("confirmed", "", [4])]
    assert hits("AMT-HTTP-001", machine(*login))[0].proofs == [(4, "401, then success with digest credentials")]
    assert hits("AMT-HTTP-001", machine(*login))[0].values == {"count": 3}
    assert hits("AMT-HTTP-001", machine(login[1]))[0].proofs == [(9, "401, then success with no credentials")]
    stale = StaleNonce(4, None, 2, connection=1), StaleNonce(9, None, connection=2)
    assert asked("AMT-HTTP-003", machine(*stale)) == [("confirmed", "", [4])]
    assert hits("AMT-HTTP-003", machine(*stale))[0].values == {"count": 2}
    realms = [RealmMismatch(at_, None, answered=f"old-{at_}", asked="new", connection=1) for at_ in (4, 9)]
    assert asked("AMT-HTTP-004", machine(*realms)) == [("confirmed", "", [4])]
    assert hits("AMT-HTTP-004", machine(*realms))[0].values == {"answered": "old-4", "asked": "new"}
    fell_back = [NegotiateRefused(at_, None, digest=at_ + 2, connection=1) for at_ in (4, 9)]
    assert asked("AMT-HTTP-005", machine(*fell_back)) == [("confirmed", "", [4, 6])]


def test_http_006_a_status_whose_fault_says_more_is_not_told_twice() -> None:
    first, second = (ErrorStatus(at_, None, request="POST /x", status=500, reason="No", connection=1) for at_ in (4, 9))
    fault = CallFault(4, None, call="A.B", fault="f", wsman=True, connection=1)
    assert asked("AMT-HTTP-006", machine(first, second)) == [("confirmed", "", [4]), ("confirmed", "", [9])]
    assert asked("AMT-HTTP-006", machine(first, second, fault)) == [("confirmed", "", [9])]
    (hit,) = hits("AMT-HTTP-006", machine(first))
    assert (hit.values["status"], hit.values["what"], hit.proofs) == (500, "POST /x: 500 No", [(4, "POST /x: 500 No")])
    assert hit.values["meaning"].startswith("the firmware failed")
    unknown = ErrorStatus(4, None, request="POST /x", status=418, reason="", connection=1)
    assert hits("AMT-HTTP-006", machine(unknown))[0].values["meaning"] == ""


# -- calls -------------------------------------------------------------------------------------------------------------


def call(packet: int, code: int, **more) -> CallRefused:
    said = {"call": "A.B", "result": f"PT_STATUS {code:#x}", "meaning": "", "own_value": False, "connection": 1} | more
    return CallRefused(packet, None, code=code, **said)


def test_each_status_has_one_rule() -> None:
    own = {"AMT-PT-003": [0x3], "AMT-PT-010": [0x10], "AMT-PT-020": [0x20], "AMT-PT-022": [0x22], "AMT-PT-026": [0x26],
           "AMT-PT-02A": [0x2A, 0x2B], "AMT-PT-809": [0x809], "AMT-PT-80C": [0x80C, 0x80D, 0x80E, 0x80F, 0x810],
           "AMT-PT-001": [0x1, 0x2, 0x808, 0x80B, 0x811, 0x9999]}  # fmt: skip
    for rule, codes in own.items():
        for code in codes:
            for said in (code, code + 32768):
                found = [each for each in own if asked(each, machine(call(4, said)))]
                assert found == [rule], hex(said)
    assert asked("AMT-PT-001", machine(call(4, 32768), call(9, 1))) == [
        ("confirmed", "", [4]),
        ("confirmed", *told(1), [9]),
    ]


def told(code: int) -> tuple[str]:
    return (str(status_advice()[code].severity),)


def test_a_status_says_what_is_known_of_it() -> None:
    known = status_advice()[1]
    (hit,) = hits("AMT-PT-001", machine(call(4, 1, meaning="M")))
    assert (hit.severity, hit.values["meaning"], hit.values["advice"]) == (known.severity, known.explanation, known.fix)
    assert (hit.proofs, hit.values["call"], hit.values["status"]) == (
        [(4, "A.B: PT_STATUS 0x1")],
        "A.B",
        "PT_STATUS 0x1",
    )
    (hit,) = hits("AMT-PT-010", machine(call(4, 0x10)))
    assert (hit.severity, hit.values["meaning"]) == (None, status_advice()[0x10].explanation)  # the rule has its own
    (hit,) = hits("AMT-PT-001", machine(call(4, 0x9999, meaning="M")))
    assert (hit.severity, hit.values["meaning"]) == (None, "M")
    (hit,) = hits("AMT-PT-001", machine(call(4, 0x9999)))
    assert hit.values["meaning"] == "The machine did not do it: PT_STATUS 0x9999."
    assert "A.B" in hit.values["advice"]
    assert asked("AMT-PT-001", machine(call(4, 1, granted=9))) == [("confirmed", "info", [4])]


def test_a_value_of_the_methods_own() -> None:
    (name, value), known = next(iter(return_advice().items()))
    own = {"own_value": True, "result": "ReturnValue X"}
    (hit,) = hits("AMT-PT-001", machine(call(4, value, call=name, **own)))
    assert (hit.severity, hit.values["meaning"], hit.values["advice"]) == (known.severity, known.explanation, known.fix)
    assert asked("AMT-PT-001", machine(call(4, 0x10, **own))) == [("confirmed", "high", [4])]
    assert asked("AMT-PT-010", machine(call(4, 0x10, **own))) == []
    assert hits("AMT-PT-001", machine(call(4, 7, meaning="M", **own)))[0].values["meaning"] == "M"
    assert hits("AMT-PT-001", machine(call(4, 7, **own)))[0].values["meaning"].endswith("did not do it: ReturnValue X.")
    assert asked("AMT-PT-001", machine(call(4, 4096, **own))) == []  # a job goes on
    assert asked("AMT-PT-001", machine(call(4, 7, granted=9, **own))) == [("confirmed", "info", [4])]


def test_faults_by_whose_rule_and_what_they_say() -> None:
    def fault(text: str, *, wsman: bool = True, **more) -> CallFault:
        return CallFault(4, None, call="A.B", fault=text, wsman=wsman, connection=1, **more)

    assert asked("AMT-WSM-001", machine(fault("x"))) == [("confirmed", "", [4])]
    assert asked("AMT-WSM-001", machine(fault("x", granted=9))) == [("confirmed", "info", [4])]
    assert asked("AMT-SOAP-001", machine(fault("x"))) == []
    assert asked("AMT-SOAP-001", machine(fault("x", wsman=False))) == [("confirmed", "", [4])]
    assert asked("AMT-WSM-001", machine(fault("x", wsman=False))) == []

    def said(text: str) -> str:
        return hits("AMT-WSM-001", machine(fault(text)))[0].values["meaning"]

    for word, (meaning, _) in FAULT_WORDS.items():
        assert said(f"Sender/wsman:{word}") == meaning
    assert said("Sender: PT_STATUS 0x1 AccessDenied") == status_advice()[1].explanation
    assert said("Sender: PT_STATUS 0x9999 AccessDenied") == FAULT_WORDS["AccessDenied"][0]
    for code in ("Sender/x", "Client: y", "Sender"):
        assert said(code) == "The machine blames the request."
    for code in ("Receiver/Sender", "Server: Client", ""):
        assert said(code) == "The machine blames itself."


# -- requests without an answer ----------------------------------------------------------------------------------------


def silent(packet: int, asked_: int = 3, answered: int = 1, **more) -> Session:
    return contact(packet, more.pop("state", "closed"), port=16992, asked=asked_, answered=answered, **more)


def test_http_007_requests_nobody_answers() -> None:
    def found(*sessions: Session, **more):
        desk = machine(*sessions)
        return asked("AMT-HTTP-007", desk, capture(desk, **more))

    assert found(silent(10)) == [("confirmed", "", [11])]
    assert found(silent(10, 2)) == [("likely", "medium", [11])]  # one may be lost
    assert found(silent(10, 2), silent(20, 2)) == [("confirmed", "", [11, 21])]
    assert found(silent(10, who_closed="client")) == [("likely", "", [11])]
    assert found(silent(10), silent(20, 3, 3)) == [("confirmed", "info", [11])]
    assert found(silent(10, 3, 3), silent(20)) == [("confirmed", "", [21])]
    assert found(*(silent(10 * at_) for at_ in range(1, 6))) == [("confirmed", "", [31, 41, 51])]
    for near in (silent(10, 3, 3), silent(10, 0, 0), contact(10, port=16992), silent(10, 3, 4)):
        assert found(near) == []
    assert found(silent(10), silent(20, 0, 0)) == [("confirmed", "", [11])]
    assert found(silent(10, server_missing=1), silent(20)) == [LOST, ("confirmed", "", [21])]
    assert found(silent(10), health=ONE_WAY) == [LOST]
    assert found(silent(10, state="open", until=10), last=70) == [("confirmed", "", [11])]
    assert found(silent(10, state="open", until=10), last=69.9) == [ENDS]
    assert found(silent(10, state="open"), last=None) == [ENDS]
    assert found(silent(10, until=10), last=11) == [("confirmed", "", [11])]  # it ended


def test_http_007_says_what_stayed_without_an_answer() -> None:
    def proof(**more) -> str:
        desk = machine(silent(10, until=40, **more))
        return hits("AMT-HTTP-007", desk)[0].proofs[0][1].partition(": ")[2]

    assert (
        proof(who_closed="server")
        == "2 requests of 3 without an answer; the machine closes the connection after 30.0 s"
    )
    assert proof(who_closed="client", state="reset").endswith(f"; {SCS} resets the connection after 30.0 s")
    assert proof().endswith("; the connection is closed")
    assert proof(state="open", who_closed="server").endswith("; the machine stays silent after 30.0 s")
    values = hits("AMT-HTTP-007", machine(silent(10)))[0].values
    assert (values["count"], values["who"]) == ("2 requests were", "The machine")
    assert "power" in values["todo"]
    local = hits("AMT-HTTP-007", machine(silent(10, client=DESK)))[0].values
    assert local["who"].startswith("LMS")
    assert "LMS" in local["todo"]


def unanswered(packet: int = 12, connection: int = 10, **more) -> CommitUnanswered:
    return CommitUnanswered(packet, at(packet), call="A.CommitChanges", connection=connection, **more)


def test_ok_005_the_answer_to_the_commit_is_not_there() -> None:
    def found(*facts, **more):
        desk = machine(*facts)
        return asked("AMT-OK-005", desk, capture(desk, **more))

    session = contact(10, answered=1)
    assert found(session, unanswered()) == [("likely", "", [12, 11])]
    assert found(unanswered()) == [("likely", "", [12])]  # its connection was let go
    assert found(session, unanswered(), Commit(20, None, call="C")) == []
    assert found(session, unanswered(), Commit(9, None, call="C")) == [("likely", "", [12, 11])]
    assert found(contact(10, server_missing=1), unanswered()) == [LOST]
    assert found(session, unanswered(), health=ONE_WAY) == [LOST]
    assert found(contact(10, "open"), unanswered(), last=72) == [("likely", "", [12])]
    assert found(contact(10, "open"), unanswered(), last=71.9) == [ENDS]
    assert found(contact(10, "open"), unanswered(), last=None) == [ENDS]
    assert found(session, unanswered(), last=13) == [("likely", "", [12, 11])]
    assert found(session, unanswered(), hello(20)) == [("confirmed", "high", [12, 11, 20])]
    assert found(session, unanswered(), hello(12)) == [("likely", "", [12, 11])]
    assert found(session, unanswered(), contact(30, setup=False, answered=1)) == [("likely", "info", [12, 11, 30])]
    for near in (contact(30, answered=1), contact(30, setup=False), contact(9, setup=False, answered=1)):
        assert found(session, unanswered(), near) == [("likely", "", [12, 11])]
    assert found(contact(5), session, unanswered(3, 5), unanswered()) == [("likely", "", [12, 11])]


def test_ok_005_is_not_told_twice() -> None:
    desk = machine(silent(10), unanswered())
    assert asked("AMT-HTTP-007", desk) == []
    assert asked("AMT-HTTP-007", machine(silent(10), unanswered(connection=99))) == [("confirmed", "", [11])]


# -- another protocol than the port is for -----------------------------------------------------------------------------


def http_to_tls(packet: int, **more) -> Session:
    said = {"asked": 1, "port": 16993} | more
    return contact(packet, said.pop("state", "closed"), **said)


def tls_to_http(packet: int, *alerts, server_hello: int = 0, client_hello: int | None = None, **more) -> Session:
    first = packet + 1 if client_hello is None else client_hello
    shaken = tls(client_hello=first, server_hello=server_hello, alerts=list(alerts))
    return contact(packet, more.pop("state", "closed"), handshake=shaken, **({"port": 16992} | more))


@pytest.mark.parametrize(("wrong", "first", "speaks"), [(http_to_tls, 11, "HTTP"), (tls_to_http, 11, "TLS")])
def test_conn_010_a_client_speaks_another_protocol(wrong, first: int, speaks: str) -> None:
    def found(*sessions: Session, **more):
        desk = machine(*sessions)
        return asked("AMT-CONN-010", desk, capture(desk, **more))

    assert found(wrong(10)) == [("confirmed", "", [first])]
    for state in ("reset", "half-closed"):
        assert found(wrong(10, state=state)) == [("confirmed", "", [first])]
    for state in ("open", "", "refused"):
        assert found(wrong(10, state=state)) == []
    assert found(wrong(10, server_missing=1)) == []
    assert found(wrong(10), health=ONE_WAY) == []
    assert found(wrong(10), wrong(20), wrong(30), wrong(40)) == [("confirmed", "", [21, 31, 41])]
    assert found(wrong(10), wrong(20, client=OTHER)) == [("confirmed", "", [first]), ("confirmed", "", [21])]
    (hit,) = hits("AMT-CONN-010", machine(wrong(10), wrong(20)))
    port = 16993 if speaks == "HTTP" else 16992
    assert (hit.values["speaks"], hit.values["port"], hit.values["client"]) == (speaks, port, SCS)
    assert (hit.values["expected"], hit.values["times"]) == ("TLS" if speaks == "HTTP" else "no TLS", "2 times")
    assert hit.values["other"] == (16992 if speaks == "HTTP" else 16993)


def test_conn_010_what_is_no_wrong_protocol() -> None:
    for near in (
        http_to_tls(10, answered=1),
        http_to_tls(10, asked=0),
        http_to_tls(10, port=16992),
        http_to_tls(10, handshake=tls()),
        tls_to_http(10, server_hello=12),
        tls_to_http(10, client_hello=0),
        tls_to_http(10, alert(12, 40)),
        tls_to_http(10, port=16993),
        contact(10, port=16992),
    ):
        assert asked("AMT-CONN-010", machine(near)) == []
    by_client = tls_to_http(10, alert(12, 40, server=False))
    assert asked("AMT-CONN-010", machine(by_client)) == [("confirmed", "", [11])]


def test_conn_010_a_client_that_finds_the_right_port_later() -> None:
    wrong = tls_to_http(10)
    right = contact(20, handshake=tls(client_hello=21, server_hello=22))
    assert asked("AMT-CONN-010", machine(wrong, right)) == [("confirmed", "info", [11, 20])]
    assert asked("AMT-CONN-010", machine(wrong, contact(20, port=16992, answered=1))) == [
        ("confirmed", "info", [11, 20])
    ]
    assert asked("AMT-CONN-010", machine(wrong, right, contact(30, port=16992, answered=1))) == [
        ("confirmed", "info", [11, 20])
    ]
    for near in (
        contact(20),
        contact(20, handshake=tls(client_hello=21)),
        contact(20, client=OTHER, answered=1),
        contact(9, answered=1),
    ):
        assert asked("AMT-CONN-010", machine(wrong, near)) == [("confirmed", "", [11])]


# -- CIRA --------------------------------------------------------------------------------------------------------------


def calls_home(packet: int, *alerts, **more) -> Session:
    shaken = tls(client_hello=packet + 1, alerts=list(alerts), **more)
    return called(packet, port=4433, handshake=shaken)


def no(packet: int, code: int = 48, *, server: bool = False):
    return alert(packet, code, server=server, phase="then")


def test_cira_001_amt_refuses_the_certificate_of_its_server() -> None:
    for code in (42, 43, 44, 45, 46, 48):
        assert asked("AMT-CIRA-001", machine(calls_home(10, no(12, code)))) == [("confirmed", "", [10, 12])]
    for near in (calls_home(10, no(12, 40)), calls_home(10, no(12, server=True)), calls_home(10), called(10)):
        assert asked("AMT-CIRA-001", machine(near)) == []
    mild = no(12)
    mild.level = 1
    assert asked("AMT-CIRA-001", machine(calls_home(10, mild))) == []
    assert asked("AMT-CIRA-001", machine(calls_home(10, no(11, 40), mild, no(13, 45)))) == [("confirmed", "", [10, 13])]
    for code, cause, advice in ((45, "it has run out", "Renew"), (48, "its root is not", "Store the root")):
        values = hits("AMT-CIRA-001", machine(calls_home(10, no(12, code))))[0].values
        assert (values["cause"].startswith(cause), values["advice"].startswith(advice)) == (True, True)
    two = machine(calls_home(10, no(12)), calls_home(20, no(22)), calls_home(30))
    assert asked("AMT-CIRA-001", two) == [("confirmed", "", [20, 22])]
    assert "2 times in vain" in hits("AMT-CIRA-001", two)[0].proofs[0][1]
    assert asked("AMT-CIRA-001", machine(calls_home(10, no(12)), standing=Standing.CALLS_HOME)) == [
        ("possible", "", [10, 12])
    ]
    through = calls_home(20, client_ccs=23, server_ccs=24)
    assert asked("AMT-CIRA-001", machine(calls_home(10, no(12)), through)) == [("confirmed", "info", [10, 12, 20])]
    assert asked("AMT-CIRA-001", machine(through, calls_home(30, no(32)))) == [("confirmed", "", [30, 32])]


def test_cira_001_says_what_the_certificates_show() -> None:
    now = pki.AT.timestamp()

    def texts(*chain: pki.Authority, days: float = 0, server: str = SCS) -> list[str]:
        shaken = tls(client_hello=11, server_certificate=12, server_chain=tuple(each.der for each in chain),
                     alerts=[no(13)])  # fmt: skip
        session = called(10, seconds=now + days * 86400, port=4433, server=server, handshake=shaken)
        return [text for packet, text in hits("AMT-CIRA-001", machine(session))[0].proofs if packet == 12]

    sound = pki.leaf(), pki.middle(), pki.root()
    shows = "the MPS shows O=Example, CN=scs.example.com, issued by O=Example, CN=Example Issuing, 3 certificates"
    name = f'it is for "scs.example.com"; AMT calls {SCS} (and may know it by a name)'
    assert texts(*sound) == [shows, name]
    assert texts(*sound, server="scs.example.com") == [shows]
    assert texts(*sound[:2])[1] == "the chain ends before its root: AMT must hold O=Example, CN=Example Root"
    assert texts(*sound, days=201)[1].startswith("O=Example, CN=scs.example.com ran out on 2008-05-2")
    assert texts(*sound, days=-201)[1].startswith("O=Example, CN=scs.example.com is valid only from 2007-04-1")
    for days in (-200, -199, 199, 200):  # both dates belong to the time it is valid (RFC 5280 section 4.1.2.5)
        assert texts(*sound, days=days) == [shows, name]
    wrong = pki.leaf(purposes=(pki.CLIENT_AUTH,))
    assert texts(wrong, *sound[1:])[-1].startswith("its purposes do not include server authentication: ")
    assert texts(pki.leaf(purposes=None), *sound[1:]) == [shows, name]
