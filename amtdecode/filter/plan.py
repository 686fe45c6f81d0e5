"""What a filter needs: of packets nothing, the headers of some, or to follow all; and whether something decoded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.filter.lexer import Sort
from amtdecode.filter.tree import Arithmetic, Both, Call, Comparison, Either, Exists, Membership, Name, Not, Slice
from amtdecode.frame.catalogue import BY_NAME, NOTHING, needed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amtdecode.filter.schema import Schema
    from amtdecode.filter.tree import Operand, Test

BY_ORDER = frozenset({"frame.time_relative", "frame.time_delta"})
"""Fields that need the packets before."""


def followed(names: Iterable[str]) -> list[str]:
    """Those that are fields of packets; the others are protocols."""
    return [name for name in names if name in BY_NAME]


def must_follow(names: Iterable[str]) -> bool:
    """Whether all packets must be read, one by one and in order, to know these fields of one."""
    fields = followed(names)
    return not BY_ORDER.isdisjoint(fields) or needed(fields) > NOTHING


def without_events(test: Test, schema: Schema) -> bool | None:
    """How a filter judges packets of which nothing was decoded but their headers; `None` where that depends on them.

    Where it is false, nobody need look at such packets.
    """
    if isinstance(test, Not):
        inside = without_events(test.test, schema)
        return None if inside is None else not inside
    if isinstance(test, (Both, Either)):
        parts = {without_events(part, schema) for part in test.tests}
        decides = isinstance(test, Either)  # one that is true makes the whole true; of `and` one that is false, false
        if decides in parts:
            return decides
        return None if None in parts else not decides
    if isinstance(test, Comparison):
        missing = _of_events(test.left, schema) or _of_events(test.right, schema)
    elif isinstance(test, Membership):
        missing = _of_events(test.left, schema)
    else:
        missing = isinstance(test, Exists) and _of_events(test.operand, schema)
    return False if missing else None


def _of_events(operand: Operand, schema: Schema) -> bool:
    """Whether an operand has no value where nothing was decoded."""
    if isinstance(operand, Name):
        if operand.token.sort not in (Sort.WORD, Sort.FIELD):
            return False
        found = schema.find(str(operand.token.value))
        return found is not None and not found.in_packet
    if isinstance(operand, Slice):
        return _of_events(operand.of, schema)
    if isinstance(operand, Call):
        return bool(operand.arguments) and all(_of_events(each, schema) for each in operand.arguments)
    assert isinstance(operand, Arithmetic)  # noqa: S101 - there are no others
    sides = [operand.right] if operand.left is None else [operand.left, operand.right]
    return any(_of_events(side, schema) for side in sides)
