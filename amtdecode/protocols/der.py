"""Elements of ASN.1's BER and DER (X.690 section 8.1) as parts of a declaration."""

from __future__ import annotations

import io
from typing import Any

from construct import BytesInteger, Construct, ConstructError, Int8ub, Subconstruct

from amtdecode.protocols.declaration import Window

LONG = 0x80
LENGTH_BYTES = 4  # of a length, which say more than any message has


class Length(Construct):  # type: ignore[misc]
    """A length of one byte or, from 128 on, of more; without an end (80 hex) it is refused."""

    def _parse(self, stream: Any, context: Any, path: str) -> int:
        first = int(Int8ub._parsereport(stream, context, path))
        if first < LONG:
            return first
        if not 1 <= first & ~LONG <= LENGTH_BYTES:
            raise ConstructError(f"a length of {first & ~LONG} bytes", path)
        return int(BytesInteger(first & ~LONG)._parsereport(stream, context, path))

    def _build(self, obj: int, stream: Any, context: Any, path: str) -> int:  # noqa: ARG002
        more = obj.to_bytes((obj.bit_length() + 7) // 8 or 1, "big")
        stream.write(more if obj < LONG else bytes((LONG | len(more),)) + more)
        return obj


class Integer(Construct):  # type: ignore[misc]
    """What is left, as one number; built as short as BER wants it."""

    def __init__(self, *, signed: bool) -> None:
        super().__init__()
        self.signed = signed

    def _parse(self, stream: Any, context: Any, path: str) -> int:  # noqa: ARG002
        return int.from_bytes(stream.read(), "big", signed=self.signed)

    def _build(self, obj: int, stream: Any, context: Any, path: str) -> int:  # noqa: ARG002
        stream.write(obj.to_bytes(obj.bit_length() // 8 + 1, "big", signed=True))
        return obj


class Element(Subconstruct):  # type: ignore[misc]
    """A tag of one byte, a length, and what has that length. An `optional` one may not be there: `None`."""

    def __init__(self, tag: int, subcon: Construct, *, optional: bool = False) -> None:
        super().__init__(subcon)
        self.tag, self.optional = tag, optional
        self.flagbuildnone = optional

    def _parse(self, stream: Any, context: Any, path: str) -> Any:
        at = stream.tell()
        found = stream.read(1)
        if found != bytes((self.tag,)):
            if self.optional:
                stream.seek(at)
                return None
            raise ConstructError(f"tag {found.hex() or 'missing'} where {self.tag:02x} is due", path)
        length = Length()._parsereport(stream, context, path)
        base = getattr(stream, "position", stream.tell())
        data = stream.read(length)
        if len(data) < length:
            raise ConstructError(f"{length} bytes are due, {len(data)} are left", path)
        return self.subcon._parsereport(Window(data, base), context, path)

    def _build(self, obj: Any, stream: Any, context: Any, path: str) -> Any:
        if obj is None and self.optional:
            return None
        inside = io.BytesIO()
        built = self.subcon._build(obj, inside, context, path)
        stream.write(bytes((self.tag,)))
        Length()._build(len(inside.getvalue()), stream, context, path)
        stream.write(inside.getvalue())
        return built
