"""A packet as a line of the list: from its headers at once, and from what was decoded of it when that is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from amtdecode.frame.reading import PacketReader
from amtdecode.net.link import is_known, link_type_name
from amtdecode.render.safe import safe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amtdecode.frame import Packet
    from amtdecode.model import Observation
    from amtdecode.tui.store import Store

FLAGS = ("syn", "fin", "reset", "push", "ack")
MAX_INFO = 300  # characters of what is said of a packet


class Row(NamedTuple):
    """What a line shows. All of it is fit for a terminal."""

    number: str
    time: str
    source: str
    target: str
    protocol: str
    length: str
    info: str
    fault: bool = False


def packet_of(store: Store, row: int) -> Packet:
    """The headers of a packet, with its times; what takes all packets before it to know is absent."""
    packet = PacketReader(()).read(store.raw(row))
    frame = packet.frame
    if frame.time_ns is not None:
        first = store.time_ns(0)
        before = store.time_ns(row - 1) if row else frame.time_ns
        frame.relative_ns = None if first is None else frame.time_ns - first
        frame.delta_ns = None if before is None else frame.time_ns - before
    return packet


def row_of(packet: Packet, observations: Sequence[Observation], link_type: int) -> Row:
    """A packet as a line; `observations`: what it completes, as far as that is known."""
    frame = packet.frame
    source, target = _first(packet, "src"), _first(packet, "dst")
    protocol, info = _transport(packet, link_type)
    fault = False
    if observations:
        from amtdecode.render.text import ALERTING

        said = [each for each in observations if each.protocol] or list(observations)
        protocol = said[-1].protocol
        info = "; ".join([each.event.summary() for each in observations])
        fault = any(type(each.event).__name__ in ALERTING for each in observations)
    relative = frame.relative_ns
    return Row(
        str(frame.number),
        "" if relative is None else f"{relative / 1e9:.6f}",
        safe(source),
        safe(target),
        safe(protocol),
        str(frame.wire - frame.start),
        safe(info[: MAX_INFO * 2])[:MAX_INFO],
        fault,
    )


def _first(packet: Packet, side: str) -> str:
    for name in (f"ip.{side}", f"ipv6.{side}", f"eth.{side}"):
        values = packet.shown(name)
        if values:
            return str(values[0])
    return ""


def _transport(packet: Packet, link_type: int) -> tuple[str, str]:
    names = [header.protocol for header in packet.headers]
    if "tcp" in names and "icmp" not in names:
        ports = f"{_value(packet, 'tcp.srcport')} → {_value(packet, 'tcp.dstport')}"
        flags = [name.upper()[:3] for name in FLAGS if True in packet.values(f"tcp.flags.{name}")]
        return "tcp", f"{ports} [{', '.join(flags).replace('RES', 'RST').replace('PUS', 'PSH')}] Len={_length(packet)}"
    if "udp" in names and "icmp" not in names:
        ports = f"{_value(packet, 'udp.srcport')} → {_value(packet, 'udp.dstport')}"
        return "udp", f"{ports} Len={max(0, int(_value(packet, 'udp.length') or 8) - 8)}"
    name = names[-1] if len(names) > 1 else "frame"
    if len(names) > 1:
        kind = _value(packet, f"{name}.type") if f"{name}.type" in KINDS else ""
        return name, f"type {kind}" if kind else ""
    return "frame", "" if is_known(link_type) else f"link type {link_type_name(link_type)}, not read"


KINDS = frozenset({"icmp.type", "icmpv6.type", "eth.type"})


def _value(packet: Packet, name: str) -> str:
    values = packet.shown(name)
    return str(values[-1]) if values else ""


def _length(packet: Packet) -> int:
    return int(_value(packet, "tcp.len") or 0)
