"""Values by path, as the elements of an envelope give them: what of them is shown, what is secret, what has a name."""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

from amtdecode.protocols.pairs import Pairs
from amtdecode.protocols.soap import tables


class Lines(NamedTuple):
    """Values as `path=text`."""

    shown: list[str]
    hidden: list[str]  # those that are secrets


class Values(Pairs):
    """Paths of elements (local names joined with `/`) and their texts, in document order; paths repeat.

    A message and the call it belongs to share them, so that they are looked through once.
    """

    @cached_property
    def lines(self) -> Lines:
        """Each value as `path=text`."""
        last_letters = tables.SECRET_LAST_LETTERS
        shown: list[str] = []
        hidden: list[str] = []
        above, inside = "", False
        for path, text in self:
            parent, _, name = path.rpartition("/")
            if parent != above:
                above, inside = parent, tables.is_secret_inside(parent)
            if inside or (name.rstrip("0123456789]")[-3:].lower() in last_letters and tables.is_secret(path)):
                hidden.append(f"{path}={text}")
            else:
                shown.append(f"{path}={text}")
        return Lines(shown, hidden)

    def named(self, owner: str, operation: str) -> list[str]:
        """`path=name` of each value that is no secret and has a name in a class (or service) and operation."""
        return [
            f"{path}={name}"
            for path, text in self
            if text.isdecimal()
            and (name := tables.value_name(owner, operation, path, text))
            and not tables.is_secret(path)
        ]

    def value(self, path: str) -> str | None:
        """Give the text of the first value with this path, or whose path ends so; `None` if there is none."""
        end = f"/{path}"
        return next((text for name, text in self if name == path or name.endswith(end)), None)


NO_VALUES = Values()
