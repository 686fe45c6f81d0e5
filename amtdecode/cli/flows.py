"""`amtdecode flows`: the conversations of a capture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from amtdecode.cli.common import (
    Inputs,
    Until,
    binary_output,
    calm_collector,
    input_options,
    key_options,
    load_keys,
    plugin_option,
    registry,
)
from amtdecode.cli.console import encoded
from amtdecode.cli.filtering import compiled, filter_option
from amtdecode.cli.paging import page, pager_option
from amtdecode.engine.outcome import state_of
from amtdecode.flow.tcp import TcpFlow

if TYPE_CHECKING:
    from amtdecode.flow.table import UdpFlow

LINE = "%-9s  %-24s  %-24s  %-11s  %9s  %12s  %9s  %12s  %s\n"
HEADINGS = ("flow", "client", "server", "protocol", "→ packets", "→ bytes", "← packets", "← bytes", "state")


@click.command()
@input_options
@filter_option
@click.option("-T", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the output.")
@pager_option
@key_options
@plugin_option
def flows(
    captures: tuple[str, ...],
    count: int | None,
    quiet: bool,
    display_filter: str | None,
    form: str,
    plugins: bool,
    **keys: Any,
) -> int:
    """List conversations: endpoints, protocol, packets and bytes (of whole frames) each way, state.

    With -Y those in which a packet passes, whole; keys serve the filter.
    """
    from amtdecode.engine import Engine

    rooms = registry(plugins=plugins)
    chosen = compiled(display_filter, rooms)
    held = load_keys(**keys, quiet=quiet)
    inputs = Inputs(captures, quiet=quiet, count=count, until=Until(None, begins=False))
    engine = Engine(statistics=True, registry=rooms)
    calm_collector()
    packets, passing = inputs.packets, None
    if chosen is not None:
        from amtdecode.api import with_secrets_inside
        from amtdecode.filter.flows import PassingFlows

        passing = PassingFlows(chosen, with_secrets_inside(inputs.names, held), rooms)
        packets = passing.watch(packets)
    for _ in engine.observe(packets):
        pass
    listed = [flow for flow in engine.conversations() if passing is None or passing.has(flow.key)]
    page()
    output = binary_output()
    if form == "json":
        import msgspec

        for flow in listed:
            output.write(msgspec.json.encode(row(flow)) + b"\n")
    else:
        output.write(encoded(LINE % HEADINGS))
        for flow in listed:
            output.write(encoded(_line(flow)))
    output.flush()
    return inputs.exit_code


def row(flow: TcpFlow | UdpFlow) -> dict[str, Any]:
    """One conversation; bytes are those of whole frames, payload bytes those of the reassembled stream."""
    key = flow.key
    cells: dict[str, Any] = {
        "transport": key.transport,
        "flow": key.number,
        "client": str(key.client),
        "server": str(key.server),
        "protocol": _protocol(flow),
    }
    if isinstance(flow, TcpFlow):
        cells.update(
            packets_to_server=flow.client.packets,
            bytes_to_server=flow.client.bytes,
            packets_to_client=flow.server.packets,
            bytes_to_client=flow.server.bytes,
            payload_to_server=flow.client.offset,
            payload_to_client=flow.server.offset,
            state=state_of(flow),
        )
    else:
        cells.update(
            packets_to_server=flow.packets[0],
            bytes_to_server=flow.bytes[0],
            packets_to_client=flow.packets[1],
            bytes_to_client=flow.bytes[1],
            state="",
        )
    return cells


def _protocol(flow: TcpFlow | UdpFlow) -> str:
    if isinstance(flow, TcpFlow):
        return flow.protocol
    return flow.protocol.name if flow.protocol is not None else ""


def _line(flow: TcpFlow | UdpFlow) -> str:
    """The same as a line of text."""
    key = flow.key
    if isinstance(flow, TcpFlow):
        client, server, state = flow.client, flow.server, state_of(flow)
        counts: tuple[int, ...] = client.packets, client.bytes, server.packets, server.bytes
    else:
        counts, state = (flow.packets[0], flow.bytes[0], flow.packets[1], flow.bytes[1]), ""
    return LINE % (f"{key.transport}:{key.number}", key.client, key.server, _protocol(flow), *counts, state)
