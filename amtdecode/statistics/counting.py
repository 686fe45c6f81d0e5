"""Counters and a timeline whose size does not depend on the capture."""

from __future__ import annotations

from typing import Generic, TypeVar

MAX_COUNTED = 4096  # different keys of one table
BUCKETS = 60  # of a timeline
SECOND = 1_000_000_000  # nanoseconds

Key = TypeVar("Key", bound=tuple[str, ...])


class Counts(Generic[Key]):
    """How often each key came. Keys beyond `MAX_COUNTED` are counted together, in `others`."""

    def __init__(self) -> None:
        self._counts: dict[Key, int] = {}
        self.others = 0

    def add(self, key: Key) -> None:
        """Count one more."""
        counts = self._counts
        if key in counts or len(counts) < MAX_COUNTED:
            counts[key] = counts.get(key, 0) + 1
        else:
            self.others += 1

    def merge(self, others: Counts[Key]) -> None:
        """Count what others counted; exact while all of it fits."""
        for key, count in others.most_common():
            self._counts[key] = self._counts.get(key, 0) + count
        self.others += others.others

    @property
    def is_too_many(self) -> bool:
        """Whether keys came, or were merged, that one table would not have counted apart."""
        return bool(self.others) or len(self._counts) > MAX_COUNTED

    def most_common(self) -> list[tuple[Key, int]]:
        """The keys with their counts, the most frequent first, equal ones by name."""
        return sorted(self._counts.items(), key=lambda item: (-item[1], item[0]))


class Timeline:
    """How often something happened in each of at most `BUCKETS` equal stretches of time.

    A stretch begins as one second, and doubles whenever the time no longer fits.
    """

    def __init__(self) -> None:
        self.width = SECOND  # nanoseconds
        self.start: int | None = None  # time of the first bucket, nanoseconds since 1970
        self._counts: dict[int, int] = {}  # by the number of the stretch since 1970

    def add(self, time_ns: int) -> None:
        """Count one at this time. Times may come in any order."""
        number = time_ns // self.width
        self._counts[number] = self._counts.get(number, 0) + 1
        self._fit()

    def merge(self, others: Timeline) -> None:
        """Count what another one counted: the same as if it had been added here."""
        while self.width < others.width:
            self._widen()
        for stretch, count in others._counts.items():
            number = stretch * others.width // self.width
            self._counts[number] = self._counts.get(number, 0) + count
        if self._counts:
            self._fit()

    def _fit(self) -> None:
        while max(self._counts) - min(self._counts) >= BUCKETS:
            self._widen()
        self.start = min(self._counts) * self.width

    def _widen(self) -> None:
        self.width *= 2
        halved: dict[int, int] = {}
        for number, count in self._counts.items():
            halved[number >> 1] = halved.get(number >> 1, 0) + count
        self._counts = halved

    def counts(self) -> list[int]:
        """The counts, from the first stretch in which something happened to the last."""
        if not self._counts:
            return []
        return [self._counts.get(number, 0) for number in range(min(self._counts), max(self._counts) + 1)]
