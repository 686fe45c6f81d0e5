"""Mutated captures through every form of output, by the hundred million bytes: no exception, and no growth.

python tests/fuzz/outputs.py                        a million bytes, to see that it works
python tests/fuzz/outputs.py --bytes 1e9 --seed 7   a run for docs/security.md, some hours; the log is its last line

Seeds are the captures of `pcaps/` and any named behind the options. What is mutated goes through `read` in each form,
with `-V`, `-x` and columns, `flows`, `diagnose` in each form, audits among them, the tree of each message, and packet
fields; bytes are counted once for each of these. Nothing may raise, write anything but UTF-8, or leave memory behind.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import io
import random
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(ROOT)]

import amtdecode  # noqa: E402
import amtdecode.diagnosis.run  # noqa: E402
import amtdecode.engine.stack  # noqa: E402
from amtdecode.cli.main import run  # noqa: E402

amtdecode.engine.stack.RAISE_FAULTS = amtdecode.diagnosis.run.RAISE_FAULTS = True
SMALL = 1 << 16  # bytes of a seed; longer ones are cut to it
EASE = 20  # inputs
GROWTH = 4 << 20  # bytes that caches may hold on to between the first tenth of a run and its end
COMMANDS = {
    "text": ["read", "-q"],
    "tree": ["read", "-q", "-V"],
    "bytes": ["read", "-q", "-x"],
    "json": ["read", "-q", "-T", "json"],
    "ek": ["read", "-q", "-T", "ek"],
    "fields": [
        "read",
        "-q",
        "-T",
        "fields",
        "-e",
        "frame.number",
        "-e",
        "http.request.uri",
        "-e",
        "tcp.analysis.flags",
    ],
    "secrets": ["read", "-q", "-V", "--show-secrets"],
    "flows": ["flows", "-q"],
    "report": ["diagnose", "-q", "-V"],
    "report json": ["diagnose", "-q", "-T", "json"],
    "ladders": ["diagnose", "-q", "--ladder"],
    "page": ["diagnose", "-q", "--html", "-"],
    "audit": ["diagnose", "-q", "--audit"],
    "sarif": ["diagnose", "-q", "--audit", "-T", "sarif"],
    "redacted": ["diagnose", "-q", "-V", "--redact"],
}


def seeds(names: list[str]) -> list[bytes]:
    """Captures to start from."""
    paths = [Path(name) for name in names] or sorted(
        path for path in (ROOT / "pcaps").iterdir() if path.suffix in (".pcap", ".pcapng")
    )
    return [path.read_bytes()[:SMALL] for path in paths]


def mutated(data: bytes, chance: random.Random) -> bytes:
    """One to twenty changes: bits, bytes, lengths, pieces cut, doubled, moved or taken from elsewhere."""
    made = bytearray(data)
    for _ in range(chance.randint(1, 20)):
        at = chance.randrange(24, max(25, len(made)))
        size = chance.choice((1, 2, 4, 16, 100))
        kind = chance.randrange(7)
        if kind == 0 and at < len(made):
            made[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            made[at : at + size] = chance.randbytes(size)
        elif kind == 2:
            made[at : at + size] = chance.choice((b"\0", b"\xff", b"<", b"\x1b", b"\xe2\x80\xae", b"%", b"-----"))
        elif kind == 3:
            del made[at : at + size]
        elif kind == 4:
            made[at:at] = made[at : at + size]
        elif kind == 5:
            other = chance.randrange(24, max(25, len(made)))
            made[at : at + size] = made[other : other + size]
        else:
            made[at : at + 4] = chance.choice((0, 1, 0x7FFFFFFF, 0xFFFFFFFF, 0x10000)).to_bytes(4, "little")
    return bytes(made)


def through(command: list[str], name: str) -> int:
    """One command over one file; returns the bytes it wrote."""
    errors = io.StringIO()
    with tempfile.TemporaryFile() as file, io.TextIOWrapper(file, "utf-8", write_through=True) as out:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
            code = run([*command, name])
        file.seek(0)
        written = file.read()
    assert code in (0, 1, 3, 4), (command, code, errors.getvalue())
    assert "Traceback" not in errors.getvalue(), errors.getvalue()
    if "-x" not in command:
        written.decode()
    return len(written)


def library(data: bytes) -> None:
    """What only the library gives: trees, dictionaries, packet fields."""
    for each in amtdecode.read(data, pdus=True):
        each.to_dict()
        repr(each)
        each.tree()
    for packet in amtdecode.packets(data):
        repr(packet)


def ease() -> None:
    """Let go of what nobody reaches: each command freezes what it finds, and calms the collector, for its process."""
    gc.unfreeze()
    for _ in range(3):  # generators broken off are closed by the first, and what they held goes with the next
        gc.collect()


def memory() -> int:
    """Bytes held by Python's objects, but for those that nobody reaches."""
    ease()
    return tracemalloc.get_traced_memory()[0]


def main() -> int:
    """Run until enough bytes went through; 1 for a fault, whose input is kept."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--bytes", type=float, default=1e6)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, default=Path("fault.pcap"), help="where an input that fails is written")
    parser.add_argument("captures", nargs="*")
    given = parser.parse_args()
    chance, starts = random.Random(given.seed), seeds(given.captures)
    name = given.keep
    done = inputs = wrote = held = 0
    tracemalloc.start(1)
    began = time.process_time()
    while done < given.bytes:
        data = mutated(chance.choice(starts), chance)
        name.write_bytes(data)
        try:
            for command in COMMANDS.values():
                wrote += through(command, str(name))
                done += len(data)
            with contextlib.suppress(amtdecode.AmtdecodeError):
                library(data)
            done += len(data)
        except BaseException:
            print(f"fault after {done:,} bytes, seed {given.seed}: the input is {name}", file=sys.stderr)
            raise
        inputs += 1
        if not inputs % EASE:
            ease()
        if not held and done > given.bytes / 10:
            held = memory()
    grown = memory() - held
    name.unlink()
    print(
        f"seed {given.seed}: {done:,} bytes of {inputs:,} mutated captures through {len(COMMANDS) + 1} forms, "
        f"{wrote:,} bytes written, no exception, {grown / 1024:,.0f} KiB more held at the end than after a tenth, "
        f"{time.process_time() - began:,.0f} s of processor time"
    )
    return int(grown > GROWTH)


if __name__ == "__main__":
    sys.exit(main())
