"""`eth.*`, `vlan.*`, `ieee8021ad.*` and `sll.*`: Ethernet and its tags (IEEE 802.3, 802.1Q, 802.1ad), Linux cooked."""

from __future__ import annotations

from typing import ClassVar

from amtdecode.fields import Kind
from amtdecode.frame.header import Header, declare, ether

LOCAL, GROUP = 2, 1  # bits of an address's first byte (IEEE 802 §8)
ETHER_SIZE = 6  # bytes of an address
PACKET_TYPES = {0: "to us", 1: "broadcast", 2: "multicast", 3: "to somebody else", 4: "sent by us"}
LEAST_TYPE = 0x0600  # IEEE 802.3 §3.2.6: less is a length
ETHER_TYPES = {
    0x0800: "IPv4",
    0x0806: "ARP",
    0x86DD: "IPv6",
    0x8100: "802.1Q",
    0x88A8: "802.1ad",
    0x8863: "PPPoE discovery",
    0x8864: "PPPoE session",
    0x8847: "MPLS",
    0x888E: "802.1X",
    0x88CC: "LLDP",
}


class Ethernet(Header):
    """Destination, source, and type or length: 14 bytes."""

    __slots__ = ()

    protocol: ClassVar[str] = "eth"

    def addresses(self) -> list[bytes]:
        """Destination and source, as they stand."""
        return [found for at in (0, 6) if (found := self.take(at, 6)) is not None]

    def address_bits(self, mask: int) -> list[bool]:
        """A bit of both addresses."""
        return [bool(address[0] & mask) for address in self.addresses()]

    def type_or_length(self, *, is_type: bool) -> int | None:
        """The last two bytes, where they are what is asked for."""
        value = self.u16(12)
        return value if value is not None and (value >= LEAST_TYPE) == is_type else None


class Vlan(Header):
    """A tag behind its Ether type: priority, drop eligibility and identifier, then the type of what follows."""

    __slots__ = ()

    protocol: ClassVar[str] = "vlan"

    def identifier(self) -> int | None:
        """The 12 bits of the network's number."""
        value = self.u16(0)
        return None if value is None else value & 0x0FFF

    def ether_type(self, *, is_type: bool) -> int | None:
        """Type or length of what follows, where it is what is asked for."""
        value = self.u16(2)
        return value if value is not None and (value >= LEAST_TYPE) == is_type else None


class ServiceTag(Vlan):
    """The same tag as a provider sets it, outside the others (IEEE 802.1ad)."""

    __slots__ = ()

    protocol: ClassVar[str] = "ieee8021ad"


class Sll(Header):
    """What Linux writes for a capture on all interfaces (LINKTYPE_LINUX_SLL): 16 bytes."""

    __slots__ = ()

    protocol: ClassVar[str] = "sll"

    def address(self) -> bytes | None:
        """The sender's address, where it is one of Ethernet."""
        return self.take(6, 6) if self.u16(4) == ETHER_SIZE else None


class Sll2(Header):
    """Its second form, which also numbers the interface (LINKTYPE_LINUX_SLL2): 20 bytes."""

    __slots__ = ()

    protocol: ClassVar[str] = "sll"

    def address(self) -> bytes | None:
        """The sender's address, where it is one of Ethernet."""
        return self.take(12, 6) if self.u8(11) == ETHER_SIZE else None


ETHERNET_FIELDS = (
    declare("eth.dst", Kind.ETHER, "receiver's Ethernet address", lambda eth: ether(eth.take(0, 6))),
    declare("eth.src", Kind.ETHER, "sender's Ethernet address", lambda eth: ether(eth.take(6, 6))),
    declare(
        "eth.addr",
        Kind.ETHER,
        "both Ethernet addresses",
        lambda eth: [ether(one) for one in eth.addresses()],
        repeated=True,
    ),
    declare(
        "eth.dst.lg", Kind.BOOLEAN, "receiver's address was not given by the maker", lambda eth: eth.flag(0, LOCAL)
    ),
    declare("eth.dst.ig", Kind.BOOLEAN, "receiver is a group", lambda eth: eth.flag(0, GROUP)),
    declare("eth.src.lg", Kind.BOOLEAN, "sender's address was not given by the maker", lambda eth: eth.flag(6, LOCAL)),
    declare("eth.src.ig", Kind.BOOLEAN, "sender is a group", lambda eth: eth.flag(6, GROUP)),
    declare(
        "eth.lg",
        Kind.BOOLEAN,
        "either address was not given by the maker",
        lambda eth: eth.address_bits(LOCAL),
        repeated=True,
    ),
    declare("eth.ig", Kind.BOOLEAN, "either address is a group", lambda eth: eth.address_bits(GROUP), repeated=True),
    declare(
        "eth.type",
        Kind.UINT16,
        "type of what it carries",
        lambda eth: eth.type_or_length(is_type=True),
        values=ETHER_TYPES,
    ),
    declare("eth.len", Kind.UINT16, "length, in frames of IEEE 802.3", lambda eth: eth.type_or_length(is_type=False)),
)

VLAN_FIELDS = (
    declare("vlan.priority", Kind.UINT16, "priority, 0 to 7", lambda vlan: vlan.bits(0, 5, 7)),
    declare("vlan.dei", Kind.BOOLEAN, "may be dropped first", lambda vlan: vlan.flag(0, 0x10)),
    declare("vlan.id", Kind.UINT16, "number of the network", Vlan.identifier),
    declare(
        "vlan.etype",
        Kind.UINT16,
        "type of what follows the tag",
        lambda vlan: vlan.ether_type(is_type=True),
        values=ETHER_TYPES,
    ),
    declare(
        "vlan.len",
        Kind.UINT16,
        "length of what follows the tag, in frames of IEEE 802.3",
        lambda vlan: vlan.ether_type(is_type=False),
    ),
)

SERVICE_TAG_FIELDS = (
    declare("ieee8021ad.priority", Kind.UINT16, "priority, 0 to 7", lambda tag: tag.bits(0, 5, 7)),
    declare("ieee8021ad.dei", Kind.UINT16, "may be dropped first", lambda tag: tag.bits(0, 4, 1)),
    declare("ieee8021ad.id", Kind.UINT16, "number of the provider's network", Vlan.identifier),
)

SLL_FIELDS = (
    declare("sll.pkttype", Kind.UINT16, "whose packet it is", lambda sll: sll.u16(0), values=PACKET_TYPES),
    declare("sll.hatype", Kind.UINT16, "kind of interface (ARPHRD of Linux)", lambda sll: sll.u16(2)),
    declare("sll.halen", Kind.UINT16, "bytes of the sender's address", lambda sll: sll.u16(4)),
    declare("sll.src.eth", Kind.ETHER, "sender's Ethernet address", lambda sll: ether(sll.address())),
    declare("sll.etype", Kind.UINT16, "type of what it carries", lambda sll: sll.u16(14), values=ETHER_TYPES),
)

SLL2_FIELDS = (
    declare("sll.etype", Kind.UINT16, "type of what it carries", lambda sll: sll.u16(0), values=ETHER_TYPES),
    declare("sll.ifindex", Kind.UINT32, "number of the interface", lambda sll: sll.u32(4)),
    declare("sll.hatype", Kind.UINT16, "kind of interface (ARPHRD of Linux)", lambda sll: sll.u16(8)),
    declare("sll.pkttype", Kind.UINT16, "whose packet it is", lambda sll: sll.u8(10), values=PACKET_TYPES),
    declare("sll.halen", Kind.UINT16, "bytes of the sender's address", lambda sll: sll.u8(11)),
    declare("sll.src.eth", Kind.ETHER, "sender's Ethernet address", lambda sll: ether(sll.address())),
)
