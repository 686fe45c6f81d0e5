"""Comparisons: what each operator can compare, and the function that does."""

from __future__ import annotations

import operator as operators
from typing import TYPE_CHECKING, Any

from msgspec import structs

from amtdecode.filter.facts import OfLayers
from amtdecode.filter.lexer import Sort
from amtdecode.filter.literals import Network
from amtdecode.filter.patterns import MAX_SEARCHED, PatternError, pattern
from amtdecode.filter.schema import Family
from amtdecode.filter.tree import Arithmetic, Name, token_of
from amtdecode.filter.typed import CUT

if TYPE_CHECKING:
    from collections.abc import Callable

    from amtdecode.filter.facts import Facts
    from amtdecode.filter.operands import Operands
    from amtdecode.filter.tree import Comparison, Membership, Operand
    from amtdecode.filter.typed import Typed

    Judge = Callable[[Facts], bool]
    Test = Callable[[Any, Any], bool]

SEARCHED = frozenset({Family.TEXT, Family.BYTES, Family.PROTOCOL})
"""Families that `contains` and `matches` work on."""
TESTS: dict[str, Test] = {
    "==": operators.eq,
    "===": operators.eq,
    "!=": operators.ne,
    "!==": operators.ne,
    "<": operators.lt,
    "<=": operators.le,
    ">": operators.gt,
    ">=": operators.ge,
}
OF_ALL = frozenset({"===", "!="})
"""Operators that all values must meet, without a quantifier."""


def compared(operands: Operands, node: Comparison) -> Judge:
    """A comparison, checked. Raises `FilterError`."""
    operator = str(node.operator.value)
    left = _left(operands, node.left, node.operator.text)
    of_all = node.quantifier == "all" or (not node.quantifier and operator in OF_ALL)
    if left.known.family is Family.LABEL or (operator in ("contains", "matches") and left.known.family not in SEARCHED):
        raise operands.fail(f"{_described(left)} cannot participate in {node.operator.text} comparison.", left.token)
    if operator == "matches":
        return _matching(operands, left, node.right, of_all=of_all)
    right = operands.value_for(node.right, _as_searched(left) if operator == "contains" else left)
    read, other = left.read, right.read
    if operator == "contains":
        return _judge(read, other, _contains, of_all=of_all)
    if left.known.family is not right.known.family:  # a slice, and a value that has bytes
        left, right = operands.cut(left), operands.cut(right)
        read, other = left.read, right.read
    test = _test(operator, left.known.family)
    if right.sort == "constant" and right.constant is not None and not isinstance(right.constant, Network):
        return _with_constant(read, test, right.constant, of_all=of_all)
    if right.sort == "constant" and isinstance(right.constant, Network):
        test = _masked(test)
    return _judge(read, other, test, of_all=of_all)


def member(operands: Operands, node: Membership) -> Judge:
    """`in`, checked. Raises `FilterError`."""
    left = operands.field_like(node.left)
    if left is None or left.sort in ("function", "arithmetic"):
        raise operands.fail("Only a field may be tested for membership in a set.", token_of(node.left))
    if left.sort == "slice":
        raise operands.fail("Only a field may be tested for membership in a set.")
    if left.known.family is Family.LABEL:
        raise operands.fail(f"{_described(left)} cannot participate in in comparison.", left.token)
    fixed: set[Any] = set()
    tests: list[Callable[[Any, Facts], bool]] = []
    for first, last in node.members:
        low = operands.value_for(first, left)
        if last is not None:
            tests.append(_within(low, operands.value_for(last, left)))
        elif low.sort == "constant" and not isinstance(low.constant, Network):
            fixed.add(low.constant)
        else:
            tests.append(_among(low))
    read = left.read
    if not tests and node.quantifier != "all":
        return lambda facts: not fixed.isdisjoint(read(facts))

    def inside(value: Any, facts: Facts) -> bool:
        return value in fixed or any(test(value, facts) for test in tests)

    if node.quantifier == "all":

        def all_inside(facts: Facts) -> bool:
            values = read(facts)
            return bool(values) and all(inside(value, facts) for value in values)

        return all_inside
    return lambda facts: any(inside(value, facts) for value in read(facts))


def _left(operands: Operands, operand: Operand, operator: str) -> Typed:
    found = operands.field_like(operand)
    if found is not None:
        return found
    token = token_of(operand)
    if isinstance(operand, Arithmetic):
        raise operands.fail("Constant arithmetic expression on the LHS is invalid.", token)
    hint = operands.hint(token.text) if token.sort is Sort.WORD and not token.text[0].isdigit() else ""
    reason = f'Left side of "{operator}" expression must be a field or function, not {token.text}.'
    raise operands.fail(reason, token, hint)


def _test(operator: str, family: Family) -> Test:
    """What compares two values. Of bytes the longer are the greater, whatever they are."""
    test = TESTS[operator]
    if family in (Family.BYTES, Family.PROTOCOL) and operator[0] in "<>":
        return lambda value, other: test((len(value), value), (len(other), other))
    return test


def _as_searched(left: Typed) -> Typed:
    """What is looked for in addresses and identifiers is any bytes."""
    return structs.replace(left, known=CUT) if left.known.family is Family.BYTES else left


def _described(operand: Typed) -> str:
    return f"{operand.what} (type={operand.known.words})"


def _judge(
    read: Callable[[Facts], list[Any]], other: Callable[[Facts], list[Any]], test: Test, *, of_all: bool
) -> Judge:
    """Every value of the one side with every one of the other; false where a side has none."""

    def any_of(facts: Facts) -> bool:
        values = read(facts)
        if not values:
            return False
        others = other(facts)
        return any(test(value, each) for value in values for each in others)

    def all_of(facts: Facts) -> bool:
        values = read(facts)
        if not values:
            return False
        others = other(facts)
        return bool(others) and all(test(value, each) for value in values for each in others)

    return all_of if of_all else any_of


def _with_constant(read: Callable[[Facts], list[Any]], test: Test, constant: Any, *, of_all: bool) -> Judge:
    """The same with one fixed value: what most filters are made of."""
    if test is operators.eq and not of_all:
        return lambda facts: constant in read(facts)
    if test is operators.ne and of_all:

        def none_is(facts: Facts) -> bool:
            values = read(facts)
            return bool(values) and constant not in values

        return none_is

    def any_of(facts: Facts) -> bool:
        for value in read(facts):  # noqa: SIM110 - a loop costs less
            if test(value, constant):
                return True
        return False

    def all_of(facts: Facts) -> bool:
        values = read(facts)
        return bool(values) and all(test(value, constant) for value in values)

    return all_of if of_all else any_of


def _contains(value: bytes, part: bytes) -> bool:
    return bool(part) and part in value


def _masked(test: Test) -> Test:
    """Addresses with those of a network: by the bits that its addresses share."""
    return lambda value, network: test(value & network.mask, network.value)


def _among(member_: Typed) -> Callable[[Any, Facts], bool]:
    if isinstance(member_.constant, Network):
        network = member_.constant
        return lambda value, _facts: value & network.mask == network.value
    read = member_.read
    return lambda value, facts: value in read(facts)


def _within(low: Typed, high: Typed) -> Callable[[Any, Facts], bool]:
    reads = low.read, high.read
    family = low.known.family
    at_least = _maybe_masked(_test(">=", family), low)
    at_most = _maybe_masked(_test("<=", family), high)

    def within(value: Any, facts: Facts) -> bool:
        return any(at_least(value, each) for each in reads[0](facts)) and any(
            at_most(value, each) for each in reads[1](facts)
        )

    return within


def _maybe_masked(test: Test, bound: Typed) -> Test:
    return _masked(test) if isinstance(bound.constant, Network) else test


def _matching(operands: Operands, left: Typed, right: Operand, *, of_all: bool) -> Judge:
    token = token_of(right)
    if not isinstance(right, Name) or token.sort is not Sort.STRING:
        raise operands.fail("Matches requires a double quoted string on the right side.", token)
    try:
        search = pattern(token.value).search  # type: ignore[arg-type]  # of a string it is bytes
    except PatternError as error:
        raise operands.fail(f"Regex compilation error: {error}.") from None
    read = left.read

    def all_match(facts: Facts) -> bool:
        values = read(facts)
        return bool(values) and all(search(value, 0, MAX_SEARCHED) is not None for value in values)

    if of_all:
        return all_match
    return lambda facts: any(search(value, 0, MAX_SEARCHED) is not None for value in read(facts))


def exists(operands: Operands, operand: Operand) -> Judge:
    """An operand by itself. Raises `FilterError`."""
    found = operands.field_like(operand)
    token = token_of(operand)
    if found is None:
        if isinstance(operand, Arithmetic):
            raise operands.fail("Constant arithmetic expression on the LHS is invalid.", token)
        hint = operands.hint(token.text) if token.sort is Sort.WORD and not token.text[0].isdigit() else ""
        raise operands.fail(f"{token.text} is neither a field nor a protocol name.", token, hint)
    if found.sort == "reference":
        raise operands.fail(f"{found.what} is neither a field nor a protocol name.", found.token)
    if found.sort == "function":
        raise operands.fail("You cannot test whether a function is present.", token)
    read = found.read
    if isinstance(operand, Arithmetic) and operand.operator == "&":
        return lambda facts: any(_not_zero(value) for value in read(facts))
    there = getattr(found.source, "there", None)
    if there is not None:
        if isinstance(found.source, OfLayers):
            found.source.only_there()
        return there  # type: ignore[no-any-return]
    return lambda facts: bool(read(facts))


def _not_zero(value: Any) -> bool:
    return any(value) if isinstance(value, bytes) else bool(value)
