"""Keeps the bytes of each message with its observation, for `Observation.tree()`.

It costs time and memory, so only an engine that is asked to (`Engine(pdus=True)`) has its stack keep them. The bytes of
a stream are kept until its dissector says that no statement will point to them any more (`Dissector.floor`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from amtdecode.engine.stack import Layer, Slot, Stack
from amtdecode.model import TO_SERVER, Direction, Payload

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amtdecode.capture import Stamp
    from amtdecode.model import Event, FlowKey, Statement

MAX_KEPT = 1 << 20  # bytes of one direction of a layer; no message here is longer


class Kept:
    """The newest bytes of one direction of a layer. Bytes that were skipped or are missing leave holes."""

    __slots__ = ("pieces", "size")

    def __init__(self) -> None:
        self.pieces: list[tuple[int, bytes]] = []  # offset of the first byte, and the bytes
        self.size = 0

    def add(self, start: int, data: bytes, floor: int) -> None:
        """The next bytes; those that end at or before `floor` are let go, and the oldest of too many."""
        self.pieces.append((start, data))
        self.size += len(data)
        gone = 0
        for at, piece in self.pieces[:-1]:
            if at + len(piece) > floor and self.size <= MAX_KEPT:
                break
            self.size -= len(piece)
            gone += 1
        del self.pieces[:gone]

    def part(self, start: int, end: int) -> bytes:
        """The bytes from start to end; none where one of them is not there."""
        parts, at = [], start
        for offset, piece in self.pieces:
            if offset + len(piece) <= at:
                continue
            if offset > at or at >= end:
                break
            parts.append(piece[at - offset : end - offset])
            at = offset + len(piece)
        return b"".join(parts) if at >= end else b""


class KeepingStack(Stack):
    """A stack whose observations have the bytes of their messages."""

    def feed_stream(
        self, flow: FlowKey, slot: Slot, direction: Direction, data: bytes, end: int, stamps: tuple[Stamp, ...]
    ) -> None:
        """See `Stack`."""
        layer = slot.layer
        assert layer is not None  # noqa: S101 - for the type checker
        behind = end - layer.origin[direction]
        _keep(layer, direction, behind - len(data), data)
        super().feed_stream(flow, slot, direction, data, end, stamps)

    def feed(
        self, flow: FlowKey, slot: Slot, direction: Direction, payload: Payload, stamps: tuple[Stamp, ...]
    ) -> None:
        """See `Stack`."""
        layer = slot.layer
        assert layer is not None  # noqa: S101 - for the type checker
        _keep(layer, direction, layer.position[direction], payload.data)
        super().feed(flow, slot, direction, payload, stamps)

    def state(
        self,
        flow: FlowKey,
        slot: Slot,
        layer: Layer,
        statements: Iterable[Statement],
        stamps: tuple[Stamp, ...],
        fed: Direction | None = None,
        fresh: int = 0,
        shift: int = 0,
    ) -> None:
        """See `Stack`."""
        for statement in statements:
            at = len(self._out)
            super().state(flow, slot, layer, (statement,), stamps, fed, fresh, shift)
            if type(statement.event) is not Payload:
                pdu = layer.kept[statement.direction].part(statement.start, statement.end) if layer.kept else b""
                self._out[at] = msgspec.structs.replace(self._out[at], pdu=pdu)

    def observe(
        self,
        event: Event,
        stamps: tuple[Stamp, ...],
        flow: FlowKey | None = None,
        direction: Direction = TO_SERVER,
        offset: int = 0,
        pdu: bytes = b"",
    ) -> None:
        """See `Stack`."""
        super().observe(event, stamps, flow, direction, offset)
        self._out[-1] = msgspec.structs.replace(self._out[-1], pdu=pdu)


def _keep(layer: Layer, direction: Direction, start: int, data: bytes) -> None:
    if not layer.kept:
        layer.kept = Kept(), Kept()
    if data:
        layer.kept[direction].add(start, data, layer.dissector.floor[direction])
