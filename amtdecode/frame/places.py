"""Where a packet stands in its conversation, and how a segment stands to those before it: what headers keep of both."""

from __future__ import annotations


class Place:
    """Where a packet stands in its conversation."""

    __slots__ = ("delta_ns", "relative_ns", "stream")

    def __init__(self, stream: int, relative_ns: int | None, delta_ns: int | None) -> None:
        self.stream = stream
        self.relative_ns = relative_ns
        self.delta_ns = delta_ns


class TcpPlace(Place):
    """The same for a segment: what its numbers are counted from, and what was seen of the connection before it."""

    __slots__ = ("ack", "ack_base", "completeness", "reused", "scale", "seq")

    seq: int
    ack: int
    ack_base: int
    """What the acknowledgment number is counted from, and the edges of selective ones."""
    scale: int
    """Bits by which its window is shifted; -1 unknown, -2 not at all."""
    completeness: int
    reused: bool
    """Whether it opens a connection with the ports of one before."""


class Verdict:
    """What the analysis says of one segment."""

    __slots__ = (
        "ack_rtt_ns",
        "acks_frame",
        "bytes_in_flight",
        "duplicate_ack_frame",
        "duplicate_ack_num",
        "initial_rtt_ns",
        "marks",
        "push_bytes_sent",
        "rto_frame",
        "rto_ns",
    )

    def __init__(self) -> None:
        self.marks: set[str] = set()
        self.acks_frame: int | None = None
        self.ack_rtt_ns: int | None = None
        self.initial_rtt_ns: int | None = None
        self.bytes_in_flight: int | None = None
        self.push_bytes_sent: int | None = None
        self.duplicate_ack_num: int | None = None
        self.duplicate_ack_frame: int | None = None
        self.rto_ns: int | None = None
        self.rto_frame: int | None = None

    def anything(self) -> bool:
        """Whether there is something to say."""
        return bool(self.marks) or self.acks_frame is not None or self.bytes_in_flight is not None
