"""How a field is declared: its name, its kind, its meaning, and the attribute of the event that holds it.

An event class lists its fields once, in `declared`. From that come the values (`Event.fields`), what is masked, `repr`,
JSON, and the catalogue, with all that is made of it: `amtdecode fields`, `-e`, completion, the tables of the docs, and
the schemas of a display filter, Arrow or a Wireshark plugin.

Kinds and names are Wireshark's (epan/ftypes/ftypes.h, `tshark -G fields`); names of our own begin with `iamt.`.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence


class Kind(enum.Enum):
    """What values a field has. The value is the name that Wireshark's Lua API gives the kind."""

    NONE = "none"
    BOOLEAN = "boolean"
    UINT8 = "uint8"
    UINT16 = "uint16"
    UINT24 = "uint24"
    UINT32 = "uint32"
    UINT64 = "uint64"
    INT8 = "int8"
    INT16 = "int16"
    INT32 = "int32"
    INT64 = "int64"
    FLOAT = "float"
    DOUBLE = "double"
    STRING = "string"
    BYTES = "bytes"
    IPV4 = "ipv4"
    IPV6 = "ipv6"
    ETHER = "ether"
    GUID = "guid"
    FRAMENUM = "framenum"
    ABSOLUTE_TIME = "absolute_time"
    RELATIVE_TIME = "relative_time"

    @property
    def words(self) -> str:
        """The kind as Wireshark's display filter reference calls it, as `Unsigned integer (8 bits)`."""
        return _WORDS.get(self) or f"{'Signed' if self.name[0] == 'I' else 'Unsigned'} integer ({self.bits} bits)"

    @property
    def ftype(self) -> str:
        """The kind as `tshark -G fields` prints it, as `FT_UINT8`."""
        return f"FT_{self.name.replace('IPV', 'IPv')}"

    @property
    def bits(self) -> int:
        """Width of an integer; 0 for other kinds."""
        return 32 if self is Kind.FRAMENUM else int(self.value.partition("int")[2] or 0)


_WORDS = {
    Kind.NONE: "Label",
    Kind.BOOLEAN: "Boolean",
    Kind.FLOAT: "Floating point (single-precision)",
    Kind.DOUBLE: "Floating point (double-precision)",
    Kind.STRING: "Character string",
    Kind.BYTES: "Byte sequence",
    Kind.IPV4: "IPv4 address",
    Kind.IPV6: "IPv6 address",
    Kind.ETHER: "Ethernet or other MAC address",
    Kind.GUID: "Globally Unique Identifier",
    Kind.FRAMENUM: "Frame number",
    Kind.ABSOLUTE_TIME: "Date and time",
    Kind.RELATIVE_TIME: "Time offset",
}

NONE, BOOLEAN, STRING, BYTES = Kind.NONE, Kind.BOOLEAN, Kind.STRING, Kind.BYTES
UINT8, UINT16, UINT24, UINT32, UINT64 = Kind.UINT8, Kind.UINT16, Kind.UINT24, Kind.UINT32, Kind.UINT64
INT8, INT16, INT32, INT64, FLOAT, DOUBLE = Kind.INT8, Kind.INT16, Kind.INT32, Kind.INT64, Kind.FLOAT, Kind.DOUBLE
IPV4, IPV6, ETHER, GUID = Kind.IPV4, Kind.IPV6, Kind.ETHER, Kind.GUID
FRAMENUM, ABSOLUTE_TIME, RELATIVE_TIME = Kind.FRAMENUM, Kind.ABSOLUTE_TIME, Kind.RELATIVE_TIME

MASK = "********"
"""What a secret is shown as."""

NEVER: Any = msgspec.UNSET
"""For `Field.absent`: the field is always there."""


class Field(msgspec.Struct, frozen=True):
    """The declaration of one field.

    `Field("arp.opcode", UINT16, "what the message is", "opcode", values={1: "request", 2: "reply"})`
    """

    name: str
    """Wireshark's name where it has one, else `iamt.…`."""
    kind: Kind
    meaning: str
    """One line, without a full stop."""
    attribute: str | Callable[[Any], Any] = ""
    """Where the event has the value: an attribute or property, dotted for one of an attribute (`begun.uuid`), or a
    function of the event; "" where the event's own `fields()` makes it.

    Byte sequences are `bytes` there, addresses and GUIDs are text. A repeated field is a tuple or other iterable of
    such, or a list, which is taken as it is (byte sequences as hex text in it) and never changed."""
    absent: Any = NEVER
    """The value by which the attribute says that there is none, as `None`, "" or -1. An empty or zero one ("", (), 0,
    False) stands for all such. By default the field is always there."""
    values: Mapping[Any, str] = {}
    """Names of the values that have one."""
    repeated: bool = False
    """The field is a list, in wire order."""
    secret: bool = False
    """The value is masked unless secrets are asked for."""
    free: bool = False
    """The value is text that somebody wrote as they liked: what looks like a secret in it is masked."""

    def at(self, attribute: str | Callable[[Any], Any], absent: Any = NEVER) -> Field:
        """The same field of another event, which has it in this attribute."""
        return msgspec.structs.replace(self, attribute=attribute, absent=absent)

    def name_of(self, value: Any) -> str:
        """What a value is called; "" where it has no name."""
        return self.values.get(value, "")


Fields: TypeAlias = tuple[Field, ...]


def reader(declared: Sequence[Field]) -> Callable[[Any], dict[str, Any]]:
    """Make the function that reads the declared fields of an event: name to value, absent ones left out.

    It is written as one would write it by hand, so it costs no more than that. Byte sequences become hex text, repeated
    fields lists. Raises `ValueError` for an attribute that is no name.
    """
    functions: dict[str, Any] = {}
    always: list[str] = []
    lines: list[str] = []
    for number, field in enumerate(declared):
        if not field.attribute:
            continue
        if isinstance(field.attribute, str):
            if not all(part.isidentifier() for part in field.attribute.split(".")):
                raise ValueError(f"{field.name}: {field.attribute!r} is no attribute")
            value = f"event.{field.attribute}"
        else:
            functions[f"read_{number}"] = field.attribute
            value = f"read_{number}(event)"
        if field.absent is NEVER:
            if lines:
                lines.append(f"    found[{field.name!r}] = {_shown(field, value)}")
            else:
                always.append(f"{field.name!r}: {_shown(field, value)}")
            continue
        test = (
            "value is not None" if field.absent is None else f"value != {field.absent!r}" if field.absent else "value"
        )
        lines += [
            f"    value = {value}",
            f"    if {test}:",
            f"        found[{field.name!r}] = {_shown(field, 'value')}",
        ]
    source = "\n".join(["def read(event):", f"    found = {{{', '.join(always)}}}", *lines, "    return found"])
    exec(source, functions)  # noqa: S102 - made of declarations only, never of captured bytes
    read: Callable[[Any], dict[str, Any]] = functions["read"]
    return read


def _shown(field: Field, value: str) -> str:
    """The expression for a value as JSON has it."""
    if field.repeated:
        members = "[member.hex() for member in value]" if field.kind is BYTES else "[*value]"
        return f"value if type(value := {value}) is list else {members}"
    if field.kind is BYTES:
        return f"{value}.hex()"
    return f"not not {value}" if field.kind is BOOLEAN else value


def declared_by(*classes: Any) -> tuple[Field, ...]:
    """All fields that these event classes declare, each name once, in order: a room's part of the catalogue."""
    found: dict[str, Field] = {}
    for cls in classes:
        for field in cls.declared:
            found.setdefault(field.name, field)
    return tuple(found.values())


def nested(names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Where each field stands in a nested schema: its dotted name as a path.

    A dozen names are both a field and the beginning of others (`dns.flags` and `dns.flags.response`). There the
    others stand below the name with `_tree` behind it, as in `tshark -T json`: `dns.flags` keeps its place, and
    `dns.flags.response` is `("dns", "flags_tree", "response")`. All names of the schema must be given at once.
    """
    fields = set(names)
    paths = {}
    for name in fields:
        parts = name.split(".")
        paths[name] = (
            *(
                f"{part}_tree" if ".".join(parts[: depth + 1]) in fields else part
                for depth, part in enumerate(parts[:-1])
            ),
            parts[-1],
        )
    return {name: paths[name] for name in sorted(paths)}
