"""Times in the forms of tshark's `-t`, always UTC."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.times import IsoTimes, moment

if TYPE_CHECKING:
    from collections.abc import Callable

    from amtdecode.frame.observed import PacketValues
    from amtdecode.model import Observation

FORMS = ("a", "ad", "adoy", "d", "dd", "e", "r", "u", "ud", "udoy")
"""Time of day; with date; with day of the year; since the packet before; since the line before; since 1970; since the
first packet; and the first three again, which here are the same."""
OF_PACKETS = {"d": "frame.time_delta", "r": "frame.time_relative"}
"""Forms that only packets know, and the field that has them."""
WIDTH, ISO_WIDTH = 12, 27


def stamps(form: str | None, packets: PacketValues | None = None) -> Callable[[Observation], str]:
    """Make what writes the time of an observation; `-` where it has none. `packets`: for the forms `d` and `r`."""
    iso = IsoTimes()
    if form is None:
        return lambda observation: (iso(observation.time_ns, observation.precision) or "-").ljust(ISO_WIDTH)
    if form in OF_PACKETS:
        name = OF_PACKETS[form]

        def of_packet(observation: Observation) -> str:
            found = packets.of(observation).get(name) if packets is not None else None
            return _cut(found[0], observation.precision).rjust(WIDTH) if found else "-".rjust(WIDTH)

        return of_packet
    if form == "dd":
        return _Since()
    kind = form.replace("u", "a", 1) if form[0] == "u" else form

    def of_day(observation: Observation) -> str:
        time_ns = observation.time_ns
        text = iso(time_ns, observation.precision)
        if text is None or time_ns is None:
            return "-".rjust(WIDTH)
        if kind == "e":
            return _seconds(time_ns, observation.precision)
        date, _, clock = text.removesuffix("Z").partition("T")
        if kind == "ad":
            return f"{date} {clock}"
        return f"{moment(time_ns):%Y/%j} {clock}" if kind == "adoy" else clock

    return of_day


class _Since:
    """Time since the line before."""

    def __init__(self) -> None:
        self._before: int | None = None

    def __call__(self, observation: Observation) -> str:
        time_ns = observation.time_ns
        if time_ns is None:
            return "-".rjust(WIDTH)
        before, self._before = self._before, time_ns
        return _seconds(time_ns - (time_ns if before is None else before), observation.precision).rjust(WIDTH)


def _seconds(time_ns: int, precision: int) -> str:
    sign = "-" if time_ns < 0 else ""
    whole, rest = divmod(abs(time_ns), 10**9)
    return _cut(f"{sign}{whole}.{rest:09d}", precision)


def _cut(text: str, precision: int) -> str:
    """Nine decimals to as many as the capture has."""
    return text if precision == 9 else text[:-3]
