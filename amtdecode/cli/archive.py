"""`amtdecode archive`: folders of captures, read once, as tables that grow."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from amtdecode.cli.common import Until, calm_collector, key_options, load_keys, own_rules, plugin_option, registry
from amtdecode.cli.main import EXIT_INPUT, EXIT_INTERRUPTED, complain
from amtdecode.counting import counted
from amtdecode.errors import UsageError
from amtdecode.jobs.limits import MAX_JOBS

if TYPE_CHECKING:
    from amtdecode.archive.run import Archive, Plugins

WATCHED_EVERY = 10.0  # seconds between two looks into the folders


@click.command()
@click.argument("folders", nargs=-1, required=True, metavar="FOLDER…", type=click.Path())
@click.option("--out", "target", required=True, metavar="DIR", help="The archive: made, or brought up to date.")
@click.option("--jobs", type=click.IntRange(1, MAX_JOBS), default=1, metavar="N", help="Read with N processes.")
@click.option("--scheduler", metavar="ADDRESS", default="", help="Read with the workers of a Dask scheduler.")
@click.option("--watch", is_flag=True, help="Go on: take new captures as they are closed, until Ctrl-C.")
@click.option("--metrics", metavar="FILE", help="Write outcomes and causes for Prometheus' textfile collector.")
@click.option("--site", metavar="FILE", help="Facts no packet shows (TOML).")
@click.option("-q", "--quiet", is_flag=True, help="No notes and no progress on standard error.")
@key_options
@plugin_option
def archive(
    folders: tuple[str, ...],
    target: str,
    jobs: int,
    scheduler: str,
    watch: bool,
    metrics: str | None,
    site: str | None,
    quiet: bool,
    plugins: bool,
    **keys: Any,
) -> int:
    """Read folders of captures into an archive: tables by day and sensor, and what became of each machine.

    A sensor is a folder below FOLDER. Run it again, and only what is new or changed is read; `diagnose DIR` tells the
    story of all.
    """
    from amtdecode import __version__
    from amtdecode.archive.run import Archive
    from amtdecode.diagnosis import load
    from amtdecode.outputs import Outputs

    if scheduler and jobs > 1:
        raise UsageError("--jobs and --scheduler: one of them at a time")
    held = load_keys(**keys, quiet=quiet)
    outputs = Outputs([name for name in (site,) if name])
    if metrics is not None:
        outputs.refuse(metrics, "--metrics")
    facts = load(site) if site else None
    made = Archive(target, keys=held, site=facts, version=__version__, plugins=_plugged() if plugins else None)
    calm_collector()
    say = (lambda _text: None) if quiet else complain
    until = Until(None, begins=False)
    begun = False
    while True:
        made.update(folders, jobs=jobs, scheduler=scheduler, say=say, told=metrics is not None and not begun)
        _report(made, quiet=quiet)
        begun = True
        if metrics is not None and made.report is not None:
            from amtdecode.archive.metrics import metrics_of

            with outputs.file(metrics, "--metrics") as file:
                file.write(metrics_of(made))
        if not watch:
            return EXIT_INPUT if made.failed else 0
        until.begin()
        try:
            looked = time.monotonic()
            while not until() and time.monotonic() - looked < WATCHED_EVERY:
                time.sleep(0.2)
        finally:
            until.end()
        if until.interrupted:
            return EXIT_INTERRUPTED


def _plugged() -> Plugins:
    from functools import partial

    from amtdecode.archive.run import Plugins
    from amtdecode.plugins import packages

    return Plugins(partial(registry, plugins=True), own_rules(plugins=True), packages())


def _report(made: Archive, *, quiet: bool) -> None:
    """What the run did."""
    if quiet:
        return
    for _, error in made.failed:
        complain(error)
    if made.report is None:
        return
    files = sum(len(each.paths) for each in made.read)
    machines = counted(len(made.report.devices), "machine")
    complain(f"{counted(files, 'capture')} read, {machines} in {made.folder}")
