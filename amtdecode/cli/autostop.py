"""When to stop watching, as a number of seconds or as tshark's `-a` says it, and when to begin another file (`-b`)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

INSTEAD = {
    "packets": "use -c N",
    "filesize": "no file is written here",
    "files": "no file is written here",
}
KINDS = ("duration", "filesize", "files", "packets")
INTERVAL = "interval"  # of `-b` alone: whole multiples of so many seconds, as `interval:3600` for each hour
KILO = 1000  # bytes in the kB of dumpcap


class Limits(NamedTuple):
    """When to stop, or to begin the next file; `None` where that is no reason to."""

    duration: float | None = None  # seconds
    filesize: int | None = None  # bytes
    files: int | None = None
    packets: int | None = None
    interval: float | None = None  # seconds between whole multiples of them


class Limit(click.ParamType):  # type: ignore[type-arg] # not generic before click 8.3
    """`duration:10`, `filesize:KB`, `files:N`, `packets:N`; seconds alone where `bare`, else also `interval:10`."""

    name = "limit"

    def __init__(self, *, bare: bool = False) -> None:
        self._bare = bare

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, float]:
        """Kind and number of a text. Fails for what is none."""
        if isinstance(value, tuple):
            return value
        kind, colon, number = str(value).rpartition(":")
        if not colon and self._bare:
            kind = "duration"
        kinds = KINDS if self._bare else (*KINDS, INTERVAL)
        try:
            amount = float(number) if kind in ("duration", INTERVAL) else float(int(number))
        except (ValueError, OverflowError):  # too many digits for a float
            amount = math.nan
        if kind not in kinds or not 0 < amount < 1e12:
            more = "" if self._bare else ", interval:SECONDS"
            self.fail(f"{value}: is none of duration:SECONDS, filesize:KB, files:N, packets:N{more}", param, ctx)
        return kind, amount


def limits_of(given: Sequence[tuple[str, float]]) -> Limits:
    """The limits of an option that may be given several times; the last of a kind counts."""
    found = dict(given)
    size, files, packets = (found.get(kind) for kind in ("filesize", "files", "packets"))
    return Limits(
        found.get("duration"),
        None if size is None else int(size * KILO),
        None if files is None else int(files),
        None if packets is None else int(packets),
        found.get(INTERVAL),
    )


class Seconds(click.ParamType):  # type: ignore[type-arg] # not generic before click 8.3
    """`10` or `duration:10`."""

    name = "seconds"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds of a text. Fails for what is no number of them."""
        if isinstance(value, float):
            return value
        kind, _, number = str(value).rpartition(":")
        if kind in INSTEAD:
            self.fail(f"{value}: {INSTEAD[kind]}", param, ctx)
        try:
            seconds = float(number)
        except ValueError:
            seconds = math.nan
        if kind not in ("", "duration") or not 0 <= seconds < math.inf:
            self.fail(f"{value}: is neither SECONDS nor duration:SECONDS", param, ctx)
        return seconds
