"""The state of one direction of a TLS connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from amtdecode.model import Direction
    from amtdecode.protocols.tls.session13 import EarlyOpener, Opener13


MAX_TURNS: Final = 64  # turns of one side in a connection whose data sizes are kept


class ConnectionState:
    """What one end sends: its bytes, and what protects its records (RFC 5246, section 6.1)."""

    __slots__ = (
        "alert",
        "app_bytes",
        "app_opened",
        "app_records",
        "app_start",
        "app_turns",
        "cipher",
        "data",
        "direction",
        "ended",
        "handshake_start",
        "ignore",
        "keys_changed",
        "last",
        "lost",
        "opener",
        "partial",
        "partial_start",
        "protected",
        "protection_unknown",
        "searched",
        "sender",
        "start",
    )

    def __init__(self, direction: Direction, sender: str) -> None:
        self.direction = direction
        self.sender = sender  # "client", "server": until it is known, as in TCP
        self.data = b""  # not cut into records yet
        self.start = 0  # offset of data[0]
        self.partial: bytes | bytearray = b""  # a handshake message that is not whole yet
        self.partial_start = 0  # where that message starts
        self.ignore = 0  # bytes still to come of a handshake message too long to keep
        self.alert = b""  # half an alert
        self.protected = False  # its ChangeCipherSpec came
        self.keys_changed = False  # its next record is the first under new keys
        self.cipher: Any = None  # opens its records; None: nothing does
        self.opener: Opener13 | EarlyOpener | None = None  # the same, where it is TLS 1.3
        self.protection_unknown = False  # bytes were missed: only the records show whether they are protected
        self.lost = False  # not at a record boundary
        self.searched = 0  # bytes passed over while looking for one
        self.last = 0  # where the last record handled starts
        self.handshake_start: int | None = None  # where the handshake under way starts
        self.ended = False
        self.app_records = 0
        self.app_bytes = 0
        self.app_opened = 0
        self.app_start = 0  # of the last such record
        self.app_turns: list[int] = []  # bytes of data sent each time it spoke after the other side had

    def count(self, length: int, start: int, *, speaks: bool, anew: bool) -> None:
        """Count a record of data. `speaks`: it holds more than a byte; `anew`: the other side spoke before."""
        self.app_records += 1
        self.app_bytes += length
        self.app_start = start
        if not speaks:
            return
        turns = self.app_turns
        if not turns or (anew and len(turns) < MAX_TURNS):
            turns.append(length)
        elif anew:
            turns[-1] = length
        else:
            turns[-1] += length

    def count_more(self, records: int, size: int, spoken: int, start: int) -> None:
        """Count more records of data, while it speaks. `spoken`: bytes of those that hold more than one."""
        self.app_records += records
        self.app_bytes += size
        self.app_start = start
        self.app_turns[-1] += spoken

    def jump(self, size: int) -> None:
        """Drop what is held and stand behind `size` further bytes (a skip or a gap)."""
        self.start += len(self.data) + size
        self.data = b""
