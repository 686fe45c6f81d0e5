"""`amtdecode bundle`: one zip for a ticket, with the report, the packets and log lines that prove it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from amtdecode.cli.common import (
    harmless_options,
    inputs_argument,
    key_files,
    key_options,
    load_keys,
    no_duplicate_option,
    opening,
    own_rules,
    plugin_option,
    registry,
)
from amtdecode.cli.completing import file_names
from amtdecode.cli.main import EXIT_INPUT, complain
from amtdecode.counting import counted
from amtdecode.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_FILES = 2000  # of a folder


@click.command()
@inputs_argument("inputs", "INPUT…")
@click.option("-w", "target", metavar="FILE.zip", required=True, shell_complete=file_names, help="The zip to write.")
@click.option("--redact", is_flag=True, help="Rename addresses, MACs, UUIDs and names, in the packets too.")
@click.option("--site", metavar="FILE", shell_complete=file_names, help="Facts no packet shows (TOML).")
@click.option("-q", "--quiet", is_flag=True, help="No notes and no progress on standard error.")
@key_options
@plugin_option
@no_duplicate_option
@harmless_options
def bundle(
    inputs: tuple[str, ...], target: str, redact: bool, site: str | None, quiet: bool, plugins: bool, **keys: Any
) -> int:
    """Pack what a ticket needs into one zip: the report, the packets and log lines that prove it, versions.

    INPUT: captures, logs, certificates, in any mix, or folders with such files. Keys and key logs are never packed.
    """
    from amtdecode.cli.bundling import Given, write_bundle
    from amtdecode.diagnosis import load
    from amtdecode.diagnosis.inputs import sort_inputs
    from amtdecode.diagnosis.site import Site
    from amtdecode.outputs import Outputs

    if "-" in inputs:
        raise UsageError("a bundle reads its inputs several times; save what comes from a pipe to a file first")
    named, in_folders = _expanded(inputs)
    outputs = Outputs([*named, *filter(None, (site,)), *key_files(**keys)])
    outputs.refuse(target, "-w")
    facts = load(site) if site else Site()
    with opening(quiet=quiet):
        kinds = sort_inputs([name for name in named if os.path.realpath(name) != os.path.realpath(target)])
    failed = [each for each in kinds.failed if each[0] not in in_folders]
    passed_over = [each for each in kinds.failed if each[0] in in_folders]
    kinds = kinds._replace(failed=failed)
    for _, reason in failed:
        complain(reason)
    if passed_over and not quiet:
        complain(f"note: {counted(len(passed_over), 'file')} of folders passed over: nothing that is read here")
    if not any((kinds.captures, kinds.logs, kinds.certificates, kinds.registries, kinds.setup_bins)):
        return EXIT_INPUT
    given = Given(kinds, load_keys(**keys, quiet=quiet), facts, registry(plugins=plugins), own_rules(plugins=plugins))
    with opening(quiet=quiet):
        packed = write_bundle(given, outputs, target, redact=redact)
    if not quiet:
        complain(packed)
    return EXIT_INPUT if failed else 0


def _expanded(inputs: tuple[str, ...]) -> tuple[list[str], set[str]]:
    """The inputs, folders as the files in them; and which come from folders. Raises `UsageError` for too many."""
    named: dict[str, None] = {}
    found: set[str] = set()
    for name in inputs:
        if not os.path.isdir(name):
            named[name] = None
            continue
        for path in _files(name):
            if path not in named:
                named[path] = None
                found.add(path)
            if len(found) > MAX_FILES:
                raise UsageError(f"{name}: more than {MAX_FILES} files; name those that matter")
    return [*named], found


def _files(folder: str) -> Iterator[str]:
    """Files of a folder and those below, in the order of their names; hidden ones and links are passed over."""
    for here, below, names in os.walk(folder):
        below[:] = sorted(each for each in below if not each.startswith("."))
        for each in sorted(names):
            path = os.path.join(here, each)
            if not each.startswith(".") and os.path.isfile(path) and not os.path.islink(path):
                yield path
