"""The TLS dissector: cuts records out of both directions, reads their messages, opens them where keys allow.

See the package's spec card. One instance follows one connection, through renegotiations.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from amtdecode.model import (
    TO_CLIENT,
    TO_SERVER,
    Direction,
    End,
    LimitReached,
    Malformed,
    Note,
    Payload,
    Span,
    Statement,
    Truncated,
    Unrecognised,
)
from amtdecode.protocols.dissector import Context, Dissector, Inbox, gap_statement
from amtdecode.protocols.tls.events import (
    Alert,
    ApplicationData,
    ChangeCipherSpec,
    EncryptedAlert,
    EncryptedHandshake,
    Heartbeat,
)
from amtdecode.protocols.tls.hellos import ClientHello, ServerHello, read_ssl2_client_hello
from amtdecode.protocols.tls.messages import (
    Certificate,
    ClientKeyExchange,
    Finished,
    KeyUpdate,
    Known,
    NewSessionTicket,
    read_handshake,
)
from amtdecode.protocols.tls.progress import Progress
from amtdecode.protocols.tls.registry import name_of_alert, name_of_alert_level, name_of_handshake
from amtdecode.protocols.tls.registry.messages import (
    ALERT,
    APPLICATION_DATA,
    CHANGE_CIPHER_SPEC,
    HANDSHAKE,
    HANDSHAKE_TYPES,
    HEARTBEAT,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amtdecode.model import Event
    from amtdecode.protocols.tls.session import Opener13, Session

HEADER_SIZE: Final = 5
MAX_RECORD: Final = 16384 + 2048  # RFC 5246, section 6.2.3
MAX_HANDSHAKE: Final = 262144
"""Bytes of one handshake message; a longer one is passed over. Chains seen in the field stay under 20,000."""
HANDSHAKE_PROOF: Final = 262144
"""Bytes of a direction for which a handshake's summary still points back to its first message."""
SHOWN: Final = 64  # bytes of a fault kept in its event

AMT_SERVER_PORTS: Final = frozenset((16993, 16995, 664))  # AMT listens
AMT_CLIENT_PORT: Final = 4433  # AMT connects to a management presence server

_HEADER: Final = re.compile(rb"[\x14-\x18]\x03[\x00-\x04][\x00-\x48]", re.DOTALL)
_SERVER_MESSAGES: Final = frozenset((0, 2, 4, 6, 8, 12, 13, 14, 22))
_OTHER_SIDE: Final = (TO_CLIENT, TO_SERVER)
_ENDS: Final = {End.FIN: "closed", End.RESET: "reset"}


class Side:
    """One direction: its bytes, and what its records are protected by."""

    __slots__ = (
        "alert",
        "app_bytes",
        "app_opened",
        "app_records",
        "app_start",
        "cipher",
        "doubt",
        "ended",
        "fresh",
        "hold",
        "ignore",
        "inbox",
        "last",
        "lost",
        "opener",
        "partial",
        "partial_start",
        "protected",
        "searched",
    )

    def __init__(self) -> None:
        self.inbox = Inbox()
        self.partial = bytearray()  # a handshake message that is not whole yet
        self.partial_start = 0
        self.ignore = 0  # bytes of a handshake message too long to keep
        self.alert = b""  # half an alert
        self.protected = False  # its ChangeCipherSpec came (or TLS 1.3 began)
        self.fresh = False  # its next record is the first under new keys
        self.cipher: Any = None  # opens its records; None: nothing does
        self.opener: Opener13 | None = None  # the same, where it is TLS 1.3
        self.doubt = False  # bytes were missed: whether it is protected shows only by its records
        self.lost = False  # not at a record boundary
        self.searched = 0  # bytes passed over while looking for one
        self.last = 0  # where the last record handled starts
        self.hold: int | None = None  # where the handshake under way starts
        self.ended = False
        self.app_records = self.app_bytes = self.app_opened = 0
        self.app_start = 0  # of the last such record


class TlsDissector(Dissector):
    """Follows one TLS connection."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.sides = (Side(), Side())
        self.client: Direction | None = None  # the direction in which the TLS client sends
        self.progress = Progress()
        self.begun = False
        self.summed = False  # the handshake under way was summed up
        self.first_end = ("", "")  # who closed first, and how
        self.keys = context.keys or None
        self.session: Session | None = None

    # -- framing -------------------------------------------------------------------------------------------------

    def receive_data(self, direction: Direction, data: bytes) -> Iterable[Statement]:
        """See `Dissector`."""
        if self.done:
            return ()
        out: list[Statement] = []
        side = self.sides[direction]
        side.inbox.append(data)
        self._cut(direction, side, out)
        side.last = max(side.last, self.floor[direction])
        self._lower_floor(direction, side)
        return out

    def _lower_floor(self, direction: Direction, side: Side) -> None:
        floor = side.last
        if side.partial or side.alert:
            floor = min(floor, side.partial_start)
        if side.hold is not None:
            if floor - side.hold > HANDSHAKE_PROOF:
                side.hold = None
            else:
                floor = side.hold
        self.floor[direction] = max(floor, self.floor[direction])

    def _cut(self, direction: Direction, side: Side, out: list[Statement]) -> None:
        """Take whole records out of the inbox; pass over bodies that nothing can open."""
        inbox = side.inbox
        data, base = inbox.data, inbox.start
        at, size = 0, len(data)
        while not self.done:
            if side.lost:
                at = self._search(side, data, at, base, direction, out)
                if side.lost:
                    break
            if size - at < HEADER_SIZE:
                break
            kind, length = data[at], data[at + 3] << 8 | data[at + 4]
            if not (20 <= kind <= 24 and data[at + 1] == 3 and data[at + 2] <= 4 and length <= MAX_RECORD):
                taken = self._odd(direction, side, data, at, base, out)
                if taken < 0:
                    break
                at += taken
                continue
            start = base + at
            end = at + HEADER_SIZE + length
            if not self.begun:
                self._begin(direction, kind, data, at, out)
                if not self.begun:
                    break
            if kind == APPLICATION_DATA and side.cipher is None and not side.fresh:
                self._closed_data(direction, side, start, length, out)
                side.last = start
                if end > size:
                    self.skip[direction] = end - size
                    inbox.jump(end - size)
                    return
                at = end
                continue
            if end > size:
                break
            fragment = data[at + HEADER_SIZE : end]
            self._record(direction, side, kind, data[at + 1] << 8 | data[at + 2], fragment, start, base + end, out)
            side.last = start
            at = end
        if at:
            inbox.consume(at)

    def _begin(self, direction: Direction, kind: int, data: bytes, at: int, out: list[Statement]) -> None:
        """See whether the conversation starts with its hello or in the middle."""
        if kind == HANDSHAKE:
            if len(data) - at < HEADER_SIZE + 1:
                return
            if data[at + HEADER_SIZE] == 1:
                self.begun = True
                return
        self.begun = True
        for side in self.sides:
            side.doubt = True
        what = "the capture has this connection from the middle on: its ClientHello is missing"
        start = self.sides[direction].inbox.start + at
        out.append(Statement(Note("tls", what), direction, start, start + HEADER_SIZE))

    def _odd(self, direction: Direction, side: Side, data: bytes, at: int, base: int, out: list[Statement]) -> int:
        """Handle what is no record: an SSL 2.0 hello at the start, or framing that is lost.

        Gives the bytes taken, or -1 when more are needed.
        """
        start = base + at
        if start == 0 and data[0] & 0x80 and data[2] in {1, 4}:
            size = 2 + ((data[0] & 0x7F) << 8 | data[1])
            if data[2] == 4:
                self.done = True
                what = "an SSL 2.0 server hello: records of SSL 2.0 are not decoded"
                out.append(Statement(Unrecognised("tls", what, data[:SHOWN]), direction, 0, min(size, len(data))))
                return -1
            if len(data) < size:
                return -1
            self.begun = True
            self._ssl2_hello(direction, side, data[2:size], size, out)
            return size
        self.begun = True
        side.lost, side.searched = True, 0
        self._forget(side)
        bad = data[at : at + HEADER_SIZE]
        fault = Malformed("tls", "no TLS record where one must begin", bad)
        out.append(Statement(fault, direction, start, start + HEADER_SIZE))
        return 0

    def _search(self, side: Side, data: bytes, at: int, base: int, direction: Direction, out: list[Statement]) -> int:
        """Look for a record header; give where it is, or as far as was looked."""
        while True:
            found = _HEADER.search(data, at)
            if found is None:
                kept = max(len(data) - 3, at)
                side.searched += kept - at
                side.last = max(side.last, base + kept)
                return kept
            if len(data) - found.start() < HEADER_SIZE:
                side.searched += found.start() - at
                side.last = max(side.last, base + found.start())
                return found.start()
            start = found.start()
            length = data[start + 3] << 8 | data[start + 4]
            if _plausible(data[start], length):
                side.searched += start - at
                side.lost, side.doubt = False, True
                what = f"found a record boundary again after {side.searched} bytes"
                out.append(Statement(Note("tls", what), direction, base + start, base + start + HEADER_SIZE))
                return start
            side.searched += start + 1 - at
            at = start + 1

    def _forget(self, side: Side) -> None:
        """Bytes of a direction are lost: what was half there is worthless, and keys can no longer follow."""
        side.partial.clear()
        side.alert = b""
        side.ignore = 0
        side.cipher = side.opener = None
        side.fresh = False
        if self.session:
            self.session.whole = False

    def receive_gap(self, direction: Direction, size: int) -> Iterable[Statement]:
        """See `Dissector`."""
        if self.done:
            return ()
        side = self.sides[direction]
        inbox = side.inbox
        skipped = self.skip[direction]
        start = inbox.end - skipped
        out = [gap_statement("tls", direction, start, size)]
        if skipped:  # inside a body nobody reads
            if size <= skipped:
                self.skip[direction] = skipped - size
                return out
            self.skip[direction] = 0
            size -= skipped
        self._forget(side)
        side.doubt = True
        data = inbox.data
        rest = 0
        if len(data) >= HEADER_SIZE and not side.lost:
            rest = HEADER_SIZE + (data[3] << 8 | data[4]) - len(data)
        inbox.jump(size)
        if 0 < size <= rest:  # one record is lost, but where it ends is known
            self.skip[direction] = rest - size
            inbox.jump(rest - size)
        else:
            side.lost, side.searched = True, 0
        side.last = max(side.last, inbox.start - self.skip[direction])
        self._lower_floor(direction, side)
        return out

    def receive_eof(self, direction: Direction, end: End) -> Iterable[Statement]:
        """See `Dissector`."""
        side = self.sides[direction]
        if side.ended or self.done:
            return ()
        side.ended = True
        out: list[Statement] = []
        missing = self.skip[direction]
        position = side.inbox.end - missing
        if missing:
            cut = Truncated("tls", f"record cut by the end of its direction ({end.value})", position, missing)
            out.append(Statement(cut, direction, side.last, max(position, side.last)))
        elif side.inbox.data and not side.lost:
            data = side.inbox.data
            missing = HEADER_SIZE + (data[3] << 8 | data[4]) - len(data) if len(data) >= HEADER_SIZE else 0
            cut = Truncated("tls", f"record cut by the end of its direction ({end.value})", position, missing)
            out.append(Statement(cut, direction, side.inbox.start, position))
        elif len(side.partial) >= 4:
            missing = 4 + int.from_bytes(side.partial[1:4], "big") - len(side.partial)
            what = f"{name_of_handshake(side.partial[0])} cut by the end of its direction ({end.value})"
            out.append(Statement(Truncated("tls", what, position, missing), direction, side.partial_start, position))
        if side.app_records:
            event = ApplicationData(self._sender(direction), side.app_records, side.app_bytes, side.app_opened)
            start = max(side.app_start, self.floor[direction])
            out.append(Statement(event, direction, start, max(position, start)))
        if side.opener is not None and side.opener.failures:
            self._tell_decryption(direction, side.last, max(position, side.last), out)
        if not self.first_end[0]:
            self.first_end = (self._sender(direction), end.value)
        if end is End.RESET or self.sides[_OTHER_SIDE[direction]].ended:
            self._stop(_ENDS.get(end, "unfinished"), direction, position, out)
        return out

    def _stop(self, outcome: str, direction: Direction, position: int, out: list[Statement]) -> None:
        """Sum up a handshake that nothing will complete."""
        if self.summed or not self.progress.messages or self.progress.complete:
            return
        who, how = self.first_end
        named = who if outcome != "unfinished" else ""
        if outcome == "unfinished" and how in {"FIN", "RST"}:
            outcome, named = {"FIN": "closed", "RST": "reset"}[how], who
        self._sum_up(outcome, direction, self.sides[direction].last, position, out, named, how)

    def _sum_up(
        self,
        outcome: str,
        direction: Direction,
        start: int,
        end: int,
        out: list[Statement],
        who: str = "",
        how: str = "",
    ) -> None:
        """State the handshake, and all bytes that carried it as its proof."""
        event = self.progress.told(outcome, who, self._machine(who), how)
        spans = []
        for way in (TO_SERVER, TO_CLIENT):
            side = self.sides[way]
            if side.hold is None:
                continue
            stop = end if way is direction else side.inbox.start - self.skip[way]
            if stop > side.hold:
                spans.append(Span(way, side.hold, stop))
            side.hold = None
        self.summed = True
        start = max(start, self.floor[direction])
        out.append(Statement(event, direction, start, max(start, end), tuple(spans)))

    # -- roles ---------------------------------------------------------------------------------------------------

    def _sender(self, direction: Direction) -> str:
        client = TO_SERVER if self.client is None else self.client
        return "client" if direction == client else "server"

    def _machine(self, sender: str) -> str:
        """Which machine that is, where the port tells: AMT listens on 16993, 16995 and 664, and connects to 4433."""
        if not sender:
            return ""
        listens = (sender == "server") == (self.client is not TO_CLIENT)  # it accepted the TCP connection
        port = self.context.server.port
        if port in AMT_SERVER_PORTS:
            return "AMT" if listens else "SCA"
        if port == AMT_CLIENT_PORT:
            return "MPS" if listens else "AMT"
        return ""

    # -- records -------------------------------------------------------------------------------------------------

    def _closed_data(self, direction: Direction, side: Side, start: int, length: int, out: list[Statement]) -> None:
        """Count an application data record that nothing opens."""
        side.app_records += 1
        side.app_bytes += length
        side.app_start = start
        progress = self.progress
        if progress.tls13 and not self.summed and progress.server_hello and self.client is not None:
            sender = self._sender(direction)
            hidden = progress.hidden
            if sender == "client" and "server" not in hidden:
                return  # early data
            if sender == "server" and "client" in hidden:
                self._sum_up("complete", direction, start, start + HEADER_SIZE, out, how="both go on under encryption")
                return
            hidden.add(sender)

    def _record(
        self,
        direction: Direction,
        side: Side,
        kind: int,
        version: int,
        fragment: bytes,
        start: int,
        end: int,
        out: list[Statement],
    ) -> None:
        """Handle a whole record: as it is, or opened, or closed."""
        if side.doubt and not side.protected:
            side.protected = _looks_protected(kind, fragment)
        opener = side.opener
        if opener is not None:
            if kind != APPLICATION_DATA:  # alerts and ChangeCipherSpec may still come in the clear
                self._content(direction, side, kind, version, fragment, start, end, start + HEADER_SIZE, out)
                return
            opened = opener.open(kind, version, fragment)
        elif not side.protected:
            self._content(direction, side, kind, version, fragment, start, end, start + HEADER_SIZE, out)
            return
        elif side.fresh:
            opened = self._unlock(direction, side, kind, version, fragment, start, end, out)
            if opened is None:
                self._closed(direction, side, kind, fragment, start, end, out)
                return
        elif side.cipher is not None:
            opened = side.cipher.open(kind, version, fragment)
        else:
            self._closed(direction, side, kind, fragment, start, end, out)
            return
        if opened is None:
            self._refused(direction, side, kind, fragment, start, end, out)
            return
        if opener is not None:
            self._tell_decryption(direction, start, end, out)
        kind, content = opened
        if kind == APPLICATION_DATA:
            side.app_records += 1
            side.app_bytes += len(fragment)
            side.app_opened += 1
            side.app_start = start
            if content:
                out.append(Statement(Payload(content), direction, start, end))
            return
        self._content(direction, side, kind, version, content, start, end, -1, out)

    def _refused(
        self, direction: Direction, side: Side, kind: int, fragment: bytes, start: int, end: int, out: list[Statement]
    ) -> None:
        """Handle a record that did not open: no secret for it is known, or it was changed."""
        opener = side.opener
        if opener is None:
            fault = Malformed("tls", "a record's MAC is wrong: what follows in this direction stays closed")
            out.append(Statement(fault, direction, start, end))
            side.cipher = None
            self._closed(direction, side, kind, fragment, start, end, out)
            return
        self._closed_data(direction, side, start, len(fragment), out)
        if not opener.hopeless:
            return
        if opener.opened:
            fault = Malformed("tls", "a record's tag is wrong: what follows in this direction stays closed")
            out.append(Statement(fault, direction, start, end))
        else:
            self._tell_decryption(direction, start, end, out)
        side.cipher = side.opener = None

    def _unlock(
        self,
        direction: Direction,
        side: Side,
        kind: int,
        version: int,
        fragment: bytes,
        start: int,
        end: int,
        out: list[Statement],
    ) -> tuple[int, bytes] | None:
        """Open the first record under new keys, which proves a key or refuses all."""
        session = self.session
        side.fresh = False
        if session is None:
            return None
        which = 0 if self._sender(direction) == "client" else 1
        if session.ciphers is None:
            opened = session.unlock(which, kind, version, fragment)
            self._tell_decryption(direction, start, end, out)
        else:
            opened = session.ciphers[which].open(kind, version, fragment)
        if opened is not None and session.ciphers is not None:
            side.cipher = session.ciphers[which]
        return opened

    def _tell_decryption(self, direction: Direction, start: int, end: int, out: list[Statement]) -> None:
        event = self.session.decryption() if self.session else None
        if event is not None:
            out.append(Statement(event, direction, start, end))

    def _closed(
        self, direction: Direction, side: Side, kind: int, fragment: bytes, start: int, end: int, out: list[Statement]
    ) -> None:
        """Tell a protected record that nothing opens by what shows: its kind, its length, its place."""
        sender, length, progress = self._sender(direction), len(fragment), self.progress
        event: Event
        if kind == HANDSHAKE:
            inferred = ""
            if progress.last.endswith("ChangeCipherSpec") or f"{sender} ChangeCipherSpec" in progress.messages:
                inferred = "" if f"{sender} Finished" in progress.messages else "Finished"
            event = EncryptedHandshake(length, sender, inferred)
            out.append(Statement(event, direction, start, end))
            if inferred:
                self._progress(direction, sender, inferred, start, end, out)
        elif kind == ALERT:
            event = EncryptedAlert(length, sender, self._machine(sender), progress.phase, progress.last)
            out.append(Statement(event, direction, start, end))
        elif kind == APPLICATION_DATA:
            self._closed_data(direction, side, start, length, out)
        elif kind == HEARTBEAT:
            out.append(Statement(Heartbeat(length, sender), direction, start, end))
        else:  # a ChangeCipherSpec under encryption: a renegotiation went by
            self._change(direction, side, start, end, out)

    # -- contents ------------------------------------------------------------------------------------------------

    def _content(
        self,
        direction: Direction,
        side: Side,
        kind: int,
        version: int,
        content: bytes,
        start: int,
        end: int,
        exact: int,
        out: list[Statement],
    ) -> None:
        """Read the content of a record. `exact`: offset of its first byte where it was sent in the clear, else -1."""
        if kind == HANDSHAKE:
            self._handshake(direction, side, version, content, start, end, exact, out)
        elif kind == ALERT:
            self._alert(direction, side, version, content, start, end, exact, out)
        elif kind == CHANGE_CIPHER_SPEC:
            if content != b"\x01":
                fault = Malformed("tls", "ChangeCipherSpec is not one byte 1", content[:SHOWN])
                out.append(Statement(fault, direction, start, end))
            self._change(direction, side, start, end, out)
        elif kind == HEARTBEAT:
            claimed = content[1] << 8 | content[2] if len(content) >= 3 else -1
            event = Heartbeat(len(content), self._sender(direction), content[0] if content else -1, claimed)
            out.append(Statement(event, direction, start, end))
        elif kind == APPLICATION_DATA:  # only where records were lost
            self._closed_data(direction, side, start, len(content), out)
        else:
            fault = Malformed("tls", f"content type {kind} inside a protected record", content[:SHOWN])
            out.append(Statement(fault, direction, start, end))

    def _change(self, direction: Direction, side: Side, start: int, end: int, out: list[Statement]) -> None:
        """From the next record on, this direction is protected by the keys just agreed on."""
        sender, progress = self._sender(direction), self.progress
        compatibility = progress.tls13
        out.append(Statement(ChangeCipherSpec(sender, compatibility), direction, start, end))
        if compatibility:
            return
        if side.partial:
            fault = Malformed("tls", "ChangeCipherSpec inside a handshake message", bytes(side.partial[:SHOWN]))
            out.append(Statement(fault, direction, side.partial_start, end))
            side.partial.clear()
        if self.summed:
            self._renew()
            progress = self.progress
        if side.hold is None:
            side.hold = start
        progress.take(sender, "ChangeCipherSpec")
        side.protected, side.doubt = True, False
        side.cipher = None
        side.fresh = self.session is not None

    def _alert(
        self,
        direction: Direction,
        side: Side,
        version: int,
        content: bytes,
        start: int,
        end: int,
        exact: int,
        out: list[Statement],
    ) -> None:
        """Read alerts; one may be split over records, and a record may hold several."""
        begin = side.partial_start if side.alert else start
        content = side.alert + content
        sender, progress = self._sender(direction), self.progress
        for at in range(0, len(content) - 1, 2):
            level, description = content[at], content[at + 1]
            event = Alert(
                level,
                description,
                sender,
                self._machine(sender),
                progress.phase,
                progress.last,
                version,
                opened=exact < 0,
            )
            out.append(Statement(event, direction, begin if at == 0 else start, end))
            if event.fatal and not self.summed and not progress.complete and progress.messages:
                how = f"{name_of_alert_level(level)} {name_of_alert(description)}"
                self._sum_up("refused", direction, start, end, out, sender, how)
        side.alert = content[-1:] if len(content) & 1 else b""
        if side.alert and not side.partial:
            side.partial_start = begin if len(content) == 1 else start

    def _handshake(
        self,
        direction: Direction,
        side: Side,
        version: int,
        content: bytes,
        start: int,
        end: int,
        exact: int,
        out: list[Statement],
    ) -> None:
        """Put handshake messages together and read each that is whole."""
        if side.ignore:
            dropped = min(side.ignore, len(content))
            side.ignore -= dropped
            content = content[dropped:]
            if exact >= 0:
                exact += dropped
        held = len(side.partial)
        data: bytes | bytearray
        if held:
            side.partial += content
            data = side.partial
        else:
            data = content
            side.partial_start = exact if exact >= 0 else start
        at, size = 0, len(data)
        while size - at >= 4:
            length = data[at + 1] << 16 | data[at + 2] << 8 | data[at + 3]
            if length > MAX_HANDSHAKE:
                what = f"{name_of_handshake(data[at])} of {length} bytes is passed over"
                limit = LimitReached("tls", "MAX_HANDSHAKE", MAX_HANDSHAKE, what)
                out.append(Statement(limit, direction, start, end))
                side.ignore = length + 4 - (size - at)
                at = size
                if side.ignore < 0:
                    at, side.ignore = size + side.ignore, 0
                    continue
                break
            if size - at - 4 < length:
                break
            message = bytes(data[at : at + 4 + length])
            if exact >= 0:
                begin = side.partial_start if at == 0 else exact + at - held
                finish = exact + at + 4 + length - held
            else:
                begin, finish = side.partial_start if at == 0 else start, end
            self._message(direction, side, version, message, begin, finish, exact < 0, out)
            at += 4 + length
        if at < size:
            if at or not held:
                if at:
                    side.partial_start = exact + at - held if exact >= 0 else start
                side.partial = bytearray(data[at:])
        elif held:
            side.partial = bytearray()

    # -- messages ------------------------------------------------------------------------------------------------

    def _message(
        self,
        direction: Direction,
        side: Side,
        version: int,
        message: bytes,
        start: int,
        end: int,
        opened: bool,
        out: list[Statement],
    ) -> None:
        """Read one handshake message and let the handshake move on."""
        code = message[0]
        if self.client is None or (code == 1 and not self.progress.messages):
            self.client = _OTHER_SIDE[direction] if code in _SERVER_MESSAGES else direction
        progress = self.progress
        if code in {0, 1} and self.summed:
            self._renew()
            progress = self.progress
        sender = self._sender(direction)
        parameters = progress.parameters
        hello = code in {1, 2}
        known = Known(
            sender,
            version if hello or not progress.version else progress.version,
            parameters.key_exchange if parameters else "",
            parameters.authentication if parameters else "",
        )
        event, faults = read_handshake(code, message[4:], known)
        if side.hold is None and not self.summed:
            side.hold = start
        if event is not None:
            if isinstance(event, Finished):
                event = self._check_finished(event)
            out.append(Statement(event, direction, start, end))
        if faults:
            what = f"{name_of_handshake(code)}: {'; '.join(faults)}"
            out.append(Statement(Malformed("tls", what, message[4 : 4 + SHOWN]), direction, start, end))
        if isinstance(event, Certificate):
            self._tell_certificates(event, direction, start, end, out)
        self._learn(side, sender, message, event)
        if self.summed:
            return
        name = name_of_handshake(code) if code in HANDSHAKE_TYPES else f"message {code}"
        if isinstance(event, ServerHello) and event.retry:
            name = "HelloRetryRequest"
        self._progress(direction, sender, name, start, end, out)

    def _progress(
        self, direction: Direction, sender: str, name: str, start: int, end: int, out: list[Statement]
    ) -> None:
        progress = self.progress
        was_complete = progress.complete
        progress.take(sender, name)
        if progress.complete and not was_complete and not self.summed:
            self._sum_up("complete", direction, start, end, out)

    def _learn(self, side: Side, sender: str, message: bytes, event: Event | None) -> None:
        """Take from a message what the handshake's course and its keys depend on."""
        progress, session = self.progress, self.session
        if isinstance(event, ClientHello):
            progress.hello(event)
            if self.keys is not None:
                if session is None or (session.server_hello is not None and not session.server_hello.retry):
                    from amtdecode.protocols.tls.session import Session

                    session = self.session = Session(self.keys)
                session.hello(event, message)
        elif isinstance(event, ServerHello):
            if self.keys is not None and session is None:
                from amtdecode.protocols.tls.session import Session

                session = self.session = Session(self.keys)
                session.whole = False
            if event.retry:
                if session:
                    session.transcript.retry(event.chosen_version, event.suite)
            else:
                progress.answer(event)
        elif isinstance(event, Certificate):
            progress.certificates[sender] = bool(event.chain)
            if session and sender == "server" and event.chain:
                session.certificate = event.chain[0]
        if session is None:
            if isinstance(event, ServerHello) and not event.retry and progress.tls13:
                self._begin13()
            return
        if message[0]:  # a HelloRequest is no part of the transcript (RFC 5246, section 7.4.1.1)
            session.transcript.add(message)
        if isinstance(event, ServerHello) and not event.retry:
            session.answer(event, tls13=progress.tls13)
            if progress.tls13:
                self._begin13()
        elif isinstance(event, ClientKeyExchange):
            session.key_exchange(event.identity, event.encrypted)
        elif isinstance(event, NewSessionTicket):
            session.ticket(event.ticket)
        if side.opener is not None:
            if isinstance(event, Finished):
                if sender == "server" and session.tls13:
                    session.tls13.server_finished()
                side.opener.next_stage()
            elif message[0] == 5:
                side.opener.next_stage()
            elif isinstance(event, KeyUpdate):
                side.opener.update()

    def _begin13(self) -> None:
        """After the ServerHello of TLS 1.3 both directions are protected."""
        client = TO_SERVER if self.client is None else self.client
        for direction in (TO_SERVER, TO_CLIENT):
            side = self.sides[direction]
            side.doubt = False
            if self.session and self.session.tls13:
                from amtdecode.protocols.tls.session import Opener13

                side.cipher = side.opener = Opener13(self.session, 0 if direction == client else 1)

    def _check_finished(self, event: Finished) -> Finished:
        """Compare a Finished with what the handshake as captured makes it."""
        expected = self.session.finished(event.sender) if self.session else b""
        if not expected:
            return event
        return Finished(event.length, event.sender, event.verify_data, verified=event.verify_data == expected)

    def _tell_certificates(
        self, event: Certificate, direction: Direction, start: int, end: int, out: list[Statement]
    ) -> None:
        """Tell what is broken or odd in a chain."""
        from amtdecode.protocols.tls.certificates import chain_faults

        chain = event.certificates
        for number, info in enumerate(chain, 1):
            if info.faults:
                what = f"certificate {number} of the {event.sender}: {'; '.join(info.faults)}"
                out.append(Statement(Malformed("tls", what, info.der[:SHOWN]), direction, start, end))
            if info.oddities:
                what = f"certificate {number} of the {event.sender}: {'; '.join(info.oddities)}"
                out.append(Statement(Note("tls", what), direction, start, end))
        faults = chain_faults(chain)
        if faults:
            what = f"certificate chain of the {event.sender}: {'; '.join(faults)}"
            out.append(Statement(Note("tls", what), direction, start, end))

    def _renew(self) -> None:
        """Begin a new handshake on the same connection."""
        self.progress = Progress(renegotiation=True)
        self.summed = False

    def _ssl2_hello(self, direction: Direction, side: Side, message: bytes, end: int, out: list[Statement]) -> None:
        """Handle a ClientHello framed as SSL 2.0."""
        self.client = direction
        event, faults = read_ssl2_client_hello(message)
        side.hold = 0
        if event is not None:
            out.append(Statement(event, direction, 0, end))
            self._learn(side, "client", message, event)
            self.progress.take("client", "ClientHello")
        if faults:
            what = f"ClientHello in SSL 2.0 framing: {'; '.join(faults)}"
            out.append(Statement(Malformed("tls", what, message[:SHOWN]), direction, 0, end))


def _plausible(kind: int, length: int) -> bool:
    """Whether a record of this kind may have this length."""
    return length <= MAX_RECORD and (length > 0 or kind == APPLICATION_DATA)


def _looks_protected(kind: int, fragment: bytes) -> bool:
    """Whether a record, its past unseen, must be encrypted: as plaintext it would make no sense."""
    if kind == ALERT:
        return len(fragment) != 2 or fragment[0] not in {1, 2}
    if kind == HANDSHAKE:
        return len(fragment) < 4 or fragment[0] not in HANDSHAKE_TYPES or fragment[1] != 0 or fragment[2] >= 0x80
    return kind == APPLICATION_DATA
