"""From bytes to statements: sessions, logins, consoles, drives; and where KVM begins, the bytes of RFB for its room."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.model import TO_CLIENT, TO_SERVER, ChannelGap, Note, Payload, Statement, Truncated, Unrecognised
from amtdecode.protocols.dissector import Dissector, ReceiveBuffer, gap_statement
from amtdecode.protocols.redir import names
from amtdecode.protocols.redir.digest import verify
from amtdecode.protocols.redir.framing import UNKNOWN, measure
from amtdecode.protocols.redir.messages import (
    BY_TYPE,
    IderCommand,
    IderFromHost,
    IderOpen,
    IderOpened,
    IderToHost,
    RedirLogin,
    RedirMessage,
    RedirNumbered,
    RedirStarted,
    SolData,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amtdecode.model import Direction, End, Event
    from amtdecode.protocols.dissector import Context

SHOWN = 64  # bytes shown of what nobody knows
CONSOLE, DRIVE = 1, 2
"""Channels that are never opened: what is stated for them is shown to taps (`follow --layer sol`, `export --ider`), and
no other room looks at it."""
RFB = "vnc"


class _Way:
    """One direction."""

    def __init__(self) -> None:
        self.buffer = ReceiveBuffer()
        self.lost = False  # nothing says where the next message begins
        self.rfb = False  # KVM has begun: what follows is for another room
        self.unknown = ""  # what nobody knows, in words, until enough of its bytes are there to be shown
        self.cut = 0  # bytes left of a message of which some are missing


class RedirDissector(Dissector):
    """One connection of a console to the redirection port."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._ways = (_Way(), _Way())
        self._session = ""
        self._command: IderCommand | None = None
        self._out: list[Statement] = []

    def receive_data(self, direction: Direction, data: bytes) -> Iterable[Statement]:
        out = self._out = []
        way = self._ways[direction]
        buffer = way.buffer
        buffer.append(data)
        if way.cut:
            passed = min(way.cut, len(buffer.data))
            way.cut -= passed
            buffer.consume(passed)
        while buffer.data and not way.lost:
            if way.unknown:
                if len(buffer.data) < SHOWN:
                    break
                self._tell_unknown(direction)
            elif way.rfb:
                self._state(Payload(buffer.data, RFB), direction, len(buffer.data))
            else:
                header, size = measure(buffer.data, self._session)
                if header == UNKNOWN:
                    way.unknown = f"message of type 0x{buffer.data[0]:02x}, which no public source tells"
                elif not size or len(buffer.data) < size:
                    break
                else:
                    self._message(direction, header, size)
        if way.lost:
            buffer.consume(len(buffer.data))
        self.trim_to[direction] = buffer.start
        return out

    def _state(self, event: Event, direction: Direction, size: int, *, consume: bool = True) -> None:
        buffer = self._ways[direction].buffer
        self._out.append(Statement(event, direction, buffer.start, buffer.start + size))
        if consume:
            buffer.consume(size)

    def _tell_unknown(self, direction: Direction) -> None:
        way = self._ways[direction]
        data, what = way.buffer.data[:SHOWN], way.unknown
        way.lost, way.unknown = True, ""
        self._state(Unrecognised(names.NAME, what, data), direction, len(data))

    def _message(self, direction: Direction, header: int, size: int) -> None:
        buffer = self._ways[direction].buffer
        data, behind = buffer.data[:header], buffer.data[header:size]
        kind = data[0]
        if kind in (names.SOL_TO_HOST, names.SOL_FROM_HOST):
            self._state(SolData(data=data, console=behind), direction, size, consume=False)
            if behind:
                self._state(Payload(behind, "sol", CONSOLE), direction, size, consume=False)
            buffer.consume(size)
            return
        if kind == names.START:
            self._session = names.KINDS.get(data[4:8], data[4:8].decode("latin-1"))
        event = self._event(kind, data, behind)
        if kind == names.IDER_COMMAND and isinstance(event, IderCommand):
            self._command = event
        if kind in (names.IDER_TO_HOST, names.IDER_FROM_HOST) and behind:
            self._state(event, direction, size, consume=False)
            self._state(Payload(behind, "ider", DRIVE, event), direction, size, consume=False)
            buffer.consume(size)
            return
        self._state(event, direction, size)
        if kind == names.OPEN and self._session == names.KVM:
            self._ways[TO_SERVER].rfb = True
        elif kind == names.OPENED and self._session == names.KVM:
            self._ways[TO_CLIENT].rfb = True

    def _event(self, kind: int, data: bytes, behind: bytes) -> RedirMessage:
        if kind == names.LOGIN:
            login = RedirLogin(data=data + behind)
            verified = verify(login, self.context.keys)
            return login if verified is None else RedirLogin(data=data + behind, verified=verified)
        if kind == names.STARTED:
            return RedirStarted(data=data + behind, session=self._session)
        if kind in (names.OPEN, names.OPENED) and self._session == names.IDER:
            opening = IderOpen if kind == names.OPEN else IderOpened
            return opening(data=data + behind, session=self._session)
        if kind == names.IDER_TO_HOST:
            return IderToHost(data=data, command=self._command)
        if kind == names.IDER_FROM_HOST:
            return IderFromHost(data=data)
        if kind in names.NUMBERED:
            return RedirNumbered(data=data)
        if kind in BY_TYPE:
            return BY_TYPE[kind](data=data + behind)
        session = self._session if kind in (names.START, names.OPEN, names.OPENED) else ""
        return RedirMessage(data=data, session=session)

    def receive_gap(self, direction: Direction, size: int) -> Iterable[Statement]:
        """A hole inside a message whose length is known costs that message alone."""
        self._out = []
        way = self._ways[direction]
        buffer = way.buffer
        if way.unknown:
            self._tell_unknown(direction)
        if way.rfb:
            self._out = [
                gap_statement(names.NAME, direction, buffer.end, size),
                Statement(ChannelGap(0, size), direction, buffer.end, buffer.end + size),
            ]
            buffer.jump(size)
            return self._out
        whole = way.cut or (measure(buffer.data, self._session)[1] if buffer.data else 0)
        left = whole - len(buffer.data)
        start = buffer.end
        if not way.lost and size <= left:
            if buffer.data:
                reason = f"{names.TYPES.get(buffer.data[0], 'message')}: bytes of it are missing from the capture"
                self._state(Truncated(names.NAME, reason, start, size), direction, len(buffer.data), consume=False)
            way.cut = left - size
        elif not way.lost:
            what = "nothing tells where a message begins behind the gap: the rest of this direction is not read"
            self._out.append(Statement(Note(names.NAME, what), direction, start, start + size))
            way.lost = True
        self._out.append(gap_statement(names.NAME, direction, start, size))
        buffer.jump(size)
        self.trim_to[direction] = buffer.start
        return self._out

    def receive_eof(self, direction: Direction, end: End) -> Iterable[Statement]:
        self._out = []
        way = self._ways[direction]
        if way.unknown:
            self._tell_unknown(direction)
        data = way.buffer.data
        if data and not way.rfb and not way.lost:
            _, whole = measure(data, self._session)
            reason = f"{names.TYPES.get(data[0], 'message')} ends early ({end.value})"
            missing = max(whole - len(data), 0)
            self._state(Truncated(names.NAME, reason, way.buffer.end, missing), direction, len(data))
        return self._out
