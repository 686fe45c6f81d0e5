"""`icmp.*` and `icmpv6.*`: ICMP (RFC 792) and ICMPv6 (RFC 4443)."""

from __future__ import annotations

from typing import ClassVar

from amtdecode.fields import Kind
from amtdecode.frame.header import Header, address, declare
from amtdecode.frame.ip import BAD, CHECKSUM_STATUS, GOOD, UNVERIFIED
from amtdecode.net.checksum import word_sum
from amtdecode.net.icmp import ERRORS_V4, ERRORS_V6

ECHO_REPLY, ECHO, UNREACHABLE, REDIRECT = 0, 8, 3, 5
ECHO_V6, ECHO_REPLY_V6, TOO_BIG_V6 = 128, 129, 2
NEEDS_FRAGMENTS = 4  # code of "destination unreachable" that names a size (RFC 1191 §4)
EXTENDED = frozenset({42, 43})  # echo request and reply (RFC 8335)
EXTENDED_V6 = frozenset({160, 161})
WITH_NUMBER = frozenset({ECHO_REPLY, ECHO, 13, 14, 15, 16, 17, 18})
TYPES = {**ERRORS_V4, ECHO_REPLY: "echo reply", ECHO: "echo request"}
TYPES_V6 = {
    **ERRORS_V6,
    ECHO_V6: "echo request",
    ECHO_REPLY_V6: "echo reply",
    133: "router solicitation",
    134: "router advertisement",
    135: "neighbour solicitation",
    136: "neighbour advertisement",
}


class Icmp(Header):
    """An ICMP message."""

    __slots__ = ("quoted",)

    protocol: ClassVar[str] = "icmp"

    def __init__(self, data: bytes, start: int, end: int, wire: int, *, quoted: bool = False) -> None:
        super().__init__(data, start, end, wire)
        self.quoted = quoted
        """Whether it is the beginning of a message, quoted by an ICMP error."""

    def identifier(self) -> int | None:
        """The identifier of echo and its like; `None` for other messages."""
        return self.u16(4) if self.u8(0) in WITH_NUMBER | EXTENDED else None

    def sequence(self) -> int | None:
        """The sequence number of echo and its like."""
        return self.u16(6) if self.u8(0) in WITH_NUMBER else None

    def checksum_status(self) -> int | None:
        """Whether the checksum is right: not to be said where the message was cut, or is quoted."""
        if self.u16(2) is None:
            return None
        if self.quoted or self.end < self.wire:
            return UNVERIFIED
        return GOOD if word_sum(self.data[self.start : self.end]) % 0xFFFF == 0 else BAD

    def mtu(self) -> int | None:
        """The size that would pass, from a router that may not fragment."""
        return self.u16(6) if self.u8(0) == UNREACHABLE and self.u8(1) == NEEDS_FRAGMENTS else None

    def gateway(self) -> bytes | None:
        """The better router, of a redirect."""
        return self.take(4, 4) if self.u8(0) == REDIRECT else None


class Icmpv6(Header):
    """An ICMPv6 message."""

    __slots__ = ()

    protocol: ClassVar[str] = "icmpv6"

    def identifier(self) -> int | None:
        """The identifier of an echo; `None` for other messages."""
        kind = self.u8(0)
        return self.u16(4) if kind in (ECHO_V6, ECHO_REPLY_V6) or kind in EXTENDED_V6 else None

    def sequence(self) -> int | None:
        """The sequence number of an echo."""
        return self.u16(6) if self.u8(0) in (ECHO_V6, ECHO_REPLY_V6) else None


FIELDS = (
    declare("icmp.type", Kind.UINT8, "ICMP type", lambda icmp: icmp.u8(0), values=TYPES),
    declare("icmp.code", Kind.UINT8, "ICMP code", lambda icmp: icmp.u8(1)),
    declare("icmp.checksum", Kind.UINT16, "checksum of the message", lambda icmp: icmp.u16(2)),
    declare(
        "icmp.checksum.status",
        Kind.UINT8,
        "whether the checksum is right",
        Icmp.checksum_status,
        values=CHECKSUM_STATUS,
    ),
    declare("icmp.ident", Kind.UINT16, "identifier of echo and its like", Icmp.identifier),
    declare("icmp.seq", Kind.UINT16, "sequence number of echo and its like", Icmp.sequence),
    declare("icmp.mtu", Kind.UINT16, "size that the next network takes", Icmp.mtu),
    declare("icmp.redir_gw", Kind.IPV4, "router that a redirect names", lambda icmp: address(icmp.gateway())),
)

FIELDS_V6 = (
    declare("icmpv6.type", Kind.UINT8, "ICMPv6 type", lambda icmp: icmp.u8(0), values=TYPES_V6),
    declare("icmpv6.code", Kind.UINT8, "ICMPv6 code", lambda icmp: icmp.u8(1)),
    declare("icmpv6.checksum", Kind.UINT16, "checksum of the message", lambda icmp: icmp.u16(2)),
    declare("icmpv6.echo.identifier", Kind.UINT16, "identifier of an echo", Icmpv6.identifier),
    declare("icmpv6.echo.sequence_number", Kind.UINT16, "sequence number of an echo", Icmpv6.sequence),
    declare(
        "icmpv6.mtu",
        Kind.UINT32,
        "size that the next network takes",
        lambda icmp: icmp.u32(4) if icmp.u8(0) == TOO_BIG_V6 else None,
    ),
)
