"""Names and values that belong together, kept apart: many messages share the names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter
from typing import TypeAlias, overload

Picker: TypeAlias = Callable[[Sequence[str]], tuple[str, ...]]


def picker(places: Sequence[int]) -> Picker:
    """Make what picks the texts at these places out of a tuple."""
    if not places:
        return itemgetter(slice(0))
    first, behind = places[0], places[-1] + 1
    if list(places) == list(range(first, behind)):  # mostly they stand together
        return itemgetter(slice(first, behind))
    return itemgetter(*places)


class Pairs(Sequence[tuple[str, str]]):
    """Stands for the tuple of its pairs, and is equal to it; they are paired when asked for."""

    __slots__ = ()

    @property
    def columns(self) -> tuple[Sequence[str], Sequence[str]]:
        """The names, and the values in the same order."""
        raise NotImplementedError

    def __len__(self) -> int:
        return len(self.columns[1])

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return zip(*self.columns, strict=True)

    @overload
    def __getitem__(self, at: int) -> tuple[str, str]: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[tuple[str, str], ...]: ...
    def __getitem__(self, at: int | slice) -> tuple[str, str] | tuple[tuple[str, str], ...]:
        if isinstance(at, slice):
            return tuple(self)[at]
        names, values = self.columns
        return names[at], values[at]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, (tuple, Pairs)) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return f"<{', '.join(self.columns[0])}>"  # the values may be secret
