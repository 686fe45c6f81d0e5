"""`ip.*`: IPv4 (RFC 791)."""

from __future__ import annotations

from typing import ClassVar

from amtdecode.fields import Kind
from amtdecode.frame.header import Header, address, declare
from amtdecode.net.checksum import word_sum

BAD, GOOD, UNVERIFIED, NOT_PRESENT = 0, 1, 2, 3
CHECKSUM_STATUS = {BAD: "bad", GOOD: "good", UNVERIFIED: "unverified", NOT_PRESENT: "not present"}
PROTOCOLS = {
    1: "ICMP",
    2: "IGMP",
    4: "IPv4",
    6: "TCP",
    17: "UDP",
    41: "IPv6",
    47: "GRE",
    50: "ESP",
    51: "AH",
    58: "ICMPv6",
    89: "OSPF",
    103: "PIM",
    112: "VRRP",
    132: "SCTP",
}
END_OF_OPTIONS, NO_OPERATION = 0, 1


class Ip(Header):
    """An IPv4 header, with its options."""

    __slots__ = ()

    protocol: ClassVar[str] = "ip"

    def size(self) -> int:
        """Bytes of the header, as it says; 0 where that was not captured."""
        return (self.bits(0, 0, 0x0F) or 0) * 4

    def addresses(self) -> list[bytes]:
        """Source and destination."""
        return [found for at in (12, 16) if (found := self.take(at, 4)) is not None]

    def fragment_offset(self) -> int | None:
        """Where this fragment stands in its datagram, in units of 8 bytes."""
        value = self.u16(6)
        return None if value is None else value & 0x1FFF

    def length(self) -> int | None:
        """Bytes of header and payload; where the sender left that to its network card, of all that follows."""
        total = self.u16(2)
        return total or (None if total is None else self.wire - self.start)

    def checksum_status(self) -> int | None:
        """Whether the header's checksum is right; not to be said where the header was cut."""
        if self.u16(10) is None:
            return None
        header = self.take(0, max(20, self.size()))
        if header is None or not self.u16(10):  # left for the network card to fill in
            return UNVERIFIED if header is None else BAD
        return GOOD if word_sum(header) == 0 else BAD

    def options(self) -> list[tuple[int, int]]:
        """Type and length of each option; the length is 0 where the option has none (RFC 791 §3.1)."""
        found, at, size = [], 20, self.size()
        while at < size:
            kind = self.u8(at)
            if kind is None:
                break
            if kind in (END_OF_OPTIONS, NO_OPERATION):
                found.append((kind, 0))
                if kind == END_OF_OPTIONS:
                    break
                at += 1
                continue
            length = self.u8(at + 1)
            if length is None or at + 1 >= size:
                break
            found.append((kind, length))
            if length < 2 or at + length > size:
                break
            at += length
        return found


VERSION = declare("ip.version", Kind.UINT8, "version of IP: 4 or 6", lambda ip: ip.bits(0, 4, 0x0F))

FIELDS = (
    VERSION,
    declare("ip.hdr_len", Kind.UINT8, "bytes of the header", lambda ip: ip.size() or None),
    declare(
        "ip.dsfield", Kind.UINT8, "differentiated services and congestion (RFC 2474, RFC 3168)", lambda ip: ip.u8(1)
    ),
    declare("ip.dsfield.dscp", Kind.UINT8, "differentiated services codepoint", lambda ip: ip.bits(1, 2, 0x3F)),
    declare("ip.dsfield.ecn", Kind.UINT8, "explicit congestion notification", lambda ip: ip.bits(1, 0, 3)),
    declare("ip.len", Kind.UINT16, "bytes of header and payload", Ip.length),
    declare("ip.id", Kind.UINT16, "identification", lambda ip: ip.u16(4)),
    declare("ip.flags", Kind.UINT8, "the three flags together", lambda ip: ip.bits(6, 5, 7)),
    declare("ip.flags.rb", Kind.BOOLEAN, "reserved bit", lambda ip: ip.flag(6, 0x80)),
    declare("ip.flags.df", Kind.BOOLEAN, "must not be fragmented", lambda ip: ip.flag(6, 0x40)),
    declare("ip.flags.mf", Kind.BOOLEAN, "more fragments follow", lambda ip: ip.flag(6, 0x20)),
    declare(
        "ip.frag_offset",
        Kind.UINT16,
        "where a fragment stands in its datagram, in units of 8 bytes",
        Ip.fragment_offset,
    ),
    declare("ip.ttl", Kind.UINT8, "hops it may still travel", lambda ip: ip.u8(8)),
    declare("ip.proto", Kind.UINT8, "protocol it carries", lambda ip: ip.u8(9), values=PROTOCOLS),
    declare("ip.checksum", Kind.UINT16, "checksum of the header", lambda ip: ip.u16(10)),
    declare(
        "ip.checksum.status", Kind.UINT8, "whether the checksum is right", Ip.checksum_status, values=CHECKSUM_STATUS
    ),
    declare("ip.src", Kind.IPV4, "IPv4 address of the sender", lambda ip: address(ip.take(12, 4))),
    declare("ip.dst", Kind.IPV4, "IPv4 address of the receiver", lambda ip: address(ip.take(16, 4))),
    declare(
        "ip.addr", Kind.IPV4, "both IPv4 addresses", lambda ip: [address(one) for one in ip.addresses()], repeated=True
    ),
    declare(
        "ip.opt.type", Kind.UINT8, "type of an option", lambda ip: [kind for kind, _ in ip.options()], repeated=True
    ),
    declare(
        "ip.opt.len",
        Kind.UINT8,
        "bytes of an option",
        lambda ip: [size for _, size in ip.options() if size],
        repeated=True,
    ),
)
