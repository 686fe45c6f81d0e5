"""Which element of an envelope is what: the part of reading that depends on tags alone, not on the texts between them.

By namespace and never by prefix. Sources: SOAP 1.1 and 1.2, WS-Addressing (2004/08), WS-Man (DSP0226 1.0).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from amtdecode.protocols.soap.tables import is_secret
from amtdecode.protocols.soap.tree import XML_NAMESPACE, Row, Tree
from amtdecode.protocols.soap.values import Values  # noqa: TC001 - msgspec reads the annotations of structs

if TYPE_CHECKING:
    from collections.abc import Sequence

SOAP11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP12 = "http://www.w3.org/2003/05/soap-envelope"
ADDRESSING = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
WSMAN = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
XSI = "http://www.w3.org/2001/XMLSchema-instance"

_UNSHOWN = frozenset((SOAP11, SOAP12, XSI, XML_NAMESPACE))
"""Namespaces of attributes that say how to read, not what is meant: mustUnderstand, encodingStyle, nil, lang."""

_KNOWN = {
    (ADDRESSING, "Action"): 0,
    (ADDRESSING, "MessageID"): 1,
    (ADDRESSING, "RelatesTo"): 2,
    (WSMAN, "ResourceURI"): 3,
}
_WITH_ITEMS = frozenset(("PullResponse", "EnumerateResponse"))


class Shape(NamedTuple):
    """What the tags of a document tell by themselves."""

    namespace: str  # of the root
    name: str
    operation: str  # the element in the Body, and its namespace
    operation_namespace: str
    leaf: bool  # it has no children: the first of the arguments is its own text, under its own name


class Outline(msgspec.Struct, frozen=True, gc=False):
    """An XML document put in order."""

    shape: Shape
    known: tuple[str, ...]  # Action, MessageID, RelatesTo, ResourceURI
    selectors: Values
    headers: Values  # all other header elements
    arguments: Values  # all below the operation


def outline(tree: Tree) -> Outline:
    """Put a tree in order."""
    known: list[str | None] = [None] * 4
    selectors, headers = _read_header(tree.header, known)
    operation, namespace, arguments = _read_body(tree.body)
    leaf = bool(tree.body) and tree.body[0][2] is not None
    found = tuple([text or "" for text in known])
    return Outline(Shape(tree.namespace, tree.name, operation, namespace, leaf), found, selectors, headers, arguments)


def _read_header(rows: Sequence[Row], known: list[str | None]) -> tuple[Values, Values]:
    selectors: list[tuple[str, str]] = []
    headers: list[tuple[str, str]] = []
    for path, namespace, text, attributes in rows:
        which = _KNOWN.get((namespace, path))
        if which is not None and known[which] is None:  # the first counts
            known[which] = text or ""
        elif path == "SelectorSet/Selector" and namespace == WSMAN:
            label = next((value for _, local, value in attributes if local == "Name"), "")
            if text is not None:
                selectors.append((label, text))
        elif path.startswith("SelectorSet/Selector/"):  # a selector that is a reference
            if text is not None:
                selectors.append((_short(path, "SelectorSet/Selector/", attributes), text))
        elif text is not None:
            name = next((value for _, local, value in attributes if local == "Name"), "") if attributes else ""
            headers.append((f"{path}[{name}]" if name and is_secret(name) else path, text))
            if attributes:
                headers.extend(_attribute_values(path, attributes))
    return tuple(selectors), tuple(headers)


def _short(path: str, prefix: str, attributes: Sequence[tuple[str, str, str]]) -> str:
    name = next((value for _, local, value in attributes if local == "Name"), "")
    return f"{path[len(prefix) :]}[{name}]" if name else path[len(prefix) :]


def _attribute_values(path: str, attributes: Sequence[tuple[str, str, str]]) -> list[tuple[str, str]]:
    return [(f"{path}/@{local}", value) for namespace, local, value in attributes if namespace not in _UNSHOWN]


def _read_body(rows: Sequence[Row]) -> tuple[str, str, Values]:
    """Name and namespace of the operation, and all that stands below it. Items of an enumeration are numbered."""
    if not rows:
        return "", "", ()
    operation, namespace, text, attributes = rows[0]
    prefix = f"{operation}/"
    skip = len(prefix)
    plain = text is None and operation not in _WITH_ITEMS and not any(row[3] for row in rows)
    if plain and sum([row[0].startswith(prefix) for row in rows]) == len(rows) - 1:
        return operation, namespace, tuple([(path[skip:], text) for path, _, text, _ in rows[1:] if text is not None])
    values: list[tuple[str, str]] = []
    if text is not None:
        values.append((operation, text))
    if attributes:
        values.extend(_attribute_values("", attributes))
    items = f"{operation}/Items/"
    item, number = "", 0
    for path, _namespace, text, attributes in rows[1:]:
        if path.startswith(prefix):
            if path.startswith(items):
                rest = path[len(items) :]
                if "/" not in rest:
                    number += 1
                    item = f"{items[skip:]}{rest}[{number}]"
                    path = item
                else:
                    path = item + rest[rest.index("/") :]
            else:
                path = path[skip:]
        if attributes:
            last = path.rpartition("/")[2]
            name = next((value for _, local, value in attributes if local == "Name"), "") if last == "Selector" else ""
            if name and text is not None:
                path = f"{path}[{name}]"
                attributes = ()
            if attributes:
                values.extend(_attribute_values(path, attributes))
        if text is not None:
            values.append((path, text))
    return operation, namespace, tuple(values)
