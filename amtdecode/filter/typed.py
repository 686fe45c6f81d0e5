"""An operand that has been checked: what its values are, and the function that reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from amtdecode.fields import Kind
from amtdecode.filter.schema import Family, Known
from amtdecode.filter.tree import Span

if TYPE_CHECKING:
    from collections.abc import Callable

    from amtdecode.errors import FilterError
    from amtdecode.filter.facts import Facts, Source
    from amtdecode.filter.lexer import Token
    from amtdecode.filter.tree import Operand

CUT = Known("", Family.BYTES, Kind.BYTES)
COUNTED = Known("", Family.UNSIGNED, Kind.UINT32)
WHOLE = (Span(0, None),)
WORDS = Known("", Family.TEXT, Kind.STRING)


class Typed(msgspec.Struct):
    """An operand that reads values."""

    known: Known
    what: str
    """As messages name it."""
    token: Token
    read: Callable[[Facts], list[Any]]
    source: Source | None = None
    """Of a field by itself."""
    sort: str = "field"
    """Or "slice", "function", "arithmetic", "constant"."""
    constant: Any = None


class Compiler(Protocol):
    """Who compiles operands, for those that have some inside."""

    def fail(self, reason: str, token: Token | None = None, hint: str = "") -> FilterError:
        """An error that points to a token."""

    def field_like(self, operand: Operand) -> Typed | None:
        """An operand with values of its own; `None` for a value written in the filter."""

    def value_for(self, operand: Operand, left: Typed) -> Typed:
        """The right side: something of the same kind as the left, or a value written for it."""
