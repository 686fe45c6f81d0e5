"""Redirection messages declared: what `tree()` reads by, the builder of test vectors, the reference for `messages.py`.

Little-endian, apart from SCSI commands. Source: public source code (see the room). What no source tells is `unknown`.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from construct import (
    Byte,
    Bytes,
    Const,
    Construct,
    GreedyBytes,
    If,
    IfThenElse,
    Int8ul,
    Int16ub,
    Int16ul,
    Int32ub,
    Int32ul,
    Struct,
    Switch,
    this,
)

from amtdecode.fields import BYTES, UINT8, Field
from amtdecode.protocols.declaration import Items, Named, Sized, dotted
from amtdecode.protocols.redir import fields, names
from amtdecode.protocols.redir.names import IDER

item = Items(
    fields.ALL,
    Field("iamt.redir.auth.token", BYTES, "token of Kerberos or Negotiate", secret=True),
    Field("iamt.sol.control", UINT8, "lines of the serial port, as bits"),
    Field("iamt.sol.state", UINT8, "state of the host and of the port, as bits"),
    Field("iamt.ider.registers", BYTES, "registers of ATA: mask, error, counts, device, status"),
    Field("iamt.ider.data", BYTES, "blocks of the drive"),
    Field("iamt.ider.attributes", UINT8, "bit 0: DMA, bit 1: the command is done"),
)
"""Every field of the room, and those of bytes that no event shows."""


def _message(kind: int, *parts: Any) -> Struct:
    return Struct("type" / item("iamt.redir.type", Const(bytes((kind,))), shown=lambda _: kind), *parts)


def _bytes(name: str, subcon: Construct = GreedyBytes) -> Construct:
    return item(name, subcon, shown=lambda raw: raw or None)


def _text(name: str) -> Construct:
    return Sized(Byte, item(name, GreedyBytes, shown=lambda raw: raw.decode("utf-8", "backslashreplace") or None))


def _version(name: str) -> Construct:
    return item(name, Bytes(2), shown=dotted)


STATUS = "status" / item("iamt.redir.status", Int8ul)
SEQUENCE = "sequence" / item("iamt.redir.sequence", Int32ul)
NOTHING = "reserved" / Bytes(3)
UNKNOWN = "unknown" / _bytes("iamt.redir.data")

START = _message(
    names.START,
    "attributes" / Bytes(3),
    "session" / item("iamt.redir.session", Bytes(4), shown=Named(names.KINDS)),
)
STARTED = _message(
    names.STARTED,
    STATUS,
    "reserved" / Bytes(2),
    "opened"
    / If(
        this.status == 0,
        Struct(
            "protocol" / _version("iamt.redir.protocol"),
            "firmware" / _version("iamt.redir.firmware"),
            "oem" / item("iamt.redir.oem", Int32ul),
            "oem_data" / Sized(Byte, _bytes("iamt.redir.oem.data")),
        ),
    ),
)
DIGEST_NAMES = ("user", "realm", "nonce", "uri", "cnonce", "nc", "response")


def _digest(*more: str) -> Struct:
    return Struct(*(name / _text(f"iamt.redir.auth.{name}") for name in (*DIGEST_NAMES, *more)))


LOGIN = _message(
    names.LOGIN,
    NOTHING,
    "method" / item("iamt.redir.auth.type", Int8ul),
    "data"
    / Sized(
        Int32ul,
        Switch(
            this.method,
            {
                names.PASSWORD: Struct(
                    "user" / _text("iamt.redir.auth.user"), "password" / _text("iamt.redir.auth.password")
                ),
                names.DIGEST_OLD: _digest(),
                names.DIGEST: _digest("qop"),
            },
            _bytes("iamt.redir.auth.token"),
        ),
    ),
)
CHALLENGE = Struct("realm" / _text("iamt.redir.auth.realm"), "nonce" / _text("iamt.redir.auth.nonce"))
ANSWER = _message(
    names.ANSWER,
    "status" / item("iamt.redir.auth.status", Int8ul),
    "reserved" / Bytes(2),
    "method" / item("iamt.redir.auth.type", Int8ul),
    "data"
    / Sized(
        Int32ul,
        IfThenElse(
            this.status == 0,
            GreedyBytes,
            Switch(
                this.method,
                {
                    names.DIGEST_OLD: CHALLENGE,
                    names.DIGEST: Struct(*CHALLENGE.subcons, "qop" / _text("iamt.redir.auth.qop")),
                },
                GreedyBytes,
            ),
        ),
    ),
)
SOL_START = _message(
    names.SOL_START,
    NOTHING,
    SEQUENCE,
    *(
        name / item(f"iamt.sol.{name}", Int16ul)
        for name in ("max_tx_buffer", "tx_timeout", "tx_overflow_timeout", "host_rx_timeout", "fifo_rx_flush")
    ),
    "heartbeat" / item("iamt.sol.heartbeat", Int16ul),
    "behind" / Bytes(4),
)
SOL_STARTED = _message(names.SOL_STARTED, STATUS, "reserved" / Bytes(2), SEQUENCE, UNKNOWN)


def _console(kind: int, name: str) -> Struct:
    text = item(name, GreedyBytes, shown=lambda raw: raw.decode("utf-8", "backslashreplace") or None)
    return _message(kind, NOTHING, SEQUENCE, "console" / Sized(item("iamt.sol.size", Int16ul), text))


SOL_CONTROLS = _message(
    names.SOL_CONTROLS,
    NOTHING,
    SEQUENCE,
    "control"
    / item(
        "iamt.sol.control",
        Int8ul,
        bits=lambda _: [("iamt.sol.rts", 1), ("iamt.sol.dtr", 2), ("iamt.sol.break", 4)],
    ),
    "state"
    / item(
        "iamt.sol.state",
        Int8ul,
        bits=lambda _: [
            (f"iamt.sol.{name}", 1 << place)
            for place, name in enumerate(("tx_overflow", "loopback", "powered", "rx_flush_timeout", "test_mode"))
        ],
    ),
)
IDER_OPEN = _message(
    names.OPEN,
    NOTHING,
    SEQUENCE,
    "rx_timeout" / item("iamt.ider.rx_timeout", Int16ul),
    "tx_timeout" / item("iamt.ider.tx_timeout", Int16ul),
    "heartbeat" / item("iamt.ider.heartbeat", Int16ul),
    "version" / item("iamt.ider.version", Int32ul),
)
IDER_OPENED = _message(
    names.OPENED,
    STATUS,
    "reserved" / Bytes(2),
    SEQUENCE,
    "protocol" / _version("iamt.redir.protocol"),
    "firmware" / _version("iamt.redir.firmware"),
    "unused" / Bytes(4),
    "read_buffer" / item("iamt.ider.read_buffer", Int16ul),
    "write_buffer" / item("iamt.ider.write_buffer", Int16ul),
    "behind" / Bytes(5),
    "oem" / item("iamt.redir.oem", Int32ul),
    "oem_data" / Sized(Byte, _bytes("iamt.redir.oem.data")),
)
FEATURES = _message(
    names.IDER_FEATURES,
    NOTHING,
    SEQUENCE,
    "feature" / item("iamt.ider.feature", Int8ul),
    "value" / If(this.feature == 3, item("iamt.ider.feature.value", Int32ul)),
)
FEATURES_ARE = _message(
    names.IDER_FEATURES_ARE,
    NOTHING,
    SEQUENCE,
    "feature" / item("iamt.ider.feature", Int8ul),
    "value" / item("iamt.ider.feature.value", Int32ul),
)
TEN = Struct("skipped" / Bytes(1), "block" / item("iamt.ider.scsi.lba", Int32ub), "group" / Bytes(1),
             "blocks" / item("iamt.ider.scsi.blocks", Int16ub), "rest" / GreedyBytes)  # fmt: skip
TWELVE = Struct("skipped" / Bytes(1), "block" / item("iamt.ider.scsi.lba", Int32ub),
                "blocks" / item("iamt.ider.scsi.blocks", Int32ub), "rest" / GreedyBytes)  # fmt: skip
CDB = Struct(
    "command" / item("iamt.ider.scsi.command", Int8ul),
    "behind"
    / Switch(
        this.command,
        {**dict.fromkeys((0x28, 0x2A, 0x2E), TEN), 0xA8: TWELVE},
        GreedyBytes,
    ),
)
COMMAND = _message(
    names.IDER_COMMAND,
    NOTHING,
    SEQUENCE,
    "cable" / Int8ul,
    "feature" / Int8ul,
    "sector_count" / Int8ul,
    "sector" / Int8ul,
    "bytes" / item("iamt.ider.bytes", Int16ul),
    "device" / item("iamt.ider.device", Int8ul, shown=lambda value: 0xB0 if value & 0x10 else 0xA0),
    "ata" / item("iamt.ider.ata", Int8ul),
    "cdb" / CDB,
)
REGISTERS = item("iamt.ider.registers", Bytes(8))
SENSE = (
    "sense" / item("iamt.ider.sense", Int8ul),
    "asc" / item("iamt.ider.asc", Int8ul),
    "ascq" / item("iamt.ider.ascq", Int8ul),
)
ATTRIBUTES = ("reserved" / Bytes(2), "attributes" / item("iamt.ider.attributes", Int8ul))
DONE = _message(
    names.IDER_DONE, *ATTRIBUTES, SEQUENCE, "unused" / Bytes(4), "input" / REGISTERS, "output" / REGISTERS, *SENSE
)
ASK = _message(
    names.IDER_ASK,
    *ATTRIBUTES,
    SEQUENCE,
    "unused" / Bytes(1),
    "size" / item("iamt.ider.size", Int16ul),
    "behind" / Bytes(1),
    "input" / REGISTERS,
    "output" / REGISTERS,
    "rest" / Bytes(3),
)
FROM_HOST = _message(
    names.IDER_FROM_HOST,
    *ATTRIBUTES,
    SEQUENCE,
    "unused" / Bytes(1),
    "size" / item("iamt.ider.size", Int16ul),
    "behind" / Bytes(3),
    "data" / _bytes("iamt.ider.data"),
)
TO_HOST = _message(
    names.IDER_TO_HOST,
    *ATTRIBUTES,
    SEQUENCE,
    "unused" / Bytes(1),
    "size" / item("iamt.ider.size", Int16ul),
    "behind" / Bytes(1),
    "input" / REGISTERS,
    "output" / REGISTERS,
    *SENSE,
    "rest" / Bytes(3),
    "data" / _bytes("iamt.ider.data"),
)
DECLARED: dict[int, Construct] = {
    names.START: START,
    names.STARTED: STARTED,
    names.LOGIN: LOGIN,
    names.ANSWER: ANSWER,
    names.SOL_START: SOL_START,
    names.SOL_STARTED: SOL_STARTED,
    names.SOL_TO_HOST: _console(names.SOL_TO_HOST, "iamt.sol.typed"),
    names.SOL_FROM_HOST: _console(names.SOL_FROM_HOST, "iamt.sol.text"),
    names.SOL_CONTROLS: SOL_CONTROLS,
    names.IDER_FEATURES: FEATURES,
    names.IDER_FEATURES_ARE: FEATURES_ARE,
    names.IDER_COMMAND: COMMAND,
    names.IDER_DONE: DONE,
    names.IDER_ASK: ASK,
    names.IDER_FROM_HOST: FROM_HOST,
    names.IDER_TO_HOST: TO_HOST,
}


@cache
def declaration(kind: int, session: str = "") -> Construct:
    """The declaration of a message of this type, in a session of this kind."""
    if kind in (names.OPEN, names.OPENED):
        if session == IDER:
            return IDER_OPEN if kind == names.OPEN else IDER_OPENED
        return _message(kind, "unknown" / GreedyBytes)
    if kind in (names.IDER_RESET, names.IDER_ERROR):
        return _message(kind, NOTHING, SEQUENCE, "mask" / item("iamt.ider.mask", Int8ul), "rest" / GreedyBytes)
    if kind in DECLARED:
        return DECLARED[kind]
    if kind in names.NUMBERED or kind == names.SOL_CONSOLE:
        return _message(kind, NOTHING, SEQUENCE, UNKNOWN)
    return _message(kind, "rest" / GreedyBytes)
