"""`amtdecode read`: what a capture holds, one observation a line."""

from __future__ import annotations

import os
from typing import Any

import click

from amtdecode.cli.autostop import Seconds
from amtdecode.cli.common import (
    Inputs,
    Until,
    calm_collector,
    input_options,
    key_options,
    load_keys,
    output_options,
    plugin_option,
    registry,
)
from amtdecode.cli.filtering import Filtered, filter_option
from amtdecode.cli.paging import page, pager_option

TOGETHER = 256  # observations written together


@click.command()
@input_options
@filter_option
@click.option("-a", "seconds", metavar="SECONDS", type=Seconds(), help="Stop reading after so many seconds.")
@click.option("-w", "target", metavar="FILE", help="Write the packets, pcapng or by its name pcap, and print nothing.")
@output_options
@pager_option
@key_options
@plugin_option
def read(
    captures: tuple[str, ...],
    count: int | None,
    quiet: bool,
    display_filter: str | None,
    seconds: float | None,
    target: str | None,
    plugins: bool,
    **options: Any,
) -> int:
    """List what captures hold, one line per observation. Several captures are read as one timeline."""
    from amtdecode.api import with_secrets_inside
    from amtdecode.cli.writing import OUTPUT_OPTIONS, Output
    from amtdecode.engine import Engine

    rooms = registry(plugins=plugins)
    shown = {name: options.pop(name) for name in OUTPUT_OPTIONS}
    chosen = Filtered(display_filter, rooms)
    output = None if target is not None else Output(**shown, inputs=len(captures) > 1, quiet=quiet, rooms=rooms)
    keys = load_keys(**options, quiet=quiet)
    inputs = Inputs(captures, quiet=quiet, count=count, until=Until(seconds, begins=False))
    held = with_secrets_inside(inputs.names, keys)
    if output is None or target is not None:
        from amtdecode.cli.copying import copy_packets

        return copy_packets(inputs, str(target), chosen.filter, held, rooms, quiet=quiet)
    # a pipe: somebody may be waiting for each line
    growing = shown["at_once"] or not all(map(os.path.isfile, captures))
    keeping = chosen.reads_messages or output.reads_messages
    calm_collector()
    page(captures)
    if chosen.filter is not None and output.of_packets:
        packets = chosen.packets(
            inputs.packets,
            output.needed,
            lambda needed, together: Engine(held, registry=needed, pdus=keeping, batch_size=together),
            rooms,
            waiting=growing,
            inputs=len(inputs.names),
            quiet=quiet,
        )
        output.write_packets(packets, at_once=growing)
        return inputs.exit_code
    running = chosen.rooms_for(output.columns, rooms)
    engine = Engine(held, batch_size=1 if growing else TOGETHER, registry=running, pdus=keeping)
    batches = engine.batches(output.watch(chosen.watch(inputs.packets)))
    output.write_all(chosen.batches(batches, quiet=quiet), at_once=growing)
    return inputs.exit_code
