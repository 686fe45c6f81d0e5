"""`amtdecode listen`: a sink for hello messages."""

from __future__ import annotations

import time

import click

from amtdecode.cli.common import binary_output, output_options, use_color
from amtdecode.cli.writing import observation_writer


@click.command()
@click.option("--port", default=9971, show_default=True, type=click.IntRange(0, 65535), help="TCP port to accept on.")
@click.option("--host", default="", metavar="ADDRESS", help="Address to accept on; all by default.")
@click.option("-a", "seconds", metavar="SECONDS", type=float, help="Stop after so many seconds.")
@click.option("-q", "--quiet", is_flag=True, help="No notes on standard error.")
@output_options
def listen(
    port: int,
    host: str,
    seconds: float | None,
    quiet: bool,
    form: str,
    columns: tuple[str, ...],
    tree: bool,
    dump: bool,
    show_secrets: bool,
    color: str,
) -> int:
    """Accept hello messages and print them decoded as they come. Nothing is answered; nothing is configured."""
    from amtdecode.capture.listen import Listener
    from amtdecode.cli.common import RecentPackets
    from amtdecode.cli.main import complain
    from amtdecode.engine import Engine

    listener = Listener(port, host)
    recent = RecentPackets() if dump else None
    output = binary_output()
    colored = form == "text" and use_color(color)
    write = observation_writer(
        output, form, columns, tree=tree, recent=recent, show_secrets=show_secrets, color=colored, inputs=False
    )
    if not quiet:
        complain(f"listening on port {listener.port}; end with Ctrl-C")
    ends = None if seconds is None else time.monotonic() + seconds
    packets = listener.packets(lambda: ends is not None and time.monotonic() > ends)
    for observation in Engine().observe(recent.watch(packets) if recent else packets):
        write(observation)
        output.flush()
    return 0
