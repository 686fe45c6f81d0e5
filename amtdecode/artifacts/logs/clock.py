"""How far the clock of a log is from the clock of a capture: time zone and error together.

A log on Windows is written in local time, usually without saying which. Rows and packets that tell of the same thing (a
hello of the same machine) give the difference; one wrong match must not move it, so the middle is taken, not the mean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

SECOND = 1_000_000_000
QUARTER = 15 * 60 * SECOND  # all zones of the world are whole quarters of an hour from UTC
MAX_PAIRS = 100_000  # differences that are kept
WINDOW = (
    5 * SECOND
)  # differences of true matches lie this close together; network delay and log granularity are within it
MAX_OFFSET = 26 * 3600 * SECOND  # zones span 26 hours; a larger difference is no match


class ClockOffset(NamedTuple):
    """Add `offset_ns` to a time of the log to get the time of the capture."""

    offset_ns: int
    spread_ns: int  # half of the differences lie within this distance of the offset
    pairs: int

    @property
    def zone_minutes(self) -> int:
        """Minutes east of UTC of the log's wall clock, supposing its clock is right to within 7 minutes."""
        return -round(self.offset_ns / QUARTER) * 15

    @property
    def error_ns(self) -> int:
        """What is left of the offset without the zone: how far the clock of the server is wrong."""
        return self.offset_ns + self.zone_minutes * 60 * SECOND


def estimate_offset(pairs: Iterable[tuple[int, int]]) -> ClockOffset | None:
    """The offset out of pairs of log time and capture time (ns) that are known to belong together."""
    from statistics import median

    differences = [captured - logged for logged, captured in pairs][:MAX_PAIRS]
    if not differences:
        return None
    middle = int(median(differences))
    return ClockOffset(middle, int(median(abs(difference - middle) for difference in differences)), len(differences))


def vote_offset(
    logged: Iterable[tuple[Hashable, int]], captured: Iterable[tuple[Hashable, int]], least: int = 1
) -> ClockOffset | None:
    """The offset out of times (ns) with a key each (a UUID, an address), not knowing which belong together.

    Each logged time is compared with every captured time of the same key; true matches all give the same difference,
    so the closest crowd of differences wins. `None` with fewer than `least` matches, or where two crowds are equal.
    """
    times: dict[Hashable, list[int]] = {}
    for key, time in captured:
        times.setdefault(key, []).append(time)
    differences: list[int] = []
    for key, time in logged:
        found = [other - time for other in times.get(key, ()) if abs(other - time) <= MAX_OFFSET]
        differences += found[: MAX_PAIRS - len(differences)]
    differences.sort()
    best = start = rival = low = 0
    for high, difference in enumerate(differences):
        while difference - differences[low] > WINDOW:
            low += 1
        size = high - low + 1
        if size > best:
            if differences[low] - differences[start] > WINDOW:
                rival = best
            best, start = size, low
        elif size > rival and differences[low] - differences[start] > WINDOW:
            rival = size
    if best < max(least, 1) or rival == best:
        return None
    return estimate_offset((0, difference) for difference in differences[start : start + best])
