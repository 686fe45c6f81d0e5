"""Reading hostile XML into flat rows: one per element, in document order, named by namespace and path.

Two readers that agree (a property test holds them to it): a tokeniser for the plain ASCII that AMT and its consoles
write, and lxml (`builder`) for everything else. What the tokeniser does not like, it leaves to lxml; it never guesses.

Never done: DTDs, entities, network, encodings other than those in `ENCODINGS`.
Sources: XML 1.0 (fifth edition), Namespaces in XML 1.0.
"""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING, NamedTuple

from amtdecode.model import LimitReached, Malformed, Note

if TYPE_CHECKING:
    from amtdecode.model import Event

LAYER = "iamt.soap"
MAX_BODY_SIZE = 2 << 20  # bytes; AMT promises envelopes of at least 50,000
MAX_ELEMENTS = 20_000
MAX_DEPTH = 64
MAX_PATH_SIZE = 512  # characters of one element's path
MAX_ATTRIBUTES = 64  # of one element, namespace declarations included
MAX_ATTRIBUTE_SIZE = 4096  # characters of one value
MAX_ALL_ATTRIBUTES = 20_000
MAX_REMEMBERED = 2048  # start tags kept parsed
MAX_REMEMBERED_SIZE = 1500  # characters; the Envelope with its namespaces has about 700

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

XML_NAMESPACE = "http://www.w3.org/XML/1998/namespace"

Attributes = tuple[tuple[str, str, str], ...]
"""Namespace, local name and value of each attribute; namespace declarations are not among them."""

Row = tuple[str, str, str | None, Attributes]
"""Path below Header or Body, namespace, text (`None`: has children and no text of its own), attributes."""


class Tree(NamedTuple):
    """An XML document as a SOAP reader needs it. Paths are local names joined with `/`."""

    namespace: str
    name: str  # of the root
    header: list[Row]
    body: list[Row]


class Reading(NamedTuple):
    """What came of reading a body."""

    tree: Tree | None
    faults: tuple[Event, ...] = ()  # Malformed, LimitReached, Note
    partial: bool = False  # the tree holds only what stands before the fault


class Limit(Exception):  # noqa: N818 (not an error to users; caught in this package)
    """A cap of this module is reached."""

    def __init__(self, name: str, value: int) -> None:
        super().__init__(name)
        self.name, self.value = name, value


def read(data: bytes) -> Reading:
    """Read one body, UTF-8 unless it says otherwise. Never raises."""
    if len(data) > MAX_BODY_SIZE:
        return Reading(None, (_limit("MAX_BODY_SIZE", MAX_BODY_SIZE),))
    tree = tokenise(data)
    if tree is not None:
        return Reading(tree)
    return _read_carefully(data)


def _limit(name: str, value: int) -> LimitReached:
    return LimitReached(LAYER, name, value, "the body is not read further")


def _read_carefully(data: bytes) -> Reading:
    try:
        text = _decode(data)
    except (UnicodeError, LookupError) as error:
        return Reading(None, (Malformed(LAYER, _encoding_reason(error)),))
    faults: tuple[Event, ...] = ()
    if text[:1] in "\ufeff \t\r\n":
        trimmed = text.lstrip("\ufeff \t\r\n")
        if text[:1] != "\ufeff" and trimmed.startswith("<?xml"):
            faults = (Note(LAYER, "blanks before the XML declaration"),)
        text = trimmed
    # searched after decoding: in UTF-16 the bytes of the keyword do not stand together
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        return Reading(None, (*faults, Malformed(LAYER, "holds a DTD, which SOAP forbids; not read")))
    if text.count('="') + text.count("='") + text.count("= ") > MAX_ALL_ATTRIBUTES:
        return Reading(None, (*faults, _limit("MAX_ALL_ATTRIBUTES", MAX_ALL_ATTRIBUTES)))

    from amtdecode.protocols.soap import builder  # lxml: only when needed

    tree, fault, limit = builder.build(text)
    if limit is not None:
        faults = (*faults, _limit(limit.name, limit.value))
    elif fault:
        faults = (*faults, Malformed(LAYER, f"not well-formed XML: {fault}"))
    return Reading(tree, faults, partial=bool(fault or limit))


_DECLARED = re.compile(rb"""<\?xml\s[^>]{0,100}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")


def _decode(data: bytes) -> str:
    """Decode a body by its byte order mark, its first bytes or its declaration; strictly."""
    if data.startswith(codecs.BOM_UTF8):
        return data[3:].decode("utf-8")
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise LookupError("utf-32")
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16")
    if data[:2] == b"<\0":
        return data.decode("utf-16-le")
    if data[:2] == b"\0<":
        return data.decode("utf-16-be")
    declared = _DECLARED.match(data.lstrip()[:200])
    name = declared[1].decode("ascii").lower() if declared else "utf-8"
    if name not in ENCODINGS:
        raise LookupError(name)
    if name.startswith("utf-16"):  # says UTF-16 but is written in bytes: a common slip of consoles
        name = "utf-8"
    return data.decode(name)


def _encoding_reason(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"not valid {error.encoding} at byte {error.start}"
    return f"encoding {error} is not read" if isinstance(error, LookupError) else "cannot be decoded"


# -- the tokeniser ---------------------------------------------------------------------------------------------------

_NAME = r"(?:[A-Za-z_][\w.-]*:)?[A-Za-z_][\w.-]*"
_BLANK = r"[ \t\n]"
_PROLOG = re.compile(
    rf'<\?xml{_BLANK}+version{_BLANK}*={_BLANK}*"1\.0"(?:{_BLANK}+encoding{_BLANK}*={_BLANK}*"[uU][tT][fF]-8")?'
    rf"{_BLANK}*\?>{_BLANK}*"
)
_START_TAG = re.compile(rf'({_NAME})((?:{_BLANK}+{_NAME}{_BLANK}*={_BLANK}*"[^"&\t\n]*")*){_BLANK}*(/?)', re.ASCII)
_ATTRIBUTE = re.compile(rf'({_NAME}){_BLANK}*={_BLANK}*"([^"]*)"', re.ASCII)
_PLAIN_URI = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9/._~:#?=;,+-]+)?")
_PREDEFINED = {"&lt;": "<", "&gt;": ">", "&amp;": "&", "&quot;": '"', "&apos;": "'"}
_REFERENCE = re.compile("|".join(_PREDEFINED))
_PLAIN = bytes([9, 10, *range(32, 127)])
_OUTERMOST = {"xml": XML_NAMESPACE, "": ""}


class _StartTag(NamedTuple):
    end_tag: str  # as it must be written, "/" first; empty for an empty-element tag
    prefix: str
    local: str
    declared: dict[str, str]  # prefixes
    attributes: list[tuple[str, str, str]]  # prefix, local name, value


_start_tags: dict[str, _StartTag | None] = {}
"""What start tags mean, by how they are written; machines of one kind write the same ones over and over."""


def _start_tag(written: str) -> _StartTag | None:
    """Read what stands between `<` and `>`; `None` for what lxml should judge."""
    found = _START_TAG.fullmatch(written)
    tag = None
    if found is not None:
        name, attributes, empty = found.groups()
        prefix, _, local = name.rpartition(":")
        tag = _with_attributes(_StartTag("" if empty else f"/{name}", prefix, local, {}, []), attributes)
    if len(written) < MAX_REMEMBERED_SIZE:
        if len(_start_tags) >= MAX_REMEMBERED:
            _start_tags.clear()
        _start_tags[written] = tag
    return tag


def _with_attributes(tag: _StartTag, written: str) -> _StartTag | None:
    found = _ATTRIBUTE.findall(written)
    if len(found) > MAX_ATTRIBUTES:
        return None
    for name, value in found:
        prefix, colon, local = name.rpartition(":")
        if len(value) > MAX_ATTRIBUTE_SIZE:
            return None
        if prefix == "xmlns" or name == "xmlns":
            declares = local if colon else ""
            # what Namespaces in XML reserves or forbids, and odd URIs, are lxml's to judge
            reserved = declares[:3].lower() == "xml" or "www.w3.org/XML/1998" in value or "/2000/xmlns" in value
            if reserved or declares in tag.declared or (colon and not value) or not _PLAIN_URI.fullmatch(value):
                return None
            tag.declared[declares] = value
        else:
            tag.attributes.append((prefix, local, value))
    return tag


def _resolve(tag: _StartTag, scope: dict[str, str]) -> Attributes | None:
    resolved = []
    for prefix, local, value in tag.attributes:
        if prefix not in scope:
            return None
        resolved.append((scope[prefix] if prefix else "", local, value))
    if len({item[:2] for item in resolved}) != len(resolved):
        return None
    return tuple(resolved)


def _unescaped(text: str) -> str | None:
    plain, count = _REFERENCE.subn(lambda found: _PREDEFINED[found[0]], text)
    return plain if count == text.count("&") else None


def tokenise(data: bytes) -> Tree | None:  # noqa: C901 (one loop, kept flat for speed)
    """Read plain XML; `None` for anything this reader is not sure of, well-formed or not."""
    if data.count(b"<") - data.count(b"</") > MAX_ELEMENTS or data.translate(None, _PLAIN) or b"]]>" in data:
        return None
    text = data.decode("ascii")
    if text.startswith("<?xml"):
        prolog = _PROLOG.match(text)
        if prolog is None:
            return None
        text = text[prolog.end() :]
    if text[:1] != "<":
        return None
    header: list[Row] = []
    body: list[Row] = []
    rows: list[Row] = []
    root = root_namespace = parent = ""
    scope = _OUTERMOST
    stack: list[tuple[str, str, dict[str, str]]] = []  # open elements with children: end tag, path, scope around it
    # the start tag just read, which is a leaf if its end tag comes next
    opened = path = namespace = content = ""
    attributes: Attributes = ()
    outer = scope
    depth = 0  # of the element being read

    for piece in text[1:].split("<"):
        written, mark, behind = piece.partition(">")
        if not mark:
            return None
        if opened:
            if written == opened:  # a leaf is complete
                if depth > 1:
                    if "&" in content:
                        plain = _unescaped(content)
                        if plain is None:
                            return None
                        content = plain
                    rows.append((path, namespace, content.strip(), attributes))
                elif content and not content.isspace():
                    return None
                opened = ""
                scope = outer
                if behind and not behind.isspace():
                    return None
                continue
            if content and not content.isspace():
                return None
            if depth > 1:
                rows.append((path, namespace, None, attributes))
            stack.append((opened, path, outer))
            parent = path
            opened = ""
        elif stack and written == stack[-1][0]:
            scope = stack.pop()[2]
            parent = stack[-1][1] if stack else ""
            if behind and not behind.isspace():
                return None
            continue
        depth = len(stack)
        if depth > MAX_DEPTH or (root and not depth):  # too deep, or a second root
            return None
        tag = _start_tags[written] if written in _start_tags else _start_tag(written)
        if tag is None:
            return None
        end_tag, prefix, local, declared, others = tag
        outer = scope
        if declared:
            scope = {**scope, **declared}
        attributes = ()
        if others:
            resolved = _resolve(tag, scope)
            if resolved is None:
                return None
            attributes = resolved
        if prefix not in scope:
            return None
        namespace = scope[prefix]
        if depth > 2:
            path = f"{parent}/{local}"
            if len(path) > MAX_PATH_SIZE:
                return None
        elif depth == 2:
            path = local
            if len(path) > MAX_PATH_SIZE:
                return None
        elif depth == 1:
            path = ""
            rows = []
            if namespace == root_namespace:
                rows = body if local == "Body" else header if local == "Header" else rows
        else:
            root, root_namespace = local, namespace
        if end_tag:
            opened, content = end_tag, behind
        else:
            if depth > 1:
                rows.append((path, namespace, "", attributes))
            scope = outer
            if behind and not behind.isspace():
                return None
    if stack or opened:
        return None
    return Tree(root_namespace, root, header, body)
