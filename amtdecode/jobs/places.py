"""Where in a reading something became known, as one number: processes that read the same inputs count alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.capture.packets import Records
from amtdecode.engine.loop import ENDING
from amtdecode.jobs.telling import SILENCE, SILENT_RUNS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.capture import RawPacket
    from amtdecode.engine import Engine
    from amtdecode.jobs.telling import Telling

RUN_BITS = 24
"""A place is the number of the piece above these many bits, and below them that of the packet in it, if it is a run."""


class Places:
    """Counts the pieces on their way to an engine."""

    def __init__(self, engine: Engine, telling: Telling) -> None:
        self._engine = engine
        self._telling = telling
        self._piece = 0
        self._before = 0
        """Id of the packet before the first of a run."""
        self._is_run = False

    def watch(self, pieces: Iterator[RawPacket | Records]) -> Iterator[RawPacket | Records]:
        """The pieces. Once the next is asked for, all before it has been told."""
        telling = self._telling
        for piece in pieces:
            self._piece += 1
            self._is_run = isinstance(piece, Records)
            telling.reached(self._piece << RUN_BITS, SILENCE // SILENT_RUNS if self._is_run else 1)
            if isinstance(piece, Records):
                self._before = piece.number
            yield piece

    def now(self) -> int:
        """Where the engine has found what it gave out last."""
        at = self._engine.at
        if at >= ENDING:
            return at
        return (self._piece << RUN_BITS) + (at - self._before if self._is_run else 0)
