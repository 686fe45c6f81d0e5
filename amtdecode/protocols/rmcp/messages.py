"""What the RMCP room states, and the reader that makes it of a datagram."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, ClassVar

from amtdecode import ports
from amtdecode.counting import counted
from amtdecode.model import Event, Malformed
from amtdecode.protocols.rmcp import fields as asf

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.fields import Fields
    from amtdecode.tree import Node

HEADER = struct.Struct("BBBB")  # version, reserved, sequence, class
RSP = struct.Struct(">II")  # session id, sequence
MESSAGE = struct.Struct(">IBBBB")  # IANA number, type, tag, reserved, length of the data
VERSION = 6
MAX_PAYLOADS = 16  # read of one session message; there are three kinds
FIRST_WITH_VERSION = 6  # AMT 6.0 is the first whose pong tells version and state (Intel AMT guide)


class RmcpMessage(Event, frozen=True, gc=False, kw_only=True):
    """One datagram: an acknowledgment, or a message of a class that is told by its name only."""

    protocol: ClassVar[str] = asf.NAME
    declared: ClassVar[Fields] = (*asf.HEADER, *asf.TRAILER)
    sequence: int
    class_byte: int
    """Bit 7: acknowledgment; bits 4 to 0: the class."""
    version: int = VERSION
    reserved: int = 0
    session: int | None = None
    """Session number of the header that messages on port 664 have; 0 outside a session."""
    session_sequence: int | None = None
    trailer: bytes = b""

    @property
    def kind(self) -> int:
        """6 ASF, 7 IPMI, 8 OEM."""
        return self.class_byte & 0x1F

    @property
    def acknowledges(self) -> int:
        """1 for an acknowledgment."""
        return self.class_byte >> 7

    def tree(self, pdu: bytes) -> tuple[Node, ...]:
        from amtdecode.protocols.declaration import tree_of
        from amtdecode.protocols.rmcp.spec import SECURE, UNSECURE

        return tree_of(SECURE if self.session is not None else UNSECURE, pdu)

    def summary(self) -> str:
        inside = asf.CLASSES.get(self.kind, f"class {self.kind}")
        if self.acknowledges:
            return f"RMCP: message {self.sequence} is acknowledged ({inside})"
        return f"{inside} message over RMCP, not read further"


class AsfMessage(RmcpMessage, frozen=True, gc=False, kw_only=True):
    """A message of ASF: a ping, a request without data, or one of a type that is not known."""

    declared: ClassVar[Fields] = (*asf.HEADER, *asf.MESSAGE, *asf.DATA, *asf.TRAILER)
    iana: int
    type: int
    tag: int
    size: int  # of the data, as declared
    data: bytes = b""

    @property
    def name(self) -> str:
        """The type in words."""
        return asf.TYPES.get(self.type, f"type 0x{self.type:02x}")

    def summary(self) -> str:
        return f"ASF {self.name}, tag {self.tag}"


class AsfPong(AsfMessage, frozen=True, gc=False, kw_only=True):
    """The answer to a ping. That of AMT has a layout of its own: port, version, state."""

    declared: ClassVar[Fields] = (*asf.HEADER, *asf.MESSAGE, *asf.PONG_DATA, *asf.TRAILER)

    @property
    def is_amt(self) -> bool:
        """Whether it is AMT's: Intel's number, and what AMT's layout allows.

        A management controller of Intel's has the same number; it says IPMI, names no port of AMT and no version.
        """
        data = self.data
        if len(data) < 12 or data[:4] != asf.INTEL.to_bytes(4, "big"):
            return False
        port = int.from_bytes(data[4:6], "big")
        if port in ports.SETUP:
            return True
        return port == 0 and not data[8] & 0x80 and max(data[6] >> 4, data[10]) >= FIRST_WITH_VERSION

    @property
    def oem(self) -> int | None:
        """Bytes of the maker's own; `None` in the pong of AMT, whose layout is known."""
        return None if self.is_amt or len(self.data) < 8 else int.from_bytes(self.data[4:8], "big")

    @property
    def port(self) -> int | None:
        """Port AMT has open; 0: none, it is not configured. `None` where the pong is not AMT's."""
        return int.from_bytes(self.data[4:6], "big") if self.is_amt else None

    @property
    def amt_version(self) -> str:
        """Major and minor version; "" where the pong does not say (before 6.0) or is not AMT's."""
        if not self.is_amt:
            return ""
        if self.data[6]:
            return f"{self.data[6] >> 4}.{self.data[6] & 15}"
        return f"{self.data[10]}.{self.data[11]}" if self.data[10] else ""

    @property
    def state(self) -> int | None:
        """0 not provisioned, 1 in provisioning, 2 provisioned; `None` where the pong does not say."""
        return self.data[7] & 3 if self.amt_version else None

    @property
    def both_ports(self) -> bool | None:
        """16992 and 16993 are both open; `None` where the pong does not say."""
        return bool(self.data[7] & 4) if self.amt_version else None

    @property
    def dash(self) -> bool | None:
        """DASH: bit 5 of the interactions; AMT 4.0 to 5.0 has it in the entities."""
        if len(self.data) < 10:
            return None
        return bool(self.data[9] & 0x20 or (self.is_amt and self.data[8] & 0x20))

    def summary(self) -> str:
        if not self.is_amt:
            ipmi = ", IPMI" if self.data[8:9] >= b"\x80" else ""
            return f"ASF presence pong, tag {self.tag}: not AMT's{ipmi}"
        version = f" {self.amt_version}" if self.amt_version else ""
        state = "" if self.state is None else f", {asf.PROVISIONING.get(self.state, f'state {self.state}')}"
        where = f", port {self.port}" if self.port else ", no port open"
        return f"Pong of Intel AMT{version}{state}{where}, tag {self.tag}"


class AsfControl(AsfMessage, frozen=True, gc=False, kw_only=True):
    """A command: reset, power up, power down, power cycle, with what to boot."""

    declared: ClassVar[Fields] = (*asf.HEADER, *asf.MESSAGE, *asf.CONTROL_DATA, *asf.TRAILER)

    def summary(self) -> str:
        command = self.data[4] if len(self.data) > 4 else 0
        boot = f", {asf.COMMANDS.get(command, f'special command {command}')}" if command else ""
        return f"ASF {self.name}{boot}, tag {self.tag}"


class AsfCapabilities(AsfMessage, frozen=True, gc=False, kw_only=True):
    """What a machine can do over ASF."""

    declared: ClassVar[Fields] = (*asf.HEADER, *asf.MESSAGE, *asf.CAPABILITIES_DATA, *asf.TRAILER)

    @property
    def commands(self) -> list[str]:
        """Special commands it takes, in words."""
        bits = int.from_bytes(self.data[8:10], "big") if len(self.data) >= 10 else 0
        return [asf.COMMANDS[number] for number in range(1, 6) if bits >> number - 1 & 1]


class AsfState(AsfMessage, frozen=True, gc=False, kw_only=True):
    """The power state of a machine."""

    declared: ClassVar[Fields] = (*asf.HEADER, *asf.MESSAGE, *asf.STATE_DATA, *asf.TRAILER)

    def summary(self) -> str:
        power = self.data[0] & 15 if self.data else 14
        return f"ASF system state: {asf.POWER_STATES.get(power, f'state {power}')}, tag {self.tag}"


class AsfSession(AsfMessage, frozen=True, gc=False, kw_only=True):
    """A session is opened or closed (RSSP)."""

    declared: ClassVar[Fields] = (*asf.HEADER, *asf.MESSAGE, *asf.SESSION_DATA, *asf.TRAILER)

    def _number(self, at: int, size: int) -> int | None:
        return int.from_bytes(self.data[at : at + size], "big") if len(self.data) >= at + size else None

    @property
    def status(self) -> int | None:
        """Of a response."""
        return self._number(0, 1) if self.type in (asf.OPENED, asf.CLOSED) else None

    @property
    def console(self) -> int | None:
        """Session number of the console."""
        return self._number({asf.OPEN: 0, asf.OPENED: 4}.get(self.type, 256), 4)

    @property
    def client(self) -> int | None:
        """Session number of the managed machine."""
        return self._number({asf.OPENED: 8, asf.CLOSE: 0}.get(self.type, 256), 4)

    @property
    def payloads(self) -> list[tuple[int, bytes]]:
        """Types and bytes of the payloads, headers included, up to the end mark or the first that is wrong."""
        return list(read_payloads(self.data, {asf.OPEN: 4, asf.OPENED: 12}.get(self.type, 256)))

    @property
    def payload_types(self) -> list[int]:
        """Type of each payload."""
        return [kind for kind, _ in self.payloads]

    @property
    def payload_sizes(self) -> list[int]:
        """Bytes of each payload, its header included."""
        return [len(part) for _, part in self.payloads]

    def algorithms(self, kind: int) -> list[int]:
        """The algorithms of the payloads of this type."""
        return [part[4] for found, part in self.payloads if found == kind and len(part) > 4]

    def summary(self) -> str:
        status = "" if self.status is None else f": {asf.STATUSES.get(self.status, f'status {self.status}')}"
        return f"ASF {self.name}{status}, tag {self.tag}"


class AsfRakp(AsfMessage, frozen=True, gc=False, kw_only=True):
    """Console and machine prove to each other that they know the key (RAKP)."""

    declared: ClassVar[Fields] = (*asf.HEADER, *asf.MESSAGE, *asf.RAKP_DATA, *asf.TRAILER)

    @property
    def _first(self) -> bool:
        return self.type == asf.RAKP1

    @property
    def status(self) -> int | None:
        """Of messages 2 and 3."""
        return self.data[0] if self.data and not self._first else None

    @property
    def session_number(self) -> int | None:
        """Of whom the message is for: the machine in 1 and 3, the console in 2."""
        at = 0 if self._first else 4
        return int.from_bytes(self.data[at : at + 4], "big") if len(self.data) >= at + 4 else None

    @property
    def random(self) -> bytes:
        """16 bytes; empty in message 3."""
        return self.data[4:20] if self._first else self.data[8:24] if self.type == asf.RAKP2 else b""

    @property
    def role(self) -> int | None:
        """Message 1: 0 operator, 1 administrator."""
        return self.data[20] if self._first and len(self.data) > 20 else None

    @property
    def user(self) -> str | None:
        """Message 1: the name of the user."""
        if not self._first or len(self.data) < 24:
            return None
        return self.data[24 : 24 + self.data[23]].decode("utf-8", "backslashreplace")

    @property
    def guid(self) -> bytes:
        """Message 2: 16 bytes."""
        return self.data[24:40] if self.type == asf.RAKP2 else b""

    @property
    def hash(self) -> bytes:
        """Messages 2 and 3: HMAC-SHA1 over what was said, with the key of the user."""
        return self.data[40:] if self.type == asf.RAKP2 else self.data[8:] if self.type == asf.RAKP3 else b""

    def summary(self) -> str:
        status = "" if self.status is None else f": {asf.STATUSES.get(self.status, f'status {self.status}')}"
        return f"ASF {self.name}{status}, tag {self.tag}"


KINDS: dict[int, type[AsfMessage]] = {
    asf.PONG: AsfPong,
    **dict.fromkeys((asf.RESET, asf.POWER_UP, asf.POWER_DOWN, asf.POWER_CYCLE), AsfControl),
    asf.CAPABILITIES: AsfCapabilities,
    asf.STATE: AsfState,
    **dict.fromkeys((asf.OPEN, asf.OPENED, asf.CLOSE, asf.CLOSED), AsfSession),
    **dict.fromkeys((asf.RAKP1, asf.RAKP2, asf.RAKP3), AsfRakp),
}
LEAST = {  # bytes of data that a message of a type has
    asf.RESET: 11,
    asf.POWER_UP: 11,
    asf.POWER_CYCLE: 11,
    asf.PONG: 16,
    asf.CAPABILITIES: 16,
    asf.STATE: 4,
    asf.OPEN: 4,
    asf.OPENED: 4,
    asf.CLOSE: 4,
    asf.CLOSED: 4,
    asf.RAKP1: 24,
    asf.RAKP2: 4,
    asf.RAKP3: 4,
}


def read_payloads(data: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """Payloads of a session message: type, 0, length u16 with the header, data; type 0 ends them."""
    for _ in range(MAX_PAYLOADS):
        size = int.from_bytes(data[at + 2 : at + 4], "big")
        if len(data) < at + 4 or size < 4 or at + size > len(data):
            return
        yield data[at], data[at : at + size]
        if data[at] == 0:
            return
        at += size


def header_at(data: bytes) -> int:
    """Where the header of RMCP stands: 0, or 8 behind that of a session; -1: nowhere."""
    for at in (0, RSP.size):
        head = data[at : at + HEADER.size]
        if len(head) == HEADER.size and head[0] == VERSION and head[1] == 0 and head[3] & 0x1F in asf.CLASSES:
            return at
    return -1


def read(data: bytes) -> list[Event]:
    """The message of one datagram, and its fault behind it. `data` may be any bytes."""
    at = header_at(data)
    if at < 0:
        return [Malformed(asf.NAME, f"no header of RMCP in {counted(len(data), 'byte')}", data[:64])]
    version, reserved, sequence, kind = HEADER.unpack_from(data, at)
    session, number = RSP.unpack_from(data) if at else (None, None)
    head = {
        "version": version,
        "reserved": reserved,
        "sequence": sequence,
        "class_byte": kind,
        "session": session,
        "session_sequence": number,
    }
    rest = data[at + HEADER.size :]
    if kind & asf.ACKNOWLEDGMENT:
        return [RmcpMessage(trailer=rest, **head)]
    if asf.CLASSES[kind & 0x1F] != asf.ASF:
        return [RmcpMessage(**head)]
    if len(rest) < MESSAGE.size:
        return [Malformed(asf.NAME, f"{len(rest)} of {MESSAGE.size} bytes of an ASF message", data[:64])]
    iana, what, tag, _, size = MESSAGE.unpack_from(rest)
    body, behind = rest[MESSAGE.size : MESSAGE.size + size], rest[MESSAGE.size + size :]
    kinds = KINDS if iana == asf.ASF_NUMBER else {}
    message = kinds.get(what, AsfMessage)(iana=iana, type=what, tag=tag, size=size, data=body, trailer=behind, **head)
    fault = ""
    if len(body) < size:
        fault = f"{counted(size, 'byte')} of data are declared, {len(body)} are there"
    elif iana == asf.ASF_NUMBER and size < LEAST.get(what, 0):
        fault = f"{counted(size, 'byte')} of data in a {message.name}, which has at least {LEAST[what]}"
    return [message, Malformed(asf.NAME, fault, body)] if fault else [message]
