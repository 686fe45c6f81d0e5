"""The careful reader: any well-formed XML without a DTD, through lxml. Imported only when a body needs it.

lxml calls the target below element by element, so that caps hold while it reads, and what stood before a fault is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from lxml import etree

from amtdecode.protocols.soap.tree import (
    MAX_ATTRIBUTE_SIZE,
    MAX_ATTRIBUTES,
    MAX_DEPTH,
    MAX_ELEMENTS,
    MAX_PATH_SIZE,
    Attributes,
    Limit,
    Row,
    Tree,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_BLANKS = " \t\r\n"


class _Target:
    """Builds rows as `tokeniser.tokenise` does, from the events of a parser."""

    def __init__(self) -> None:
        self.tree = Tree("", "", [], [])
        self.root = self.root_namespace = ""
        self.rows: list[Row] = []
        self.elements = 0
        # open elements: path, rows and index of its row (-1: none), pieces of its text
        self.open: list[tuple[str, list[Row], int, list[str]]] = []

    def start(self, tag: str, attributes: Mapping[str, str], nsmap: Mapping[str | None, str]) -> None:
        self.elements += 1
        if self.elements > MAX_ELEMENTS:
            raise Limit("MAX_ELEMENTS", MAX_ELEMENTS)
        depth = len(self.open)
        if depth > MAX_DEPTH:
            raise Limit("MAX_DEPTH", MAX_DEPTH)
        if len(attributes) + len(nsmap) > MAX_ATTRIBUTES:
            raise Limit("MAX_ATTRIBUTES", MAX_ATTRIBUTES)
        namespace, local = _split(tag)
        path, index = "", -1
        if depth == 0:
            self.root, self.root_namespace = local, namespace
        elif depth == 1:
            self.rows = []
            if namespace == self.root_namespace:
                self.rows = self.tree.body if local == "Body" else self.tree.header if local == "Header" else []
        else:
            path = f"{self.open[-1][0]}/{local}" if depth > 2 else local
            if len(path) > MAX_PATH_SIZE:
                raise Limit("MAX_PATH_SIZE", MAX_PATH_SIZE)
            index = len(self.rows)
            self.rows.append((path, namespace, "", _resolved(attributes)))
        if depth:
            self._set(self.open[-1], parent=True)
        self.open.append((path, self.rows, index, []))

    def data(self, data: str) -> None:
        if self.open:
            self.open[-1][3].append(data)

    def end(self, tag: str) -> None:  # noqa: ARG002 (the parser matches tags)
        self._set(self.open.pop(), parent=False)

    def close(self) -> Tree:
        return self.tree._replace(namespace=self.root_namespace, name=self.root)

    @staticmethod
    def _set(element: tuple[str, list[Row], int, list[str]], *, parent: bool) -> None:
        path, rows, index, pieces = element
        if index < 0:
            return
        old = rows[index]
        text = "".join(pieces).strip(_BLANKS)
        has_children = parent or old[2] is None
        rows[index] = (path, old[1], (text or None) if has_children else text, old[3])

    def kept(self) -> Tree:
        """Give what stands before a fault; an element cut in its text is left out, since its value is not known."""
        if self.open:
            _, rows, index, _ = self.open[-1]
            if index >= 0 and index == len(rows) - 1 and rows[index][2] is not None:
                rows.pop()
        return self.close()


def _split(tag: str) -> tuple[str, str]:
    namespace, _, local = tag.rpartition("}")
    return namespace[1:], local


def _resolved(attributes: Mapping[str, str]) -> Attributes:
    if not attributes:
        return ()
    for value in attributes.values():
        if len(value) > MAX_ATTRIBUTE_SIZE:
            raise Limit("MAX_ATTRIBUTE_SIZE", MAX_ATTRIBUTE_SIZE)
    return tuple((*_split(name), value) for name, value in attributes.items())


def build(text: str) -> tuple[Tree | None, str, Limit | None]:
    """Read a document without a DTD: its tree, what is wrong with it, and the cap it reached."""
    target = _Target()
    parser = etree.XMLParser(
        target=cast("Any", target),
        encoding="utf-8",  # the caller has decoded it, whatever it declares
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        recover=False,
        collect_ids=False,
    )
    try:
        tree = cast("Tree", etree.fromstring(text.encode("utf-8", "surrogatepass"), parser))
    except Limit as limit:
        return target.kept() if target.root else None, "", limit
    except (etree.LxmlError, ValueError, MemoryError) as error:
        reason = str(getattr(error, "msg", None) or error or "cannot be read")[:200]
        return target.kept() if target.root else None, reason, None
    return tree, "", None
