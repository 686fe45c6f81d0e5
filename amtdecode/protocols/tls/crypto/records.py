"""Record protection of SSL 3.0 to TLS 1.2: one cipher object per direction, fed every protected record in order.

Sources: RFC 6101 section 5.2.3, RFC 2246, 4346 and 5246 section 6.2.3, RFC 7366 (encrypt-then-MAC), RFC 6066 section 7
(truncated HMAC), RFC 5288, 6655, 7905 (AEAD suites).

Speed: one decryptor serves a whole direction. In CBC each block needs only the ciphertext before it, so the chain of
TLS 1.0 and the explicit vectors of TLS 1.1 are the same running decryption: the block an explicit vector decrypts to is
dropped. The MAC is two hashes that hold the key already, copied for each record.
"""

from __future__ import annotations

from functools import lru_cache
from struct import Struct
from typing import TYPE_CHECKING, Final

from amtdecode.protocols.tls.crypto.hashes import primitives_module
from amtdecode.protocols.tls.crypto.prf import keyed_hashes, ssl3_keyed_hashes
from amtdecode.protocols.tls.crypto.schedule import key_block
from amtdecode.protocols.tls.registry.parameters import Suite, suite_parameters

if TYPE_CHECKING:
    from collections.abc import Callable

    from amtdecode.protocols.tls.crypto.primitives import Aead

    Update = Callable[[bytes], bytes]
    Make = Callable[[bytes, bytes, bytes], "RecordCipher | None"]  # of MAC key, key, vector

_mac_header: Final = Struct(">QBHH").pack  # sequence number, content type, version, length (RFC 5246, section 6.2.3.1)
_ssl3_mac_header: Final = Struct(">QBH").pack  # without the version
_PADDINGS: Final = tuple(bytes((size,)) * (size + 1) for size in range(256))
_TRUNCATED_MAC_SIZE: Final = 10  # RFC 6066, section 7
_CBC_CIPHERS: Final = frozenset(("AES", "3DES", "DES", "IDEA", "SEED", "CAMELLIA"))
_EXPLICIT_NONCE_SIZE: Final = 8  # RFC 5288, section 3
TAG_SIZES: Final = {"GCM": 16, "CCM": 16, "CCM_8": 8, "POLY1305": 16}


class RecordCipher:
    """Opens the records of one direction."""

    __slots__ = ("sequence",)

    chained = False
    """Whether a record's first block can only be deciphered after the record before it (CBC up to TLS 1.0)."""

    def __init__(self) -> None:
        self.sequence = 0
        """Number of the next record. It enters every MAC; a record that does not open leaves it as it is."""

    def open(self, content_type: int, record_version: int, fragment: bytes) -> tuple[int, bytes] | None:
        """Give content type and plaintext of a record; `None` when its MAC, tag or padding is wrong. Never raises."""
        raise NotImplementedError

    def search(self, content_type: int, record_version: int, fragment: bytes, ahead: int) -> tuple[int, bytes] | None:
        """Open a record under the first of the next `ahead` sequence numbers that fits: so many may have been lost."""
        first = self.sequence
        for self.sequence in range(first, first + ahead + 1):
            opened = self.open(content_type, record_version, fragment)
            if opened is not None:
                return opened
        self.sequence = first
        return None


class Mac:
    """The MAC of one direction: HMAC, or its SSL 3.0 cousin."""

    __slots__ = ("inner", "outer", "size", "ssl3")

    def __init__(self, version: int, name: str, key: bytes, size: int) -> None:
        self.ssl3 = version <= 0x0300
        self.inner, self.outer = (ssl3_keyed_hashes if self.ssl3 else keyed_hashes)(name, key)
        self.size = size

    def of(self, sequence: int, content_type: int, version: int, data: bytes) -> bytes:
        """Compute the MAC of a record's content."""
        inner, outer = self.inner.copy(), self.outer.copy()
        if self.ssl3:
            inner.update(_ssl3_mac_header(sequence, content_type, len(data)))
        else:
            inner.update(_mac_header(sequence, content_type, version, len(data)))
        inner.update(data)
        outer.update(inner.finalize())
        return outer.finalize()[: self.size]


class RunningCipher(RecordCipher):
    """A cipher whose state every record moves on, whether its MAC is right or not."""

    __slots__ = ("_update", "chained")

    _update: Update

    def search(self, content_type: int, record_version: int, fragment: bytes, ahead: int) -> tuple[int, bytes] | None:
        """The fragment is deciphered once, and its MAC computed for each number."""
        update, plain = self._update, self._update(fragment)
        self._update = lambda _: plain
        try:
            return super().search(content_type, record_version, fragment, ahead)
        finally:
            self._update = update


class CbcCipher(RunningCipher):
    """Block cipher, MAC then encrypt: content, MAC and padding are encrypted together."""

    __slots__ = ("_block", "_copy_inner", "_copy_outer", "_least", "_mac_size", "_skip")

    def __init__(self, version: int, update: Update, block: int, name: str, key: bytes, mac_size: int) -> None:
        self.sequence = 0
        self._update, self._block = update, block
        # the MAC is computed in `open`, not called: this is the hottest path there is
        inner, outer = keyed_hashes(name, key)
        self._copy_inner, self._copy_outer, self._mac_size = inner.copy, outer.copy, mac_size
        self._skip = skip = block if version >= 0x0302 else 0  # the explicit vector since TLS 1.1
        self.chained = not skip
        self._least = skip + mac_size + 1

    def open(self, content_type: int, record_version: int, fragment: bytes) -> tuple[int, bytes] | None:
        size = len(fragment)
        if size < self._least or size % self._block:
            return None
        plain = self._update(fragment)
        padding = plain[-1]
        stop = size - padding - 1
        end = stop - self._mac_size
        start = self._skip
        if end < start or not plain.endswith(_PADDINGS[padding]):
            return None
        content = plain[start:end]
        inner, outer = self._copy_inner(), self._copy_outer()
        inner.update(_mac_header(self.sequence, content_type, record_version, end - start))
        inner.update(content)
        outer.update(inner.finalize())
        if not outer.finalize().startswith(plain[end:stop]):  # a truncated HMAC is the digest's beginning
            return None
        self.sequence += 1
        return content_type, content


class Ssl3CbcCipher(RunningCipher):
    """Block cipher of SSL 3.0: its MAC leaves the version out, and its padding may hold anything."""

    __slots__ = ("_block", "_mac")

    def __init__(self, update: Update, block: int, mac: Mac) -> None:
        super().__init__()
        self._update, self._mac, self._block = update, mac, block
        self.chained = True

    def open(self, content_type: int, record_version: int, fragment: bytes) -> tuple[int, bytes] | None:
        mac = self._mac
        size = len(fragment)
        if size <= mac.size or size % self._block:
            return None
        plain = self._update(fragment)
        stop = size - plain[-1] - 1
        end = stop - mac.size
        if end < 0 or plain[-1] >= self._block:  # it is never a whole block more than needed
            return None
        content = plain[:end]
        if mac.of(self.sequence, content_type, record_version, content) != plain[end:stop]:
            return None
        self.sequence += 1
        return content_type, content


class EncryptThenMacCipher(RecordCipher):
    """Block cipher, encrypt then MAC (RFC 7366): the MAC follows in the clear and covers the vector and ciphertext."""

    __slots__ = ("_block", "_mac", "_skip", "_update", "chained")

    def __init__(self, version: int, update: Update, block: int, mac: Mac) -> None:
        super().__init__()
        self._update, self._mac, self._block = update, mac, block
        self._skip = block if version >= 0x0302 else 0
        self.chained = not self._skip

    def open(self, content_type: int, record_version: int, fragment: bytes) -> tuple[int, bytes] | None:
        mac, block, skip = self._mac, self._block, self._skip
        size = len(fragment) - mac.size
        if size < skip + block or size % block:
            return None
        covered = fragment[:size]
        if mac.of(self.sequence, content_type, record_version, covered) != fragment[size:]:
            return None
        plain = self._update(covered)
        padding = plain[-1]
        end = size - padding - 1
        if end < skip or plain[end:] != _PADDINGS[padding]:
            return None
        self.sequence += 1
        return content_type, plain[skip:end]


class StreamCipher(RecordCipher):
    """RC4, or no encryption at all, with a MAC behind the content."""

    __slots__ = ("_mac", "_update")

    def __init__(self, update: Update | None, mac: Mac) -> None:
        super().__init__()
        self._update, self._mac = update, mac

    def open(self, content_type: int, record_version: int, fragment: bytes) -> tuple[int, bytes] | None:
        end = len(fragment) - self._mac.size
        if end < 0:
            return None
        plain = self._update(fragment) if self._update else fragment
        content = plain[:end]
        if self._mac.of(self.sequence, content_type, record_version, content) != plain[end:]:
            return None
        self.sequence += 1
        return content_type, content


class AeadCipher(RecordCipher):
    """AES-GCM and AES-CCM of TLS 1.2, whose nonce is half key material and half carried, and ChaCha20-Poly1305."""

    __slots__ = ("_decrypt", "_explicit", "_fixed", "_invalid", "_least", "_mask", "_overhead")

    def __init__(self, cipher: Aead, invalid: type[Exception], iv: bytes, tag_size: int) -> None:
        super().__init__()
        self._decrypt, self._invalid = cipher.decrypt, invalid
        self._fixed, self._mask = iv, int.from_bytes(iv, "big")
        self._explicit = 12 - len(iv)
        self._overhead = self._explicit + tag_size

    def open(self, content_type: int, record_version: int, fragment: bytes) -> tuple[int, bytes] | None:
        length = len(fragment) - self._overhead
        if length < 0:
            return None
        if self._explicit:
            nonce, sealed = self._fixed + fragment[:_EXPLICIT_NONCE_SIZE], fragment[_EXPLICIT_NONCE_SIZE:]
        else:
            nonce, sealed = (self._mask ^ self.sequence).to_bytes(12, "big"), fragment
        try:
            content = self._decrypt(nonce, sealed, _mac_header(self.sequence, content_type, record_version, length))
        except self._invalid:
            return None
        self.sequence += 1
        return content_type, content


CACHED_SUITES: Final = 512  # suites, with their versions, of which it is remembered how their records are protected


@lru_cache(CACHED_SUITES)
def supported(suite: int) -> bool:
    """Whether records of a suite can be opened here, given its secrets."""
    parameters = suite_parameters(suite)
    if parameters is None or (parameters.tls13 and not parameters.aead):
        return False
    if parameters.aead:
        return parameters.cipher in {"AES", "CHACHA20"} and parameters.key_size > 0
    return bool(parameters.mac) and (parameters.cipher in _CBC_CIPHERS or parameters.cipher in {"RC4", "NULL"})


def open_ciphers(
    version: int,
    suite: int,
    master: bytes,
    client_random: bytes,
    server_random: bytes,
    *,
    encrypt_then_mac: bool = False,
    truncated_hmac: bool = False,
) -> tuple[RecordCipher, RecordCipher] | None:
    """Make the ciphers of client and server from a master secret, SSL 3.0 to TLS 1.2; `None` for a suite not supported.

    Encrypt-then-MAC and truncated HMAC apply when both hellos carry the extension, and only to suites that have a MAC:
    CBC suites for the former, all but AEAD for the latter.
    """
    protection = _protection(version, suite, encrypt_then_mac, truncated_hmac)
    if protection is None:
        return None
    size, cuts, make = protection
    material = key_block(version, suite, master, client_random, server_random, size)
    client, server = [make(material[mac], material[key], material[vector]) for mac, key, vector in cuts]
    return None if client is None or server is None else (client, server)


def _vector_size(version: int, parameters: Suite) -> int:
    """Bytes of vector the key block gives: where the CBC chain of TLS 1.0 starts, the fixed part of an AEAD nonce."""
    if parameters.aead:
        return 12 if parameters.mode == "POLY1305" else 4  # RFC 7905, RFC 5288
    return parameters.block_size if version < 0x0302 else 0


@lru_cache(CACHED_SUITES)
def _protection(
    version: int, suite: int, encrypt_then_mac: bool, truncated_hmac: bool
) -> tuple[int, tuple[tuple[slice, slice, slice], ...], Make] | None:
    """The size of a key block, where in it MAC key, key and vector of both sides stand, what makes ciphers of these.

    `None` for a suite not supported.
    """
    parameters = suite_parameters(suite)
    if parameters is None or parameters.tls13 or not supported(suite):
        return None
    at = 0
    cuts = []
    for size in (parameters.mac_size, parameters.key_size, _vector_size(version, parameters)):
        cuts.append((slice(at, at + size), slice(at + size, at + 2 * size)))
        at += 2 * size
    mac, key, vector = cuts
    if parameters.aead:
        make = _aead(parameters)
    else:
        mac_size = _TRUNCATED_MAC_SIZE if truncated_hmac else parameters.mac_size
        if parameters.block_size:
            make = _cbc(version, parameters, mac_size, encrypt_then_mac)
        else:
            make = _stream(version, parameters, mac_size)
    return at, tuple(zip(mac, key, vector, strict=True)), make


def _aead(parameters: Suite) -> Make:
    primitives, tag_size = primitives_module(), TAG_SIZES[parameters.mode]

    def make(_mac_key: bytes, key: bytes, vector: bytes) -> RecordCipher | None:
        cipher = primitives.aead(parameters.cipher, parameters.mode, key)
        return AeadCipher(cipher, primitives.InvalidTag, vector, tag_size) if cipher else None

    return make


def _stream(version: int, parameters: Suite, mac_size: int) -> Make:
    decryptor = primitives_module().rc4_decryptor if parameters.cipher != "NULL" else None

    def make(mac_key: bytes, key: bytes, _vector: bytes) -> RecordCipher | None:
        update = decryptor(key) if decryptor else None
        if decryptor and update is None:
            return None
        return StreamCipher(update, Mac(version, parameters.mac, mac_key, mac_size))

    return make


def _cbc(version: int, parameters: Suite, mac_size: int, encrypt_then_mac: bool) -> Make:
    decryptor = primitives_module().cbc_decryptor
    cipher, block, name = parameters.cipher, parameters.block_size, parameters.mac
    anything = bytes(block)  # with explicit vectors the first block decrypts to nothing anyone reads, whatever it is

    def make(mac_key: bytes, key: bytes, vector: bytes) -> RecordCipher | None:
        update = decryptor(cipher, key, vector or anything)
        if update is None:
            return None
        if version <= 0x0300:
            return Ssl3CbcCipher(update, block, Mac(version, name, mac_key, mac_size))
        if encrypt_then_mac:
            return EncryptThenMacCipher(version, update, block, Mac(version, name, mac_key, mac_size))
        return CbcCipher(version, update, block, name, mac_key, mac_size)

    return make
