"""The quick reader: plain XML in ASCII, as AMT and its consoles write it. `None` for anything it is not sure of.

Machines of one kind write the same start tags over and over, so these are kept parsed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from amtdecode.protocols.soap.tree import (
    MAX_ATTRIBUTE_SIZE,
    MAX_ATTRIBUTES,
    MAX_DEPTH,
    MAX_ELEMENTS,
    MAX_PATH_SIZE,
    MAX_REMEMBERED,
    MAX_REMEMBERED_SIZE,
    XML_NAMESPACE,
    Attributes,
    Row,
    Tree,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

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
_ODD = re.compile(r"[^\t\n -~]|\]\]>")  # what no text may hold, or only lxml should judge
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


def split(text: str) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """Cut plain XML into its tags, without their brackets, and the text behind each; `None` if it is not plain."""
    if text.count("<") > 2 * MAX_ELEMENTS or _ODD.search(text):
        return None
    if text.startswith("<?xml"):
        prolog = _PROLOG.match(text)
        if prolog is None:
            return None
        text = text[prolog.end() :]
    if text[:1] != "<":
        return None
    tags, marks, texts = zip(*[piece.partition(">") for piece in text[1:].split("<")], strict=True)
    return (tags, texts) if "" not in marks else None  # each tag has its end


def tokenise(text: str) -> Tree | None:
    """Read plain XML; `None` for anything this reader is not sure of, well-formed or not."""
    cut = split(text)
    return walk(*cut, [], []) if cut is not None else None


Places = list[tuple[int, int]]
"""Rows of leaves, and behind which tag the text of each stands."""


def walk(  # noqa: C901 (one loop, kept flat for speed)
    tags: Sequence[str], texts: Sequence[str], header_places: Places, body_places: Places
) -> Tree | None:
    """Read tags and texts, and enter where the texts of the rows come from; `None` as above."""
    if sum([written[:1] != "/" for written in tags]) > MAX_ELEMENTS:
        return None
    header: list[Row] = []
    body: list[Row] = []
    rows: list[Row] = []
    places: Places = []
    root = root_namespace = parent = ""
    scope = _OUTERMOST
    stack: list[tuple[str, str, dict[str, str]]] = []  # open elements with children: end tag, path, scope around it
    # the start tag just read, which is a leaf if its end tag comes next
    opened = path = namespace = content = ""
    attributes: Attributes = ()
    outer = scope
    depth = 0  # of the element being read

    for at, written in enumerate(tags):
        behind = texts[at]
        if opened:
            if written == opened:  # a leaf is complete
                if depth > 1:
                    if "&" in content:
                        plain = _unescaped(content)
                        if plain is None:
                            return None
                        content = plain
                    places.append((len(rows), at - 1))
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
        path = "" if depth < 2 else f"{parent}/{local}" if depth > 2 else local
        if len(path) > MAX_PATH_SIZE:
            return None
        if depth == 1:
            rows, places = [], []
            if namespace == root_namespace:
                if local == "Body":
                    rows, places = body, body_places
                elif local == "Header":
                    rows, places = header, header_places
        elif not depth:
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
