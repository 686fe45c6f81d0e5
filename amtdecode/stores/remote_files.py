"""Captures in a store, as the readers of captures take an open file."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, BinaryIO, Final

from amtdecode.stores.remote import Remote, said

OPEN_AT_ONCE: Final = 8  # files of a store, each with what was read ahead of it


class RemoteFiles:
    """Files of stores, opened when they are read. No more than `OPEN_AT_ONCE` are open."""

    def __init__(self) -> None:
        self._open: dict[RemoteFile, Any] = {}

    def file(self, path: str) -> BinaryIO:
        """One of them, to be read by position."""
        return RemoteFile(self, path)  # type: ignore[return-value]

    def opened(self, file: RemoteFile) -> Any:
        """The file as its store opens it."""
        found = self._open.pop(file, None)
        if found is None:
            while len(self._open) >= OPEN_AT_ONCE:
                self.close(next(iter(self._open)))
            found = Remote(file.name).open(file.name, "rb")
        self._open[file] = found
        return found

    def close(self, file: RemoteFile) -> None:
        """Let go of it; it may be read again."""
        with suppress(Exception):
            self._open.pop(file).close()

    def close_all(self) -> None:
        """Let go of all."""
        for file in [*self._open]:
            self.close(file)


class RemoteFile:
    """A file of a store, as far as a capture is read: forward, and again from the start."""

    def __init__(self, files: RemoteFiles, name: str) -> None:
        self.name = name
        self._files = files
        self._position = 0

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """Where it stands."""
        return self._position

    def seek(self, position: int) -> int:
        """Go there."""
        self._position = position
        return position

    def read(self, size: int = -1) -> bytes:
        """The next bytes. Raises `OSError`."""
        with said():
            file = self._files.opened(self)
            if file.tell() != self._position:
                file.seek(self._position)
            data = bytes(file.read(size))
        self._position += len(data)
        if not data:
            self._files.close(self)
        return data
