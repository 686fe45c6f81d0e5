"""LLDP declared (IEEE 802.1AB, 802.1Q annex D): the reference for `message.py`, and what `tree()` reads by.

Big-endian. `parse` raises `construct.ConstructError` on bytes that break these rules.
"""

from __future__ import annotations

from typing import Any

from construct import (
    Bytes,
    Computed,
    Construct,
    GreedyBytes,
    If,
    Int8ub,
    Int16ub,
    Int24ub,
    RepeatUntil,
    Struct,
    Switch,
    this,
)

from amtdecode.protocols.declaration import Items, Sized, grouped
from amtdecode.protocols.lldp import fields as lldp
from amtdecode.protocols.lldp.names import hardware, ipv4, text

item = Items((*lldp.LLDP, *lldp.PARTS))
SIZE = 0x01FF  # bits of a head that say how long the value is; those above say its type


def _text(raw: bytes) -> str | None:
    return text(raw) or None


def _named(what: str, mac: int, address: int, other: Construct) -> Struct:
    """A chassis or port: what names it, and the name."""
    macs = item(f"{what}.id.mac", GreedyBytes, shown=lambda raw: hardware(mac, raw, mac) or None)
    addresses = item(f"{what}.id.ip4", GreedyBytes, shown=lambda raw: ipv4(address, raw, address) or None)
    return Struct(
        "kind" / item(f"{what}.subtype", Int8ub),
        "name" / Switch(this.kind, {mac: macs, address: addresses}, other),
    )


OWN_OF_802_1 = Struct(
    "kind" / item("lldp.ieee.802_1.subtype", Int8ub),
    "value"
    / Switch(
        this.kind,
        {
            lldp.PORT_VLAN: item("lldp.ieee.802_1.port_vlan.id", Int16ub),
            lldp.VLAN_NAME: Struct(
                "vlan" / item("lldp.ieee.802_1.vlan.id", Int16ub),
                "name" / Sized(Int8ub, item("lldp.ieee.802_1.vlan.name", GreedyBytes, shown=text)),
            ),
        },
        GreedyBytes,
    ),
)
VALUES = {
    lldp.CHASSIS: _named(
        "lldp.chassis",
        lldp.CHASSIS_MAC,
        lldp.CHASSIS_ADDRESS,
        item("lldp.chassis.id", GreedyBytes),
    ),
    lldp.PORT: _named("lldp.port", lldp.PORT_MAC, lldp.PORT_ADDRESS, item("lldp.port.id", GreedyBytes, shown=_text)),
    lldp.TTL: item("lldp.time_to_live", Int16ub),
    lldp.PORT_DESC: item("lldp.port.desc", GreedyBytes, shown=_text),
    lldp.SYSTEM_NAME: item("lldp.tlv.system.name", GreedyBytes, shown=_text),
    lldp.SYSTEM_DESC: item("lldp.tlv.system.desc", GreedyBytes, shown=_text),
    lldp.CAPABILITIES: Struct("all" / Bytes(2), "enabled" / item("lldp.tlv.enable_system_cap", Int16ub)),
    lldp.MANAGEMENT: Struct(
        "head" / Bytes(2),
        "address" / If(this.head == b"\5\1", item("lldp.mgn.addr.ip4", Bytes(4))),
        "rest" / GreedyBytes,
    ),
    lldp.ORGANISATION: Struct(
        "oui" / item("lldp.orgtlv.oui", Int24ub),
        "value" / Switch(this.oui, {lldp.IEEE_802_1: OWN_OF_802_1}, GreedyBytes),
    ),
}
PART = Struct(
    "head" / item("lldp.tlv.type", Int16ub, shown=lambda head: head >> 9, bits=lambda _: [("lldp.tlv.len", SIZE)]),
    "value" / Sized(Computed(this.head & SIZE), Switch(this.head >> 9, VALUES, GreedyBytes)),
)


def _words(part: Any) -> str:
    return lldp.TYPES.get(part.head >> 9, f"part of type {part.head >> 9}")


MESSAGE: Any = RepeatUntil(lambda part, *_: not part.head >> 9, grouped(_words, PART))
