"""What is remembered of a fleet: small facts with the numbers of the packets and lines that prove them.

A *ref* is one int: the index of the input above `PACKET_NUMBER_BITS` bits, below them the packet number or, in a log,
the line number, both from 1. Times are nanoseconds since 1970 UTC, `None` where the capture has none. Addresses are
text. Nothing here holds an observation: a machine with one hello and one handshake costs well under 4 KB.
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - msgspec reads annotations
from types import MappingProxyType
from typing import Any

import msgspec

from amtdecode.model import PACKET_NUMBER_BITS

Ref = int
MAX_HELLOS = 16  # kept per machine: the first half and the last half
MAX_SESSIONS = 12  # kept per machine: those of the setup before those of later management
MAX_ATTEMPTS = 8  # kept per machine: the first and the last seven
MAX_MARKS = 6  # kept per machine and kind; further ones are counted
MAX_LOOKUPS = 12  # names asked for, kept per machine
MAX_ALERTS = 4  # TLS alerts kept per connection
MAX_ROWS = 12  # log rows kept per machine
MAX_ALIKE_ROWS = 4  # of one anchor: the first and the latest three

SETUP_PORTS = frozenset((16992, 16993))
TLS_PORTS = frozenset((16993, 16995, 664))
DEVICE_PORTS = frozenset((16992, 16993, 16994, 16995, 623, 664))
HELLO_PORT = 9971
CIRA_PORT = 4433


def ref(source: int, number: int) -> Ref:
    """The proof number of packet or line `number` of input `source`."""
    return source << PACKET_NUMBER_BITS | number


def place(proof: Ref) -> tuple[int, int]:
    """The input's index and the packet or line number in it."""
    source = proof >> PACKET_NUMBER_BITS
    return source, proof & (1 << PACKET_NUMBER_BITS) - 1 if source else proof  # the same int, not one more


class Fact(msgspec.Struct, gc=False, eq=False):
    """Base: the same fact is the same object; facts form no cycles, so the garbage collector passes them over."""


class Hello(Fact):
    """One hello message of a machine."""

    ref: Ref
    time: int | None
    source: str
    destination: str
    port: int
    version: int
    admin_credentials_set: int
    retry_count: int
    pid: str
    hashes: tuple[tuple[int, bytes, str], ...]  # (algorithm, value, name), shared between machines
    mac: str = ""
    vlan: int = -1


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
    client_records: int = 0  # application data records
    server_records: int = 0
    client_bytes: int = 0  # application data
    server_bytes: int = 0
    last_data: Ref = 0
    opened: bool = False  # decrypted with the keys given
    complete: bool = False  # both Finished came, seen or by their place
    client_finished: Ref = 0
    server_finished: Ref = 0

    @property
    def established(self) -> bool:
        """Both sides switched to encryption and went on to send data."""
        return bool((self.client_ccs and self.server_ccs) or (self.client_records and self.server_records))

    @property
    def psk(self) -> bool:
        """A pre-shared key suite was chosen, or an identity was sent."""
        return bool(self.psk_identity) or "PSK" in self.suite_name


class Session(Fact):
    """One TCP connection to or from a machine."""

    number: int  # tcp.stream
    client: str
    client_port: int
    server: str
    port: int
    ref: Ref
    time: int | None
    last_ref: Ref = 0
    last_time: int | None = None
    state: str = ""  # refused, unanswered, reset, closed, open; "" while it goes on
    syn_count: int = 0
    client_bytes: int = 0
    server_bytes: int = 0
    who_closed: str = ""
    handshake: Handshake | None = None
    messages: int = 0  # HTTP messages seen
    setup: bool = False  # takes part in setup and configuration rather than later management
    after_gap: int = 0  # nanoseconds since the latest hello; 0 when there was none

    @property
    def connected(self) -> bool:
        """The machine answered."""
        return self.state not in ("refused", "unanswered")


class Mark(Fact):
    """A rare thing worth remembering: its kind is the key it is stored under."""

    ref: Ref
    time: int | None
    name: str = ""
    text: str = ""
    value: int = 0
    session: int = -1
    count: int = 1


class Lookup(Fact):
    """All queries of one host for one name."""

    client: str
    name: str
    ref: Ref
    time: int | None
    server: str = ""
    kind: int = 1  # DNS type
    queries: int = 0
    last_query: Ref = 0
    last_query_time: int | None = None
    answer: Ref = 0
    answer_time: int | None = None
    rcode: int = -1  # -1: no answer
    addresses: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    others: tuple[tuple[str, ...], ...] = ()  # earlier, different answers
    other_refs: tuple[Ref, ...] = ()

    @property
    def bare(self) -> bool:
        """The name has one label."""
        return "." not in self.name.rstrip(".")


class Lease(Fact):
    """What DHCP gave, or did not give, to one MAC address. Options as sent: `None` where absent."""

    mac: str
    ref: Ref
    time: int | None
    address: str = ""
    server: str = ""
    requests: int = 0  # DISCOVER and REQUEST without an answer yet
    requests_ref: Ref = 0
    offer: Ref = 0
    ack: Ref = 0
    ack_time: int | None = None
    nak: Ref = 0
    suffix: bytes | None = None  # option 15, or the search list of DHCPv6 option 24
    dns: tuple[str, ...] | None = None  # option 6
    hostname: str = ""  # option 12
    fqdn: str = ""  # option 81
    seconds: int = 0
    v6: bool = False


class Sense(msgspec.Struct, gc=False, frozen=True):
    """What a log row was recognised as: the same for many rows, and held once."""

    anchor: str = ""  # an id in the table of anchors
    kind: str = ""  # failure, success, state, hello
    rule: str = ""
    code: str = ""
    codes: tuple[str, ...] = ()  # all hexadecimal ones of the row


class Row(Fact):
    """A log row about AMT, at the time of the log's own clock. Its text may hold secrets: mask it."""

    ref: Ref
    time: int | None
    sense: Sense
    text: str = ""
    address: str = ""

    @property
    def anchor(self) -> str:
        """What it was recognised by."""
        return self.sense.anchor

    @property
    def kind(self) -> str:
        """Failure, success, state or hello."""
        return self.sense.kind

    @property
    def rule(self) -> str:
        """The rule that asks for it, if any."""
        return self.sense.rule

    @property
    def code(self) -> str:
        """The code it is known by."""
        return self.sense.code

    @property
    def codes(self) -> tuple[str, ...]:
        """All hexadecimal codes, in their order."""
        return self.sense.codes

    @property
    def value(self) -> int:
        """A hexadecimal code of Windows or RCS as a number, else 0."""
        return int(self.code, 16) if self.code.startswith("0x") else 0


class LogFile(Fact):
    """A log that was read."""

    name: str
    ref: Ref  # its first line
    levels: tuple[str, ...] = ()
    rows: int = 0
    lines: int = 0


class Attempt(Fact):
    """One try at provisioning a machine."""

    started: int | None = None
    ended: int | None = None
    hellos: list[Hello] = msgspec.field(default_factory=list)
    hello_count: int = 0
    sessions: list[Session] = msgspec.field(default_factory=list)
    session_count: int = 0
    stage: str = ""
    outcome: str = "unknown"
    confidence: float = 0.0
    commit: Ref = 0  # proof of the commit
    reasons: tuple[str, ...] = ()  # why success is inferred

    @property
    def hello(self) -> Hello | None:
        """The latest hello."""
        return self.hellos[-1] if self.hellos else None

    def refs(self) -> list[Ref]:
        """The packets that mark its steps, ascending."""
        refs = {hello.ref for hello in self.hellos}
        for session in self.sessions:
            refs.update((session.ref, session.last_ref))
            if tls := session.handshake:
                refs.update((tls.client_hello, tls.server_hello, tls.server_certificate, tls.client_certificate))
                refs.update((tls.key_exchange, tls.client_ccs, tls.server_ccs))
                refs.update(alert.ref for alert in tls.alerts)
        refs.add(self.commit)
        refs.discard(0)
        return sorted(refs)


class Address(Fact):
    """An address a machine had, from when to when."""

    text: str
    first: int | None
    last: int | None
    ref: Ref


NOTHING: Mapping[str, list[Mark]] = MappingProxyType({})
METHODS = {2: "psk", 3: "pki"}  # by the version of the hello


class Device(Fact):
    """A machine with AMT: it asked for ProvisionServer, said hello, was contacted on AMT's ports, or calls home."""

    uuid: str = ""
    mac: str = ""
    fqdn: str = ""
    amt_version: str = ""
    version_ref: Ref = 0
    addresses: list[Address] = msgspec.field(default_factory=list)
    attempts: list[Attempt] = msgspec.field(default_factory=list)
    lookups: tuple[Lookup, ...] = ()
    leases: tuple[Lease, ...] = ()
    marks: Mapping[str, list[Mark]] = NOTHING  # by kind
    rows: list[Row] = msgspec.field(default_factory=list)
    dropped: int = 0  # facts let go because a cap was reached
    merged: bool = False  # it turned out to be another one
    guessed: bool = False  # nothing but the port of a connection says that it is one

    @property
    def name(self) -> str:
        """What a report calls it: UUID, else name, else address."""
        if len(set(self.uuid.replace("-", ""))) > 1:
            return self.uuid
        return self.fqdn or (self.addresses[-1].text if self.addresses else self.mac)

    @property
    def address(self) -> str:
        """Its latest address."""
        return self.addresses[-1].text if self.addresses else ""

    @property
    def hellos(self) -> list[Hello]:
        """All hellos kept, in order. Not to be changed."""
        attempts = self.attempts
        if len(attempts) == 1:
            return attempts[0].hellos
        return [hello for attempt in attempts for hello in attempt.hellos]

    @property
    def sessions(self) -> list[Session]:
        """All connections kept, in order. Not to be changed."""
        attempts = self.attempts
        if len(attempts) == 1:
            return attempts[0].sessions
        return [session for attempt in attempts for session in attempt.sessions]

    @property
    def last_hello(self) -> Hello | None:
        """The latest hello."""
        for attempt in reversed(self.attempts):
            if attempt.hellos:
                return attempt.hellos[-1]
        return None

    @property
    def method(self) -> str:
        """How it is provisioned: "psk", "pki" or "unknown"."""
        if hello := self.last_hello:
            return METHODS.get(hello.version, "unknown")
        for session in reversed(self.sessions):
            if session.setup and session.handshake:
                if session.handshake.psk:
                    return "psk"
                if session.handshake.client_chain:
                    return "pki"
        return "unknown"

    def marked(self, kind: str) -> list[Mark]:
        """The marks of one kind."""
        return self.marks.get(kind, [])

    def marks_of(self, kind: str) -> list[Mark]:
        """The marks of one kind, to add to."""
        if not self.marks:
            self.marks = {}  # most machines of a fleet have none
        return self.marks.setdefault(kind, [])  # type: ignore[attr-defined, no-any-return]


class Story(msgspec.Struct):
    """Everything the rules may ask: the machines and what surrounds them."""

    inputs: list[str] = msgspec.field(default_factory=list)
    lined: set[int] = msgspec.field(default_factory=set)  # indices of the inputs whose numbers are lines, not packets
    devices: list[Device] = msgspec.field(default_factory=list)
    leases: dict[str, Lease] = msgspec.field(default_factory=dict)  # by MAC
    lookups: dict[tuple[str, str], Lookup] = msgspec.field(default_factory=dict)  # by (client, name)
    reverse: dict[str, list[Lookup]] = msgspec.field(default_factory=dict)  # PTR lookups by the address asked about
    arp: dict[str, Mark] = msgspec.field(default_factory=dict)  # requests for an address; value 1 once answered
    icmp: dict[str, Mark] = msgspec.field(default_factory=dict)  # errors about an address
    hello_servers: dict[str, Ref] = msgspec.field(default_factory=dict)  # where hellos went, first proof
    listeners: dict[str, Mark] = msgspec.field(default_factory=dict)  # "address:port" refused or silent on 9971
    rows: list[Row] = msgspec.field(default_factory=list)  # log rows of no known machine
    logs: list[LogFile] = msgspec.field(default_factory=list)
    clock: str = ""  # how far the clock of the logs is from that of the capture, in words
    files: list[Any] = msgspec.field(default_factory=list)  # certificates, .reg: see amtdecode.diagnosis.inputs
    seen: set[str] = msgspec.field(default_factory=set)  # protocols of which something was seen
    macs: set[str] = msgspec.field(default_factory=set)  # that spoke anything but DHCP
    first: int | None = None  # time of the first observation
    last: int | None = None
    observations: int = 0
    limits: list[str] = msgspec.field(default_factory=list)  # caps that were reached

    def at(self, proof: Ref) -> tuple[str, int]:
        """The input's name and the packet or line number."""
        source, number = place(proof)
        return (self.inputs[source] if source < len(self.inputs) else "", number)

    def watched_after(self, time: int | None) -> float | None:
        """Seconds the capture goes on after `time`; `None` where unknown."""
        if time is None or self.last is None:
            return None
        return max(0.0, (self.last - time) / 1e9)
