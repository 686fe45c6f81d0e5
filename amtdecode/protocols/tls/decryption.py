"""From the keys a user gave to open records: what one handshake offers to find its key by, and the proof that it fits.

A key is believed when a record's MAC or tag, computed with it, is right: until then nothing opened with it is let out.
Sources: RFC 5246, sections 6.3, 8.1; RFC 4279, section 2; RFC 7627, section 4; RFC 8446, sections 4.2.11, 7.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from amtdecode.protocols.tls.crypto import (
    extended_master_secret,
    finished_verify_data,
    master_secret,
    open_ciphers,
    psk_premaster,
    supported,
)
from amtdecode.protocols.tls.events import Decryption
from amtdecode.protocols.tls.extensions import (
    ENCRYPT_THEN_MAC,
    EXTENDED_MASTER_SECRET,
    SESSION_TICKET,
    TRUNCATED_HMAC,
)
from amtdecode.protocols.tls.registry import name_of_suite, suite_parameters
from amtdecode.protocols.tls.session import MAX_CANDIDATES, Session
from amtdecode.protocols.tls.session13 import CLIENT, SERVER, Schedule13

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.protocols.tls.crypto import RecordCipher
    from amtdecode.protocols.tls.hellos import ClientHello, ServerHello


class Candidate(NamedTuple):
    """A master secret that may be the one, or a premaster secret that makes it; and where it comes from."""

    secret: bytes
    method: str
    identity: str = ""


class DecryptSession(Session):
    """A handshake whose key is looked for; the ciphers once a key is proven."""

    certificate: bytes | None = None  # the server's, DER
    identity: bytes | None = None
    encrypted: bytes = b""  # premaster secret under the server's key
    exchanged: bool = False  # a ClientKeyExchange came
    extended: bool = True  # the master secret is bound to the handshake, as far as is known
    session_hash: bytes = b""  # up to there, where it is
    master: bytes = b""
    ciphers: tuple[RecordCipher, RecordCipher] | None = None  # client write, server write
    proven: Candidate | None = None
    tls13: Schedule13 | None = None
    told: bool = False  # what came of the keys was stated
    unknown: bool = False  # a session is resumed under a name that is not known

    def answer(self, hello: ServerHello, *, tls13: bool) -> None:
        """Take in what the server chose; the transcript must hold its message already."""
        self.server_hello = hello
        self.version, self.suite = hello.chosen_version, hello.suite
        self.transcript.settle(self.version, self.suite)
        self.extended = hello.extensions.get(EXTENDED_MASTER_SECRET) is not None
        if tls13:
            self.tls13 = Schedule13(self)

    def key_exchange(self, identity: bytes | None, encrypted: bytes) -> None:
        """Take in the ClientKeyExchange; the transcript must hold it already (RFC 7627, section 3)."""
        self.identity, self.encrypted, self.exchanged = identity, encrypted, True
        if self.extended:
            self.session_hash = self.transcript.session_hash(self.version, self.suite)

    def ticket(self, ticket: bytes) -> None:
        """Note a ticket handed out: its session is this one."""
        if self.master and ticket:
            self.masters.remember(ticket, self.master)

    def _masters(self, hello: ClientHello, answer: ServerHello) -> list[Candidate]:
        """Give master secrets that are known as such."""
        keys, found = self.keys, []
        if keys.logged:
            logged = keys.secret("CLIENT_RANDOM", self.client_random)
            if logged:
                found.append(Candidate(logged, "key log"))
            if answer.session_id:
                logged = keys.secret("SESSION_ID", answer.session_id)
                if logged:
                    found.append(Candidate(logged, "key log"))
        if not self.exchanged:  # a session is resumed
            names = [name for name in (hello.extensions.get(SESSION_TICKET), answer.session_id) if name]
            known = [master for name in names if (master := self.masters.get(name))]
            self.unknown = len(known) < len(names)
            found += [Candidate(master, "resumed session") for master in known]
        return found

    def _premasters(self) -> Iterator[Candidate]:
        """Give premaster secrets that may be the one, each when those before it were not."""
        parameters, keys = suite_parameters(self.suite), self.keys
        exchange = parameters.key_exchange if parameters else ""
        logged = keys.secret("PMS_CLIENT_RANDOM", self.client_random) if keys.logged else None
        if logged:
            yield Candidate(logged, "key log")
        if exchange == "PSK" and self.identity is not None:
            name = self.identity.decode("utf-8", "backslashreplace")
            for psk in keys.psks(self.identity)[:MAX_CANDIDATES]:
                yield Candidate(psk_premaster(psk), "PSK", name)
        elif exchange in {"RSA", "RSA_PSK"} and self.encrypted:
            secrets = []
            logged = keys.rsa_premaster(self.encrypted)
            if logged:
                secrets.append((logged, "key log"))
            for key in keys.rsa_keys(self.certificate):
                secret = key.decrypt_pms(self.encrypted)
                if secret:
                    secrets.append((secret, "RSA key"))
            if exchange == "RSA":
                for secret, method in secrets:
                    yield Candidate(secret, method)
            elif self.identity is not None:
                name = self.identity.decode("utf-8", "backslashreplace")
                for psk in keys.psks(self.identity)[:MAX_CANDIDATES]:
                    for secret, method in secrets:
                        yield Candidate(psk_premaster(psk, secret), f"PSK and {method}", name)

    def unlock(self, side: int, content_type: int, version: int, fragment: bytes) -> tuple[int, bytes] | None:
        """Find the key that opens the first protected record of a side; keep its ciphers. `None` where none does."""
        hello, answer = self.client_hello, self.server_hello
        if hello is None or answer is None or not supported(self.suite):
            return None
        record = side, content_type, version, fragment
        for candidate in self._masters(hello, answer):
            opened = self._try(candidate, candidate.secret, answer, record)
            if opened is not None:
                return opened
        self.masters.missed |= self.unknown
        if self.extended and not self.whole:
            return None
        for candidate in self._premasters():
            if self.tried >= MAX_CANDIDATES:
                break
            if self.extended:
                master = extended_master_secret(self.version, self.suite, candidate.secret, self.session_hash)
            else:
                master = master_secret(self.version, self.suite, candidate.secret, self.client_random, answer.random)
            opened = self._try(candidate, master, answer, record)
            if opened is not None:
                return opened
        return None

    def _try(
        self, candidate: Candidate, master: bytes, answer: ServerHello, record: tuple[int, int, int, bytes]
    ) -> tuple[int, bytes] | None:
        """Try to open a record of a side with what follows from a master secret."""
        extensions = answer.extensions
        ciphers = open_ciphers(
            self.version,
            self.suite,
            master,
            self.client_random,
            answer.random,
            encrypt_then_mac=extensions.get(ENCRYPT_THEN_MAC) is not None,
            truncated_hmac=extensions.get(TRUNCATED_HMAC) is not None,
        )
        if ciphers is None:
            return None
        side, content_type, version, fragment = record
        opened = ciphers[side].open(content_type, version, fragment)
        if opened is None:
            self.tried += 1
            return None
        self.ciphers, self.master, self.proven = ciphers, master, candidate
        self.keys.proven("CLIENT_RANDOM", self.client_random, master)
        if answer.session_id:
            self.masters.remember(answer.session_id, master)
        return opened

    def decryption(self) -> Decryption | None:
        """State, once, what came of the keys."""
        if self.told:
            return None
        self.told = True
        if self.proven:
            return Decryption(True, self.proven.method, self.proven.identity, "", self.tried)
        method = (self.tls13.method if self.tls13 else "") or self.early_method
        if method:
            return Decryption(True, method, self.tls13.name if self.tls13 and method == "PSK" else "")
        return Decryption(False, "", "", self._reason(), self.tried)

    def _reason(self) -> str:
        """Say why no key opens it."""
        if self.client_hello is None or self.server_hello is None:
            return "the hellos, whose randoms enter the keys, are not in the capture"
        if not supported(self.suite):
            return f"records of {name_of_suite(self.suite)} cannot be opened here"
        if self.tls13:
            return self.tls13.reason()
        parameters = suite_parameters(self.suite)
        exchange = parameters.key_exchange if parameters else ""
        identity = self.identity.decode("utf-8", "backslashreplace") if self.identity is not None else ""
        if self.tried:
            if exchange == "PSK":
                return f"this PPS does not open it (identity {identity!r}, {self.tried} tried)"
            return f"none of the keys that fit opens it ({self.tried} tried)"
        if self.identity is None and not self.encrypted and exchange in {"PSK", "RSA", "RSA_PSK"}:
            return "it resumes a session whose handshake was not opened"
        if exchange == "PSK":
            return f"no PPS given for identity {identity!r}"
        if exchange == "RSA":
            return "no RSA key given that fits the server's certificate"
        if exchange == "RSA_PSK":
            return f"it takes the server's RSA key and the PPS of identity {identity!r}, or a key log"
        return f"{exchange or 'its key exchange'} hides the secret from any long-term key: only a key log opens it"

    def finished(self, sender: str) -> bytes:
        """Compute what the sender's Finished must hold, its message not yet in the transcript; empty where unknown."""
        if not self.whole:
            return b""
        label = b"client finished" if sender == "client" else b"server finished"
        master = self.master
        if self.tls13:
            master = self.tls13.handshake_secret(CLIENT if sender == "client" else SERVER) or b""
        return finished_verify_data(self.version, self.suite, master, label, self.transcript) if master else b""
