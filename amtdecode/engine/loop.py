"""The loop over packets. Everything else is built around keeping it short.

An Ethernet frame with a plain IPv4 header and a TCP segment in order takes the fast way: one `unpack_from`, one
look-up, nothing allocated unless a dissector wants the bytes. Every other packet goes through `net` and `flow`.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from amtdecode.capture.packets import NOTICE, Notice, Records
from amtdecode.capture.pcapng import TLS_KEY_LOG, DecryptionSecrets
from amtdecode.engine import lane
from amtdecode.engine.connections import CHECKED, Connections, Segment
from amtdecode.engine.datagrams import FRAMES, Datagrams
from amtdecode.engine.health import NOT_UNWRAPPED, Accounts
from amtdecode.engine.stack import Stack
from amtdecode.flow.reassembly import remember
from amtdecode.flow.streams import NUMBERED
from amtdecode.flow.table import FlowTable, UdpFlow
from amtdecode.flow.tcp import ACK, FIN, IGNORED, PSH, RST, SYN
from amtdecode.model import PACKET_NUMBER_BITS, Direction, Malformed, Payload, Unrecognised
from amtdecode.net.checksum import checksum_is_bad
from amtdecode.net.ip import ICMP, ICMPV6, TCP, UDP, Datagram, IpLayer
from amtdecode.net.link import ETHERNET, IPV4, IPV6, VLAN, is_known, link_type_name, network_layer
from amtdecode.net.tunnels import MAX_TUNNELS, ip_tunnel
from amtdecode.protocols.registry import REGISTRY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from amtdecode.capture import Interface, RawPacket, Stamp
    from amtdecode.flow.chunks import Chunk
    from amtdecode.flow.share import Share
    from amtdecode.flow.tcp import TcpFlow
    from amtdecode.model import Event, FlowKey, Observation
    from amtdecode.net.link import Network
    from amtdecode.protocols.dissector import Protocol
    from amtdecode.secrets import Keys

# Ether type, version, -; total length, two bytes, -, flags and offset, -, protocol, -; addresses and ports (12 bytes);
# sequence number, -, data offset, flags. Single bytes and short ones cost least: Python keeps small numbers ready.
_FIELDS = "12xHBxBB2xHxB2x12s4s4xBB"
_FRAME = 14 + 20 + 20  # bytes that Ethernet, IPv4 and TCP take without options
_NEVER = 1 << 62  # bytes no packet has
_PLAIN = 0x45  # IPv4 without options
_PIECES = 0x3FFF  # of an IPv4 fragment: more follow, or it stands behind others (RFC 791 §3.1)
_HEADERS, _HEADERS_SWAPPED = struct.Struct(">" + _FIELDS), struct.Struct("<" + _FIELDS)
_AS_READ = {">": (IPV4, _PIECES), "<": (0x0008, 0xFF3F)}  # with either order of bytes: Ether type, and pieces
# the same for IPv6: Ether type, version, -; payload length, next header, -, addresses and ports (36 bytes), …
_HEADERS_6 = struct.Struct(">12xHB3xHBx36s4s4xBB")
_FRAME_6 = 14 + 40 + 20
_TAGGED_KIND = struct.Struct(">12xHHHB")
_TAG = 4  # bytes of an 802.1Q tag
_IRREGULAR = (0, b"", b"", 0, 0, 0, 0, -1)
_TCP = struct.Struct(">IIH")
_FLAGS = FIN | SYN | RST | ACK
FIN_ACK, SYN_ACK, PSH_ACK = FIN | ACK, SYN | ACK, PSH | ACK
# by the byte of a TCP header with its data offset: the total length of a segment without data that has no more in front
# than an IPv4 header; where that byte breaks the rules (RFC 9293 §3.1), more than there can be
_BARE = tuple((20 + (byte >> 4) * 4) if byte >> 4 >= 5 and not byte & 0x0E else 1 << 20 for byte in range(256))

_LEAST_IP_TCP = 40  # bytes of an IPv4 header without options, and of a TCP header
_LEAST_IP_UDP = 28

ENDING = 1 << 62
"""Of `Engine.at`: the capture has ended, and with it the connection whose number is added."""
ENDED = 3 << 61
"""They all have."""
OTHER_KINDS = "other kinds of packets"
MAX_COUNTED = 64  # kinds of unreadable packets counted apart


def headers(buffer: bytes, start: int, captured: int) -> tuple[int, bytes, bytes, int, int, int, int, int]:
    """The headers of a frame with IPv6, or with one 802.1Q tag and IPv4 or IPv6, where nothing is irregular.

    Protocol (0 when irregular), key, sequence number, data offset, flags, start of the segment, length of an IPv4
    packet with it, VLAN.
    """
    vlan = -1
    shift = 0
    if buffer[start + 12] == VLAN >> 8:
        if captured < _FRAME + _TAG:
            return _IRREGULAR
        tag, vlan, kind, version = _TAGGED_KIND.unpack_from(buffer, start)
        if tag != VLAN:
            return _IRREGULAR
        vlan &= 0x0FFF
        shift = _TAG
        if kind == IPV4 and version == _PLAIN:
            _, _, high, low, fragment, protocol, key, seq, offset, flags = _HEADERS.unpack_from(buffer, start + _TAG)
            total = high * 256 + low
            if fragment & _PIECES or total + 14 + _TAG > captured or total < _LEAST_IP_TCP:
                return _IRREGULAR
            return protocol, key, seq, offset, flags, start + 34 + _TAG, total, vlan
    if captured < _FRAME_6 + shift:
        return _IRREGULAR
    kind, version, length, protocol, key, seq, offset, flags = _HEADERS_6.unpack_from(buffer, start + shift)
    if kind != IPV6 or version >> 4 != 6 or length < 20 or length + 54 + shift > captured:
        return _IRREGULAR
    return protocol, key, seq, offset, flags, start + 54 + shift, length + 20, vlan


def _has_passed(_before: RawPacket | None, _packet: RawPacket) -> None:
    """The lane has accounted for packets that it hands over."""


def _stack_class(pdus: bool) -> type[Stack]:
    if not pdus:
        return Stack
    from amtdecode.engine.pdus import KeepingStack

    return KeepingStack


class Engine:
    """Reads packets, states observations.

    `connections`: which outcomes of TCP connections are stated: "failures" (refused, unanswered) of connections to AMT
    ports, or "all" of those and of every connection whose protocol was recognised.
    `tap`: shown the bytes each layer carries: (flow, layer name, direction, payload). `tcp_tap`: shown the in-order
    bytes, gaps and ends of every TCP flow, which then are not dissected; `udp_tap` every UDP datagram.
    `statistics`: count packets and bytes of all flows, for `conversations()`.
    `batch_size`: so many observations are given out together; for files, where nobody waits for the single one, going
    back and forth less between reading and writing saves a tenth of the time.
    `pdus`: keep the bytes of each message with its observation, for `Observation.tree()`.
    `share`: decode those connections alone; all are numbered.
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
        batch_size: int = 1,
        registry: tuple[Protocol, ...] = REGISTRY,
        pdus: bool = False,
        share: Share | None = None,
    ) -> None:
        self._out: list[Observation] = []
        self._stack = _stack_class(pdus)(registry, keys, self._out, tap, share)
        rooms: dict[str, tuple[Protocol, ...]] = {}
        for protocol in registry:
            rooms[protocol.transport] = (*rooms.get(protocol.transport, ()), protocol)
        self._health = Accounts()
        passive = statistics or tcp_tap is not None or udp_tap is not None
        self._lane = None
        if lane.COMPILED is not None and not passive:
            self._lane = lane.Lane(
                lane.COMPILED,
                self._stack,
                rooms.get("tcp", ()),
                self._health,
                self._out,
                batch_size,
                all_outcomes=connections == "all",
                share=share,
            )
        self._tcp = Connections(
            self._stack,
            rooms.get("tcp", ()),
            self._report,
            self._health,
            all_outcomes=connections == "all",
            tap=tcp_tap,
            statistics=statistics,
            table=FlowTable if self._lane is None else self._lane.table,
            share=share,
            checksum_is_bad=checksum_is_bad if self._lane is None else self._lane.checksum_is_bad,
        )
        self._share = share
        self._first = share is None or share.first
        self.at = 0
        """Where what was given out last became known: id of the packet; at the end `ENDING` and the connection."""
        self._others = Datagrams(self._stack, self._tcp.table, rooms, tap=udp_tap, statistics=statistics)
        self._ip = IpLayer(self._report)
        self._statistics = statistics
        self._batch_size = batch_size
        self._counted = -1  # id of the packet that the fast way has counted last
        self._stamp: Stamp | None = None
        self._fragment: Stamp | None = None
        """The newest of those that waited for others."""
        self._unreadable: dict[tuple[int, str], list[Any]] = {}  # by index of the input, and kind
        self._states_health = connections == "all" and tcp_tap is None and not statistics

    def observe(self, packets: Iterable[RawPacket | Records]) -> Iterator[Observation]:
        """All that is stated about these packets, in the order in which it became known."""
        for batch in self.batches(packets):
            yield from batch

    def batches(self, packets: Iterable[RawPacket | Records]) -> Iterator[list[Observation]]:
        """The same in lists, each of them full when `batch_size` is reached."""
        try:
            yield from self._batches(packets)
        except (Exception, KeyboardInterrupt):  # reading fails or is broken off: what is known is told
            yield self._taken()
            raise

    def _batches(self, packets: Iterable[RawPacket | Records]) -> Iterator[list[Observation]]:  # noqa: C901 - calls cost more than branches
        out, batch_size = self._out, self._batch_size
        tcp = self._tcp
        find, find_udp, missing = tcp.table.find, tcp.table.conversations.get, UdpFlow(0, b"")
        deliver, ends, number_in = tcp.deliver, tcp.table.marker_ends, int.from_bytes
        counting, counted = self._statistics, self._counted
        position = header = end = base = total = 0
        kind = version = total_high = total_low = fragment = offset = flags = 0  # of the headers, as `_FIELDS` has them
        key = seq = b""
        vlan = -1
        read_packet, order = _HEADERS_SWAPPED.unpack_from, "<"
        ipv4, pieces = _AS_READ[order]
        last, last_high, last_origin = None, -1, None  # of packets that come one by one
        passed = self._health.passed
        if self._lane is not None:
            packets, passed = self._lane.pieces(packets), _has_passed  # type: ignore[assignment]
        for piece in packets:
            if isinstance(piece, Records):
                run: Records | None = piece
                number, buffer, position, header, end, origin = (
                    piece.number,
                    piece.buffer,
                    piece.position,
                    piece.header,
                    piece.end,
                    piece.interface,
                )
                read = piece.reader(_FIELDS)
                order = piece.order
                ipv4, pieces = _AS_READ[order]
            elif piece is None:  # the lane has stated something
                assert self._lane is not None  # noqa: S101 - for the type checker
                self.at = self._lane.at
                yield self._taken()
                continue
            else:
                run, position, read = None, 0, read_packet
                number, buffer, start, captured, original, high, low, origin = piece
                if high != last_high or origin is not last_origin:
                    passed(last, piece)
                    last_high, last_origin = high, origin
                last = piece
                if order != "<":
                    order = "<"
                    ipv4, pieces = _AS_READ[order]
            least = _FRAME if origin.link_type == ETHERNET else _NEVER
            # the conditions stand so that jumps are short: CPython 3.11 compares faster where they are
            while True:
                if run is None:
                    if position:
                        break
                    position = 1
                    if captured >= least:
                        kind, version, total_high, total_low, fragment, protocol, key, seq, offset, flags = read(
                            buffer, start
                        )
                else:
                    (high, low, captured, original, kind, version, total_high, total_low, fragment, protocol, key, seq,
                     offset, flags) = read(buffer, position)  # fmt: skip
                    start = position + header
                    position = start + captured
                    if position > end:  # as also behind the last one
                        position = start - header
                        break
                    number += 1
                if captured < least:
                    protocol = 0
                elif kind != ipv4 or version != _PLAIN or fragment & pieces:
                    kind = 0
                    total_high = 1  # it is long enough
                    protocol, key, seq, offset, flags, base, total, vlan = headers(buffer, start, captured)
                if protocol != TCP:
                    if (
                        protocol == UDP
                        and find_udp(key, missing) is None
                        and (total_high or total_low >= _LEAST_IP_UDP)
                    ):
                        continue
                else:
                    sender = find(key)
                    if sender is not None and sender.mode == IGNORED and (total_high or total_low >= _LEAST_IP_TCP):
                        if flags == ACK or flags == PSH_ACK:  # noqa: SIM109 - cheaper than a look into a tuple
                            continue
                        flags &= _FLAGS
                        if flags == ACK:
                            continue
                        if flags & SYN_ACK != SYN:
                            ends(key, flags)
                            continue
                    if kind:
                        total = total_high * 256 + total_low
                        if total + 14 > captured:
                            total = 0  # cut, so that it is no regular one below
                    if sender is not None:
                        size = total - _BARE[offset]
                        if counting and size >= 0 and not flags & SYN:
                            sender.packets += 1
                            sender.bytes += original
                            counted = number
                        if not sender.mode:  # REGULAR
                            if flags == ACK and not size:
                                if not sender.peer.skip_bytes:
                                    behind = (start + 34 if kind else base) + 8
                                    sender.heard = buffer[behind : behind + 4]
                                continue
                            expected = sender.next_seq
                            if size >= 0 and number_in(seq) == expected:
                                if size:
                                    if flags & _FLAGS == ACK:
                                        sender.next_seq = expected + size & 0xFFFFFFFF
                                        sender.offset = behind = sender.offset + size
                                        skip = sender.skip_bytes
                                        if skip >= size:
                                            sender.skip_bytes = skip - size
                                            sender.flow.last = number, high, low, origin  # type: ignore[union-attr]  # only markers have none
                                            continue
                                        if skip:
                                            sender.skip_bytes = 0
                                        segment = start + 34 if kind else base
                                        ends_at = segment + total - 20
                                        stamp = (number, high, low, origin)
                                        data = buffer[ends_at - size + skip : ends_at]
                                        if counting:
                                            deliver(sender, data, behind, stamp)
                                            continue
                                        if sender.flow.counts is not sender.direction:  # type: ignore[union-attr]
                                            remember(sender, behind - size + skip, data)
                                        deliver(sender, data, behind, stamp)
                                        if behind < CHECKED:
                                            addresses = len(key) - 4
                                            addressed = buffer[segment - addresses : ends_at]
                                            tcp.check_sum(sender, addressed, addresses, stamp)
                                        if len(out) >= batch_size:
                                            self.at = number
                                            yield self._taken()
                                        continue
                                elif flags == FIN_ACK:
                                    segment = start + 34 if kind else base
                                    ack = buffer[segment + 8 : segment + 12]
                                    tcp.finished(sender, ack, (number, high, low, origin))
                                    if len(out) >= batch_size:
                                        self.at = number
                                        yield self._taken()
                                    continue
                        elif (
                            flags == SYN_ACK
                            and not size
                            and sender.next_seq < 0
                            and tcp.answered(sender, number_in(seq), (number, high, low, origin))
                        ):
                            if counting:
                                sender.packets += 1
                                sender.bytes += original
                            continue
                    elif flags == SYN and total == _BARE[offset]:
                        stamp = (number, high, low, origin)
                        source = buffer[start + 6 : start + 12]
                        tcp.opened(key, number_in(seq), stamp, source, -1 if kind else vlan, original)
                        if out and len(out) >= batch_size:
                            self.at = number
                            yield self._taken()
                        continue
                self._counted = counted
                self._packet((number, buffer, start, captured, original, high, low, origin))
                if len(out) >= batch_size:
                    self.at = number
                    yield self._taken()
            if run is not None:
                if number != run.number:
                    self._health.walked(run, position)
                run.position, run.number = position, number
        if last is not None:
            passed(None, last)
        for flow in tcp.finish():
            if len(out) >= batch_size:
                self.at = ENDING + flow.number
                yield self._taken()
        self._finish()
        self.at = ENDED
        yield self._taken()

    def _taken(self) -> list[Observation]:
        """What is to be given out; an interruption meanwhile gives none of it twice."""
        out = self._out
        taken = out[:]
        out.clear()
        return taken

    # -- the long way -------------------------------------------------------------------------------------------------

    def _packet(self, packet: RawPacket) -> None:
        number, buffer, start, captured, original, high, low, interface = packet
        stamp = self._stamp = (number, high, low, interface)
        if interface.link_type == NOTICE:
            self._notice(interface, stamp)
            return
        if captured < original:
            self._health.cut(stamp, captured)
        end = start + captured
        if not is_known(interface.link_type):
            self._count(f"link type {link_type_name(interface.link_type)}", stamp)
            return
        network = network_layer(interface.link_type, buffer, start, end)
        self._network(network, buffer, end, max(end, start + original), stamp, original, 0)

    def _network(
        self, network: Network, buffer: bytes, end: int, wire: int, stamp: Stamp, original: int, depth: int
    ) -> None:
        """A network layer captured up to `end`, on the wire up to `wire`, inside so many tunnels."""
        if network.limit >= 0:
            end, wire = min(end, network.limit), min(wire, network.limit)
        if network.ethertype == IPV4:
            datagram = self._ip.read_ipv4(buffer, network.start, end, wire)
        elif network.ethertype == IPV6:
            datagram = self._ip.read_ipv6(buffer, network.start, end, wire)
        elif network.ethertype in FRAMES:
            self._others.frame(FRAMES[network.ethertype], network, buffer[network.start : end], stamp)
            return
        else:
            return
        if self._ip.odd_lengths:
            self._health.of(stamp).odd_lengths += self._ip.odd_lengths
            self._ip.odd_lengths = 0
        inside = None
        if isinstance(datagram, str):
            if datagram:
                self._report(Malformed("net", datagram, buffer[network.start : min(end, network.start + 64)]))
            else:
                self._fragment = stamp
            return
        if datagram.protocol == TCP:
            self._segment(datagram, stamp, original, network.source_mac, network.vlan)
        elif datagram.protocol == UDP:
            inside = self._others.udp(datagram, stamp, original)
        elif datagram.protocol in (ICMP, ICMPV6):
            self._others.icmp(datagram, stamp)
        else:
            inside = ip_tunnel(datagram.protocol, datagram.data, datagram.start, datagram.end)
        if inside is None:
            return
        if not inside.readable or depth >= MAX_TUNNELS:
            self._count(inside.name + NOT_UNWRAPPED, stamp)
            return
        self._health.of(stamp).unwrap(inside.name)
        data, end = datagram.data, datagram.end
        self._network(inside.network(data, end), data, end, end + datagram.cut, stamp, original, depth + 1)

    def _segment(self, datagram: Datagram, stamp: Stamp, original: int, mac: bytes, vlan: int) -> None:
        data, start, end, cut = datagram.data, datagram.start, datagram.end, datagram.cut
        if end - start < NUMBERED:
            self._report(Malformed("tcp", "header cut", data[start:end]))
            return
        seq, ack, control = _TCP.unpack_from(data, start + 4)
        at = start + (control >> 12 << 2)
        key = datagram.addresses + data[start : start + 4]
        if at < start + 20 or at > end + cut or end - start < 20:
            table = self._tcp.table
            sender = table.find(key)
            if end - start >= 20 and sender is not None and sender.mode == IGNORED and control & SYN_ACK != SYN:
                table.marker_ends(key, control)
                return
            table.number_of(key)
            if not table.owns(key):
                return
            what = f"a header of {at - start} bytes in a segment of {end + cut - start}"
            what = "header cut" if end - start < 20 else what
            self._stack.observe(Malformed("tcp", what, data[start:end][:64]), (stamp,))
            return
        cut -= max(0, at - end)
        counted = not control & SYN and self._counted == stamp[0]
        payload = max(at, end)
        self._tcp.segment(
            Segment(key, seq, ack, control, data, start, at, payload, cut, stamp, original, mac, vlan, counted)
        )

    def _notice(self, interface: Interface, stamp: Stamp) -> None:
        assert isinstance(interface, Notice)  # noqa: S101 - for the type checker
        event = interface.event
        self._health.notice(event, stamp)
        if isinstance(event, DecryptionSecrets) and event.kind == TLS_KEY_LOG:
            if self._stack.keys is None:
                from amtdecode.secrets import Keys

                self._stack.keys = Keys()
            if not self._stack.keys.taken_ahead(interface.input):
                self._stack.keys.add_keylog(event.data)
        self._report(event)

    def _count(self, what: str, stamp: Stamp) -> None:
        """Packets that cannot be read are told once, with their number, at the end."""
        kind = stamp[0] >> PACKET_NUMBER_BITS, what
        entry = self._unreadable.get(kind)
        if entry is not None:
            entry[0] += 1
        elif len(self._unreadable) < MAX_COUNTED or what == OTHER_KINDS:
            self._unreadable[kind] = [1, stamp]
        else:
            self._count(OTHER_KINDS, stamp)

    def _report(self, event: Event, stamp: Stamp | None = None) -> None:
        """State what is of no connection."""
        stamp = stamp or self._stamp
        if stamp is not None and self._first:
            self._stack.observe(event, (stamp,))

    def _finish(self) -> None:
        self._stamp = self._fragment
        self._ip.finish()
        for (_, what), (count, stamp) in self._unreadable.items():
            packets = "packet" if count == 1 else "packets"
            self._report(Unrecognised("net", f"{what}: {count} {packets}"), stamp)
        self._health.finish()
        if self._states_health:
            for health, stamp in self._health.stated(self._unreadable):
                self._stack.observe(health, (stamp,))

    def lacks(self) -> str:
        """Of an engine with a share: what it would have to know of the others to go on as one of all would; or ""."""
        share = self._share
        return "" if share is None else share.crossed or self._stack.memory.lacks(share.of)

    @property
    def connections(self) -> int:
        """TCP connections seen so far."""
        return self._tcp.table.tcp_count

    def conversations(self) -> list[TcpFlow | UdpFlow]:
        """All flows of a reading with `statistics`: TCP by number, then UDP by number."""
        tcp = {flow.number: flow for flow in [*self._tcp.removed, *self._tcp.table.remaining()]}
        udp = {flow.number: flow for flow in self._tcp.table.conversations.values() if flow and flow.totals}
        return [tcp[n] for n in sorted(tcp)] + [udp[n] for n in sorted(udp)]
