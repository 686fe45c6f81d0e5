"""From the elements of an envelope to values by path: what stands in its Header, and below its Body.

Sources: SOAP 1.1 and 1.2, WS-Addressing (2004/08), WS-Man (DSP0226 1.0), WS-Enumeration (2004).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from amtdecode.masking import SHOWN_INSIDE, is_reference, is_secret_name, is_value, names_a_value
from amtdecode.protocols.soap import tables
from amtdecode.protocols.soap.document import (
    ADDRESSING,
    BLANKS,
    MAX_ATTRIBUTE_SIZE,
    MAX_ATTRIBUTES,
    MAX_DEPTH,
    MAX_PATH_SIZE,
    WSMAN,
    XML_NAMESPACE,
    Limit,
)
from amtdecode.protocols.soap.values import NO_VALUES, Values

if TYPE_CHECKING:
    from collections.abc import Collection
    from xml.etree.ElementTree import Element

MAX_NAMES = 4096  # names of elements kept; those of AMT's classes repeat in every answer
MAX_NAME_SIZE = 256  # characters of one kept, its namespace included

_UNSHOWN = frozenset(
    (
        "http://schemas.xmlsoap.org/soap/envelope/",
        "http://www.w3.org/2003/05/soap-envelope",
        "http://www.w3.org/2001/XMLSchema-instance",
        XML_NAMESPACE,
    )
)
"""Namespaces of attributes that say how to read, not what is meant: mustUnderstand, encodingStyle, nil, lang."""

_KNOWN = {
    f"{{{ADDRESSING}}}Action": 0,
    f"{{{ADDRESSING}}}MessageID": 1,
    f"{{{ADDRESSING}}}RelatesTo": 2,
    f"{{{WSMAN}}}ResourceURI": 3,
}
_SELECTOR = f"{{{WSMAN}}}Selector"
_WITH_ITEMS = frozenset(("PullResponse", "EnumerateResponse"))


class Name(NamedTuple):
    """What is known of an element by its name."""

    local: str
    secret: bool  # its text is one
    secret_inside: bool  # the texts of all elements inside it are
    naming: bool  # its text says what another element is called
    value: bool  # it may be that one
    shown_inside: bool  # its text is none, though it lies in one


class Names(dict[str, Name]):
    """What is known of elements by their tags, for a whole run; emptied when full."""

    def __missing__(self, tag: str) -> Name:
        local = split(tag)[1]
        name = self.get(local) if local != tag else None  # of another class: judged once
        if name is None:
            secret = is_secret_name(local)
            inside = secret and not is_reference(local)
            shown = local.lower() in SHOWN_INSIDE
            name = Name(local, secret, inside, names_a_value(local), is_value(local), shown)
        if len(tag) <= MAX_NAME_SIZE:
            if len(self) > MAX_NAMES - 2:
                self.clear()
            self[tag] = self[local] = name
        return name


def split(tag: str) -> tuple[str, str]:
    """Namespace and local name of a tag `{namespace}name`."""
    namespace, _, name = tag.rpartition("}")
    return namespace[1:], name


class _Gathered:
    """Values in document order, and which of them are secrets."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.values: list[tuple[str, str]] = []
        self.secrets: list[int] = []  # their positions
        self.item = -1  # number of the last item of an enumeration; -1: they are not counted

    def add(self, path: str, text: str, secret: bool) -> None:
        """Add one value."""
        if secret:
            self.secrets.append(len(self.values))
        self.values.append((path, text))

    def add_attributes(self, path: str, attributes: Collection[tuple[str, str]], inside: bool) -> None:
        """Add the attributes of an element that mean something. `inside`: all of them are secret but names."""
        for tag, value in attributes:
            name = self.names[tag]
            if split(tag)[0] not in _UNSHOWN:
                self.add(f"{path}/@{name.local}", value, name.secret or (inside and not name.naming))

    def is_named_secret(self, attributes: Collection[tuple[str, str]]) -> bool:
        """Tell whether an attribute says that the element is called as secrets are: `<Property Name="Password">`."""
        return any(self.names[tag].naming and is_secret_name(value) for tag, value in attributes)

    def cover_pairs(self, parent: Element, prefix: str, first: int) -> None:
        """Where an element in `parent` names a secret, those beside it that have its value are secret."""
        if not any(self.names[child.tag].value for child in parent):
            return
        if any(self.names[child.tag].naming and is_secret_name(child.text or "") for child in parent):
            start = len(prefix)
            for at in range(first, len(self.values)):
                local = self.values[at][0][start:].partition("/")[0].partition("[")[0]
                if local and is_value(local):
                    self.secrets.append(at)

    def add_below(self, parent: Element, prefix: str, depth: int, inside: bool, items: bool = False) -> None:
        """Add all that lies in an element, the text of each element and its attributes. Raises `Limit`.

        `inside`: all of it is secret. `items`: they are numbered.
        """
        if depth > MAX_DEPTH:
            raise Limit("MAX_DEPTH")
        names, values = self.names, self.values
        first, paired = len(values), False
        for child in parent:
            local, secret, secret_inside, naming, _, shown_inside = names[child.tag]
            paired = paired or naming
            path = prefix + local
            if items:
                self.item += 1
                path = f"{path}[{self.item}]"
            if len(path) > MAX_PATH_SIZE:
                raise Limit("MAX_PATH_SIZE")
            secret, secret_inside = secret or (inside and not shown_inside), inside or secret_inside
            attributes = child.items()
            if attributes:
                _check(attributes)
                name = _name(attributes) if path.endswith("Selector") else ""
                if name:  # a selector: those of a reference have several
                    path = f"{path}[{name}]"
                    secret, secret_inside = tables.is_secret(path), tables.is_secret_inside(path)
                else:
                    named = self.is_named_secret(attributes)
                    secret, secret_inside = secret or named, secret_inside or named
                    self.add_attributes(path, attributes, secret_inside)
            if not len(child):
                if secret:
                    self.secrets.append(len(values))
                text = child.text
                values.append((path, text.strip(BLANKS) if text else ""))
                continue
            mixed = _text(child)
            if mixed is not None:
                self.add(path, mixed, secret)
            self.add_below(child, f"{path}/", depth + 1, secret_inside, self.item >= 0 and path == "Items")
        if paired:
            self.cover_pairs(parent, prefix, first)

    def add_header(self, element: Element, path: str, depth: int, inside: bool = False) -> None:
        """Add a header element and all that lies in it. Raises `Limit`."""
        if depth > MAX_DEPTH:
            raise Limit("MAX_DEPTH")
        if len(path) > MAX_PATH_SIZE:
            raise Limit("MAX_PATH_SIZE")
        _, secret, secret_inside, _, _, shown_inside = self.names[element.tag]
        secret = secret or (inside and not shown_inside)
        text = _text(element)
        first = len(self.values)
        attributes = element.items()
        if attributes:
            _check(attributes)
            name = _name(attributes)
            named = self.is_named_secret(attributes)
            if text is not None:
                self.add(f"{path}[{name}]" if name and named else path, text, secret or named)
            self.add_attributes(path, attributes, secret or named)
            inside = inside or named
        elif text is not None:
            self.add(path, text, secret)
        if len(element):
            inside = inside or secret_inside
            for child in element:
                self.add_header(child, f"{path}/{self.names[child.tag].local}", depth + 1, inside)
            self.cover_pairs(element, f"{path}/", first)

    def add_selector(self, element: Element, path: str, depth: int) -> None:
        """Add a selector, and what lies in one that is a reference. Raises `Limit`."""
        if depth > MAX_DEPTH:
            raise Limit("MAX_DEPTH")
        if len(path) > MAX_PATH_SIZE:
            raise Limit("MAX_PATH_SIZE")
        text = _text(element)
        if text is not None:
            self.add(path, text, tables.is_secret(path))
        above = f"{path}/" if path else ""
        for child in element:
            inner = above + self.names[child.tag].local
            name = _name(_checked(child))
            self.add_selector(child, f"{inner}[{name}]" if name else inner, depth + 1)

    def all(self) -> Values:
        """What was added."""
        return Values.of(self.values, sorted(set(self.secrets))) if self.values else NO_VALUES


def read_header(
    envelope: Element, namespace: str, names: Names
) -> tuple[tuple[str, ...], Values, Values, Limit | None]:
    """Action, MessageID, RelatesTo and ResourceURI; selectors; all other headers; the cap that ended reading."""
    known: list[str | None] = [None, None, None, None]
    selectors, headers = _Gathered(names), _Gathered(names)
    limit = None
    try:
        for header in _inside(envelope, namespace, "Header"):
            which = _KNOWN.get(header.tag)
            local = names[header.tag].local
            if which is not None and known[which] is None:  # the first counts
                known[which] = _text(header) or ""
                for child in header if len(header) else ():
                    headers.add_header(child, f"{local}/{names[child.tag].local}", 3)
            elif local == "SelectorSet" and len(header):
                _read_selectors(header, selectors, headers)
            else:
                headers.add_header(header, local, 2)
    except Limit as reached:
        limit = reached
    return tuple([text or "" for text in known]), selectors.all(), headers.all(), limit


def _read_selectors(selector_set: Element, selectors: _Gathered, headers: _Gathered) -> None:
    text = _text(selector_set)
    if text is not None:
        headers.add("SelectorSet", text, False)
    for child in selector_set:
        if child.tag == _SELECTOR:
            selectors.add_selector(child, _name(_checked(child)), 3)
        else:
            headers.add_header(child, f"SelectorSet/{headers.names[child.tag].local}", 3)


def read_body(envelope: Element, namespace: str, names: Names) -> tuple[str, str, Values, Limit | None]:
    """Name and namespace of the operation; all that stands below it; the cap that ended reading.

    Items of an enumeration are numbered.
    """
    gathered = _Gathered(names)
    operation = operation_namespace = ""
    limit = None
    try:
        for at, child in enumerate(_inside(envelope, namespace, "Body")):
            local = names[child.tag].local
            if len(local) > MAX_PATH_SIZE:
                raise Limit("MAX_PATH_SIZE")
            if not at:
                operation_namespace, operation = split(child.tag)
                gathered.item = 0 if operation in _WITH_ITEMS else -1
                text = _text(child)
                if text:  # it has no children
                    gathered.add(operation, text, names[child.tag].secret)
                gathered.add_attributes("", _checked(child), False)
                gathered.add_below(child, "", 3, inside=False)
                gathered.item = -1
            else:  # beside the operation
                gathered.add_attributes(local, _checked(child), names[child.tag].secret_inside)
                text = _text(child)
                if text is not None:
                    gathered.add(local, text, names[child.tag].secret)
                gathered.add_below(child, f"{local}/", 3, names[child.tag].secret_inside)
    except Limit as reached:
        limit = reached
    return operation, operation_namespace, gathered.all(), limit


def _inside(envelope: Element, namespace: str, section: str) -> list[Element]:
    """The elements in the Header or Body: mostly there is one of each."""
    tag = f"{{{namespace}}}{section}" if namespace else section
    return [element for child in envelope if child.tag == tag for element in child]


def _text(element: Element) -> str | None:
    """The text of an element; `None` of one that has children and no text of its own."""
    text = element.text
    if not len(element):
        return text.strip(BLANKS) if text else ""
    pieces = [piece for piece in (text, *[child.tail for child in element]) if piece and not piece.isspace()]
    return "".join(pieces).strip(BLANKS) if pieces else None


def _name(attributes: Collection[tuple[str, str]]) -> str:
    """The attribute that names a selector or an option."""
    return next((value for name, value in attributes if name == "Name" or name.endswith("}Name")), "")


def _checked(element: Element) -> Collection[tuple[str, str]]:
    """The attributes of an element. Raises `Limit`."""
    attributes = element.items()
    _check(attributes)
    return attributes


def _check(attributes: Collection[tuple[str, str]]) -> None:
    """Hold attributes against the caps. Raises `Limit`."""
    if len(attributes) > MAX_ATTRIBUTES:
        raise Limit("MAX_ATTRIBUTES")
    if attributes and max([len(value) for _, value in attributes]) > MAX_ATTRIBUTE_SIZE:
        raise Limit("MAX_ATTRIBUTE_SIZE")
