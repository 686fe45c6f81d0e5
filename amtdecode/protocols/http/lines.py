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
"""Digits of a Content-Length that are believed."""
MOST_DIGITS = 16
"""Hexadecimal digits of a chunk size that are."""

BEGINNINGS = tuple(method.encode() + b" " for method in METHODS)
FIRST_LINES = (
    re.compile(b"(?:" + "|".join(METHODS).encode() + rb") [!-~\x80-\xff]{1,2000} HTTP/(?:1\.[01]|2\.0)\r?\n"),
    re.compile(rb"HTTP/(?:1\.[01]|2\.0) {1,3}[1-5][0-9][0-9](?=[ \r\n])"),
)
"""What a request and a status line look like in the middle of other bytes."""
_ODD_FIRST_LINES = (
    re.compile("(" + "|".join(METHODS) + ") +([!-~\x80-\xff]+) +(HTTP/2\\.0) *"),
    re.compile(r"(HTTP/(?:1\.[0-9]|2\.0)) +([1-9][0-9][0-9])((?: .*)?)"),
)
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_MARKS = (b" HTTP/", b"HTTP/")  # without it no match: found much faster


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


def odd_first_line(line: str, direction: Direction) -> tuple[str, str, str] | None:
    """Split a first line that is written in no way HTTP/1.1 allows, and can be read all the same.

    What is read so: further spaces before the status, and HTTP/2.0, whose messages are no text (RFC 9113 §3).
    """
    found = _ODD_FIRST_LINES[direction].fullmatch(line.rstrip("\r"))
    return (found[1], found[2], found[3].strip(" \t")) if found is not None else None


def header_lines(data: bytes) -> tuple[list[tuple[str, str]], dict[str, str], list[str]]:
    """Read the lines of headers, if any: these; values by lower-case name; what is wrong with how many of the lines.

    The usual head is read here; one with anything odd in it once more, in full.
    """
    if not data:
        return [], {}, []
    lines = data.decode("latin-1").split("\n")
    headers: list[tuple[str, str]] = []
    index: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        value = value.strip(" \t\r")
        if not (colon and name) or name.strip() != name or not (name.isprintable() and value.isprintable()):
            return _odd_header_lines(lines)
        headers.append((name, value))
        index[name.lower()] = value
    return (headers, index, []) if len(index) == len(headers) else _odd_header_lines(lines)


def _odd_header_lines(lines: list[str]) -> tuple[list[tuple[str, str]], dict[str, str], list[str]]:
    """Read lines among which some are folded, without a name, or of the same name.

    Values of one name make one list (RFC 9110 §5.3). A folded line goes on with the one before (RFC 9112 §5.2). No
    space may stand before the colon (RFC 9112 §5.1), and no control character but a tab in a value (RFC 9110 §5.5).
    """
    headers: list[tuple[str, str]] = []
    index: dict[str, str] = {}
    bad = spaced = control = 0
    for line in lines:
        name, colon, value = line.partition(":")
        value = value.strip(" \t\r")
        control += _CONTROL.search(line[:-1] if line[-1:] == "\r" else line) is not None
        if not colon or not name or name[0] in " \t":
            if not (line[:1] in (" ", "\t") and headers):
                bad += 1
                continue
            name, before = headers.pop()
            value = before + " " + line.strip(" \t\r")
            index.pop(name.lower(), None)
        elif name[-1] in " \t":
            name = name.rstrip(" \t")
            spaced += 1
        headers.append((name, value))
        lower = name.lower()
        index[lower] = f"{index[lower]}, {value}" if lower in index else value
    counts = (bad, "without a name"), (spaced, "with a space before the colon"), (control, "with control characters")
    of_all = f"of {len(lines)} header lines"
    return headers, index, [f"{count} {of_all} {what}" for count, what in counts if count]


def chunk_size(line: bytes) -> int:
    """Read a chunk's size; -1 for a line that has none."""
    digits = line[:-1] if line.endswith(b"\r") else line
    if not digits.isalnum():
        digits = digits.partition(b";")[0].strip(b" \t\r")
        if not digits.isalnum():
            return -1
    size = len(digits)
    if (size > 1 and digits[1] in b"xX") or (size > MOST_DIGITS and len(digits.lstrip(b"0")) > MOST_DIGITS):
        return -1
    try:
        return int(digits, 16)
    except ValueError:
        return -1


def content_length(text: str) -> int | None:
    """Read a Content-Length; `None` for what is no number, or none that is believed."""
    believed = text.isascii() and text.isdigit() and len(text.lstrip("0")) <= LENGTH_DIGITS
    return int(text[-LENGTH_DIGITS:]) if believed else None
