"""Capture times: as text (UTC, ISO 8601, with as many decimals as the capture has) and as datetimes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH = EPOCH.toordinal()


def moment(time_ns: int) -> datetime:
    """A time in nanoseconds since 1970 as a datetime in UTC: its last three digits are lost. For years 1 to 9999."""
    return EPOCH + timedelta(microseconds=time_ns // 1000)


class IsoTimes:
    """Writes times; remembers the newest minute and second, which many packets share with the one before."""

    def __init__(self) -> None:
        self._minute = self._second = -1
        self._to_minute = self._to_second = ""

    def __call__(self, time_ns: int | None, precision: int = 6) -> str | None:
        """`time_ns` nanoseconds since 1970 as text; `None` stays `None`. For years 1 to 9999."""
        if time_ns is None:
            return None
        second, rest = divmod(time_ns, 1_000_000_000)
        if second != self._second:
            self._second = second
            minute, of_minute = divmod(second, 60)
            if minute != self._minute:
                self._minute = minute
                day, minutes = divmod(minute, 1440)
                today = date.fromordinal(_EPOCH + day).isoformat()
                self._to_minute = f"{today}T{minutes // 60:02d}:{minutes % 60:02d}:"
            self._to_second = f"{self._to_minute}{of_minute:02d}."
        # a one in front keeps the zeros: cheaper than a format that pads
        decimals = str(1_000_000_000 + rest if precision == 9 else 1_000_000 + rest // 1000)
        return f"{self._to_second}{decimals[1:]}Z"
