"""The event of the PET room, and the reader that makes it of a datagram."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, ClassVar
from uuid import UUID

from amtdecode.model import Endpoint, Event, Malformed
from amtdecode.protocols.pet.fields import (
    ENTERPRISE,
    MAX_TRAP,
    NAME,
    PET,
    SEVERITIES,
    SNMP,
    SYSTEM_MANAGEMENT_CARD,
    UNSPECIFIED_OFFSET,
    VARIABLE,
)
from amtdecode.protocols.pet.words import event_words
from amtdecode.times import moment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.fields import Fields
    from amtdecode.tree import Node

EPOCH = 883_612_800  # 1998-01-01 in seconds since 1970
BODY = struct.Struct(">16sHIHBBBBBBB8sBIH")  # the 46 fixed bytes
END_OF_OEM = 0xC1
INTEGER, OCTETS, OBJECT, SEQUENCE = 0x02, 0x04, 0x06, 0x30  # BER tags, X.690
ADDRESS, TICKS, TRAP = 0x40, 0x43, 0xA4  # RFC 1155, RFC 1157


class PlatformEvent(Event, frozen=True, gc=False, kw_only=True):
    """One trap: the machine says what happened to it. Times of the machine's own clock."""

    protocol: ClassVar[str] = NAME
    declared: ClassVar[Fields] = (*SNMP, *PET)
    snmp_version: int = 0
    community: str
    agent: bytes  # 4 bytes
    generic: int
    specific: int
    uptime: int
    body: bytes
    """The 46 bytes of PET, and behind them those of the manufacturer's own."""

    @property
    def enterprise(self) -> str:
        """The object identifier in dots."""
        return "1.3.6.1.4.1.3183.1.1"

    @property
    def agent_address(self) -> str:
        """IPv4 address in the trap."""
        return Endpoint(self.agent, 0).address

    @property
    def sensor_type(self) -> int:
        """Byte 1 of the specific trap."""
        return self.specific >> 16 & 0xFF

    @property
    def event_type(self) -> int:
        """Byte 2."""
        return self.specific >> 8 & 0xFF

    @property
    def offset(self) -> int:
        """Bits 3 to 0 of byte 3."""
        return self.specific & 0x0F

    @property
    def deasserted(self) -> bool:
        """Bit 7 of byte 3."""
        return bool(self.specific & 0x80)

    @property
    def event(self) -> str:
        """What happened, in words."""
        return event_words(self.sensor_type, self.event_type, self.offset, over=self.deasserted)

    @property
    def guid(self) -> str:
        """In network order, as PET has it."""
        return str(UUID(bytes=self.body[:16]))

    @property
    def guid_smbios(self) -> str:
        """In SMBIOS order: first three groups little-endian."""
        return str(UUID(bytes_le=self.body[:16]))

    @property
    def sequence(self) -> int:
        """The same where a trap is sent again."""
        return int.from_bytes(self.body[16:18], "big")

    @property
    def timestamp(self) -> int:
        """Seconds since 1998-01-01, local; 0: not specified."""
        return int.from_bytes(self.body[18:22], "big")

    @property
    def local_time(self) -> str:
        """The same as `2007-11-05T09:00:00`; "" where not specified."""
        if not self.timestamp:
            return ""
        return moment((EPOCH + self.timestamp) * 1_000_000_000).strftime("%Y-%m-%dT%H:%M:%S")

    @property
    def utc_offset(self) -> int | None:
        """Minutes; `None` where not specified."""
        value = int.from_bytes(self.body[22:24], "big")
        return None if value == UNSPECIFIED_OFFSET else value - (value >> 15 << 16)

    @property
    def trap_source(self) -> int:
        """Who sent the trap."""
        return self.body[24]

    @property
    def event_source(self) -> int:
        """Who saw the event."""
        return self.body[25]

    @property
    def severity(self) -> int:
        """1 monitor to 32 non-recoverable, as bits."""
        return self.body[26]

    @property
    def sensor_device(self) -> int:
        """255: not specified."""
        return self.body[27]

    @property
    def sensor_number(self) -> int:
        """255: not specified."""
        return self.body[28]

    @property
    def entity(self) -> int:
        """Part of the machine (IPMI 2.0 table 43-13)."""
        return self.body[29]

    @property
    def entity_instance(self) -> int:
        """Which of these parts."""
        return self.body[30]

    @property
    def event_data(self) -> bytes:
        """8 bytes."""
        return self.body[31:39]

    @property
    def language(self) -> int:
        """0x19 English, 0xFF not specified."""
        return self.body[39]

    @property
    def manufacturer(self) -> int:
        """IANA number; 343 is Intel's."""
        return int.from_bytes(self.body[40:44], "big")

    @property
    def system(self) -> int:
        """Number of the system, of the manufacturer's own."""
        return int.from_bytes(self.body[44:46], "big")

    @property
    def oem(self) -> bytes:
        """What follows the fixed bytes, up to the end mark C1."""
        rest = self.body[BODY.size :]
        return rest[:-1] if rest[-1:] == bytes((END_OF_OEM,)) else rest

    @property
    def is_of_amt(self) -> bool:
        """Whether AMT says that it saw the event itself."""
        return self.event_source == SYSTEM_MANAGEMENT_CARD

    def tree(self, pdu: bytes) -> tuple[Node, ...]:
        from amtdecode.protocols.declaration import tree_of
        from amtdecode.protocols.pet.spec import MESSAGE

        return tree_of(MESSAGE, pdu)

    def summary(self) -> str:
        severity = SEVERITIES.get(self.severity, f"severity {self.severity}")
        return f"PET {self.event} ({severity}), machine {self.guid}, sequence {self.sequence}"


class BrokenTrapError(Exception):
    """The bytes are no trap; says what is wrong."""


def _element(data: bytes, at: int, end: int, tag: int, what: str) -> tuple[int, int]:
    """Where the value of the element at `at` begins and ends; it must have this tag and end before `end`."""
    if at + 2 > end:
        raise BrokenTrapError(f"cut before the {what}")
    if data[at] != tag:
        raise BrokenTrapError(f"0x{data[at]:02x} in place of the {what}")
    size, start = data[at + 1], at + 2
    if size & 0x80:
        count = size & 0x7F
        if not 1 <= count <= 2 or start + count > end:
            raise BrokenTrapError(f"length of the {what} is not to be read")
        size, start = int.from_bytes(data[start : start + count], "big"), start + count
    if start + size > end:
        raise BrokenTrapError(f"{what} wants {size} bytes, {end - start} are left")
    return start, start + size


def _number(data: bytes, at: int, end: int, tag: int, what: str) -> tuple[int, int]:
    start, stop = _element(data, at, end, tag, what)
    if not 1 <= stop - start <= 5:
        raise BrokenTrapError(f"{what} has {stop - start} bytes")
    return int.from_bytes(data[start:stop], "big", signed=tag == INTEGER), stop


def _read(data: bytes) -> Iterator[Event]:
    start, end = _element(data, 0, len(data), SEQUENCE, "message")
    version, at = _number(data, start, end, INTEGER, "version")
    begin, at = _element(data, at, end, OCTETS, "community")
    community = data[begin:at].decode("utf-8", "backslashreplace")
    at, end = _element(data, at, end, TRAP, "trap")
    begin, at = _element(data, at, end, OBJECT, "enterprise")
    if data[begin:at] != ENTERPRISE:
        raise BrokenTrapError("the enterprise is not that of PET")
    begin, at = _element(data, at, end, ADDRESS, "agent address")
    agent = data[begin:at]
    if len(agent) != 4:
        raise BrokenTrapError(f"the agent address has {len(agent)} bytes")
    generic, at = _number(data, at, end, INTEGER, "generic trap")
    specific, at = _number(data, at, end, INTEGER, "specific trap")
    uptime, at = _number(data, at, end, TICKS, "time stamp")
    at, end = _element(data, at, end, SEQUENCE, "variables")
    at, end = _element(data, at, end, SEQUENCE, "variable")
    begin, at = _element(data, at, end, OBJECT, "name of the variable")
    if data[begin:at] != VARIABLE:
        raise BrokenTrapError("the variable is not that of PET")
    begin, end = _element(data, at, end, OCTETS, "octets of PET")
    body = data[begin:end]
    if len(body) < BODY.size:
        raise BrokenTrapError(f"{len(body)} of {BODY.size} bytes of PET")
    yield PlatformEvent(
        snmp_version=version,
        community=community,
        agent=agent,
        generic=generic,
        specific=specific & 0xFFFFFFFF,
        uptime=uptime,
        body=body,
    )


def read(data: bytes) -> list[Event]:
    """The trap of one datagram, or what is wrong with it. `data` may be any bytes."""
    try:
        return list(_read(data[:MAX_TRAP]))
    except BrokenTrapError as fault:
        return [Malformed(NAME, str(fault), data[:64])]
