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
    return safe_json(_fields_written(event, encode, show_secrets))


def _fields_written(event: Event, encode: Callable[[Any], bytes], show_secrets: bool) -> bytes:
    """The same, before it is made safe for a terminal."""
    try:
        text = None if show_secrets and event.marked else event.fields_json()
        return encode(shown_fields(event, show_secrets)) if text is None else text
    except UnicodeEncodeError:  # lone surrogates, as from undecodable file names
        return encode(encodable(msgspec.to_builtins(shown_fields(event, show_secrets), enc_hook=str)))


BEGINNING = f'{{"schema":{SCHEMA},"packet":'
MAX_REMEMBERED = 256  # events kept written, of classes whose events recur
MAX_WRITTEN = 16 * 1024  # bytes of one of them


class JsonLines:
    """Writes one line an observation; its members are those of docs/architecture.md §6."""

    def __init__(self, write: Callable[[bytes], object], *, show_secrets: bool = False) -> None:
        self._write = write
        self._show = show_secrets
        self._time = IsoTimes()
        self._encode = msgspec.json.Encoder(enc_hook=str).encode
        self._kinds: dict[type[Event], bytes] = {}
        self._remembered: dict[Event, bytes] = {}
        """Summary and fields as written, of events that recur."""
        self._input: tuple[str, str] = ("", _input_json(""))
        """The input named last, and how it is written."""

    def __call__(self, observation: Observation) -> None:
        """Write one observation."""
        self.all((observation,))

    def all(self, observations: Iterable[Observation]) -> None:
        """Write several: the more together, the less each costs."""
        write = self._write
        kinds, remembered = self._kinds.get, self._remembered.get
        packets, flow, direction, time_ns, source, where = None, None, TO_SERVER, None, "", b""
        for observation in observations:
            event = observation.event
            kind = type(event)
            if (  # mostly several stand in one place
                observation.packets is not packets
                or observation.flow is not flow
                or observation.direction is not direction
                or observation.time_ns != time_ns
                or observation.input is not source
                or flow is None
            ):
                packets, flow, direction = observation.packets, observation.flow, observation.direction
                time_ns, source = observation.time_ns, observation.input
                where = self._where(observation)
            recurring = kind.recurring
            said = remembered(event) if recurring else None
            if said is None:
                said = self._said(event)
                if recurring and len(said) <= MAX_WRITTEN:
                    if len(self._remembered) >= MAX_REMEMBERED:
                        self._remembered.clear()
                    self._remembered[event] = said
            behind = b"}\n" if not observation.elsewhere else self._elsewhere(observation)
            write(b"".join((where, kinds(kind) or self._kind(kind, observation), said, behind)))

    def _said(self, event: Event) -> bytes:
        """Write its summary and fields."""
        told = self._encode(encodable(event.summary()))
        return safe_json(b'%b,"fields":%b' % (told, _fields_written(event, self._encode, self._show)))

    def _kind(self, kind: type[Event], observation: Observation) -> bytes:
        """Write what it is."""
        said = f'"protocol":"{observation.protocol}","event":"{kind.__name__}","summary":'.encode()
        if kind.protocol:  # else it is said by the event
            self._kinds[kind] = said
        return said

    def _where(self, observation: Observation) -> bytes:
        """Write where and when it was seen: all that stands before what it is."""
        packets, name, flow = observation.packets, observation.input, observation.flow
        known, named = self._input
        if name is not known:
            named = _input_json(name)
            self._input = name, named
        numbers = str(packets[0]) if len(packets) == 1 else ",".join(map(str, packets))
        time = self._time(observation.time_ns, observation.precision)
        moment = "null" if time is None else f'"{time}"'
        head = f'{BEGINNING}{observation.packet!s},"packets":[{numbers}],"time":{moment},{named}'
        if flow is None:
            return f'{head}"transport":null,"flow":null,"src":null,"dst":null,'.encode()
        # addresses and transports hold nothing to escape
        direction = observation.direction
        src, dst = str(flow.source(direction)), str(flow.destination(direction))
        return f'{head}"transport":"{flow.transport}","flow":{flow.number!s},"src":"{src}","dst":"{dst}",'.encode()

    def _elsewhere(self, observation: Observation) -> bytes:
        """Write the end of a line whose proof lies in several inputs."""
        elsewhere = self._encode([(encodable(name), at) for name, at in observation.elsewhere])
        return b',"elsewhere":%b}\n' % safe_json(elsewhere)


def _input_json(name: str) -> str:
    return f'"input":{safe_json(msgspec.json.encode(encodable(name))).decode()},'


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
