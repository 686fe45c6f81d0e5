"""Record framing of both directions: whole records cut out, bodies nobody reads passed over, boundaries found again.

What a record means is for `TlsDissector`, which derives from `Framing`; here it is a header and so many bytes.
"""

from __future__ import annotations

import re
from struct import Struct
from typing import TYPE_CHECKING, Final

from amtdecode.counting import counted
from amtdecode.model import (
    TO_CLIENT,
    TO_SERVER,
    ChannelGap,
    Direction,
    End,
    Event,
    Malformed,
    Note,
    Span,
    Statement,
    Truncated,
    Unrecognised,
)
from amtdecode.protocols.dissector import Context, Counted, Dissector, gap_statement
from amtdecode.protocols.tls.connection_state import ConnectionState
from amtdecode.protocols.tls.record_header import HEADER_SIZE, MAX_RECORD, NOTHING_SAID
from amtdecode.protocols.tls.registry import name_of_handshake
from amtdecode.protocols.tls.registry.messages import APPLICATION_DATA, HANDSHAKE
from amtdecode.protocols.tls.registry.versions import SSL3, TLS13

if TYPE_CHECKING:
    from collections.abc import Iterable

HANDSHAKE_PROOF: Final = 262144
"""Bytes of a direction for which a handshake's summary still points back to its first message."""
SHOWN: Final = 64  # bytes of a fault kept in its event

_read_header: Final = Struct(">BHH").unpack_from  # content type, version, length
_HEADER: Final = re.compile(rb"[\x14-\x18]\x03[\x00-\x04][\x00-\x48]", re.DOTALL)
OTHER_WAY: Final = (TO_CLIENT, TO_SERVER)


class Framing(Dissector):
    """Cuts records; `record`, `closed_data` and `ssl2_hello` say what they mean."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.states = (ConnectionState(TO_SERVER, "client"), ConnectionState(TO_CLIENT, "server"))
        self.begun = False
        self.summed = False  # the handshake under way was summed up: closed data need only be counted
        self.speaker: ConnectionState | None = None  # which side sent data last
        self.out: list[Statement] = []

    def count_data(self, state: ConnectionState, length: int, start: int, content: int = -1) -> None:
        """Count an application data record, of which a key opened `content` bytes (-1: none did)."""
        speaks = length > NOTHING_SAID if content < 0 else content > 1
        state.count(length, start, speaks=speaks, anew=self.speaker is not state)
        if speaks:
            self.speaker = state

    def say(self, event: Event, span: Span) -> None:
        """State an event."""
        self.out.append(Statement(event, span.direction, span.start, span.end))

    def messages(self, state: ConnectionState, version: int, data: bytes, at: int, end: int) -> None:
        """Handle a record in the clear whose handshake messages, `data` from `at` to `end`, begin in it."""
        raise NotImplementedError

    def record(self, state: ConnectionState, kind: int, version: int, fragment: bytes, start: int, end: int) -> None:
        """Handle a whole record, which stands at start to end."""
        raise NotImplementedError

    def closed_data(self, state: ConnectionState, length: int, span: Span) -> None:
        """Handle an application data record that nothing opens; its body is not looked at."""
        raise NotImplementedError

    def ssl2_hello(self, state: ConnectionState, message: bytes, span: Span) -> None:
        """Handle a ClientHello framed as SSL 2.0, without its two bytes of size."""
        raise NotImplementedError

    def finish(self, state: ConnectionState, end: End, last: int, position: int) -> None:
        """Sum up: a direction has ended, at `position`; its last record starts at `last`."""
        raise NotImplementedError

    def receive_data(self, direction: Direction, data: bytes) -> Iterable[Statement]:
        """Take whole records out of the bytes of a side; pass over bodies that nothing can open."""
        if self.finished:
            return ()
        out: list[Statement] = []
        self.out = out
        state = self.states[direction]
        if state.data:
            data = state.data + data
        base, at, size = state.start, 0, len(data)
        counting = False  # the last record was closed data
        while not self.finished:
            if state.lost:
                at = self._search(direction, state, data, at)
                if state.lost:
                    break
            if size - at < HEADER_SIZE:
                break
            kind, version, length = _read_header(data, at)
            if kind < 20 or kind > 24 or version < SSL3 or version > TLS13 or length > MAX_RECORD:
                taken = self._odd(direction, state, data, at)
                if taken < 0:
                    break
                at += taken
                continue
            body = at + HEADER_SIZE
            end = body + length
            if not self.begun and not self._begin(direction, kind, data, at):
                break
            if kind == APPLICATION_DATA and state.cipher is None and not state.keys_changed:  # nothing can open it
                state.last = start = base + at
                if self.summed:
                    self.count_data(state, length, start)
                else:
                    self.closed_data(state, length, Span(direction, start, start + HEADER_SIZE))
                at = end
                counting = True
                if end > size:
                    self.skip_bytes[direction] = end - size
                    break
                continue
            if end > size:
                break
            counting = False
            if kind == HANDSHAKE and not (
                state.protected or state.partial or state.ignore or state.opener or state.protection_unknown
            ):
                self.messages(state, version, data, body, end)
            else:
                self.record(state, kind, version, data[body:end], base + at, base + end)
            state.last = base + at
            at = end
        state.data = data[at:] if at < size else b""
        state.start = base + at
        if state.handshake_start is not None or state.partial or state.alert:
            self._raise_floor(direction, state)
        else:
            self.trim_to[direction] = state.last
        counting = counting and self.speaker is state and not state.data and self.only_counts(state)
        self.counts = direction if counting else None
        return out

    def only_counts(self, state: ConnectionState) -> bool:
        """Whether nothing would be said of closed data that follows what was closed data."""
        return not (self.finished or self.context.pdus or state.partial or state.alert) and (
            state.handshake_start is None
        )

    def receive_counted(self, direction: Direction, counted: Counted) -> None:
        state = self.states[direction]
        state.count_more(counted.records, counted.size, counted.spoken, counted.last)
        state.start = counted.behind
        state.last = self.trim_to[direction] = counted.last

    def _raise_floor(self, direction: Direction, state: ConnectionState) -> None:
        floor, begun = state.last, state.handshake_start
        if begun is not None:
            if floor - begun > HANDSHAKE_PROOF:
                state.handshake_start = None
            elif begun < floor:
                floor = begun
        if (state.partial or state.alert) and state.partial_start < floor:
            floor = state.partial_start
        if floor > self.trim_to[direction]:
            self.trim_to[direction] = floor

    def _begin(self, direction: Direction, kind: int, data: bytes, at: int) -> bool:
        """See whether the conversation starts with its hello or in the middle; false when that needs more bytes."""
        if kind == HANDSHAKE:
            if len(data) - at < HEADER_SIZE + 1:
                return False
            if data[at + HEADER_SIZE] == 1:
                self.begun = True
                return True
        self.begun = True
        for state in self.states:
            state.protection_unknown = True
        start = self.states[direction].start + at
        what = "it does not begin with a ClientHello: that is not in the capture, or was never sent"
        self.say(Note("tls", what), Span(direction, start, start + HEADER_SIZE))
        return True

    def _odd(self, direction: Direction, state: ConnectionState, data: bytes, at: int) -> int:
        """Handle what is no record: an SSL 2.0 hello at the start, or framing that is lost.

        Gives the bytes taken, or -1 when more are needed.
        """
        start = state.start + at
        if start == 0 and data[0] & 0x80 and data[2] in {1, 4}:
            size = 2 + ((data[0] & 0x7F) << 8 | data[1])
            if data[2] == 4:
                self.finished = True
                what = "an SSL 2.0 server hello: records of SSL 2.0 are not decoded"
                self.say(Unrecognised("tls", what, data[:HEADER_SIZE]), Span(direction, 0, HEADER_SIZE))
                return -1
            if len(data) < size:
                return -1
            self.begun = True
            self.ssl2_hello(state, data[2:size], Span(direction, 0, size))
            return size
        self.begun = True
        state.lost, state.searched = True, 0
        self.forget(state)
        found = data[at : at + HEADER_SIZE]
        reason = "no TLS record where one must begin"
        if found == b"HTTP/":
            reason = "HTTP in the clear: this port does not speak TLS"
        fault = Malformed("tls", reason, found)
        self.say(fault, Span(direction, start, start + HEADER_SIZE))
        return 0

    def _search(self, direction: Direction, state: ConnectionState, data: bytes, at: int) -> int:
        """Look for a record header; give where it is, or up to where there is none."""
        base = state.start
        while True:
            found = _HEADER.search(data, at)
            stop = max(len(data) - 3, at) if found is None else found.start()
            state.searched += stop - at
            state.last = base + stop
            if found is None or len(data) - stop < HEADER_SIZE:
                return stop
            length = data[stop + 3] << 8 | data[stop + 4]
            if length <= MAX_RECORD and (length or data[stop] == APPLICATION_DATA):
                state.lost, state.protection_unknown = False, True
                what = f"found a record boundary again after {counted(state.searched, 'byte')}"
                self.say(Note("tls", what), Span(direction, base + stop, base + stop + HEADER_SIZE))
                return stop
            state.searched += 1
            at = stop + 1

    def forget(self, state: ConnectionState) -> None:
        """Drop what was half there: bytes of this direction are lost, and keys can no longer follow it."""
        state.partial = state.alert = b""
        state.ignore = 0
        state.cipher = state.opener = None
        state.keys_changed = False

    def receive_gap(self, direction: Direction, size: int) -> Iterable[Statement]:
        self.counts = None
        if self.finished:
            return ()
        state = self.states[direction]
        skipped = self.skip_bytes[direction]
        out = [gap_statement("tls", direction, state.start + len(state.data) - skipped, size)]
        if skipped:  # inside a body nobody reads
            if size <= skipped:
                self.skip_bytes[direction] = skipped - size
                return out
            self.skip_bytes[direction] = 0
            size -= skipped
        if state.cipher is not None:
            out.append(Statement(ChannelGap(0, size), direction, out[0].start, out[0].end))
        self.forget(state)
        state.protection_unknown = True
        rest = 0
        data = state.data
        if len(data) >= HEADER_SIZE and not state.lost:
            rest = HEADER_SIZE + (data[3] << 8 | data[4]) - len(data)
        state.jump(size)
        if size <= rest:  # one record is lost, but where it ends is known
            self.skip_bytes[direction] = rest - size
            state.jump(rest - size)
        else:
            state.lost, state.searched = True, 0
        state.last = state.start - self.skip_bytes[direction]
        self._raise_floor(direction, state)
        return out

    def receive_eof(self, direction: Direction, end: End) -> Iterable[Statement]:
        state = self.states[direction]
        if state.ended or self.finished:
            return ()
        out: list[Statement] = []
        self.out = out
        state.ended = True
        data, missing = state.data, self.skip_bytes[direction]
        position = state.start + len(data) - missing
        last = state.last
        stop = max(last, position)
        if missing:
            cut = f"record cut by the end of its direction ({end.value})"
            self.say(Truncated("tls", cut, position, missing), Span(direction, last, stop))
        elif data and not state.lost:
            if len(data) >= HEADER_SIZE:
                missing = HEADER_SIZE + (data[3] << 8 | data[4]) - len(data)
            cut = f"record cut by the end of its direction ({end.value})"
            self.say(Truncated("tls", cut, position, max(missing, 0)), Span(direction, state.start, position))
        elif len(state.partial) >= 4:
            missing = 4 + int.from_bytes(state.partial[1:4], "big") - len(state.partial)
            cut = f"{name_of_handshake(state.partial[0])} cut by the end of its direction ({end.value})"
            self.say(Truncated("tls", cut, position, missing), Span(direction, state.partial_start, position))
        self.finish(state, end, last, stop)
        return out
