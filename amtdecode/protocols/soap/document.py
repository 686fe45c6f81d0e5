"""Reading XML that may be hostile: one tree for every body, by expat through the standard library's ElementTree.

No DTD, no entity of its own and no network: a document that holds a DTD is refused before it is parsed. Where it is cut
or broken, or has more elements than the cap, what stands before that is kept.

Sources: XML 1.0 (fifth edition), Namespaces in XML 1.0.
"""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from amtdecode.masking import is_secret_name, names_a_value
from amtdecode.model import LimitReached, Malformed, Note

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree.ElementTree import Element, ParseError

    from amtdecode.model import Event

LAYER = "iamt.soap"
MAX_BODY_SIZE = 2 << 20  # bytes; AMT promises envelopes of at least 50,000
MAX_ELEMENTS = 20_000
MAX_DEPTH = 64
MAX_PATH_SIZE = 512  # characters of one element's path
MAX_ATTRIBUTES = 64  # of one element; and as many namespace declarations
MAX_ATTRIBUTE_SIZE = 4096  # characters of one value
MAX_ALL_ATTRIBUTES = 20_000

_FAULTS = {  # by the number that expat gives them (expat.h, enum XML_Error)
    3: "it ends before its root element does",
    4: "a character that cannot stand there",
    5: "it ends inside a tag, comment or section",
    6: "it ends inside a character",
    7: "an end tag without its start tag",
    8: "one attribute twice",
    9: "more behind its root element",
    11: "an entity that is not declared",
    14: "a reference to a character that cannot be",
    17: "its declaration is not at its beginning",
    20: "a CDATA section without its end",
    27: "a namespace prefix that is not declared",
    28: "a namespace prefix without a namespace",
    30: "its declaration is broken",
}

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


class Reading(NamedTuple):
    """What came of reading a body."""

    document: Element | None  # the root
    faults: tuple[Event, ...] = ()  # Malformed, LimitReached, Note
    partial: bool = False  # the document holds only what stands before the fault


class Place(NamedTuple):
    """Where an element stands in the bytes of its document."""

    namespace: str
    path: str  # from the root on; behind an element whose Name attribute speaks of a secret stands that in brackets
    depth: int  # 0: the root
    start: int  # offset of its start tag
    end: int  # offset behind its end tag; where there is none, of the fault
    text: str  # "" where it has children


class Limit(Exception):  # noqa: N818 (not an error to users: whoever walks a document catches it)
    """A cap of this name is reached."""

    @property
    def event(self) -> LimitReached:
        """What is stated of it."""
        return _limit(str(self))


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
    if b"<!" in text and (b"<!DOCTYPE" in text or b"<!ENTITY" in text):
        return Reading(None, (*faults, Malformed(LAYER, "holds a DTD, which SOAP forbids; not read")))
    # none has fewer than 4 bytes, `a=""`
    if len(text) > 4 * MAX_ALL_ATTRIBUTES and _count_attributes(text) > MAX_ALL_ATTRIBUTES:
        return Reading(None, (*faults, _limit("MAX_ALL_ATTRIBUTES")))
    # no element has fewer than one "<", no declaration is shorter
    if text.count(b"<") <= MAX_ELEMENTS and text.count(b"xmlns") <= MAX_ATTRIBUTES:
        from xml.etree import ElementTree as ET  # most bodies are read without (`envelope.usual`)

        parser = ET.XMLParser(encoding="utf-8")  # noqa: S314 (without a DTD there are no entities)
        try:
            parser.feed(text)
            return Reading(parser.close(), faults)
        except ET.ParseError:
            pass  # once more, to find what stands before the fault
    root, fault = _read_carefully(text)
    return Reading(root, faults if fault is None else (*faults, fault), partial=fault is not None)


def _limit(name: str) -> LimitReached:
    return LimitReached(LAYER, name, globals()[name], "the body is not read further")


def _count_attributes(text: bytes) -> int:
    """At least as many as there are."""
    return text.count(b'="') + text.count(b"='") + text.count(b"= ")


BLANKS = " \t\r\n"
SECTION_DEPTH = 2  # of Header and Body, the root counted
_AT_ONCE = 1 << 16  # characters


def _read_carefully(text: bytes) -> tuple[Element | None, Event | None]:
    """Read a document element by element, up to a fault or cap.

    An element that is cut in its text is left out, since its value is not known.
    """
    from xml.etree import ElementTree as ET

    root: Element | None = None
    opened: list[Element] = []
    elements = declared = 0
    try:
        for event, found in _events(text.decode()):
            if event == "start-ns":  # they come before their element
                declared += 1
                if declared > MAX_ATTRIBUTES:
                    raise Limit("MAX_ATTRIBUTES")
            elif event == "start":
                elements += 1
                if elements > MAX_ELEMENTS:
                    raise Limit("MAX_ELEMENTS")
                if len(opened) > MAX_DEPTH:
                    raise Limit("MAX_DEPTH")
                declared = 0
                made = ET.Element(found.tag, found.attrib)
                if opened:
                    opened[-1].append(made)
                else:
                    root = made
                opened.append(made)
                if sum([len(each.tag.rpartition("}")[2]) + 1 for each in opened[SECTION_DEPTH:]]) > MAX_PATH_SIZE + 1:
                    raise Limit("MAX_PATH_SIZE")
            else:
                made = opened.pop()
                made.text = found.text
                for child, read_child in zip(made, found, strict=True):
                    child.tail = read_child.tail
                del found[:]
    except Limit as limit:
        fault: Event = limit.event
    except ET.ParseError as error:
        fault = Malformed(LAYER, f"not well-formed XML: {_xml_reason(error)}")
    else:
        return root, None
    _drop_cut(opened)
    return root, fault


def _drop_cut(opened: list[Element]) -> None:
    """Take the element that is cut out of the tree, and those around it that then look empty, but for the operation."""
    innermost = True
    while len(opened) > SECTION_DEPTH and not len(opened[-1]):
        operation = len(opened) == SECTION_DEPTH + 1 and opened[1].tag.endswith("Body")
        if operation and not innermost:
            break
        cut = opened.pop()
        opened[-1].remove(cut)
        innermost = False


def _events(text: str) -> Iterator[tuple[str, Any]]:
    """Starts and ends of elements and namespaces. Raises `ParseError` behind the last before a fault."""
    from xml.etree import ElementTree as ET

    parser: Any = ET.XMLPullParser(("start", "end", "start-ns"))
    for at in range(0, len(text), _AT_ONCE):
        parser.feed(text[at : at + _AT_ONCE])
        yield from parser.read_events()
    fault = None
    try:
        parser.close()
    except ET.ParseError as error:
        fault = error
    yield from parser.read_events()
    if fault is not None:
        raise fault


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


def _xml_reason(error: ParseError) -> str:
    """What is wrong, in our words, and where."""
    line, column = error.position
    return f"{_FAULTS.get(error.code, 'it breaks a rule of XML')} (line {line}, column {column + 1})"


def _encoding_reason(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"not valid {error.encoding} at byte {error.start}"
    return f"encoding {error} is not read" if isinstance(error, LookupError) else "cannot be decoded"


_START_TAG = re.compile(rb"""<[^\s/>]++(?:\s++[^\s=/>]++\s*+=\s*+(?:"[^"]*+"|'[^']*+'))*+\s*+(/?)>""")
"""A start tag that is well-formed; "/" where the element is empty."""


def places(data: bytes) -> list[Place]:
    """Where the elements of a body stand that `read` reads, in document order; of UTF-8 only. Never raises."""
    from xml.parsers import expat

    if read(data).document is None or _utf8(data) is not data:
        return []
    text = data.lstrip(b" \t\r\n")
    skipped = len(data) - len(text)
    found: list[Place] = []
    opened: list[int] = []
    texts: list[str] = []
    parser = expat.ParserCreate("utf-8", "}")
    parser.buffer_text = True

    def start(tag: str, attributes: dict[str, str]) -> None:
        namespace, _, name = tag.rpartition("}")
        if len(found) == MAX_ELEMENTS or len(opened) > MAX_DEPTH:
            raise Limit("MAX_ELEMENTS")
        called = next((value for each, value in attributes.items() if names_a_value(each.rpartition("}")[2])), "")
        if called and is_secret_name(called):
            name = f"{name}[{called}]"  # a selector or option that a secret is the value of
        path = f"{found[opened[-1]].path}/{name}" if opened else name
        at = skipped + parser.CurrentByteIndex
        texts.clear()
        found.append(Place(namespace, path, len(opened), at, 0, ""))
        opened.append(len(found) - 1)

    def end(tag: str) -> None:  # noqa: ARG001
        at = skipped + parser.CurrentByteIndex
        place = opened.pop()
        text = "".join(texts).strip(BLANKS) if place == len(found) - 1 else ""
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
    except Limit:
        fault = skipped + parser.CurrentByteIndex
    except expat.ExpatError:
        fault = skipped + parser.ErrorByteIndex
    return [place if place.end else place._replace(end=max(fault, place.start)) for place in found]
