"""Platform event traps declared (RFC 1157, PET 1.0): the reference for `trap.py`, and what `tree()` reads by.

Big-endian. `parse` raises `construct.ConstructError` on bytes that break these rules.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from construct import (
    Bytes,
    Const,
    Construct,
    GreedyBytes,
    Int8ub,
    Int16ub,
    Int32ub,
    Peek,
    Struct,
)

from amtdecode.protocols.declaration import Items, Signed16, Sized, Without
from amtdecode.protocols.der import Integer, Length
from amtdecode.protocols.pet import fields as pet

item = Items((*pet.SNMP, *pet.PET))


def _element(tag: int, inside: Construct) -> Struct:
    return Struct("tag" / Const(bytes((tag,))), "value" / Sized(Length(), inside))


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace")


BODY = Struct(
    "smbios" / Peek(item("iamt.pet.guid.smbios", Bytes(16), shown=lambda raw: str(UUID(bytes_le=raw)))),
    "guid" / item("iamt.pet.guid", Bytes(16), shown=lambda raw: str(UUID(bytes=raw))),
    "sequence" / item("iamt.pet.sequence", Int16ub),
    "timestamp" / item("iamt.pet.timestamp", Int32ub),
    "utc_offset" / item("iamt.pet.utc_offset", Int16ub, shown=Signed16(pet.UNSPECIFIED_OFFSET)),
    "trap_source" / item("iamt.pet.trap_source", Int8ub),
    "event_source" / item("iamt.pet.event_source", Int8ub),
    "severity" / item("iamt.pet.severity", Int8ub),
    "sensor_device" / item("iamt.pet.sensor_device", Int8ub),
    "sensor_number" / item("iamt.pet.sensor_number", Int8ub),
    "entity" / item("iamt.pet.entity", Int8ub),
    "entity_instance" / item("iamt.pet.entity_instance", Int8ub),
    "event_data" / item("iamt.pet.event_data", Bytes(8)),
    "language" / item("iamt.pet.language", Int8ub),
    "manufacturer" / item("iamt.pet.manufacturer", Int32ub),
    "system" / item("iamt.pet.system", Int16ub),
    "oem" / item("iamt.pet.oem", GreedyBytes, shown=Without(b"\xc1")),
)
SPECIFIC = item(
    "snmp.specific_trap",
    Integer(signed=True),
    bits=lambda _: [
        ("iamt.pet.sensor_type", 0xFF0000),
        ("iamt.pet.event_type", 0xFF00),
        ("iamt.pet.deasserted", 0x80),
        ("iamt.pet.offset", 0x0F),
    ],
)
VARIABLE = Struct("name" / _element(0x06, Const(pet.VARIABLE)), "octets" / _element(0x04, BODY))
TRAP = Struct(
    "enterprise"
    / _element(0x06, item("snmp.enterprise", Const(pet.ENTERPRISE), shown=lambda _: "1.3.6.1.4.1.3183.1.1")),
    "agent" / _element(0x40, item("snmp.agent_addr", Bytes(4))),
    "generic" / _element(0x02, item("snmp.generic_trap", Integer(signed=True))),
    "specific" / _element(0x02, SPECIFIC),
    "uptime" / _element(0x43, item("snmp.time_stamp", Integer(signed=False))),
    "variables" / _element(0x30, _element(0x30, VARIABLE)),
)
MESSAGE: Any = _element(
    0x30,
    Struct(
        "version" / _element(0x02, item("snmp.version", Integer(signed=True))),
        "community" / _element(0x04, item("snmp.community", GreedyBytes, shown=_text)),
        "trap" / _element(0xA4, TRAP),
    ),
)


def built(body: dict[str, Any], specific: int, community: bytes = b"public", agent: bytes = bytes(4)) -> bytes:
    """A trap with these fields of PET, whose names are those of `BODY`; what is not named is zero."""
    fields = dict.fromkeys((part.name for part in BODY.subcons if part.name), 0) | {
        "guid": bytes(16),
        "event_data": bytes(8),
        "oem": b"\xc1",
    }
    trap = {
        "enterprise": {"value": None},
        "agent": {"value": agent},
        "generic": {"value": 6},
        "specific": {"value": specific},
        "uptime": {"value": 0},
        "variables": {"value": {"value": {"name": {"value": None}, "octets": {"value": fields | body}}}},
    }
    message = {"version": {"value": 0}, "community": {"value": community}, "trap": {"value": trap}}
    return bytes(MESSAGE.build({"value": message}))
