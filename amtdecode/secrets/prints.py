"""Digests of keys: whether they are others than those that something was read with. Nothing can be read back from them.

Passwords can be guessed, so what they go into is made with scrypt (RFC 7914): a guess costs 16 MB and some 50 ms.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b, scrypt
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from amtdecode.secrets.keys import Keys

LABELS: Final = (
    "CLIENT_RANDOM", "PMS_CLIENT_RANDOM", "CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET",
    "CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0", "CLIENT_EARLY_TRAFFIC_SECRET",
)  # fmt: skip
SESSION_ID: Final = "SESSION_ID"


class Asked(NamedTuple):
    """What connections ask of keys."""

    randoms: frozenset[bytes] = frozenset()
    session_ids: frozenset[bytes] = frozenset()
    identities: frozenset[bytes] = frozenset()
    certificates: frozenset[bytes] = frozenset()
    """In DER."""
    passwords: bool = False
    """Whether anybody logged in."""


def print_of(keys: Keys | None) -> str:
    """The digest of all keys; "" for none."""
    return _slow(_joined([*keys.material()])) if keys else ""


def print_of_answers(keys: Keys | None, asked: Asked) -> str:
    """The digest of what these keys answer; "" where they know nothing of it.

    A key log that has no client random, but `RSA` lines, is not asked: what they belong to stands in no table.
    """
    if not keys:
        return ""
    logged = [
        secret
        for label, names in (*((label, asked.randoms) for label in LABELS), (SESSION_ID, asked.session_ids))
        for name in sorted(names)
        if (secret := keys.secret(label, name)) is not None
    ]
    fitting = [key.modulus for each in sorted(asked.certificates) for key in keys.rsa_keys(each)]
    guessed = [key for identity in sorted(asked.identities) for key in keys.psks(identity)]
    if asked.passwords:
        guessed += keys.password_material()
    if not (logged or fitting or guessed):
        return ""
    slow = _slow(_joined(guessed)) if guessed else ""
    return blake2b(_joined([*logged, b"", *fitting, b"", slow.encode()]), digest_size=16).hexdigest()


def _joined(values: list[bytes]) -> bytes:
    return b"".join(len(value).to_bytes(4, "big") + value for value in values)


@lru_cache(maxsize=256)
def _slow(material: bytes) -> str:
    return scrypt(material, salt=b"amtdecode", n=1 << 14, r=8, p=1, dklen=16).hex()
