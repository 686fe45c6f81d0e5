"""APF as a state machine: messages cut out of both directions, the channels inside opened, fed and closed."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, TypeAlias

from amtdecode.model import (
    ChannelClosed,
    ChannelGap,
    ChannelOpened,
    Direction,
    End,
    Event,
    LimitReached,
    Malformed,
    Note,
    Payload,
    Statement,
    Truncated,
    Unrecognised,
)
from amtdecode.protocols.apf import events as e
from amtdecode.protocols.apf import fields as f
from amtdecode.protocols.apf.beginning import begins_as_control
from amtdecode.protocols.apf.channels import MAX_OPEN, OTHER, Channel, Channels
from amtdecode.protocols.apf.framing import Inbox, find_step
from amtdecode.protocols.apf.reading import (
    MAX_DATA,
    TWO,
    BrokenRulesError,
    read_message,
    size_of,
)
from amtdecode.protocols.dissector import Context, Dissector, gap_statement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

NAME = "iamt.apf"
PIECE = 65_536
"""Bytes of channel data that are handed on at once: longer messages go on in several pieces."""
MAX_PENDING = 64
"""Global requests remembered until they are answered; machines forward some seven ports."""
SHOWN = 32  # bytes told where the step is lost
DATA_HEADER = 9

Take: TypeAlias = "Callable[[ApfDissector, Direction, int, int, e.ApfMessage], None]"


class ApfDissector(Dissector):
    """One connection."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.channels = Channels()
        self.inboxes = (Inbox(), Inbox())
        self.begun = [False, False]
        self.from_start = False  # the connection began with a PROTOCOLVERSION
        self.pending: tuple[deque[e.GlobalRequest], deque[e.GlobalRequest]] = (deque(), deque())
        self.full_told = False
        self.ended = [False, False]
        self.out: list[Statement] = []

    # -- bytes -------------------------------------------------------------------------------------------------------

    def receive_data(self, direction: Direction, data: bytes) -> Iterable[Statement]:
        inbox = self.inboxes[direction]
        inbox.pieces.append(data)
        inbox.had += len(data)
        if inbox.had < inbox.needed:
            return ()
        out = self.out = []
        if not self.begun[direction]:
            self.begun[direction] = True
            self.from_start = self.from_start or data[0] == f.PROTOCOLVERSION or begins_as_control(data)
            inbox.lost = not self.from_start
        self._read(inbox, direction)
        self.trim_to[direction] = inbox.start
        return out

    def _read(self, inbox: Inbox, direction: Direction) -> None:
        """State all that is whole."""
        data, at, start = inbox.take(), 0, inbox.start
        needed = 1
        while at < len(data):
            if inbox.left:
                size = min(inbox.left, PIECE)
                if at + size > len(data):
                    needed = size
                    break
                self._carry(inbox, direction, start + at, data[at : at + size])
                at += size
                continue
            if inbox.lost:
                at, needed = self._find_step(inbox, direction, data, at, start)
                if needed:
                    break
                continue
            if inbox.padding:
                inbox.padding = False
                if data[at] == 0:
                    at += 1
                    continue
            kind = data[at]
            try:
                needed = self._size(
                    inbox, direction, data[at : at + DATA_HEADER] if kind == f.CHANNEL_DATA else data[at:]
                )
            except BrokenRulesError as broken:
                inbox.lost, inbox.fixed, inbox.undecided = True, 0, False
                # a few bytes behind would depend on how the capture cuts them: the first tells
                self._state(Malformed(NAME, f"{broken}: out of step", data[at : at + 1]), direction, start + at, 1)
                self._doubt()
                at += 1
                continue
            if at + needed > len(data):
                break
            if kind == f.CHANNEL_DATA:
                self._begin_data(inbox, direction, data, at, start + at)
                at += DATA_HEADER
                needed = 1
                continue
            message = read_message(data[at : at + needed])
            inbox.fixed, inbox.undecided = 0, False
            take = TAKE.get(kind)
            if take is None:
                self._state(message, direction, start + at, needed)
            else:
                take(self, direction, start + at, needed, message)
            at += needed
            needed = 1
        inbox.start = start + at
        inbox.keep(data[at:], max(1, needed))

    def _size(self, inbox: Inbox, direction: Direction, data: bytes) -> int:
        """Bytes of the message that begins here, as far as can be told."""
        kind = data[0]
        if kind != f.REQUEST_SUCCESS:
            size = size_of(data)
            if kind == f.CHANNEL_DATA and len(data) >= DATA_HEADER and TWO.unpack_from(data)[1] > MAX_DATA:
                raise BrokenRulesError(f"{TWO.unpack_from(data)[1]} bytes of channel data, more than {MAX_DATA}")
            return size
        if inbox.fixed:
            return inbox.fixed
        if not inbox.undecided:  # judged when its first byte comes, by what is asked for by then
            asked = self.pending[OTHER[direction]]
            if asked:
                inbox.fixed = 5 if f.request_kind(asked[0].request.encode()) == f.FORWARD else 1
                return inbox.fixed
            inbox.undecided = True
        if len(data) < 2:
            return 2
        inbox.fixed = 5 if data[1] == 0 else 1  # the port is below 65536, and no message has type 0
        return inbox.fixed

    def _find_step(self, inbox: Inbox, direction: Direction, data: bytes, at: int, start: int) -> tuple[int, int]:
        """Where the next message begins; or from where on to look again, and how many bytes are needed for that."""
        step, found = find_step(data[at:] if at else data, self.channels.known[direction])
        at += step
        if not found:
            return at, len(data) - at + 1
        inbox.lost = False
        if self.from_start:
            self._state(Note(NAME, "in step again"), direction, start + at, 1)
        return at, 0

    # -- channel data ------------------------------------------------------------------------------------------------

    def _begin_data(self, inbox: Inbox, direction: Direction, data: bytes, at: int, start: int) -> None:
        """The head of a CHANNEL_DATA is there."""
        number, size = TWO.unpack_from(data, at)
        channel = self.channels.known[direction].get(number)
        inbox.left, inbox.channel = size, 0
        if channel is None:
            if size and (why := self.channels.why_unknown(direction, number)):
                what = f"bytes in channel {number}, {why}"
                self._state(Unrecognised(NAME, what), direction, start, DATA_HEADER)
            return
        excess = channel.send(direction, size)
        if excess:
            self._state(e.BeyondWindow(number, channel.opened.port, excess), direction, start, DATA_HEADER)
        if channel.closed[direction]:
            if size and not channel.behind:
                channel.behind = True
                what = f"channel {number} goes on behind its end"
                self._state(Note(NAME, what), direction, start, DATA_HEADER)
            return
        inbox.channel = channel.number

    def _carry(self, inbox: Inbox, direction: Direction, start: int, data: bytes) -> None:
        """A piece of channel data is there."""
        inbox.left -= len(data)
        if inbox.channel:
            self._state(Payload(data, channel=inbox.channel), direction, start, len(data))

    # -- messages -----------------------------------------------------------------------------------------------------

    def _take_request(self, direction: Direction, start: int, size: int, message: e.ApfMessage) -> None:
        assert isinstance(message, e.GlobalRequest)  # noqa: S101 - for the type checker, as below
        self._state(message, direction, start, size)
        if f.request_kind(message.request.encode()) not in (f.FORWARD, f.CANCEL) and not message.want_reply:
            return  # the others are answered whatever wantReply says
        pending = self.pending[direction]
        if len(pending) >= MAX_PENDING:
            pending.clear()
            limit = LimitReached(NAME, "MAX_PENDING", MAX_PENDING, "answers are not put to these requests")
            self._state(limit, direction, start, size)
        pending.append(message)

    def _take_granted(self, direction: Direction, start: int, size: int, message: e.ApfMessage) -> None:
        assert isinstance(message, e.RequestSuccess)  # noqa: S101
        asked = self._asked(direction)
        if asked is not None:
            message = e.RequestSuccess(message.port, asked.request)
        self._state(message, direction, start, size)

    def _take_denied(self, direction: Direction, start: int, size: int, message: e.ApfMessage) -> None:
        asked = self._asked(direction)
        if asked is not None:
            message = e.RequestFailure(asked.port, asked.request)
        self._state(message, direction, start, size)

    def _asked(self, direction: Direction) -> e.GlobalRequest | None:
        asked = self.pending[OTHER[direction]]
        return asked.popleft() if asked else None

    def _take_refusal(self, direction: Direction, start: int, size: int, message: e.ApfMessage) -> None:
        self.inboxes[direction].padding = True
        self._state(message, direction, start, size)

    def _take_open(self, direction: Direction, start: int, size: int, message: e.ApfMessage) -> None:
        assert isinstance(message, e.ChannelOpen)  # noqa: S101
        self.channels.ask(direction, message)
        self._state(message, direction, start, size)

    def _take_confirmation(self, direction: Direction, start: int, size: int, message: e.ApfMessage) -> None:
        assert isinstance(message, e.ChannelOpenConfirmation)  # noqa: S101
        opened = self.channels.answer(direction, message.recipient)
        if opened is None:
            self._state(message, direction, start, size)
            return
        message = e.ChannelOpenConfirmation(message.recipient, message.sender, message.window, opened.port)
        self._state(message, direction, start, size)
        for old in self.channels.taken(direction, opened, message.sender):
            self._end(old, direction, start, size, End.REPLACED)
        if not self.channels.room():
            if not self.full_told:
                self.full_told = True
                limit = LimitReached(
                    NAME, "MAX_OPEN", MAX_OPEN, "further channels are not followed while so many are open"
                )
                self._state(limit, direction, start, size)
            self.channels.leave(direction, opened, message.sender)
            return
        channel = self.channels.open(direction, opened, message.sender, message.window)
        port = opened.port if opened.port < 1 << 16 else 0
        self._state(ChannelOpened(channel.number, channel.client, port, opened.address), direction, start, size)

    def _take_open_failure(self, direction: Direction, start: int, size: int, message: e.ApfMessage) -> None:
        assert isinstance(message, e.ChannelOpenFailure)  # noqa: S101
        opened = self.channels.answer(direction, message.recipient)
        if opened is not None:
            message = e.ChannelOpenFailure(message.recipient, message.code, opened.port, opened.channel_type)
        self._state(message, direction, start, size)

    def _take_adjust(self, direction: Direction, start: int, size: int, message: e.ApfMessage) -> None:
        assert isinstance(message, e.WindowAdjust)  # noqa: S101
        channel = self.channels.known[direction].get(message.recipient)
        if channel is not None:
            channel.credit[OTHER[direction]] += message.add
        self._state(message, direction, start, size)

    def _take_close(self, direction: Direction, start: int, size: int, message: e.ApfMessage) -> None:
        assert isinstance(message, e.ChannelClose)  # noqa: S101
        self._state(message, direction, start, size)
        channel = self.channels.known[direction].get(message.recipient)
        if channel is None:
            return
        if not channel.closed[direction]:
            channel.closed[direction] = True
            self._state(ChannelClosed(channel.number), direction, start, size)
        if all(channel.closed):
            self._end(channel, direction, start, size, End.FIN)

    def _end(self, channel: Channel, direction: Direction, start: int, size: int, end: End) -> None:
        """A channel is over, both ways."""
        for way in (direction, OTHER[direction]):
            if not channel.closed[way]:
                self._state(ChannelClosed(channel.number, end), way, start if way is direction else 0, 0)
        self.channels.forget(channel)
        self._state(channel.ended(), direction, start, size)

    # -- what is missing, and the end --------------------------------------------------------------------------------

    def receive_gap(self, direction: Direction, size: int) -> Iterable[Statement]:
        """Inside channel data a gap concerns that channel; elsewhere messages are lost, and perhaps bytes of any."""
        inbox = self.inboxes[direction]
        out = self.out = []
        held = inbox.take()
        start, end = inbox.start, inbox.start + len(held)
        self.begun[direction] = True
        inside = min(size, inbox.left - len(held)) if inbox.left else 0
        if inbox.left:
            channel = inbox.channel
            if held:
                self._carry(inbox, direction, start, held)
            out.append(gap_statement(NAME, direction, end, size))
            if channel and inside:
                out.append(Statement(ChannelGap(channel, inside), direction, end, end + inside))
            inbox.left -= inside
        else:
            out.append(gap_statement(NAME, direction, end, size))
        if size > inside:
            inbox.lost, inbox.fixed, inbox.undecided, inbox.padding = True, 0, False, False
            self._doubt()
            concerned = [each.number for each in self.channels.all() if not each.closed[direction]]
            out += [Statement(ChannelGap(each, size - inside), direction, end, end + size) for each in concerned]
        inbox.start = end + size
        inbox.keep(b"", 1)
        self.trim_to[direction] = inbox.start
        return out

    def _doubt(self) -> None:
        """Messages are lost: what was asked for and granted is not known any more."""
        self.channels.lose_count()
        for asked in self.pending:
            asked.clear()

    def receive_eof(self, direction: Direction, end: End) -> Iterable[Statement]:
        inbox = self.inboxes[direction]
        out = self.out = []
        held = inbox.take()
        start, size = inbox.start, len(held)
        if not self.begun[direction] or inbox.lost:
            pass
        elif inbox.left:
            missing = inbox.left - size
            if held:
                self._carry(inbox, direction, start, held)
            reason = f"data of a channel breaks off ({end.value})"
            self._state(Truncated(NAME, reason, start + size, missing), direction, start, size)
        elif held and inbox.undecided and held[0] == f.REQUEST_SUCCESS and size == 1:
            self._state(e.RequestSuccess(), direction, start, 1)
        elif held:
            reason = f"the message {f.TYPES.get(held[0], 'under way')} breaks off ({end.value})"
            missing = max(inbox.needed - size, 0)
            self._state(Truncated(NAME, reason, start + size, missing), direction, start, size)
        self.ended[direction] = True
        if all(self.ended):
            for channel in self.channels.all():
                self._state(channel.ended(), direction, start, size)
        return out

    def _state(self, event: Event, direction: Direction, start: int, size: int) -> None:
        self.out.append(Statement(event, direction, start, start + size))


TAKE: dict[int, Take] = {
    f.GLOBAL_REQUEST: ApfDissector._take_request,
    f.REQUEST_SUCCESS: ApfDissector._take_granted,
    f.REQUEST_FAILURE: ApfDissector._take_denied,
    f.USERAUTH_FAILURE: ApfDissector._take_refusal,
    f.CHANNEL_OPEN: ApfDissector._take_open,
    f.CHANNEL_OPEN_CONFIRMATION: ApfDissector._take_confirmation,
    f.CHANNEL_OPEN_FAILURE: ApfDissector._take_open_failure,
    f.CHANNEL_WINDOW_ADJUST: ApfDissector._take_adjust,
    f.CHANNEL_CLOSE: ApfDissector._take_close,
}
