"""The state of TCP connections (RFC 9293): one `TcpFlow` for each, with one `TcpEndpoint` for each side.

`reassembly` and `amtdecode.engine` work on these objects; `table` finds them.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, NamedTuple

from amtdecode import ports
from amtdecode.model import TO_SERVER, Direction, End, Endpoint, FlowKey

if TYPE_CHECKING:
    from amtdecode.capture import Stamp

FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10

AMT_PORTS_PACKED = frozenset(port.to_bytes(2, "big") for port in ports.AMT)

MAX_JUMP = 1 << 30  # bytes ahead of the expected sequence number: the largest window there is (RFC 7323)

REGULAR, IRREGULAR, IGNORED = 0, 1, 2
"""How the next segment of an endpoint is read: in passing when in order; by `Reassembly`; not at all, as unwanted."""

_KEY, _KEY_6 = struct.Struct(">4s4sHH").unpack, struct.Struct(">16s16sHH").unpack


def endpoints(key: bytes) -> tuple[Endpoint, Endpoint]:
    """Source and destination of a packet's key: addresses, then ports, as they stand in the packet."""
    source, destination, source_port, port = _KEY(key) if len(key) == 12 else _KEY_6(key)
    return Endpoint(source, source_port), Endpoint(destination, port)


class OutOfOrder(NamedTuple):
    """A segment that came too early."""

    start: int  # stream offset
    data: bytes
    cut: int  # bytes behind data that the capture lacks
    stamp: Stamp

    @property
    def end(self) -> int:
        """Stream offset behind it, cut bytes included."""
        return self.start + len(self.data) + self.cut


class TcpEndpoint:
    """One side of a connection and the bytes it sends, as Zeek's TCP_Endpoint.

    What has not happened to it is read from the class: most of this never does.
    """

    flow: TcpFlow | None = None
    direction: Direction = TO_SERVER
    peer: TcpEndpoint
    mode: int = IRREGULAR
    next_seq = -1  # sequence number expected next; -1 before the start is known
    offset = 0  # stream offset of next_seq: bytes given out, skipped or missing so far
    skip_bytes = 0  # that the dissector need not see next
    base_seq = -1  # sequence number it began with: of its SYN, else of what was before its first segment
    out_of_order: list[OutOfOrder] = ()  # type: ignore[assignment]  # came too early: sorted, disjoint; a list once there are any
    out_of_order_bytes = 0
    fin = -1  # stream offset of the FIN; -1 before one came
    ended: End | None = None
    acked_seq = -1  # where the peer's acknowledgments end, once they were ahead of what had come
    acked = 0  # stream offset the peer has acknowledged
    limited = False  # that a cap was reached has been told
    patience = 0
    starting = 0  # packets left before a start without SYN is settled
    recent: list[tuple[int, bytes]] = ()  # type: ignore[assignment]  # the newest bytes given out; likewise
    packets = 0  # counted only where statistics are asked for
    bytes = 0
    seen = False  # a packet of it was there; of a plain SYN and its answer the handshake tells
    acknowledges = False  # one that acknowledges what its peer sent, other than by a reset
    heard = b""  # what its latest segment without data acknowledges, unless that is bulk nobody reads
    lost = 0  # bytes it sent that no packet in the capture carries
    missing = 0  # these, and those that the capture cut off

    def must_have_sent(self, ack: int) -> None:
        """Its peer acknowledges everything before this sequence number: what never comes was lost by the capture."""
        if (
            self.next_seq >= 0
            and 0 < (ack - self.next_seq & 0xFFFFFFFF) < MAX_JUMP
            and (self.acked_seq < 0 or ack - self.acked_seq & 0xFFFFFFFF < MAX_JUMP)
        ):
            self.acked_seq = ack

    @property
    def waits(self) -> bool:
        """Whether bytes or a FIN wait for others."""
        return bool(self.out_of_order) or (self.fin >= 0 and self.ended is None)

    @property
    def in_order(self) -> bool:
        """Whether its next bytes are known and nothing waits for others."""
        return self.next_seq >= 0 and not self.waits


class TcpFlow:
    """One connection, made by `FlowTable.open`; as with `TcpEndpoint`, what has not happened is read from the class."""

    number: int
    keys: tuple[bytes, bytes]  # of its packets, client's and server's: addresses and ports as they stand there
    first: Stamp
    last: Stamp
    client: TcpEndpoint
    server: TcpEndpoint
    recognised = False  # a protocol was
    closed = False  # both directions ended, or a reset came
    handshake = 0  # bit 0: SYN seen, bit 1: SYN and ACK seen
    syn_count = 0
    proof: tuple[Stamp, ...] = ()  # the packets that opened and closed it, a few
    reset_by: Direction | None = None
    closed_by: Direction | None = None  # who sent FIN or RST first
    broken_by: Direction | None = None  # who sent RST before anybody had sent FIN
    client_mac = b""
    vlan = -1
    channel: Any = None  # the engine's: who reads its bytes
    counts: Direction | None = None  # of its side that sends records which its dissector only counts
    protocol = ""  # whose bytes it carries, once that is known
    stated = False  # that no room knows its bytes
    outcome_stated = False
    first_message: tuple[bytes, Stamp, Any] | None = None  # stated without a dissector, and whose it is
    tries = 0  # how often recognition was tried anew
    made_key: FlowKey | None = None  # what `key` gave

    def reopen(self) -> None:
        """The client asks again, with the same SYN, after the connection ended."""
        self.closed = False
        self.reset_by = self.closed_by = self.broken_by = None
        for endpoint in (self.client, self.server):
            endpoint.ended, endpoint.fin = None, -1

    @property
    def both_seen(self) -> bool:
        """Whether packets of both sides are in the capture."""
        return bool((self.client.seen or self.handshake & 1) and (self.server.seen or self.handshake & 2))

    @property
    def only(self) -> str:
        """The side whose packets alone were captured, though it acknowledges what the other one sent; "" otherwise."""
        client, server = self.client, self.server
        by_client, by_server = client.seen or self.handshake & 1, server.seen or self.handshake & 2
        if bool(by_client) == bool(by_server):
            return ""
        if by_client:
            return "client" if client.acknowledges else ""
        return "server" if server.acknowledges else ""

    @property
    def watched(self) -> bool:
        """Whether it is of interest: an AMT port, or a protocol recognised."""
        return self.recognised or self.keys[0][-2:] in AMT_PORTS_PACKED

    @property
    def key(self) -> FlowKey:
        """Who talks to whom; made when first asked for, as most flows are of no interest."""
        key = self.made_key
        if key is None:
            client, server = endpoints(self.keys[0])
            key = self.made_key = FlowKey("tcp", self.number, client, server)
        return key
