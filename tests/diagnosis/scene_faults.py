"""What goes wrong in the scenes made by chance: each fault once, with the rules that name it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import pki_lab as pki
from diagnosis_lab import Lab, lease_options, moved
from test_application import login

from pcaps import messages, tls
from pcaps.build import TO_CLIENT, TO_SERVER, datagram
from pcaps.make import ADMINISTRATION, DOMAIN, SECURITY

if TYPE_CHECKING:
    from collections.abc import Callable

    from pcaps.scene import Machine

STEPS = ("lease", "name", "hello", "contact", "handshake", "calls")
PSK, PKI = "psk", "pki"
BOTH = (PSK, PKI)
Talk = tuple[tuple[bytes, bytes], ...]
NEW_ADDRESS = "192.0.2.88"


class Play:
    """A provisioning run while it is played: the packets so far, and what the seed chose."""

    def __init__(self, lab: Lab, machine: Machine, method: str, version: str, tls_version: int) -> None:
        self.lab, self.machine, self.method, self.version, self.tls_version = lab, machine, method, version, tls_version
        self.rng, self.net = lab.rng, lab.network
        self.retry = 0
        self.pid, self.option_15 = messages.PID, DOMAIN.encode()
        self.listed = True
        self.ipv6 = ":" in machine.host.ip

    # -- the sound steps ----------------------------------------------------------------------------------------------

    def lease(self) -> None:
        if not self.ipv6:
            self.lab.dhcp(self.machine, options=lease_options(self.option_15))
            self.lab.wait(1)

    def name(self) -> None:
        self.lab.found(self.machine, self.net.scs.ip)

    def hello(self) -> None:
        self.lab.greet(self.machine, self.hello_message(), server=self.net.scs)
        self.lab.wait(3)

    def hello_message(self) -> bytes:
        uuid, retry = self.machine.uuid, self.retry
        self.retry += 1
        if self.method == PSK:
            return messages.hello_psk(uuid, self.pid, retry=retry)
        own = (pki.root().digest(),) if self.listed else ()
        return messages.hello_pki(uuid, (*messages.ROOTS_SHA256[:4], *own), retry=retry)

    def talk(self, steps: list[tuple[int, bytes]], end: str = "close", by: int = TO_SERVER, port: int = 16993) -> None:
        """A connection of the setup server to the machine."""
        self.lab.talk(self.net.scs, self.machine.host, port, steps, end, by)

    def calls(self, calls: Talk, end: str = "close", by: int = TO_SERVER) -> None:
        """A whole handshake, and calls inside; an answer without bytes never comes."""
        if self.method == PKI:
            self.talk(sealed_by_openssl(calls, self.tls_version == tls.TLS10), end, by)
            return
        secure = tls.PskConnection(
            self.rng, self.pid.replace("-", "").encode(), messages.PSK, hint=None, version=self.tls_version
        )
        flights = (secure.client_hello, secure.server_flight, secure.client_flight, secure.server_finish)
        steps = [(number % 2, flight()) for number, flight in enumerate(flights)]
        for asked, answered in calls:
            steps.append((TO_SERVER, secure.data(TO_SERVER, asked)))
            if answered:
                steps.append((TO_CLIENT, secure.data(TO_CLIENT, answered)))
        if end == "close" and by == TO_SERVER:
            steps.append((TO_SERVER, secure.close_notify(TO_SERVER)))
        self.talk(steps, end, by)

    def sound(self, step: str) -> None:
        """One step as it should be; the handshake is part of its calls."""
        if step in ("lease", "name", "hello"):
            getattr(self, step)()
        elif step == "calls":
            self.calls(setup(self.version))

    # -- what faults are made of --------------------------------------------------------------------------------------

    def psk(self, stop: int, alert: int | None, pid: str = "0000037M", end: str = "close") -> None:
        """A PSK handshake that stops."""
        level = None if alert is None else (2, alert)
        self.lab.psk(self.machine, stop=stop, alert=level, pid=pid, end=end, server=self.net.scs)

    def presented(self, kind: str, alert: int | None, end: str = "close") -> None:
        """The server shows a chain, and the machine refuses it with an alert or without a word."""
        steps = list(flights_of(kind))
        if alert is not None:
            steps.append((TO_CLIENT, pki.alert(alert)))
        self.talk(steps, end, TO_CLIENT)


# -- calls and chains, made once --------------------------------------------------------------------------------------

REALM, NONCE = "Digest:84910000000000000000000000000000", messages.nonce(1)
SETTINGS = (
    (SECURITY, "GetCoreVersion", ""),
    (ADMINISTRATION, "SetHostName", "<HostName>desk-30</HostName>"),
    (ADMINISTRATION, "SetDomainName", f"<DomainName>{DOMAIN}</DomainName>"),
    (SECURITY, "SetTlsServerAuthentication", "<Enabled>true</Enabled>"),
    (SECURITY, "SetAdminAclEntry", "<Username>admin</Username><Password>Example-1</Password>"),
    (SECURITY, "SetMEBxPassword", "<Password>Example-2</Password>"),
)
COMMIT = (SECURITY, "CommitChanges", "")


@cache
def call(service: str, method: str, arguments: str, version: str, status: int = 0) -> tuple[bytes, bytes]:
    proof = messages.digest(REALM, NONCE, f"/{service}Service", 1)
    asked = messages.eoi_request(service, method, arguments, proof, "desk-30.example.com")
    return asked, messages.eoi_response(service, method, f"<Status>{status}</Status>", version)


@cache
def setup(version: str, *, commit: bool = True) -> Talk:
    """The calls of a setup, the first of them unauthorised as the protocol wants it."""
    first = messages.eoi_request(*SETTINGS[0], "", "desk-30.example.com")
    calls = [call(*each, version) for each in (*SETTINGS, *((COMMIT,) if commit else ()))]
    return ((first, messages.unauthorized(REALM, NONCE, version)), *calls)


@cache
def sealed_by_openssl(calls: Talk, split: bool) -> list[tuple[int, bytes]]:
    return pki.shake([pki.leaf(), pki.middle(), pki.root()], calls=calls or ((b"", b""),), split=split)


@cache
def flights_of(kind: str) -> list[tuple[int, bytes]]:
    """Up to the setup server's certificate, of one kind of chain."""
    marks = (pki.SERVER_AUTH, pki.CLIENT_AUTH)
    leaf, middle, root = pki.leaf, pki.middle(), pki.root()
    chains: dict[str, Callable[[], list[pki.Authority]]] = {
        "sound": lambda: [leaf(), middle, root],
        "unmarked": lambda: [leaf(purposes=marks), middle, root],
        "expired": lambda: [leaf(end=pki.AT - pki.DAY), middle, root],
        "not yet valid": lambda: [leaf(start=pki.AT + 5 * pki.DAY), middle, root],
        "gap": lambda: [leaf(), root],
        "order": lambda: [leaf(), root, middle],
        "no root": lambda: [leaf(), middle],
        "none": list,
        "forged": lambda: [leaf(signer=pki.key(9)), middle, root],
    }
    return pki.until_client(pki.shake(chains[kind]()))


# -- the faults -------------------------------------------------------------------------------------------------------


class Fault(NamedTuple):
    """`at` this step, `play` happens instead of it, and nothing comes after. `first`: the rules that name it.

    `also`: what is true besides. `looks`: the step it looks like where half of it is seen. `hidden`: it lies inside
    TLS, so only who has the key can tell.
    """

    at: str
    play: Callable[[Play], None]
    first: tuple[str, ...]
    also: tuple[str, ...] = ()
    methods: tuple[str, ...] = BOTH
    hidden: bool = False
    looks: str = ""
    v4: bool = False
    times: tuple[int, int] = (1, 3)


FAULTS: dict[str, Fault] = {}


def fault(
    name: str, at: str, *first: str, **more: object
) -> Callable[[Callable[[Play], None]], Callable[[Play], None]]:
    def add(play: Callable[[Play], None]) -> Callable[[Play], None]:
        FAULTS[name] = Fault(at, play, first, **more)  # type: ignore[arg-type]
        return play

    return add


def asked(play: Play, answers: list[tuple[str, int, bytes]] | None, code: int = 0) -> None:
    for _ in range(3):
        kind = messages.AAAA if play.ipv6 else messages.A
        play.lab.dns(play.machine.host, f"provisionserver.{play.machine.domain}", answers, code=code, kind=kind)
        play.lab.wait(6)


@fault("DNS has no record", "name", "AMT-DNS-001")
def no_record(play: Play) -> None:
    asked(play, [], messages.NXDOMAIN)


@fault("DNS answers without an address", "name", "AMT-DNS-004")
def empty(play: Play) -> None:
    asked(play, [])


@fault("DNS does not answer", "name", "AMT-DNS-003")
def unanswered(play: Play) -> None:
    number, port, name = play.rng.getrandbits(16), 45000, f"provisionserver.{play.machine.domain}"
    for _ in range(4):  # the resolver repeats one query
        query = messages.dns_query(number, name, messages.AAAA if play.ipv6 else messages.A)
        play.lab.put([datagram(play.machine.host, play.net.dns, port, 53, query)])
        play.lab.wait(5)


@fault("DNS fails", "name", "AMT-DNS-003")
def servfail(play: Play) -> None:
    asked(play, [], play.rng.choice([messages.SERVFAIL, messages.REFUSED]))


@fault("found, and no hello", "hello", "AMT-HELLO-001", times=(1, 1))
def no_hello(play: Play) -> None:
    play.lab.wait(200)


@fault("the server refuses the hello", "hello", "AMT-HELLO-002", also=("AMT-DNS-005",))
def hello_refused(play: Play) -> None:
    for _ in range(3):
        play.lab.refused(play.machine.host, play.net.scs, 9971)
        play.lab.wait(2)


@fault("the server does not answer the hello", "hello", "AMT-HELLO-002", also=("AMT-DNS-005",))
def hello_unanswered(play: Play) -> None:
    play.lab.syns(play.machine.host, play.net.scs, 9971)


@fault("a proxy answers the hello", "hello", "AMT-HELLO-002", "AMT-DNS-005", times=(2, 4))
def proxy(play: Play) -> None:
    said = b"HTTP/1.0 400 Bad Request\r\nServer: squid/3.5\r\nContent-Length: 0\r\n\r\n"
    play.lab.talk(play.machine.host, play.net.scs, 9971, [(TO_SERVER, play.hello_message()), (TO_CLIENT, said)])


@fault("the server never comes back", "contact", "AMT-HELLO-003", times=(4, 6))
def ignored(play: Play) -> None:
    play.lab.wait(2)


@fault("the PID is mistyped", "contact", "AMT-HELLO-017", also=("AMT-HELLO-003",), methods=(PSK,), times=(3, 5))
def mistyped(play: Play) -> None:
    play.lab.wait(2)


@fault("the machine refuses the contact", "contact", "AMT-CONN-002")
def contact_refused(play: Play) -> None:
    for _ in range(3):
        play.lab.refused(play.net.scs, play.machine.host, 16993)
        play.lab.wait(1)


@fault("the machine does not answer", "contact", "AMT-CONN-001")
def contact_unanswered(play: Play) -> None:
    play.lab.syns(play.net.scs, play.machine.host, 16993)


@fault("the server calls the old address", "contact", "AMT-CONN-003", also=("AMT-HELLO-009",), v4=True, times=(1, 1))
def old_address(play: Play) -> None:
    now = moved(play.machine, NEW_ADDRESS)
    play.lab.dhcp(now, options=lease_options())
    play.lab.wait(30)
    play.lab.greet(now, play.hello_message(), server=play.net.scs)
    play.lab.wait(2)
    play.lab.syns(play.net.scs, play.machine.host, 16993)


@fault("HTTP to the port for TLS", "handshake", "AMT-CONN-010", also=("AMT-RCFG-040",))
def http_to_tls(play: Play) -> None:
    steps = [(TO_SERVER, setup(play.version)[0][0]), (TO_CLIENT, bytes.fromhex("15030100020246"))]
    play.talk(steps, "close", TO_CLIENT)


@fault("PSK: the machine does not know the identity", "handshake", "AMT-PSK-001", methods=(PSK,))
def unknown_identity(play: Play) -> None:
    play.psk(3, 115)


@fault("PSK: the server uses another PID", "handshake", "AMT-PSK-002", also=("AMT-PSK-001",), methods=(PSK,))
def other_identity(play: Play) -> None:
    play.psk(3, 115, pid="ABCDEF0L")


@fault("PSK: another PPS", "handshake", "AMT-PSK-003", methods=(PSK,))
def other_key(play: Play) -> None:
    play.psk(3, play.rng.choice([20, 51]))


@fault("PSK: no common suite", "handshake", "AMT-PSK-004", methods=(PSK,))
def no_suite(play: Play) -> None:
    play.psk(1, 40)


@fault("PSK: closed without a word", "handshake", "AMT-PSK-008", "AMT-PSK-003", methods=(PSK,))
def silent_psk(play: Play) -> None:
    play.psk(3, None, end=play.rng.choice(["close", "reset"]))


def chain(name: str, kind: str, alert: int | None, *first: str, **more: object) -> None:
    """A chain that the machine refuses."""

    def show(play: Play) -> None:
        play.presented(kind, alert, "close" if alert is not None else play.rng.choice(["close", "reset"]))

    FAULTS[f"certificate: {name}"] = Fault("handshake", show, first, methods=(PKI,), **more)  # type: ignore[arg-type]


BARE = tuple(f"AMT-RCFG-0{number}" for number in (27, 28, 29, 30, 31, 32, 33, 35))  # the alerts themselves
chain("root unknown to the machine", "sound", 48, "AMT-RCFG-003", also=BARE)
chain("not marked for setup", "unmarked", 42, "AMT-RCFG-001", also=BARE)
chain("expired", "expired", 45, "AMT-CERT-001", "AMT-RCFG-030", also=BARE)
chain("not yet valid", "not yet valid", 45, "AMT-CERT-001", "AMT-RCFG-030", also=BARE)
chain("intermediate left out", "gap", 48, "AMT-RCFG-005", also=BARE)
chain("wrong order", "order", 42, "AMT-RCFG-006", also=BARE)
chain("root left out", "no root", 48, "AMT-RCFG-007", also=BARE)
chain("forged", "forged", 51, "AMT-RCFG-008", also=(*BARE, "AMT-RCFG-034"))
chain("wrong suffix", "sound", 42, "AMT-RCFG-009", also=BARE, v4=True)
chain("suffix with a NUL", "sound", 42, "AMT-NET-002", "AMT-RCFG-009", also=BARE, v4=True)
chain("no suffix", "sound", 42, "AMT-NET-001", also=BARE, v4=True)
chain("refused without a doubt", "sound", 46, "AMT-RCFG-031", "AMT-RCFG-027", also=BARE)
chain("closed without a word", "sound", None, "AMT-RCFG-004", "AMT-RCFG-038", also=("AMT-RCFG-037",))
OPTION_15 = {
    "certificate: wrong suffix": b"branch.example.org",
    "certificate: suffix with a NUL": b"example.com\0",
    "certificate: no suffix": None,
}


@fault("TLS to the port without", "handshake", "AMT-CONN-010", also=("AMT-HTTP-006",), looks="calls")
def tls_to_clear(play: Play) -> None:
    hello = tls.PskConnection(play.rng, b"x", messages.PSK, hint=None).client_hello()
    said = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
    play.talk([(TO_SERVER, hello), (TO_CLIENT, said)], "close", TO_CLIENT, port=16992)


@fault("certificate: the server shows none", "handshake", "AMT-RCFG-018", also=BARE, methods=(PKI,))
def no_certificate(play: Play) -> None:
    play.talk([*flights_of("none"), (TO_CLIENT, pki.alert(40))], "close", TO_CLIENT)


@fault("certificate: the server refuses the machine's", "handshake", "AMT-RCFG-034", methods=(PKI,))
def machine_refused(play: Play) -> None:
    steps = list(flights_of("sound"))[:2]
    play.talk([*steps, (TO_SERVER, pki.alert(play.rng.choice([42, 48])))], "close", TO_SERVER)


@fault("certificate: the server hangs up", "handshake", "AMT-RCFG-037", methods=(PKI,))
def server_hangs_up(play: Play) -> None:
    play.talk(list(flights_of("sound"))[:2], play.rng.choice(["close", "reset"]), TO_SERVER)


@fault("PSK: the server hangs up", "handshake", "AMT-OK-004", methods=(PSK,))
def server_hangs_up_on_psk(play: Play) -> None:
    play.lab.psk(play.machine, stop=2, by=TO_SERVER, server=play.net.scs)


@fault("a call is refused", "calls", "AMT-PT-", hidden=True)
def refused_call(play: Play) -> None:
    number = play.rng.randrange(1, len(SETTINGS))
    status = play.rng.choice([1, 12, 16, 0x809])
    calls = (*setup(play.version, commit=False)[: number + 1], call(*SETTINGS[number], play.version, status))
    play.calls(calls)


@fault("the login is refused", "calls", "AMT-HTTP-002", hidden=True)
def login_loop(play: Play) -> None:
    first, *_ = setup(play.version)
    proof = messages.eoi_request(*SETTINGS[0], login(), "desk-30.example.com")
    play.calls((first, *[(proof, first[1])] * play.rng.randrange(4, 9)))


@fault("never committed", "calls", "AMT-OK-003", hidden=True)
def no_commit(play: Play) -> None:
    play.calls(setup(play.version, commit=False))


@fault("the commit is refused", "calls", "AMT-PT-", hidden=True)
def commit_refused(play: Play) -> None:
    play.calls((*setup(play.version, commit=False), call(*COMMIT, play.version, 1)))


@fault("the answer to the commit is lost", "calls", "AMT-OK-005", also=("AMT-CONN-005",), hidden=True, times=(1, 1))
def commit_lost(play: Play) -> None:
    calls = (*setup(play.version, commit=False), (call(*COMMIT, play.version)[0], b""))
    play.calls(calls, *play.rng.choice([("close", TO_CLIENT), ("reset", TO_CLIENT), ("close", TO_SERVER)]))


@fault("reset in the middle", "calls", "AMT-CONN-005", also=("AMT-OK-003",))
def reset(play: Play) -> None:
    play.calls(setup(play.version)[: play.rng.randrange(3, 6)], "reset", TO_CLIENT)


__all__ = ["FAULTS", "OPTION_15", "STEPS", "Fault", "Play"]
