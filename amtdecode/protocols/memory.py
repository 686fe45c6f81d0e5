"""What one run remembers from message to message: bounded, owned by the engine, gone with it.

Machines of one kind say the same again and again: what was read once need not be read anew. A room puts what it
remembers into a class of its own, and asks the run's `Memory` for it:

    class TlsMemory: …
    shared = context.memory.of(TlsMemory)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Memo(dict[Any, T]):
    """Results of a function by its arguments (a tuple): `memo[arguments]`. Emptied when it holds `most`."""

    __slots__ = ("function", "most")

    def __init__(self, function: Callable[..., T], most: int) -> None:
        super().__init__()
        self.function, self.most = function, most

    def __missing__(self, arguments: Any) -> T:
        if len(self) >= self.most:
            self.clear()
        result = self[arguments] = self.function(*arguments)
        return result


class Memory:
    """What the rooms of one run remember: one object for each class asked for."""

    __slots__ = ("_objects",)

    def __init__(self) -> None:
        self._objects: dict[type, object] = {}

    def of(self, kind: type[T]) -> T:
        """The run's object of this class, made when first asked for."""
        found = self._objects.get(kind)
        if found is None:
            found = self._objects[kind] = kind()
        return cast("T", found)

    def lacks(self, shares: int) -> str:
        """Of one of so many shares: what was looked up and may stand in a connection of another; "" for nothing.

        Asks each object that has a method of this name.
        """
        asked = (each.lacks(shares) for each in self._objects.values() if hasattr(each, "lacks"))
        return next(filter(None, asked), "")
