"""Readings put together, in any order: the union of sets, and so the same whoever is merged with whom first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from amtdecode.errors import ArtifactError
from amtdecode.provisioning.journal.facts import VERSION
from amtdecode.provisioning.journal.reading import DIGEST, Reading, head_of, made, packed

if TYPE_CHECKING:
    from collections.abc import Iterable

MAGIC = b"amtdecode journal "
SIZE = 4  # bytes that say how long a block is, big-endian
MAX_READINGS = 1_000_000  # of one journal


class Journal(msgspec.Struct, frozen=True):
    """What was seen of machines, kept so that their story can be told from it.

    Journals merge by `|` or `Journal.merged`; a reading that two of them have counts once.
    """

    readings: dict[bytes, Reading] = {}
    """By their digest."""

    def __or__(self, other: Journal) -> Journal:
        """Both."""
        return Journal.merged((self, other))

    @classmethod
    def merged(cls, journals: Iterable[Journal]) -> Journal:
        """All of them."""
        readings: dict[bytes, Reading] = {}
        for journal in journals:
            readings.update(journal.readings)
        return cls(dict(sorted(readings.items())))

    @property
    def sensors(self) -> list[str]:
        """Where it was captured, in order."""
        return sorted({reading.head.sensor for reading in self.readings.values()})

    def to_bytes(self) -> bytes:
        """To be written to a file: the same bytes for the same journal."""
        blocks = [MAGIC + str(VERSION).encode() + b"\n"]
        for digest, reading in sorted(self.readings.items()):
            for block in (packed(reading.head), *reading.flow_blocks, *reading.entry_blocks):
                blocks += (len(block).to_bytes(SIZE, "big"), block)
            blocks.append(digest)
        return b"".join(blocks)

    @classmethod
    def from_bytes(cls, data: bytes, name: str = "journal") -> Journal:
        """Read what `to_bytes` wrote. Raises `ArtifactError`, in one line, for anything else."""
        line, end, _ = data[: len(MAGIC) + 8].partition(b"\n")
        if not line.startswith(MAGIC) or not end:
            raise ArtifactError(f"{name}: no journal of amtdecode")
        if line != MAGIC + str(VERSION).encode():
            raise ArtifactError(f"{name}: a journal of another version of amtdecode; read its captures again")
        blocks = _Blocks(memoryview(data)[len(line) + 1 :], name)
        readings: dict[bytes, Reading] = {}
        while blocks.left:
            head = head_of(blocks.next())
            if head.flow_blocks + head.entry_blocks > blocks.left // SIZE:
                raise ArtifactError(f"{name}: the journal is cut")
            flows = [blocks.next() for _ in range(head.flow_blocks)]
            entries = [blocks.next() for _ in range(head.entry_blocks)]
            reading = made(head, flows, entries)
            if reading.digest != blocks.take(DIGEST):
                raise ArtifactError(f"{name}: the journal is damaged")
            if len(readings) >= MAX_READINGS:
                raise ArtifactError(f"{name}: a journal of more than {MAX_READINGS} readings")
            readings[reading.digest] = reading
        return cls(readings)


class _Blocks:
    """The parts of a file, one after the other."""

    def __init__(self, data: memoryview, name: str) -> None:
        self._data = data
        self._name = name

    @property
    def left(self) -> int:
        """Bytes that are left."""
        return len(self._data)

    def take(self, size: int) -> bytes:
        """So many bytes."""
        if size > len(self._data):
            raise ArtifactError(f"{self._name}: the journal is cut")
        taken = bytes(self._data[:size])
        self._data = self._data[size:]
        return taken

    def next(self) -> bytes:
        """The next block."""
        return self.take(int.from_bytes(self.take(SIZE), "big"))
