"""The elements of an X.509 certificate (RFC 5280) with their places, for `Observation.tree()`.

Names, values and places are those of tshark (x509af, x509if, x509sat, x509ce, pkix1implicit, pkcs1, ber). Reads DER
(X.690, section 8.1) by hand: of a certificate that breaks the rules, the elements that stand where they must.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from amtdecode.protocols.tls.certificates.tree_fields import FIELDS, GENERAL_NAMES, KEY_USES, STRINGS, TIMES
from amtdecode.protocols.tls.registry.oids import NAMES
from amtdecode.tree import Node, node

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MAX_ELEMENTS: Final = 64
"""Elements read inside one; no certificate has as many extensions or names."""

_INTEGER, _BIT_STRING, _OCTET_STRING, _OID, _BOOLEAN, _SEQUENCE = 0x02, 0x03, 0x04, 0x06, 0x01, 0x30
_COUNTRY, _SERIAL_NUMBER, _DN_QUALIFIER = "2.5.4.6", "2.5.4.5", "2.5.4.46"
_RSA, _EC = "1.2.840.113549.1.1.1", "1.2.840.10045.2.1"
_PLAIN: Final = {_COUNTRY: "CountryName", _SERIAL_NUMBER: "PrintableString", _DN_QUALIFIER: "PrintableString"}


class _Element(NamedTuple):
    """One element: its tag, and where it, its content and what follows it begin in the certificate."""

    tag: int
    start: int
    content: int
    end: int


class _BrokenError(Exception):
    """An element is not what must stand there."""


class _Reader:
    """Reads one certificate; `base` is where it stands in its message."""

    def __init__(self, der: bytes, base: int, most: int) -> None:
        self.der = der
        self.base = base
        self.left = most

    # -- elements and nodes --------------------------------------------------------------------------------------

    def element(self, at: int, end: int) -> _Element:
        """The element at `at`, which must end before `end`."""
        der = self.der
        if at + 2 > end:
            raise _BrokenError
        tag, size = der[at], der[at + 1]
        content = at + 2
        if size & 0x80:
            count = size & 0x7F
            if not 1 <= count <= 4 or content + count > end:
                raise _BrokenError
            size, content = int.from_bytes(der[content : content + count], "big"), content + count
        if content + size > end:
            raise _BrokenError
        return _Element(tag, at, content, content + size)

    def inside(self, outer: _Element, skip: int = 0) -> list[_Element]:
        """The elements in the content of one, behind its first `skip` bytes."""
        found: list[_Element] = []
        at = outer.content + skip
        while at < outer.end and len(found) < MAX_ELEMENTS:
            found.append(self.element(at, outer.end))
            at = found[-1].end
        return found

    def value(self, element: _Element) -> bytes:
        return self.der[element.content : element.end]

    def oid(self, element: _Element) -> str:
        """An object identifier in dotted form (X.690, section 8.19)."""
        if element.tag != _OID and element.tag & 0xC0 != 0x80:
            raise _BrokenError
        arcs, arc = [], 0
        for byte in self.value(element):
            arc = arc << 7 | byte & 0x7F
            if arc >> 128:  # an arc of UUIDs has 128 bits
                raise _BrokenError
            if not byte & 0x80:
                arcs.append(arc)
                arc = 0
        if not arcs:
            raise _BrokenError
        first = min(arcs[0] // 40, 2)
        return ".".join(str(each) for each in (first, arcs[0] - 40 * first, *arcs[1:]))

    def whole(self, name: str, value: Any, element: _Element, children: Iterable[Node] = (), words: str = "") -> Node:
        """The node of a field that takes the whole element."""
        return self.node(name, value, element.start, element.end, children, words)

    def content(self, name: str, value: Any, element: _Element, children: Iterable[Node] = ()) -> Node:
        """The node of a field that takes the content of the element."""
        return self.node(name, value, element.content, element.end, children)

    def node(self, name: str, value: Any, start: int, end: int, children: Iterable[Node] = (), words: str = "") -> Node:
        below = tuple(children)
        if not self.left:
            raise _BrokenError
        self.left -= 1
        return node(FIELDS[name], value, self.base + start, end - start, below, words)

    def each(self, read: Callable[[_Element], Node], elements: Iterable[_Element]) -> tuple[Node, ...]:
        """The nodes of elements, up to the first that is broken."""
        found: list[Node] = []
        with suppress(_BrokenError):
            found.extend(map(read, elements))
        return tuple(found)

    # -- the certificate -----------------------------------------------------------------------------------------

    def certificate(self) -> tuple[Node, ...]:
        found: list[Node] = []
        with suppress(_BrokenError):
            parts = self.inside(self.element(0, len(self.der)))
            readers: list[Callable[[_Element], Iterable[Node]]] = [
                lambda one: [self.signed(one)],
                lambda one: [self.algorithm("x509af.algorithmIdentifier_element", one)],
                lambda one: self.bits("x509af.encrypted", one, lambda _: ()),
            ]
            for read, part in zip(readers, parts, strict=False):
                found += read(part)
        return tuple(found)

    def signed(self, outer: _Element) -> Node:
        parts = self.inside(outer)
        readers: list[Callable[[_Element], Iterable[Node]]] = [
            lambda one: [self.content("x509af.serialNumber", self.value(one), one)],
            lambda one: [self.algorithm("x509af.signature_element", one)],
            lambda one: [self.name("x509af.issuer", "x509if.rdnSequence", one)],
            lambda one: [self.whole("x509af.validity_element", None, one, self.validity(one))],
            lambda one: [self.name("x509af.subject", "x509af.rdnSequence", one)],
            lambda one: [self.whole("x509af.subjectPublicKeyInfo_element", None, one, self.key(one))],
        ]
        if parts and parts[0].tag == 0xA0:
            readers.insert(0, self.version)
        found: list[Node] = []
        with suppress(_BrokenError):
            for read, part in zip(readers, parts, strict=False):
                found += read(part)
            for part in parts[len(readers) :]:
                if part.tag == 0xA3:
                    for listed in self.inside(part)[:1]:
                        extensions = self.inside(listed)
                        below = self.each(self.extension, extensions)
                        found.append(self.content("x509af.extensions", len(extensions), listed, below))
        return self.whole("x509af.signedCertificate_element", None, outer, found)

    def version(self, outer: _Element) -> list[Node]:
        return [self.content("x509af.version", self.number(one), one) for one in self.inside(outer)[:1]]

    def number(self, element: _Element) -> int:
        if element.end - element.content > 8:
            raise _BrokenError
        return int.from_bytes(self.value(element), "big", signed=True)

    def algorithm(self, name: str, outer: _Element) -> Node:
        parts = self.inside(outer)
        found = []
        for one in parts[:1]:
            oid = self.oid(one)
            found.append(self.content("x509af.algorithm.id", oid, one))
            if oid == _EC and len(parts) > 1 and parts[1].tag == _OID:
                curve = self.content("pkcs1.namedCurve", self.oid(parts[1]), parts[1])
                found.append(self.whole("pkcs1.ECParameters", 1, parts[1], [curve]))
        return self.whole(name, None, outer, found)

    def bits(self, name: str, element: _Element, below: Callable[[_Element], Iterable[Node]]) -> list[Node]:
        """A BIT STRING: how many bits do not count, then the bytes."""
        at = element.content
        if element.tag != _BIT_STRING or at == element.end:
            raise _BrokenError
        padding = self.node("ber.bitstring.padding", self.der[at], at, at + 1)
        inner = _Element(element.tag, element.start, at + 1, element.end)
        return [padding, self.content(name, self.value(inner), inner, below(inner))]

    def validity(self, outer: _Element) -> Iterable[Node]:
        for name, one in zip(("x509af.notBefore", "x509af.notAfter"), self.inside(outer), strict=False):
            if one.tag not in TIMES:
                raise _BrokenError
            choice, kind = TIMES[one.tag]
            shown = self.value(one).decode("ascii", "backslashreplace")
            yield self.whole(name, choice, one, [self.content(f"x509af.{kind}", shown, one)])

    def key(self, outer: _Element) -> Iterable[Node]:
        parts = self.inside(outer)
        if len(parts) < 2:
            raise _BrokenError
        algorithm = self.algorithm("x509af.algorithm_element", parts[0])
        yield algorithm
        if algorithm.children and algorithm.children[0].value == _RSA:
            yield from self.bits("x509af.subjectPublicKey", parts[1], self.rsa)[1:]  # as tshark, without padding
        else:
            yield from self.bits("x509af.subjectPublicKey", parts[1], lambda _: ())

    def rsa(self, key: _Element) -> list[Node]:
        found = []
        with suppress(_BrokenError):
            numbers = self.inside(self.element(key.content, key.end))
            found = (
                [
                    self.content("pkcs1.modulus", self.value(numbers[0]), numbers[0]),
                    self.content("pkcs1.publicExponent", self.number(numbers[1]), numbers[1]),
                ]
                if len(numbers) > 1
                else []
            )
        return found

    # -- names ---------------------------------------------------------------------------------------------------

    def name(self, name: str, sequence: str, outer: _Element) -> Node:
        parts = self.inside(outer)
        below = self.each(self.name_part, parts)
        return self.whole(name, 0, outer, [self.content(sequence, len(parts), outer, below)])

    def name_part(self, outer: _Element) -> Node:
        parts = self.inside(outer)
        return self.content("x509if.RDNSequence_item", len(parts), outer, self.each(self.attribute, parts))

    def attribute(self, outer: _Element) -> Node:
        parts = self.inside(outer)
        if len(parts) != 2:
            raise _BrokenError
        oid = self.oid(parts[0])
        below = [self.content("x509if.oid", oid, parts[0])]
        text, raw = parts[1], self.value(parts[1])
        if oid in _PLAIN:
            below.append(self.content(f"x509sat.{_PLAIN[oid]}", raw.decode("latin-1"), text))
        elif text.tag == 0x16:
            below.append(self.content("x509sat.IA5String", raw.decode("latin-1"), text))
        elif text.tag in STRINGS:
            choice, name, encoding = STRINGS[text.tag]
            inner = self.content(f"x509sat.{name}", raw.decode(encoding, "backslashreplace"), text)
            below.append(self.whole("x509sat.DirectoryString", choice, text, [inner]))
        return self.whole("x509if.RelativeDistinguishedName_item_element", None, outer, below)

    def general_name(self, element: _Element, name: str = "x509ce.GeneralName") -> Node:
        kind, raw = element.tag & 0x1F, self.value(element)
        below: list[Node] = []
        if kind in (1, 2, 6):
            below = [self.content(f"x509ce.{GENERAL_NAMES[kind]}", raw.decode("latin-1"), element)]
        elif kind == 7 and len(raw) in (4, 16):
            below = [self.content(f"x509ce.IPAddress.ipv{4 if len(raw) == 4 else 6}", raw, element)]
        elif kind == 8:
            below = [self.content("x509ce.registeredID", self.oid(element), element)]
        elif kind == 4:
            below = [self.name("x509ce.directoryName", "x509if.rdnSequence", one) for one in self.inside(element)[:1]]
        return self.content(name, kind, element, below)

    def names(self, name: str, outer: _Element) -> Node:
        parts = self.inside(outer)
        return self.content(name, len(parts), outer, self.each(self.general_name, parts))

    # -- extensions ----------------------------------------------------------------------------------------------

    def extension(self, outer: _Element) -> Node:
        parts = self.inside(outer)
        if not parts:
            raise _BrokenError
        oid = self.oid(parts[0])
        below = [self.content("x509af.extension.id", oid, parts[0])]
        with suppress(_BrokenError):
            for part in parts[1:]:
                if part.tag == _BOOLEAN:
                    below.append(self.content("x509af.critical", any(self.value(part)), part))
                elif part.tag == _OCTET_STRING and oid in _EXTENSIONS:
                    below += _EXTENSIONS[oid](self, self.element(part.content, part.end))
        return self.whole("x509af.Extension_element", None, outer, below, NAMES.get(oid, ""))

    def basic_constraints(self, outer: _Element) -> list[Node]:
        found = []
        for one in self.inside(outer):
            if one.tag == _BOOLEAN:
                found.append(self.content("x509ce.cA", any(self.value(one)), one))
            elif one.tag == _INTEGER:
                found.append(self.content("x509ce.pathLenConstraint", self.number(one), one))
        return [self.whole("x509ce.BasicConstraintsSyntax_element", None, outer, found)]

    def key_usage(self, outer: _Element) -> list[Node]:
        def flags(inner: _Element) -> list[Node]:
            raw = self.value(inner)
            return [
                self.node(
                    f"x509ce.KeyUsage.{name}",
                    raw[at // 8] >> 7 - at % 8 & 1,
                    inner.content + at // 8,
                    inner.content + at // 8 + 1,
                )
                for at, name in enumerate(KEY_USES)
                if at // 8 < len(raw)
            ]

        return self.bits("x509ce.KeyUsage", outer, flags)

    def purposes(self, outer: _Element) -> list[Node]:
        parts = self.inside(outer)
        below = self.each(lambda one: self.content("x509ce.KeyPurposeId", self.oid(one), one), parts)
        return [self.content("x509ce.KeyPurposeIDs", len(parts), outer, below)]

    def subject_key(self, outer: _Element) -> list[Node]:
        return [self.content("x509ce.SubjectKeyIdentifier", self.value(outer), outer)]

    def authority_key(self, outer: _Element) -> list[Node]:
        found = []
        for one in self.inside(outer):
            if one.tag == 0x80:
                found.append(self.content("x509ce.keyIdentifier", self.value(one), one))
            elif one.tag == 0xA1:
                found.append(self.names("x509ce.authorityCertIssuer", one))
            elif one.tag == 0x82:
                found.append(self.content("x509ce.authorityCertSerialNumber", self.value(one), one))
        return [self.whole("x509ce.AuthorityKeyIdentifier_element", None, outer, found)]

    def alternative_names(self, outer: _Element) -> list[Node]:
        return [self.names("x509ce.GeneralNames", outer)]

    def revocation_lists(self, outer: _Element) -> list[Node]:
        def point(one: _Element) -> Node:
            found = []
            for part in self.inside(one):
                for full in self.inside(part)[:1] if part.tag == 0xA0 else ():
                    if full.tag == 0xA0:
                        names = self.names("x509ce.fullName", full)
                        found.append(self.content("x509ce.distributionPoint", 0, full, [names]))
            return self.whole("x509ce.DistributionPoint_element", None, one, found)

        parts = self.inside(outer)
        return [self.content("x509ce.CRLDistPointsSyntax", len(parts), outer, self.each(point, parts))]

    def authority_access(self, outer: _Element) -> list[Node]:
        def access(one: _Element) -> Node:
            method, location = self.inside(one)[:2]
            found = [self.content("pkix1implicit.accessMethod", self.oid(method), method)]
            found.append(self.general_name(location, "pkix1implicit.accessLocation"))
            return self.whole("pkix1implicit.AccessDescription_element", None, one, found)

        parts = [one for one in self.inside(outer) if len(self.inside(one)) >= 2]
        name = "pkix1implicit.AuthorityInfoAccessSyntax"
        return [self.content(name, len(parts), outer, self.each(access, parts))]

    def policies(self, outer: _Element) -> list[Node]:
        def policy(one: _Element) -> Node:
            found = [self.content("x509ce.policyIdentifier", self.oid(part), part) for part in self.inside(one)[:1]]
            return self.whole("x509ce.PolicyInformation_element", None, one, found)

        parts = self.inside(outer)
        return [self.content("x509ce.CertificatePoliciesSyntax", len(parts), outer, self.each(policy, parts))]


_EXTENSIONS: Final[dict[str, Callable[[_Reader, _Element], list[Node]]]] = {  # RFC 5280, section 4.2
    "2.5.29.14": _Reader.subject_key,
    "2.5.29.15": _Reader.key_usage,
    "2.5.29.17": _Reader.alternative_names,
    "2.5.29.19": _Reader.basic_constraints,
    "2.5.29.31": _Reader.revocation_lists,
    "2.5.29.32": _Reader.policies,
    "2.5.29.35": _Reader.authority_key,
    "2.5.29.37": _Reader.purposes,
    "1.3.6.1.5.5.7.1.1": _Reader.authority_access,
}


def name_nodes(der: bytes, base: int, most: int) -> tuple[Node, ...]:
    """The parts of a name (RFC 5280, section 4.1.2.4), which stands at `base` of its message. At most `most` nodes."""
    reader = _Reader(der, base, most)
    try:
        return reader.each(reader.name_part, reader.inside(reader.element(0, len(der))))
    except _BrokenError:
        return ()


def certificate_nodes(der: bytes, base: int, most: int) -> tuple[Node, ...]:
    """What the bytes of a certificate are, which stand at `base` of their message. At most `most` nodes."""
    return _Reader(der, base, most).certificate()
