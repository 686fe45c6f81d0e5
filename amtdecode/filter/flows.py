"""The flows in which a packet passes a filter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.engine import Engine
from amtdecode.filter.packets import Judge

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from amtdecode.capture import RawPacket, Records
    from amtdecode.filter.compile import Filter
    from amtdecode.model import FlowKey
    from amtdecode.protocols.dissector import Protocol
    from amtdecode.secrets import Keys

STREAMS = {"tcp.stream": "tcp", "udp.stream": "udp"}


class PassingFlows:
    """Notes the numbers of flows whose packets pass, in the order in which they first do."""

    def __init__(self, chosen: Filter, keys: Keys | None, registry: tuple[Protocol, ...]) -> None:
        self._judge = Judge(
            chosen,
            lambda: Engine(keys, pdus=chosen.reads_messages, registry=chosen.rooms(registry)),
            names=tuple(STREAMS),
        )
        self.found: dict[tuple[str, int], None] = {}

    def watch(self, pieces: Iterable[RawPacket | Records]) -> Iterator[RawPacket]:
        """Pass packets on, judging each; notices of the capture are left out."""
        for judged in self._judge.judge(pieces):
            if judged.passes:
                for name, transport in STREAMS.items():
                    for number in judged.packet.values(name):
                        self.found[(transport, number)] = None
            yield judged.raw

    def has(self, flow: FlowKey) -> bool:
        """Whether a packet of the flow has passed."""
        return (flow.transport, flow.number) in self.found
