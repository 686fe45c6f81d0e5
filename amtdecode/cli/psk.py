"""`amtdecode psk`: make and check pairs of PID and PPS."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from amtdecode.cli.completing import file_names
from amtdecode.cli.console import write_line
from amtdecode.counting import counted
from amtdecode.errors import UsageError
from amtdecode.outputs import Outputs

if TYPE_CHECKING:
    from collections.abc import Iterator

EXIT_FOUND = 1


@click.group()
def psk() -> None:
    """Make and check pairs of PID and PPS: the name and the key of PSK provisioning."""


@psk.command()
@click.option("-n", "count", type=click.IntRange(1, 1_000_000), default=1, metavar="N", help="How many pairs.")
@click.option(
    "--out", "out", metavar="FILE", default="-", shell_complete=file_names, help="Where to; standard output otherwise."
)
def make(count: int, out: str) -> int:
    """Write new pairs as a table (CSV: pid,pps), from the operating system's random source.

    `--psk-file` takes the table, and so does `setupbin make --pairs`.
    """
    from amtdecode.secrets.pairs import new_pairs
    from amtdecode.secrets.pid import dashed

    with Outputs().file(out, "--out", private=True) as file:
        file.write(b"pid,pps\r\n")
        for pid, pps in new_pairs(count):
            file.write(f"{dashed(pid)},{dashed(pps)}\r\n".encode())
    return 0


@psk.command()
@click.argument("given", nargs=-1, required=True, metavar="FILE|PID|PPS…", shell_complete=file_names)
def check(given: tuple[str, ...]) -> int:
    """Say which check characters are wrong, and what slip would explain it. `-` reads a table from standard input.

    A table (CSV: pid,pps) or a setup.bin is a FILE. A PPS on a command line can be seen by others of this computer.
    """
    from amtdecode.render.safe import safe

    found = False
    for name, text in _keys(given):
        faults = [*_faults(name, text)]
        found = found or bool(faults)
        for line in faults or [f"{name}: right"]:
            write_line(safe(line))
    return EXIT_FOUND if found else 0


def _keys(given: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """What each key is called, and the key."""
    from amtdecode.secrets.psk import read_pairs

    for each in given:
        if each == "-" or os.path.exists(each):
            pairs = read_pairs(each)
            if not pairs:
                raise UsageError(f"{each}: holds no PID and PPS")
            for pid, pps in pairs:
                yield f"PID {pid}", pid
                yield f"PPS of {pid}", pps
        else:
            yield _kind(each)


def _kind(text: str) -> tuple[str, str]:
    """A key typed on the command line. Raises `UsageError`, without the text, which may be a key."""
    from amtdecode.secrets.pid import PID_SIZE, PPS_SIZE

    size = len(text.replace("-", ""))
    if size == PID_SIZE:
        return f"PID {text}", text
    if size == PPS_SIZE:
        return "PPS", text
    raise UsageError(f"neither a file nor a key: a PID has {PID_SIZE} characters, a PPS {PPS_SIZE}, this has {size}")


def _faults(name: str, text: str) -> Iterator[str]:
    from amtdecode.secrets.pairs import groups_of, likely_slips
    from amtdecode.secrets.pid import ALPHABET, check_character

    for number, group in groups_of(text.replace("-", "")):
        where = f"{name}, group {number}" if number else name
        if strange := sorted({letter for letter in group if letter not in ALPHABET}):
            lower = " (lower case)" if group.upper() != group else ""
            yield f"{where}: {counted(len(strange), 'character is none', 'characters are none')} of A-Z 0-9{lower}"
        elif check_character(group[:-1]) != group[-1]:
            slips = likely_slips(group)
            told = "; ".join(slip.words for slip in slips) or "no single slip explains it"
            yield f"{where}: the check character is wrong; {told}"
