"""pcapng files.

Layout: https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng. Blocks of type, total length, body, total length. A
section header opens a section with its own byte order; each interface description has its own link type, snap length
and time stamp resolution; packets name their interface.

Read: section header, interface description, enhanced, simple and obsolete packet blocks, name resolution, decryption
secrets, comments of all of these; of interface statistics, what was dropped (their comment is dumpcap's own). Passed
over: unknown types; journal and custom blocks too, but they count when packets are numbered, as in Wireshark.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, ClassVar

from amtdecode.capture.packets import MAX_TIME_NS, Interface, RawPacket, notice, packet_id
from amtdecode.capture.source import DamageError
from amtdecode.fields import STRING, UINT32, UINT64, Field, Fields
from amtdecode.masking import masked
from amtdecode.model import Event, LimitReached, Malformed, Note, Truncated

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from amtdecode.capture.source import Source

SECTION_HEADER, INTERFACE, OLD_PACKET, SIMPLE_PACKET, NAME_RESOLUTION = 0x0A0D0D0A, 1, 2, 3, 4
STATISTICS, ENHANCED_PACKET, DECRYPTION_SECRETS = 5, 6, 10
JOURNAL_ENTRY, CUSTOM, CUSTOM_NOT_COPIED = 9, 0xBAD, 0x40000BAD
SECTION_MAGIC = 0x1A2B3C4D  # in the section's own byte order
TLS_KEY_LOG = 0x544C534B  # "TLSK", draft §4.7: an NSS key log

OPT_END, OPT_COMMENT, IF_NAME, IF_TSRESOL, IF_TSOFFSET = 0, 1, 2, 9, 14
NRB_END, NRB_IPV4, NRB_IPV6 = 0, 1, 2
ISB_IFDROP, ISB_OSDROP = 5, 7  # packets dropped since the capture began, by the interface and by the operating system

MAX_BLOCK = 16 * 1024 * 1024 + 4096  # bytes, as in Wireshark; more is damage, not a block
MAX_INTERFACES = 4096  # a section; hardware capture cards have a few dozen
MAX_NAME = 64  # characters of an interface's name in a sentence
MAX_SECRETS = 8 * 1024 * 1024  # bytes of one decryption secrets block


class Comment(Event, frozen=True):
    """A comment somebody put on a section, an interface or a packet."""

    protocol: ClassVar[str] = "pcapng"
    declared: ClassVar[Fields] = (
        Field("frame.comment", STRING, "a comment in the capture", "text", free=True),
        Field("iamt.pcapng.subject", STRING, "what the comment is on: section, interface or packet", "subject"),
    )
    subject: str  # "section", "interface", "packet"
    text: str

    def summary(self) -> str:
        return f"comment on the {self.subject}: {masked(' '.join(self.text.split()))}"


class NameResolution(Event, frozen=True):
    """Names the capture itself keeps for an address."""

    protocol: ClassVar[str] = "pcapng"
    declared: ClassVar[Fields] = (
        Field("iamt.pcapng.address", STRING, "an IPv4 or IPv6 address the capture keeps names for", "address"),
        Field("iamt.pcapng.name", STRING, "names the capture keeps for the address", "names", repeated=True),
    )
    address: str
    names: tuple[str, ...]

    def summary(self) -> str:
        return f"the capture names {self.address} {', '.join(self.names)}"


class DecryptionSecrets(Event, frozen=True):
    """A decryption secrets block; the engine gives its keys to the dissectors."""

    protocol: ClassVar[str] = "pcapng"
    declared: ClassVar[Fields] = (
        Field(
            "iamt.pcapng.secrets.type",
            UINT32,
            "type of a decryption secrets block",
            "kind",
            values={TLS_KEY_LOG: "TLS key log"},
        ),
        Field("iamt.pcapng.secrets.size", UINT64, "bytes in a decryption secrets block", "size"),
    )
    kind: int
    data: bytes

    def summary(self) -> str:
        what = "TLS key log" if self.kind == TLS_KEY_LOG else f"type {self.kind:#010x}, not read"
        return f"decryption secrets in the capture: {what}, {len(self.data)} bytes"

    @property
    def size(self) -> int:
        """Bytes in the block."""
        return len(self.data)


class PcapngInterface(Interface):
    """An interface of a section: stamps are 64-bit counts of its own unit since its own offset."""

    __slots__ = ("_offset_ns", "_per_second")

    def __init__(
        self, input_name: str, link_type: int, snap_length: int, per_second: int, offset: int, name: str
    ) -> None:
        super().__init__(input_name, link_type, snap_length, name)
        self._per_second = per_second
        self._offset_ns = offset * 10**9
        self.precision = 9 if per_second > 10**6 else 6

    def time_ns(self, high: int, low: int) -> int | None:
        ticks = high << 32 | low
        # a power of ten divides evenly; finer units lose what is below a nanosecond
        time = ticks * 10**9 // self._per_second + self._offset_ns
        return time if 0 <= time < MAX_TIME_NS else None


class UntimedInterface(Interface):
    """For simple packet blocks, which carry no time."""

    __slots__ = ()


class _Damage(Exception):  # noqa: N818 - control flow inside this file only
    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def is_pcapng(head: bytes) -> bool:
    """True when a file begins with a section header block."""
    return head[:4] == b"\x0a\x0d\x0d\x0a"


def read_pcapng(source: Source, index: int = 0) -> Generator[RawPacket, None, None]:
    """The packets of a pcapng file whose magic was seen; damage ends them with a notice that says where and why."""
    return _Reader(source, index).packets()


class _Reader:
    """Walks the blocks; holds what a section has declared so far."""

    def __init__(self, source: Source, index: int) -> None:
        self.source = source
        self.input = source.name
        self.number = packet_id(index, 0)
        self.order = "<"
        self.interfaces: list[Interface] = []
        self.dropped: dict[int, int] = {}  # packets told of, by interface

    def packets(self) -> Generator[RawPacket, None, None]:
        buffer, position, base = b"", 0, 0
        fast = struct.Struct("<IIIIIII").unpack_from
        while True:
            try:
                more = self.source.read()
            except DamageError as error:
                yield self._cut(str(error), base + len(buffer))
                break
            if not more:
                break
            base += position
            buffer = buffer[position:] + more
            position, end = 0, len(buffer)
            interfaces = self.interfaces
            while position + 28 <= end:
                kind, total, interface, high, low, captured, original = fast(buffer, position)
                if (
                    kind == ENHANCED_PACKET
                    and interface < len(interfaces)
                    and captured + 32 <= total <= MAX_BLOCK
                    and not total & 3
                ):
                    if position + total > end:
                        break
                    self.number += 1
                    yield (self.number, buffer, position + 28, captured, original, high, low, interfaces[interface])
                    if total - 32 - captured > 3:  # more than padding: options
                        body = buffer[position + 28 + (captured + 3 & ~3) : position + total - 4]
                        yield from self._comments("packet", body)
                    position += total
                    continue
                try:
                    consumed = yield from self._block(buffer, position, end)
                except _Damage as damage:
                    yield self._damaged(damage, buffer, position, base)
                    return
                if not consumed:
                    break
                position += consumed
                interfaces = self.interfaces
                fast = struct.Struct(self.order + "IIIIIII").unpack_from
        yield from self._rest(buffer, position, base)

    def _rest(self, buffer: bytes, position: int, base: int) -> Iterator[RawPacket]:
        """Blocks too small for the fast walk at the very end of the file, and what is cut."""
        end = len(buffer)
        while position < end:
            try:
                consumed = yield from self._block(buffer, position, end, final=True)
            except _Damage as damage:
                yield self._damaged(damage, buffer, position, base)
                return
            if not consumed:
                yield self._cut("the file ends inside a block", base + end)
                return
            position += consumed

    def _damaged(self, damage: _Damage, buffer: bytes, position: int, base: int) -> RawPacket:
        what = f"{damage.reason}; at byte {base + position} of the file"
        return notice(self.input, self.number, Malformed("pcapng", what, buffer[position : position + 32]))

    def _cut(self, reason: str, offset: int) -> RawPacket:
        return notice(self.input, self.number, Truncated("pcapng", reason, offset))

    def _block(self, buffer: bytes, position: int, end: int, *, final: bool = False) -> Generator[RawPacket, None, int]:
        """One block of any type: yields what it holds, returns its length, 0 when more bytes are needed.

        Blocks are padded to 4 bytes; behind the last of a file (`final`) the padding may be missing.
        """
        if end - position < 12:
            return 0
        if buffer[position : position + 4] == b"\x0a\x0d\x0d\x0a":
            magic = buffer[position + 8 : position + 12]
            if magic not in (b"\x4d\x3c\x2b\x1a", b"\x1a\x2b\x3c\x4d"):
                raise _Damage("a section header without its byte order mark")
            self.order = "<" if magic[0] == 0x4D else ">"
        kind: int
        total: int
        kind, total = struct.unpack_from(self.order + "II", buffer, position)
        if total < 12 or total > MAX_BLOCK:
            raise _Damage(f"a block of type {kind:#x} claims {total} bytes")
        padded = total + 3 & ~3
        if position + (total if final else padded) > end:
            return 0
        body = buffer[position + 8 : position + total - 4]
        if struct.unpack_from(self.order + "I", buffer, position + total - 4) != (total,):
            raise _Damage(f"the two lengths of a block of type {kind:#x} differ")
        try:
            yield from self._read(kind, body)
        except struct.error:
            raise _Damage(f"a block of type {kind:#x} is too short for its fields") from None
        return padded if position + padded <= end else total

    def _read(self, kind: int, body: bytes) -> Iterator[RawPacket]:
        if kind == SECTION_HEADER:
            self.interfaces, self.dropped = [], {}
            _magic, major, _minor, _length = struct.unpack_from(self.order + "IHHq", body)
            if major != 1:
                raise _Damage(f"a section of version {major}, where only 1 is known")
            yield from self._comments("section", body[16:])
        elif kind == INTERFACE:
            yield from self._interface(body)
        elif kind == SIMPLE_PACKET:
            yield self._simple(body)
        elif kind in (OLD_PACKET, ENHANCED_PACKET):
            yield from self._packet(kind, body)
        elif kind == NAME_RESOLUTION:
            yield from self._names(body)
        elif kind == DECRYPTION_SECRETS:
            yield self._secrets(body)
        elif kind == STATISTICS:
            yield from self._statistics(body)
        elif kind in (JOURNAL_ENTRY, CUSTOM, CUSTOM_NOT_COPIED):
            self.number += 1

    def _interface(self, body: bytes) -> Iterator[RawPacket]:
        link_type, _reserved, snap_length = struct.unpack_from(self.order + "HHI", body)
        if len(self.interfaces) >= MAX_INTERFACES:
            event = LimitReached(
                "pcapng", "MAX_INTERFACES", MAX_INTERFACES, "packets of further interfaces are not read"
            )
            yield notice(self.input, self.number, event)
            raise _Damage("more interfaces than any capture has")
        name, per_second, offset = "", 10**6, 0
        for code, value in self._options(body[8:]):
            if code == IF_NAME:
                name = value.decode("utf-8", "replace")
            elif code == IF_TSRESOL and value:
                exponent = value[0] & 0x7F
                per_second = 1 << exponent if value[0] & 0x80 else 10**exponent
            elif code == IF_TSOFFSET and len(value) == 8:
                offset = struct.unpack(self.order + "q", value)[0]
        self.interfaces.append(PcapngInterface(self.input, link_type, snap_length, per_second, offset, name))
        yield from self._comments("interface", body[8:])

    def _simple(self, body: bytes) -> RawPacket:
        original = struct.unpack_from(self.order + "I", body)[0]
        if not self.interfaces:
            raise _Damage("a packet before any interface")
        described = self.interfaces[0]
        captured = min(original, described.snap_length or original, len(body) - 4)
        self.number += 1
        untimed = UntimedInterface(self.input, described.link_type, described.snap_length, described.name)
        return (self.number, body, 4, captured, original, 0, 0, untimed)

    def _packet(self, kind: int, body: bytes) -> Iterator[RawPacket]:
        if kind == OLD_PACKET:
            interface, _drops, high, low, captured, original = struct.unpack_from(self.order + "HHIIII", body)
        else:
            interface, high, low, captured, original = struct.unpack_from(self.order + "IIIII", body)
        if interface >= len(self.interfaces):
            raise _Damage(f"a packet of interface {interface}, which was never described")
        if captured > len(body) - 20:
            raise _Damage(f"a packet claims {captured} bytes in a block that has room for {len(body) - 20}")
        self.number += 1
        yield (self.number, body, 20, captured, original, high, low, self.interfaces[interface])
        yield from self._comments("packet", body[20 + (captured + 3 & ~3) :])

    def _names(self, body: bytes) -> Iterator[RawPacket]:
        from ipaddress import ip_address

        for code, value in self._options(body):
            size = {NRB_IPV4: 4, NRB_IPV6: 16}.get(code)
            if size is None or len(value) < size:
                continue
            names = tuple(name.decode("utf-8", "replace") for name in value[size:].split(b"\0") if name)
            yield notice(self.input, self.number, NameResolution(str(ip_address(value[:size])), names))

    def _statistics(self, body: bytes) -> Iterator[RawPacket]:
        (number,) = struct.unpack_from(self.order + "I", body)
        dropped = sum(
            int(struct.unpack(self.order + "Q", value)[0])
            for code, value in self._options(body[12:])
            if code in (ISB_IFDROP, ISB_OSDROP) and len(value) == 8
        )
        if dropped and number < len(self.interfaces) and dropped != self.dropped.get(number):
            self.dropped[number] = self.interfaces[number].dropped = dropped
            name = self.interfaces[number].name[:MAX_NAME] or f"interface {number}"
            what = f"the capture lacks {dropped} {'packet' if dropped == 1 else 'packets'} that {name} dropped so far"
            yield notice(self.input, self.number, Note("pcapng", what))

    def _secrets(self, body: bytes) -> RawPacket:
        kind, size = struct.unpack_from(self.order + "II", body)
        if size > MAX_SECRETS:
            event: Event = LimitReached("pcapng", "MAX_SECRETS", MAX_SECRETS, "a decryption secrets block is not read")
        elif size > len(body) - 8:
            event = Malformed("pcapng", f"a decryption secrets block claims {size} bytes and holds {len(body) - 8}")
        else:
            event = DecryptionSecrets(kind, body[8 : 8 + size])
        return notice(self.input, self.number, event)

    def _comments(self, subject: str, options: bytes) -> Iterator[RawPacket]:
        for code, value in self._options(options):
            if code == OPT_COMMENT:
                yield notice(self.input, self.number, Comment(subject, value.decode("utf-8", "replace")))

    def _options(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Code and value of each option (or name record); stops at the end mark or at damage."""
        position, header = 0, struct.Struct(self.order + "HH")
        while position + 4 <= len(data):
            code, length = header.unpack_from(data, position)
            if code == OPT_END or position + 4 + length > len(data):
                return
            yield code, data[position + 4 : position + 4 + length]
            position += 4 + (length + 3 & ~3)
