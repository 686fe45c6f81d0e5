"""The pager: where text goes to a terminal, and nowhere else."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

pty = pytest.importorskip("pty")  # only Unix has it
termios = pytest.importorskip("termios")
WIDE = 97
OFFICE = Path(__file__).resolve().parents[2] / "pcaps/office.pcapng"
LESS_KEPT = 'cat > paged.txt; echo "$LESS" > options.txt'


@pytest.fixture
def in_terminal(tmp_path):
    """Runs `amtdecode` in a terminal of its own; gives what the screen shows, and the exit code."""

    def command(*words, **env):
        pid, terminal = pty.fork()
        if not pid:
            termios.tcsetwinsize(0, (24, WIDE))
            os.chdir(tmp_path)
            kept = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
            words = [sys.executable, "-m", "amtdecode", *map(str, words)]
            os.execve(sys.executable, words, {**kept, "TERM": "xterm", "PYTHONUTF8": "1", **env})
        shown = b""
        while True:
            try:
                piece = os.read(terminal, 65536)
            except OSError:  # Linux: the other end is closed
                break
            if not piece:
                break
            shown += piece
        os.close(terminal)
        return shown.decode(), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    return command


@pytest.mark.parametrize("words", [["read"], ["diagnose"], ["flows"]])
def test_text_for_a_terminal_goes_through_the_pager_in_its_colours(in_terminal, tmp_path, run, words):
    shown, code = in_terminal(*words, OFFICE, AMTDECODE_PAGER=LESS_KEPT)
    assert (shown, code) == ("", 0)
    paged = (tmp_path / "paged.txt").read_text()
    colour = ["--color", "always"] if words[0] in ("read", "diagnose") else []
    assert paged == run(*words, OFFICE, *colour, env={"COLUMNS": str(WIDE)}).out
    assert ("\x1b[" in paged) is bool(colour)
    assert (tmp_path / "options.txt").read_text() == "FRX\n"


def test_what_the_user_has_set_counts(in_terminal, tmp_path):
    in_terminal("flows", OFFICE, PAGER=LESS_KEPT, LESS="R")
    assert (tmp_path / "options.txt").read_text() == "R\n"
    (tmp_path / "paged.txt").unlink()
    for env in ({"AMTDECODE_PAGER": ""}, {"AMTDECODE_PAGER": "cat"}, {"PAGER": "no-such-pager"}, {"TERM": "dumb"}):
        shown, code = in_terminal("flows", OFFICE, **{"PAGER": LESS_KEPT, **env})
        assert "tcp:0" in shown, env
        assert code == 0
    assert not (tmp_path / "paged.txt").exists()


def test_no_pager_is_an_option_of_each_and_in_front(in_terminal, tmp_path, run):
    for words in (["flows", OFFICE, "--no-pager"], ["--no-pager", "flows", OFFICE], [OFFICE, "--no-pager"]):
        shown, code = in_terminal(*words, PAGER=LESS_KEPT)
        assert "192.0.2.21" in shown
        assert code == 0
    assert run("flows", OFFICE, "--no-pager", env={"PAGER": LESS_KEPT}).out == run("flows", OFFICE).out
    assert not (tmp_path / "paged.txt").exists()


def test_quitting_the_pager_ends_quietly(in_terminal, tmp_path):
    shown, code = in_terminal(OFFICE, "-V", AMTDECODE_PAGER="head -n 1 > paged.txt")
    assert (shown, code) == ("", 0)
    assert len((tmp_path / "paged.txt").read_text().splitlines()) == 1


def test_errors_need_no_pager(in_terminal, tmp_path):
    shown, code = in_terminal("read", OFFICE, "-Y", "iamt.helo", AMTDECODE_PAGER=LESS_KEPT)
    assert code == 2
    assert "iamt.helo is neither a field nor a protocol name." in shown
    shown, code = in_terminal("diagnose", "missing.pcap", AMTDECODE_PAGER=LESS_KEPT)
    assert code == 3
    assert "missing.pcap" in shown
