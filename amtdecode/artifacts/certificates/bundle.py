"""What is inside a file of certificates and keys: PEM bundles (broken ones too), DER, PKCS#7, PFX, raw chains.

Formats: PEM (RFC 7468, with the older encryption headers of RFC 1421), DER of X.509, PKCS#1, PKCS#8, SEC 1, PKCS#7
(RFC 5652) and PFX (RFC 7292), several DER certificates one after the other, the body of a TLS Certificate message
(RFC 5246 section 7.4.2). What is wrong with the file is kept beside what was read: `linting.py` judges it.
Not covered: Java key stores, PVK and SST files.
"""

from __future__ import annotations

import binascii
import io
import re
import warnings
from typing import TYPE_CHECKING, NamedTuple

from amtdecode.artifacts.certificates.keys import PrivateKey, read_key
from amtdecode.counting import counted
from amtdecode.protocols.tls.certificates import CertificateInfo, read_certificate
from amtdecode.secrets.rounds import MAX_ROUNDS, wants_too_much

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_BYTES = 16 << 20
"""Size of a file; what lies behind is not read."""
MAX_ITEMS = 1000
"""Certificates, keys and other blocks of one file; further ones are not read."""
MAX_FAULTS = 200
"""Faults told of one file; further ones are only counted."""
MAX_KEY_TEXT = 1 << 16
"""Characters of a private key between its BEGIN and END lines; one of RSA with 16,384 bits has 13,000."""
MAX_LINE = 76
"""Characters of a PEM line: RFC 7468 writes 64, RFC 1421 readers take 76; some do not read longer ones."""

_CERTIFICATE_LABELS = {"CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"}
_BEGIN = re.compile(r"-----\s*BEGIN ([A-Z0-9 #.]{1,64}?)\s*-----")
_END = re.compile(r"-----\s*END ([A-Z0-9 #.]{1,64}?)\s*-----")
_LINE_END = re.compile(r"\r\n|\r|\n")
_FILLED = re.compile(r"[^\r\n]+")
_LONG = re.compile(rf"(?<![^\r\n])(?=[^\r\n]{{{MAX_LINE + 1}}})[^\r\n:]+(?![^\r\n])")
_OUTSIDE = re.compile(
    # lines but for empty ones and those that openssl itself writes between certificates
    r"(?<![^\r\n])(?![ \t#]|Bag Attributes|Key Attributes|subject=|issuer=|[si]:)[^\r\n]*\S[^\r\n]*"
)
_BLANKS = {code: None for code in range(256) if chr(code).isspace()}
_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
_DATA = bytes.fromhex("06092a864886f70d010701")


class Item(NamedTuple):
    """One thing in a file, at its place."""

    kind: str  # "certificate", "private key", "revocation list", "certificate request", "other"
    label: str  # the PEM label, or the format it came in
    line: int  # of its first line, from 1; 0 where the file has no lines
    certificate: CertificateInfo | None = None
    private_key: PrivateKey | None = None
    unread: str = ""  # why a certificate cannot be read


class Fault(NamedTuple):
    """Something wrong with the file itself."""

    line: int  # from 1; 0 where it concerns the file
    text: str
    serious: bool  # a strict reader (gSOAP with OpenSSL) stops here or goes wrong


class Bundle(NamedTuple):
    """A file of certificates and keys, in the order of the file."""

    name: str
    format: str  # "PEM", "DER", "PKCS#7", "PFX", "TLS certificate chain"
    items: tuple[Item, ...]
    faults: tuple[Fault, ...]

    @property
    def certificates(self) -> tuple[CertificateInfo, ...]:
        """Return the certificates in the order of the file."""
        return tuple(item.certificate for item in self.items if item.certificate)

    @property
    def unread(self) -> tuple[str, ...]:
        """Return why certificates of the file cannot be read, one text each, with the line."""
        return tuple(
            f"line {item.line}: {item.unread}" if item.line else item.unread for item in self.items if item.unread
        )

    @property
    def private_keys(self) -> tuple[PrivateKey, ...]:
        """Return the private keys in the order of the file."""
        return tuple(item.private_key for item in self.items if item.private_key)


def is_bundle(head: bytes) -> bool:
    """Whether the first bytes of a file (256 will do) are those of a file of certificates or keys."""
    text = _text(head[:4096])[0]
    if "-----BEGIN " in text:
        return True
    if head[:1] == b"\x30" and len(head) > 1 and head[1] >= 0x80:
        return True
    return head[:1] == b"\x00" and len(head) > 6 and head[6:7] == b"\x30" and _tls_certificates(head) is not None


def read_bundle(data: bytes, name: str = "", password: bytes | None = None) -> Bundle:
    """Read what a file holds; never raises on its bytes, an unreadable file has no items and says why in its faults.

    `password` opens a PFX file and encrypted private keys.
    """
    faults: list[Fault] = []
    if len(data) > MAX_BYTES:
        faults.append(Fault(0, f"the file has {len(data)} bytes, only the first {MAX_BYTES} are read", serious=True))
        data = data[:MAX_BYTES]
    text, oddities = _text(data)
    items: Iterable[Item | Fault]
    if "-----BEGIN " in text:
        form, items = "PEM", _pem_items(text, password, [*oddities, *faults])
    else:
        form, items = _binary_items(data, text, password, faults)
    kept: list[Item] = []
    untold = 0
    for entry in items:
        if isinstance(entry, Fault):
            if len(faults) < MAX_FAULTS:
                faults.append(entry)
            else:
                untold += 1
        elif len(kept) < MAX_ITEMS:
            kept.append(entry)
        else:
            faults.append(Fault(entry.line, f"only the first {MAX_ITEMS} entries of the file are read", serious=True))
            break
    if untold:
        faults.append(Fault(0, f"{untold} further faults", serious=True))
    if any(item.certificate for item in kept):
        kept = [
            item._replace(private_key=item.private_key._replace(shared=True)) if item.private_key else item
            for item in kept
        ]
    return Bundle(name, form, tuple(kept), tuple(faults))


def _text(data: bytes) -> tuple[str, list[Fault]]:
    """Return the file as text, and what is odd about its encoding."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace"), [
            Fault(1, "the file is UTF-16: OpenSSL finds nothing in it", serious=True)
        ]
    if data[:3] == b"\xef\xbb\xbf":
        fault = Fault(1, "the file begins with a byte order mark (EF BB BF)", serious=True)
        return data[3:].decode("latin-1"), [fault]
    return data.decode("latin-1"), []


def _pem_items(text: str, password: bytes | None, faults: list[Fault]) -> Iterator[Item | Fault]:
    """Go from one line with dashes to the next; what lies between is looked at as a whole, however many lines it is."""
    yield from faults
    yield from _line_ends(text)
    label, start, inside = "", 0, 0  # of the block under way: label, line and offset behind its first line
    outside, long = _Found(_OUTSIDE), _Found(_LONG)
    at, number = 0, 1
    while at < len(text):
        dashes = text.find("-----", at)
        first = len(text) if dashes < 0 else max(at, text.rfind("\n", at, dashes) + 1, text.rfind("\r", at, dashes) + 1)
        (long if label else outside).look(text, at, first, number)
        number += _count_ends(text, at, first)
        if dashes < 0:
            break
        ended = _LINE_END.search(text, dashes)
        last, at = ended.span() if ended else (len(text), len(text))
        line = text[first:last]
        begin, end = _BEGIN.search(line), _END.search(line)
        if begin:
            if label:
                yield Fault(start, f"{label} begins in line {start} and does not end", serious=True)
            if line.strip() != begin.group() or line != line.rstrip(" \t"):
                yield Fault(number, "more than the BEGIN line stands in its line", serious=True)
            label, start, inside = begin.group(1), number, at
        elif end and label:
            if end.group(1) != label:
                yield Fault(number, f"BEGIN {label} is ended by END {end.group(1)}", serious=True)
            yield from _pem_item(label, start, text[inside:first], password)
            label = ""
        elif end:
            yield Fault(number, f"END {end.group(1)} without a BEGIN", serious=True)
        else:
            (long if label else outside).look(text, first, last, number)
        number += 1
    if label:
        yield Fault(start, f"{label} begins in line {start} and does not end: the file is cut", serious=True)
        yield from _pem_item(label, start, text[inside:], password, cut=True)
    if outside.count:
        told = f"text outside the certificates, in {counted(outside.count, 'line')}"
        yield Fault(outside.line, told, serious=False)
    if long.count:
        told = f"{counted(long.count, 'line')} longer than {MAX_LINE} characters; 64 are usual"
        yield Fault(long.line, told, serious=False)


class _Found:
    """Counts the lines of a kind, and remembers where the first of them is."""

    def __init__(self, kind: re.Pattern[str]) -> None:
        self._kind = kind
        self.count = self.line = 0

    def look(self, text: str, start: int, end: int, number: int) -> None:
        """Look at the lines between two offsets, the first of which has this number."""
        for match in self._kind.finditer(text, start, end):
            self.line = self.line or number + _count_ends(text, start, match.start())
            self.count += 1


def _count_ends(text: str, start: int, end: int) -> int:
    return text.count("\n", start, end) + text.count("\r", start, end) - text.count("\r\n", start, end)


def _line_ends(text: str) -> Iterator[Fault]:
    windows = text.count("\r\n")
    old = text.count("\r") - windows
    unix = text.count("\n") - windows
    if old:
        yield Fault(0, "lines end with CR alone", serious=True)
    if windows and unix:
        yield Fault(0, f"lines end in two ways: {windows} with CR LF, {unix} with LF", serious=False)
    elif windows:
        yield Fault(0, "lines end with CR LF (a Windows text file)", serious=False)
    if text and not text.endswith(("\n", "\r")):
        yield Fault(0, "the last line has no end: a file joined to this one begins in the same line", serious=False)


def _without_headers(body: str) -> tuple[str, bool]:
    """The lines of a block that are base64, and whether the others (RFC 1421) say that it is encrypted."""
    if ":" not in body:
        return body, False
    coded, headers = io.StringIO(), False
    for match in _FILLED.finditer(body):
        if ":" in match[0]:
            headers = headers or "ENCRYPTED" in match[0]
        else:
            coded.write(match[0])
    return coded.getvalue(), headers


def _pem_item(label: str, line: int, body: str, password: bytes | None, *, cut: bool = False) -> Iterator[Item | Fault]:
    coded, headers = _without_headers(body)
    joined = coded.translate(_BLANKS)
    del coded
    if cut:
        joined = joined[: len(joined) // 4 * 4]
    try:
        data = binascii.a2b_base64(joined, strict_mode=True) if joined else b""
    except (binascii.Error, ValueError):
        cleaned = re.sub(r"[^A-Za-z0-9+/=]", "", joined)
        strange = len(joined) - len(cleaned)
        why = f"{strange} characters are none of base64" if strange else "its end is missing, or = stands too early"
        yield Fault(line, f"{label} is no clean base64: {why}", serious=True)
        try:
            data = binascii.a2b_base64(cleaned + "=" * (-len(cleaned) % 4))
        except (binascii.Error, ValueError):
            if label in _CERTIFICATE_LABELS:
                yield Item("certificate", label, line, unread="its base64 text is damaged")
            return
    if label in ("PKCS7", "CMS"):
        yield from _pkcs7(data, line)
    elif label in _CERTIFICATE_LABELS:
        yield from _certificate(data, label, line)
    elif label.endswith("PRIVATE KEY"):
        if len(body) > MAX_KEY_TEXT:
            key = PrivateKey(label, headers, fault=f"its {len(body)} characters are more than any key has")
        else:
            lines = _LINE_END.sub("\n", body).removesuffix("\n")
            armour = f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n"
            key = read_key(data, label, armour, password, sealed=headers)
        yield Item("private key", label, line, private_key=key)
    elif label == "X509 CRL":
        yield Item("revocation list", label, line)
    elif label in ("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"):
        yield Item("certificate request", label, line)
    else:
        yield Item("other", label, line)


def _certificate(data: bytes, label: str, line: int) -> Iterator[Item | Fault]:
    certificate = read_certificate(data)
    if label == "TRUSTED CERTIFICATE" and certificate.size < len(data):
        certificate = read_certificate(data[: certificate.size])  # OpenSSL's own trust information follows it
    if not certificate.issuer_der:
        reason = "; ".join(certificate.faults[:3])
        yield Fault(line, f"not a certificate: {reason}" if reason else "not a certificate", serious=True)
        yield Item("certificate", label, line, unread=reason or "it is not a certificate")
        return
    yield Item("certificate", label, line, certificate=certificate)


def _binary_items(
    data: bytes, text: str, password: bytes | None, faults: list[Fault]
) -> tuple[str, Iterable[Item | Fault]]:
    chain = _tls_certificates(data)
    if chain is not None:
        return "TLS certificate chain", (entry for der in chain for entry in _certificate(der, "TLS", 0))
    if data[:1] != b"\x30":
        bare = re.sub(r"\s+", "", text)
        if bare[:2] == "MI" and re.fullmatch(r"[A-Za-z0-9+/]+=*", bare):
            faults.append(Fault(1, "base64 without BEGIN and END lines", serious=True))
            digits = bare.rstrip("=")
            if len(digits) % 4 == 1:  # no length of base64 (RFC 4648): a last digit is too much, or others are missing
                faults.append(Fault(1, "the base64 text is cut or damaged", serious=True))
                digits = digits[:-1]
            return _binary_items(binascii.a2b_base64(digits + "=" * (-len(digits) % 4)), "", password, faults)
        return "", [Fault(0, "neither PEM nor DER: no certificate in this file", serious=True)]
    head = data[:40]
    if _SIGNED_DATA in head:
        return "PKCS#7", _pkcs7(data, 0)
    if _DATA in head and head[2:8].find(b"\x02\x01\x03") >= 0:
        return "PFX", _pfx(data, password)
    return "DER", _der(data, password)


def _der(data: bytes, password: bytes | None) -> Iterator[Item | Fault]:
    """One certificate or key, or several certificates one after the other."""
    offset = 0
    while offset < len(data):
        end = offset + _size(data, offset)
        last = data[end : end + 1] != b"\x30"  # bytes behind the last certificate belong to it, as an oddity
        certificate = read_certificate(data[offset:] if last else data[offset:end])
        if certificate.issuer_der:
            yield Item("certificate", "DER", 0, certificate=certificate)
        else:
            key = None if offset else read_key(data, "DER", "", password)
            if key is not None and (key.public or key.encrypted):
                yield Item("private key", "DER", 0, private_key=key)
            else:
                reason = "; ".join(certificate.faults[:3])
                yield Fault(0, f"at byte {offset}: not a certificate: {reason}", serious=True)
                if offset:
                    yield Item("certificate", "DER", 0, unread=f"at byte {offset}: {reason}")
            return
        if last:
            return
        offset = end


def _size(data: bytes, offset: int) -> int:
    """Bytes of the DER element at `offset`, by its header (X.690 section 8.1.3)."""
    first = data[offset + 1] if offset + 1 < len(data) else 0
    if first < 0x80:
        return 2 + first
    count = first & 0x7F
    return 2 + count + int.from_bytes(data[offset + 2 : offset + 2 + count], "big")


def _pkcs7(data: bytes, line: int) -> Iterator[Item | Fault]:
    from asn1crypto import cms

    try:
        choices = list(cms.ContentInfo.load(data)["content"]["certificates"] or ())
        parts = [each.chosen.dump() for each in choices if each.name == "certificate"]
    except Exception:  # hostile bytes: one fault, whatever the parser makes of them
        yield Fault(line, "PKCS#7 cannot be read: damaged, or none", serious=True)
        return
    for part in parts:
        yield from _certificate(part, "PKCS7", line)


def _pfx(data: bytes, password: bytes | None) -> Iterator[Item | Fault]:
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.serialization import pkcs12

    if wants_too_much(data):
        yield Fault(0, f"PFX is not opened: it wants its password hashed more than {MAX_ROUNDS} times", serious=True)
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the library warns of odd serial numbers, which are told as oddities
            store = pkcs12.load_pkcs12(data, password)
    except Exception:  # a wrong password, an old cipher and damage all look alike here
        asked = "with the password given" if password is not None else "without a password"
        why = "it is another, the file is damaged, or its cipher is too old for this machine's OpenSSL"
        why = why if password is not None else why.replace("it is another", "it has one")
        yield Fault(0, f"PFX cannot be opened {asked}: {why}", serious=True)
        return
    for held in (store.cert, *store.additional_certs):
        if held is not None:
            yield from _certificate(held.certificate.public_bytes(form.Encoding.DER), "PFX", 0)
    if store.key is not None:
        plain = store.key.private_bytes(form.Encoding.DER, form.PrivateFormat.PKCS8, form.NoEncryption())
        key = read_key(plain, "PFX", "", None)
        yield Item("private key", "PFX", 0, private_key=key._replace(encrypted=bool(password)))


def _tls_certificates(data: bytes) -> list[bytes] | None:
    """Return the certificates of a TLS Certificate message, with or without its header; `None` when it is none."""
    if data[:1] == b"\x0b" and len(data) >= 7 and int.from_bytes(data[1:4], "big") == len(data) - 4:
        data = data[4:]
    if len(data) < 7 or int.from_bytes(data[:3], "big") != len(data) - 3:
        return None
    parts, offset = [], 3
    while offset < len(data):
        size = int.from_bytes(data[offset : offset + 3], "big")
        part = data[offset + 3 : offset + 3 + size]
        if len(part) < size or part[:1] != b"\x30":
            return None
        parts.append(part)
        offset += 3 + size
    return parts
