"""The compiled lane, where it was built: it stands in front of the loop and hands over what it does not do itself.

It keeps the table of connections, so `LaneTable` takes the place of `FlowTable`. The loop and that table are the
reference, and say the same without it (docs/architecture.md, "The lane"). AMTDECODE_PURE=1 leaves it out.
"""

from __future__ import annotations

from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING

from amtdecode.capture.packets import Records
from amtdecode.engine.channels import MAX_PREFIX, Buffered, Channel
from amtdecode.engine.connections import CHECKED, FINISHED, OPENED
from amtdecode.engine.lane_packing import ROOMS, packed_header, packed_openings, packed_ports
from amtdecode.engine.stack import BOTH_WAYS
from amtdecode.flow import table
from amtdecode.flow.reassembly import remember
from amtdecode.flow.streams import reverse
from amtdecode.flow.table import FlowTable, Stream, connected
from amtdecode.flow.tcp import IRREGULAR, REGULAR, TcpEndpoint, endpoints
from amtdecode.model import FlowKey, Payload
from amtdecode.net.link import ETHERNET
from amtdecode.protocols.dissector import Context, Counted
from amtdecode.source_finder import PURE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from amtdecode.capture import RawPacket, Stamp
    from amtdecode.engine._lane import Lane as CompiledLane
    from amtdecode.engine.health import Accounts
    from amtdecode.engine.stack import Stack
    from amtdecode.flow.share import Share
    from amtdecode.flow.tcp import TcpFlow
    from amtdecode.model import Direction, Event, Observation
    from amtdecode.protocols.dissector import Protocol, Verdict

Side = tuple[int, int, int, int, int]
"""Of a side of a young connection: first and next sequence number, bytes sent, what it acknowledged last (-1: nothing),
and whether it has ended."""

BulkSide = tuple[int, int, int, int]
"""Of a side: next sequence number, bytes sent, of the next those to be skipped, what it acknowledged (-1: nothing)."""

EVERY = 0  # tests have each packet handed over whose number this divides


def _compiled() -> type[CompiledLane] | None:
    if PURE:
        return None
    try:
        from amtdecode.engine._lane import Lane
    except ImportError:  # it was not built
        return None
    return Lane


COMPILED = _compiled()
"""The class of the compiled module; `None` where the loop does all."""


def kind() -> str:
    """How this installation reads packets, for people: what of it is compiled."""
    if COMPILED is None:
        return "pure"
    return "compiled lane" if __file__.endswith(".py") else "compiled"


class LaneTable(FlowTable):
    """The table of connections, kept by the compiled module."""

    def __init__(
        self,
        report: Callable[[Event, Stamp | None], None],
        on_remove: Callable[[TcpFlow, str], None],
        lane: CompiledLane,
    ) -> None:
        super().__init__(report, on_remove)
        self._lane = lane
        self.find = lane.find
        self.marker_ends = lane.marker_ends  # type: ignore[assignment]  # no step between
        self._stream_of = lane.stream_of  # type: ignore[assignment]
        self._forget_marker = lane.remove  # type: ignore[assignment]
        self._quote = lane.quote  # type: ignore[assignment]
        self._set_base = lane.set_base  # type: ignore[assignment]

    @property
    def tcp_count(self) -> int:
        return self._lane.tcp_count

    @property
    def kept(self) -> tuple[int, int, int, int]:
        return self._lane.kept

    def open(self, forward: bytes, back: bytes, stamp: Stamp, stream: Stream | None = None) -> TcpFlow:
        self._count_open()
        if self._lane.flows >= table.MAX_TCP_FLOWS:
            self._evict_tcp(stamp)
        flow = connected(forward, back, stamp)
        client, server = flow.client, flow.server
        flow.number, client.base_seq, server.base_seq = self._lane.open(forward, client, server, stream)
        return flow

    def pass_over(self, forward: bytes, stream: Stream | None = None) -> TcpEndpoint:
        self._count_open()
        client, server = TcpEndpoint(), TcpEndpoint()
        _, base_seq, peer_base_seq = self._lane.open(forward, client, server, stream)
        self._lane.ignore(forward, client, base_seq, peer_base_seq, False, False)
        return table.PASSED_OVER_ENDPOINT

    def ignore_tcp(self, flow: TcpFlow) -> None:
        client, server = flow.client, flow.server
        ended = client.ended is not None, server.ended is not None
        self._lane.ignore(flow.keys[0], client, client.base_seq, server.base_seq, *ended)
        client.peer = server.peer = table.IGNORED_ENDPOINT
        client.flow = server.flow = flow.channel = None

    def close_tcp(self, flow: TcpFlow) -> None:
        client, server = flow.client, flow.server
        self._lane.end(flow.keys[0], client, client.base_seq, server.base_seq, True, True)
        client.peer = server.peer = table.CLOSED_ENDPOINT
        client.flow = server.flow = flow.channel = None

    def remaining(self) -> list[TcpFlow]:
        """Those that the end of the capture makes say something, by number."""
        return sorted(self._oldest(self._lane.flows), key=lambda flow: flow.number)

    def _oldest(self, count: int) -> list[TcpFlow]:
        return [client.flow for client in self._lane.oldest(count) if client.flow is not None]

    def _drop(self, flow: TcpFlow) -> None:
        self._lane.remove(flow.keys[0])

    def ignore_udp(self, flow: table.UdpFlow) -> None:
        super().ignore_udp(flow)
        self._lane.ignore_udp(flow.forward)

    def _forget_conversations(self, keys: int) -> None:
        for key in islice(self.conversations, keys):
            self._lane.forget_udp(key)
        super()._forget_conversations(keys)


class Lane:
    """What the engine has of it: packets pass through `pieces` on their way to the loop."""

    def __init__(
        self,
        compiled: type[CompiledLane],
        stack: Stack,
        rooms: Iterable[Protocol],
        health: Accounts,
        out: list[Observation],
        batch_size: int,
        *,
        all_outcomes: bool,
        share: Share | None = None,
    ) -> None:
        self._stack = stack
        self._rooms = tuple(rooms)
        self._health = health
        self._out, self._batch_size = out, batch_size
        self._all_outcomes = all_outcomes
        self._at_home = {
            port.to_bytes(2, "big"): protocol for protocol in reversed(self._rooms) for port in protocol.ports
        }
        self._recognise: dict[int, tuple[Callable[[bytes, Direction, Context], Verdict], ...]] = {}
        self.checksum_is_bad = compiled.checksum_is_bad
        self._lane = compiled(
            resume=self._resume,
            wanted=self._wanted,
            single=self._first_message,
            borrow=_borrow,
            give_back=self._give_back,
            out=out,
            batch_size=batch_size,
            all_outcomes=all_outcomes,
            markers=(
                table.IGNORED_ENDPOINT,
                table.ENDING_ENDPOINT,
                table.CLOSED_ENDPOINT,
                table.PASSED_OVER_ENDPOINT,
            ),
            ports=packed_ports(self._at_home),
            openings=packed_openings(self._rooms),
            limits=(
                table.MAX_TCP_FLOWS,
                table.MAX_IGNORED_FLOWS,
                table.MAX_CLOSED_FLOWS,
                table.MAX_QUOTED_FLOWS,
                table.EVICT,
                MAX_PREFIX,
                CHECKED,
            ),
            every=EVERY,
            secret=hash(b"amtdecode"),  # Python's own, new in each process
            owns=None if share is None else share.owns,
        )

    def table(
        self, report: Callable[[Event, Stamp | None], None], on_remove: Callable[[TcpFlow, str], None]
    ) -> LaneTable:
        """The table that goes with it."""
        return LaneTable(report, on_remove, self._lane)

    @property
    def at(self) -> int:
        """Id of the last packet of a run that was walked."""
        return self._lane.number

    def pieces(self, packets: Iterable[RawPacket | Records]) -> Iterator[RawPacket | Records | None]:
        """The packets that the loop must read; `None` where what has been stated is to be given out."""
        lane, health = self._lane, self._health
        last, last_high, last_origin = None, -1, None
        for piece in packets:
            if isinstance(piece, Records):
                if piece.interface.link_type != ETHERNET:
                    yield piece
                    continue
                lane.walk(
                    piece.buffer,
                    piece.position,
                    piece.end,
                    piece.number,
                    piece.header,
                    piece.order == ">",
                    piece.interface,
                )
                yield from lane
                number, position = lane.number, lane.position
                if number != piece.number:
                    health.walked(piece, position)
                piece.position, piece.number = position, number
                continue
            high, origin = piece[5], piece[7]
            if high != last_high or origin is not last_origin:
                health.passed(last, piece)
                last_high, last_origin = high, origin
            last = piece
            if origin.link_type != ETHERNET or not lane.passes(piece):
                yield piece
            elif len(self._out) >= self._batch_size:
                yield None
        if last is not None:
            health.passed(None, last)

    # -- called by the compiled module --------------------------------------------------------------------------------

    def _wanted(self, candidates: int, key: bytes, direction: int, data: bytes) -> bool:
        """Whether a room does not say no to the first bytes of a direction. `candidates`: by openings, as bits."""
        recognise = self._recognise.get(candidates)
        if recognise is None:
            rooms = [room for index, room in enumerate(self._rooms) if candidates >> index % ROOMS & 1]
            recognise = self._recognise[candidates] = tuple(room.recognise for room in rooms)
        stack = self._stack
        context = Context("tcp", *endpoints(key), stack.keys, "", stack.memory, pdus=stack.pdus)
        way = BOTH_WAYS[direction]
        with suppress(Exception):  # the loop tells of it
            return any(recognises(data, way, context) for recognises in recognise)
        return True

    def _first_message(
        self, key: bytes, number: int, direction: int, data: bytes, stamp: Stamp
    ) -> tuple[bytes, Stamp, Protocol] | None:
        """State the message of a connection, when its first bytes are all of one. As `Connections` does."""
        room, way, stack = self._at_home[key[-2:]], BOTH_WAYS[direction], self._stack
        try:
            event = room.single_message(data, way, stack.memory)  # type: ignore[misc]
        except Exception:  # the loop tells of it
            return None
        if event is None:
            return None
        stack.observe(event, (stamp,), FlowKey("tcp", number, *endpoints(key)), way, 0, data)
        return data, stamp, room

    def _give_back(
        self,
        client: TcpEndpoint,
        server: TcpEndpoint,
        of_client: BulkSide,
        of_server: BulkSide,
        last: Stamp | None,
        counts: int,
        counted: tuple[int, int, int, int, int, int, Stamp | None],
    ) -> None:
        """Bulk is over: the objects of its connection are as the loop would have them by now."""
        flow = client.flow
        assert flow is not None  # noqa: S101 - for the type checker; only markers have none
        for endpoint, (next_seq, offset, skip, heard) in (client, of_client), (server, of_server):
            endpoint.next_seq, endpoint.offset, endpoint.skip_bytes = next_seq, offset, skip
            if heard >= 0:
                endpoint.heard = heard.to_bytes(4, "big")
        if last is not None:
            flow.last = last
        *sizes, end, stamp = counted
        if stamp is not None:
            self._stack.count(flow.channel, BOTH_WAYS[counts], Counted(*sizes), end, stamp)

    def _resume(
        self,
        forward: bytes,
        number: int,
        first: Stamp,
        answered: Stamp | None,
        ending: Stamp | None,
        last: Stamp,
        mac: bytes,
        vlan: int,
        client: Side,
        server: Side,
        closed_by: int,
        rejected: int,
        pieces: Sequence[tuple[int, bytes, int, Stamp]] | None,
        message: tuple[bytes, Stamp, Protocol] | None,
    ) -> tuple[TcpEndpoint, TcpEndpoint]:
        """A connection leaves the lane: its objects are made, as the loop would have them by now."""
        flow = connected(forward, reverse(forward), first)
        flow.number, flow.last, flow.client_mac, flow.vlan = number, last, mac, vlan
        flow.syn_count = 1
        flow.handshake = OPENED if answered is not None else 1
        flow.proof = (first,)
        if self._all_outcomes:
            flow.proof += tuple(stamp for stamp in (answered, ending) if stamp is not None)
        flow.first_message = message
        if closed_by >= 0:
            flow.closed_by = BOTH_WAYS[closed_by]
        for endpoint, (base_seq, next_seq, offset, heard, ended) in (
            (flow.client, client),
            (flow.server, server),
        ):
            endpoint.base_seq, endpoint.next_seq, endpoint.offset = base_seq, next_seq, offset
            endpoint.mode = REGULAR if answered is not None else IRREGULAR
            if heard >= 0:
                endpoint.heard = heard.to_bytes(4, "big")
            if ended:
                endpoint.fin, endpoint.ended = offset, FINISHED
        if message is not None:
            remember(flow.client if client[2] else flow.server, 0, message[0])
        if pieces is not None:
            stack, key = self._stack, flow.key
            context = Context("tcp", key.client, key.server, stack.keys, "", stack.memory, pdus=stack.pdus)
            channel = flow.channel = Channel(self._rooms, context)
            channel.rejected = rejected
            for side, data, end, stamp in pieces:
                remember((flow.client, flow.server)[side], end - len(data), data)
                channel.buffered.append(Buffered(BOTH_WAYS[side], Payload(data), end, (stamp,)))
                channel.size += len(data)
        return flow.client, flow.server


def _borrow(
    client: TcpEndpoint, server: TcpEndpoint
) -> tuple[tuple[bool, int, int, int], tuple[bool, int, int, int], int, bytes]:
    """What the lane must know of a connection of Python's to go on with bulk by itself, until it gives it back."""
    counts, header = None, b""
    if (flow := client.flow) is not None and (counts := flow.counts) is not None:
        header = packed_header(flow.channel.analyzer.protocol.record_header)
    return (
        (client.mode == REGULAR, client.next_seq, client.offset, client.skip_bytes),
        (server.mode == REGULAR, server.next_seq, server.offset, server.skip_bytes),
        -1 if counts is None else counts,
        header,
    )
