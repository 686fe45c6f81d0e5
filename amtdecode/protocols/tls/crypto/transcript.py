"""The running hash of handshake messages, from which Finished, the extended master secret and TLS 1.3 secrets come.

Sources: RFC 5246 section 7.4.9, RFC 6101 section 5.6.9, RFC 7627 section 3, RFC 8446 section 4.4.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from amtdecode.protocols.tls.crypto.hashes import new_hash
from amtdecode.protocols.tls.crypto.prf import DIGEST_SIZES
from amtdecode.protocols.tls.registry.parameters import suite_parameters
from amtdecode.protocols.tls.registry.versions import TLS12

if TYPE_CHECKING:
    from amtdecode.protocols.tls.crypto.hashes import Hash


OLD_HASHES: Final = ("md5", "sha1")
HELD_BYTES: Final = 16384
"""Bytes of messages that wait to be hashed together, once it is known how."""


def hashes_of(version: int, suite: int) -> tuple[str, ...]:
    """Name the hashes a handshake of this version and suite runs over its messages."""
    if version < TLS12:
        return OLD_HASHES
    parameters = suite_parameters(suite)
    return (parameters.prf if parameters else "sha256",)


class Transcript:
    """All handshake messages so far, each with its four-byte header, in the order sent by either side.

    Which hash applies is known with the ServerHello: messages are held until `settle` is called. From then on they are
    hashed when a hash is asked for, or when many are held.
    """

    __slots__ = ("_hashes", "_held", "_names", "_size")

    def __init__(self) -> None:
        self._held: list[bytes] = []
        self._size = 0  # bytes held since `settle`
        self._names: tuple[str, ...] = ()  # of the hashes settled on
        self._hashes: dict[str, Hash] = {}  # those running

    def add(self, message: bytes) -> None:
        """Take in the next message."""
        self._held.append(message)
        if self._names:
            self._size += len(message)
            if self._size > HELD_BYTES:
                self._hash_held()

    def settle(self, version: int, suite: int) -> None:
        """Hash from now on with what the version and suite of the ServerHello ask for."""
        if not self._names:
            self._names = hashes_of(version, suite)

    def _hash_held(self) -> None:
        data = b"".join(self._held)
        self._held.clear()
        self._size = 0
        hashes = self._hashes
        for name in self._names:
            running = hashes.get(name)
            if running is None:
                hashes[name] = new_hash(name, data)
            else:
                running.update(data)

    def retry(self, version: int, suite: int) -> None:
        """Put a hash in the place of the first ClientHello: called before a HelloRetryRequest is added (TLS 1.3)."""
        self.settle(version, suite)
        self._hash_held()
        for name, running in self._hashes.items():
            size = DIGEST_SIZES[name]
            self._hashes[name] = new_hash(name, bytes((254, 0, 0, size)) + running.finalize())

    def digest(self, name: str, more: bytes = b"") -> bytes:
        """Hash of the messages so far and of `more`; empty when another hash was settled on."""
        if not self._names:
            return new_hash(name, b"".join(self._held) + more).finalize()
        if name not in self._names:
            return b""
        if self._held or not self._hashes:
            self._hash_held()
        running = self._hashes[name].copy()
        running.update(more)
        return running.finalize()

    def session_hash(self, version: int, suite: int) -> bytes:
        """Hash of the messages for Finished and the extended master secret: MD5 and SHA-1 in a row up to TLS 1.1."""
        if version < TLS12:
            if self._names == OLD_HASHES:
                if self._held or not self._hashes:
                    self._hash_held()
                md5, sha1 = self._hashes.values()
                return md5.copy().finalize() + sha1.copy().finalize()
            return self.digest("md5") + self.digest("sha1")
        return self.digest(hashes_of(version, suite)[0])

    def copy(self) -> Transcript:
        """Branch off a transcript that goes on by itself."""
        other = Transcript()
        other._held, other._size, other._names = self._held.copy(), self._size, self._names
        other._hashes = {name: running.copy() for name, running in self._hashes.items()}
        return other
