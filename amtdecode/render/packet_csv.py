"""The packet list as comma-separated values, with the columns of Wireshark's own export."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.render.layout import CSV, Layout
from amtdecode.render.safe import safe
from amtdecode.times import IsoTimes

if TYPE_CHECKING:
    from collections.abc import Callable

    from amtdecode.model import Observation

COLUMNS = ("No.", "Time", "Source", "Destination", "Protocol", "Info")


class PacketCsv:
    """Writes one row an observation."""

    def __init__(
        self,
        write: Callable[[str], object],
        layout: Layout = CSV,
        time: Callable[[int | None, int], str | None] | None = None,
    ) -> None:
        self._write = write
        self._layout = layout
        self._time = time or IsoTimes()
        write(layout.first_line(COLUMNS))

    def __call__(self, observation: Observation) -> None:
        """Write one observation."""
        cells = (
            str(observation.packet or ""),
            self._time(observation.time_ns, observation.precision) or "",
            str(observation.src or ""),
            str(observation.dst or ""),
            safe(observation.protocol),
            safe(observation.event.summary()),
        )
        self._write(self._layout.line(cells))
