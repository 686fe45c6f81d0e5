"""What TLS, HTTP and calls add to the story of a machine, message by message."""

from typing import Any

import pytest
from by_hand import DESK, SCS, at, put

from amtdecode.model import Direction, Endpoint, Event, FlowKey, Observation
from amtdecode.protocols.http.auth import Challenge
from amtdecode.protocols.http.events import AuthenticationLoop, HttpRequest, HttpResponse
from amtdecode.protocols.soap.events import Call
from amtdecode.protocols.tls import events, hellos
from amtdecode.protocols.tls import messages as tls_messages
from amtdecode.provisioning.fold import calls, http, tls
from amtdecode.provisioning.machines import Machines
from amtdecode.provisioning.state import Device, Handshake, Session
from amtdecode.provisioning.state.incidents import (
    AdminEntry,
    CallFault,
    CallRefused,
    ClearDigest,
    ClearManagement,
    ClearSecret,
    Commit,
    CommitUnanswered,
    ErrorStatus,
    FullUnprovision,
    Incident,
    KerberosLogin,
    Login,
    LoginLoop,
    LoginRefused,
    NegotiateRefused,
    PartialUnprovision,
    RealmMismatch,
    SetupStep,
    StaleNonce,
)


class Talk:
    """Connections of the server to the machine, one event after the other."""

    def __init__(self, port: int = 16992, client: str = SCS) -> None:
        self.machines, self.port, self.client = Machines(), port, client

    def say(self, take, event: Event, packet: int, *, number: int = 5, port: int = 0) -> None:
        key = FlowKey("tcp", number, Endpoint(self.client, 40000), Endpoint(DESK, port or self.port))
        put(take, self.machines, event, packet, key=key)

    @property
    def device(self) -> Device:
        (device,) = self.machines.present()
        return device

    @property
    def session(self) -> Session:
        return self.device.sessions[0]

    @property
    def handshake(self) -> Handshake:
        assert self.session.handshake is not None
        return self.session.handshake

    def found(self, kind: type[Incident], *names: str) -> list[tuple[Any, ...]]:
        """Packet, count and some attributes of the incidents of a kind."""
        if not self.machines.devices:
            return []
        found = self.device.incidents_of(kind)
        assert all(each.time == at(each.ref) or kind is NegotiateRefused for each in found)
        return [(each.ref, each.count, *(getattr(each, name) for name in names)) for each in found]


# -- TLS ---------------------------------------------------------------------------------------------------------------


def test_the_messages_of_a_handshake() -> None:
    talk = Talk(16993)
    suites = bytes.fromhex("002f008c") * 40
    talk.say(tls.take_client_hello, hellos.ClientHello(0, 0x0301, 0x0303, suites=suites), 2)
    talk.say(tls.take_server_hello, hellos.ServerHello(0, 0x0301, 0x0302, suite=0x8C), 3)
    talk.say(tls.take_certificate, tls_messages.Certificate(0, "server", (b"amt", b"root")), 4)
    talk.say(tls.take_certificate_request, tls_messages.CertificateRequest(0), 5)
    talk.say(tls.take_certificate, tls_messages.Certificate(0, "client", (b"scs", b"root")), 6)
    talk.say(tls.take_client_key_exchange, tls_messages.ClientKeyExchange(0, "RSA"), 7)
    talk.say(tls.take_certificate_verify, tls_messages.CertificateVerify(0, "client"), 8)
    talk.say(tls.take_change_cipher_spec, events.ChangeCipherSpec("client"), 9)
    talk.say(tls.take_change_cipher_spec, events.ChangeCipherSpec("server"), 10)
    seen = talk.handshake
    assert (seen.client_hello, seen.offered_version, seen.offered_suites[:2]) == (2, 0x0303, (0x2F, 0x8C))
    assert len(seen.offered_suites) == tls.MAX_SUITES
    assert (seen.server_hello, seen.version, seen.suite, seen.suite_name) == (
        3, 0x0302, 0x8C, "TLS_PSK_WITH_AES_128_CBC_SHA",
    )  # fmt: skip
    assert (seen.server_certificate, seen.server_chain, seen.request) == (4, (b"amt", b"root"), 5)
    assert (seen.client_certificate, seen.client_chain, seen.key_exchange) == (6, (b"scs", b"root"), 7)
    assert (seen.verify, seen.client_ccs, seen.server_ccs, seen.heard) == (8, 9, 10, at(10))
    assert talk.machines.story.seen == {"tls", "certificate"}
    talk.say(tls.take_certificate_verify, tls_messages.CertificateVerify(0, "server"), 11)  # TLS 1.3
    assert seen.verify == 8
    talk.say(tls.take_server_hello, hellos.ServerHello(0, 0x0301, 0x0302), 12)
    assert (seen.suite, seen.suite_name) == (-1, "")


def test_long_chains_are_not_kept_whole() -> None:
    talk = Talk(16993)

    def kept(*chain: bytes) -> tuple[bytes, ...]:
        talk.say(tls.take_certificate, tls_messages.Certificate(0, "client", chain), 2)
        return talk.handshake.client_chain

    assert kept(*[b"x"] * 11) == (b"x",) * tls.MAX_CHAIN
    half = tls.MAX_CHAIN_BYTES // 2
    assert kept(bytes(half), bytes(half)) == (bytes(half), bytes(half))
    assert kept(bytes(half), bytes(half + 1)) == (bytes(half),)
    assert kept(bytes(2 * half)) == (bytes(2 * half),)
    assert kept(bytes(2 * half), b"x") == (bytes(2 * half),)
    assert kept(bytes(2 * half + 1)) == ()
    assert kept() == ()


def test_the_identity_of_a_pre_shared_key() -> None:
    talk = Talk(16993)
    talk.say(tls.take_client_key_exchange, tls_messages.ClientKeyExchange(0, "PSK", b"0000037M"), 2)
    assert talk.handshake.psk_identity == "0000037M"
    talk.say(tls.take_client_key_exchange, tls_messages.ClientKeyExchange(0, "PSK", b"\xff" + b"x" * 99), 3)
    assert talk.handshake.psk_identity == r"\xff" + "x" * 63
    talk.say(tls.take_client_key_exchange, tls_messages.ClientKeyExchange(0, "RSA"), 4)
    assert (talk.handshake.psk_identity[-1], talk.handshake.key_exchange) == ("x", 4)


def test_alerts() -> None:
    talk = Talk(16993)

    def say(packet: int, level: int, code: int, sender: str = "server", after: str = "client Certificate") -> None:
        talk.say(tls.take_alert, events.Alert(level, code, sender, "AMT", "in the handshake", after), packet)

    say(2, 2, 48)
    say(3, 1, 0, "client", "")
    say(4, 3, 106)  # no level of an alert
    talk.say(tls.take_encrypted_alert, events.EncryptedAlert(32, "server", "AMT", "later", ""), 5)
    say(6, 2, 51)
    say(7, 2, 20)
    assert [(each.ref, each.from_server, each.level, each.code) for each in talk.handshake.alerts] == [
        (2, True, 2, 48), (3, False, 1, 0), (5, True, -1, -1), (6, True, 2, 51),
    ]  # fmt: skip
    assert [each.phase for each in talk.handshake.alerts[:3]] == [
        "in the handshake, after client Certificate", "in the handshake", "later",
    ]  # fmt: skip


def test_how_much_was_said() -> None:
    talk = Talk(16993)

    def say(packet: int, sender: str, *turns: int, opened: int = 0) -> None:
        event = events.ApplicationData(sender, len(turns), sum(turns) + 1, opened, turns)
        talk.say(tls.take_application_data, event, packet)

    say(9, "client", 400, 500, 700, 600)
    seen = talk.handshake
    assert (seen.requests, seen.client_bytes, seen.answers, seen.last_is_least) == (4, 2201, 0, True)
    say(8, "server", 300, 300, 200)
    assert (seen.answers, seen.server_bytes, seen.answer_sizes, seen.requests) == (3, 801, 2, 4)
    assert (seen.last_data, seen.opened) == (9, False)
    say(10, "client", 500, opened=1)
    assert (seen.requests, seen.last_is_least, seen.opened, seen.last_data) == (5, False, True, 10)
    for turns, least in (((1, 1, 3, 3), True), ((1, 1, 3, 4), False), ((1, 1), False), ((9, 9, 1), True)):
        say(11, "client", *turns)
        assert seen.last_is_least is least


def test_a_handshake_whose_messages_were_hidden() -> None:
    talk = Talk(16993)

    def say(packet: int, outcome: str) -> None:
        talk.say(tls.take_handshake, events.TlsHandshake("hidden", outcome, ()), packet)

    say(2, "refused (fatal alert)")
    assert talk.machines.devices == []
    talk.say(tls.take_change_cipher_spec, events.ChangeCipherSpec("client"), 3)
    say(4, "complete")
    assert (talk.handshake.client_ccs, talk.handshake.server_ccs, talk.handshake.complete) == (3, 4, True)


def test_a_finished_that_stays_closed() -> None:
    talk = Talk(16993)
    key = FlowKey("tcp", 5, Endpoint(SCS, 40000), Endpoint(DESK, 16993))

    def say(packet: int, inferred: str, direction: Direction) -> None:
        event = events.EncryptedHandshake(40, "server", inferred)
        observation = Observation(event, packet, (packet,), at(packet), "a.pcap", key, direction)
        tls.take_encrypted_handshake(talk.machines, observation, event)

    say(2, "", Direction.TO_CLIENT)
    assert talk.machines.devices == []
    say(3, "Finished", Direction.TO_CLIENT)
    say(4, "Finished", Direction.TO_SERVER)
    assert (talk.handshake.server_finished, talk.handshake.client_finished) == (3, 4)


# -- HTTP --------------------------------------------------------------------------------------------------------------


def ask(talk: Talk, packet: int, scheme: str = "", *, realm: str = "", user: str = "admin", token: str = "", **more):
    parameters = {"username": user} | ({"realm": realm} if realm else {})
    given = Challenge(scheme, {} if token else parameters, token) if scheme else None
    talk.say(http.take_request, HttpRequest("POST", "/wsman", "HTTP/1.1", (), 0, credentials=given), packet, **more)


def say(talk: Talk, packet: int, status: int, *headers: tuple[str, str], target: str = "/wsman", **more) -> None:
    event = HttpResponse(status, "Reason", "HTTP/1.1", headers, 0, method="POST", target=target)
    talk.say(http.take_response, event, packet, **more)


WANTS = ("WWW-Authenticate", 'Digest realm="Digest:A3"')
STALE = ("WWW-Authenticate", 'Digest realm="Digest:A3", stale="TRUE"')


def test_messages_are_counted() -> None:
    talk = Talk()
    ask(talk, 2)
    say(talk, 3, 100)
    say(talk, 4, 200, ("Server", "Intel(R) Active Management Technology 9.1.2"))
    assert (talk.session.messages, talk.session.asked, talk.session.answered) == (3, 1, 1)
    assert (talk.device.amt_version, talk.device.version_ref) == ("9.1.2", 4)
    say(talk, 5, 200, ("Server", "Intel(R) Active Management Technology 9.9.9"))
    assert (talk.device.amt_version, talk.device.version_ref) == ("9.1.2", 4)
    assert talk.machines.story.seen == {"http"}
    say(talk, 6, 199)
    assert talk.session.answered == 2


def test_a_login_after_a_challenge() -> None:
    talk = Talk()
    ask(talk, 2)
    say(talk, 3, 401, WANTS)
    ask(talk, 4, "Digest", realm="Digest:A3")
    say(talk, 4, 300)
    assert talk.found(Login) == []
    say(talk, 5, 200)
    say(talk, 6, 200)
    assert talk.found(Login, "scheme", "connection") == [(5, 1, "digest", 5)]
    assert talk.found(LoginRefused) == []
    unasked = Talk()
    ask(unasked, 2, "Digest")
    say(unasked, 3, 200)
    assert unasked.found(Login) == []


def test_logins_that_are_refused() -> None:
    talk = Talk()
    ask(talk, 2)
    say(talk, 3, 401, WANTS)
    for packet in (4, 6):
        ask(talk, packet, "Digest")
        say(talk, packet + 1, 401, WANTS)
    assert talk.found(LoginRefused, "target", "user", "scheme") == [(5, 2, "/wsman", "admin", "digest")]
    ask(talk, 8, "Digest")
    say(talk, 9, 401, STALE)  # only the nonce was too old
    assert (talk.found(StaleNonce), talk.found(LoginRefused)[0][1]) == ([(9, 1)], 2)
    say(talk, 10, 500)
    assert talk.found(LoginRefused)[0][:2] == (5, 2)
    say(talk, 11, 200)
    assert talk.found(LoginRefused) == []


def test_credentials_for_another_realm() -> None:
    talk = Talk()
    ask(talk, 2, "Digest", realm="old")
    assert talk.found(RealmMismatch) == []  # nothing was asked for yet
    say(talk, 3, 401, WANTS)
    ask(talk, 4, "Digest", realm='"Digest:A3"')
    ask(talk, 5, "Digest")
    assert talk.found(RealmMismatch) == []
    ask(talk, 6, "Digest", realm="old")
    assert talk.found(RealmMismatch, "answered", "asked") == [(6, 1, "old", "Digest:A3")]


@pytest.mark.parametrize(("port", "client", "clear"), [(16992, SCS, 1), (16993, SCS, 0), (16992, DESK, 0)])
def test_logins_in_the_clear(port: int, client: str, clear: int) -> None:
    talk = Talk(port, client)
    ask(talk, 2, "Basic", token="YWRtaW46eA==")
    ask(talk, 3, "Digest", user="admin")
    assert talk.found(ClearSecret, "what") == [(2, 1, "Basic login as admin")] * clear
    assert talk.found(ClearDigest, "user") == [(3, 1, "admin")] * clear


def test_kerberos_and_then_digest() -> None:
    talk = Talk()
    ask(talk, 2, "Negotiate", token="x")
    assert talk.found(KerberosLogin, "scheme") == [(2, 1, "negotiate")]
    say(talk, 3, 401, WANTS)
    say(talk, 4, 200)
    assert talk.found(NegotiateRefused) == []  # by another scheme
    ask(talk, 5, "Digest")
    say(talk, 6, 200)
    say(talk, 7, 200)
    assert talk.found(NegotiateRefused, "digest") == [(3, 1, 6)]
    plain = Talk()
    ask(plain, 2, "Digest")
    say(plain, 3, 200)
    assert plain.found(NegotiateRefused) == []


def test_statuses_that_say_that_something_is_wrong() -> None:
    for status in (400, 403, 404, 500, 501, 503):
        talk = Talk()
        say(talk, 2, status)
        assert talk.found(ErrorStatus, "text") == [(2, 1, f"POST /wsman: {status} Reason")]
    for status in (200, 302, 401, 405, 502):
        talk = Talk()
        say(talk, 2, status)
        assert talk.found(ErrorStatus) == []


def test_a_login_loop_is_counted_between_its_statements() -> None:
    talk = Talk()
    loop = AuthenticationLoop("/wsman", 3, "Digest", "admin")
    ask(talk, 2, "Digest")
    talk.say(http.take_login_loop, loop, 3)
    assert talk.found(LoginLoop, "target", "user", "scheme", "refusals") == [(3, 1, "/wsman", "admin", "Digest", 3)]
    say(talk, 4, 401, WANTS)
    say(talk, 5, 401, STALE)
    say(talk, 6, 401, WANTS, target="/other")
    assert talk.found(LoginLoop, "refusals") == [(3, 1, 4)]
    talk.say(http.take_login_loop, AuthenticationLoop("/wsman", 6, "Digest", "admin"), 7)
    assert talk.found(LoginLoop, "refusals") == [(3, 1, 6)]
    say(talk, 8, 200)  # the row ends
    ask(talk, 9, "Digest")
    say(talk, 10, 401, WANTS)
    assert talk.found(LoginLoop, "refusals") == [(3, 1, 6)]
    talk.say(http.take_login_loop, AuthenticationLoop("/wsman", 3, "Digest", "root"), 11)
    assert talk.found(LoginLoop, "user", "refusals") == [(3, 1, "admin", 6), (11, 1, "root", 3)]


# -- calls -------------------------------------------------------------------------------------------------------------


def call(talk: Talk, packet: int, step: str = "", **more) -> None:
    said = {
        "kind": "wsman",
        "service": "wsman",
        "class_name": "AMT_SetupAndConfigurationService",
        "method": step or "GetUuid",
        "arguments": (),
        "answer": (),
        "result": 0,
        "result_text": "OK",
        "result_name": "",
        "meaning": "",
        "http_status": 200,
        "step": step,
        "missing": "",
    } | more
    port = said.pop("port", 0)
    talk.say(calls.take_call, Call(**said), packet, port=port)


LABEL = "AMT_SetupAndConfigurationService.{}"


def test_calls_without_tls() -> None:
    talk = Talk()
    call(talk, 2)
    call(talk, 3, missing="response", http_status=0)
    assert talk.found(ClearManagement, "client", "port") == [(2, 1, SCS, 16992)]
    assert talk.machines.story.seen == {"soap"}
    silent = Talk()
    call(silent, 2, missing="response", http_status=0)
    call(silent, 3, kind="http")
    assert silent.found(ClearManagement) == []
    closed = Talk(16993)
    call(closed, 2)
    assert closed.found(ClearManagement) == []


def test_a_secret_in_the_clear() -> None:
    for method, path, secret in (
        ("SetAdminAclEntry", "Password", 1),
        ("SetAdminAclEntry", "DigestPassword", 1),
        ("SetAdminAclEntry", "Username", 0),
        ("GetUuid", "Password", 0),
    ):
        talk = Talk()
        call(talk, 2, method=method, arguments=((path, "x"),))
        assert talk.found(ClearSecret, "what") == [(2, 1, f"{LABEL.format(method)} with a secret")] * secret
        closed = Talk(16993)
        call(closed, 2, method=method, arguments=((path, "x"),))
        assert closed.found(ClearSecret) == []


def test_the_call_that_ends_setup() -> None:
    talk = Talk(16993)
    call(talk, 2, "Certificate")
    call(talk, 3, "CommitChanges")
    call(talk, 4, "CommitChanges")
    (attempt,) = talk.device.attempts
    assert (attempt.commit, attempt.ended) == (3, at(4))
    assert talk.found(Commit, "call") == [(3, 2, LABEL.format("CommitChanges"))]
    assert talk.found(SetupStep, "step") == [(2, 1, "Certificate")]
    for step in ("Setup", "AdminSetup"):
        talk = Talk(16993)
        call(talk, 2, step)
        assert len(talk.found(Commit)) == 1
        unread = Talk(16993)
        call(unread, 2, step, result=None)
        assert (unread.found(Commit), len(unread.found(SetupStep))) == ([], 1)
    refused = Talk(16993)
    call(refused, 2, "CommitChanges", result=1, result_text="ReturnValue 1", result_name="INTERNAL_ERROR")
    assert (refused.found(Commit), refused.device.attempts[0].commit) == ([], 0)


def test_the_answer_to_the_commit_is_not_there() -> None:
    for step, expected in (("CommitChanges", 1), ("Setup", 1), ("AdminSetup", 1), ("ACL", 0)):
        talk = Talk(16993)
        call(talk, 2, step, missing="response", http_status=0, result=None)
        assert talk.found(CommitUnanswered, "call") == [(2, 1, LABEL.format(step))] * expected
        assert (talk.found(Commit), talk.found(SetupStep)) == ([], [])


def test_calls_that_take_the_setup_back() -> None:
    talk = Talk(16993)
    call(talk, 2, "Unprovision")
    assert (len(talk.found(FullUnprovision)), talk.found(PartialUnprovision)) == (1, [])
    talk = Talk(16993)
    call(talk, 2, "Unprovision (partial)")
    assert (talk.found(FullUnprovision), len(talk.found(PartialUnprovision))) == ([], 1)


def test_entries_that_may_do_everything() -> None:
    for step, arguments, expected in (
        ("ACL", (("Realms/Realm", "3"),), 1),
        ("ACL", (("Realms/Realm", "5"),), 0),
        ("ACL", (("Other", "3"),), 0),
        ("SetAdminAclEntry", (), 1),
        ("Certificate", (("Realms/Realm", "3"),), 0),
    ):
        talk = Talk(16993)
        call(talk, 2, step, arguments=arguments)
        assert len(talk.found(AdminEntry)) == expected
        assert len(talk.found(SetupStep)) == 1


def test_calls_refused_and_granted_later() -> None:
    talk = Talk(16993)
    call(talk, 2, "ACL", result=1, result_text="ReturnValue 1", result_name="PT_STATUS_INTERNAL", meaning="Why")
    call(talk, 3, "Time", result=2, result_text="PT_STATUS 0x2", result_name="X")
    names = "call", "result", "meaning", "code", "own_value", "granted"
    assert talk.found(CallRefused, *names) == [
        (2, 1, LABEL.format("ACL"), "ReturnValue 1", "Why", 1, True, 0),
        (3, 1, LABEL.format("Time"), "PT_STATUS 0x2", "", 2, False, 0),
    ]
    call(talk, 4, "ACL")
    call(talk, 5, "ACL")
    assert [each[-1] for each in talk.found(CallRefused, "granted")] == [4, 0]
    call(talk, 6, "Time", result=9, result_text="ReturnValue 9", http_status=400)
    assert len(talk.found(CallRefused)) == 2  # the status is an incident of its own
    call(talk, 7, "Time", result=9, result_text="ReturnValue 9")
    assert talk.found(CallRefused, "own_value")[-1] == (7, 1, False)


def test_calls_answered_by_a_fault() -> None:
    talk = Talk(16993)
    fault = {"faulted": True, "result": None, "result_text": "fault wsman:AccessDenied", "http_status": 400}
    call(talk, 2, "ACL", **fault)
    call(talk, 3, "Time", **(fault | {"kind": "eoi", "service": "S", "class_name": ""}))
    found = talk.found(CallFault, "fault", "wsman", "granted")
    assert found == [(2, 1, "wsman:AccessDenied", True, 0), (3, 1, "wsman:AccessDenied", False, 0)]
    assert talk.found(SetupStep) == []
    call(talk, 4, "ACL")
    assert [each[-1] for each in talk.found(CallFault, "granted")] == [4, 0]
