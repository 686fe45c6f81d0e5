"""Classic pcap files.

Layout: https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap. A 24-byte file header, then for each packet a 16-byte
header (seconds, fraction, captured length, original length) and the bytes. The writer's byte order shows in the magic.

Variants met in the wild: nanosecond stamps; Alexey Kuznetsov's patched libpcap with 24-byte packet headers; IXIA's
hardware and software captures, whose file header has one more word; lengths swapped in files of version 2.3 and older.

Not covered: the ss990915 and Nokia variants, which share a magic with other files and cannot be told apart safely.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from amtdecode.capture.packets import MAX_TIME_NS, SLACK, Interface, RawPacket, Records, notice, one_by_one, packet_id
from amtdecode.capture.source import DamageError
from amtdecode.model import Malformed, Truncated

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from amtdecode.capture.source import Source

MAX_PACKET = 256 * 1024  # bytes; as in Wireshark for all but a few link types. More is damage, not a packet
MAX_LARGE_PACKET = 8 * 1024 * 1024  # bytes, for the link types below
LARGE_LINK_TYPES = frozenset({231, 249, 279})  # D-Bus, USBPcap, EBHSCR


class Variant:
    """How a magic number's files differ."""

    __slots__ = ("extra_file_header", "name", "nanoseconds", "packet_header")

    def __init__(
        self, name: str, *, nanoseconds: bool = False, packet_header: int = 16, extra_file_header: int = 0
    ) -> None:
        self.name = name
        self.nanoseconds = nanoseconds
        self.packet_header = packet_header
        self.extra_file_header = extra_file_header


VARIANTS = {
    0xA1B2C3D4: Variant("microseconds"),
    0xA1B23C4D: Variant("nanoseconds", nanoseconds=True),
    0xA1B2CD34: Variant("Kuznetsov's", packet_header=24),
    0x1C0001AC: Variant("IXIA hardware", nanoseconds=True, extra_file_header=4),
    0x1C0001AB: Variant("IXIA software", extra_file_header=4),
}
FILE_HEADER = 24
_SLACK = bytes(SLACK)


class PcapInterface(Interface):
    """The one interface of a pcap file: stamps are seconds and a fraction."""

    __slots__ = ("_per_second", "_unit")

    def __init__(self, input_name: str, link_type: int, snap_length: int, *, nanoseconds: bool) -> None:
        super().__init__(input_name, link_type, snap_length)
        self._per_second = 10**9 if nanoseconds else 10**6
        self._unit = 10**9 // self._per_second  # nanoseconds
        self.precision = 9 if nanoseconds else 6

    def time_ns(self, high: int, low: int) -> int | None:
        """A fraction of a second or more is impossible.

        Where it would be one of microseconds and none of nanoseconds, it is one of nanoseconds, as some probes write.
        """
        if low >= self._per_second:
            if low >= 10**9:
                return None
            self.nanoseconds_told = True
            time = high * 10**9 + low
        else:
            time = high * 10**9 + low * self._unit
        return time if time < MAX_TIME_NS else None


def is_pcap(head: bytes) -> bool:
    """True when a file's first four bytes are a pcap magic of either byte order."""
    return int.from_bytes(head[:4], "little") in VARIANTS or int.from_bytes(head[:4], "big") in VARIANTS


def read_pcap(source: Source, index: int = 0) -> Generator[RawPacket, None, None]:
    """The packets of a pcap file whose magic was seen; damage ends them with a notice that says where and why."""
    yield from one_by_one(pcap_records(source, index))


def pcap_records(source: Source, index: int = 0) -> Iterator[RawPacket | Records]:
    """The same, in runs where the file is as usual."""
    head = source.peek(FILE_HEADER)
    if len(head) < FILE_HEADER:
        return _header_cut(source, len(head), index)
    order = "<" if int.from_bytes(head[:4], "little") in VARIANTS else ">"
    magic, _major, minor, _zone, _accuracy, snap_length, network = struct.unpack(order + "IHHiIII", head)
    variant = VARIANTS[magic]
    link_type = network & 0x03FFFFFF  # above: length of the frame check sequence (pcap draft §4)
    interface = PcapInterface(source.name, link_type, snap_length, nanoseconds=variant.nanoseconds)
    skip = FILE_HEADER + variant.extra_file_header
    return _runs(source, interface, order, variant.packet_header, skip, index, old=minor <= 3 and magic == 0xA1B2C3D4)


def _header_cut(source: Source, size: int, index: int) -> Iterator[RawPacket]:
    event = Truncated("pcap", "the file ends inside its header", size, FILE_HEADER - size)
    yield notice(source.name, packet_id(index, 0), event)


def _runs(
    source: Source, interface: Interface, order: str, header: int, position: int, index: int, *, old: bool
) -> Iterator[RawPacket | Records]:
    largest = MAX_LARGE_PACKET if interface.link_type in LARGE_LINK_TYPES else MAX_PACKET
    run = Records(interface, order, header)
    if old:
        run.unpack = _in_order(run.unpack)
    first = run.number = packet_id(index, 0)
    run.position = position
    base = 0  # offset of the buffer in the (decompressed) file
    damage: str | None = None
    while damage is None:
        try:
            more = source.read()
        except DamageError as error:
            more, damage = b"", str(error)
        if not more:
            break
        if run.position >= run.end:  # an extra file header may be cut by the piece
            run.position -= run.end
            base += run.end
            run.buffer = more + _SLACK
        else:
            base += run.position
            run.buffer = b"".join((run.buffer[run.position : run.end], more, _SLACK))
            run.position = 0
        run.end = len(run.buffer) - SLACK
        if old:
            yield from run.packets()
        else:
            yield run
        if run.position <= run.end - header:  # a record that is not whole
            captured = run.unpack(run.buffer, run.position)[2]
            if captured > largest:
                damage = f"packet {run.number - first + 1} claims {captured} bytes"
                event = Malformed(
                    "pcap",
                    f"{damage}, more than {largest}; at byte {base + run.position} of the file",
                    run.buffer[run.position : run.position + header],
                )
                yield notice(interface.input, run.number, event)
                return
    source.close()
    rest = run.buffer[run.position : run.end]
    yield from _tail(run, rest, base + run.position, damage)


def _in_order(unpack: Callable[[bytes, int], tuple[Any, ...]]) -> Callable[[bytes, int], tuple[Any, ...]]:
    """For record headers of a file before 2.4, which may have the two lengths the other way round."""

    def lengths_in_order(buffer: bytes, position: int) -> tuple[Any, ...]:
        high, low, *lengths = unpack(buffer, position)
        return high, low, *sorted(lengths)

    return lengths_in_order


def _tail(run: Records, rest: bytes, offset: int, damage: str | None) -> Iterator[RawPacket]:
    """What is left behind the last whole packet: nothing, or a packet cut by the end of the file."""
    at = offset + len(rest)
    if damage is not None:
        event = Truncated("pcap", damage, at)
    elif len(rest) >= run.header:
        missing = run.unpack(rest, 0)[2] - (len(rest) - run.header)
        event = Truncated("pcap", "the file ends inside a packet", at, missing)
    elif rest:
        event = Truncated("pcap", "the file ends inside a packet header", at, run.header - len(rest))
    else:
        return
    yield notice(run.interface.input, run.number, event)
