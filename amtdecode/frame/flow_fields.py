"""Packet fields that an observation has by its flow: addresses, ports and stream number, under tshark's names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amtdecode.model import Observation

BOTH_WAYS = {
    # fields that stand for either end, as in tshark
    "ip.addr": ("ip.src", "ip.dst"),
    "ipv6.addr": ("ipv6.src", "ipv6.dst"),
    "tcp.port": ("tcp.srcport", "tcp.dstport"),
    "udp.port": ("udp.srcport", "udp.dstport"),
}
OF_FLOWS = frozenset({*BOTH_WAYS, *(name for both in BOTH_WAYS.values() for name in both), "tcp.stream", "udp.stream"})
"""Fields that the flow of an observation gives."""
OF_OBSERVATIONS = frozenset({"frame.number", "frame.time", "frame.time_epoch"})


def flow_fields(observation: Observation) -> dict[str, Any]:
    """Addresses, ports and stream number, under tshark's names."""
    flow = observation.flow
    if flow is None:
        return {}
    src, dst = flow.source(observation.direction), flow.destination(observation.direction)
    ip = "ipv6" if len(src.packed) == 16 else "ip"
    if len(src.packed) == 6 or len(dst.packed) == 6:
        return {}
    fields: dict[str, Any] = {f"{ip}.src": src.address, f"{ip}.dst": dst.address}
    if flow.transport in ("tcp", "udp"):
        fields[f"{flow.transport}.srcport"] = src.port
        fields[f"{flow.transport}.dstport"] = dst.port
        fields[f"{flow.transport}.stream"] = flow.number
    return fields


def only_in_packets(names: Iterable[str]) -> list[str]:
    """Those of the fields that neither the observation nor its flow can give."""
    from amtdecode.frame.catalogue import BY_NAME

    return [name for name in names if name in BY_NAME and name not in OF_FLOWS and name not in OF_OBSERVATIONS]
