"""What the bytes of one message are: a tree of its fields, each with its place.

`Observation.tree()` gives it, where the engine keeps the bytes (`Engine(pdus=True)`, `read(…, pdus=True)`). A room
overrides `Event.tree` and makes the nodes from its declaration in construct (`amtdecode.protocols.declaration`), or by
its own reader where nothing is declared (HTTP, SOAP: `node` and `group` here). Names are those of `fields()`; besides
them stand Wireshark's names of bytes that no field shows, such as `arp.hw.type`. Positions and lengths are those of
`tshark -T pdml`, but count from the message's first byte.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from amtdecode.fields import BOOLEAN, BYTES, ETHER, GUID, IPV4, IPV6, MASK
from amtdecode.masking import masked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.fields import Field


class Node(msgspec.Struct, frozen=True):
    """One field of a message, or a group of them."""

    name: str
    """The field's name; "" for a group."""
    value: Any
    """The value as `fields()` has it, one of them where the field is repeated; `None` for a group."""
    words: str
    """What the value is called (`request`), "" where it has no name; of a group, what it is (`Answers`)."""
    start: int
    """Offset of its first byte in the message."""
    length: int
    """How many bytes it takes. Flags share the bytes of the number they are part of."""
    children: tuple[Node, ...] = ()
    secret: bool = False
    """Whether the value is one to mask; the other members still tell it."""

    def walk(self) -> Iterator[Node]:
        """The node and all below it, in order."""
        yield self
        for child in self.children:
            yield from child.walk()

    def __repr__(self) -> str:
        value = MASK if self.secret else self.value
        below = f", {len(self.children)} below" if self.children else ""
        return f"Node({self.name!r}, {value!r}, {self.words!r}, {self.start}+{self.length}{below})"

    def __rich_repr__(self) -> list[Any]:
        return [self.name, MASK if self.secret else self.value, self.words, self.start, self.length, self.children]


def node(field: Field, value: Any, start: int, length: int, children: tuple[Node, ...] = (), words: str = "") -> Node:
    """A node of a field. `value` may be the bytes of an address, a GUID in network order or a byte sequence.

    `words`: what the value is called, where the field's `values` do not say.
    """
    shown = shown_value(field, value)
    secret = field.secret or (field.free and isinstance(shown, str) and masked(shown) != shown)
    return Node(field.name, shown, words or field.name_of(shown), start, length, children, secret)


def group(words: str, start: int, length: int, children: tuple[Node, ...]) -> Node:
    """A node that only holds others together."""
    return Node("", None, words, start, length, children)


def shown_value(field: Field, value: Any) -> Any:
    """A value as `fields()` has it."""
    if field.kind is BOOLEAN:
        return bool(value)
    if not isinstance(value, bytes):
        return value
    if field.kind is ETHER:
        return value.hex(":")
    if field.kind in (IPV4, IPV6):
        from ipaddress import ip_address

        return str(ip_address(value))
    if field.kind is GUID:
        from uuid import UUID

        return str(UUID(bytes=value))
    return value.hex() if field.kind is BYTES else value
