"""The bytes of an envelope as a tree: each element with the bytes from its start tag to its end tag.

Places count in the body as HTTP gives it: out of its chunks, decompressed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from amtdecode.masking import is_secret_name, is_value, masked, names_a_value
from amtdecode.protocols.soap import tables
from amtdecode.protocols.soap.document import ADDRESSING, WSMAN, Place, places
from amtdecode.protocols.soap.fields import ARGUMENT, MESSAGE, SECRET
from amtdecode.tree import Node, group, node

if TYPE_CHECKING:
    from amtdecode.fields import Field

_FIELDS: dict[str, Field] = {field.name: field for field in MESSAGE}
_KNOWN = {
    (ADDRESSING, "Action"): _FIELDS["iamt.wsman.action"],
    (ADDRESSING, "MessageID"): _FIELDS["iamt.wsman.message_id"],
    (ADDRESSING, "RelatesTo"): _FIELDS["iamt.wsman.relates_to"],
    (WSMAN, "ResourceURI"): _FIELDS["iamt.wsman.resource_uri"],
}


def tree(pdu: bytes) -> tuple[Node, ...]:
    """Read a body; of a cut or broken one, the elements that begin before the fault."""
    found = places(pdu)
    below: list[list[tuple[Place, Node]]] = [[]]
    for place in reversed(found):  # children come before their parents
        while len(below) < place.depth + 2:
            below.append([])
        children = below[place.depth + 1][::-1]
        below[place.depth + 1] = []
        below[place.depth].append((place, _node(place, _with_pairs(children))))
    return tuple(node for _, node in below[0][::-1])


def _with_pairs(children: list[tuple[Place, Node]]) -> tuple[Node, ...]:
    """The elements in an element, where one names a secret those that have its value being secret."""
    named = any(place.text and names_a_value(_local(place)) and is_secret_name(place.text) for place, _ in children)
    return tuple([_hidden(node) if named and is_value(_local(place)) else node for place, node in children])


def _local(place: Place) -> str:
    return place.path.rpartition("/")[2].partition("[")[0]


def _hidden(one: Node) -> Node:
    return replace(one, secret=one.value is not None, children=tuple(map(_hidden, one.children)))


def _node(place: Place, children: tuple[Node, ...]) -> Node:
    length = place.end - place.start
    if children or place.depth < 2:
        return group(place.path.rpartition("/")[2], place.start, length, children)
    _, section, *path = place.path.split("/")
    if section == "Header":
        field = _KNOWN.get((place.namespace, path[0])) if len(path) == 1 else None
        if field is not None:
            return node(field, place.text, place.start, length)
        field = _FIELDS["iamt.wsman.selector" if path[0] == "SelectorSet" else "iamt.soap.header"]
    else:
        field = ARGUMENT
        path = path[1:] or path
    name = "/".join(path)
    secret = tables.is_secret(name) or masked(place.text) != place.text
    return node(SECRET if secret else field, f"{name}={place.text}", place.start, length)
