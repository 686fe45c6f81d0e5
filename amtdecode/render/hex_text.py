"""Hex dumps in which the bytes of a layer or of a field are marked."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

ROW = 16
KEY = 8  # bytes looked for at once
ATTEMPTS = 16  # of them, so that hostile bytes cost no time
MARK, END = "\x1b[7m", "\x1b[27m"

Span = tuple[int, int]
"""First byte, and that behind the last."""


def hex_dump(data: bytes, marked: Sequence[Span] = (), *, color: bool = False) -> str:
    """Offset, sixteen bytes and their printable characters a line, as `tshark -x` prints them.

    Marked bytes are reversed where there is colour, else they stand in brackets, which text2pcap does not read.
    """
    inside = bytearray(len(data) + 1)
    for first, behind in marked:
        first, behind = max(0, first), min(behind, len(data))
        inside[first:behind] = b"\x01" * max(0, behind - first)
    lines = []
    for at in range(0, len(data), ROW):
        row, flags = data[at : at + ROW], bytes(inside[at : at + ROW])
        text = "".join([chr(c) if 0x20 <= c < 0x7F else "." for c in row])
        if not any(flags):
            lines.append(f"{at:04x}  {row.hex(' '):<47}  {text}\n")
            continue
        cells = _colored(row, flags) if color else _bracketed(row, flags)
        lines.append(f"{at:04x} {cells}{' ' * (48 - 3 * len(row))} {text}\n")
    return "".join(lines)


def _bracketed(row: bytes, flags: bytes) -> str:
    """The bytes between the characters that stand around them: one more of these than bytes."""
    parts = []
    before = 0
    for byte, flag in zip(row, flags[: len(row)], strict=True):
        parts.append("[" if flag and not before else "]" if before and not flag else " ")
        parts.append(f"{byte:02x}")
        before = flag
    return "".join(parts) + ("]" if before else " ")


def _colored(row: bytes, flags: bytes) -> str:
    parts = []
    before = 0
    for byte, flag in zip(row, flags[: len(row)], strict=True):
        parts.append(f" {MARK}" if flag and not before else f"{END} " if before and not flag else " ")
        parts.append(f"{byte:02x}")
        before = flag
    return "".join(parts) + (f"{END} " if before else " ")


def overlaps(payload: bytes, message: bytes) -> Span | None:
    """Which bytes of a packet's payload belong to a message: all, those at one end, or `None` where it is not there."""
    if not message or not payload:
        return None
    at = payload.find(message)
    if at >= 0:
        return at, at + len(message)
    if payload in message:
        return 0, len(payload)
    behind = _common(payload, message)
    if behind:
        return len(payload) - behind, len(payload)
    before = _common(message, payload)
    return (0, before) if before else None


def _common(left: bytes, right: bytes) -> int:
    """How many bytes at the end of one are those at the beginning of the other, as far as few attempts tell."""
    key = right[:KEY]
    at = left.find(key)
    for _ in range(ATTEMPTS):
        if at < 0:
            break
        if right.startswith(left[at:]):
            return len(left) - at
        at = left.find(key, at + 1)
    return next((size for size in range(KEY - 1, 0, -1) if left.endswith(right[:size])), 0)
