"""`amtdecode stats`: counts over a whole capture."""

from __future__ import annotations

import sys
from typing import Any

import click

from amtdecode.cli.common import (
    Inputs,
    Until,
    calm_collector,
    input_options,
    key_options,
    load_keys,
    plugin_option,
    registry,
)
from amtdecode.cli.console import write_json
from amtdecode.cli.paging import page, pager_option
from amtdecode.cli.sharing import jobs_option, shares


@click.command()
@input_options
@click.option("-T", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the output.")
@click.option("-V", "verbose", is_flag=True, help="All rows of every table.")
@pager_option
@key_options
@jobs_option
@plugin_option
def stats(
    captures: tuple[str, ...],
    count: int | None,
    quiet: bool,
    form: str,
    verbose: bool,
    jobs: int,
    plugins: bool,
    **keys: Any,
) -> int:
    """Count what a capture holds: protocols, connections, calls by result, TLS versions and suites, hellos over time.

    `flows` lists the single conversations.
    """
    from amtdecode.api import with_secrets_inside
    from amtdecode.statistics import Collector

    rooms = registry(plugins=plugins)
    held = load_keys(**keys, quiet=quiet)
    inputs = Inputs(captures, quiet=quiet, count=count, until=Until(None, begins=False))
    held = with_secrets_inside(inputs.names, held)
    calm_collector()
    several = shares(jobs, inputs.names, plugins=plugins, quiet=quiet)
    collector = None
    if several is not None:
        from amtdecode.statistics.sharing import CountShare, counted_by_several

        work = CountShare(tuple(inputs.names), count, held, several.rooms, several.without_copies)
        collector = counted_by_several(work, several)
    if collector is None:
        from amtdecode.engine import Engine

        collector = Collector()
        for observation in Engine(held, connections="all", registry=rooms).observe(inputs.packets):
            collector.feed(observation)
    counted = collector.statistics()
    page()
    if form == "json":
        from amtdecode.render.json_text import json_text

        write_json([json_text(counted.to_dict())])
    else:
        from amtdecode.render.statistics_text import BLOCKS, statistics_lines

        for line in statistics_lines(counted, verbose=verbose, plain=not _can_write(BLOCKS)):
            sys.stdout.write(line + "\n")
    return inputs.exit_code


def _can_write(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
