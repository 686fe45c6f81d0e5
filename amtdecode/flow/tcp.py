"""TCP reassembly (RFC 9293), one direction at a time.

Segments may come in any order, more than once, overlapping, wrapped around the sequence space, or not at all; each
direction is put back in order and given out once. The fast way for in-order segments is in `amtdecode.engine`, which
works on the same `Half` objects; everything irregular comes here.

Policies
- Overlap with different content: the bytes that came first stay; a note reports the conflict. Bytes already given out
  can be compared only while they are among the newest RECENT_BYTES.
- Missing bytes: waited for until the peer acknowledged them and GAP_PATIENCE further packets passed, or a limit is
  reached, or the direction ends; then they are a gap.
- A capture that starts inside a connection: the lowest sequence number among the first START_PATIENCE packets is taken
  for the start.
"""

from __future__ import annotations

import struct
from bisect import bisect_left
from typing import TYPE_CHECKING, Any, NamedTuple

from amtdecode import ports
from amtdecode.flow.chunks import Chunk
from amtdecode.model import TO_SERVER, Direction, End, Endpoint, FlowKey, LimitReached, Note

if TYPE_CHECKING:
    from collections.abc import Callable

    from amtdecode.flow.chunks import Stamp
    from amtdecode.model import Event

FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10

MAX_HELD_BYTES = 1 << 20  # out-of-order bytes of one direction; more than any receive window of AMT's time
MAX_HELD_SEGMENTS = 1024  # out-of-order segments of one direction
MAX_HELD_TOTAL = 8 << 20  # out-of-order bytes of all directions together
GAP_PATIENCE = 32  # packets of the flow after the peer acknowledged what is missing
START_PATIENCE = 3  # packets of the flow before a start without SYN is settled
RECENT_BYTES = 4096  # of a direction, kept to compare retransmissions with
MAX_JUMP = 1 << 30  # bytes ahead of the expected sequence number: the largest window there is (RFC 7323)

AMT_PORTS_PACKED = frozenset(port.to_bytes(2, "big") for port in ports.AMT)

REGULAR, IRREGULAR, IGNORED = 0, 1, 2
"""Of a half: next segment in order may take the fast way; needs `Reassembly`; nobody wants the flow."""

_KEY, _KEY_6 = struct.Struct(">4s4sHH").unpack, struct.Struct(">16s16sHH").unpack

WRAP = 1 << 32
HALF_WRAP = 1 << 31


def endpoints(key: bytes) -> tuple[Endpoint, Endpoint]:
    """Source and destination of a packet's key: addresses, then ports, as they stand in the packet."""
    source, destination, source_port, port = _KEY(key) if len(key) == 12 else _KEY_6(key)
    return Endpoint(source, source_port), Endpoint(destination, port)


class Held(NamedTuple):
    """A segment that came too early."""

    start: int  # stream offset
    data: bytes
    cut: int  # bytes behind data that the capture lacks
    stamp: Stamp

    @property
    def end(self) -> int:
        """Stream offset behind it, cut bytes included."""
        return self.start + len(self.data) + self.cut


class Half:
    """One direction of a connection. What has not happened to it is read from the class: most of this never does."""

    flow: TcpFlow | None = None
    direction: Direction = TO_SERVER
    peer: Half
    mode: int = IRREGULAR
    next_seq = -1  # sequence number expected next; -1 before the start is known
    offset = 0  # stream offset of next_seq: bytes given out, skipped or missing so far
    skip = 0  # bytes that the dissector need not see next
    isn = -1  # initial sequence number, from the SYN
    held: list[Held] = ()  # type: ignore[assignment]  # came too early: sorted, disjoint; a list once there are any
    held_bytes = 0
    fin = -1  # stream offset of the FIN; -1 before one came
    ended: End | None = None
    acked = 0  # stream offset the peer has acknowledged
    limited = False  # that a cap was reached has been told
    patience = 0
    starting = 0  # packets left before a start without SYN is settled
    recent: list[tuple[int, bytes]] = ()  # type: ignore[assignment]  # the newest bytes given out; likewise
    packets = 0  # counted only where statistics are asked for
    bytes = 0


class TcpFlow:
    """One connection, made by `FlowTable.open`; as with `Half`, what has not happened is read from the class."""

    number: int
    keys: tuple[bytes, bytes]  # of both halves in the flow table: addresses and ports as they stand in packets
    first: Stamp
    last: Stamp
    client: Half
    server: Half
    recognised = False  # a protocol was
    closed = False  # both directions ended, or a reset came
    handshake = 0  # bit 0: SYN seen, bit 1: SYN and ACK seen
    syn_count = 0
    proof: tuple[Stamp, ...] = ()  # the packets that opened and closed it, a few
    reset_by: Direction | None = None
    closed_by: Direction | None = None  # who sent FIN or RST first
    client_mac = b""
    vlan = -1
    slot: Any = None  # the engine's: who dissects it
    protocol = ""  # whose bytes it carries, once that is known
    stated = False  # that no room knows its bytes
    outcome_stated = False
    whole: tuple[bytes, Stamp, Any] | None = None  # a first message stated without a dissector, and whose it is
    tries = 0  # how often recognition was tried anew
    made_key: FlowKey | None = None  # what `key` gave

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


class Reassembly:
    """Puts the segments of any flow in order. `report` receives events with the half they concern."""

    def __init__(self, report: Callable[[Event, Half, Stamp], None]) -> None:
        self._report = report
        self._held_total = 0

    def segment(self, half: Half, seq: int, flags: int, ack: int, data: bytes, cut: int, stamp: Stamp) -> list[Chunk]:
        """One segment in its direction; returns what can be given out now."""
        chunks: list[Chunk] = []
        if flags & ACK:
            self._acknowledged(half, ack, stamp, chunks)
        if flags & SYN:
            seq = seq + 1 & WRAP - 1
            self._syn(half, seq, chunks)
        if data or cut:
            self._data(half, seq, data, cut, stamp, chunks)
        if flags & FIN and half.next_seq >= 0:
            half.fin = half.offset + _distance(half.next_seq, seq) + len(data) + cut
            if half.starting:
                self._settle_both(half, chunks)
        if half.starting or half.peer.starting:
            self._count_down(half, chunks)
        if half.fin >= 0 and half.offset >= half.fin and half.ended is None and not half.held:
            half.ended = End.FIN
            chunks.append(Chunk(half, stamp, half.offset, end=End.FIN))
        if flags & RST:
            for ending in (half, half.peer):
                chunks.extend(self.end(ending, End.RESET, stamp))
        return chunks

    def end(self, half: Half, end: End, stamp: Stamp) -> list[Chunk]:
        """Nothing more will come: give out what waits behind holes, then the end."""
        chunks: list[Chunk] = []
        if half.starting:
            self._settle_both(half, chunks)
        while half.held:
            self._declare_gap(half, stamp, chunks)
        if half.ended is None:
            half.ended = end
            chunks.append(Chunk(half, stamp, half.offset, end=end))
        return chunks

    def forget(self, flow: TcpFlow) -> None:
        """Nobody wants what waits behind holes of this connection."""
        for half in (flow.client, flow.server):
            self._held_total -= half.held_bytes
            half.held, half.held_bytes = [], 0

    # -- the parts of a segment ---------------------------------------------------------------------------------------

    def _syn(self, half: Half, first: int, chunks: list[Chunk]) -> None:
        half.isn = first - 1 & WRAP - 1
        if half.next_seq < 0:
            half.next_seq = first
        elif half.starting:
            self._settle(half, chunks, first)

    def _acknowledged(self, half: Half, ack: int, stamp: Stamp, chunks: list[Chunk]) -> None:
        peer = half.peer
        flow = half.flow
        if peer.next_seq < 0:
            if flow is not None and flow.handshake:  # its SYN is not in the capture, but what it must begin with is
                peer.next_seq = ack
            return
        if peer.starting:
            return
        peer.acked = max(peer.acked, peer.offset + _distance(peer.next_seq, ack))
        if peer.held and peer.acked > peer.offset:
            self._lose_patience(peer, stamp, chunks)

    def _lose_patience(self, half: Half, stamp: Stamp, chunks: list[Chunk]) -> None:
        half.patience += 1
        if half.patience > GAP_PATIENCE:
            self._declare_gap(half, stamp, chunks)

    def _data(self, half: Half, seq: int, data: bytes, cut: int, stamp: Stamp, chunks: list[Chunk]) -> None:
        if half.next_seq < 0:
            half.next_seq = seq
            half.starting = START_PATIENCE + 2  # this packet counts too, and at 1 it is settled
        distance = _distance(half.next_seq, seq)
        if half.starting:
            self._hold(half, half.offset + distance, data, cut, stamp, chunks)
            return
        if distance > MAX_JUMP or distance < -MAX_JUMP:
            self._report(
                Note("tcp", f"a segment {distance} bytes away from what is expected was passed over"), half, stamp
            )
            return
        if distance < 0:
            old = -distance
            if (
                len(data) == 1 and old == 1
            ):  # keep-alive (RFC 9293 §3.8.4): one byte of garbage behind the window's edge
                return
            self._compare(half, half.offset - old, data[:old], stamp)
            if old >= len(data) + cut:
                return
            if old > len(data):
                data, cut = b"", cut - (old - len(data))
            else:
                data = data[old:]
            distance = 0
        if distance > 0 or half.held:
            self._early(half, half.offset + distance, data, cut, stamp, chunks)
            if half.held and half.acked > half.offset:
                self._lose_patience(half, stamp, chunks)
        else:
            self._give(half, data, cut, stamp, chunks)

    def _give(self, half: Half, data: bytes, cut: int, stamp: Stamp, chunks: list[Chunk]) -> None:
        """Give out the next bytes in order."""
        if data:
            remember(half, half.offset, data)
            half.offset += len(data)
            half.next_seq = half.next_seq + len(data) & WRAP - 1
            chunks.append(Chunk(half, stamp, half.offset, data))
        if cut:
            half.offset += cut
            half.next_seq = half.next_seq + cut & WRAP - 1
            chunks.append(Chunk(half, stamp, half.offset, gap=cut))

    def _compare(self, half: Half, start: int, data: bytes, stamp: Stamp) -> None:
        """Report when bytes sent again differ from those given out, as far as those are kept."""
        first = bisect_left(half.recent, start, key=lambda kept: kept[0])
        for offset, kept in half.recent[max(0, first - 1) :]:
            if offset >= start + len(data):
                return
            low, high = max(start, offset), min(start + len(data), offset + len(kept))
            if low < high and data[low - start : high - start] != kept[low - offset : high - offset]:
                self._report(
                    Note(
                        "tcp",
                        f"bytes {low} to {high - 1} came again with different content; the first were kept",
                    ),
                    half,
                    stamp,
                )
                return

    # -- out of order -------------------------------------------------------------------------------------------------

    def _early(self, half: Half, start: int, data: bytes, cut: int, stamp: Stamp, chunks: list[Chunk]) -> None:
        """A segment while others wait or before its turn: mostly it overlaps none of those, and no search is needed."""
        held = half.held
        if start == half.offset and start + len(data) + cut <= held[0].start:  # it fills a hole, from its beginning
            half.patience = 0
            self._give(half, data, cut, stamp, chunks)
            self._drain(half, chunks)
        elif start > half.offset and (not held or held[-1].end <= start):
            if held:
                held.append(Held(start, data, cut, stamp))
            else:
                half.held = [Held(start, data, cut, stamp)]
            half.held_bytes += len(data)
            self._held_total += len(data)
        else:
            self._hold(half, start, data, cut, stamp, chunks)
            return
        self._limit(half, stamp, chunks)

    def _hold(self, half: Half, start: int, data: bytes, cut: int, stamp: Stamp, chunks: list[Chunk]) -> None:
        """Keep what is new of an early segment, then give out what has become contiguous."""
        end = start + len(data) + cut
        position, conflict = start, False
        at = bisect_left(half.held, start, key=lambda held: held.start)
        if at and half.held[at - 1].end > start:
            at -= 1
        pieces: list[Held] = []
        for held in half.held[at:]:
            if held.start >= end:
                break
            if held.start > position:
                pieces.append(_piece(position, held.start, start, data, stamp))
            low, high = max(position, held.start), min(end, held.end)
            conflict |= (
                data[low - start : high - start] != held.data[low - held.start : high - held.start]
                and not cut
                and not held.cut
            )
            position = max(position, held.end)
        if position < end:
            pieces.append(_piece(position, end, start, data, stamp))
        if conflict:
            self._report(
                Note(
                    "tcp",
                    f"segments overlap with different content at byte {start}; the first to come was kept",
                ),
                half,
                stamp,
            )
        if pieces and not half.held:
            half.held = []
        for piece in pieces:
            half.held.insert(bisect_left(half.held, piece.start, key=lambda held: held.start), piece)
            half.held_bytes += len(piece.data)
            self._held_total += len(piece.data)
        if not half.starting:
            self._drain(half, chunks)
        self._limit(half, stamp, chunks)

    def _drain(self, half: Half, chunks: list[Chunk]) -> None:
        while half.held and half.held[0].start <= half.offset:
            held = half.held.pop(0)
            half.held_bytes -= len(held.data)
            self._held_total -= len(held.data)
            half.patience = 0
            self._give(half, held.data, held.cut, held.stamp, chunks)

    def _declare_gap(self, half: Half, stamp: Stamp, chunks: list[Chunk]) -> None:
        """The bytes before the first held segment are missing."""
        if not half.held:
            return
        size = half.held[0].start - half.offset
        if size > 0:
            half.offset += size
            half.next_seq = half.next_seq + size & WRAP - 1
            half.recent = []
            chunks.append(Chunk(half, stamp, half.offset, gap=size))
        self._drain(half, chunks)

    def _limit(self, half: Half, stamp: Stamp, chunks: list[Chunk]) -> None:
        if half.held_bytes > MAX_HELD_BYTES:
            limit = ("MAX_HELD_BYTES", MAX_HELD_BYTES)
        elif len(half.held) > MAX_HELD_SEGMENTS:
            limit = ("MAX_HELD_SEGMENTS", MAX_HELD_SEGMENTS)
        elif self._held_total > MAX_HELD_TOTAL:
            limit = ("MAX_HELD_TOTAL", MAX_HELD_TOTAL)
        else:
            return
        if not half.limited:
            half.limited = True
            consequence = "bytes still missing are taken for lost, now and further on in this direction"
            self._report(LimitReached("tcp", *limit, consequence), half, stamp)
        if half.starting:
            self._settle_both(half, chunks)
        self._declare_gap(half, stamp, chunks)

    def _count_down(self, half: Half, chunks: list[Chunk]) -> None:
        for one in (half, half.peer):
            if one.starting > 1:
                one.starting -= 1
        if half.starting <= 1 and half.peer.starting <= 1:
            self._settle_both(half, chunks)

    def _settle_both(self, half: Half, chunks: list[Chunk]) -> None:
        """Settle both directions together, and give their bytes out in the order the packets came: they take turns."""
        waiting: list[tuple[int, Chunk]] = []
        for one in (half, half.peer):
            if one.starting:
                settled: list[Chunk] = []
                self._settle(one, settled)
                newest = 0
                for chunk in settled:
                    newest = max(newest, chunk.stamp[0])
                    waiting.append((newest, chunk))
        chunks.extend(chunk for _, chunk in sorted(waiting, key=lambda item: item[0]))

    def _settle(self, half: Half, chunks: list[Chunk], first: int = -1) -> None:
        """Fix the start of a direction whose SYN is not in the capture, or came late (`first` is its first byte)."""
        half.starting = 0
        lowest = half.held[0].start if half.held else half.offset
        shift = half.offset + _distance(half.next_seq, first) if first >= 0 else lowest
        if shift > lowest:  # data before its own SYN: another connection's; its bytes are dropped
            dropped = [held for held in half.held if held.start < shift]
            half.held = [held for held in half.held if held.start >= shift]
            lost = sum(len(held.data) for held in dropped)
            half.held_bytes -= lost
            self._held_total -= lost
        half.next_seq = half.next_seq + (shift - half.offset) & WRAP - 1
        if half.fin >= 0:
            half.fin -= shift
        half.held = [held._replace(start=held.start - shift) for held in half.held]
        half.offset = 0
        self._drain(half, chunks)


def remember(half: Half, start: int, data: bytes) -> None:
    """Keep the newest bytes given out, to compare with what is sent again."""
    recent = half.recent
    if not recent:
        half.recent = [(start, data)]
        return
    recent.append((start, data))
    edge = start + len(data) - RECENT_BYTES
    if edge > 0:
        at, old = recent[0]
        while at + len(old) <= edge:  # what came last ends behind it
            del recent[0]
            at, old = recent[0]


def _distance(origin: int, seq: int) -> int:
    """How far a sequence number is ahead of another, by the shorter way around (RFC 9293 §3.4)."""
    return (seq - origin + HALF_WRAP & WRAP - 1) - HALF_WRAP


def _piece(low: int, high: int, start: int, data: bytes, stamp: Stamp) -> Held:
    """The part low..high of a segment that starts at `start`; what its data lacks is cut."""
    part = data[low - start : high - start]
    return Held(low, part, high - low - len(part), stamp)
