"""`amtdecode wireshark`: what makes Wireshark read AMT's protocols."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

import click

from amtdecode.cli.completing import file_names
from amtdecode.cli.main import complain
from amtdecode.outputs import Outputs

EXTCAP = "amtdecode-listen"


@click.command()
@click.option(
    "--lua", "lua", metavar="FILE", default="-", show_default=True, shell_complete=file_names,
    help="Where to write the plugin; - is standard output.",
)  # fmt: skip
@click.option(
    "--extcap", "folder", metavar="FOLDER", shell_complete=file_names,
    help=f"Write a program {EXTCAP} there instead: `amtdecode listen` in Wireshark's list of interfaces.",
)  # fmt: skip
@click.option("-q", "--quiet", is_flag=True, help="No notes on standard error.")
def wireshark(lua: str, folder: str | None, quiet: bool) -> int:
    """Write a plugin that makes Wireshark and tshark read hello messages, as amtdecode does.

    Wireshark, Help, About, Folders says where personal Lua plugins and extcap programs belong. The plugin is yours
    under the MIT licence; Wireshark itself is under the GPL.
    """
    if folder is not None:
        return _write_extcap(Path(folder), quiet=quiet)
    from amtdecode import __version__
    from amtdecode.wireshark import plugin

    text = plugin(__version__)
    with Outputs().file(lua, "--lua") as file:
        file.write(text.encode("ascii"))
    if lua != "-" and not quiet:
        complain(f"note: wrote {lua}; try it with: tshark -X lua_script:{shlex.quote(lua)} -r CAPTURE -Y iamt.hello")
    return 0


def _write_extcap(folder: Path, *, quiet: bool) -> int:
    """A script that starts this Python, since Wireshark knows nothing of environments."""
    if os.name == "nt":
        path, text = folder / f"{EXTCAP}.bat", f'@"{sys.executable}" -m amtdecode.wireshark.extcap %*\r\n'
    else:
        path = folder / EXTCAP
        text = f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m amtdecode.wireshark.extcap "$@"\n'
    with Outputs().file(str(path), "--extcap") as file:
        file.write(text.encode())
    path.chmod(0o755)
    if not quiet:
        complain(f"note: wrote {path}; Wireshark lists it after its next start")
    return 0
