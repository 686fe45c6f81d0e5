"""What the headers of all layers share: bytes that may be cut, and fields that are read one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from amtdecode.fields import Field
from amtdecode.model import address_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from amtdecode.fields import Kind


class Header:
    """One header of a packet: its bytes begin at `start`; what was captured of it and of what it carries ends at `end`.

    On the wire that ended at `wire`. Big-endian throughout.
    """

    __slots__ = ("data", "end", "start", "wire")

    protocol: ClassVar[str] = ""
    """tshark's name of the layer."""

    def __init__(self, data: bytes, start: int, end: int, wire: int) -> None:
        self.data = data
        self.start = start
        self.end = end
        self.wire = wire

    def u8(self, at: int) -> int | None:
        """The byte at an offset of the header; `None` where it was not captured, as below."""
        place = self.start + at
        return self.data[place] if place < self.end else None

    def u16(self, at: int) -> int | None:
        """The 16-bit number at an offset."""
        place = self.start + at
        return self.data[place] << 8 | self.data[place + 1] if place + 2 <= self.end else None

    def u32(self, at: int) -> int | None:
        """The 32-bit number at an offset."""
        return int.from_bytes(found, "big") if (found := self.take(at, 4)) is not None else None

    def bits(self, at: int, shift: int, mask: int) -> int | None:
        """Bits of the byte at an offset: shifted down, then masked."""
        value = self.u8(at)
        return None if value is None else value >> shift & mask

    def flag(self, at: int, mask: int) -> bool | None:
        """Whether a bit of the byte at an offset is set."""
        value = self.u8(at)
        return None if value is None else bool(value & mask)

    def take(self, at: int, size: int) -> bytes | None:
        """`size` bytes at an offset."""
        place = self.start + at
        return self.data[place : place + size] if place + size <= self.end else None


def declare(
    name: str,
    kind: Kind,
    meaning: str,
    read: Callable[[Any], Any],
    *,
    repeated: bool = False,
    values: Mapping[Any, str] | None = None,
) -> Field:
    """One field of a header, read from it by one function: `None`, or nothing in a list, where the header lacks it."""
    return Field(name, kind, meaning, read, () if repeated else None, values or {}, repeated)


def address(packed: bytes | None) -> str | None:
    """An address of 4 or 16 bytes as text."""
    return None if packed is None else address_text(packed)


def ether(packed: bytes | None) -> str | None:
    """An Ethernet address as text."""
    return None if packed is None else packed.hex(":")


def seconds(time_ns: int | None) -> str | None:
    """Nanoseconds as seconds with nine decimals, as tshark prints them."""
    if time_ns is None:
        return None
    sign, time_ns = ("-", -time_ns) if time_ns < 0 else ("", time_ns)
    return f"{sign}{time_ns // 10**9}.{time_ns % 10**9:09d}"
