"""The packets that observations belong to: found again when somebody asks, or read one by one on their way."""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

from amtdecode.capture.packets import NOTICE, Records, one_by_one
from amtdecode.filter.plan import followed
from amtdecode.frame.ip import Ip
from amtdecode.frame.ipv6 import Ipv6Fragment
from amtdecode.frame.reading import NUMBER, PacketReader
from amtdecode.frame.tcp import Tcp
from amtdecode.frame.udp import Udp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from amtdecode.capture import Interface, RawPacket
    from amtdecode.frame import Packet
    from amtdecode.model import Observation

MAX_KEPT = 16 << 20
"""Bytes of recent packets that are kept for observations that come later."""
OVERHEAD = 1000  # bytes that keeping a packet takes besides its own
MAX_WHOLE = 256  # datagrams put together that are kept
PIECES = 0x3FFF  # of an IPv4 fragment: more follow, or it stands behind others (RFC 791 §3.1)


class _Run(NamedTuple):
    """Packets behind each other, as they lie in memory."""

    number: int  # of the first
    buffer: bytes
    position: int
    header: int
    end: int
    interface: Interface
    unpack: Callable[[bytes, int], tuple[int, ...]]

    def packets(self, number: int, position: int) -> Iterator[tuple[int, RawPacket]]:
        """Its packets from a position on, each with the position of the next."""
        buffer, unpack, header, end, interface = self.buffer, self.unpack, self.header, self.end, self.interface
        while position <= end - header:
            high, low, captured, original = unpack(buffer, position)
            start = position + header
            position = start + captured
            if position > end:
                return
            yield position, (number, buffer, start, captured, original, high, low, interface)
            number += 1


class _Input:
    """What is kept of one input, in the order of its packets."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.pieces: list[_Run | RawPacket] = []


class RecentPieces:
    """Keeps what was read last as it lies in memory, and reads the headers of a packet only when it is asked for."""

    def __init__(self) -> None:
        self._reader = PacketReader(())
        self._joining = PacketReader(())  # shown every fragment once, in order
        self._inputs: dict[str, _Input] = {}
        self._sizes: list[tuple[str, int]] = []  # of all pieces, in the order in which they came
        self._size = 0
        self._dropped = False
        self._walk: tuple[_Run, int, int] | None = None  # a run, and the number and position of the next packet in it
        self._whole: dict[tuple[str, int], Packet] = {}  # of the packets that complete fragmented datagrams
        self._joined: dict[str, int] = {}  # by input: fragments up to this packet have been put together
        self.forgotten = 0
        """Observations whose packet lay too far back."""

    def watch(self, pieces: Iterable[RawPacket | Records]) -> Iterator[RawPacket | Records]:
        """Pass packets on, keeping them for a while."""
        for piece in pieces:
            if isinstance(piece, Records):
                run = _Run(
                    piece.number + 1 & NUMBER, piece.buffer, piece.position, piece.header, piece.end, piece.interface,
                    piece.unpack,
                )  # fmt: skip
                self._keep(run.interface.input, run.number, run, run.end - run.position + OVERHEAD)
            elif piece[7].link_type != NOTICE:
                self._keep(piece[7].input, piece[0] & NUMBER, piece, piece[3] + OVERHEAD)
            yield piece

    def _keep(self, name: str, number: int, piece: _Run | RawPacket, size: int) -> None:
        kept = self._inputs.get(name)
        if kept is None:
            kept = self._inputs[name] = _Input()
        kept.numbers.append(number)
        kept.pieces.append(piece)
        self._sizes.append((name, size))
        self._size += size
        if self._size > MAX_KEPT:
            self._drop()

    def _drop(self) -> None:
        """Let the oldest fifth go."""
        self._dropped = True
        counts: dict[str, int] = {}
        gone = 0
        for name, size in self._sizes[:-1]:
            if self._size <= MAX_KEPT * 4 // 5:
                break
            self._size -= size
            counts[name] = counts.get(name, 0) + 1
            gone += 1
        del self._sizes[:gone]
        for name, count in counts.items():
            kept = self._inputs[name]
            del kept.numbers[:count], kept.pieces[:count]

    def of(self, observation: Observation) -> Packet | None:
        """The packet that completes an observation."""
        number = observation.packet
        if not number:
            return None
        raw = self._find(observation.input, number)
        if raw is None:
            self.forgotten += self._dropped
            return None
        packet = self._reader.read(raw)
        if _is_fragment(packet):
            packet = self._put_together(observation.input, number) or packet
        return packet

    def _find(self, name: str, number: int) -> RawPacket | None:
        kept = self._inputs.get(name)
        if kept is None:
            return None
        at = bisect_right(kept.numbers, number) - 1
        if at < 0:
            return None
        piece = kept.pieces[at]
        if not isinstance(piece, _Run):
            return piece if kept.numbers[at] == number else None
        count, position = piece.number, piece.position
        if self._walk is not None and self._walk[0] is piece and self._walk[1] <= number:
            _, count, position = self._walk
        buffer, unpack, header, end = piece.buffer, piece.unpack, piece.header, piece.end
        while count < number and position <= end - header:
            position += header + unpack(buffer, position)[2]
            count += 1
        self._walk = piece, count, position
        for _, raw in piece.packets(count, position):
            return raw if count == number else None
        return None

    # -- fragments ----------------------------------------------------------------------------------------------------

    def _put_together(self, name: str, number: int) -> Packet | None:
        """The packet with the datagram that it completes. Every packet is looked at once for that, if there is any."""
        for raw in self._unjoined(name, number):
            packet = self._joining.read(raw)
            if _is_fragment(packet) and any(isinstance(header, (Tcp, Udp)) for header in packet.headers):
                self._whole[(name, raw[0] & NUMBER)] = packet
                if len(self._whole) > MAX_WHOLE:
                    del self._whole[next(iter(self._whole))]
        return self._whole.get((name, number))

    def _unjoined(self, name: str, number: int) -> Iterator[RawPacket]:
        """The packets of an input, up to this one, that no datagram was looked for in."""
        kept, after = self._inputs[name], self._joined.get(name, 0)
        if number <= after:
            return
        self._joined[name] = number
        for piece in kept.pieces[max(0, bisect_right(kept.numbers, after) - 1) : bisect_right(kept.numbers, number)]:
            if isinstance(piece, _Run):
                for _, raw in piece.packets(piece.number, piece.position):
                    if after < raw[0] <= number:
                        yield raw
            elif piece[0] & NUMBER > after:
                yield piece


def _is_fragment(packet: Packet) -> bool:
    for header in packet.headers:
        if isinstance(header, Ip):
            return bool((header.u16(6) or 0) & PIECES)
        if isinstance(header, Ipv6Fragment):
            return True
    return False


class FollowedPackets:
    """Reads every packet on its way, for fields that depend on those before, and keeps the newest."""

    def __init__(self, names: Iterable[str]) -> None:
        self._reader = PacketReader(followed(names))
        self._kept: OrderedDict[tuple[str, int], Packet] = OrderedDict()  # its oldest is found at once
        self._size = 0
        self._dropped = False
        self.forgotten = 0

    def watch(self, pieces: Iterable[RawPacket | Records]) -> Iterator[RawPacket]:
        """Pass packets on, reading each."""
        for raw in one_by_one(iter(pieces)):
            if raw[7].link_type != NOTICE:
                packet = self._reader.read(raw)
                self._kept[(packet.input, packet.number)] = packet
                self._size += OVERHEAD + raw[3]
                while self._size > MAX_KEPT:
                    self._dropped = True
                    _, oldest = self._kept.popitem(last=False)
                    self._size -= OVERHEAD + oldest.frame.end - oldest.frame.start
            yield raw

    def of(self, observation: Observation) -> Packet | None:
        """The packet that completes an observation."""
        found = self._kept.get((observation.input, observation.packet))
        if found is None and observation.packet and self._dropped:
            self.forgotten += 1
        return found
