"""The fields of DHCP messages, under tshark's names; option codes (RFC 2132)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amtdecode.fields import BYTES, ETHER, GUID, IPV4, STRING, UINT8, UINT32, Field, Fields

if TYPE_CHECKING:
    from collections.abc import Callable

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


def _text(code: int) -> Callable[[Any], str | None]:
    return lambda message: message.text(code)


def _address(code: int) -> Callable[[Any], str | None]:
    return lambda message: next(iter(message.addresses(code)), None)


def _addresses(code: int) -> Callable[[Any], tuple[str, ...]]:
    return lambda message: message.addresses(code)


def _number(code: int, size: int = 4) -> Callable[[Any], int | None]:
    return lambda message: message.number(code, size)


def _option(code: int) -> Callable[[Any], bytes | None]:
    return lambda message: message.option(code)


DHCP_MESSAGE: Fields = (
    Field("dhcp.type", UINT8, "who speaks", "operation", values={1: "the client", 2: "the server"}),
    Field("dhcp.id", UINT32, "transaction id", "transaction"),
    Field("dhcp.hw.mac_addr", ETHER, "hardware address of the client", "mac", ""),
    Field("dhcp.ip.client", IPV4, "address the client already uses", "client_address"),
    Field("dhcp.ip.your", IPV4, "address given to the client", "your_address"),
    Field("dhcp.ip.server", IPV4, "next server of a network boot", "next_server"),
    Field("dhcp.ip.relay", IPV4, "relay agent", "relay"),
    Field("dhcp.option.type", UINT8, "codes of all options, without padding and end", "option_codes", repeated=True),
    Field("dhcp.option.dhcp", UINT8, "option 53: message type", "message_type", None, MESSAGE_TYPES),
    Field("dhcp.option.dhcp_server_id", IPV4, "option 54: the server that speaks or is chosen", "server_id", None),
    Field(
        "dhcp.option.requested_ip_address",
        IPV4,
        "option 50: address the client asks for",
        "requested_address",
        None,
    ),
    Field("dhcp.option.ip_address_lease_time", UINT32, "option 51: lease time in seconds", "lease_time", None),
    Field("dhcp.option.renewal_time_value", UINT32, "option 58: seconds until renewal", _number(RENEWAL_TIME), None),
    Field(
        "dhcp.option.rebinding_time_value",
        UINT32,
        "option 59: seconds until rebinding",
        _number(REBINDING_TIME),
        None,
    ),
    Field("dhcp.option.subnet_mask", IPV4, "option 1", _address(SUBNET_MASK), None),
    Field("dhcp.option.router", IPV4, "option 3", _addresses(ROUTER), (), repeated=True),
    Field("dhcp.option.domain_name_server", IPV4, "option 6: DNS servers", "dns_servers", (), repeated=True),
    Field("dhcp.option.hostname", STRING, "option 12: host name", "host_name", None),
    Field("dhcp.option.domain_name", STRING, "option 15: domain, up to a NUL", "domain_name", None),
    Field(
        "iamt.dhcp.option.domain_name.raw",
        BYTES,
        "option 15 as it came: NUL, spaces and dots to be seen",
        _option(DOMAIN_NAME),
        None,
    ),
    Field("dhcp.option.vendor_class_id", STRING, "option 60", _text(VENDOR_CLASS), None),
    Field(
        "dhcp.option.request_list_item",
        UINT8,
        "option 55: codes the client asks for",
        _option(PARAMETERS),
        b"",
        repeated=True,
    ),
    Field(
        "dhcp.fqdn.flags",
        UINT8,
        "option 81: flags",
        lambda message: next(iter(message.option(CLIENT_FQDN) or b""), None),
        None,
    ),
    Field("dhcp.fqdn.name", STRING, "option 81: name of the client", "fqdn", None),
    Field("iamt.dhcp.client_id", BYTES, "option 61 as it came", _option(CLIENT_ID), b""),
    Field("dhcp.client_id.uuid", GUID, "option 97: UUID of the machine, SMBIOS order", "uuid", None),
    Field(
        "dhcp.option.option_overload",
        UINT8,
        "option 52: which fields of the header hold options",
        _number(OVERLOAD, 1),
        None,
        {1: "file", 2: "sname", 3: "file and sname"},
    ),
)
