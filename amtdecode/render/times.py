"""Capture times as text: UTC, ISO 8601, with as many decimals as the capture has."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class IsoTimes:
    """Writes times; remembers the newest second, which most packets share with the one before."""

    def __init__(self) -> None:
        self._second = -1
        self._text = ""

    def __call__(self, time_ns: int | None, precision: int = 6) -> str | None:
        """`time_ns` nanoseconds since 1970 as text; `None` stays `None`."""
        if time_ns is None:
            return None
        second, fraction = divmod(time_ns, 1_000_000_000)
        if second != self._second:
            self._second = second
            self._text = (_EPOCH + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%S")
            if second < 0 or len(self._text) != 19:  # strftime does not pad years before 1000
                self._text = (_EPOCH + timedelta(seconds=second)).isoformat()[:19]
        if precision == 9:
            return f"{self._text}.{fraction:09d}Z"
        return f"{self._text}.{fraction // 1000:06d}Z"
