"""What everything remembered has in common: the packet or line that proves it.

A *ref* is one int: the index of the input above `PACKET_NUMBER_BITS` bits, below them the packet number or, in a log,
the line number, both from 1. Times are nanoseconds since 1970 UTC, `None` where the capture has none. Addresses are
text.
"""

from __future__ import annotations

import msgspec

from amtdecode.model import PACKET_NUMBER_BITS

Ref = int


def ref(source: int, number: int) -> Ref:
    """The proof number of packet or line `number` of input `source`."""
    return source << PACKET_NUMBER_BITS | number


def place(proof: Ref) -> tuple[int, int]:
    """The input's index and the packet or line number in it."""
    source = proof >> PACKET_NUMBER_BITS
    return source, proof & (1 << PACKET_NUMBER_BITS) - 1 if source else proof  # the same int, not one more


class Fact(msgspec.Struct, gc=False, eq=False):
    """Base: the same fact is the same object; facts form no cycles, so the garbage collector passes them over."""
