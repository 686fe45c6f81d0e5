"""Capture times as text: UTC, ISO 8601, with as many decimals as the capture has."""

from __future__ import annotations

from datetime import date

_EPOCH = date(1970, 1, 1).toordinal()


class IsoTimes:
    """Writes times; remembers the newest day and minute, which most packets share with the one before."""

    def __init__(self) -> None:
        self._minute = -1
        self._text = ""

    def __call__(self, time_ns: int | None, precision: int = 6) -> str | None:
        """`time_ns` nanoseconds since 1970 as text; `None` stays `None`. For years 1 to 9999."""
        if time_ns is None:
            return None
        minute, rest = divmod(time_ns, 60_000_000_000)
        if minute != self._minute:
            self._minute = minute
            day, minutes = divmod(minute, 1440)
            self._text = f"{date.fromordinal(_EPOCH + day).isoformat()}T{minutes // 60:02d}:{minutes % 60:02d}:"
        if precision == 9:
            return f"{self._text}{rest // 1_000_000_000:02d}.{rest % 1_000_000_000:09d}Z"
        rest //= 1000
        return f"{self._text}{rest // 1_000_000:02d}.{rest % 1_000_000:06d}Z"
