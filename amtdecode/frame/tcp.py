"""`tcp.*`: the header of a TCP segment (RFC 9293), and where the segment stands in its connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from amtdecode.fields import Kind
from amtdecode.frame.header import Header, declare, seconds
from amtdecode.frame.ip import BAD, CHECKSUM_STATUS, GOOD, UNVERIFIED
from amtdecode.net.checksum import word_sum

if TYPE_CHECKING:
    from amtdecode.fields import Field
    from amtdecode.frame.places import TcpPlace, Verdict

FIN, SYN, RST, PSH, ACK, URG, ECE, CWR, AE = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0x100
LEAST = 20  # bytes of a header
LETTERS = "RRRACEUAPRSF"  # as tshark writes the flags, from reserved to FIN


class Tcp(Header):
    """A TCP header and its payload. `addresses` are those of the IP header around it."""

    __slots__ = ("addresses", "partial", "place", "verdict")

    protocol: ClassVar[str] = "tcp"

    def __init__(
        self, data: bytes, start: int, end: int, wire: int, addresses: bytes, *, partial: bool = False
    ) -> None:
        super().__init__(data, start, end, wire)
        self.addresses = addresses
        self.partial = partial
        """Whether it is the beginning of a segment: quoted by an ICMP error, or in a fragment left apart."""
        self.place: TcpPlace | None = None
        """Where the segment stands in its connection; known once conversations are followed."""
        self.verdict: Verdict | None = None
        """How it stands to the segments before it; known once they are analysed."""

    def ports(self) -> list[int]:
        """Source and destination."""
        return [found for at in (0, 2) if (found := self.u16(at)) is not None]

    def size(self) -> int | None:
        """Bytes of the header; `None` where that was not captured, or is less than a header has."""
        size = self.bits(12, 4, 0x0F)
        return None if size is None or size * 4 < LEAST else size * 4

    def length(self) -> int | None:
        """Bytes of payload on the wire; `None` where only the beginning is there."""
        size = self.size()
        return None if self.partial or size is None or self.start + size > self.wire else self.wire - self.start - size

    def flags(self) -> int | None:
        """The twelve bits from reserved to FIN."""
        value = self.u16(12)
        return None if value is None else value & 0x0FFF

    def flag_letters(self) -> str | None:
        """The flags as twelve letters, a dot for each that is not set."""
        value = self.flags()
        if value is None:
            return None
        return "".join(letter if value >> 11 - at & 1 else "·" for at, letter in enumerate(LETTERS))

    def payload(self) -> bytes | None:
        """The bytes it carries, as far as they were captured; `None` where there are none."""
        size = self.size()
        return None if size is None else self.data[self.start + size : self.end] or None

    def checksum_status(self) -> int | None:
        """Whether the checksum is right: not to be said where the segment was cut."""
        if self.u16(16) is None:
            return None
        if self.end < self.wire:
            return UNVERIFIED
        covered = self.addresses + self.data[self.start : self.end]
        return GOOD if (word_sum(covered) + 6 + self.end - self.start) % 0xFFFF == 0 else BAD

    def relative_seq(self) -> int | None:
        """Sequence number, from 0 at the SYN; as sent where only the beginning of the segment is there."""
        return self.u32(4) if self.partial else None if self.place is None else self.place.seq

    def next_seq(self) -> int | None:
        """Sequence number behind this segment."""
        place, length, flags = self.place, self.length(), self.flags()
        if place is None or length is None or flags is None:
            return None
        return place.seq + length + bool(flags & (SYN | FIN)) & 0xFFFFFFFF

    def window(self) -> int | None:
        """The window in bytes, scaled where the handshake says by how much."""
        window, flags = self.u16(14), self.flags()
        if window is None or flags is None:
            return None
        if flags & SYN or self.place is None or self.place.scale < 0:
            return window
        return window << self.place.scale

    def scale_factor(self) -> int | None:
        """By what the window is multiplied: -1 unknown, -2 not at all."""
        flags = self.flags()
        if flags is None or flags & SYN or self.place is None or self.u16(14) is None:
            return None
        scale = self.place.scale
        return scale if scale < 0 else 1 << scale

    def opens(self, flags: int) -> bool | None:
        """`True` where SYN and ACK are as asked."""
        value = self.flags()
        return True if value is not None and value & (SYN | ACK) == flags else None

    def has(self, flag: int) -> bool | None:
        """`True` where a flag is set."""
        value = self.flags()
        return True if value is not None and value & flag else None


def _flag(name: str, mask: int, meaning: str) -> Field:
    def read(tcp: Tcp) -> bool | None:
        value = tcp.flags()
        return None if value is None else bool(value & mask)

    return declare(f"tcp.flags.{name}", Kind.BOOLEAN, meaning, read)


FIELDS = (
    declare("tcp.srcport", Kind.UINT16, "TCP port of the sender", lambda tcp: tcp.u16(0)),
    declare("tcp.dstport", Kind.UINT16, "TCP port of the receiver", lambda tcp: tcp.u16(2)),
    declare("tcp.port", Kind.UINT16, "both TCP ports", Tcp.ports, repeated=True),
    declare("tcp.len", Kind.UINT32, "bytes of payload", Tcp.length),
    declare("tcp.seq_raw", Kind.UINT32, "sequence number as sent", lambda tcp: None if tcp.partial else tcp.u32(4)),
    declare("tcp.ack_raw", Kind.UINT32, "acknowledgment number as sent", lambda tcp: tcp.u32(8)),
    declare("tcp.hdr_len", Kind.UINT8, "bytes of the header", lambda tcp: tcp.size()),
    declare("tcp.flags", Kind.UINT16, "all flags together", Tcp.flags),
    _flag("res", 0xE00, "reserved bits"),
    _flag("ae", AE, "accurate congestion notification"),
    _flag("cwr", CWR, "congestion window reduced"),
    _flag("ece", ECE, "congestion was met"),
    _flag("urg", URG, "the urgent pointer counts"),
    _flag("ack", ACK, "the acknowledgment number counts"),
    _flag("push", PSH, "hand the data on now"),
    _flag("reset", RST, "reset the connection"),
    _flag("syn", SYN, "open the connection"),
    _flag("fin", FIN, "the sender has no more data"),
    declare("tcp.flags.str", Kind.STRING, "the flags as letters", Tcp.flag_letters),
    declare("tcp.window_size_value", Kind.UINT16, "window as sent", lambda tcp: tcp.u16(14)),
    declare("tcp.checksum", Kind.UINT16, "checksum", lambda tcp: tcp.u16(16)),
    declare(
        "tcp.checksum.status", Kind.UINT8, "whether the checksum is right", Tcp.checksum_status, values=CHECKSUM_STATUS
    ),
    declare("tcp.urgent_pointer", Kind.UINT16, "end of urgent data", lambda tcp: tcp.u16(18)),
    declare("tcp.payload", Kind.BYTES, "the bytes it carries", Tcp.payload),
    declare("tcp.connection.syn", Kind.NONE, "asks to open a connection", lambda tcp: tcp.opens(SYN)),
    declare("tcp.connection.synack", Kind.NONE, "agrees to open a connection", lambda tcp: tcp.opens(SYN | ACK)),
    declare("tcp.connection.fin", Kind.NONE, "ends its direction", lambda tcp: tcp.has(FIN)),
    declare("tcp.connection.rst", Kind.NONE, "resets the connection", lambda tcp: tcp.has(RST)),
)

STREAM_FIELDS = (
    declare(
        "tcp.stream", Kind.UINT32, "number of the TCP connection, from 0", lambda tcp: tcp.place and tcp.place.stream
    ),
    declare(
        "tcp.completeness",
        Kind.UINT8,
        "seen of the connection before: 1 SYN, 2 SYN with ACK, 4 ACK, 8 data, 16 FIN, 32 RST",
        lambda tcp: tcp.place and tcp.place.completeness,
    ),
    declare("tcp.seq", Kind.UINT32, "sequence number, from 0 at the SYN", Tcp.relative_seq),
    declare("tcp.nxtseq", Kind.UINT32, "sequence number behind the segment", Tcp.next_seq),
    declare(
        "tcp.ack", Kind.UINT32, "acknowledgment number, from 0 at the SYN", lambda tcp: tcp.place and tcp.place.ack
    ),
    declare("tcp.window_size", Kind.UINT32, "window in bytes", Tcp.window),
    declare(
        "tcp.window_size_scalefactor",
        Kind.INT32,
        "what the window is multiplied by: -1 unknown, -2 not at all",
        Tcp.scale_factor,
    ),
    declare(
        "tcp.time_relative",
        Kind.RELATIVE_TIME,
        "seconds since the first packet of the connection",
        lambda tcp: tcp.place and seconds(tcp.place.relative_ns),
    ),
    declare(
        "tcp.time_delta",
        Kind.RELATIVE_TIME,
        "seconds since the packet before in the connection",
        lambda tcp: tcp.place and seconds(tcp.place.delta_ns),
    ),
)
