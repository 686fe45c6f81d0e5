"""`ipv6.*`: IPv6 (RFC 8200), and its fragment header."""

from __future__ import annotations

from typing import ClassVar

from amtdecode.fields import Kind
from amtdecode.frame.header import Header, address, declare
from amtdecode.frame.ip import PROTOCOLS, VERSION


class Ipv6(Header):
    """An IPv6 header, without those that extend it."""

    __slots__ = ()

    protocol: ClassVar[str] = "ipv6"

    def word(self, shift: int, mask: int) -> int | None:
        """Bits of the first four bytes."""
        value = self.u32(0)
        return None if value is None else value >> shift & mask

    def addresses(self) -> list[bytes]:
        """Source and destination."""
        return [found for at in (8, 24) if (found := self.take(at, 16)) is not None]


class Ipv6Fragment(Header):
    """The header of a fragment (RFC 8200 §4.5)."""

    __slots__ = ()

    protocol: ClassVar[str] = "ipv6.fraghdr"

    def offset(self) -> int | None:
        """Where this fragment stands in its datagram, in bytes."""
        value = self.u16(2)
        return None if value is None else value >> 3


FIELDS = (
    VERSION,
    declare("ipv6.version", Kind.UINT8, "version: 6", lambda ip: ip.bits(0, 4, 0x0F)),
    declare(
        "ipv6.tclass",
        Kind.UINT32,
        "traffic class: differentiated services and congestion",
        lambda ip: ip.word(20, 0xFF),
    ),
    declare("ipv6.tclass.dscp", Kind.UINT32, "differentiated services codepoint", lambda ip: ip.word(22, 0x3F)),
    declare("ipv6.tclass.ecn", Kind.UINT32, "explicit congestion notification", lambda ip: ip.word(20, 3)),
    declare("ipv6.flow", Kind.UINT24, "flow label", lambda ip: ip.word(0, 0xFFFFF)),
    declare("ipv6.plen", Kind.UINT16, "bytes behind the header", lambda ip: ip.u16(4)),
    declare("ipv6.nxt", Kind.UINT8, "protocol of the next header", lambda ip: ip.u8(6), values=PROTOCOLS),
    declare("ipv6.hlim", Kind.UINT8, "hops it may still travel", lambda ip: ip.u8(7)),
    declare("ipv6.src", Kind.IPV6, "IPv6 address of the sender", lambda ip: address(ip.take(8, 16))),
    declare("ipv6.dst", Kind.IPV6, "IPv6 address of the receiver", lambda ip: address(ip.take(24, 16))),
    declare(
        "ipv6.addr",
        Kind.IPV6,
        "both IPv6 addresses",
        lambda ip: [address(one) for one in ip.addresses()],
        repeated=True,
    ),
)

FRAGMENT_FIELDS = (
    declare(
        "ipv6.fraghdr.nxt", Kind.UINT8, "protocol that the fragments carry", lambda part: part.u8(0), values=PROTOCOLS
    ),
    declare(
        "ipv6.fraghdr.offset",
        Kind.UINT16,
        "where a fragment stands in its datagram, in units of 8 bytes",
        Ipv6Fragment.offset,
    ),
    declare("ipv6.fraghdr.more", Kind.BOOLEAN, "more fragments follow", lambda part: part.flag(3, 1)),
    declare("ipv6.fraghdr.ident", Kind.UINT32, "identification", lambda part: part.u32(4)),
)
