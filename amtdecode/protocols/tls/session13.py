"""TLS 1.3: traffic secrets of a connection, and the openers that move from early to handshake to application data.

Sources: RFC 8446, sections 2.3, 4.2.11, 4.6.3, 7.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.protocols.tls.crypto import (
    Tls13Cipher,
    application_secrets,
    early_traffic_secret,
    handshake_secrets,
    suite_hash,
)
from amtdecode.protocols.tls.extensions import EARLY_DATA, KEY_SHARE, PRE_SHARED_KEY

if TYPE_CHECKING:
    from amtdecode.protocols.tls.crypto import HandshakeSecrets
    from amtdecode.protocols.tls.hellos import ClientHello, ServerHello
    from amtdecode.protocols.tls.session import Session

EARLY_RECORDS = 1024  # records of the client that may stay closed because they are early data
LATE_RECORDS = 64  # records that may stay closed because the key log of a live capture is behind

CLIENT, SERVER = 0, 1

_LABELS = {
    "early": ("CLIENT_EARLY_TRAFFIC_SECRET", ""),
    "handshake": ("CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET"),
    "traffic": ("CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0"),
}


class Schedule13:
    """The secrets of one TLS 1.3 connection: logged ones, or those of a PSK used without Diffie-Hellman."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.method = ""  # what opened the first record
        self.name = ""  # PSK identity
        self.wrong_psk = self.right_psk = False
        self._derived: dict[str, tuple[bytes, bytes]] = {}
        self._secrets: HandshakeSecrets | None = None
        hello, answer = session.client_hello, session.server_hello
        self.random = hello.random if hello else b""
        self.early = bool(hello and hello.extensions.get(EARLY_DATA) is not None)
        self._psk = answer is not None and answer.extensions.get(PRE_SHARED_KEY) is not None
        self._hidden = answer is not None and answer.extensions.get(KEY_SHARE) is not None
        if hello and answer and self._psk:
            self._try_psks(hello, answer)

    def _try_psks(self, hello: ClientHello, answer: ServerHello) -> None:
        """Find the PSK by its binder, which proves it, and derive what it gives."""
        identities = hello.extensions.values.get("tls.handshake.extensions.psk.identity.identity", [])
        chosen = int.from_bytes(answer.extensions.get(PRE_SHARED_KEY) or b"", "big")
        if chosen >= len(identities):
            return
        self.name = bytes.fromhex(identities[chosen]).decode("utf-8", "backslashreplace")
        session, digest = self.session, suite_hash(answer.suite)
        tried = session.tried
        psk = session.psk_by_binder(chosen, digest)
        if psk is None:
            self.wrong_psk = session.tried > tried
            return
        self.right_psk = True
        if self.early:
            self._derived["early"] = (early_traffic_secret(answer.suite, psk, session.hello_hash(digest)), b"")
        if not self._hidden:
            self._secrets = handshake_secrets(answer.suite, session.transcript.digest(digest), psk)
            self._derived["handshake"] = (self._secrets.client, self._secrets.server)

    def server_finished(self) -> None:
        """Derive the application secrets: called once the transcript holds the server's Finished."""
        if self._secrets:
            digest = self.session.transcript.digest(suite_hash(self.session.suite))
            found = application_secrets(self.session.suite, self._secrets.master, digest)
            self._derived["traffic"] = (found.client, found.server)

    def handshake_secret(self, side: int) -> bytes | None:
        """Give the handshake traffic secret of a side."""
        return self.secret("handshake", side)[0]

    def secret(self, stage: str, side: int) -> tuple[bytes | None, str]:
        """Give the traffic secret of a stage and side, and where it comes from."""
        derived = self._derived.get(stage)
        if derived and derived[side]:
            return derived[side], "PSK"
        label = _LABELS[stage][side]
        return (self.session.keys.secret(label, self.random), "key log") if label else (None, "")

    def reason(self) -> str:
        """Say why nothing opens it."""
        if self.right_psk and self._hidden:
            return f"the PPS of identity {self.name!r} fits, but Diffie-Hellman is mixed in: only a key log opens it"
        if self._psk and self.wrong_psk:
            return f"this PPS does not open it (identity {self.name!r})"
        if self._psk and not self._hidden:
            return f"no PPS given for identity {self.name!r}, and no key log has its secrets"
        return "TLS 1.3 hides its secrets from any long-term key: only a key log opens it"


class EarlyOpener:
    """Opens what a TLS 1.3 client sends before the ServerHello comes: early data, its suite not yet settled."""

    def __init__(self, session: Session, hello: ClientHello) -> None:
        self._session, self._hello = session, hello
        self.cipher: Tls13Cipher | None = None
        self._secret = b""
        self.failures = self.opened = 0

    def open(self, content_type: int, version: int, fragment: bytes) -> tuple[int, bytes] | None:
        """Open a record of early data; `None` where nothing opens it."""
        ciphers = [(self.cipher, self._secret)] if self.cipher else self._ciphers()
        for cipher, secret in ciphers:
            opened = cipher.open(content_type, version, fragment)
            if opened is not None:
                if not self.opened:
                    self._session.keys.proven("CLIENT_EARLY_TRAFFIC_SECRET", self._hello.random, secret)
                self.cipher, self._secret = cipher, secret
                self.opened += 1
                return opened
        self.failures += 1
        return None

    def _ciphers(self) -> list[tuple[Tls13Cipher, bytes]]:
        """Make a cipher for each suite offered: the logged secret, or that of the PSK whose binder is right."""
        session, hello = self._session, self._hello
        version, suites = hello.highest_version, [code for code in hello.cipher_suites if code >> 8 == 0x13]
        logged = session.keys.secret("CLIENT_EARLY_TRAFFIC_SECRET", hello.random)
        if logged:
            session.early_method = "key log"
            return [(Tls13Cipher(code, logged, version), logged) for code in suites]
        ciphers = []
        for code in suites:
            psk = session.psk_by_binder(0, suite_hash(code))
            if psk is not None:
                session.early_method = "PSK"
                secret = early_traffic_secret(code, psk, session.hello_hash(suite_hash(code)))
                ciphers.append((Tls13Cipher(code, secret, version), secret))
        return ciphers

    @property
    def hopeless(self) -> bool:
        """Whether nothing more will open."""
        return bool(self.cipher) or self.failures > EARLY_RECORDS

    def next_stage(self) -> None:
        """Nothing: early data has one secret only."""

    def update(self) -> None:
        """Nothing: no KeyUpdate comes in early data."""


class Opener13:
    """Opens the records of one direction of TLS 1.3, moving from early to handshake to application secrets."""

    def __init__(self, schedule: Schedule13, side: int, early: Tls13Cipher | None = None) -> None:
        self._session, self._schedule, self._side = schedule.session, schedule, side
        self._stages = ["handshake", "traffic"]
        if schedule.early and side == CLIENT and early is None:
            self._stages.insert(0, "early")
        self._cipher = early
        self.failures = self.opened = 0  # records

    def open(self, content_type: int, version: int, fragment: bytes) -> tuple[int, bytes] | None:
        """Open a record with the secret in force or the next one known; `None` where none opens it."""
        if self._cipher is not None:
            opened = self._cipher.open(content_type, version, fragment)
            if opened is not None:
                self.opened += 1
                return opened
        session = self._session
        for index, stage in enumerate(self._stages):
            secret, method = self._schedule.secret(stage, self._side)
            if not secret:
                continue
            cipher = Tls13Cipher(session.suite, secret, session.version)
            opened = cipher.open(content_type, version, fragment)
            if opened is not None:
                self._cipher = cipher
                del self._stages[: index + 1]
                self._schedule.method = self._schedule.method or method
                session.keys.proven(_LABELS[stage][self._side], self._schedule.random, secret)
                self.opened += 1
                return opened
        self.failures += 1
        return None

    @property
    def hopeless(self) -> bool:
        """Whether nothing more will open in this direction."""
        if self.opened and self._cipher is not None:
            return True  # the secret is right, the record is not
        early = self._schedule.early and self._side == CLIENT and not self.opened
        return self.failures > (EARLY_RECORDS if early else LATE_RECORDS)

    def next_stage(self) -> None:
        """Go on to the next secret: the sender's Finished or EndOfEarlyData came.

        A Finished behind the last one is that of a client asked for its certificate later (RFC 8446, section 4.6.2).
        """
        if self._stages:
            self._cipher = None

    def update(self) -> None:
        """Follow the sender's KeyUpdate."""
        if self._cipher is not None:
            self._cipher.update()
