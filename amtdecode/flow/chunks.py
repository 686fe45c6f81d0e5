"""What reassembly gives: the next in-order bytes of one direction, a gap of known size, or its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from amtdecode.capture import Stamp
    from amtdecode.flow.tcp import TcpEndpoint
    from amtdecode.model import End


class Chunk(NamedTuple):
    """Exactly one of `data`, `gap` and `end` says something."""

    sender: TcpEndpoint
    stamp: Stamp
    offset: int  # stream offset behind it
    data: bytes = b""
    gap: int = 0
    end: End | None = None
