"""Reads certificates: strictly where the library accepts them, else piece by piece, as far as they go."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from amtdecode.counting import counted
from amtdecode.protocols.tls.certificates.info import CertificateInfo

if TYPE_CHECKING:
    from cryptography import x509

_WEAK = {"md2", "md5"}


def read_certificate(der: bytes) -> CertificateInfo:
    """Read one certificate (DER, RFC 5280). Never raises: `faults` tells what is broken, `oddities` what is odd."""
    import hashlib  # OpenSSL comes with it

    values: dict[str, Any] = {
        "sha1": hashlib.sha1(der, usedforsecurity=False).hexdigest(),
        "sha256": hashlib.sha256(der).hexdigest(),
        "sha384": hashlib.sha384(der).hexdigest(),
        "size": len(der),
    }
    faults: list[str] = []
    oddities: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library warns of oddities that are given here
        certificate = _accepted(der)
        if certificate is None:
            from amtdecode.protocols.tls.certificates.lenient import claimed_size, read_pieces

            if 0 < (size := claimed_size(der)) < len(der):
                oddities.append(f"{counted(len(der) - size, 'byte')} behind the certificate")
                values["size"] = size
                certificate = _accepted(der[:size])
        if certificate is None:
            read_pieces(der, values, faults)
        else:
            from amtdecode.protocols.tls.certificates.strict import read_accepted

            read_accepted(certificate, values, faults, oddities)
    serial = values.get("serial")
    if serial is not None and serial <= 0:
        oddities.append("serial number is zero" if serial == 0 else "serial number is negative")
    if values.get("signature_hash") in _WEAK:
        oddities.append(f"signed with {values['signature_hash'].upper()}, which can be forged")
    before, after = values.get("not_before"), values.get("not_after")
    if before and after and before > after:
        oddities.append(f"ends ({after}) before it begins ({before})")
    subject = values.get("subject_der")
    values["self_issued"] = bool(subject) and subject == values.get("issuer_der")
    return CertificateInfo(der, faults=tuple(faults), oddities=tuple(oddities), **values)


def _accepted(der: bytes) -> x509.Certificate | None:
    """Give the certificate as the library reads it; `None` where it refuses."""
    from cryptography import x509

    try:
        return x509.load_der_x509_certificate(der)
    except Exception:
        return None
