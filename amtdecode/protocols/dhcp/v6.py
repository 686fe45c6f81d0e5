"""DHCP for IPv6: where a machine learns its addresses, its domains (option 24) and its DNS servers (option 23).

Protocol    DHCPv6
Transport   UDP, client port 546, server and relay port 547; each datagram is one message
First word  the client (Solicit), or a relay on its behalf
Framing     type, 3 bytes of transaction id, options: 2 bytes code, 2 bytes length, value. Relays wrap: type, hop count,
            link and peer address, options, with the message inside option 9
Byte order  big-endian
Source      RFC 8415; RFC 3646 (DNS), RFC 4704 (client FQDN), RFC 6355 (DUID with the machine's UUID)
Limits      MAX_RELAYS wrappers; a message inside more is not read
Not covered leasequery, failover and the other message types above 13; prefix delegation; options not in `fields`
            are named by their codes only

`spec6.py` declares the same in construct; this reader is the fast one, and a property test holds them equal.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple
from uuid import UUID

from amtdecode.counting import counted
from amtdecode.fields import Fields, declared_by
from amtdecode.model import Direction, Endpoint, Event, LimitReached, Malformed
from amtdecode.protocols.dhcp.common import labels, names
from amtdecode.protocols.dhcp.fields6 import (
    CLIENT_FQDN,
    CLIENT_ID,
    DHCPV6_MESSAGE,
    DNS_SERVERS,
    DOMAIN_LIST,
    DUID_LL,
    DUID_LLT,
    DUID_UUID,
    ETHERNET,
    IA_ADDRESS,
    IA_NA,
    IA_TA,
    MESSAGE_TYPES,
    RELAY_FORW,
    RELAY_MESSAGE,
    RELAY_REPL,
    SERVER_ID,
    STATUS,
)
from amtdecode.protocols.dissector import NO, YES, Context, DatagramDissector, Protocol, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from amtdecode.tree import Node

NAME = "dhcpv6"
PORTS = frozenset({546, 547})
MAX_RELAYS = 8  # HOP_COUNT_LIMIT, RFC 8415 section 7.6
SIZE = 4  # type and transaction id
RELAY_SIZE = 34  # type, hop count, two addresses
_OPTION = Struct(">HH")
_LIFETIMES = Struct(">II")


class Lease(NamedTuple):
    """One address of an identity association; lifetimes in seconds."""

    address: str
    preferred: int
    valid: int


class Relay(NamedTuple):
    """One relay a message went through, the one next to the server first."""

    message_type: int
    hops: int
    link: str
    peer: str


class Dhcpv6Message(Event, frozen=True):
    """One message, taken out of its relay wrappers."""

    protocol: ClassVar[str] = NAME
    declared: ClassVar[Fields] = DHCPV6_MESSAGE
    message_type: int
    transaction: int  # 24 bits
    relays: tuple[Relay, ...] = ()
    client_id: bytes | None = None  # DUID as it came
    server_id: bytes | None = None
    leases: tuple[Lease, ...] = ()
    associations: tuple[int, ...] = ()  # IAIDs of lasting (not temporary) addresses
    dns_servers: tuple[str, ...] = ()
    domain_list: bytes | None = None  # option 24 as it came
    client_fqdn: bytes | None = None  # option 39 as it came
    statuses: tuple[int, ...] = ()
    options: tuple[int, ...] = ()  # codes in order of appearance, those inside associations and relays too

    @property
    def domains(self) -> tuple[str, ...]:
        """Option 24: the domains to search."""
        return names(labels(self.domain_list or b"") or ())

    @property
    def fqdn(self) -> str | None:
        """Option 39: the client's name; may lack its domain (RFC 4704 section 4.2)."""
        return None if self.client_fqdn is None else ".".join(names(labels(self.client_fqdn[1:]) or ()))

    @property
    def mac(self) -> str:
        """The Ethernet address in the client's DUID; empty where it has none."""
        duid = self.client_id or b""
        kind, hardware = duid[:2], duid[2:4]
        if hardware != ETHERNET.to_bytes(2, "big"):
            return ""
        if kind == DUID_LLT.to_bytes(2, "big") and len(duid) == 14:
            return duid[8:].hex(":")
        return duid[4:].hex(":") if kind == DUID_LL.to_bytes(2, "big") and len(duid) == 10 else ""

    @property
    def uuid(self) -> str | None:
        """The UUID in the client's DUID, if it is of that type (RFC 6355), in network order."""
        duid = self.client_id or b""
        return str(UUID(bytes=duid[2:])) if len(duid) == 18 and duid[:2] == DUID_UUID.to_bytes(2, "big") else None

    @property
    def kind(self) -> str:
        """The message type in words."""
        return MESSAGE_TYPES.get(self.message_type, f"type {self.message_type}")

    def tree(self, pdu: bytes) -> tuple[Node, ...]:
        from amtdecode.protocols.declaration import tree_of
        from amtdecode.protocols.dhcp.spec6 import MESSAGE

        return tree_of(MESSAGE, pdu)

    def summary(self) -> str:
        parts = [f"DHCPv6 {self.kind} {self.mac or self.uuid or (self.client_id or b'').hex()}".rstrip()]
        if self.leases:
            parts.append(f"address {' '.join(lease.address for lease in self.leases)}")
        if self.fqdn:
            parts.append(f"host {self.fqdn}")
        if self.domains:
            parts.append(f"domains {' '.join(self.domains)}")
        if self.dns_servers:
            parts.append(f"DNS {' '.join(self.dns_servers)}")
        if self.relays:
            parts.append(f"through {len(self.relays)} relay{'s' if len(self.relays) > 1 else ''}")
        return ", ".join(parts)


class _Reading:
    """What is collected while one datagram is read."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.lists: dict[str, list[Any]] = {}
        self.faults: list[str] = []
        self.inner: bytes | None = None

    def add(self, name: str, value: object) -> None:
        self.lists.setdefault(name, []).append(value)

    def options(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Code and value of each option; stops at the first whose frame is broken."""
        at, end = 0, len(data)
        while at < end:
            if at + 4 > end:
                self.faults.append(f"{counted(end - at, 'byte')} where an option should begin")
                return
            code, size = _OPTION.unpack_from(data, at)
            at += 4
            if at + size > end:
                self.faults.append(f"option {code} wants {counted(size, 'byte')}, {end - at} are left")
                return
            self.add("options", code)
            yield code, data[at : at + size]
            at += size

    def read(self, data: bytes) -> None:
        """The options of a message or a relay wrapper."""
        for code, value in self.options(data):
            fixed = FIXED_SIZES.get(code, 0)
            if len(value) < fixed:
                self.faults.append(f"option {code} has {len(value)} of {fixed} bytes")
            elif code == RELAY_MESSAGE:
                self.inner = value
            elif code in (CLIENT_ID, SERVER_ID):
                self.values["client_id" if code == CLIENT_ID else "server_id"] = value
            elif code in (IA_NA, IA_TA):
                self.association(code, value)
            elif code == STATUS:
                self.add("statuses", int.from_bytes(value[:2], "big"))
            elif code == DNS_SERVERS:
                self.servers(value)
            elif code in (DOMAIN_LIST, CLIENT_FQDN):
                self.names(code, value)

    def association(self, code: int, value: bytes) -> None:
        """IA_NA or IA_TA: its addresses and its status."""
        if code == IA_NA:
            self.add("associations", int.from_bytes(value[:4], "big"))
        for inner, content in self.options(value[FIXED_SIZES[code] :]):
            fixed = IA_FIXED_SIZES.get(inner, 0)
            if len(content) < fixed:
                self.faults.append(f"option {inner} has {len(content)} of {fixed} bytes")
            elif inner == IA_ADDRESS:
                self.add("leases", Lease(Endpoint(content[:16], 0).address, *_LIFETIMES.unpack_from(content, 16)))
                for deeper, status in self.options(content[24:]):
                    self.status(deeper, status)
            else:
                self.status(inner, content)

    def status(self, code: int, value: bytes) -> None:
        """A status code inside an association or an address."""
        if code == STATUS and len(value) >= 2:
            self.add("statuses", int.from_bytes(value[:2], "big"))
        elif code == STATUS:
            self.faults.append(f"option {code} has {len(value)} of 2 bytes")

    def servers(self, value: bytes) -> None:
        """Option 23."""
        if len(value) % 16:
            self.faults.append(f"option {DNS_SERVERS} has {counted(len(value), 'byte')}")
        for at in range(0, len(value) - 15, 16):
            self.add("dns_servers", Endpoint(value[at : at + 16], 0).address)

    def names(self, code: int, value: bytes) -> None:
        """Options 24 and 39: names in wire form; the bytes are kept in any case."""
        self.values["domain_list" if code == DOMAIN_LIST else "client_fqdn"] = value
        found = labels(value if code == DOMAIN_LIST else value[1:])
        if found is None or (code == DOMAIN_LIST and found and found[-1]):
            self.faults.append(f"option {code} is not a list of names in wire form")


FIXED_SIZES = {IA_NA: 12, IA_TA: 4, STATUS: 2, CLIENT_FQDN: 1}  # bytes before what may follow
IA_FIXED_SIZES = {IA_ADDRESS: 24, STATUS: 2}  # inside an association


def read(data: bytes) -> list[Event]:
    """The message of one datagram, and its faults behind it. `data` may be any bytes."""
    reading = _Reading()
    relays: list[Relay] = []
    message, whole = data, data
    while message[:1] in (b"\x0c", b"\x0d"):
        if len(relays) == MAX_RELAYS:
            return [LimitReached(NAME, "MAX_RELAYS", MAX_RELAYS, "the message inside is not read")]
        if len(message) < RELAY_SIZE:
            return [Malformed(NAME, f"{len(message)} of {RELAY_SIZE} bytes of a relay message", whole)]
        link, peer = Endpoint(message[2:18], 0).address, Endpoint(message[18:34], 0).address
        relays.append(Relay(message[0], message[1], link, peer))
        reading.inner = None
        reading.read(message[RELAY_SIZE:])
        if reading.inner is None:
            return [Malformed(NAME, "; ".join([*reading.faults, "a relay message with no message inside"]), whole)]
        message = reading.inner
    if len(message) < SIZE:
        return [Malformed(NAME, f"{len(message)} of {SIZE} bytes", whole)]
    reading.read(message[SIZE:])
    found = reading.values | {name: tuple(values) for name, values in reading.lists.items()}
    event = Dhcpv6Message(message[0], int.from_bytes(message[1:4], "big"), tuple(relays), **found)
    return [event, *(Malformed(NAME, fault, whole) for fault in reading.faults)]


class Dhcpv6Dissector(DatagramDissector):
    """One event a datagram, and what is wrong with it."""

    layer = NAME

    def events(self, data: bytes) -> Iterable[Event]:
        return read(data)


def recognise(data: bytes, direction: Direction, context: Context) -> Verdict:  # noqa: ARG001
    """A known type whose options carry an id or a message inside; on DHCPv6 ports any known type."""
    if context.transport != "udp" or not data or data[0] not in MESSAGE_TYPES:
        return NO
    if context.client.port in PORTS and context.server.port in PORTS:
        return YES
    at = RELAY_SIZE if data[0] in (RELAY_FORW, RELAY_REPL) else SIZE
    if data[at : at + 1] != b"\0":
        return NO
    reading = _Reading()
    codes = {code for code, _ in reading.options(data[at:])}
    return YES if not reading.faults and codes & {CLIENT_ID, SERVER_ID, RELAY_MESSAGE} else NO


DHCPV6 = Protocol(NAME, "udp", PORTS, recognise, Dhcpv6Dissector, lambda: declared_by(Dhcpv6Message))
