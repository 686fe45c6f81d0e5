"""No two modules of the package import each other in a loop: late imports and those for types count."""

from __future__ import annotations

import grimp


def loops(package="amtdecode"):
    """Each group of modules that import each other, directly or through one another."""
    graph = grimp.build_graph(package, include_external_packages=False, exclude_type_checking_imports=False)
    found = set()
    for module in graph.modules:
        both = graph.find_downstream_modules(module) & graph.find_upstream_modules(module)
        if both:
            found.add(frozenset(name.removeprefix(f"{package}.") for name in both | {module}))
    return found


def test_no_modules_import_each_other_in_a_loop():
    assert sorted(map(sorted, loops())) == []


def test_late_imports_and_imports_for_types_count(tmp_path, monkeypatch):
    toy = tmp_path / "toy_with_loops"
    toy.mkdir()
    (toy / "__init__.py").write_text("")
    (toy / "late.py").write_text("def use():\n    from toy_with_loops import used\n")
    (toy / "used.py").write_text("from toy_with_loops import late\n")
    for_types = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from toy_with_loops import {}\n"
    (toy / "one.py").write_text(for_types.format("two"))
    (toy / "two.py").write_text(for_types.format("one"))
    monkeypatch.syspath_prepend(str(tmp_path))
    assert loops("toy_with_loops") == {frozenset({"late", "used"}), frozenset({"one", "two"})}
