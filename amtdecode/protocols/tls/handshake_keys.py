"""The keys of one connection: what each handshake message tells of them, and what opens records from there on.

Loaded where keys were given: it brings all ciphers with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from amtdecode.model import TO_CLIENT, TO_SERVER, Direction
from amtdecode.protocols.tls.decryption import DecryptSession
from amtdecode.protocols.tls.extensions import EARLY_DATA
from amtdecode.protocols.tls.hellos import ClientHello, ServerHello
from amtdecode.protocols.tls.messages import Certificate, ClientKeyExchange, Finished, KeyUpdate, NewSessionTicket
from amtdecode.protocols.tls.session13 import EarlyOpener, Opener13

if TYPE_CHECKING:
    from amtdecode.protocols.dissector import Context
    from amtdecode.protocols.tls.connection_state import ConnectionState
    from amtdecode.protocols.tls.hellos import Handshake
    from amtdecode.protocols.tls.memory import MasterSecrets

_END_OF_EARLY_DATA: Final = 5
_POST_HANDSHAKE: Final = frozenset((4, 24))  # NewSessionTicket, KeyUpdate (RFC 8446, section 4.6)
_ONLY_HASHED: Final = frozenset((12, 14, 20))  # ServerKeyExchange, ServerHelloDone, Finished: before TLS 1.3


class HandshakeKeys:
    """Takes from each message what keys depend on, and gives both directions what opens their records."""

    def __init__(
        self, context: Context, masters: MasterSecrets, states: tuple[ConnectionState, ConnectionState]
    ) -> None:
        self._context = context
        self._masters = masters
        self._states = states
        self.session: DecryptSession | None = None

    def take(
        self,
        state: ConnectionState,
        code: int,
        message: bytes,
        event: Handshake | None,
        client: Direction | None,
        *,
        tls13: bool,
    ) -> DecryptSession:
        """Take a message of type `code`; give the session it belongs to. `client`: the direction of the client."""
        session = self.session
        if session is not None and code in _ONLY_HASHED and state.opener is None:
            session.transcript.add(message)
            return session
        if type(event) is ClientHello:
            if session is None or session.answered:
                session = self._new_session()
            session.hello(event, message)
            if event.extensions.get(EARLY_DATA) is not None and not state.protected:
                state.cipher = state.opener = EarlyOpener(session, event)
        elif session is None:
            session = self._new_session()
            session.whole = False
        retry = type(event) is ServerHello and event.retry
        if type(event) is ServerHello and retry:
            session.transcript.retry(event.chosen_version, event.suite)
        # no part of the transcript: HelloRequest (RFC 5246, section 7.4.1.1), and what TLS 1.3 sends when it is done
        if code and not (code in _POST_HANDSHAKE and tls13):
            session.transcript.add(message)
        if type(event) is ServerHello:
            if not retry:
                session.answer(event, tls13=tls13)
                if tls13:
                    self._open13(session, TO_SERVER if client is None else client)
        elif type(event) is ClientKeyExchange:
            session.key_exchange(event.identity, event.encrypted)
        elif type(event) is Certificate:
            if state.sender == "server" and event.chain:
                session.certificate = event.chain[0]
        elif type(event) is NewSessionTicket:
            session.ticket(event.ticket)
        if state.opener is not None:
            _next_secret(state, code, session)
        return session

    def _new_session(self) -> DecryptSession:
        keys = self._context.keys
        assert keys is not None  # noqa: S101 (made only where keys were given)
        self.session = session = DecryptSession(keys, self._masters)
        return session

    def _open13(self, session: DecryptSession, client: Direction) -> None:
        """After the ServerHello of TLS 1.3 both directions are protected."""
        schedule = session.tls13
        assert schedule is not None  # noqa: S101 (made with the answer)
        for direction in (TO_SERVER, TO_CLIENT):
            state = self._states[direction]
            early = state.opener.cipher if isinstance(state.opener, EarlyOpener) else None
            state.cipher = state.opener = Opener13(schedule, 0 if direction == client else 1, early)


def _next_secret(state: ConnectionState, code: int, session: DecryptSession) -> None:
    """In TLS 1.3 some messages are the last under their secret."""
    opener = state.opener
    if opener is None:
        return
    if code == Finished.type and state.sender == "server" and session.tls13:
        session.tls13.server_finished()
    if code in {Finished.type, _END_OF_EARLY_DATA}:
        opener.next_stage()
    elif code == KeyUpdate.type:
        opener.update()
