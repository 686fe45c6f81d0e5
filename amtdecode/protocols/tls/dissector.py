"""The TLS dissector: reads what records hold, opens them where keys allow, and follows the handshake.

See the package's spec card. One instance follows one connection, through renegotiations.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from amtdecode import ports
from amtdecode.model import (
    TO_CLIENT,
    TO_SERVER,
    ChannelOpened,
    Direction,
    End,
    Malformed,
    Note,
    Payload,
    Span,
    Statement,
)
from amtdecode.protocols.tls.certificates import chain_faults
from amtdecode.protocols.tls.events import (
    NO_ENCRYPTION,
    Alert,
    ApplicationData,
    ChangeCipherSpec,
    Decryption,
    EncryptedAlert,
    EncryptedHandshake,
    Heartbeat,
)
from amtdecode.protocols.tls.framing import OTHER_WAY, SHOWN
from amtdecode.protocols.tls.handshake_framing import HandshakeFraming, could_be_messages
from amtdecode.protocols.tls.hellos import ClientHello, Handshake, ServerHello, read_ssl2_client_hello
from amtdecode.protocols.tls.memory import TlsMemory
from amtdecode.protocols.tls.messages import Certificate, Finished
from amtdecode.protocols.tls.null_cipher import NullCipher
from amtdecode.protocols.tls.progress import CHANGED, ESTABLISHED, FINISHED, LABELS, Progress
from amtdecode.protocols.tls.record_header import HEADER_SIZE
from amtdecode.protocols.tls.registry import name_of_alert, name_of_alert_level, name_of_handshake
from amtdecode.protocols.tls.registry.messages import (
    ALERT,
    APPLICATION_DATA,
    CHANGE_CIPHER_SPEC,
    HANDSHAKE,
    HEARTBEAT,
)

if TYPE_CHECKING:
    from amtdecode.protocols.dissector import Context
    from amtdecode.protocols.tls.connection_state import ConnectionState
    from amtdecode.protocols.tls.decryption import DecryptSession
    from amtdecode.protocols.tls.handshake_keys import HandshakeKeys

_WEB_KINDS: Final = frozenset(("server-authenticated", "resumed", "hidden"))  # by PSK and mutual, AMT sets itself up

_WRONG_MAC: Final = "a record's MAC is wrong: what follows in this direction stays closed"
_CLIENT_HELLO: Final = 1
_SERVER_HELLO: Final = 2
_CERTIFICATE: Final = 11
_FINISHED: Final = 20
ALERT_SIZE: Final = 2  # RFC 5246, section 7.2
_SERVER_MESSAGES: Final = frozenset((0, 2, 4, 6, 8, 12, 13, 14, 22))
_OUTCOMES: Final = {End.FIN: "closed", End.RESET: "reset"}


class TlsDissector(HandshakeFraming):
    """Follows one TLS connection."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.client: Direction | None = None  # the direction in which the TLS client sends
        self.progress = Progress()
        self.first_end: tuple[str, End] | None = None  # who closed first, and how
        self.memory = TlsMemory() if context.memory is None else context.memory.of(TlsMemory)
        self.keys = self._handshake_keys() if context.keys else None
        self.session: DecryptSession | None = None
        self.null_told = False  # that the suite encrypts nothing

    # -- roles ---------------------------------------------------------------------------------------------------

    def _set_client(self, direction: Direction, span: Span) -> None:
        """Know who plays client; what is carried has the same roles, which need not be those of TCP."""
        if direction is not (TO_SERVER if self.client is None else self.client):
            self.say(ChannelOpened(0, direction), span)
        self.client = direction
        for state in self.states:
            state.sender = "client" if state.direction is direction else "server"

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

    def record(self, state: ConnectionState, kind: int, version: int, fragment: bytes, start: int, end: int) -> None:
        """Handle a whole record: as it is, or opened, or closed."""
        if state.protection_unknown and not state.protected:
            state.protected = _looks_protected(kind, fragment)
        if kind == ALERT and len(fragment) > ALERT_SIZE and (state.opener is not None or not state.protected):
            self._closed(state, kind, len(fragment), Span(state.direction, start, end))  # none in the clear is so long
            return
        if state.opener is not None:
            span = Span(state.direction, start, end)
            if kind != APPLICATION_DATA:  # alerts and ChangeCipherSpec may still come in the clear
                self._content(state, kind, version, fragment, span, start + HEADER_SIZE)
                return
            opened = state.opener.open(kind, version, fragment)
            if opened is None:
                self._refused13(state, len(fragment), span)
                return
            self._tell_decryption(span)
            if "client" in self.progress.hidden and not self.summed and state.sender == "server":
                self._sum_up("complete", span, how="both go on under encryption")
        elif not state.protected:
            if kind == CHANGE_CIPHER_SPEC and fragment == b"\x01":
                self._change(state, start, end)
            else:
                span = Span(state.direction, start, end)
                self._content(state, kind, version, fragment, span, start + HEADER_SIZE)
            return
        elif state.keys_changed:
            opened = self._unlock(state, kind, version, fragment, start, end)
        elif state.cipher is not None:
            opened = state.cipher.open(kind, version, fragment)
            if opened is None:
                self.say(Malformed("tls", _WRONG_MAC), Span(state.direction, start, end))
                state.cipher = None
        else:
            opened = None
        if opened is None:
            self._closed(state, kind, len(fragment), Span(state.direction, start, end))
            return
        kind, content = opened
        if kind == HANDSHAKE:
            self.handshake(state, version, content, start, end, -1)
            return
        if kind != APPLICATION_DATA:
            self._content(state, kind, version, content, Span(state.direction, start, end), -1)
            return
        self.count_data(state, len(fragment), start, len(content))
        state.app_opened += 1
        if content:
            self.out.append(Statement(Payload(content), state.direction, start, end))

    def _refused13(self, state: ConnectionState, length: int, span: Span) -> None:
        """Handle a record of TLS 1.3 that did not open: no secret for it is known, or it was changed."""
        opener = state.opener
        self.closed_data(state, length, span)
        if opener is None or not opener.hopeless:
            return
        if opener.opened:
            self.say(Malformed("tls", _WRONG_MAC), span)
        else:
            self._tell_decryption(span)
        state.cipher = state.opener = None

    def _unlock(
        self, state: ConnectionState, kind: int, version: int, fragment: bytes, start: int, end: int
    ) -> tuple[int, bytes] | None:
        """Open the first record under new keys, which proves a key or refuses all."""
        state.keys_changed = False
        session = self.session
        if session is None:
            return self._open_null(state, kind, version, fragment, Span(state.direction, start, end))
        which = 0 if state.sender == "client" else 1
        if session.ciphers is None:
            span = Span(state.direction, start, end)
            opened = session.unlock(which, kind, version, fragment)
            self._tell_decryption(span)
            if session.ciphers is None:
                return self._open_null(state, kind, version, fragment, span)
        else:
            opened = session.ciphers[which].open(kind, version, fragment)
            if opened is None:
                self.say(Malformed("tls", _WRONG_MAC), Span(state.direction, start, end))
        if opened is not None:
            state.cipher = session.ciphers[which]
        return opened

    def _open_null(
        self, state: ConnectionState, kind: int, version: int, fragment: bytes, span: Span
    ) -> tuple[int, bytes] | None:
        """Read a record of a suite that encrypts nothing, which takes no key."""
        suite = self.progress.parameters
        if suite is None or not self.progress.encrypts_nothing:
            return None
        cipher = state.cipher = NullCipher(suite.mac_size)
        if not self.null_told:
            self.null_told = True
            if self.session is None:  # else what came of the keys is stated
                self.say(Decryption(True, NO_ENCRYPTION), span)
        return cipher.open(kind, version, fragment)

    def _tell_decryption(self, span: Span) -> None:
        event = self.session.decryption() if self.session else None
        if event is not None:
            self.say(event, span)

    def closed_data(self, state: ConnectionState, length: int, span: Span) -> None:
        """Count an application data record that nothing opens; in TLS 1.3 it may be the hidden handshake."""
        self.count_data(state, length, span.start)
        progress = self.progress
        if not progress.tls13 or self.summed or progress.server_hello is None:
            return
        sender, hidden = state.sender, progress.hidden
        if sender == "server" and "client" in hidden:
            self._sum_up("complete", span, how="both go on under encryption")
        elif sender == "server" or "server" in hidden:  # what the client sent before is early data
            hidden.add(sender)
            if self.session:  # a key log may yet come, too late for these
                self.session.whole = False

    def only_counts(self, state: ConnectionState) -> bool:
        progress = self.progress
        hidden = progress.tls13 and not self.summed and progress.server_hello is not None
        return not hidden and super().only_counts(state)

    def _closed(self, state: ConnectionState, kind: int, length: int, span: Span) -> None:
        """Tell a protected record that nothing opens by what shows: its kind, its length, its place."""
        sender, progress = state.sender, self.progress
        if kind == HANDSHAKE:
            came = progress.messages
            finished = CHANGED[sender] in came and FINISHED[sender] not in came
            self.say(EncryptedHandshake(length, sender, "Finished" if finished else ""), span)
            if not finished:
                progress.unseen.add(sender)
            if finished:
                progress.take(FINISHED[sender])
                if progress.complete and not self.summed:
                    self._sum_up("complete", span)
        elif kind == ALERT:
            alert = EncryptedAlert(length, sender, self._machine(sender), progress.phase, progress.last)
            self.say(alert, span)
        elif kind == APPLICATION_DATA:
            self.closed_data(state, length, span)
        elif kind == HEARTBEAT:
            self.say(Heartbeat(length, sender), span)
        else:  # a ChangeCipherSpec under encryption: a renegotiation goes by
            self._change(state, span.start, span.end)

    # -- contents ------------------------------------------------------------------------------------------------

    def _content(self, state: ConnectionState, kind: int, version: int, content: bytes, span: Span, exact: int) -> None:
        """Read the content of a record. `exact`: offset of its first byte where it was sent in the clear, else -1."""
        if kind == HANDSHAKE:
            self.handshake(state, version, content, span.start, span.end, exact)
        elif kind == ALERT:
            self._alert(state, version, content, span, opened=exact < 0)
        elif kind == CHANGE_CIPHER_SPEC:
            if content != b"\x01":
                self.say(Malformed("tls", "ChangeCipherSpec is not one byte 1", content[:SHOWN]), span)
            self._change(state, span.start, span.end)
        elif kind == HEARTBEAT:
            claimed = content[1] << 8 | content[2] if len(content) >= 3 else -1
            sender = state.sender
            heartbeat = Heartbeat(len(content), sender, content[0] if content else -1, claimed)
            pdu = content if self.context.pdus and exact < 0 else None
            self.out.append(Statement(heartbeat, span.direction, span.start, span.end, pdu=pdu))
        elif kind == APPLICATION_DATA:  # only where a direction was given up while its next record was awaited
            self.closed_data(state, len(content), span)
        else:
            self.say(Malformed("tls", f"content type {kind} inside a protected record", content[:SHOWN]), span)

    def _change(self, state: ConnectionState, start: int, end: int) -> None:
        """From the next record on, this direction is protected by the keys just agreed on."""
        sender, progress = state.sender, self.progress
        # right behind a ClientHello only TLS 1.3 clients send it, for middleboxes (RFC 8446, appendix D.4)
        early = progress.client_hello is not None and progress.server_hello is None and progress.only_greeted(sender)
        compatibility = progress.tls13 or early
        self.out.append(Statement(ChangeCipherSpec(sender, compatibility), state.direction, start, end))
        if compatibility:
            # whatever the version, what follows is encrypted: early data, or what a ServerHello not seen agreed on
            state.protected = state.protected or early
            return
        if state.partial:
            fault = Malformed("tls", "ChangeCipherSpec inside a handshake message", bytes(state.partial[:SHOWN]))
            self.say(fault, Span(state.direction, state.partial_start, end))
            state.partial = b""
        if self.summed:
            progress = self._renew()
        if state.handshake_start is None:
            state.handshake_start = start
        progress.take(CHANGED[sender])
        state.protected, state.protection_unknown = True, False
        state.cipher = None
        state.keys_changed = self.session is not None or self.progress.encrypts_nothing

    def _alert(self, state: ConnectionState, version: int, content: bytes, span: Span, *, opened: bool) -> None:
        """Read alerts; one may be split over records, and a record may hold several."""
        begin = state.partial_start if state.alert else span.start
        alone = not opened and not state.alert and len(content) == 2
        content = state.alert + content
        sender, progress = state.sender, self.progress
        machine = self._machine(sender)
        for at in range(0, len(content) - 1, 2):
            level, code = content[at], content[at + 1]
            here = Span(span.direction, begin if at == 0 else span.start, span.end)
            alert = Alert(level, code, sender, machine, progress.phase, progress.last, version, opened=opened)
            pdu = content[at : at + 2] if self.context.pdus and not alone else None
            self.out.append(Statement(alert, here.direction, here.start, here.end, pdu=pdu))
            if alert.fatal and not self.summed and progress.messages:
                self._sum_up("refused", here, sender, f"{name_of_alert_level(level)} {name_of_alert(code)}")
        state.alert = content[-1:] if len(content) & 1 else b""
        if state.alert and not state.partial:
            state.partial_start = begin if len(content) == 1 else span.start

    # -- messages ------------------------------------------------------------------------------------------------

    def message(self, state: ConnectionState, code: int, version: int, message: bytes, start: int, end: int) -> None:  # noqa: C901 - calls cost more
        """Read one handshake message, which stands at start to end, and let the handshake move on."""
        direction, progress = state.direction, self.progress
        if self.client is None or (code == _CLIENT_HELLO and not progress.messages):
            client = OTHER_WAY[direction] if code in _SERVER_MESSAGES else direction
            self._set_client(client, Span(direction, start, end))
        if code > _SERVER_HELLO:
            version = progress.version or version
        elif code <= _CLIENT_HELLO:
            if self.keys is None and self.context.keys:  # a capture may bring keys along the way
                self.keys = self._handshake_keys()
            if self.summed:
                progress = self._renew()
        sender = state.sender
        event: Handshake | None
        faults: tuple[str, ...] = ()
        if code == _FINISHED:
            event = self._finished(sender, message)
        else:
            event, faults = self.memory.reader.read(code, message, sender, version, progress.suite)
        if state.handshake_start is None and not self.summed:
            state.handshake_start = start
        if event is not None:
            if self.context.pdus:
                self.out.append(Statement(event, direction, start, end, (), message))
            else:
                self.out.append(Statement(event, direction, start, end))
        if faults:
            what = f"{name_of_handshake(code)}: {'; '.join(faults)}"
            self.say(Malformed("tls", what, message[4 : 4 + SHOWN]), Span(direction, start, end))
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
                    self._end_early_change()
                    self._refuse_early_data()
        elif code == _CERTIFICATE and type(event) is Certificate:
            self._tell_certificates(event, Span(direction, start, end))
            progress.certificates[sender] = bool(event.chain)
        if self.keys is not None:
            self.session = self.keys.take(state, code, message, event, self.client, tls13=progress.tls13)
        if not self.summed:
            progress.take(label or f"{sender} message {code}")
            if progress.complete:
                self._sum_up("complete", Span(direction, start, end))

    def passed_over(self, state: ConnectionState, code: int) -> None:
        """Note that a message came which is too long to be read."""
        if not self.summed:
            self.progress.take(LABELS[state.sender].get(code, f"{state.sender} message {code}"))

    def _finished(self, sender: str, message: bytes) -> Finished:
        """Read a Finished, and compare it with what the handshake as captured makes it."""
        told = message[4 : 4 + SHOWN]
        late = self.progress.complete and self.progress.tls13  # confirms a certificate asked for afterwards
        expected = self.session.finished(sender) if self.session is not None and not late else b""
        return Finished(len(message) - 4, sender, told, told == expected if expected else None)

    def _handshake_keys(self) -> HandshakeKeys:
        return _class_of_keys()(self.context, self.memory.masters, self.states)

    def _end_early_change(self) -> None:
        """A ChangeCipherSpec before a ServerHello of TLS 1.2 changed nothing."""
        client = self.states[TO_SERVER if self.client is None else self.client]
        if CHANGED["client"] not in self.progress.messages and not self.progress.renegotiation:
            client.protected = False

    def _refuse_early_data(self) -> None:
        """Give early data up: the server answers with a version that has none."""
        for state in self.states:
            if state.opener is not None:
                state.cipher = state.opener = None

    def _tell_certificates(self, event: Certificate, span: Span) -> None:
        """Tell what is broken or odd in a chain."""
        for number, info in enumerate(event.certificates, 1):
            which = f"certificate {number} of the {event.sender}"
            if info.faults:
                self.say(Malformed("tls", f"{which}: {'; '.join(info.faults)}", info.der[:SHOWN]), span)
            if info.oddities:
                self.say(Note("tls", f"{which}: {'; '.join(info.oddities)}"), span)
        faults = chain_faults(event.certificates)
        if faults:
            self.say(Note("tls", f"certificate chain of the {event.sender}: {'; '.join(faults)}"), span)

    def _renew(self) -> Progress:
        """Begin a new handshake on the same connection."""
        self.progress = progress = Progress(renegotiation=True, phase=ESTABLISHED)
        self.summed = False
        return progress

    def ssl2_hello(self, state: ConnectionState, message: bytes, span: Span) -> None:
        """Read a ClientHello in SSL 2.0 framing, with which a handshake begins as with any other."""
        self._set_client(span.direction, span)
        event, faults = read_ssl2_client_hello(message)
        state.handshake_start = span.start
        if event is not None:
            self.say(event, span)
            self.progress.hello(event)
            if self.keys is not None:
                self.session = self.keys.take(state, message[0], message, event, self.client, tls13=False)
            self.progress.take(LABELS["client"][_CLIENT_HELLO])
        if faults:
            what = f"ClientHello in SSL 2.0 framing: {'; '.join(faults)}"
            self.say(Malformed("tls", what, message[:SHOWN]), span)

    # -- ends ----------------------------------------------------------------------------------------------------

    def forget(self, state: ConnectionState) -> None:
        null = state.cipher if type(state.cipher) is NullCipher else None
        super().forget(state)
        state.cipher = null  # no key has to keep up with it
        self.progress.unseen.add(state.sender)
        if self.session:
            self.session.whole = False

    def finish(self, state: ConnectionState, end: End, last: int, position: int) -> None:
        direction = state.direction
        if state.app_records:
            event = ApplicationData(
                state.sender, state.app_records, state.app_bytes, state.app_opened, tuple(state.app_turns)
            )
            first = max(state.app_start, self.trim_to[direction])
            self.out.append(Statement(event, direction, first, position))
        if state.opener is not None and state.opener.failures:
            self._tell_decryption(Span(direction, last, position))
        if self.first_end is None:
            self.first_end = state.sender, end
        if self.summed or not self.progress.messages:
            return
        if end is not End.RESET and not self.states[OTHER_WAY[direction]].ended:
            return  # the other side may still say why
        who, how = self.first_end
        outcome = _OUTCOMES.get(how, "unfinished")
        self._sum_up(outcome, Span(direction, last, position), who if how in _OUTCOMES else "", how.value)

    def _sum_up(self, outcome: str, span: Span, who: str = "", how: str = "") -> None:
        """State the handshake, and all bytes that carried it as its proof."""
        if not self.progress.renegotiation and LABELS["client"][_CLIENT_HELLO] not in self.progress.messages:
            self.progress.unseen.update(("client", "server"))  # its beginning is not in the capture
        event = self.progress.told(outcome, who, self._machine(who), how)
        spans = []
        for way in (TO_SERVER, TO_CLIENT):
            state = self.states[way]
            end = span.end if way == span.direction else state.start - self.skip_bytes[way]
            if state.handshake_start is not None and end > state.handshake_start:
                spans.append(Span(way, state.handshake_start, end))
            state.handshake_start = None
        self.summed = True
        self.out.append(Statement(event, span.direction, span.start, span.end, tuple(spans)))
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


@cache
def _class_of_keys() -> type[HandshakeKeys]:
    """Loaded where keys were given, and looked for once: all connections ask."""
    from amtdecode.protocols.tls.handshake_keys import HandshakeKeys

    return HandshakeKeys


def _looks_protected(kind: int, fragment: bytes) -> bool:
    """Whether a record, its past unseen, must be encrypted: as plaintext it would make no sense."""
    if kind == ALERT:
        return len(fragment) != ALERT_SIZE or fragment[0] not in {1, 2}
    if kind == HANDSHAKE:
        return not could_be_messages(fragment)
    return kind == APPLICATION_DATA
