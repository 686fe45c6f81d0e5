"""Ciphers and hashes, out of the cryptography package: the only module here that loads it, so import it late."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.decrepit.ciphers import algorithms as decrepit
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM, ChaCha20Poly1305

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.ciphers import BlockCipherAlgorithm

    Aead = AESCCM | AESGCM | ChaCha20Poly1305

__all__ = ["InvalidTag", "aead", "cbc_decryptor", "rc4_decryptor", "running_hash"]

_BLOCK_CIPHERS: dict[str, Callable[[bytes], BlockCipherAlgorithm]] = {
    "AES": algorithms.AES,
    "3DES": decrepit.TripleDES,
    "DES": lambda key: decrepit.TripleDES(key * 3),  # three times the same key is DES
    "IDEA": decrepit.IDEA,
    "SEED": decrepit.SEED,
    "CAMELLIA": getattr(decrepit, "Camellia", None) or algorithms.Camellia,  # moved in version 46
}
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "md5": hashes.MD5(),  # noqa: S303 - SSL and old TLS have both
    "sha1": hashes.SHA1(),  # noqa: S303
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
}


def running_hash(name: str) -> hashes.Hash | None:
    """Start a hash; `None` when this machine's OpenSSL lacks or refuses it."""
    try:
        return hashes.Hash(_HASHES[name])
    except UnsupportedAlgorithm:
        return None


def cbc_decryptor(cipher: str, key: bytes, iv: bytes) -> Callable[[bytes], bytes] | None:
    """Start CBC decryption that goes on from call to call; `None` when this machine's OpenSSL lacks the cipher."""
    try:
        return Cipher(_BLOCK_CIPHERS[cipher](key), modes.CBC(iv)).decryptor().update
    except UnsupportedAlgorithm:
        return None


def rc4_decryptor(key: bytes) -> Callable[[bytes], bytes] | None:
    """Start RC4 decryption that goes on from call to call; `None` when this machine's OpenSSL lacks it."""
    try:
        return Cipher(decrepit.ARC4(key), mode=None).decryptor().update
    except UnsupportedAlgorithm:
        return None


def aead(cipher: str, mode: str, key: bytes) -> Aead | None:
    """Make an AEAD whose `decrypt(nonce, data, associated)` raises `InvalidTag`; `None` when it is not available."""
    try:
        if cipher == "CHACHA20":
            return ChaCha20Poly1305(key)
        if cipher == "AES" and mode == "GCM":
            return AESGCM(key)
        if cipher == "AES":
            return AESCCM(key, tag_length=8 if mode == "CCM_8" else 16)
    except UnsupportedAlgorithm:
        pass
    return None
