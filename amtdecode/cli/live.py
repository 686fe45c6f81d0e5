"""`amtdecode live`: the same as read, on a network interface."""

from __future__ import annotations

from typing import Any

import click

from amtdecode.cli.autostop import Seconds
from amtdecode.cli.common import Until, key_options, load_keys, output_options, plugin_option, registry
from amtdecode.cli.filtering import Filtered, filter_option


@click.command()
@click.option("-i", "interface", required=True, metavar="IFACE", help="Interface to watch.")
@click.option("-c", "count", type=click.IntRange(min=1), metavar="N", help="Stop after N packets.")
@click.option("-a", "seconds", metavar="SECONDS", type=Seconds(), help="Stop after so many seconds.")
@click.option("-f", "bpf", metavar="FILTER", help="Capture filter, as tcpdump takes it.")
@click.option("-q", "--quiet", is_flag=True, help="No notes on standard error.")
@filter_option
@output_options
@key_options
@plugin_option
def live(
    interface: str,
    count: int | None,
    seconds: float | None,
    bpf: str | None,
    quiet: bool,
    display_filter: str | None,
    plugins: bool,
    **options: Any,
) -> int:
    """Watch a network interface: one line per observation as it becomes known. Ends with Ctrl-C."""
    from amtdecode.capture.live import read_live
    from amtdecode.cli.main import complain
    from amtdecode.cli.writing import OUTPUT_OPTIONS, Output
    from amtdecode.engine import Engine

    shown = {name: options.pop(name) for name in OUTPUT_OPTIONS}
    rooms = registry(plugins=plugins)
    chosen = Filtered(display_filter, rooms)
    output = Output(**shown, quiet=quiet, rooms=rooms)
    keys = load_keys(**options, quiet=quiet, await_keylogs=True)
    until = Until(seconds)
    packets = read_live(interface, count=count, stop=until, bpf=bpf)
    if not quiet:
        complain(f"watching {interface}; end with Ctrl-C")
    running = chosen.rooms_for(output.columns, rooms) if output.columns else rooms
    engine = Engine(keys, registry=running, pdus=chosen.reads_messages or output.reads_messages)
    batches = engine.batches(output.watch(chosen.watch(packets)))
    output.write_all(chosen.batches(batches, quiet=quiet), at_once=True)
    return until.exit_code
