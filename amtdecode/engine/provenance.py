"""Which packets carried which bytes of a direction: the proof behind every observation.

The provenance of one direction of a layer is a plain list of (stream offset behind a chunk, the packets it came in).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from amtdecode.model import PACKET_NUMBER_BITS

if TYPE_CHECKING:
    from amtdecode.capture import Stamp

MAX_CHUNKS = 2048  # chunks of one direction of a layer remembered; older proof is let go

FEW_CHUNKS = 8  # so many are not worth looking at for what can go

NUMBER_MASK = (1 << PACKET_NUMBER_BITS) - 1

Provenance: TypeAlias = "list[tuple[int, tuple[Stamp, ...]]]"
Proof: TypeAlias = "tuple[int, tuple[int, ...], int | None, str, tuple[tuple[str, int], ...], int]"


def trim(provenance: Provenance, trim_to: int) -> None:
    """Let go of what ends at or before `trim_to`, but for the newest chunk."""
    count, last = 0, len(provenance) - 1
    if last < MAX_CHUNKS and provenance[0][0] > trim_to:
        return
    while count < last and provenance[count][0] <= trim_to:
        count += 1
    if last - count >= MAX_CHUNKS:
        count += MAX_CHUNKS // 2
    if count:
        del provenance[:count]


def packets_of(provenance: Provenance, start: int, end: int) -> tuple[Stamp, ...]:
    """The packets of bytes start to end; for no bytes at all, those of the byte before."""
    size = len(provenance)
    if size == 1:
        return provenance[0][1]
    if size and start < end:  # mostly they came in the newest chunk, or in the newest two
        before, stamps = provenance[-2]
        if before <= start:
            return provenance[-1][1]
        if before < end and (size == 2 or provenance[-3][0] <= start):
            return stamps + provenance[-1][1]
    if end <= start:
        start, end = max(0, end - 1), max(1, end)
    found: list[Stamp] = []
    for until, stamps in provenance:
        if until > start:
            found.extend(stamps)
            if until >= end:
                break
    return tuple(found)


def prove(stamps: tuple[Stamp, ...]) -> Proof:
    """What a proof says: the packet that completes it, all of its input, its time and input, elsewhere, decimals."""
    if len(stamps) == 1:
        identity, high, low, interface = stamps[0]
        number = identity & NUMBER_MASK
        time_ns = interface.time_ns(high, low)
        return number, (number,) if number else (), time_ns, interface.input, (), interface.precision
    if len(stamps) == 2 and stamps[0][0] < stamps[1][0] <= NUMBER_MASK:
        identity, high, low, interface = stamps[1]
        time_ns = interface.time_ns(high, low)
        return identity, (stamps[0][0], identity), time_ns, interface.input, (), interface.precision
    proof = {stamp[0]: stamp for stamp in stamps}
    ids = sorted(proof)
    last = ids[-1]
    here = last >> PACKET_NUMBER_BITS
    elsewhere: tuple[tuple[str, int], ...] = ()
    if ids[0] >> PACKET_NUMBER_BITS == here:
        _, high, low, interface = proof[last]
        packets = tuple([i & NUMBER_MASK for i in ids] if here else ids)
    else:  # several inputs: the latest completes it
        last = max(ids, key=lambda i: (proof[i][3].time_ns(*proof[i][1:3]) or 0, i))
        _, high, low, interface = proof[last]
        here = last >> PACKET_NUMBER_BITS
        packets = tuple([i & NUMBER_MASK for i in ids if i >> PACKET_NUMBER_BITS == here])
        elsewhere = tuple([(proof[i][3].input, i & NUMBER_MASK) for i in ids if i >> PACKET_NUMBER_BITS != here])
    number = packets[-1]
    time_ns = interface.time_ns(high, low)
    return number, packets if number else (), time_ns, interface.input, elsewhere, interface.precision
