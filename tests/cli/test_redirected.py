"""`follow --layer sol` and `export --ider`: what a console showed and what a host read, byte for byte."""

from __future__ import annotations

import os
import pty
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest
import wire

from pcaps import redirection

PCAPS = Path(__file__).resolve().parents[2] / "pcaps"
CAPTURE = str(PCAPS / "redirection.pcapng")
PATIENCE = 15  # seconds


def test_the_console_both_ways_as_text(run):
    done = run("follow", CAPTURE, "--flow", "0", "--layer", "sol", "-q")
    assert done.code == 0
    assert done.out == (
        "tcp flow 0: client 192.0.2.10:49153, server 192.0.2.41:16994\n"
        "\n--- to the client\ndesk-41 login: \n--- to the server\nroot\\x0d"
        "\n--- to the client\nroot\nPassword: \n--- to the server\nExample-3\\x0d"
        "\n--- to the client\n\nroot@desk-41:~# "
    )


def test_a_flow_without_a_console_says_so(run):
    done = run("follow", CAPTURE, "--flow", "1", "--layer", "sol")
    assert "tcp flow 1 carries no sol payload that can be read" in done.err


def test_what_a_host_read_of_a_drive(run, tmp_path):
    done = run("export", "--ider", str(tmp_path / "cd"), CAPTURE)
    assert done.code == 0
    assert "2 files in" in done.err
    files = {path.name: path.read_bytes() for path in (tmp_path / "cd").iterdir()}
    assert sorted(files) == ["tcp0001-0001-cd-block00000016.bin", "tcp0001-0002-cd-block00000020.bin"]
    first = files["tcp0001-0001-cd-block00000016.bin"]
    assert len(first) == 4096
    assert first.startswith(b"\1CD001\1\0EXAMPLE")
    assert first[2048:] == bytes(range(256)) * 8
    assert files["tcp0001-0002-cd-block00000020.bin"] == b"boot".ljust(2048, b".")


def test_a_read_that_breaks_off_is_kept_and_named_so(run, tmp_path):
    steps = redirection.ider()
    last = max(at for at, (_, data) in enumerate(steps) if data[0] == 0x54 and not data[3])
    talk = wire.Talk(dport=16994)
    packets = talk.open()
    for way, data in steps[: last + 1]:
        packets += talk.say(data, way)
    path = tmp_path / "cut.pcap"
    path.write_bytes(wire.pcap(wire.frames(packets)))
    assert run("export", "--ider", str(tmp_path / "cd"), str(path)).code == 0
    assert [each.name for each in (tmp_path / "cd").iterdir()] == ["tcp0000-0001-cd-block00000016-incomplete.bin"]


class Machine(threading.Thread):
    """Plays AMT for one console: a session, a login in the clear, a console; what it heard and said, in order."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.said: list[tuple[int, bytes]] = []

    def run(self) -> None:
        with self.listener:
            talk, _ = self.listener.accept()
        talk.settimeout(PATIENCE)
        with talk:
            try:
                while data := talk.recv(4096):
                    self.said.append((0, data))
                    answer = b""
                    if data[0] == 0x10:
                        answer = redirection.started(11, 8)
                    elif data[0] == 0x13:
                        answer = bytes.fromhex("140000000100000000")
                    elif data[0] == 0x20:
                        answer = bytes((0x21,)) + data[1:20] + bytes(3)
                        talk.sendall(answer)
                        self.said.append((1, answer))
                        time.sleep(0.3)  # amtterm reads one message at a time
                        answer = redirection.console(0x2A, 1, b"Welcome to the console\r\n")
                    elif data[0] == 0x22:
                        answer = bytes((0x23, 0, 0, 0, 1, 0, 0, 0))
                    if answer:
                        talk.sendall(answer)
                        self.said.append((1, answer))
            except OSError:
                return


def test_amtterm_s_session_is_read_whole(tmp_path):
    """What Debian's amtterm sends, against what it prints."""
    program = shutil.which("amtterm")
    if program is None:
        pytest.skip("amtterm is not installed")
    machine = Machine()
    machine.start()
    command = [program, "-v", "-u", "admin", "-p", "Example-4", "127.0.0.1", str(machine.port)]
    keyboard, terminal = pty.openpty()
    with subprocess.Popen(command, stdin=terminal, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        shown = b""
        while b"Welcome to the console" not in shown and (part := process.stdout.read1(4096)):
            shown += part
        os.write(keyboard, b"\x1d")  # ^] ends it
        process.wait(PATIENCE)
    os.close(keyboard)
    os.close(terminal)
    machine.join(PATIENCE)
    talk = wire.Talk(dport=16994)
    packets = talk.open()
    for side, data in machine.said:
        packets += talk.say(data, side)
    told = [each for each in wire.observe(wire.pcap(wire.frames(packets))) if each.protocol != "tcp"]
    assert {each.protocol for each in told} == {"iamt.redir"}
    summaries = [each.event.summary() for each in told]
    assert summaries[0] == "Redirection: SOL session is asked for"
    assert "Redirection: SOL start" in summaries
    assert "SOL: the host shows Welcome to the console" in summaries
    assert b"Welcome to the console" in shown
    assert "Example-4" not in str([each.event for each in told])
