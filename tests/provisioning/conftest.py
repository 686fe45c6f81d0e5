"""The laboratory of the diagnosis, and the makers of captures beside the package."""

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve()
sys.path[:0] = [str(HERE.parents[2]), str(HERE.parents[1] / "diagnosis")]


@pytest.fixture(autouse=True)
def _faults_are_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    """No defect of a rule hides."""
    monkeypatch.setattr("amtdecode.diagnosis.run.RAISE_FAULTS", True)
