"""What the checks ask of a certificate beyond its fields (`amtdecode.protocols.tls.certificates` reads those)."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from amtdecode.artifacts.certificates.remembered import remembered

if TYPE_CHECKING:
    from amtdecode.protocols.tls.certificates import CertificateInfo

ALGORITHMS = {"SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384"}
"""Digests a hello may list, by the name they are printed with."""

_EPOCH_YEAR = 1970


def encoded(certificate: CertificateInfo) -> bytes:
    """Return the certificate alone, without bytes that follow it."""
    return certificate.der[: certificate.size]


def fingerprint(certificate: CertificateInfo, algorithm: str) -> str:
    """Return what AMT calls the hash of a certificate: the digest of its DER, as lower-case hex."""
    return hashlib.new(ALGORITHMS[algorithm], encoded(certificate), usedforsecurity=False).hexdigest()


def name_of(certificate: CertificateInfo) -> str:
    """Return the shortest text that names it."""
    return certificate.common_names[0] if certificate.common_names else certificate.subject or "(no name)"


def self_issued(certificate: CertificateInfo) -> bool:
    """Whether subject and issuer are the same name."""
    return same_name(certificate.subject_der, certificate.issuer_der)


def same_name(one: bytes, other: bytes) -> bool:
    """Whether two distinguished names (DER) are the same; an empty one is the same as none."""
    return bool(one) and bool(other) and (one == other or name_key(one) == name_key(other))


@remembered
def name_key(der: bytes) -> str:
    """Return the name with case, spaces and string types evened out, to compare by (RFC 5280 section 7.1)."""
    from asn1crypto.x509 import Name

    try:
        return str(Name.load(der).hashable)
    except Exception:  # names that cannot be read are the same only byte by byte
        return der.hex()


@remembered
def key_identifiers(certificate: CertificateInfo) -> tuple[bytes, bytes]:
    """Return the identifiers of its own key and of its issuer's (RFC 5280 section 4.2.1); empty if none."""
    from asn1crypto.x509 import Certificate

    try:
        read = Certificate.load(encoded(certificate))
        issuer = read.authority_key_identifier_value
        return read.key_identifier or b"", (issuer["key_identifier"].native or b"") if issuer else b""
    except Exception:  # what cannot be read names no key
        return b"", b""


def moment(text: str) -> datetime | None:
    """Return the UTC moment of a date of a certificate; `None` where it is none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def date_faults(certificate: CertificateInfo) -> tuple[str, ...]:
    """Return what is wrong with its dates in themselves: none, or date zero."""
    faults = []
    for name, text in (("notBefore", certificate.not_before), ("notAfter", certificate.not_after)):
        found = moment(text)
        if found is None:
            faults.append(next((each for each in certificate.faults if each.startswith(name)), f"{name} is no date"))
        elif found.year <= _EPOCH_YEAR:
            faults.append(f"{name} is date zero: {text}")
    return tuple(faults)


@remembered
def public_bits(certificate: CertificateInfo) -> bytes:
    """Return the contents of subjectPublicKey, to match private keys by; empty where they cannot be read."""
    from asn1crypto.x509 import Certificate

    try:
        body = Certificate.load(encoded(certificate))["tbs_certificate"]
        return bytes(body["subject_public_key_info"]["public_key"].contents[1:])
    except Exception:  # a broken certificate has no key to match
        return b""
