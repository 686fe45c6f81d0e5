"""Signatures of a chain, by every kind of key that signs certificates: right, tampered with, and of another key."""

from __future__ import annotations

import datetime as dt

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from amtdecode.artifacts.certificates import read_bundle
from amtdecode.artifacts.certificates.chain import Chain, Signature, is_root, order_chain, verify, write_pem

DAY = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
LEAF_KEY = ec.generate_private_key(ec.SECP256R1())
RSA_KEYS = [rsa.generate_private_key(65537, 2048) for _ in range(2)]


def name_of(text):
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def issued(subject, key, issuer, signer, digest, pad=None):
    builder = x509.CertificateBuilder(name_of(issuer), name_of(subject), key.public_key(), 5, DAY, DAY)
    builder = builder.add_extension(x509.BasicConstraints(subject != "leaf", None), critical=True)
    return builder.sign(signer, digest, rsa_padding=pad).public_bytes(Encoding.DER)


def read(der):
    return read_bundle(der).certificates[0]


def pss(salt):
    return padding.PSS(padding.MGF1(hashes.SHA256()), salt)


KINDS = {
    "RSA, SHA-256": (lambda: RSA_KEYS, hashes.SHA256(), None),
    "RSA, SHA-224": (lambda: RSA_KEYS, hashes.SHA224(), None),
    "RSA, SHA-384": (lambda: RSA_KEYS, hashes.SHA384(), None),
    "RSA, SHA-512": (lambda: RSA_KEYS, hashes.SHA512(), None),
    "PSS, salt of 32": (lambda: RSA_KEYS, hashes.SHA256(), pss(32)),
    "PSS, salt of 20": (lambda: RSA_KEYS, hashes.SHA256(), pss(20)),
    "PSS, no salt": (lambda: RSA_KEYS, hashes.SHA256(), pss(0)),
    "ECDSA P-256": (lambda: [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)], hashes.SHA256(), None),
    "ECDSA P-384": (lambda: [ec.generate_private_key(ec.SECP384R1()) for _ in range(2)], hashes.SHA384(), None),
    "ECDSA P-521": (lambda: [ec.generate_private_key(ec.SECP521R1()) for _ in range(2)], hashes.SHA512(), None),
    "Ed25519": (lambda: [ed25519.Ed25519PrivateKey.generate() for _ in range(2)], None, None),
    "Ed448": (lambda: [ed448.Ed448PrivateKey.generate() for _ in range(2)], None, None),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_signature_verifies_with_the_key_that_made_it_alone(kind):
    keys, digest, pad = KINDS[kind]
    own, other = keys()
    root = read(issued("root", own, "root", own, digest, pad))
    impostor = read(issued("root", other, "root", other, digest, pad))
    der = issued("leaf", LEAF_KEY, "root", own, digest, pad)
    leaf = read(der)
    assert verify(root, leaf) is Signature.GOOD
    assert verify(root, root) is Signature.GOOD
    assert verify(impostor, leaf) is Signature.BAD
    assert verify(leaf, leaf) is not Signature.GOOD
    later = der.replace(b"260101000000Z", b"270101000000Z")  # what is signed
    assert verify(root, read(later)) is Signature.BAD
    assert order_chain([impostor, leaf, root]) == Chain((leaf, root), (impostor,), ())
    assert order_chain([root, leaf, leaf]) == Chain((leaf, root), (), (leaf,))
    assert order_chain([root, leaf]).complete
    assert not order_chain([leaf]).complete


def test_a_key_of_another_kind_is_no_proof_of_anything():
    keys = dsa.generate_private_key(1024), RSA_KEYS[0]
    by_dsa = read(issued("root", keys[0], "root", keys[0], hashes.SHA256()))
    assert verify(by_dsa, by_dsa) is Signature.UNKNOWN
    leaf = read(issued("leaf", LEAF_KEY, "root", RSA_KEYS[0], hashes.SHA256()))
    assert verify(leaf, leaf) is not Signature.GOOD


@pytest.mark.parametrize("mask", ["sha1", "sha256", "sha512"])
def test_the_mask_of_a_pss_signature_may_have_a_digest_of_its_own(openssl, tmp_path, mask):
    """RFC 4055, section 3.1: hashAlgorithm and maskGenAlgorithm are two parameters."""
    path = tmp_path / "pss.pem"
    openssl.run(
        *("req", "-x509", "-new", "-key", openssl.key("root"), "-subj", "/CN=root", "-days", "5", "-sha256"),
        *("-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32", "-sigopt", f"rsa_mgf1_md:{mask}"),
        *("-out", path),
    )
    (root,) = read_bundle(path.read_bytes()).certificates
    assert verify(root, root) is Signature.GOOD
    assert is_root(root)


def test_a_chain_is_written_in_its_order_and_read_again(chain):
    text = write_pem(chain)
    assert list(read_bundle(text.encode()).certificates) == list(chain)
    assert max(map(len, text.splitlines())) == 64
    assert text.count("-----BEGIN CERTIFICATE-----\n") == 3
    assert text.endswith("-----END CERTIFICATE-----\n")
    assert write_pem([]) == ""
