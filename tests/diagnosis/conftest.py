"""The makers of captures live beside the package, not in it."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import pytest
from diagnosis_lab import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Diagnoses scenes."""
    return Bench(tmp_path)


@pytest.fixture(autouse=True)
def _faults_are_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    """No defect of a rule hides."""
    monkeypatch.setattr("amtdecode.diagnosis.run.RAISE_FAULTS", True)


@pytest.fixture(autouse=True)
def _sentences_are_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """No text asks for a value that its rule does not give."""

    def missing(_self: dict[str, object], key: str) -> str:
        message = f"the text asks for {{{key}}}"
        raise AssertionError(message)

    monkeypatch.setattr("amtdecode.diagnosis.rule._Blank.__missing__", missing)
