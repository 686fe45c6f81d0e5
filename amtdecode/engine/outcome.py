"""How a TCP connection fared, in one word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.flow.events import Connection
from amtdecode.model import TO_CLIENT

if TYPE_CHECKING:
    from amtdecode.capture import Stamp
    from amtdecode.flow.tcp import TcpFlow
    from amtdecode.model import Direction

FAILURES = frozenset({"refused", "unanswered"})
"""States worth a line of their own wherever they occur."""


def state_of(flow: TcpFlow) -> str:
    """What a connection came to, by what was seen of its segments."""
    client, server = flow.client, flow.server
    if flow.handshake == 1 and not client.offset and not server.offset and not client.acknowledges:
        if flow.reset_by == TO_CLIENT:
            return "refused"
        if flow.reset_by is None:
            return "unanswered"
    if flow.reset_by is not None:
        return "reset"
    fins = (client.fin >= 0) + (server.fin >= 0)
    return ("open", "half-closed", "closed")[fins]


def connection(flow: TcpFlow) -> Connection:
    """The outcome of a connection as it stands."""
    return Connection(
        state_of(flow),
        flow.syn_count,
        flow.client.offset,
        flow.server.offset,
        _time(flow.first),
        _time(flow.last),
        _side(flow.closed_by),
        flow.client_mac.hex(":"),
        flow.vlan,
        flow.client.missing,
        flow.server.missing,
        flow.only,
        _side(flow.broken_by),
    )


def _side(direction: Direction | None) -> str:
    return "" if direction is None else "server" if direction else "client"


def _time(stamp: Stamp) -> int | None:
    return stamp[3].time_ns(stamp[1], stamp[2])
