"""Text for consoles that cannot write all of it, such as code page 437 or 1252 on Windows: arrows become ASCII."""

from __future__ import annotations

import codecs
import os
import sys
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

HANDLER = "amtdecode"
"""Name of the error handler for `str.encode` that `register` gives."""

PLAIN_WIDTH = 110  # columns where nobody says how wide the output is

IN_ASCII = {
    "→": "->", "←": "<-", "…": "...", "–": "-", "—": "-", "·": ".", "§": "section ", "±": "+-", "≥": ">=", "≤": "<=",
    "▁": ".", "▂": ":", "▃": "-", "▄": "=", "▅": "+", "▆": "*", "▇": "#", "█": "@",
    "│": "|", "─": "-", "┊": ":", "├": "+", "┤": "+", "┼": "-", "◄": "<", "►": ">", "✗": "X",
    "\N{REPLACEMENT CHARACTER}": "?", "“": '"', "”": '"', "‘": "'", "’": "'",
}  # fmt: skip
"""What amtdecode itself writes beyond ASCII. Captured text is escaped as `\\u2192`."""


def register() -> str:
    """Make the error handler known, and give its name."""
    codecs.register_error(HANDLER, _replace)
    return HANDLER


def _replace(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letters = error.object[error.start : error.end]
    shown = [IN_ASCII.get(each) or each.encode("ascii", "backslashreplace").decode() for each in letters]
    return "".join(shown), error.end


def encoding() -> str:
    """The encoding of standard output; UTF-8 where it has none."""
    return getattr(sys.stdout, "encoding", None) or "utf-8"


def encoded(text: str) -> bytes:
    """Text as standard output's bytes."""
    return text.encode(encoding(), HANDLER)


def terminal_width() -> int:
    """Columns of the terminal, or as COLUMNS says; 0 where there is none, and lines are as long as they are."""
    from amtdecode.cli.paging import columns, to_terminal

    return columns(0) if to_terminal() or "COLUMNS" in os.environ else 0


def text_width() -> int:
    """Columns of the terminal that standard output is, or that COLUMNS says; else `PLAIN_WIDTH`."""
    return terminal_width() or PLAIN_WIDTH


def write_line(text: str) -> None:
    """A line of text on standard output."""
    sys.stdout.write(f"{text}\n")


def write_json(parts: Iterable[str]) -> None:
    """JSON, whole or in parts, and a line end: always UTF-8 (RFC 8259, section 8.1), whatever the console takes."""
    stream = getattr(sys.stdout, "buffer", None)
    sys.stdout.flush()
    for part in chain(parts, ("\n",)):
        if stream is None:  # standard output was replaced by something that takes text alone
            sys.stdout.write(part)
        else:
            stream.write(part.encode())
