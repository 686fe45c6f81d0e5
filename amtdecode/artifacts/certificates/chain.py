"""The order of a chain, its completeness, its signatures, and the PEM file that holds it.

A chain goes from the leaf to the root, each certificate issued by the next (RFC 5246 section 7.4.2); AMT wants the
root in it, since it hashes it (Intel AMT Implementation and Reference Guide, remote configuration).
"""

from __future__ import annotations

import base64
import enum
import itertools
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

from amtdecode.artifacts.certificates.facts import (
    encoded,
    key_identifiers,
    name_key,
    name_of,
    public_bits,
    self_issued,
)
from amtdecode.artifacts.certificates.remembered import remembered, remembering

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from amtdecode.protocols.tls.certificates import CertificateInfo

MAX_STEPS = 64
"""Steps taken to find the way from a leaf to its root; real chains take three or four."""
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
        """Whether it ends in a root."""
        return bool(self.certificates) and is_root(self.certificates[-1])


@remembering()
def order_chain(certificates: Sequence[CertificateInfo]) -> Chain:
    """Put certificates in order from the leaf to the root, whatever order they come in.

    The leaf is the certificate that issued none of the others; of several, one that is no authority, then the one with
    the longest way to its root, then the first. A certificate is an issuer by name, and where several bear the name, by
    signature. Of several ways to a root, that counts which the given order follows furthest, then the shortest.
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
    subjects: dict[str, list[CertificateInfo]] = {}
    for each in remaining:
        if each.subject_der:
            subjects.setdefault(name_key(each.subject_der), []).append(each)
    parents = {name_key(each.issuer_der) for each in remaining if each.issuer_der and not self_issued(each)}
    given = list(remaining)
    leaves = [each for each in remaining if not each.subject_der or name_key(each.subject_der) not in parents]
    ways = [_way(leaf, subjects, given) for leaf in leaves or remaining[:1]]
    way = max(ways, key=lambda each: (each[0].authority is not True, len(each)))
    members = {encoded(each) for each in way}
    strays = [each for each in remaining if encoded(each) not in members]
    return Chain(tuple(way), tuple(strays), tuple(copies))


def _way(
    leaf: CertificateInfo, subjects: Mapping[str, Sequence[CertificateInfo]], given: Sequence[CertificateInfo]
) -> list[CertificateInfo]:
    """Find the way from a leaf to a root; the longest way where none leads to one.

    Authorities that sign for each other have several certificates of one name, so there may be several ways, and
    circles; `MAX_STEPS` bounds the search.
    """
    best: list[CertificateInfo] = [leaf]
    ends: list[list[CertificateInfo]] = []
    pending = deque([[leaf]])
    for _ in range(MAX_STEPS):
        if not pending:
            break
        way = pending.popleft()
        top = way[-1]
        if len(way) > len(best):
            best = way
        been = {_identity(each) for each in way}
        issuers = [each for each in subjects.get(name_key(top.issuer_der), ()) if _identity(each) not in been]
        proved = [each for each in issuers if verify(each, top) is Signature.GOOD] if len(issuers) > 1 else []
        if is_root(top) and not (verify(top, top) is Signature.BAD and _signed_by_any(top, issuers)):
            ends.append(way)
        else:
            pending.extend([*way, each] for each in (proved or issuers)[:MAX_STEPS])
    if not ends:
        return best
    return min(ends, key=lambda way: (-_follows(way, given), len(way)))


def _identity(certificate: CertificateInfo) -> tuple[bytes, bytes]:
    """Name and key of an authority: certificates that agree in both say the same of who signs."""
    return certificate.subject_der, public_bits(certificate)


def _signed_by_any(certificate: CertificateInfo, others: Sequence[CertificateInfo]) -> bool:
    return any(verify(each, certificate) is Signature.GOOD for each in others)


def _follows(way: Sequence[CertificateInfo], given: Sequence[CertificateInfo]) -> int:
    """Certificates from the leaf on that stand in the given order."""
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] is pair[1], zip(way, given, strict=False)))


def is_root(certificate: CertificateInfo) -> bool:
    """Whether a certificate is a root, as far as it says itself.

    It bears the same name as subject and issuer, and its key identifiers do not name another key: an authority that
    changes its key issues itself certificates that are self-issued, but not self-signed (RFC 5280 section 3.2).
    """
    if not self_issued(certificate):
        return False
    own, issuer = key_identifiers(certificate)
    return not own or not issuer or own == issuer


def verify(issuer: CertificateInfo, child: CertificateInfo) -> Signature:
    """Verify the signature of `child` with the key of `issuer`; weak keys and digests are no reason to refuse."""
    return _verified(encoded(issuer), encoded(child))


@remembered
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
        parameters = algorithm["parameters"]
        salt = int(parameters["salt_length"].native)
        mask = digests.get(parameters["mask_gen_algorithm"]["parameters"]["algorithm"].native)
        if mask is None:
            return Signature.UNKNOWN
        key.verify(value, content, padding.PSS(padding.MGF1(mask()), salt), digest())
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
