"""Framing of handshake messages: put together out of records, handed on when whole (RFC 8446, section 5.1)."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Final

from amtdecode.model import LimitReached, Span
from amtdecode.protocols.tls.framing import Framing
from amtdecode.protocols.tls.registry import name_of_handshake
from amtdecode.protocols.tls.registry.messages import HANDSHAKE_TYPES

if TYPE_CHECKING:
    from amtdecode.protocols.tls.connection_state import ConnectionState

MAX_HANDSHAKE: Final = 262144
"""Bytes of one handshake message; a longer one is passed over. Chains seen in the field stay under 20,000."""

_read_head: Final = Struct(">BBH").unpack_from  # of a handshake message: type and, in three bytes, length


_LENGTHS: Final = {0: (0,), 14: (0,), 20: (12, 36, 32, 48)}
"""Of messages that have but one or few: HelloRequest, ServerHelloDone, Finished (RFC 5246, section 7.4; SSL 3.0)."""
_PLAUSIBLE: Final = 0x8000  # bytes of a message that begins in a record whose past is unseen


def could_be_messages(fragment: bytes) -> bool:
    """Whether a record reads as handshake messages in the clear; ciphertext, even with a counter in front, does not."""
    at, size = 0, len(fragment)
    while at < size:
        if size - at < 4:
            return at > 0
        code, more, length = _read_head(fragment, at)
        if code not in HANDSHAKE_TYPES or more or length >= _PLAUSIBLE or length not in _LENGTHS.get(code, (length,)):
            return False
        at += 4 + length
    return size > 0


class HandshakeFraming(Framing):
    """Cuts handshake messages; `message` says what each means."""

    def passed_over(self, state: ConnectionState, code: int) -> None:
        """Note a message of type `code` that is too long to be read."""
        raise NotImplementedError

    def message(self, state: ConnectionState, code: int, version: int, message: bytes, start: int, end: int) -> None:
        """Handle a whole message, header included, which stands at start to end."""
        raise NotImplementedError

    def messages(self, state: ConnectionState, version: int, data: bytes, at: int, end: int) -> None:
        """Read messages that begin in a record in the clear; one that goes on in the next record is put together."""
        base = state.start
        while end - at >= 4:
            code, more, length = _read_head(data, at)
            stop = at + 4 + (more << 16 | length if more else length)
            if stop > end:
                break
            self.message(state, code, version, data[at:stop], base + at, base + stop)
            at = stop
        if at < end:
            self.handshake(state, version, data[at:end], base + at, base + end, base + at)

    def handshake(self, state: ConnectionState, version: int, content: bytes, start: int, end: int, exact: int) -> None:
        """Put handshake messages together, out of a record at start to end, and read each that is whole.

        `exact`: offset of the first byte of `content` where it was sent in the clear, else -1.
        """
        size = len(content)
        if exact < 0 and size >= 4 and not state.partial and not state.ignore:
            code, more, length = _read_head(content)
            if size == 4 + (more << 16 | length):
                self.message(state, code, version, content, start, end)
                return
        if state.ignore:
            dropped = min(state.ignore, size)
            state.ignore -= dropped
            content = content[dropped:]
            if exact >= 0:
                exact += dropped
        held = len(state.partial)
        data: bytes | bytearray = content
        if held:
            state.partial += content
            data = state.partial
        elif content:
            state.partial_start = exact if exact >= 0 else start
        at, size = 0, len(data)
        while size - at >= 4:
            length = data[at + 1] << 16 | data[at + 2] << 8 | data[at + 3]
            stop = at + 4 + length
            if length > MAX_HANDSHAKE:
                what = f"{name_of_handshake(data[at])} of {length} bytes is passed over"
                limit = LimitReached("tls", "MAX_HANDSHAKE", MAX_HANDSHAKE, what)
                self.say(limit, Span(state.direction, start, end))
                self.passed_over(state, data[at])
                state.ignore = max(stop - size, 0)
                at = min(stop, size)
                continue
            if stop > size:
                break
            first, last = (exact + at - held, exact + stop - held) if exact >= 0 else (start, end)
            if at == 0:
                first = state.partial_start
            self.message(state, data[at], version, bytes(data[at:stop]), first, last)
            at = stop
        if at:
            state.partial_start = exact + at - held if exact >= 0 else start
        if at or not held:
            state.partial = bytearray(data[at:]) if at < size else b""
