"""Object identifiers of X.509 certificates, with the names people know them by."""

from __future__ import annotations

from typing import Final

PURPOSES: Final = {
    "2.16.840.1.113741.1.2.1": "Intel AMT remote console",
    "2.16.840.1.113741.1.2.2": "Intel AMT local console",
    "2.16.840.1.113741.1.2.3": "Intel AMT setup",
    "1.3.6.1.5.5.7.3.1": "serverAuth",
    "1.3.6.1.5.5.7.3.2": "clientAuth",
    "1.3.6.1.5.5.7.3.3": "codeSigning",
    "1.3.6.1.5.5.7.3.4": "emailProtection",
    "1.3.6.1.5.5.7.3.8": "timeStamping",
    "1.3.6.1.5.5.7.3.9": "OCSPSigning",
    "2.5.29.37.0": "anyExtendedKeyUsage",
    "1.3.6.1.4.1.311.10.3.3": "Microsoft server gated crypto",
    "2.16.840.1.113730.4.1": "Netscape server gated crypto",
}
"""Extended key usages by OID: RFC 5280, section 4.2.1.12, and the vendors'."""

ATTRIBUTES: Final = {
    "2.5.4.3": "CN",
    "2.5.4.4": "SN",
    "2.5.4.5": "serialNumber",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.9": "street",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "2.5.4.12": "title",
    "2.5.4.15": "businessCategory",
    "2.5.4.17": "postalCode",
    "2.5.4.42": "GN",
    "2.5.4.97": "organizationIdentifier",
    "0.9.2342.19200300.100.1.1": "UID",
    "0.9.2342.19200300.100.1.25": "DC",
    "1.2.840.113549.1.9.1": "emailAddress",
    "1.2.840.113549.1.9.2": "unstructuredName",
    "1.3.6.1.4.1.311.60.2.1.1": "jurisdictionL",
    "1.3.6.1.4.1.311.60.2.1.2": "jurisdictionST",
    "1.3.6.1.4.1.311.60.2.1.3": "jurisdictionC",
}
"""Short names of name attributes: RFC 4514, section 3, RFC 4519, and what is usual beyond them."""

SIGNATURE_ALGORITHMS: Final = {
    "1.2.840.113549.1.1.2": ("md2WithRSAEncryption", "md2"),
    "1.2.840.113549.1.1.4": ("md5WithRSAEncryption", "md5"),
    "1.2.840.113549.1.1.5": ("sha1WithRSAEncryption", "sha1"),
    "1.3.14.3.2.29": ("sha1WithRSA", "sha1"),
    "1.2.840.113549.1.1.10": ("rsassaPss", ""),
    "1.2.840.113549.1.1.11": ("sha256WithRSAEncryption", "sha256"),
    "1.2.840.113549.1.1.12": ("sha384WithRSAEncryption", "sha384"),
    "1.2.840.113549.1.1.13": ("sha512WithRSAEncryption", "sha512"),
    "1.2.840.113549.1.1.14": ("sha224WithRSAEncryption", "sha224"),
    "1.2.840.10040.4.3": ("dsa-with-SHA1", "sha1"),
    "2.16.840.1.101.3.4.3.2": ("dsa-with-SHA256", "sha256"),
    "1.2.840.10045.4.1": ("ecdsa-with-SHA1", "sha1"),
    "1.2.840.10045.4.3.1": ("ecdsa-with-SHA224", "sha224"),
    "1.2.840.10045.4.3.2": ("ecdsa-with-SHA256", "sha256"),
    "1.2.840.10045.4.3.3": ("ecdsa-with-SHA384", "sha384"),
    "1.2.840.10045.4.3.4": ("ecdsa-with-SHA512", "sha512"),
    "1.3.101.112": ("Ed25519", ""),
    "1.3.101.113": ("Ed448", ""),
    "2.16.840.1.101.3.4.3.17": ("ML-DSA-44", ""),
    "2.16.840.1.101.3.4.3.18": ("ML-DSA-65", ""),
    "2.16.840.1.101.3.4.3.19": ("ML-DSA-87", ""),
}
"""Signature algorithms by OID, with the hash they use: RFC 3279, 4055, 5758, 8410, 9881."""


def name_of_purpose(oid: str) -> str:
    """Name of an extended key usage, Intel's with the OID behind it; the OID alone where it has no name here."""
    name = PURPOSES.get(oid)
    return oid if name is None else f"{name} ({oid})" if name.startswith("Intel") else name


KEYS: Final = {
    "1.2.840.113549.1.1.1": "rsaEncryption",
    "1.2.840.10040.4.1": "id-dsa",
    "1.2.840.10045.2.1": "id-ecPublicKey",
}
"""Algorithms of public keys: RFC 3279, section 2.3; RFC 5480, section 2.1."""

CURVES: Final = {
    "1.2.840.10045.3.1.7": "secp256r1",
    "1.3.132.0.34": "secp384r1",
    "1.3.132.0.35": "secp521r1",
}
"""RFC 5480, section 2.1.1.1."""

EXTENSIONS: Final = {
    "2.5.29.14": "subjectKeyIdentifier",
    "2.5.29.15": "keyUsage",
    "2.5.29.17": "subjectAltName",
    "2.5.29.18": "issuerAltName",
    "2.5.29.19": "basicConstraints",
    "2.5.29.30": "nameConstraints",
    "2.5.29.31": "cRLDistributionPoints",
    "2.5.29.32": "certificatePolicies",
    "2.5.29.35": "authorityKeyIdentifier",
    "2.5.29.36": "policyConstraints",
    "2.5.29.37": "extKeyUsage",
    "1.3.6.1.5.5.7.1.1": "authorityInfoAccess",
}
"""RFC 5280, section 4.2."""

ACCESS_METHODS: Final = {"1.3.6.1.5.5.7.48.1": "OCSP", "1.3.6.1.5.5.7.48.2": "caIssuers"}
"""RFC 5280, section 4.2.2.1."""

NAMES: Final[dict[str, str]] = {
    **PURPOSES,
    **ATTRIBUTES,
    **{oid: name for oid, (name, _) in SIGNATURE_ALGORITHMS.items()},
    **KEYS,
    **CURVES,
    **EXTENSIONS,
    **ACCESS_METHODS,
}
"""All of these together."""
