"""The table `flows`: how each TCP connection fared."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any

from amtdecode.flow.events import Connection
from amtdecode.model import address_text
from amtdecode.tables.arrow import pyarrow
from amtdecode.tables.buffers import few, longs, numbers, times

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amtdecode.model import FlowKey, Observation


def flow_table(outcomes: Sequence[Observation], schema: Any) -> Any:
    """A row for each observation of a `Connection`."""
    pa = pyarrow()
    found: list[tuple[Observation, FlowKey, Connection]] = [
        (each, each.flow, each.event)
        for each in outcomes
        if each.flow is not None and isinstance(each.event, Connection)
    ]
    events = [event for _, _, event in found]
    flows = [flow for _, flow, _ in found]

    def big(values: list[int]) -> Any:
        return numbers(array("Q", values), pa.uint64())

    columns = {
        "stream": longs(array("q", [flow.number for flow in flows])),
        "client": few([flow.client.packed for flow in flows], address_text),
        "client_port": numbers(array("H", [flow.client.port for flow in flows]), pa.uint16()),
        "server": few([flow.server.packed for flow in flows], address_text),
        "server_port": numbers(array("H", [flow.server.port for flow in flows]), pa.uint16()),
        "started": times([event.first_time_ns for event in events]),
        "ended": times([event.last_time_ns for event in events]),
        "input": few([each.input for each, _, _ in found], str),
        "packet": longs(array("q", [each.packet for each, _, _ in found])),
        "state": few([event.state for event in events], str),
        "syn_count": numbers(array("I", [event.syn_count for event in events]), pa.uint32()),
        "client_bytes": big([event.client_bytes for event in events]),
        "server_bytes": big([event.server_bytes for event in events]),
        "client_missing": big([event.client_missing for event in events]),
        "server_missing": big([event.server_missing for event in events]),
        "closed_by": few([event.closed_by or None for event in events], _as_it_is),
        "broken_by": few([event.broken_by or None for event in events], _as_it_is),
        "only": few([event.only or None for event in events], _as_it_is),
        "client_mac": few([event.client_mac or None for event in events], _as_it_is),
        "vlan": numbers(
            array("H", [max(event.vlan, 0) for event in events]),
            pa.uint16(),
            [row for row, event in enumerate(events) if event.vlan < 0],
        ),
    }
    return pa.table([columns[name] for name in schema.names], schema=schema)


def _as_it_is(text: str | None) -> str | None:
    return text
