"""TCP connections: from segments to dissectors.

The loop hands over what it cannot do in passing. Openings and endings in order are done here at once; whatever is
irregular goes through `flow.tcp.Reassembly` and comes back as chunks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from amtdecode import ports
from amtdecode.capture.packets import Interface  # noqa: TC001 - msgspec reads the annotations of structs
from amtdecode.engine.channels import Buffered
from amtdecode.engine.outcome import FAILURES, connection
from amtdecode.engine.recognition import Recognition
from amtdecode.engine.stack import fault
from amtdecode.flow.chunks import Chunk
from amtdecode.flow.reassembly import Reassembly, remember
from amtdecode.flow.streams import base_of, reverse
from amtdecode.flow.table import FlowTable
from amtdecode.flow.tcp import (
    ACK,
    FIN,
    IGNORED,
    IRREGULAR,
    REGULAR,
    RST,
    SYN,
    TcpEndpoint,
    TcpFlow,
)
from amtdecode.model import TO_SERVER, Direction, End, Gap, LimitReached, Note, Payload
from amtdecode.net.checksum import checksum_is_bad

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from amtdecode.capture import Stamp
    from amtdecode.engine.health import Accounts
    from amtdecode.engine.stack import Stack
    from amtdecode.flow.share import Share
    from amtdecode.model import Event, FlowKey
    from amtdecode.protocols.dissector import Protocol

MAX_PROOF = 8  # packets that opened and closed a connection, kept as proof of its outcome
MAX_BAD_SUMS = 10_000  # directions told to have a wrong checksum; a capture with so many has them everywhere
CHECKED = 16 * 1024  # bytes of a direction whose checksums are verified when they come in order and somebody reads them
MAX_LISTED = 250_000  # ended connections kept for statistics, about a kilobyte each
FOR_EVER = 1 << 62  # bytes to skip when nobody wants any
FINISHED = End.FIN
OPENED = 3  # of `TcpFlow.handshake`: SYN seen, and SYN with ACK


class Segment(msgspec.Struct, gc=False):
    """A TCP segment on its long way. The payload is buffer[at:end], the header starts at `header`."""

    key: bytes
    seq: int
    ack: int
    control: int
    buffer: bytes
    header: int
    at: int
    end: int
    cut: int  # bytes behind `end` that the packet had and the capture lacks
    stamp: tuple[int, int, int, Interface]
    original: int
    mac: bytes
    vlan: int
    counted: bool  # for statistics, by the loop


class Connections:
    """All TCP connections of a reading."""

    def __init__(
        self,
        stack: Stack,
        rooms: Sequence[Protocol],
        report: Callable[[Event, Stamp | None], None],
        health: Accounts,
        *,
        all_outcomes: bool = False,
        tap: Callable[[FlowKey, Chunk], None] | None = None,
        statistics: bool = False,
        table: Callable[[Callable[[Event, Stamp | None], None], Callable[[TcpFlow, str], None]], FlowTable] = FlowTable,
        share: Share | None = None,
        checksum_is_bad: Callable[[bytes, int], bool] = checksum_is_bad,
    ) -> None:
        self._stack = stack
        self._checksum_is_bad = checksum_is_bad
        self._recognition = Recognition(stack, rooms)
        self._health = health
        self._all_outcomes = all_outcomes
        self._tap = tap
        self._statistics = statistics
        self._passive = statistics or tap is not None
        self.deliver = self._pass_on if self._passive else self._dissect
        """Shown the next bytes of a direction: (sender, bytes, stream offset behind them, stamp)."""
        self.table = table(report, self._on_remove)
        self.table.share = self._share = share
        self.table.keeps_ended = statistics
        self._reassembly = Reassembly(self._report_on, share)
        self._bad_sums: set[tuple[int, Direction]] = set()
        self._report = report
        self._unlisted_told = False
        self.removed: list[TcpFlow] = []
        """With `statistics`: connections no longer in the table."""

    # -- what the loop found ------------------------------------------------------------------------------------------

    def opened(self, key: bytes, seq: int, stamp: Stamp, mac: bytes, vlan: int, original: int) -> None:
        """A SYN, without data, of addresses and ports not seen before."""
        table = self.table
        if table.share is not None and not table.share.owns(key):
            table.pass_over(key)
            table.know_base(key, seq, 0, SYN)
            return
        flow = table.open(key, reverse(key), stamp)
        flow.client_mac = mac
        if vlan >= 0:
            flow.vlan = vlan
        flow.handshake = flow.syn_count = 1
        flow.proof = (stamp,)
        client = flow.client
        client.base_seq = seq
        client.next_seq = seq + 1 & 0xFFFFFFFF
        if self._statistics:
            client.packets = 1
            client.bytes = original

    def answered(self, sender: TcpEndpoint, seq: int, stamp: Stamp) -> bool:
        """The first SYN with ACK, without data; false where something irregular came before it."""
        flow, peer = sender.flow, sender.peer
        assert flow is not None  # noqa: S101 - for the type checker
        if flow.handshake != 1 or peer.next_seq < 0 or peer.out_of_order or peer.fin >= 0:
            return False
        flow.last = stamp
        flow.handshake = OPENED
        if sender.base_seq < 0:
            sender.base_seq = seq
        sender.next_seq = seq + 1 & 0xFFFFFFFF
        sender.mode = peer.mode = REGULAR
        if self._all_outcomes:
            flow.proof += (stamp,)
        return True

    def finished(self, sender: TcpEndpoint, ack: bytes, stamp: Stamp) -> None:
        """A FIN in order, without data behind what was given out."""
        flow = sender.flow
        assert flow is not None  # noqa: S101 - for the type checker
        flow.last = stamp
        if sender.peer.ended is None and int.from_bytes(ack) != sender.peer.next_seq:
            sender.peer.must_have_sent(int.from_bytes(ack))
        if flow.closed_by is None:
            flow.closed_by = sender.direction
        if (self._all_outcomes or flow.handshake != OPENED) and len(flow.proof) < MAX_PROOF:
            flow.proof += (stamp,)
        sender.fin = sender.offset
        if sender.ended is None:
            sender.ended = FINISHED
            if flow.channel is not None or self._tap is not None:
                self._end(flow, sender, FINISHED, stamp)
        if sender.peer.ended is not None and not flow.closed:
            self._closed(flow)

    def segment(self, segment: Segment) -> None:
        """Any segment."""
        key, seq, control, stamp = segment.key, segment.seq, segment.control, segment.stamp
        sender = self.table.sender_of(key, seq, control, stamp)
        flow = sender.flow
        if flow is None:  # nobody wants it
            if self.table.share is not None:
                self.table.know_base(key, seq, segment.ack, control)
            self.table.marker_ends(key, control)
            return
        if flow.first is stamp:
            flow.client_mac = segment.mac if sender.direction == TO_SERVER else b""
            flow.vlan = segment.vlan
        elif flow.closed and control & (SYN | ACK) == SYN:
            flow.reopen()
        sender.seen = True
        ack = segment.ack if control & ACK else 0
        if ack and (not control & RST or not seq):  # of a reset: it answers a SYN (RFC 9293 §3.10.7.1)
            sender.acknowledges = True
        if ack and control & (FIN | RST):
            sender.peer.must_have_sent(ack)
        self._know_base(sender, seq, ack, control)
        if self._statistics and not segment.counted:
            sender.packets += 1
            sender.bytes += segment.original
        payload = segment.buffer[segment.at : segment.end]
        before = flow.last
        if payload or segment.cut or control & (SYN | FIN | RST):
            flow.last = stamp
        elif ack and not sender.peer.skip_bytes:
            sender.heard = ack.to_bytes(4, "big")
        if control & (SYN | FIN | RST):
            repeated = control & SYN and flow.handshake & (2 if control & ACK else 1)
            again = bool(repeated) and self._health.came_twice(before, stamp)
            self._note_flags(flow, sender, control, stamp, again=again)
        skipped = sender.in_order and sender.skip_bytes >= len(payload)
        chunks = self._reassembly.segment(sender, seq, control, ack, payload, segment.cut, stamp)
        if payload and not chunks and sender.in_order:
            self._health.came_twice(before, stamp)
        self._chunks(chunks)
        if payload and not (skipped or segment.cut or self._statistics) and sender.offset < CHECKED:
            addressed = key[:-4] + segment.buffer[segment.header : segment.end]
            self.check_sum(sender, addressed, len(key) - 4, stamp)
        if flow.client.flow is None:  # ignored while its bytes were looked at
            return
        self._set_mode(flow)
        if not flow.closed and (control & RST or (flow.client.ended and flow.server.ended)):
            self._closed(flow)

    @staticmethod
    def _know_base(sender: TcpEndpoint, seq: int, ack: int, control: int) -> None:
        """The sequence numbers with which both sides began, as soon as something tells them."""
        if sender.base_seq < 0:
            sender.base_seq = base_of(control, seq)
        if control & ACK and sender.peer.base_seq < 0:
            sender.peer.base_seq = base_of(0, ack)

    def _dissect(self, sender: TcpEndpoint, data: bytes, end: int, stamp: Stamp) -> None:
        """`take` for the rooms."""
        flow = sender.flow
        if flow is None:
            return
        flow.last = stamp
        channel, direction, stack = flow.channel, sender.direction, self._stack
        try:
            if channel is None:
                recognition = self._recognition
                first = end == len(data) and flow.first_message is None
                if first and recognition.state_message(flow, direction, data, stamp):
                    return
                channel = flow.channel = recognition.channel(flow, direction, data, end)
            analyzer = channel.analyzer
            if analyzer is not None:
                flow.recognised = True
                stack.feed_stream(flow.made_key or flow.key, channel, direction, data, end, (stamp,))
            elif sender.mode != IGNORED:
                wanted = stack.offer(flow.key, channel, Buffered(direction, Payload(data), end, (stamp,)))
                analyzer = channel.analyzer
                if analyzer is not None:
                    flow.recognised = True
                elif not wanted:
                    if not self._recognition.goes_on(flow, channel):
                        self._ignore(flow)
                    analyzer = channel.analyzer
            if analyzer is not None:
                dissector = analyzer.dissector
                skip_bytes = dissector.skip_bytes
                skipped = skip_bytes[direction]
                if skipped:
                    sender.skip_bytes = skipped
                    skip_bytes[direction] = 0
                flow.counts = dissector.counts
                if dissector.finished:
                    self._ignore(flow)
        except Exception as error:  # a defect of ours must not end the reading of a capture
            name = (
                channel.analyzer.protocol.name
                if channel is not None and channel.analyzer is not None
                else "recognition"
            )
            self._stack.observe(fault(name, error), (stamp,), flow.key, direction)
            self._ignore(flow)

    def _pass_on(self, sender: TcpEndpoint, data: bytes, end: int, stamp: Stamp) -> None:
        """`take` for the tap, or for statistics, which want to know no more than whose bytes they are."""
        flow = sender.flow
        if flow is None:
            return
        flow.last = stamp
        try:
            if self._tap is not None:
                self._tap(flow.key, Chunk(sender, stamp, end, data))
            elif not self._recognition.name(flow, sender.direction, data, end, stamp):
                self._ignore(flow)
        except Exception as error:
            self._stack.observe(fault("recognition", error), (stamp,), flow.key, sender.direction)
            self._ignore(flow)

    def check_sum(self, sender: TcpEndpoint, addressed: bytes, addresses: int, stamp: Stamp) -> None:
        """Note a wrong checksum, once a direction. The bytes count all the same: most are not wrong on the wire.

        `addressed` is the segment with its packet's addresses in front (as they stand in a plain IPv4 packet), which
        take `addresses` bytes.
        """
        flow = sender.flow
        if flow is None:
            return
        if addressed[addresses + 13] & ACK:
            sender.peer.must_have_sent(int.from_bytes(addressed[addresses + 8 : addresses + 12]))
        if not self._checksum_is_bad(addressed, addresses):
            return
        if (flow.number, sender.direction) not in self._bad_sums and len(self._bad_sums) < MAX_BAD_SUMS:
            self._bad_sums.add((flow.number, sender.direction))
            if self._share is not None and len(self._bad_sums) > MAX_BAD_SUMS // self._share.of:
                self._share.crossed = f"{MAX_BAD_SUMS} directions with wrong checksums"
            what = "wrong TCP checksum; the bytes are used all the same, further ones of this direction are not told"
            self._stack.observe(Note("tcp", what), (stamp,), flow.key, sender.direction)

    def finish(self) -> Iterator[TcpFlow]:
        """The capture ends, and with it everything under way: gives each connection once it is done with."""
        for flow in self.table.remaining():
            self._on_remove(flow, "capture")
            yield flow

    # -- segments -----------------------------------------------------------------------------------------------------

    def _note_flags(self, flow: TcpFlow, sender: TcpEndpoint, control: int, stamp: Stamp, *, again: bool) -> None:
        if len(flow.proof) < MAX_PROOF:
            flow.proof += (stamp,)
        if control & SYN:
            flow.handshake |= 2 if control & ACK else 1
            flow.syn_count += not control & ACK and not again
        if control & RST and flow.reset_by is None:
            flow.reset_by = sender.direction
            if flow.closed_by is None and not control & FIN:
                flow.broken_by = sender.direction
        if control & (FIN | RST) and flow.closed_by is None:
            flow.closed_by = sender.direction

    def _set_mode(self, flow: TcpFlow) -> None:
        """A side is regular while neither waits for anything and its next packet tells nothing new but its data.

        So it is not before its first acknowledgment, which is noted, and not where its next one tells with what its
        peer began. A peer of which nothing was captured does not matter.
        """
        client, server = flow.client, flow.server
        if client.mode == IGNORED:
            return
        waiting = client.waits or server.waits
        for side, peer in (client, server), (server, client):
            regular = not waiting and side.acknowledges and (peer.next_seq >= 0 or not flow.handshake)
            side.mode = REGULAR if regular else IRREGULAR

    def _chunks(self, chunks: list[Chunk]) -> None:
        for chunk in chunks:
            sender = chunk.sender
            flow = sender.flow
            if flow is None:
                return
            if chunk.data:
                skip = sender.skip_bytes
                if skip >= len(chunk.data):
                    sender.skip_bytes = skip - len(chunk.data)
                    continue
                sender.skip_bytes = 0
                data = chunk.data[skip:] if skip else chunk.data
                if not self._statistics and flow.counts is not sender.direction:
                    remember(sender, chunk.offset - len(data), data)
                self.deliver(sender, data, chunk.offset, chunk.stamp)
            elif chunk.gap:
                self._gap(flow, sender, chunk)
            elif chunk.end is not None:
                self._end(flow, sender, chunk.end, chunk.stamp)

    def _gap(self, flow: TcpFlow, sender: TcpEndpoint, chunk: Chunk) -> None:
        if self._tap is not None:
            self._tap(flow.key, chunk)
            return
        flow.counts = None
        covered = min(sender.skip_bytes, chunk.gap)  # nobody wanted to see these
        sender.skip_bytes -= covered
        if flow.channel is None and flow.first_message is not None and not self._statistics:
            flow.channel = self._recognition.channel(flow, sender.direction, b"", chunk.offset - chunk.gap)
        channel = flow.channel
        if flow.watched and not flow.stated and not self._statistics:
            self._say_unread(flow, sender, chunk)
        if channel is None:
            return
        analyzer = channel.analyzer
        if analyzer is not None:
            analyzer.position[sender.direction] = (
                chunk.offset - (chunk.gap - covered) - analyzer.origin[sender.direction]
            )
        if chunk.gap > covered:
            try:
                self._stack.gap(flow.key, channel, sender.direction, chunk.gap - covered, (chunk.stamp,))
            except Exception as error:
                self._stack.observe(fault("gap", error), (chunk.stamp,), flow.key, sender.direction)
                self._ignore(flow)

    def _say_unread(self, flow: TcpFlow, sender: TcpEndpoint, chunk: Chunk) -> None:
        """Tell of a hole that leaves too few bytes to know what they are, or none: packets cut short by the capture."""
        channel, start = flow.channel, chunk.offset - chunk.gap
        if channel is None:
            if start:
                return
        elif channel.analyzer is not None or not channel.buffered:
            return
        else:
            self._recognition.say_unrecognised(flow, channel)
        self._stack.observe(Gap("tcp", chunk.gap), (chunk.stamp,), flow.key, sender.direction, start)

    def _end(self, flow: TcpFlow, sender: TcpEndpoint, end: End, stamp: Stamp) -> None:
        if self._tap is not None:
            self._tap(flow.key, Chunk(sender, stamp, sender.offset, end=end))
            return
        channel = flow.channel
        if channel is None:
            return
        analyzer = channel.analyzer
        if analyzer is None:
            if not flow.watched or not channel.buffered or channel.buffered[0].direction != sender.direction:
                return
            if not self._recognition.begins_inside(flow, channel):
                self._recognition.say_unrecognised(flow, channel)  # too few to tell what they are
                return
            analyzer = channel.analyzer
            assert analyzer is not None  # noqa: S101 - for the type checker
        analyzer.dissector.skip_bytes[sender.direction] = sender.skip_bytes
        sender.skip_bytes = 0
        try:
            self._stack.end(flow.key, channel, sender.direction, end, (stamp,))
        except Exception as error:
            self._stack.observe(fault(analyzer.protocol.name, error), (stamp,), flow.key, sender.direction)

    # -- nobody wants it ----------------------------------------------------------------------------------------------

    def _ignore(self, flow: TcpFlow) -> None:
        """Nobody wants the bytes of a flow any more."""
        if self._statistics:  # they are still counted
            flow.channel = None
            flow.client.skip_bytes = flow.server.skip_bytes = FOR_EVER
        elif not (self._all_outcomes and flow.watched):
            self._mark_only(flow)
        elif flow.channel is not None and flow.channel.analyzer is None:  # how it ends is still told
            flow.channel.give_up()
            flow.client.skip_bytes = flow.server.skip_bytes = FOR_EVER

    def _mark_only(self, flow: TcpFlow) -> None:
        """Keep no more of a flow than that nobody wants it."""
        self._reassembly.forget(flow)
        self.table.ignore_tcp(flow)

    # -- endings ------------------------------------------------------------------------------------------------------

    def _closed(self, flow: TcpFlow) -> None:
        """Both sides are done, or one broke off. Late packets of the flow say nothing new."""
        flow.closed = True
        if flow.handshake != OPENED or self._all_outcomes:
            self._state_outcome(flow)
        if not self._passive:
            if flow.client.out_of_order or flow.server.out_of_order:
                self._reassembly.forget(flow)
            self.table.close_tcp(flow)

    def _state_outcome(self, flow: TcpFlow) -> None:
        if (
            flow.outcome_stated
            or (flow.handshake == OPENED and not self._all_outcomes)
            or not (flow.watched or flow.first_message is not None)
        ):
            return
        event = connection(flow)
        if self._all_outcomes:
            self._health.ended(flow)
        if self._all_outcomes or event.state in FAILURES:
            flow.outcome_stated = True
            proof = flow.proof or (flow.first,)
            if proof[-1][0] != flow.last[0]:
                proof = (*proof, flow.last)
            if flow.key.server.port == ports.CIRA:
                self._stack.look_back(flow.key)
            self._stack.observe(event, proof, flow.key, TO_SERVER)

    def _on_remove(self, flow: TcpFlow, why: str) -> None:
        """A flow leaves the table: end what it has not ended."""
        end = {"replaced": End.REPLACED, "evicted": End.EVICTED}.get(why, End.CAPTURE)
        for sender in (flow.client, flow.server):
            if sender.ended is None or sender.out_of_order:
                self._chunks(self._reassembly.end(sender, end, flow.last))
        if flow.client.flow is None:
            return
        self._state_outcome(flow)
        if self._statistics:
            if len(self.removed) < MAX_LISTED:
                self.removed.append(flow)
            elif not self._unlisted_told:
                self._unlisted_told = True
                event = LimitReached("flow", "MAX_LISTED", MAX_LISTED, "further connections are not listed")
                self._report(event, flow.last)

    def _report_on(self, event: Event, sender: TcpEndpoint, stamp: Stamp) -> None:
        """Something odd about a direction, told where anybody reads it."""
        flow = sender.flow
        if flow is not None and (flow.watched or (flow.channel is not None and flow.channel.analyzer is not None)):
            self._stack.observe(event, (stamp,), flow.key, sender.direction)
