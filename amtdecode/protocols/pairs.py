"""Names with their values, as headers and the elements of an envelope are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class worked_out(Generic[T]):  # noqa: N801 - a decorator
    """`functools.cached_property` without its lock, which costs more than most of what is worked out (until 3.12)."""

    def __init__(self, function: Callable[[Any], T]) -> None:
        self.function, self.__doc__ = function, function.__doc__
        self.name = function.__name__

    def __get__(self, instance: Any, owner: type) -> T:
        found = instance.__dict__[self.name] = self.function(instance)
        return found


class Pairs(tuple[tuple[str, str], ...]):  # noqa: SLOT001 (those below keep what they work out)
    """Names and values in the order in which they stand; names repeat. `repr` shows no values: they may be secret."""

    def __repr__(self) -> str:
        return f"<{', '.join([name for name, _ in self])}>"
