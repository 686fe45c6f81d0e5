"""Messages over TCP with their length in front: DNS (RFC 1035 section 4.2.2), Kerberos (RFC 4120 section 7.2.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from amtdecode.model import Direction, End, Malformed, Statement, Truncated
from amtdecode.protocols.dissector import Context, Dissector, ReceiveBuffer, gap_statement

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amtdecode.model import Event


class PrefixedDissector(Dissector):
    """Messages cut out of each direction by their lengths. After a gap the lengths are lost, and with them the rest."""

    name: ClassVar[str]
    """The layer of faults."""
    prefix: ClassVar[int]
    """Bytes of the length, big-endian; it does not count itself."""
    most: ClassVar[int]
    """Bytes of the longest message; a longer one is `Malformed`, and ends the reading of its direction."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._inbox = (ReceiveBuffer(), ReceiveBuffer())
        self._lost = [False, False]

    def events(self, message: bytes) -> Iterable[Event]:
        """What is stated of a message, without its length."""
        raise NotImplementedError

    def concerns(self, message: bytes) -> bool:  # noqa: ARG002
        """Whether it is told that a message which begins so is cut."""
        return True

    def receive_data(self, direction: Direction, data: bytes) -> Iterable[Statement]:
        """The next bytes of a direction."""
        if self._lost[direction]:
            return ()
        inbox, prefix = self._inbox[direction], self.prefix
        inbox.append(data)
        held, at = inbox.data, 0
        found: list[Statement] = []
        while at + prefix <= len(held):
            begin = at + prefix
            size = int.from_bytes(held[at:begin], "big")
            if size > self.most:
                what = Malformed(self.name, f"a message of {size} bytes", held[at:begin])
                found.append(Statement(what, direction, inbox.start + at, inbox.start + begin))
                at = len(held)
                self._give_up(direction)
                break
            end = begin + size
            if end > len(held):
                break
            place = direction, inbox.start + at, inbox.start + end
            found += [Statement(event, *place) for event in self.events(held[begin:end])]
            at = end
        inbox.consume(at)
        self.trim_to[direction] = inbox.start
        return found

    def _give_up(self, direction: Direction) -> None:
        self._lost[direction] = True
        self.finished = all(self._lost)

    def receive_gap(self, direction: Direction, size: int) -> Iterable[Statement]:
        """Where the next message begins is not known any more."""
        if self._lost[direction]:
            return ()
        start = self._inbox[direction].end
        self._inbox[direction].jump(size)
        self._give_up(direction)
        return (gap_statement(self.name, direction, start, size),)

    def receive_eof(self, direction: Direction, end: End) -> Iterable[Statement]:
        """A message that is cut by the end."""
        inbox = self._inbox[direction]
        held = inbox.data
        if self._lost[direction] or not held or not self.concerns(held[self.prefix :]):
            return ()
        missing = max(0, int.from_bytes(held[: self.prefix], "big") + self.prefix - len(held))
        what = Truncated(self.name, f"a message is cut: {end.value}", inbox.end, missing)
        return (Statement(what, direction, inbox.start, inbox.end),)
