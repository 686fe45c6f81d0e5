"""What the build hook compiles."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def busy():
    """The modules that Cython compiles, read from the hook without the tools it imports."""
    tree = ast.parse((ROOT / "hatch_build.py").read_text())
    for node in tree.body:
        if isinstance(node, ast.Assign) and node.targets[0].id == "BUSY":
            return eval(compile(ast.Expression(node.value), "hatch_build.py", "eval"))
    raise AssertionError


def test_every_module_that_is_compiled_is_there_and_none_twice():
    names = busy()
    assert len(names) > 30
    assert len(names) == len(set(names))
    assert [name for name in names if not (ROOT / f"{name.replace('.', '/')}.py").is_file()] == []
