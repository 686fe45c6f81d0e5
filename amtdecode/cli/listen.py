"""`amtdecode listen`: a sink for hello messages."""

from __future__ import annotations

from typing import Any

import click

from amtdecode import ports
from amtdecode.cli.autostop import Seconds
from amtdecode.cli.common import Until, output_options
from amtdecode.cli.filtering import Filtered, filter_option
from amtdecode.protocols.registry import REGISTRY


@click.command()
@click.option(
    "--port", default=ports.HELLO, show_default=True, type=click.IntRange(0, 65535), help="TCP port to accept on."
)
@click.option("--host", default="", metavar="ADDRESS", help="Address to accept on; all by default.")
@click.option("-a", "seconds", metavar="SECONDS", type=Seconds(), help="Stop after so many seconds.")
@click.option("-q", "--quiet", is_flag=True, help="No notes on standard error.")
@filter_option
@output_options
def listen(port: int, host: str, seconds: float | None, quiet: bool, display_filter: str | None, **options: Any) -> int:
    """Accept hello messages and print them decoded as they come. Nothing is answered; nothing is configured."""
    from amtdecode.capture.listen import Listener
    from amtdecode.cli.main import complain
    from amtdecode.cli.writing import Output
    from amtdecode.engine import Engine
    from amtdecode.protocols.hello.strangers import no_hello

    chosen = Filtered(display_filter, REGISTRY)
    output = Output(**options, quiet=quiet)
    listener = Listener(port, host, no_hello)
    if not quiet:
        complain(f"listening on port {listener.port}; end with Ctrl-C")
    until = Until(seconds)
    packets = output.watch(chosen.watch(listener.packets(until)))
    rooms = chosen.rooms_for((), REGISTRY)
    batches = Engine(registry=rooms, pdus=chosen.reads_messages or output.reads_messages).batches(packets)
    output.write_all(chosen.batches(batches, quiet=quiet), at_once=True)
    return until.exit_code
