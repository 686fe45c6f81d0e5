"""`diagnose --ladder`: the captures once more, and the ladders of some machines in the form that is asked for."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NamedTuple

from amtdecode.capture import limited, open_records
from amtdecode.capture.inputs import can_be_read_again
from amtdecode.cli.common import copies
from amtdecode.cli.console import text_width, write_json
from amtdecode.cli.main import complain
from amtdecode.counting import counted
from amtdecode.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from amtdecode.capture.inputs import Capture
    from amtdecode.diagnosis.report import Report
    from amtdecode.dialogue import Ladder
    from amtdecode.model import Observation
    from amtdecode.protocols.dissector import Protocol
    from amtdecode.provisioning import Device, Story
    from amtdecode.render.redact import Redaction
    from amtdecode.secrets import Keys

MAX_LADDERS = 1000  # drawn in one call


class Again(NamedTuple):
    """How the captures are read a second time."""

    captures: Sequence[Capture]
    keys: Keys | None
    rooms: tuple[Protocol, ...]
    limit: int | None

    @property
    def possible(self) -> bool:
        """Whether there is a capture, and all can be read again."""
        return bool(self.captures) and all(map(can_be_read_again, self.captures))

    def check(self) -> None:
        """Raise `UsageError` where there is no capture, or one that can be read only once."""
        if not self.captures:
            raise UsageError("a ladder needs a capture: none is among the inputs")
        if not self.possible:
            raise UsageError("a ladder reads its captures twice: save what comes from a pipe or device to a file first")

    def observations(self, *, pdus: bool = False) -> Iterator[Observation]:
        """All of them."""
        from amtdecode.engine import Engine

        engine = Engine(self.keys, connections="all", registry=self.rooms, pdus=pdus)
        packets = limited(open_records(self.captures), self.limit)
        found = copies()
        return engine.observe(packets if found is None else found.watch(packets))


def write_ladders(
    again: Again,
    story: Story,
    report: Report,
    redaction: Redaction | None,
    device: str | None,
    form: str,
    *,
    color: bool,
    quiet: bool,
) -> None:
    """Write the ladder of one machine, or of all that failed; where none did, of all."""
    from amtdecode.dialogue import tell
    from amtdecode.render.ladders import mark, redact

    chosen = _chosen(story, report, device, quiet=quiet)
    ladders = tell(story, again.observations(), chosen)
    if redaction is not None:
        redact(ladders, redaction)
    ladders = mark(ladders, report)
    if form == "json":
        from amtdecode.render.json_text import json_text

        write_json([json_text([ladder.to_dict() for ladder in ladders])])
        return
    for line in _lines(ladders, form, color=color):
        sys.stdout.write(line + "\n")


def _chosen(story: Story, report: Report, device: str | None, *, quiet: bool) -> list[Device]:
    from amtdecode.dialogue.recording import device_of
    from amtdecode.render.ladders import failed

    if device is not None:
        return [device_of(story, device)]
    by_id = {each.id: each for each in story.devices}
    listed = [each for each in report.devices if failed(each)] or report.devices
    if len(listed) > MAX_LADDERS and not quiet:
        complain(f"note: {counted(len(listed) - MAX_LADDERS, 'ladder')} more; --device draws that of one machine")
    return [by_id[each.id] for each in listed[:MAX_LADDERS]]


def _lines(ladders: list[Ladder], form: str, *, color: bool) -> Iterator[str]:
    if form == "svg":
        from amtdecode.render.ladder_svg import svg

        yield svg(ladders)
        return
    if form == "mermaid":
        from amtdecode.render.ladder_mermaid import markdown_lines, mermaid_lines

        yield from mermaid_lines(ladders[0]) if len(ladders) == 1 else markdown_lines(ladders)
        return
    from amtdecode.render.ladder_text import NARROW, ladder_lines, list_lines

    width = text_width()
    plain = form == "list" or width < NARROW or os.environ.get("TERM") == "dumb"
    for number, ladder in enumerate(ladders):
        if number:
            yield ""
        yield from (list_lines if plain else ladder_lines)(ladder, width=width, color=color)
