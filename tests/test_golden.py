"""The output of `read` and `diagnose` on every capture in `pcaps/` is what it was, to the byte."""

from __future__ import annotations

import pytest
from golden_files import CAPTURES, FORMS, golden, said


@pytest.mark.parametrize("command", FORMS)
@pytest.mark.parametrize("capture", CAPTURES)
def test_output_is_as_kept(command, capture):
    assert said(command, capture) == golden(command, capture).read_bytes()


def test_no_golden_file_is_left_over():
    kept = {path.name for path in golden("read", "x").parent.iterdir()}
    assert kept == {golden(command, capture).name for command in FORMS for capture in CAPTURES}
