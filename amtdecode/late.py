"""Names of a package that are loaded when somebody asks for them (PEP 562), so that start-up pays for none of them.

__getattr__ = late("amtdecode.secrets", keys="Keys")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def late(package: str, **modules: str) -> Callable[[str], Any]:
    """Give a package's `__getattr__`: for each of its modules, the names, separated by blanks, that come from there.

    It raises `AttributeError` for any other name, as a module does.
    """
    homes = {name: module for module, names in modules.items() for name in names.split()}

    def load(name: str) -> Any:
        if name in homes:
            from importlib import import_module

            return getattr(import_module(f"{package}.{homes[name]}"), name)
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return load
