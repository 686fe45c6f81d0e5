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
