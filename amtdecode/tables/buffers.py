"""Arrow arrays of what lies side by side in memory already.

`pyarrow.array` asks each value of a Python list what it is, and imports pandas where that is installed; here nobody
asks.
"""

from __future__ import annotations

from array import array
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final, TypeVar

from amtdecode.safe import encodable
from amtdecode.tables.arrow import pyarrow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

Key = TypeVar("Key")

MAX_TIME: Final = (1 << 63) - 1  # of a time stamp of Arrow, which ends in the year 2262


def numbers(values: array[int], kind: Any, lacking: Iterable[int] = ()) -> Any:
    """Numbers as wide as `kind`, any type of Arrow; null in the rows `lacking`."""
    pa = pyarrow()
    return pa.Array.from_buffers(kind, len(values), [_valid(len(values), lacking), pa.py_buffer(values)])


def ints(values: array[int]) -> Any:
    """Numbers of 32 bits."""
    return numbers(values, pyarrow().int32())


def longs(values: array[int]) -> Any:
    """Numbers of 64 bits."""
    return numbers(values, pyarrow().int64())


def within(time: int | None) -> int | None:
    """A time that a time stamp of Arrow can hold; `None` for others."""
    return time if time is None or time <= MAX_TIME else None


def times(values: Sequence[int | None]) -> Any:
    """Times in nanoseconds since 1970 UTC; null where there is none, or none that Arrow can hold."""
    kind = pyarrow().timestamp("ns", "UTC")
    try:
        return numbers(array("q", values), kind)  # type: ignore[arg-type] # None is a TypeError
    except (TypeError, OverflowError):
        held = list(map(within, values))
        lacking = [row for row, value in enumerate(held) if value is None]
        return numbers(array("q", [value or 0 for value in held]), kind, lacking)


def texts(values: Sequence[bytes | None]) -> Any:
    """Texts in UTF-8."""
    pa = pyarrow()
    lacking = [row for row, value in enumerate(values) if value is None] if None in values else []
    held: Sequence[bytes] = [value or b"" for value in values] if lacking else values  # type: ignore[assignment]
    ends = array("i", accumulate(map(len, held), initial=0))
    valid = _valid(len(held), lacking)
    return pa.Array.from_buffers(pa.string(), len(held), [valid, pa.py_buffer(ends), pa.py_buffer(b"".join(held))])


class _Numbered(dict[Any, int]):
    """Numbers values from 0 in the order in which they are asked for."""

    def __missing__(self, value: Any) -> int:
        number = self[value] = len(self)
        return number


def few(values: Iterable[Key], text: Callable[[Key], str | None]) -> Any:
    """Texts that come again and again: `text` is asked once for each value."""
    known = _Numbered()
    rows = array("i", map(known.__getitem__, values))
    return texts([None if (said := text(value)) is None else encodable(said).encode() for value in known]).take(
        ints(rows)
    )


def _valid(count: int, lacking: Iterable[int]) -> Any:
    """The bits of the rows that are not null; `None` where all are."""
    bits: bytearray | None = None
    for row in lacking:
        if bits is None:
            bits = bytearray(b"\xff") * (count // 8 + 1)
        bits[row >> 3] &= ~(1 << (row & 7))
    return None if bits is None else pyarrow().py_buffer(bits)


Compiled = tuple[int, bytes | None, bytes | None, int, bytes | None, bytes]
"""A column as the compiled module makes it: nulls, bits of the rows that are none, where lists begin, values, where
these begin, the values."""


def column(made: Compiled | None, kind: Any, rows: int) -> Any:
    """A column of the compiled module; `None` is one of nulls."""
    pa = pyarrow()
    if made is None:
        return pa.nulls(rows, kind)
    nulls, valid, lists, count, ends, held = made
    mask = None if valid is None else pa.py_buffer(valid)
    if lists is None:
        return _values(kind, rows, mask, nulls, ends, held)
    values = _values(kind.value_type, count, None, 0, ends, held)
    return pa.Array.from_buffers(kind, rows, [mask, pa.py_buffer(lists)], nulls, children=[values])


def _values(kind: Any, count: int, mask: Any, nulls: int, ends: bytes | None, held: bytes) -> Any:
    pa = pyarrow()
    if isinstance(kind, pa.BaseExtensionType):
        stored = _values(kind.storage_type, count, mask, nulls, ends, held)
        return pa.ExtensionArray.from_storage(kind, stored)
    parts = [mask, pa.py_buffer(held)] if ends is None else [mask, pa.py_buffer(ends), pa.py_buffer(held)]
    return pa.Array.from_buffers(kind, count, parts, nulls)
