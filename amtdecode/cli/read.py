"""`amtdecode read`: what a capture holds, one observation a line."""

from __future__ import annotations

import os
from typing import Any

import click

from amtdecode.cli.autostop import Seconds
from amtdecode.cli.common import (
    Inputs,
    Until,
    binary_output,
    calm_collector,
    copies,
    input_options,
    key_options,
    load_keys,
    output_options,
    plugin_option,
    registry,
)
from amtdecode.cli.filtering import Filtered, filter_option
from amtdecode.cli.paging import page, pager_option
from amtdecode.cli.sharing import jobs_option

TOGETHER = 256  # observations written together


@click.command()
@input_options
@filter_option
@click.option("-a", "seconds", metavar="SECONDS", type=Seconds(), help="Stop reading after so many seconds.")
@click.option("-w", "target", metavar="FILE", help="Write the packets, pcapng or by its name pcap, and print nothing.")
@output_options
@pager_option
@key_options
@jobs_option
@plugin_option
def read(
    captures: tuple[str, ...],
    count: int | None,
    quiet: bool,
    display_filter: str | None,
    seconds: float | None,
    target: str | None,
    jobs: int,
    plugins: bool,
    **options: Any,
) -> int:
    """List what captures hold, one line per observation. Several captures are read as one timeline."""
    from amtdecode.api import with_secrets_inside
    from amtdecode.cli.sharing import Behind, engine_for, possible, say_alone
    from amtdecode.cli.writing import OUTPUT_OPTIONS, Output
    from amtdecode.engine import Engine

    rooms = registry(plugins=plugins)
    shown = {name: options.pop(name) for name in OUTPUT_OPTIONS}
    jobs = possible(jobs, captures, seconds=seconds, target=target, shown=shown, quiet=quiet)
    chosen = Filtered(display_filter, rooms)
    stream = Behind(binary_output()) if jobs > 1 else None
    several = len(captures) > 1
    output = None if target is not None else Output(**shown, inputs=several, quiet=quiet, rooms=rooms, stream=stream)
    keys = load_keys(**options, quiet=quiet)
    inputs = Inputs(captures, quiet=quiet, count=count, until=Until(seconds, begins=False))
    held = with_secrets_inside(inputs.names, keys)
    if output is None or target is not None:
        from amtdecode.cli.copying import copy_packets

        return copy_packets(inputs, str(target), chosen.filter, held, rooms, quiet=quiet)
    # a pipe: somebody may be waiting for each line
    growing = shown["at_once"] or not all(map(os.path.isfile, captures))
    by_packets = chosen.filter is not None and output.of_packets
    if stream is not None and by_packets and not quiet:
        say_alone(jobs, "packets that pass are found before any is decoded")
    if stream is not None and inputs.names and not by_packets:
        from amtdecode.cli.sharing import ReadShare, write_shared

        page(captures)
        work = ReadShare(
            tuple(inputs.names), count, display_filter, shown, several, plugins, held, copies() is not None
        )
        if write_shared(work, jobs, output, stream, at_once=growing, quiet=quiet):
            return inputs.exit_code
    keeping = chosen.reads_messages or output.reads_messages
    calm_collector()
    page(captures)
    if by_packets:
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
    engine = engine_for(chosen, output, rooms, held, batch_size=1 if growing else TOGETHER)
    batches = engine.batches(output.watch(chosen.watch(inputs.packets)))
    output.write_all(chosen.batches(batches, quiet=quiet), at_once=growing)
    return inputs.exit_code
