"""Observations as JSON, one object a line; and in the form Elasticsearch takes (`tshark -T ek`)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from amtdecode.render.safe import MASK, safe
from amtdecode.render.times import IsoTimes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from amtdecode.model import Event, FlowKey, Observation

SCHEMA = 1


class Line(msgspec.Struct):
    """One line of `read -T json`; the members are those of docs/architecture.md §6."""

    schema: int
    packet: int
    packets: tuple[int, ...]
    time: str | None
    input: str
    transport: str | None
    flow: int | None
    src: str | None
    dst: str | None
    protocol: str
    event: str
    summary: str
    fields: Mapping[str, Any] | msgspec.Raw


class LineElsewhere(Line):
    """When packets in other inputs carried part of it: [input, packet] of each."""

    elsewhere: tuple[tuple[str, int], ...] = ()


def shown_fields(event: Event, show_secrets: bool) -> Mapping[str, Any]:
    """The fields of an event with its secrets masked."""
    fields = event.fields()
    if show_secrets:
        return fields
    names = event.secrets()
    if not names:
        return fields
    return {name: _masked(value) if name in names else value for name, value in fields.items()}


def _masked(value: Any) -> Any:
    return [MASK] * len(value) if isinstance(value, list) else MASK


class JsonLines:
    """Writes one line an observation."""

    def __init__(self, write: Callable[[bytes], object], *, show_secrets: bool = False) -> None:
        self._write = write
        self._show = show_secrets
        self._time = IsoTimes()
        self._encode = msgspec.json.Encoder(enc_hook=str).encode
        self._flow: FlowKey | None = None
        self._ends = ("", "")

    def __call__(self, observation: Observation) -> None:
        """Write one observation."""
        event, flow = observation.event, observation.flow
        if flow is None:
            number, transport, src, dst = None, None, None, None
        else:
            if flow is not self._flow:
                self._flow = flow
                self._ends = (str(flow.client), str(flow.server))
            number, transport = flow.number, flow.transport
            src, dst = self._ends[::-1] if observation.direction else self._ends
        text = event.fields_json()
        fields = shown_fields(event, self._show) if text is None else msgspec.Raw(text)
        kind, more = (LineElsewhere, (observation.elsewhere,)) if observation.elsewhere else (Line, ())
        line = kind(
            SCHEMA,
            observation.packet,
            observation.packets,
            self._time(observation.time_ns, observation.precision),
            observation.input,
            transport,
            number,
            src,
            dst,
            event.protocol or observation.protocol,
            type(event).__name__,
            event.summary(),
            fields,
            *more,
        )
        try:
            written = self._encode(line)
        except UnicodeEncodeError:  # lone surrogates, as from undecodable file names
            line.input, line.summary = safe(line.input), safe(line.summary)
            shown = shown_fields(event, self._show)
            line.fields = {name: safe(value) if isinstance(value, str) else value for name, value in shown.items()}
            written = self._encode(line)
        self._write(harmless(written))
        self._write(b"\n")


UNSEEN = re.compile("[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
"""What JSON leaves as it is and a terminal would obey or hide: DEL, C1 controls, marks of direction and width."""


def harmless(line: bytes) -> bytes:
    """A line of JSON without anything that a terminal would obey: JSON escapes C0 controls itself, here the others."""
    if line.isascii() and b"\x7f" not in line:
        return line
    return UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", line.decode("utf-8", "replace")).encode()


class ElasticLines:
    """Writes pairs of lines for the bulk interface of Elasticsearch, named as `tshark -T ek` names them."""

    def __init__(self, write: Callable[[bytes], object], *, show_secrets: bool = False) -> None:
        self._write = write
        self._show = show_secrets
        self._time = IsoTimes()
        self._encode = msgspec.json.Encoder(enc_hook=str).encode

    def __call__(self, observation: Observation) -> None:
        """Write one observation: the index line, then the document."""
        time = self._time(observation.time_ns, observation.precision)
        day = time[:10] if time else "1970-01-01"
        layers: dict[str, Any] = {
            "frame": {
                "frame_number": observation.packet,
                "frame_time": time,
                "frame_packets": list(observation.packets),
            }
        }
        for name, value in packet_fields(observation).items():
            layers.setdefault(name.partition(".")[0], {})[name.replace(".", "_")] = value
        body = {name.replace(".", "_"): value for name, value in shown_fields(observation.event, self._show).items()}
        body["event"] = type(observation.event).__name__
        body["summary"] = observation.event.summary()
        layers[observation.protocol.replace(".", "_") or "event"] = body
        stamp = None if observation.time_ns is None else str(observation.time_ns // 1_000_000)
        self._write(self._encode({"index": {"_index": f"packets-{day}"}}) + b"\n")
        self._write(harmless(self._encode({"timestamp": stamp, "layers": layers})) + b"\n")


def packet_fields(observation: Observation) -> dict[str, Any]:
    """Addresses, ports and stream number, under tshark's names."""
    flow = observation.flow
    if flow is None:
        return {}
    src, dst = flow.source(observation.direction), flow.destination(observation.direction)
    ip = "ipv6" if len(src.packed) == 16 else "ip"
    fields: dict[str, Any] = {f"{ip}.src": src.address, f"{ip}.dst": dst.address}
    if flow.transport in ("tcp", "udp"):
        fields[f"{flow.transport}.srcport"] = src.port
        fields[f"{flow.transport}.dstport"] = dst.port
        fields[f"{flow.transport}.stream"] = flow.number
    return fields
