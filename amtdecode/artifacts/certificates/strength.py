"""Keys and signature algorithms, judged by what the AMT version takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.artifacts.certificates.chain import is_root
from amtdecode.artifacts.certificates.check import FAIL, GUIDE, PASS, UNKNOWN, WARN, Check, worst
from amtdecode.artifacts.certificates.facts import name_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from amtdecode.artifacts.certificates.suffix import Version
    from amtdecode.protocols.tls.certificates import CertificateInfo

SMALLEST, USUAL = 1024, 2048
"""RSA bits: below the first nothing is safe; below the second AMT 15-H and 16 refuse."""
LARGE_KEYS_SINCE: Version = (6,)
STRICT_SINCE: Version = (16,)
"""From here on no SHA-1 in a chain and no RSA below 2048 bits; on 15.0 it depends on the chip set (15.0-H)."""
PERHAPS_STRICT_SINCE: Version = (15,)
FIRST_GENERATIONS: Version = (4,)

_SOURCE = (
    f"{GUIDE}, root certificate hashes; Intel article 000090051 (SHA-1, root included); "
    "Microsoft SCCM documentation (4096 bits from AMT 6.0 on)"
)


def check_strength(chain: Sequence[CertificateInfo], version: Version | None) -> Iterator[Check]:
    """AMT-CERT-003, 004 and 005."""
    yield _judged(
        "AMT-CERT-003",
        "Key sizes",
        "Every key has a kind and size AMT takes.",
        "Issue the certificate again with an RSA key of 2048 bits.",
        [(each, *_key(each, version)) for each in chain],
    )
    yield _judged(
        "AMT-CERT-004",
        "Signature algorithms",
        "No certificate is signed with MD5 or SHA-1.",
        _newer_signatures(version),
        [(each, *_digest(each, version)) for each in chain],
    )
    modern = [each for each in chain if each.signature_hash in ("sha256", "sha384", "sha512") and not is_root(each)]
    if version is not None and version < FIRST_GENERATIONS and modern:
        text = "SHA-2 signatures on early firmware: AMT up to 3.x may not verify them (not confirmed by a document)."
        fix = "If the machine refuses the chain without another reason, try one signed with SHA-1."
        yield Check("AMT-CERT-005", "No SHA-2 on early firmware", WARN, text, fix, "inferred", (), _names(modern))
    else:
        yield Check("AMT-CERT-005", "No SHA-2 on early firmware", PASS, "No SHA-2 signature meets early firmware.")


def _newer_signatures(version: Version | None) -> str:
    if version is not None and version >= PERHAPS_STRICT_SINCE:
        return "Use a setup certificate in whose chain every certificate, the root too, is signed with SHA-256."
    return "Have the certificates issued again with SHA-256 signatures, if the firmware takes them."


def _judged(id_: str, title: str, fine: str, fix: str, judged: list[tuple[CertificateInfo, str, str]]) -> Check:
    outcome = worst(each[1] for each in judged)
    remarks = tuple(f"{name_of(each)}: {text}" for each, _, text in judged if text)
    grave = [text for _, result, text in judged if result == outcome and text]
    if outcome == PASS:
        return Check(id_, title, PASS, fine if not grave else grave[0], "", _SOURCE, (), remarks)
    named = next(name_of(each) for each, result, text in judged if result == outcome and text)
    return Check(id_, title, outcome, f"{named}: {grave[0]}", fix, _SOURCE, (), remarks)


def _key(certificate: CertificateInfo, version: Version | None) -> tuple[str, str]:
    size = certificate.key_size
    if certificate.key_type != "RSA":
        if size < 0 and not certificate.key_type:
            return UNKNOWN, "The key cannot be read."
        return WARN, f"A key of type {certificate.key}: RSA is the only kind documented for setup."
    if size < SMALLEST:
        return FAIL, f"RSA of {size} bits can be broken."
    if size < USUAL:
        if version is None:
            return WARN, f"RSA of {size} bits: normal in 2007, refused from AMT 15-H and 16 on."
        if version >= STRICT_SINCE:
            return FAIL, f"RSA of {size} bits: refused from AMT 16 on."
        if version >= PERHAPS_STRICT_SINCE:
            return WARN, f"RSA of {size} bits: refused by AMT 15 on desktop chip sets (15.0-H)."
        return PASS, f"RSA of {size} bits: normal for its time, weak today."
    if size > USUAL and version is not None and version < LARGE_KEYS_SINCE:
        return WARN, f"RSA of {size} bits: AMT before 6.0 may refuse more than 2048 (not verified)."
    if size > USUAL and version is None:
        return PASS, f"RSA of {size} bits: AMT before 6.0 may refuse it (not verified)."
    return PASS, ""


def _digest(certificate: CertificateInfo, version: Version | None) -> tuple[str, str]:
    own = certificate.signature_hash
    if own in ("md2", "md4", "md5"):
        if is_root(certificate) and (version is None or version < STRICT_SINCE):
            return (
                WARN,
                f"A root signed with {own.upper()}, which newer software refuses.",
            )
        return FAIL, f"Signed with {own.upper()}: such a signature can be forged."
    if own != "sha1":
        return (PASS, "") if certificate.signature_algorithm else (UNKNOWN, "The signature algorithm cannot be read.")
    if version is None:
        return WARN, "Signed with SHA-1: normal before 2011, refused from AMT 15-H and 16 on, in the root too."
    if version >= STRICT_SINCE:
        return FAIL, "Signed with SHA-1: AMT from 16 on refuses chains with SHA-1 in them, the root included."
    if version >= PERHAPS_STRICT_SINCE:
        return WARN, "Signed with SHA-1: AMT 15 on desktop chip sets (15.0-H) refuses it, the root included."
    return PASS, "Signed with SHA-1: normal for this firmware, forgeable today."


def _names(certificates: Sequence[CertificateInfo]) -> tuple[str, ...]:
    return tuple(f"{name_of(each)}: {each.signature_algorithm}" for each in certificates)
