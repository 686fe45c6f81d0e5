"""Puts packets into the store as they are read."""

from __future__ import annotations

import os
import struct
from threading import Lock
from typing import TYPE_CHECKING

from amtdecode.capture.packets import NOTICE, SLACK
from amtdecode.errors import CaptureError
from amtdecode.model import PACKET_NUMBER_BITS
from amtdecode.tui.conversations import ALONE, place
from amtdecode.tui.store import COUNTS, ENTRY, OWN, read_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from amtdecode.capture import Interface, RawPacket
    from amtdecode.capture.source import Source
    from amtdecode.tui.store import Store

TOGETHER = 1024  # entries written together
MAX_ROWS = (1 << 32) - 2  # packets of one sitting
MAX_INTERFACES = 1 << 16  # of one sitting


class Filing:
    """The side of a store that writes. `told`: called with each interface before its first packet can be read.

    Sources are shown to it by `opened`; where a packet's bytes stand in one as they are, they are not written again.
    """

    def __init__(self, store: Store, names: Sequence[str], told: Callable[[int, Interface], None]) -> None:
        self._store = store
        self._names = names
        self._told = told
        self._sources: dict[str, tuple[Source, int]] = {}
        self._interfaces: dict[int, int] = {}
        self._untimed: dict[tuple[str, int, str], int] = {}
        self._entries: list[bytes] = []
        self._bytes: list[bytes] = []
        self._spooled = 0
        self._rows = 0
        self._buffer, self._base = b"", -1

    def opened(self, source: Source) -> None:
        """Remember where an input is read."""
        if os.path.isfile(source.name):
            self._sources[source.name] = source, os.open(source.name, os.O_RDONLY | getattr(os, "O_BINARY", 0))

    def watch(self, packets: Iterator[RawPacket]) -> Iterator[RawPacket]:
        """Pass packets on, noting each. Raises `CaptureError` when there is no room for what is noted."""
        for raw in packets:
            if raw[7].link_type != NOTICE:
                self.add(raw)
            yield raw
        self.flush()

    def add(self, raw: RawPacket) -> None:
        """The next packet."""
        number, data, start, captured, original, high, low, interface = raw
        if data is not self._buffer:
            self._buffer, self._base = data, self._found(raw)
        if self._base >= 0:
            file, offset = number >> PACKET_NUMBER_BITS, self._base + start
        else:
            file, offset = OWN, self._spooled
            self._bytes.append(data[start : start + captured])
            self._spooled += captured
        kind = self._interfaces.get(id(interface))
        if kind is None:
            kind = self._new(interface)
        where = place(data, start, captured, interface.link_type)
        before = 0
        row = self._rows = self._rows + 1
        if where != ALONE:
            at = COUNTS + 4 * where
            (before,) = _ROW.unpack_from(self._store.shared, at)
            _ROW.pack_into(self._store.shared, at, row)
        self._entries.append(ENTRY.pack(number, offset, before, captured, original, high, low, kind, file))
        if len(self._entries) >= TOGETHER:
            self.flush()

    def flush(self) -> None:
        """Let the other side see all there is."""
        if not self._entries:
            return
        if self._rows > MAX_ROWS:
            raise CaptureError(f"no more than {MAX_ROWS} packets can be listed")
        try:
            if self._bytes:
                self._store.spool.append(b"".join(self._bytes))
            self._store.index.append(b"".join(self._entries))
        except OSError as error:
            raise CaptureError(f"the folder of temporary files is full: {error.strerror}") from error
        self._bytes.clear()
        self._entries.clear()
        struct.pack_into("<Q", self._store.shared, 0, self._rows)

    def _found(self, raw: RawPacket) -> int:
        """Where in its capture the buffer of a packet begins, if it stands there as it is; -1 if not.

        What a reader holds ends where its source has been read to; whether that is so, the bytes tell.
        """
        data, start, captured = raw[1:4]
        source, descriptor = self._sources.get(raw[7].input, (None, -1))
        if source is None or source.raw_position is None:
            return -1
        read = source.raw_position()
        for slack in (SLACK, 0):  # behind the records of a pcap file there is some
            base = read - len(data) + slack
            if base < 0:
                continue
            there = read_at(descriptor, base + start, captured, _LOCK)
            # the buffer's first byte too: what stands elsewhere as well must not be taken for it
            if there == data[start : start + captured] and read_at(descriptor, base, 16, _LOCK) == data[:16]:
                return base
        return -1

    def _new(self, interface: Interface) -> int:
        """The number of an interface. Those made for each packet without a time are one."""
        key = (interface.input, interface.link_type, interface.name)
        timed = interface.time_ns(1, 0) is not None
        known = None if timed else self._untimed.get(key)
        if known is None:
            known = len(self._store.interfaces)
            if known >= MAX_INTERFACES:
                raise CaptureError(f"no more than {MAX_INTERFACES} interfaces can be listed")
            self._store.interfaces.append(interface)
            self._told(known, interface)
        if timed:
            self._interfaces[id(interface)] = known
        else:
            self._untimed[key] = known
        return known

    def close(self) -> None:
        """Let go of the captures."""
        while self._sources:
            os.close(self._sources.popitem()[1][1])


_ROW = struct.Struct("<I")
_LOCK = Lock()
