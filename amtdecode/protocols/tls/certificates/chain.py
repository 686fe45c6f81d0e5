"""Chains of certificates: their order, and their fields."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from amtdecode.fields import BOOLEAN, BYTES, STRING, Field, Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amtdecode.protocols.tls.certificates.info import CertificateInfo


def _list(name: str, kind: Kind, meaning: str) -> Field:
    return Field(f"iamt.tls.certificate.{name}", kind, meaning, repeated=True)


CHAIN_FIELDS: Final = (
    _list("subject", STRING, "subjects, one entry a certificate"),
    _list("issuer", STRING, "issuers"),
    _list("serial", STRING, "serial numbers, hex"),
    Field(
        "iamt.tls.certificate.not_before",
        STRING,
        'begin of validity, ISO 8601, UTC; "" where it cannot be read',
        repeated=True,
    ),
    _list("not_after", STRING, "end of validity"),
    _list("key", STRING, "key types and sizes in bits"),
    _list("signature_algorithm", STRING, "signature algorithms"),
    _list("ou", STRING, "every organizational unit of the subject, joined by `; `"),
    _list("san", STRING, "alternative names, joined by `; `"),
    Field(
        "iamt.tls.certificate.eku", STRING, "extended key usages, joined by `; `; Intel's with their OID", repeated=True
    ),
    Field(
        "iamt.tls.certificate.ca",
        STRING,
        "whether it may issue certificates: true, false, or nothing said",
        repeated=True,
    ),
    _list("self_issued", BOOLEAN, "whether subject and issuer are the same name"),
    _list("sha1", BYTES, "SHA-1 fingerprints"),
    _list("sha256", BYTES, "SHA-256 fingerprints"),
    _list("sha384", BYTES, "SHA-384 fingerprints"),
    Field(
        "iamt.tls.certificate.chain_fault",
        STRING,
        "where the chain is out of order, has a gap, or no root",
        repeated=True,
    ),
)
"""What `chain_fields` and `chain_faults` give."""


def chain_faults(chain: Sequence[CertificateInfo]) -> tuple[str, ...]:
    """Say where a chain, the sender's certificate first, is out of order, has a gap, or does not reach a root.

    Names decide (RFC 5246, section 7.4.2): each certificate's issuer is the subject of the next. Signatures are not
    checked.
    """
    faults = []
    for index, (current, following) in enumerate(pairwise(chain)):
        if current.der == following.der:
            faults.append(f"certificate {index + 2} is the same as the one before it")
        elif current.issuer_der and current.issuer_der != following.subject_der:
            place = [at for at, other in enumerate(chain) if other.subject_der == current.issuer_der and at != index]
            if current.self_issued:
                faults.append(f"certificate {index + 2} follows a self-issued one")
            elif place:
                faults.append(
                    f"out of order: certificate {place[0] + 1}, not {index + 2}, issued certificate {index + 1}"
                )
            else:
                faults.append(f"gap: the issuer of certificate {index + 1} ({current.issuer}) is not in the chain")
    if chain and chain[-1].issuer_der and not any(info.self_issued for info in chain):
        subjects = {info.subject_der for info in chain}
        if chain[-1].issuer_der not in subjects:
            faults.append(f"no root: it ends with a certificate issued by {chain[-1].issuer}")
    return tuple(faults)


def chain_fields(chain: Sequence[CertificateInfo]) -> dict[str, Any]:
    """Give the fields of a chain: lists with one entry a certificate, several values in one entry joined by `; `."""
    return {
        "iamt.tls.certificate.subject": [info.subject for info in chain],
        "iamt.tls.certificate.issuer": [info.issuer for info in chain],
        "iamt.tls.certificate.serial": [info.serial_hex for info in chain],
        "iamt.tls.certificate.not_before": [info.not_before for info in chain],
        "iamt.tls.certificate.not_after": [info.not_after for info in chain],
        "iamt.tls.certificate.key": [info.key for info in chain],
        "iamt.tls.certificate.signature_algorithm": [info.signature_algorithm for info in chain],
        "iamt.tls.certificate.ou": ["; ".join(info.units) for info in chain],
        "iamt.tls.certificate.san": ["; ".join(info.alternative_names) for info in chain],
        "iamt.tls.certificate.eku": ["; ".join(info.purpose_names) for info in chain],
        "iamt.tls.certificate.ca": ["" if info.authority is None else str(info.authority).lower() for info in chain],
        "iamt.tls.certificate.self_issued": [info.self_issued for info in chain],
        "iamt.tls.certificate.sha1": [info.sha1 for info in chain],
        "iamt.tls.certificate.sha256": [info.sha256 for info in chain],
        "iamt.tls.certificate.sha384": [info.sha384 for info in chain],
    }
