"""Where files lie: on this machine, or in a store that fsspec knows (`s3://`, `gs://`, `memory://`; extra `scale`).

A path with a protocol is of a store, any other of this machine; for those fsspec is never loaded. Whatever goes wrong
in a store is an `OSError`, as it is on a disk. Files are written through `amtdecode.outputs` alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.late import late
from amtdecode.stores.paths import is_remote, join

if TYPE_CHECKING:
    from amtdecode.stores.store import About, Store

__all__ = ["About", "is_remote", "join", "store_of"]

__getattr__ = late(__name__, store="About")


def store_of(path: str) -> Store:
    """The store that a path is of. Raises `MissingExtraError`, and `UsageError` for a protocol nobody knows."""
    if is_remote(path):
        from amtdecode.stores.remote import Remote

        return Remote(path)
    from amtdecode.stores.disk import Disk

    return Disk()
