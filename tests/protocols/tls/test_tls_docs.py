"""The walkthrough shows real output."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "tls-walkthrough.md").read_text()
BLOCKS = re.findall(r"```console\n\$ amtdecode (.*?)\n(.*?)```", PAGE, re.DOTALL)


def tidy(line):
    return re.sub(r" {2,}", "  ", line.rstrip())


@pytest.mark.parametrize(("command", "shown"), BLOCKS)
def test_shown_lines_are_printed_in_that_order(command, shown):
    arguments = [sys.executable, "-m", "amtdecode", *shlex.split(command)]
    done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, check=True)
    printed = iter([tidy(line) for line in done.stdout.splitlines()])
    lines = shown.splitlines()
    assert len(lines) > 3
    for line in lines:
        assert line == "…" or tidy(line) in printed, line


def test_every_block_is_looked_at():
    assert len(BLOCKS) == PAGE.count("```console") == 8
