"""A filter compiled to one function, and what that function needs to be asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.errors import UsageError
from amtdecode.filter.comparisons import compared, exists, member
from amtdecode.filter.facts import OfHeaders, OfLayers, OfRooms
from amtdecode.filter.operands import Operands
from amtdecode.filter.parser import parse
from amtdecode.filter.plan import without_events
from amtdecode.filter.schema import schema_of
from amtdecode.filter.tree import Both, Comparison, Either, Membership, Not
from amtdecode.protocols.demand import in_full, on_demand
from amtdecode.protocols.registry import REGISTRY

if TYPE_CHECKING:
    from collections.abc import Callable

    from amtdecode.filter.facts import Facts
    from amtdecode.filter.tree import Test
    from amtdecode.protocols.dissector import Protocol

    Judge = Callable[[Facts], bool]


class Filter:
    """A display filter, ready to judge packets."""

    def __init__(self, text: str, test: Test | None, operands: Operands) -> None:
        self.text = text
        self.test = test
        self.passes: Judge = _everything if test is None else _compiled(operands, test)
        """Whether a packet passes."""
        self.names = frozenset(source.known.name for source in operands.sources)
        """All fields and protocols that it asks for."""
        self.packet_names = frozenset(
            source.known.name for source in operands.sources if isinstance(source, (OfHeaders, OfLayers))
        )
        """Those that the packet's own headers have."""
        self.event_names = self.names - self.packet_names
        """Those that events have."""
        self.needs_events = test is not None and without_events(test, operands.schema) is False
        """Whether only packets pass of which something was decoded."""
        self.reads_plain = all(source.of_plain is not None for source in operands.sources)
        """Whether plain packets can be judged by what `filter.plain` reads alone."""
        self.reads_messages = any(isinstance(source, OfRooms) for source in operands.sources)
        """Whether bytes of messages may be compared, so that they are to be kept."""

    def in_full(self, registry: tuple[Protocol, ...]) -> tuple[Protocol, ...]:
        """The rooms for a reading with this filter: those that it asks state every message."""
        return in_full(registry, self.event_names)

    def rooms(self, registry: tuple[Protocol, ...]) -> tuple[Protocol, ...]:
        """The same, where nothing else is wanted than to know which packets pass: the others do not dissect."""
        return on_demand(registry, self.event_names)

    def __repr__(self) -> str:
        return f"Filter({self.text!r})"


def compile_filter(text: str, registry: tuple[Protocol, ...] = REGISTRY) -> Filter:
    """Compile a display filter; an empty one lets everything pass.

    Raises `FilterError`, and `UsageError` for what is no text.
    """
    if not isinstance(text, str):
        raise UsageError(f"filter: wanted is a text, not {text!r}")
    test = parse(text)
    return Filter(text, test, Operands(text, schema_of(registry)))


def _everything(_facts: Facts) -> bool:
    return True


def _compiled(operands: Operands, test: Test) -> Judge:
    if isinstance(test, Not):
        inside = _compiled(operands, test.test)
        return lambda facts: not inside(facts)
    if isinstance(test, (Both, Either)):
        parts, both = [_compiled(operands, part) for part in test.tests], isinstance(test, Both)
        return _of_two(parts, both=both) if len(parts) == 2 else _of_many(parts, both=both)
    if isinstance(test, Comparison):
        return compared(operands, test)
    if isinstance(test, Membership):
        return member(operands, test)
    return exists(operands, test.operand)


def _of_two(parts: list[Judge], *, both: bool) -> Judge:
    first, second = parts
    if both:
        return lambda facts: first(facts) and second(facts)
    return lambda facts: first(facts) or second(facts)


def _of_many(parts: list[Judge], *, both: bool) -> Judge:
    if both:
        return lambda facts: all(part(facts) for part in parts)
    return lambda facts: any(part(facts) for part in parts)
