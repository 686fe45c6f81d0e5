"""Who reads a TCP connection: the room at home on its port, or whichever room knows its first bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode import ports
from amtdecode.engine.channels import Analyzer, Buffered, Channel
from amtdecode.engine.stack import SHOWN
from amtdecode.model import TO_CLIENT, TO_SERVER, Payload, Unrecognised
from amtdecode.protocols.dissector import YES, Context

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amtdecode.capture import Stamp
    from amtdecode.engine.stack import Stack
    from amtdecode.flow.tcp import TcpFlow
    from amtdecode.model import Direction
    from amtdecode.protocols.dissector import Protocol

MAX_RESYNC_TRIES = 64  # chunks of a flow on an AMT port, captured from its middle, tried before it is given up


class Recognition:
    """Finds the room for the bytes of each connection."""

    def __init__(self, stack: Stack, rooms: Sequence[Protocol]) -> None:
        self._stack = stack
        self._rooms = tuple(rooms)
        self._at_home = {
            port.to_bytes(2, "big"): protocol for protocol in reversed(self._rooms) for port in protocol.ports
        }
        self._single_message = {
            port: protocol for port, protocol in self._at_home.items() if protocol.single_message is not None
        }
        self._gets_into_step = {
            port.to_bytes(2, "big"): (protocol, protocol.begins_inside)
            for protocol in reversed(self._rooms)
            if protocol.begins_inside is not None
            for port in protocol.ports
        }

    def state_message(self, flow: TcpFlow, direction: Direction, data: bytes, stamp: Stamp) -> bool:
        """State the first bytes of a connection, where they are a whole message of `Protocol.single_message`."""
        protocol = self._single_message.get(flow.keys[0][-2:])
        if protocol is None:
            return False
        stack = self._stack
        event = protocol.single_message(data, direction, stack.memory)  # type: ignore[misc]
        if event is None:
            return False
        flow.first_message = data, stamp, protocol
        stack.observe(event, (stamp,), flow.key, direction, 0, data)
        return True

    def channel(self, flow: TcpFlow, direction: Direction, data: bytes, end: int) -> Channel:
        """A channel for a connection: recognised at once where the room at home on its port knows its first bytes."""
        key = flow.key
        stack = self._stack
        context = Context("tcp", key.client, key.server, stack.keys, "", stack.memory, pdus=stack.pdus)
        channel = Channel(self._rooms, context)
        if key.server.port == ports.CIRA:
            stack.look_back(key)
        if flow.first_message is not None:  # its first message was stated without a dissector; that sees it now
            first, stamp, protocol = flow.first_message
            analyzer = channel.analyzer = Analyzer(protocol, protocol.dissector(context))
            analyzer.provenance[TO_SERVER].append((len(first), (stamp,)))
            analyzer.dissector.receive_data(TO_SERVER, first)
            return channel
        at_home = self._at_home.get(flow.keys[0][-2:])
        if at_home is not None and at_home.recognise(data, direction, context) == YES:
            analyzer = channel.analyzer = Analyzer(at_home, at_home.dissector(context))
            analyzer.origin[direction] = end - len(data)
        return channel

    def name(self, flow: TcpFlow, direction: Direction, data: bytes, end: int, stamp: Stamp) -> bool:
        """For statistics it is enough to know whose bytes they are: whether more of them may tell."""
        key = flow.key
        context = Context("tcp", key.client, key.server)
        protocol = self._at_home.get(flow.keys[0][-2:])
        wanted = True
        if protocol is None or protocol.recognise(data, direction, context) != YES:
            if flow.channel is None:
                flow.channel = Channel(self._rooms, context)
            protocol, wanted = self._stack.identify(flow.channel, Buffered(direction, Payload(data), end, (stamp,)))
        if protocol is not None:
            flow.protocol = protocol.name
        return wanted and protocol is None

    def goes_on(self, flow: TcpFlow, channel: Channel) -> bool:
        """No room knows these bytes: whether later ones matter.

        On an AMT port they may begin something: a capture may start anywhere.
        """
        if not flow.watched:
            return False
        if self.begins_inside(flow, channel):
            return True
        self.say_unrecognised(flow, channel)
        flow.tries += 1
        if flow.tries >= MAX_RESYNC_TRIES:
            return False
        channel.reset()
        return True

    def begins_inside(self, flow: TcpFlow, channel: Channel) -> bool:
        """Have the room at home on this port read bytes that no room knows, if a message of its begins in them."""
        known = self._gets_into_step.get(flow.keys[0][-2:])
        if known is None:
            return False
        protocol, begins_inside = known
        for direction in TO_SERVER, TO_CLIENT:
            data = b"".join([piece.payload.data for piece in channel.buffered if piece.direction == direction])
            if begins_inside(data, direction):
                flow.recognised = True
                self._stack.attach(flow.key, channel, protocol)
                return True
        return False

    def say_unrecognised(self, flow: TcpFlow, channel: Channel) -> None:
        """Tell once that no room knows the first bytes that wait in a channel."""
        if flow.stated:
            return
        flow.stated = True
        first = channel.buffered[0]
        data = b""
        stamps: tuple[Stamp, ...] = ()
        for piece in channel.buffered:  # however they were cut
            if piece.direction == first.direction and len(data) < SHOWN:
                data += piece.payload.data[:SHOWN]
                stamps += piece.stamps
        what = f"bytes on port {flow.key.server.port} that no room here knows"
        event = Unrecognised("tcp", what, data[:SHOWN])
        self._stack.observe(event, stamps, flow.key, first.direction, first.end - len(first.payload.data))
