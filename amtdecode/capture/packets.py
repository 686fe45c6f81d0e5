"""What every capture yields: raw packets, and the interfaces they were taken on.

A raw packet is a plain tuple, not an object: one is made for every packet of a capture, most of them of no interest.
Not even that is made for the packets of a `Records`.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

from amtdecode.model import PACKET_NUMBER_BITS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from amtdecode.model import Event

NOTICE = -1
"""The link type of what is no packet but a word of the capture itself (`Notice`)."""

SLACK = 96
"""Bytes behind the records of a run: the headers of a record and of its packet may be read at once before it is known
whether they are all there."""

MAX_TIME_NS = 253_402_300_800 * 10**9  # the first instant of the year 10000, which ISO 8601 cannot write


class Interface:
    """Where packets were captured: link type, snap length, and how their time stamps count."""

    __slots__ = ("dropped", "input", "link_type", "name", "nanoseconds_told", "precision", "snap_length")

    def __init__(self, input_name: str, link_type: int, snap_length: int = 0, name: str = "") -> None:
        self.input = input_name
        self.link_type = link_type
        self.snap_length = snap_length
        self.name = name
        self.precision = 6
        self.dropped = 0
        """Packets that the capture itself says it lost here."""
        self.nanoseconds_told = False
        """Its stamps are nanoseconds, though the file says microseconds."""

    def time_ns(self, high: int, low: int) -> int | None:  # noqa: ARG002 - the interface of the subclasses
        """Nanoseconds since 1970 UTC of a time stamp's two words; `None` when it has none or an impossible one."""
        return None


class NanosecondInterface(Interface):
    """An interface whose stamps are seconds and nanoseconds: of this machine, or of packets that a program gives."""

    __slots__ = ()

    def __init__(self, input_name: str, link_type: int, name: str = "", precision: int = 9) -> None:
        super().__init__(input_name, link_type, 0, name)
        self.precision = precision

    def time_ns(self, high: int, low: int) -> int | None:
        time_ns = high * 10**9 + low
        return time_ns if time_ns < MAX_TIME_NS else None


class Notice(Interface):
    """Carries an event of the capture itself (damage, comments, secrets) in its place among the packets."""

    __slots__ = ("event",)

    def __init__(self, input_name: str, event: Event) -> None:
        super().__init__(input_name, NOTICE)
        self.event = event


RawPacket: TypeAlias = tuple[int, bytes, int, int, int, int, int, Interface]
"""(packet id, buffer, start, captured length, original length, time stamp high, time stamp low, interface).

The packet's bytes are buffer[start:start + captured length]. The id is `packet_id(input index, number)`.
"""

Stamp: TypeAlias = tuple[int, int, int, Interface]
"""Which packet, and when: packet id, time stamp high and low, interface."""


class Records:
    """Records of one interface that stand one after the other in a buffer, as a pcap file has them: the fast lane.

    Who takes a run walks it, and leaves `position` and `number` where the first record begins that is not whole.
    """

    __slots__ = ("buffer", "end", "header", "interface", "number", "order", "position", "unpack")

    def __init__(self, interface: Interface, order: str, header: int) -> None:
        self.interface = interface
        self.order = order
        """Of bytes in a record's header: "<" or ">", as in `struct`."""
        self.header = header
        """Bytes of it."""
        self.unpack = _reader(order, header, "")
        """Time stamp high and low, captured and original length of the record at an offset."""
        self.buffer = b""
        self.end = 0
        """Where records end in the buffer; at least SLACK bytes follow."""
        self.position = 0
        self.number = 0
        """Id of the packet before the first."""

    def reader(self, fields: str) -> Callable[[bytes, int], tuple[Any, ...]]:
        """As `unpack`, and then the `fields` of a packet, written as in `struct`; together at most SLACK bytes."""
        return _reader(self.order, self.header, fields)

    def packets(self) -> Iterator[RawPacket]:
        """Walk it, packet by packet."""
        buffer, unpack, header, interface, end = self.buffer, self.unpack, self.header, self.interface, self.end
        while self.position <= end - header:
            high, low, captured, original = unpack(buffer, self.position)
            start = self.position + header
            if start + captured > end:
                return
            self.position = start + captured
            self.number += 1
            yield self.number, buffer, start, captured, original, high, low, interface


@lru_cache(8)
def _reader(order: str, header: int, fields: str) -> Callable[[bytes, int], tuple[Any, ...]]:
    return struct.Struct(f"{order}IIII{header - 16}x{fields}").unpack_from


def one_by_one(pieces: Iterator[RawPacket | Records]) -> Iterator[RawPacket]:
    """Runs as packets."""
    for piece in pieces:
        if isinstance(piece, Records):
            yield from piece.packets()
        else:
            yield piece


def packet_id(index: int, number: int) -> int:
    """The id of packet `number` (from 1) of the input at `index`."""
    return (index << PACKET_NUMBER_BITS) | number


def notice(input_name: str, number: int, event: Event) -> RawPacket:
    """An event of the capture, placed behind packet `number`."""
    return (number, b"", 0, 0, 0, 0, 0, Notice(input_name, event))


def limited(packets: Iterator[RawPacket | Records], count: int | None) -> Iterator[RawPacket | Records]:
    """The first `count` packets, and the notices among them; all where it is `None`."""
    return packets if count is None else _first(packets, count)


def _first(packets: Iterator[RawPacket | Records], count: int) -> Iterator[RawPacket]:
    if count <= 0:
        return
    for packet in one_by_one(packets):
        yield packet
        if packet[7].link_type != NOTICE:
            count -= 1
            if count <= 0:
                return
