"""`amtdecode flows`: the conversations of a capture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from amtdecode.cli.common import Inputs, binary_output, calm_collector, input_options
from amtdecode.flow.tcp import TcpFlow

if TYPE_CHECKING:
    from amtdecode.flow.table import UdpFlow


@click.command()
@input_options
@click.option("-T", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the output.")
def flows(captures: tuple[str, ...], count: int | None, quiet: bool, form: str) -> int:
    """List conversations: endpoints, protocol, packets and bytes (of whole frames) each way, state."""
    from amtdecode.engine import Engine

    inputs = Inputs(captures, quiet=quiet, count=count)
    engine = Engine(statistics=True)
    calm_collector()
    for _ in engine.observe(inputs.packets):
        pass
    output = binary_output()
    if form == "json":
        import msgspec

        for flow in engine.conversations():
            output.write(msgspec.json.encode(row(flow)) + b"\n")
    else:
        output.write(
            _line("flow", "client", "server", "protocol", "→ packets", "→ bytes", "← packets", "← bytes", "state")
        )
        for flow in engine.conversations():
            cells = row(flow)
            name = f"{cells['transport']}:{cells['flow']}"
            numbers = [
                str(cells[key])
                for key in ("packets_to_server", "bytes_to_server", "packets_to_client", "bytes_to_client")
            ]
            output.write(_line(name, cells["client"], cells["server"], cells["protocol"], *numbers, cells["state"]))
    output.flush()
    return inputs.exit_code


def row(flow: TcpFlow | UdpFlow) -> dict[str, Any]:
    """One conversation; bytes are those of whole frames, payload bytes those of the reassembled stream."""
    from amtdecode.engine.outcome import state_of

    if isinstance(flow, TcpFlow):
        protocol = flow.protocol
    else:
        protocol = flow.slot.layer.protocol.name if flow.slot is not None and flow.slot.layer is not None else ""
    cells: dict[str, Any] = {
        "transport": flow.key.transport,
        "flow": flow.key.number,
        "client": str(flow.key.client),
        "server": str(flow.key.server),
        "protocol": protocol,
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


def _line(name: str, client: str, server: str, protocol: str, *rest: str) -> bytes:
    packets, size, back, back_size, state = rest
    ends = f"{name:<9}  {client:<24}  {server:<24}  {protocol:<11}"
    return f"{ends}  {packets:>9}  {size:>12}  {back:>9}  {back_size:>12}  {state}\n".encode()
