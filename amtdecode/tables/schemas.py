"""Which tables there are, and the type of each column.

A column of a protocol's table is a field of the catalogue, with `_` for each dot, as `tshark -T ek` names it. Kinds
become Arrow's own types: integers of their width, UUIDs, times, bytes, lists. Arrow has no type for an IP or MAC
address: these are text as tshark writes it, and the column says in its metadata which kind it is.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

from amtdecode.fields import Field, Kind, declared_by
from amtdecode.model import COMMON_FIELDS
from amtdecode.protocols.catalogue import OUTSIDE
from amtdecode.protocols.registry import REGISTRY
from amtdecode.tables.arrow import pyarrow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from amtdecode.protocols.dissector import Protocol

VERSION: Final = 1
"""Of the tables: raised when a column goes, or means something else. New ones may come without that."""
SCHEMA: Final = "amtdecode.schema"
"""Under which the metadata of a file has it."""

FAULTS: Final = "faults"
"""The table of what is wrong or odd, whatever protocol it concerns."""
OBSERVATIONS: Final = "observations"
PLACE: Final = (
    "observation", "time", "input", "packet", "transport", "stream", "src", "src_port", "dst", "dst_port", "event",
)  # fmt: skip
"""Columns that begin each table of observations: what it is, when, and where."""
OF_STORY: Final = ("machines", "attempts", "sessions", "findings", "evidence")
"""Tables that need the whole story: they are written at the end."""


def column(field: Field) -> str:
    """The name of a field's column."""
    return field.name.replace(".", "_")


@cache
def fields_of(registry: tuple[Protocol, ...] = REGISTRY) -> dict[str, tuple[Field, ...]]:
    """The fields of each protocol's table, by the name of the table."""
    found: dict[str, dict[str, Field]] = {}
    for name, fields in (
        *((event.protocol, declared_by(event)) for event in OUTSIDE),
        *((room.name, room.fields()) for room in registry),
        (FAULTS, COMMON_FIELDS[2:]),  # without the columns that are in `observations`
    ):
        table = found.setdefault(name.replace(".", "_"), {})
        for field in fields:
            table.setdefault(field.name, field)
    return {name: tuple(fields.values()) for name, fields in sorted(found.items())}


@cache
def schemas(registry: tuple[Protocol, ...] = REGISTRY) -> dict[str, Any]:
    """The `pyarrow.Schema` of each table, by its name."""
    pa = pyarrow()
    text, number, time = pa.string(), pa.int64(), pa.timestamp("ns", "UTC")
    place = [
        ("observation", number), ("time", time), ("input", text), ("packet", number), ("transport", text),
        ("stream", number), ("src", text), ("src_port", pa.uint16()), ("dst", text), ("dst_port", pa.uint16()),
        ("event", text),
    ]  # fmt: skip
    made = {
        OBSERVATIONS: [
            *place, ("protocol", text), ("packets", pa.list_(number)),
            ("elsewhere", pa.list_(pa.struct([("input", text), ("packet", number)]))), ("summary", text),
            ("fields", text),
        ],
        "flows": [
            ("stream", number), ("client", text), ("client_port", pa.uint16()),
            ("server", text), ("server_port", pa.uint16()), ("started", time), ("ended", time), ("input", text),
            ("packet", number), ("state", text), ("syn_count", pa.uint32()), ("client_bytes", pa.uint64()),
            ("server_bytes", pa.uint64()), ("client_missing", pa.uint64()), ("server_missing", pa.uint64()),
            ("closed_by", text), ("broken_by", text), ("only", text), ("client_mac", text), ("vlan", pa.uint16()),
        ],
        "calls": [
            *[(name, kind) for name, kind in place if name != "event"], ("kind", text), ("class", text),
            ("method", text), ("result", text), ("result_name", text), ("code", pa.uint64()), ("meaning", text),
            ("http_status", pa.uint16()), ("step", text), ("missing", text), ("user", text),
            ("arguments", pa.list_(text)), ("answer", pa.list_(text)),
        ],
        "machines": [
            ("machine", number), ("name", text), ("uuid", pa.uuid()), ("fqdn", text), ("addresses", pa.list_(text)),
            ("method", text), ("amt_version", text), ("attempts", pa.uint32()), ("stage", text), ("outcome", text),
            ("confidence", pa.float64()), ("comment", text),
        ],
        "attempts": [
            ("machine", number), ("attempt", pa.uint32()), ("started", time), ("ended", time), ("stage", text),
            ("outcome", text), ("confidence", pa.float64()), ("packets", pa.list_(number)),
        ],
        "sessions": [
            ("machine", number), ("attempt", pa.uint32()), ("stream", number), ("input", text), ("packet", number),
            ("started", time), ("last", time), ("state", text), ("setup", pa.bool_()),
        ],
        "findings": [
            ("finding", number), ("machine", number), ("name", text), ("rule", text), ("severity", text),
            ("verdict", text), ("title", text), ("layer", text), ("explanation", text), ("fix", text),
            ("source", text),
        ],
        "evidence": [
            ("finding", number), ("input", text), ("packet", number), ("line", number), ("text", text),
        ],
    }  # fmt: skip
    for name, fields in fields_of(registry).items():
        made[name] = [*place, *(_typed(field) for field in fields)]
    return {name: pa.schema(columns, {SCHEMA: str(VERSION)}) for name, columns in made.items()}


def typed_schema(fields: Sequence[Field]) -> Any:
    """The columns of these fields alone."""
    return pyarrow().schema([_typed(field) for field in fields])


def names(registry: tuple[Protocol, ...] = REGISTRY) -> tuple[str, ...]:
    """The names of all tables."""
    return tuple(schemas(registry))


def of_observations(chosen: Iterable[str]) -> list[str]:
    """Those of these tables that are written while reading."""
    return [name for name in chosen if name not in OF_STORY]


def _typed(field: Field) -> Any:
    pa = pyarrow()
    kind = _types()[field.kind] if not field.secret else pa.string()  # a secret is its mask
    about = {"kind": field.kind.value, "meaning": field.meaning}
    return pa.field(column(field), pa.list_(kind) if field.repeated else kind, metadata=about)


@cache
def _types() -> dict[Kind, Any]:
    pa = pyarrow()
    text = pa.string()
    types = dict.fromkeys((Kind.STRING, Kind.IPV4, Kind.IPV6, Kind.ETHER), text)
    types |= {kind: getattr(pa, kind.value)() for kind in Kind if "int" in kind.value and kind is not Kind.UINT24}
    return {
        **types,
        Kind.UINT24: pa.uint32(),
        Kind.FRAMENUM: pa.uint64(),
        Kind.NONE: pa.bool_(),
        Kind.BOOLEAN: pa.bool_(),
        Kind.FLOAT: pa.float32(),
        Kind.DOUBLE: pa.float64(),
        Kind.BYTES: pa.binary(),
        Kind.GUID: pa.uuid(),
        Kind.ABSOLUTE_TIME: pa.timestamp("ns", "UTC"),
        Kind.RELATIVE_TIME: pa.float64(),  # seconds, as in JSON
    }
