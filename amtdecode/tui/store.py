"""Where every packet of the captures stands: an index on disk, written by the reader, read by the screen.

A *row* is the number of a packet on the timeline of all captures, from 0. Its entry says where its bytes are: in the
capture itself, or in a file of ours where they cannot be read there again (compressed, piped, live). Both files of
ours have no name, and go with the processes that hold them. Memory does not grow with the captures.
"""

from __future__ import annotations

import mmap
import os
import struct
from collections import OrderedDict
from copy import copy
from tempfile import TemporaryFile
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from amtdecode.model import PACKET_NUMBER_BITS
from amtdecode.tui.conversations import PLACES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from amtdecode.capture import Interface, RawPacket

# packet id, where its bytes stand, row + 1 of the packet of its place before, captured and original length, time stamp
# high and low, interface, file
ENTRY = struct.Struct("<QQIIIIIHH")
BLOCK = 256  # entries read together
MAX_BLOCKS = 64  # of them kept
AHEAD = 1 << 16  # bytes of a capture read together
OWN = 0xFFFF  # the file that is ours
COUNTS = 8  # bytes of the shared memory in front of the places
NUMBER = (1 << PACKET_NUMBER_BITS) - 1


class Entry(NamedTuple):
    """What is known of a packet without reading it."""

    id: int
    offset: int
    before: int
    """Row + 1 of the packet of its place before it; 0 where it is the first."""
    captured: int
    original: int
    high: int
    low: int
    interface: int
    file: int


class Scratch:
    """A file without a name that one side appends to, while both read it anywhere."""

    def __init__(self) -> None:
        self._file = TemporaryFile(prefix="amtdecode-tui-", buffering=0)  # noqa: SIM115 - as long as this lives
        self._lock = Lock()
        self.size = 0
        """Bytes that this side has written."""

    def append(self, data: bytes) -> None:
        """Write at the end. Raises `OSError` when the disk is full."""
        with self._lock:
            self._file.seek(self.size)
            view = memoryview(data)
            while view:
                view = view[self._file.write(view) or 0 :]
            self.size += len(data)

    def read(self, offset: int, size: int) -> bytes:
        """Bytes from an offset; fewer where there are none yet."""
        return read_at(self._file.fileno(), offset, size, self._lock)

    def close(self) -> None:
        """Let go of it."""
        self._file.close()

    def __del__(self) -> None:
        self.close()


def read_at(descriptor: int, offset: int, size: int, lock: Lock) -> bytes:
    """Bytes from an offset of a file, fewer at its end, whoever else reads it."""
    if hasattr(os, "pread"):
        return os.pread(descriptor, size, offset)
    with lock:
        os.lseek(descriptor, offset, os.SEEK_SET)
        return os.read(descriptor, size)


class Store:
    """The index, and what it points to. `names`: the captures, in the order of their inputs."""

    def __init__(self, names: Sequence[str] = ()) -> None:
        self.index = Scratch()
        self.spool = Scratch()
        self.shared = mmap.mmap(-1, COUNTS + 4 * PLACES)
        """The number of rows, and of each place the latest row + 1."""
        self.interfaces: list[Interface] = []
        self.count = 0
        """Rows that this side knows of."""
        self._names = names
        self._files: dict[int, int] = {}
        self._lock = Lock()
        self._blocks: OrderedDict[int, bytes] = OrderedDict()
        self._window = (OWN, 0, b"")

    def view(self) -> Store:
        """The same store for another thread of the side that writes."""
        view = copy(self)
        view._lock, view._blocks, view._files, view._window = Lock(), OrderedDict(), {}, (OWN, 0, b"")
        return view

    def grown(self) -> int:
        """How many rows there are by now. All of them may be read once the interfaces have come."""
        return int(struct.unpack_from("<Q", self.shared)[0])

    def latest(self, place: int) -> int:
        """Row + 1 of the latest packet of a place that this side knows of; 0 where there is none."""
        row = int(struct.unpack_from("<I", self.shared, COUNTS + 4 * place)[0])
        while row > self.count:
            row = self.entry(row - 1).before
        return row

    def entry(self, row: int) -> Entry:
        """What is known of a row; it must be below `grown()`."""
        number, at = divmod(row, BLOCK)
        with self._lock:
            block = self._blocks.get(number)
            if block is None or len(block) < (at + 1) * ENTRY.size:
                block = self._blocks[number] = self.index.read(number * BLOCK * ENTRY.size, BLOCK * ENTRY.size)
                if len(self._blocks) > MAX_BLOCKS:
                    self._blocks.popitem(last=False)
            else:
                self._blocks.move_to_end(number)
        return Entry._make(ENTRY.unpack_from(block, at * ENTRY.size))

    def raw(self, row: int) -> RawPacket:
        """A packet. Where its capture has changed under us, bytes are missing."""
        entry = self.entry(row)
        data = self._bytes(entry.file, entry.offset, entry.captured)
        interface = self.interfaces[entry.interface]
        return entry.id, data, 0, len(data), entry.original, entry.high, entry.low, interface

    def raws(self, rows: Iterator[int]) -> Iterator[RawPacket]:
        """Packets of several rows."""
        return map(self.raw, rows)

    def time_ns(self, row: int) -> int | None:
        """When a packet was captured."""
        entry = self.entry(row)
        return self.interfaces[entry.interface].time_ns(entry.high, entry.low)

    def row_of(self, name: str, number: int) -> int | None:
        """The row of a packet, by its input and its number there; `None` where it is not (yet) known."""
        if name not in self._names and self._names:
            return None
        index = list(self._names).index(name) if self._names else 0
        wanted = index << PACKET_NUMBER_BITS | number
        if len(self._names) <= 1:
            return self._search(wanted)
        return next((row for row in range(self.count) if self.entry(row).id == wanted), None)

    def _search(self, wanted: int) -> int | None:
        low, high = 0, self.count
        while low < high:
            middle = (low + high) // 2
            if self.entry(middle).id < wanted:
                low = middle + 1
            else:
                high = middle
        return low if low < self.count and self.entry(low).id == wanted else None

    def _bytes(self, file: int, offset: int, size: int) -> bytes:
        with self._lock:
            of, start, window = self._window
            if of != file or not start <= offset <= offset + size <= start + len(window):
                start, window = offset, self._read(file, offset, max(size, AHEAD))
                self._window = file, offset, window
            return window[offset - start : offset - start + size]

    def _read(self, file: int, offset: int, size: int) -> bytes:
        if file == OWN:
            return self.spool.read(offset, size)
        if file not in self._files:
            try:
                self._files[file] = os.open(self._names[file], os.O_RDONLY | getattr(os, "O_BINARY", 0))
            except OSError:
                return b""
        return read_at(self._files[file], offset, size, self._lock)

    def close(self) -> None:
        """Let go of the captures and of the index. Whoever writes must have ended."""
        while self._files:
            os.close(self._files.popitem()[1])
        self.index.close()
        self.spool.close()
