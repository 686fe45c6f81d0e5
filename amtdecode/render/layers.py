"""An observation as the layers that Wireshark shows: the headers of its packet, then its message, with their bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from amtdecode.fields import MASK
from amtdecode.frame.offsets import OFFSETS
from amtdecode.render.json_lines import shown_fields
from amtdecode.tree import Node

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from amtdecode.frame import Packet
    from amtdecode.model import Observation

NOWHERE = -1
"""The first byte of what stands in no byte: what was counted, looked up or worked out."""
BODY = frozenset({"http.file_data"})
"""Bytes that another layer shows, where what is secret in them is masked."""
TITLES = {
    "frame": "Frame",
    "eth": "Ethernet",
    "vlan": "802.1Q Virtual LAN",
    "ieee8021ad": "IEEE 802.1ad",
    "sll": "Linux cooked capture",
    "ip": "Internet Protocol Version 4",
    "ipv6": "Internet Protocol Version 6",
    "icmp": "Internet Control Message Protocol",
    "icmpv6": "Internet Control Message Protocol v6",
    "tcp": "Transmission Control Protocol",
    "udp": "User Datagram Protocol",
}
FIXED = {"eth": 14, "vlan": 4, "ieee8021ad": 4, "sll": 16, "udp": 8, "icmp": 8, "icmpv6": 8, "ipv6": 40}
"""Bytes of headers whose length is always the same."""


class Layer(NamedTuple):
    """One layer; places of its nodes count from the first byte of the packet, or of the message."""

    protocol: str
    title: str
    start: int
    length: int
    nodes: tuple[Node, ...]
    of_message: bool = False


def layers(observation: Observation, packet: Packet | None, *, show_secrets: bool = False) -> list[Layer]:
    """The headers of the packet that completes it, from the outside in, and its message."""
    found = header_layers(packet) if packet is not None else []
    return [*found, message_layer(observation, show_secrets=show_secrets)]


def header_layers(packet: Packet) -> list[Layer]:
    """The headers of a packet, from the outside in."""
    found = []
    frame = packet.frame
    parts = packet.layers()
    for at, (protocol, start, fields) in enumerate(parts):
        end = parts[at + 1][1] if at + 1 < len(parts) else start + _own_length(protocol, fields)
        length = frame.end - frame.start if protocol == "frame" else max(0, end - start)
        title = TITLES.get(protocol, protocol)
        if protocol == "frame":
            title += f" {frame.number}, {length} bytes captured"
        elif f"{protocol}.src" in fields:
            title += f", {fields[f'{protocol}.src']} → {fields.get(f'{protocol}.dst', '?')}"
        elif f"{protocol}.srcport" in fields:
            title += f", {fields[f'{protocol}.srcport']} → {fields.get(f'{protocol}.dstport', '?')}"
        found.append(Layer(protocol, title, start, length, flat(fields, start)))
    return found


def _own_length(protocol: str, fields: Mapping[str, Any]) -> int:
    """Bytes of the last header."""
    length = fields.get(f"{protocol}.hdr_len", FIXED.get(protocol, 0))
    return int(length[-1] if isinstance(length, list) else length)


def message_layer(observation: Observation, *, show_secrets: bool = False) -> Layer:
    """The message of an observation."""
    event, pdu = observation.event, observation.pdu
    tree = event.tree(pdu) if pdu else ()
    fields = shown_fields(event, show_secrets)
    if tree:
        if not show_secrets:
            tree = tuple(_masked(each) for each in tree)
        known = {node.name for each in tree for node in each.walk()}
        said = {str(text) for each in tree for node in each.walk() for text in (node.value, node.words)}
        others = {name: value for name, value in fields.items() if name not in known and not _said(value, said)}
        nodes = (*tree, *flat(others))
    else:
        nodes = flat(fields)
    carried = ", ".join(map(str, observation.packets))
    title = f"{observation.protocol}, {type(event).__name__}"
    if pdu:
        title += f", {len(pdu)} bytes"
    if carried:
        title += f", carried by packet{'s' if len(observation.packets) > 1 else ''} {carried}"
    return Layer(observation.protocol, title, 0, len(pdu or b""), nodes, True)


def _said(value: Any, said: set[str]) -> bool:
    members = value if isinstance(value, (list, tuple)) else [value]
    return bool(members) and all(str(member) in said for member in members) and members != [True]


def _masked(node: Node) -> Node:
    value: Any = node.value
    if node.name in BODY:
        value = f"{node.length} bytes"
    elif node.secret:
        value = MASK
    return Node(node.name, value, node.words, node.start, node.length, tuple(map(_masked, node.children)), node.secret)


def flat(fields: Mapping[str, Any], start: int = NOWHERE) -> tuple[Node, ...]:
    """Fields in their order; lists of one length below one name are one branch for each member.

    `start`: where a header begins, for the places that its fields have there; else they have none.
    """
    found: list[Node] = []
    done: set[str] = set()
    for name, value in fields.items():
        if name in done:
            continue
        parent = name.rpartition(".")[0]
        if not isinstance(value, (list, tuple)):
            found.append(_leaf(name, value, start))
            continue
        beside = [
            other
            for other, values in fields.items()
            if other.rpartition(".")[0] == parent and isinstance(values, (list, tuple)) and len(values) == len(value)
        ]
        done.update(beside)
        if len(beside) == 1:
            found += [_leaf(name, member, start, at) for at, member in enumerate(value)]
            continue
        for at in range(len(value)):
            below = tuple(_leaf(other, fields[other][at], start, at) for other in beside)
            found.append(Node("", None, parent, NOWHERE, 0, below))
    return tuple(found)


def _leaf(name: str, value: Any, start: int, at: int = 0) -> Node:
    places = OFFSETS.get(name, ()) if start != NOWHERE else ()
    if at >= len(places):
        return Node(name, value, "", NOWHERE, 0)
    offset, length = places[at]
    return Node(name, value, "", start + offset, length)


def numbered(nodes: Sequence[Node]) -> Iterable[tuple[Node, str]]:
    """Nodes with what groups are called: those of one name are counted."""
    names = [node.words for node in nodes if not node.name]
    counts: dict[str, int] = {}
    for node in nodes:
        words = node.words
        if not node.name and names.count(words) > 1:
            counts[words] = counts.get(words, 0) + 1
            words = f"{words} {counts[words]}"
        yield node, words
