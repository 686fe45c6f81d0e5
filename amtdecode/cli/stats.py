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


@click.command()
@input_options
@click.option("-T", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the output.")
@click.option("-V", "verbose", is_flag=True, help="All rows of every table.")
@pager_option
@key_options
@plugin_option
def stats(
    captures: tuple[str, ...], count: int | None, quiet: bool, form: str, verbose: bool, plugins: bool, **keys: Any
) -> int:
    """Count what a capture holds: protocols, connections, calls by result, TLS versions and suites, hellos over time.

    `flows` lists the single conversations.
    """
    from amtdecode.api import with_secrets_inside
    from amtdecode.engine import Engine
    from amtdecode.statistics import Collector

    rooms = registry(plugins=plugins)
    held = load_keys(**keys, quiet=quiet)
    inputs = Inputs(captures, quiet=quiet, count=count, until=Until(None, begins=False))
    engine = Engine(with_secrets_inside(inputs.names, held), connections="all", registry=rooms)
    calm_collector()
    collector = Collector()
    for observation in engine.observe(inputs.packets):
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
