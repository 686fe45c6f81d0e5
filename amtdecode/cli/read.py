"""`amtdecode read`: what a capture holds, one observation a line."""

from __future__ import annotations

from typing import Any

import click

from amtdecode.cli.common import (
    Inputs,
    RecentPackets,
    binary_output,
    calm_collector,
    input_options,
    key_options,
    load_keys,
    output_options,
    use_color,
)
from amtdecode.cli.writing import observation_writer


@click.command()
@input_options
@output_options
@key_options
def read(
    captures: tuple[str, ...],
    count: int | None,
    quiet: bool,
    form: str,
    columns: tuple[str, ...],
    tree: bool,
    dump: bool,
    show_secrets: bool,
    color: str,
    **keys: Any,
) -> int:
    """List what captures hold, one line per observation. Several captures are read as one timeline."""
    from amtdecode.api import with_secrets_inside
    from amtdecode.engine import Engine

    recent = RecentPackets() if dump else None
    output = binary_output()
    colored = form == "text" and use_color(color)
    several = len(captures) > 1
    write = observation_writer(
        output, form, columns, tree=tree, recent=recent, show_secrets=show_secrets, color=colored, inputs=several
    )
    held = load_keys(**keys, quiet=quiet)
    inputs = Inputs(captures, quiet=quiet, count=count)
    packets = inputs.packets
    if recent is not None:
        from amtdecode.cli.main import complain

        if not quiet:
            complain("note: -x prints bytes as captured; secrets in them are not masked")
        packets = recent.watch(packets)
    calm_collector()
    at_once = "-" in captures
    for observation in Engine(with_secrets_inside(inputs.names, held)).observe(packets):
        write(observation)
        if at_once:
            output.flush()
    output.flush()
    return inputs.exit_code
