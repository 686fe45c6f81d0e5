"""The fields of DHCPv6 messages, under tshark's names; option codes (RFC 8415, RFC 3646, RFC 4704)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amtdecode.fields import BYTES, ETHER, GUID, IPV6, STRING, UINT8, UINT16, UINT24, UINT32, Field, Fields

if TYPE_CHECKING:
    from collections.abc import Callable

RELAY_FORW, RELAY_REPL = 12, 13
MESSAGE_TYPES = {  # RFC 8415 section 7.3
    1: "Solicit",
    2: "Advertise",
    3: "Request",
    4: "Confirm",
    5: "Renew",
    6: "Rebind",
    7: "Reply",
    8: "Release",
    9: "Decline",
    10: "Reconfigure",
    11: "Information-request",
    RELAY_FORW: "Relay-forward",
    RELAY_REPL: "Relay-reply",
}

CLIENT_ID, SERVER_ID, IA_NA, IA_TA, IA_ADDRESS, RELAY_MESSAGE, STATUS = 1, 2, 3, 4, 5, 9, 13
DNS_SERVERS, DOMAIN_LIST, CLIENT_FQDN = 23, 24, 39
DUID_LLT, DUID_LL, DUID_UUID = 1, 3, 4
ETHERNET = 1


STATUS_CODES = {  # RFC 8415 section 21.13
    0: "Success",
    1: "UnspecFail",
    2: "NoAddrsAvail",
    3: "NoBinding",
    4: "NotOnLink",
    5: "UseMulticast",
    6: "NoPrefixAvail",
}


def _each(several: str, attribute: str) -> Callable[[Any], list[Any]]:
    return lambda message: [getattr(each, attribute) for each in getattr(message, several)]


DHCPV6_MESSAGE: Fields = (
    Field(
        "dhcpv6.msgtype",
        UINT8,
        "message types, relay wrappers first",
        lambda event: [*(relay.message_type for relay in event.relays), event.message_type],
        values=MESSAGE_TYPES,
        repeated=True,
    ),
    Field("dhcpv6.xid", UINT24, "transaction id", "transaction"),
    Field("dhcpv6.hopcount", UINT8, "hop count of each relay wrapper", _each("relays", "hops"), (), repeated=True),
    Field("dhcpv6.linkaddr", IPV6, "link address of each relay wrapper", _each("relays", "link"), (), repeated=True),
    Field("dhcpv6.peeraddr", IPV6, "peer address of each relay wrapper", _each("relays", "peer"), (), repeated=True),
    Field("dhcpv6.option.type", UINT16, "codes of all options", "options", (), repeated=True),
    Field(
        "dhcpv6.duid.bytes",
        BYTES,
        "DUIDs: the client's, then the server's",
        lambda event: [duid.hex() for duid in (event.client_id, event.server_id) if duid is not None],
        (),
        repeated=True,
    ),
    Field("iamt.dhcpv6.client.mac", ETHER, "Ethernet address in the client's DUID", "mac", ""),
    Field("iamt.dhcpv6.client.uuid", GUID, "UUID in the client's DUID", "uuid", None),
    Field(
        "dhcpv6.iaid",
        STRING,
        "identity associations, eight hex digits each",
        lambda event: [f"{number:08x}" for number in event.associations],
        (),
        repeated=True,
    ),
    Field("dhcpv6.iaaddr.ip", IPV6, "addresses given or asked for", _each("leases", "address"), (), repeated=True),
    Field(
        "dhcpv6.iaaddr.pref_lifetime",
        UINT32,
        "preferred lifetime of each address in seconds",
        _each("leases", "preferred"),
        (),
        repeated=True,
    ),
    Field(
        "dhcpv6.iaaddr.valid_lifetime",
        UINT32,
        "valid lifetime of each address in seconds",
        _each("leases", "valid"),
        (),
        repeated=True,
    ),
    Field("dhcpv6.dns_server", IPV6, "option 23: DNS servers", "dns_servers", (), repeated=True),
    Field("dhcpv6.search_list_entry", STRING, "option 24: domains", "domains", (), repeated=True),
    Field("iamt.dhcpv6.domain_list.raw", BYTES, "option 24 as it came", "domain_list", b""),
    Field("dhcpv6.client_domain", STRING, "option 39: name of the client", "fqdn", ""),
    Field("dhcpv6.status_code", UINT16, "status codes", "statuses", (), STATUS_CODES, repeated=True),
)
