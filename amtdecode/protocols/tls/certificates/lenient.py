"""Certificates the library refuses, read piece by piece as far as they go.

A certificate is cut into its elements by hand (X.690, section 8.1: tag, length, content), so that one broken element, a
cut end or bytes behind it leave the rest readable; each element is then read by asn1crypto on its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from amtdecode.protocols.tls.certificates.info import MAX_NAMES
from amtdecode.protocols.tls.certificates.names import name_text
from amtdecode.protocols.tls.registry.oids import SIGNATURE_ALGORITHMS

if TYPE_CHECKING:
    from collections.abc import Callable

_SEQUENCE, _INTEGER, _VERSION, _EXTENSIONS = 0x30, 0x02, 0xA0, 0xA3
_MAX_ELEMENTS = 64  # elements looked at inside one


class _Element(NamedTuple):
    """One element: its tag, all its bytes that are there, where its content begins, and the size it claims."""

    tag: int
    data: bytes
    head: int
    claimed: int

    @property
    def content(self) -> bytes:
        return self.data[self.head :]

    @property
    def missing(self) -> int:
        return self.claimed - len(self.data)


def _element(data: bytes, at: int) -> _Element | None:
    """Find the element at `at`, perhaps cut; `None` where no tag and length stand there."""
    if at + 2 > len(data):
        return None
    tag, first = data[at], data[at + 1]
    head = 2
    size = first
    if first & 0x80:
        count = first & 0x7F
        if not 1 <= count <= 4 or at + 2 + count > len(data):
            return None
        size, head = int.from_bytes(data[at + 2 : at + 2 + count], "big"), 2 + count
    return _Element(tag, data[at : at + head + size], head, head + size)


def _elements(data: bytes) -> list[_Element]:
    found: list[_Element] = []
    at = 0
    while at < len(data) and len(found) < _MAX_ELEMENTS:
        element = _element(data, at)
        if element is None:
            break
        found.append(element)
        at += element.claimed
    return found


def claimed_size(der: bytes) -> int:
    """Bytes the outermost element claims, its head included; 0 where none stands there."""
    outer = _element(der, 0)
    return outer.claimed if outer is not None and outer.tag == _SEQUENCE else 0


def read_pieces(der: bytes, values: dict[str, Any], faults: list[str]) -> None:
    """Fill `values` (fields of `CertificateInfo`) from a certificate the library refuses."""
    outer = _element(der, 0)
    if outer is None or outer.tag != _SEQUENCE:
        faults.append("is not a DER certificate")
        return
    values["size"] = min(outer.claimed, len(der))
    if outer.missing > 0:
        faults.append(f"is cut: {len(der)} bytes of {outer.claimed}")
    parts = _elements(outer.content)
    if not parts or parts[0].tag != _SEQUENCE:
        faults.append("has no content")
        return
    found = len(faults)
    _read_content(_elements(parts[0].content), values, faults)
    if len(parts) > 1 and not values.get("signature_algorithm"):
        _try("signature algorithm", _signature, parts[1], values, faults)
    if len(faults) == found and outer.missing <= 0:
        faults.append("is refused by the X.509 reader; read piece by piece")


def _read_content(parts: list[_Element], values: dict[str, Any], faults: list[str]) -> None:
    """Read TBSCertificate (RFC 5280, section 4.1) element by element."""
    values["version"] = 1
    if parts and parts[0].tag == _VERSION:
        version = _elements(parts[0].content)
        if version and version[0].content:
            values["version"] = int.from_bytes(version[0].content[:4], "big", signed=True) + 1
        parts = parts[1:]
    readers: tuple[tuple[str, Callable[[_Element, dict[str, Any], list[str]], None]], ...] = (
        ("serial number", _serial),
        ("signature algorithm", _signature),
        ("issuer", _issuer),
        ("validity", _validity),
        ("subject", _subject),
        ("public key", _key),
    )
    for (what, reader), part in zip(readers, parts, strict=False):
        _try(what, reader, part, values, faults)
    if len(parts) < len(readers):
        faults.append(f"stops before its {readers[len(parts)][0]}")
    for part in parts[len(readers) :]:
        if part.tag == _EXTENSIONS:
            _try("extensions", _extensions, part, values, faults)


def _try(
    what: str,
    reader: Callable[[_Element, dict[str, Any], list[str]], None],
    part: _Element,
    values: dict[str, Any],
    faults: list[str],
) -> None:
    if part.missing > 0:
        faults.append(f"{what} is cut")
    try:
        reader(part, values, faults)
    except Exception:
        if part.missing <= 0:
            faults.append(f"{what} cannot be read")


def _serial(part: _Element, values: dict[str, Any], faults: list[str]) -> None:
    if part.tag != _INTEGER or not part.content:
        faults.append("serial number cannot be read")
        return
    values["serial"] = int.from_bytes(part.content[:64], "big", signed=True)


def _signature(part: _Element, values: dict[str, Any], _faults: list[str]) -> None:
    from asn1crypto.core import ObjectIdentifier

    oid = ObjectIdentifier.load(_elements(part.content)[0].data).dotted
    values["signature_algorithm"], values["signature_hash"] = SIGNATURE_ALGORITHMS.get(oid, (oid, ""))


def _attributes(part: _Element) -> list[tuple[str, str]]:
    """Attributes of a name, as many as can be read."""
    from asn1crypto.core import ObjectIdentifier

    found = []
    for rdn in _elements(part.content):
        for attribute in _elements(rdn.content):
            pair = _elements(attribute.content)
            if len(pair) < 2:
                continue
            encoding = "utf-16-be" if pair[1].tag == 0x1E else "utf-8"  # BMPString
            found.append(
                (ObjectIdentifier.load(pair[0].data).dotted, pair[1].content.decode(encoding, "backslashreplace"))
            )
    return found


def _issuer(part: _Element, values: dict[str, Any], _faults: list[str]) -> None:
    values["issuer_der"] = part.data
    values["issuer"] = name_text(_attributes(part))


def _subject(part: _Element, values: dict[str, Any], _faults: list[str]) -> None:
    attributes = _attributes(part)
    values["subject_der"] = part.data
    values["subject"] = name_text(attributes)
    values["common_names"] = tuple(value for oid, value in attributes if oid == "2.5.4.3")
    values["units"] = tuple(value for oid, value in attributes if oid == "2.5.4.11")


def _validity(part: _Element, values: dict[str, Any], faults: list[str]) -> None:
    from asn1crypto.x509 import Time

    times = _elements(part.content)
    for name, what, time in zip(("not_before", "not_after"), ("notBefore", "notAfter"), times, strict=False):
        try:
            native = Time.load(time.data).native
            values[name] = native.isoformat().replace("+00:00", "Z")
        except Exception:
            faults.append(f"{what} is no date: {time.content[:32].decode('latin-1')!r}")


def _key(part: _Element, values: dict[str, Any], _faults: list[str]) -> None:
    from asn1crypto.keys import PublicKeyInfo

    key = PublicKeyInfo.load(part.data)
    values["key_type"] = {"rsa": "RSA", "ec": "EC", "dsa": "DSA"}.get(key.algorithm, str(key.algorithm))
    values["key_size"] = key.bit_size
    if key.algorithm == "ec":
        values["curve"] = str(key.curve[1])


def _extensions(part: _Element, values: dict[str, Any], faults: list[str]) -> None:
    from asn1crypto.x509 import Extension

    for outer in _elements(part.content):
        for element in _elements(outer.content):
            try:
                extension = Extension.load(element.data)
                _extension(extension["extn_id"].dotted, extension["extn_value"].parsed, values)
            except Exception:
                faults.append("an extension cannot be read")


def _extension(oid: str, value: Any, values: dict[str, Any]) -> None:
    if oid == "2.5.29.17":  # subjectAltName
        kinds = {"dns_name": "dns", "ip_address": "ip", "rfc822_name": "email", "uniform_resource_identifier": "uri"}
        names = list(value)[:MAX_NAMES]
        values["alternative_names"] = tuple(f"{kinds.get(name.name, 'other')}:{name.native}" for name in names)
    elif oid == "2.5.29.37":  # extKeyUsage
        values["purposes"] = tuple(purpose.dotted for purpose in list(value)[:MAX_NAMES])
    elif oid == "2.5.29.19":  # basicConstraints
        values["authority"] = bool(value["ca"].native)
        values["path_length"] = value["path_len_constraint"].native


def read_extensions_of(der: bytes, values: dict[str, Any]) -> list[str]:
    """Fill in what can be read of extensions the library refuses as a whole; say what cannot be read."""
    faults: list[str] = []
    outer = _element(der, 0)
    content = _elements(outer.content) if outer else []
    for part in _elements(content[0].content) if content else ():
        if part.tag == _EXTENSIONS:
            _extensions(part, values, faults)
    return faults
