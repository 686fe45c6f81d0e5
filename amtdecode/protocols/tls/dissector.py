"""The TLS dissector: reads what records hold, opens them where keys allow, and follows the handshake.

See the package's spec card. One instance follows one connection, through renegotiations.
"""

from __future__ import annotations

from functools import cache
from struct import Struct
from typing import TYPE_CHECKING, Final

from amtdecode import ports
from amtdecode.model import (
    TO_CLIENT,
    TO_SERVER,
    ChannelOpened,
    Direction,
    End,
    LimitReached,
    Malformed,
    Note,
    Payload,
    Span,
    Statement,
)
from amtdecode.protocols.tls.certificates import chain_faults
from amtdecode.protocols.tls.events import (
    Alert,
    ApplicationData,
    ChangeCipherSpec,
    EncryptedAlert,
    EncryptedHandshake,
    Heartbeat,
)
from amtdecode.protocols.tls.extensions import EARLY_DATA
from amtdecode.protocols.tls.framing import HEADER_SIZE, OTHER_WAY, SHOWN, Framing, Place, Side
from amtdecode.protocols.tls.hellos import ClientHello, Handshake, ServerHello, read_ssl2_client_hello
from amtdecode.protocols.tls.memory import TlsMemory
from amtdecode.protocols.tls.messages import (
    Certificate,
    ClientKeyExchange,
    Finished,
    KeyUpdate,
    NewSessionTicket,
)
from amtdecode.protocols.tls.progress import CHANGED, ESTABLISHED, FINISHED, LABELS, Progress
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
    from amtdecode.protocols.dissector import Context
    from amtdecode.protocols.tls.decryption import DecryptSession

MAX_HANDSHAKE: Final = 262144
"""Bytes of one handshake message; a longer one is passed over. Chains seen in the field stay under 20,000."""

_WEB_KINDS: Final = frozenset(("server-authenticated", "resumed", "hidden"))  # by PSK and mutual, AMT sets itself up

_WRONG_MAC: Final = "a record's MAC is wrong: what follows in this direction stays closed"
_CLIENT_HELLO: Final = 1
_SERVER_HELLO: Final = 2
_END_OF_EARLY_DATA: Final = 5
_POST_HANDSHAKE: Final = frozenset((4, 24))  # NewSessionTicket, KeyUpdate (RFC 8446, section 4.6)
_CERTIFICATE: Final = 11
_TELLING: Final = frozenset((2, 4, 11, 16))  # what else keys depend on: ServerHello, ticket, Certificate, key exchange
_FINISHED: Final = 20
_ONLY_HASHED: Final = frozenset((12, 14, 20))  # ServerKeyExchange, ServerHelloDone, Finished: before TLS 1.3
_SERVER_MESSAGES: Final = frozenset((0, 2, 4, 6, 8, 12, 13, 14, 22))
_read_head: Final = Struct(">BBH").unpack_from  # of a handshake message: type and, in three bytes, length
_OUTCOMES: Final = {End.FIN: "closed", End.RESET: "reset"}


@cache
def _decrypt_session() -> type[DecryptSession]:
    """The class, which brings all ciphers with it: loaded where there are keys."""
    from amtdecode.protocols.tls.decryption import DecryptSession

    return DecryptSession


class TlsDissector(Framing):
    """Follows one TLS connection."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.client: Direction | None = None  # the direction in which the TLS client sends
        self.progress = Progress()
        self.first_end: tuple[str, End] | None = None  # who closed first, and how
        self.keys = context.keys or None
        self.memory = TlsMemory() if context.memory is None else context.memory.of(TlsMemory)
        self.session: DecryptSession | None = None

    # -- roles ---------------------------------------------------------------------------------------------------

    def _set_client(self, direction: Direction, place: Place) -> None:
        """Know who plays client; what is carried has the same roles, which need not be those of TCP."""
        if direction is not (TO_SERVER if self.client is None else self.client):
            self.say(ChannelOpened(0, direction), place)
        self.client = direction
        for side in self.sides:
            side.sender = "client" if side.direction is direction else "server"

    def _machine(self, sender: str) -> str:
        """Which machine that is, where the port tells: AMT listens on 16993, 16995 and 664, and connects to 4433."""
        if not sender:
            return ""
        listens = (sender == "server") == (self.client is not TO_CLIENT)  # it accepted the TCP connection
        port = self.context.server.port
        if port in ports.MACHINE_TLS:
            return "AMT" if listens else "SCA"
        if port == ports.CIRA:
            return "MPS" if listens else "AMT"
        return ""

    # -- records -------------------------------------------------------------------------------------------------

    def record(self, side: Side, kind: int, version: int, fragment: bytes, start: int, end: int) -> None:
        """Handle a whole record: as it is, or opened, or closed."""
        if side.doubt and not side.protected:
            side.protected = _looks_protected(kind, fragment)
        if side.opener is not None:
            place = Place(side.direction, start, end)
            if kind != APPLICATION_DATA:  # alerts and ChangeCipherSpec may still come in the clear
                self._content(side, kind, version, fragment, place, start + HEADER_SIZE)
                return
            opened = side.opener.open(kind, version, fragment)
            if opened is None:
                self._refused13(side, len(fragment), place)
                return
            self._tell_decryption(place)
            if "client" in self.progress.hidden and not self.summed and side.sender == "server":
                self._sum_up("complete", place, how="both go on under encryption")
        elif not side.protected:
            if kind == CHANGE_CIPHER_SPEC and fragment == b"\x01":
                self._change(side, start, end)
            else:
                place = Place(side.direction, start, end)
                self._content(side, kind, version, fragment, place, start + HEADER_SIZE)
            return
        elif side.fresh:
            opened = self._unlock(side, kind, version, fragment, Place(side.direction, start, end))
        elif side.cipher is not None:
            opened = side.cipher.open(kind, version, fragment)
            if opened is None:
                self.say(Malformed("tls", _WRONG_MAC), Place(side.direction, start, end))
                side.cipher = None
        else:
            opened = None
        if opened is None:
            self._closed(side, kind, len(fragment), Place(side.direction, start, end))
            return
        kind, content = opened
        if kind == HANDSHAKE:
            self._handshake(side, version, content, start, end, -1)
            return
        if kind != APPLICATION_DATA:
            self._content(side, kind, version, content, Place(side.direction, start, end), -1)
            return
        side.app_records += 1
        side.app_bytes += len(fragment)
        side.app_opened += 1
        side.app_start = start
        if content:
            self.out.append(Statement(Payload(content), side.direction, start, end))

    def _refused13(self, side: Side, length: int, place: Place) -> None:
        """Handle a record of TLS 1.3 that did not open: no secret for it is known, or it was changed."""
        opener = side.opener
        self.closed_data(side, length, place)
        if opener is None or not opener.hopeless:
            return
        if opener.opened:
            self.say(Malformed("tls", _WRONG_MAC), place)
        else:
            self._tell_decryption(place)
        side.cipher = side.opener = None

    def _unlock(self, side: Side, kind: int, version: int, fragment: bytes, place: Place) -> tuple[int, bytes] | None:
        """Open the first record under new keys, which proves a key or refuses all."""
        side.fresh = False
        session = self.session
        if session is None:
            return None
        which = 0 if side.sender == "client" else 1
        if session.ciphers is None:
            opened = session.unlock(which, kind, version, fragment)
            self._tell_decryption(place)
        else:
            opened = session.ciphers[which].open(kind, version, fragment)
            if opened is None:
                self.say(Malformed("tls", _WRONG_MAC), place)
        if opened is not None and session.ciphers is not None:
            side.cipher = session.ciphers[which]
        return opened

    def _tell_decryption(self, place: Place) -> None:
        event = self.session.decryption() if self.session else None
        if event is not None:
            self.say(event, place)

    def closed_data(self, side: Side, length: int, place: Place) -> None:
        """Count an application data record that nothing opens; in TLS 1.3 it may be the hidden handshake."""
        side.app_records += 1
        side.app_bytes += length
        side.app_start = place.start
        progress = self.progress
        if not progress.tls13 or self.summed or progress.server_hello is None:
            return
        sender, hidden = side.sender, progress.hidden
        if sender == "server" and "client" in hidden:
            self._sum_up("complete", place, how="both go on under encryption")
        elif sender == "server" or "server" in hidden:  # what the client sent before is early data
            hidden.add(sender)
            if self.session:  # a key log may yet come, too late for these
                self.session.whole = False

    def _closed(self, side: Side, kind: int, length: int, place: Place) -> None:
        """Tell a protected record that nothing opens by what shows: its kind, its length, its place."""
        sender, progress = side.sender, self.progress
        if kind == HANDSHAKE:
            came = progress.messages
            finished = CHANGED[sender] in came and FINISHED[sender] not in came
            self.say(EncryptedHandshake(length, sender, "Finished" if finished else ""), place)
            if finished:
                progress.take(FINISHED[sender])
                if progress.complete and not self.summed:
                    self._sum_up("complete", place)
        elif kind == ALERT:
            alert = EncryptedAlert(length, sender, self._machine(sender), progress.phase, progress.last)
            self.say(alert, place)
        elif kind == APPLICATION_DATA:
            self.closed_data(side, length, place)
        elif kind == HEARTBEAT:
            self.say(Heartbeat(length, sender), place)
        else:  # a ChangeCipherSpec under encryption: a renegotiation goes by
            self._change(side, place.start, place.end)

    # -- contents ------------------------------------------------------------------------------------------------

    def _content(self, side: Side, kind: int, version: int, content: bytes, place: Place, exact: int) -> None:
        """Read the content of a record. `exact`: offset of its first byte where it was sent in the clear, else -1."""
        if kind == HANDSHAKE:
            self._handshake(side, version, content, place.start, place.end, exact)
        elif kind == ALERT:
            self._alert(side, version, content, place, opened=exact < 0)
        elif kind == CHANGE_CIPHER_SPEC:
            if content != b"\x01":
                self.say(Malformed("tls", "ChangeCipherSpec is not one byte 1", content[:SHOWN]), place)
            self._change(side, place.start, place.end)
        elif kind == HEARTBEAT:
            claimed = content[1] << 8 | content[2] if len(content) >= 3 else -1
            sender = side.sender
            self.say(Heartbeat(len(content), sender, content[0] if content else -1, claimed), place)
        elif kind == APPLICATION_DATA:  # only where a direction was given up while its next record was awaited
            self.closed_data(side, len(content), place)
        else:
            self.say(Malformed("tls", f"content type {kind} inside a protected record", content[:SHOWN]), place)

    def _change(self, side: Side, start: int, end: int) -> None:
        """From the next record on, this direction is protected by the keys just agreed on."""
        sender, progress = side.sender, self.progress
        # before the ServerHello only TLS 1.3 clients send it, for middleboxes (RFC 8446, appendix D.4)
        compatibility = progress.tls13 or (progress.client_hello is not None and progress.server_hello is None)
        self.out.append(Statement(ChangeCipherSpec(sender, compatibility), side.direction, start, end))
        if compatibility:
            return
        if side.partial:
            fault = Malformed("tls", "ChangeCipherSpec inside a handshake message", bytes(side.partial[:SHOWN]))
            self.say(fault, Place(side.direction, side.partial_start, end))
            side.partial = b""
        if self.summed:
            progress = self._renew()
        if side.hold is None:
            side.hold = start
        progress.take(CHANGED[sender])
        side.protected, side.doubt = True, False
        side.cipher = None
        side.fresh = self.session is not None

    def _alert(self, side: Side, version: int, content: bytes, place: Place, *, opened: bool) -> None:
        """Read alerts; one may be split over records, and a record may hold several."""
        begin = side.partial_start if side.alert else place.start
        content = side.alert + content
        sender, progress = side.sender, self.progress
        machine = self._machine(sender)
        for at in range(0, len(content) - 1, 2):
            level, code = content[at], content[at + 1]
            here = Place(place.direction, begin if at == 0 else place.start, place.end)
            alert = Alert(level, code, sender, machine, progress.phase, progress.last, version, opened=opened)
            self.say(alert, here)
            if alert.fatal and not self.summed and progress.messages:
                self._sum_up("refused", here, sender, f"{name_of_alert_level(level)} {name_of_alert(code)}")
        side.alert = content[-1:] if len(content) & 1 else b""
        if side.alert and not side.partial:
            side.partial_start = begin if len(content) == 1 else place.start

    def messages(self, side: Side, version: int, data: bytes, at: int, end: int) -> None:
        """See `Framing`. The usual way of a handshake; what does not fit into it goes through `_handshake`."""
        base = side.start
        while end - at >= 4:
            code, more, length = _read_head(data, at)
            stop = at + 4 + (more << 16 | length if more else length)
            if stop > end:
                break
            self._message(side, code, version, data[at:stop], base + at, base + stop)
            at = stop
        if at < end:
            self._handshake(side, version, data[at:end], base + at, base + end, base + at)

    def _handshake(self, side: Side, version: int, content: bytes, start: int, end: int, exact: int) -> None:
        """Put handshake messages together, out of a record at start to end, and read each that is whole.

        `exact`: offset of the first byte of `content` where it was sent in the clear, else -1.
        """
        size = len(content)
        if exact < 0 and size >= 4 and not side.partial and not side.ignore:
            code, more, length = _read_head(content)
            if size == 4 + (more << 16 | length):
                self._message(side, code, version, content, start, end)
                return
        if side.ignore:
            dropped = min(side.ignore, size)
            side.ignore -= dropped
            content = content[dropped:]
            if exact >= 0:
                exact += dropped
        held = len(side.partial)
        data: bytes | bytearray = content
        if held:
            side.partial += content
            data = side.partial
        elif content:
            side.partial_start = exact if exact >= 0 else start
        at, size = 0, len(data)
        while size - at >= 4:
            length = data[at + 1] << 16 | data[at + 2] << 8 | data[at + 3]
            stop = at + 4 + length
            if length > MAX_HANDSHAKE:
                what = f"{name_of_handshake(data[at])} of {length} bytes is passed over"
                limit = LimitReached("tls", "MAX_HANDSHAKE", MAX_HANDSHAKE, what)
                self.say(limit, Place(side.direction, start, end))
                side.ignore = max(stop - size, 0)
                at = min(stop, size)
                continue
            if stop > size:
                break
            first, last = (exact + at - held, exact + stop - held) if exact >= 0 else (start, end)
            if at == 0:
                first = side.partial_start
            self._message(side, data[at], version, bytes(data[at:stop]), first, last)
            at = stop
        if at:
            side.partial_start = exact + at - held if exact >= 0 else start
        if at or not held:
            side.partial = bytearray(data[at:]) if at < size else b""

    # -- messages ------------------------------------------------------------------------------------------------

    def _message(self, side: Side, code: int, version: int, message: bytes, start: int, end: int) -> None:  # noqa: C901 - calls cost more
        """Read one handshake message, which stands at start to end, and let the handshake move on."""
        direction, progress = side.direction, self.progress
        if self.client is None or (code == _CLIENT_HELLO and not progress.messages):
            client = OTHER_WAY[direction] if code in _SERVER_MESSAGES else direction
            self._set_client(client, Place(direction, start, end))
        if code > _SERVER_HELLO:
            version = progress.version or version
        elif code <= _CLIENT_HELLO:
            self.keys = self.context.keys or None  # a capture may bring keys along the way
            if self.summed:
                progress = self._renew()
        sender = side.sender
        event: Handshake | None
        faults: tuple[str, ...] = ()
        if code == _FINISHED:
            event = self._finished(sender, message)
        else:
            event, faults = self.memory.reader.read(code, message, sender, version, progress.suite)
        if side.hold is None and not self.summed:
            side.hold = start
        if event is not None:
            self.out.append(Statement(event, direction, start, end))
        if faults:
            what = f"{name_of_handshake(code)}: {'; '.join(faults)}"
            self.say(Malformed("tls", what, message[4 : 4 + SHOWN]), Place(direction, start, end))
        label = LABELS[sender].get(code)
        if code <= _SERVER_HELLO:
            if type(event) is ClientHello:
                progress.hello(event)
            elif type(event) is ServerHello:
                if event.retry:
                    label = f"{sender} HelloRetryRequest"
                    progress.agree(event.chosen_version)
                else:
                    progress.answer(event)
                if not progress.tls13:
                    self._end_early()
        elif code == _CERTIFICATE and type(event) is Certificate:
            self._tell_certificates(event, Place(direction, start, end))
            progress.certificates[sender] = bool(event.chain)
        if self.keys is not None:
            if code in _ONLY_HASHED and self.session is not None and side.opener is None:
                self.session.transcript.add(message)
            else:
                self._learn(side, code, message, event)
        if not self.summed:
            progress.take(label or f"{sender} message {code}")
            if progress.complete:
                self._sum_up("complete", Place(direction, start, end))

    def _finished(self, sender: str, message: bytes) -> Finished:
        """Read a Finished, and compare it with what the handshake as captured makes it."""
        told = message[4 : 4 + SHOWN]
        late = self.progress.complete and self.progress.tls13  # confirms a certificate asked for afterwards
        expected = self.session.finished(sender) if self.session is not None and not late else b""
        return Finished(len(message) - 4, sender, told, told == expected if expected else None)

    def _learn(self, side: Side, code: int, message: bytes, event: Handshake | None) -> None:
        """Take from a message what keys depend on. Called only where keys were given."""
        session = self.session
        retry = False
        if code == _CLIENT_HELLO and type(event) is ClientHello:
            if session is None or session.answered:
                session = self._new_session()
            session.hello(event, message)
            if event.extensions.get(EARLY_DATA) is not None and not side.protected:
                from amtdecode.protocols.tls.session13 import EarlyOpener

                side.cipher = side.opener = EarlyOpener(session, event)
        elif session is None:
            session = self._new_session()
            session.whole = False
        if code == _SERVER_HELLO and type(event) is ServerHello and event.retry:
            retry = True
            session.transcript.retry(event.chosen_version, event.suite)
        # no part of the transcript: HelloRequest (RFC 5246, section 7.4.1.1), and what TLS 1.3 sends when it is done
        if code and not (code in _POST_HANDSHAKE and self.progress.tls13):
            session.transcript.add(message)
        if code in _TELLING:
            if type(event) is ServerHello:
                if not retry:
                    tls13 = self.progress.tls13
                    session.answer(event, tls13=tls13)
                    if tls13:
                        self._begin13(session)
            elif type(event) is ClientKeyExchange:
                session.key_exchange(event.identity, event.encrypted)
            elif type(event) is Certificate:
                if side.sender == "server" and event.chain:
                    session.certificate = event.chain[0]
            elif type(event) is NewSessionTicket:
                session.ticket(event.ticket)
        if side.opener is not None:
            self._next_secret(side, code, session)

    def _next_secret(self, side: Side, code: int, session: DecryptSession) -> None:
        """In TLS 1.3 some messages are the last under their secret."""
        opener = side.opener
        if opener is None:
            return
        if code == Finished.type and side.sender == "server" and session.tls13:
            session.tls13.server_finished()
        if code in {Finished.type, _END_OF_EARLY_DATA}:
            opener.next_stage()
        elif code == KeyUpdate.type:
            opener.update()

    def _new_session(self) -> DecryptSession:
        assert self.keys is not None  # noqa: S101 (called only where keys were given)
        self.session = session = _decrypt_session()(self.keys, self.memory.masters)
        return session

    def _end_early(self) -> None:
        """Give early data up: the server answers with a version that has none."""
        for side in self.sides:
            if side.opener is not None:
                side.cipher = side.opener = None

    def _begin13(self, session: DecryptSession) -> None:
        """After the ServerHello of TLS 1.3 both directions are protected."""
        from amtdecode.protocols.tls.session13 import EarlyOpener, Opener13

        schedule = session.tls13
        assert schedule is not None  # noqa: S101 (made with the answer)
        client = TO_SERVER if self.client is None else self.client
        for direction in (TO_SERVER, TO_CLIENT):
            side = self.sides[direction]
            early = side.opener.cipher if isinstance(side.opener, EarlyOpener) else None
            side.cipher = side.opener = Opener13(schedule, 0 if direction == client else 1, early)

    def _tell_certificates(self, event: Certificate, place: Place) -> None:
        """Tell what is broken or odd in a chain."""
        for number, info in enumerate(event.certificates, 1):
            which = f"certificate {number} of the {event.sender}"
            if info.faults:
                self.say(Malformed("tls", f"{which}: {'; '.join(info.faults)}", info.der[:SHOWN]), place)
            if info.oddities:
                self.say(Note("tls", f"{which}: {'; '.join(info.oddities)}"), place)
        faults = chain_faults(event.certificates)
        if faults:
            self.say(Note("tls", f"certificate chain of the {event.sender}: {'; '.join(faults)}"), place)

    def _renew(self) -> Progress:
        """Begin a new handshake on the same connection."""
        self.progress = progress = Progress(renegotiation=True, phase=ESTABLISHED)
        self.summed = False
        return progress

    def ssl2_hello(self, side: Side, message: bytes, place: Place) -> None:
        """See `Framing`."""
        self._set_client(place.direction, place)
        event, faults = read_ssl2_client_hello(message)
        side.hold = place.start
        if event is not None:
            self.say(event, place)
            self.progress.hello(event)
            if self.keys is not None:
                self._learn(side, message[0], message, event)
            self.progress.take(LABELS["client"][_CLIENT_HELLO])
        if faults:
            what = f"ClientHello in SSL 2.0 framing: {'; '.join(faults)}"
            self.say(Malformed("tls", what, message[:SHOWN]), place)

    # -- ends ----------------------------------------------------------------------------------------------------

    def forget(self, side: Side) -> None:
        """See `Framing`."""
        super().forget(side)
        if self.session:
            self.session.whole = False

    def finish(self, side: Side, end: End, last: int, position: int) -> None:
        """See `Framing`."""
        direction = side.direction
        if side.app_records:
            event = ApplicationData(side.sender, side.app_records, side.app_bytes, side.app_opened)
            first = max(side.app_start, self.trim_to[direction])
            self.out.append(Statement(event, direction, first, position))
        if side.opener is not None and side.opener.failures:
            self._tell_decryption(Place(direction, last, position))
        if self.first_end is None:
            self.first_end = side.sender, end
        if self.summed or not self.progress.messages:
            return
        if end is not End.RESET and not self.sides[OTHER_WAY[direction]].ended:
            return  # the other side may still say why
        who, how = self.first_end
        outcome = _OUTCOMES.get(how, "unfinished")
        self._sum_up(outcome, Place(direction, last, position), who if how in _OUTCOMES else "", how.value)

    def _sum_up(self, outcome: str, place: Place, who: str = "", how: str = "") -> None:
        """State the handshake, and all bytes that carried it as its proof."""
        event = self.progress.told(outcome, who, self._machine(who), how)
        spans = []
        for way in (TO_SERVER, TO_CLIENT):
            side = self.sides[way]
            end = place.end if way == place.direction else side.start - self.skip_bytes[way]
            if side.hold is not None and end > side.hold:
                spans.append(Span(way, side.hold, end))
            side.hold = None
        self.summed = True
        self.out.append(Statement(event, place.direction, place.start, place.end, tuple(spans)))
        if event.outcome == "complete" and event.kind in _WEB_KINDS and self._is_web():
            self.finished = True

    def _is_web(self) -> bool:
        """Whether this is anybody's TLS: no port of AMT's, inside no other protocol, and no key to open it."""
        context = self.context
        return (
            context.keys is None
            and not context.carrier
            and context.server.port not in ports.AMT
            and context.client.port not in ports.AMT
        )


def _looks_protected(kind: int, fragment: bytes) -> bool:
    """Whether a record, its past unseen, must be encrypted: as plaintext it would make no sense."""
    if kind == ALERT:
        return len(fragment) != 2 or fragment[0] not in {1, 2}
    if kind == HANDSHAKE:
        return len(fragment) < 4 or fragment[0] not in HANDSHAKE_TYPES or fragment[1] != 0 or fragment[2] >= 0x80
    return kind == APPLICATION_DATA
