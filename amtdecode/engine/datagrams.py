"""UDP conversations, frames without ports, and the errors ICMP reports about other flows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode import ports
from amtdecode.engine.hindsight import Held
from amtdecode.engine.stack import fault, recognise
from amtdecode.flow.streams import NUMBERED, is_numbered
from amtdecode.flow.tcp import endpoints
from amtdecode.model import TO_SERVER, Direction, Endpoint, FlowKey, Malformed
from amtdecode.net.icmp import IcmpError, read_error
from amtdecode.net.ip import ICMP, TCP, UDP, Datagram
from amtdecode.net.link import ARP, EAPOL, LLDP
from amtdecode.net.tunnels import UDP_TUNNELS, udp_tunnel
from amtdecode.protocols.dissector import Context

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from amtdecode.capture import Stamp
    from amtdecode.engine.stack import Stack
    from amtdecode.flow.table import FlowTable, UdpFlow
    from amtdecode.model import Event
    from amtdecode.net.icmp import Quoted
    from amtdecode.net.link import Network
    from amtdecode.net.tunnels import Inside
    from amtdecode.protocols.dissector import Dissector, Protocol

MAX_UDP_TRIES = 4  # datagrams of a conversation shown to the rooms before it is ignored
NOBODY = Endpoint(bytes(4), 0)
FRAMES = {ARP: "arp", EAPOL: "eapol", LLDP: "lldp"}
"""What has no ports, by Ether type: the transport of its room."""


class Datagrams:
    """Everything that is not TCP. Each message stands for itself: one dissector of a room serves all conversations."""

    def __init__(
        self,
        stack: Stack,
        table: FlowTable,
        rooms: Mapping[str, Sequence[Protocol]],
        *,
        tap: Callable[[FlowKey, Direction, bytes], None] | None = None,
        statistics: bool = False,
    ) -> None:
        self._stack = stack
        self._table = table
        self._rooms = rooms
        self._tap = tap
        self._statistics = statistics
        self._dissectors: dict[str, Dissector] = {}
        self._elsewhere = table.share is not None and not table.share.first
        """Another process reads them; here no more is read than may carry connections."""

    def udp(self, datagram: Datagram, stamp: Stamp, original: int) -> Inside | None:
        """A UDP datagram (RFC 768); what is in it, where it is one of a tunnel."""
        data, start, end = datagram.data, datagram.start, datagram.end
        if end - start < 8:
            self._say(Malformed("udp", "header cut", data[start:end]), stamp)
            return None
        key = datagram.addresses + data[start : start + 4]
        conversations = self._table.conversations
        known = key in conversations
        if known and conversations[key] is None:  # ignored
            return None
        length = data[start + 4] << 8 | data[start + 5]
        if not is_numbered(length, len(key) > 12):
            what = f"a length of {length} bytes, less than its header of 8"
            self._say(Malformed("udp", what, data[start:end][:64]), stamp)
            return None
        flow = conversations[key] if known else self._table.open_udp(key)
        assert flow is not None  # noqa: S101 - for the type checker
        direction = flow.direction(key)
        if self._statistics:
            flow.count(direction, original)
        payload = data[start + 8 : min(end, start + length) if length else end]
        if self._tap is not None:
            self._tap(flow.key, direction, payload)
        if not payload or flow.tries >= MAX_UDP_TRIES:
            return None
        inside = udp_tunnel(data[start + 2] << 8 | data[start + 3], data, start + 8, start + 8 + len(payload))
        if inside is not None:
            return inside
        try:
            if flow.protocol is None:
                self._recognise(flow, direction, payload)
            if flow.protocol is None:
                return None
            if self._elsewhere:
                self._pass_by(flow, direction, stamp, payload)
                return None
            whose, dissector = flow.key, self._dissector(flow.protocol)
            passed_over: Dissector | None = dissector
            for statement in dissector.receive_data(direction, payload):
                self._stack.observe(statement.event, (stamp,), whose, direction, statement.start, payload)
                passed_over = None
            if flow.protocol.hindsight is not None:
                self._stack.latest.hold(Held(flow, direction, stamp, payload, passed_over))
        except Exception as error:  # a defect of ours must not end the reading of a capture
            if not self._elsewhere:
                self._stack.observe(fault("udp", error), (stamp,), flow.key, direction)
            flow.tries = MAX_UDP_TRIES
        return None

    def _pass_by(self, flow: UdpFlow, direction: Direction, stamp: Stamp, payload: bytes) -> None:
        """A datagram that another process states."""
        if flow.protocol.hindsight is not None:
            self._stack.latest.pass_by(Held(flow, direction, stamp, payload, None))
        elif not any(port in UDP_TUNNELS for port in (flow.key.client.port, flow.key.server.port)):
            self._table.ignore_udp(flow)

    def _say(self, event: Event, stamp: Stamp) -> None:
        if not self._elsewhere:
            self._stack.observe(event, (stamp,))

    def _recognise(self, flow: UdpFlow, direction: Direction, payload: bytes) -> None:
        rooms = self._rooms.get("udp", ())
        client, server = endpoints(flow.forward)
        flow.protocol, _ = recognise(rooms, payload, direction, Context("udp", client, server))
        if flow.protocol is not None:
            return
        flow.tries += 1
        if flow.tries >= MAX_UDP_TRIES or not any(server.port in room.ports for room in rooms):
            flow.tries = MAX_UDP_TRIES
            if not self._statistics and self._tap is None:
                self._table.ignore_udp(flow)

    def _dissector(self, protocol: Protocol) -> Dissector:
        dissector = self._dissectors.get(protocol.name)
        if dissector is None:
            context = Context(protocol.transport, NOBODY, NOBODY, self._stack.keys, "", self._stack.memory)
            dissector = self._dissectors[protocol.name] = protocol.dissector(context)
        return dissector

    def frame(self, transport: str, network: Network, data: bytes, stamp: Stamp) -> None:
        """A frame of a protocol without ports."""
        rooms = self._rooms.get(transport)
        if not rooms or not data or self._elsewhere:
            return
        flow = None
        try:
            for statement in self._dissector(rooms[0]).receive_data(TO_SERVER, data):
                if flow is None:
                    flow = FlowKey(transport, 0, *(_ends(data) if transport == "arp" else _cards(network)))
                self._stack.observe(statement.event, (stamp,), flow, TO_SERVER, statement.start, data)
        except Exception as error:
            self._stack.observe(fault(transport, error), (stamp,))

    def icmp(self, datagram: Datagram, stamp: Stamp) -> None:
        """An ICMP message: an error is an observation on the flow it concerns, others say nothing here."""
        version = 4 if datagram.protocol == ICMP else 6
        quoted = read_error(datagram.data, datagram.start, datagram.end, version)
        if quoted is None or quoted.protocol not in (TCP, UDP):
            return
        found = self._quoted_flow(quoted)
        share = self._table.share
        is_own = share is None or (share.owns(quoted.key) if quoted.protocol == TCP else not self._elsewhere)
        if found is None or not is_own:
            return
        flow, direction = found
        reporter = Endpoint(datagram.addresses[: len(datagram.addresses) // 2], 0).address
        event = IcmpError(quoted.type, quoted.code, quoted.meaning, reporter, version)
        self._stack.observe(event, (stamp,), flow, direction)

    def _quoted_flow(self, quoted: Quoted) -> tuple[FlowKey, Direction] | None:
        """The flow an ICMP error concerns: one under way, else one of AMT's whose packet was not captured."""
        key, header = quoted.key, quoted.header
        number = -1
        if quoted.protocol == TCP:
            sender = self._table.find(key)
            if sender is not None:
                flow = sender.flow
                return (flow.key, sender.direction) if flow is not None and flow.watched else None
            if len(header) >= NUMBERED:
                number = self._table.number_of(key)
        else:
            conversations = self._table.conversations
            if key in conversations:
                known = conversations[key]
                return (known.key, known.direction(key)) if known is not None else None
            if len(header) >= 8 and is_numbered(header[4] << 8 | header[5], len(key) > 12):
                number = self._table.open_udp(key).number
        source, destination = endpoints(key)
        if destination.port not in ports.AMT:
            return None
        return FlowKey("tcp" if quoted.protocol == TCP else "udp", number, source, destination), TO_SERVER


def _cards(network: Network) -> tuple[Endpoint, Endpoint]:
    """Sender's and receiver's hardware addresses, where the link layer has them."""
    source, destination = network.source_mac, network.destination_mac
    return (
        Endpoint(source, 0) if len(source) == 6 else NOBODY,
        Endpoint(destination, 0) if len(destination) == 6 else NOBODY,
    )


def _ends(data: bytes) -> tuple[Endpoint, Endpoint]:
    """Sender's and target's protocol addresses of ARP for Ethernet and IPv4 (RFC 826)."""
    return (Endpoint(data[14:18], 0), Endpoint(data[24:28], 0)) if len(data) >= 28 else (NOBODY, NOBODY)
