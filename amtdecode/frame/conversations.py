"""Which conversation a segment or datagram belongs to, numbered as tshark numbers `tcp.stream` and `udp.stream`.

The rules, which packets have a number and which SYN begins a new stream, are those of `flow.streams`, as in the engine.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from amtdecode.flow.streams import NUMBERED, UNKNOWN, base_of, begins_stream, is_numbered, reverse
from amtdecode.frame.places import Place, TcpPlace
from amtdecode.frame.tcp import ACK, FIN, RST, SYN
from amtdecode.frame.tcp_options import window_scale

if TYPE_CHECKING:
    from amtdecode.frame.tcp import Tcp
    from amtdecode.frame.udp import Udp

MAX_FOLLOWED = 16_384  # conversations of each kind followed at a time; the oldest goes first
UNKNOWN_SCALE, NO_SCALE = -1, -2
HAS_SYN, HAS_SYN_ACK, HAS_ACK, HAS_DATA, HAS_FIN, HAS_RST = 1, 2, 4, 8, 16, 32  # of `tcp.completeness`
SEQUENCE = 0xFFFFFFFF


class Conversation:
    """What is kept of one: its number, and the times of its first and its latest packet."""

    __slots__ = ("first_ns", "last_ns", "number")

    def __init__(self, number: int, time_ns: int | None) -> None:
        self.number = number
        self.first_ns = self.last_ns = time_ns

    def times(self, time_ns: int | None) -> tuple[int | None, int | None]:
        """Nanoseconds since the first packet and since the one before; the next counts from this one."""
        before, self.last_ns = self.last_ns, time_ns
        if time_ns is None or self.first_ns is None or before is None:
            return None, None
        return time_ns - self.first_ns, time_ns - before


class Sender:
    """One end of a TCP connection: what its numbers and windows count from."""

    __slots__ = ("base", "scale")

    def __init__(self) -> None:
        self.base = UNKNOWN
        """Its initial sequence number; of a connection captured from its middle, one below the first seen."""
        self.scale = UNKNOWN_SCALE


class TcpConversation(Conversation):
    """A TCP connection."""

    __slots__ = ("completeness", "history", "initial_rtt_ns", "reused", "senders", "syn_ns")

    def __init__(self, number: int, time_ns: int | None, forward: bytes, *, reused: bool) -> None:
        super().__init__(number, time_ns)
        self.senders = {forward: Sender(), reverse(forward): Sender()}
        self.completeness = 0
        self.reused = reused
        """Whether it is opened with the ports of one before."""
        self.syn_ns: int | None = None
        self.initial_rtt_ns: int | None = None
        """From SYN to the ACK that ends the handshake."""
        self.history: object = None
        """What the analysis keeps of it."""


class Conversations:
    """Finds and opens conversations."""

    def __init__(self) -> None:
        self._tcp: dict[bytes, TcpConversation] = {}
        self._udp: dict[bytes, Conversation] = {}
        self._tcp_count = self._udp_count = 0

    def udp(self, datagram: Udp, time_ns: int | None) -> None:
        """Say where a datagram stands."""
        ports, length = datagram.take(0, 4), datagram.u16(4)
        if ports is None or length is None or not is_numbered(length, len(datagram.addresses) > 8):
            return
        key = datagram.addresses + ports
        found = self._udp.get(key)
        if found is None:
            found = Conversation(self._udp_count, time_ns)
            self._udp_count += 1
            _remember(self._udp, key, found)
        times = found.times(time_ns)
        datagram.place = Place(found.number, *((None, None) if datagram.partial else times))

    def tcp(self, segment: Tcp, time_ns: int | None) -> TcpConversation | None:
        """Say where a segment stands; its connection, where its header is whole."""
        ports = segment.take(0, 4)
        flags, seq, ack, length = segment.flags(), segment.u32(4), segment.u32(8), segment.length()
        if ports is None or flags is None or seq is None or ack is None or segment.take(0, NUMBERED) is None:
            return None
        key = segment.addresses + ports
        found = self._tcp.get(key)
        if found is not None and begins_stream(flags, seq, found.senders[key].base):
            found = None
        opened = found is None
        if found is None:
            found = TcpConversation(self._tcp_count, time_ns, key, reused=key in self._tcp)
            self._tcp_count += 1
            _remember(self._tcp, key, found)
        place = segment.place = TcpPlace(found.number, *found.times(time_ns))
        place.completeness = HAS_SYN if opened and found.reused else found.completeness
        sender, receiver = found.senders[key], found.senders[reverse(key)]
        place.reused = opened and found.reused
        if flags & (SYN | ACK) == SYN | ACK and sender.base not in (UNKNOWN, seq):
            sender.base = UNKNOWN
            place.reused = True
        if sender.base == UNKNOWN and not segment.partial:
            sender.base = base_of(flags, seq)
        if receiver.base == UNKNOWN and flags & ACK and not segment.partial:
            receiver.base = base_of(0, ack)
        if flags & SYN:
            _agree_on_scale(sender, receiver, window_scale(segment))
        place.seq = seq - max(sender.base, 0) & SEQUENCE
        place.ack_base = max(receiver.base, 0)
        place.ack = ack - place.ack_base & SEQUENCE if flags & ACK else ack
        place.scale = sender.scale
        _advance(found, flags, length or 0, time_ns, opened=opened)
        return found


def _agree_on_scale(sender: Sender, receiver: Sender, shift: int | None) -> None:
    """Windows are scaled only where both ends offer it (RFC 7323 §2.2)."""
    if shift is None:
        sender.scale = receiver.scale = NO_SCALE
    elif sender.scale != NO_SCALE:
        sender.scale = shift


def _advance(found: TcpConversation, flags: int, length: int, time_ns: int | None, *, opened: bool) -> None:
    """Add what a segment shows of its connection."""
    if flags & (SYN | ACK) == SYN:
        found.syn_ns = time_ns
        if opened:
            found.completeness |= HAS_SYN
    elif opened:  # captured from its middle: tshark does not count the first packet
        return
    elif flags & (SYN | ACK) == SYN | ACK:
        found.completeness |= HAS_SYN_ACK
    elif flags & ACK:
        if not length:
            found.completeness |= HAS_ACK
        if found.syn_ns is not None and time_ns is not None and not found.initial_rtt_ns:
            found.initial_rtt_ns = time_ns - found.syn_ns
    if length and flags & (SYN | ACK) != SYN | ACK:
        found.completeness |= HAS_DATA
    if flags & (FIN | ACK) == FIN | ACK:
        found.completeness |= HAS_FIN
    if flags & RST:
        found.completeness |= HAS_RST


def _remember(table: dict[bytes, Any], key: bytes, found: Conversation) -> None:
    """Keep a conversation under the keys of both directions; the oldest makes room."""
    if len(table) >= 2 * MAX_FOLLOWED:
        for oldest in list(islice(table, MAX_FOLLOWED // 64 * 2 or 1)):  # many at a time, as for `forget_oldest`
            table.pop(reverse(oldest), None)
            table.pop(oldest, None)
    table.pop(key, None)
    table.pop(reverse(key), None)
    table[key] = table[reverse(key)] = found
