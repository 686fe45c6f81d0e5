"""Reading key files: whole and bounded, and every fault as one line that says what to mend."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from amtdecode.errors import KeyFileError, reason

if TYPE_CHECKING:
    from pathlib import Path

MAX_KEY_FILE_SIZE: Final = 64 << 20  # bytes; a PSK table of a million machines fits


def read_key_file(path: str | Path, what: str, shown: str = "") -> bytes:
    """Read a file of keys whole; `what` names it in the error (`KeyFileError`).

    `shown` stands there for a path that may be a password or key, given where a file is wanted.
    """
    name = f"{what} {shown or path}"
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_KEY_FILE_SIZE + 1)
    except (OSError, ValueError) as error:
        raise KeyFileError(f"{name}: {reason(error)}") from None
    return _bounded(data, name)


def read_standard_input(what: str) -> bytes:
    """Read key material from standard input to its end."""
    try:
        data = sys.stdin.buffer.read(MAX_KEY_FILE_SIZE + 1)
    except OSError as error:
        raise KeyFileError(f"{what} from standard input: {reason(error)}") from None
    return _bounded(data, f"{what} from standard input")


def _bounded(data: bytes, name: str) -> bytes:
    if len(data) > MAX_KEY_FILE_SIZE:
        raise KeyFileError(f"{name}: larger than {MAX_KEY_FILE_SIZE >> 20} MiB, which no file of keys is")
    return data
