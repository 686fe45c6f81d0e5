"""A pager, where text goes to a terminal: started as git starts one, so that `less` pages only what needs it.

AMTDECODE_PAGER or PAGER name another, and an empty name or `cat` none; `--no-pager` does without. Never where the
output goes elsewhere, nor where somebody waits for lines that come as they are known.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from subprocess import Popen

Command = TypeVar("Command", bound="Callable[..., Any]")

NO_PAGER = "amtdecode.no_pager"
"""Where click keeps whether `--no-pager` is given."""
DEFAULT = "less"
OPTIONS = {"LESS": "FRX", "LV": "-c"}
"""For `less` and `lv`, unless the user has set them: leave what fits on the screen there, and let colours pass."""

_running: list[Popen[bytes]] = []
_columns = 0  # of the terminal behind the pager


def pager_option(command: Command) -> Command:
    """Output without a pager."""
    return click.option(
        "--no-pager",
        is_flag=True,
        expose_value=False,
        callback=lambda context, _parameter, value: context.meta.update({NO_PAGER: value}),
        help="Use no pager; else AMTDECODE_PAGER, PAGER or less where text goes to a terminal.",
    )(command)


def to_terminal() -> bool:
    """Whether what is printed reaches a terminal, through a pager or not."""
    return _columns > 0 or sys.stdout.isatty()


def columns(otherwise: int) -> int:
    """Columns of the terminal, or as COLUMNS says; `otherwise` where neither can be told."""
    from shutil import get_terminal_size

    return _columns or get_terminal_size((otherwise, 24)).columns


def page(inputs: Iterable[str] = ()) -> None:
    """Have all that is printed from here on shown by a pager, where there is reason to.

    `inputs`: what is read meanwhile; where one of them grows, such as a pipe, there is no pager.
    """
    global _columns  # noqa: PLW0603 - there is one standard output
    context = click.get_current_context(silent=True)
    if _running or context is None or context.meta.get(NO_PAGER) or not sys.stdout.isatty():
        return
    command = _command()
    if not command or not all(map(os.path.isfile, inputs)):
        return
    import subprocess
    from shutil import get_terminal_size

    sys.stdout.flush()
    wide = get_terminal_size().columns
    try:
        # as git and man do: the user's own variable may hold options and quotes
        pager = subprocess.Popen(command, shell=True, stdin=subprocess.PIPE, env={**OPTIONS, **os.environ})  # noqa: S602
    except OSError:
        return
    assert pager.stdin is not None  # noqa: S101 - for the type checker
    os.dup2(pager.stdin.fileno(), sys.stdout.fileno())
    pager.stdin.close()
    _columns = wide
    _running.append(pager)


def _command() -> str:
    """The pager to start; "" for none."""
    if os.environ.get("TERM") == "dumb":
        return ""
    from shutil import which

    for name in ("AMTDECODE_PAGER", "PAGER"):
        chosen = os.environ.get(name)
        if chosen is not None:
            words = chosen.split()
            return chosen if words and words != ["cat"] and which(words[0]) else ""
    return DEFAULT if which(DEFAULT) else ""


def finish() -> None:
    """Wait until the user has read enough."""
    while _running:
        pager = _running.pop()
        with suppress(OSError, ValueError):
            sys.stdout.flush()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())  # the pager hears that no more comes
        os.close(nowhere)
        while True:
            try:
                pager.wait()
                break
            except KeyboardInterrupt:  # for the pager too, which goes on
                continue
