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
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from amtdecode.model import Direction, Endpoint, Event, Field, Malformed
from amtdecode.protocols.dhcp.common import labels, names, text
from amtdecode.protocols.dissector import NO, YES, Context, DatagramDissector, Protocol, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

NAME = "dhcp"
PORTS = frozenset({67, 68})
HEADER_SIZE = 240  # BOOTP and the cookie
# op, hardware type and length of its addresses, -, xid, -, -, ciaddr, yiaddr, siaddr, giaddr, chaddr, sname, file
_HEADER = struct.Struct(">BBBxI4x4s4s4s4s16s64s128s")
COOKIE = b"\x63\x82\x53\x63"  # RFC 2131 section 3
ETHERNET = 1

DISCOVER, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE, INFORM = range(1, 9)
MESSAGE_TYPES = {  # RFC 2132 section 9.6
    DISCOVER: "Discover",
    OFFER: "Offer",
    REQUEST: "Request",
    DECLINE: "Decline",
    ACK: "ACK",
    NAK: "NAK",
    RELEASE: "Release",
    INFORM: "Inform",
}

PAD, END = 0, 255
SUBNET_MASK, ROUTER, DNS_SERVERS, HOST_NAME, DOMAIN_NAME = 1, 3, 6, 12, 15
REQUESTED_ADDRESS, LEASE_TIME, OVERLOAD, MESSAGE_TYPE, SERVER_ID, PARAMETERS = 50, 51, 52, 53, 54, 55
RENEWAL_TIME, REBINDING_TIME, VENDOR_CLASS, CLIENT_ID, CLIENT_FQDN, CLIENT_UUID = 58, 59, 60, 61, 81, 97
FOUR_BYTES = {SUBNET_MASK, REQUESTED_ADDRESS, SERVER_ID, LEASE_TIME, RENEWAL_TIME, REBINDING_TIME}
ADDRESSES = {ROUTER, DNS_SERVERS}
FQDN_WIRE_FORM = 0x04  # the E bit, RFC 4702 section 2.1
UNSPECIFIED = "0.0.0.0"  # noqa: S104 - as read in a packet


class DhcpMessage(Event, frozen=True):
    """One message. Addresses are text, times seconds; an option that is absent is `None` or empty."""

    protocol: ClassVar[str] = NAME
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

    def _text(self, code: int) -> str | None:
        value = self.option(code)
        return None if value is None else text(value)

    def _addresses(self, code: int) -> tuple[str, ...]:
        value = self.option(code) or b""
        return tuple(Endpoint(value[at : at + 4], 0).address for at in range(0, len(value) - 3, 4))

    def _address(self, code: int) -> str | None:
        return next(iter(self._addresses(code)), None)

    def _number(self, code: int, size: int = 4) -> int | None:
        value = self.option(code)
        return int.from_bytes(value, "big") if value is not None and len(value) == size else None

    @property
    def message_type(self) -> int | None:
        """Option 53; `None` in plain BOOTP."""
        return self._number(MESSAGE_TYPE, 1)

    @property
    def server_id(self) -> str | None:
        """Option 54: the server that speaks or is chosen."""
        return self._address(SERVER_ID)

    @property
    def requested_address(self) -> str | None:
        """Option 50."""
        return self._address(REQUESTED_ADDRESS)

    @property
    def lease_time(self) -> int | None:
        """Option 51, seconds."""
        return self._number(LEASE_TIME)

    @property
    def dns_servers(self) -> tuple[str, ...]:
        """Option 6."""
        return self._addresses(DNS_SERVERS)

    @property
    def host_name(self) -> str | None:
        """Option 12."""
        return self._text(HOST_NAME)

    @property
    def domain_name(self) -> str | None:
        """Option 15 up to a NUL; its bytes are `option(15)`."""
        return self._text(DOMAIN_NAME)

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

    def summary(self) -> str:
        """See `Event`."""
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

    def fields(self) -> dict[str, Any]:
        """See `Event`."""
        domain = self.option(DOMAIN_NAME)
        fqdn = self.option(CLIENT_FQDN)
        found: dict[str, Any] = {
            "dhcp.type": self.operation,
            "dhcp.id": self.transaction,
            "dhcp.hw.mac_addr": self.mac or None,
            "dhcp.ip.client": self.client_address,
            "dhcp.ip.your": self.your_address,
            "dhcp.ip.server": self.next_server,
            "dhcp.ip.relay": self.relay,
            "dhcp.option.type": [code for code, _ in self.options],
            "dhcp.option.dhcp": self.message_type,
            "dhcp.option.dhcp_server_id": self.server_id,
            "dhcp.option.requested_ip_address": self.requested_address,
            "dhcp.option.ip_address_lease_time": self.lease_time,
            "dhcp.option.renewal_time_value": self._number(RENEWAL_TIME),
            "dhcp.option.rebinding_time_value": self._number(REBINDING_TIME),
            "dhcp.option.subnet_mask": self._address(SUBNET_MASK),
            "dhcp.option.router": list(self._addresses(ROUTER)) or None,
            "dhcp.option.domain_name_server": list(self.dns_servers) or None,
            "dhcp.option.hostname": self.host_name,
            "dhcp.option.domain_name": self.domain_name,
            "iamt.dhcp.option.domain_name.raw": None if domain is None else domain.hex(),
            "dhcp.option.vendor_class_id": self._text(VENDOR_CLASS),
            "dhcp.option.request_list_item": list(self.option(PARAMETERS) or b"") or None,
            "dhcp.fqdn.flags": fqdn[0] if fqdn else None,
            "dhcp.fqdn.name": self.fqdn,
            "iamt.dhcp.client_id": (self.option(CLIENT_ID) or b"").hex() or None,
            "dhcp.client_id.uuid": self.uuid,
            "dhcp.option.option_overload": self._number(OVERLOAD, 1),
        }
        return {name: value for name, value in found.items() if value is not None}


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
            return f"option {code} wants {size} bytes, {end - at} are left"
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
    return f"option {code} has {size} bytes" if wrong else ""


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
        """See `DatagramDissector`."""
        return read(data)


def recognise(data: bytes, direction: Direction, context: Context) -> Verdict:  # noqa: ARG001
    """The cookie behind a BOOTP header."""
    ours = data[236:HEADER_SIZE] == COOKIE and data[:1] in (b"\1", b"\2")
    return YES if ours and context.transport == "udp" else NO


def fields() -> Sequence[Field]:
    """The room's part of the field catalogue."""
    return (
        Field("dhcp.type", "int", "1 from the client, 2 from the server"),
        Field("dhcp.id", "int", "transaction id"),
        Field("dhcp.hw.mac_addr", "str", "hardware address of the client"),
        Field("dhcp.ip.client", "str", "address the client already uses"),
        Field("dhcp.ip.your", "str", "address given to the client"),
        Field("dhcp.ip.server", "str", "next server of a network boot"),
        Field("dhcp.ip.relay", "str", "relay agent"),
        Field("dhcp.option.type", "int[]", "codes of all options, without padding and end"),
        Field("dhcp.option.dhcp", "int", "message type: 1 Discover … 5 ACK, 6 NAK, 8 Inform"),
        Field("dhcp.option.dhcp_server_id", "str", "option 54: the server that speaks or is chosen"),
        Field("dhcp.option.requested_ip_address", "str", "option 50: address the client asks for"),
        Field("dhcp.option.ip_address_lease_time", "int", "option 51: lease time in seconds"),
        Field("dhcp.option.renewal_time_value", "int", "option 58: seconds until renewal"),
        Field("dhcp.option.rebinding_time_value", "int", "option 59: seconds until rebinding"),
        Field("dhcp.option.subnet_mask", "str", "option 1"),
        Field("dhcp.option.router", "str[]", "option 3"),
        Field("dhcp.option.domain_name_server", "str[]", "option 6: DNS servers"),
        Field("dhcp.option.hostname", "str", "option 12: host name"),
        Field("dhcp.option.domain_name", "str", "option 15: domain, up to a NUL"),
        Field("iamt.dhcp.option.domain_name.raw", "bytes", "option 15 as it came: NUL, spaces and dots to be seen"),
        Field("dhcp.option.vendor_class_id", "str", "option 60"),
        Field("dhcp.option.request_list_item", "int[]", "option 55: codes the client asks for"),
        Field("dhcp.fqdn.flags", "int", "option 81: flags"),
        Field("dhcp.fqdn.name", "str", "option 81: name of the client"),
        Field("iamt.dhcp.client_id", "bytes", "option 61 as it came"),
        Field("dhcp.client_id.uuid", "str", "option 97: UUID of the machine, SMBIOS order"),
        Field(
            "dhcp.option.option_overload", "int", "option 52: 1 the file field holds options, 2 the sname field, 3 both"
        ),
    )


DHCP = Protocol(NAME, "udp", PORTS, recognise, DhcpDissector, fields)
