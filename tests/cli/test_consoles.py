"""Consoles that cannot write all characters, and systems that lack what Unix has."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import wire
from docs_pages import ROOT

from amtdecode.cli import console
from amtdecode.cli.main import COMMANDS

OFFICE, HELLO = ROOT / "pcaps" / "office.pcapng", ROOT / "pcaps" / "hello.pcap"
PURE = {"AMTDECODE_PURE": os.environ.get("AMTDECODE_PURE", "")}  # for commands that are given no other surroundings
UNIX = ("fcntl", "termios", "tty", "pty", "resource", "pwd", "grp", "syslog", "readline", "curses")
TEXTS = [
    ("read", HELLO), ("read", "-V", HELLO), ("read", "-T", "fields", "-e", "_ws.col.Info", HELLO), ("flows", HELLO),
    ("follow", "--flow", "0", ROOT / "pcaps" / "wsman.pcap"), ("diagnose", OFFICE), ("diagnose", "-V", OFFICE),
    ("diff", OFFICE), ("stats", OFFICE), ("fields",), ("cert", "check", "--placement"), ("hello", wire.PSK_HELLO.hex()),
    ("diagnose", "--ladder", OFFICE), ("setupbin", "--help"), ("psk", "--help"),
    ("explain", "9971"), ("preflight", ROOT / "pcaps" / "setup.bin"),
    ("plan", ROOT / "pcaps" / "site.toml"),
]  # fmt: skip


@pytest.mark.parametrize("encoding", ["cp437", "cp1252", "ascii"])
@pytest.mark.parametrize("arguments", TEXTS, ids=lambda arguments: " ".join(map(str, arguments[:2])))
def test_no_console_makes_a_command_fail(arguments, encoding):
    done = subprocess.run(
        [sys.executable, "-m", "amtdecode", *map(str, arguments)],
        capture_output=True, check=False, env={**PURE, "PYTHONIOENCODING": encoding, "PATH": ""},
    )  # fmt: skip
    text = done.stdout.decode(encoding)  # and not in UTF-8
    assert done.returncode in (0, 1, 4)
    assert text.strip()
    assert "\\u2" not in text  # nothing of our own is shown as an escape
    assert b"Traceback" not in done.stderr


def test_arrows_are_ascii_and_captured_letters_are_escapes():
    console.register()
    assert "a → b … é ж".encode("ascii", console.HANDLER) == rb"a -> b ... \xe9 \u0436"
    assert "a → é".encode("cp1252", console.HANDLER) == b"a -> \xe9"


def test_json_is_utf8_on_any_console():
    done = subprocess.run(
        [sys.executable, "-m", "amtdecode", "read", "-T", "json", OFFICE],
        capture_output=True, check=True, env={**PURE, "PYTHONIOENCODING": "cp437"},
    )  # fmt: skip
    plain = subprocess.run(
        [sys.executable, "-m", "amtdecode", "read", "-T", "json", OFFICE], capture_output=True, check=True
    )
    assert done.stdout == plain.stdout


@pytest.mark.parametrize("command", [["read", HELLO], ["diagnose", OFFICE], ["flows", HELLO], ["export", "--help"],
                                     ["live", "--help"], ["listen", "-a", "0.1", "--port", "0"]])  # fmt: skip
def test_nothing_needs_the_modules_of_unix(command):
    """Stands in for Windows, where these cannot be imported; nothing here was run there."""
    program = (
        f"import sys\nfor name in {UNIX!r}: sys.modules[name] = None\n"
        f"sys.argv = {['amtdecode', *map(str, command)]!r}\n"
        "from amtdecode.__main__ import main\nmain()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr


def test_every_command_has_been_given_to_a_narrow_console_or_prints_no_text():
    said = {arguments[0] for arguments in TEXTS}
    assert set(COMMANDS) - said == {"archive", "bundle", "export", "log", "live", "listen", "tui", "wireshark"}
