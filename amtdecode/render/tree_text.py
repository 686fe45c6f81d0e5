"""The tree below a line of the packet list: layers, fields, meanings, and where each stands in the bytes."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

from amtdecode.render.layers import NOWHERE, layers, numbered
from amtdecode.render.safe import safe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from amtdecode.fields import Field
    from amtdecode.frame import Packet
    from amtdecode.model import Observation
    from amtdecode.render.layers import Layer
    from amtdecode.tree import Node

SHOWN_CHILDREN = 256  # below one branch of a tree; the rest is counted
SHOWN_VALUE = 200  # characters of a value
INDENT = "    "


class TreeText:
    """Writes the layers of an observation.

    `fields`: the catalogue, by name. `only`: protocols whose layers are opened, the others have one line (`-O`); all
    where it is empty.
    """

    def __init__(
        self,
        write: Callable[[str], object],
        fields: Mapping[str, Field],
        *,
        only: Sequence[str] = (),
        show_secrets: bool = False,
        color: bool = False,
    ) -> None:
        self._write = write
        self._fields = fields
        self._only = only
        self._show = show_secrets
        self._name, self._dim, self._end = ("\x1b[36m", "\x1b[2m", "\x1b[0m") if color else ("", "", "")

    def __call__(self, observation: Observation, packet: Packet | None) -> None:
        """Write one observation, and an empty line."""
        for layer in layers(observation, packet, show_secrets=self._show):
            self._layer(layer)
            if layer.of_message:
                for place, number in observation.elsewhere:
                    self._write(f"{INDENT}[carried too by packet {number} of {safe(place)}]\n")
        self._write("\n")

    def _layer(self, layer: Layer) -> None:
        self._write(f"{safe(layer.title)}{self._place(layer.start, layer.length)}\n")
        if not self._only or any(
            layer.protocol == name or layer.protocol.startswith(f"{name}.") for name in self._only
        ):
            self._nodes(layer.nodes, 1)

    def _nodes(self, nodes: Sequence[Node], depth: int) -> None:
        for node, words in numbered(nodes[:SHOWN_CHILDREN]):
            place = self._place(node.start, node.length)
            if node.name:
                text = f"{self._field(node, words)}{place}"
                field = self._fields.get(node.name)
                text += f"  {self._dim}{field.meaning}{self._end}" if field is not None else ""
            else:
                text = f"{safe(words)}{place}"
            self._write(f"{INDENT * depth}{text}\n")
            self._nodes(node.children, depth + 1)
        if len(nodes) > SHOWN_CHILDREN:
            self._write(f"{INDENT * depth}… and {len(nodes) - SHOWN_CHILDREN} more\n")

    def _field(self, node: Node, words: str) -> str:
        return f"{self._name}{safe(node.name)}{self._end}: {value_text(node, words, self._fields.get(node.name))}"

    def _place(self, start: int, length: int) -> str:
        place = place_text(start, length)
        return f"  {self._dim}{place}{self._end}" if place else ""


def value_text(node: Node, words: str, field: Field | None) -> str:
    """The value of a node, and what it is called, by its declaration or as `numbered` says."""
    if not words and field is not None and isinstance(node.value, Hashable):
        words = field.name_of(node.value)
    return f"{safe(_short(node.value))}{f' ({safe(words)})' if words else ''}"


def place_text(start: int, length: int) -> str:
    """Which bytes a node stands in; "" where it stands in none."""
    if start == NOWHERE or not length:
        return ""
    last = start + length - 1
    return f"[{start}]" if last == start else f"[{start}-{last}]"


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= SHOWN_VALUE else f"{text[:SHOWN_VALUE]}… ({len(text)} characters)"
