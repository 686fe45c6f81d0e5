"""Chosen fields of each observation, one line each (`-T fields -e NAME`), as tshark prints them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amtdecode.render.json_lines import packet_fields, shown_fields
from amtdecode.render.safe import safe
from amtdecode.render.times import IsoTimes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from amtdecode.model import Observation

BOTH_WAYS = {
    # fields that stand for either end, as in tshark
    "ip.addr": ("ip.src", "ip.dst"),
    "ipv6.addr": ("ipv6.src", "ipv6.dst"),
    "tcp.port": ("tcp.srcport", "tcp.dstport"),
    "udp.port": ("udp.srcport", "udp.dstport"),
}


class Columns:
    """Writes the fields named, tab between them, comma between the members of a repeated one; absent ones are empty."""

    def __init__(self, write: Callable[[str], object], names: Sequence[str], *, show_secrets: bool = False) -> None:
        self._write = write
        self._names = names
        self._show = show_secrets
        self._time = IsoTimes()

    def __call__(self, observation: Observation) -> None:
        """Write one observation; one that has none of the fields writes nothing."""
        fields: dict[str, Any] = {
            "frame.number": observation.packet,
            "frame.time": self._time(observation.time_ns, observation.precision) or "",
            **packet_fields(observation),
            **shown_fields(observation.event, self._show),
        }
        if observation.time_ns is not None:
            fields["frame.time_epoch"] = f"{observation.time_ns // 10**9}.{observation.time_ns % 10**9:09d}"
        fields["_ws.col.Protocol"] = observation.protocol
        fields["_ws.col.Info"] = observation.event.summary()
        cells = [self._cell(name, fields) for name in self._names]
        if any(cells):
            self._write("\t".join(cells) + "\n")

    def _cell(self, name: str, fields: dict[str, Any]) -> str:
        if name in BOTH_WAYS:
            return ",".join([str(fields[part]) for part in BOTH_WAYS[name] if part in fields])
        value = fields.get(name, "")
        if isinstance(value, (list, tuple)):
            return ",".join([safe(str(member)) for member in value])
        return safe(str(value))
