"""The twelve worst cases of memory and time known: `python -m benchmarks.worst [--only NAME]`.

Each is an input made to be as costly as the caps allow, and the command that reads it. Peak memory is what the kernel
reports of the process; a small launcher starts it, since a child begins with the peak of whoever forks it. The size of
each is kept by a test that counts (`tests/test_growth.py`, the tests of the caps); the figures here are for people.
"""

from __future__ import annotations

import argparse
import gzip
import os
import random
import struct
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.makers.traffic import (
    MILLISECOND,
    SECOND,
    START,
    hello_steps,
    machine_host,
    machine_uuid,
    merge,
    pid_pps,
)
from benchmarks.run import ROOT
from pcaps import messages
from pcaps.build import Connection, Host

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SERVER = Host("00:0c:29:00:00:0a", "10.255.0.10")
MILLION = 1_000_000
HELLO = str(ROOT / "pcaps" / "hello.pcap")
LAUNCHER = """
import os, sys
sink = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_WRONLY, 0) for fd in (1, 2)]
child = os.posix_spawn(sys.argv[1], sys.argv[1:], dict(os.environ), file_actions=sink)
_, status, usage = os.wait4(child, 0)
print(os.waitstatus_to_exitcode(status), usage.ru_maxrss, usage.ru_utime + usage.ru_stime)
"""


class Worst(NamedTuple):
    """An input, how it is read, and what it is."""

    make: Callable[[], Iterator[bytes]]
    command: tuple[str, ...]  # `{}` is the file
    what: str


def psk_rows() -> Iterator[bytes]:
    yield b"pid,pps\n"
    for number in range(MILLION):
        pid, pps = pid_pps(number)
        yield f"{pid},{pps}\n".encode()


def psk_one() -> Iterator[bytes]:
    yield b"pid,pps\n"
    for number in range(200_000):
        yield b"0000037M,hex:%032x\n" % number


def key_lines(count: int) -> Iterator[bytes]:
    chance = random.Random(1)
    for _ in range(count):
        yield f"CLIENT_RANDOM {chance.randbytes(32).hex()} {chance.randbytes(48).hex()}\n".encode()


def secrets_inside() -> Iterator[bytes]:
    """A pcapng file of nothing but secrets: 300 blocks of a thousand lines."""
    yield struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)
    lines = key_lines(300_000)
    for _ in range(300):
        log = b"".join(next(lines) for _ in range(1000))
        log += b"\n" * (-len(log) % 4)
        size = len(log) + 20
        yield struct.pack("<IIII", 10, size, 0x544C534B, len(log)) + log + struct.pack("<I", size)


def pem(inside: bytes, behind: bytes = b"") -> Callable[[], Iterator[bytes]]:
    def make() -> Iterator[bytes]:
        yield b"-----BEGIN CERTIFICATE-----\n" + inside + b"-----END CERTIFICATE-----\n" + behind

    return make


def packets(steps: Iterator[tuple[int, bytes]]) -> Iterator[bytes]:
    yield struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 1)
    for time, frame in steps:
        yield struct.pack("<IIII", time // SECOND, time % SECOND, len(frame), len(frame)) + frame


def syn_scan() -> Iterator[bytes]:
    def syn(number: int) -> Iterator[tuple[int, bytes]]:
        host = machine_host(number)
        yield 0, Connection(SERVER, host, 1024 + number % 60_000, 16992, seq=(number, 0)).refuse()[0]

    return packets(merge((START + number * MILLISECOND, syn(number)) for number in range(500_000)))


def refused() -> Iterator[bytes]:
    chance = random.Random(1)

    def machine(number: int) -> Iterator[tuple[int, bytes]]:
        host = machine_host(number)
        data = messages.hello_psk(machine_uuid(number), pid_pps(number)[0], retry=0)
        yield from hello_steps(chance, host, SERVER, 49152, data)
        for frame in Connection(SERVER, host, 49152 + number % 16384, 16993, seq=(number, number)).refuse():
            yield 2 * SECOND, frame

    return packets(merge((START + number * 50 * MILLISECOND, machine(number)) for number in range(200_000)))


def bomb() -> Iterator[bytes]:
    line = b"x" * 1000 + b"\n"
    yield gzip.compress(line * 200_000, 1)


WORST = {
    "psk-rows": Worst(psk_rows, ("read", "-q", "--psk-file", "{}", HELLO), "a PSK table of a million rows"),
    "psk-one": Worst(psk_one, ("read", "-q", "--psk-file", "{}", HELLO), "one PID in 200,000 rows"),
    "key-log": Worst(
        lambda: key_lines(MILLION), ("read", "-q", "--keylog", "{}", HELLO), "a key log of a million lines"
    ),
    "key-log-cap": Worst(
        lambda: key_lines(2 * MILLION), ("read", "-q", "--keylog", "{}", HELLO), "one of two million, above the cap"
    ),
    "secrets-inside": Worst(secrets_inside, ("read", "-q", "{}"), "a pcapng of 300,000 secrets and nothing else"),
    "pem-empty": Worst(pem(b"\n" * (16 << 20)), ("cert", "check", "{}"), "a certificate of 16 MB of newlines"),
    "pem-short": Worst(pem(b"AB\n" * (5 << 20)), ("cert", "check", "{}"), "one of five million lines"),
    "pem-outside": Worst(pem(b"", b"x\n" * (8 << 20)), ("cert", "check", "{}"), "eight million lines outside of it"),
    "syn-scan": Worst(syn_scan, ("read", "-q", "{}"), "500,000 SYN to an AMT port, each from a connection of its own"),
    "syn-scan-story": Worst(syn_scan, ("diagnose", "-q", "{}"), "the same, diagnosed"),
    "refused": Worst(refused, ("diagnose", "-q", "{}"), "200,000 machines that say hello and refuse their server"),
    "log-bomb": Worst(bomb, ("log", "-q", "{}"), "a log of 200 MB in a gzip file of 1 MB"),
}


def measure(name: str, folder: Path) -> str:
    """Make an input, read it, and give a row of the table."""
    worst, path = WORST[name], folder / name
    with path.open("wb") as file:
        file.writelines(worst.make())
    words = [sys.executable, "-m", "amtdecode", *(str(path) if word == "{}" else word for word in worst.command)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-S", "-E", "-c", LAUNCHER, *words],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    code, kib, seconds = done.stdout.split()
    size = path.stat().st_size
    path.unlink()
    return f"| `{name}` | {worst.what} | {size / 1e6:,.1f} | {int(kib) / 1024:,.0f} | {float(seconds):,.1f} | {code} |"


def main() -> int:
    """Measure all, or those named."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.worst", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", action="append", choices=list(WORST), help="measure only this one (repeatable)")
    given = parser.parse_args()
    print("| case | what | MB | peak MiB | processor s | exit code |\n|---|---|--:|--:|--:|--:|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for name in given.only or WORST:
            print(measure(name, Path(folder)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
