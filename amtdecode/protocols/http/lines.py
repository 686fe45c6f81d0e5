"""Reading the lines of HTTP: request and status lines, headers, chunk sizes. One character is one byte (ISO 8859-1)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from amtdecode.protocols.http.names import METHODS

if TYPE_CHECKING:
    from amtdecode.model import Direction

LINE_LIMIT = 8 << 10
"""Bytes of a request or status line; what is longer is none (RFC 9112 §3 recommends at least 8000)."""
LENGTH_DIGITS = 18
"""Digits of a Content-Length or chunk size that are believed."""

BEGINNINGS = tuple(method.encode() + b" " for method in METHODS)
FIRST_LINES = (
    re.compile(b"(?:" + "|".join(METHODS).encode() + rb") [!-~\x80-\xff]{1,2000} HTTP/1\.[01]\r?\n"),
    re.compile(rb"HTTP/1\.[01] [1-5][0-9][0-9](?=[ \r\n])"),
)
"""What a request and a status line look like in the middle of other bytes."""
_MARKS = (b" HTTP/1.", b"HTTP/1.")  # without it no match: found much faster


def find_first_line(data: bytes, at: int, direction: Direction) -> re.Match[bytes] | None:
    """Find the next request or status line."""
    return FIRST_LINES[direction].search(data, at) if data.find(_MARKS[direction], at) >= 0 else None


def first_line(line: str, direction: Direction) -> tuple[str, str, str] | None:
    """Split a request line into method, target and version, a status line into version, status and reason.

    The caller keeps to `LINE_LIMIT`.
    """
    if line[-1:] == "\r":
        line = line[:-1]
    if direction:
        if line[:7] != "HTTP/1." or line[8:9] != " " or line[12:13] not in ("", " "):
            return None
        version, status = line[:8], line[9:12]
        good = version[7] in "0123456789" and len(status) == 3 and status.isascii() and status.isdigit()
        return (version, status, line[13:].strip(" \t")) if good and status >= "100" else None
    method, _, rest = line.partition(" ")
    target, _, version = rest.rstrip(" \t").rpartition(" ")
    if version[:7] != "HTTP/1." or len(version) != 8 or version[7] not in "0123456789" or not target:
        return None
    if " " in target and method not in METHODS:
        return None  # the end of a body with a request behind it
    plain = method if method.isalpha() else method.replace("-", "").replace("_", "")
    return (method, target.strip(" \t"), version) if plain.isascii() and plain.isalnum() else None


def header_lines(lines: list[str]) -> tuple[list[tuple[str, str]], dict[str, str], int]:
    """Read all lines but the first: the headers; values by lower-case name; how many lines are no header.

    The usual head is read here; one with anything odd in it once more, in full.
    """
    headers: list[tuple[str, str]] = []
    index: dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon or not name or name.strip() != name:
            return _odd_header_lines(lines)
        value = value.strip(" \t\r")
        headers.append((name, value))
        index[name.lower()] = value
    return (headers, index, 0) if len(index) == len(headers) else _odd_header_lines(lines)


def _odd_header_lines(lines: list[str]) -> tuple[list[tuple[str, str]], dict[str, str], int]:
    """Read lines among which some are folded, without a name, or of the same name.

    Values of one name make one list (RFC 9110 §5.3). A folded line goes on with the one before (RFC 9112 §5.2).
    """
    headers: list[tuple[str, str]] = []
    index: dict[str, str] = {}
    bad = 0
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        value = value.strip(" \t\r")
        if not colon or not name or name[0] in " \t":
            if not (line[:1] in (" ", "\t") and headers):
                bad += 1
                continue
            name, before = headers.pop()
            value = before + " " + line.strip(" \t\r")
            index.pop(name.lower(), None)
        elif name[-1] in " \t":
            name = name.rstrip(" \t")
        headers.append((name, value))
        lower = name.lower()
        index[lower] = f"{index[lower]}, {value}" if lower in index else value
    return headers, index, bad


def chunk_size(line: bytes) -> int:
    """Read a chunk's size; -1 for a line that has none."""
    digits = line[:-1] if line[-1:] == b"\r" else line
    if not digits.isalnum():
        digits = digits.partition(b";")[0].strip(b" \t\r")
    if not digits.isalnum() or digits[1:2] in (b"x", b"X") or len(digits.lstrip(b"0")) > LENGTH_DIGITS - 2:
        return -1
    try:
        return int(digits, 16)
    except ValueError:
        return -1


def content_length(text: str) -> int | None:
    """Read a Content-Length; `None` for what is no number, or none that is believed."""
    believed = text.isascii() and text.isdigit() and len(text.lstrip("0")) <= LENGTH_DIGITS
    return int(text[-LENGTH_DIGITS:]) if believed else None
