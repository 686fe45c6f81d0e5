"""Capture times as text: UTC, ISO 8601, with as many decimals as the capture has."""

from __future__ import annotations

from datetime import date

_EPOCH = date(1970, 1, 1).toordinal()


class IsoTimes:
    """Writes times; remembers the newest second, which many packets share with the one before."""

    def __init__(self) -> None:
        self._second = -1
        self._text = ""

    def __call__(self, time_ns: int | None, precision: int = 6) -> str | None:
        """`time_ns` nanoseconds since 1970 as text; `None` stays `None`. For years 1 to 9999."""
        if time_ns is None:
            return None
        second, rest = divmod(time_ns, 1_000_000_000)
        if second != self._second:
            self._second = second
            day, seconds = divmod(second, 86_400)
            clock = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
            self._text = f"{date.fromordinal(_EPOCH + day).isoformat()}T{clock}."
        # a one in front keeps the zeros: cheaper than a format that pads
        decimals = str(1_000_000_000 + rest if precision == 9 else 1_000_000 + rest // 1000)
        return f"{self._text}{decimals[1:]}Z"
