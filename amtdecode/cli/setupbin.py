"""`amtdecode setupbin`: look at a setup.bin, or make one."""

from __future__ import annotations

import csv
import io
import os
from contextlib import ExitStack
from typing import TYPE_CHECKING

import click

from amtdecode.cli.completing import file_names
from amtdecode.cli.console import write_json, write_line
from amtdecode.cli.main import EXIT_INPUT, complain
from amtdecode.counting import counted
from amtdecode.errors import AmtdecodeError, UsageError
from amtdecode.outputs import STANDARD_OUTPUT, Outputs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amtdecode.artifacts.setupbin import Variable

AT = "@"
"""In front of the name of a file that holds a value, so that no password stands on the command line."""


@click.group()
def setupbin() -> None:
    """Look at a setup.bin, the file on the USB key that prepares machines, or make one."""


@setupbin.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE…", shell_complete=file_names)
@click.option("-T", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the output.")
@click.option("--show-secrets", is_flag=True, help="Do not mask passwords and keys.")
def show(files: tuple[str, ...], form: str, show_secrets: bool) -> int:
    """List what setup.bin files hold, and what is odd about them."""
    from amtdecode.artifacts.setupbin import read_setupbin
    from amtdecode.render.setupbin_text import setupbin_dict, setupbin_lines
    from amtdecode.secrets.files import read_key_file, read_standard_input

    code = 0
    for name in files:
        try:
            data = read_standard_input("setup.bin") if name == "-" else read_key_file(name, "setup.bin")
            found = read_setupbin(data)
        except AmtdecodeError as error:
            complain(str(error) if name in str(error) else f"{name}: {error}")
            code = EXIT_INPUT
            continue
        if form == "json":
            from amtdecode.render.json_text import json_text

            write_json([json_text({"file": name, **setupbin_dict(found, show_secrets=show_secrets)})])
            continue
        if len(files) > 1:
            from amtdecode.render.safe import safe

            write_line(f"{safe(name)}:")
        for line in setupbin_lines(found, show_secrets=show_secrets):
            write_line(line)
    return code


def _names(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    from amtdecode.artifacts.setupbin.variables import names

    return [f"{name}=" for name in names() if name.startswith(incomplete)]


@setupbin.command()
def variables() -> int:
    """List what a setup.bin can set, and from which AMT release on."""
    from amtdecode.artifacts.setupbin.variables import FORMATS, VARIABLES

    for variable in VARIABLES:
        values = ", ".join(variable.values.values()) or variable.shape.value
        remark = f"; {variable.remark}" if variable.remark else ""
        number = f"{variable.module}/{variable.number}"
        write_line(
            f"{variable.name:<22} {number:<5} {FORMATS[variable.since]:<17} {variable.meaning}: {values}{remark}"
        )
    return 0


@setupbin.command()
@click.option("--amt", "amt", required=True, metavar="VERSION", help="AMT version of the machines, as 2.5 or 11.8.")
@click.option("--out", "out", required=True, metavar="FILE", shell_complete=file_names, help="The file to write.")
@click.option(
    "--set", "settings", multiple=True, metavar="NAME=VALUE", shell_complete=_names,
    help=f"A setting; NAME={AT}FILE takes the value from a file's first line. `setupbin variables` lists the names.",
)  # fmt: skip
@click.option(
    "--psk", "count", type=click.IntRange(1, 100_000), metavar="N", help="N records, each with a new PID and PPS."
)
@click.option(
    "--pairs",
    "pairs",
    metavar="FILE",
    shell_complete=file_names,
    help="Records for the pairs of a table (CSV: pid,pps).",
)
@click.option("--csv", "table", metavar="FILE", shell_complete=file_names, help="Write the pairs for the server, too.")
@click.option("--keep", is_flag=True, help="Machines do not use records up: all take the first (AMT 3.0 and later).")
@click.option("--scramble", is_flag=True, help="Scramble records as Intel's tools do; it hides nothing.")
@click.option("-q", "--quiet", is_flag=True, help="No notes on standard error.")
def make(
    amt: str,
    out: str,
    settings: tuple[str, ...],
    count: int | None,
    pairs: str | None,
    table: str | None,
    keep: bool,
    scramble: bool,
    quiet: bool,
) -> int:
    """Make a setup.bin for machines of one AMT version: one record, or one for each pair of PID and PPS.

    The MEBx password of the machines is taken to be that of the factory (admin), unless current-password is set.
    """
    from amtdecode.artifacts.setupbin import make as make_file
    from amtdecode.artifacts.setupbin import release_of, variable_named
    from amtdecode.secrets.pairs import new_pairs
    from amtdecode.secrets.psk import read_pairs

    if count and pairs:
        raise UsageError("--psk makes new pairs, --pairs takes given ones: name one of them")
    if table and not count and not pairs:
        raise UsageError("--csv writes pairs, but there are none: add --psk N")
    release = release_of(amt)
    given = [_setting(text) for text in settings]
    if "current-password" not in {variable.name for variable, _ in given}:
        factory = variable_named("current-password")
        assert factory is not None  # noqa: S101 - it is in the table
        given.insert(0, (factory, b"admin"))
    rows = [*new_pairs(count)] if count else read_pairs(pairs) if pairs else []
    made = make_file(release, given, rows, keep=keep, scramble=scramble)
    inputs = [text.partition(f"={AT}")[2] for text in settings if f"={AT}" in text]
    outputs = Outputs([*inputs, *([pairs] if pairs else [])])
    if table and out != STANDARD_OUTPUT and os.path.realpath(table) == os.path.realpath(out):
        raise UsageError("--out and --csv name the same file")
    with ExitStack() as both:  # so that there is neither where one cannot be written
        both.enter_context(outputs.file(out, "--out", private=True)).write(made.data)
        if table:
            new = next((value.decode("latin-1") for variable, value in given if variable.name == "new-password"), "")
            both.enter_context(outputs.file(table, "--csv", private=True)).write(_csv(rows, new))
    if not quiet:
        for remark in made.remarks:
            complain(f"note: {remark}")
        version = ".".join(map(str, made.version))
        complain(f"note: wrote {out}: version {version}, {counted(max(len(rows), 1), 'record')}; it holds secrets")
    return 0


def _setting(text: str) -> tuple[Variable, bytes]:
    from amtdecode.artifacts.setupbin import read_setting, variable_named

    name, equals, value = text.partition("=")
    variable = variable_named(name)
    if variable is None:
        from difflib import get_close_matches

        from amtdecode.artifacts.setupbin.variables import names

        near = get_close_matches(name.lower(), names(), 3)
        meant = f"did you mean {' or '.join(near)}?" if near else "amtdecode setupbin variables lists them"
        raise UsageError(f"--set {name}: no such setting; {meant}")
    if not equals:
        raise UsageError(f"--set {name}: a value is wanted, as {name}=VALUE")
    return variable, read_setting(variable, _from_file(value[len(AT) :]) if value.startswith(AT) else value)


def _from_file(name: str) -> str:
    from amtdecode.secrets.files import read_key_file, read_standard_input

    data = read_standard_input("value") if name == "-" else read_key_file(name, "file of a setting")
    return data.decode("utf-8-sig", "replace").partition("\n")[0].rstrip("\r")


def _csv(rows: Sequence[tuple[str, str]], new_password: str) -> bytes:
    """The triplet that belongs to each machine, as SCS calls it: PID, PPS, and the new MEBx password."""
    from amtdecode.secrets.pid import dashed

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")  # RFC 4180
    writer.writerow(["pid", "pps", "mebx_password"])
    writer.writerows([dashed(pid), dashed(pps), new_password] for pid, pps in rows)
    return text.getvalue().encode()
