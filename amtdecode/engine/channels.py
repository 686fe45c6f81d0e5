"""The tree of one conversation: channels, the analyzers that read them, and the channels inside those.

A `Channel` is a stream of bytes each way: a TCP connection, or what a dissector carries. Bytes wait in it until a room
recognises them; then an `Analyzer` reads them, and what its dissector carries arrives in further channels inside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from amtdecode.model import TO_CLIENT, TO_SERVER, Direction, End, Endpoint, Payload
from amtdecode.protocols.dissector import Context

if TYPE_CHECKING:
    from amtdecode.capture import Stamp
    from amtdecode.engine.kept import Kept
    from amtdecode.engine.provenance import Provenance
    from amtdecode.model import ChannelOpened
    from amtdecode.protocols.dissector import Dissector, Protocol

MAX_PREFIX = 4096  # bytes that wait for recognition; no protocol here needs more to be told apart
MAX_DEPTH = 8  # dissectors inside dissectors: TLS, APF, TLS, HTTP, SOAP are five
MAX_CHANNELS = 256  # opened and not closed inside one connection, at all depths together
BOTH = 1 << TO_SERVER | 1 << TO_CLIENT
OPPOSITE = (TO_CLIENT, TO_SERVER)


class Buffered(msgspec.Struct, gc=False):
    """Bytes that arrived before any room recognised the channel."""

    direction: Direction
    payload: Payload
    end: int  # stream offset behind them
    stamps: tuple[Stamp, ...]


class Quota(msgspec.Struct, gc=False):
    """How many channels carriers have opened inside one connection."""

    open: int = 0
    told: bool = False  # that no more are followed


class Analyzer:
    """A dissector at work, with the provenance of its bytes and the channels inside it."""

    __slots__ = ("dissector", "inside", "kept", "origin", "position", "protocol", "provenance")

    def __init__(self, protocol: Protocol, dissector: Dissector) -> None:
        self.protocol = protocol
        self.dissector = dissector
        self.provenance: tuple[Provenance, Provenance] = ([], [])
        self.origin = [0, 0]  # stream offset of the first byte of each direction that the dissector was shown
        self.position = [0, 0]  # how far behind that the last byte was: the offset its statements count in
        self.inside: dict[int, Channel] = {}
        self.kept: tuple[Kept, ...] = ()  # the newest bytes of each direction, where they are kept


class Channel(msgspec.Struct, gc=False):
    """A stream of bytes each way, and who reads it. Its directions are roles: to whoever plays server in it."""

    candidates: tuple[Protocol, ...]
    context: Context
    depth: int = 0
    reversed: bool = False  # who plays client in it is the server of the flow
    number: int = 0
    quota: Quota | None = None
    analyzer: Analyzer | None = None
    buffered: list[Buffered] = []
    size: int = 0  # bytes buffered
    rejected: int = 0  # by every room, judged by this direction: a bit each
    ended: int = 0  # a bit for each direction
    why: End = End.FIN  # of the one that ended last

    def reset(self) -> None:
        """Forget what waits: what comes next may begin something."""
        self.buffered, self.size, self.rejected = [], 0, 0

    def give_up(self) -> None:
        """Keep nothing of what no room knows, and look at no more of it."""
        self.buffered, self.size = [], MAX_PREFIX + 1


def open_inside(outer: Channel, opened: ChannelOpened, carrier: str) -> Channel:
    """Make the channel that a dissector opens inside its own."""
    outside = outer.context
    client, server = outside.client, outside.server
    turned = opened.client is TO_CLIENT
    if turned:
        client, server = server, client
    if opened.port:
        client, server = Endpoint(client.packed, 0), Endpoint(server.packed, opened.port)
    upside_down = outer.reversed is not turned
    from_client = TO_CLIENT if upside_down else TO_SERVER
    keys, memory, pdus = outside.keys, outside.memory, outside.pdus
    context = Context(outside.transport, client, server, keys, carrier, memory, opened.host, from_client, pdus)
    if opened.channel and outer.quota is None:
        outer.quota = Quota()
    inner = Channel(outer.candidates, context, outer.depth + 1, upside_down, opened.channel, outer.quota)
    if outer.ended:
        inner.ended, inner.why = (0, 2, 1, 3)[outer.ended] if turned else outer.ended, outer.why
    return inner


def count_open(channel: Channel) -> int:
    """Count a channel and all inside it that take a place."""
    analyzer = channel.analyzer
    return (channel.number != 0) + (
        sum(count_open(inner) for inner in analyzer.inside.values()) if analyzer is not None else 0
    )
