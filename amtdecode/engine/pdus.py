"""Keeps the bytes of each message with its observation, for `Observation.tree()`.

It costs time and memory, so only an engine that is asked to (`Engine(pdus=True)`) has its stack keep them. The bytes of
a stream are kept until its dissector says that no statement will point to them any more (`Dissector.trim_to`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from amtdecode.engine.kept import Kept
from amtdecode.engine.stack import Stack
from amtdecode.model import TO_SERVER, ChannelClosed, ChannelGap, ChannelOpened, Direction, Payload

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amtdecode.capture import Stamp
    from amtdecode.engine.channels import Analyzer, Channel
    from amtdecode.model import Event, FlowKey, Statement

FOR_THE_ENGINE = (Payload, ChannelOpened, ChannelClosed, ChannelGap)


class KeepingStack(Stack):
    """A stack whose observations have the bytes of their messages."""

    pdus = True

    def feed_stream(
        self, flow: FlowKey, channel: Channel, direction: Direction, data: bytes, end: int, stamps: tuple[Stamp, ...]
    ) -> None:
        analyzer = channel.analyzer
        assert analyzer is not None  # noqa: S101 - for the type checker
        behind = end - analyzer.origin[direction]
        _keep(analyzer, direction, behind - len(data), data)
        super().feed_stream(flow, channel, direction, data, end, stamps)

    def feed(
        self, flow: FlowKey, channel: Channel, direction: Direction, payload: Payload, stamps: tuple[Stamp, ...]
    ) -> None:
        analyzer = channel.analyzer
        assert analyzer is not None  # noqa: S101 - for the type checker
        _keep(analyzer, direction, analyzer.position[direction], payload.data)
        super().feed(flow, channel, direction, payload, stamps)

    def state(
        self,
        flow: FlowKey,
        channel: Channel,
        analyzer: Analyzer,
        statements: Iterable[Statement],
        stamps: tuple[Stamp, ...],
        fed: Direction | None = None,
        fresh: int = 0,
        shift: int = 0,
    ) -> None:
        for statement in statements:
            super().state(flow, channel, analyzer, (statement,), stamps, fed, fresh, shift)
            if not isinstance(statement.event, FOR_THE_ENGINE):
                pdu = statement.pdu
                if pdu is None:
                    kept = analyzer.kept
                    pdu = kept[statement.direction].part(statement.start, statement.end) if kept else b""
                self._out[-1] = msgspec.structs.replace(self._out[-1], pdu=pdu)

    def observe(
        self,
        event: Event,
        stamps: tuple[Stamp, ...],
        flow: FlowKey | None = None,
        direction: Direction = TO_SERVER,
        offset: int = 0,
        pdu: bytes = b"",
    ) -> None:
        super().observe(event, stamps, flow, direction, offset)
        self._out[-1] = msgspec.structs.replace(self._out[-1], pdu=pdu)


def _keep(analyzer: Analyzer, direction: Direction, start: int, data: bytes) -> None:
    if not analyzer.kept:
        analyzer.kept = Kept(), Kept()
    if data:
        analyzer.kept[direction].add(start, data, analyzer.dissector.trim_to[direction])
