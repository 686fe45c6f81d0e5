"""Fills the ladders of many machines in one reading of the captures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode import ports
from amtdecode.counting import counted
from amtdecode.dialogue.ladder import CONSOLE, MACHINE, SERVER, Ladder, Rung
from amtdecode.dialogue.recording import LEFT_OUT, Wanted
from amtdecode.flow.events import Connection
from amtdecode.model import LimitReached, Unrecognised
from amtdecode.protocols.dhcp.v4 import DhcpMessage
from amtdecode.protocols.dhcp.v6 import Dhcpv6Message
from amtdecode.protocols.dns.message import DnsMessage
from amtdecode.protocols.soap.events import Call

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amtdecode.model import Endpoint, Observation
    from amtdecode.provisioning import Device, Story

MAX_RUNGS = 300  # of one ladder: the first half, and the last
MAX_TEXT = 200  # characters of one rung
NO_RUNGS = (*LEFT_OUT, Unrecognised, LimitReached)
PLAIN = frozenset(("iamt.hello", "dns", "dhcp", "dhcpv6", "tls"))
"""Protocols whose messages hold no secret: the bytes of others, as HTTP and SOAP, may hold what their fields mask."""


def tell(
    story: Story,
    observations: Iterable[Observation],
    devices: Iterable[Device],
    evidence: frozenset[tuple[str, int]] = frozenset(),
) -> list[Ladder]:
    """The ladders of these machines, in their order.

    `observations`: those that made the `story`, once more. `evidence`: packets, by input and number, whose rungs keep
    their fields and, where the engine keeps them, the bytes of their messages.
    """
    tellers = [_Teller(device, story, evidence) for device in devices]
    by_address: dict[str, list[_Teller]] = {}
    by_mac: dict[str, list[_Teller]] = {}
    for teller in tellers:
        for address in teller.addresses:
            by_address.setdefault(address, []).append(teller)
        if teller.mac:
            by_mac.setdefault(teller.mac, []).append(teller)
    nobody: list[_Teller] = []
    for observation in observations:
        event, flow = observation.event, observation.flow
        if flow is None or isinstance(event, NO_RUNGS):
            continue
        if isinstance(event, DhcpMessage | Dhcpv6Message):
            concerned = by_mac.get(str(event.mac).lower(), nobody)
        else:
            concerned = by_address.get(flow.client.address, nobody)
            if flow.server.address != flow.client.address:
                concerned = concerned + by_address.get(flow.server.address, nobody)
        for teller in concerned:
            teller.take(observation)
    return [teller.finish() for teller in tellers]


class _Teller:
    """Collects the rungs of one machine."""

    def __init__(self, device: Device, story: Story, evidence: frozenset[tuple[str, int]]) -> None:
        self.addresses = set(device.addresses)
        self.mac = device.mac.lower() or next((lease.mac.lower() for lease in device.leases), "")
        self._wanted = Wanted(device, None)
        self._evidence = evidence
        self._servers = {*story.hello_servers, *(each.client for each in device.sessions if each.setup)}
        self._first: list[Rung] = []
        self._last: list[Rung] = []
        self._dropped = 0
        self._ladder = Ladder(device_id=device.id, machine=device.name)

    def take(self, observation: Observation) -> None:
        event, flow = observation.event, observation.flow
        if flow is None or not self._wanted(observation):
            return
        peer, from_machine = self._peer(observation)
        number = observation.packet
        if isinstance(event, Call):
            asked = self._without_http(observation)
            request = asked.packet if asked is not None else observation.packets[0] if observation.packets else number
            if event.missing != "request":
                way = (peer, MACHINE) if asked is None else (asked.sender, asked.receiver)
                self._add(observation, *way, event.label, request, None if asked is None else asked.time_ns)
            if event.missing != "response":
                back = (MACHINE, peer) if asked is None else (asked.receiver, asked.sender)
                self._add(observation, *back, event.result_text or "answered", number, observation.time_ns)
            return
        way = (MACHINE, peer) if from_machine else (peer, MACHINE)
        text = _fared(event, flow.server.port) if isinstance(event, Connection) else event.summary()
        self._add(observation, *way, text, number, observation.time_ns)

    def _peer(self, observation: Observation) -> tuple[str, bool]:
        """Who the machine speaks with, and whether the machine sent this."""
        event, flow = observation.event, observation.flow
        assert flow is not None  # noqa: S101 - for the type checker
        if isinstance(event, DhcpMessage | Dhcpv6Message):
            return "DHCP", self._wanted.sender(observation) == MACHINE
        client, server = flow.client, flow.server
        if isinstance(event, DnsMessage):
            return "DNS", flow.source(observation.direction).address in self.addresses
        machine_is_client = client.address in self.addresses
        if machine_is_client and server.address in self.addresses:  # one host
            machine_is_client = server.port not in ports.AMT or server.port == ports.HELLO
        peer = server if machine_is_client else client
        sent = (flow.source(observation.direction) is client) == machine_is_client
        if isinstance(event, Connection):
            sent = self._ended_by_machine(event, machine_is_client)
        return self._role(peer, machine_is_client, flow.server.port), sent

    def _role(self, peer: Endpoint, machine_is_client: bool, port: int) -> str:
        if peer.address in self._servers or (machine_is_client and port == ports.HELLO):
            return SERVER
        return CONSOLE

    @staticmethod
    def _ended_by_machine(event: Connection, machine_is_client: bool) -> bool:
        """Whose word the end of a connection is: who refused, broke or closed it; of one unanswered, who asked."""
        if event.state == "refused":
            return not machine_is_client
        by = event.broken_by or event.closed_by or "client"
        return (by == "client") == machine_is_client

    def _without_http(self, call: Observation) -> Rung | None:
        """Take away the HTTP messages that a call holds; the request among them."""
        packets, request = set(call.packets), None
        rungs = self._last or self._first
        while rungs and rungs[-1].protocol == "http" and rungs[-1].packet in packets:
            request = rungs.pop()
        return request

    def _add(
        self, observation: Observation, sender: str, receiver: str, text: str, packet: int, time: int | None
    ) -> None:
        rung = Rung(
            sender=sender,
            receiver=receiver,
            text=text[:MAX_TEXT],
            protocol=observation.protocol,
            input=observation.input,
            packet=packet,
            time_ns=time,
        )
        if (observation.input, packet) in self._evidence:
            rung.fields = dict(observation.event.masked_fields())
            if observation.protocol in PLAIN and rung.fields == dict(observation.event.fields()):
                rung.data = observation.pdu or b""
        if len(self._first) < MAX_RUNGS // 2:
            self._first.append(rung)
            return
        self._last.append(rung)
        if len(self._last) > MAX_RUNGS:  # half a ladder at a time
            self._dropped += MAX_RUNGS // 2
            del self._last[: MAX_RUNGS // 2]

    def finish(self) -> Ladder:
        over = max(0, len(self._last) - MAX_RUNGS // 2)
        ladder = self._ladder
        ladder.left_out, ladder.left_out_at = self._dropped + over, len(self._first)
        rungs = [*self._first, *self._last[over:]]
        rungs.sort(key=_when)  # stable; outcomes of connections are stated when the capture ends
        before: int | None = None
        for rung in rungs:
            if rung.time_ns is not None:
                rung.after = None if before is None else (rung.time_ns - before) / 1e9
                before = rung.time_ns
        ladder.rungs = rungs
        return ladder


def _fared(event: Connection, port: int) -> str:
    """How a connection fared, in words that name no side: the arrow does."""
    sizes = f"{event.client_bytes} bytes to port {port}, {event.server_bytes} back"
    return {
        "refused": f"refuses the connection to port {port} (RST)",
        "unanswered": f"asks for a connection to port {port} {counted(event.syn_count, 'time')}, and nobody answers",
        "reset": f"breaks the connection off (RST): {sizes}",
        "open": f"the connection is still open at the end: {sizes}",
    }.get(event.state, f"closes the connection: {sizes}")


def _when(rung: Rung) -> int:
    return rung.time_ns or 0
