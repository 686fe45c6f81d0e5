"""`amtdecode tui`: what is refused before there is a screen, and one look at a real terminal."""

from __future__ import annotations

import os
import select
import sys
import time

import pytest

pytest.importorskip("textual", reason="textual is not installed")


def refused(run, *arguments, **how):
    done = run("tui", *arguments, **how)
    assert done.out == ""
    assert len(done.err.splitlines()) == 1
    return done.code, done.err.removeprefix("amtdecode: ").rstrip()


def test_what_is_refused(run, hello_capture):
    assert refused(run) == (2, "tui needs a capture, or -i IFACE")
    assert refused(run, hello_capture, "-i", "lo") == (2, "tui takes captures or -i, not both")
    assert refused(run, hello_capture, "-f", "tcp") == (2, "-f goes with -i; in the screen, / chooses what is shown")
    assert refused(run, "-")[1].startswith("tui reads its keys from standard input")
    assert refused(run, hello_capture, "--psk-file", "-")[1].startswith("tui reads its keys from standard input")
    assert refused(run, hello_capture)[1].startswith("tui needs a terminal")


def test_without_textual_there_is_one_line(run, hello_capture, tmp_path):
    blocked = tmp_path / "blocked"
    blocked.mkdir()
    (blocked / "sitecustomize.py").write_text(
        "import sys\n"
        "class Blocked:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'textual': raise ImportError(name)\n"
        "sys.meta_path.insert(0, Blocked())\n"
    )
    code, said = refused(run, hello_capture, env={"PYTHONPATH": str(blocked)})
    assert (code, said) == (3, "tui needs textual: install amtdecode[tui]")


class Terminal:
    """A command on a terminal of its own."""

    def __init__(self, *arguments):
        import fcntl
        import pty
        import struct
        import termios

        self.seen = b""
        self._process, self._terminal = pty.fork()
        if not self._process:
            os.environ["TERM"] = "xterm-256color"
            os.execv(sys.executable, [sys.executable, "-m", "amtdecode", "tui", *map(str, arguments)])
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))

    def until(self, wanted=None):
        """Read until something is shown, or to the end."""
        end = time.monotonic() + 60
        while time.monotonic() < end and (wanted is None or wanted not in self.seen):
            if not select.select([self._terminal], [], [], 1)[0]:
                continue
            try:
                data = os.read(self._terminal, 1 << 16)
            except OSError:
                break
            if not data:
                break
            self.seen += data
        assert wanted is None or wanted in self.seen, self.seen

    def press(self, keys):
        os.write(self._terminal, keys)

    def end(self):
        """The exit code."""
        self.until()
        os.close(self._terminal)
        return os.waitstatus_to_exitcode(os.waitpid(self._process, 0)[1])


@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")
def test_on_a_terminal_beside_a_process_that_reads(hello_capture):
    terminal = Terminal(hello_capture)
    terminal.until(b"iamt.hello")
    terminal.press(b"m")
    terminal.until(b"HOW FAR")
    terminal.press(b"q")
    assert terminal.end() == 0


@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")
def test_what_cannot_be_read_is_said_without_a_screen(tmp_path):
    (tmp_path / "text").write_text("no capture")
    for name, why in ((tmp_path / "absent", b"no such file"), (tmp_path / "text", b"is not a capture")):
        terminal = Terminal(name)
        assert terminal.end() == 3
        assert why in terminal.seen
        assert b"\x1b[?1049h" not in terminal.seen  # no other screen was opened
