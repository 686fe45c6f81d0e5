"""The names that a filter may use: every field of the catalogue, and the protocols, each with what its values are."""

from __future__ import annotations

import enum
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec
from msgspec import structs

from amtdecode.fields import Kind
from amtdecode.frame.catalogue import BY_NAME
from amtdecode.protocols.catalogue import catalogue
from amtdecode.protocols.demand import owners
from amtdecode.protocols.registry import REGISTRY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amtdecode.fields import Field
    from amtdecode.protocols.dissector import Protocol


class Family(enum.Enum):
    """Kinds whose values are compared with each other, read from text alike, and held alike while a filter runs."""

    UNSIGNED = "unsigned"  # int
    BOOLEAN = "boolean"  # bool
    SIGNED = "signed"  # int
    FLOAT = "float"  # float
    TEXT = "text"  # bytes: the UTF-8 of the text, as Wireshark counts, cuts and searches it
    BYTES = "bytes"  # bytes
    IPV4 = "ipv4"  # int
    IPV6 = "ipv6"  # int
    MOMENT = "moment"  # int, nanoseconds since 1970 UTC
    DURATION = "duration"  # int, nanoseconds
    PROTOCOL = "protocol"  # bytes, from its header on
    LABEL = "label"  # b""


FAMILIES = {
    Kind.NONE: Family.LABEL,
    Kind.BOOLEAN: Family.BOOLEAN,
    Kind.FRAMENUM: Family.UNSIGNED,
    Kind.STRING: Family.TEXT,
    Kind.BYTES: Family.BYTES,
    Kind.ETHER: Family.BYTES,
    Kind.GUID: Family.BYTES,
    Kind.IPV4: Family.IPV4,
    Kind.IPV6: Family.IPV6,
    Kind.ABSOLUTE_TIME: Family.MOMENT,
    Kind.RELATIVE_TIME: Family.DURATION,
    Kind.FLOAT: Family.FLOAT,
    Kind.DOUBLE: Family.FLOAT,
    **{kind: Family.SIGNED for kind in Kind if kind.value.startswith("int")},
    **{kind: Family.UNSIGNED for kind in Kind if kind.value.startswith("uint")},
}
SLICED = frozenset({Family.TEXT, Family.BYTES, Family.IPV4, Family.IPV6, Family.PROTOCOL})
"""Families whose values have bytes to cut out."""
HEADERS = {protocol: layer for layers in BY_NAME.values() for layer in layers if (protocol := layer.protocol)}
"""Protocols that are headers of a packet, with one class of them."""
LABELS = {"tls.handshake": "tls.handshake.type", "tls.alert_message": "tls.alert_message.level"}
"""Names of Wireshark that say no more than that something is there, and our field that is always there then."""
SET_OR_NOT = {True: "Set", False: "Not set"}
SIZES = {Family.BOOLEAN: 8, Family.IPV4: 4, Family.IPV6: 16}


class Known(msgspec.Struct, frozen=True):
    """A name, with what Wireshark's messages say of its kind."""

    name: str
    family: Family
    kind: Kind | None = None
    """`None` for a protocol."""
    names: Mapping[int | str | bool, str] = {}
    """Names of values."""
    in_packet: bool = False
    """A header of the packet has it; else an event of an observation."""
    restated: frozenset[str] = frozenset()
    """Rooms whose events only say again what another room's event says."""

    @property
    def words(self) -> str:
        """The kind in words."""
        if self.kind is None:
            return "Protocol"
        if bits := self.kind.bits if self.kind is not Kind.FRAMENUM else 0:
            sign = "Signed" if self.family is Family.SIGNED else "Unsigned"
            return f"{sign} integer ({bits // 8} byte{'s' if bits > 8 else ''})"
        return self.kind.words

    @property
    def ftype(self) -> str:
        """The kind as Wireshark's source calls it."""
        return "FT_PROTOCOL" if self.kind is None else self.kind.ftype

    @property
    def bits(self) -> int:
        """Width of an integer; 64 for what has none."""
        return (self.kind.bits if self.kind is not None else 0) or 64


@lru_cache(4)
def schema_of(registry: tuple[Protocol, ...]) -> Schema:
    """The names that rooms and packets give."""
    return Schema(registry)


class Schema:
    """All names, looked up one by one: a filter names few of them."""

    def __init__(self, registry: tuple[Protocol, ...] = REGISTRY) -> None:
        self._fields = {field.name: field for field in catalogue(registry)}
        rooms = {room.name for room in registry}
        owner = owners(registry)
        self._restated: dict[str, set[str]] = {}
        for room in registry:
            for field in room.fields():
                if owner[field.name] != room.name:
                    self._restated.setdefault(field.name, set()).add(room.name)
        self.protocols = frozenset({*HEADERS, "frame", "sll", *rooms})

    @property
    def names(self) -> list[str]:
        """Every name, in order."""
        return sorted({*self._fields, *self.protocols, *LABELS})

    def find(self, name: str) -> Known | None:
        """What a name is; `None` for no field and no protocol."""
        field = self._fields.get(name)
        if field is not None:
            return structs.replace(known(field), restated=frozenset(self._restated.get(name, ())))
        if name in LABELS and (label := self.find(LABELS[name])) is not None:
            return structs.replace(label, family=Family.LABEL, kind=Kind.NONE, names={})
        if name in self.protocols:
            return Known(name, Family.PROTOCOL, in_packet=name in HEADERS)
        return None

    def nearest(self, name: str) -> list[str]:
        """Names that may be meant, the likeliest first."""
        from difflib import get_close_matches

        lower = name.lower()
        if lower != name and self.find(lower) is not None:
            return [lower]
        return get_close_matches(lower, self.names, n=3, cutoff=0.75)


def known(field: Field) -> Known:
    """A field of the catalogue, as filters see it."""
    family = FAMILIES[field.kind]
    names = field.values
    if family is Family.BOOLEAN and not names and field.name.startswith(("tcp.flags.", "ip.flags.")):
        names = SET_OR_NOT
    return Known(field.name, family, field.kind, names, field.name in BY_NAME)
