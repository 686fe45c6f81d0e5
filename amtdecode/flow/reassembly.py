"""TCP reassembly (RFC 9293), one direction at a time.

Segments may come in any order, more than once, overlapping, wrapped around the sequence space, or not at all; each
direction is put back in order and given out once. The fast way for in-order segments is in `amtdecode.engine`, which
works on the same `TcpEndpoint` objects; everything irregular comes here.

Policies
- Overlap with different content: the bytes that came first stay; a note reports the conflict. Bytes already given out
  can be compared only while they are among the newest RECENT_BYTES.
- Missing bytes: waited for until the peer acknowledged them and GAP_PATIENCE further packets passed, or a limit is
  reached, or the direction ends; then they are a gap.
- A capture that starts inside a connection: the lowest sequence number among the first START_PATIENCE packets is taken
  for the start.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from amtdecode.flow.chunks import Chunk
from amtdecode.flow.tcp import ACK, FIN, MAX_JUMP, RST, SYN, OutOfOrder
from amtdecode.model import End, LimitReached, Note

if TYPE_CHECKING:
    from collections.abc import Callable

    from amtdecode.capture import Stamp
    from amtdecode.flow.share import Share
    from amtdecode.flow.tcp import TcpEndpoint, TcpFlow
    from amtdecode.model import Event

MAX_OUT_OF_ORDER_BYTES = 1 << 20  # out-of-order bytes of one direction; more than any receive window of AMT's time
MAX_OUT_OF_ORDER_SEGMENTS = 1024  # out-of-order segments of one direction
MAX_OUT_OF_ORDER_TOTAL = 8 << 20  # out-of-order bytes of all directions together
GAP_PATIENCE = 32  # packets of the flow after the peer acknowledged what is missing
START_PATIENCE = 3  # packets of the flow before a start without SYN is settled
RECENT_BYTES = 4096  # of a direction, kept to compare retransmissions with

WRAP = 1 << 32
HALF_WRAP = 1 << 31


class Reassembly:
    """Puts the segments of any flow in order. `report` receives events with the sender they concern."""

    def __init__(self, report: Callable[[Event, TcpEndpoint, Stamp], None], share: Share | None = None) -> None:
        self._report = report
        self._share = share
        self._out_of_order_total = 0

    def segment(
        self, sender: TcpEndpoint, seq: int, flags: int, ack: int, data: bytes, cut: int, stamp: Stamp
    ) -> list[Chunk]:
        """One segment in its direction; returns what can be given out now."""
        chunks: list[Chunk] = []
        if flags & ACK:
            self._acknowledged(sender, ack, stamp, chunks)
        if flags & SYN:
            seq = seq + 1 & WRAP - 1
            self._syn(sender, seq, chunks)
        if data or cut:
            self._data(sender, seq, data, cut, stamp, chunks)
        if flags & FIN:
            if sender.next_seq < 0:  # the first of this side that the capture has
                sender.next_seq, sender.starting = seq, START_PATIENCE
            sender.fin = sender.offset + _distance(sender.next_seq, seq) + len(data) + cut
            if sender.starting:
                self._settle_both(sender, chunks)
        if sender.starting or sender.peer.starting:
            self._count_down(sender, chunks)
        if sender.fin >= 0 and sender.offset >= sender.fin and sender.ended is None and not sender.out_of_order:
            sender.ended = End.FIN
            chunks.append(Chunk(sender, stamp, sender.offset, end=End.FIN))
        if flags & RST:
            for ending in (sender, sender.peer):
                chunks.extend(self.end(ending, End.RESET, stamp))
        return chunks

    def end(self, sender: TcpEndpoint, end: End, stamp: Stamp) -> list[Chunk]:
        """Nothing more will come: give out what waits behind holes, then the end."""
        chunks: list[Chunk] = []
        if sender.starting:
            self._settle_both(sender, chunks)
        while sender.out_of_order:
            self._declare_gap(sender, stamp, chunks)
        if sender.ended is None:
            self._lost_at_the_end(sender, stamp, chunks)
            if end is End.CAPTURE and sender.fin >= 0:
                end = End.FIN
            sender.ended = end
            chunks.append(Chunk(sender, stamp, sender.offset, end=end))
        return chunks

    def _lost_at_the_end(self, sender: TcpEndpoint, stamp: Stamp, chunks: list[Chunk]) -> None:
        """Bytes ahead of a FIN, or acknowledged by the peer, that never came: the capture lacks them."""
        if sender.next_seq < 0:
            return
        size = sender.fin - sender.offset
        if sender.fin < 0:
            if sender.peer.heard:
                sender.must_have_sent(int.from_bytes(sender.peer.heard))
            size = _distance(sender.next_seq, sender.acked_seq) if sender.acked_seq >= 0 else 0
            if size == 1:  # a FIN, which takes a number too
                return
        if size > 0:
            self._pass_over(sender, size, stamp, chunks)

    def _pass_over(self, sender: TcpEndpoint, size: int, stamp: Stamp, chunks: list[Chunk]) -> None:
        """The next bytes are missing."""
        sender.offset += size
        sender.next_seq = sender.next_seq + size & WRAP - 1
        sender.lost += size
        sender.missing += size
        sender.recent = []
        chunks.append(Chunk(sender, stamp, sender.offset, gap=size))

    def forget(self, flow: TcpFlow) -> None:
        """Nobody wants what waits behind holes of this connection."""
        for sender in (flow.client, flow.server):
            self._out_of_order_total -= sender.out_of_order_bytes
            sender.out_of_order, sender.out_of_order_bytes = [], 0

    # -- the parts of a segment ---------------------------------------------------------------------------------------

    def _syn(self, sender: TcpEndpoint, first: int, chunks: list[Chunk]) -> None:
        if sender.next_seq < 0:
            sender.next_seq = first
        elif sender.starting:
            self._settle(sender, chunks, first)

    def _acknowledged(self, sender: TcpEndpoint, ack: int, stamp: Stamp, chunks: list[Chunk]) -> None:
        peer = sender.peer
        flow = sender.flow
        if peer.next_seq < 0:
            if flow is not None and flow.handshake:  # its SYN is not in the capture, but what it must begin with is
                peer.next_seq = ack
            return
        if peer.starting or not peer.out_of_order:  # while nothing is missing, the fast way reads no acknowledgments
            return
        peer.acked = max(peer.acked, peer.offset + _distance(peer.next_seq, ack))
        if peer.acked > peer.offset:
            self._lose_patience(peer, stamp, chunks)

    def _lose_patience(self, sender: TcpEndpoint, stamp: Stamp, chunks: list[Chunk]) -> None:
        sender.patience += 1
        if sender.patience > GAP_PATIENCE:
            self._declare_gap(sender, stamp, chunks)

    def _data(self, sender: TcpEndpoint, seq: int, data: bytes, cut: int, stamp: Stamp, chunks: list[Chunk]) -> None:
        if sender.next_seq < 0:
            sender.next_seq = seq
            sender.starting = START_PATIENCE + 2  # this packet counts too, and at 1 it is settled
        distance = _distance(sender.next_seq, seq)
        if sender.starting:
            self._insert(sender, sender.offset + distance, data, cut, stamp, chunks)
            return
        if distance > MAX_JUMP or distance < -MAX_JUMP:
            self._report(
                Note("tcp", f"a segment {distance} bytes away from what is expected was passed over"), sender, stamp
            )
            return
        if distance < 0:
            old = -distance
            if (
                len(data) == 1 and old == 1
            ):  # keep-alive (RFC 9293 §3.8.4): one byte of garbage behind the window's edge
                return
            self._compare(sender, sender.offset - old, data[:old], stamp)
            if old >= len(data) + cut:
                return
            if old > len(data):
                data, cut = b"", cut - (old - len(data))
            else:
                data = data[old:]
            distance = 0
        if distance > 0 or sender.out_of_order:
            self._early(sender, sender.offset + distance, data, cut, stamp, chunks)
            if sender.out_of_order and sender.acked > sender.offset:
                self._lose_patience(sender, stamp, chunks)
        else:
            self._deliver(sender, data, cut, stamp, chunks)

    def _deliver(self, sender: TcpEndpoint, data: bytes, cut: int, stamp: Stamp, chunks: list[Chunk]) -> None:
        """Give out the next bytes in order."""
        if data:
            sender.offset += len(data)
            sender.next_seq = sender.next_seq + len(data) & WRAP - 1
            chunks.append(Chunk(sender, stamp, sender.offset, data))
        if cut:
            sender.offset += cut
            sender.missing += cut
            sender.next_seq = sender.next_seq + cut & WRAP - 1
            chunks.append(Chunk(sender, stamp, sender.offset, gap=cut))

    def _compare(self, sender: TcpEndpoint, start: int, data: bytes, stamp: Stamp) -> None:
        """Report when bytes sent again differ from those given out, as far as those are kept."""
        first = bisect_left(sender.recent, start, key=lambda kept: kept[0])
        for offset, kept in sender.recent[max(0, first - 1) :]:
            if offset >= start + len(data):
                return
            low, high = max(start, offset), min(start + len(data), offset + len(kept))
            if low < high and data[low - start : high - start] != kept[low - offset : high - offset]:
                self._report(
                    Note(
                        "tcp",
                        f"bytes {low} to {high - 1} came again with different content; the first were kept",
                    ),
                    sender,
                    stamp,
                )
                return

    # -- out of order -------------------------------------------------------------------------------------------------

    def _early(self, sender: TcpEndpoint, start: int, data: bytes, cut: int, stamp: Stamp, chunks: list[Chunk]) -> None:
        """A segment while others wait or before its turn: mostly it overlaps none of those, and no search is needed."""
        early = sender.out_of_order
        if start == sender.offset and start + len(data) + cut <= early[0].start:  # it fills a hole, from its beginning
            sender.patience = 0
            self._deliver(sender, data, cut, stamp, chunks)
            self._drain(sender, chunks)
        elif start > sender.offset and (not early or early[-1].end <= start):
            if early:
                early.append(OutOfOrder(start, data, cut, stamp))
            else:
                sender.out_of_order = [OutOfOrder(start, data, cut, stamp)]
            sender.out_of_order_bytes += len(data)
            self._out_of_order_total += len(data)
        else:
            self._insert(sender, start, data, cut, stamp, chunks)
            return
        self._limit(sender, stamp, chunks)

    def _insert(
        self, sender: TcpEndpoint, start: int, data: bytes, cut: int, stamp: Stamp, chunks: list[Chunk]
    ) -> None:
        """Keep what is new of an early segment, then give out what has become contiguous."""
        end = start + len(data) + cut
        position, conflict = start, False
        at = bisect_left(sender.out_of_order, start, key=lambda early: early.start)
        if at and sender.out_of_order[at - 1].end > start:
            at -= 1
        pieces: list[OutOfOrder] = []
        for early in sender.out_of_order[at:]:
            if early.start >= end:
                break
            if early.start > position:
                pieces.append(_piece(position, early.start, start, data, stamp))
            low, high = max(position, early.start), min(end, early.end)
            conflict |= (
                data[low - start : high - start] != early.data[low - early.start : high - early.start]
                and not cut
                and not early.cut
            )
            position = max(position, early.end)
        if position < end:
            pieces.append(_piece(position, end, start, data, stamp))
        if conflict:
            self._report(
                Note(
                    "tcp",
                    f"segments overlap with different content at byte {start}; the first to come was kept",
                ),
                sender,
                stamp,
            )
        if pieces and not sender.out_of_order:
            sender.out_of_order = []
        for piece in pieces:
            sender.out_of_order.insert(
                bisect_left(sender.out_of_order, piece.start, key=lambda early: early.start), piece
            )
            sender.out_of_order_bytes += len(piece.data)
            self._out_of_order_total += len(piece.data)
        if not sender.starting:
            self._drain(sender, chunks)
        self._limit(sender, stamp, chunks)

    def _drain(self, sender: TcpEndpoint, chunks: list[Chunk]) -> None:
        while sender.out_of_order and sender.out_of_order[0].start <= sender.offset:
            early = sender.out_of_order.pop(0)
            sender.out_of_order_bytes -= len(early.data)
            self._out_of_order_total -= len(early.data)
            sender.patience = 0
            self._deliver(sender, early.data, early.cut, early.stamp, chunks)

    def _declare_gap(self, sender: TcpEndpoint, stamp: Stamp, chunks: list[Chunk]) -> None:
        """The bytes before the first early segment are missing."""
        if not sender.out_of_order:
            return
        size = sender.out_of_order[0].start - sender.offset
        if size > 0:
            self._pass_over(sender, size, stamp, chunks)
        self._drain(sender, chunks)

    def _limit(self, sender: TcpEndpoint, stamp: Stamp, chunks: list[Chunk]) -> None:
        share = self._share
        if share is not None and self._out_of_order_total > MAX_OUT_OF_ORDER_TOTAL // share.of:
            share.crossed = f"{MAX_OUT_OF_ORDER_TOTAL} bytes out of order"
        if sender.out_of_order_bytes > MAX_OUT_OF_ORDER_BYTES:
            limit = ("MAX_OUT_OF_ORDER_BYTES", MAX_OUT_OF_ORDER_BYTES)
        elif len(sender.out_of_order) > MAX_OUT_OF_ORDER_SEGMENTS:
            limit = ("MAX_OUT_OF_ORDER_SEGMENTS", MAX_OUT_OF_ORDER_SEGMENTS)
        elif self._out_of_order_total > MAX_OUT_OF_ORDER_TOTAL:
            limit = ("MAX_OUT_OF_ORDER_TOTAL", MAX_OUT_OF_ORDER_TOTAL)
        else:
            return
        if not sender.limited:
            sender.limited = True
            consequence = "bytes still missing are taken for lost, now and further on in this direction"
            self._report(LimitReached("tcp", *limit, consequence), sender, stamp)
        if sender.starting:
            self._settle_both(sender, chunks)
        self._declare_gap(sender, stamp, chunks)

    def _count_down(self, sender: TcpEndpoint, chunks: list[Chunk]) -> None:
        for one in (sender, sender.peer):
            if one.starting > 1:
                one.starting -= 1
        if sender.starting <= 1 and sender.peer.starting <= 1:
            self._settle_both(sender, chunks)

    def _settle_both(self, sender: TcpEndpoint, chunks: list[Chunk]) -> None:
        """Settle both directions together, and give their bytes out in the order the packets came: they take turns."""
        waiting: list[tuple[int, Chunk]] = []
        for one in (sender, sender.peer):
            if one.starting:
                settled: list[Chunk] = []
                self._settle(one, settled)
                newest = 0
                for chunk in settled:
                    newest = max(newest, chunk.stamp[0])
                    waiting.append((newest, chunk))
        chunks.extend(chunk for _, chunk in sorted(waiting, key=lambda item: item[0]))

    def _settle(self, sender: TcpEndpoint, chunks: list[Chunk], first: int = -1) -> None:
        """Fix the start of a direction whose SYN is not in the capture, or came late (`first` is its first byte)."""
        sender.starting = 0
        lowest = sender.out_of_order[0].start if sender.out_of_order else sender.offset
        shift = sender.offset + _distance(sender.next_seq, first) if first >= 0 else lowest
        if shift > lowest:  # data before its own SYN: another connection's; its bytes are dropped
            dropped = [early for early in sender.out_of_order if early.start < shift]
            sender.out_of_order = [early for early in sender.out_of_order if early.start >= shift]
            lost = sum(len(early.data) for early in dropped)
            sender.out_of_order_bytes -= lost
            self._out_of_order_total -= lost
        sender.next_seq = sender.next_seq + (shift - sender.offset) & WRAP - 1
        if sender.fin >= 0:
            sender.fin -= shift
        sender.out_of_order = [early._replace(start=early.start - shift) for early in sender.out_of_order]
        sender.offset = 0
        self._drain(sender, chunks)


def remember(sender: TcpEndpoint, start: int, data: bytes) -> None:
    """Keep the newest bytes given out, to compare with what is sent again."""
    recent = sender.recent
    if not recent:
        sender.recent = [(start, data)]
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


def _piece(low: int, high: int, start: int, data: bytes, stamp: Stamp) -> OutOfOrder:
    """The part low..high of a segment that starts at `start`; what its data lacks is cut."""
    part = data[low - start : high - start]
    return OutOfOrder(low, part, high - low - len(part), stamp)
