"""What rooms declare, as the compiled lane reads it: ports, first bytes of connections, headers of records."""

from __future__ import annotations

import struct
from functools import cache
from typing import TYPE_CHECKING

from amtdecode import ports

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from amtdecode.protocols.dissector import Opening, Protocol, RecordHeader

WATCHED, ROOM, SINGLE = 1, 2, 4  # of a port: AMT's; a room's; of a room that may know a message by its first bytes
ROOMS = 64  # told apart; a further one shares the bit of another


def packed_ports(at_home: Mapping[bytes, Protocol]) -> bytes:
    """Of each TCP port, what the lane must know."""
    found = bytearray(1 << 16)
    for port in ports.AMT:
        found[port] |= WATCHED
    for packed, room in at_home.items():
        found[int.from_bytes(packed)] |= ROOM | (SINGLE if room.single_message is not None else 0)
    return bytes(found)


def packed_openings(rooms: Iterable[Protocol]) -> bytes:
    """The openings of all rooms, one after the other: whose, how many bytes it tells of, for each of them 256 bits."""
    found = bytearray()
    for index, room in enumerate(rooms):
        openings: tuple[Opening, ...] = ((),) if room.openings is None else room.openings
        for opening in openings:
            found += bytes((index % ROOMS, len(opening)))
            found += _classes(opening)
    return bytes(found)


@cache
def packed_header(header: RecordHeader | None) -> bytes:
    """Its size, where the length stands in it, of how many bytes it tells; the two limits; what these bytes may be."""
    if header is None:
        return b""
    begins, size, length_at, longest, silent = header
    return struct.pack(">3BII", size, length_at, len(begins), longest, silent) + _classes(begins)


def _classes(opening: Opening) -> bytes:
    """For each byte of an opening, 256 bits: what it may be."""
    return b"".join([sum(1 << byte for byte in choice).to_bytes(32, "little") for choice in opening])
