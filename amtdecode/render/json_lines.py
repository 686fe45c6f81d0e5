"""Observations as JSON, one object a line; and in the form Elasticsearch takes (`tshark -T ek`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from amtdecode.frame.flow_fields import flow_fields
from amtdecode.model import SCHEMA, TO_SERVER
from amtdecode.safe import encodable, safe_json
from amtdecode.times import IsoTimes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from amtdecode.model import Event, Observation


def shown_fields(event: Event, show_secrets: bool) -> Mapping[str, Any]:
    """The fields of an event, its secrets masked unless they are asked for."""
    return event.fields() if show_secrets else event.masked_fields()


def fields_text(event: Event, encode: Callable[[Any], bytes], show_secrets: bool = False) -> bytes:
    """The fields of an event as JSON, as `-T json` has them."""
    try:
        text = None if show_secrets and event.marked else event.fields_json()
        if text is None:
            text = encode(shown_fields(event, show_secrets))
    except UnicodeEncodeError:  # lone surrogates, as from undecodable file names
        text = encode(encodable(msgspec.to_builtins(shown_fields(event, show_secrets), enc_hook=str)))
    return safe_json(text)


MAX_REMEMBERED = 256  # events kept written, of classes whose events recur
MAX_WRITTEN = 16 * 1024  # bytes of one of them


class JsonLines:
    """Writes one line an observation; its members are those of docs/architecture.md §6."""

    def __init__(self, write: Callable[[bytes], object], *, show_secrets: bool = False) -> None:
        self._write = write
        self._show = show_secrets
        self._time = IsoTimes()
        self._encode = msgspec.json.Encoder(enc_hook=str).encode
        self._moment: tuple[int | None, int, str] = (None, -1, "")
        """Time, decimals and text of the moment written last."""
        self._kinds: dict[type[Event], str] = {}
        self._remembered: dict[Event, tuple[bytes, bytes]] = {}
        """Summary and fields as written, of events that recur."""
        self._input: tuple[str, str] = ("", _input_json(""))
        """The input named last, and how it is written."""

    def __call__(self, observation: Observation) -> None:
        """Write one observation."""
        self.all((observation,))

    def all(self, observations: Iterable[Observation]) -> None:
        """Write several: the more together, the less each costs."""
        write, encode = self._write, self._encode
        kinds, remembered = self._kinds.get, self._remembered.get
        latest_ns, latest_precision, moment = self._moment
        flow, direction, source, place = None, TO_SERVER, "", ""
        for observation in observations:
            event, packets = observation.event, observation.packets
            kind = type(event)
            said = kinds(kind) or self._kind(kind, observation)
            try:
                written = remembered(event) if kind.recurring else None
                if written is None:
                    written = self._written(event)
                    if kind.recurring and len(written[1]) <= MAX_WRITTEN:
                        if len(self._remembered) >= MAX_REMEMBERED:
                            self._remembered.clear()
                        self._remembered[event] = written
                told, text = written
                if (  # mostly several stand in one place
                    flow is None
                    or observation.flow is not flow
                    or observation.direction is not direction
                    or observation.input is not source
                ):
                    place = self._place(observation, observation.input)
                    flow, direction, source = observation.flow, observation.direction, observation.input
            except UnicodeEncodeError:  # lone surrogates, as from undecodable file names
                text = fields_text(event, encode, self._show)
                told = safe_json(encode(encodable(event.summary())))
                place = self._place(observation, encodable(observation.input))
                flow = None
            time_ns = observation.time_ns
            if time_ns != latest_ns or observation.precision != latest_precision:  # mostly that of the one before
                latest_ns, latest_precision = time_ns, observation.precision
                time = self._time(time_ns, latest_precision)
                moment = "null" if time is None else f'"{time}"'
            numbers = packets[0] if len(packets) == 1 else ",".join(map(str, packets))
            tail = b"}\n"
            if observation.elsewhere:
                elsewhere = encode([(encodable(name), at) for name, at in observation.elsewhere])
                tail = b',"elsewhere":%b}\n' % safe_json(elsewhere)
            head = (
                f'{{"schema":{SCHEMA},"packet":{observation.packet},"packets":[{numbers}],"time":{moment},'
                f'{place},{said},"summary":'
            )
            write(b"".join((head.encode(), told, b',"fields":', text, tail)))
        self._moment = latest_ns, latest_precision, moment

    def _written(self, event: Event) -> tuple[bytes, bytes]:
        """Write the summary and the fields of an event."""
        return safe_json(self._encode(event.summary())), fields_text(event, self._encode, self._show)

    def _kind(self, kind: type[Event], observation: Observation) -> str:
        """Write what it is."""
        said = f'"protocol":"{observation.protocol}","event":"{kind.__name__}"'
        if kind.protocol:  # else it is said by the event
            self._kinds[kind] = said
        return said

    def _place(self, observation: Observation, name: str) -> str:
        """Write where it was seen: the members from the input's name to the receiver's address."""
        if name is not self._input[0]:
            self._input = name, _input_json(name)
        flow = observation.flow
        if flow is None:
            return f'{self._input[1]}"transport":null,"flow":null,"src":null,"dst":null'
        # addresses and transports hold nothing to escape
        src, dst = flow.source(observation.direction), flow.destination(observation.direction)
        return f'{self._input[1]}"transport":"{flow.transport}","flow":{flow.number},"src":"{src}","dst":"{dst}"'


def _input_json(name: str) -> str:
    return f'"input":{safe_json(msgspec.json.encode(name)).decode()},'


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
        for name, value in flow_fields(observation).items():
            layers.setdefault(name.partition(".")[0], {})[name.replace(".", "_")] = value
        body = {name.replace(".", "_"): value for name, value in shown_fields(observation.event, self._show).items()}
        body["event"] = type(observation.event).__name__
        body["summary"] = observation.event.summary()
        layers[observation.protocol.replace(".", "_") or "event"] = body
        stamp = None if observation.time_ns is None else str(observation.time_ns // 1_000_000)
        self._write(self._encode({"index": {"_index": f"packets-{day}"}}) + b"\n")
        self._write(safe_json(self._encode({"timestamp": stamp, "layers": layers})) + b"\n")
