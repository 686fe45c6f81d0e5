"""Secrets by label and key in little more than their own bytes: a key log of a million lines has no object for each.

Records stand one behind the other, found by a table of open addressing (Knuth, The Art of Computer Programming,
section 6.4, algorithm L). Nothing is ever deleted: `KeyLog` lets go of a whole one at a time.
"""

from __future__ import annotations

from array import array
from typing import Final

MAX_SIZE: Final = 255  # bytes of a key, and of a secret
_FIRST_SLOTS: Final = 1 << 8


class Packed:
    """A record is the label's number, the key's size and the key, the secret's size and the secret."""

    def __init__(self) -> None:
        self._records = bytearray(b"\0")  # so that no record begins at 0
        self._slots = array("I", bytes(4 * _FIRST_SLOTS))  # where a record begins; 0 is free
        self.count = 0  # of keys
        self.written = 0  # records, those replaced since among them

    def __getstate__(self) -> tuple[bytearray, int, int, int]:
        """Without the table: hashes are others in another process."""
        return self._records, len(self._slots), self.count, self.written

    def __setstate__(self, state: tuple[bytearray, int, int, int]) -> None:
        self._records, slots, self.count, self.written = state
        self._slots = array("I", bytes(4 * slots))
        records, at = self._records, 1
        while at < len(records):
            behind = at + 2 + records[at + 1]
            self._slots[self._slot(bytes(records[at:behind]))] = at  # a later one takes the place of an earlier one
            at = behind + 1 + records[behind]

    def get(self, label: int, key: bytes) -> bytes | None:
        """Find a secret."""
        if len(key) > MAX_SIZE:
            return None
        name = b"%c%c%b" % (label, len(key), key)
        at = self._slots[self._slot(name)]
        if not at:
            return None
        at += len(name)
        return bytes(self._records[at + 1 : at + 1 + self._records[at]])

    def put(self, label: int, key: bytes, secret: bytes) -> None:
        """Keep a secret of at most MAX_SIZE bytes in place of an earlier one."""
        name = b"%c%c%b" % (label, len(key), key)
        slots, records = self._slots, self._records
        slot = self._slot(name)
        at = slots[slot]
        record = b"%b%c%b" % (name, len(secret), secret)
        if at and records.startswith(record, at):
            return
        slots[slot] = len(records)
        records += record
        self.written += 1
        if not at:
            self.count += 1
            if self.count * 3 > len(slots) * 2:
                self._grow()

    def _slot(self, name: bytes) -> int:
        """The slot of a record, or the free one it would have. Hashes are salted, so no log can make all collide."""
        slots, holds = self._slots, self._records.startswith
        mask = len(slots) - 1
        slot = hash(name) & mask
        while (at := slots[slot]) and not holds(name, at):
            slot = slot + 1 & mask
        return slot

    def _grow(self) -> None:
        old = self._slots
        self._slots = slots = array("I", bytes(4 * 4 * len(old)))
        records, mask = self._records, len(slots) - 1
        for at in old:
            if at:
                slot = hash(bytes(records[at : at + 2 + records[at + 1]])) & mask
                while slots[slot]:
                    slot = slot + 1 & mask
                slots[slot] = at
