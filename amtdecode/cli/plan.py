"""`amtdecode plan`: the ordered steps of setting machines up, asked for or from a site file."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from amtdecode.cli.common import use_color
from amtdecode.cli.completing import file_names
from amtdecode.cli.console import text_width, write_json, write_line
from amtdecode.cli.main import complain
from amtdecode.errors import AmtdecodeError, UsageError
from amtdecode.outputs import Outputs

if TYPE_CHECKING:
    from amtdecode.diagnosis.site import Site
    from amtdecode.planning.questions import Question

YES, NO = ("y", "yes", "true"), ("n", "no", "false")


@click.command()
@click.argument("site_file", required=False, metavar="[SITE.toml]", shell_complete=file_names)
@click.option("--sheet", is_flag=True, help="One page for the help desk: what happens at the first plug-in.")
@click.option("--save", metavar="FILE", shell_complete=file_names, help="Write the answers as a site file.")
@click.option("--ask", is_flag=True, help="Ask about all that the site file leaves open.")
@click.option("-T", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the output.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", help="Colour the output.")
def plan(site_file: str | None, sheet: bool, save: str | None, ask: bool, form: str, color: str) -> int:
    """Say step by step how machines are set up, who does what, and which packets or log lines prove it.

    SITE.toml holds the facts (`amtdecode preflight --example` makes one). Without it, or with --ask, questions are
    asked on the terminal; Enter leaves one open. `diagnose --plan SITE.toml` ticks the steps off against a capture.
    """
    from amtdecode.diagnosis.site import Site, load
    from amtdecode.planning.plan import make
    from amtdecode.planning.questions import as_toml, unanswered

    site = load(site_file) if site_file else Site()
    if sheet and form == "json":
        raise UsageError("--sheet is text; -T json has all steps")
    outputs = Outputs([site_file] if site_file else [])
    if save:
        outputs.refuse(save, "--save")
    if (ask or not site_file or unanswered(site)) and sys.stdin.isatty():
        site = _asked(site)
    made = make(site)
    if save:
        with outputs.file(save, "--save") as file:
            file.write(as_toml(site).encode())
        complain(f"note: wrote {save}; amtdecode preflight {save} says what is not ready yet")
    if form == "json":
        from amtdecode.render.json_text import json_text

        write_json([json_text(made)])
        return 0
    from amtdecode.render.plan_sheet import sheet_lines
    from amtdecode.render.plan_text import plan_lines

    lines = (
        sheet_lines(made, width=text_width()) if sheet else plan_lines(made, width=text_width(), color=use_color(color))
    )
    for line in lines:
        write_line(line)
    return 0


def _asked(site: Site) -> Site:
    """The site with what the terminal answered. Questions go to standard error: standard output is the plan."""
    from amtdecode.planning.questions import QUESTIONS, answered, open_questions

    for question in QUESTIONS:
        if question not in list(open_questions(site)):  # earlier answers decide about later questions
            continue
        while True:
            text = click.prompt(_words(question), default="", show_default=False, err=True).strip()
            if not text and not question.needed:
                break
            try:
                site = _checked(answered(site, question, _answer(question, text)))
                break
            except AmtdecodeError as error:
                complain(str(error))
    return site


def _words(question: Question) -> str:
    hint = {"yes or no": " [y/n]"}.get(question.kind, "")
    return question.text + hint + ("" if question.needed else " (Enter: not known)")


def _answer(question: Question, text: str) -> Any:
    """The value of an answer. Raises `UsageError` for what is none."""
    if question.kind == "yes or no":
        if text.lower() not in (*YES, *NO):
            raise UsageError("answer y or n")
        return text.lower() in YES
    if question.kind == "choice":
        found = [choice for choice in question.choices if text and choice.startswith(text.lower())]
        if len(found) != 1:
            raise UsageError(f"answer {' or '.join(question.choices)}")
        return found[0]
    if not text:
        raise UsageError("without this there is no plan")
    return text


def _checked(site: Site) -> Site:
    """The same site. Raises `UsageError` for a value that makes no sense."""
    from amtdecode.diagnosis.site_values import faults

    if fault := next(faults(site), ""):
        raise UsageError(fault)
    return site
