"""TCP connections of a machine, and what each shows of its TLS handshake."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from amtdecode.provisioning.state.fact import Fact, Ref

if TYPE_CHECKING:
    from amtdecode.provisioning.state.network import Lookup


class Alert(Fact):
    """A TLS alert. `code` is -1 where it is encrypted."""

    ref: Ref
    from_server: bool
    level: int
    code: int
    phase: str = ""


class Handshake(Fact):
    """What one TLS connection showed. A ref of 0 means: not seen."""

    client_hello: Ref = 0
    server_hello: Ref = 0
    offered_version: int = 0
    offered_suites: tuple[int, ...] = ()
    server_name: str = ""
    version: int = 0
    suite: int = -1
    suite_name: str = ""
    server_chain: tuple[bytes, ...] = ()  # DER
    server_certificate: Ref = 0
    request: Ref = 0
    client_chain: tuple[bytes, ...] = ()  # DER
    client_certificate: Ref = 0
    key_exchange: Ref = 0
    psk_identity: str = ""
    verify: Ref = 0
    client_ccs: Ref = 0
    server_ccs: Ref = 0
    alerts: list[Alert] = msgspec.field(default_factory=list)
    closed_by: str = ""  # client, server: who ended it with an alert, before the other had ended the connection
    requests: int = 0  # times the client sent data after the server had; records of at most a byte count nothing
    answers: int = 0  # the same of the server
    client_bytes: int = 0  # application data
    server_bytes: int = 0
    answer_sizes: int = 0  # different sizes among the answers
    heard: int | None = None  # when the latest message of the handshake came
    last_is_least: bool = False  # no request behind the login is smaller than the last one
    last_data: Ref = 0
    opened: bool = False  # decrypted with the keys given
    complete: bool = False  # both Finished came, seen or by their place
    client_finished: Ref = 0
    server_finished: Ref = 0

    @property
    def established(self) -> bool:
        """Both sides switched to encryption and went on to send data."""
        return bool((self.client_ccs and self.server_ccs) or (self.requests and self.answers))

    @property
    def psk(self) -> bool:
        """A pre-shared key suite was chosen, or an identity was sent."""
        return bool(self.psk_identity) or "PSK" in self.suite_name


class RefusedChannel(Fact):
    """A channel that the machine would not open."""

    ref: Ref
    port: int
    code: int
    reason: str
    count: int = 1


class Cira(Fact):
    """What a call home showed inside (APF). A ref of 0 means: not seen."""

    version: Ref = 0  # the machine's first message
    greeted: int | None = None  # when that came
    trigger: str = ""  # why it calls, in words
    answered: Ref = 0  # the first message of the server
    login: Ref = 0  # the latest
    user: str = ""
    method: str = ""  # none, password
    accepted: Ref = 0
    refused: Ref = 0
    refusals: int = 0
    forwarding: Ref = 0  # the service is asked for
    forwards: Ref = 0  # the latest port that the server granted
    asked: tuple[int, ...] = ()  # ports the machine wants to forward
    granted: tuple[int, ...] = ()
    denied: tuple[int, ...] = ()
    interval: int = 0  # seconds between keep-alives that the server asked for
    keepalives: int = 0
    keepalive: Ref = 0  # the latest
    channels: int = 0  # opened
    channel: Ref = 0  # the first
    refused_channels: tuple[RefusedChannel, ...] = ()
    beyond: Ref = 0  # more sent than the window allows
    beyond_port: int = 0
    beyond_by_server: bool = False
    excess: int = 0
    out_of_step: Ref = 0
    out_of_step_server: bool = False  # it is the server's bytes that are no messages
    disconnect: Ref = 0
    disconnect_reason: str = ""
    disconnect_code: int = 0
    disconnect_by_server: bool = False
    machine_heard: int | None = None  # when its latest message came
    lost: bool = False  # the capture lacks bytes of it


class Fate(msgspec.Struct, gc=False, frozen=True):
    """How a connection fared. Most of those that are refused, or not answered, fare alike and share one."""

    state: str = ""  # refused, unanswered, reset, closed, open; "" while it goes on
    syn_count: int = 0
    client_bytes: int = 0
    server_bytes: int = 0
    client_missing: int = 0  # bytes of the client that the capture lacks
    server_missing: int = 0
    only: str = ""  # "client" or "server": the capture has its packets alone
    who_closed: str = ""  # client, server: who sent FIN or RST first
    broken_by: str = ""  # who sent RST while nobody had sent FIN


GOES_ON = Fate()


class Talk(msgspec.Struct, gc=False, frozen=True):
    """HTTP on a connection, counted. Most have none that can be read, and share one."""

    messages: int = 0
    asked: int = 0  # requests among them
    answered: int = 0  # their final responses


SILENT = Talk()


class Session(Fact):
    """One TCP connection to or from a machine."""

    number: int  # tcp.stream
    client: str
    server: str
    port: int
    ref: Ref
    time: int | None
    last_ref: Ref = 0
    last_time: int | None = None
    fate: Fate = GOES_ON
    handshake: Handshake | None = None
    cira: Cira | None = None
    lookup: Lookup | None = None  # of a machine's own connection: the name whose address it went to
    talk: Talk = SILENT
    setup: bool = False  # takes part in setup and configuration rather than later management
    hello_time: int | None = None  # of the latest hello before it, where it may answer one

    @property
    def state(self) -> str:
        """How it stands: refused, unanswered, reset, closed, open; "" while it goes on."""
        return self.fate.state

    @property
    def syn_count(self) -> int:
        """Times the client asked for it."""
        return self.fate.syn_count

    @property
    def client_bytes(self) -> int:
        """What the client sent."""
        return self.fate.client_bytes

    @property
    def server_bytes(self) -> int:
        """What the server sent."""
        return self.fate.server_bytes

    @property
    def only(self) -> str:
        """The side whose packets alone the capture has, "client" or "server"; "" where it has both."""
        return self.fate.only

    @property
    def who_closed(self) -> str:
        """Who ended it: by an alert (close_notify too, whose answer may be the first FIN), else by FIN or RST."""
        return (self.handshake.closed_by if self.handshake is not None else "") or self.fate.who_closed

    @property
    def broken_by(self) -> str:
        """Who sent RST while nobody had sent FIN."""
        return self.fate.broken_by

    @property
    def messages(self) -> int:
        """HTTP messages seen."""
        return self.talk.messages

    @property
    def asked(self) -> int:
        """HTTP requests seen."""
        return self.talk.asked

    @property
    def answered(self) -> int:
        """Final responses to them."""
        return self.talk.answered

    @property
    def after_gap(self) -> int:
        """Nanoseconds since the latest hello; 0 when there was none."""
        return 0 if self.time is None or self.hello_time is None else max(0, self.time - self.hello_time)

    @property
    def whole(self) -> bool:
        """The capture has both directions, and lacks no byte of them."""
        fate = self.fate
        return not (fate.only or fate.client_missing or fate.server_missing)

    @property
    def connected(self) -> bool:
        """The machine answered."""
        return self.state not in ("refused", "unanswered")

    @property
    def local(self) -> bool:
        """It stays inside one host: a program talks to AMT through LMS, the local manageability service."""
        return self.client == self.server or (_loopback(self.client) and _loopback(self.server))


def _loopback(address: str) -> bool:
    return address == "::1" or address.startswith(("127.", "::ffff:127."))
