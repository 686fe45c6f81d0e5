"""The keys a run was given, behind the few questions a dissector asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence


class RsaKey(Protocol):
    """A private RSA key."""

    def decrypt_pms(self, encrypted: bytes) -> bytes | None:
        """Open the premaster secret (48 bytes) of a ClientKeyExchange, without its two-byte length; `None` if it is none.

        A key that does not fit gives `None` mostly, but may give 48 bytes of nonsense (PKCS #1 v1.5 with implicit
        rejection): only a Finished message or a record that opens proves the key.
        """


class Keys:
    """All key material of a run. Falsy when there is none; its repr counts and never shows."""

    notes: list[str]
    """What a user should know of the material: wrong check characters, lines of a key log that make no sense."""

    @classmethod
    def load(
        cls,
        psk: Sequence[str] = (),
        psk_files: Sequence[str] = (),
        rsa_keys: Sequence[str] = (),
        keylogs: Sequence[str] = (),
        http_passwords: Sequence[str] = (),
    ) -> Keys:
        """Read key material as the command line names it; `KeyFileError` with one line for what cannot be read."""
        raise NotImplementedError

    def psks(self, identity: bytes) -> Sequence[bytes]:
        """Pre-shared keys for an identity as on the wire: exact ones first, those for any identity after."""
        raise NotImplementedError

    def rsa_keys(self, certificate: bytes | None) -> Sequence[RsaKey]:
        """Private keys, those of the certificate (DER) first; all when it is `None`."""
        raise NotImplementedError

    def secret(self, label: str, client_random: bytes) -> bytes | None:
        """Look a client random up in the key logs under a label: CLIENT_RANDOM (master secret), CLIENT_TRAFFIC_SECRET_0, …"""
        raise NotImplementedError

    def rsa_premaster(self, encrypted: bytes) -> bytes | None:
        """Look an encrypted premaster secret up in the key logs (`RSA` lines: its first 8 bytes)."""
        raise NotImplementedError

    def add_keylog(self, data: bytes) -> None:
        """Take in a key log found in a capture (decryption secrets block), at any time."""
        raise NotImplementedError

    def http_password(self, user: str) -> str | None:
        """Password of an HTTP user."""
        raise NotImplementedError
