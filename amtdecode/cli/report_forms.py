"""The forms of a report: text, JSON, a page of HTML, ladders; which are asked for, and how they are written."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from amtdecode.cli.common import key_files, use_color
from amtdecode.cli.console import text_width, write_json
from amtdecode.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from amtdecode.cli.ladders import Again
    from amtdecode.diagnosis.report import Report
    from amtdecode.diagnosis.site import Site
    from amtdecode.outputs import Outputs
    from amtdecode.provisioning import Story
    from amtdecode.render.redact import Redaction


class Wish(NamedTuple):
    """What is wanted of a report."""

    form: str
    ladder: bool
    device: str | None
    page: str | None
    """The file of the page of HTML; "-" is standard output."""
    verbose: bool
    color: str
    quiet: bool
    audit: bool = False

    def check(self, read: Sequence[str | None], keys: Mapping[str, Any]) -> Outputs:
        """The one door for what is written. `read`: files that must not be written over; `keys`: the options of keys.

        Raises `UsageError` for what does not go together, `MissingExtraError` where the page needs what is missing.
        """
        from amtdecode.outputs import Outputs

        if self.audit and (self.ladder or self.page is not None or self.form not in ("text", "json", "sarif")):
            what = "--ladder" if self.ladder else "--html" if self.page is not None else f"-T {self.form}"
            raise UsageError(f"{what} does not go with --audit, whose forms are text, json and sarif")
        if self.form == "sarif" and not self.audit:
            raise UsageError("-T sarif goes with --audit")
        if not (self.ladder or self.audit) and (self.device is not None or self.form not in ("text", "json")):
            raise UsageError(f"{'--device' if self.device is not None else f'-T {self.form}'} goes with --ladder")
        outputs = Outputs([*filter(None, read), *key_files(**keys)])
        if self.page is not None:
            from amtdecode.render.html import have_jinja

            if self.page == "-" and self.ladder:
                raise UsageError("--html - and --ladder both write to standard output: name a file")
            outputs.refuse(self.page, "--html")
            have_jinja()
        return outputs


def deliver(
    wish: Wish,
    report: Report,
    story: Story,
    facts: Site,
    again: Again,
    redaction: Redaction | None,
    outputs: Outputs,
) -> None:
    """Write the report in the forms that are wanted."""
    if redaction is not None:
        report = redaction.report()
    if wish.page is not None:
        _write_page(wish.page, outputs, report, story, facts, again, redaction)
    if wish.ladder:
        from amtdecode.cli.ladders import write_ladders

        color = use_color(wish.color)
        write_ladders(again, story, report, redaction, wish.device, wish.form, color=color, quiet=wish.quiet)
    elif wish.page != "-":
        _write(report, wish)


def _write_page(
    target: str,
    outputs: Outputs,
    report: Report,
    story: Story,
    facts: Site,
    again: Again,
    redaction: Redaction | None,
) -> None:
    from amtdecode.render.html import page, retell

    told = None
    if again.possible:
        told = retell(report, story, again.observations(pdus=True), site=facts, redaction=redaction)
    text = page(report, told).encode()
    with outputs.file(target, "--html") as file:
        file.write(text)


def _write(report: Report, wish: Wish) -> None:
    if wish.form == "json":
        from amtdecode.render.report_json import report_json_parts

        write_json(report_json_parts(report))
        return
    from amtdecode.render.report_text import report_lines

    for line in report_lines(report, width=text_width(), verbose=wish.verbose, color=use_color(wish.color)):
        sys.stdout.write(line + "\n")
