"""The running hash of handshake messages, from which Finished, the extended master secret and TLS 1.3 secrets come.

Sources: RFC 5246 section 7.4.9, RFC 6101 section 5.6.9, RFC 7627 section 3, RFC 8446 section 4.4.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.protocols.tls.crypto.prf import DIGEST_SIZES, new_hash
from amtdecode.protocols.tls.registry.parameters import suite_parameters
from amtdecode.protocols.tls.registry.versions import TLS12

if TYPE_CHECKING:
    from amtdecode.protocols.tls.crypto.prf import Hash


def hashes_of(version: int, suite: int) -> tuple[str, ...]:
    """Name the hashes a handshake of this version and suite runs over its messages."""
    if version < TLS12:
        return ("md5", "sha1")
    parameters = suite_parameters(suite)
    return (parameters.prf if parameters else "sha256",)


class Transcript:
    """All handshake messages so far, each with its four-byte header, in the order sent by either side.

    Which hash applies is known with the ServerHello: messages are held until `settle` is called, then hashed as they
    come and no longer held.
    """

    __slots__ = ("_hashes", "_held")

    def __init__(self) -> None:
        self._held: list[bytes] = []
        self._hashes: dict[str, Hash] = {}

    def add(self, message: bytes) -> None:
        """Take in the next message."""
        if self._hashes:
            for running in self._hashes.values():
                running.update(message)
        else:
            self._held.append(message)

    def settle(self, version: int, suite: int) -> None:
        """Hash from now on with what the version and suite of the ServerHello ask for, and hold messages no longer."""
        if self._hashes:
            return
        data = b"".join(self._held)
        self._held.clear()
        self._hashes = {name: new_hash(name, data) for name in hashes_of(version, suite)}

    def retry(self, version: int, suite: int) -> None:
        """Put a hash in the place of the first ClientHello: called before a HelloRetryRequest is added (TLS 1.3)."""
        self.settle(version, suite)
        for name, running in self._hashes.items():
            size = DIGEST_SIZES[name]
            self._hashes[name] = new_hash(name, bytes((254, 0, 0, size)) + running.digest())

    def digest(self, name: str, more: bytes = b"") -> bytes:
        """Hash of the messages so far and of `more`; empty when another hash was settled on."""
        if not self._hashes:
            return new_hash(name, b"".join(self._held) + more).digest()
        if name not in self._hashes:
            return b""
        if not more:
            return self._hashes[name].digest()
        running = self._hashes[name].copy()
        running.update(more)
        return running.digest()

    def session_hash(self, version: int, suite: int) -> bytes:
        """Hash of the messages for Finished and the extended master secret: MD5 and SHA-1 in a row up to TLS 1.1."""
        if version < TLS12:
            return self.digest("md5") + self.digest("sha1")
        return self.digest(hashes_of(version, suite)[0])

    def copy(self) -> Transcript:
        """Branch off a transcript that goes on by itself."""
        other = Transcript()
        other._held = self._held.copy()
        other._hashes = {name: running.copy() for name, running in self._hashes.items()}
        return other
