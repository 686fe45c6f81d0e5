"""`amtdecode follow`: the bytes of one flow, at the layer asked for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

from amtdecode.cli.common import (
    Inputs,
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
from amtdecode.cli.main import EXIT_USAGE, complain
from amtdecode.counting import counted
from amtdecode.errors import UsageError
from amtdecode.model import Direction, Gap, LimitReached, Malformed, Truncated, Unrecognised
from amtdecode.render.safe import safe

if TYPE_CHECKING:
    from amtdecode.filter.flows import PassingFlows
    from amtdecode.flow.chunks import Chunk
    from amtdecode.model import FlowKey, Payload

MAX_NAMED = 8  # other flows named in a note
FAULTS = (Malformed, Gap, Truncated, LimitReached, Unrecognised)


@click.command()
@input_options
@click.option("--flow", "flow", metavar="[tcp:|udp:]N", help="Number of the flow, as `flows` lists it.")
@filter_option
@click.option(
    "--layer",
    type=click.Choice(["tcp", "tls", "http"]),
    default="tcp",
    help="Whose payload: TCP's, TLS's (opened), HTTP bodies.",
)
@click.option(
    "-T",
    "form",
    type=click.Choice(["text", "raw"]),
    default="text",
    help="text, or raw: hex, the server's side led by a tab.",
)
@key_options
@plugin_option
def follow(
    captures: tuple[str, ...],
    count: int | None,
    quiet: bool,
    flow: str | None,
    display_filter: str | None,
    layer: str,
    form: str,
    plugins: bool,
    **keys: Any,
) -> int:
    """Print the bytes of one flow as captured, in the order they were exchanged. Secrets in them are not masked.

    With -Y instead of --flow, the first flow in which a packet passes; with both, the flow if one of its packets does.
    """
    from amtdecode.api import with_secrets_inside
    from amtdecode.engine import Engine

    rooms = registry(plugins=plugins)
    chosen, wanted = compiled(display_filter, rooms), _flow(flow)
    if wanted is None and chosen is None:
        raise UsageError("follow needs --flow, or -Y to choose one")
    output = binary_output()
    held = load_keys(**keys, quiet=quiet)
    if chosen is not None:
        from amtdecode.filter.flows import PassingFlows

        if "-" in captures:
            raise UsageError("-Y reads its input twice; it cannot be standard input")
        looked = Inputs(captures, quiet=True, count=count)
        passing = PassingFlows(chosen, with_secrets_inside(looked.names, held), rooms)
        wanted = _passing(passing, wanted, looked, quiet=quiet)
    if wanted is None:
        return EXIT_USAGE
    transport, number = wanted
    inputs = Inputs(captures, quiet=quiet, count=count)
    if not quiet:
        complain("note: follow prints bytes as captured; secrets in them are not masked")
    printer = Printer(output, raw=form == "raw")

    taps = _taps(printer, transport, number, layer)
    engine = Engine(with_secrets_inside(inputs.names, held), registry=rooms, **taps)
    calm_collector()
    seen = False
    for observation in engine.observe(inputs.packets):
        key = observation.flow
        if key is None or key.number != number or key.transport != transport:
            continue
        seen = True
        if not quiet and (isinstance(observation.event, FAULTS) or type(observation.event).__name__ == "Decryption"):
            complain(f"packet {observation.packet}: {observation.event.summary()}")
    output.flush()
    if printer.empty and not quiet:
        if seen or (transport == "tcp" and number < engine.connections):
            complain(f"{transport} flow {number} carries no {layer} payload that can be read")
        else:
            complain(f"there is no {transport} flow {number}")
    return inputs.exit_code


def _taps(printer: Printer, transport: str, number: int, layer: str) -> dict[str, Any]:
    """What the engine shows its bytes to, so that those of the flow are printed."""

    def chunk(key: FlowKey, piece: Chunk) -> None:
        if key.number == number and key.transport == transport:
            printer.note_flow(key)
            if piece.data:
                printer(piece.sender.direction, piece.data)
            elif piece.gap:
                printer.remark(f"{counted(piece.gap, 'byte')} missing from the capture, {_way(piece.sender.direction)}")

    def payload(key: FlowKey, name: str, direction: Direction, carried: Payload) -> None:
        if key.number == number and key.transport == transport and name == layer and carried.data:
            printer.note_flow(key)
            printer(direction, carried.data)

    def datagram(key: FlowKey, direction: Direction, data: bytes) -> None:
        if key.number == number:
            printer.note_flow(key)
            printer(direction, data)

    if layer != "tcp":
        return {"tap": payload}
    return {"tcp_tap": chunk} if transport == "tcp" else {"udp_tap": datagram}


def _flow(text: str | None) -> tuple[str, int] | None:
    """The flow that `--flow` names."""
    if text is None:
        return None
    match = re.fullmatch(r"(?:(tcp|udp):)?(\d+)", text)
    if match is None:
        raise UsageError(f"--flow {text}: is not [tcp:|udp:]NUMBER")
    return match[1] or "tcp", int(match[2])


def _passing(
    flows: PassingFlows, wanted: tuple[str, int] | None, inputs: Inputs, *, quiet: bool
) -> tuple[str, int] | None:
    """The flow that the filter chooses, or the one wanted if it passes; `None`, with a line about it, for none."""
    for _ in flows.watch(inputs.packets):
        pass
    found = list(flows.found)
    if not found or (wanted is not None and wanted not in found):
        whose = "any flow" if wanted is None else f"{wanted[0]} flow {wanted[1]}"
        complain(f"no packet of {whose} passes the filter")
        return None
    first = wanted or found[0]
    others = [f"{transport}:{number}" for transport, number in found if (transport, number) != first]
    if others and wanted is None and not quiet:
        more = f" and {len(others) - MAX_NAMED} more" if len(others) > MAX_NAMED else ""
        named = ", ".join(others[:MAX_NAMED])
        complain(f"note: packets of other flows pass too: {named}{more}; --flow chooses one")
    return first


def _way(direction: Direction) -> str:
    return "to the client" if direction else "to the server"


class Printer:
    """Writes the bytes of a flow as they come."""

    def __init__(self, output: Any, *, raw: bool) -> None:
        self._output = output
        self._raw = raw
        self._last: Direction | None = None
        self.empty = True

    def note_flow(self, key: FlowKey) -> None:
        """Say whose flow it is, before its first bytes."""
        if self.empty and not self._raw:
            self._output.write(
                encoded(f"{key.transport} flow {key.number}: client {key.client}, server {key.server}\n")
            )
        self.empty = False

    def remark(self, text: str) -> None:
        """Something to say between the bytes; raw output holds nothing but bytes."""
        if not self._raw:
            self._output.write(encoded(f"\n[{text}]\n"))

    def __call__(self, direction: Direction, data: bytes) -> None:
        """The next bytes."""
        if self._raw:
            self._output.write((b"\t" if direction else b"") + data.hex().encode() + b"\n")
            return
        if direction != self._last:
            self._last = direction
            self._output.write(encoded(f"\n--- {_way(direction)}\n"))
        text = data.decode("utf-8", "replace").replace("\r\n", "\n")
        self._output.write(encoded("\n".join(map(safe, text.split("\n")))))
