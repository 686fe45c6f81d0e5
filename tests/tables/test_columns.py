"""The compiled reader of fields makes the columns that Arrow's reader makes, or none."""

from __future__ import annotations

import json
import uuid
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amtdecode.fields import (
    BOOLEAN,
    BYTES,
    GUID,
    INT16,
    INT32,
    STRING,
    UINT8,
    UINT16,
    UINT24,
    UINT32,
    UINT64,
    Field,
)
from amtdecode.tables import typed
from amtdecode.tables.typed import TypedColumns

pytestmark = pytest.mark.skipif(typed.TEXTS is None, reason="the compiled module is not built, or left out")

TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
HEX = st.binary(max_size=20).map(bytes.hex)
LIMITS = {UINT8: (0, 1 << 8), UINT16: (0, 1 << 16), UINT24: (0, 1 << 24), UINT32: (0, 1 << 32), UINT64: (0, 1 << 64),
          INT16: (-(1 << 15), 1 << 15), INT32: (-(1 << 31), 1 << 31)}  # fmt: skip
VALUES = {
    STRING: TEXT,
    BYTES: HEX,
    GUID: st.uuids().map(str),
    BOOLEAN: st.booleans(),
    **{kind: st.integers(low, high - 1) for kind, (low, high) in LIMITS.items()},
}
FIELDS = tuple(
    Field(f"{kind.value}.{'all' if repeated else 'one'}", kind, "", repeated=repeated)
    for kind in VALUES
    for repeated in (False, True)
)
COLUMNS = TypedColumns(FIELDS)
OTHERS = st.recursive(
    TEXT | st.integers() | st.none(), lambda one: st.lists(one) | st.dictionaries(TEXT, one), max_leaves=5
)
ROWS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            field.name: st.lists(VALUES[field.kind], max_size=4) if field.repeated else VALUES[field.kind]
            for field in FIELDS
        }
        | {"of.nobody": OTHERS},
    ),
    min_size=1,
    max_size=20,
)


def compiled(columns: TypedColumns, texts: list[bytes]) -> Any:
    return typed.TEXTS.columns(texts, columns._asked)  # type: ignore[union-attr]


@given(ROWS, st.booleans())
def test_what_is_made_is_what_arrow_makes(rows: list[dict[str, Any]], escaped: bool) -> None:
    encode = (lambda row: json.dumps(row, separators=(",", ":")).encode()) if escaped else msgspec.json.encode
    texts = [encode(row) for row in rows]
    if compiled(COLUMNS, texts) is None:
        assert escaped
        assert any(
            ord(letter) > 0xFFFF for text in texts for letter in json.dumps(json.loads(text), ensure_ascii=False)
        )
        return
    made, expected = COLUMNS(texts), COLUMNS._by_arrow(texts)
    for field, one, other in zip(FIELDS, made, expected, strict=True):
        one.validate(full=True)
        assert one.type == other.type
        assert one.to_pylist() == other.to_pylist(), field.name
        assert one.null_count == other.null_count == sum(field.name not in row for row in rows)


@pytest.mark.parametrize(("kind", "low", "high"), [(kind, *limits) for kind, limits in LIMITS.items()])
def test_numbers_up_to_their_limits(kind: Any, low: int, high: int) -> None:
    columns = TypedColumns((Field("n", kind, ""),))
    (made,) = columns([b'{"n":%d}' % low, b'{"n":%d}' % (high - 1), b"{}"])
    assert made.to_pylist() == [low, high - 1, None]
    for beyond in (1 << 32 if kind is UINT24 else high, low - 1):  # 24 bits are kept in 32
        assert compiled(columns, [b'{"n":%d}' % beyond]) is None
        assert columns([b'{"n":%d}' % beyond, b'{"n":1}'])[0].to_pylist() == [None, 1]


@pytest.mark.parametrize(
    "text",
    [
        b"", b"{", b'{"', b'{"a', b'{"a"', b'{"a":', b'{"a":"', b'{"a":"x', b'{"a":"x"', b'{"a":"x"}x', b'{"a":1}',
        b'{"a":"\\', b'{"a":"\\"', b'{"a":"\\u"}', b'{"a":"\\u00g0"}', b'{"a":"\\ud800"}', b'{"a":"\\q"}',
        b'{"a":["x"]}', b'{"a":{"b":1}}', b'{"a":"x","a":"y"}', b'{"l":["x"', b'{"l":["x",', b'{"l":["x",]}',
        b'{"l":[', b'{"l":"x"}', b'{"l":[null]}', b'{"n":"1"}', b'{"n":1.5}', b'{"n":1e2}', b'{"n":-1}', b'{"n":}',
        b'{"n":-}', b'{"x":"0"}', b'{"x":"0g"}', b'{"x":"00 "}', b'{"t":truth}', b'{"t":1}', b'{"g":"00-11"}',
        b'{"g":"d2ffc23e-9dd1-412d-860a-54b2039b72ff00"}', b'{"o":[1,2}', b'{"o":"', b'{"f":1.5}', b"[]", b"null",
    ],
)  # fmt: skip
def test_what_nobody_here_writes_is_left_alone(text: bytes) -> None:
    asked = (("a", "t", 0, False), ("l", "t", 0, True), ("n", "u", 4, False), ("x", "x", 0, False),
             ("t", "b", 0, False), ("g", "g", 16, False), ("f", "-", 0, False))  # fmt: skip
    assert typed.TEXTS is not None
    assert typed.TEXTS.columns([b"{}", text], asked) is None


def test_the_layout_is_arrows() -> None:
    assert typed.TEXTS is not None
    asked = (("t", "t", 0, False), ("l", "u", 2, True), ("b", "b", 0, False), ("none", "t", 0, False))
    rows = [b'{"b":true,"t":"ab","l":[1,2]}', b"{}", b'{"l":[],"t":"\\u00e9\\n","b":false}', b'{"x":[{"t":"no"}]}']

    def four(*values: int) -> bytes:
        return b"".join(value.to_bytes(4, "little") for value in values)

    assert typed.TEXTS.columns(rows, asked) == [
        (2, b"\x15", None, 4, four(0, 2, 2, 5, 5), "abé\n".encode()),
        (2, b"\x15", four(0, 2, 2, 2, 2), 2, None, b"\x01\0\x02\0"),
        (2, b"\x15", None, 4, None, b"\x11"),
        None,
    ]


def test_columns_of_no_rows_and_of_one_value() -> None:
    assert [each.to_pylist() for each in TypedColumns((Field("a", STRING, ""),))([])] == [[]]
    value = uuid.uuid4()
    assert TypedColumns((Field("a", GUID, ""),))([b'{"a":"%b"}' % str(value).encode()])[0].to_pylist() == [value]
