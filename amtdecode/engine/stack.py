"""Dissectors on top of each other: who reads a stream, what it states, and what it carries for the next.

A `Slot` is a place in a conversation where bytes arrive and a dissector is wanted. Bytes wait there until a room
recognises them; then its dissector reads them, and each `Payload` it states arrives at a further slot inside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import msgspec

from amtdecode.engine.marks import MAX_MARKS, Marks, stamps_of, trim
from amtdecode.model import PACKET_NUMBER_BITS, TO_CLIENT, TO_SERVER, Direction, End, Malformed, Observation, Payload
from amtdecode.protocols.dissector import MORE, YES, Context

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from amtdecode.capture import Interface
    from amtdecode.flow.chunks import Stamp
    from amtdecode.model import Event, FlowKey, Statement
    from amtdecode.protocols.dissector import Dissector, Protocol
    from amtdecode.secrets import Keys

MAX_PREFIX = 4096  # bytes that wait for recognition; no protocol here needs more to be told apart
MAX_DEPTH = 8  # dissectors inside dissectors: TLS, APF, TLS, HTTP, SOAP are five
BOTH = 1 << TO_SERVER | 1 << TO_CLIENT
NUMBER_MASK = (1 << PACKET_NUMBER_BITS) - 1


Proven: TypeAlias = "tuple[int, tuple[int, ...], int | None, Interface, tuple[tuple[str, int], ...]]"


class Waiting(msgspec.Struct, gc=False):
    """Bytes that arrived before anybody claimed the slot."""

    direction: Direction
    payload: Payload
    end: int  # stream offset behind them
    stamps: tuple[Stamp, ...]


class Layer:
    """A dissector at work, with the proof of its bytes and the slots for what it carries."""

    __slots__ = ("dissector", "inside", "marks", "origin", "position", "protocol")

    def __init__(self, protocol: Protocol, dissector: Dissector) -> None:
        self.protocol = protocol
        self.dissector = dissector
        self.marks: tuple[Marks, Marks] = ([], [])
        self.origin = [0, 0]  # stream offset of the first byte of each direction that the dissector was shown
        self.position = [0, 0]  # how far behind that the last byte was: the offset its statements count in
        self.inside: dict[int, Slot] = {}


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
        self._out = out
        self._tap = tap
        self._count = 0
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
        end = layer.position[direction] = end - layer.origin[direction]
        marks = layer.marks[direction]
        marks.append((end, stamps))
        dissector = layer.dissector
        statements = dissector.receive_data(direction, data)
        if statements:
            self.state(flow, slot, layer, statements, stamps)
        if len(marks) > 1 and (marks[0][0] <= dissector.floor[direction] or len(marks) > MAX_MARKS):
            trim(marks, dissector.floor[direction])

    def feed(
        self, flow: FlowKey, slot: Slot, direction: Direction, payload: Payload, stamps: tuple[Stamp, ...]
    ) -> None:
        """What a carrier hands to the slot inside it."""
        layer = slot.layer
        if layer is None:
            self.offer(flow, slot, Waiting(direction, payload, len(payload.data), stamps))
            return
        dissector = layer.dissector
        data = payload.data
        end = layer.position[direction] = layer.position[direction] + len(data)
        marks = layer.marks[direction]
        marks.append((end, stamps))
        if payload.head is not None:
            statements = dissector.receive_message(direction, payload)
        else:
            if slot.depth and dissector.skip[direction]:  # the flow's own half counts for the lowest slot
                skipped = min(dissector.skip[direction], len(data))
                dissector.skip[direction] -= skipped
                data = data[skipped:]
            if not data:
                return
            statements = dissector.receive_data(direction, data)
        if statements:
            self.state(flow, slot, layer, statements, stamps)
        if len(marks) > 1 and (marks[0][0] <= dissector.floor[direction] or len(marks) > MAX_MARKS):
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
        for inner in list(layer.inside.values()) if layer.inside else ():
            self.end(flow, inner, direction, end, stamps)

    # -- stating ------------------------------------------------------------------------------------------------------

    def state(
        self, flow: FlowKey, slot: Slot, layer: Layer, statements: Iterable[Statement], stamps: tuple[Stamp, ...]
    ) -> None:
        """Statements of a dissector become observations; payloads go on inside."""
        marks, origin, out = layer.marks, layer.origin, self._out
        whose, start, end = None, 0, 0  # the bytes of the statement before: mostly the next one is about them too
        own = stamps
        for statement in statements:
            event, direction, also = statement.event, statement.direction, statement.also
            if direction is not whose or statement.start != start or statement.end != end:
                whose, start, end = direction, statement.start, statement.end
                own = stamps_of(marks[direction], start, end) or stamps
            proof = own
            if also:
                for span in also:
                    proof += stamps_of(marks[span.direction], span.start, span.end)
            if type(event) is Payload:
                self._carry(flow, slot, layer, direction, event, proof)
                continue
            # as `observe` does it
            if proof is not self._proof:
                self._proof = proof
                self._proven = _proven(proof)
            packet, packets, time_ns, interface, elsewhere = self._proven
            self._count = number = self._count + 1
            out.append(
                Observation(
                    event,
                    packet,
                    packets,
                    time_ns,
                    interface.input,
                    flow,
                    direction,
                    origin[direction] + start,
                    elsewhere,
                    interface.precision,
                    number,
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
            context = Context(outside.transport, outside.client, outside.server, outside.keys, layer.protocol.name)
            inner = layer.inside[payload.channel] = Slot(self._streams, context, slot.depth + 1)
        if inner.layer is None and inner.size > MAX_PREFIX:
            return
        self.feed(flow, inner, direction, payload, stamps)

    def observe(
        self,
        event: Event,
        stamps: tuple[Stamp, ...],
        flow: FlowKey | None = None,
        direction: Direction = TO_SERVER,
        offset: int = 0,
    ) -> None:
        """Give an event its time and its proof."""
        if stamps is not self._proof:
            self._proof = stamps
            self._proven = _proven(stamps)
        packet, packets, time_ns, interface, elsewhere = self._proven
        self._count += 1
        self._out.append(
            Observation(
                event,
                packet,
                packets,
                time_ns,
                interface.input,
                flow,
                direction,
                offset,
                elsewhere,
                interface.precision,
                self._count,
            )
        )


def _proven(stamps: tuple[Stamp, ...]) -> Proven:
    """What a proof says: the packet that completes it, all of its input, the time, the interface, those elsewhere."""
    if len(stamps) == 1:
        ((identity, high, low, interface),) = stamps
        number = identity & NUMBER_MASK
        return number, (number,) if number else (), interface.time_ns(high, low), interface, ()
    proof = {stamp[0]: stamp for stamp in stamps}
    ids = sorted(proof)
    last = ids[-1]
    here = last >> PACKET_NUMBER_BITS
    if ids[0] >> PACKET_NUMBER_BITS == here:
        _, high, low, interface = proof[last]
        packets = tuple(ids) if not here else tuple([i & NUMBER_MASK for i in ids])
        return packets[-1], packets if packets[-1] else (), interface.time_ns(high, low), interface, ()
    # several inputs: the latest completes it
    last = max(ids, key=lambda i: (proof[i][3].time_ns(*proof[i][1:3]) or 0, i))
    identity, high, low, interface = proof[last]
    here = identity >> PACKET_NUMBER_BITS
    packets = tuple([i & NUMBER_MASK for i in ids if i >> PACKET_NUMBER_BITS == here])
    elsewhere = tuple([(proof[i][3].input, i & NUMBER_MASK) for i in ids if i >> PACKET_NUMBER_BITS != here])
    return packets[-1], packets if packets[-1] else (), interface.time_ns(high, low), interface, elsewhere


RAISE_FAULTS = False  # the tests set this, so that no defect hides behind an event


def fault(layer: str, error: Exception) -> Malformed:
    """A dissector failed on captured bytes: a defect of ours, told instead of raised."""
    if RAISE_FAULTS:
        raise error
    return Malformed(
        layer, f"internal fault in this dissector ({type(error).__name__}); please report it with the capture"
    )
