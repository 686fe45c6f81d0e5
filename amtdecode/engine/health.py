"""Keeps account of what each input can show, at next to no cost: most is counted where packets go the long way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.capture.health import Health, too_soon
from amtdecode.capture.packets import NOTICE
from amtdecode.model import PACKET_NUMBER_BITS, Malformed, Truncated

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from amtdecode.capture import Interface, RawPacket, Records, Stamp
    from amtdecode.flow.tcp import TcpFlow
    from amtdecode.model import Event

BACK_NS = 1_000_000_000  # a time this much before that of an earlier packet is a jump, not disorder
HOLE_NS = 7 * 86_400 * 10**9  # no packet for a week: captures put together. Filtered ones are silent for hours, or days
MAX_HOLES = 16  # silences of weeks remembered of one input
MAX_DAMAGE = 4  # places told of one input
MAX_COUNTED_INTERFACES = 256  # whose dropped packets are added up

NOT_UNWRAPPED = ", not unwrapped"
"""Behind the name of a tunnel."""

_NUMBER = (1 << PACKET_NUMBER_BITS) - 1


class Account:
    """Of one input."""

    def __init__(self, stamp: Stamp) -> None:
        self.last = stamp
        self.first_time: int | None = None
        self.time: int | None = None  # of the latest packet whose time was looked at
        self.latest: int | None = None  # of all of them
        self.interfaces: dict[int, Interface] = {}
        self.cut_packets = self.cut_length = self.odd_lengths = self.duplicates = self.jumps = 0
        self.gaps = self.gap_bytes = self.both_ways = self.one_way = 0
        self.holes: list[tuple[int, int]] = []
        self.damage: list[str] = []
        self.unwrapped: dict[str, int] = {}

    def unwrap(self, tunnel: str) -> None:
        """A packet lay inside a tunnel."""
        self.unwrapped[tunnel] = self.unwrapped.get(tunnel, 0) + 1

    def see(self, stamp: Stamp) -> None:
        """Look at the time of a packet, in their order."""
        interface = stamp[3]
        if len(self.interfaces) < MAX_COUNTED_INTERFACES:
            self.interfaces.setdefault(id(interface), interface)
        if stamp[0] >= self.last[0]:
            self.last = stamp
        time = interface.time_ns(stamp[1], stamp[2])
        if time is None:
            return
        before, self.time = self.time, time
        if before is None or self.latest is None:
            self.first_time = self.latest = time
        elif time < before - BACK_NS:
            self.jumps += 1
        elif time > before + HOLE_NS and len(self.holes) < MAX_HOLES:
            self.holes.append((before, time))
        self.latest = max(self.latest, time)

    def stated(self, unread: Mapping[str, int]) -> Health:
        """What there is to say."""
        return Health(
            packets=self.last[0] & _NUMBER,
            first=self.first_time,
            last=self.latest,
            holes=tuple(self.holes),
            cut_packets=self.cut_packets,
            cut_length=self.cut_length,
            gaps=self.gaps,
            gap_bytes=self.gap_bytes,
            both_ways=self.both_ways,
            one_way=self.one_way,
            duplicates=self.duplicates,
            dropped=sum(interface.dropped for interface in self.interfaces.values()),
            unwrapped=_counts(self.unwrapped),
            unread=_counts(unread),
            odd_lengths=self.odd_lengths,
            nanoseconds=any(interface.nanoseconds_told for interface in self.interfaces.values()),
            jumps=self.jumps,
            damage=tuple(self.damage),
        )


def _counts(found: Mapping[str, int]) -> tuple[str, ...]:
    return tuple(f"{what}: {count} {'packet' if count == 1 else 'packets'}" for what, count in found.items())


class Accounts:
    """Of all inputs, by the index that packet ids hold."""

    def __init__(self) -> None:
        self._of: dict[int, Account] = {}
        self._run: tuple[Records, bytes, int, int, int] | None = None  # with its buffer, begin, end, and first number
        self._run_time: int | None = None

    def of(self, stamp: Stamp) -> Account:
        """The account of the input that a packet came from."""
        index = stamp[0] >> PACKET_NUMBER_BITS
        account = self._of.get(index)
        if account is None:
            account = self._of[index] = Account(stamp)
        return account

    # -- which packets there are --------------------------------------------------------------------------------------

    def walked(self, run: Records, end: int) -> None:
        """Records were read up to `end` of the buffer; where they begin still stands in the run."""
        interface, begin = run.interface, run.position
        high, low, _, _ = run.unpack(run.buffer, begin)
        time, before = interface.time_ns(high, low), self._run_time
        if before is None or time is None or not before <= time <= before + HOLE_NS:
            self._walk()  # it holds a jump, or is the first
        if self._run is None:
            stamp = (run.number + 1, high, low, interface)
            self.of(stamp).see(stamp)
        self._run = run, run.buffer, begin, end, run.number
        self._run_time = time

    def _walk(self) -> None:
        """Look at all times of the latest run. Only there the last packet is found."""
        if self._run is None:
            return
        run, buffer, position, end, number = self._run
        stamp = (number, 0, 0, run.interface)
        account = self.of(stamp)
        while position < end:
            high, low, captured, _ = run.unpack(buffer, position)
            position += run.header + captured
            number += 1
            account.see((number, high, low, run.interface))

    def passed(self, last: RawPacket | None, packet: RawPacket) -> None:
        """Packets that came one by one: at least the first and the last of each interface, and of each second or so."""
        for each in (last, packet):
            if each is not None and each[7].link_type != NOTICE:
                stamp = (each[0], each[5], each[6], each[7])
                self.of(stamp).see(stamp)

    def finish(self) -> None:
        """Nothing more comes."""
        self._walk()

    # -- what is wrong ------------------------------------------------------------------------------------------------

    def cut(self, stamp: Stamp, captured: int) -> None:
        """A packet of which the capture kept only `captured` bytes."""
        account = self.of(stamp)
        account.cut_packets += 1
        account.cut_length = max(account.cut_length, captured)

    def notice(self, event: Event, stamp: Stamp) -> None:
        """A word of the capture itself."""
        if isinstance(event, (Malformed, Truncated)):
            damage = self.of(stamp).damage
            if len(damage) < MAX_DAMAGE:
                damage.append(event.summary())

    def came_twice(self, before: Stamp, stamp: Stamp) -> bool:
        """Whether a packet like one before is a copy: no host sends again so soon. If so, it is counted."""
        earlier, later = before[3].time_ns(before[1], before[2]), stamp[3].time_ns(stamp[1], stamp[2])
        if earlier is None or later is None or not too_soon(earlier, later):
            return False
        self.of(stamp).duplicates += 1
        return True

    def ended(self, flow: TcpFlow) -> None:
        """A connection of AMT has ended, or the capture did."""
        account = self.of(flow.last)
        if flow.only:
            account.one_way += 1
            return
        for endpoint in (flow.client, flow.server):
            if endpoint.lost:
                account.gaps += 1
                account.gap_bytes += endpoint.lost
        if flow.both_seen:
            account.both_ways += 1

    def stated(self, unread: Mapping[tuple[int, str], Sequence[int]]) -> Iterator[tuple[Health, Stamp]]:
        """What is to be said of each input, at its last packet.

        `unread`: how many packets of a kind were not read, by the index of the input and the kind.
        """
        for index, account in self._of.items():
            of_it = {what.removesuffix(NOT_UNWRAPPED): n[0] for (source, what), n in unread.items() if source == index}
            yield account.stated(of_it), account.last
