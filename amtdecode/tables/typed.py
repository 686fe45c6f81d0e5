"""From the fields of observations as JSON to typed columns.

The text is there already, for the table `observations`; a reader of JSON makes columns of it faster than Python could
collect their values: the compiled one, else Arrow's. What does not fit its column (never, unless a declaration is
wrong) is null there; the text has it.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import msgspec

from amtdecode.compiled import TEXTS
from amtdecode.fields import Field, Kind
from amtdecode.tables.arrow import pyarrow
from amtdecode.tables.buffers import column
from amtdecode.tables.schemas import typed_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

AS_TEXT = frozenset({Kind.BYTES, Kind.GUID, Kind.ABSOLUTE_TIME})
"""Kinds that JSON has as text."""


class TypedColumns:
    """Makes the columns of one protocol's table."""

    def __init__(self, fields: Sequence[Field]) -> None:
        pa = pyarrow()
        self._fields = tuple(fields)
        self.schema = typed_schema(fields)
        read = []
        for field, typed in zip(fields, self.schema, strict=True):
            text = field.kind in AS_TEXT and not field.secret
            kind = (pa.list_(pa.string()) if field.repeated else pa.string()) if text else typed.type
            read.append((field.name, kind))
        self._read = pa.schema(read)
        self._asked = tuple(map(_asked, fields, self.schema.types))

    def __call__(self, texts: list[bytes]) -> list[Any]:
        """The columns: a row for each JSON object."""
        made = None if TEXTS is None else TEXTS.columns(texts, self._asked)
        if made is None:
            return self._by_arrow(texts)
        return [column(each, kind, len(texts)) for each, kind in zip(made, self.schema.types, strict=True)]

    def _by_arrow(self, texts: Sequence[bytes]) -> list[Any]:
        try:
            raw = self._parsed(texts)
        except pyarrow().ArrowInvalid:
            raw = self._one_by_one(texts)
        return [
            self._converted(field, raw.column(field.name).combine_chunks(), typed.type)
            for field, typed in zip(self._fields, self.schema, strict=True)
        ]

    def _parsed(self, texts: Sequence[bytes]) -> Any:
        from pyarrow import json

        buffer = b"\n".join(texts)
        return json.read_json(
            io.BytesIO(buffer),
            json.ReadOptions(use_threads=False, block_size=len(buffer) + 1),
            json.ParseOptions(explicit_schema=self._read, unexpected_field_behavior="ignore"),
        ).select(self._read.names)

    def _one_by_one(self, texts: Sequence[bytes]) -> Any:
        """The same, value by value, where one of them does not fit."""
        pa = pyarrow()
        rows = [msgspec.json.decode(text) for text in texts]
        columns = []
        for name, kind in zip(self._read.names, self._read.types, strict=True):
            values = [row.get(name) for row in rows]
            try:
                columns.append(pa.array(values, kind))
            except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
                columns.append(pa.array([value if _fits(value, kind) else None for value in values], kind))
        return pa.table(columns, schema=self._read)

    def _converted(self, field: Field, values: Any, kind: Any) -> Any:
        if field.secret or field.kind not in AS_TEXT:
            return values
        pa = pyarrow()
        if field.repeated:
            return pa.ListArray.from_arrays(
                values.offsets, _CONVERTED[field.kind](values.values), kind, mask=values.is_null()
            )
        return _CONVERTED[field.kind](values)


def _asked(field: Field, kind: Any) -> tuple[str, str, int, bool]:
    """Name, kind, bytes of a value and whether it is a list of these, as the compiled module wants them."""
    types = pyarrow().types
    one = kind.value_type if field.repeated else kind
    if types.is_string(one):
        return field.name, "t", 0, field.repeated
    if field.kind in _LETTERS:
        return field.name, *_LETTERS[field.kind], field.repeated
    if types.is_integer(one):
        return field.name, "u" if types.is_unsigned_integer(one) else "i", one.bit_width // 8, field.repeated
    return field.name, "-", 0, field.repeated  # it has no other kinds: where there is a value, Arrow reads it


_LETTERS = {Kind.BOOLEAN: ("b", 0), Kind.NONE: ("b", 0), Kind.BYTES: ("x", 0), Kind.GUID: ("g", 16)}


def _fits(value: Any, kind: Any) -> bool:
    pa = pyarrow()
    try:
        pa.array([value], kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return False
    return True


def from_hex(values: Any) -> Any:
    """Hex text to bytes. All of a column at once: the digits of a column lie side by side in memory."""
    pa = pyarrow()
    import pyarrow.compute as pc

    values = pa.concat_arrays([values]) if values.offset else values
    if values.offset or pc.any(pc.not_equal(pc.bit_wise_and(pc.binary_length(values), 1), 0)).as_py():
        return _bytes_by_bytes(values)
    validity, offsets, data = values.buffers()
    starts = pa.Array.from_buffers(pa.int32(), len(values) + 1, [None, offsets])
    first, last = starts[0].as_py(), starts[len(values)].as_py()
    digits = data[first:last].to_pybytes() if data is not None else b""
    try:
        made = bytes.fromhex(digits.decode("ascii"))
    except ValueError:
        return _bytes_by_bytes(values)
    if 2 * len(made) != len(digits):  # spaces between digits
        return _bytes_by_bytes(values)
    halved = pc.divide(pc.subtract(starts, first), 2).cast(pa.int32())
    return pa.Array.from_buffers(
        pa.binary(), len(values), [validity, halved.buffers()[1], pa.py_buffer(made)], values.null_count
    )


def _bytes_by_bytes(values: Any) -> Any:
    def made(text: str | None) -> bytes | None:
        try:
            return None if text is None else bytes.fromhex(text)
        except ValueError:
            return None

    return pyarrow().array(map(made, values.to_pylist()), pyarrow().binary())


def to_uuids(values: Any) -> Any:
    """UUIDs as text to UUIDs: 16 bytes in the order of the text (RFC 9562)."""
    pa = pyarrow()
    import pyarrow.compute as pc

    raw = from_hex(pc.replace_substring(values, "-", ""))
    whole = pc.equal(pc.binary_length(raw), 16)
    raw = pc.if_else(whole, raw, pa.scalar(None, pa.binary()))
    return pa.ExtensionArray.from_storage(pa.uuid(), raw.cast(pa.binary(16)))


def to_times(values: Any) -> Any:
    """Times as ISO 8601 to nanoseconds since 1970 UTC."""
    pa = pyarrow()
    kind = pa.timestamp("ns", "UTC")
    try:
        return values.cast(kind)
    except pa.ArrowInvalid:
        return pa.array([value if _casts(value, kind) else None for value in values.to_pylist()]).cast(kind)


def _casts(value: str | None, kind: Any) -> bool:
    pa = pyarrow()
    try:
        pa.scalar(value, pa.string()).cast(kind)
    except pa.ArrowInvalid:
        return False
    return True


_CONVERTED: dict[Kind, Callable[[Any], Any]] = {
    Kind.BYTES: from_hex,
    Kind.GUID: to_uuids,
    Kind.ABSOLUTE_TIME: to_times,
}
