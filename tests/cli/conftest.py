"""Runs the command as users do: a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import NamedTuple

import pytest
import wire


class Done(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def run(tmp_path):
    """Runs `amtdecode` with these arguments, in an empty folder."""

    def command(*arguments, stdin=None, env=None):
        done = subprocess.run(
            [sys.executable, "-m", "amtdecode", *map(str, arguments)],
            input=stdin,
            capture_output=True,
            check=False,
            cwd=tmp_path,
            env={key: value for key, value in os.environ.items() if key != "SSLKEYLOGFILE"} | (env or {}),
            timeout=60,
        )
        return Done(done.returncode, done.stdout.decode(), done.stderr.decode())

    return command


@pytest.fixture
def hello_capture(tmp_path):
    """One connection with a hello in three segments."""
    talk = wire.Talk()
    packets = wire.frames([*talk.open(), *talk.say(wire.PKI_HELLO, size=40), *talk.close()])
    path = tmp_path / "hello.pcap"
    path.write_bytes(wire.pcap(packets))
    return path
