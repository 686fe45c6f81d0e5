"""Record framing of both directions: whole records cut out, bodies nobody reads passed over, boundaries found again.

What a record means is for `TlsDissector`, which derives from `Framing`; here it is a header and so many bytes.
"""

from __future__ import annotations

import re
from struct import Struct
from typing import TYPE_CHECKING, Any, Final

import msgspec

from amtdecode.model import (
    TO_CLIENT,
    TO_SERVER,
    ChannelGap,
    Direction,
    End,
    Event,
    Malformed,
    Note,
    Statement,
    Truncated,
    Unrecognised,
)
from amtdecode.protocols.dissector import Context, Dissector, gap_statement
from amtdecode.protocols.tls.registry import name_of_handshake
from amtdecode.protocols.tls.registry.messages import APPLICATION_DATA, HANDSHAKE
from amtdecode.protocols.tls.registry.versions import SSL3, TLS13

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amtdecode.protocols.tls.session13 import EarlyOpener, Opener13

HEADER_SIZE: Final = 5
MAX_RECORD: Final = 16384 + 2048  # RFC 5246, section 6.2.3
HANDSHAKE_PROOF: Final = 262144
"""Bytes of a direction for which a handshake's summary still points back to its first message."""
SHOWN: Final = 64  # bytes of a fault kept in its event

_read_header: Final = Struct(">BHH").unpack_from  # content type, version, length
_HEADER: Final = re.compile(rb"[\x14-\x18]\x03[\x00-\x04][\x00-\x48]", re.DOTALL)
OTHER_WAY: Final = (TO_CLIENT, TO_SERVER)


class Place(msgspec.Struct, gc=False):
    """Bytes of one direction that an event stands for."""

    direction: Direction
    start: int
    end: int


class Side:
    """One direction: its bytes, and what its records are protected by."""

    __slots__ = (
        "alert",
        "app_bytes",
        "app_opened",
        "app_records",
        "app_start",
        "cipher",
        "data",
        "direction",
        "doubt",
        "ended",
        "fresh",
        "hold",
        "ignore",
        "last",
        "lost",
        "opener",
        "partial",
        "partial_start",
        "protected",
        "searched",
        "sender",
        "start",
    )

    def __init__(self, direction: Direction, sender: str) -> None:
        self.direction = direction
        self.sender = sender  # "client", "server": until it is known, as in TCP
        self.data = b""  # not cut into records yet
        self.start = 0  # offset of data[0]
        self.partial: bytes | bytearray = b""  # a handshake message that is not whole yet
        self.partial_start = 0  # where that message starts
        self.ignore = 0  # bytes still to come of a handshake message too long to keep
        self.alert = b""  # half an alert
        self.protected = False  # its ChangeCipherSpec came
        self.fresh = False  # its next record is the first under new keys
        self.cipher: Any = None  # opens its records; None: nothing does
        self.opener: Opener13 | EarlyOpener | None = None  # the same, where it is TLS 1.3
        self.doubt = False  # bytes were missed: whether it is protected shows only by its records
        self.lost = False  # not at a record boundary
        self.searched = 0  # bytes passed over while looking for one
        self.last = 0  # where the last record handled starts
        self.hold: int | None = None  # where the handshake under way starts
        self.ended = False
        self.app_records = 0
        self.app_bytes = 0
        self.app_opened = 0
        self.app_start = 0  # of the last such record

    def jump(self, size: int) -> None:
        """Drop what is held and stand behind `size` further bytes (a skip or a gap)."""
        self.start += len(self.data) + size
        self.data = b""


class Framing(Dissector):
    """Cuts records; `record`, `closed_data` and `ssl2_hello` say what they mean."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.sides = (Side(TO_SERVER, "client"), Side(TO_CLIENT, "server"))
        self.begun = False
        self.summed = False  # the handshake under way was summed up: closed data need only be counted
        self.out: list[Statement] = []

    def say(self, event: Event, place: Place) -> None:
        """State an event."""
        self.out.append(Statement(event, place.direction, place.start, place.end))

    def messages(self, side: Side, version: int, data: bytes, at: int, end: int) -> None:
        """Handle a record in the clear whose handshake messages, `data` from `at` to `end`, begin in it."""
        raise NotImplementedError

    def record(self, side: Side, kind: int, version: int, fragment: bytes, start: int, end: int) -> None:
        """Handle a whole record, which stands at start to end."""
        raise NotImplementedError

    def closed_data(self, side: Side, length: int, place: Place) -> None:
        """Handle an application data record that nothing opens; its body is not looked at."""
        raise NotImplementedError

    def ssl2_hello(self, side: Side, message: bytes, place: Place) -> None:
        """Handle a ClientHello framed as SSL 2.0, without its two bytes of size."""
        raise NotImplementedError

    def finish(self, side: Side, end: End, last: int, position: int) -> None:
        """Sum up: a direction has ended, at `position`; its last record starts at `last`."""
        raise NotImplementedError

    def receive_data(self, direction: Direction, data: bytes) -> Iterable[Statement]:
        """Take whole records out of the bytes of a side; pass over bodies that nothing can open."""
        if self.finished:
            return ()
        out: list[Statement] = []
        self.out = out
        side = self.sides[direction]
        if side.data:
            data = side.data + data
        base, at, size = side.start, 0, len(data)
        while not self.finished:
            if side.lost:
                at = self._search(direction, side, data, at)
                if side.lost:
                    break
            if size - at < HEADER_SIZE:
                break
            kind, version, length = _read_header(data, at)
            if kind < 20 or kind > 24 or version < SSL3 or version > TLS13 or length > MAX_RECORD:
                taken = self._odd(direction, side, data, at)
                if taken < 0:
                    break
                at += taken
                continue
            body = at + HEADER_SIZE
            end = body + length
            if not self.begun and not self._begin(direction, kind, data, at):
                break
            if kind == APPLICATION_DATA and side.cipher is None and not side.fresh:  # a body that nothing can open
                side.last = start = base + at
                if self.summed:
                    side.app_records += 1
                    side.app_bytes += length
                    side.app_start = start
                else:
                    self.closed_data(side, length, Place(direction, start, start + HEADER_SIZE))
                at = end
                if end > size:
                    self.skip_bytes[direction] = end - size
                    break
                continue
            if end > size:
                break
            if kind == HANDSHAKE and not (side.protected or side.partial or side.ignore or side.opener or side.doubt):
                self.messages(side, version, data, body, end)
            else:
                self.record(side, kind, version, data[body:end], base + at, base + end)
            side.last = base + at
            at = end
        side.data = data[at:] if at < size else b""
        side.start = base + at
        if side.hold is not None or side.partial or side.alert:
            self._raise_floor(direction, side)
        else:
            self.trim_to[direction] = side.last
        return out

    def _raise_floor(self, direction: Direction, side: Side) -> None:
        floor, hold = side.last, side.hold
        if hold is not None:
            if floor - hold > HANDSHAKE_PROOF:
                side.hold = None
            elif hold < floor:
                floor = hold
        if (side.partial or side.alert) and side.partial_start < floor:
            floor = side.partial_start
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
        for side in self.sides:
            side.doubt = True
        start = self.sides[direction].start + at
        what = "it does not begin with a ClientHello: that is not in the capture, or was never sent"
        self.say(Note("tls", what), Place(direction, start, start + HEADER_SIZE))
        return True

    def _odd(self, direction: Direction, side: Side, data: bytes, at: int) -> int:
        """Handle what is no record: an SSL 2.0 hello at the start, or framing that is lost.

        Gives the bytes taken, or -1 when more are needed.
        """
        start = side.start + at
        if start == 0 and data[0] & 0x80 and data[2] in {1, 4}:
            size = 2 + ((data[0] & 0x7F) << 8 | data[1])
            if data[2] == 4:
                self.finished = True
                what = "an SSL 2.0 server hello: records of SSL 2.0 are not decoded"
                self.say(Unrecognised("tls", what, data[:HEADER_SIZE]), Place(direction, 0, HEADER_SIZE))
                return -1
            if len(data) < size:
                return -1
            self.begun = True
            self.ssl2_hello(side, data[2:size], Place(direction, 0, size))
            return size
        self.begun = True
        side.lost, side.searched = True, 0
        self.forget(side)
        found = data[at : at + HEADER_SIZE]
        reason = "no TLS record where one must begin"
        if found == b"HTTP/":
            reason = "HTTP in the clear: this port does not speak TLS"
        fault = Malformed("tls", reason, found)
        self.say(fault, Place(direction, start, start + HEADER_SIZE))
        return 0

    def _search(self, direction: Direction, side: Side, data: bytes, at: int) -> int:
        """Look for a record header; give where it is, or up to where there is none."""
        base = side.start
        while True:
            found = _HEADER.search(data, at)
            stop = max(len(data) - 3, at) if found is None else found.start()
            side.searched += stop - at
            side.last = base + stop
            if found is None or len(data) - stop < HEADER_SIZE:
                return stop
            length = data[stop + 3] << 8 | data[stop + 4]
            if length <= MAX_RECORD and (length or data[stop] == APPLICATION_DATA):
                side.lost, side.doubt = False, True
                what = f"found a record boundary again after {side.searched} bytes"
                self.say(Note("tls", what), Place(direction, base + stop, base + stop + HEADER_SIZE))
                return stop
            side.searched += 1
            at = stop + 1

    def forget(self, side: Side) -> None:
        """Drop what was half there: bytes of this direction are lost, and keys can no longer follow it."""
        side.partial = side.alert = b""
        side.ignore = 0
        side.cipher = side.opener = None
        side.fresh = False

    def receive_gap(self, direction: Direction, size: int) -> Iterable[Statement]:
        """See `Dissector`."""
        if self.finished:
            return ()
        side = self.sides[direction]
        skipped = self.skip_bytes[direction]
        out = [gap_statement("tls", direction, side.start + len(side.data) - skipped, size)]
        if skipped:  # inside a body nobody reads
            if size <= skipped:
                self.skip_bytes[direction] = skipped - size
                return out
            self.skip_bytes[direction] = 0
            size -= skipped
        if side.cipher is not None:
            out.append(Statement(ChannelGap(0, size), direction, out[0].start, out[0].end))
        self.forget(side)
        side.doubt = True
        rest = 0
        data = side.data
        if len(data) >= HEADER_SIZE and not side.lost:
            rest = HEADER_SIZE + (data[3] << 8 | data[4]) - len(data)
        side.jump(size)
        if size <= rest:  # one record is lost, but where it ends is known
            self.skip_bytes[direction] = rest - size
            side.jump(rest - size)
        else:
            side.lost, side.searched = True, 0
        side.last = side.start - self.skip_bytes[direction]
        self._raise_floor(direction, side)
        return out

    def receive_eof(self, direction: Direction, end: End) -> Iterable[Statement]:
        """See `Dissector`."""
        side = self.sides[direction]
        if side.ended or self.finished:
            return ()
        out: list[Statement] = []
        self.out = out
        side.ended = True
        data, missing = side.data, self.skip_bytes[direction]
        position = side.start + len(data) - missing
        last = side.last
        stop = max(last, position)
        if missing:
            cut = f"record cut by the end of its direction ({end.value})"
            self.say(Truncated("tls", cut, position, missing), Place(direction, last, stop))
        elif data and not side.lost:
            if len(data) >= HEADER_SIZE:
                missing = HEADER_SIZE + (data[3] << 8 | data[4]) - len(data)
            cut = f"record cut by the end of its direction ({end.value})"
            self.say(Truncated("tls", cut, position, max(missing, 0)), Place(direction, side.start, position))
        elif len(side.partial) >= 4:
            missing = 4 + int.from_bytes(side.partial[1:4], "big") - len(side.partial)
            cut = f"{name_of_handshake(side.partial[0])} cut by the end of its direction ({end.value})"
            self.say(Truncated("tls", cut, position, missing), Place(direction, side.partial_start, position))
        self.finish(side, end, last, stop)
        return out
