"""The bytes of an envelope as a tree: each element with the bytes from its start tag to its end tag.

Places count in the body as HTTP gives it: out of its chunks, decompressed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.protocols.addresses import discreet_node
from amtdecode.protocols.soap import tables
from amtdecode.protocols.soap.document import ADDRESSING, WSMAN, Place, places
from amtdecode.protocols.soap.fields import ARGUMENT, MESSAGE, SECRET
from amtdecode.tree import Node, group

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
    below: list[list[Node]] = [[]]
    for place in reversed(found):  # children come before their parents
        while len(below) < place.depth + 2:
            below.append([])
        children = tuple(below[place.depth + 1][::-1])
        below[place.depth + 1] = []
        below[place.depth].append(_node(place, children))
    return tuple(below[0][::-1])


def _node(place: Place, children: tuple[Node, ...]) -> Node:
    length = place.end - place.start
    if children or place.depth < 2:
        return group(place.path.rpartition("/")[2], place.start, length, children)
    _, section, *path = place.path.split("/")
    if section == "Header":
        field = _KNOWN.get((place.namespace, path[0])) if len(path) == 1 else None
        if field is not None:
            return discreet_node(field, place.text, place.start, length)
        field = _FIELDS["iamt.wsman.selector" if path[0] == "SelectorSet" else "iamt.soap.header"]
    else:
        field = ARGUMENT
        path = path[1:] or path
    name = "/".join(path)
    return discreet_node(SECRET if tables.is_secret(name) else field, f"{name}={place.text}", place.start, length)
