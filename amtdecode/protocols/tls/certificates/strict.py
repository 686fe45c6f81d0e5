"""Certificates that the library accepts (cryptography, which reads strict DER)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amtdecode.protocols.tls.certificates.info import MAX_NAMES
from amtdecode.protocols.tls.certificates.lenient import read_extensions_of
from amtdecode.protocols.tls.certificates.names import name_text
from amtdecode.protocols.tls.registry.oids import SIGNATURE_ALGORITHMS

if TYPE_CHECKING:
    from cryptography import x509


def read_accepted(
    certificate: x509.Certificate, values: dict[str, Any], faults: list[str], oddities: list[str]
) -> None:
    """Take over the fields of a certificate the library accepts; each may still be refused by itself."""
    readers = {
        "serial number": _serial,
        "subject": _subject,
        "issuer": _issuer,
        "validity": _validity,
        "signature algorithm": _signature,
        "public key": _key,
    }
    for what, reader in readers.items():
        try:
            reader(certificate, values)
        except Exception:  # the library's words are no reader's
            faults.append(f"{what} cannot be read")
    try:
        _extensions(certificate, values)
    except Exception:
        broken = read_extensions_of(certificate.public_bytes(_der()), values)
        # old issuers wrote out what DER leaves out, as `cA FALSE`: everything of it can be read all the same
        (faults if broken else oddities).append("extensions are no strict DER")


def _der() -> Any:
    from cryptography.hazmat.primitives.serialization import Encoding

    return Encoding.DER


def _serial(certificate: x509.Certificate, values: dict[str, Any]) -> None:
    values["version"] = certificate.version.value + 1
    values["serial"] = certificate.serial_number


def _attributes(name: x509.Name) -> list[tuple[str, str]]:
    return [(a.oid.dotted_string, a.value if isinstance(a.value, str) else a.value.hex()) for a in name]


def _subject(certificate: x509.Certificate, values: dict[str, Any]) -> None:
    attributes = _attributes(certificate.subject)
    values["subject"] = name_text(attributes)
    values["common_names"] = tuple(value for oid, value in attributes if oid == "2.5.4.3")
    values["units"] = tuple(value for oid, value in attributes if oid == "2.5.4.11")
    values["subject_der"] = certificate.subject.public_bytes()


def _issuer(certificate: x509.Certificate, values: dict[str, Any]) -> None:
    values["issuer"] = name_text(_attributes(certificate.issuer))
    values["issuer_der"] = certificate.issuer.public_bytes()


def _validity(certificate: x509.Certificate, values: dict[str, Any]) -> None:
    values["not_before"] = certificate.not_valid_before_utc.isoformat().replace("+00:00", "Z")
    values["not_after"] = certificate.not_valid_after_utc.isoformat().replace("+00:00", "Z")


def _signature(certificate: x509.Certificate, values: dict[str, Any]) -> None:
    oid = certificate.signature_algorithm_oid.dotted_string
    values["signature_algorithm"], values["signature_hash"] = SIGNATURE_ALGORITHMS.get(oid, (oid, ""))
    if not values["signature_hash"]:
        digest = certificate.signature_hash_algorithm
        values["signature_hash"] = digest.name if digest else ""


def _key(certificate: x509.Certificate, values: dict[str, Any]) -> None:
    from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa

    key = certificate.public_key()
    values["key_size"] = getattr(key, "key_size", -1)
    if isinstance(key, rsa.RSAPublicKey):
        values["key_type"] = "RSA"
    elif isinstance(key, ec.EllipticCurvePublicKey):
        values["key_type"], values["curve"] = "EC", key.curve.name
    elif isinstance(key, dsa.DSAPublicKey):
        values["key_type"] = "DSA"
    else:
        values["key_type"] = type(key).__name__.removesuffix("PublicKey").lstrip("_")


_USAGES = (
    ("digital_signature", "digitalSignature"),
    ("content_commitment", "nonRepudiation"),
    ("key_encipherment", "keyEncipherment"),
    ("data_encipherment", "dataEncipherment"),
    ("key_agreement", "keyAgreement"),
    ("key_cert_sign", "keyCertSign"),
    ("crl_sign", "cRLSign"),
)


def _extensions(certificate: x509.Certificate, values: dict[str, Any]) -> None:
    from cryptography import x509

    for extension in certificate.extensions:
        value = extension.value
        if isinstance(value, x509.SubjectAlternativeName):
            values["alternative_names"] = tuple(_alternative(name) for name in list(value)[:MAX_NAMES])
        elif isinstance(value, x509.ExtendedKeyUsage):
            values["purposes"] = tuple(oid.dotted_string for oid in list(value)[:MAX_NAMES])
        elif isinstance(value, x509.KeyUsage):
            values["key_usage"] = tuple(name for attribute, name in _USAGES if getattr(value, attribute))
        elif isinstance(value, x509.BasicConstraints):
            values["authority"], values["path_length"] = value.ca, value.path_length


def _alternative(name: x509.GeneralName) -> str:
    from cryptography import x509

    kinds = {x509.DNSName: "dns", x509.IPAddress: "ip", x509.RFC822Name: "email", x509.UniformResourceIdentifier: "uri"}
    kind = kinds.get(type(name))
    if kind:
        return f"{kind}:{name.value}"
    if isinstance(name, x509.DirectoryName):
        return f"dirname:{name_text(_attributes(name.value))}"
    if isinstance(name, x509.OtherName):
        return f"other:{name.type_id.dotted_string}"
    return f"other:{name.value}"
