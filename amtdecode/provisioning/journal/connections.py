"""Connections that go on from one reading to the next of the same sensor: they are one."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from amtdecode.provisioning.journal.facts.network import Connection
from amtdecode.provisioning.state.tables import bounded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.model import FlowKey, Observation

SILENCE_NS = 7_200 * 10**9  # after two hours a host asks whether the other is still there (RFC 9293 §3.8.4)
MAX_HELD = 65_536  # connections that wait for what comes of them, and as many that ended
GOING_ON = frozenset(("open", "half-closed", "unanswered"))
"""States that a connection has only because its capture ended."""

_Key = tuple[str, frozenset[tuple[bytes, int]]]


class Held(NamedTuple):
    """A connection whose end has not been seen."""

    sensor: str
    observation: Observation
    said: Connection


class Cut:
    """Those whose reading ended before they did."""

    def __init__(self) -> None:
        self._held: dict[_Key, Held] = {}
        self._before: dict[int, Held] = {}  # by number, of those that go on
        self._ended: dict[_Key, None] = {}

    def going_on(self, sensor: str, flow: FlowKey) -> FlowKey | None:
        """The connection of earlier readings that a new one goes on with; its outcome is told with the new one's."""
        held = self._held.pop(_key(sensor, flow), None)
        if held is None or held.observation.flow is None:
            return None
        known = held.observation.flow
        self._before[known.number] = held
        return known

    def told(self, sensor: str, observation: Observation, said: Connection) -> Held | None:
        """How a connection fared, over all its readings; `None` while that may still change."""
        flow = observation.flow
        before = self._before.pop(flow.number, None) if flow is not None else None
        if before is not None:
            said = _together(before.said, said)
            observation = msgspec.structs.replace(observation, event=said)
        held = Held(sensor, observation, said)
        if flow is None:
            return held
        key = _key(sensor, flow)
        if before is None and key in self._ended and not (said.syn_count or said.client_bytes or said.server_bytes):
            return None  # acknowledgments that came late
        if said.state in GOING_ON:
            self._held[key] = held
            return None
        bounded(self._ended, MAX_HELD)
        self._ended[key] = None
        return held

    def over(self, now: int | None) -> Iterator[Held]:
        """Those that nothing more came of, or that are too many."""
        for key, held in list(self._held.items()):
            last = held.said.last_time_ns
            if len(self._held) <= MAX_HELD and (now is None or last is None or now - last <= SILENCE_NS):
                return
            del self._held[key]
            yield held

    def rest(self) -> Iterator[Held]:
        """All that are left, in the order in which they began."""
        left = [*self._held.values(), *self._before.values()]
        self._held.clear()
        self._before.clear()
        yield from sorted(left, key=lambda held: (held.said.first_time_ns or 0, held.observation.packet))


def _key(sensor: str, flow: FlowKey) -> _Key:
    client, server = flow.client, flow.server
    return sensor, frozenset(((client.packed, client.port), (server.packed, server.port)))


def _together(first: Connection, then: Connection) -> Connection:
    """One connection of two parts."""
    return Connection(
        first.state if then.state == "unanswered" else then.state,
        first.syn_count + then.syn_count,
        first.client_bytes + then.client_bytes,
        first.server_bytes + then.server_bytes,
        first.first_time_ns,
        then.last_time_ns,
        first.closed_by or then.closed_by,
        first.client_mac or then.client_mac,
        first.vlan if first.vlan >= 0 else then.vlan,
        first.client_missing + then.client_missing,
        first.server_missing + then.server_missing,
        first.only if first.only == then.only else "",
        first.broken_by or then.broken_by,
    )
