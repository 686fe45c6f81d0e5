"""Chosen fields of each observation, one line each (`-T fields -e NAME`), as tshark prints them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amtdecode.frame.flow_fields import BOTH_WAYS, OF_FLOWS, flow_fields
from amtdecode.protocols.demand import owners
from amtdecode.protocols.registry import REGISTRY
from amtdecode.render.layout import Layout
from amtdecode.render.safe import safe
from amtdecode.times import IsoTimes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from amtdecode.filter.selecting import Selected
    from amtdecode.frame.observed import PacketValues
    from amtdecode.model import Event, Observation


class Columns:
    """Writes the fields named, tab between them, comma between the members of a repeated one; absent ones are empty.

    No more is made of an observation than what is asked for. `layout`: other characters than these, a line of names in
    front, or only some members. `packets`: gives the fields of the packet that completes an observation, where some are
    among the names.
    """

    def __init__(
        self,
        write: Callable[[str], object],
        names: Sequence[str],
        *,
        show_secrets: bool = False,
        packets: PacketValues | None = None,
        layout: Layout | None = None,
    ) -> None:
        self._write = write
        self._layout = layout or Layout()
        self._packets = packets
        self._show = show_secrets
        self._time = IsoTimes()
        frame: dict[str, Callable[[Observation], str]] = {
            "frame.number": lambda observation: str(observation.packet),
            "frame.time": lambda observation: self._time(observation.time_ns, observation.precision) or "",
            "frame.time_epoch": _epoch,
            "_ws.col.Protocol": lambda observation: safe(observation.protocol),
            "_ws.col.Info": lambda observation: safe(observation.event.summary()),
        }
        self._cells = [(name, frame.get(name)) for name in names]
        self._of_events = not frame.keys() >= set(names)
        self._of_flows = not OF_FLOWS.isdisjoint(names)
        first = self._layout.first_line(names)
        if first:
            write(first)
        owner = owners(REGISTRY)
        asked = {owner[name] for name in names if name in owner}
        self._not_asked = frozenset(room.name for room in REGISTRY if room.name not in asked)
        self._names = [part for name in names for part in (name, *BOTH_WAYS.get(name, ()))]
        self._readers: dict[type[Event], Callable[[Any], Mapping[str, Any]]] = {}

    def __call__(self, observation: Observation) -> None:
        """Write one observation; one that has none of the fields writes nothing."""
        fields, chosen = self._fields(observation), self._layout.chosen
        cells = [of_frame(observation) if of_frame else _cell(name, fields, chosen) for name, of_frame in self._cells]
        if any(cells):
            self._write(self._layout.line(cells))

    def _fields(self, observation: Observation) -> Mapping[str, Any]:
        """What is known of an observation, as far as it is asked for."""
        fields: Mapping[str, Any] = {}
        if self._of_events and observation.event.protocol not in self._not_asked:
            fields = self._of_event(observation.event)
        if self._of_flows:
            fields = {**flow_fields(observation), **fields}
        if self._packets is not None:
            fields = {**self._packets.of(observation), **fields}
        return fields

    def _of_event(self, event: Event) -> Mapping[str, Any]:
        kind = type(event)
        read = self._readers.get(kind)
        if read is None:
            read = self._readers[kind] = kind.reader_of(self._names)
        fields = read(event)
        return fields if self._show else event.mask(fields)

    def members(self, observation: Observation) -> list[list[str]]:
        """All values of each field of an observation."""
        fields, found = self._fields(observation), []
        for name, of_frame in self._cells:
            if of_frame is not None:
                value = of_frame(observation)
                found.append([value] if value else [])
            else:
                found.append(self._layout.occurring(_members(name, fields)))
        return found

    def members_of_packet(self, selected: Selected) -> list[list[str]]:
        """The same of a packet."""
        packet = selected.packet
        return [
            [str(selected.number)]
            if name == "frame.number"
            else self._layout.occurring([str(value) for value in packet.shown(name)])
            if packet is not None
            else []
            for name, _ in self._cells
        ]

    def packet(self, selected: Selected) -> None:
        """Write one packet, whatever it carries, where all the fields are those of packets."""
        packet, chosen = selected.packet, self._layout.chosen
        cells = [
            str(selected.number)
            if name == "frame.number"
            else chosen([safe(str(value)) for value in packet.shown(name)])
            if packet is not None
            else ""
            for name, _ in self._cells
        ]
        self._write(self._layout.line(cells))


def _epoch(observation: Observation) -> str:
    time_ns = observation.time_ns
    return "" if time_ns is None else f"{time_ns // 10**9}.{time_ns % 10**9:09d}"


def _members(name: str, fields: Mapping[str, Any]) -> list[str]:
    if name in BOTH_WAYS and name not in fields:
        return [str(fields[part]) for part in BOTH_WAYS[name] if part in fields]
    value = fields.get(name, ())
    return [str(member) for member in value] if isinstance(value, (list, tuple)) else [str(value)]


def _cell(name: str, fields: Mapping[str, Any], chosen: Callable[[Sequence[str]], str]) -> str:
    value = fields.get(name, "")
    if name in BOTH_WAYS:
        value = [fields[part] for part in BOTH_WAYS[name] if part in fields]
    if isinstance(value, (list, tuple)):
        return chosen([safe(str(member)) for member in value])
    return safe(str(value)) if value != "" else ""
