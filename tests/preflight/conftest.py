"""The makers of captures and chains live beside the package, and with the tests of the diagnosis."""

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve()
sys.path[:0] = [str(HERE.parents[2]), str(HERE.parents[1] / "diagnosis")]


@pytest.fixture(autouse=True)
def _sentences_are_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """No text asks for a value that its rule does not give, but for the advice of a check that has none."""

    def missing(_self: dict[str, object], key: str) -> str:
        assert key == "advice", f"the text asks for {{{key}}}"
        return "(not known)"

    monkeypatch.setattr("amtdecode.diagnosis.rule._Blank.__missing__", missing)
