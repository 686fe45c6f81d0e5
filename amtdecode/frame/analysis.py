"""`tcp.analysis.*`: how a segment stands to those before it, as tshark judges.

The conditions are those of the Wireshark User's Guide (7.5, TCP Analysis); what the guide leaves open was settled by
trying tshark 4.0.17. One reading, in order: what only a later packet would show is not said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from amtdecode.fields import Kind
from amtdecode.flow.streams import reverse
from amtdecode.frame.header import declare, seconds
from amtdecode.frame.places import Verdict
from amtdecode.frame.tcp import ACK, FIN, PSH, RST, SYN
from amtdecode.frame.tcp_options import sack_edges

if TYPE_CHECKING:
    from amtdecode.fields import Field
    from amtdecode.frame.conversations import TcpConversation
    from amtdecode.frame.tcp import Tcp

MAX_UNACKED = 1000  # segments of one direction remembered until they are acknowledged
MAX_BLOCKS = 4  # blocks of one selective acknowledgment
FAST_NS = 20_000_000  # a retransmission this soon after the duplicate ACKs is a fast one
REORDERED_NS = 3_000_000  # a segment this late is out of order, where the round trip is not known
HALF = 1 << 31
SEQUENCE = 0xFFFFFFFF
OPENING_OR_ENDING = SYN | FIN | RST
UNKNOWN_SCALE = -1


def before(a: int, b: int) -> bool:
    """Whether sequence number a stands before b (RFC 1982)."""
    return 0 < (b - a & SEQUENCE) < HALF


class Segment(NamedTuple):
    """What is judged of a segment."""

    number: int  # of its packet
    time_ns: int
    seq: int
    ack: int
    size: int  # bytes of payload
    flags: int
    window: int  # as sent
    blocks: list[tuple[int, int]]  # selectively acknowledged


class Unacked:
    """A segment until it is acknowledged."""

    __slots__ = ("end", "number", "seq", "time_ns")

    def __init__(self, number: int, time_ns: int, seq: int, end: int) -> None:
        self.number = number
        self.time_ns = time_ns
        self.seq = seq
        self.end = end


class Sender:
    """What one end has sent."""

    __slots__ = (
        "ack",
        "ack_ns",
        "blocks",
        "contiguous",
        "duplicates",
        "marks",
        "missed",
        "new_ack_number",
        "next_ns",
        "next_number",
        "next_seq",
        "pushed",
        "since_push",
        "trusted",
        "unacked",
        "window",
    )

    def __init__(self) -> None:
        # as in tshark, 0 stands for a number not seen yet, -1 for a window
        self.next_seq = 0
        """Behind the highest segment sent."""
        self.next_ns = 0
        self.next_number = 0
        self.contiguous = 0
        """Up to where it can be acknowledged without anything missing from the capture."""
        self.ack = 0
        self.ack_ns = 0
        self.window = -1
        self.duplicates = 0
        self.new_ack_number = 0
        """Packet of the ACK that the duplicates repeat."""
        self.missed = False
        """Whether its packets are missing from the capture, so that it may have repeated its latest ACK unseen."""
        self.marks: frozenset[str] = frozenset()
        """What was said of the latest segment."""
        self.blocks: list[tuple[int, int]] = []
        self.unacked: list[Unacked] = []
        self.trusted = True
        """Whether the bytes in flight are known."""
        self.since_push = 0
        self.pushed = True


class History:
    """What both ends of a connection have sent."""

    __slots__ = ("senders",)

    def __init__(self, forward: bytes) -> None:
        self.senders = {forward: Sender(), reverse(forward): Sender()}


def analyse(segment: Tcp, number: int, time_ns: int | None, connection: TcpConversation) -> None:
    """Judge a segment and remember it."""
    ports, flags, length = segment.take(0, 4), segment.flags(), segment.length()
    seq, ack, window = segment.u32(4), segment.u32(8), segment.u16(14)
    if ports is None or flags is None or length is None or seq is None or ack is None or window is None:
        return
    key = segment.addresses + ports
    history = connection.history
    if not isinstance(history, History):
        history = connection.history = History(key)
    sender, receiver = history.senders[key], history.senders[reverse(key)]
    one = Segment(number, time_ns or 0, seq, ack, length, flags, window, sack_edges(segment))
    verdict = Verdict()
    if segment.place is not None and segment.place.reused:
        verdict.marks.add("reused_ports")
        if flags & ACK:  # another server answers: what the first one sent says nothing of it
            sender = history.senders[key] = Sender()
    scale = connection.senders[reverse(key)].scale
    _of_window_and_probe(one, sender, receiver, scale, verdict.marks)
    _of_ack(one, sender, receiver, verdict)
    if one.size or flags & (SYN | FIN):
        _of_data(one, sender, receiver, connection.initial_rtt_ns, verdict)
    _remember(one, sender, receiver, verdict)
    size = segment.size()
    if verdict.anything() and size is not None and segment.start + size <= segment.end:
        verdict.initial_rtt_ns = connection.initial_rtt_ns or None  # as in tshark, 0 is not shown
        segment.verdict = verdict


def _of_window_and_probe(one: Segment, sender: Sender, receiver: Sender, scale: int, marks: set[str]) -> None:
    """What does not need the acknowledgments: probes, windows, and holes before the segment."""
    plain = not one.flags & OPENING_OR_ENDING
    expected = sender.next_seq
    if one.size == 1 and one.seq == expected and not receiver.window:
        marks.add("zero_window_probe")
        return
    if not one.window and plain:
        marks.add("zero_window")
    if expected and before(expected, one.seq) and not one.flags & RST:
        marks.add("lost_segment")
        sender.trusted = False
    if one.size <= 1 and one.seq == expected - 1 & SEQUENCE and plain:
        marks.add("keep_alive")
    limit = receiver.ack + (max(receiver.window, 0) << max(scale, 0))
    if one.size and plain and scale != UNKNOWN_SCALE and one.seq + one.size & SEQUENCE == limit & SEQUENCE:
        marks.add("window_full")


def _of_ack(one: Segment, sender: Sender, receiver: Sender, verdict: Verdict) -> None:
    """What its acknowledgment and window say of a segment without data; and whether it acknowledges what is missing."""
    bare = not one.size and not one.flags & OPENING_OR_ENDING and one.seq == sender.next_seq
    if bare and "zero_window_probe" not in verdict.marks:
        _of_bare_ack(one, sender, receiver, verdict)
    if one.ack != sender.ack:
        sender.duplicates = 0
        sender.new_ack_number = one.number
        sender.missed = False
    if one.flags & ACK and receiver.contiguous and before(receiver.contiguous, one.ack):
        verdict.marks.add("ack_lost_segment")
        receiver.contiguous = receiver.next_seq
        receiver.missed = True


def _of_bare_ack(one: Segment, sender: Sender, receiver: Sender, verdict: Verdict) -> None:
    marks, same_ack, same_window = verdict.marks, one.ack == sender.ack, one.window == sender.window
    probed = "zero_window_probe" in receiver.marks
    one_more = probed and one.ack == sender.ack + 1 & SEQUENCE
    if one.window and not same_window and not one.blocks and (same_ack or one_more):
        marks.add("window_update")
    if not same_ack:
        return
    if one.window and same_window and "keep_alive" in receiver.marks:
        marks.add("keep_alive_ack")
    elif not one.window and same_window and probed:
        marks.add("zero_window_probe_ack")
    elif one.window and (same_window or one.blocks):
        marks.add("duplicate_ack")
        sender.duplicates += 1
        verdict.duplicate_ack_num = sender.duplicates
        verdict.duplicate_ack_frame = sender.new_ack_number


def _of_data(one: Segment, sender: Sender, receiver: Sender, round_trip_ns: int | None, verdict: Verdict) -> None:
    """Whether a segment that takes sequence numbers was sent before, or comes late."""
    marks, expected = verdict.marks, sender.next_seq
    if "keep_alive" in marks or not expected or not before(one.seq, expected):
        return
    if one.size > 1 and one.seq == expected - 1 & SEQUENCE:  # the byte before was a probe
        return
    end = one.seq + one.size & SEQUENCE
    if one.size and receiver.ack and not before(receiver.ack, end):
        marks |= {"spurious_retransmission", "retransmission"}
        return
    soon = one.time_ns - receiver.ack_ns < FAST_NS
    if receiver.ack == one.seq and soon and (receiver.duplicates >= 2 or receiver.missed):
        marks |= {"fast_retransmission", "retransmission"}
        return
    late_ns = one.time_ns - sender.next_ns
    if late_ns < (round_trip_ns or REORDERED_NS) and end + bool(one.flags & (SYN | FIN)) & SEQUENCE != expected:
        marks.add("out_of_order")
        return
    marks.add("retransmission")
    since_ns, since = sender.next_ns, sender.next_number
    if sender.unacked:
        since_ns, since = sender.unacked[0].time_ns, sender.unacked[0].number
    if one.time_ns != since_ns:
        verdict.rto_ns, verdict.rto_frame = one.time_ns - since_ns, since


def _remember(one: Segment, sender: Sender, receiver: Sender, verdict: Verdict) -> None:
    """Advance both ends, and say what the segment acknowledges and what is in flight."""
    end = one.seq + one.size + bool(one.flags & (SYN | FIN)) & SEQUENCE
    if end != one.seq and len(sender.unacked) < MAX_UNACKED:
        sender.unacked.append(Unacked(one.number, one.time_ns, one.seq, end))
    if "zero_window_probe" not in verdict.marks:
        if not sender.next_seq or before(sender.next_seq, end):
            sender.next_seq, sender.next_ns, sender.next_number = end, one.time_ns, one.number
        if not sender.contiguous or one.seq == sender.contiguous:
            sender.contiguous = sender.next_seq
    sender.window = one.window
    sender.ack = one.ack
    sender.ack_ns = one.time_ns
    sender.blocks = one.blocks[:MAX_BLOCKS]
    sender.marks = frozenset(verdict.marks)
    _acknowledge(one, receiver, verdict)
    _in_flight(one, sender, receiver, verdict)


def _acknowledge(one: Segment, receiver: Sender, verdict: Verdict) -> None:
    """Forget what this ACK covers; the first segment that ends where it points is the one it answers."""
    kept = []
    for sent in receiver.unacked:
        if sent.end == one.ack and verdict.acks_frame is None:
            verdict.acks_frame = sent.number
            verdict.ack_rtt_ns = one.time_ns - sent.time_ns
        if before(one.ack, sent.end):
            if before(sent.seq, one.ack):
                sent.seq = one.ack
            kept.append(sent)
    receiver.unacked = kept
    receiver.trusted = True


def _in_flight(one: Segment, sender: Sender, receiver: Sender, verdict: Verdict) -> None:
    """Bytes that the sender has under way, and bytes since it last pushed."""
    if not one.size or not sender.trusted or not sender.unacked:
        return
    sender.since_push = one.size if sender.pushed else sender.since_push + one.size
    sender.pushed = bool(one.flags & PSH)
    first = last = sender.unacked[0].seq
    for sent in sender.unacked:
        if before(sent.seq, first):
            first = sent.seq
        if before(last, sent.end):
            last = sent.end
    flying = (last - first & SEQUENCE) - bool(one.flags & (SYN | FIN))
    for left, right in receiver.blocks:
        flying -= right - left & SEQUENCE
    if 0 < flying < HALF:
        verdict.bytes_in_flight = flying
        verdict.push_bytes_sent = sender.since_push


def _mark(name: str, meaning: str) -> Field:
    return declare(
        f"tcp.analysis.{name}",
        Kind.NONE,
        meaning,
        lambda tcp: tcp.verdict and (True if name in tcp.verdict.marks else None),
    )


FIELDS = (
    declare("tcp.analysis", Kind.NONE, "the analysis says something of the segment", lambda tcp: tcp.verdict and True),
    declare(
        "tcp.analysis.flags",
        Kind.NONE,
        "something is odd about the segment",
        lambda tcp: tcp.verdict and (True if tcp.verdict.marks else None),
    ),
    _mark("retransmission", "was sent before, or seems so"),
    _mark("fast_retransmission", "sent again because of duplicate ACKs"),
    _mark("spurious_retransmission", "sent again although it was acknowledged"),
    _mark("out_of_order", "comes behind segments that follow it"),
    _mark("lost_segment", "segments before it are not in the capture"),
    _mark("ack_lost_segment", "acknowledges segments that are not in the capture"),
    _mark("duplicate_ack", "repeats an ACK"),
    _mark("zero_window", "its sender can take no more"),
    _mark("zero_window_probe", "asks whether the receiver can take more"),
    _mark("zero_window_probe_ack", "answers such a question: no"),
    _mark("window_full", "fills the window of its receiver"),
    _mark("window_update", "changes nothing but the window"),
    _mark("keep_alive", "asks whether the other end is still there"),
    _mark("keep_alive_ack", "answers such a question"),
    _mark("reused_ports", "opens a connection with the ports of one before"),
    declare(
        "tcp.analysis.duplicate_ack_num",
        Kind.UINT32,
        "how many duplicates of an ACK so far",
        lambda tcp: tcp.verdict and tcp.verdict.duplicate_ack_num,
    ),
    declare(
        "tcp.analysis.duplicate_ack_frame",
        Kind.FRAMENUM,
        "packet of the ACK repeated",
        lambda tcp: tcp.verdict and tcp.verdict.duplicate_ack_frame,
    ),
    declare(
        "tcp.analysis.acks_frame",
        Kind.FRAMENUM,
        "packet of the segment acknowledged",
        lambda tcp: tcp.verdict and tcp.verdict.acks_frame,
    ),
    declare(
        "tcp.analysis.ack_rtt",
        Kind.RELATIVE_TIME,
        "seconds between that segment and its ACK",
        lambda tcp: tcp.verdict and seconds(tcp.verdict.ack_rtt_ns or None),
    ),
    declare(
        "tcp.analysis.initial_rtt",
        Kind.RELATIVE_TIME,
        "seconds the handshake took",
        lambda tcp: tcp.verdict and seconds(tcp.verdict.initial_rtt_ns),
    ),
    declare(
        "tcp.analysis.bytes_in_flight",
        Kind.UINT32,
        "bytes sent and not acknowledged",
        lambda tcp: tcp.verdict and tcp.verdict.bytes_in_flight,
    ),
    declare(
        "tcp.analysis.push_bytes_sent",
        Kind.UINT32,
        "bytes sent since the PSH flag",
        lambda tcp: tcp.verdict and tcp.verdict.push_bytes_sent,
    ),
    declare(
        "tcp.analysis.rto",
        Kind.RELATIVE_TIME,
        "seconds until a segment was sent again",
        lambda tcp: tcp.verdict and seconds(tcp.verdict.rto_ns),
    ),
    declare(
        "tcp.analysis.rto_frame",
        Kind.FRAMENUM,
        "packet from which these seconds count",
        lambda tcp: tcp.verdict and tcp.verdict.rto_frame,
    ),
)
