"""XML as a SOAP reader needs it: flat rows, one per element, in document order, named by namespace and path.

Types and caps only; `reader` makes trees of bodies.
"""

from __future__ import annotations

from typing import NamedTuple

LAYER = "iamt.soap"
MAX_BODY_SIZE = 2 << 20  # bytes; AMT promises envelopes of at least 50,000
MAX_ELEMENTS = 20_000
MAX_DEPTH = 64
MAX_PATH_SIZE = 512  # characters of one element's path
MAX_ATTRIBUTES = 64  # of one element, namespace declarations included
MAX_ATTRIBUTE_SIZE = 4096  # characters of one value
MAX_ALL_ATTRIBUTES = 20_000
MAX_REMEMBERED = 2048  # start tags kept parsed; sequences of tags of which it is known that they came before
MAX_PLANS = 256  # sequences of tags that get a plan, which takes a millisecond or two to make
MAX_PLANS_ALIKE = 32  # of documents that end alike: their plans are tried one after another
PLAN_AFTER = 4  # times that a sequence was read
MAX_PLAN_TAGS = 400  # in one sequence
MAX_PLAN_SIZE = 8192  # characters of one sequence, and of the paths in it
MAX_REMEMBERED_SIZE = 1500  # characters; the Envelope with its namespaces has about 700

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


class Limit(Exception):  # noqa: N818 (not an error to users; caught in this package)
    """A cap of this module is reached."""

    def __init__(self, name: str, value: int) -> None:
        super().__init__(name)
        self.name, self.value = name, value
