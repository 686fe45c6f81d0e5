"""The compiled module of texts, where it was built: `TEXTS`, else `None`.

What it does is what the Python beside each use of it does: that is the reference, and with AMTDECODE_PURE=1 all there
is.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from amtdecode.source_finder import PURE

if TYPE_CHECKING:
    from types import ModuleType


def _texts() -> ModuleType | None:
    if PURE:
        return None
    try:
        return import_module("amtdecode._texts")  # by name: it is no module that import-linter sees
    except ImportError:  # it was not built
        return None


TEXTS = _texts()
