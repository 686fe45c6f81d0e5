"""Runs the notebook of the documentation without Jupyter: `python tests/notebooks.py` writes its outputs anew.

A cell's last expression is shown as Jupyter shows it: by `_repr_svg_`, else `_repr_html_`, else `repr`.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import os
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOK = ROOT / "docs" / "notebook.ipynb"
FORMS = {"image/svg+xml": "_repr_svg_", "text/html": "_repr_html_"}


def read() -> dict[str, Any]:
    """The notebook (nbformat 4)."""
    return json.loads(NOTEBOOK.read_text("utf-8"))


def run(cells: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """What each code cell gives, run one after the other from the top of the checkout."""
    names: dict[str, Any] = {"__name__": "__main__"}
    outputs, before = [], Path.cwd()
    os.chdir(ROOT)
    try:
        for number, cell in enumerate((cell for cell in cells if cell["cell_type"] == "code"), 1):
            outputs.append(_cell("".join(cell["source"]), number, names))
    finally:
        os.chdir(before)
    return outputs


def _cell(source: str, number: int, names: dict[str, Any]) -> list[dict[str, Any]]:
    tree = ast.parse(source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    printed, found = io.StringIO(), []
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, "cell", "exec"), names)
        value = eval(compile(ast.Expression(last.value), "cell", "eval"), names) if last is not None else None
    if printed.getvalue():
        found.append({"name": "stdout", "output_type": "stream", "text": printed.getvalue().splitlines(keepends=True)})
    if value is not None:
        form, method = next((pair for pair in FORMS.items() if hasattr(value, pair[1])), ("text/plain", "__repr__"))
        text = getattr(value, method)().splitlines(keepends=True)
        data = {form: text}
        found.append({"data": data, "execution_count": number, "metadata": {}, "output_type": "execute_result"})
    return found


def main() -> None:
    notebook = read()
    outputs = iter(run(notebook["cells"]))
    for number, cell in enumerate((cell for cell in notebook["cells"] if cell["cell_type"] == "code"), 1):
        cell["outputs"], cell["execution_count"] = next(outputs), number
    NOTEBOOK.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
