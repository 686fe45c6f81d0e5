"""The state of one handshake: which messages came, which must follow, in which phase it stands.

Sequences: RFC 5246, section 7.3 (full and resumed), RFC 5077, section 3.1 (tickets), RFC 4279, section 2 (with PSK the
server may leave out its ServerKeyExchange), RFC 8446, section 2 (TLS 1.3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from amtdecode.protocols.tls.events import TICKET, TlsHandshake
from amtdecode.protocols.tls.extensions import PRE_SHARED_KEY, SESSION_TICKET
from amtdecode.protocols.tls.registry import suite_parameters
from amtdecode.protocols.tls.registry.messages import HANDSHAKE_TYPES
from amtdecode.protocols.tls.registry.versions import TLS13

if TYPE_CHECKING:
    from collections.abc import Callable

    from amtdecode.protocols.tls.hellos import ClientHello, ServerHello
    from amtdecode.protocols.tls.registry import Suite

MAX_MESSAGES = 64
"""Messages of one handshake that are listed; a handshake of any kind has fewer than twenty."""

# phases, as alerts and summaries tell them
BEFORE, HELLO, SERVER_TURN, CLIENT_TURN, CONFIRMING, HIDDEN, ESTABLISHED = (
    "before the handshake",
    "waiting for ServerHello",
    "during the server's messages",
    "during the client's messages",
    "while keys are confirmed",
    "during the encrypted handshake",
    "after the handshake",
)

_CERTIFIED = frozenset(("RSA", "DSS", "ECDSA"))

LABELS: Final = {
    sender: {code: f"{sender} {name}" for code, name in HANDSHAKE_TYPES.items()} for sender in ("client", "server")
}
"""What a handshake message is listed as, by who sends it and its type."""
CHANGED: Final = {sender: f"{sender} ChangeCipherSpec" for sender in ("client", "server")}
FINISHED: Final = {sender: f"{sender} Finished" for sender in ("client", "server")}


class Progress(msgspec.Struct, gc=False):
    """One handshake, from its ClientHello to both Finished or to where it stops."""

    renegotiation: bool = False
    messages: list[str] = []
    certificates: dict[str, bool] = {}  # sender: whether its list held one
    hidden: set[str] = set()  # TLS 1.3 without keys, or before they come: who has sent protected records
    unseen: set[str] = set()  # senders some of whose messages may have been missed: bytes lost, or under encryption
    phase: str = BEFORE
    complete: bool = False
    client_hello: ClientHello | None = None
    server_hello: ServerHello | None = None
    version: int = 0
    suite: int = -1
    parameters: Suite | None = None
    resumed: str = ""  # "id", "ticket"
    asked: bool = False  # the server asked for a certificate
    tls13: bool = False  # TLS 1.3 (or a draft of it) was agreed on

    @property
    def last(self) -> str:
        """The last message, as `client Certificate`."""
        return self.messages[-1] if self.messages else ""

    def only_greeted(self, sender: str) -> bool:
        """Whether the client has sent nothing but its hello, and the server nothing at all."""
        return sender == "client" and all(message == "client ClientHello" for message in self.messages)

    def take(self, message: str) -> None:
        """Note a message, as `client Certificate`; ChangeCipherSpec is among them. Move on."""
        messages = self.messages
        if len(messages) < MAX_MESSAGES:
            messages.append(message)
        move = _MOVES.get(message)
        if move is not None:
            move(self)

    def _greeted(self) -> None:
        if self.server_hello is None:
            self.phase = HELLO

    def _asked(self) -> None:
        self.asked = True

    def _clients_turn(self) -> None:
        self.phase = CLIENT_TURN

    def _client_changed(self) -> None:
        if not self.tls13:
            self.phase = CONFIRMING

    def _server_changed(self) -> None:
        if not self.tls13:
            self.phase = CONFIRMING
            if not self.resumed and "server ServerHelloDone" not in self.messages:
                self.resumed = self._resumption() if self.server_hello else ""

    def _finished(self) -> None:
        messages = self.messages
        # a server that is hidden has sent its own: the client's answers it
        if "client Finished" in messages and ("server Finished" in messages or "server" in self.hidden):
            self.complete = True
            self.phase = ESTABLISHED

    def hello(self, client: ClientHello) -> None:
        """Take over what the client offers."""
        self.client_hello = client

    def answer(self, server: ServerHello) -> None:
        """Take over what the server chose."""
        self.server_hello = server
        self.agree(server.chosen_version)
        self.suite = server.suite
        self.parameters = suite_parameters(server.suite) if server.suite >= 0 else None
        self.phase = HIDDEN if self.tls13 else SERVER_TURN
        client = self.client_hello
        if not self.tls13 and client and server.session_id and server.session_id == client.session_id:
            self.resumed = self._resumption()

    @property
    def encrypts_nothing(self) -> bool:
        """Whether a NULL suite was chosen. One that the client did not offer is no choice: the hello is damaged."""
        suite, client = self.parameters, self.client_hello
        if suite is None or suite.cipher != "NULL" or self.tls13:
            return False
        return client is None or self.suite in client.cipher_suites

    def agree(self, version: int) -> None:
        """Take over the version the server chose."""
        self.version = version
        self.tls13 = version == TLS13 or version >> 8 == 0x7F

    def _resumption(self) -> str:
        client = self.client_hello
        return "ticket" if client and client.extensions.get(SESSION_TICKET) else "id"

    @property
    def kind(self) -> str:
        """What secures it, as far as is known: psk, mutual, server-authenticated, anonymous, resumed, hidden."""
        server, parameters = self.server_hello, self.parameters
        if server is None:
            return "unknown"
        if self.resumed:
            return "resumed"
        if self.tls13:
            if server.extensions.get(PRE_SHARED_KEY) is not None:
                return "psk"
            if "server" not in self.certificates:
                return "hidden"
        elif parameters is None:
            return "unknown"
        elif parameters.uses_psk:
            return "psk"
        elif parameters.authentication == "anonymous":
            return "anonymous"
        return "mutual" if self.certificates.get("client") else "server-authenticated"

    def expected(self) -> list[str]:
        """Give all messages this handshake must have, in order, as far as what came tells."""
        if self.server_hello is None:
            return ["client ClientHello", "server ServerHello"]
        if self.tls13:
            return self._expected13()
        ticket = self.server_hello.extensions.get(SESSION_TICKET) is not None
        tickets = [TICKET] if ticket else []
        ends = {side: [f"{side} ChangeCipherSpec", f"{side} Finished"] for side in ("client", "server")}
        first = ["client ClientHello", "server ServerHello"]
        if self.resumed:
            return first + ends["server"] + ends["client"]
        exchange = self.parameters.key_exchange if self.parameters else ""
        if self.parameters and self.parameters.authentication in _CERTIFIED:
            first.append("server Certificate")
        if exchange.startswith(("DHE", "ECDHE", "SRP")):
            first.append("server ServerKeyExchange")
        first.append("server ServerHelloDone")
        if self.asked:
            first.append("client Certificate")
        first.append("client ClientKeyExchange")
        if self.asked and self.certificates.get("client"):
            first.append("client CertificateVerify")
        return first + ends["client"] + tickets + ends["server"]

    def _expected13(self) -> list[str]:
        messages = ["client ClientHello", "server ServerHello", "server EncryptedExtensions"]
        if self.server_hello and self.server_hello.extensions.get(PRE_SHARED_KEY) is None:
            messages += ["server Certificate", "server CertificateVerify"]
        messages.append("server Finished")
        if self.asked:
            messages.append("client Certificate")
            if self.certificates.get("client"):
                messages.append("client CertificateVerify")
        return [*messages, "client Finished"]

    def missing(self) -> tuple[str, ...]:
        """Say which messages did not come, in the order they should have."""
        if self.complete:
            return ()
        seen = set(self.messages)
        hidden = self.hidden | self.unseen
        return tuple(
            message for message in self.expected() if message not in seen and message.partition(" ")[0] not in hidden
        )

    def client_certificate(self, kind: str) -> str:
        """Say what became of the client's certificate; "" where that is not known."""
        sent = self.certificates.get("client")
        if sent is not None:
            return "sent" if sent else "none"
        if self.asked:
            return "asked for, not sent"
        if kind in {"psk", "server-authenticated", "anonymous"} and (not self.tls13 or self.complete):
            return "not asked for"
        return ""

    def told(self, outcome: str, stopped_by: str = "", machine: str = "", how: str = "") -> TlsHandshake:
        """State the handshake as it stands."""
        kind = self.kind
        return TlsHandshake(
            kind=kind,
            outcome=outcome,
            version=self.version,
            suite=self.suite,
            key_exchange=self.parameters.key_exchange if self.parameters else "",
            messages=tuple(self.messages),
            missing=() if outcome == "complete" else self.missing(),
            client_certificate=self.client_certificate(kind),
            resumption=self.resumed,
            renegotiation=self.renegotiation,
            stopped_by=stopped_by,
            machine=machine,
            how=how,
            phase="" if outcome == "complete" else self.phase,
        )


_MOVES: Final[dict[str, Callable[[Progress], None]]] = {
    "client ChangeCipherSpec": Progress._client_changed,
    "server ChangeCipherSpec": Progress._server_changed,
}
for _sender in ("client", "server"):
    _MOVES[f"{_sender} ClientHello"] = Progress._greeted
    _MOVES[f"{_sender} CertificateRequest"] = Progress._asked
    _MOVES[f"{_sender} ServerHelloDone"] = Progress._clients_turn
    _MOVES[f"{_sender} Finished"] = Progress._finished
