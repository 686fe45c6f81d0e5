"""`amtdecode follow`: the bytes of one flow, at the layer asked for."""

from __future__ import annotations

import os
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
    use_color,
)
from amtdecode.cli.console import encoded
from amtdecode.cli.filtering import compiled, filter_option
from amtdecode.cli.main import EXIT_USAGE, complain
from amtdecode.cli.paging import page, pager_option
from amtdecode.errors import AmtdecodeError, CaptureError, UsageError, reason
from amtdecode.model import Direction, Gap, LimitReached, Malformed, Truncated, Unrecognised
from amtdecode.render.following import LAYERS, Printer, taps

if TYPE_CHECKING:
    from collections.abc import Callable

    from amtdecode.filter.flows import PassingFlows
    from amtdecode.model import FlowKey, Payload
    from amtdecode.protocols.dissector import Protocol
    from amtdecode.secrets import Keys

MAX_NAMED = 8  # other flows named in a note
FAULTS = (Malformed, Gap, Truncated, LimitReached, Unrecognised)


@click.command()
@input_options
@click.option("--flow", "flow", metavar="[tcp:|udp:]N", help="Number of the flow, as `flows` lists it.")
@filter_option
@click.option(
    "--layer",
    type=click.Choice(LAYERS),
    help="Whose payload: TCP's, TLS's (opened), HTTP bodies, SOAP line by line, the console of SOL. By default TLS's "
    "where keys open it.",
)
@click.option(
    "-T",
    "form",
    type=click.Choice(["text", "hex", "raw"]),
    default="text",
    help="text; hex, a dump; or raw: hex without offsets, the server's side led by a tab.",
)
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", help="Colour both sides.")
@pager_option
@key_options
@plugin_option
def follow(
    captures: tuple[str, ...],
    count: int | None,
    quiet: bool,
    flow: str | None,
    display_filter: str | None,
    layer: str | None,
    form: str,
    color: str,
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
        raise _nothing_chosen(captures)
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
    held = with_secrets_inside(inputs.names, held)
    if layer is None:
        layer = "tcp"
        if held is not None and transport == "tcp" and "-" not in captures:
            looked = Inputs(captures, quiet=True, count=count)
            layer = "tls" if _opens(looked, number, held, rooms) else "tcp"
        if layer == "tls" and not quiet:
            complain("note: TLS is opened; --layer tcp prints its records")
    if not quiet:
        complain("note: follow prints bytes as captured; secrets in them are not masked")
    shown = "soap" if layer == "soap" and form == "text" else form
    printer = Printer(lambda text: output.write(encoded(text)), shown, color=form != "raw" and use_color(color))

    page(captures)
    engine = Engine(held, registry=rooms, **taps(printer, _is(transport, number), transport, layer))
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
    if printer.empty:
        if not seen and not (transport == "tcp" and number < engine.connections):
            if inputs.failed:
                return inputs.exit_code
            raise UsageError(f"there is no {transport} flow {number}; `amtdecode flows` lists those there are")
        if not quiet:
            complain(f"{transport} flow {number} carries no {layer} payload that can be read")
    return inputs.exit_code


def _is(transport: str, number: int) -> Callable[[FlowKey], bool]:
    return lambda key: key.number == number and key.transport == transport


def _opens(inputs: Inputs, number: int, keys: Keys, rooms: tuple[Protocol, ...]) -> bool:
    """Whether the keys open TLS in a TCP flow."""
    from amtdecode.engine import Engine

    found = False

    def payload(key: FlowKey, name: str, _direction: Direction, carried: Payload) -> None:
        nonlocal found
        found = found or (key.number == number and key.transport == "tcp" and name == "tls" and bool(carried.data))

    for _ in Engine(keys, registry=rooms, tap=payload).observe(inputs.packets):
        if found:
            break
    return found


def _nothing_chosen(captures: tuple[str, ...]) -> AmtdecodeError:
    """What is wrong: a file that is not there, before the option that is."""
    for name in captures:
        try:
            if name != "-":
                os.stat(name)
        except (OSError, ValueError) as error:
            return CaptureError(f"{name}: {reason(error)}")
    return UsageError("follow needs --flow, or -Y to choose one")


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
