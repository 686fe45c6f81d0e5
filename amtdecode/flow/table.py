"""All flows under way, found by the 12 (IPv4) or 36 (IPv6) bytes of addresses and ports as they stand in a packet.

Numbers count flows from 0 in order of appearance, as tshark numbers `tcp.stream` and `udp.stream`. Flows nobody wants
share one marker instead of objects of their own.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias

from amtdecode import ports
from amtdecode.flow.streams import UNKNOWN, base_of, begins_stream, forget_oldest, reverse
from amtdecode.flow.tcp import ACK, FIN, IGNORED, RST, SYN, TcpEndpoint, TcpFlow, endpoints
from amtdecode.model import TO_CLIENT, TO_SERVER, Direction, FlowKey, LimitReached

if TYPE_CHECKING:
    from collections.abc import Callable

    from amtdecode.capture import Stamp
    from amtdecode.flow.share import Share
    from amtdecode.model import Endpoint, Event

MAX_TCP_FLOWS = 16_384  # connections under way; the oldest go first
MAX_UDP_FLOWS = 8_192
MAX_IGNORED_FLOWS = 16_384  # connections that nobody wants and that have not ended; the oldest go first
MAX_CLOSED_FLOWS = 1024  # a small table stays in the processor's cache
MAX_QUOTED_FLOWS = 1024  # connections of which only a number is known
EVICT = 256  # flows let go at a time

IGNORED_ENDPOINT, ENDING_ENDPOINT, CLOSED_ENDPOINT = TcpEndpoint(), TcpEndpoint(), TcpEndpoint()
"""Markers for the endpoints of flows that nobody wants: under way; after its FIN; of a connection that has ended."""
for _marker in (IGNORED_ENDPOINT, ENDING_ENDPOINT, CLOSED_ENDPOINT):
    _marker.mode = IGNORED
PASSED_OVER_ENDPOINT = TcpEndpoint()
"""The marker of a connection of another share, until it is known with which sequence numbers its sides began."""
PASSED_OVER_ENDPOINT.next_seq = 0  # the loop asks it for no answer to a SYN


Stream: TypeAlias = "tuple[int, int, int]"
"""What is remembered of a connection without state, so that its stream keeps its number: that number, and the sequence
numbers with which began the side whose key it is kept by, and the other one (plain, as one is made for each ending)."""


def source_is_server(source: Endpoint, destination: Endpoint) -> bool:
    """Who is who when the opening was not captured: an AMT port, else the lower port, is a server's."""
    ours, theirs = source.port in ports.AMT, destination.port in ports.AMT
    return ours if ours != theirs else source.port < destination.port


def _turned(stream: Stream) -> Stream:
    """The same as the other side sees it."""
    number, base_seq, peer_base_seq = stream
    return number, peer_base_seq, base_seq


def connected(forward: bytes, back: bytes, stamp: Stamp) -> TcpFlow:
    """A connection and its endpoints, from the keys of its client's packets and of its server's."""
    flow = TcpFlow()
    flow.keys = (forward, back)
    flow.first = flow.last = stamp
    flow.client, flow.server = client, server = TcpEndpoint(), TcpEndpoint()
    client.flow = server.flow = flow
    client.peer = server
    server.peer = client
    server.direction = TO_CLIENT
    return flow


class UdpFlow:
    """One UDP conversation. Thousands are held, so nothing is kept that can be made again."""

    __slots__ = ("forward", "number", "protocol", "totals", "tries")

    def __init__(self, number: int, forward: bytes) -> None:
        self.number = number
        self.forward = forward  # the key of the client's packets
        self.protocol: Any = None  # the engine's: whose messages it carries, once that is known
        self.tries = 0  # datagrams that no room knew
        self.totals: tuple[int, int, int, int] | None = None  # counted where statistics are asked for

    def count(self, direction: Direction, size: int) -> None:
        """One more packet of `size` bytes."""
        totals = list(self.totals or (0, 0, 0, 0))
        totals[direction] += 1
        totals[2 + direction] += size
        self.totals = (totals[0], totals[1], totals[2], totals[3])

    def direction(self, key: bytes) -> Direction:
        """Which way the packets of a key travel."""
        return TO_SERVER if key == self.forward else TO_CLIENT

    @property
    def packets(self) -> tuple[int, int]:
        """Those counted, to the server and to the client."""
        return self.totals[:2] if self.totals else (0, 0)

    @property
    def bytes(self) -> tuple[int, int]:
        """The bytes of these."""
        return self.totals[2:] if self.totals else (0, 0)

    @property
    def key(self) -> FlowKey:
        """Who talks to whom."""
        return FlowKey("udp", self.number, *endpoints(self.forward))


class FlowTable:
    """Finds, opens, replaces and lets go of flows. `on_remove` is told of each TCP flow before it goes, with why."""

    share: Share | None = None
    """Of connections, those that are decoded; of the others no more is kept than of those that nobody wants."""

    keeps_ended = False
    """Whether connections stay when they have ended, so that all are there at the end."""

    def __init__(
        self, report: Callable[[Event, Stamp | None], None], on_remove: Callable[[TcpFlow, str], None]
    ) -> None:
        self.senders: dict[bytes, TcpEndpoint] = {}
        self.find: Callable[[bytes], TcpEndpoint | None] = self.senders.get
        """The sender of packets with a key."""
        self.conversations: dict[bytes, UdpFlow | None] = {}
        self._report = report
        self._on_remove = on_remove
        self._tcp_count = 0
        self._udp_count = 0
        self._told: set[str] = set()
        # of each flow the key of one side: those with state, and those of which markers or nothing are left
        self._flows: dict[bytes, TcpFlow] = {}
        self._ignored: dict[bytes, Stream] = {}
        self._closed: dict[bytes, Stream] = {}
        self._quoted: dict[bytes, Stream] = {}

    @property
    def tcp_count(self) -> int:
        """Connections numbered so far."""
        return self._tcp_count

    @property
    def kept(self) -> tuple[int, int, int, int]:
        """How many connections have state, are ignored, have ended, and are only numbered."""
        return len(self._flows), len(self._ignored), len(self._closed), len(self._quoted)

    # -- TCP ----------------------------------------------------------------------------------------------------------

    def sender_of(self, key: bytes, seq: int, flags: int, stamp: Stamp) -> TcpEndpoint:
        """The sender of a segment: one under way, a marker, or that of a new connection.

        A SYN opens a connection anew where its stream has ended, and another one where its sequence number says so.
        """
        sender = self.find(key)
        if sender is not None:
            if flags & (SYN | ACK) != SYN:
                return sender
            flow = sender.flow
            if flow is not None:
                if not begins_stream(flags, seq, sender.base_seq):
                    return sender
                self.remove_tcp(flow, "replaced")
            else:
                stream = self._stream_of(key)
                continues = stream is not None and not begins_stream(flags, seq, stream[1])
                if continues and sender is not CLOSED_ENDPOINT:
                    return sender
                self._forget_marker(key)
                if not self.owns(key):
                    return self.pass_over(key, stream if continues else None)
                return self.open(key, reverse(key), stamp, stream if continues else None).client
        from_client = self._from_client(key, flags)
        if not self.owns(key):
            return self.pass_over(key if from_client else reverse(key))
        if from_client:
            return self.open(key, reverse(key), stamp).client
        return self.open(reverse(key), key, stamp).server

    # -- connections of other shares ----------------------------------------------------------------------------------

    def owns(self, key: bytes) -> bool:
        """Whether the connection of a packet's key is decoded here."""
        return self.share is None or self.share.owns(key)

    def pass_over(self, forward: bytes, stream: Stream | None = None) -> TcpEndpoint:
        """A new connection of another share, by the key of its client's packets: it has its number, and a marker."""
        self._count_open()
        ignored, senders = self._ignored, self.senders
        if len(ignored) >= MAX_IGNORED_FLOWS:
            self._drop_markers(ignored, EVICT)
        ignored[forward] = self._numbered(forward, stream)
        senders[forward] = senders[reverse(forward)] = PASSED_OVER_ENDPOINT
        return PASSED_OVER_ENDPOINT

    def know_base(self, key: bytes, seq: int, ack: int, control: int) -> None:
        """A segment of a connection of another share: it may tell with which sequence numbers its sides began."""
        stream = self._stream_of(key)
        if stream is None or UNKNOWN not in stream[1:] or self.owns(key):
            return
        number, own, other = stream
        own = base_of(control, seq) if own == UNKNOWN else own
        other = base_of(0, ack) if other == UNKNOWN and control & ACK else other
        self._set_base(key, (number, own, other))

    def _set_base(self, key: bytes, stream: Stream) -> None:
        ignored, senders, other = self._ignored, self.senders, reverse(key)
        if key in ignored:
            ignored[key] = stream
        elif other in ignored:
            ignored[other] = _turned(stream)
        if UNKNOWN not in stream[1:]:
            for side in (key, other):
                if senders.get(side) is PASSED_OVER_ENDPOINT:
                    senders[side] = IGNORED_ENDPOINT

    def _count_open(self) -> None:
        """Where a cap may be reached, what goes depends on the other shares' connections too."""
        share = self.share
        if share is not None and not share.crossed:
            state, ignored, _, _ = self.kept
            if state + ignored >= min(MAX_TCP_FLOWS, MAX_IGNORED_FLOWS):
                share.crossed = f"{MAX_TCP_FLOWS} connections at a time"

    # -- TCP, continued -----------------------------------------------------------------------------------------------

    def number_of(self, key: bytes) -> int:
        """The stream of a segment that is not read: an ICMP error quotes it, or its header is malformed.

        A new stream is numbered, and nothing else is known of it.
        """
        sender = self.find(key)
        if sender is not None and sender.flow is not None:
            return sender.flow.number
        stream = self._stream_of(key)
        return self._quote(key) if stream is None else stream[0]

    def open(self, forward: bytes, back: bytes, stamp: Stamp, stream: Stream | None = None) -> TcpFlow:
        """A connection, from the keys of its client's packets and of its server's; in a stream where that goes on."""
        self._count_open()
        flows = self._flows
        if len(flows) >= MAX_TCP_FLOWS:
            self._evict_tcp(stamp)
        flow = flows[forward] = connected(forward, back, stamp)
        senders = self.senders
        senders[forward] = client = flow.client
        senders[back] = server = flow.server
        flow.number, client.base_seq, server.base_seq = self._numbered(forward, stream)
        return flow

    def _numbered(self, forward: bytes, stream: Stream | None) -> Stream:
        """The stream of a new connection, which has its number where that is known."""
        if stream is None and self._quoted:
            stream = self._forget(self._quoted, forward)
        if stream is None:
            stream = (self._tcp_count, UNKNOWN, UNKNOWN)
            self._tcp_count += 1
        return stream

    def ignore_tcp(self, flow: TcpFlow) -> None:
        """Nobody wants this connection: keep no more than a marker."""
        senders = self.senders
        forward, back = flow.keys
        client, server = flow.client, flow.server
        if self._flows.get(forward) is flow:
            del self._flows[forward]
            senders[forward] = IGNORED_ENDPOINT if client.ended is None else ENDING_ENDPOINT
            senders[back] = IGNORED_ENDPOINT if server.ended is None else ENDING_ENDPOINT
            ignored = self._ignored
            if len(ignored) >= MAX_IGNORED_FLOWS:
                self._drop_markers(ignored, EVICT)
            ignored[forward] = (flow.number, client.base_seq, server.base_seq)
        client.peer = server.peer = IGNORED_ENDPOINT
        client.flow = server.flow = flow.channel = None

    def marker_ends(self, key: bytes, flags: int) -> None:
        """FIN or RST in a connection of which only markers are kept."""
        senders = self.senders
        if self.keeps_ended or senders.get(key) is CLOSED_ENDPOINT:
            return
        other = reverse(key)
        if flags & RST or (flags & FIN and senders.get(other) is ENDING_ENDPOINT):
            senders[key] = senders[other] = CLOSED_ENDPOINT
            forward = key if key in self._ignored else other
            self._has_closed(forward, self._ignored.pop(forward))
        elif flags & FIN:
            senders[key] = ENDING_ENDPOINT

    def close_tcp(self, flow: TcpFlow) -> None:
        """A connection ended."""
        senders = self.senders
        client, server = flow.client, flow.server
        forward, back = flow.keys
        del self._flows[forward]
        senders[forward] = senders[back] = client.peer = server.peer = CLOSED_ENDPOINT
        client.flow = server.flow = flow.channel = None
        self._has_closed(forward, (flow.number, client.base_seq, server.base_seq))

    def _has_closed(self, forward: bytes, stream: Stream) -> None:
        """Its marker stays for late packets until at least MAX_CLOSED_FLOWS others have ended."""
        closed = self._closed
        closed[forward] = stream
        if len(closed) > 2 * MAX_CLOSED_FLOWS:
            self._drop_markers(closed, MAX_CLOSED_FLOWS)

    def _drop_markers(self, streams: dict[bytes, Stream], count: int) -> None:
        """Forget the oldest connections of which only markers are kept."""
        pop = self.senders.pop
        for key in list(islice(streams, count)):
            del streams[key]
            pop(key)
            pop(reverse(key), None)  # the same key where somebody talks to itself from one port

    def remove_tcp(self, flow: TcpFlow, why: str) -> None:
        """Forget a connection."""
        if flow.client.flow is None:  # ignored before
            return
        self._drop(flow)
        self._on_remove(flow, why)
        self.ignore_tcp(flow)  # the circle of flow and endpoints is cut: they go at once, without the collector

    def _evict_tcp(self, stamp: Stamp) -> None:
        """Make room by giving up the oldest connections, which is said once."""
        self._tell("MAX_TCP_FLOWS", MAX_TCP_FLOWS, "the oldest connections are given up", stamp)
        for flow in self._oldest(EVICT):
            self.remove_tcp(flow, "evicted")

    def remaining(self) -> list[TcpFlow]:
        """All connections still held, by number."""
        return sorted(self._flows.values(), key=lambda flow: flow.number)

    # -- how it is kept -----------------------------------------------------------------------------------------------

    def _oldest(self, count: int) -> list[TcpFlow]:
        return list(islice(self._flows.values(), count))

    def _drop(self, flow: TcpFlow) -> None:
        forward, back = flow.keys
        del self._flows[forward], self.senders[forward]
        self.senders.pop(back, None)  # the same key where somebody talks to itself from one port

    def _quote(self, key: bytes) -> int:
        """Number a connection of which nothing else is known."""
        if len(self._quoted) >= MAX_QUOTED_FLOWS:
            forget_oldest(self._quoted, EVICT)
        number = self._tcp_count
        self._quoted[key] = (number, UNKNOWN, UNKNOWN)
        self._tcp_count += 1
        return number

    def _forget_marker(self, key: bytes) -> None:
        """A connection without state makes room for another one."""
        self._forget(self._ignored, key)
        self._forget(self._closed, key)

    def _stream_of(self, key: bytes) -> Stream | None:
        """What is remembered of a connection without state, as its side sees it that sends under this key."""
        other = reverse(key)
        for streams in (self._ignored, self._closed, self._quoted):
            if key in streams:
                return streams[key]
            if other in streams:
                return _turned(streams[other])
        return None

    @staticmethod
    def _forget(streams: dict[bytes, Stream], key: bytes) -> Stream | None:
        stream = streams.pop(key, None)
        if stream is None and (stream := streams.pop(reverse(key), None)) is not None:
            return _turned(stream)
        return stream

    @staticmethod
    def _from_client(key: bytes, flags: int) -> bool:
        """Whether the client sends the first packet of a connection."""
        return not flags & ACK if flags & SYN else not source_is_server(*endpoints(key))

    # -- UDP ----------------------------------------------------------------------------------------------------------

    def open_udp(self, key: bytes) -> UdpFlow:
        """A new conversation, from its first datagram."""
        if len(self.conversations) >= 2 * MAX_UDP_FLOWS:
            self._forget_conversations(2 * EVICT)
            self._tell(
                "MAX_UDP_FLOWS",
                MAX_UDP_FLOWS,
                "the oldest UDP conversations are forgotten; their later packets are numbered anew",
            )
        source, destination = endpoints(key)
        other = reverse(key)
        from_client = source.port == destination.port or not source_is_server(source, destination)
        flow = UdpFlow(self._udp_count, key if from_client else other)
        self._udp_count += 1
        self.conversations[key] = self.conversations[other] = flow
        return flow

    def _forget_conversations(self, keys: int) -> None:
        forget_oldest(self.conversations, keys)

    def ignore_udp(self, flow: UdpFlow) -> None:
        """Nobody wants this conversation."""
        self.conversations[flow.forward] = self.conversations[reverse(flow.forward)] = None

    def _tell(self, limit: str, value: int, consequence: str, stamp: Stamp | None = None) -> None:
        if limit not in self._told:
            self._told.add(limit)
            self._report(LimitReached("flow", limit, value, consequence), stamp)
