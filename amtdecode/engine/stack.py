"""Dissectors on top of each other: who reads a stream, what it states, and what it carries for the next.

A `Slot` is a place in a conversation where bytes arrive and a dissector is wanted. Bytes wait there until a room
recognises them; then its dissector reads them, and each `Payload` it states arrives at a further slot inside.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from amtdecode.engine.marks import FEW_MARKS, Marks, stamps_of, trim
from amtdecode.model import PACKET_NUMBER_BITS, TO_CLIENT, TO_SERVER, Direction, End, Malformed, Observation, Payload
from amtdecode.protocols.dissector import MORE, YES, Context
from amtdecode.protocols.memory import Memory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from amtdecode.capture import Stamp
    from amtdecode.engine.pdus import Kept
    from amtdecode.model import Event, FlowKey, Statement
    from amtdecode.protocols.dissector import Dissector, Protocol
    from amtdecode.secrets import Keys

MAX_PREFIX = 4096  # bytes that wait for recognition; no protocol here needs more to be told apart
MAX_DEPTH = 8  # dissectors inside dissectors: TLS, APF, TLS, HTTP, SOAP are five
BOTH = 1 << TO_SERVER | 1 << TO_CLIENT
NUMBER_MASK = (1 << PACKET_NUMBER_BITS) - 1


Proven: TypeAlias = "tuple[int, tuple[int, ...], int | None, str, tuple[tuple[str, int], ...], int]"


class Waiting(msgspec.Struct, gc=False):
    """Bytes that arrived before anybody claimed the slot."""

    direction: Direction
    payload: Payload
    end: int  # stream offset behind them
    stamps: tuple[Stamp, ...]


class Layer:
    """A dissector at work, with the proof of its bytes and the slots for what it carries."""

    __slots__ = ("dissector", "inside", "kept", "marks", "origin", "position", "protocol")

    def __init__(self, protocol: Protocol, dissector: Dissector) -> None:
        self.protocol = protocol
        self.dissector = dissector
        self.marks: tuple[Marks, Marks] = ([], [])
        self.origin = [0, 0]  # stream offset of the first byte of each direction that the dissector was shown
        self.position = [0, 0]  # how far behind that the last byte was: the offset its statements count in
        self.inside: dict[int, Slot] = {}
        self.kept: tuple[Kept, ...] = ()  # the newest bytes of each direction, where they are kept


class Slot(msgspec.Struct, gc=False):
    """A stream, and who reads it."""

    candidates: tuple[Protocol, ...]
    context: Context
    depth: int = 0
    layer: Layer | None = None
    waiting: list[Waiting] = []
    size: int = 0  # bytes waiting
    refused: int = 0  # by every room, judged by this direction: a bit each

    def reset(self) -> None:
        """Forget what waits: what comes next may begin something."""
        self.waiting, self.size, self.refused = [], 0, 0


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


class Stack:
    """Feeds slots and turns statements into observations, which it appends to `out`."""

    def __init__(
        self,
        registry: tuple[Protocol, ...],
        keys: Keys | None,
        out: list[Observation],
        tap: Callable[[FlowKey, str, Direction, Payload], None] | None = None,
    ) -> None:
        self._streams = tuple(protocol for protocol in registry if protocol.transport == "tcp")
        self.keys = keys
        self.memory = Memory()
        self._out = out
        self._tap = tap
        self._number = count(1).__next__
        self._proof: tuple[Stamp, ...] = ()
        self._proven: Proven
        """What follows from the last proof: several events have the same."""
        self._by_name = {protocol.name: protocol for protocol in registry}

    # -- recognising --------------------------------------------------------------------------------------------------

    def offer(self, flow: FlowKey, slot: Slot, waiting: Waiting) -> bool:
        """Bytes for a slot nobody has claimed yet; false when nobody ever will."""
        chosen, wanted = self.choose(slot, waiting)
        if chosen is not None:
            self.claim(flow, slot, chosen)
        return wanted

    def choose(self, slot: Slot, waiting: Waiting) -> tuple[Protocol | None, bool]:
        """Who knows the bytes of a slot with these added, and whether there is hope that somebody will."""
        direction, payload = waiting.direction, waiting.payload
        slot.waiting.append(waiting)
        slot.size += len(payload.data)
        chosen = self._by_name.get(payload.hint) if payload.hint else None
        if chosen is not None:
            return chosen, True
        undecided = False
        if not slot.refused >> direction & 1:
            data = (
                b"".join([w.payload.data for w in slot.waiting if w.direction == direction])
                if len(slot.waiting) > 1
                else payload.data
            )
            if not data and payload.head is None:
                undecided = True
            else:
                chosen, undecided = recognise(slot.candidates, data, direction, slot.context)
            if chosen is not None:
                return chosen, True
            if not undecided:
                slot.refused |= 1 << direction
        return None, slot.size <= MAX_PREFIX and (undecided or slot.refused != BOTH)

    def claim(self, flow: FlowKey, slot: Slot, protocol: Protocol) -> None:
        """Have a room read a slot from the bytes that wait there."""
        slot.layer = Layer(protocol, protocol.dissector(slot.context))
        arrived, slot.waiting, slot.size = slot.waiting, [], 0
        for waiting in reversed(arrived):
            slot.layer.origin[waiting.direction] = waiting.end - len(waiting.payload.data)
        for waiting in arrived:
            self.feed(flow, slot, waiting.direction, waiting.payload, waiting.stamps)

    # -- feeding ------------------------------------------------------------------------------------------------------

    def feed_stream(
        self, flow: FlowKey, slot: Slot, direction: Direction, data: bytes, end: int, stamps: tuple[Stamp, ...]
    ) -> None:
        """The next bytes of a claimed slot that a flow feeds itself; `end` is the stream offset behind them."""
        layer = slot.layer
        assert layer is not None  # noqa: S101 - for the type checker; callers have looked
        origin = layer.origin[direction]
        end = layer.position[direction] = end - origin
        marks = layer.marks[direction]
        fresh = marks[-1][0] if marks else 0
        marks.append((end, stamps))
        dissector = layer.dissector
        statements = dissector.receive_data(direction, data)
        if statements:
            self.state(flow, slot, layer, statements, stamps, direction, fresh, origin)
        if len(marks) > FEW_MARKS:
            trim(marks, dissector.floor[direction])

    def feed(
        self, flow: FlowKey, slot: Slot, direction: Direction, payload: Payload, stamps: tuple[Stamp, ...]
    ) -> None:
        """What a carrier hands to the slot inside it."""
        layer = slot.layer
        assert layer is not None  # noqa: S101 - as above
        dissector = layer.dissector
        data = payload.data
        position = layer.position
        end = position[direction] = position[direction] + len(data)
        marks = layer.marks[direction]
        fresh = marks[-1][0] if marks else 0
        marks.append((end, stamps))
        if payload.head is not None:
            statements = dissector.receive_message(direction, payload)
            few = 1  # messages without a body are told apart by what is let go
        else:
            few = FEW_MARKS
            if slot.depth and dissector.skip[direction]:  # the flow's own half counts for the lowest slot
                skipped = min(dissector.skip[direction], len(data))
                dissector.skip[direction] -= skipped
                data = data[skipped:]
            if not data:
                return
            statements = dissector.receive_data(direction, data)
        if statements:
            self.state(flow, slot, layer, statements, stamps, direction, fresh, layer.origin[direction])
        if len(marks) > few:
            trim(marks, dissector.floor[direction])

    def gap(self, flow: FlowKey, slot: Slot, direction: Direction, size: int, stamps: tuple[Stamp, ...]) -> None:
        """Bytes are missing in front of a slot. What its dissector carries lacks about as many."""
        layer = slot.layer
        if layer is None:
            slot.reset()
            return
        statements = layer.dissector.receive_gap(direction, size)
        layer.position[direction] += size
        layer.marks[direction].append((layer.position[direction], stamps))
        self.state(flow, slot, layer, statements, stamps)
        for inner in list(layer.inside.values()):
            self.gap(flow, inner, direction, size, stamps)

    def end(self, flow: FlowKey, slot: Slot, direction: Direction, end: End, stamps: tuple[Stamp, ...]) -> None:
        """A direction ended, for the dissector of a slot and all inside it."""
        layer = slot.layer
        if layer is None:
            return
        statements = layer.dissector.receive_eof(direction, end)
        if statements:
            self.state(flow, slot, layer, statements, stamps)
        if layer.inside:
            for inner in layer.inside.values():
                self.end(flow, inner, direction, end, stamps)

    # -- stating ------------------------------------------------------------------------------------------------------

    def state(
        self,
        flow: FlowKey,
        slot: Slot,
        layer: Layer,
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
        out, number = self._out, self._number
        told: tuple[Stamp, ...] | None = None  # the proof whose packet, time and so on are at hand
        whose, own = None, stamps
        first = behind = 0  # the older bytes looked up last: mostly the next are the same
        for statement in statements:
            event, direction, start = statement.event, statement.direction, statement.start
            if direction is fed and start >= fresh and start != statement.end:
                proof, offset = stamps, start + shift
            else:
                if start != first or statement.end != behind or direction is not whose:
                    whose, first, behind = direction, start, statement.end
                    own = stamps_of(layer.marks[direction], start, behind) or stamps
                proof, offset = own, start + (shift if direction is fed else layer.origin[direction])
            if statement.also:
                for span in statement.also:
                    proof += stamps_of(layer.marks[span.direction], span.start, span.end)
            if type(event) is Payload:
                self._carry(flow, slot, layer, direction, event, proof)
                continue
            if proof is not told:
                told = proof
                if proof is not self._proof:
                    self._proof, self._proven = proof, _proven(proof)
                packet, packets, time_ns, name, elsewhere, precision = self._proven
            out.append(
                Observation(
                    event, packet, packets, time_ns, name, flow, direction, offset, elsewhere, precision, number()
                )
            )

    def _carry(
        self, flow: FlowKey, slot: Slot, layer: Layer, direction: Direction, payload: Payload, stamps: tuple[Stamp, ...]
    ) -> None:
        if self._tap is not None:
            self._tap(flow, layer.protocol.name, direction, payload)
        inner = layer.inside.get(payload.channel)
        if inner is None:
            if slot.depth >= MAX_DEPTH:
                return
            outside = slot.context
            context = Context(
                outside.transport, outside.client, outside.server, outside.keys, layer.protocol.name, outside.memory
            )
            inner = layer.inside[payload.channel] = Slot(self._streams, context, slot.depth + 1)
            if payload.hint:
                protocol = self._by_name.get(payload.hint)
            else:
                protocol = recognise(self._streams, payload.data, direction, context)[0] if payload.data else None
            if protocol is not None:  # mostly its first bytes tell
                inner.layer = Layer(protocol, protocol.dissector(context))
        if inner.layer is not None:
            self.feed(flow, inner, direction, payload, stamps)
        elif inner.size <= MAX_PREFIX:
            self.offer(flow, inner, Waiting(direction, payload, len(payload.data), stamps))

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
        if stamps is not self._proof:
            self._proof, self._proven = stamps, _proven(stamps)
        packet, packets, time_ns, name, elsewhere, precision = self._proven
        self._out.append(
            Observation(
                event, packet, packets, time_ns, name, flow, direction, offset, elsewhere, precision, self._number()
            )
        )


def _proven(stamps: tuple[Stamp, ...]) -> Proven:
    """What a proof says: the packet that completes it, all of its input, its time and input, elsewhere, decimals."""
    if len(stamps) == 1:
        identity, high, low, interface = stamps[0]
        number = identity & NUMBER_MASK
        time_ns = interface.time_ns(high, low)
        return number, (number,) if number else (), time_ns, interface.input, (), interface.precision
    if len(stamps) == 2 and stamps[0][0] < stamps[1][0] <= NUMBER_MASK:
        identity, high, low, interface = stamps[1]
        time_ns = interface.time_ns(high, low)
        return identity, (stamps[0][0], identity), time_ns, interface.input, (), interface.precision
    proof = {stamp[0]: stamp for stamp in stamps}
    ids = sorted(proof)
    last = ids[-1]
    here = last >> PACKET_NUMBER_BITS
    elsewhere: tuple[tuple[str, int], ...] = ()
    if ids[0] >> PACKET_NUMBER_BITS == here:
        _, high, low, interface = proof[last]
        packets = tuple([i & NUMBER_MASK for i in ids] if here else ids)
    else:  # several inputs: the latest completes it
        last = max(ids, key=lambda i: (proof[i][3].time_ns(*proof[i][1:3]) or 0, i))
        _, high, low, interface = proof[last]
        here = last >> PACKET_NUMBER_BITS
        packets = tuple([i & NUMBER_MASK for i in ids if i >> PACKET_NUMBER_BITS == here])
        elsewhere = tuple([(proof[i][3].input, i & NUMBER_MASK) for i in ids if i >> PACKET_NUMBER_BITS != here])
    number = packets[-1]
    time_ns = interface.time_ns(high, low)
    return number, packets if number else (), time_ns, interface.input, elsewhere, interface.precision


RAISE_FAULTS = False  # the tests set this, so that no defect hides behind an event


def fault(layer: str, error: Exception) -> Malformed:
    """A dissector failed on captured bytes: a defect of ours, told instead of raised."""
    if RAISE_FAULTS:
        raise error
    return Malformed(
        layer, f"internal fault in this dissector ({type(error).__name__}); please report it with the capture"
    )
