"""The fields of a packet as a tree that can be opened, and which bytes each of them is."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from amtdecode.render.layers import NOWHERE, header_layers, message_layer, numbered
from amtdecode.render.safe import safe
from amtdecode.render.tree_text import SHOWN_CHILDREN, place_text, value_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from amtdecode.fields import Field
    from amtdecode.frame import Packet
    from amtdecode.model import Observation
    from amtdecode.tree import Node

Path = tuple[str, ...]
"""What a branch is called, and those above it: the same in the next packet of its kind."""


class Branch(NamedTuple):
    """A line of the tree."""

    text: str
    value: str
    meaning: str
    depth: int
    path: Path
    has_more: bool
    data: bytes
    """The packet, or a message that does not stand in it as it is."""
    span: tuple[int, int] | None
    """The bytes of it that the line is about."""
    of_message: bool = False


class Fields:
    """The tree of one packet. `opened`: the branches that show what is below them; it may be shared by many packets."""

    def __init__(
        self,
        packet: Packet,
        observations: Sequence[Observation],
        declared: Mapping[str, Field],
        opened: set[Path],
        *,
        show_secrets: bool,
    ) -> None:
        self._declared = declared
        self._opened = opened
        self.packet = packet.data
        self._layers = [(layer, self.packet, 0) for layer in header_layers(packet)]
        for observation in observations:
            layer = message_layer(observation, show_secrets=show_secrets)
            message = observation.pdu or b""
            at = self.packet.rfind(message) if message else NOWHERE
            data, shift = (message, 0) if at < 0 else (self.packet, at)
            self._layers.append((layer, data, shift))

    def lines(self) -> Iterator[Branch]:
        """The lines that can be seen now."""
        counts: dict[str, int] = {}
        for layer, data, shift in self._layers:
            counts[layer.protocol] = counts.get(layer.protocol, 0) + 1
            name = layer.protocol if counts[layer.protocol] == 1 else f"{layer.protocol} {counts[layer.protocol]}"
            path = (name,)
            span = (layer.start + shift, layer.start + shift + layer.length) if layer.length else None
            yield Branch(safe(layer.title), "", "", 0, path, bool(layer.nodes), data, span, layer.of_message)
            if path in self._opened:
                yield from self._below(layer.nodes, 1, path, data, shift)

    def is_open(self, path: Path) -> bool:
        """Whether a branch shows what is below it."""
        return path in self._opened

    def open_messages(self) -> None:
        """Open what the packet carries, as that is what is looked at first."""
        for layer, _, _ in self._layers:
            if layer.of_message:
                self._opened.add((layer.protocol,))

    def _below(self, nodes: Sequence[Node], depth: int, above: Path, data: bytes, shift: int) -> Iterator[Branch]:
        for node, words in numbered(nodes[:SHOWN_CHILDREN]):
            path = (*above, node.name or words)
            span = None
            if node.start != NOWHERE and node.length:
                span = node.start + shift, node.start + shift + node.length
            place = place_text(span[0], span[1] - span[0]) if span else ""
            if node.name:
                field = self._declared.get(node.name)
                meaning = field.meaning if field is not None else ""
                text, value = safe(node.name), f"{value_text(node, words, field)}  {place}".rstrip()
            else:
                text, value, meaning = safe(words), place, ""
            yield Branch(text, value, meaning, depth, path, bool(node.children), data, span)
            if path in self._opened:
                yield from self._below(node.children, depth + 1, path, data, shift)
        if len(nodes) > SHOWN_CHILDREN:
            more = f"… and {len(nodes) - SHOWN_CHILDREN} more"
            yield Branch(more, "", "", depth, (*above, "…"), False, data, None)
