"""DHCP for IPv4 declared: RFC 2131 section 2, RFC 2132; RFC 4702 (option 81), RFC 4578 (option 97).

The reference for `v4.py`, and what `tree()` reads by. Big-endian throughout. Each option is read where it stands: parts
of a split option stay apart, and options in the `sname` and `file` fields are not looked into. `parse` raises
`construct.ConstructError` on bytes that break these rules.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from construct import (
    Bytes,
    Const,
    Construct,
    GreedyBytes,
    GreedyRange,
    If,
    IfThenElse,
    Int8ub,
    Int16ub,
    Int32ub,
    Peek,
    RepeatUntil,
    Struct,
    Switch,
    this,
)

from amtdecode.fields import BOOLEAN, BYTES, STRING, UINT8, UINT16, Field
from amtdecode.protocols.declaration import Items, Sized
from amtdecode.protocols.dhcp import fields4 as v4
from amtdecode.protocols.dhcp.common import labels, names, text

item = Items(
    v4.DHCP_MESSAGE,
    Field("dhcp.hw.type", UINT8, "hardware type", values={v4.ETHERNET: "Ethernet"}),
    Field("dhcp.hw.len", UINT8, "bytes of a hardware address"),
    Field("dhcp.hops", UINT8, "relays it went through"),
    Field("dhcp.secs", UINT16, "seconds since the client began"),
    Field("dhcp.flags", UINT16, "flags"),
    Field("dhcp.flags.bc", BOOLEAN, "the answer is to be broadcast"),
    Field("dhcp.hw.addr_padding", BYTES, "what follows the hardware address"),
    Field("dhcp.server", STRING, "server host name"),
    Field("dhcp.file", STRING, "boot file name"),
    Field("dhcp.cookie", BYTES, "magic cookie: options follow"),
    Field("dhcp.option.length", UINT8, "bytes of the option's value"),
    Field("dhcp.fqdn.rcode1", UINT8, "A-RR result, not in use"),
    Field("dhcp.fqdn.rcode2", UINT8, "PTR-RR result, not in use"),
)


def _field(name: str, subcon: Construct, **how: Any) -> Struct:
    return Struct("value" / item(name, subcon, **how))


def _addresses(name: str) -> GreedyRange:
    return GreedyRange(item(name, Bytes(4)))


CLIENT_FQDN = Struct(
    "flags" / item("dhcp.fqdn.flags", Int8ub),
    "rcode1" / item("dhcp.fqdn.rcode1", Int8ub),
    "rcode2" / item("dhcp.fqdn.rcode2", Int8ub),
    "name"
    / IfThenElse(
        this.flags & v4.FQDN_WIRE_FORM,
        item("dhcp.fqdn.name", GreedyBytes, shown=lambda raw: ".".join(names(labels(raw) or ()))),
        item("dhcp.fqdn.name", GreedyBytes, shown=text),
    ),
)
CLIENT_UUID = Struct(
    "type" / Const(b"\0"), "uuid" / item("dhcp.client_id.uuid", Bytes(16), shown=lambda raw: str(UUID(bytes_le=raw)))
)

CLIENT_ID = item(
    "iamt.dhcp.client_id",
    Struct(
        "raw" / Peek(GreedyBytes),
        "hardware"
        / If(
            lambda own: len(own.raw) == 7 and own.raw[0] == v4.ETHERNET,
            Struct("type" / item("dhcp.hw.type", Int8ub), "address" / item("dhcp.hw.mac_addr", Bytes(6))),
        ),
        GreedyBytes,
    ),
    shown=lambda own: own.raw,
)

VALUES: dict[int, Any] = {
    v4.SUBNET_MASK: _field("dhcp.option.subnet_mask", Bytes(4)),
    v4.ROUTER: _addresses("dhcp.option.router"),
    v4.DNS_SERVERS: _addresses("dhcp.option.domain_name_server"),
    v4.HOST_NAME: _field("dhcp.option.hostname", GreedyBytes, shown=text),
    v4.DOMAIN_NAME: _field("dhcp.option.domain_name", GreedyBytes, shown=text),
    v4.REQUESTED_ADDRESS: _field("dhcp.option.requested_ip_address", Bytes(4)),
    v4.LEASE_TIME: _field("dhcp.option.ip_address_lease_time", Int32ub),
    v4.OVERLOAD: _field("dhcp.option.option_overload", Int8ub),
    v4.MESSAGE_TYPE: _field("dhcp.option.dhcp", Int8ub),
    v4.SERVER_ID: _field("dhcp.option.dhcp_server_id", Bytes(4)),
    v4.PARAMETERS: GreedyRange(item("dhcp.option.request_list_item", Int8ub)),
    v4.RENEWAL_TIME: _field("dhcp.option.renewal_time_value", Int32ub),
    v4.REBINDING_TIME: _field("dhcp.option.rebinding_time_value", Int32ub),
    v4.VENDOR_CLASS: _field("dhcp.option.vendor_class_id", GreedyBytes, shown=text),
    v4.CLIENT_ID: CLIENT_ID,
    v4.CLIENT_FQDN: CLIENT_FQDN,
    v4.CLIENT_UUID: CLIENT_UUID,
}
OPTION = item(
    "dhcp.option.type",
    Struct(
        "code" / Int8ub,
        "value"
        / If(
            lambda own: own.code not in (v4.PAD, v4.END),
            Sized(item("dhcp.option.length", Int8ub), Switch(this.code, VALUES, default=GreedyBytes)),
        ),
    ),
    shown=lambda option: option.code if option.code not in (v4.PAD, v4.END) else None,
)

MESSAGE: Any = Struct(
    "op" / item("dhcp.type", Int8ub),
    "htype" / item("dhcp.hw.type", Int8ub),
    "hlen" / item("dhcp.hw.len", Int8ub),
    "hops" / item("dhcp.hops", Int8ub),
    "xid" / item("dhcp.id", Int32ub),
    "secs" / item("dhcp.secs", Int16ub),
    "flags" / item("dhcp.flags", Int16ub, bits=lambda _: [("dhcp.flags.bc", 0x8000)]),
    "ciaddr" / item("dhcp.ip.client", Bytes(4)),
    "yiaddr" / item("dhcp.ip.your", Bytes(4)),
    "siaddr" / item("dhcp.ip.server", Bytes(4)),
    "giaddr" / item("dhcp.ip.relay", Bytes(4)),
    "chaddr"
    / IfThenElse(
        lambda own: (own.htype, own.hlen) == (v4.ETHERNET, 6),
        Struct("address" / item("dhcp.hw.mac_addr", Bytes(6)), "padding" / item("dhcp.hw.addr_padding", Bytes(10))),
        Bytes(16),
    ),
    "sname" / item("dhcp.server", Bytes(64), shown=text),
    "file" / item("dhcp.file", Bytes(128), shown=text),
    "cookie" / item("dhcp.cookie", Const(v4.COOKIE)),
    "options" / RepeatUntil(lambda option, *_: option.code == v4.END, OPTION),
)
