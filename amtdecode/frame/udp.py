"""`udp.*`: UDP (RFC 768)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from amtdecode.fields import Kind
from amtdecode.frame.header import Header, declare, seconds
from amtdecode.frame.ip import BAD, CHECKSUM_STATUS, GOOD, NOT_PRESENT, UNVERIFIED
from amtdecode.net.checksum import word_sum

if TYPE_CHECKING:
    from amtdecode.frame.places import Place

HEADER = 8  # bytes


class Udp(Header):
    """A UDP header and its payload. `addresses` are those of the IP header around it."""

    __slots__ = ("addresses", "partial", "place")

    protocol: ClassVar[str] = "udp"

    def __init__(
        self, data: bytes, start: int, end: int, wire: int, addresses: bytes, *, partial: bool = False
    ) -> None:
        super().__init__(data, start, end, wire)
        self.addresses = addresses
        self.partial = partial
        """Whether it is the beginning of a datagram, quoted by an ICMP error."""
        self.place: Place | None = None
        """Where the datagram stands in its conversation; known once conversations are followed."""

    def ports(self) -> list[int]:
        """Source and destination."""
        return [found for at in (0, 2) if (found := self.u16(at)) is not None]

    def payload(self) -> bytes | None:
        """The bytes it carries, as far as they were captured; `None` where there are none."""
        length = self.u16(4)
        if length is None or self.u16(6) is None:
            return None
        end = self.end if length < HEADER else min(self.end, self.start + length)
        return self.data[self.start + HEADER : end] or None

    def checksum_status(self) -> int | None:
        """Whether the checksum is right: not to be said where none was sent, or where the datagram was cut."""
        checksum, length = self.u16(6), self.u16(4)
        if checksum is None or length is None:
            return None
        if not checksum:
            return NOT_PRESENT
        if length < HEADER or self.start + length > self.end:
            return UNVERIFIED
        covered = self.addresses + self.data[self.start : self.start + length]
        return GOOD if (word_sum(covered) + 17 + length) % 0xFFFF == 0 else BAD


FIELDS = (
    declare("udp.srcport", Kind.UINT16, "UDP port of the sender", lambda udp: udp.u16(0)),
    declare("udp.dstport", Kind.UINT16, "UDP port of the receiver", lambda udp: udp.u16(2)),
    declare("udp.port", Kind.UINT16, "both UDP ports", Udp.ports, repeated=True),
    declare("udp.length", Kind.UINT16, "bytes of header and payload", lambda udp: udp.u16(4)),
    declare("udp.checksum", Kind.UINT16, "checksum; 0 where none was sent", lambda udp: udp.u16(6)),
    declare(
        "udp.checksum.status", Kind.UINT8, "whether the checksum is right", Udp.checksum_status, values=CHECKSUM_STATUS
    ),
    declare("udp.payload", Kind.BYTES, "the bytes it carries", Udp.payload),
)

STREAM_FIELDS = (
    declare(
        "udp.stream", Kind.UINT32, "number of the UDP conversation, from 0", lambda udp: udp.place and udp.place.stream
    ),
    declare(
        "udp.time_relative",
        Kind.RELATIVE_TIME,
        "seconds since the first packet of the conversation",
        lambda udp: udp.place and seconds(udp.place.relative_ns),
    ),
    declare(
        "udp.time_delta",
        Kind.RELATIVE_TIME,
        "seconds since the packet before in the conversation",
        lambda udp: udp.place and seconds(udp.place.delta_ns),
    ),
)
