"""One direction of an APF connection: what waits to be a whole message, and how the step is found again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from amtdecode.protocols.apf.reading import MAX_DATA, WORD

if TYPE_CHECKING:
    from collections.abc import Container

# Beginnings that chance does not make: an opening or a request with its name; data or a grant for a small number. None
# of the shorter ones fits into a longer one, so whichever is whole first is the first.
NAMED = re.compile(rb"\x5a\0\0\0\x0fforwarded-tcpip|\x5a\0\0\0\x0cdirect-tcpip|\x50\0\0\0\x0dtcpip-forward")
STEP = re.compile(NAMED.pattern + rb"|[\x5d\x5e]\0\0..\0[\0-\x10]..", re.DOTALL)
STEP_SIZE = 20  # bytes of the longest


class Inbox:
    """Bytes of one direction that wait."""

    __slots__ = ("channel", "fixed", "had", "left", "lost", "needed", "padding", "pieces", "start", "undecided")

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.had = 0  # bytes in them
        self.needed = 1  # before which looking at them is in vain
        self.start = 0  # offset of the first of them in the stream
        self.left = 0  # bytes of channel data still to come
        self.channel = 0  # that they are for; 0: none that is open
        self.lost = False  # where the next message begins is not known
        self.fixed = 0  # size of the message under way where its bytes do not tell
        self.undecided = False  # REQUEST_SUCCESS whose form the next byte decides
        self.padding = False  # a byte of padding may come: the second of the flag in USERAUTH_FAILURE

    def take(self) -> bytes:
        """All that waits, as one piece; nothing waits then."""
        data = self.pieces[0] if len(self.pieces) == 1 else b"".join(self.pieces)
        self.pieces, self.had = [], 0
        return data

    def keep(self, data: bytes, needed: int) -> None:
        """Let these wait until there are so many."""
        self.pieces, self.had, self.needed = [data] if data else [], len(data), needed


def find_step(data: bytes, channels: Container[int]) -> tuple[int, bool]:
    """Where a message surely begins, and whether one does; else how many bytes need not be looked at again."""
    at = 0
    while (found := STEP.search(data, at)) is not None:
        if data[found.start()] in b"\x5a\x50":
            return found.start(), True
        number, size = WORD.unpack_from(data, found.start() + 1)[0], WORD.unpack_from(data, found.start() + 5)[0]
        if number in channels and 0 < size <= MAX_DATA:
            return found.start(), True
        at = found.start() + 1
    return max(0, len(data) - STEP_SIZE + 1), False
