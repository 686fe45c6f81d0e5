"""Address Resolution Protocol: who has this IPv4 address, and which card answers.

Protocol    ARP, requests and replies for IPv4 over Ethernet
Transport   EtherType 0x0806; each frame is one datagram: the bytes behind the EtherType, padding included
First word  whoever wants to send to an address on its own link (a server about to contact a machine back)
Framing     28 bytes, fixed; what follows is Ethernet padding
Byte order  big-endian
Source      RFC 826; RFC 5227 for probes and announcements
Limits      none: nothing is kept between frames
Not covered other hardware than Ethernet, other protocols than IPv4, RARP, InARP, ATMARP: refused silently

Why it is here: an unanswered request explains a failed contact back, and a reply ties a MAC to an address.
Office networks are full of ARP, so an event only holds the 28 bytes, and decodes them when asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from amtdecode.fields import Fields, declared_by
from amtdecode.model import Direction, Endpoint, Event, Malformed
from amtdecode.protocols.arp.fields import ARP_MESSAGE, OPCODES, REPLY, REQUEST
from amtdecode.protocols.dissector import NO, YES, Context, DatagramDissector, Protocol, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amtdecode.tree import Node

NAME = "arp"
SIZE = 28  # RFC 826 with 6-byte hardware and 4-byte protocol addresses
ETHERNET_IPV4 = b"\x00\x01\x08\x00\x06\x04"  # hardware type 1, protocol 0x0800, their sizes


class ArpMessage(Event, frozen=True, gc=False):
    """One request or reply: the 28 bytes of RFC 826, decoded when asked."""

    protocol: ClassVar[str] = NAME
    declared: ClassVar[Fields] = ARP_MESSAGE
    data: bytes

    @property
    def opcode(self) -> int:
        """1 request, 2 reply; others where somebody asks for ARP."""
        return self.data[6] << 8 | self.data[7]

    @property
    def source_mac(self) -> str:
        """Sender hardware address, as 00:11:22:33:44:55."""
        return self.data[8:14].hex(":")

    @property
    def source_address(self) -> str:
        """Sender IPv4 address; 0.0.0.0 in a probe."""
        return Endpoint(self.data[14:18], 0).address

    @property
    def target_mac(self) -> str:
        """Target hardware address; usually all zero in a request."""
        return self.data[18:24].hex(":")

    @property
    def target_address(self) -> str:
        """Target IPv4 address: the one asked for in a request."""
        return Endpoint(self.data[24:28], 0).address

    @property
    def is_gratuitous(self) -> bool:
        """True when a card speaks of its own address: an announcement, or a takeover."""
        return self.data[14:18] == self.data[24:28]

    def tree(self, pdu: bytes) -> tuple[Node, ...]:
        from amtdecode.protocols.arp.spec import MESSAGE
        from amtdecode.protocols.declaration import tree_of

        return tree_of(MESSAGE, pdu)

    def summary(self) -> str:
        if self.opcode not in (REQUEST, REPLY):
            return f"ARP {OPCODES.get(self.opcode, f'operation {self.opcode}')} of {self.source_mac}"
        if self.is_gratuitous:
            return f"ARP {OPCODES[self.opcode]}: {self.source_mac} announces {self.source_address}"
        if self.opcode == REQUEST:
            return f"ARP request: who has {self.target_address}? asks {self.source_address}"
        return f"ARP reply: {self.source_address} is at {self.source_mac}"


class ArpDissector(DatagramDissector):
    """One event a frame."""

    layer = NAME

    def events(self, data: bytes) -> Iterable[Event]:
        if (
            data[:6] != ETHERNET_IPV4[: len(data)]
            or data[6:7] not in (b"\0", b"")
            or data[7:8] not in (b"\1", b"\2", b"")
        ):
            return ()
        if len(data) < SIZE:
            return (Malformed(NAME, f"{len(data)} of {SIZE} bytes", data),)
        return (ArpMessage(data[:SIZE]),)


def recognise(data: bytes, direction: Direction, context: Context) -> Verdict:  # noqa: ARG001
    """Ethernet and IPv4, request or reply."""
    ours = context.transport == "arp" and data[:7] == ETHERNET_IPV4 + b"\0" and data[7:8] in (b"\1", b"\2")
    return YES if ours else NO


class FullArpDissector(ArpDissector):
    """Messages of all kinds, for Ethernet and IPv4: also of RARP and InARP."""

    def events(self, data: bytes) -> Iterable[Event]:
        if len(data) >= SIZE and data[:6] == ETHERNET_IPV4:
            return (ArpMessage(data[:SIZE]),)
        return (Malformed(NAME, "not for Ethernet and IPv4, or cut", data[:SIZE]),)


_MACHINES = Protocol(NAME, "arp", frozenset(), recognise, ArpDissector, lambda: declared_by(ArpMessage), carries=False)
ARP = _MACHINES._replace(in_full=_MACHINES._replace(dissector=FullArpDissector))
