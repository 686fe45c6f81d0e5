"""What a store can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator


class About(NamedTuple):
    """What a file was when it was looked at."""

    size: int
    changed: int
    """When, in nanoseconds since 1970; of a store, a digest of what it says instead (an entity tag, a time)."""


class Store(Protocol):
    """Reads, moves and removes files. What goes wrong is an `OSError`."""

    def absolute(self, path: str) -> str:
        """The same path from wherever it is named."""
        ...

    def is_folder(self, path: str) -> bool:
        """Whether anything is in it, or it is there and empty."""
        ...

    def is_file(self, path: str) -> bool:
        """Whether it is there, and no folder."""
        ...

    def names(self, folder: str) -> list[str]:
        """What lies in a folder; nothing where there is none."""
        ...

    def files(self, folder: str, without: str) -> Iterator[tuple[str, str, About | OSError]]:
        """Path, folder below the one given, and what it is: of each file, however deep, not hidden, nor in `without`.

        Links to folders are not followed. A folder or file that cannot be looked at comes with its error.
        """
        ...

    def about(self, path: str) -> About:
        """What a file is now."""
        ...

    def read(self, path: str) -> bytes:
        """All of a file."""
        ...

    def make(self, folder: str) -> None:
        """Make a folder, with those above it, where a store has folders."""
        ...

    def move(self, source: str, target: str) -> None:
        """Give a file another name, in place of what had it."""
        ...

    def remove(self, path: str) -> None:
        """Remove a file."""
        ...

    def remove_folder(self, folder: str) -> None:
        """Remove a folder and all in it, as far as that goes."""
        ...

    def below(self, folder: str) -> Iterator[str]:
        """All files of a folder, as paths below it with slashes; folders that are empty then go."""
        ...
