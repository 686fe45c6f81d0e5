"""What both DHCP rooms share: text and domain names out of options, and the frame of a datagram dissector."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.model import Direction, Statement
from amtdecode.protocols.dissector import Context, Dissector, gap_statement

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amtdecode.model import End, Event

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


class DatagramDissector(Dissector):
    """Each call brings one datagram; nothing is kept from one to the next but the offset."""

    layer = ""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._at = [0, 0]

    def events(self, data: bytes) -> Iterable[Event]:
        """What one datagram says."""
        raise NotImplementedError

    def receive_data(self, direction: Direction, data: bytes) -> Iterable[Statement]:
        """One datagram."""
        start = self._at[direction]
        self._at[direction] = end = start + len(data)
        return [Statement(event, direction, start, end) for event in self.events(data)]

    def receive_gap(self, direction: Direction, size: int) -> Iterable[Statement]:
        """Bytes of a datagram that the capture does not hold."""
        start = self._at[direction]
        self._at[direction] += size
        return (gap_statement(self.layer, direction, start, size),)

    def receive_eof(self, direction: Direction, end: End) -> Iterable[Statement]:  # noqa: ARG002
        """Nothing waits for more."""
        return ()
