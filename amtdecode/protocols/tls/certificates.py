"""X.509 certificates: the fields an administrator judges by.

`read_certificate` never raises: what the library refuses (a date of zero, serial 0, bytes behind the certificate, a
certificate that is cut) is read as far as it goes, piece by piece, and `faults` says what is broken.

Sources: RFC 5280; the purposes Intel defines: Intel AMT Implementation and Reference Guide, "Acquiring an Intel vPro
Certificate" (2.16.840.1.113741.1.2.1 remote console, .2 local console, .3 setup; the older mark of a setup certificate
is the organizational unit "Intel(R) Client Setup Certificate").
"""

from __future__ import annotations

import hashlib
import warnings
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography import x509

CACHED_CERTIFICATES = 512
CACHED_CERTIFICATE_SIZE = 8192  # bytes; larger ones are read again each time
CACHED_CHAIN_SIZE = 32768  # bytes
CACHED_NAME_SIZE = 1024  # bytes
MAX_NAMES = 256  # entries kept of one list inside a certificate (alternative names, purposes)

SETUP_UNIT = "Intel(R) Client Setup Certificate"
"""The organizational unit that marks a setup certificate, letter for letter."""

PURPOSES = {
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

ATTRIBUTES = {
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

SIGNATURES = {
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

_WEAK = {"md2", "md5"}


class CertificateInfo(msgspec.Struct, frozen=True):
    """One certificate, read as far as it goes. Texts are empty and numbers -1 where they could not be read."""

    der: bytes
    size: int  # bytes of the certificate itself; less than len(der) when bytes follow it
    version: int = -1  # as people say it: 3 for v3
    serial: int | None = None
    subject: str = ""  # in the order on the wire, as `C=US, O=Intel, OU=AMT, CN=amt01.example.com`
    issuer: str = ""
    common_names: tuple[str, ...] = ()
    units: tuple[str, ...] = ()  # every OU of the subject
    not_before: str = ""  # ISO 8601, UTC
    not_after: str = ""
    key_type: str = ""  # RSA, EC, DSA, Ed25519, …
    key_size: int = -1  # bits
    curve: str = ""
    signature_algorithm: str = ""
    signature_hash: str = ""  # md5, sha1, sha256, …
    alternative_names: tuple[str, ...] = ()  # `dns:host.example.com`, `ip:192.0.2.1`, …
    purposes: tuple[str, ...] = ()  # extended key usages, OIDs
    key_usage: tuple[str, ...] = ()
    authority: bool | None = None  # basicConstraints cA; None without that extension
    path_length: int | None = None
    self_issued: bool = False  # subject and issuer are the same name
    subject_der: bytes = b""
    issuer_der: bytes = b""
    sha1: str = ""
    sha256: str = ""
    sha384: str = ""
    faults: tuple[str, ...] = ()  # what is broken
    oddities: tuple[str, ...] = ()  # what is unusual but readable: serial 0, MD5, bytes behind

    @property
    def key(self) -> str:
        """Key type and size, as `RSA 2048`, `EC 256 (secp256r1)`."""
        size = f" {self.key_size}" if self.key_size >= 0 else ""
        return f"{self.key_type}{size}{f' ({self.curve})' if self.curve else ''}"

    @property
    def purpose_names(self) -> tuple[str, ...]:
        """The extended key usages by name, Intel's with their OID."""
        return tuple(_purpose(oid) for oid in self.purposes)

    @property
    def serial_hex(self) -> str:
        """The serial number as hex text, a sign before it when negative."""
        if self.serial is None:
            return ""
        digits = f"{abs(self.serial):x}"
        return ("-" if self.serial < 0 else "") + (f"0{digits}" if len(digits) & 1 else digits)


def _purpose(oid: str) -> str:
    name = PURPOSES.get(oid)
    return oid if name is None else f"{name} ({oid})" if name.startswith("Intel") else name


def read_certificate(der: bytes) -> CertificateInfo:
    """Read one certificate (DER, RFC 5280). Never raises: `faults` tells what is broken, `oddities` what is odd."""
    return _read_cached(der) if len(der) <= CACHED_CERTIFICATE_SIZE else _read(der)


class Chain(NamedTuple):
    """A chain, read; its fields are shared by all that sent it, and never changed."""

    certificates: tuple[CertificateInfo, ...]
    faults: tuple[str, ...]
    fields: dict[str, Any]


def read_chain(chain: tuple[bytes, ...]) -> Chain:
    """Read a chain of certificates (DER), the sender's own first. Never raises."""
    return _read_chain_cached(chain) if sum(map(len, chain)) <= CACHED_CHAIN_SIZE else _read_chain(chain)


def _read_chain(chain: tuple[bytes, ...]) -> Chain:
    infos = tuple(read_certificate(der) for der in chain)
    faults = chain_faults(infos)
    fields: dict[str, Any] = {"tls.handshake.certificate": [der.hex() for der in chain], **chain_fields(infos)}
    if faults:
        fields["iamt.tls.certificate.chain_fault"] = list(faults)
    return Chain(infos, faults, fields)


_read_chain_cached = lru_cache(128)(_read_chain)


def read_name(der: bytes) -> str:
    """Tell a distinguished name as text, in the order on the wire; its bytes as hex where it cannot be read."""
    return _read_name_cached(der) if len(der) <= CACHED_NAME_SIZE else _read_name(der)


def _read_name(der: bytes) -> str:
    try:
        from asn1crypto.x509 import Name

        return _name_text([(a["type"].dotted, _native(a["value"])) for rdn in Name.load(der).chosen for a in rdn])
    except Exception:
        return der.hex()


_read_name_cached = lru_cache(CACHED_CERTIFICATES)(_read_name)


def _native(value: Any) -> str:
    try:
        native = value.native
    except Exception:
        native = None
    return native if isinstance(native, str) else value.contents.hex() if native is None else str(native)


def _escape(text: str) -> str:
    for character in ("\\", ",", "+", '"', "<", ">", ";"):  # RFC 4514, section 2.4
        text = text.replace(character, "\\" + character)
    return text


def _name_text(attributes: Sequence[tuple[str, str]]) -> str:
    return ", ".join(f"{ATTRIBUTES.get(oid, oid)}={_escape(value)}" for oid, value in attributes)


def _read(der: bytes) -> CertificateInfo:
    values: dict[str, Any] = {
        "sha1": hashlib.sha1(der, usedforsecurity=False).hexdigest(),
        "sha256": hashlib.sha256(der).hexdigest(),
        "sha384": hashlib.sha384(der).hexdigest(),
        "size": len(der),
    }
    faults: list[str] = []
    oddities: list[str] = []
    from cryptography import x509

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library warns of oddities that are told here as events
        try:
            certificate = x509.load_der_x509_certificate(der)
        except Exception:
            from amtdecode.protocols.tls.odd_certificates import read_pieces

            read_pieces(der, values, faults, oddities)
        else:
            read_well_formed(certificate, values, faults, oddities)
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


_read_cached = lru_cache(CACHED_CERTIFICATES)(_read)


def read_well_formed(
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
        except Exception as error:
            faults.append(f"{what} cannot be read: {_first_line(error)}")
    try:
        _extensions(certificate, values)
    except Exception as error:
        from amtdecode.protocols.tls.odd_certificates import read_extensions_of

        broken = read_extensions_of(certificate.public_bytes(_der()), values)
        # old issuers wrote out what DER leaves out, as `cA FALSE`: everything of it can be read all the same
        why = f"extensions are no strict DER: {_first_line(error)}"
        (faults if broken else oddities).append(why)


def _der() -> Any:
    from cryptography.hazmat.primitives.serialization import Encoding

    return Encoding.DER


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines()
    return lines[0][:200] if lines else type(error).__name__


def _serial(certificate: x509.Certificate, values: dict[str, Any]) -> None:
    values["version"] = certificate.version.value + 1
    values["serial"] = certificate.serial_number


def _attributes(name: x509.Name) -> list[tuple[str, str]]:
    return [(a.oid.dotted_string, a.value if isinstance(a.value, str) else a.value.hex()) for a in name]


def _subject(certificate: x509.Certificate, values: dict[str, Any]) -> None:
    attributes = _attributes(certificate.subject)
    values["subject"] = _name_text(attributes)
    values["common_names"] = tuple(value for oid, value in attributes if oid == "2.5.4.3")
    values["units"] = tuple(value for oid, value in attributes if oid == "2.5.4.11")
    values["subject_der"] = certificate.subject.public_bytes()


def _issuer(certificate: x509.Certificate, values: dict[str, Any]) -> None:
    values["issuer"] = _name_text(_attributes(certificate.issuer))
    values["issuer_der"] = certificate.issuer.public_bytes()


def _validity(certificate: x509.Certificate, values: dict[str, Any]) -> None:
    values["not_before"] = certificate.not_valid_before_utc.isoformat().replace("+00:00", "Z")
    values["not_after"] = certificate.not_valid_after_utc.isoformat().replace("+00:00", "Z")


def _signature(certificate: x509.Certificate, values: dict[str, Any]) -> None:
    oid = certificate.signature_algorithm_oid.dotted_string
    values["signature_algorithm"], values["signature_hash"] = SIGNATURES.get(oid, (oid, ""))
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
        return f"dirname:{_name_text(_attributes(name.value))}"
    if isinstance(name, x509.OtherName):
        return f"other:{name.type_id.dotted_string}"
    return f"other:{name.value}"


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
    fields: dict[str, Any] = {
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
    return fields
