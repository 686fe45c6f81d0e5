"""The README's commands work, and its outputs are those the program prints now."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest
from docs_pages import ROOT, printed, read

from amtdecode.cli.main import COMMANDS, group

SHELL = re.findall(r"^```sh\n(.*?)\n```$", read("README.md"), re.DOTALL | re.MULTILINE)


def parts(command: str) -> list[list[str]]:
    return [shlex.split(part) for part in command.split(" && ")]


def test_there_are_two_commands_of_one_line_each():
    assert len(SHELL) == 2
    assert all("\n" not in command for command in SHELL)


@pytest.mark.parametrize("command", SHELL)
def test_they_set_up_with_what_a_bare_machine_has(command):
    venv, install, run = parts(command)
    assert venv == ["python3", "-m", "venv", ".venv"]
    assert install[:3] == [".venv/bin/pip", "install", "-q"]
    assert Path(run[0]).parent == Path(".venv/bin")


def test_the_main_job_names_a_capture_of_the_repository_and_succeeds():
    run = parts(SHELL[0])[2]
    assert run[:2] == [".venv/bin/amtdecode", "diagnose"]
    assert all((ROOT / name).is_file() for name in run[2:])
    assert printed(shlex.join(["amtdecode", *run[1:]]))[0].startswith("4 machines in 1 input")


def test_the_check_script_runs_the_test_command_of_the_readme():
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    found = re.search(r"^test_command=\$\((.*)\)$", script.read_text(), re.MULTILINE)
    chosen = subprocess.run(["bash", "-c", found[1]], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert chosen.splitlines() == [SHELL[1]]
    assert parts(SHELL[1])[2] == [".venv/bin/pytest"]


def test_every_command_has_its_row():
    cells = re.findall(r"^\| (`amtdecode [^|]*)", read("README.md"), re.MULTILINE)
    assert set(group.list_commands(None)) == COMMANDS.keys() & set(re.findall(r"`amtdecode ([\w-]+)", " ".join(cells)))
