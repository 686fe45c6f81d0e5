"""The nouns every room shares. No logic beyond saying what they are.

A *packet* comes out of a capture, belongs to a *flow*, whose in-order bytes reach a *dissector*, which states *events*.
The engine adds time, place and proof to an event, which makes it an *observation*.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

PACKET_NUMBER_BITS = 40
"""A packet id is the index of its input above this many bits, and below them the number in that input, from 1."""


MASK = "********"
"""What a secret is shown as."""


class Direction(enum.IntEnum):
    """Which way bytes travel in a flow. The client is who opened the conversation."""

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
        else:
            from ipaddress import ip_address

            text = f"[{ip_address(packed)}]"
        self[packed] = text
        return text


_ADDRESSES = _Addresses()  # IPv6 ones in brackets


def address_text(packed: bytes) -> str:
    """An address of 4 or 16 bytes, network order, as text."""
    return _ADDRESSES[packed].strip("[]")


class Endpoint(msgspec.Struct, frozen=True, order=True, gc=False):
    """An address (4 or 16 bytes, network order) and a port. Hashable, ordered by address."""

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

    transport: str  # "tcp", "udp"; "icmp", "arp" for what has no ports
    number: int  # from 0 in order of appearance, per transport, as tshark numbers tcp.stream and udp.stream
    client: Endpoint
    server: Endpoint

    def source(self, direction: Direction) -> Endpoint:
        """Who sends in this direction."""
        return self.server if direction else self.client

    def destination(self, direction: Direction) -> Endpoint:
        """Who receives in this direction."""
        return self.client if direction else self.server


class Field(NamedTuple):
    """One entry of the field catalogue (`amtdecode fields`)."""

    name: str
    type: str  # "int", "str", "bool", "bytes" (hex text), "float"; "…[]" when repeated
    meaning: str


class Event(msgspec.Struct, frozen=True, gc=False):
    """A fact stated by a dissector. Frozen, comparable, and free of time and place."""

    protocol: ClassVar[str] = ""
    """The dotted name of the protocol, tshark's where tshark has one."""

    def summary(self) -> str:
        """One line for a packet list. May hold captured text: escape it before showing it."""
        return type(self).__name__

    def fields(self) -> Mapping[str, Any]:
        """Field name to value; repeated fields are lists. `None` is never a value: an absent field is left out."""
        return {}

    def fields_json(self) -> bytes | None:
        """`fields()` as JSON text, where a room can make it faster than by way of a dict; the same to the byte.

        What is secret stands masked in it, as in `masked_fields()`.
        """
        return None

    def secrets(self) -> tuple[str, ...]:
        """Names of the fields whose values are masked unless secrets are asked for."""
        return ()

    def masked_fields(self) -> Mapping[str, Any]:
        """`fields()` with what is secret in them masked."""
        fields, names = self.fields(), self.secrets()
        if not names:
            return fields
        return {name: _masked(value) if name in names else value for name, value in fields.items()}


def _masked(value: Any) -> Any:
    return [MASK] * len(value) if isinstance(value, list) else MASK


class Statement(msgspec.Struct, frozen=True, gc=False):
    """An event with its place in the stream of the layer that states it: bytes start (inclusive) to end (exclusive)."""

    event: Event
    direction: Direction
    start: int
    end: int
    also: tuple[Span, ...] = ()
    """Further bytes that prove the event, as of the request when the response completes an exchange."""


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
    """Which of several conversations inside the layer these bytes belong to (APF channels)."""
    head: Event | None = None
    """For message-wise carriers: the message these bytes are the whole body of (an HTTP request or response)."""


class Malformed(Event, frozen=True):
    """Bytes that break their protocol's rules. What was decoded before them stands."""

    layer: str
    reason: str
    data: bytes = b""

    def summary(self) -> str:
        """See `Event`."""
        return f"malformed {self.layer}: {self.reason}"

    def fields(self) -> Mapping[str, Any]:
        """See `Event`."""
        fields: dict[str, Any] = {"iamt.layer": self.layer, "iamt.reason": self.reason}
        if self.data:
            fields["iamt.data"] = self.data.hex()
        return fields


class Gap(Event, frozen=True):
    """Bytes of a direction that no packet in the capture carries."""

    layer: str
    size: int  # bytes

    def summary(self) -> str:
        """See `Event`."""
        return f"{self.size} bytes missing from the capture"

    def fields(self) -> Mapping[str, Any]:
        """See `Event`."""
        return {"iamt.layer": self.layer, "iamt.gap.size": self.size}


class Truncated(Event, frozen=True):
    """A unit that stops before its end: a file cut inside a packet, a message cut by the end of its direction."""

    layer: str
    reason: str
    offset: int = 0  # of the first missing byte, in the file or in the direction
    missing: int = 0  # bytes still expected; 0 when unknown

    def summary(self) -> str:
        """See `Event`."""
        missing = f", {self.missing} bytes missing" if self.missing else ""
        return f"{self.layer} cut at byte {self.offset}: {self.reason}{missing}"

    def fields(self) -> Mapping[str, Any]:
        """See `Event`."""
        fields = {"iamt.layer": self.layer, "iamt.reason": self.reason, "iamt.offset": self.offset}
        if self.missing:
            fields["iamt.missing"] = self.missing
        return fields


class LimitReached(Event, frozen=True):
    """A named cap was reached, and what was given up for it."""

    layer: str
    limit: str  # the name of the constant
    value: int
    consequence: str

    def summary(self) -> str:
        """See `Event`."""
        return f"{self.layer} limit {self.limit} = {self.value} reached: {self.consequence}"

    def fields(self) -> Mapping[str, Any]:
        """See `Event`."""
        return {
            "iamt.layer": self.layer,
            "iamt.limit.name": self.limit,
            "iamt.limit.value": self.value,
            "iamt.reason": self.consequence,
        }


class Unrecognised(Event, frozen=True):
    """Bytes or packets that nothing here can read; counted, never guessed at."""

    layer: str
    what: str
    data: bytes = b""  # the first bytes, where there are any

    def summary(self) -> str:
        """See `Event`."""
        return f"unrecognised {self.layer}: {self.what}"

    def fields(self) -> Mapping[str, Any]:
        """See `Event`."""
        fields: dict[str, Any] = {"iamt.layer": self.layer, "iamt.reason": self.what}
        if self.data:
            fields["iamt.data"] = self.data.hex()
        return fields


class Note(Event, frozen=True):
    """Something odd that loses nothing: a wrong checksum, an overlap, ports used again."""

    layer: str
    what: str

    def summary(self) -> str:
        """See `Event`."""
        return f"{self.layer}: {self.what}"

    def fields(self) -> Mapping[str, Any]:
        """See `Event`."""
        return {"iamt.layer": self.layer, "iamt.reason": self.what}


COMMON_FIELDS = (
    Field("frame.number", "int", "number of the packet that completes the observation, from 1"),
    Field("frame.time", "str", "when that packet was captured, UTC, ISO 8601"),
    Field("frame.time_epoch", "str", "the same in seconds since 1970"),
    Field("_ws.col.Protocol", "str", "protocol of the observation"),
    Field("_ws.col.Info", "str", "its summary, one line"),
    Field("ip.addr", "str[]", "both IPv4 addresses"),
    Field("ipv6.addr", "str[]", "both IPv6 addresses"),
    Field("tcp.port", "int[]", "both TCP ports"),
    Field("udp.port", "int[]", "both UDP ports"),
    Field("ip.src", "str", "IPv4 address of the sender"),
    Field("ip.dst", "str", "IPv4 address of the receiver"),
    Field("ipv6.src", "str", "IPv6 address of the sender"),
    Field("ipv6.dst", "str", "IPv6 address of the receiver"),
    Field("tcp.srcport", "int", "TCP port of the sender"),
    Field("tcp.dstport", "int", "TCP port of the receiver"),
    Field("tcp.stream", "int", "number of the TCP connection, from 0"),
    Field("udp.srcport", "int", "UDP port of the sender"),
    Field("udp.dstport", "int", "UDP port of the receiver"),
    Field("udp.stream", "int", "number of the UDP conversation, from 0"),
    Field("iamt.layer", "str", "what a fault concerns: capture, net, flow or a protocol"),
    Field("iamt.reason", "str", "what is wrong, in words"),
    Field("iamt.offset", "int", "offset of the fault, in bytes"),
    Field("iamt.missing", "int", "bytes still expected"),
    Field("iamt.data", "bytes", "the bytes concerned"),
    Field("iamt.gap.size", "int", "bytes that no packet in the capture carries"),
    Field("iamt.limit.name", "str", "name of the limit reached"),
    Field("iamt.limit.value", "int", "value of the limit reached"),
)


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

    @property
    def protocol(self) -> str:
        """The dotted name of the protocol of the event; for faults, the layer at fault."""
        return self.event.protocol or str(getattr(self.event, "layer", ""))

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
