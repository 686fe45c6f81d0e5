"""Outside programs that are asked about files, and say the same of the same bytes each time.

AMTDECODE_ANSWERS names a folder that keeps what they said: `.ci/run` runs the tests twice, compiled and in pure Python,
and what tshark says depends on neither. A program is known by its size and date, a file by its bytes. Without the
variable each question is asked.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, TypeVar

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")
PATH = re.compile(r'/[^\s:,"]+')
"""A file inside an argument: `lua_script:/…`."""


def run(
    command: Sequence[object], *, check: bool, text: bool = False, errors: str = "strict", timeout: float | None = None
) -> subprocess.CompletedProcess:
    """`subprocess.run` of a program that reads the files in its arguments and writes its output alone."""
    words = [str(word) for word in command]
    code, *said = kept(words, lambda: _asked(words, timeout), tuple[int, bytes, bytes])
    if text:
        said = [part.decode(errors=errors).replace("\r\n", "\n").replace("\r", "\n") for part in said]
    done = subprocess.CompletedProcess(words, code, *said)
    if check:
        done.check_returncode()
    return done


def kept(question: list[str], ask: Callable[[], T], kind: type[T]) -> T:
    """What a program answers to a question: its name, and words that say all it depends on, files among them."""
    folder = os.environ.get("AMTDECODE_ANSWERS")
    if not folder:
        return ask()
    path = Path(folder, _name(question))
    if path.exists():
        return msgspec.msgpack.decode(path.read_bytes(), type=kind)
    answer = ask()
    with NamedTemporaryFile(dir=folder, delete=False) as file:  # two runs may ask the same at once
        file.write(msgspec.msgpack.encode(answer))
    os.replace(file.name, path)
    return answer


def _asked(words: list[str], timeout: float | None) -> tuple[int, bytes, bytes]:
    done = subprocess.run(words, capture_output=True, check=False, timeout=timeout)
    return done.returncode, done.stdout, done.stderr


def _name(words: list[str]) -> str:
    program = os.stat(shutil.which(words[0]) or words[0])
    known = [str((program.st_size, program.st_mtime_ns))]
    known += [
        _digest(word) if os.path.isfile(word) else PATH.sub(lambda found: _digest(found[0]), word) for word in words
    ]
    return hashlib.sha256("\0".join(known).encode()).hexdigest()


def _digest(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest() if os.path.isfile(path) else path
