"""Every public method says what it does, or overrides one that does; ruff cannot tell which override another."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

import pytest

import amtdecode

MODULES = sorted(
    module.name for module in pkgutil.walk_packages(amtdecode.__path__, "amtdecode.") if "__main__" not in module.name
)


def undocumented(module):
    """Public methods of a module's classes without a docstring, their own or one they inherit."""
    found = []
    for name, cls in inspect.getmembers(module, inspect.isclass):
        if cls.__module__ != module.__name__ or name.startswith("_"):
            continue
        for method, value in vars(cls).items():
            plain = inspect.isfunction(value) or isinstance(value, (property, classmethod, staticmethod))
            told = any(getattr(vars(each).get(method), "__doc__", None) for each in cls.__mro__)
            if plain and not method.startswith("_") and not told:
                found.append(f"{name}.{method}")
    return found


@pytest.mark.parametrize("name", MODULES)
def test_public_methods_have_a_docstring_of_their_own_or_inherit_one(name):
    if name == "amtdecode.capture.live":
        pytest.importorskip("scapy")
    assert undocumented(importlib.import_module(name)) == []


def test_what_neither_says_nor_inherits_anything_is_found():
    class Base:
        def told(self):
            """What it does."""

    class Child(Base):
        def told(self):
            pass

        def silent(self):
            pass

    Child.__module__ = "toy"
    assert undocumented(type("toy", (), {"__name__": "toy", "Child": Child})) == ["Child.silent"]
