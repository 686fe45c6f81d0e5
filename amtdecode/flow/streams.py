"""Stream numbers: which packets belong together, counted as tshark counts `tcp.stream` and `udp.stream`.

A stream is all that two addresses and ports say to each other. A SYN begins another one between the same four when its
sequence number is not the one with which its side of the stream began: so a SYN that is sent again, be it after a reset
as Windows does, continues its stream (Wireshark 4.0, epan/dissectors/packet-tcp.c, `base_seq`).

`FlowTable` applies the rule to the connections that the engine holds, `frame.conversations` to those of packets.
"""

from __future__ import annotations

import struct
from itertools import islice
from typing import Any

from amtdecode.flow.tcp import ACK, SYN

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


def is_numbered(length: int, ipv6: bool) -> bool:
    """Whether a UDP header's length is possible: tshark numbers no others. 0 marks an IPv6 jumbogram (RFC 2675 §4)."""
    return length >= 8 or (ipv6 and not length)
