"""What reassembly gives: the next in-order bytes of one direction, a gap of known size, or its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from amtdecode.capture import Interface
    from amtdecode.flow.tcp import Half
    from amtdecode.model import End

Stamp: TypeAlias = "tuple[int, int, int, Interface]"
"""Which packet, and when: packet id, time stamp high and low, interface."""


class Chunk(NamedTuple):
    """Exactly one of `data`, `gap` and `end` says something."""

    half: Half
    stamp: Stamp
    offset: int  # stream offset behind it
    data: bytes = b""
    gap: int = 0
    end: End | None = None
