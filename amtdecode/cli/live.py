"""`amtdecode live`: the same as read, on a network interface."""

from __future__ import annotations

from typing import Any

import click

from amtdecode.cli.common import RecentPackets, binary_output, key_options, load_keys, output_options, use_color
from amtdecode.cli.writing import observation_writer


@click.command()
@click.option("-i", "interface", required=True, metavar="IFACE", help="Interface to watch.")
@click.option("-c", "count", type=click.IntRange(min=1), metavar="N", help="Stop after N packets.")
@click.option("-a", "seconds", metavar="SECONDS", type=float, help="Stop after so many seconds.")
@click.option("-f", "bpf", metavar="FILTER", help="Capture filter, as tcpdump takes it.")
@click.option("-q", "--quiet", is_flag=True, help="No notes on standard error.")
@output_options
@key_options
def live(
    interface: str,
    count: int | None,
    seconds: float | None,
    bpf: str | None,
    quiet: bool,
    form: str,
    columns: tuple[str, ...],
    tree: bool,
    dump: bool,
    show_secrets: bool,
    color: str,
    **keys: Any,
) -> int:
    """Watch a network interface: one line per observation as it becomes known. Ends with Ctrl-C."""
    from amtdecode.capture.live import read_live
    from amtdecode.cli.main import complain
    from amtdecode.engine import Engine

    recent = RecentPackets() if dump else None
    output = binary_output()
    colored = form == "text" and use_color(color)
    write = observation_writer(
        output, form, columns, tree=tree, recent=recent, show_secrets=show_secrets, color=colored, inputs=False
    )
    held = load_keys(**keys, quiet=quiet)
    packets = read_live(interface, count=count, seconds=seconds, bpf=bpf)
    if recent is not None:
        packets = recent.watch(packets)
    if not quiet:
        complain(f"watching {interface}; end with Ctrl-C")
    for observation in Engine(held).observe(packets):
        write(observation)
        output.flush()
    return 0
