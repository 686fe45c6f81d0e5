"""Stream numbers: which packets belong together, counted as tshark counts `tcp.stream` and `udp.stream`.

A stream is all that two addresses and ports say to each other. A SYN begins another one between the same four when its
sequence number is not the one with which its side of the stream began: so a SYN that is sent again, be it after a reset
as Windows does, continues its stream (Wireshark 4.0, epan/dissectors/packet-tcp.c, `base_seq`).

`FlowTable` applies the rule to the connections it holds; `TcpStreams` and `UdpStreams` apply it where nobody holds any.
"""

from __future__ import annotations

import struct
from itertools import islice
from typing import Any

from amtdecode.flow.tcp import ACK, SYN

MAX_STREAMS = 65_536  # streams remembered by `TcpStreams` and `UdpStreams`; a packet of an older one gets a new number

NUMBERED = 16  # bytes of a TCP header that must be there, as tshark reads these before it looks for the stream
UNKNOWN = -1  # the sequence number of a side that has sent nothing

_PARTS, _PARTS_6 = struct.Struct("=IIHH"), struct.Struct("16s16sHH")  # of a key, moved and not read


def reverse(key: bytes) -> bytes:
    """The key of the packets that travel the other way."""
    parts = _PARTS if len(key) == 12 else _PARTS_6
    source, destination, source_port, port = parts.unpack(key)
    return parts.pack(destination, source, port, source_port)


def begins_stream(flags: int, seq: int, base_seq: int) -> bool:
    """Whether a segment begins a new stream between addresses and ports that have one.

    `base_seq` is the sequence number with which its sender began that one, or `UNKNOWN`.
    """
    return flags & (SYN | ACK) == SYN and base_seq not in (UNKNOWN, seq)


def base_of(flags: int, seq: int) -> int:
    """The sequence number with which a sender begins whose first segment this is: its SYN, or what was before it."""
    return seq if flags & SYN else seq - 1 & 0xFFFFFFFF


def forget_oldest(entries: dict[bytes, Any], count: int) -> None:
    """Delete the entries that were added first, many at a time: each time the dictionary passes over deleted ones."""
    for key in list(islice(entries, count)):
        del entries[key]


class _Side:
    """What one side of a stream sends."""

    __slots__ = ("base_seq", "number", "peer")

    def __init__(self, number: int) -> None:
        self.number = number
        self.base_seq = UNKNOWN
        self.peer = self


class TcpStreams:
    """Numbers TCP packets that are given in the order of the capture. A key is addresses and ports as in the packet."""

    def __init__(self) -> None:
        self.count = 0
        self._sides: dict[bytes, _Side] = {}

    def number(self, key: bytes, seq: int, ack: int, flags: int, *, whole: bool = True) -> int:
        """The stream of a segment of which at least `NUMBERED` bytes are known.

        `whole` is false where an ICMP error quotes it, or where it is shorter than its header says: tshark then learns
        no sequence numbers from it.
        """
        side = self._sides.get(key)
        if side is None or begins_stream(flags, seq, side.base_seq):
            side = self._open(key)
        if whole:
            if side.base_seq == UNKNOWN:
                side.base_seq = base_of(flags, seq)
            if flags & ACK and side.peer.base_seq == UNKNOWN:
                side.peer.base_seq = base_of(0, ack)
        return side.number

    def _open(self, key: bytes) -> _Side:
        sides = self._sides
        other = reverse(key)
        sides.pop(key, None)
        sides.pop(other, None)
        if len(sides) >= 2 * MAX_STREAMS:
            forget_oldest(sides, MAX_STREAMS // 4)
        sides[key], sides[other] = side, peer = _Side(self.count), _Side(self.count)
        side.peer, peer.peer = peer, side
        self.count += 1
        return side


class UdpStreams:
    """Numbers UDP datagrams that are given in the order of the capture."""

    def __init__(self) -> None:
        self.count = 0
        self._numbers: dict[bytes, int] = {}

    def number(self, key: bytes) -> int:
        """The stream of a datagram whose length `is_numbered`."""
        number = self._numbers.get(key)
        if number is None:
            numbers = self._numbers
            if len(numbers) >= 2 * MAX_STREAMS:
                forget_oldest(numbers, MAX_STREAMS // 4)
            number = numbers[key] = numbers[reverse(key)] = self.count
            self.count += 1
        return number


def is_numbered(length: int, ipv6: bool) -> bool:
    """Whether a UDP header's length is possible: tshark numbers no others. 0 marks an IPv6 jumbogram (RFC 2675 §4)."""
    return length >= 8 or (ipv6 and not length)
