"""DHCPv6 declared: RFC 8415 sections 8, 9 and 21, RFC 3646 sections 3 and 4, RFC 4704 section 4.

The reference for `v6.py`, what `tree()` reads by, and the builder of test vectors. Big-endian throughout.
`MESSAGE.parse` raises `construct.ConstructError` on bytes that break these rules.
"""

from __future__ import annotations

from typing import Any

from construct import (
    Bytes,
    Check,
    Computed,
    ExprValidator,
    GreedyBytes,
    GreedyRange,
    Int8ub,
    Int16ub,
    Int32ub,
    LazyBound,
    Prefixed,
    RepeatUntil,
    Struct,
    Switch,
    Terminated,
    this,
)

from amtdecode.fields import STRING, UINT16, UINT32, Field
from amtdecode.protocols.declaration import Inside, Items, Placed, Sized, grouped
from amtdecode.protocols.dhcp import fields6 as v6
from amtdecode.protocols.dhcp.common import names

item = Items(
    v6.DHCPV6_MESSAGE,
    Field("dhcpv6.option.length", UINT16, "bytes of the option's value"),
    Field("dhcpv6.iaid.t1", UINT32, "seconds until renewal"),
    Field("dhcpv6.iaid.t2", UINT32, "seconds until rebinding"),
    Field("dhcpv6.status_message", STRING, "status in words"),
)

ADDRESS = Bytes(16)

LABEL = Prefixed(ExprValidator(Int8ub, lambda size, _: size <= 63), GreedyBytes)  # RFC 1035; an empty one ends a name


def _names(own: Any) -> str:
    return ".".join(names(own.labels))


DNS_SERVERS = Struct("addresses" / GreedyRange(item("dhcpv6.dns_server", ADDRESS)), Terminated)
# a list of names, each of labels up to an empty one
NAME = Struct("labels" / RepeatUntil(lambda label, *_: label == b"", LABEL))
DOMAIN_LIST = Struct("names" / GreedyRange(item("dhcpv6.search_list_entry", NAME, shown=_names)), Terminated)
CLIENT_FQDN = Struct(
    "flags" / Int8ub,
    "name" / item("dhcpv6.client_domain", Struct("labels" / GreedyRange(LABEL)), shown=lambda own: _names(own) or None),
    Terminated,
)
STATUS = Struct("code" / item("dhcpv6.status_code", Int16ub), "message" / GreedyBytes)
DUID = item("dhcpv6.duid.bytes", GreedyBytes)


def _option(known: dict[int, Any]) -> Any:
    """An option: its value by code, plain bytes for codes not known in this place."""
    value = Switch(this.code, known, default=GreedyBytes)
    return grouped(
        lambda option: f"Option {option.code}",
        Struct(
            "code" / item("dhcpv6.option.type", Int16ub),
            "value" / Sized(item("dhcpv6.option.length", Int16ub), value),
        ),
    )


def _options(option: Any) -> tuple[Any, Any]:
    return "options" / GreedyRange(option), Terminated


IA_ADDRESS = Struct(
    "address" / item("dhcpv6.iaaddr.ip", ADDRESS),
    "preferred" / item("dhcpv6.iaaddr.pref_lifetime", Int32ub),  # seconds
    "valid" / item("dhcpv6.iaaddr.valid_lifetime", Int32ub),
    *_options(_option({v6.STATUS: STATUS})),
)
IA_OPTION = _option({v6.IA_ADDRESS: IA_ADDRESS, v6.STATUS: STATUS})
IA_NA = Struct(
    "iaid" / item("dhcpv6.iaid", Int32ub, shown=lambda number: f"{number:08x}"),
    "t1" / item("dhcpv6.iaid.t1", Int32ub),
    "t2" / item("dhcpv6.iaid.t2", Int32ub),
    *_options(IA_OPTION),
)
IA_TA = Struct("iaid" / Int32ub, *_options(IA_OPTION))

KNOWN = {
    v6.CLIENT_ID: DUID,
    v6.SERVER_ID: DUID,
    v6.IA_NA: IA_NA,
    v6.IA_TA: IA_TA,
    v6.STATUS: STATUS,
    v6.DNS_SERVERS: DNS_SERVERS,
    v6.DOMAIN_LIST: DOMAIN_LIST,
    v6.CLIENT_FQDN: CLIENT_FQDN,
}
OPTION = _option(KNOWN)
RELAY_OPTION = _option(KNOWN | {v6.RELAY_MESSAGE: Placed()})

CLIENT_BODY = Struct(
    "transaction" / item("dhcpv6.xid", Bytes(3), shown=lambda raw: int.from_bytes(raw, "big")), *_options(OPTION)
)
RELAY_BODY = Struct(
    "hops" / item("dhcpv6.hopcount", Int8ub),
    "link" / item("dhcpv6.linkaddr", ADDRESS),
    "peer" / item("dhcpv6.peeraddr", ADDRESS),
    *_options(RELAY_OPTION),
    "wrapped" / Computed(lambda own: [option.value for option in own.options if option.code == v6.RELAY_MESSAGE]),
    Check(lambda own: bool(own.wrapped)),
    "inner" / grouped("Relayed message", Inside(lambda own: own.wrapped[-1], LazyBound(lambda: MESSAGE))),
)
MESSAGE: Any = Struct(
    "type" / item("dhcpv6.msgtype", Int8ub),
    "body" / Switch(this.type, {v6.RELAY_FORW: RELAY_BODY, v6.RELAY_REPL: RELAY_BODY}, default=CLIENT_BODY),
    Terminated,
)
