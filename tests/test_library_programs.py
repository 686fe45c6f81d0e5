"""The programs of docs/library.md print what the page shows; `python tests/test_library_programs.py` writes it anew."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "library.md"
PROGRAM = re.compile(r"^### (.*?)$(.*?)^```python\n(.*?)^```\n\n```text\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PROGRAMS = [(title, program, shown) for title, _, program, shown in PROGRAM.findall(PAGE.read_text("utf-8"))]


def run(program):
    return subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", "-c", program],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def test_there_are_ten():
    assert [title.partition(".")[0] for title, _, _ in PROGRAMS] == [str(number) for number in range(1, 11)]


@pytest.mark.parametrize(("title", "program", "shown"), PROGRAMS, ids=[title for title, _, _ in PROGRAMS])
def test_it_prints_what_is_shown(title, program, shown):
    for package in re.findall(r"^(?:import|from) (pandas|scapy)\b", program, re.MULTILINE):
        if find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    if ".live(" in program and (find_spec("scapy") is None or os.geteuid()):
        pytest.skip("capturing needs scapy and root")
    done = run(program)
    if ".live(" in program and "needs a privilege" in done.stderr:
        pytest.skip("this user may not capture")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == shown


if __name__ == "__main__":
    text = PAGE.read_text("utf-8")
    for title, program, shown in PROGRAMS:
        done = run(program)
        if done.returncode:
            print(title, done.stderr, file=sys.stderr)
        else:
            text = text.replace(f"{program}```\n\n```text\n{shown}```", f"{program}```\n\n```text\n{done.stdout}```")
    PAGE.write_text(text, "utf-8")
