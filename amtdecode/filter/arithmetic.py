"""Sums, products and bits of operands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amtdecode.fields import Kind
from amtdecode.filter.literals import Network
from amtdecode.filter.schema import Family, Known
from amtdecode.filter.typed import Typed

if TYPE_CHECKING:
    from collections.abc import Callable

    from amtdecode.filter.facts import Facts
    from amtdecode.filter.lexer import Token
    from amtdecode.filter.typed import Compiler

NUMBERS = frozenset({Family.UNSIGNED, Family.SIGNED, Family.FLOAT})
CAN = {
    "+": NUMBERS | {Family.DURATION},
    "-": NUMBERS | {Family.DURATION},
    "*": NUMBERS,
    "/": NUMBERS,
    "%": NUMBERS,
    "&": frozenset({Family.UNSIGNED, Family.SIGNED, Family.BYTES, Family.IPV4, Family.IPV6}),
}
"""By operator: whose values it works on."""
SIGNED = {Kind.UINT64: Kind.INT64}


def check(operands: Compiler, operator: str, left: Typed) -> None:
    """Raise `FilterError` where an operator cannot work on a kind of values."""
    if left.known.family not in CAN[operator]:
        raise operands.fail(f"{left.known.ftype} cannot {operator}.", left.token)


def check_sign(operands: Compiler, operator: str, left: Typed, token: Token) -> None:
    """The same for a sign."""
    if operator == "-" and left.known.family not in CAN["-"]:
        raise operands.fail(f"{left.known.ftype} cannot -.", token)


def negative(known: Known) -> Known:
    """The kind of a number with a minus in front."""
    if known.family is not Family.UNSIGNED:
        return known
    kind = SIGNED.get(known.kind, Kind.INT32) if known.kind is not None else Kind.INT32
    return Known(known.name, Family.SIGNED, kind)


def signed(operands: Compiler, operator: str, inside: Typed) -> Typed:
    """`-operand`, `+operand`."""
    if operator == "+":
        return inside
    check_sign(operands, operator, inside, inside.token)
    read = inside.read
    return Typed(
        negative(inside.known), inside.what, inside.token, lambda facts: [-v for v in read(facts)], None, "arithmetic"
    )


def signed_constant(operator: str, left: Typed, right: Typed) -> Typed:
    """`-5` for a field; of one without a sign it is a very large number, as in C."""
    value = right.constant
    if operator == "-":
        value = -value
        if left.known.family is Family.UNSIGNED:
            value &= (1 << max(32, left.known.bits)) - 1
    values = [value]
    return Typed(left.known, right.what, right.token, lambda _facts: values, None, "constant", value)


def combined(operator: str, left: Typed, right: Typed) -> Typed:
    """`left operator right`: every value of the one with every value of the other."""
    work = _bits(left.known.family) if operator == "&" else _WORK[operator]
    read, other = left.read, right.read
    known = negative(left.known) if operator == "-" else left.known
    bounded = _bounded(known) if operator in ("+", "*") else None

    def values(facts: Facts) -> list[Any]:
        found = []
        others = other(facts)
        for first in read(facts):
            for second in others:
                try:
                    value = work(first, second)
                    found.append(bounded(value) if bounded is not None else value)
                except ArithmeticError:  # division by zero, too large a number: there is no value
                    continue
        return found

    if left.sort == "constant" and right.sort == "constant":
        made = values(None)  # type: ignore[arg-type]  # constants read nothing
        return Typed(known, left.what, left.token, lambda _facts: made, None, "constant", made[0] if made else None)
    return Typed(known, left.what, left.token, values, None, "arithmetic")


def _bounded(known: Known) -> Callable[[Any], Any] | None:
    """What refuses a number beyond the width that Wireshark counts with: 32 bits, or 64 for fields that wide."""
    if known.family is not Family.UNSIGNED:
        return None
    most = (1 << (64 if known.kind is Kind.UINT64 else 32)) - 1

    def bounded(value: int) -> int:
        if value > most:
            raise OverflowError
        return value

    return bounded


def _quotient(first: Any, second: Any) -> Any:
    """As C divides: towards zero."""
    if isinstance(first, float):
        return first / second
    size = abs(first) // abs(second)
    return -size if (first < 0) != (second < 0) else size


def _remainder(first: Any, second: Any) -> Any:
    return first - second * _quotient(first, second) if not isinstance(first, float) else first % second


_WORK: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda first, second: first + second,
    "-": lambda first, second: first - second,
    "*": lambda first, second: first * second,
    "/": _quotient,
    "%": _remainder,
}


def _bits(family: Family) -> Callable[[Any, Any], Any]:
    if family is Family.BYTES:
        return lambda first, second: bytes([a & b for a, b in zip(first, second, strict=False)])
    if family in (Family.IPV4, Family.IPV6):
        return lambda first, second: first & (second.value if isinstance(second, Network) else second)
    return lambda first, second: first & second
