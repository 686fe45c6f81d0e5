"""Operands: fields, slices, functions and arithmetic, each checked, and made the function that reads its values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amtdecode.errors import FilterError
from amtdecode.filter import arithmetic, functions
from amtdecode.filter.facts import Facts, as_bytes, source_of
from amtdecode.filter.lexer import Sort
from amtdecode.filter.literals import Network, Refused, literal
from amtdecode.filter.schema import SLICED, Known, Schema
from amtdecode.filter.tree import Arithmetic, Call, Name, Slice, Span, token_of
from amtdecode.filter.typed import CUT, WHOLE, Typed

if TYPE_CHECKING:
    from collections.abc import Callable

    from amtdecode.filter.facts import Source
    from amtdecode.filter.lexer import Token
    from amtdecode.filter.tree import Operand

Read = "Callable[[Facts], list[Any]]"


class Operands:
    """Compiles operands of one filter, and remembers the sources that it reads."""

    def __init__(self, text: str, schema: Schema) -> None:
        self._text = text
        self.schema = schema
        self.sources: list[Source] = []

    def fail(self, reason: str, token: Token | None = None, hint: str = "") -> FilterError:
        """An error that points to a token."""
        if token is None:
            return FilterError(reason, self._text, hint=hint)
        return FilterError(reason, self._text, token.at + 1, len(token.text), hint)

    # -- what can be read ---------------------------------------------------------------------------------------------

    def field_like(self, operand: Operand) -> Typed | None:
        """An operand with values of its own; `None` for a value written in the filter."""
        if isinstance(operand, Name):
            return self._field(operand)
        if isinstance(operand, Slice):
            return self._slice(operand)
        if isinstance(operand, Call):
            return self._call(operand)
        return self._arithmetic(operand)

    def _field(self, name: Name) -> Typed | None:
        token = name.token
        if token.sort is Sort.REFERENCE:
            return self._reference(token)
        if token.sort not in (Sort.WORD, Sort.FIELD):
            return None
        text = str(token.value)
        found = self.schema.find(text)
        if found is None:
            if token.sort is Sort.FIELD:
                raise self.fail(f'"{text}" is not a valid protocol or protocol field.', token, self.hint(text))
            if name.layers:
                raise self.fail(f"{text} is neither a field nor a protocol name.", token, self.hint(text))
            return None
        source = source_of(found, name.layers)
        self.sources.append(source)
        return Typed(found, text, token, source.read, source)

    def _reference(self, token: Token) -> Typed:
        """A value of the packet selected in Wireshark: here none is, so there is no value."""
        name = str(token.value)
        found = self.schema.find(name)
        if found is None:
            raise self.fail(f"macro '{name}' does not exist")
        inside = token._replace(text=name, at=token.at + 2)
        return Typed(found, f"{name} <{found.ftype}>", inside, _nothing, sort="reference")

    def hint(self, name: str) -> str:
        """Names that may be meant."""
        near = self.schema.nearest(name)
        return f"Did you mean {' or '.join(near)}?" if near else ""

    def _slice(self, cut: Slice) -> Typed | None:
        inside = self.field_like(cut.of)
        if inside is None:
            token = token_of(cut.of)
            if isinstance(cut.of, Name):
                raise self.fail(f"{token.text} cannot be sliced, it is neither a field nor a protocol.", token)
            return None
        if inside.known.family not in SLICED:
            raise self._no_bytes(inside, "sliced into a sequence of bytes.")
        return Typed(CUT, inside.what, inside.token, _cutter(inside, cut.spans), sort="slice")

    def cut(self, operand: Typed) -> Typed:
        """All bytes of an operand's values."""
        return Typed(CUT, operand.what, operand.token, _cutter(operand, WHOLE), sort="slice")

    def _no_bytes(self, operand: Typed, what: str) -> FilterError:
        if operand.sort == "function":
            name = operand.token.text
            what = "converted into a sequence of bytes."
            reason = f'Return value of function "{name}" is a {operand.known.words} and cannot be {what}'
        else:
            reason = f'"{operand.what}" is a {operand.known.words} and cannot be {what}'
        return self.fail(reason, operand.token)

    def _call(self, call: Call) -> Typed:
        return functions.call(self, call)

    # -- arithmetic ---------------------------------------------------------------------------------------------------

    def _arithmetic(self, node: Arithmetic) -> Typed | None:
        operator = node.operator
        if node.left is None:
            inside = self.field_like(node.right)
            if inside is None:
                return None
            return arithmetic.signed(self, operator, inside)
        left = self.field_like(node.left)
        if left is None:
            return None
        arithmetic.check(self, operator, left)
        return arithmetic.combined(operator, left, self._term(operator, node.right, left))

    def _term(self, operator: str, operand: Operand, left: Typed) -> Typed:
        """The right side of an arithmetic operator."""
        right = self.field_like(operand)
        if right is not None:
            arithmetic.check(self, operator, right)
            if right.known.family is not left.known.family:
                raise self.fail(f"{left.what} and {right.what} are not type compatible.", right.token)
            return right
        if isinstance(operand, Name) and operand.token.sort is Sort.STRING:
            raise self.fail(f"{operand.token.text} is not a valid arithmetic operand.", operand.token)
        return self.value_for(operand, left)

    # -- the other side -----------------------------------------------------------------------------------------------

    def value_for(self, operand: Operand, left: Typed) -> Typed:
        """The right side: something of the same kind as the left, or a value written for it."""
        found = self.field_like(operand)
        if found is not None:
            return self._fitting(found, left)
        if isinstance(operand, Name):
            token = operand.token
            try:
                value = literal(token, left.known)
            except Refused as error:
                raise self.fail(str(error), token) from None
            return _constant(left.known, token, value)
        assert isinstance(operand, Arithmetic)  # noqa: S101 - slices and calls have values
        return self._constant_arithmetic(operand, left)

    def _fitting(self, found: Typed, left: Typed) -> Typed:
        if left.known.family is found.known.family:
            return found
        if "slice" in (left.sort, found.sort):
            if found.known.family not in SLICED:
                raise self._no_bytes(found, "converted into a sequence of bytes.")
            if left.known.family in SLICED:
                return found
        raise self.fail(f"{left.what} and {found.what} are not of compatible types.", found.token)

    def _constant_arithmetic(self, node: Arithmetic, left: Typed) -> Typed:
        if node.left is None:
            arithmetic.check_sign(self, node.operator, left, token_of(node.right))
            right = self.value_for(node.right, left)
            return arithmetic.signed_constant(node.operator, left, right)
        first = self.value_for(node.left, left)
        arithmetic.check(self, node.operator, first)
        return arithmetic.combined(node.operator, first, self._term(node.operator, node.right, first))


def _nothing(_facts: Facts) -> list[Any]:
    return []


def _constant(known: Known, token: Token, value: Any) -> Typed:
    values = [value]
    return Typed(known, token.text, token, lambda _facts: values, None, "constant", value)


def _cutter(inside: Typed, spans: tuple[Span, ...]) -> Callable[[Facts], list[Any]]:
    read, convert = inside.read, as_bytes(inside.known)

    def cut(facts: Facts) -> list[Any]:
        found = []
        for value in read(facts):
            data = convert(value)
            parts = [span.of(data) for span in spans]
            if None not in parts:
                found.append(b"".join(parts))  # type: ignore[arg-type]  # no None is left
        return found

    return cut


def is_network(value: Any) -> bool:
    """Whether a value stands for many addresses."""
    return isinstance(value, Network)
