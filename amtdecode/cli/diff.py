"""`amtdecode diff`: the dialogue of a machine that works, beside that of one that does not."""

from __future__ import annotations

import sys
from typing import Any

import click

from amtdecode.cli.common import (
    calm_collector,
    key_options,
    load_keys,
    no_names_option,
    plugin_option,
    registry,
    use_color,
)
from amtdecode.cli.completing import file_names
from amtdecode.cli.console import text_width, write_json
from amtdecode.cli.paging import page, pager_option
from amtdecode.errors import UsageError

EXIT_DIFFERENT = 1


@click.command()
@click.argument("good", metavar="GOOD", shell_complete=file_names)
@click.argument("bad", metavar="[BAD]", required=False, shell_complete=file_names)
@click.option("--good", "good_machine", metavar="MACHINE", default="", help="UUID, address, name or MAC in GOOD.")
@click.option("--bad", "bad_machine", metavar="MACHINE", default="", help="The same in BAD.")
@click.option("--good-attempt", type=click.IntRange(min=1), metavar="N", help="Which attempt of it, from 1.")
@click.option("--bad-attempt", type=click.IntRange(min=1), metavar="N", help="Which attempt of it, from 1.")
@click.option("-T", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the output.")
@click.option("-V", "verbose", is_flag=True, help="Every step, also what is the same in both.")
@click.option("-q", "--quiet", is_flag=True, help="No notes on standard error.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", help="Colour the output.")
@pager_option
@key_options
@plugin_option
@no_names_option
def diff(
    good: str,
    bad: str | None,
    good_machine: str,
    bad_machine: str,
    good_attempt: int | None,
    bad_attempt: int | None,
    form: str,
    verbose: bool,
    quiet: bool,
    color: str,
    plugins: bool,
    **keys: Any,
) -> int:
    """Compare two dialogues step by step, and show the first step at which they part.

    GOOD and BAD are captures; without BAD, both machines are looked for in GOOD. Without a choice, GOOD is the machine
    that was set up, and BAD is one that was not. Numbers drawn by chance, clocks and counters do not count as
    differences, nor do a machine's own address, UUID, MAC, name and PID.

    Exit codes: 0 alike, 1 different, 2 wrong usage, 3 an input cannot be read.
    """
    from amtdecode.api import diff as lay_side_by_side
    from amtdecode.capture.inputs import can_be_read_again

    if "-" in (good, bad):
        raise UsageError("diff reads its captures twice: save standard input to a file first")
    for name in filter(None, (good, bad)):
        if not can_be_read_again(name):
            raise UsageError(f"{name}: is a pipe or device, and diff reads its captures twice; save it to a file first")
    held = load_keys(**keys, quiet=quiet)
    calm_collector()
    comparison = lay_side_by_side(
        good,
        bad,
        good_machine=good_machine,
        bad_machine=bad_machine,
        good_attempt=good_attempt,
        bad_attempt=bad_attempt,
        keys=held,
        protocols=registry(plugins=plugins),
    )
    page()
    if form == "json":
        from amtdecode.render.json_text import json_text

        write_json([json_text(comparison.to_dict())])
    else:
        from amtdecode.render.dialogue_text import comparison_lines

        for line in comparison_lines(comparison, width=text_width(), verbose=verbose, color=use_color(color)):
            sys.stdout.write(line + "\n")
    return 0 if comparison.alike else EXIT_DIFFERENT
