"""Paths, of this machine or with the protocol of a store."""

from __future__ import annotations

import os
import re
from typing import Final

_PROTOCOL: Final = re.compile(r"[a-z][a-z0-9+.-]+(::[a-z][a-z0-9+.-]+)*://", re.IGNORECASE)


def is_remote(path: str) -> bool:
    """Whether a path has a protocol."""
    return _PROTOCOL.match(path) is not None


def join(folder: str, *parts: str) -> str:
    """A path below a folder; `parts` may have slashes."""
    if is_remote(folder):
        return "/".join((folder.rstrip("/"), *parts))
    return os.path.join(folder, *(name for part in parts for name in part.split("/")))
