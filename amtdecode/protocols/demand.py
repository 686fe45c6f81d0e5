"""Rooms on demand: of a registry, only those dissect whose fields somebody asks for, and what may carry them.

The others still recognise their own bytes, so that nobody else takes them for his, and then pass over the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.fields import declared_by
from amtdecode.model import COMMON_FIELDS
from amtdecode.protocols.catalogue import OUTSIDE
from amtdecode.protocols.dissector import Dissector

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amtdecode.model import Direction, End, Payload, Statement
    from amtdecode.protocols.dissector import Protocol

FOR_EVER = 1 << 62


class PassedOver(Dissector):
    """Reads nothing of a conversation whose protocol nobody asks about."""

    def receive_data(self, direction: Direction, data: bytes) -> Iterable[Statement]:  # noqa: ARG002
        self.skip_bytes[direction] = FOR_EVER
        self.finished = True
        return ()

    def receive_message(self, direction: Direction, message: Payload) -> Iterable[Statement]:  # noqa: ARG002
        return ()

    def receive_gap(self, direction: Direction, size: int) -> Iterable[Statement]:  # noqa: ARG002
        return ()

    def receive_eof(self, direction: Direction, end: End) -> Iterable[Statement]:  # noqa: ARG002
        return ()


def owners(registry: tuple[Protocol, ...]) -> dict[str, str]:
    """Which room each field is of: the first that declares it. A later one only says it again."""
    found: dict[str, str] = {}
    for room in registry:
        for field in room.fields():
            found.setdefault(field.name, room.name)
    return found


def in_full(registry: tuple[Protocol, ...], names: Iterable[str]) -> tuple[Protocol, ...]:
    """The registry for a reading in which somebody asks for these fields, or protocols by name.

    Rooms that otherwise state only what may concern a machine then state every message.
    """
    owner = {**{room.name: room.name for room in registry}, **owners(registry)}
    asked = {owner[name] for name in names if name in owner}
    return tuple(room.in_full if room.in_full is not None and room.name in asked else room for room in registry)


def on_demand(registry: tuple[Protocol, ...], names: Iterable[str]) -> tuple[Protocol, ...]:
    """The registry for a reading in which only these fields, or protocols by name, are asked for: those `in_full`.

    Where one of them may be stated by anybody (what is wrong, packets, connections), all rooms dissect.
    """
    wanted = set(names)
    registry = in_full(registry, wanted)
    owner = {**{room.name: room.name for room in registry}, **owners(registry)}
    common = {field.name for field in (*COMMON_FIELDS, *declared_by(*OUTSIDE))}
    if not wanted <= owner.keys() - common:
        return registry
    asked = {owner[each] for each in wanted}
    streams = [room for room in registry if room.transport == "tcp"]
    carriers = [room for room in streams if room.carries]
    if any(room.carried for room in streams if room.name in asked):
        asked |= {room.name for room in carriers}
    return tuple(
        room if room.name in asked else room._replace(dissector=PassedOver, single_message=None) for room in registry
    )
