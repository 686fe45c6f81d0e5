"""The diffs of CONTRIBUTING.md are real: each fits the tree, and the files they make are those that are tested."""

from __future__ import annotations

import re
from pathlib import Path

import amtdecode.cli
from amtdecode.cli import main

ROOT = Path(__file__).resolve().parents[2]
DIFF = re.compile(r"^```diff\n(.*?)^```", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"^--- (.*)\n\+\+\+ b/(.*)\n((?:(?!--- )[ +@-].*\n|@@\n|\n)*)", re.MULTILINE)


def files():
    """Each file of each diff: whether it is new, its path, and the lines that are kept or go, and those that come."""
    for block in DIFF.findall((ROOT / "CONTRIBUTING.md").read_text()):
        for old, path, lines in FILE.findall(block):
            taken = lines.splitlines()
            yield old == "/dev/null", ROOT / path, taken


def test_each_diff_fits_the_tree():
    found = list(files())
    assert len(found) >= 5
    for new, path, lines in found:
        text = path.read_text()
        if new:
            assert text == "".join(line[1:] + "\n" for line in lines), path
            continue
        assert any(line[:1] == "+" for line in lines), path
        at = 0
        for line in lines:  # in this order, though not all of them next to each other
            if line[:1] in (" ", "-"):
                at = text.index(line[1:] + "\n", at)


def test_the_command_is_one_file_and_one_line(monkeypatch, capsys):
    here = str(Path(__file__).parent / "cli")
    monkeypatch.setattr(amtdecode.cli, "__path__", [*amtdecode.cli.__path__, here])
    monkeypatch.setitem(main.COMMANDS, "ports", ("ports", "List the ports of Intel AMT."))
    assert main.run(["ports"]) == 0
    told = capsys.readouterr()
    assert told.out.splitlines() == [
        "623", "664 TLS", "4433", "9971", "16992", "16993 TLS", "16994", "16995 TLS",
    ]  # fmt: skip
    assert main.run(["--help"]) == 0
    assert "List the ports of Intel AMT." in capsys.readouterr().out
