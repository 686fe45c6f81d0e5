"""The fields of redirection messages. All are our own: tshark does not know the protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amtdecode.fields import BOOLEAN, BYTES, STRING, UINT8, UINT16, UINT32, Field, Fields
from amtdecode.protocols.redir import names

if TYPE_CHECKING:
    from collections.abc import Callable


def number(at: int, size: int) -> Callable[[Any], int | None]:
    """A little-endian number out of a message; `None` where it is shorter."""

    def read(message: Any) -> int | None:
        data: bytes = message.data
        return int.from_bytes(data[at : at + size], "little") if len(data) >= at + size else None

    return read


def flag(at: int, mask: int) -> Callable[[Any], bool]:
    """A bit of a byte of a message."""
    return lambda message: bool(message.data[at] & mask)


TYPE = Field("iamt.redir.type", UINT8, "what the message is", "type", values=names.TYPES)
STATUS = Field("iamt.redir.status", UINT8, "how it fared", number(1, 1), None, names.STATUSES)
SESSION = Field("iamt.redir.session", STRING, "what is redirected: SOL, IDER or KVM", "session", "")
SEQUENCE = Field("iamt.redir.sequence", UINT32, "number of the message; clients often leave it 0", number(4, 4), None)
BYTES_BEHIND = Field("iamt.redir.data", BYTES, "bytes whose meaning no public source tells", "unknown", b"")

MESSAGE: Fields = (TYPE, SESSION)
NUMBERED: Fields = (TYPE, SEQUENCE, BYTES_BEHIND)
STARTED: Fields = (
    TYPE,
    STATUS,
    Field("iamt.redir.protocol", STRING, "version of the protocol", "protocol_version", ""),
    Field("iamt.redir.firmware", STRING, "version of AMT, major and minor", "firmware", ""),
    Field("iamt.redir.oem", UINT32, "IANA number of the maker", number(8, 4), None, {343: "Intel"}),
    Field("iamt.redir.oem.data", BYTES, "bytes of the maker's own", "oem_data", b""),
)


def _login(name: str, meaning: str, attribute: str, *, secret: bool = False, free: bool = False) -> Field:
    return Field(f"iamt.redir.auth.{name}", STRING, meaning, attribute, "", secret=secret, free=free)


METHOD = Field("iamt.redir.auth.type", UINT8, "how one logs in", "method", values=names.AUTHENTICATIONS)
LOGIN: Fields = (
    TYPE,
    METHOD,
    _login("user", "user", "user", free=True),
    _login("password", "password in the clear", "password", secret=True),
    _login("realm", "realm; AMT's ends with 32 hexadecimal digits of its own", "realm"),
    _login("nonce", "nonce of AMT", "nonce"),
    _login("uri", "address the hash was made for; some clients leave it empty", "uri"),
    _login("cnonce", "nonce of the client", "cnonce"),
    _login("nc", "nonce count; clients always send 00000002", "nc"),
    _login("response", "hash that proves the password", "response", secret=True),
    _login("qop", "quality of protection", "qop"),
    _login("mechanism", "what a token carries: Kerberos, NTLM …, SPNEGO", "mechanism"),
    Field("iamt.redir.auth.verified", BOOLEAN, "whether the password given makes this response", "verified", None),
)
ANSWER: Fields = (
    TYPE,
    Field("iamt.redir.auth.status", UINT8, "how the login fared", number(1, 1), None, names.LOGIN_STATUSES),
    METHOD,
    Field(
        "iamt.redir.auth.offered",
        UINT8,
        "ways to log in that AMT offers",
        "offered",
        (),
        names.AUTHENTICATIONS,
        repeated=True,
    ),
    _login("realm", "realm; AMT's ends with 32 hexadecimal digits of its own", "realm"),
    _login("nonce", "nonce of AMT", "nonce"),
    _login("qop", "quality of protection", "qop"),
)
SOL_START: Fields = (
    TYPE,
    SEQUENCE,
    Field("iamt.sol.max_tx_buffer", UINT16, "bytes of a data message at most", number(8, 2), None),
    Field("iamt.sol.tx_timeout", UINT16, "milliseconds after which AMT sends what it has", number(10, 2), None),
    Field("iamt.sol.tx_overflow_timeout", UINT16, "milliseconds before bytes are dropped", number(12, 2), None),
    Field("iamt.sol.host_rx_timeout", UINT16, "milliseconds the host may take to read", number(14, 2), None),
    Field(
        "iamt.sol.fifo_rx_flush", UINT16, "milliseconds after which what was not read is dropped", number(16, 2), None
    ),
    Field("iamt.sol.heartbeat", UINT16, "milliseconds between heartbeats; 0: none", number(18, 2), None),
)
SOL_STARTED: Fields = (TYPE, STATUS, SEQUENCE, BYTES_BEHIND)
SIZE = Field("iamt.sol.size", UINT16, "bytes of the console in the message", "size")
SOL_DATA: Fields = (
    TYPE,
    SEQUENCE,
    SIZE,
    Field("iamt.sol.typed", STRING, "what is typed at the console, passwords among it", "typed", "", secret=True),
    Field("iamt.sol.text", STRING, "what the host shows at the console", "text", "", free=True),
)


def _control(name: str, at: int, mask: int, meaning: str) -> Field:
    return Field(f"iamt.sol.{name}", BOOLEAN, meaning, flag(at, mask))


SOL_CONTROLS: Fields = (
    TYPE,
    SEQUENCE,
    _control("rts", 8, 1, "RTS of the serial port is asserted"),
    _control("dtr", 8, 2, "DTR of the serial port is asserted"),
    _control("break", 8, 4, "BREAK of the serial port"),
    _control("tx_overflow", 9, 1, "bytes of the host were dropped"),
    _control("loopback", 9, 2, "the serial port is in loopback mode: what is typed is not taken"),
    _control("powered", 9, 4, "the host is powered"),
    _control("rx_flush_timeout", 9, 8, "what was typed was dropped: the host did not read it in time"),
    _control("test_mode", 9, 16, "the serial port is in test mode"),
)
IDER_OPEN: Fields = (
    TYPE,
    SEQUENCE,
    Field("iamt.ider.rx_timeout", UINT16, "milliseconds AMT may take", number(8, 2), None),
    Field("iamt.ider.tx_timeout", UINT16, "milliseconds the client may take; 0: any", number(10, 2), None),
    Field("iamt.ider.heartbeat", UINT16, "milliseconds between heartbeats", number(12, 2), None),
    Field("iamt.ider.version", UINT32, "version of the client", number(14, 4), None),
)
IDER_OPENED: Fields = (
    TYPE,
    STATUS,
    SEQUENCE,
    Field("iamt.redir.protocol", STRING, "version of the protocol", "protocol_version", ""),
    Field("iamt.redir.firmware", STRING, "version of AMT, major and minor", "firmware", ""),
    Field("iamt.ider.read_buffer", UINT16, "bytes of a data message to the host at most", number(16, 2), None),
    Field("iamt.ider.write_buffer", UINT16, "bytes of a data message from the host at most", number(18, 2), None),
    Field("iamt.redir.oem", UINT32, "IANA number of the maker", number(25, 4), None, {343: "Intel"}),
    Field("iamt.redir.oem.data", BYTES, "bytes of the maker's own", "oem_data", b""),
)
IDER_FEATURES: Fields = (
    TYPE,
    SEQUENCE,
    Field("iamt.ider.feature", UINT8, "what is asked or told", number(8, 1), None, names.FEATURES),
    Field("iamt.ider.feature.value", UINT32, "its value, as bits", number(9, 4), None),
)
IDER_MASK: Fields = (TYPE, SEQUENCE, Field("iamt.ider.mask", UINT8, "what happened, as bits", number(8, 1), None))
DEVICE = Field("iamt.ider.device", UINT8, "drive that is meant", "device", None, names.DEVICES)
IDER_COMMAND: Fields = (
    TYPE,
    SEQUENCE,
    DEVICE,
    Field("iamt.ider.dma", BOOLEAN, "data come by DMA", flag(9, 1)),
    Field(
        "iamt.ider.ata", UINT8, "command of ATA: 160 is PACKET, with SCSI inside", number(15, 1), None, {0xA0: "PACKET"}
    ),
    Field("iamt.ider.bytes", UINT16, "bytes the host takes at a time", number(12, 2), None),
    Field("iamt.ider.scsi.command", UINT8, "command of SCSI", number(16, 1), None, names.COMMANDS),
    Field("iamt.ider.scsi.lba", UINT32, "first block", "block", None),
    Field("iamt.ider.scsi.blocks", UINT32, "blocks", "blocks", None),
    Field("iamt.ider.scsi.cdb", BYTES, "command of SCSI as it came", "cdb"),
)
SENSE: Fields = (
    Field("iamt.ider.sense", UINT8, "sense key: 0 where all is well", "sense", None, names.SENSE_KEYS),
    Field("iamt.ider.asc", UINT8, "additional sense code", "asc", None),
    Field("iamt.ider.ascq", UINT8, "its qualifier", "ascq", None),
)
LENGTH = Field("iamt.ider.size", UINT16, "bytes of data that move", number(9, 2), None)
COMPLETED = Field("iamt.ider.completed", BOOLEAN, "the command is done with this", flag(3, 2))
IDER_DONE: Fields = (TYPE, SEQUENCE, DEVICE, *SENSE)
IDER_DATA: Fields = (TYPE, SEQUENCE, LENGTH, DEVICE)
IDER_TO_HOST: Fields = (*IDER_DATA, COMPLETED, *SENSE)
ALL: Fields = tuple(
    {
        field.name: field
        for fields in (
            *(MESSAGE, NUMBERED, STARTED, LOGIN, ANSWER, SOL_START, SOL_STARTED, SOL_DATA, SOL_CONTROLS),
            *(IDER_OPEN, IDER_OPENED, IDER_FEATURES, IDER_MASK, IDER_COMMAND, IDER_DONE, IDER_TO_HOST),
        )
        for field in fields
    }.values()
)
"""Every field of the room."""
