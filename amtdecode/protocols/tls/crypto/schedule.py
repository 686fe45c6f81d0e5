"""From what both sides know to master secrets and traffic secrets, SSL 3.0 to TLS 1.3.

Sources: RFC 6101 section 6.1, RFC 5246 section 8.1, RFC 4279 sections 2 to 4 (PSK), RFC 7627 (extended master secret),
RFC 8446 section 7 (TLS 1.3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from amtdecode.protocols.tls.crypto.hashes import new_hash
from amtdecode.protocols.tls.crypto.prf import (
    DIGEST_SIZES,
    hkdf_expand_label,
    hkdf_extract,
    hmac,
    p_hash,
    ssl3_prf,
    tls10_prf,
)
from amtdecode.protocols.tls.registry.parameters import suite_parameters

if TYPE_CHECKING:
    from amtdecode.protocols.tls.crypto.transcript import Transcript

MASTER_SECRET_SIZE: Final = 48
_SSL3_SENDERS: Final = {b"client finished": b"CLNT", b"server finished": b"SRVR"}  # RFC 6101, section 5.6.9


def suite_hash(suite: int) -> str:
    """Name the hash of a suite's PRF (TLS 1.2) or key schedule (TLS 1.3); SHA-256 for an unknown suite."""
    parameters = suite_parameters(suite)
    return parameters.prf if parameters else "sha256"


def _prf(version: int, suite: int, secret: bytes, label: bytes, seed: bytes, size: int) -> bytes:
    """PRF of a version from TLS 1.0 to 1.2; since the last the suite names its hash."""
    if version < 0x0303:
        return tls10_prf(secret, label, seed, size)
    return p_hash(suite_hash(suite), secret, label + seed, size)


def psk_premaster(psk: bytes, other: bytes | None = None) -> bytes:
    """Premaster secret of the PSK key exchanges (RFC 4279, section 2).

    `other` is what the second key exchange gives: the 48 bytes the client encrypted (RSA_PSK), or the Diffie-Hellman
    secret (DHE_PSK, ECDHE_PSK); without it, for plain PSK, as many zeros as the key has bytes.
    """
    if other is None:
        other = bytes(len(psk))
    return len(other).to_bytes(2, "big") + other + len(psk).to_bytes(2, "big") + psk


def master_secret(version: int, suite: int, premaster: bytes, client_random: bytes, server_random: bytes) -> bytes:
    """Master secret of SSL 3.0 to TLS 1.2: 48 bytes."""
    if version <= 0x0300:
        return ssl3_prf(premaster, client_random + server_random, MASTER_SECRET_SIZE)
    return _prf(version, suite, premaster, b"master secret", client_random + server_random, MASTER_SECRET_SIZE)


def extended_master_secret(version: int, suite: int, premaster: bytes, session_hash: bytes) -> bytes:
    """Master secret bound to the handshake up to the ClientKeyExchange (RFC 7627): 48 bytes."""
    return _prf(version, suite, premaster, b"extended master secret", session_hash, MASTER_SECRET_SIZE)


def key_block(version: int, suite: int, master: bytes, client_random: bytes, server_random: bytes, size: int) -> bytes:
    """Key material of SSL 3.0 to TLS 1.2, to be cut into MAC keys, keys and initialisation vectors."""
    if version <= 0x0300:
        return ssl3_prf(master, server_random + client_random, size)
    return _prf(version, suite, master, b"key expansion", server_random + client_random, size)


def finished_verify_data(version: int, suite: int, master: bytes, label: bytes, transcript: Transcript) -> bytes:
    """Compute what a Finished message must hold, from the transcript of all handshake messages before it.

    `label` is `b"client finished"` or `b"server finished"`. In TLS 1.3 `master` is the sender's handshake traffic
    secret. 36 bytes in SSL 3.0, 12 in TLS 1.0 to 1.2, the size of the hash in TLS 1.3.
    """
    if version >= 0x0304:
        name = suite_hash(suite)
        key = hkdf_expand_label(name, master, b"finished", b"", DIGEST_SIZES[name])
        return hmac(name, key, transcript.digest(name))
    if version <= 0x0300:
        return b"".join(
            new_hash(name, master + b"\x5c" * pad + transcript.digest(name, sender + master + b"\x36" * pad)).finalize()
            for sender in (_SSL3_SENDERS[label],)
            for name, pad in (("md5", 48), ("sha1", 40))
        )
    return _prf(version, suite, master, label, transcript.session_hash(version, suite), 12)


class HandshakeSecrets(NamedTuple):
    """What the TLS 1.3 key schedule gives once the ServerHello is known."""

    client: bytes  # client handshake traffic secret
    server: bytes
    master: bytes  # the master secret from which the application secrets come


class ApplicationSecrets(NamedTuple):
    """What it gives once the server's Finished is known."""

    client: bytes  # client_application_traffic_secret_0
    server: bytes


def _derive_secret(name: str, secret: bytes, label: bytes, digest: bytes) -> bytes:
    return hkdf_expand_label(name, secret, label, digest, DIGEST_SIZES[name])


def _next_secret(name: str, secret: bytes, material: bytes) -> bytes:
    return hkdf_extract(name, _derive_secret(name, secret, b"derived", new_hash(name).finalize()), material)


def handshake_secrets(suite: int, hello_hash: bytes, psk: bytes = b"", shared: bytes = b"") -> HandshakeSecrets:
    """Follow the TLS 1.3 key schedule to the handshake secrets (RFC 8446, section 7.1).

    `hello_hash` is of ClientHello to ServerHello. With a PSK and no Diffie-Hellman (`psk_ke`) the key alone suffices;
    otherwise `shared`, the Diffie-Hellman secret, which no passive reader has: those need a key log.
    """
    name = suite_hash(suite)
    zeros = bytes(DIGEST_SIZES[name])
    handshake = _next_secret(name, hkdf_extract(name, b"", psk or zeros), shared or zeros)
    return HandshakeSecrets(
        _derive_secret(name, handshake, b"c hs traffic", hello_hash),
        _derive_secret(name, handshake, b"s hs traffic", hello_hash),
        _next_secret(name, handshake, zeros),
    )


def application_secrets(suite: int, master: bytes, finished_hash: bytes) -> ApplicationSecrets:
    """Traffic secrets of application data in TLS 1.3; `finished_hash` is of ClientHello to the server's Finished."""
    name = suite_hash(suite)
    return ApplicationSecrets(
        _derive_secret(name, master, b"c ap traffic", finished_hash),
        _derive_secret(name, master, b"s ap traffic", finished_hash),
    )


def early_traffic_secret(suite: int, psk: bytes, hello_hash: bytes) -> bytes:
    """Traffic secret of early data in TLS 1.3, which rests on the PSK alone; `hello_hash` is of the ClientHello."""
    name = suite_hash(suite)
    return _derive_secret(name, hkdf_extract(name, b"", psk), b"c e traffic", hello_hash)


def psk_binder(name: str, psk: bytes, truncated_hash: bytes, *, resumption: bool = False) -> bytes:
    """Compute a PSK binder of a TLS 1.3 ClientHello: it proves a PSK right or wrong even with Diffie-Hellman mixed in.

    `truncated_hash` is of the ClientHello up to, and without, the binders' list (RFC 8446, section 4.2.11.2).
    """
    label = b"res binder" if resumption else b"ext binder"
    key = _derive_secret(name, hkdf_extract(name, b"", psk), label, new_hash(name).finalize())
    return hmac(name, hkdf_expand_label(name, key, b"finished", b"", DIGEST_SIZES[name]), truncated_hash)
