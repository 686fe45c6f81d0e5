"""`amtdecode tui`: machines, packets, fields and bytes on a screen, by the keyboard and the mouse."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import click

from amtdecode.cli.common import (
    READ_FILES,
    calm_collector,
    distinct,
    harmless_options,
    key_options,
    load_keys,
    own_rules,
    plugin_option,
    registry,
)
from amtdecode.cli.completing import file_names
from amtdecode.errors import MissingExtraError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from amtdecode.capture import RawPacket
    from amtdecode.tui.reading import Job


@click.command()
@click.argument("captures", nargs=-1, metavar="[CAPTURE…]", shell_complete=file_names)
@click.option("-i", "interfaces", multiple=True, metavar="IFACE", help="Watch this interface instead; repeatable.")
@click.option("-f", "bpf", metavar="FILTER", help="With -i: capture filter, as tcpdump takes it.")
@click.option("-c", "count", type=click.IntRange(min=1), metavar="N", help="Read no more than N packets.")
@click.option(
    "--site",
    metavar="FILE",
    shell_complete=file_names,
    help="Facts no packet shows (TOML): versions, servers, suffixes, policy, machines.",
)
@click.option("--show-secrets", is_flag=True, help="Do not mask passwords and keys in the fields.")
@key_options
@plugin_option
@harmless_options
def tui(
    captures: tuple[str, ...],
    interfaces: tuple[str, ...],
    bpf: str | None,
    count: int | None,
    site: str | None,
    show_secrets: bool,
    plugins: bool,
    **keys: Any,
) -> int:
    """Look through captures on a screen, or watch an interface: machines, packets, fields, bytes. ? shows the keys."""
    captures = (*click.get_current_context().meta.get(READ_FILES, ()), *captures)
    _check(captures, interfaces, bpf, keys["psk_file"])
    held = load_keys(**keys, quiet=True, await_keylogs=bool(interfaces))
    rooms, rules = registry(plugins=plugins), own_rules(plugins=plugins)
    facts = None
    if site:
        from amtdecode.diagnosis import load

        facts = load(site)
    calm_collector()
    from amtdecode.tui.reading import Job
    from amtdecode.tui.starting import beside
    from amtdecode.tui.store import Store

    if interfaces:
        name, packets = _live(interfaces, bpf)
        job = Job([name], held, rooms, rules, facts, count, packets)
    else:
        job = _files(captures, Job(captures, held, rooms, rules, facts, count))
        name = job.names[0] if len(job.names) == 1 else f"{job.names[0]} and {len(job.names) - 1} more"
    reader = beside(job, Store(job.names))
    from amtdecode.tui.app import run

    run(job, reader, name, show_secrets=show_secrets)
    return 0


def _check(captures: Sequence[str], interfaces: Sequence[str], bpf: str | None, psk_files: Sequence[str]) -> None:
    """Raise `UsageError` or `MissingExtraError` for what cannot be shown, before there is a screen."""
    if bool(captures) == bool(interfaces):
        raise UsageError("tui needs a capture, or -i IFACE" if not captures else "tui takes captures or -i, not both")
    if bpf is not None and not interfaces:
        raise UsageError("-f goes with -i; in the screen, / chooses what is shown")
    if "-" in (*captures, *psk_files):
        raise UsageError("tui reads its keys from standard input: give captures and tables of keys as files")
    try:
        is_there = find_spec("textual") is not None
    except ImportError:
        is_there = False
    if not is_there:
        raise MissingExtraError("tui needs textual: install amtdecode[tui]")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("tui needs a terminal; `amtdecode read` and `amtdecode diagnose` print without one")


def _files(captures: Sequence[str], job: Job) -> Job:
    """The job, its captures opened once. Raises `CaptureError` for the first that cannot be read."""
    from amtdecode.api import with_secrets_inside
    from amtdecode.capture import open_capture, probe

    names = distinct(captures, quiet=True)
    again = all(map(os.path.isfile, names))
    for name in names:
        if len(names) > 1:
            probe(name)
        elif again:
            open_capture(name).close()
        elif not os.path.exists(name) or os.path.isdir(name):
            open_capture(name)
    return job._replace(names=names, keys=with_secrets_inside(names, job.keys), again=again)


def _live(
    interfaces: Sequence[str], bpf: str | None
) -> tuple[str, Callable[[Callable[[], bool]], Iterator[RawPacket]]]:
    """What interfaces are called together, and their packets. Raises `CaptureError` where one cannot be watched."""
    from amtdecode.capture.live import Live
    from amtdecode.cli.live import by_number

    watched = Live(by_number(interfaces), bpf=bpf)
    return watched.name, lambda stop: watched.packets(stop=stop)
