"""What a journal keeps of each event: the few values that the fold asks for, in its words, and no secret.

A class stands in for the event it is kept of: it has the attributes that the function of `fold` reads. Values are
written in the order of the fields, so a change of them is another `VERSION`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import msgspec

from amtdecode.capture.health import Health as HealthEvent  # noqa: TC001 - msgspec reads annotations
from amtdecode.masking import masked
from amtdecode.model import Gap, Malformed, Truncated, address_text

if TYPE_CHECKING:
    from typing import Self

    from amtdecode.provisioning.fold.dispatch import Handlers

VERSION = 1
MAX_TEXT = 512  # characters of one text
MAX_VALUES = 128  # of one list
REALM_TEXT = 8  # characters of a realm's number
SUFFIX, RESOLVERS = 15, 6  # options of DHCP (RFC 2132)
PTR, CNAME = 12, 5  # RFC 1035 §3.2.2
SEEN_ANYWAY = frozenset(("dns", "dhcp", "dhcpv6", "arp"))
FAULTY_LAYERS = frozenset(("dns", "dhcp", "dhcpv6", "iamt.apf", "iamt.hello"))


def _short(value: Any) -> Any:
    return value[:MAX_TEXT] if isinstance(value, str) else value


class Kept(msgspec.Struct, array_like=True, frozen=True, gc=False, tag_field="kept"):
    """Base. The fields of a class are attributes of the event, unless `of` says otherwise."""

    protocol: ClassVar[str] = ""
    """As of the event."""
    repeats: ClassVar[bool] = False
    """The fold only counts it: of many in one conversation few are kept."""

    @classmethod
    def of(cls, event: Any) -> Self | None:
        """What is kept of an event; `None`: nothing."""
        return cls(*[_short(getattr(event, name)) for name in cls.__struct_fields__])

    def as_event(self) -> Any:
        """What the fold takes."""
        return self


def kept(handlers: Handlers, event: Any, seen: set[str]) -> Kept | None:
    """What is kept of an event; `None`: nothing, though `seen` is told of protocols of which there was some."""
    name = handlers.kept_of(type(event))
    if not name:
        return None
    kind: type[Kept] = globals()[name]
    said = kind.of(event)
    if said is None and kind.protocol in SEEN_ANYWAY:
        seen.add(kind.protocol)
    return said


# -- whatever the protocol -------------------------------------------------------------------------------------------


class Connection(Kept, tag="tcp", frozen=True):
    """How a connection fared."""

    protocol: ClassVar[str] = "tcp"
    state: str
    syn_count: int
    client_bytes: int
    server_bytes: int
    first_time_ns: int | None
    last_time_ns: int | None
    closed_by: str
    client_mac: str
    vlan: int
    client_missing: int
    server_missing: int
    only: str
    broken_by: str


class Fault(Kept, tag="fault", frozen=True):
    """Bytes that break their rules, or are missing."""

    layer: str
    kind: Literal["Malformed", "Truncated", "Gap"]
    reason: str
    size: int  # of a gap: bytes; else the offset
    missing: int

    @classmethod
    def of(cls, event: Any) -> Self | None:
        if event.layer not in FAULTY_LAYERS:
            return None
        reason = _short(getattr(event, "reason", ""))
        if isinstance(event, Gap):
            return cls(event.layer, "Gap", reason, event.size, 0)
        if isinstance(event, Truncated):
            return cls(event.layer, "Truncated", reason, event.offset, event.missing)
        return cls(event.layer, "Malformed", reason, 0, 0)

    def as_event(self) -> Any:
        if self.kind == "Gap":
            return Gap(self.layer, self.size)
        if self.kind == "Truncated":
            return Truncated(self.layer, self.reason, self.size, self.missing)
        return Malformed(self.layer, self.reason)


class Health(Kept, tag="health", frozen=True):
    """How far an input can be trusted."""

    protocol: ClassVar[str] = "capture"
    health: HealthEvent

    @classmethod
    def of(cls, event: Any) -> Self | None:
        return cls(event)

    def as_event(self) -> Any:
        return self.health


class Comment(Kept, tag="comment", frozen=True):
    """Of a packet."""

    protocol: ClassVar[str] = "pcapng"
    subject: str
    text: str

    @classmethod
    def of(cls, event: Any) -> Self | None:
        if event.subject != "packet":
            return None
        return cls("packet", masked(" ".join(event.text.split()))[:MAX_TEXT])


class Names(Kept, tag="names", frozen=True):
    """That a capture keeps for an address."""

    protocol: ClassVar[str] = "pcapng"
    address: str
    names: tuple[str, ...]

    @classmethod
    def of(cls, event: Any) -> Self | None:
        return cls(event.address, tuple(event.names[:1])) if event.names else None


class IcmpError(Kept, tag="icmp", frozen=True):
    """A packet did not arrive."""

    protocol: ClassVar[str] = "icmp"
    repeats: ClassVar[bool] = True
    meaning: str
    reporter: str


class Arp(Kept, tag="arp", frozen=True):
    """One message of ARP: its 28 bytes."""

    protocol: ClassVar[str] = "arp"
    repeats: ClassVar[bool] = True
    data: bytes

    @classmethod
    def of(cls, event: Any) -> Self | None:
        data = bytes(event.data[:28])
        if data[7] == 1 and (data[14:18] == data[24:28] or data[14:18] == b"\0\0\0\0"):
            return None
        return cls(data)

    @property
    def target_address(self) -> str:
        """The one asked for."""
        return address_text(self.data[24:28])

    @property
    def source_address(self) -> str:
        """Of the sender."""
        return address_text(self.data[14:18])

    @property
    def source_mac(self) -> str:
        """Of the sender."""
        return self.data[8:14].hex(":")


# -- names and leases ------------------------------------------------------------------------------------------------


class Dhcp(Kept, tag="dhcp", frozen=True):
    """A message of DHCPv4."""

    protocol: ClassVar[str] = "dhcp"
    mac: str
    message_type: int | None
    host_name: str | None
    fqdn: str | None
    requested_address: str | None
    client_address: str | None
    your_address: str | None
    server_id: str | None
    suffix: bytes | None
    dns_servers: tuple[str, ...] | None
    lease_time: int | None

    @classmethod
    def of(cls, event: Any) -> Self | None:
        if not event.mac:
            return None
        servers = event.option(RESOLVERS)
        return cls(
            event.mac,
            event.message_type,
            event.host_name,
            event.fqdn,
            event.requested_address,
            event.client_address,
            event.your_address,
            event.server_id,
            event.option(SUFFIX),
            None if servers is None else tuple(event.dns_servers),
            event.lease_time,
        )

    def option(self, code: int) -> Any:
        """Of an option that is asked for, whether it is there and what it holds."""
        return self.suffix if code == SUFFIX else self.dns_servers


class Address(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One of DHCPv6."""

    address: str


class Dhcpv6(Kept, tag="dhcp6", frozen=True):
    """A message of DHCPv6."""

    protocol: ClassVar[str] = "dhcpv6"
    mac: str
    message_type: int
    domains: tuple[str, ...]
    dns_servers: tuple[str, ...]
    leases: tuple[Address, ...]
    fqdn: str | None

    @classmethod
    def of(cls, event: Any) -> Self | None:
        if not event.mac:
            return None
        leases = tuple(Address(each.address) for each in event.leases[:1])
        domains, servers = tuple(event.domains), tuple(event.dns_servers)
        return cls(event.mac, event.message_type, domains, servers, leases, event.fqdn)


class Dns(Kept, tag="dns", frozen=True):
    """A query or response for ProvisionServer, for an address's name, or the address of a name."""

    protocol: ClassVar[str] = "dns"
    name: str
    asks_for_provision_server: bool
    type: int
    is_response: bool
    is_truncated: bool
    reply_code: int
    addresses: tuple[str, ...]
    pointers: tuple[str, ...]
    aliases: tuple[str, ...]

    @classmethod
    def of(cls, event: Any) -> Self | None:
        if not event.name:
            return None
        asks = bool(event.asks_for_provision_server)
        if not (asks or event.type == PTR or (event.is_response and event.addresses)):
            return None
        return cls(
            event.name,
            asks,
            event.type,
            bool(event.is_response),
            bool(event.is_truncated),
            event.reply_code,
            tuple(event.addresses),
            tuple(event.values(PTR)),
            tuple(event.values(CNAME)),
        )

    def values(self, kind: int) -> tuple[str, ...]:
        """Of records of a type."""
        return self.pointers if kind == PTR else self.aliases


# -- hellos ----------------------------------------------------------------------------------------------------------


class Hello(Kept, tag="hello", frozen=True):
    """A machine asks to be set up."""

    protocol: ClassVar[str] = "iamt.hello"
    uuid: str
    version: int
    admin_credentials_set: int
    retry_count: int
    pid: str
    hashes: tuple[tuple[int, bytes, str], ...]

    @classmethod
    def of(cls, event: Any) -> Self | None:
        hashes = tuple((each[0], each[1], each[2]) for each in event.hashes)
        return cls(event.uuid, event.version, event.admin_credentials_set, event.retry_count, event.pid, hashes)


class Begun(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What a cut hello still says."""

    uuid: str


class PartialHello(Kept, tag="hello-cut", frozen=True):
    """The beginning of one."""

    protocol: ClassVar[str] = "iamt.hello"
    begun: Begun

    @classmethod
    def of(cls, event: Any) -> Self | None:
        return cls(Begun(event.begun.uuid))


class HelloAnswer(Kept, tag="hello-answer", frozen=True):
    """The host that heard a hello answers it."""

    protocol: ClassVar[str] = "iamt.hello"
    speaks: str
    data: bytes

    @classmethod
    def of(cls, event: Any) -> Self | None:
        return cls(event.speaks, bytes(event.data[:MAX_TEXT]))


# -- TLS -------------------------------------------------------------------------------------------------------------


class Tls(Kept, frozen=True):
    """Base."""

    protocol: ClassVar[str] = "tls"


class ClientHello(Tls, tag="tls-client-hello", frozen=True):
    """What the client offers."""

    sender: str
    highest_version: int
    cipher_suites: tuple[int, ...]
    server_name: str

    @classmethod
    def of(cls, event: Any) -> Self | None:
        suites = tuple(event.cipher_suites[:MAX_VALUES])
        return cls(getattr(event, "sender", ""), event.highest_version, suites, _short(event.server_name))


class ServerHello(Tls, tag="tls-server-hello", frozen=True):
    """What the server chose."""

    sender: str
    chosen_version: int
    suite: int

    @classmethod
    def of(cls, event: Any) -> Self | None:
        return cls(getattr(event, "sender", ""), event.chosen_version, event.suite)


class Certificate(Tls, tag="tls-certificate", frozen=True):
    """A chain, of either side."""

    sender: str
    chain: tuple[bytes, ...]

    @classmethod
    def of(cls, event: Any) -> Self | None:
        return cls(event.sender, tuple(event.chain[:MAX_VALUES]))


class CertificateRequest(Tls, tag="tls-request", frozen=True):
    """The server wants the client's certificate."""

    sender: str

    @classmethod
    def of(cls, event: Any) -> Self | None:
        return cls(getattr(event, "sender", ""))


class ClientKeyExchange(Tls, tag="tls-key-exchange", frozen=True):
    """The PSK identity, or the encrypted premaster secret."""

    sender: str
    identity: bytes | None

    @classmethod
    def of(cls, event: Any) -> Self | None:
        identity = event.identity
        return cls(getattr(event, "sender", ""), None if identity is None else bytes(identity[:MAX_TEXT]))


class CertificateVerify(Tls, tag="tls-verify", frozen=True):
    """A side proves that it has the private key."""

    sender: str


class ChangeCipherSpec(Tls, tag="tls-ccs", frozen=True):
    """A side switches to encryption."""

    sender: str


class Alert(Tls, tag="tls-alert", frozen=True):
    """A readable alert."""

    sender: str
    level: int
    description: int
    phase: str
    after: str


class EncryptedAlert(Tls, tag="tls-alert-closed", frozen=True):
    """An alert that no key opens."""

    sender: str
    phase: str
    after: str


class ApplicationData(Tls, tag="tls-data", frozen=True):
    """How much was said inside, one direction at a time."""

    sender: str
    size: int
    opened: int
    turns: tuple[int, ...]

    @classmethod
    def of(cls, event: Any) -> Self | None:
        return cls(event.sender, event.size, int(event.opened), tuple(event.turns))


class TlsHandshake(Tls, tag="tls-handshake", frozen=True):
    """How it went."""

    sender: str
    complete: bool

    @classmethod
    def of(cls, event: Any) -> Self | None:
        return cls(getattr(event, "sender", ""), bool(event.complete)) if event.complete else None


class EncryptedHandshake(Tls, tag="tls-finished", frozen=True):
    """A Finished that stays closed."""

    sender: str
    inferred: str

    @classmethod
    def of(cls, event: Any) -> Self | None:
        return cls(getattr(event, "sender", ""), event.inferred) if event.inferred == "Finished" else None


# -- HTTP and calls --------------------------------------------------------------------------------------------------


class Credentials(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """How a request logs in, or a response offers it; nothing that is secret."""

    scheme: str
    realm: str
    stale: str = ""

    @property
    def name(self) -> str:
        """The scheme as it is called."""
        return self.scheme

    @property
    def parameters(self) -> dict[str, str]:
        """Those asked for."""
        return {"realm": self.realm, "stale": self.stale}


class Ticket(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What a server says of a Kerberos login."""

    error: int | None
    spn: str
    realm: str
    skew: int | None


class HttpRequest(Kept, tag="http-request", frozen=True):
    """A request with or without credentials."""

    protocol: ClassVar[str] = "http"
    credentials: Credentials | None
    auth_user: str

    @classmethod
    def of(cls, event: Any) -> Self | None:
        given = event.credentials
        if given is None:
            return cls(None, "")
        held = Credentials(_short(given.name), _short(given.parameters.get("realm", "")))
        return cls(held, _short(event.auth_user))


class HttpResponse(Kept, tag="http-response", frozen=True):
    """A status, perhaps a challenge."""

    protocol: ClassVar[str] = "http"
    status: int
    method: str
    target: str
    reason: str
    amt_version: str
    challenges: tuple[Credentials, ...]
    kerberos: Ticket | None
    date: int | None

    @classmethod
    def of(cls, event: Any) -> Self | None:
        offers: tuple[Credentials, ...] = ()
        ticket = date = None
        if event.status == 401:
            date = event.date
            offers = tuple(
                Credentials(
                    _short(each.scheme),
                    _short(each.parameters.get("realm", "")),
                    _short(each.parameters.get("stale", "")),
                )
                for each in event.challenges[:MAX_VALUES]
            )
            if (told := event.kerberos) is not None:
                ticket = Ticket(told.error, _short(told.spn), _short(told.realm), told.skew)
        return cls(
            event.status,
            _short(event.method),
            masked(event.target)[:MAX_TEXT],
            masked(event.reason)[:MAX_TEXT],
            _short(event.amt_version),
            offers,
            ticket,
            date,
        )


class LoginLoop(Kept, tag="http-loop", frozen=True):
    """Login after login is refused."""

    protocol: ClassVar[str] = "http"
    target: str
    user: str
    scheme: str
    count: int

    @classmethod
    def of(cls, event: Any) -> Self | None:
        return cls(masked(event.target)[:MAX_TEXT], _short(event.user), _short(event.scheme), event.count)


class Call(Kept, tag="call", frozen=True):
    """One exchange of SOAP or WS-Man."""

    protocol: ClassVar[str] = "iamt.soap"
    kind: str
    label: str
    owner: str
    method: str
    user: str
    arguments: tuple[tuple[str, str], ...]  # those that the story asks for; a secret one has no text
    result: int | None
    result_text: str
    result_name: str
    meaning: str
    http_status: int
    step: str
    missing: str
    faulted: bool
    succeeded: bool | None

    @classmethod
    def of(cls, event: Any) -> Self | None:
        if event.kind == "http":
            return None
        arguments = [told for path, text in event.arguments if (told := _argument(path, text)) is not None]
        return cls(
            event.kind,
            _short(event.label),
            _short(event.owner),
            _short(event.method),
            _short(event.user),
            tuple(arguments[:MAX_VALUES]),
            event.result,
            masked(event.result_text)[:MAX_TEXT],
            _short(event.result_name),
            masked(event.meaning)[:MAX_TEXT],
            event.http_status,
            event.step,
            event.missing,
            event.faulted,
            event.succeeded,
        )


def _argument(path: str, text: str) -> tuple[str, str] | None:
    """What the fold may ask of an argument: that it is a secret, a realm, a user, the domains of the inside."""
    from amtdecode.protocols.soap.tables import is_secret
    from amtdecode.provisioning.fold.calls import NAMES_OF_USERS

    lower = path.lower()
    if path.endswith("DetectionStrings"):
        return path[-MAX_TEXT:], text[:MAX_TEXT]
    if is_secret(path) or "password" in lower or "digest" in lower:
        return path[-MAX_TEXT:], ""
    if "realm" in lower:
        return path[-MAX_TEXT:], text if len(text) <= REALM_TEXT else ""
    if path.rpartition("/")[2] in NAMES_OF_USERS:
        return path[-MAX_TEXT:], text[:MAX_TEXT]
    return None


# -- RMCP, alerts ----------------------------------------------------------------------------------------------------


class Rmcp(Kept, tag="rmcp", frozen=True):
    """A ping."""

    protocol: ClassVar[str] = "rmcp"
    repeats: ClassVar[bool] = True
    type: int
    acknowledges: bool

    @classmethod
    def of(cls, event: Any) -> Self | None:
        return cls(event.type, bool(event.acknowledges))


class Pong(Kept, tag="rmcp-pong", frozen=True):
    """An answer to a ping."""

    protocol: ClassVar[str] = "rmcp"
    port: int | None
    amt_version: str
    state: int | None


class RmcpSession(Kept, tag="rmcp-session", frozen=True):
    """A session is refused."""

    protocol: ClassVar[str] = "rmcp"
    status: int

    @classmethod
    def of(cls, event: Any) -> Self | None:
        return cls(event.status) if event.status else None


class Trap(Kept, tag="trap", frozen=True):
    """An alert of a machine."""

    protocol: ClassVar[str] = "snmp"
    guid_smbios: str
    guid: str
    event: str
    severity: int


class Kdc(Kept, tag="kdc", frozen=True):
    """A message of Kerberos; of one that is no error, that there was one."""

    protocol: ClassVar[str] = "kerberos"
    error: int | None
    spn: str
    realm: str
    skew: int | None


# -- between a card and its switch ------------------------------------------------------------------------------------


class Eap(Kept, tag="eap", frozen=True):
    """One packet of EAP."""

    protocol: ClassVar[str] = "eapol"
    code: int
    id: int
    method: int | None
    identity: str
    alert: int | None


class Lldp(Kept, tag="lldp", frozen=True):
    """A switch says which port this is."""

    protocol: ClassVar[str] = "lldp"
    repeats: ClassVar[bool] = True
    switch: str
    port: str
    port_vlan: int | None
    ttl: int | None
    is_switch: bool


# -- redirection -----------------------------------------------------------------------------------------------------


class Redir(Kept, tag="redir", frozen=True):
    """Any message: the connection is one of a machine."""

    protocol: ClassVar[str] = "iamt.redir"
    repeats: ClassVar[bool] = True


class RedirLogin(Kept, tag="redir-login", frozen=True):
    """A login; its password is not kept."""

    protocol: ClassVar[str] = "iamt.redir"
    method: int
    user: str
    response: bool

    @classmethod
    def of(cls, event: Any) -> Self | None:
        return cls(event.method, _short(event.user), bool(event.response))


class RedirAnswer(Kept, tag="redir-answer", frozen=True):
    """A login is accepted or refused."""

    protocol: ClassVar[str] = "iamt.redir"
    status: int
    refused: bool
    method: int

    @classmethod
    def of(cls, event: Any) -> Self | None:
        return cls(event.status, bool(event.refused), event.method)


class RedirStarted(Kept, tag="redir-started", frozen=True):
    """A session, a console or a drive begins, or is refused."""

    protocol: ClassVar[str] = "iamt.redir"
    data: bytes  # the first two
    session: str

    @classmethod
    def of(cls, event: Any) -> Self | None:
        return cls(bytes(event.data[:2]), event.session)

    @property
    def type(self) -> int:
        """Of the message."""
        return self.data[0]


class SolControls(Kept, tag="sol-controls", frozen=True):
    """Whether the console takes input."""

    protocol: ClassVar[str] = "iamt.redir"
    data: bytes  # the first ten

    @classmethod
    def of(cls, event: Any) -> Self | None:
        return cls(bytes(event.data[:10]))


class SolData(Kept, tag="sol-data", frozen=True):
    """Somebody types; what, is not kept."""

    protocol: ClassVar[str] = "iamt.redir"
    repeats: ClassVar[bool] = True
    type: int


# -- calls home ------------------------------------------------------------------------------------------------------


class Apf(Kept, frozen=True):
    """Base."""

    protocol: ClassVar[str] = "iamt.apf"


class ApfMessage(Apf, tag="apf", frozen=True):
    """Any message."""

    repeats: ClassVar[bool] = True


class ProtocolVersion(Apf, tag="apf-version", frozen=True):
    """The machine says who it is, and why it calls."""

    uuid: str
    reason: str


class ServiceRequest(Apf, tag="apf-service", frozen=True):
    """A service is asked for."""

    service: str


class UserauthRequest(Apf, tag="apf-login", frozen=True):
    """A login; its password is not kept."""

    user: str
    method: str


class UserauthFailure(Apf, tag="apf-refused", frozen=True):
    """It is refused."""


class UserauthSuccess(Apf, tag="apf-accepted", frozen=True):
    """It is accepted."""


class GlobalRequest(Apf, tag="apf-request", frozen=True):
    """A port is to be forwarded, or not any more."""

    port: int | None
    request: str


class RequestSuccess(Apf, tag="apf-granted", frozen=True):
    """It is."""

    port: int | None


class RequestFailure(Apf, tag="apf-denied", frozen=True):
    """It is not."""

    port: int | None


class ChannelOpen(Apf, tag="apf-open", frozen=True):
    """A channel is open."""


class ChannelOpenFailure(Apf, tag="apf-open-failure", frozen=True):
    """A channel is refused."""

    port: int | None
    code: int
    reason: str


class BeyondWindow(Apf, tag="apf-beyond", frozen=True):
    """Somebody sends more than was granted."""

    port: int
    excess: int


class Disconnect(Apf, tag="apf-disconnect", frozen=True):
    """One side says why it leaves."""

    code: int
    reason: str


class Keepalive(Apf, tag="apf-keepalive", frozen=True):
    """A sign of life."""

    repeats: ClassVar[bool] = True


class KeepaliveOptions(Apf, tag="apf-options", frozen=True):
    """How often the server wants one."""

    interval: int


Fact = (
    Connection | Fault | Health | Comment | Names | IcmpError | Arp | Dhcp | Dhcpv6 | Dns | Hello | PartialHello
    | HelloAnswer | ClientHello | ServerHello | Certificate | CertificateRequest | ClientKeyExchange
    | CertificateVerify | ChangeCipherSpec | Alert | EncryptedAlert | ApplicationData | TlsHandshake
    | EncryptedHandshake | HttpRequest | HttpResponse | LoginLoop | Call | Rmcp | Pong | RmcpSession | Trap | Kdc | Eap
    | Lldp | Redir | RedirLogin | RedirAnswer | RedirStarted | SolControls | SolData | ApfMessage | ProtocolVersion
    | ServiceRequest | UserauthRequest | UserauthFailure | UserauthSuccess | GlobalRequest | RequestSuccess
    | RequestFailure | ChannelOpen | ChannelOpenFailure | BeyondWindow | Disconnect | Keepalive | KeepaliveOptions
)  # fmt: skip
"""All of them."""
