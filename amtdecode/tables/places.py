"""Where observations were seen: input, flow and direction.

Places are few: a row has the number of its place, and Arrow spreads them out.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any, Final

from amtdecode.model import TO_SERVER, Endpoint, FlowKey, address_text
from amtdecode.tables.arrow import pyarrow
from amtdecode.tables.buffers import few, ints, numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amtdecode.model import Direction

NOWHERE: Final = FlowKey("", 0, Endpoint(b"", 0), Endpoint(b"", 0))
"""Stands where there is no flow."""

Place = tuple[FlowKey | None, "Direction", str]
"""Flow, direction and name of the input."""


def columns_of(places: Sequence[Place], rows: array[int]) -> dict[str, Any]:
    """The columns of some rows, each with the number of its place."""
    pa = pyarrow()
    flows = [flow or NOWHERE for flow, _, _ in places]
    lacking = [at for at, flow in enumerate(flows) if flow is NOWHERE]
    ends = [
        (flow.client, flow.server) if direction == TO_SERVER else (flow.server, flow.client)
        for flow, (_, direction, _) in zip(flows, places, strict=True)
    ]
    made = {
        "input": few([name for _, _, name in places], str),
        "transport": few([flow.transport for flow in flows], _or_none),
        "stream": numbers(array("q", [flow.number for flow in flows]), pa.int64(), lacking),
        "src": few([end.packed for end, _ in ends], _address),
        "src_port": numbers(array("H", [end.port for end, _ in ends]), pa.uint16(), lacking),
        "dst": few([end.packed for _, end in ends], _address),
        "dst_port": numbers(array("H", [end.port for _, end in ends]), pa.uint16(), lacking),
    }
    wanted = ints(rows)
    return {name: values.take(wanted) for name, values in made.items()}


def _or_none(text: str) -> str | None:
    return text or None


def _address(packed: bytes) -> str | None:
    return address_text(packed) if packed else None
