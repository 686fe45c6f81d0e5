"""`live --diagnose`: the table of machines while it grows, and the report at the end."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

from amtdecode.cli.common import use_color
from amtdecode.cli.console import text_width, write_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from amtdecode.capture import RawPacket
    from amtdecode.capture.live import Live
    from amtdecode.diagnosis.report import Report
    from amtdecode.diagnosis.rule import Rule
    from amtdecode.protocols.dissector import Protocol
    from amtdecode.provisioning import Story, Tracker
    from amtdecode.secrets import Keys

REFRESH = 1.0  # seconds between two looks, at least
SHARE = 20  # a look may take a twentieth of the time
LONGEST = 10.0  # seconds between two looks, at most


class Watching:
    """Diagnoses packets as they come."""

    def __init__(
        self, rooms: tuple[Protocol, ...], rules: Sequence[Rule], form: str, color: str, *, verbose: bool
    ) -> None:
        self._rooms, self._rules = rooms, rules
        self._form, self._color, self._verbose = form, use_color(color), verbose
        self._next = 0.0
        self._seen = 0  # observations in the latest look
        self._screen: Any = None
        self._tracker: Tracker | None = None

    def run(self, packets: Iterator[RawPacket], keys: Keys | None, live: Live) -> None:
        """Follow the packets to their end, and print the report."""
        from amtdecode.engine import Engine
        from amtdecode.provisioning import Tracker

        self._tracker = tracker = Tracker()
        tracker.input(live.name)
        engine = Engine(keys, connections="all", registry=self._rooms)
        if self._form == "text" and sys.stdout.isatty():
            from rich.console import Console
            from rich.live import Live as Screen

            with Screen(console=Console(), auto_refresh=False, transient=True) as self._screen:
                self._look(tracker)
                self._feed(engine.batches(packets), tracker)
            self._screen = None
        else:
            self._feed(engine.batches(packets), tracker)
        self._print(self._judged(tracker.finish()))

    def tick(self) -> bool:
        """Now and then: a look at what is known, where somebody watches. Never a reason to stop."""
        now, tracker = time.monotonic(), self._tracker
        if self._screen is not None and tracker is not None and now >= self._next:
            if tracker.story.observations != self._seen:
                self._look(tracker)
            self._next = now + min(max(REFRESH, SHARE * (time.monotonic() - now)), LONGEST)
        return False

    @staticmethod
    def _feed(batches: Iterator[list[Any]], tracker: Tracker) -> None:
        for batch in batches:
            for observation in batch:
                tracker.feed(observation)

    def _look(self, tracker: Tracker) -> None:
        from rich.text import Text

        from amtdecode.render.report_text import overview_lines

        self._seen = tracker.story.observations
        report = self._judged(tracker.so_far())
        lines = Text.from_ansi(
            "\n".join(overview_lines(report, width=text_width(), color=self._color)), no_wrap=True, overflow="ellipsis"
        )
        self._screen.update(lines, refresh=True)

    def _judged(self, story: Story) -> Report:
        from amtdecode.diagnosis import diagnose

        return diagnose(story, rules=self._rules)

    def _print(self, report: Report) -> None:
        if self._form == "json":
            from amtdecode.render.report_json import report_json_parts

            write_json(report_json_parts(report))
            return
        from amtdecode.render.report_text import report_lines

        for line in report_lines(report, width=text_width(), verbose=self._verbose, color=self._color):
            sys.stdout.write(line + "\n")
