"""RMCP and ASF declared (DMTF DSP0136): the reference for `messages.py`, and what `tree()` reads by. Big-endian.

Offsets inside AMT's pong: Intel AMT Implementation and Reference Guide. `parse` raises `construct.ConstructError` on
bytes that break these rules.
"""

from __future__ import annotations

from typing import Any

from construct import (
    Bytes,
    Const,
    Construct,
    GreedyBytes,
    GreedyRange,
    If,
    Int8ub,
    Int16ub,
    Int32ub,
    Padding,
    Struct,
    Switch,
    this,
)

from amtdecode.fields import UINT8, Field
from amtdecode.protocols.declaration import Items, Sized, grouped
from amtdecode.protocols.rmcp import fields as asf

item = Items(
    (
        *asf.HEADER,
        *asf.MESSAGE,
        *asf.DATA,
        *asf.PONG_DATA,
        *asf.CONTROL_DATA,
        *asf.CAPABILITIES_DATA,
        *asf.STATE_DATA,
        *asf.SESSION_DATA,
        *asf.RAKP_DATA,
        *asf.TRAILER,
    ),
    Field("iamt.pong.configuration", UINT8, "state and ports of AMT, as bits"),
    Field("iamt.pong.version_byte", UINT8, "AMT version: major in the upper half, minor in the lower; 0 before 6.0"),
    Field("iamt.pong.major", UINT8, "major version, where the byte for both is 0"),
    Field("iamt.pong.minor", UINT8, "minor version, likewise"),
)

INTEL_PONG = Struct(
    "port" / item("iamt.pong.port", Int16ub),
    "version" / item("iamt.pong.version_byte", Int8ub),
    "configuration"
    / item(
        "iamt.pong.configuration", Int8ub, bits=lambda _: [("iamt.pong.state", 0x03), ("iamt.pong.both_ports", 0x04)]
    ),
)
INTEL_VERSION = Struct("major" / item("iamt.pong.major", Int8ub), "minor" / item("iamt.pong.minor", Int8ub))
PONG = Struct(
    "enterprise" / item("iamt.pong.enterprise", Int32ub),
    "oem" / Switch(this.enterprise, {asf.INTEL: INTEL_PONG}, item("iamt.pong.oem", Int32ub)),
    "entities" / item("iamt.pong.entities", Int8ub, bits=lambda _: [("iamt.pong.ipmi", 0x80)]),
    "interactions"
    / item("iamt.pong.interactions", Int8ub, bits=lambda _: [("iamt.pong.rsp", 0x80), ("iamt.pong.dash", 0x20)]),
    "own" / If(this.enterprise == asf.INTEL, INTEL_VERSION),
    "reserved" / GreedyBytes,
)
CONTROL = Struct(
    "enterprise" / item("iamt.asf.control.enterprise", Int32ub),
    "command" / item("iamt.asf.control.command", Int8ub),
    "parameter" / item("iamt.asf.control.parameter", Int16ub),
    "options"
    / item(
        "iamt.asf.control.options",
        Int16ub,
        bits=lambda _: [
            ("iamt.asf.control.lock_power", asf.LOCK_POWER),
            ("iamt.asf.control.lock_reset", asf.LOCK_RESET),
            ("iamt.asf.control.lock_keyboard", asf.LOCK_KEYBOARD),
            ("iamt.asf.control.lock_sleep", asf.LOCK_SLEEP),
            ("iamt.asf.control.bypass_password", asf.BYPASS_PASSWORD),
            ("iamt.asf.control.progress_events", asf.PROGRESS_EVENTS),
            ("iamt.asf.control.verbosity", 0x0060),
            ("iamt.asf.control.clear_cmos", asf.CLEAR_CMOS),
        ],
    ),
    "oem" / item("iamt.asf.control.oem", Int16ub),
)
COMMANDS = ("reset", "power_up", "power_down", "power_cycle")
CAPABILITIES = Struct(
    "enterprise" / item("iamt.asf.capabilities.enterprise", Int32ub),
    "oem" / item("iamt.asf.capabilities.oem", Int32ub),
    "commands" / item("iamt.asf.capabilities.commands", Int16ub),
    "system"
    / item(
        "iamt.asf.capabilities.system",
        Int8ub,
        bits=lambda _: [
            (f"iamt.asf.capabilities.{name}", 0x80 >> place)
            for place, name in enumerate((*COMMANDS, *(f"secure_{name}" for name in COMMANDS)))
        ],
    ),
    "firmware" / item("iamt.asf.capabilities.firmware", Int32ub),
    "reserved" / Bytes(1),
)
STATE = Struct(
    "power" / item("iamt.asf.state.power", Int8ub, shown=lambda value: value & 15),
    "watchdog" / item("iamt.asf.state.watchdog", Int8ub, shown=lambda value: value & 1),
    "reserved" / Bytes(2),
)


def _algorithm(name: str) -> Construct:
    return Struct("algorithm" / item(name, Int8ub), "reserved" / Bytes(3))


PAYLOAD = grouped(
    lambda payload: asf.PAYLOADS.get(payload.type, f"payload of type {payload.type}"),
    Struct(
        "type" / item("asf.payload.type", Int8ub),
        "reserved" / Int8ub,
        "length" / item("asf.payload.len", Int16ub),
        "data"
        / Switch(
            this.type,
            {asf.AUTHENTICATION: _algorithm("asf.auth_alg"), asf.INTEGRITY: _algorithm("asf.integrity_alg")},
            Bytes(lambda own: max(own.length - 4, 0)),
        ),
    ),
)
OPEN = Struct("console" / item("asf.mgt_console_id", Int32ub), "payloads" / GreedyRange(PAYLOAD))
STATUS = Struct("status" / item("asf.rssp_status_code", Int8ub), "reserved" / Bytes(3))
OPENED = Struct(
    *STATUS.subcons,
    "console" / item("asf.mgt_console_id", Int32ub),
    "client" / item("asf.client_id", Int32ub),
    "payloads" / GreedyRange(PAYLOAD),
)
RAKP1 = Struct(
    "client" / item("iamt.asf.rakp.session", Int32ub),
    "random" / item("iamt.asf.rakp.random", Bytes(16)),
    "role" / item("iamt.asf.rakp.role", Int8ub),
    "reserved" / Padding(2),
    "user"
    / Sized(Int8ub, item("iamt.asf.rakp.user", GreedyBytes, shown=lambda raw: raw.decode("utf-8", "backslashreplace"))),
)
RAKP_STATUS = Struct("status" / item("iamt.asf.rakp.status", Int8ub), "reserved" / Bytes(3))
RAKP2 = Struct(
    *RAKP_STATUS.subcons,
    "console" / item("iamt.asf.rakp.session", Int32ub),
    "random" / item("iamt.asf.rakp.random", Bytes(16)),
    "guid" / item("iamt.asf.rakp.guid", Bytes(16)),
    "hash" / item("iamt.asf.rakp.hash", GreedyBytes),
)
RAKP3 = Struct(
    *RAKP_STATUS.subcons,
    "client" / item("iamt.asf.rakp.session", Int32ub),
    "hash" / item("iamt.asf.rakp.hash", GreedyBytes),
)
BODIES: dict[int, Construct] = {
    asf.RESET: CONTROL,
    asf.POWER_UP: CONTROL,
    asf.POWER_CYCLE: CONTROL,
    asf.PONG: PONG,
    asf.CAPABILITIES: CAPABILITIES,
    asf.STATE: STATE,
    asf.OPEN: OPEN,
    asf.OPENED: OPENED,
    asf.CLOSE: Struct("client" / item("asf.client_id", Int32ub)),
    asf.CLOSED: STATUS,
    asf.RAKP1: RAKP1,
    asf.RAKP2: RAKP2,
    asf.RAKP3: RAKP3,
}
REST = item("iamt.asf.data", GreedyBytes, shown=lambda raw: raw or None)

ASF: Any = Struct(
    "iana" / item("asf.iana", Int32ub),
    "type" / item("asf.type", Int8ub),
    "tag" / item("asf.tag", Int8ub),
    "reserved" / Int8ub,
    "data"
    / Sized(
        item("asf.len", Int8ub),
        Switch(lambda own: own.type if own.iana == asf.ASF_NUMBER else -1, BODIES, REST),
    ),
)
TRAILER = item("rmcp.trailer", GreedyBytes, shown=lambda raw: raw or None)
CLASS = "kind" / item(
    "rmcp.class", Int8ub, shown=lambda value: value & 0x1F, bits=lambda _: [("rmcp.type", asf.ACKNOWLEDGMENT)]
)
UNSECURE: Any = Struct(
    "version" / item("rmcp.version", Const(6, Int8ub)),
    "reserved" / item("rmcp.reserved", Int8ub),
    "sequence" / item("rmcp.sequence", Int8ub),
    CLASS,
    "asf" / If(lambda own: not own.kind & asf.ACKNOWLEDGMENT and own.kind & 0x1F == asf.ASF_CLASS, ASF),
    "trailer" / If(lambda own: own.kind & asf.ACKNOWLEDGMENT or own.kind & 0x1F == asf.ASF_CLASS, TRAILER),
)
"""A message on port 623."""
SECURE: Any = Struct(
    "session" / item("rsp.session_id", Int32ub), "number" / item("rsp.sequence", Int32ub), *UNSECURE.subcons
)
"""A message on port 664, behind the header of its session."""
