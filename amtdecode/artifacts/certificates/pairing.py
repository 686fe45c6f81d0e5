"""Private keys: whether one belongs to the leaf, and whether one lies open where it should not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.artifacts.certificates.check import FAIL, PASS, UNKNOWN, WARN, Check, sides
from amtdecode.artifacts.certificates.facts import name_of, public_bits

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from amtdecode.artifacts.certificates.keys import PrivateKey
    from amtdecode.protocols.tls.certificates import CertificateInfo

_ARTICLE = "2007 article on where certificates live"


def check_keys(chain: Sequence[CertificateInfo], keys: Sequence[PrivateKey]) -> Iterator[Check]:
    """AMT-RCFG-036 and AMT-CERT-011; `chain` is in order."""
    yield _matching(chain, keys)
    yield _leaking(keys)


def _matching(chain: Sequence[CertificateInfo], keys: Sequence[PrivateKey]) -> Check:
    title = "Private key belongs to the leaf"
    leaf = chain[0]
    wanted = public_bits(leaf)
    read = [key for key in keys if key.public]
    if not read or not wanted:
        reasons = tuple(f"{key.label}: {key.fault}" for key in keys if key.fault)
        text = "No private key could be read" if keys else "No private key was given"
        text += ", so it is not known whether one belongs to the certificate."
        return Check("AMT-RCFG-036", title, UNKNOWN, text, "", _ARTICLE, (), reasons)
    if any(key.public == wanted for key in read):
        return Check("AMT-RCFG-036", title, PASS, f"A private key belongs to {name_of(leaf)}.", "", _ARTICLE)
    other = next((each for each in chain[1:] for key in read if key.public == public_bits(each)), None)
    text = f"No private key belongs to {name_of(leaf)}"
    text += f"; the one there is that of {name_of(other)}" if other else ""
    return Check(
        "AMT-RCFG-036",
        title,
        FAIL,
        f"{text}. The server cannot prove the certificate its own; AMT ends the handshake with decrypt_error.",
        "Import certificate and key again as one pair, from one PFX file.",
        _ARTICLE,
        sides(("public key of the leaf", _short(wanted)), *(("of the key", _short(key.public)) for key in read[:4])),
    )


def _leaking(keys: Sequence[PrivateKey]) -> Check:
    title = "Private key not handed on"
    shared = [key for key in keys if key.shared]
    opened = [key for key in shared if not key.encrypted]
    if opened:
        text = "A private key lies open in a file of certificates; whoever gets the file can provision machines."
        fix = "Remove the key from files that are handed on. If the file was, revoke the certificate and get a new one."
        return Check("AMT-CERT-011", title, FAIL, text, fix, _ARTICLE, (), tuple(key.label for key in opened))
    if shared:
        text = "A private key is in a file of certificates, encrypted."
        fix = "Hand on the certificates without it."
        return Check("AMT-CERT-011", title, WARN, text, fix, _ARTICLE, (), tuple(key.label for key in shared))
    return Check("AMT-CERT-011", title, PASS, "No file of certificates holds a private key.", "", _ARTICLE)


def _short(public: bytes) -> str:
    """Fingerprint of a public key: SHA-256 of its bits."""
    import hashlib

    return hashlib.sha256(public).hexdigest()
