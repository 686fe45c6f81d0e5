"""The hashes, out of the cryptography package: its OpenSSL is loaded for the ciphers, hashlib's would be a second one.

That would take 3.5 MiB more. It is loaded with the first hash. An object has `update`, `copy` and `finalize`, which is
called once.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import hashlib
    from types import ModuleType
    from typing import Self


class Hash(Protocol):
    """A running hash."""

    def update(self, data: bytes, /) -> None:
        """Take in more."""

    def copy(self) -> Self:
        """Branch off a hash that goes on by itself."""
        ...

    def finalize(self) -> bytes:
        """Give the digest. Nothing may be asked after that."""
        ...


@cache
def primitives_module() -> ModuleType:
    """The module `primitives`, loaded when it is first asked for."""
    from amtdecode.protocols.tls.crypto import primitives

    return primitives


def new_hash(name: str, data: bytes = b"") -> Hash:
    """Start a hash: SSL and old TLS need MD5 and SHA-1 whatever the policy of the machine says of them."""
    made: Hash = primitives_module().running_hash(name) or Unguarded(name)
    made.update(data)
    return made


class Unguarded:
    """A hash of hashlib, which gives those that a policy refuses (FIPS 140) where no security rests on them."""

    def __init__(self, name: str, running: hashlib._Hash | None = None) -> None:
        import hashlib

        self._name = name
        self._hash = hashlib.new(name, usedforsecurity=False) if running is None else running

    def update(self, data: bytes, /) -> None:
        """Take in more."""
        self._hash.update(data)

    def copy(self) -> Unguarded:
        """Branch off a hash that goes on by itself."""
        return Unguarded(self._name, self._hash.copy())

    def finalize(self) -> bytes:
        """Give the digest."""
        return self._hash.digest()
