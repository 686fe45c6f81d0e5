"""What all makers share: conversations told one by one, and put together on one timeline."""

from __future__ import annotations

import heapq
import struct
import uuid
from typing import TYPE_CHECKING

from pcaps import messages
from pcaps.build import ACK, FIN, PSH, TO_CLIENT, TO_SERVER, Connection, Host

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable, Iterator

MICROSECOND, MILLISECOND, SECOND = 1_000, 1_000_000, 1_000_000_000
START = 1_194_253_200 * SECOND
"""2007-11-05 09:00:00 UTC"""

Step = tuple[int, bytes]
"""Nanoseconds since the last step of the same conversation, and the frame."""


def merge(conversations: Iterable[tuple[int, Iterator[Step]]], limit: int | None = None) -> Iterator[tuple[int, bytes]]:
    """All conversations on one timeline, `limit` packets at most. They are given in the order of their start times."""
    pending = iter(conversations)
    coming = next(pending, None)
    heap: list[tuple[int, int, Iterator[Step], bytes]] = []
    count = serial = 0
    while heap or coming:
        while coming and (not heap or coming[0] <= heap[0][0]):
            start, steps = coming
            coming = next(pending, None)
            if first := next(steps, None):
                serial += 1
                heapq.heappush(heap, (start + first[0], serial, steps, first[1]))
        if not heap:
            continue
        now, number, steps, frame = heap[0]
        yield now, frame
        count += 1
        if count == limit:
            return
        if following := next(steps, None):
            heapq.heapreplace(heap, (now + following[0], number, steps, following[1]))
        else:
            heapq.heappop(heap)


def machine_host(number: int, network: int = 10) -> Host:
    """Machine `number` of a large site: 10.x.y.z, and a hardware address of Intel's."""
    return Host(
        f"00:16:76:{number >> 16 & 255:02x}:{number >> 8 & 255:02x}:{number & 255:02x}", address(number, network)
    )


def address(number: int, network: int = 10) -> str:
    """IPv4 address `number` of a /8, leaving out .0 and .255."""
    high, low = divmod(number, 254)
    return f"{network}.{high >> 8 & 255}.{high & 255}.{low + 1}"


def machine_uuid(number: int) -> uuid.UUID:
    """A UUID that tells the machine's number."""
    return uuid.UUID(bytes=struct.pack(">IHHHHI", 0xA3700000, 0x1DE5, 0x11DC, 0x8000, 0x5E00, number))


def pid_pps(number: int) -> tuple[str, str]:
    """The PID and PPS of a machine, with right check characters."""
    seven = f"{number:07d}"
    groups = []
    for index in range(8):
        three = f"{(number * 7919 + index * 104729) % 1000:03d}"
        groups.append(three + messages.check_character(three))
    text = seven + messages.check_character(seven)
    return f"{text[:4]}-{text[4:]}", "-".join(groups)


def hello_steps(
    rng: random.Random, machine: Host, server: Host, port: int, data: bytes, *, odd: bool = False, cut: int = 0
) -> Iterator[Step]:
    """One hello connection, nine packets: SYN, SYN-ACK, ACK, data, ACK, FIN, ACK, FIN, ACK.

    `odd` connections suffer: a SYN lost and sent again, data sent twice, or a reset at the end. `cut` splits the data.
    """
    tcp = Connection(machine, server, port, 9971, seq=(rng.getrandbits(32), rng.getrandbits(32)))
    delay = rng.randrange(150, 900) * MICROSECOND
    trouble = rng.choice(("syn", "data", "reset")) if odd else ""
    opening = tcp.open()
    yield 0, opening[0]
    if trouble == "syn":
        yield SECOND, opening[0]
    for frame in opening[1:]:
        yield delay, frame
    pieces = [data[:cut], data[cut:]] if cut else [data]
    for piece in pieces:
        start = tcp.seq[TO_SERVER]
        yield delay, tcp.segment(TO_SERVER, piece, ACK | PSH)
        if trouble == "data":
            yield 200 * MILLISECOND, tcp.segment(TO_SERVER, piece, ACK | PSH, seq=start)
            trouble = ""
        yield delay, tcp.segment(TO_CLIENT)
    if trouble == "reset":
        yield delay, tcp.reset(TO_SERVER)[0]
        return
    yield delay, tcp.segment(TO_SERVER, flags=FIN | ACK)
    yield delay, tcp.segment(TO_CLIENT)
    yield delay, tcp.segment(TO_CLIENT, flags=FIN | ACK)
    yield delay, tcp.segment(TO_SERVER)
