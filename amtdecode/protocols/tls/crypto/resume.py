"""Finding back into a direction some of whose records the capture lost.

The sequence number enters every MAC and tag, so the number under which a record opens is its own: where a key is known,
a gap closes no more than the records in it. Only RC4 never finds its place: nobody knows how far its key stream went.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from amtdecode.protocols.tls.crypto.records import RecordCipher

if TYPE_CHECKING:
    from amtdecode.protocols.tls.crypto.records13 import Tls13Cipher

MAX_LOST_RECORDS: Final = 4096
"""Sequence numbers tried for one record."""
MAX_MISSES: Final = 8
"""Records that may stay closed before it is given up."""
_LEAST_RECORD: Final = 5 + 17  # bytes: header, and an empty content with the shortest of tags and MACs


class ResumedCipher(RecordCipher):
    """Takes the place of a cipher after a gap of so many bytes."""

    __slots__ = ("_ahead", "_cipher", "_found", "_primed", "misses")

    def __init__(self, cipher: RecordCipher | Tls13Cipher, gap: int) -> None:
        super().__init__()
        self._cipher = cipher
        self._ahead = min(gap // _LEAST_RECORD + 2, MAX_LOST_RECORDS)  # the records cut by either end, too
        self._found = False
        self._primed = not cipher.chained  # the last block of the record before is known
        self.misses = 0

    @property
    def adrift(self) -> bool:
        """Whether its place is not found yet, and may be found."""
        return not self._found and self.misses < MAX_MISSES

    def open(self, content_type: int, record_version: int, fragment: bytes) -> tuple[int, bytes] | None:
        """While adrift, `None` means that this record stays closed, and the next may open."""
        if self._found:
            return self._cipher.open(content_type, record_version, fragment)
        if self.misses >= MAX_MISSES:
            return None
        opened = self._cipher.search(content_type, record_version, fragment, self._ahead)
        primed, self._primed = self._primed, True
        if opened is None or not primed:  # found, perhaps, but its first block is deciphered wrongly
            self.misses += 1
            self._ahead += opened is None
            return None
        self._found = True
        return opened
