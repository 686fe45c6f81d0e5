"""The nouns every room shares. No logic beyond saying what they are.

A *packet* comes out of a capture, belongs to a *flow*, whose in-order bytes reach a *dissector*, which states *events*.
The engine adds time, place and proof to an event, which makes it an *observation*.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import msgspec

from amtdecode.compiled import TEXTS
from amtdecode.counting import counted
from amtdecode.errors import UsageError
from amtdecode.fields import (
    BYTES,
    MASK,
    STRING,
    UINT64,
    Field,
    Fields,
    declared_by,
    reader,
)
from amtdecode.masking import masked
from amtdecode.times import IsoTimes, moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from amtdecode.tree import Node

PACKET_NUMBER_BITS = 40
"""A packet id is the index of its input above this many bits, and below them the number in that input, from 1."""


SCHEMA = 1
"""Version of what `-T json` and `Observation.to_dict()` say of an observation."""


class Direction(enum.IntEnum):
    """Which way bytes travel. Of a flow the client is who opened it; a dissector sees the roles of its own channel."""

    TO_SERVER = 0
    TO_CLIENT = 1


TO_SERVER, TO_CLIENT = Direction.TO_SERVER, Direction.TO_CLIENT


class End(enum.Enum):
    """Why a direction ends."""

    FIN = "FIN"
    RESET = "RST"
    REPLACED = "its ports were used again"
    EVICTED = "given up to bound memory"
    CAPTURE = "the capture ends"


MAX_ADDRESSES = 4096  # kept as text


class _Addresses(dict[bytes, str]):
    """Addresses as text, made when first asked for: a capture has few, and names them again and again."""

    def __missing__(self, packed: bytes) -> str:
        if len(self) >= MAX_ADDRESSES:
            self.clear()
        if len(packed) == 4:
            first, second, third, fourth = packed
            text = f"{first}.{second}.{third}.{fourth}"
        elif len(packed) == 6:
            text = f"[{packed.hex(':')}]"
        else:
            from ipaddress import ip_address

            text = f"[{ip_address(packed)}]"
        self[packed] = text
        return text


_ADDRESSES = _Addresses()  # those with colons in brackets


def address_text(packed: bytes) -> str:
    """An address of 4 or 16 bytes, network order, as text; of 6 bytes, a hardware address."""
    return _ADDRESSES[packed].strip("[]")


class Endpoint(msgspec.Struct, frozen=True, order=True, gc=False):
    """An address and a port. Hashable, ordered by address.

    The address has 4 or 16 bytes, network order; 6 where there is none but that of the card (802.1X, LLDP).
    """

    packed: bytes
    port: int

    @property
    def address(self) -> str:
        """The address as text, as the RFCs write it (RFC 5952 for IPv6)."""
        return address_text(self.packed)

    def __str__(self) -> str:
        return f"{_ADDRESSES[self.packed]}:{self.port}"


class FlowKey(msgspec.Struct, frozen=True, gc=False):
    """One TCP connection or UDP conversation. Hashable; the client is the side that opened it."""

    transport: str  # "tcp", "udp"; "icmp", "arp", "eapol", "lldp" for what has no ports
    number: int  # from 0 in order of appearance, per transport, as tshark numbers tcp.stream and udp.stream
    client: Endpoint
    server: Endpoint

    def source(self, direction: Direction) -> Endpoint:
        """Who sends in this direction."""
        return self.server if direction else self.client

    def destination(self, direction: Direction) -> Endpoint:
        """Who receives in this direction."""
        return self.client if direction else self.server


class Event(msgspec.Struct, frozen=True, gc=False):
    """A fact stated by a dissector. Frozen, comparable, and free of time and place.

    A class lists its fields in `declared`; their values, what is masked and `repr` come from that. An event whose
    fields have values that no attribute holds declares them too, and overrides `fields`.
    """

    protocol: ClassVar[str] = ""
    """The dotted name of the protocol, tshark's where tshark has one."""
    declared: ClassVar[Fields] = ()
    """The fields, in the order in which they are shown."""
    recurring: ClassVar[bool] = False
    """Equal events of the class are stated again and again, so a renderer may remember how it writes them."""
    direct: ClassVar[Fields] = ()
    """Of a class with a `fields` of its own: those that it reads as they are declared."""
    _secrets: ClassVar[tuple[str, ...]] = ()
    _fields_made: ClassVar[bool] = False
    """`fields` is made of the declarations, and overridden by no class."""
    _free: ClassVar[tuple[str, ...]] = ()
    marked: ClassVar[dict[str, bool]] = {}
    """What of the fields is masked: those that are free, and (`True`) secret."""

    def __init_subclass__(cls) -> None:
        if "fields" in cls.__dict__:
            cls._fields_made = False
        elif "declared" in cls.__dict__:
            cls._fields_made = True
        if "declared" in cls.__dict__:
            cls._secrets = tuple([field.name for field in cls.declared if field.secret])
            cls._free = tuple(dict.fromkeys([field.name for field in cls.declared if field.free]))
            cls.marked = dict.fromkeys(cls._free, False) | dict.fromkeys(cls._secrets, True)
            if "fields" not in cls.__dict__:
                cls.fields = _first_fields  # type: ignore[method-assign,assignment]

    def summary(self) -> str:
        """One line for a packet list. May hold captured text: escape it before showing it."""
        return type(self).__name__

    def fields(self) -> Mapping[str, Any]:
        """Field name to value; repeated fields are lists. `None` is never a value: an absent field is left out."""
        return {}

    @classmethod
    def reader_of(cls, names: Iterable[str]) -> Callable[[Any], Mapping[str, Any]]:
        """The function that reads these fields of an event of the class, as `fields()` gives them.

        Where the class declares where they are, no others are made; else others may be there too.
        """
        wanted = {*names}
        chosen = [field for field in cls.declared if field.name in wanted]
        alone = cls._fields_made or all(field in cls.direct for field in chosen)
        return reader(chosen) if alone else cls.fields

    def fields_json(self) -> bytes | None:
        """`masked_fields()` as JSON text, where it can be made faster than by way of them; the same to the byte."""
        return None if TEXTS is None else TEXTS.fields_json(self.fields(), self.marked, masked)

    def secrets(self) -> tuple[str, ...]:
        """Names of the fields whose values are masked unless secrets are asked for."""
        return self._secrets

    def masked_fields(self) -> Mapping[str, Any]:
        """`fields()` with what is secret in them masked."""
        return self.mask(self.fields())

    def mask(self, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """Mask what is secret in some of its fields."""
        if self.marked.keys().isdisjoint(fields):
            return fields
        changed = {name: _masked(fields[name]) for name in self.secrets() if name in fields}
        for name in self._free:
            value = fields.get(name)
            if value and (shown := _covered(value)) != value:
                changed[name] = shown
        return {**fields, **changed} if changed else fields

    def tree(self, pdu: bytes) -> tuple[Node, ...]:  # noqa: ARG002
        """What the bytes of its message are, field by field; `()` where a room has no declaration of them.

        Never raises on captured bytes: of a message that breaks the rules, what stands before that.
        """
        return ()

    def __repr__(self) -> str:
        shown = ", ".join([f"{name}={_brief(value)}" for name, value in self.masked_fields().items()])
        return f"{type(self).__name__}({shown})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return list(self.masked_fields().items())


def _first_fields(event: Event) -> Mapping[str, Any]:
    """`Event.fields` of a class that declares its fields, until it is asked for: then the function that reads them."""
    cls = type(event)
    cls.fields = read = reader(cls.declared)  # type: ignore[method-assign,assignment]
    return read(event)


def _covered(value: Any) -> Any:
    return list(map(masked, value)) if isinstance(value, list) else masked(value)


def _masked(value: Any) -> Any:
    return [MASK] * len(value) if isinstance(value, list) else MASK


BRIEF_TEXT, BRIEF_LIST = 72, 8  # characters of a text, and members of a list, that `repr` shows


def _brief(value: Any) -> str:
    if isinstance(value, list):
        more = f", … {len(value) - BRIEF_LIST} more" if len(value) > BRIEF_LIST else ""
        return f"[{', '.join(map(_brief, value[:BRIEF_LIST]))}{more}]"
    if isinstance(value, str) and len(value) > BRIEF_TEXT:
        return f"{value[:BRIEF_TEXT]!r}…"
    return repr(value)


class Statement(msgspec.Struct, frozen=True, gc=False):
    """An event with its place in the stream of the layer that states it: bytes start (inclusive) to end (exclusive)."""

    event: Event
    direction: Direction
    start: int
    end: int
    also: tuple[Span, ...] = ()
    """Further bytes that prove the event, as of the request when the response completes an exchange."""
    pdu: bytes | None = None
    """The bytes of the message itself, where they are not those at start to end: it was decrypted, or other bytes stand
    between its parts. Given only where `Context.pdus` asks for it."""


class Span(NamedTuple):
    """Bytes of one direction of a layer."""

    direction: Direction
    start: int
    end: int


class Payload(Event, frozen=True):
    """Bytes that a layer carries for the next one. The engine hands them on; users see them with `follow`."""

    data: bytes
    hint: str = ""
    """The protocol inside, where the carrying layer knows it."""
    channel: int = 0
    """Which conversation inside the layer these bytes belong to: 0, which is always open and has the layer's own roles
    and ports, or one that a `ChannelOpened` announced."""
    head: Event | None = None
    """For message-wise carriers: the message these bytes are the whole body of (an HTTP request or response)."""

    def __repr__(self) -> str:
        return f"Payload({len(self.data)} bytes, hint={self.hint!r}, channel={self.channel}, head={self.head!r})"


LAYER = Field("iamt.layer", STRING, "what a fault concerns: capture, net, flow or a protocol", "layer")
REASON = Field("iamt.reason", STRING, "what is wrong, in words", "reason", free=True)
DATA = Field("iamt.data", BYTES, "the bytes concerned", "data", absent=b"")


class ChannelOpened(Event, frozen=True):
    """A conversation begins inside a layer. For the engine; what users see of it is an event of the layer's own.

    The dissector inside sees its directions as roles: `TO_SERVER` is towards whoever plays server in the channel. A
    channel opened again under the same number replaces the one before.
    """

    channel: int
    client: Direction = Direction.TO_SERVER
    """The direction, in the layer that opens it, in which whoever plays client in the channel sends."""
    port: int = 0
    """The port the channel was opened for, which breaks ties of recognition; 0: the layer's own."""
    host: str = ""
    """The name or address it was opened for, as the layer has it."""


class ChannelClosed(Event, frozen=True):
    """No more bytes come in the direction of this statement in a channel. Its place is free once both have ended."""

    channel: int
    end: End = End.FIN


class ChannelGap(Event, frozen=True):
    """A channel lacks bytes, about `size` of them, in the direction of this statement: its layer has a gap there.

    The layer has told of the gap; the dissector inside only has to know.
    """

    channel: int
    size: int


class Quoting(Event, frozen=True):
    """An event that quotes bytes nobody could read: where they hold a secret as text, they are masked as a whole."""

    def fields_json(self) -> bytes | None:
        return None

    def mask(self, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        shown = super().mask(fields)
        text = bytes.fromhex(fields.get(DATA.name, "")).decode("latin-1")
        return {**shown, DATA.name: MASK} if masked(text) != text else shown


class Malformed(Quoting, frozen=True):
    """Bytes that break their protocol's rules. What was decoded before them stands."""

    declared: ClassVar[Fields] = (LAYER, REASON, DATA)
    layer: str
    reason: str
    data: bytes = b""

    def summary(self) -> str:
        return f"malformed {self.layer}: {self.reason}"


class Gap(Event, frozen=True):
    """Bytes of a direction that no packet in the capture carries."""

    declared: ClassVar[Fields] = (
        LAYER,
        Field("iamt.gap.size", UINT64, "bytes that no packet in the capture carries", "size"),
    )
    layer: str
    size: int  # bytes

    def summary(self) -> str:
        return f"{counted(self.size, 'byte')} missing from the capture"


class Truncated(Event, frozen=True):
    """A unit that stops before its end: a file cut inside a packet, a message cut by the end of its direction."""

    declared: ClassVar[Fields] = (
        LAYER,
        REASON,
        Field("iamt.offset", UINT64, "offset of the fault, in bytes", "offset"),
        Field("iamt.missing", UINT64, "bytes still expected", "missing", absent=0),
    )
    layer: str
    reason: str
    offset: int = 0  # of the first missing byte, in the file or in the direction
    missing: int = 0  # bytes still expected; 0 when unknown

    def summary(self) -> str:
        missing = f", {counted(self.missing, 'byte')} missing" if self.missing else ""
        return f"{self.layer} cut at byte {self.offset}: {self.reason}{missing}"


class LimitReached(Event, frozen=True):
    """A named cap was reached, and what was given up for it."""

    declared: ClassVar[Fields] = (
        LAYER,
        Field("iamt.limit.name", STRING, "name of the limit reached", "limit"),
        Field("iamt.limit.value", UINT64, "value of the limit reached", "value"),
        REASON.at("consequence"),
    )
    layer: str
    limit: str  # the name of the constant
    value: int
    consequence: str

    def summary(self) -> str:
        return f"{self.layer} limit {self.limit} = {self.value} reached: {self.consequence}"


class Unrecognised(Quoting, frozen=True):
    """Bytes or packets that nothing here can read; counted, never guessed at."""

    declared: ClassVar[Fields] = (LAYER, REASON.at("what"), DATA)
    layer: str
    what: str
    data: bytes = b""  # the first bytes, where there are any

    def summary(self) -> str:
        return f"unrecognised {self.layer}: {self.what}"


class Note(Event, frozen=True):
    """Something odd that loses nothing: a wrong checksum, an overlap, ports used again."""

    declared: ClassVar[Fields] = (LAYER, REASON.at("what"))
    layer: str
    what: str

    def summary(self) -> str:
        return f"{self.layer}: {self.what}"


COMMON_FIELDS = (
    Field("_ws.col.Protocol", STRING, "protocol of the observation"),
    Field("_ws.col.Info", STRING, "its summary, one line"),
    *declared_by(Malformed, Gap, Truncated, LimitReached, Unrecognised, Note),
)
"""What every observation may have, whatever it is: its packet and flow, and what is wrong."""


class Observation(msgspec.Struct, frozen=True, gc=False):
    """An event with its time, its flow and the packets that prove it."""

    event: Event
    packet: int
    """Number of the packet that completes it, from 1 in its input; 0 when it belongs to no packet."""
    packets: tuple[int, ...]
    """Numbers of all packets that carried it, ascending, in the same input."""
    time_ns: int | None
    """Capture time of `packet`, nanoseconds since 1970 UTC; `None` where the capture has none or an impossible one."""
    input: str
    """The name the capture was given as."""
    flow: FlowKey | None = None
    direction: Direction = TO_SERVER
    offset: int = 0
    """Where its first byte stands in its direction of its layer, from 0."""
    elsewhere: tuple[tuple[str, int], ...] = ()
    """Proving packets in other inputs, when one flow continues from file to file."""
    precision: int = 6
    """Decimals of a second the capture records: 6 or 9."""
    number: int = 0
    """Counts observations from 1."""
    pdu: bytes | None = None
    """The bytes of its message, where the engine keeps them (`pdus=True`); empty where it has none."""

    @property
    def time(self) -> datetime | None:
        """Capture time of `packet` in UTC, to the microsecond: nanoseconds are in `time_ns` alone. `None` as there."""
        return None if self.time_ns is None else moment(self.time_ns)

    @property
    def protocol(self) -> str:
        """The dotted name of the protocol of the event; for faults, the layer at fault."""
        return self.event.protocol or str(getattr(self.event, "layer", ""))

    def tree(self) -> tuple[Node, ...]:
        """The fields of its message with their places, read by the protocol's declaration (`amtdecode.tree.Node`).

        Empty for what no message states, and for protocols without a declaration. Raises `UsageError` where the
        engine was not asked to keep the bytes: `Engine(pdus=True)` or `read(…, pdus=True)`.
        """
        if self.pdu is None:
            raise UsageError("the bytes of this observation were not kept: read with pdus=True")
        return self.event.tree(self.pdu) if self.pdu else ()

    def to_dict(self, *, show_secrets: bool = False) -> dict[str, Any]:
        """What `-T json` prints of it: plain dicts, lists, texts and numbers. Secrets are masked unless asked for."""
        event, flow = self.event, self.flow
        shown = {
            "schema": SCHEMA,
            "packet": self.packet,
            "packets": list(self.packets),
            "time": IsoTimes()(self.time_ns, self.precision),
            "input": self.input,
            "transport": flow.transport if flow else None,
            "flow": flow.number if flow else None,
            "src": str(self.src) if flow else None,
            "dst": str(self.dst) if flow else None,
            "protocol": self.protocol,
            "event": type(event).__name__,
            "summary": event.summary(),
            "fields": msgspec.to_builtins(event.fields() if show_secrets else event.masked_fields(), enc_hook=str),
        }
        if self.elsewhere:
            shown["elsewhere"] = [list(each) for each in self.elsewhere]
        from amtdecode.safe import encodable

        plain: dict[str, Any] = encodable(shown)
        return plain

    def __repr__(self) -> str:
        place = f"{self.src} → {self.dst}, " if self.flow else ""
        return f"Observation(packet {self.packet} of {self.input!r}, {place}{self.event!r})"

    def _repr_html_(self) -> str:
        """For notebooks: what it is, and its fields. Secrets are masked."""
        from amtdecode.safe import safe_html

        rows = "".join(
            f"<tr><td>{safe_html(name)}</td><td>{safe_html(str(value))}</td></tr>"
            for name, value in self.event.masked_fields().items()
        )
        head = f"packet {self.packet}: {self.src or ''} → {self.dst or ''}: {self.event.summary()}"
        return f"<table><caption>{safe_html(head)}</caption>{rows}</table>"

    @property
    def src(self) -> Endpoint | None:
        """Who sent it."""
        return self.flow.source(self.direction) if self.flow else None

    @property
    def dst(self) -> Endpoint | None:
        """Who it was sent to."""
        return self.flow.destination(self.direction) if self.flow else None
