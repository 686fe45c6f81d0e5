"""The loop over packets. Everything else is built around keeping it short.

An Ethernet frame with a plain IPv4 header and a TCP segment in order takes the fast way: one `unpack_from`, one
look-up, nothing allocated unless a dissector wants the bytes. Every other packet goes through `net` and `flow`.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from amtdecode.capture.packets import NOTICE, Notice
from amtdecode.capture.pcapng import TLS_KEY_LOG, DecryptionSecrets
from amtdecode.engine.outcome import FAILURES, connection
from amtdecode.engine.stack import Layer, Slot, Stack, Waiting, fault
from amtdecode.flow.chunks import Chunk
from amtdecode.flow.table import IGNORED_HALF, FlowTable, UdpFlow
from amtdecode.flow.tcp import ACK, AMT_PORTS, FIN, IGNORED, IRREGULAR, REGULAR, RST, SYN, Half, Reassembly, TcpFlow, endpoints, remember
from amtdecode.model import TO_CLIENT, TO_SERVER, Direction, End, Endpoint, FlowKey, Malformed, Note, Payload, Unrecognised
from amtdecode.net.checksum import tcp_checksum
from amtdecode.net.icmp import IcmpError, read_error
from amtdecode.net.ip import ICMP, ICMPV6, TCP, TUNNELS, UDP, Datagram, IpLayer
from amtdecode.net.link import ARP, ETHERNET, IPV4, IPV6, is_known, link_type_name, network_layer
from amtdecode.protocols.dissector import YES, Context
from amtdecode.protocols.registry import REGISTRY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from amtdecode.capture import Interface, RawPacket
    from amtdecode.flow.chunks import Stamp
    from amtdecode.model import Event, Observation
    from amtdecode.protocols.dissector import Protocol
    from amtdecode.secrets import Keys

# from the Ether type on: Ether type, version and length, -, total length, -, flags and offset, -, protocol, -, addresses
# and ports (12 bytes), sequence number, acknowledgement, data offset and flags
_HEADERS = struct.Struct(">HBxH2xHxB2x12sIIH")
_FRAME = 14 + 20 + 20  # bytes that Ethernet, IPv4 and TCP take without options
_TCP = struct.Struct(">IIH")

MAX_UDP_TRIES = 4  # datagrams of a conversation shown to the rooms before it is ignored
MAX_RESYNC_TRIES = 64  # chunks of a flow on an AMT port, captured from its middle, tried before it is given up
MAX_PROOF = 8  # packets that opened and closed a connection, kept as proof of its outcome
MAX_BAD_SUMS = 10_000  # directions remembered for having had a wrong checksum
CHECKED = 16 * 1024  # bytes of a direction whose checksums are verified when they come in order
OPENED = 3  # of `TcpFlow.handshake`: SYN seen, and SYN with ACK
MAX_COUNTED = 64  # kinds of unreadable packets counted apart


class Engine:
    """Reads packets, states observations.

    `connections`: which outcomes of TCP connections are stated: "failures" (refused, unanswered) of connections to AMT
    ports, or "all" of those and of every connection whose protocol was recognised.
    `tap`: shown the bytes each layer carries: (flow, layer name, direction, payload); `tcp_tap` the in-order bytes and
    gaps of every TCP flow; `udp_tap` every UDP datagram.
    `statistics`: count packets and bytes of all flows, for `conversations()`.
    """

    def __init__(
        self,
        keys: Keys | None = None,
        *,
        connections: str = "failures",
        tap: Callable[[FlowKey, str, Direction, Payload], None] | None = None,
        tcp_tap: Callable[[FlowKey, Chunk], None] | None = None,
        udp_tap: Callable[[FlowKey, Direction, bytes], None] | None = None,
        statistics: bool = False,
        registry: tuple[Protocol, ...] = REGISTRY,
    ) -> None:
        self._out: list[Observation] = []
        self._stack = Stack(registry, keys, self._out, tap)
        self._keys = keys
        self._all_connections = connections == "all"
        self._tcp_tap = tcp_tap
        self._udp_tap = udp_tap
        self._statistics = statistics
        self._table = FlowTable(self._report, self._let_go)
        self._reassembly = Reassembly(self._report_on)
        self._ip = IpLayer(self._report)
        self._stamp: Stamp | None = None
        self._rooms: dict[str, list[Protocol]] = {}
        for protocol in registry:
            self._rooms.setdefault(protocol.transport, []).append(protocol)
        self._tcp_rooms = tuple(self._rooms.get("tcp", ()))
        self._at_home = {port.to_bytes(2, "big"): protocol for protocol in reversed(self._tcp_rooms) for port in protocol.ports}
        self._frames: dict[str, tuple[FlowKey, Slot]] = {}
        self._unreadable: dict[str, list[Any]] = {}
        self._bad_sums: set[tuple[int, Direction]] = set()
        self._gone: list[TcpFlow | UdpFlow] = []

    # -- the loop ---------------------------------------------------------------------------------------------------------

    def observe(self, packets: Iterable[RawPacket]) -> Iterator[Observation]:
        """All that is stated about these packets, in the order in which it became known."""
        out = self._out
        find = self._table.halves.get
        find_udp = self._table.conversations.get
        missing = (None, TO_SERVER)
        unpack = _HEADERS.unpack_from
        counting = self._statistics
        interface: Interface | None = None
        ethernet = False
        for packet in packets:
            number, buffer, start, captured, original, high, low, origin = packet
            if origin is not interface:
                interface = origin
                ethernet = origin.link_type == ETHERNET
            if ethernet and captured >= _FRAME:
                kind, version, total, fragment, protocol, key, seq, ack, control = unpack(buffer, start + 12)
                if kind == IPV4 and version == 0x45 and not fragment & 0x3FFF and total + 14 <= captured:
                    if protocol == TCP:
                        half = find(key)
                        header = control >> 12 << 2
                        size = total - 20 - header
                        if half is not None:
                            if counting:
                                half.packets += 1
                                half.bytes += original
                            mode = half.mode
                            if mode == IGNORED:
                                if not control & SYN:
                                    continue
                            elif mode == REGULAR and not control & (SYN | FIN | RST):
                                if size == 0:
                                    continue
                                if size > 0 and seq == half.next_seq and header >= 20:
                                    half.next_seq = seq + size & 0xFFFFFFFF
                                    half.offset += size
                                    skip = half.skip
                                    if skip >= size:
                                        half.skip = skip - size
                                        continue
                                    at = start + 34 + header
                                    half.skip = 0
                                    stamp = (number, high, low, origin)
                                    data = buffer[at + skip : at + size]
                                    remember(half, half.offset - size + skip, data)
                                    self._bytes(half, data, half.offset, stamp)
                                    if half.offset < CHECKED and half.flow is not None:
                                        self._check_sum(half, buffer[start + 26 : at + size], stamp)
                                    if out:
                                        yield from out
                                        out.clear()
                                    continue
                        if size >= 0 and header >= 20:
                            at = start + 34 + header
                            self._segment(half, key, seq, ack, control, buffer, at, at + size, 0, (number, high, low, origin), start + 34, original)
                            if out:
                                yield from out
                                out.clear()
                            continue
                    elif protocol == UDP and find_udp(key, missing) is None and not counting:
                        continue
            self._packet(packet)
            if out:
                yield from out
                out.clear()
        self._finish()
        yield from out
        out.clear()

    # -- the long way -------------------------------------------------------------------------------------------------------

    def _packet(self, packet: RawPacket) -> None:
        number, buffer, start, captured, original, high, low, interface = packet
        stamp = self._stamp = (number, high, low, interface)
        if interface.link_type == NOTICE:
            self._notice(interface, stamp)
            return
        end = start + captured
        if not is_known(interface.link_type):
            self._count(f"link type {link_type_name(interface.link_type)}", stamp)
            return
        network = network_layer(interface.link_type, buffer, start, end)
        wire = max(end, start + original)
        if network.limit >= 0:
            end, wire = min(end, network.limit), min(wire, network.limit)
        if network.ethertype == IPV4:
            datagram = self._ip.read_ipv4(buffer, network.start, end, wire)
        elif network.ethertype == IPV6:
            datagram = self._ip.read_ipv6(buffer, network.start, end, wire)
        elif network.ethertype == ARP:
            self._frame("arp", buffer[network.start : end], stamp)
            return
        else:
            return
        if isinstance(datagram, str):
            if datagram:
                self._stack.observe(Malformed("net", datagram, buffer[network.start : min(end, network.start + 64)]), (stamp,))
        elif datagram.protocol == TCP:
            self._tcp(datagram, stamp, original, network.source_mac, network.vlan)
        elif datagram.protocol == UDP:
            self._udp(datagram, stamp, original)
        elif datagram.protocol in (ICMP, ICMPV6):
            self._icmp(datagram, stamp)
        elif datagram.protocol in TUNNELS:
            self._count(f"{TUNNELS[datagram.protocol]}, not unwrapped", stamp)

    def _notice(self, interface: Interface, stamp: Stamp) -> None:
        assert isinstance(interface, Notice)  # noqa: S101 - for the type checker
        event = interface.event
        if isinstance(event, DecryptionSecrets) and event.kind == TLS_KEY_LOG:
            if self._keys is None:
                from amtdecode.secrets import Keys

                self._keys = self._stack.keys = Keys()
            self._keys.add_keylog(event.data)
        self._stack.observe(event, (stamp,))

    def _count(self, what: str, stamp: Stamp) -> None:
        """Packets that cannot be read are told once, with their number, at the end."""
        entry = self._unreadable.get(what)
        if entry is not None:
            entry[0] += 1
        elif len(self._unreadable) < MAX_COUNTED:
            self._unreadable[what] = [1, stamp]

    def _frame(self, transport: str, data: bytes, stamp: Stamp) -> None:
        """A frame of a protocol without ports."""
        rooms = self._rooms.get(transport)
        if not rooms or not data:
            return
        known = self._frames.get(transport)
        if known is None:
            nowhere = Endpoint(bytes(4), 0)
            context = Context(transport, nowhere, nowhere, self._keys)
            known = self._frames[transport] = FlowKey(transport, 0, nowhere, nowhere), Slot(rooms, context)
        flow, slot = known
        if transport == "arp" and len(data) >= 28:
            flow = FlowKey(transport, 0, Endpoint(data[14:18], 0), Endpoint(data[24:28], 0))
        try:
            self._stack.feed(flow, slot, TO_SERVER, Payload(data), (stamp,))
        except Exception as error:
            self._stack.observe(fault(transport, error), (stamp,))
        if slot.layer is None:
            slot.waiting, slot.size, slot.refused = [], 0, [False, False]

    # -- TCP ------------------------------------------------------------------------------------------------------------------

    def _tcp(self, datagram: Datagram, stamp: Stamp, original: int, mac: bytes, vlan: int) -> None:
        """A segment whose headers are not plain."""
        data, start, end = datagram.data, datagram.start, datagram.end
        if end - start < 20:
            self._stack.observe(Malformed("tcp", "header cut", data[start:end]), (stamp,))
            return
        seq, ack, control = _TCP.unpack_from(data, start + 4)
        header = control >> 12 << 2
        if header < 20 or start + header > end + datagram.cut:
            self._stack.observe(Malformed("tcp", f"a header of {header} bytes in a segment of {end + datagram.cut - start}", data[start:end][:64]), (stamp,))
            return
        key = datagram.addresses + data[start : start + 4]
        at = start + header
        cut = datagram.cut if at <= end else datagram.cut - (at - end)
        half = self._table.halves.get(key)
        if half is not None and self._statistics:
            half.packets += 1
            half.bytes += original
        self._segment(half, key, seq, ack, control, data, at, max(at, end), cut, stamp, start, original, mac, vlan)

    def _segment(
        self,
        half: Half | None,
        key: bytes,
        seq: int,
        ack: int,
        control: int,
        buffer: bytes,
        at: int,
        end: int,
        cut: int,
        stamp: Stamp,
        header: int,
        original: int,
        mac: bytes | None = None,
        vlan: int = -1,
    ) -> None:
        """A segment with the payload buffer[at:end], its header at `header`. Openings and endings in order are done here."""
        if half is None or control & SYN:
            known = half
            half = self._half(half, key, seq, control, stamp)
            flow = half.flow
            if half is not known:
                assert flow is not None  # noqa: S101 - for the type checker
                if half.direction == TO_SERVER:
                    flow.client_mac = buffer[header - 28 : header - 22] if mac is None else mac
                flow.vlan = vlan
                if self._statistics:
                    half.packets += 1
                    half.bytes += original
            if flow is not None and control & SYN and at == end and not cut and half.next_seq < 0:
                flow.last = stamp
                half.isn = seq
                half.next_seq = seq + 1 & 0xFFFFFFFF
                flow.proof.append(stamp)
                if control & ACK:
                    flow.handshake |= 2
                    if half.peer.next_seq >= 0 and not half.peer.held:
                        half.mode = half.peer.mode = REGULAR
                else:
                    flow.handshake |= 1
                    flow.syn_count += 1
                return
        flow = half.flow
        if flow is None:  # ignored
            return
        if control & (SYN | FIN | RST):
            self._note_flags(flow, half, control, stamp)
            if half.mode == REGULAR and not control & (SYN | RST) and seq == half.next_seq and not cut:
                self._last_bytes(flow, half, buffer[at:end], stamp)
                return
        flow.last = stamp
        payload = buffer[at:end]
        chunks = self._reassembly.segment(half, seq, control, ack if control & ACK else 0, payload, cut, stamp)
        if payload and half.mode != IGNORED and not cut:
            size = (len(key) - 4) // 2
            self._check_sum(half, key[: 2 * size] + buffer[header:end], stamp)
        self._chunks(chunks)
        if flow.client.flow is None:  # ignored while its bytes were looked at
            return
        self._set_mode(flow)
        if not flow.closed and (control & RST or (flow.client.ended and flow.server.ended)):
            self._closed(flow, stamp)

    def _half(self, half: Half | None, key: bytes, seq: int, control: int, stamp: Stamp) -> Half:
        """The half a segment travels in: the one found, or the first of a new connection."""
        if half is not None and not control & ACK:
            if half is IGNORED_HALF:
                half = None
            elif (half.isn >= 0 and (half.isn != seq or half.flow is None or half.flow.closed)) or (
                half.isn < 0 and not half.starting and half.next_seq >= 0
            ):
                if half.flow is not None:
                    self._table.drop_tcp(half.flow, "replaced")
                half = None
        return self._table.open_tcp(key, control, stamp) if half is None else half

    def _last_bytes(self, flow: TcpFlow, half: Half, data: bytes, stamp: Stamp) -> None:
        """A FIN in order, with the last bytes of its direction."""
        if data:
            half.offset += len(data)
            half.next_seq = half.next_seq + len(data) & 0xFFFFFFFF
            skip = half.skip
            if skip >= len(data):
                half.skip = skip - len(data)
            else:
                half.skip = 0
                self._bytes(half, data[skip:], half.offset, stamp)
                if half.flow is None:  # ignored meanwhile
                    return
        half.fin = half.offset
        if half.ended is None:
            half.ended = End.FIN
            slot = flow.slot
            if (slot is not None and slot.layer is not None) or self._tcp_tap is not None:
                self._end(flow, half, Chunk(half, stamp, half.offset, end=End.FIN))
        if half.peer.ended is not None and not flow.closed:
            self._closed(flow, stamp)

    def _note_flags(self, flow: TcpFlow, half: Half, control: int, stamp: Stamp) -> None:
        flow.last = stamp
        if len(flow.proof) < MAX_PROOF:
            flow.proof.append(stamp)
        if control & SYN:
            flow.handshake |= 2 if control & ACK else 1
            flow.syn_count += not control & ACK
        if control & RST and flow.reset_by is None:
            flow.reset_by = half.direction
        if control & (FIN | RST) and flow.closed_by is None:
            flow.closed_by = half.direction

    def _set_mode(self, flow: TcpFlow) -> None:
        client, server = flow.client, flow.server
        if client.mode == IGNORED:
            return
        regular = not client.held and not server.held and client.next_seq >= 0 and server.next_seq >= 0
        client.mode = server.mode = REGULAR if regular else IRREGULAR

    def _chunks(self, chunks: list[Chunk]) -> None:
        for chunk in chunks:
            half = chunk.half
            flow = half.flow
            if flow is None:
                return
            if chunk.data:
                skip = half.skip
                if skip >= len(chunk.data):
                    half.skip = skip - len(chunk.data)
                    if self._tcp_tap is not None:
                        self._tcp_tap(flow.key, chunk)
                    continue
                half.skip = 0
                self._bytes(half, chunk.data[skip:] if skip else chunk.data, chunk.offset, chunk.stamp)
            elif chunk.gap:
                self._gap(flow, half, chunk)
            elif chunk.end is not None:
                self._end(flow, half, chunk)

    def _bytes(self, half: Half, data: bytes, end: int, stamp: Stamp) -> None:
        """The next bytes of a direction for whoever reads it; `end` is the stream offset behind them."""
        flow = half.flow
        if flow is None:
            return
        direction = half.direction
        slot = flow.slot
        flow.last = stamp
        if self._tcp_tap is not None:
            self._tcp_tap(flow.key, Chunk(half, stamp, end, data))
        try:
            if slot is None:
                if flow.whole is None and end == len(data):
                    protocol = self._at_home.get(flow.keys[0][-2:])
                    if protocol is not None and protocol.whole is not None:
                        statement = protocol.whole(data, direction)
                        if statement is not None:
                            flow.whole = data, stamp, protocol
                            self._stack.observe(statement.event, (stamp,), flow.key, direction)
                            return
                slot = flow.slot = self._first(flow, direction, data, end)
            layer = slot.layer
            if layer is not None:
                flow.watched = True
                self._stack.feed_stream(flow.key, slot, direction, data, end, (stamp,))
            elif half.mode != IGNORED:
                wanted = self._stack.offer(flow.key, slot, Waiting(direction, Payload(data), end, (stamp,)))
                layer = slot.layer
                if layer is not None:
                    flow.watched = True
                elif not wanted:
                    self._unclaimed(flow, slot, stamp)
                    return
            if layer is not None:
                dissector = layer.dissector
                half.skip = dissector.skip[direction]
                dissector.skip[direction] = 0
                if dissector.done:
                    self._ignore(flow)
        except Exception as error:  # a defect of ours must not end the reading of a capture
            name = slot.layer.protocol.name if slot is not None and slot.layer is not None else "recognition"
            self._stack.observe(fault(name, error), (stamp,), flow.key, direction)
            self._ignore(flow)

    def _first(self, flow: TcpFlow, direction: Direction, data: bytes, end: int) -> Slot:
        """A slot for a connection's first bytes, claimed at once where the room at home on its port knows them."""
        key = flow.key
        context = Context("tcp", key.client, key.server, self._keys)
        slot = Slot(self._tcp_rooms, context)
        if flow.whole is not None:  # its first message was stated without a dissector; that sees it now
            first, stamp, protocol = flow.whole
            slot.layer = Layer(protocol, protocol.dissector(context))
            slot.layer.marks[TO_SERVER].append((len(first), (stamp,)))
            slot.layer.dissector.receive_data(TO_SERVER, first)
            return slot
        protocol = self._at_home.get(flow.keys[0][-2:])
        if protocol is not None and protocol.recognise(data, direction, context) == YES:
            slot.layer = Layer(protocol, protocol.dissector(context))
            slot.layer.origin[direction] = end - len(data)
        return slot

    def _unclaimed(self, flow: TcpFlow, slot: Slot, stamp: Stamp) -> None:
        """No room knows these bytes. On an AMT port, later bytes may begin something: the capture may start in its middle."""
        if flow.watched:
            first = slot.waiting[0]
            if not flow.stated:
                flow.stated = True
                what = f"bytes on port {flow.key.server.port} that no room here knows"
                self._stack.observe(Unrecognised("tcp", what, first.payload.data[:32]), first.stamps, flow.key, first.direction)
            flow.tries += 1
            if flow.tries < MAX_RESYNC_TRIES:
                slot.waiting, slot.size, slot.refused = [], 0, [False, False]
                return
        self._ignore(flow)

    def _ignore(self, flow: TcpFlow) -> None:
        """Nobody wants the bytes of a flow any more."""
        if self._tcp_tap is not None:
            flow.slot = Slot((), Context("tcp", flow.key.client, flow.key.server))
        elif self._statistics:
            flow.client.mode = flow.server.mode = IGNORED
        elif not (self._all_connections and flow.watched):
            self._table.ignore_tcp(flow)

    def _gap(self, flow: TcpFlow, half: Half, chunk: Chunk) -> None:
        if self._tcp_tap is not None:
            self._tcp_tap(flow.key, chunk)
        covered = min(half.skip, chunk.gap)  # nobody wanted to see these
        half.skip -= covered
        layer = flow.slot.layer if flow.slot is not None else None
        if layer is not None:
            layer.position[half.direction] = chunk.offset - (chunk.gap - covered) - layer.origin[half.direction]
        if chunk.gap > covered and flow.slot is not None:
            try:
                self._stack.gap(flow.key, flow.slot, half.direction, chunk.gap - covered, (chunk.stamp,))
            except Exception as error:
                self._stack.observe(fault("gap", error), (chunk.stamp,), flow.key, half.direction)
                self._ignore(flow)

    def _end(self, flow: TcpFlow, half: Half, chunk: Chunk) -> None:
        if self._tcp_tap is not None:
            self._tcp_tap(flow.key, chunk)
        assert chunk.end is not None  # noqa: S101 - for the type checker
        layer = flow.slot.layer if flow.slot is not None else None
        if layer is None:
            return
        layer.dissector.skip[half.direction] = half.skip
        half.skip = 0
        try:
            self._stack.end(flow.key, flow.slot, half.direction, chunk.end, (chunk.stamp,))
        except Exception as error:
            self._stack.observe(fault(layer.protocol.name, error), (chunk.stamp,), flow.key, half.direction)

    def _closed(self, flow: TcpFlow, stamp: Stamp) -> None:
        """Both sides are done, or one broke off. Late packets of the flow say nothing new."""
        flow.closed = True
        flow.last = stamp
        self._state_outcome(flow)
        if not self._statistics and self._tcp_tap is None:
            self._table.ignore_tcp(flow)

    def _state_outcome(self, flow: TcpFlow) -> None:
        if flow.outcome_stated or (flow.handshake == OPENED and not self._all_connections) or not flow.watched:
            return
        event = connection(flow)
        if self._all_connections or event.state in FAILURES:
            flow.outcome_stated = True
            proof = tuple(flow.proof) or (flow.first,)
            self._stack.observe(event, proof if proof[-1][0] == flow.last[0] else (*proof, flow.last), flow.key, TO_SERVER)

    def _let_go(self, flow: TcpFlow, why: str) -> None:
        """A flow leaves the table: end what it has not ended."""
        end = {"replaced": End.REPLACED, "evicted": End.EVICTED, "closed": End.RESET}.get(why, End.CAPTURE)
        for half in (flow.client, flow.server):
            if half.ended is None or half.held:
                self._chunks(self._reassembly.end(half, end, flow.last))
        if flow.client.flow is None:
            return
        self._state_outcome(flow)
        if self._statistics:
            self._gone.append(flow)

    # -- UDP and ICMP ---------------------------------------------------------------------------------------------------------

    def _udp(self, datagram: Datagram, stamp: Stamp, original: int) -> None:
        data, start, end = datagram.data, datagram.start, datagram.end
        if end - start < 8:
            self._stack.observe(Malformed("udp", "header cut", data[start:end]), (stamp,))
            return
        key = datagram.addresses + data[start : start + 4]
        entry = self._table.conversations.get(key, False)
        if entry is False:
            entry = self._table.open_udp(key)
            flow = entry[0]
            flow.slot = Slot(self._rooms.get("udp", ()), Context("udp", flow.key.client, flow.key.server, self._keys))
        if not entry:
            return
        flow, direction = entry
        if self._statistics:
            flow.packets[direction] += 1
            flow.bytes[direction] += original
        length = data[start + 4] << 8 | data[start + 5]
        payload = data[start + 8 : min(end, start + length) if length >= 8 else end]
        slot = flow.slot
        if self._udp_tap is not None:
            self._udp_tap(flow.key, direction, payload)
        if not payload or slot is None:
            return
        try:
            layer = slot.layer
            if layer is not None:
                self._stack.feed(flow.key, slot, direction, Payload(payload), (stamp,))
                return
            self._stack.offer(flow.key, slot, Waiting(direction, Payload(payload), len(payload), (stamp,)))
            if slot.layer is None:
                slot.waiting, slot.size, slot.refused = [], 0, [False, False]
                flow.tries += 1
                if flow.tries >= MAX_UDP_TRIES or not any(flow.key.server.port in p.ports for p in slot.candidates):
                    flow.slot = None
                    if not self._statistics and self._udp_tap is None:
                        self._table.ignore_udp(flow)
        except Exception as error:
            self._stack.observe(fault("udp", error), (stamp,), flow.key, direction)
            flow.slot = None

    def _icmp(self, datagram: Datagram, stamp: Stamp) -> None:
        version = 4 if datagram.protocol == ICMP else 6
        quoted = read_error(datagram.data, datagram.start, datagram.end, version)
        if quoted is None or quoted.protocol not in (TCP, UDP):
            return
        flow, direction = self._quoted_flow(quoted.protocol, quoted.key)
        if flow is None:
            return
        size = len(datagram.addresses) // 2
        reporter = Endpoint(datagram.addresses[:size], 0).address
        self._stack.observe(IcmpError(quoted.type, quoted.code, quoted.meaning, reporter, version), (stamp,), flow, direction)

    def _quoted_flow(self, protocol: int, key: bytes) -> tuple[FlowKey | None, Direction]:
        """The flow an ICMP error concerns: one under way, else one of AMT's whose packet was not captured."""
        if protocol == TCP:
            half = self._table.halves.get(key)
            if half is not None:
                flow = half.flow
                return (flow.key, half.direction) if flow is not None and flow.watched else (None, TO_SERVER)
        else:
            entry = self._table.conversations.get(key, False)
            if entry is None:
                return None, TO_SERVER
            if entry:
                return entry[0].key, entry[1]
        source, destination = endpoints(key)
        if destination.port in AMT_PORTS:
            return FlowKey("tcp" if protocol == TCP else "udp", -1, source, destination), TO_SERVER
        return None, TO_SERVER

    # -- odds and ends ----------------------------------------------------------------------------------------------------------

    def _check_sum(self, half: Half, addressed: bytes, stamp: Stamp) -> None:
        """Note a wrong TCP checksum, once a direction. The bytes count all the same: most are not wrong on the wire.

        `addressed` is the segment with its packet's addresses in front, as they stand in an IPv4 packet without options.
        """
        verdict = tcp_checksum(addressed, 8 if len(half.flow.keys[0]) == 12 else 32) if half.flow is not None else "good"
        if verdict != "bad":
            return
        flow = half.flow
        if flow is None or (flow.number, half.direction) in self._bad_sums:
            return
        if len(self._bad_sums) < MAX_BAD_SUMS:
            self._bad_sums.add((flow.number, half.direction))
        note = Note("tcp", "wrong TCP checksum; the bytes are used all the same, further ones of this direction are not told")
        self._stack.observe(note, (stamp,), flow.key, half.direction)

    def _report(self, event: Event) -> None:
        if self._stamp is not None:
            self._stack.observe(event, (self._stamp,))

    def _report_on(self, event: Event, half: Half, stamp: Stamp) -> None:
        flow = half.flow
        if flow is not None and (flow.watched or (flow.slot is not None and flow.slot.layer is not None)):
            self._stack.observe(event, (stamp,), flow.key, half.direction)

    def _finish(self) -> None:
        """The capture ends, and with it everything under way."""
        for flow in self._table.remaining():
            self._let_go(flow, "capture")
        for what, (count, stamp) in self._unreadable.items():
            packets = "packet" if count == 1 else "packets"
            self._stack.observe(Unrecognised("net", f"{what}: {count} {packets}"), (stamp,))

    @property
    def connections(self) -> int:
        """TCP connections seen so far."""
        return self._table.tcp_count

    def conversations(self) -> list[TcpFlow | UdpFlow]:
        """All flows of a reading with `statistics`: TCP by number, then UDP by number."""
        tcp = {flow.number: flow for flow in [*self._gone, *self._table.remaining()] if isinstance(flow, TcpFlow)}
        udp = {entry[0].key.number: entry[0] for entry in self._table.conversations.values() if entry}
        return [tcp[n] for n in sorted(tcp)] + [udp[n] for n in sorted(udp)]

