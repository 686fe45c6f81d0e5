"""What the parser makes of a filter."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import msgspec

if TYPE_CHECKING:
    from amtdecode.filter.lexer import Token


class Span(msgspec.Struct, frozen=True):
    """Bytes start to end of a value, as Python slices: negative ones count from the end; `end` None is the end."""

    start: int
    end: int | None

    def of(self, data: bytes) -> bytes | None:
        """These bytes; `None` where one of them is not there."""
        size = len(data)
        start = self.start + size if self.start < 0 else self.start
        end = size if self.end is None else self.end + size if self.end < 0 else self.end
        return data[start:end] if 0 <= start < end <= size else None

    def has(self, number: int, count: int) -> bool:
        """Whether the member `number` of `count`, both from 1, is one of them; for layers, which count from 1 too."""
        start = self.start + count + 1 if self.start < 0 else self.start
        end = count + 1 if self.end is None else self.end + count + 1 if self.end < 0 else self.end
        return start <= number < end


class Name(msgspec.Struct, frozen=True):
    """A field, or a value: a word may be either."""

    token: Token
    layers: tuple[Span, ...] = ()


class Slice(msgspec.Struct, frozen=True):
    """Bytes of a value."""

    of: Operand
    spans: tuple[Span, ...]
    token: Token


class Call(msgspec.Struct, frozen=True):
    """A function."""

    token: Token
    arguments: tuple[Operand, ...]


class Arithmetic(msgspec.Struct, frozen=True):
    """`left operator right`; unary where there is no left."""

    operator: str
    left: Operand | None
    right: Operand
    token: Token


Operand: TypeAlias = "Name | Slice | Call | Arithmetic"


class Comparison(msgspec.Struct, frozen=True):
    """`left operator right`, with the quantifier in front: "", "any" or "all"."""

    operator: Token
    left: Operand
    right: Operand
    quantifier: str = ""


class Membership(msgspec.Struct, frozen=True):
    """`left in {…}`: values, and pairs of them that are the ends of a range."""

    left: Operand
    members: tuple[tuple[Operand, Operand | None], ...]
    quantifier: str = ""


class Exists(msgspec.Struct, frozen=True):
    """An operand by itself: whether it is there, or for `&` whether it is not zero."""

    operand: Operand


class Not(msgspec.Struct, frozen=True):
    """The contrary."""

    test: Test


class Both(msgspec.Struct, frozen=True):
    """`and`, of two or more."""

    tests: tuple[Test, ...]


class Either(msgspec.Struct, frozen=True):
    """`or`, of two or more."""

    tests: tuple[Test, ...]


Test: TypeAlias = "Comparison | Membership | Exists | Not | Both | Either"


def token_of(operand: Operand) -> Token:
    """The token that messages point to."""
    if isinstance(operand, Slice):
        return token_of(operand.of)
    if isinstance(operand, Arithmetic):
        return token_of(operand.left if operand.left is not None else operand.right)
    return operand.token
