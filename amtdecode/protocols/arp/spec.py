"""ARP for Ethernet and IPv4 declared (RFC 826): the reference for the room's reader, and what `tree()` reads by."""

from __future__ import annotations

from typing import Any

from construct import Bytes, Const, Int8ub, Int16ub, OneOf, Struct

from amtdecode.fields import UINT8, UINT16, Field
from amtdecode.protocols.arp.fields import ARP_MESSAGE
from amtdecode.protocols.declaration import Items

item = Items(
    ARP_MESSAGE,
    Field("arp.hw.type", UINT16, "hardware type", values={1: "Ethernet"}),
    Field("arp.proto.type", UINT16, "protocol type", values={0x0800: "IPv4"}),
    Field("arp.hw.size", UINT8, "bytes of a hardware address"),
    Field("arp.proto.size", UINT8, "bytes of a protocol address"),
)

MESSAGE: Any = Struct(
    "hardware" / item("arp.hw.type", Const(1, Int16ub)),
    "protocol" / item("arp.proto.type", Const(0x0800, Int16ub)),
    "hardware_size" / item("arp.hw.size", Const(6, Int8ub)),
    "protocol_size" / item("arp.proto.size", Const(4, Int8ub)),
    "opcode" / item("arp.opcode", OneOf(Int16ub, (1, 2))),
    "source_mac" / item("arp.src.hw_mac", Bytes(6)),
    "source_address" / item("arp.src.proto_ipv4", Bytes(4)),
    "target_mac" / item("arp.dst.hw_mac", Bytes(6)),
    "target_address" / item("arp.dst.proto_ipv4", Bytes(4)),
)
