"""Files of this machine."""

from __future__ import annotations

import os
import shutil
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

from amtdecode.stores.store import About, Store

if TYPE_CHECKING:
    from collections.abc import Iterator


class Disk(Store):
    """The files of this machine."""

    def absolute(self, path: str) -> str:
        return os.path.abspath(path)

    def is_folder(self, path: str) -> bool:
        return os.path.isdir(path)

    def is_file(self, path: str) -> bool:
        return os.path.isfile(path)

    def names(self, folder: str) -> list[str]:
        return os.listdir(folder) if os.path.lexists(folder) else []

    def files(self, folder: str, without: str) -> Iterator[tuple[str, str, About | OSError]]:
        avoided = os.path.realpath(without)
        top = os.path.abspath(folder)
        closed: list[OSError] = []
        for within, folders_below, names in os.walk(top, onerror=closed.append):
            folders_below[:] = sorted(
                name
                for name in folders_below
                if not name.startswith(".") and os.path.realpath(os.path.join(within, name)) != avoided
            )
            below = os.path.relpath(within, top)
            below = "" if below == os.curdir else below.replace(os.sep, "/")
            for name in sorted(names):
                path = os.path.join(within, name)
                if name.startswith("."):
                    continue
                try:
                    about = os.stat(path)
                except FileNotFoundError:  # gone since, or a link to nothing
                    continue
                except OSError as error:
                    yield path, below, error
                    continue
                if stat.S_ISREG(about.st_mode):
                    yield path, below, About(about.st_size, about.st_mtime_ns)
        for fault in closed:
            below = os.path.relpath(os.path.dirname(fault.filename), top)
            yield str(fault.filename), "" if below == os.curdir else below.replace(os.sep, "/"), fault

    def about(self, path: str) -> About:
        about = os.stat(path)
        return About(about.st_size, about.st_mtime_ns)

    def read(self, path: str) -> bytes:
        with open(path, "rb") as file:
            return file.read()

    def make(self, folder: str) -> None:
        os.makedirs(folder, exist_ok=True)

    def move(self, source: str, target: str) -> None:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.replace(source, target)

    def remove(self, path: str) -> None:
        os.unlink(path)

    def remove_folder(self, folder: str) -> None:
        shutil.rmtree(folder, ignore_errors=True)

    def below(self, folder: str) -> Iterator[str]:
        for within, _, names in os.walk(folder, topdown=False):
            for name in names:
                yield os.path.relpath(os.path.join(within, name), folder).replace(os.sep, "/")
            with suppress(OSError):
                os.rmdir(within)
