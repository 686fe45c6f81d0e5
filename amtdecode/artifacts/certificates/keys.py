"""A private key in a file: only what is needed to say whether it belongs to a certificate, and whether it lies open.

The key itself is not kept. Formats: PKCS#1, PKCS#8 (RFC 5958), SEC 1, and the encrypted forms of the last two.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from amtdecode.secrets.rounds import MAX_ROUNDS, wants_too_much


class PrivateKey(NamedTuple):
    """What may be known of a private key."""

    label: str  # the PEM label, or the format it came in
    encrypted: bool  # in the file; a password may have opened it
    public: bytes = b""  # contents of the subjectPublicKey that belongs to it; empty when it could not be opened
    fault: str = ""  # why it could not
    shared: bool = False  # the file holds certificates too, and so is likely to be handed on


def read_key(data: bytes, label: str, armour: str, password: bytes | None, *, sealed: bool = False) -> PrivateKey:
    """Read a key from DER or, where it was PEM, from its armour; never raises, the key says what is wrong.

    `sealed`: its PEM headers (Proc-Type, DEK-Info) say that it is encrypted.
    """
    from cryptography.hazmat.primitives import serialization as form

    encrypted = sealed or label == "ENCRYPTED PRIVATE KEY" or (label == "DER" and _encrypted(data))
    if encrypted and password is None:
        return PrivateKey(label, encrypted, fault="encrypted, and no password given")
    if encrypted and wants_too_much(data):
        return PrivateKey(label, encrypted, fault=f"it wants its password hashed more than {MAX_ROUNDS} times")
    secret = password if encrypted else None
    try:
        key: Any
        if armour:
            key = form.load_pem_private_key(armour.encode("latin-1"), secret)
        else:
            key = form.load_der_private_key(data, secret)
        spki = key.public_key().public_bytes(form.Encoding.DER, form.PublicFormat.SubjectPublicKeyInfo)
    except Exception:  # a wrong password, an unknown cipher and damage: whatever it is, the key stays closed
        reason = "the password does not open it" if encrypted else "damaged, or of a kind that is not read here"
        return PrivateKey(label, encrypted, fault=reason)
    return PrivateKey(label, encrypted, public=_public(spki))


def _public(spki: bytes) -> bytes:
    from asn1crypto import keys

    return bytes(keys.PublicKeyInfo.load(spki)["public_key"].contents[1:])


def _encrypted(data: bytes) -> bool:
    """Whether DER is an EncryptedPrivateKeyInfo: a sequence that begins with a sequence, ends with an octet string."""
    from asn1crypto import keys

    try:
        info = keys.EncryptedPrivateKeyInfo.load(data, strict=True)
        return bool(info["encryption_algorithm"]["algorithm"].dotted and info["encrypted_data"].native)
    except Exception:
        return False
