"""Captures by their paths, as the readers of captures take them: names of files, or open files of a store."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from amtdecode.capture.source import OpenFile
from amtdecode.stores import is_remote

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@contextmanager
def opened(paths: Sequence[str]) -> Iterator[list[str | OpenFile]]:
    """These captures, as long as the block lasts."""
    if not any(map(is_remote, paths)):
        yield [*paths]
        return
    from amtdecode.stores.remote_files import RemoteFiles

    files = RemoteFiles()
    try:
        yield [OpenFile(files.file(path), path) if is_remote(path) else path for path in paths]
    finally:
        files.close_all()
