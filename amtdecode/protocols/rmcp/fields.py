"""The fields of RMCP and ASF messages, under tshark's names where it has one; what the numbers are called.

Names of commands, states and statuses: DMTF DSP0136 (ASF 2.0), sections 3.2 and 3.3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amtdecode.fields import BOOLEAN, BYTES, STRING, UINT8, UINT16, UINT32, Field, Fields

if TYPE_CHECKING:
    from collections.abc import Callable

NAME = "rmcp"
ASF, IPMI, OEM = "ASF", "IPMI", "OEM"
ASF_CLASS = 6
CLASSES = {ASF_CLASS: ASF, 7: IPMI, 8: OEM}
ACKNOWLEDGMENT = 0x80  # bit of the class byte
NO_ACKNOWLEDGMENT = 0xFF  # sequence number of what is not to be acknowledged
ASF_NUMBER, INTEL = 4542, 343  # IANA enterprise numbers
ASF_IANA = ASF_NUMBER.to_bytes(4, "big")

RESET, POWER_UP, POWER_DOWN, POWER_CYCLE = 0x10, 0x11, 0x12, 0x13
PONG, CAPABILITIES, STATE, OPENED, CLOSED = 0x40, 0x41, 0x42, 0x43, 0x44
PING, ASK_CAPABILITIES, ASK_STATE, OPEN, CLOSE = 0x80, 0x81, 0x82, 0x83, 0x84
RAKP1, RAKP2, RAKP3 = 0xC0, 0xC1, 0xC2
TYPES = {
    RESET: "reset",
    POWER_UP: "power up",
    POWER_DOWN: "power down",
    POWER_CYCLE: "power cycle",
    PONG: "presence pong",
    CAPABILITIES: "capabilities response",
    STATE: "system state response",
    OPENED: "open session response",
    CLOSED: "close session response",
    PING: "presence ping",
    ASK_CAPABILITIES: "capabilities request",
    ASK_STATE: "system state request",
    OPEN: "open session request",
    CLOSE: "close session request",
    RAKP1: "RAKP message 1",
    RAKP2: "RAKP message 2",
    RAKP3: "RAKP message 3",
}
COMMANDS = {
    0: "nothing",
    1: "boot from the network (PXE)",
    2: "boot from the hard disk",
    3: "boot from the hard disk in safe mode",
    4: "boot from the diagnostic partition",
    5: "boot from CD or DVD",
}
POWER_STATES = {
    0: "S0, working",
    1: "S1, sleeping with the processor on",
    2: "S2, sleeping with the processor off",
    3: "S3, sleeping, memory refreshed",
    4: "S4, suspended to disk",
    5: "S5, soft off",
    6: "S4 or S5, soft off",
    7: "G3, mechanical off",
    8: "sleeping, in S1, S2 or S3",
    9: "S5 entered by override",
    11: "on (legacy)",
    12: "off (legacy)",
    14: "not known",
}
STATUSES = {
    0x0: "no errors",
    0x1: "insufficient resources to create a session",
    0x2: "invalid session id",
    0x3: "invalid payload type",
    0x4: "invalid authentication algorithm",
    0x5: "invalid integrity algorithm",
    0x6: "no matching authentication payload",
    0x7: "no matching integrity payload",
    0x8: "inactive session id",
    0x9: "invalid role",
    0xA: "unauthorized role",
    0xB: "insufficient resources to create a session in this role",
    0xC: "invalid name length",
    0xD: "unauthorized name",
    0xE: "unauthorized GUID",
    0xF: "invalid integrity check value",
}
PAYLOADS = {0: "end", 1: "authentication algorithm", 2: "integrity algorithm"}
AUTHENTICATION, INTEGRITY = 1, 2
ROLES = {0: "operator", 1: "administrator"}
PROVISIONING = {0: "not provisioned", 1: "in provisioning", 2: "provisioned"}

LOCK_POWER, LOCK_RESET, LOCK_KEYBOARD, LOCK_SLEEP = 0x0200, 0x0400, 0x2000, 0x4000  # boot options as a number
BYPASS_PASSWORD, PROGRESS_EVENTS, CLEAR_CMOS = 0x0008, 0x0010, 0x0080


def number(at: int, size: int, mask: int = 0) -> Callable[[Any], int | None]:
    """A number out of the data of a message; `None` where the data ends before. With a mask: that part of it."""

    def read(message: Any) -> int | None:
        data = message.data
        if len(data) < at + size:
            return None
        value = int.from_bytes(data[at : at + size], "big")
        return (value & mask) // (mask & -mask) if mask else value

    return read


def flag(at: int, size: int, mask: int) -> Callable[[Any], bool | None]:
    """A bit of such a number."""
    read = number(at, size, mask)
    return lambda message: None if (value := read(message)) is None else bool(value)


HEADER: Fields = (
    Field("rsp.session_id", UINT32, "session that a message on port 664 belongs to; 0: none", "session", None),
    Field("rsp.sequence", UINT32, "number of the message in its session", "session_sequence", None),
    Field("rmcp.version", UINT8, "version of RMCP, always 6", "version"),
    Field("rmcp.reserved", UINT8, "reserved, zero", "reserved"),
    Field("rmcp.sequence", UINT8, "number to be acknowledged; 255: no acknowledgment is wanted", "sequence"),
    Field("rmcp.class", UINT8, "what is inside", "kind", values=CLASSES),
    Field("rmcp.type", UINT8, "whether it is an acknowledgment", "acknowledges", values={0: "normal", 1: "ACK"}),
)
TRAILER: Fields = (
    Field("rmcp.trailer", BYTES, "what stands behind the message: padding, integrity check of RSP", "trailer", b""),
)
MESSAGE: Fields = (
    Field("asf.iana", UINT32, "who defined the message", "iana", values={ASF_NUMBER: "ASF", INTEL: "Intel"}),
    Field("asf.type", UINT8, "what the message is", "type", values=TYPES),
    Field("asf.tag", UINT8, "number by which a request and its answer belong together", "tag"),
    Field("asf.len", UINT8, "bytes of data as declared", "size"),
)
DATA: Fields = (Field("iamt.asf.data", BYTES, "data of a message that has none by the standard", "data", b""),)
PONG_DATA: Fields = (
    Field("iamt.pong.enterprise", UINT32, "whose pong it is", number(0, 4), None, {ASF_NUMBER: "ASF", INTEL: "Intel"}),
    Field("iamt.pong.oem", UINT32, "bytes of the maker's own, as a number", "oem", None),
    Field("iamt.pong.amt", BOOLEAN, "whether the pong is one of Intel AMT", "is_amt"),
    Field(
        "iamt.pong.port",
        UINT16,
        "port that AMT has open; 0: AMT is there and not configured",
        "port",
        None,
    ),
    Field("iamt.pong.version", STRING, "AMT version, major and minor", "amt_version", ""),
    Field("iamt.pong.state", UINT8, "how far AMT is provisioned (6.0 and later)", "state", None, PROVISIONING),
    Field("iamt.pong.both_ports", BOOLEAN, "16992 and 16993 are both open", "both_ports", None),
    Field("iamt.pong.entities", UINT8, "supported entities, as bits", number(8, 1), None),
    Field("iamt.pong.ipmi", BOOLEAN, "IPMI is supported", flag(8, 1, 0x80), None),
    Field("iamt.pong.interactions", UINT8, "supported interactions, as bits", number(9, 1), None),
    Field("iamt.pong.rsp", BOOLEAN, "sessions (RSP) are supported on port 664", flag(9, 1, 0x80), None),
    Field("iamt.pong.dash", BOOLEAN, "DASH is supported", "dash", None),
)
CONTROL_DATA: Fields = (
    Field("iamt.asf.control.enterprise", UINT32, "whose special command it is", number(0, 4), None),
    Field("iamt.asf.control.command", UINT8, "special command of the boot", number(4, 1), None, COMMANDS),
    Field("iamt.asf.control.parameter", UINT16, "parameter of the special command", number(5, 2), None),
    Field("iamt.asf.control.options", UINT16, "boot options, as bits", number(7, 2), None),
    Field("iamt.asf.control.lock_power", BOOLEAN, "the power button is locked", flag(7, 2, LOCK_POWER), None),
    Field("iamt.asf.control.lock_reset", BOOLEAN, "the reset button is locked", flag(7, 2, LOCK_RESET), None),
    Field("iamt.asf.control.lock_keyboard", BOOLEAN, "the keyboard is locked", flag(7, 2, LOCK_KEYBOARD), None),
    Field("iamt.asf.control.lock_sleep", BOOLEAN, "the sleep button is locked", flag(7, 2, LOCK_SLEEP), None),
    Field(
        "iamt.asf.control.bypass_password",
        BOOLEAN,
        "the password of the firmware is not asked for",
        flag(7, 2, BYPASS_PASSWORD),
        None,
    ),
    Field(
        "iamt.asf.control.progress_events",
        BOOLEAN,
        "every step of the boot is to be reported",
        flag(7, 2, PROGRESS_EVENTS),
        None,
    ),
    Field(
        "iamt.asf.control.verbosity",
        UINT8,
        "what the firmware shows on the screen",
        number(7, 2, 0x0060),
        None,
        {0: "default", 1: "quiet", 2: "verbose", 3: "blank"},
    ),
    Field("iamt.asf.control.clear_cmos", BOOLEAN, "the CMOS memory is to be cleared", flag(7, 2, CLEAR_CMOS), None),
    Field("iamt.asf.control.oem", UINT16, "parameters of the maker's own", number(9, 2), None),
)


def _capability(name: str, mask: int, meaning: str) -> Field:
    return Field(f"iamt.asf.capabilities.{name}", BOOLEAN, meaning, flag(10, 1, mask), None)


CAPABILITIES_DATA: Fields = (
    Field("iamt.asf.capabilities.enterprise", UINT32, "whose firmware it is", number(0, 4), None),
    Field("iamt.asf.capabilities.oem", UINT32, "bytes of the maker's own, as a number", number(4, 4), None),
    Field("iamt.asf.capabilities.commands", UINT16, "special commands it takes, as bits", number(8, 2), None),
    Field("iamt.asf.capabilities.command", STRING, "special commands it takes", "commands", (), repeated=True),
    Field("iamt.asf.capabilities.system", UINT8, "power commands it takes, as bits", number(10, 1), None),
    _capability("reset", 0x80, "reset is taken on both ports"),
    _capability("power_up", 0x40, "power up is taken on both ports"),
    _capability("power_down", 0x20, "power down is taken on both ports"),
    _capability("power_cycle", 0x10, "power cycle is taken on both ports"),
    _capability("secure_reset", 0x08, "reset is taken on the secure port (664)"),
    _capability("secure_power_up", 0x04, "power up is taken on the secure port (664)"),
    _capability("secure_power_down", 0x02, "power down is taken on the secure port (664)"),
    _capability("secure_power_cycle", 0x01, "power cycle is taken on the secure port (664)"),
    Field("iamt.asf.capabilities.firmware", UINT32, "capabilities of the firmware, as bits", number(11, 4), None),
)
STATE_DATA: Fields = (
    Field("iamt.asf.state.power", UINT8, "power state of the machine", number(0, 1, 0x0F), None, POWER_STATES),
    Field("iamt.asf.state.watchdog", BOOLEAN, "the watchdog timer has run out", flag(1, 1, 0x01), None),
)
STATUS = Field("asf.rssp_status_code", UINT8, "how the request before it fared", "status", None, STATUSES)
CONSOLE = Field("asf.mgt_console_id", UINT32, "session number of the console", "console", None)
CLIENT = Field("asf.client_id", UINT32, "session number of the managed machine", "client", None)
SESSION_DATA: Fields = (
    STATUS,
    CONSOLE,
    CLIENT,
    Field("asf.payload.type", UINT8, "what a payload is", "payload_types", (), PAYLOADS, repeated=True),
    Field("asf.payload.len", UINT16, "bytes of a payload, its header included", "payload_sizes", (), repeated=True),
    Field(
        "asf.auth_alg",
        UINT8,
        "authentication algorithm",
        lambda message: message.algorithms(AUTHENTICATION),
        (),
        {1: "RAKP-HMAC-SHA1"},
        repeated=True,
    ),
    Field(
        "asf.integrity_alg",
        UINT8,
        "integrity algorithm",
        lambda message: message.algorithms(INTEGRITY),
        (),
        {1: "HMAC-SHA1-96"},
        repeated=True,
    ),
)
RAKP_DATA: Fields = (
    Field("iamt.asf.rakp.status", UINT8, "how the message before it fared", "status", None, STATUSES),
    Field("iamt.asf.rakp.session", UINT32, "session number of whom the message is for", "session_number", None),
    Field("iamt.asf.rakp.random", BYTES, "random number of the sender", "random", b""),
    Field("iamt.asf.rakp.role", UINT8, "role asked for", "role", None, ROLES),
    Field("iamt.asf.rakp.user", STRING, "user", "user", None, free=True),
    Field(
        "iamt.asf.rakp.guid", BYTES, "GUID of the machine as it came; the order of its bytes is not known", "guid", b""
    ),
    Field("iamt.asf.rakp.hash", BYTES, "keyed hash that proves the password", "hash", b"", secret=True),
)
