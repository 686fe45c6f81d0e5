"""One packet of a capture, cut into headers, with its fields under tshark's names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amtdecode.fields import reader
from amtdecode.frame.catalogue import BY_NAME, READ_WITH_ALL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from amtdecode.frame.frame import Frame
    from amtdecode.frame.header import Header

_READERS = {layer: reader(fields) for layer, fields in READ_WITH_ALL.items()}


class Packet:
    """A packet: its number, when it was captured, and its headers from the outside in. Fields are read when asked for.

    What an ICMP error quotes is among the headers, so that a packet may have two addresses of one kind, as in tshark.
    """

    __slots__ = ("frame", "headers", "input")

    def __init__(self, name: str, frame: Frame, headers: Sequence[Header]) -> None:
        self.input = name
        """The name the capture was given as."""
        self.frame = frame
        self.headers = headers

    @property
    def number(self) -> int:
        """Number of the packet in its capture, from 1."""
        return self.frame.number

    @property
    def time_ns(self) -> int | None:
        """When it was captured: nanoseconds since 1970 UTC; `None` where the capture does not say."""
        return self.frame.time_ns

    @property
    def data(self) -> bytes:
        """The packet as captured."""
        return self.frame.data[self.frame.start : self.frame.end]

    def values(self, name: str) -> list[Any]:
        """All values of one field, from the outside in; empty where the packet has none.

        Numbers and booleans as such, addresses as text, bytes as `bytes`, times as text in seconds, and `True` for what
        is only present. Raises `KeyError` for no such field.
        """
        layers = BY_NAME[name]
        found: list[Any] = []
        for header in self.headers:
            field = layers.get(type(header))
            if field is not None:
                read: Any = field.attribute
                value = read(header)
                if field.repeated:
                    found += value
                elif value is not None:
                    found.append(value)
        return found

    def shown(self, name: str) -> list[Any]:
        """As `values`, with bytes as hex text."""
        return [value.hex() if isinstance(value, bytes) else value for value in self.values(name)]

    def layers(self) -> list[tuple[str, int, Mapping[str, Any]]]:
        """Each header: tshark's name of it, its first byte in the packet, and its fields but payloads."""
        start = self.frame.start
        return [
            (header.protocol, header.start - start, _READERS[type(header)](header))
            for header in self.headers
            if header.data is self.frame.data
        ]

    def fields(self) -> Mapping[str, Any]:
        """All fields but payloads, as JSON has them: a list where a field is repeated, or stands in several headers."""
        found: dict[str, Any] = {}
        for header in self.headers:
            for name, value in _READERS[type(header)](header).items():
                if name not in found:
                    found[name] = value
                else:
                    known = found[name]
                    members = value if isinstance(value, list) else [value]
                    found[name] = [*known, *members] if isinstance(known, list) else [known, *members]
        return found
