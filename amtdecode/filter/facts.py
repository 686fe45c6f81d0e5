"""What is known of one packet, and how the values of a field are read from it.

Packet fields come from the packet's headers, all others from the events of the observations that it completes. Where
the packet itself is no longer there, its observations tell what they know of it: addresses, ports, number and time.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Any

from amtdecode.fields import Kind
from amtdecode.filter.literals import Refused, moment_of
from amtdecode.filter.plain import FIELDS as PLAIN_FIELDS
from amtdecode.filter.plain import LAYERS as PLAIN_LAYERS
from amtdecode.filter.plain import plain
from amtdecode.filter.schema import Family
from amtdecode.frame.catalogue import BY_NAME
from amtdecode.frame.flow_fields import BOTH_WAYS, flow_fields
from amtdecode.frame.frame import Frame
from amtdecode.frame.ip import Ip
from amtdecode.frame.tcp import Tcp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from amtdecode.capture import RawPacket
    from amtdecode.filter.plain import Plain
    from amtdecode.filter.schema import Known
    from amtdecode.filter.tree import Span
    from amtdecode.frame import Packet
    from amtdecode.frame.header import Header
    from amtdecode.frame.reading import PacketReader
    from amtdecode.model import Event, Observation

HEADER_SIZES = {"eth": 14, "vlan": 4, "ieee8021ad": 4, "sll": 16, "ipv6": 40, "ipv6.fraghdr": 8, "udp": 8}


class Facts:
    """A packet with the observations that it completes."""

    __slots__ = ("_packet", "observations", "plain")

    def __init__(self, packet: Packet | None, observations: Sequence[Observation]) -> None:
        self._packet = packet
        self.observations = observations
        self.plain: Plain | None = None
        """The headers of a plain packet, from which most fields are read at once."""

    @property
    def packet(self) -> Packet | None:
        """With its headers; `None` where it is not at hand."""
        return self._packet


class RawFacts(Facts):
    """A packet as captured, whose headers are read when somebody asks."""

    __slots__ = ("_reader", "raw")

    def __init__(
        self,
        raw: RawPacket,
        reader: PacketReader,
        observations: Sequence[Observation],
        *,
        at_once: bool,
        known: Plain | None = None,
    ) -> None:
        """`at_once`: all headers are read now. `known`: the headers of a packet known to be plain."""
        self.raw = raw
        self._reader = reader
        self.observations = observations
        self.plain = None if at_once else known or plain(raw)
        self._packet = reader.read(raw) if self.plain is None else None  # it may be one of several fragments

    @property
    def packet(self) -> Packet:
        packet = self._packet
        if packet is None:
            packet = self._packet = self._reader.read(self.raw)
        return packet

    @property
    def time_ns(self) -> int | None:
        """When it was captured: nanoseconds since 1970 UTC."""
        return self.raw[7].time_ns(self.raw[5], self.raw[6])

    def shown(self, name: str) -> list[Any]:
        """The values of a packet field, as `Packet.shown` gives them."""
        return self.packet.shown(name)


class Source:
    """Where a field's values come from."""

    of_plain: Callable[[Plain], Any] | None = None
    """Reads the same from the headers of a plain packet; `None` where that cannot be."""

    def __init__(self, known: Known) -> None:
        self.known = known

    def read(self, facts: Facts) -> list[Any]:
        """All values of a packet, as filters compare them."""
        raise NotImplementedError


class OfHeaders(Source):
    """A field of a packet's headers."""

    def __init__(self, known: Known, layers: tuple[Span, ...] = ()) -> None:
        super().__init__(known)
        self._fields = BY_NAME[known.name]
        self._spans = layers
        self._convert = converter(known)
        self.of_plain = PLAIN_FIELDS.get(known.name) if not layers else None

    def read(self, facts: Facts) -> list[Any]:
        if facts.plain is not None and self.of_plain is not None:
            values: list[Any] = self.of_plain(facts.plain)
            return values
        packet = facts.packet
        if packet is None:
            return self._of_flow(facts)
        fields, found = self._fields, []
        headers: Iterable[Header] = packet.headers
        if self._spans:
            headers = _layers(headers, self._spans)
        for header in headers:
            field = fields.get(type(header))
            if field is None:
                continue
            if type(header) is Frame and self.known.family is Family.MOMENT:  # as text it would be a day's work
                value: Any = header.time_ns
            else:
                value = field.attribute(header)  # type: ignore[operator]  # of packet fields it is a function
            if field.repeated:
                found += value
            elif value is not None:
                found.append(value)
        return converted(found, self._convert)

    def _of_flow(self, facts: Facts) -> list[Any]:
        name, found = self.known.name, []
        for observation in facts.observations:
            if name == "frame.number":
                found = [observation.packet] if observation.packet else []
            elif name in ("frame.time", "frame.time_epoch"):
                return [] if observation.time_ns is None else [observation.time_ns]
            else:
                fields = flow_fields(observation)
                found = [fields[part] for part in BOTH_WAYS.get(name, (name,)) if part in fields]
            if found:
                return converted(found, self._convert)
        return []


class OfEvents(Source):
    """A field of events."""

    def __init__(self, known: Known) -> None:
        super().__init__(known)
        self._readers: dict[type[Event], Callable[[Event], Any]] = {}
        self._convert = converter(known)

    def read(self, facts: Facts) -> list[Any]:
        found: list[Any] = []
        readers, name = self._readers, self.known.name
        for observation in facts.observations:
            event = observation.event
            reader = readers.get(type(event))
            if reader is None:
                restated = event.protocol in self.known.restated
                reader = readers[type(event)] = type(event).reader_of(() if restated else (name,))
            value = reader(event).get(name)
            if value is None:
                continue
            if type(value) is list:
                found += value
            else:
                found.append(value)
        return converted(found, self._convert) if found else found


class OfColumns(Source):
    """`_ws.col.Protocol` and `_ws.col.Info`."""

    def read(self, facts: Facts) -> list[Any]:
        info = self.known.name.endswith("Info")
        return [
            _utf8(observation.event.summary() if info else observation.protocol) for observation in facts.observations
        ]


class OfLayers(Source):
    """A protocol that is a header: its bytes, to the end of what it carries."""

    def __init__(self, known: Known, layers: tuple[Span, ...] = ()) -> None:
        super().__init__(known)
        self._spans = layers

    def read(self, facts: Facts) -> list[Any]:
        return [header.data[header.start : header.end] for header in self.headers(facts)]

    def headers(self, facts: Facts) -> list[Header]:
        """The headers of the protocol."""
        name, packet = self.known.name, facts.packet
        if packet is None:
            return []
        headers: Iterable[Header] = packet.headers
        if self._spans:
            headers = _layers(headers, self._spans)
        return [header for header in headers if header.protocol == name]

    def only_there(self) -> None:
        """No more than `there` will be asked."""
        if not self._spans:
            self.of_plain = PLAIN_LAYERS.get(self.known.name)

    def there(self, facts: Facts) -> bool:
        """Whether there is one."""
        if facts.plain is not None and self.of_plain is not None:
            return bool(self.of_plain(facts.plain))
        if facts.packet is None:
            name = self.known.name
            return name == "frame" or any(
                observation.flow is not None
                and (observation.flow.transport == name or f"{name}.src" in flow_fields(observation))
                for observation in facts.observations
            )
        return bool(self.headers(facts))

    def sizes(self, facts: Facts) -> list[int]:
        """Bytes of the headers alone."""
        return [_size(header) for header in self.headers(facts)]


class OfRooms(Source):
    """A protocol that a room reads: the bytes of its messages, as far as they were kept."""

    def read(self, facts: Facts) -> list[Any]:
        name = self.known.name
        return [observation.pdu or b"" for observation in facts.observations if observation.event.protocol == name]

    def there(self, facts: Facts) -> bool:
        """Whether there is one."""
        name = self.known.name
        return any(observation.event.protocol == name for observation in facts.observations)


def source_of(known: Known, layers: tuple[Span, ...] = ()) -> Source:
    """Where the values of a field or protocol come from."""
    if known.name.startswith("_ws.col."):
        return OfColumns(known)
    if known.family is Family.PROTOCOL:
        return OfLayers(known, layers) if known.in_packet else OfRooms(known)
    return OfHeaders(known, layers) if known.in_packet else OfEvents(known)


def _layers(headers: Iterable[Header], spans: tuple[Span, ...]) -> list[Header]:
    """Headers whose number among those of their protocol is asked for."""
    headers = list(headers)
    counts: dict[str, int] = {}
    for header in headers:
        counts[header.protocol] = counts.get(header.protocol, 0) + 1
    seen: dict[str, int] = {}
    found = []
    for header in headers:
        number = seen[header.protocol] = seen.get(header.protocol, 0) + 1
        if any(span.has(number, counts[header.protocol]) for span in spans):
            found.append(header)
    return found


def _size(header: Header) -> int:
    if isinstance(header, (Ip, Tcp)):
        return header.size() or 0
    return HEADER_SIZES.get(header.protocol, header.end - header.start)


# -- values as filters compare them -----------------------------------------------------------------------------------


def converted(values: list[Any], convert: Callable[[Any], Any] | None) -> list[Any]:
    """The values converted; those that are no values of their kind are left out."""
    if convert is None:
        return values
    try:
        return [convert(value) for value in values]
    except (ValueError, Refused):
        found = []
        for value in values:
            try:
                found.append(convert(value))
            except (ValueError, Refused):
                continue
        return found


def _utf8(value: Any) -> bytes:
    return str(value).encode("utf-8", "surrogatepass")


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else bytes.fromhex(value)


def _grouped(value: Any) -> bytes:
    return bytes.fromhex(value.replace(":", "").replace("-", ""))


@lru_cache(4096)
def _ipv4(value: str) -> int:
    return int(IPv4Address(value))


@lru_cache(4096)
def _ipv6(value: str) -> int:
    return int(IPv6Address(value))


def _moment(value: Any) -> int:
    return value if isinstance(value, int) else moment_of(value)


def _duration(value: Any) -> int:
    if isinstance(value, (int, float)):
        return round(value * 10**9)
    whole, _, fraction = value.lstrip("-").partition(".")
    size = int(whole) * 10**9 + int(fraction[:9].ljust(9, "0"))
    return -size if value.startswith("-") else size


def _label(_value: Any) -> bytes:
    return b""


def converter(known: Known) -> Callable[[Any], Any] | None:
    """From a value as `fields()` has it to one that is compared; `None` where that is the same."""
    if known.kind in (Kind.ETHER, Kind.GUID):
        return _grouped
    return _CONVERTERS.get(known.family)


_CONVERTERS: dict[Family, Callable[[Any], Any]] = {
    Family.TEXT: _utf8,
    Family.BYTES: _bytes,
    Family.IPV4: _ipv4,
    Family.IPV6: _ipv6,
    Family.MOMENT: _moment,
    Family.DURATION: _duration,
    Family.LABEL: _label,
}


def as_bytes(known: Known) -> Callable[[Any], bytes]:
    """From a value of a family that can be cut to its bytes."""
    if known.family is Family.IPV4:
        return lambda value: value.to_bytes(4, "big")
    if known.family is Family.IPV6:
        return lambda value: value.to_bytes(16, "big")
    return bytes
