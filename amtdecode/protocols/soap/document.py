"""Reading XML that may be hostile: one way for every body, through expat, element by element.

A document becomes flat rows, one an element, in document order. No DTD, no entity of its own and no network: a document
that holds a DTD is refused before it is parsed. Caps hold while it is read. Where it is cut or broken, what stands
before the fault is kept.

Sources: XML 1.0 (fifth edition), Namespaces in XML 1.0.
"""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING, Any, NamedTuple
from xml.parsers import expat

from amtdecode.model import LimitReached, Malformed, Note

if TYPE_CHECKING:
    from amtdecode.model import Event

LAYER = "iamt.soap"
MAX_BODY_SIZE = 2 << 20  # bytes; AMT promises envelopes of at least 50,000
MAX_ELEMENTS = 20_000
MAX_DEPTH = 64
MAX_PATH_SIZE = 512  # characters of one element's path
MAX_ATTRIBUTES = 64  # of one element; and as many namespace declarations
MAX_ATTRIBUTE_SIZE = 4096  # characters of one value
MAX_ALL_ATTRIBUTES = 20_000

EBCDIC_BEGINNING = "<?xml".encode("cp037")
ENCODINGS = {
    "utf-8",
    "utf8",
    "us-ascii",
    "ascii",
    "iso-8859-1",
    "latin-1",
    "windows-1252",
    "utf-16",
    "utf-16le",
    "utf-16be",
}

ADDRESSING = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
WSMAN = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
XML_NAMESPACE = "http://www.w3.org/XML/1998/namespace"

Attributes = tuple[tuple[str, str, str], ...]
"""Namespace, local name and value of each attribute; namespace declarations are not among them."""

Row = list[Any]
"""An element: path below Header or Body, namespace, text (`None`: has children and no text of its own), attributes."""


class Document(NamedTuple):
    """An XML document as a SOAP reader needs it. Paths are local names joined with `/`."""

    namespace: str  # of the root
    name: str
    header: list[Row]
    body: list[Row]


class Reading(NamedTuple):
    """What came of reading a body."""

    document: Document | None
    faults: tuple[Event, ...] = ()  # Malformed, LimitReached, Note
    partial: bool = False  # the document holds only what stands before the fault


class Place(NamedTuple):
    """Where an element stands in the bytes of its document."""

    namespace: str
    path: str  # from the root on
    depth: int  # 0: the root
    start: int  # offset of its start tag
    end: int  # offset behind its end tag; where there is none, of the fault
    text: str  # "" where it has children


class _Limit(Exception):  # noqa: N818 (not an error to users; caught in this module)
    """A cap is reached."""


def read(data: bytes) -> Reading:
    """Read one body, UTF-8 unless it says otherwise. Never raises."""
    if len(data) > MAX_BODY_SIZE:
        return Reading(None, (_limit("MAX_BODY_SIZE"),))
    try:
        text = _utf8(data)
    except (UnicodeError, LookupError) as error:
        return Reading(None, (Malformed(LAYER, _encoding_reason(error)),))
    faults: tuple[Event, ...] = ()
    if text[:1] != b"<":
        trimmed = text.lstrip(b" \t\r\n")
        if trimmed.startswith(b"<?xml"):
            faults = (Note(LAYER, "blanks before the XML declaration"),)
        text = trimmed
    if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
        return Reading(None, (*faults, Malformed(LAYER, "holds a DTD, which SOAP forbids; not read")))
    # none has fewer than 4 bytes, `a=""`
    if len(text) > 4 * MAX_ALL_ATTRIBUTES and _count_attributes(text) > MAX_ALL_ATTRIBUTES:
        return Reading(None, (*faults, _limit("MAX_ALL_ATTRIBUTES")))
    rows = _Rows()
    try:
        rows.parse(text)
    except _Limit as limit:
        return Reading(rows.before_fault(), (*faults, _limit(str(limit))), partial=True)
    except expat.ExpatError as error:
        return Reading(rows.before_fault(), (*faults, Malformed(LAYER, f"not well-formed XML: {error}")), partial=True)
    return Reading(rows.document(), faults)


def _limit(name: str) -> LimitReached:
    return LimitReached(LAYER, name, globals()[name], "the body is not read further")


def _count_attributes(text: bytes) -> int:
    """At least as many as there are."""
    return text.count(b'="') + text.count(b"='") + text.count(b"= ")


class _Rows:
    """Puts what expat finds into rows."""

    def __init__(self) -> None:
        self.root: tuple[str, str] | None = None
        self.sections: dict[str, list[Row]] = {"Header": [], "Body": []}
        self.rows: list[Row] = []  # of the child of the root that is open
        self.row: Row | None = None  # of the element that is open; the root and its children have none
        self.open: list[Row | None] = []  # of the elements around it
        self.texts: list[str] = []  # since the last tag
        self.elements = self.declared = 0
        self.mixed: list[Row] = []  # those with text beside their children

    def parse(self, text: bytes) -> None:
        """Read a document that is UTF-8, whatever it declares. Raises `ExpatError` and `_Limit`."""
        parser = expat.ParserCreate("utf-8", "}")
        parser.buffer_text = parser.ordered_attributes = True
        parser.StartElementHandler = self.start
        parser.EndElementHandler = self.end
        parser.CharacterDataHandler = self.texts.append
        if text.count(b"<") > MAX_ELEMENTS or text.count(b"xmlns") > MAX_ATTRIBUTES:  # no others need be counted
            parser.StartNamespaceDeclHandler = self.declare
            parser.StartElementHandler = self.count
        parser.Parse(text, True)

    def declare(self, prefix: str | None, uri: str | None) -> None:  # noqa: ARG002
        """Count the namespaces that an element declares: they come before it."""
        self.declared += 1
        if self.declared > MAX_ATTRIBUTES:
            raise _Limit("MAX_ATTRIBUTES")

    def count(self, tag: str, attributes: list[str]) -> None:
        """Begin an element of a document that may have too many."""
        self.declared = 0
        self.elements += 1
        if self.elements > MAX_ELEMENTS:
            raise _Limit("MAX_ELEMENTS")
        self.start(tag, attributes)

    def start(self, tag: str, attributes: list[str]) -> None:
        """Begin an element."""
        namespace, _, name = tag.rpartition("}")
        parent, opened, texts = self.row, self.open, self.texts
        depth = len(opened)
        named = _named(attributes) if attributes else ()
        if depth > 1:
            if texts:
                if len(texts) == 1 and texts[0].isspace():  # mostly
                    texts.clear()
                else:
                    self.add_text(parent)
            path = name if parent is None else f"{parent[0]}/{name}"
            if depth > MAX_DEPTH:
                raise _Limit("MAX_DEPTH")
            if len(path) > MAX_PATH_SIZE:
                raise _Limit("MAX_PATH_SIZE")
            self.row = row = [path, namespace, None, named]
            self.rows.append(row)
        elif depth:
            texts.clear()
            self.rows = self.sections.get(name, []) if self.root is not None and namespace == self.root[0] else []
        else:
            self.root = namespace, name
        opened.append(parent)

    def end(self, tag: str) -> None:  # noqa: ARG002 (expat has matched it)
        """End an element: its text is known."""
        row, texts = self.row, self.texts
        if row is not None:
            if row is self.rows[-1]:  # it has no children
                row[2] = (texts[0] if len(texts) == 1 else "".join(texts)).strip(_BLANKS)
            elif texts:
                self.add_text(row)
        texts.clear()
        self.row = self.open.pop()

    def add_text(self, row: Row | None) -> None:
        """Add what stands between the children of an element to its text."""
        text = "".join(self.texts)
        self.texts.clear()
        if row is not None and (row[2] is not None or not text.isspace()):
            row[2] = (row[2] or "") + text
            self.mixed.append(row)

    def document(self) -> Document:
        """All of it."""
        for row in self.mixed:
            row[2] = row[2].strip(_BLANKS)
        namespace, name = self.root or ("", "")
        return Document(namespace, name, self.sections["Header"], self.sections["Body"])

    def before_fault(self) -> Document | None:
        """What stands before a fault, without an element that is cut in its text: its value is not known."""
        if self.root is None:
            return None
        if self.row is not None and self.row is self.rows[-1]:
            self.rows.pop()
        return self.document()


_BLANKS = " \t\r\n"


def _named(attributes: list[str]) -> Attributes:
    """Attributes as expat lists them, name and value in turn, put together."""
    if len(attributes) > 2 * MAX_ATTRIBUTES:
        raise _Limit("MAX_ATTRIBUTES")
    found = []
    for name, value in zip(attributes[::2], attributes[1::2], strict=True):
        if len(value) > MAX_ATTRIBUTE_SIZE:
            raise _Limit("MAX_ATTRIBUTE_SIZE")
        namespace, _, local = name.rpartition("}")
        found.append((namespace, local, value))
    return tuple(found)


_DECLARED = re.compile(rb"""<\?xml\s[^>]{0,100}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")


def _utf8(data: bytes) -> bytes:
    """A body in UTF-8, by its byte order mark, its first bytes or its declaration. Raises what decoding raises."""
    if data[:5] != b"<?xml":
        if data.startswith(codecs.BOM_UTF8):
            data = data[3:]
        if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, b"<\0\0\0", b"\0\0\0<")):
            raise LookupError("utf-32")
        if data.startswith(EBCDIC_BEGINNING):
            raise LookupError("ebcdic")
        if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return data.decode("utf-16").encode()
        if data[:2] == b"<\0":
            return data.decode("utf-16-le").encode()
        if data[:2] == b"\0<":
            return data.decode("utf-16-be").encode()
    declared = _DECLARED.match(data[:1024].lstrip())
    name = declared[1].decode("ascii").lower() if declared else "utf-8"
    if name not in ENCODINGS:
        raise LookupError(name)
    if not name.startswith("utf"):
        return data if data.isascii() else data.decode(name).encode()
    if not data.isascii():  # one that says UTF-16 but is written in bytes: a common slip of consoles
        data.decode("utf-8")
    return data


def _encoding_reason(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"not valid {error.encoding} at byte {error.start}"
    return f"encoding {error} is not read" if isinstance(error, LookupError) else "cannot be decoded"


_START_TAG = re.compile(rb"""<[^\s/>]++(?:\s++[^\s=/>]++\s*+=\s*+(?:"[^"]*+"|'[^']*+'))*+\s*+(/?)>""")
"""A start tag that is well-formed; "/" where the element is empty."""


def places(data: bytes) -> list[Place]:
    """Where the elements of a body stand that `read` reads, in document order; of UTF-8 only. Never raises."""
    if read(data).document is None or _utf8(data) is not data:
        return []
    text = data.lstrip(b" \t\r\n")
    skipped = len(data) - len(text)
    found: list[Place] = []
    opened: list[int] = []
    texts: list[str] = []
    parser = expat.ParserCreate("utf-8", "}")
    parser.buffer_text = True

    def start(tag: str, attributes: dict[str, str]) -> None:  # noqa: ARG001 (expat gives them)
        namespace, _, name = tag.rpartition("}")
        if len(found) == MAX_ELEMENTS or len(opened) > MAX_DEPTH:
            raise _Limit
        path = f"{found[opened[-1]].path}/{name}" if opened else name
        at = skipped + parser.CurrentByteIndex
        texts.clear()
        found.append(Place(namespace, path, len(opened), at, 0, ""))
        opened.append(len(found) - 1)

    def end(tag: str) -> None:  # noqa: ARG001
        at = skipped + parser.CurrentByteIndex
        place = opened.pop()
        text = "".join(texts).strip(_BLANKS) if place == len(found) - 1 else ""
        begun = _START_TAG.match(data, found[place].start)
        if begun is None or not begun[1]:  # else expat stands behind the tag already
            at = data.index(b">", at) + 1
        found[place] = found[place]._replace(end=at, text=text)
        texts.clear()

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = texts.append
    fault = len(data)
    try:
        parser.Parse(text, True)
    except _Limit:
        fault = skipped + parser.CurrentByteIndex
    except expat.ExpatError:
        fault = skipped + parser.ErrorByteIndex
    return [place if place.end else place._replace(end=max(fault, place.start)) for place in found]
