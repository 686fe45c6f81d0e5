"""Files of a store that fsspec knows. Each kind of store has its own family of errors: here all are `OSError`."""

from __future__ import annotations

import re
from contextlib import contextmanager, suppress
from datetime import datetime
from errno import EIO
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

from amtdecode.errors import MissingExtraError, UsageError
from amtdecode.stores.paths import is_remote
from amtdecode.stores.store import About, Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BLOCK: Final = 1 << 20  # bytes that are read ahead

_PASSWORD: Final = re.compile(r"://[^/@]*:[^/@]*@")
_STAMPS: Final = ("ETag", "etag", "mtime", "LastModified", "last_modified", "updated", "modified", "created")
"""Under which a store says that a file is another one; the surest first."""


class Remote(Store):
    """A store that fsspec knows. What it remembers of folders is forgotten before each look."""

    def __init__(self, path: str) -> None:
        try:
            from fsspec.core import url_to_fs
        except ImportError as error:
            raise MissingExtraError(f"{path}: needs fsspec: pip install 'amtdecode[scale]'") from error
        if _PASSWORD.search(path):
            raise UsageError("a path with a password in it would be written into tables: configure the store instead")
        try:
            self._fs, self._root = url_to_fs(path)
        except ImportError as error:
            raise MissingExtraError(f"{path}: fsspec says: {_words(error)}") from error
        except ValueError as error:
            raise UsageError(f"{path}: fsspec says: {_words(error)}") from error
        self._path = path

    def _key(self, path: str) -> str:
        """A path as the store itself writes it."""
        key: str = self._fs._strip_protocol(path) if "::" not in path else _stripped(path)
        return key

    def absolute(self, path: str) -> str:
        return path.rstrip("/") if "::" in path else str(self._fs.unstrip_protocol(self._key(path)))

    def is_folder(self, path: str) -> bool:
        with said():
            self._fs.invalidate_cache()
            return bool(self._fs.isdir(self._key(path)))

    def is_file(self, path: str) -> bool:
        with said():
            self._fs.invalidate_cache()
            return bool(self._fs.isfile(self._key(path)))

    def names(self, folder: str) -> list[str]:
        with said():
            self._fs.invalidate_cache()
            try:
                found = self._fs.ls(self._key(folder), detail=False)
            except FileNotFoundError:
                return []
        return [name for each in found if (name := str(each).rstrip("/").rpartition("/")[2])]

    def files(self, folder: str, without: str) -> Iterator[tuple[str, str, About | OSError]]:
        top = self.absolute(folder).rstrip("/")
        avoided = Remote(without).absolute(without).rstrip("/") + "/" if is_remote(without) else None
        for below, info in self._found(folder):
            path = f"{top}/{below}"
            if any(name.startswith(".") for name in below.split("/")) or (avoided and path.startswith(avoided)):
                continue
            try:
                yield path, below.rpartition("/")[0], self._about(info)
            except FileNotFoundError:  # gone since
                continue
            except OSError as error:
                yield path, below.rpartition("/")[0], error

    def _found(self, folder: str) -> list[tuple[str, dict[str, Any]]]:
        """Path below the folder, and what the store says of it: of each file, in order."""
        key = self._key(folder).rstrip("/")
        with said():
            self._fs.invalidate_cache()
            found = self._fs.find(key, detail=True)
        return sorted((name[len(key) + 1 :], info) for name, info in found.items() if name.startswith(f"{key}/"))

    def about(self, path: str) -> About:
        with said():
            self._fs.invalidate_cache()
            return self._about(self._fs.info(self._key(path)))

    def _about(self, info: dict[str, Any]) -> About:
        """A listing may say less than one asks for."""
        if info.get("size") is None or not any(info.get(name) for name in _STAMPS):
            with said():
                info = self._fs.info(info["name"])
        stamp = next((info[name] for name in _STAMPS if info.get(name)), "")
        stamp = stamp.timestamp() if isinstance(stamp, datetime) else stamp  # a listing may have it in another form
        digest = blake2b(repr(stamp).encode(), digest_size=8).digest()
        return About(int(info.get("size") or 0), int.from_bytes(digest, "big") >> 1)

    def read(self, path: str) -> bytes:
        with said():
            return bytes(self._fs.cat_file(self._key(path)))

    def open(self, path: str, mode: str) -> Any:
        """A file of the store."""
        with said():
            if mode == "rb":
                return self._fs.open(self._key(path), mode, block_size=BLOCK)
            return self._in_its_folder(path, lambda key: self._fs.open(key, mode))

    def make(self, folder: str) -> None:
        """Folders come with the files in them."""

    def move(self, source: str, target: str) -> None:
        with said():
            self._in_its_folder(target, lambda key: self._fs.mv(self._key(source), key))

    def _in_its_folder(self, path: str, does: Callable[[str], Any]) -> Any:
        """What needs the folder of a path: made where it is asked for, as a store of objects has none."""
        key = self._key(path)
        try:
            return does(key)
        except FileNotFoundError:
            self._fs.makedirs(key.rpartition("/")[0], exist_ok=True)
            return does(key)

    def remove(self, path: str) -> None:
        with said():
            self._fs.rm_file(self._key(path))

    def remove_folder(self, folder: str) -> None:
        with suppress(Exception):
            self._fs.rm(self._key(folder), recursive=True)

    def below(self, folder: str) -> Iterator[str]:
        try:
            found = self._found(folder)
        except FileNotFoundError:
            return
        for below, _ in found:
            yield below


def _stripped(path: str) -> str:
    from fsspec.core import url_to_fs

    return str(url_to_fs(path)[1])


@contextmanager
def said() -> Iterator[None]:
    """Each kind of store has its own family of errors."""
    try:
        yield
    except OSError as error:
        raise error if error.strerror else _as_said(error, type(error)) from error
    except Exception as error:
        raise _as_said(error, OSError) from error


def _as_said(error: BaseException, kind: type[OSError]) -> OSError:
    if kind is FileNotFoundError:
        return kind(EIO, "no such file or directory")
    return kind(EIO, f"the store says: {_words(error)}")


def _words(error: BaseException) -> str:
    """What the package of a store says, in one line."""
    return " ".join(str(error).split())[:300] or type(error).__name__
