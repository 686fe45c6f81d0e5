"""The notebook of the documentation runs, and shows what it gives."""

from __future__ import annotations

import notebooks
import pytest


def test_each_cell_gives_what_is_shown() -> None:
    cells = notebooks.read()["cells"]
    shown = [cell["outputs"] for cell in cells if cell["cell_type"] == "code"]
    assert notebooks.run(cells) == shown, "`python tests/notebooks.py` writes the outputs anew"
    forms = {form for outputs in shown for output in outputs for form in output.get("data", {})}
    assert {"image/svg+xml", "text/html"} <= forms


def test_a_cell_that_fails_fails() -> None:
    with pytest.raises(ZeroDivisionError):
        notebooks.run([{"cell_type": "code", "source": ["1 / 0"]}])
    assert notebooks.run([{"cell_type": "code", "source": ["print(1)\n", "2"]}]) == [
        [
            {"name": "stdout", "output_type": "stream", "text": ["1\n"]},
            {"data": {"text/plain": ["2"]}, "execution_count": 1, "metadata": {}, "output_type": "execute_result"},
        ]
    ]
