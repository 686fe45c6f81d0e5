"""DHCP for IPv4: the lease, and in it the domain and the DNS servers by which a machine looks for its server.

Protocol    DHCP over BOOTP
Transport   UDP, client port 68, server port 67; each datagram is one message
First word  the client (Discover, or Request when it knows a lease)
Framing     236 bytes of BOOTP, the magic cookie 63 82 53 63, then options: code, length, value; 0 pads, 255 ends
Byte order  big-endian
Source      RFC 2131, RFC 2132; RFC 3396 (split options), RFC 4702 (client FQDN), RFC 4578 (machine UUID)
Limits      none: nothing is kept between datagrams
Not covered BOOTP without the magic cookie; options not listed in `fields` are named by their codes only; option 119,
            which the firmware does not use (Intel AMT Implementation and Reference Guide names option 15)

The firmware compares option 15 with the name in the setup certificate, so its bytes are kept as they came: a NUL,
a space, a leading dot or a second suffix must stay visible.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, ClassVar
from uuid import UUID

from amtdecode.counting import counted
from amtdecode.fields import Fields, declared_by
from amtdecode.model import Direction, Endpoint, Event, Malformed
from amtdecode.protocols.dhcp.common import labels, names, text
from amtdecode.protocols.dhcp.fields4 import (
    ADDRESSES,
    CLIENT_FQDN,
    CLIENT_UUID,
    COOKIE,
    DHCP_MESSAGE,
    DNS_SERVERS,
    DOMAIN_NAME,
    END,
    ETHERNET,
    FOUR_BYTES,
    FQDN_WIRE_FORM,
    HOST_NAME,
    LEASE_TIME,
    MESSAGE_TYPE,
    MESSAGE_TYPES,
    OVERLOAD,
    PAD,
    REQUESTED_ADDRESS,
    SERVER_ID,
)
from amtdecode.protocols.dissector import NO, YES, Context, DatagramDissector, Protocol, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amtdecode.tree import Node

NAME = "dhcp"
PORTS = frozenset({67, 68})
HEADER_SIZE = 240  # BOOTP and the cookie
FIXED_SIZE = 44  # BOOTP up to the client's hardware address
# op, hardware type and length of its addresses, -, xid, -, -, ciaddr, yiaddr, siaddr, giaddr, chaddr, sname, file
_HEADER = struct.Struct(">BBBxI4x4s4s4s4s16s64s128s")
UNSPECIFIED = "0.0.0.0"  # noqa: S104 - as read in a packet


class DhcpMessage(Event, frozen=True):
    """One message. Addresses are text, times seconds; an option that is absent is `None` or empty."""

    protocol: ClassVar[str] = NAME
    declared: ClassVar[Fields] = DHCP_MESSAGE
    operation: int  # 1 from the client, 2 from the server
    transaction: int  # xid
    mac: str  # client hardware address as 00:11:22:33:44:55; empty where it is not Ethernet's
    client_address: str = UNSPECIFIED  # ciaddr
    your_address: str = UNSPECIFIED  # yiaddr: the lease
    next_server: str = UNSPECIFIED  # siaddr
    relay: str = UNSPECIFIED  # giaddr
    options: tuple[tuple[int, bytes], ...] = ()
    """Codes and values in order of appearance, split options put together at their first part."""

    def option(self, code: int) -> bytes | None:
        """The bytes of an option as they came."""
        return next((value for found, value in self.options if found == code), None)

    @property
    def option_codes(self) -> list[int]:
        """The code of each option."""
        return [code for code, _ in self.options]

    def text(self, code: int) -> str | None:
        """An option as text, up to a NUL."""
        value = self.option(code)
        return None if value is None else text(value)

    def addresses(self, code: int) -> tuple[str, ...]:
        """An option as IPv4 addresses."""
        value = self.option(code) or b""
        return tuple(Endpoint(value[at : at + 4], 0).address for at in range(0, len(value) - 3, 4))

    def number(self, code: int, size: int = 4) -> int | None:
        """An option as a number of `size` bytes; `None` where it has another length."""
        value = self.option(code)
        return int.from_bytes(value, "big") if value is not None and len(value) == size else None

    @property
    def message_type(self) -> int | None:
        """Option 53; `None` in plain BOOTP."""
        return self.number(MESSAGE_TYPE, 1)

    @property
    def server_id(self) -> str | None:
        """Option 54: the server that speaks or is chosen."""
        return next(iter(self.addresses(SERVER_ID)), None)

    @property
    def requested_address(self) -> str | None:
        """Option 50."""
        return next(iter(self.addresses(REQUESTED_ADDRESS)), None)

    @property
    def lease_time(self) -> int | None:
        """Option 51, seconds."""
        return self.number(LEASE_TIME)

    @property
    def dns_servers(self) -> tuple[str, ...]:
        """Option 6."""
        return self.addresses(DNS_SERVERS)

    @property
    def host_name(self) -> str | None:
        """Option 12."""
        return self.text(HOST_NAME)

    @property
    def domain_name(self) -> str | None:
        """Option 15 up to a NUL; its bytes are `option(15)`."""
        return self.text(DOMAIN_NAME)

    @property
    def fqdn(self) -> str | None:
        """Option 81, in either of its forms; `None` where absent or unreadable."""
        value = self.option(CLIENT_FQDN)
        if value is None or len(value) < 3:
            return None
        if not value[0] & FQDN_WIRE_FORM:
            return text(value[3:])
        found = labels(value[3:])
        return None if found is None else ".".join(names(found))

    @property
    def uuid(self) -> str | None:
        """Option 97 of a network boot: the machine's UUID in SMBIOS order, as the hello has it."""
        value = self.option(CLIENT_UUID)
        return str(UUID(bytes_le=value[1:])) if value is not None and len(value) == 17 and value[0] == 0 else None

    @property
    def kind(self) -> str:
        """The message type in words."""
        number = self.message_type
        return "BOOTP" if number is None else MESSAGE_TYPES.get(number, f"type {number}")

    def tree(self, pdu: bytes) -> tuple[Node, ...]:
        from amtdecode.protocols.declaration import tree_of
        from amtdecode.protocols.dhcp.spec4 import MESSAGE

        return tree_of(MESSAGE, pdu)

    def summary(self) -> str:
        parts = [f"DHCP {self.kind} {self.mac or 'no MAC'}"]
        if self.operation == 2 and self.your_address != UNSPECIFIED:
            parts.append(f"address {self.your_address}")
        if self.operation == 1 and self.requested_address:
            parts.append(f"asks for {self.requested_address}")
        if (name := self.fqdn or self.host_name) is not None:
            parts.append(f"host {name}")
        if self.domain_name is not None:
            parts.append(f"domain {self.domain_name}")
        if self.dns_servers:
            parts.append(f"DNS {' '.join(self.dns_servers)}")
        if self.lease_time is not None:
            parts.append(f"lease {self.lease_time} s")
        return ", ".join(parts)


def read_options(area: bytes, found: list[tuple[int, bytes]]) -> str:
    """Append the options of one area to `found`; what is wrong with the area, in words, or an empty text."""
    at, end = 0, len(area)
    while at < end:
        code = area[at]
        at += 1
        if code == PAD:
            continue
        if code == END:
            return ""
        if at == end:
            return f"option {code} has no length"
        size = area[at]
        at += 1
        if at + size > end:
            return f"option {code} wants {counted(size, 'byte')}, {end - at} are left"
        found.append((code, area[at : at + size]))
        at += size
    return ""


def together(parts: list[tuple[int, bytes]]) -> tuple[tuple[int, bytes], ...]:
    """Options split over several parts put together, in order of appearance (RFC 3396 section 7)."""
    joined: dict[int, bytes] = {}
    for code, value in parts:
        joined[code] = joined.get(code, b"") + value
    return tuple(joined.items())


def odd_value(code: int, value: bytes) -> str:
    """What is wrong with the length of an option's value, in words, or an empty text."""
    size = len(value)
    wrong = (
        (code in FOUR_BYTES and size != 4)
        or (code in ADDRESSES and (size == 0 or size % 4 != 0))
        or (code in (MESSAGE_TYPE, OVERLOAD) and size != 1)
        or (code == CLIENT_FQDN and size < 3)
    )
    if not wrong and code == CLIENT_FQDN and value[0] & FQDN_WIRE_FORM and labels(value[3:]) is None:
        return "option 81 is not a name in wire form, as its flag says"
    return f"option {code} has {counted(size, 'byte')}" if wrong else ""


def read(data: bytes) -> list[Event]:
    """The message of one datagram, and its faults behind it. `data` may be any bytes."""
    if len(data) < HEADER_SIZE:
        return [Malformed(NAME, f"{len(data)} of {HEADER_SIZE} header bytes", data)]
    op, hardware, size, number, *addresses, mac, host, file = _HEADER.unpack_from(data)
    client, yours, server, relay = (Endpoint(packed, 0).address for packed in addresses)
    if data[HEADER_SIZE - 4 : HEADER_SIZE] != COOKIE:
        return [Malformed(NAME, "no magic cookie", data[HEADER_SIZE - 4 : HEADER_SIZE])]
    parts: list[tuple[int, bytes]] = []
    faults = [read_options(data[HEADER_SIZE:], parts)]
    overload = next((value[0] for code, value in parts if code == OVERLOAD and value), 0)
    # RFC 2132 section 9.3: 1 the file field holds options, 2 the sname field, 3 both; file first (RFC 2131 section 4.1)
    faults += [read_options(area, parts) for bit, area in ((1, file), (2, host)) if overload & bit]
    shown = mac[:size].hex(":") if (hardware, size) == (ETHERNET, 6) else ""
    message = DhcpMessage(op, number, shown, client, yours, server, relay, together(parts))
    faults += [odd_value(code, value) for code, value in message.options]
    return [message, *(Malformed(NAME, fault, data[HEADER_SIZE:]) for fault in faults if fault)]


class DhcpDissector(DatagramDissector):
    """One event a datagram, and what is wrong with it."""

    layer = NAME

    def events(self, data: bytes) -> Iterable[Event]:
        return read(data)


class FullDhcpDissector(DhcpDissector):
    """The same, and the header of messages that have no options, or were cut before them."""

    def events(self, data: bytes) -> Iterable[Event]:
        if data[HEADER_SIZE - 4 : HEADER_SIZE] == COOKIE or len(data) < FIXED_SIZE:
            return read(data)
        whole = data[: HEADER_SIZE - 4].ljust(HEADER_SIZE - 4, b"\0") + COOKIE
        fault = f"{len(data)} of {HEADER_SIZE} header bytes" if len(data) < HEADER_SIZE else "no magic cookie"
        return [*read(whole + bytes((END,))), Malformed(NAME, fault, data)]


def recognise(data: bytes, direction: Direction, context: Context) -> Verdict:  # noqa: ARG001
    """The cookie behind a BOOTP header."""
    ours = data[236:HEADER_SIZE] == COOKIE and data[:1] in (b"\1", b"\2")
    return YES if ours and context.transport == "udp" else NO


def recognise_every(data: bytes, direction: Direction, context: Context) -> Verdict:
    """Also BOOTP without options, and what the capture cut before them."""
    at_home = context.server.port in PORTS and context.client.port in PORTS and data[:1] in (b"\1", b"\2")
    return YES if at_home else recognise(data, direction, context)


_MACHINES = Protocol(NAME, "udp", PORTS, recognise, DhcpDissector, lambda: declared_by(DhcpMessage))
DHCP = _MACHINES._replace(in_full=_MACHINES._replace(recognise=recognise_every, dissector=FullDhcpDissector))
