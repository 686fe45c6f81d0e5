"""From bytes to statements: the handshake of RFB, then the messages of both sides. Tiles are counted, never kept."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from amtdecode.model import TO_CLIENT, TO_SERVER, LimitReached, Malformed, Note, Statement, Truncated, Unrecognised
from amtdecode.protocols.dissector import Dissector, ReceiveBuffer, gap_statement
from amtdecode.protocols.vnc import events, names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from amtdecode.model import Direction, End, Event
    from amtdecode.protocols.dissector import Context

SHOWN = 64  # bytes shown of what nobody knows
MAX_TEXT = 4096
"""Bytes of a name or a reason."""
MAX_CUT = 1024  # bytes kept of a clipboard; the rest is passed over
MAX_PROOF = 1 << 20  # bytes before its end that prove a screen update
VERSION_SIZE = 12
FORMAT = struct.Struct(">BBBBHHHBBB3x")
SCREEN = struct.Struct(">HH16sI")
RECTANGLE = struct.Struct(">HHHHi")
LAST_RECTANGLE, CURSOR = -224, -239
RFB33, RFB37, RFB38, RFB4 = (3, 3), (3, 7), (3, 8), (4, 0)
WAIT, GO = False, True


def number_of(version: bytes) -> tuple[int, int]:
    """`RFB 003.008` as numbers, as RFC 6143 section 7.1.1 reads others: 3.5 and below are 3.3, 3.9 and above 3.8."""
    major, minor = int(version[4:7]), int(version[8:11])
    if major != 3:
        return major, minor
    return RFB38 if minor >= 8 else RFB37 if minor == 7 else RFB33


class _Way:
    """One direction: its bytes, and what reads the next of them."""

    def __init__(self, read: Callable[[], bool]) -> None:
        self.buffer = ReceiveBuffer()
        self.read: Callable[[], bool] | None = read
        self.begin = 0  # of the message under way
        self.unknown = ""  # what nobody knows, in words, until enough of its bytes are there to be shown


class VncDissector(Dissector):
    """One KVM session."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._ways = (_Way(self._client_version), _Way(self._server_version))
        self._client = self._ways[TO_SERVER].buffer
        self._server = self._ways[TO_CLIENT].buffer
        self._out: list[Statement] = []
        self._versions: list[tuple[int, int] | None] = [None, None]
        self._offered: tuple[int, ...] = ()
        self._chosen: int | None = None
        self._pixel = 0  # bytes; 0: not known
        self._left = 0  # rectangles of the update under way
        self._tiles = self._pixels = 0
        self._encodings: dict[int, None] = {}

    # -- the engine's side -------------------------------------------------------------------------------------------

    def receive_data(self, direction: Direction, data: bytes) -> Iterable[Statement]:
        out = self._out = []
        way = self._ways[direction]
        way.buffer.append(data)
        while way.read is not None and (way.buffer.data or way.read == self._next_rectangle) and way.read():
            pass
        if way.read is None:
            way.buffer.consume(len(way.buffer.data))
            self.trim_to[direction] = way.buffer.start
        elif way.read in (self._next_rectangle, self._last_of_tile):
            self.trim_to[direction] = max(way.begin, way.buffer.start - MAX_PROOF)
        else:
            self.trim_to[direction] = way.buffer.start - self.skip_bytes[direction]
        return out

    def receive_gap(self, direction: Direction, size: int) -> Iterable[Statement]:
        out = self._out = []
        way = self._ways[direction]
        passed = min(self.skip_bytes[direction], size)  # inside a tile or a clipboard: the next message is found
        start = way.buffer.end - self.skip_bytes[direction]
        self.skip_bytes[direction] -= passed
        if way.unknown and way.buffer.data:
            self._tell_unknown(direction)
        out.append(gap_statement(names.NAME, direction, start, size))
        if size > passed:
            if way.read is not None:
                what = "nothing tells where a message begins behind the gap: the rest of this direction is not read"
                out.append(Statement(Note(names.NAME, what), direction, start, start + size))
            way.read = None
            way.buffer.jump(size - passed)
            self.trim_to[direction] = way.buffer.start
        return out

    def receive_eof(self, direction: Direction, end: End) -> Iterable[Statement]:
        self._out = []
        way = self._ways[direction]
        if way.unknown:
            self._tell_unknown(direction)
            return self._out
        held = len(way.buffer.data)
        inside = way.read in (self._next_rectangle, self._last_of_tile)
        if way.read is None or not (held or self.skip_bytes[direction] or inside):
            return ()
        behind = way.buffer.end - self.skip_bytes[direction]
        missing = self.skip_bytes[direction] + (way.read == self._last_of_tile)
        cut = Truncated(names.NAME, f"a message ends early ({end.value})", behind, missing)
        return (Statement(cut, direction, behind - held, behind),)

    # -- tools -------------------------------------------------------------------------------------------------------

    def _state(self, event: Event, direction: Direction, size: int) -> None:
        buffer = self._ways[direction].buffer
        self._out.append(Statement(event, direction, buffer.start, buffer.start + size))
        buffer.consume(size)

    def _pass_over(self, direction: Direction, size: int) -> None:
        """Go behind bytes that nobody needs, those still to come among them."""
        buffer = self._ways[direction].buffer
        if size <= len(buffer.data):
            buffer.consume(size)
        else:
            self.skip_bytes[direction] += size - len(buffer.data)
            buffer.jump(size - len(buffer.data))

    def _give_up(self, direction: Direction, event: Event, size: int) -> bool:
        self._state(event, direction, size)
        self._ways[direction].read = None
        return WAIT

    def _unknown(self, direction: Direction, what: str) -> bool:
        way = self._ways[direction]
        way.unknown = what
        way.read = self._show_unknown_to_client if direction else self._show_unknown_to_server
        return GO

    def _show_unknown_to_client(self) -> bool:
        return len(self._server.data) >= SHOWN and self._tell_unknown(TO_CLIENT)

    def _show_unknown_to_server(self) -> bool:
        return len(self._client.data) >= SHOWN and self._tell_unknown(TO_SERVER)

    def _tell_unknown(self, direction: Direction) -> bool:
        way = self._ways[direction]
        data, what = way.buffer.data[:SHOWN], way.unknown
        way.unknown = ""
        return self._give_up(direction, Unrecognised(names.NAME, what, data), len(data))

    @property
    def _version(self) -> tuple[int, int]:
        """The version both sides speak: the lower one, as far as it is known."""
        return min((version for version in self._versions if version), default=RFB38)

    def _text(self, buffer: ReceiveBuffer, at: int) -> tuple[str, int] | None:
        """A text behind its length at `at`, and where it ends; `None` while bytes of it are to come.

        The text of one that is too long is "", and the end -1.
        """
        data = buffer.data
        if len(data) < at + 4:
            return None
        size = int.from_bytes(data[at : at + 4], "big")
        if size > MAX_TEXT:
            return "", -1
        end = at + 4 + size
        return None if len(data) < end else (data[at + 4 : end].decode("utf-8", "backslashreplace"), end)

    def _too_long(self, direction: Direction) -> bool:
        limit = LimitReached(names.NAME, "MAX_TEXT", MAX_TEXT, "the rest of this direction is not read")
        return self._give_up(direction, limit, 1)

    # -- handshake ---------------------------------------------------------------------------------------------------

    def _one_version(self, direction: Direction) -> bool:
        way = self._ways[direction]
        data = way.buffer.data[:VERSION_SIZE]
        if len(data) < VERSION_SIZE:
            return WAIT
        digits = data[4:7] + data[8:11]
        if data[:4] != b"RFB " or data[7:8] != b"." or data[11:] != b"\n" or not digits.isdigit():
            return self._give_up(
                direction, Malformed(names.NAME, "no version of RFB at the beginning", data), VERSION_SIZE
            )
        self._versions[direction] = number_of(data)
        version = data[4:11].decode()
        self._state(events.VncVersion(version, from_server=direction is TO_CLIENT), direction, VERSION_SIZE)
        return GO

    def _server_version(self) -> bool:
        if not self._one_version(TO_CLIENT):
            return WAIT
        self._ways[TO_CLIENT].read = self._security
        return GO

    def _client_version(self) -> bool:
        if not self._one_version(TO_SERVER):
            return WAIT
        self._ways[TO_SERVER].read = self._choice
        return GO

    def _security(self) -> bool:
        data = self._server.data
        if self._version >= RFB4:
            return self._unknown(TO_CLIENT, "RFB 4, of which no description is public")
        if self._version == RFB33:
            return self._decree(data)
        if data[0] == 0:
            return self._refusal(1)
        if len(data) < 1 + data[0]:
            return WAIT
        self._offered = tuple(data[1 : 1 + data[0]])
        self._state(events.VncOffer(self._offered), TO_CLIENT, 1 + data[0])
        self._ways[TO_CLIENT].read = self._behind_security
        return GO

    def _decree(self, data: bytes) -> bool:
        if len(data) < 4:
            return WAIT
        decreed = int.from_bytes(data[:4], "big")
        if decreed == 0:
            return self._refusal(4)
        self._chosen = decreed
        self._state(events.VncOffer(decreed=decreed), TO_CLIENT, 4)
        self._ways[TO_CLIENT].read = self._behind_security
        return GO

    def _refusal(self, at: int) -> bool:
        text = self._text(self._server, at)
        if text is None:
            return WAIT
        if text[1] < 0:
            return self._too_long(TO_CLIENT)
        self._state(events.VncOffer(reason=text[0]), TO_CLIENT, text[1])
        self._ways[TO_CLIENT].read = None
        return WAIT

    def _way_in(self) -> int:
        """The way to log in: the one chosen, else the likeliest of those offered."""
        if self._chosen is not None:
            return self._chosen
        known = [way for way in self._offered if way in (names.NONE, names.VNC_AUTHENTICATION)]
        return known[0] if known else names.NONE

    def _behind_security(self) -> bool:
        way = self._ways[TO_CLIENT]
        if self._way_in() == names.VNC_AUTHENTICATION:
            way.read = self._challenge
        elif self._way_in() == names.NONE:
            way.read = self._result if self._version >= RFB38 else self._screen
        else:
            return self._unknown(TO_CLIENT, f"login of RFB by type {self._way_in()}")
        return GO

    def _challenge(self) -> bool:
        if len(self._server.data) < 16:
            return WAIT
        self._state(events.VncProof(challenge=self._server.data[:16]), TO_CLIENT, 16)
        self._ways[TO_CLIENT].read = self._result
        return GO

    def _result(self) -> bool:
        data = self._server.data
        if len(data) < 4:
            return WAIT
        if not any(data[:4]):
            self._state(events.VncResult(failed=False), TO_CLIENT, 4)
            self._ways[TO_CLIENT].read = self._screen
            return GO
        reason, size = "", 4
        if self._version >= RFB38:
            text = self._text(self._server, 4)
            if text is None:
                return WAIT
            if text[1] < 0:
                return self._too_long(TO_CLIENT)
            reason, size = text
        self._state(events.VncResult(failed=True, reason=reason), TO_CLIENT, size)
        self._ways[TO_CLIENT].read = None
        return WAIT

    def _screen(self) -> bool:
        data = self._server.data
        text = self._text(self._server, 20)
        if text is None:
            return WAIT
        if text[1] < 0:
            return self._too_long(TO_CLIENT)
        width, height, packed, size = SCREEN.unpack_from(data)
        pixels = events.PixelFormat(*FORMAT.unpack(packed))
        self._pixel = self._pixel or pixels.bits // 8
        self._state(events.VncScreen(width, height, pixels, size, text[0]), TO_CLIENT, text[1])
        self._ways[TO_CLIENT].read = self._server_message
        return GO

    def _choice(self) -> bool:
        way = self._ways[TO_SERVER]
        if self._version >= RFB4:
            return self._unknown(TO_SERVER, "RFB 4, of which no description is public")
        if self._version == RFB33:
            way.read = self._proof if self._way_in() == names.VNC_AUTHENTICATION else self._share
            return GO
        self._chosen = self._client.data[0]
        self._state(events.VncChoice(self._chosen), TO_SERVER, 1)
        if self._chosen == names.VNC_AUTHENTICATION:
            way.read = self._proof
        elif self._chosen == names.NONE:
            way.read = self._share
        else:
            way.read = self._foreign_login
        return GO

    def _foreign_login(self) -> bool:
        return self._unknown(TO_SERVER, f"login of RFB by type {self._chosen}")

    def _proof(self) -> bool:
        if len(self._client.data) < 16:
            return WAIT
        self._state(events.VncProof(response=self._client.data[:16]), TO_SERVER, 16)
        self._ways[TO_SERVER].read = self._share
        return GO

    def _share(self) -> bool:
        self._state(events.VncShare(bool(self._client.data[0])), TO_SERVER, 1)
        self._ways[TO_SERVER].read = self._client_message
        return GO

    # -- the client's messages ---------------------------------------------------------------------------------------

    def _client_message(self) -> bool:
        data = self._client.data
        kind = data[0]
        if kind == names.SET_ENCODINGS:
            size = 4 + 4 * int.from_bytes(data[2:4], "big") if len(data) >= 4 else 4
        elif kind == names.CUT:
            return self._cut(TO_SERVER, events.VncClientCut)
        else:
            size = {names.SET_FORMAT: 20, names.ASK: 10, names.KEY: 8, names.POINTER: 6}.get(kind, 0)
        if not size:
            return self._unknown(TO_SERVER, f"client message of type {kind}")
        if len(data) < size:
            return WAIT
        self._state(self._client_event(kind, data[:size]), TO_SERVER, size)
        return GO

    def _client_event(self, kind: int, data: bytes) -> Event:
        if kind == names.SET_FORMAT:
            pixels = events.PixelFormat(*FORMAT.unpack_from(data, 4))
            self._pixel = pixels.bits // 8
            return events.VncSetFormat(kind, pixels)
        if kind == names.SET_ENCODINGS:
            return events.VncSetEncodings(kind, struct.unpack_from(f">{(len(data) - 4) // 4}i", data, 4))
        if kind == names.ASK:
            incremental, *area = struct.unpack_from(">BHHHH", data, 1)
            return events.VncAsk(kind, bool(incremental), *area)
        if kind == names.KEY:
            return events.VncKey(kind, bool(data[1]), int.from_bytes(data[4:8], "big"))
        return events.VncPointer(kind, *struct.unpack_from(">BHH", data, 1))

    def _cut(self, direction: Direction, event: type[events.VncCut]) -> bool:
        data = self._ways[direction].buffer.data
        if len(data) < 8:
            return WAIT
        size = int.from_bytes(data[4:8], "big")
        kept = min(size, MAX_CUT)
        if len(data) < 8 + kept:
            return WAIT
        self._state(event(data[0], size, data[8 : 8 + kept]), direction, 8 + kept)
        self._pass_over(direction, size - kept)
        return GO

    # -- the server's messages ---------------------------------------------------------------------------------------

    def _server_message(self) -> bool:
        data = self._server.data
        kind = data[0]
        if kind == names.SERVER_CUT:
            return self._cut(TO_CLIENT, events.VncServerCut)
        if kind == names.BELL:
            self._state(events.VncServerMessage(kind), TO_CLIENT, 1)
            return GO
        if kind == names.COLOUR_MAP:
            if len(data) < 6:
                return WAIT
            size = 6 * int.from_bytes(data[4:6], "big")
            self._state(events.VncServerMessage(kind), TO_CLIENT, 6)
            self._pass_over(TO_CLIENT, size)
            return GO
        if kind != names.UPDATE:
            return self._unknown(TO_CLIENT, f"server message of type {kind}")
        if len(data) < 4:
            return WAIT
        way = self._ways[TO_CLIENT]
        way.begin = self._server.start
        self._left = int.from_bytes(data[2:4], "big")
        self._tiles = self._pixels = 0
        self._encodings = {}
        self._server.consume(4)
        way.read = self._next_rectangle
        return GO

    def _next_rectangle(self) -> bool:
        """One tile; behind the last, the update is stated."""
        if not self._left:
            way, end = self._ways[TO_CLIENT], self._server.start
            size = end - way.begin
            update = events.VncUpdate(names.UPDATE, self._tiles, tuple(self._encodings), self._pixels, size)
            self._out.append(Statement(update, TO_CLIENT, max(way.begin, end - MAX_PROOF), end))
            way.read = self._server_message
            return GO
        data = self._server.data
        if len(data) < RECTANGLE.size:
            return WAIT
        _, _, width, height, encoding = RECTANGLE.unpack_from(data)
        size = 0
        if encoding == names.TILES:
            if len(data) < RECTANGLE.size + 4:
                return WAIT
            size = 4 + int.from_bytes(data[RECTANGLE.size : RECTANGLE.size + 4], "big")
        elif encoding == names.RAW:
            size = width * height * self._pixel
        elif encoding == names.COPY:
            size = 4
        elif encoding == CURSOR:
            size = width * height * self._pixel + (width + 7) // 8 * height
        elif encoding == LAST_RECTANGLE:
            self._left = 1
        elif encoding != names.DESKTOP_SIZE:
            return self._unknown(TO_CLIENT, f"tile in encoding {encoding}")
        if encoding in (names.TILES, names.RAW, names.COPY):
            self._pixels += width * height
        self._left -= 1
        self._tiles += 1
        self._encodings[encoding] = None
        if size:  # all but the last byte, at which it is stated that all came
            self._pass_over(TO_CLIENT, RECTANGLE.size + size - 1)
            self._ways[TO_CLIENT].read = self._last_of_tile
        else:
            self._server.consume(RECTANGLE.size)
        return GO

    def _last_of_tile(self) -> bool:
        if self.skip_bytes[TO_CLIENT]:
            return WAIT
        self._server.consume(1)
        self._ways[TO_CLIENT].read = self._next_rectangle
        return GO
