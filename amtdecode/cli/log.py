"""`amtdecode log`: what the codes and phrases in logs mean."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from amtdecode.cli.completing import file_names
from amtdecode.cli.console import write_json, write_line
from amtdecode.cli.main import EXIT_INPUT, complain
from amtdecode.cli.paging import page, pager_option
from amtdecode.counting import counted
from amtdecode.errors import AmtdecodeError, reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from amtdecode.artifacts.logs import LogReader, LogRow


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE…", shell_complete=file_names)
@click.option("-T", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the output.")
@click.option("-q", "--quiet", is_flag=True, help="No notes on standard error.")
@click.option("--show-secrets", is_flag=True, help="Do not mask passwords and keys.")
@pager_option
def log(files: tuple[str, ...], form: str, quiet: bool, show_secrets: bool) -> int:
    """Explain the rows of logs that say something: code, meaning, fix. Any layout; unknown rows are counted.

    FILE: scs_server.log, amtopmgr.log, logs of RCS, rps, rpc-go, MeshCentral and others, plain or gzip; rotated files
    are put in order.
    """
    from amtdecode.artifacts.logs import in_order, read_log

    code = 0
    page(files)
    for name in in_order(files):
        try:
            if os.path.isdir(name):
                raise AmtdecodeError(f"{name}: is a directory, not a log")
            reader = read_log(name)
            for row in reader:
                if form == "json":
                    write_json([_json(row, show_secrets)])
                else:
                    write_line(_text(row, show_secrets))
        except AmtdecodeError as error:
            complain(str(error))
            code = EXIT_INPUT
            continue
        except BrokenPipeError:
            raise
        except OSError as error:
            complain(f"{name}: {reason(error)}")
            code = EXIT_INPUT
            continue
        if not quiet:
            _remarks(name, reader)
    return code


def _remarks(name: str, reader: LogReader) -> None:
    """What there is to say of a whole file."""
    complain(f"{name}: {counted(reader.lines, 'line')}, {reader.anchored} explained, {reader.unknown} not known here")
    if reader.errors:
        line, text = reader.first_errors[0]
        errors = counted(reader.errors, "line")
        complain(f"{name}: {errors} of level error among these, the first in line {line}: {_shown(text)}")
    if reader.fault:
        complain(f"{name}: {reader.fault}")
    if reader.cut_lines:
        complain(f"{name}: {counted(reader.cut_lines, 'line')} too long to read whole")
    if reader.dates_are_ambiguous:
        complain(f"{name}: its dates could be day first or month first; nothing in it decides")


def _shown(text: str) -> str:
    from amtdecode.masking import masked
    from amtdecode.render.safe import safe

    return safe(masked(text))


def _text(row: LogRow, show_secrets: bool) -> str:
    from amtdecode.artifacts.logs import explain
    from amtdecode.masking import masked
    from amtdecode.render.safe import safe

    text = row.text if show_secrets else masked(row.text)
    time = f"  {row.time}" if row.time else ""
    lines = [f"{safe(row.input)}:{row.line}{time}  {safe(text)}"]
    explanation = explain(row)
    if explanation is not None:
        code = f"{row.code}: " if row.code else ""
        step = f" (step: {explanation.step})" if explanation.step else ""
        lines.append(f"    {code}{explanation.meaning}{step}")
        if row.call or row.fault or row.amt_version:
            quoted = (row.call, row.fault, f"AMT {row.amt_version}" if row.amt_version else "")
            lines.append("    Quoted: " + "; ".join(safe(masked(each)) for each in quoted if each))
        lines += [f"    {safe(one.code)}: {one.meaning}" for one in explanation.codes]
        if explanation.fix:
            lines.append(f"    Fix: {explanation.fix}")
        lines.append(f"    Source: {explanation.source} [{explanation.certainty}]")
    return "\n".join(lines)


def _json(row: LogRow, show_secrets: bool) -> str:
    from msgspec.structs import replace

    from amtdecode.artifacts.logs import explain, facts
    from amtdecode.masking import masked
    from amtdecode.render.json_text import json_text

    explanation = explain(row)
    shown: Callable[[str], str] = str if show_secrets else masked
    text = shown(row.text)
    if text != row.text:  # what was found in what is covered is covered
        row = replace(row, ip=facts.ipv4(text), uuid=facts.uuid(text), fqdn=facts.fqdn(text))
    line = {
        "input": row.input,
        "line": row.line,
        "time": row.time,
        "level": row.level or None,
        "code": row.code or None,
        "anchor": row.anchor,
        "rule": row.rule or None,
        "product": row.product or None,
        "step": row.step or None,
        "call": shown(row.call) or None,
        "fault": shown(row.fault) or None,
        "amt_version": row.amt_version or None,
        "ip": row.ip,
        "uuid": row.uuid,
        "fqdn": row.fqdn,
        "text": text,
    }
    if explanation is not None:
        line |= {
            "meaning": explanation.meaning,
            "fix": explanation.fix,
            "source": explanation.source,
            "certainty": explanation.certainty,
        }
    return json_text(line)
