"""What both DHCP rooms share: text and domain names out of options."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_LABEL = 63  # bytes, RFC 1035 section 2.3.4


def text(raw: bytes) -> str:
    """Text of an option as tshark shows it: up to the first NUL; bytes that are not UTF-8 as escapes."""
    return raw.split(b"\0", 1)[0].decode("utf-8", "backslashreplace")


def labels(raw: bytes) -> list[bytes] | None:
    """The labels of names in wire form (RFC 1035, no compression), an empty one for each end of a name.

    None where a label is longer than 63 bytes or runs over the end.
    """
    found = []
    at, end = 0, len(raw)
    while at < end:
        size = raw[at]
        at += 1
        if size > MAX_LABEL or at + size > end:
            return None
        found.append(raw[at : at + size])
        at += size
    return found


def names(found: Iterable[bytes]) -> tuple[str, ...]:
    """Labels joined to names; each empty label ends one. A last name without its end is kept."""
    result, parts = [], []
    for label in found:
        if label:
            parts.append(label.decode("utf-8", "backslashreplace"))
        else:
            result.append(".".join(parts))
            parts = []
    if parts:
        result.append(".".join(parts))
    return tuple(result)
