"""What every room offers: a dissector, a way to recognise its protocol, and one registry entry.

A dissector is a per-flow state machine, sans-io: in-order bytes in, statements out. It never raises on captured bytes,
never asks the clock, and any split of the bytes gives the same statements (one property test holds that for all).
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, NamedTuple, TypeAlias
from typing import Protocol as TypingProtocol

from amtdecode.model import Direction, End, Endpoint, Event, Gap, Payload, Statement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from amtdecode.fields import Field
    from amtdecode.protocols.memory import Memory
    from amtdecode.secrets import Keys


class Verdict(enum.IntEnum):
    """What a room says of the first bytes of a direction."""

    NO = 0
    MORE = 1  # could be mine; show me more bytes
    YES = 2


NO, MORE, YES = Verdict.NO, Verdict.MORE, Verdict.YES


class Context(NamedTuple):
    """What a dissector may know of the conversation it works in."""

    transport: str  # "tcp", "udp", "icmp", "arp", "eapol", "lldp"
    client: Endpoint  # who plays client here: in a channel of a carrier's, that may be the server of the flow
    server: Endpoint  # its port is the one a channel was opened for, where the carrier says so
    keys: Keys | None = None
    carrier: str = ""  # protocol of the layer below, when another dissector carries this one ("tls", "iamt.apf")
    memory: Memory | None = None  # what the run remembers; None: nothing, as in a dissector used by itself
    host: str = ""  # name or address a channel was opened for, as its carrier has it
    from_client: Direction = Direction.TO_SERVER  # the direction of the flow in which the client here sends
    pdus: bool = False  # whether statements shall bring the bytes of their messages (`Statement.pdu`)


Opening: TypeAlias = "tuple[frozenset[int], ...]"
"""How the first bytes of a direction may begin: for each of them, in turn, what it may be."""

ANY_BYTE = frozenset(range(256))


def literal(text: bytes) -> Opening:
    """Exactly these bytes."""
    return tuple(frozenset((byte,)) for byte in text)


def may_begin(openings: Iterable[Opening], data: bytes) -> bool:
    """Whether these bytes are, as far as they go, like one of the openings."""
    return any(all(byte in choice for byte, choice in zip(data, opening, strict=False)) for opening in openings)


class RecordHeader(NamedTuple):
    """How the records look that a dissector may need no more of than their sizes: a header, and so many bytes."""

    begins: Opening
    size: int  # bytes of the header
    length_at: int  # where the length of what follows stands in it: two bytes, big-endian
    longest: int  # bytes that may follow
    silent: int  # records with no more than that are not `Counted.spoken`


class Counted(NamedTuple):
    """Records of a direction, one behind the other, of which only the headers were looked at."""

    records: int
    size: int  # bytes of them all, without headers
    spoken: int  # bytes of those that are longer than `RecordHeader.silent`
    last: int  # offset of the last one's header
    behind: int  # offset behind the last one


class Protocol(NamedTuple):
    """One line of the registry."""

    name: str  # the dotted name, tshark's where it has one
    transport: str
    ports: frozenset[int]  # they only break ties; content decides
    recognise: Callable[[bytes, Direction, Context], Verdict]
    dissector: Callable[[Context], Dissector]
    fields: Callable[[], Sequence[Field]]  # all that the room's events declare
    single_message: Callable[[bytes, Direction, Memory], Event | None] | None = None
    """For protocols whose connections mostly carry one message: that message when these first bytes are all of it, so
    that no dissector need be made for it. If more bytes come after all, a dissector is made and shown these first."""
    begins_inside: Callable[[bytes, Direction], bool] | None = None
    """For protocols whose dissector gets into step by itself: whether a message begins somewhere in bytes that no room
    knows, on a port of the protocol's, as where a capture begins inside one."""
    openings: tuple[Opening, ...] | None = None
    """How a TCP connection between other ports than `ports` may begin, either way, for `recognise` to say anything but
    `NO`; `None` where nobody has said. The compiled lane asks a room about no other bytes."""
    carries: bool = True
    """Whether its dissector may state `Payload`, with another room's bytes in it."""
    carried: bool = True
    """Whether it is looked for in what other rooms carry; if not, in flows alone."""
    in_full: Protocol | None = None
    """For rooms that state only what may concern a machine: the room for a reading in which somebody asks for its
    fields, and wants them of every message, as Wireshark has them."""
    record_header: RecordHeader | None = None
    """For what `Dissector.counts` says."""
    hindsight: Callable[[Memory], Hindsight] | None = None
    """For rooms of datagrams that pass over most messages: which of the latest matter after all. The engine holds those
    and asks, when a machine calls a server."""


class Hindsight(TypingProtocol):
    """What a room knows better later."""

    def learn(self, answers: Iterable[bytes], server: Endpoint) -> bool:
        """A machine calls a server: learn from the messages sent to the machine; whether that says something new."""

    def concerns(self, message: bytes) -> bool:
        """Whether a message matters, as far as was learned."""


class Dissector:
    """Base of all dissectors: where it stands in each direction, and what it does by default.

    The engine feeds each direction in order: `receive_data` any number of times with any split, `receive_gap` where
    bytes are missing, `receive_eof` once. Offsets count the bytes of the direction in this layer from 0.

    Directions are roles: `TO_SERVER` is towards whoever plays server here, whichever way that is in the flow. What a
    dissector carries for others it states as `Payload`, and says with `ChannelOpened`, `ChannelClosed` and `ChannelGap`
    when conversations inside begin, end and lack bytes.
    """

    counts: Direction | None = None
    """The direction, if any, of which the next records need only be counted: those that follow with the room's
    `record_header`, while the other direction shows nothing. The engine may call `receive_counted` for them."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.skip_bytes = [0, 0]
        """Bytes of each direction that need not be shown next; the engine counts them down and then goes on."""
        self.trim_to = [0, 0]
        """Offset in each direction below which no later statement will point: older provenance is trimmed."""
        self.finished = False
        """True once nothing more in this flow can matter to this dissector: the rest is passed over."""

    def receive_data(self, direction: Direction, data: bytes) -> Iterable[Statement]:
        """The next bytes of a direction (never empty); after a skip, the bytes behind what was skipped."""
        raise NotImplementedError

    def receive_message(self, direction: Direction, message: Payload) -> Iterable[Statement]:
        """One whole message of a carrier that works message by message (HTTP); by default just its bytes."""
        return self.receive_data(direction, message.data) if message.data else ()

    def receive_counted(self, direction: Direction, counted: Counted) -> None:
        """Instead of `receive_data`, where `counts` says so: what these records were. It states nothing."""
        raise NotImplementedError

    def receive_gap(self, direction: Direction, size: int) -> Iterable[Statement]:
        """`size` bytes of a direction are missing from the capture at this point.

        A carrier states `ChannelGap` for each channel they may belong to.
        """
        raise NotImplementedError

    def receive_eof(self, direction: Direction, end: End) -> Iterable[Statement]:
        """No more bytes will come in this direction, and why."""
        raise NotImplementedError


class DatagramDissector(Dissector):
    """For what comes in whole messages (UDP, ARP, LLDP): each call brings one, and nothing is kept between.

    So one object serves all conversations, and offsets count within the message.
    """

    layer = ""
    """The room's name, for what is missing."""

    def events(self, data: bytes) -> Iterable[Event]:
        """What one message says."""
        raise NotImplementedError

    def receive_data(self, direction: Direction, data: bytes) -> Iterable[Statement]:
        """One message."""
        size = len(data)
        return [Statement(event, direction, 0, size) for event in self.events(data)]

    def receive_gap(self, direction: Direction, size: int) -> Iterable[Statement]:
        """Bytes of a message that the capture does not hold."""
        return (gap_statement(self.layer, direction, 0, size),)

    def receive_eof(self, direction: Direction, end: End) -> Iterable[Statement]:  # noqa: ARG002
        """Nothing waits for more."""
        return ()


class ReceiveBuffer:
    """The bytes of one direction that are not yet consumed, with their place in the stream. The framer's tool."""

    __slots__ = ("data", "start")

    def __init__(self) -> None:
        self.data = b""
        self.start = 0  # offset of data[0]

    @property
    def end(self) -> int:
        """Offset behind the last byte held."""
        return self.start + len(self.data)

    def append(self, data: bytes) -> None:
        """Add the next bytes."""
        self.data = self.data + data if self.data else data

    def consume(self, size: int) -> None:
        """Let go of the first `size` bytes held."""
        self.data = self.data[size:]
        self.start += size

    def jump(self, size: int) -> None:
        """Drop what is held and stand behind `size` further bytes (a skip or a gap)."""
        self.start += len(self.data) + size
        self.data = b""


def gap_statement(layer: str, direction: Direction, start: int, size: int) -> Statement:
    """The usual answer to `receive_gap`: say what is missing and where."""
    return Statement(Gap(layer, size), direction, start, start + size)
