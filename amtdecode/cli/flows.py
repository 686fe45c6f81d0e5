"""`amtdecode flows`: the conversations of a capture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

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
from amtdecode.cli.sharing import jobs_option, say_alone, shares
from amtdecode.engine.outcome import state_of
from amtdecode.flow.tcp import TcpFlow

if TYPE_CHECKING:
    from collections.abc import Callable

    from amtdecode.flow.share import Share
    from amtdecode.flow.table import UdpFlow
    from amtdecode.jobs.several import Jobs
    from amtdecode.jobs.telling import Telling
    from amtdecode.net.copies import Copies
    from amtdecode.protocols.dissector import Protocol

LINE = "%-9s  %-24s  %-24s  %-11s  %9s  %12s  %9s  %12s  %s\n"
HEADINGS = ("flow", "client", "server", "protocol", "→ packets", "→ bytes", "← packets", "← bytes", "state")


@click.command()
@input_options
@filter_option
@click.option("-T", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the output.")
@pager_option
@key_options
@jobs_option
@plugin_option
def flows(
    captures: tuple[str, ...],
    count: int | None,
    quiet: bool,
    display_filter: str | None,
    form: str,
    jobs: int,
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
    calm_collector()
    if chosen is not None and jobs > 1:
        if not quiet:
            say_alone(jobs, "-Y looks at packets of all connections")
        jobs = 1
    several = shares(jobs, inputs.names, plugins=plugins, quiet=quiet)
    listed = None
    if several is not None:
        listed = _by_several(FlowShare(tuple(inputs.names), count, several.rooms, several.without_copies), several)
    if listed is None:
        engine = Engine(statistics=True, registry=rooms)
        packets, passing = inputs.packets, None
        if chosen is not None:
            from amtdecode.api import with_secrets_inside
            from amtdecode.filter.flows import PassingFlows

            passing = PassingFlows(chosen, with_secrets_inside(inputs.names, held), rooms)
            packets = passing.watch(packets)
        for _ in engine.observe(packets):
            pass
        listed = [row(flow) for flow in engine.conversations() if passing is None or passing.has(flow.key)]
    page()
    output = binary_output()
    if form == "json":
        import msgspec

        for cells in listed:
            output.write(msgspec.json.encode(cells) + b"\n")
    else:
        output.write(encoded(LINE % HEADINGS))
        for cells in listed:
            output.write(encoded(_line(cells)))
    output.flush()
    return inputs.exit_code


class FlowShare(NamedTuple):
    """What each of several processes does: the conversations of its share."""

    captures: tuple[str, ...]
    most: int | None
    rooms: Callable[[], tuple[Protocol, ...]] | None = None
    without_copies: bool = False

    def __call__(self, share: Share, telling: Telling) -> tuple[list[dict[str, Any]], Copies | None]:
        """Their rows."""
        from amtdecode.engine import Engine
        from amtdecode.jobs.places import Places
        from amtdecode.jobs.several import opened

        rooms = registry(plugins=False) if self.rooms is None else self.rooms()
        engine = Engine(statistics=True, registry=rooms, share=share)
        telling.lacks = engine.lacks
        packets, copies = opened(self.captures, self.most, without_copies=self.without_copies)
        for _ in engine.observe(Places(engine, telling).watch(packets)):
            pass
        found = engine.conversations()
        return [row(flow) for flow in found if share.first or isinstance(flow, TcpFlow)], copies


def _by_several(work: FlowShare, jobs: Jobs) -> list[dict[str, Any]] | None:
    """The conversations of all shares, in order; `None` where one process must do it."""
    from amtdecode.jobs.several import results_of

    results = results_of(work, jobs, by_addresses=False)
    if results is None:
        return None
    copies = results[0][1]  # all leave out the same
    if copies is not None:
        jobs.told(copies)
    rows = [cells for rows, _ in results for cells in rows]
    return sorted(rows, key=lambda cells: (cells["transport"], cells["flow"]))


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


def _line(cells: dict[str, Any]) -> str:
    """The same as a line of text."""
    counts = [cells[f"{what}_to_{side}"] for side in ("server", "client") for what in ("packets", "bytes")]
    number = f"{cells['transport']}:{cells['flow']}"
    return LINE % (number, cells["client"], cells["server"], cells["protocol"], *counts, cells["state"])
