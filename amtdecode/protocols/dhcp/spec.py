"""DHCP declared: the header of DHCPv4, and DHCPv6 whole.

RFC 2131 section 2; RFC 8415 sections 8, 9 and 21, RFC 3646 sections 3 and 4, RFC 4704 section 4.

The reference for `v4.py` and `v6.py`, and the builder of test vectors. Big-endian throughout. `BOOTP.parse` and
`MESSAGE.parse` raise `construct.ConstructError` on bytes that break these rules.
"""

from __future__ import annotations

from typing import Any

from construct import (
    Bytes,
    Check,
    Computed,
    Const,
    ExprValidator,
    GreedyBytes,
    GreedyRange,
    Int8ub,
    Int16ub,
    Int32ub,
    LazyBound,
    Prefixed,
    RestreamData,
    Struct,
    Switch,
    Terminated,
    this,
)

BOOTP = Struct(
    "op" / Int8ub,
    "htype" / Int8ub,
    "hlen" / Int8ub,
    "hops" / Int8ub,
    "xid" / Int32ub,
    "secs" / Int16ub,
    "flags" / Int16ub,
    "ciaddr" / Bytes(4),
    "yiaddr" / Bytes(4),
    "siaddr" / Bytes(4),
    "giaddr" / Bytes(4),
    "chaddr" / Bytes(16),
    "sname" / Bytes(64),
    "file" / Bytes(128),
    "cookie" / Const(b"\x63\x82\x53\x63"),
    "options" / GreedyBytes,
)

ADDRESS = Bytes(16)

LABEL = Prefixed(ExprValidator(Int8ub, lambda size, _: size <= 63), GreedyBytes)  # RFC 1035; an empty one ends a name

DNS_SERVERS = Struct("addresses" / GreedyRange(ADDRESS), Terminated)
DOMAIN_LIST = Struct(
    "labels" / GreedyRange(LABEL), Terminated, Check(lambda own: not own.labels or own.labels[-1] == b"")
)
CLIENT_FQDN = Struct("flags" / Int8ub, "labels" / GreedyRange(LABEL), Terminated)
STATUS = Struct("code" / Int16ub, "message" / GreedyBytes)


def _option(known: dict[int, object]) -> Struct:
    """An option: its value by code, plain bytes for codes not known in this place."""
    value = Prefixed(Int16ub, Switch(this.code, known, default=GreedyBytes))
    return Struct("code" / Int16ub, "value" / value)


def _options(option: Struct) -> tuple[object, object]:
    return "options" / GreedyRange(option), Terminated


IA_ADDRESS = Struct(
    "address" / ADDRESS,
    "preferred" / Int32ub,  # lifetime, seconds
    "valid" / Int32ub,
    *_options(_option({13: STATUS})),
)
IA_OPTION = _option({5: IA_ADDRESS, 13: STATUS})
IA_NA = Struct("iaid" / Int32ub, "t1" / Int32ub, "t2" / Int32ub, *_options(IA_OPTION))  # T1, T2 in seconds
IA_TA = Struct("iaid" / Int32ub, *_options(IA_OPTION))

OPTION = _option({3: IA_NA, 4: IA_TA, 13: STATUS, 23: DNS_SERVERS, 24: DOMAIN_LIST, 39: CLIENT_FQDN})

CLIENT_BODY = Struct("transaction" / Bytes(3), *_options(OPTION))
RELAY_BODY = Struct(
    "hops" / Int8ub,
    "link" / ADDRESS,
    "peer" / ADDRESS,
    *_options(OPTION),
    "wrapped" / Computed(lambda own: [option.value for option in own.options if option.code == 9]),
    Check(lambda own: bool(own.wrapped)),
    "inner" / RestreamData(lambda own: own.wrapped[-1], LazyBound(lambda: MESSAGE)),
)
MESSAGE: Any = Struct(
    "type" / Int8ub,
    "body" / Switch(this.type, {12: RELAY_BODY, 13: RELAY_BODY}, default=CLIENT_BODY),
    Terminated,
)
