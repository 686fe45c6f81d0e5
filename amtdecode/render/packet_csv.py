"""The packet list as comma-separated values, with the columns of Wireshark's own export."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.render.layout import CSV, Layout
from amtdecode.render.safe import safe
from amtdecode.render.stamps import stamps

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
        time: Callable[[Observation], str] | None = None,
    ) -> None:
        self._write = write
        self._layout = layout
        self._time = time or stamps(None)
        write(layout.first_line(COLUMNS))

    def __call__(self, observation: Observation) -> None:
        """Write one observation."""
        cells = (
            str(observation.packet or ""),
            "" if (time := self._time(observation).strip()) == "-" else time,
            str(observation.src or ""),
            str(observation.dst or ""),
            safe(observation.protocol),
            safe(observation.event.summary()),
        )
        self._write(self._layout.line(cells))
