"""AMT-RCFG-018 to 040 at their edges: who broke a handshake off, with what, and where it stood."""

import pki_lab
import pytest
from by_hand import alert, asked, attempt, contact, hello, hits, machine, tls

from amtdecode.diagnosis.handshakes import alert_meaning, alert_name, established_for_nothing, reached, stopped
from amtdecode.diagnosis.knowledge import alerts
from amtdecode.provisioning.state import LogEntry, Outcome, Recognition, Session

SETUP = (b"no certificate",)  # of a chain only its presence counts here


@pytest.fixture(scope="module")
def own() -> bytes:
    """What AMT makes for itself: self-signed."""
    return pki_lab.machine_certificate().der


@pytest.fixture(scope="module")
def issued() -> bytes:
    return pki_lab.leaf().der


def shaken(packet: int, *alerts, session: dict | None = None, **more) -> Session:
    """A handshake with certificates, up to the client's, that ends after `alerts` or without a word of AMT."""
    said = {
        "client_hello": packet + 1,
        "server_hello": packet + 2,
        "server_certificate": packet + 2,
        "request": packet + 2,
        "client_certificate": packet + 3,
        "key_exchange": packet + 3,
        "verify": packet + 3,
    } | more
    kept = {"who_closed": "server", "last_ref": packet + 5} | (session or {})
    return contact(packet, kept.pop("state", "closed"), handshake=tls(alerts=list(alerts), **said), **kept)


def packets(rule: str, *facts, **more) -> list:
    """(verdict, the first two packets cited) of each answer."""
    return [
        each if isinstance(each, str) else (each[0], each[2][:2])
        for each in asked(rule, machine(hello(2), *facts), **more)
    ]


def said(rule: str, *facts) -> dict:
    return hits(rule, machine(hello(2), *facts))[0].values


# -- handshakes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seen", "step"),
    [
        ({"client_hello": 1}, "hello"),
        ({"server_hello": 2}, "server hello"),
        ({"server_hello": 2, "server_certificate": 2}, "amt certificate"),
        ({"server_certificate": 2, "key_exchange": 3}, "key exchange"),
        ({"key_exchange": 3, "client_certificate": 3, "client_chain": SETUP}, "sca certificate"),
        ({"key_exchange": 3, "client_certificate": 3}, "key exchange"),
        ({"client_certificate": 3, "client_chain": SETUP, "verify": 4}, "verify"),
        ({"verify": 4, "client_ccs": 5}, "finished"),
    ],
)
def test_the_last_step_that_was_seen(seen, step) -> None:
    assert reached(tls(**seen)) == step


def test_where_a_handshake_stopped() -> None:
    stop = stopped(shaken(10, alert(14, 48, phase="after the certificate")))
    assert stop is not None
    assert stop[:4] == (True, 48, True, 14)
    assert stop.text == "AMT sends alert 48 unknown_ca, after the certificate"
    stop = stopped(shaken(10, alert(14, -1, server=False, phase="later")))
    assert stop is not None
    assert (stop.by_amt, stop.code, stop.text) == (False, -1, "the server sends an encrypted alert, later")
    for who, words in (("server", "AMT"), ("client", "the server"), ("", "somebody")):
        stop = stopped(shaken(10, session={"who_closed": who}))
        assert stop is not None
        assert stop[:4] == (who == "server", -1, False, 15)
        assert stop.text == f"{words} closes the connection without an alert"
    stop = stopped(shaken(10, session={"broken_by": "server"}))
    assert stop is not None
    assert "AMT resets" in stop.text


def test_a_fatal_alert_counts_before_a_warning() -> None:
    warning = alert(13, 90)
    warning.level = 1
    stop = stopped(shaken(10, warning, alert(14, 48)))
    assert stop is not None
    assert (stop.code, stop.ref) == (48, 14)
    stop = stopped(shaken(10, warning))
    assert stop is not None
    assert (stop.code, stop.ref) == (90, 13)


def test_what_is_no_stop() -> None:
    assert stopped(contact(4)) is None
    assert stopped(contact(4, handshake=tls())) is None
    assert stopped(contact(4, handshake=tls(alerts=[alert(5, 40)]))) is not None  # its hello was not captured
    assert stopped(shaken(10, alert(14, 48), complete=True)) is None
    assert stopped(shaken(10, alert(14, 48), requests=1, answers=1)) is None
    assert stopped(shaken(10, alert(14, 48), requests=1)) is not None
    for state in ("open", "", "refused"):
        assert stopped(shaken(10, session={"state": state})) is None
    for lost in ({"only": "client"}, {"server_missing": 1}, {"client_missing": 1}):
        assert stopped(shaken(10, session=lost)) is None
    for state in ("reset", "half-closed"):
        assert stopped(shaken(10, session={"state": state})) is not None


def test_tls_13_refuses_the_client_behind_its_finished() -> None:
    late = {"complete": True, "version": 0x0304}
    assert stopped(shaken(10, alert(14, 48), **late)) is not None
    assert stopped(shaken(10, alert(14, 48), complete=True, version=0x0303)) is None
    assert stopped(shaken(10, alert(14, 48, server=False), **late)) is None
    assert stopped(shaken(10, alert(14, 48), answers=1, **late)) is None
    assert stopped(shaken(10, alert(14, 48), requests=1, **late)) is not None
    warning = alert(14, 48)
    warning.level = 1
    assert stopped(shaken(10, warning, **late)) is None


def test_established_and_next_to_nothing_said() -> None:
    done = {"client_ccs": 14, "server_ccs": 15}
    assert established_for_nothing(shaken(10, **done))
    assert established_for_nothing(shaken(10, requests=2, answers=2))
    assert not established_for_nothing(shaken(10, requests=3, answers=2))
    assert not established_for_nothing(shaken(10, requests=2, answers=3))
    assert not established_for_nothing(shaken(10))
    assert not established_for_nothing(shaken(10, client_ccs=14))
    assert not established_for_nothing(contact(10))
    for near in ({"messages": 1}, {"only": "client"}, {"state": "open"}):
        assert not established_for_nothing(shaken(10, session=near, **done))


# -- alerts ------------------------------------------------------------------------------------------------------------

OF_AMT = {42: "027", 43: "028", 44: "029", 45: "030", 46: "031", 48: "032", 49: "033"}


@pytest.mark.parametrize(("code", "rule"), OF_AMT.items())
def test_each_alert_of_amt_has_its_rule(code: int, rule: str) -> None:
    name = f"AMT-RCFG-{rule}"
    refused = shaken(10, alert(14, code))
    assert packets(name, refused) == [("confirmed", [10, 14])]
    assert said(name, refused)["alert"].startswith(f"{code} ")
    assert said(name, refused)["failing"] == "Every check that can be made here passes."
    assert packets(name, shaken(10, alert(14, code, server=False))) == []
    assert packets(name, shaken(10, alert(14, 47))) == []
    assert packets(name, refused, shaken(20, alert(24, 47))) == []  # the latest decides
    assert packets(name, shaken(10, alert(14, 47)), shaken(20, alert(24, code))) == [("confirmed", [20, 24])]
    assert packets("AMT-RCFG-040", refused) == []


@pytest.mark.parametrize("code", [42, 46, 48])
def test_034_the_server_refuses_amt(code: int, own: bytes) -> None:
    refused = shaken(10, alert(14, code, server=False), server_chain=(own,))
    assert packets("AMT-RCFG-034", refused) == [("confirmed", [12, 14])]
    (hit,) = hits("AMT-RCFG-034", machine(hello(2), refused))
    assert hit.proofs[0][1].startswith("AMT presents ")
    assert packets("AMT-RCFG-034", shaken(10, alert(14, code, server=False))) == [("confirmed", [14])]
    assert packets("AMT-RCFG-034", shaken(10, alert(14, code))) == []
    assert packets("AMT-RCFG-034", shaken(10, alert(14, 45, server=False))) == []


def test_035_nothing_in_common() -> None:
    refused = shaken(10, alert(14, 40))
    assert packets("AMT-RCFG-035", refused) == [("confirmed", [10, 14])]
    assert said("AMT-RCFG-035", refused) == {"who": "AMT", "why": "no client certificate"}
    other = "the other side's certificate or key exchange"
    assert said("AMT-RCFG-035", shaken(10, alert(14, 40), request=0))["why"] == other
    assert said("AMT-RCFG-035", shaken(10, alert(14, 40), client_chain=(pki_lab.leaf().der,)))["why"] == other
    early = said("AMT-RCFG-035", shaken(10, alert(14, 40, server=False), server_hello=0))
    assert early == {"who": "the server", "why": "no cipher suite in common"}
    assert packets("AMT-RCFG-035", shaken(10, alert(14, 41))) == []


def test_038_a_refusal_without_a_word() -> None:
    chain = {"client_chain": (pki_lab.leaf().der,)}
    assert packets("AMT-RCFG-038", shaken(10, **chain)) == [("confirmed", [10, 15])]
    assert packets("AMT-RCFG-038", shaken(10, alert(14, -1), **chain)) == [("confirmed", [10, 14])]
    assert packets("AMT-RCFG-038", shaken(10, alert(14, 0), **chain)) == []
    assert packets("AMT-RCFG-038", shaken(10)) == []
    assert packets("AMT-RCFG-038", shaken(10, session={"who_closed": "client"}, **chain)) == []


def test_037_busy() -> None:
    for code in (80, 90, 0):
        assert packets("AMT-RCFG-037", shaken(10, alert(14, code))) == [("confirmed", [10, 14])]
        assert packets("AMT-RCFG-040", shaken(10, alert(14, code))) == []
        assert packets("AMT-RCFG-040", shaken(10, alert(14, code, server=False))) == []
    assert said("AMT-RCFG-037", shaken(10, alert(14, 80, server=False)))["who"] == "the server"
    assert packets("AMT-RCFG-037", shaken(10, alert(14, 81))) == []
    nothing = {"client_certificate": 0, "key_exchange": 0, "verify": 0}
    before = {"request": 0, "server_certificate": 0} | nothing
    for early in (nothing, before, {"server_hello": 0} | before):
        assert packets("AMT-RCFG-037", shaken(10, **early)) == [("likely", [10, 15])]
        assert packets("AMT-RCFG-037", shaken(10, alert(14, -1), **early)) == []
    assert packets("AMT-RCFG-037", shaken(10)) == []  # the client's secret was at stake
    assert packets("AMT-RCFG-037", shaken(10, verify=0)) == []


def test_037_says_how_long_nobody_spoke() -> None:
    early = {"client_certificate": 0, "key_exchange": 0, "verify": 0}

    def silence(heard: int | None, until: float = 40) -> str:
        return said("AMT-RCFG-037", shaken(10, heard=heard, session={"until": until}, **early))["silence"]

    assert silence(12 * 10**9) == " after 28.0 s of silence"
    assert silence(None) == ""
    assert silence(40 * 10**9) == ""
    assert silence(39_000_000_000) == " after 1.0 s of silence"
    assert silence(39_000_000_001) == ""
    unknown = shaken(10, heard=5, **early)
    unknown.last_time = None
    assert said("AMT-RCFG-037", unknown)["silence"] == ""


def test_040_any_other_alert() -> None:
    for code in (10, 47, 70, 120, 255):
        assert packets("AMT-RCFG-040", shaken(10, alert(14, code))) == [("confirmed", [10, 14])]
        assert packets("AMT-RCFG-040", shaken(10, alert(14, code, server=False))) == [("confirmed", [10, 14])]
    for code in (40, 42, 46, 48, 115):
        assert packets("AMT-RCFG-040", shaken(10, alert(14, code, server=False))) == []
        assert packets("AMT-RCFG-040", shaken(10, alert(14, code))) == []
    for code in (43, 44, 45, 49, 51):  # what these mean of the server has no rule of its own
        assert packets("AMT-RCFG-040", shaken(10, alert(14, code, server=False))) == [("confirmed", [10, 14])]
        assert packets("AMT-RCFG-040", shaken(10, alert(14, code))) == []
    assert packets("AMT-RCFG-040", shaken(10, alert(14, -1))) == []
    assert packets("AMT-RCFG-040", shaken(10)) == []
    values = said("AMT-RCFG-040", shaken(10, alert(14, 255)))
    assert (values["alert"], values["who"], values["meaning"]) == ("255 alert 255", "AMT", "It is in no table.")
    assert said("AMT-RCFG-040", shaken(10, alert(14, 47, server=False)))["who"] == "the server"


# -- what came of it ---------------------------------------------------------------------------------------------------


def test_039_nothing_follows() -> None:
    done = {"client_ccs": 14, "server_ccs": 15}
    assert packets("AMT-RCFG-039", shaken(10, **done)) == [("confirmed", [10, 15])]
    assert said("AMT-RCFG-039", shaken(10, requests=1, **done)) == {"said": "1 request"}
    assert packets("AMT-RCFG-039", shaken(10, **done), shaken(20, requests=9, answers=9)) == []
    assert packets("AMT-RCFG-039", shaken(10, requests=9, answers=9), shaken(20, **done)) == [("confirmed", [20, 25])]
    later = shaken(20, session={"setup": False}, psk_identity="0000037M", **done)
    assert packets("AMT-RCFG-039", later) == [("possible", [20, 25])]


def test_021_amt_asks_for_no_certificate(own: bytes) -> None:
    bare = shaken(10, request=0, server_chain=(own,))
    assert packets("AMT-RCFG-021", bare) == [("confirmed", [2, 12])]
    assert packets("AMT-RCFG-021", shaken(6, server_chain=(own,)), bare) == [("confirmed", [2, 12])]
    for near in ({"request": 12}, {"key_exchange": 0}, {"server_chain": ()}):
        assert packets("AMT-RCFG-021", shaken(10, **({"request": 0, "server_chain": (own,)} | near))) == []
    assert asked("AMT-RCFG-021", machine(hello(2, version=2), bare)) == []


def test_022_the_certificate_of_amt_is_issued(own: bytes, issued: bytes) -> None:
    chain = {"server_chain": (issued,)}
    assert packets("AMT-RCFG-022", shaken(6, server_chain=(own,)), shaken(10, **chain)) == [("possible", [12, 12])]
    assert packets("AMT-RCFG-022", shaken(10, server_chain=(own,))) == []
    assert packets("AMT-RCFG-022", shaken(10, psk_identity="A", **chain)) == []

    def version(text: str) -> list:
        return [each[0] for each in asked("AMT-RCFG-022", machine(shaken(10, **chain), amt_version=text))]

    assert version("14.0.0") == ["likely"]
    assert version("15.0.0") == []
    assert version("16.1") == []


def test_023_what_cannot_be_read(own: bytes) -> None:
    refused = shaken(10, alert(14, 43, server=False), server_chain=(own[:-40],))
    assert packets("AMT-RCFG-023", refused) == [("confirmed", [12, 14])]
    assert packets("AMT-RCFG-023", shaken(10, alert(14, 43, server=False), server_chain=(own,))) == []
    assert packets("AMT-RCFG-023", shaken(10, alert(14, 43), server_chain=(own[:-40],))) == []
    assert packets("AMT-RCFG-023", shaken(10, complete=True, server_chain=(own[:-40],))) == []
    lines = [
        LogEntry(ref=number, time=None, recognition=Recognition(code=code), text="line")
        for number, code in ((30, "0x80090304"), (31, "0x80090308"), (32, "0x80090308"))
    ]
    assert asked("AMT-RCFG-023", machine(log_entries=lines)) == [("likely", "", [31])]
    assert asked("AMT-RCFG-023", machine(log_entries=lines[:1])) == []


def test_018_an_empty_list() -> None:
    assert packets("AMT-RCFG-018", shaken(10)) == [("confirmed", [12, 13])]
    assert packets("AMT-RCFG-018", shaken(10), shaken(20)) == [("confirmed", [12, 13])]
    full = shaken(10, client_chain=(pki_lab.leaf().der,))
    assert packets("AMT-RCFG-018", full) == []
    assert packets("AMT-RCFG-018", full, shaken(20)) == [("confirmed", [22, 23])]
    for near in ({"request": 0}, {"client_certificate": 0}):
        assert packets("AMT-RCFG-018", shaken(10, **near)) == []


def test_019_no_proof_of_the_key() -> None:
    chain = {"client_chain": (pki_lab.leaf().der,), "verify": 0}
    unproved = shaken(10, alert(14, 40), **chain)
    assert asked("AMT-RCFG-019", machine(hello(2), unproved)) == [("confirmed", "", [13, 13, 14])]
    for near in ({"verify": 13}, {"client_chain": ()}, {"key_exchange": 0}):
        assert packets("AMT-RCFG-019", shaken(10, alert(14, 40), **(chain | near))) == []
    assert packets("AMT-RCFG-019", shaken(10, complete=True, **chain)) == []


def test_036_the_key_is_another() -> None:
    chain = {"client_chain": (pki_lab.leaf().der,)}
    assert packets("AMT-RCFG-036", shaken(10, alert(14, 51), **chain)) == [("confirmed", [10, 14])]
    assert packets("AMT-RCFG-036", shaken(10, alert(14, 51))) == [("likely", [10, 14])]  # its chain was not captured
    earlier = shaken(10, alert(14, 42), **chain)
    assert packets("AMT-RCFG-036", earlier, shaken(20, alert(24, 51))) == [("likely", [20, 24])]
    assert packets("AMT-RCFG-036", shaken(10, alert(14, 51, server=False))) == []
    assert packets("AMT-RCFG-036", shaken(10, alert(14, 50))) == []


# -- which connections are of setup ------------------------------------------------------------------------------------


def test_a_connection_of_setup_is_told_from_later_management(own: bytes, issued: bytes) -> None:
    def counts(**more) -> bool:
        kept = {"setup": False} | more.pop("session", {})
        desk = machine(shaken(10, alert(14, 48), session=kept, **more))
        return bool(asked("AMT-RCFG-032", desk))

    assert counts(session={"setup": True})
    assert not counts(session={"setup": True, "port": 16995})
    assert counts(client_chain=(issued,))  # marked for setup
    unmarked = pki_lab.leaf("scs.example.com", purposes=()).der
    assert not counts(client_chain=(unmarked,))
    assert counts(client_chain=(unmarked,), server_chain=(own,))
    assert not counts(client_chain=(unmarked,), server_chain=(issued,))
    assert counts(server_chain=(own,))  # it answers AMT's request with an empty list
    assert not counts(server_chain=(issued,))
    assert not counts(server_chain=(own,), request=0)
    assert not counts(server_chain=(own,), client_certificate=0)


def test_what_follows_a_commit_is_management(issued: bytes) -> None:
    later = shaken(20, alert(24, 48), session={"setup": False}, client_chain=(issued,))
    done = attempt(hello(2), later, outcome=Outcome.COMMITTED)
    assert asked("AMT-RCFG-032", machine(done)) == []
    unheard = attempt(later, outcome=Outcome.COMMITTED)
    assert len(asked("AMT-RCFG-032", machine(unheard))) == 1
    assert len(asked("AMT-RCFG-032", machine(attempt(hello(2), later, outcome=Outcome.FAILED)))) == 1


def test_a_handshake_that_showed_neither_is_of_the_method_of_the_machine() -> None:
    early = {"server_certificate": 0, "client_certificate": 0, "key_exchange": 0, "verify": 0, "request": 0}
    bare = shaken(10, alert(14, 40), **early)
    assert len(asked("AMT-RCFG-035", machine(hello(2), bare))) == 1
    assert asked("AMT-PSK-004", machine(hello(2), bare)) == []
    assert asked("AMT-RCFG-035", machine(hello(2, version=2), bare)) == []
    assert len(asked("AMT-PSK-004", machine(hello(2, version=2), bare))) == 1
    shown = shaken(10, alert(14, 40), **(early | {"server_chain": (b"x",)}))
    assert len(asked("AMT-RCFG-035", machine(hello(2, version=2), shown))) == 1


def test_what_an_alert_means_depends_on_who_sends_it() -> None:
    known = alerts()[48]
    assert known.from_amt != known.from_sca
    assert alert_meaning(48, from_amt=True) == known.from_amt
    assert alert_meaning(48, from_amt=False) == known.from_sca
    assert alert_name(48) == "unknown_ca"
    assert (alert_name(254), alert_meaning(254, from_amt=True)) == ("alert 254", "It is in no table.")
