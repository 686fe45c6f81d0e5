"""The pseudo-random functions of SSL 3.0 to TLS 1.3.

Sources: RFC 6101 sections 6.1 and 6.2.2 (SSL 3.0), RFC 2246 section 5 (TLS 1.0, 1.1), RFC 5246 section 5 (TLS 1.2),
RFC 5869 and RFC 8446 section 7.1 (TLS 1.3). Hash names are hashlib's.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from amtdecode.protocols.tls.crypto.hashes import new_hash

try:  # CPython's own: a copy costs half of OpenSSL's, and a PRF is little else; its SHA-1 and SHA-256 are slower
    from _md5 import md5  # type: ignore[import-not-found, unused-ignore]
except ImportError:
    md5 = None

if TYPE_CHECKING:
    from collections.abc import Callable

    from amtdecode.protocols.tls.crypto.hashes import Hash

    Copy = Callable[[], Any]
    Copies = tuple[Copy, Copy, Callable[[Any], bytes]]  # of the inner and outer hash, and what gives their digest

_IPAD: Final = bytes(byte ^ 0x36 for byte in range(256))
_OPAD: Final = bytes(byte ^ 0x5C for byte in range(256))
_BLOCK_SIZES: Final = {"md5": 64, "sha1": 64, "sha256": 64, "sha384": 128}
_KEPT: Final = 64
"""Secrets whose keyed hashes are kept: a master secret makes the keys and both Finished, a PSK many master secrets."""
DIGEST_SIZES: Final = {"md5": 16, "sha1": 20, "sha256": 32, "sha384": 48}
_SSL3_PADS: Final = {"md5": 48, "sha1": 40}  # RFC 6101, section 5.2.3.1


def keyed_hashes(name: str, key: bytes) -> tuple[Hash, Hash]:
    """HMAC (RFC 2104) as two hashes that have taken in the key: copying both is cheaper than any HMAC object.

    `outer(inner(message))` is the MAC.
    """
    inner, outer = _padded(name, key)
    return new_hash(name, inner), new_hash(name, outer)


def _padded(name: str, key: bytes) -> tuple[bytes, bytes]:
    """The first block of the inner and of the outer hash."""
    block = _BLOCK_SIZES[name]
    if len(key) > block:
        key = new_hash(name, key).finalize()
    key = key.ljust(block, b"\0")
    return key.translate(_IPAD), key.translate(_OPAD)


def hmac(name: str, key: bytes, message: bytes) -> bytes:
    """HMAC (RFC 2104) of one message."""
    inner, outer = keyed_hashes(name, key)
    inner.update(message)
    outer.update(inner.finalize())
    return outer.finalize()


@lru_cache(_KEPT)
def _copies(name: str, secret: bytes) -> Copies:
    """Give what makes copies of the keyed hashes of a secret."""
    if name == "md5" and md5 is not None:
        inner, outer = [md5(block, usedforsecurity=False) for block in _padded(name, secret)]
        return inner.copy, outer.copy, type(inner).digest
    inner, outer = keyed_hashes(name, secret)
    return inner.copy, outer.copy, type(inner).finalize


@lru_cache(_KEPT)
def _copies_of_halves(secret: bytes) -> tuple[Copies, Copies]:
    """Give the same for MD5 of one half of a secret and SHA-1 of the other; both have the middle byte of an odd one."""
    half = (len(secret) + 1) // 2
    return _copies("md5", secret[:half]), _copies("sha1", secret[len(secret) - half :])


def ssl3_keyed_hashes(name: str, key: bytes) -> tuple[Hash, Hash]:
    """Give the same pair for the MAC of SSL 3.0, an older cousin of HMAC (RFC 6101, section 5.2.3.1)."""
    size = _SSL3_PADS[name]
    return new_hash(name, key + b"\x36" * size), new_hash(name, key + b"\x5c" * size)


def _expand(copies: Copies, seed: bytes, size: int) -> bytes:
    """P_hash of RFC 2246 and 5246, section 5. One HMAC after the other, written out: calls cost more."""
    copy_inner, copy_outer, digest_of = copies
    inner, output = copy_inner(), b""
    inner.update(seed)
    digest = digest_of(inner)
    for left in range((size - 1) // len(digest), -1, -1):
        outer = copy_outer()
        outer.update(digest)
        step = digest_of(outer)  # A(i)
        inner, outer = copy_inner(), copy_outer()
        inner.update(step)
        if left:
            digest = digest_of(inner.copy())  # A(i + 1) and this output begin alike
        inner.update(seed)
        outer.update(digest_of(inner))
        output += digest_of(outer)
    return output[:size]


def p_hash(name: str, secret: bytes, seed: bytes, size: int) -> bytes:
    """P_hash of RFC 2246 and 5246, section 5: `size` bytes."""
    return _expand(_copies(name, secret), seed, size)


def tls10_prf(secret: bytes, label: bytes, seed: bytes, size: int) -> bytes:
    """PRF of TLS 1.0 and 1.1: P_MD5 of one half of the secret and P_SHA-1 of the other, exclusive-ored."""
    by_md5, by_sha1 = _copies_of_halves(secret)
    seed = label + seed
    left = _expand(by_md5, seed, size)
    right = _expand(by_sha1, seed, size)
    return (int.from_bytes(left, "big") ^ int.from_bytes(right, "big")).to_bytes(size, "big")


def tls12_prf(name: str, secret: bytes, label: bytes, seed: bytes, size: int) -> bytes:
    """PRF of TLS 1.2: P_hash with the hash of the cipher suite."""
    return p_hash(name, secret, label + seed, size)


def ssl3_prf(secret: bytes, seed: bytes, size: int) -> bytes:
    """Expand as SSL 3.0 does: MD5(secret, SHA-1("A", secret, seed)), then with "BB", "CCC" and so on."""
    blocks = []
    for number in range(-(-size // 16)):
        salt = bytes((0x41 + number,)) * (number + 1)
        blocks.append(new_hash("md5", secret + new_hash("sha1", salt + secret + seed).finalize()).finalize())
    return b"".join(blocks)[:size]


def hkdf_extract(name: str, salt: bytes, material: bytes) -> bytes:
    """HKDF-Extract of RFC 5869; an empty salt stands for zeros."""
    return hmac(name, salt or bytes(DIGEST_SIZES[name]), material)


def hkdf_expand_label(name: str, secret: bytes, label: bytes, context: bytes, size: int) -> bytes:
    """HKDF-Expand-Label of RFC 8446, section 7.1; `label` without its prefix "tls13 "."""
    label = b"tls13 " + label
    info = size.to_bytes(2, "big") + bytes((len(label),)) + label + bytes((len(context),)) + context
    block = output = b""
    counter = 1
    while len(output) < size:
        block = hmac(name, secret, block + info + bytes((counter,)))
        output += block
        counter += 1
    return output[:size]
