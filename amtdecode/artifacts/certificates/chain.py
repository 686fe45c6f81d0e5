"""The order of a chain, its completeness, its signatures, and the PEM file that holds it.

A chain goes from the leaf to the root, each certificate issued by the next (RFC 5246 section 7.4.2); AMT wants the
root in it, since it hashes it (Intel AMT Implementation and Reference Guide, remote configuration).
"""

from __future__ import annotations

import base64
import enum
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from amtdecode.artifacts.certificates.facts import encoded, issued, name_of, self_issued

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from amtdecode.protocols.tls.certificates import CertificateInfo

PEM_LINE = 64
"""Characters of a PEM line (RFC 7468 section 2)."""


class Signature(enum.Enum):
    """What came of verifying a signature."""

    GOOD = "verifies"
    BAD = "does not verify"
    UNKNOWN = "cannot be verified here"


class Chain(NamedTuple):
    """Certificates put in order."""

    certificates: tuple[CertificateInfo, ...]  # leaf to root, as far as they join
    strays: tuple[CertificateInfo, ...]  # what joins nowhere
    copies: tuple[CertificateInfo, ...]  # what was there twice

    @property
    def complete(self) -> bool:
        """Whether it ends in a self-issued certificate."""
        return bool(self.certificates) and self_issued(self.certificates[-1])


def order_chain(certificates: Sequence[CertificateInfo]) -> Chain:
    """Put certificates in order from the leaf to the root, whatever order they come in.

    The leaf is the certificate that issued none of the others; of several, one marked as no authority, then the one
    with the longest way to its root, then the first. A certificate is an issuer by name, and where two bear the name,
    by signature.
    """
    unique: dict[bytes, CertificateInfo] = {}
    copies = []
    for each in certificates:
        if encoded(each) in unique:
            copies.append(each)
        else:
            unique[encoded(each)] = each
    remaining = list(unique.values())
    if not remaining:
        return Chain((), (), tuple(copies))
    leaves = [each for each in remaining if not any(issued(each, other) for other in remaining if other is not each)]
    ways = [_way(leaf, remaining) for leaf in leaves or remaining]
    way = max(ways, key=lambda each: (each[0].authority is not True, len(each)))
    strays = [each for each in remaining if each not in way]
    return Chain(tuple(way), tuple(strays), tuple(copies))


def _way(leaf: CertificateInfo, certificates: Sequence[CertificateInfo]) -> list[CertificateInfo]:
    way = [leaf]
    while not self_issued(way[-1]):
        issuers = [each for each in certificates if each not in way and issued(each, way[-1])]
        if not issuers:
            break
        proven = [each for each in issuers if verify(each, way[-1]) is Signature.GOOD] if len(issuers) > 1 else issuers
        way.append((proven or issuers)[0])
    return way


def verify(issuer: CertificateInfo, child: CertificateInfo) -> Signature:
    """Verify the signature of `child` with the key of `issuer`; weak keys and digests are no reason to refuse."""
    return _verified(encoded(issuer), encoded(child))


@lru_cache(1024)
def _verified(issuer: bytes, child: bytes) -> Signature:
    from asn1crypto.x509 import Certificate
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

    try:
        signed = Certificate.load(child)
        body = Certificate.load(issuer)["tbs_certificate"]
        spki = body["subject_public_key_info"].dump()
        content = signed["tbs_certificate"].dump()
        value = bytes(signed["signature_value"].native)
        return _verify(spki, content, value, signed["signature_algorithm"])
    except InvalidSignature:
        return Signature.BAD
    except UnsupportedAlgorithm:
        return Signature.UNKNOWN
    except Exception:  # a certificate that cannot be read has no signature to verify
        return Signature.UNKNOWN


def _verify(spki: bytes, content: bytes, value: bytes, algorithm: Any) -> Signature:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    digests: dict[str, Any] = {
        "md5": hashes.MD5,
        "sha1": hashes.SHA1,
        "sha224": hashes.SHA224,
        "sha256": hashes.SHA256,
        "sha384": hashes.SHA384,
        "sha512": hashes.SHA512,
    }
    key = load_der_public_key(spki)
    if isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
        key.verify(value, content)
        return Signature.GOOD
    digest = digests.get(algorithm.hash_algo)
    if digest is None:
        return Signature.UNKNOWN
    if isinstance(key, rsa.RSAPublicKey) and algorithm.signature_algo == "rsassa_pss":
        salt = int(algorithm["parameters"]["salt_length"].native)
        key.verify(value, content, padding.PSS(padding.MGF1(digest()), salt), digest())
    elif isinstance(key, rsa.RSAPublicKey):
        key.verify(value, content, padding.PKCS1v15(), digest())
    elif isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(value, content, ec.ECDSA(digest()))
    else:
        return Signature.UNKNOWN
    return Signature.GOOD


def write_pem(certificates: Iterable[CertificateInfo]) -> str:
    """Write certificates as a PEM file in the order given, each under comment-free armour, lines ending in LF.

    `order_chain(…).certificates` is the order that gSOAP and TLS want: leaf, each issuer in turn, root last.
    """
    blocks = []
    for each in certificates:
        text = base64.b64encode(encoded(each)).decode("ascii")
        lines = [text[at : at + PEM_LINE] for at in range(0, len(text), PEM_LINE)]
        blocks.append("\n".join(("-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", "")))
    return "".join(blocks)


def describe(chain: Iterable[CertificateInfo]) -> str:
    """Return the names of a chain, from the leaf on."""
    return " <- ".join(name_of(each) for each in chain) or "(none)"
