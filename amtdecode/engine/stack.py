"""Dissectors on top of each other: who reads a channel, what it states, and what it carries for the next."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from amtdecode.engine.channels import (
    BOTH,
    MAX_CHANNELS,
    MAX_DEPTH,
    MAX_PREFIX,
    OPPOSITE,
    Analyzer,
    Buffered,
    Channel,
    count_open,
    open_inside,
)
from amtdecode.engine.hindsight import Latest
from amtdecode.engine.provenance import FEW_CHUNKS, packets_of, prove, trim
from amtdecode.model import (
    TO_CLIENT,
    TO_SERVER,
    ChannelClosed,
    ChannelGap,
    ChannelOpened,
    Direction,
    End,
    Gap,
    LimitReached,
    Malformed,
    Observation,
    Payload,
    Unrecognised,
)
from amtdecode.protocols.dissector import MORE, YES, Context
from amtdecode.protocols.memory import Memory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from amtdecode.capture import Stamp
    from amtdecode.engine.provenance import Proof
    from amtdecode.flow.share import Share
    from amtdecode.model import Event, FlowKey, Statement
    from amtdecode.protocols.dissector import Counted, Protocol
    from amtdecode.secrets import Keys

SHOWN = 32  # of the first bytes that no room knows
DEFAULT_CHANNEL = ChannelOpened(0)
"""Open from the start in whatever a dissector carries, with its own roles and ports."""
BOTH_WAYS = (TO_SERVER, TO_CLIENT)


def recognise(
    rooms: Iterable[Protocol], data: bytes, direction: Direction, context: Context
) -> tuple[Protocol | None, bool]:
    """Which room knows these bytes, and whether any wants to see more of them. Ports break ties."""
    chosen, undecided = None, False
    ports = (context.server.port, context.client.port)
    for protocol in rooms:
        verdict = protocol.recognise(data, direction, context)
        if verdict == YES:
            if ports[0] in protocol.ports or ports[1] in protocol.ports:
                return protocol, undecided
            chosen = chosen or protocol
        elif verdict == MORE:
            undecided = True
    return chosen, undecided


CALLS_HOME = "iamt.apf"  # of whatever port


class Stack:
    """Feeds slots and turns statements into observations, which it appends to `out`."""

    pdus = False
    """Whether observations have the bytes of their messages."""

    def __init__(
        self,
        registry: tuple[Protocol, ...],
        keys: Keys | None,
        out: list[Observation],
        tap: Callable[[FlowKey, str, Direction, Payload], None] | None = None,
        share: Share | None = None,
    ) -> None:
        self._streams = tuple(room for room in registry if room.transport == "tcp" and room.carried)
        self.keys = keys
        self.memory = Memory()
        self.latest = Latest(registry, self.memory, share)
        self._out = out
        self._tap = tap
        self._number = count(1).__next__
        self._proven_by: tuple[Stamp, ...] = ()
        self._proof: Proof
        """What follows from these: several events have the same."""
        self._by_name = {protocol.name: protocol for protocol in registry}

    def look_back(self, flow: FlowKey) -> None:
        """A machine calls a server: state what was passed over before, and matters now."""
        for held in self.latest.of_call(flow):
            if held.dissector is not None:
                for statement in held.dissector.receive_data(held.direction, held.data):
                    whose, start = held.flow.key, statement.start
                    self.observe(statement.event, (held.stamp,), whose, held.direction, start, held.data)

    # -- recognising --------------------------------------------------------------------------------------------------

    def offer(self, flow: FlowKey, channel: Channel, piece: Buffered) -> bool:
        """Bytes for a channel that no room has recognised yet; false when none ever will."""
        chosen, wanted = self.identify(channel, piece)
        if chosen is not None:
            self.attach(flow, channel, chosen)
        return wanted

    def identify(self, channel: Channel, piece: Buffered) -> tuple[Protocol | None, bool]:
        """Who knows the bytes of a channel with these added, and whether there is hope that somebody will."""
        direction, payload = piece.direction, piece.payload
        channel.buffered.append(piece)
        channel.size += len(payload.data)
        chosen = self._by_name.get(payload.hint) if payload.hint else None
        if chosen is not None:
            return chosen, True
        undecided = False
        if not channel.rejected >> direction & 1:
            data = (
                b"".join([each.payload.data for each in channel.buffered if each.direction == direction])
                if len(channel.buffered) > 1
                else payload.data
            )
            if not data and payload.head is None:
                undecided = True
            else:
                chosen, undecided = recognise(channel.candidates, data, direction, channel.context)
            if chosen is not None:
                return chosen, True
            if not undecided:
                channel.rejected |= 1 << direction
        return None, channel.size <= MAX_PREFIX and (undecided or channel.rejected != BOTH)

    def attach(self, flow: FlowKey, channel: Channel, protocol: Protocol) -> None:
        """Have a room read a channel from the bytes that wait there."""
        if channel.context.keys is not self.keys:  # the capture has brought them since
            channel.context = channel.context._replace(keys=self.keys)
        if protocol.name == CALLS_HOME:
            self.look_back(flow)
        channel.analyzer = Analyzer(protocol, protocol.dissector(channel.context))
        arrived, channel.buffered, channel.size = channel.buffered, [], 0
        for piece in reversed(arrived):
            channel.analyzer.origin[piece.direction] = piece.end - len(piece.payload.data)
        for piece in arrived:
            self.feed(flow, channel, piece.direction, piece.payload, piece.stamps)
        if channel.ended:
            self._tell_ends(flow, channel, channel.analyzer, arrived[-1].stamps)

    # -- feeding ------------------------------------------------------------------------------------------------------

    def feed_stream(
        self, flow: FlowKey, channel: Channel, direction: Direction, data: bytes, end: int, stamps: tuple[Stamp, ...]
    ) -> None:
        """The next bytes of a recognised channel that a flow feeds itself; `end` is the stream offset behind them."""
        analyzer = channel.analyzer
        assert analyzer is not None  # noqa: S101 - for the type checker; callers have looked
        origin = analyzer.origin[direction]
        end = analyzer.position[direction] = end - origin
        provenance = analyzer.provenance[direction]
        fresh = provenance[-1][0] if provenance else 0
        provenance.append((end, stamps))
        dissector = analyzer.dissector
        statements = dissector.receive_data(direction, data)
        if statements:
            self.state(flow, channel, analyzer, statements, stamps, direction, fresh, origin)
        if len(provenance) > FEW_CHUNKS:
            trim(provenance, dissector.trim_to[direction])

    def count(self, channel: Channel, direction: Direction, counted: Counted, end: int, stamp: Stamp) -> None:
        """The same, of records that were counted instead; the newest header among them came in this packet."""
        analyzer = channel.analyzer
        assert analyzer is not None  # noqa: S101 - as above
        origin = analyzer.origin[direction]
        end = analyzer.position[direction] = end - origin
        provenance = analyzer.provenance[direction]
        provenance.append((end, (stamp,)))
        dissector = analyzer.dissector
        last, behind = counted.last - origin, counted.behind - origin
        dissector.receive_counted(direction, counted._replace(last=last, behind=behind))
        if len(provenance) > FEW_CHUNKS:
            trim(provenance, dissector.trim_to[direction])

    def feed(
        self, flow: FlowKey, channel: Channel, direction: Direction, payload: Payload, stamps: tuple[Stamp, ...]
    ) -> None:
        """What a carrier hands to the channel inside it."""
        analyzer = channel.analyzer
        assert analyzer is not None  # noqa: S101 - as above
        dissector = analyzer.dissector
        data = payload.data
        position = analyzer.position
        end = position[direction] = position[direction] + len(data)
        provenance = analyzer.provenance[direction]
        fresh = provenance[-1][0] if provenance else 0
        provenance.append((end, stamps))
        if payload.head is not None:
            statements = dissector.receive_message(direction, payload)
            few = 1  # messages without a body are told apart by what is let go
        else:
            few = FEW_CHUNKS
            if channel.depth and dissector.skip_bytes[direction]:  # the flow's own half counts for the lowest channel
                skipped = min(dissector.skip_bytes[direction], len(data))
                dissector.skip_bytes[direction] -= skipped
                data = data[skipped:]
            if not data:
                return
            statements = dissector.receive_data(direction, data)
        if statements:
            self.state(flow, channel, analyzer, statements, stamps, direction, fresh, analyzer.origin[direction])
        if len(provenance) > few:
            trim(provenance, dissector.trim_to[direction])

    def gap(self, flow: FlowKey, channel: Channel, direction: Direction, size: int, stamps: tuple[Stamp, ...]) -> None:
        """Bytes of a channel are missing. Its dissector says which channels inside lack some."""
        analyzer = channel.analyzer
        if analyzer is None:
            channel.reset()
            return
        statements = analyzer.dissector.receive_gap(direction, size)
        analyzer.position[direction] += size
        analyzer.provenance[direction].append((analyzer.position[direction], stamps))
        if channel.depth:  # its carrier has told of it
            statements = [statement for statement in statements if type(statement.event) is not Gap]
        self.state(flow, channel, analyzer, statements, stamps)

    def end(self, flow: FlowKey, channel: Channel, direction: Direction, end: End, stamps: tuple[Stamp, ...]) -> None:
        """Tell the dissector of a channel and all inside it, each once, that a direction ended."""
        if channel.ended >> direction & 1:
            return
        analyzer = channel.analyzer
        if analyzer is None:
            channel.ended, channel.why = channel.ended | 1 << direction, end
            if channel.number and channel.buffered and channel.buffered[0].direction is direction:
                self._say_unrecognised(flow, channel)  # too few to tell what they are
            return
        statements = analyzer.dissector.receive_eof(direction, end)
        if statements:
            self.state(flow, channel, analyzer, statements, stamps)
        channel.ended, channel.why = channel.ended | 1 << direction, end
        for inner in analyzer.inside.values():
            self.end(flow, inner, _as_in(inner, channel, direction), end, stamps)

    def _tell_ends(self, flow: FlowKey, channel: Channel, analyzer: Analyzer, stamps: tuple[Stamp, ...]) -> None:
        """Tell a new dissector of a direction that had ended before it was there."""
        for way in BOTH_WAYS:
            if channel.ended >> way & 1:
                self.state(flow, channel, analyzer, analyzer.dissector.receive_eof(way, channel.why), stamps)

    # -- stating ------------------------------------------------------------------------------------------------------

    def state(
        self,
        flow: FlowKey,
        channel: Channel,
        analyzer: Analyzer,
        statements: Iterable[Statement],
        stamps: tuple[Stamp, ...],
        fed: Direction | None = None,
        fresh: int = 0,
        shift: int = 0,
    ) -> None:
        """Statements of a dissector become observations; payloads go on inside.

        `stamps` are the packets of all bytes of the direction `fed` that stand at `fresh` or behind; that direction's
        offsets are `shift` less than those of the stream.
        """
        out, number, turned = self._out, self._number, channel.reversed
        told: tuple[Stamp, ...] | None = None  # the proof whose packet, time and so on are at hand
        whose, own = None, stamps
        first = behind = 0  # the older bytes looked up last: mostly the next are the same
        for statement in statements:
            event, direction, start, end = statement.event, statement.direction, statement.start, statement.end
            if direction is fed and start >= fresh and start != end:
                proof, offset = stamps, start + shift
            else:
                if start != first or end != behind or direction is not whose:
                    whose, first, behind = direction, start, end
                    own = packets_of(analyzer.provenance[direction], start, behind) or stamps
                proof, offset = own, start + (shift if direction is fed else analyzer.origin[direction])
            for way, begin, until in statement.also:
                proof += packets_of(analyzer.provenance[way], begin, until)
            if type(event) is Payload:
                self._carry(flow, channel, analyzer, direction, event, proof)
                continue
            kind = type(event)
            if kind is ChannelOpened or kind is ChannelClosed or kind is ChannelGap:
                self._change(flow, channel, analyzer, direction, event, proof)
                continue
            if proof is not told:
                told = proof
                if proof is not self._proven_by:
                    self._proven_by, self._proof = proof, prove(proof)
                packet, packets, time_ns, name, elsewhere, precision = self._proof
            out.append(
                Observation(
                    event,
                    packet,
                    packets,
                    time_ns,
                    name,
                    flow,
                    OPPOSITE[direction] if turned else direction,
                    offset,
                    elsewhere,
                    precision,
                    number(),
                )
            )

    def _carry(
        self,
        flow: FlowKey,
        channel: Channel,
        analyzer: Analyzer,
        direction: Direction,
        payload: Payload,
        stamps: tuple[Stamp, ...],
    ) -> None:
        if self._tap is not None:
            way = OPPOSITE[direction] if channel.reversed else direction
            self._tap(flow, analyzer.protocol.name, way, payload)
        inner = analyzer.inside.get(payload.channel)
        if inner is None:
            if payload.channel:  # not opened: the cap was reached, which has been told
                return
            inner = self._open(flow, channel, analyzer, DEFAULT_CHANNEL, direction, stamps)
            if inner is None:
                return
            if payload.hint:
                protocol = self._by_name.get(payload.hint)
            else:
                data = payload.data
                protocol = recognise(self._streams, data, direction, inner.context)[0] if data else None
            if protocol is not None:  # mostly its first bytes tell
                inner.analyzer = Analyzer(protocol, protocol.dissector(inner.context))
                if inner.ended:
                    self._tell_ends(flow, inner, inner.analyzer, stamps)
        if inner.reversed is not channel.reversed:
            direction = OPPOSITE[direction]
        if inner.ended and inner.ended >> direction & 1:
            return
        if inner.analyzer is not None:
            self.feed(flow, inner, direction, payload, stamps)
        elif inner.size <= MAX_PREFIX and not self.offer(
            flow, inner, Buffered(direction, payload, len(payload.data), stamps)
        ):
            if inner.number:
                self._say_unrecognised(flow, inner)
            inner.give_up()

    def _change(
        self,
        flow: FlowKey,
        channel: Channel,
        analyzer: Analyzer,
        direction: Direction,
        event: Event,
        stamps: tuple[Stamp, ...],
    ) -> None:
        """A dissector opens a channel inside its own, ends a direction of one, or says that one lacks bytes."""
        if isinstance(event, ChannelOpened):
            old = analyzer.inside.get(event.channel)
            if old is not None:
                self._close(flow, analyzer, old, BOTH_WAYS, End.REPLACED, stamps)
            self._open(flow, channel, analyzer, event, direction, stamps)
        elif isinstance(event, (ChannelClosed, ChannelGap)):
            inner = analyzer.inside.get(event.channel)
            if inner is None:
                return
            way = _as_in(inner, channel, direction)
            if isinstance(event, ChannelClosed):
                self._close(flow, analyzer, inner, (way,), event.end, stamps)
            elif not inner.ended >> way & 1:
                self.gap(flow, inner, way, event.size, stamps)

    def _open(
        self,
        flow: FlowKey,
        channel: Channel,
        analyzer: Analyzer,
        opened: ChannelOpened,
        direction: Direction,
        stamps: tuple[Stamp, ...],
    ) -> Channel | None:
        if channel.depth >= MAX_DEPTH:
            return None
        inner = open_inside(channel, opened, analyzer.protocol.name)
        inner.candidates = self._streams
        quota = inner.quota
        if not opened.channel or quota is None:  # each channel has one of these at most
            analyzer.inside[opened.channel] = inner
            return inner
        if quota.open < MAX_CHANNELS:
            quota.open += 1
            analyzer.inside[opened.channel] = inner
            return inner
        if not quota.told:
            quota.told = True
            what = "further channels of this connection are not read while so many are open"
            limit = LimitReached(analyzer.protocol.name, "MAX_CHANNELS", MAX_CHANNELS, what)
            self.observe(limit, stamps, flow, OPPOSITE[direction] if channel.reversed else direction)
        return None

    def _close(
        self,
        flow: FlowKey,
        analyzer: Analyzer,
        inner: Channel,
        ways: Iterable[Direction],
        end: End,
        stamps: tuple[Stamp, ...],
    ) -> None:
        """Directions of a channel end; once both have, its place is free."""
        for way in ways:
            self.end(flow, inner, way, end, stamps)
        if inner.ended == BOTH:
            del analyzer.inside[inner.number]
            if inner.quota is not None:
                inner.quota.open -= count_open(inner)

    def _say_unrecognised(self, flow: FlowKey, channel: Channel) -> None:
        first = channel.buffered[0]
        pieces = [piece for piece in channel.buffered if piece.direction is first.direction]
        data = b"".join([piece.payload.data for piece in pieces])[:SHOWN]
        what = f"bytes in a channel to port {channel.context.server.port} that no room here knows"
        direction = OPPOSITE[first.direction] if channel.reversed else first.direction
        self.observe(Unrecognised(channel.context.carrier, what, data), pieces[0].stamps, flow, direction)

    def observe(
        self,
        event: Event,
        stamps: tuple[Stamp, ...],
        flow: FlowKey | None = None,
        direction: Direction = TO_SERVER,
        offset: int = 0,
        pdu: bytes = b"",  # noqa: ARG002 - for a stack that keeps the bytes of messages
    ) -> None:
        """Give an event its time and its proof."""
        if stamps is not self._proven_by:
            self._proven_by, self._proof = stamps, prove(stamps)
        packet, packets, time_ns, name, elsewhere, precision = self._proof
        self._out.append(
            Observation(
                event, packet, packets, time_ns, name, flow, direction, offset, elsewhere, precision, self._number()
            )
        )


RAISE_FAULTS = False  # the tests set this, so that no defect hides behind an event


def fault(analyzer: str, error: Exception) -> Malformed:
    """A dissector failed on captured bytes: a defect of ours, told instead of raised."""
    if RAISE_FAULTS:
        raise error
    return Malformed(
        analyzer, f"internal fault in this dissector ({type(error).__name__}); please report it with the capture"
    )


def _as_in(inner: Channel, outer: Channel, direction: Direction) -> Direction:
    """A direction of one channel, as the roles of one inside it have it."""
    return direction if inner.reversed is outer.reversed else OPPOSITE[direction]
