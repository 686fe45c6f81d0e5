"""Observations as JSON, one object a line; and in the form Elasticsearch takes (`tshark -T ek`)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from amtdecode.model import MASK
from amtdecode.render.safe import safe
from amtdecode.render.times import IsoTimes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from amtdecode.model import Event, FlowKey, Observation

SCHEMA = 1


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


UNSEEN = re.compile("[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
"""What JSON leaves as it is and a terminal would obey or hide: DEL, C1 controls, marks of direction and width."""


def harmless(line: bytes) -> bytes:
    """A line of JSON without anything that a terminal would obey: JSON escapes C0 controls itself, here the others."""
    if line.isascii() and b"\x7f" not in line:
        return line
    return UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", line.decode("utf-8", "replace")).encode()


_PACKETS = tuple([b"[%b]" % b",".join([b"%d"] * size) for size in range(9)])
MAX_PLACES = 2048  # directions of flows whose addresses are kept written
MAX_SUMMARIES = 512  # summaries outside ASCII kept written
MAX_SUMMARY = 200  # characters of one of them


def _encodable(name: str) -> str:
    try:
        name.encode()
    except UnicodeEncodeError:
        return safe(name)
    return name


def _printable(value: Any) -> Any:
    if isinstance(value, list):
        return [_printable(item) for item in value]
    return safe(value) if isinstance(value, str) else value


class JsonLines:
    """Writes one line an observation; its members are those of docs/architecture.md §6."""

    def __init__(self, write: Callable[[bytes], object], *, show_secrets: bool = False) -> None:
        self._write = write
        self._show = show_secrets
        self._time = IsoTimes()
        self._encode = msgspec.json.Encoder(enc_hook=str).encode
        self._moment: tuple[int | None, int] = (None, 0)
        self._moment_text = b"null"
        self._places: dict[int, tuple[FlowKey | None, str, bytes]] = {}

    def __call__(self, observation: Observation) -> None:
        """Write one observation."""
        event = observation.event
        summary = event.summary()
        try:
            self._line(
                observation, self._text(summary), self._fields(event), self._place(observation, observation.input)
            )
        except UnicodeEncodeError:  # lone surrogates, as from undecodable file names
            shown = shown_fields(event, self._show)
            fields = {name: _printable(value) for name, value in shown.items()}
            place = self._place(observation, safe(observation.input))
            self._line(observation, self._text(safe(summary)), harmless(self._encode(fields)), place)

    def _line(self, observation: Observation, summary: bytes, fields: bytes, place: bytes) -> None:
        event, packets = observation.event, observation.packets
        size = len(packets)
        moment = (observation.time_ns, observation.precision)
        if moment != self._moment:  # mostly that of the observation before
            self._moment = moment
            self._moment_text = self._encode(self._time(*moment))
        more = b""
        if observation.elsewhere:
            more = b',"elsewhere":%b' % harmless(
                self._encode([(_encodable(name), at) for name, at in observation.elsewhere])
            )
        self._write(
            b'{"schema":%d,"packet":%d,"packets":%b,"time":%b,%b,"protocol":"%b","event":"%b","summary":%b,"fields":%b%b}\n'
            % (
                SCHEMA,
                observation.packet,
                _PACKETS[size] % packets if size < len(_PACKETS) else self._encode(packets),
                self._moment_text,
                place,
                (event.protocol or observation.protocol).encode(),
                type(event).__name__.encode(),
                summary,
                fields,
                more,
            )
        )

    def _place(self, observation: Observation, name: str) -> bytes:
        """Write where it was seen: the members from the input's name to the receiver's address."""
        flow, direction = observation.flow, observation.direction
        known = self._places.get(id(flow) + direction)
        if known is not None and known[0] is flow and known[1] == name:
            return known[2]
        place: dict[str, str | int | None] = {"input": name, "transport": None, "flow": None, "src": None, "dst": None}
        if flow is not None:
            src, dst = str(flow.source(direction)), str(flow.destination(direction))
            place.update(transport=flow.transport, flow=flow.number, src=src, dst=dst)
        text = harmless(self._encode(place))[1:-1]
        if len(self._places) >= MAX_PLACES:
            self._places.clear()
        self._places[id(flow) + direction] = (flow, name, text)
        return text

    def _fields(self, event: Event) -> bytes:
        text = None if self._show and event.secrets() else event.fields_json()
        if text is None:
            text = self._encode(shown_fields(event, self._show))
        return text if text.isascii() and b"\x7f" not in text else harmless(text)

    def _text(self, text: str) -> bytes:
        if text.isascii() or len(text) > MAX_SUMMARY:
            return harmless(self._encode(text))
        return _written(text)


@lru_cache(MAX_SUMMARIES)
def _written(text: str) -> bytes:
    return harmless(msgspec.json.encode(text))


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
