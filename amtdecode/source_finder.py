"""Has modules of this package loaded from their source where what was compiled of it must not be used.

`pip install` has Cython compile the busiest modules (hatch_build.py), and Python takes what is compiled before the
source beside it.
"""

from __future__ import annotations

import os
import sys
from importlib.machinery import ExtensionFileLoader, ModuleSpec, PathFinder, SourceFileLoader
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

PURE = os.environ.get("AMTDECODE_PURE", "") not in ("", "0")
"""Nothing that is compiled is used."""
CHECKOUT = os.path.isfile(os.path.join(os.path.dirname(__file__), "..", "hatch_build.py"))


class SourceFinder:
    """Finds modules of amtdecode: what is compiled by its source, where that is newer or nothing compiled is wanted."""

    @staticmethod
    def find_spec(
        name: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,  # noqa: ARG004 - nothing is reloaded
    ) -> ModuleSpec | None:
        """See `importlib.abc.MetaPathFinder`."""
        if not name.startswith("amtdecode."):
            return None
        spec = PathFinder.find_spec(name, path)
        if spec is None or spec.origin is None or not isinstance(spec.loader, ExtensionFileLoader):
            return spec
        source = os.path.join(os.path.dirname(spec.origin), f"{name.rpartition('.')[2]}.py")
        if not os.path.exists(source) or not (PURE or os.path.getmtime(source) > os.path.getmtime(spec.origin)):
            return spec
        spec = ModuleSpec(name, SourceFileLoader(name, source), origin=source)
        spec.has_location = True  # so that the module has a `__file__`, and its bytecode a cache
        return spec


def install() -> None:
    """Ask it before Python's own where it can make a difference: no source of an installed wheel is newer than that.

    Finders that others have put in front, as debuggers and fuzzers do, stay there.
    """
    if (PURE or CHECKOUT) and PathFinder in sys.meta_path:
        sys.meta_path.insert(sys.meta_path.index(PathFinder), SourceFinder)
