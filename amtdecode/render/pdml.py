"""Observations as PDML, the XML of `tshark -T pdml`: a `packet` for each observation, a `proto` for each of its layers.

Positions in headers count from the first byte of the packet, those in a message from the first byte of the message.
Bytes (`value`) are left out unless secrets are asked for.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from amtdecode.render.layers import NOWHERE, layers, numbered
from amtdecode.render.safe import safe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from amtdecode.fields import Field
    from amtdecode.frame import Packet
    from amtdecode.model import Observation
    from amtdecode.tree import Node


class Pdml:
    """Writes one document; `close` ends it."""

    def __init__(
        self, write: Callable[[str], object], fields: Mapping[str, Field], creator: str, *, show_secrets: bool = False
    ) -> None:
        self._write = write
        self._fields = fields
        self._show = show_secrets
        write(f'<?xml version="1.0" encoding="utf-8"?>\n<pdml version="0" creator="{_text(creator)}">\n')

    def __call__(self, observation: Observation, packet: Packet | None) -> None:
        """Write one observation."""
        self._write("<packet>\n")
        for layer in layers(observation, packet, show_secrets=self._show):
            data = (observation.pdu or b"") if layer.of_message else packet.data if packet is not None else b""
            self._write(
                f'  <proto name="{_text(layer.protocol)}" showname="{_text(layer.title)}" size="{layer.length}" '
                f'pos="{layer.start}">\n'
            )
            self._nodes(layer.nodes, data, 2)
            self._write("  </proto>\n")
        self._write("</packet>\n")

    def close(self) -> None:
        """End the document."""
        self._write("</pdml>\n")

    def _nodes(self, nodes: Sequence[Node], data: bytes, depth: int) -> None:
        for node, words in numbered(nodes):
            field = self._fields.get(node.name)
            said = f"{field.meaning}: {node.value}" if field is not None else words or f"{node.name}: {node.value}"
            if node.name and words:
                said += f" ({words})"
            placed = node.start != NOWHERE
            shown = "" if node.value is None else str(node.value)
            text = (
                f'{"  " * depth}<field name="{_text(node.name)}" showname="{_text(said)}" '
                f'size="{node.length if placed else 0}" pos="{node.start if placed else 0}" show="{_text(shown)}"'
            )
            if self._show and placed:
                text += f' value="{data[node.start : node.start + node.length].hex()}"'
            if not node.children:
                self._write(f"{text}/>\n")
                continue
            self._write(f"{text}>\n")
            self._nodes(node.children, data, depth + 1)
            self._write(f"{'  ' * depth}</field>\n")


def _text(value: str) -> str:
    return escape(safe(value))
