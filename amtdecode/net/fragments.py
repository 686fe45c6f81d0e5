"""IP fragments (RFC 791 §3.2, RFC 8200 §4.5): kept by their datagram's identification until it is whole.

Where two fragments overlap with different content, the bytes that came first stay, and the conflict is reported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from amtdecode.model import LimitReached, Malformed, Note, Truncated

if TYPE_CHECKING:
    from collections.abc import Callable

    from amtdecode.model import Event

MAX_DATAGRAMS = 256  # unfinished datagrams kept; the oldest goes first
MAX_FRAGMENTS = 256  # of one datagram
MAX_DATAGRAM = 65_535  # bytes (RFC 791)

Key: TypeAlias = tuple[bytes, int, int]


class _Partial:
    """One unfinished datagram."""

    __slots__ = ("count", "data", "first_header", "have", "size")

    def __init__(self) -> None:
        self.data = bytearray()
        self.have: list[tuple[int, int]] = []  # ranges received, sorted, disjoint
        self.size = -1  # known once the last fragment came
        self.count = 0
        self.first_header = 0


class Fragments:
    """Puts datagrams together. `report` receives events: conflicts, limits, damage."""

    def __init__(self, report: Callable[[Event], None]) -> None:
        self._report = report
        self._partial: dict[Key, _Partial] = {}
        self._limit_told = False
        self.first_header = 0
        """IPv6: next header of the first fragment of the datagram just completed."""

    def add(self, key: Key, offset: int, more: bool, data: bytes, cut: int, next_header: int = 0) -> bytes | None:
        """One fragment at `offset` bytes; returns the whole datagram when this completes it."""
        if cut:
            self._report(
                Truncated("net", "a fragment is cut by the capture's snap length; its datagram is lost", offset, cut)
            )
            return None
        end = offset + len(data)
        if end > MAX_DATAGRAM or (more and len(data) % 8):
            self._report(Malformed("net", f"fragment of {len(data)} bytes at {offset} cannot be part of a datagram"))
            return None
        partial = self._partial.get(key)
        if partial is None:
            partial = self._start(key)
        partial.count += 1
        if partial.count > MAX_FRAGMENTS:
            del self._partial[key]
            self._report(LimitReached("net", "MAX_FRAGMENTS", MAX_FRAGMENTS, "a datagram in more fragments is dropped"))
            return None
        if not more:
            partial.size = end
        if offset == 0:
            partial.first_header = next_header
        self._place(partial, offset, end, data)
        if partial.size >= 0 and partial.have and partial.have[0][0] == 0 and partial.have[0][1] >= partial.size:
            del self._partial[key]
            self.first_header = partial.first_header
            return bytes(partial.data[: partial.size])
        return None

    def finish(self) -> None:
        """The capture ends: datagrams whose fragments are not all in it are lost."""
        if self._partial:
            count, held = len(self._partial), sum(len(partial.data) for partial in self._partial.values())
            datagrams = "1 datagram" if count == 1 else f"{count} datagrams"
            self._report(Truncated("net", f"the capture ends with fragments of {datagrams} missing", held))
            self._partial.clear()

    def _start(self, key: Key) -> _Partial:
        if len(self._partial) >= MAX_DATAGRAMS:
            self._partial.pop(next(iter(self._partial)))
            if not self._limit_told:
                self._limit_told = True
                self._report(
                    LimitReached(
                        "net",
                        "MAX_DATAGRAMS",
                        MAX_DATAGRAMS,
                        "the oldest unfinished datagram is dropped, and others after it",
                    )
                )
        partial = self._partial[key] = _Partial()
        return partial

    def _place(self, partial: _Partial, start: int, end: int, data: bytes) -> None:
        """Write what is new of data; report where the old differs."""
        if len(partial.data) < end:
            partial.data.extend(bytes(end - len(partial.data)))
        position, conflict = start, False
        for low, high in partial.have:
            if high <= position or low >= end:
                continue
            if low > position:
                partial.data[position:low] = data[position - start : low - start]
            overlap = min(high, end)
            first = max(low, position)
            conflict |= partial.data[first:overlap] != data[first - start : overlap - start]
            position = overlap
        if position < end:
            partial.data[position:end] = data[position - start :]
        if conflict:
            self._report(
                Note("net", f"fragments overlap with different content at byte {start}; the first to come was kept")
            )
        partial.have = _merge(partial.have, start, end)


def _merge(ranges: list[tuple[int, int]], start: int, end: int) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for low, high in sorted([*ranges, (start, end)]):
        if merged and low <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return merged
