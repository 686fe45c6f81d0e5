"""All flows under way, found by the 12 (IPv4) or 36 (IPv6) bytes of addresses and ports as they stand in a packet.

Numbers count flows from 0 in order of appearance, as tshark numbers `tcp.stream` and `udp.stream`. Flows nobody wants
share one marker instead of objects of their own.
"""

from __future__ import annotations

import struct
from itertools import islice
from typing import TYPE_CHECKING, Any

from amtdecode import ports
from amtdecode.flow.tcp import ACK, FIN, IGNORED, RST, SYN, TcpEndpoint, TcpFlow, endpoints
from amtdecode.model import TO_CLIENT, TO_SERVER, Direction, FlowKey, LimitReached

if TYPE_CHECKING:
    from collections.abc import Callable

    from amtdecode.capture import Stamp
    from amtdecode.model import Endpoint, Event

MAX_TCP_FLOWS = 16_384  # connections under way; the oldest idle ones go first
MAX_UDP_FLOWS = 8_192
MAX_CLOSED_FLOWS = 1024  # a small table stays in the processor's cache
EVICT = 256  # flows let go at a time
EVICT_MARKERS = 4096

_PARTS, _PARTS_6 = struct.Struct("=IIHH"), struct.Struct("16s16sHH")  # of a key, moved and not read

IGNORED_ENDPOINT, ENDING_ENDPOINT, CLOSED_ENDPOINT = TcpEndpoint(), TcpEndpoint(), TcpEndpoint()
"""Markers for the directions of flows that nobody wants: under way; after its FIN; of a connection that has ended."""
for _marker in (IGNORED_ENDPOINT, ENDING_ENDPOINT, CLOSED_ENDPOINT):
    _marker.mode = IGNORED


def reverse(key: bytes) -> bytes:
    """The key of the packets that travel the other way."""
    parts = _PARTS if len(key) == 12 else _PARTS_6
    source, destination, source_port, port = parts.unpack(key)
    return parts.pack(destination, source, port, source_port)


def source_is_server(source: Endpoint, destination: Endpoint) -> bool:
    """Who is who when the opening was not captured: an AMT port, else the lower port, is a server's."""
    ours, theirs = source.port in ports.AMT, destination.port in ports.AMT
    return ours if ours != theirs else source.port < destination.port


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

    def __init__(
        self, report: Callable[[Event, Stamp | None], None], on_remove: Callable[[TcpFlow, str], None]
    ) -> None:
        self.senders: dict[bytes, TcpEndpoint] = {}
        self.conversations: dict[bytes, UdpFlow | None] = {}
        self._report = report
        self._on_remove = on_remove
        self.tcp_count = 0
        self._udp_count = 0
        self._told: set[str] = set()
        self._closed: list[tuple[bytes, bytes]] = []

    # -- TCP ----------------------------------------------------------------------------------------------------------

    def open_tcp(self, key: bytes, flags: int, stamp: Stamp) -> TcpEndpoint:
        """A new connection, from its first packet; gives the sender of that."""
        if not flags & ACK if flags & SYN else not source_is_server(*endpoints(key)):
            return self.open(key, reverse(key), stamp).client
        return self.open(reverse(key), key, stamp).server

    def open(self, forward: bytes, back: bytes, stamp: Stamp) -> TcpFlow:
        """A new connection, from the keys of its client's packets and of its server's."""
        senders = self.senders
        if len(senders) >= 2 * MAX_TCP_FLOWS:
            self._evict_tcp(stamp)
        flow = TcpFlow()
        flow.number = self.tcp_count
        self.tcp_count += 1
        flow.keys = (forward, back)
        flow.first = flow.last = stamp
        senders[forward] = flow.client = client = TcpEndpoint()
        senders[back] = flow.server = server = TcpEndpoint()
        client.flow = server.flow = flow
        client.peer = server
        server.peer = client
        server.direction = TO_CLIENT
        return flow

    def ignore_tcp(self, flow: TcpFlow) -> None:
        """Nobody wants this connection: keep no more than a marker."""
        senders = self.senders
        forward, back = flow.keys
        client, server = flow.client, flow.server
        if senders.get(forward) is client:
            senders[forward] = IGNORED_ENDPOINT if client.ended is None else ENDING_ENDPOINT
        if senders.get(back) is server:
            senders[back] = IGNORED_ENDPOINT if server.ended is None else ENDING_ENDPOINT
        client.peer = server.peer = IGNORED_ENDPOINT
        client.flow = server.flow = flow.channel = None

    def marker_ends(self, key: bytes, flags: int) -> None:
        """FIN or RST in a connection of which only markers are kept."""
        senders = self.senders
        if senders.get(key) is CLOSED_ENDPOINT:
            return
        other = reverse(key)
        if flags & RST or (flags & FIN and senders.get(other) is ENDING_ENDPOINT):
            senders[key] = senders[other] = CLOSED_ENDPOINT
            self._has_closed((key, other))
        elif flags & FIN:
            senders[key] = ENDING_ENDPOINT

    def close_tcp(self, flow: TcpFlow) -> None:
        """A connection ended."""
        senders = self.senders
        client, server = flow.client, flow.server
        forward, back = keys = flow.keys
        senders[forward] = senders[back] = client.peer = server.peer = CLOSED_ENDPOINT
        client.flow = server.flow = flow.channel = None
        self._has_closed(keys)

    def _has_closed(self, keys: tuple[bytes, bytes]) -> None:
        """Its marker stays for late packets until at least MAX_CLOSED_FLOWS others have ended."""
        closed = self._closed
        closed.append(keys)
        if len(closed) > 2 * MAX_CLOSED_FLOWS:
            senders = self.senders
            for old in closed[:MAX_CLOSED_FLOWS]:
                for key in old:
                    if senders.get(key) is CLOSED_ENDPOINT:
                        del senders[key]
            del closed[:MAX_CLOSED_FLOWS]

    def remove_tcp(self, flow: TcpFlow, why: str) -> None:
        """Forget a connection."""
        client, server = flow.client, flow.server
        if client.flow is None:  # ignored before
            return
        senders = self.senders
        forward, back = flow.keys
        if senders.get(forward) is client:
            del senders[forward]
        if senders.get(back) is server:
            del senders[back]
        self._on_remove(flow, why)
        self.ignore_tcp(
            flow
        )  # cuts the circles between a flow and its endpoints: they go at once, without the collector

    def _evict_tcp(self, stamp: Stamp) -> None:
        """Make room: markers of flows nobody wants for nothing; where they are few, the oldest connections too.

        The latter is said once. So many go that the next search for markers is a while away.
        """
        markers = list(islice((key for key, sender in self.senders.items() if sender.flow is None), EVICT_MARKERS))
        for key in markers:
            del self.senders[key]
        if len(markers) >= EVICT:
            return
        self._tell("MAX_TCP_FLOWS", MAX_TCP_FLOWS, "the oldest connections are given up", stamp)
        oldest = [sender.flow for sender in islice(self.senders.values(), 2 * EVICT)]
        for flow in dict.fromkeys(flow for flow in oldest if flow is not None):
            self.remove_tcp(flow, "evicted")

    def remaining(self) -> list[TcpFlow]:
        """All connections still held, by number."""
        flows = {sender.flow.number: sender.flow for sender in self.senders.values() if sender.flow is not None}
        return [flows[number] for number in sorted(flows)]

    # -- UDP ----------------------------------------------------------------------------------------------------------

    def open_udp(self, key: bytes) -> UdpFlow:
        """A new conversation, from its first datagram."""
        if len(self.conversations) >= 2 * MAX_UDP_FLOWS:
            for old in [k for k, _ in zip(self.conversations, range(2 * EVICT), strict=False)]:
                del self.conversations[old]
            self._tell(
                "MAX_UDP_FLOWS",
                MAX_UDP_FLOWS,
                "the oldest UDP conversations are forgotten; later packets of theirs are numbered anew",
            )
        source, destination = endpoints(key)
        other = reverse(key)
        from_client = source.port == destination.port or not source_is_server(source, destination)
        flow = UdpFlow(self._udp_count, key if from_client else other)
        self._udp_count += 1
        self.conversations[key] = self.conversations[other] = flow
        return flow

    def ignore_udp(self, flow: UdpFlow) -> None:
        """Nobody wants this conversation."""
        self.conversations[flow.forward] = self.conversations[reverse(flow.forward)] = None

    def _tell(self, limit: str, value: int, consequence: str, stamp: Stamp | None = None) -> None:
        if limit not in self._told:
            self._told.add(limit)
            self._report(LimitReached("flow", limit, value, consequence), stamp)
