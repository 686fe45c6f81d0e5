"""Debian's amtterm on loopback, with a machine out of the declared messages: what we read is what it prints."""

from __future__ import annotations

import os
import pty
import socket
import struct
import subprocess
import sys
import threading
from typing import NamedTuple

import pytest
import wire
from loopback import PATIENCE, Proxy, need

from amtdecode.model import Gap, LimitReached, Malformed, Truncated, Unrecognised
from amtdecode.protocols.redir.framing import measure
from pcaps import redirection

PASSWORD = "Example-4"
UNREAD = (Malformed, Unrecognised, Gap, LimitReached, Truncated)
LOGIN_TAKEN, LOGIN_REFUSED = bytes.fromhex("140000000100000000"), bytes.fromhex("140100000100000000")
BUSY = bytes.fromhex("11020000 000000000000000000")  # amtterm waits for 13 bytes, MeshCommander for the first 4
SHOWN = {
    "iamt.sol.loopback": "SOL device is running in loopback mode",
    "iamt.sol.powered": "The system is powered on.",
    "iamt.sol.rts": "RTS is asserted",
    "iamt.sol.dtr": "DTR is asserted",
    "iamt.sol.break": "BREAK is asserted",
    "iamt.sol.tx_overflow": "Other unhandled status condition",
    "iamt.sol.rx_flush_timeout": "Other unhandled status condition",
    "iamt.sol.test_mode": "Other unhandled status condition",
}
"""What amtterm says of each flag that is set."""
CONTROLS = [(1 << bit, 0) for bit in range(3)] + [(0, 1 << bit) for bit in range(5)] + [(7, 6), (0, 0)]


class Machine(threading.Thread):
    """Plays AMT for one console: a session, a login in the clear, what a serial port says; it echoes what is typed."""

    def __init__(self, start: bytes, login: bytes) -> None:
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(PATIENCE)
        self.port = self.listener.getsockname()[1]
        self.start_reply, self.login = start, login
        self.number = 0

    def run(self) -> None:
        with self.listener:
            talk, _ = self.listener.accept()
        talk.settimeout(PATIENCE)
        with talk:
            waiting = b""
            while more := self._next(talk):
                waiting += more
                while waiting and len(waiting) >= (size := measure(waiting, "SOL")[1] or len(waiting) + 1):
                    for answer in self._answers(waiting[:size]):
                        talk.sendall(answer)
                    waiting = waiting[size:]

    def _next(self, talk: socket.socket) -> bytes:
        try:
            return talk.recv(4096)
        except OSError:
            return b""

    def _answers(self, data: bytes) -> list[bytes]:
        if data[0] == 0x10:
            return [self.start_reply]
        if data[0] == 0x13:
            return [self.login]
        if data[0] == 0x20:
            return [bytes((0x21,)) + data[1:20] + bytes(3), self._shown(b"Welcome to the console\r\n")]
        if data[0] == 0x28:
            typed = data[10:]
            if typed[:1] in b"0123456789":  # the number of what the serial port shall say
                controls, status = CONTROLS[int(typed[:1])]
                self.number += 1
                said = struct.pack("<BxxxIBB", 0x29, self.number, controls, status)
                return [said, self._shown(b"<" + typed[:1] + b">\r\n")]
            return [self._shown(typed)] if typed != b"\x1d" else []
        if data[0] == 0x22:
            return [bytes((0x23, 0, 0, 0, 1, 0, 0, 0))]
        return []

    def _shown(self, text: bytes) -> bytes:
        self.number += 1
        return redirection.console(0x2A, self.number, text)


class Session(NamedTuple):
    """What amtterm printed, and what we read of what passed."""

    printed: str
    observations: list
    capture: bytes

    def of(self, kind: int) -> list[dict]:
        found = [one.event.fields() for one in self.observations if one.protocol == "iamt.redir"]
        return [fields for fields in found if fields.get("iamt.redir.type") == kind]


@pytest.fixture
def amtterm():
    """Run it against a machine, type some lines, each when the one before was answered, and leave."""

    def run(*lines: tuple[str, str], start=None, login=LOGIN_TAKEN, until="Welcome to the console") -> Session:
        program = need("amtterm")
        machine = Machine(start or redirection.started(11, 8), login)
        proxy = Proxy(machine.port)
        machine.start()
        proxy.start()
        command = [program, "-v", "-u", "admin", "-p", PASSWORD, "127.0.0.1", str(proxy.port)]
        keyboard, terminal = pty.openpty()
        with subprocess.Popen(command, stdin=terminal, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
            try:
                printed = read_until(process, until)
                for typed, awaited in lines:
                    os.write(keyboard, typed.encode())
                    printed += read_until(process, awaited)
                if process.poll() is None and "ERROR" not in printed:
                    os.write(keyboard, b"\x1d")  # ^] ends it
                printed += process.stdout.read().decode()
                process.wait(PATIENCE)
            finally:
                process.kill()
        os.close(keyboard)
        os.close(terminal)
        machine.join(PATIENCE)
        proxy.join(PATIENCE)
        capture = proxy.capture(16994)
        return Session(printed, wire.observe(capture), capture)

    return run


def read_until(process: subprocess.Popen, text: str) -> str:
    seen = b""
    while text.encode() not in seen and (part := process.stdout.read1(4096)):
        seen += part
    return seen.decode()


def whole(session: Session) -> None:
    """Nothing is left over, and the password is in no event."""
    assert not [one for one in session.observations if isinstance(one.event, UNREAD)]
    assert {one.protocol for one in session.observations} <= {"iamt.redir", "tcp"}
    assert PASSWORD not in str([one.event for one in session.observations])


def test_a_session(amtterm, tmp_path) -> None:
    session = amtterm(("ls -l\r", "ls -l"), ("exit\r", "exit"))
    whole(session)
    assert "AUTH -> INIT_SOL" in session.printed
    assert "serial-over-lan redirection ok" in session.printed
    (asked,), (reply,) = session.of(0x10), session.of(0x11)
    assert asked["iamt.redir.session"] == "SOL"
    assert (reply["iamt.redir.status"], reply["iamt.redir.firmware"]) == (0, "11.8")
    (login,), (answer,) = session.of(0x13), session.of(0x14)
    assert (login["iamt.redir.auth.type"], login["iamt.redir.auth.user"]) == (1, "admin")
    assert login["iamt.redir.auth.password"] == PASSWORD
    assert answer["iamt.redir.auth.status"] == 0
    (begun,) = session.of(0x20)
    assert {name: value for name, value in begun.items() if name.startswith("iamt.sol.")} == {
        "iamt.sol.max_tx_buffer": 1000,
        "iamt.sol.tx_timeout": 100,
        "iamt.sol.tx_overflow_timeout": 0,
        "iamt.sol.host_rx_timeout": 10000,
        "iamt.sol.fifo_rx_flush": 0,
        "iamt.sol.heartbeat": 5000,
    }
    assert "".join(each["iamt.sol.typed"] for each in session.of(0x28)) == "ls -l\rexit\r\x1d"
    shown = "".join(each["iamt.sol.text"] for each in session.of(0x2A))
    assert shown == "Welcome to the console\r\nls -l\rexit\r"
    printed = session.printed.partition("connected now, use ^] to escape\n")[2].partition("amtterm: saw")[0]
    assert printed.rstrip("\n") == shown.rstrip("\n")
    capture = tmp_path / "sol.pcap"
    capture.write_bytes(session.capture)
    command = [sys.executable, "-m", "amtdecode", "follow", str(capture), "--flow", "0", "--layer", "sol", "-q"]
    followed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    assert "--- to the client\nWelcome to the console\n" in followed


def test_what_the_serial_port_says(amtterm) -> None:
    """Each flag, alone and together, against what amtterm prints of it."""
    session = amtterm(*[(str(number), f"<{number}>") for number in range(len(CONTROLS))])
    whole(session)
    told = session.of(0x29)
    assert len(told) == len(CONTROLS)
    rest, was_looped = session.printed, False
    for number, fields in enumerate(told):
        said, _, rest = rest.partition(f"<{number}>")
        ours = {words for name, words in SHOWN.items() if fields[name]}
        theirs = {words for words in SHOWN.values() if words in said}
        assert ours == theirs, number
        assert ("The system is powered off." in said) is not fields["iamt.sol.powered"]
        assert ("no longer running in loopback mode" in said) is (was_looped and not fields["iamt.sol.loopback"])
        was_looped = fields["iamt.sol.loopback"]


def test_a_refused_login(amtterm) -> None:
    session = amtterm(login=LOGIN_REFUSED, until="ERROR")
    whole(session)
    assert "session authentication fail" in session.printed
    (answer,) = session.of(0x14)
    assert answer["iamt.redir.auth.status"] == 1


def test_redirection_that_is_busy(amtterm) -> None:
    session = amtterm(start=BUSY, until="ERROR")
    assert "redirection session start failed" in session.printed
    (reply,) = session.of(0x11)
    assert reply["iamt.redir.status"] == 2
    behind = [one.event for one in session.observations if isinstance(one.event, UNREAD)]
    assert [one.data for one in behind] == [BUSY[4:]]
