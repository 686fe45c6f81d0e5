"""When to stop watching, as a number of seconds or as tshark's `-a` says it."""

from __future__ import annotations

import math

import click

INSTEAD = {
    "packets": "use -c N",
    "filesize": "give seconds, or use dumpcap for files",
    "files": "give seconds, or use dumpcap for files",
}


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
