"""Packets that a program has: pairs of time and bytes, scapy's packets, dpkt's readers.

scapy and dpkt are never imported for it: their packets are known by what they offer.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import chain
from operator import index
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from amtdecode.capture.packets import MAX_TIME_NS, Interface, NanosecondInterface, packet_id
from amtdecode.errors import UsageError
from amtdecode.times import EPOCH

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    from amtdecode.capture.packets import RawPacket


Time: TypeAlias = float | Decimal | datetime | None
"""Seconds since 1970 UTC, or a datetime with its time zone; `None` where it is not known."""


class TimedPacket(Protocol):
    """A packet that knows its time and gives its bytes, as scapy's do."""

    @property
    def time(self) -> Any:
        """Seconds since 1970 UTC."""

    def __bytes__(self) -> bytes: ...


Packet: TypeAlias = tuple[Time, bytes] | tuple[Time, bytes, int] | TimedPacket
"""(time, bytes), (time, bytes, link type), or one of scapy's."""

ACCEPTED = "packets are (time, bytes), (time, bytes, link type) or scapy packets"
LATEST = MAX_TIME_NS // 10**9  # seconds
ETHERNET = 1
LINK_TYPES = {
    # class of scapy or dpkt: link type (https://www.tcpdump.org/linktypes.html)
    "Ether": 1, "Dot3": 1, "Ethernet": 1, "IP": 101, "IPv6": 101, "IP6": 101, "Loopback": 0, "LoopbackOpenBSD": 108,
    "CookedLinux": 113, "SLL": 113, "CookedLinuxV2": 276, "SLL2": 276, "PPP": 9, "HDLC": 50, "Dot11": 105,
    "PrismHeader": 119, "RadioTap": 127, "PPI": 192, "Dot15d4": 230, "Dot15d4FCS": 195, "PPPoE": 51,
}  # fmt: skip


class Packets:
    """An iterable of packets as a capture: read once, in its own order, numbered from 1."""

    __slots__ = ("_items", "_link_type", "name")

    def __init__(self, items: Iterable[Packet], name: str, link_type: int = ETHERNET) -> None:
        self.name = name
        self._items: Iterator[Packet] = iter(items)
        self._link_type = link_type  # where the packets do not say

    def first_time(self) -> int:
        """Time of the first packet, in nanoseconds; 0 when it has none. The packet is still read."""
        for item in self._items:
            self._items = chain((item,), self._items)
            return _taken_apart(item, self.name, 1, self._link_type)[0] or 0
        return 0

    def packets(self, input_index: int = 0) -> Generator[RawPacket, None, None]:
        """The packets. `UsageError` for an item that is none; what the iterable itself raises goes through."""
        interfaces: dict[tuple[int, int | None], Interface] = {}
        link_type = self._link_type
        for number, item in enumerate(self._items, 1):
            time_ns, data, link_type, size = _taken_apart(item, self.name, number, link_type)
            precision = None if time_ns is None else 9 if time_ns % 1000 else 6
            interface = interfaces.get((link_type, precision))
            if interface is None:
                interface = interfaces[(link_type, precision)] = (
                    Interface(self.name, link_type)
                    if precision is None
                    else NanosecondInterface(self.name, link_type, precision=precision)
                )
            high, low = divmod(time_ns or 0, 10**9)
            yield packet_id(input_index, number), data, 0, len(data), max(len(data), size), high, low, interface


def is_packet(item: Any) -> bool:
    """Whether it looks like one packet of an iterable."""
    if isinstance(item, (tuple, list)):
        return len(item) in (2, 3) and (item[0] is None or _is_time(item[0])) and _has_bytes(item[1])
    return hasattr(type(item), "__bytes__") and hasattr(item, "time")


def _has_bytes(value: Any) -> bool:
    return isinstance(value, (bytes, bytearray, memoryview)) or hasattr(type(value), "__bytes__")


def _is_time(value: Any) -> bool:
    return isinstance(value, datetime) or hasattr(type(value), "as_integer_ratio") or hasattr(type(value), "__index__")


def _taken_apart(item: Any, name: str, number: int, link_type: int) -> tuple[int | None, bytes, int, int]:
    """Time in nanoseconds, bytes, link type and length on the wire (0: not known) of one item.

    `link_type` is that of the packet before, which holds where the item has none of its own.
    """
    if not is_packet(item):
        raise UsageError(f"{name}: item {number} is of type {type(item).__name__}: {ACCEPTED}")
    size: Any = 0
    if isinstance(item, (tuple, list)):
        time, data = item[0], item[1]
        if len(item) == 3:
            link_type = _link_type(item[2], name, number)
        elif not isinstance(data, (bytes, bytearray, memoryview)):
            link_type = _known_link_type(data, link_type)
    else:
        time, data, size = item.time, item, getattr(item, "wirelen", 0)
        link_type = _known_link_type(item, link_type)
    try:
        octets = data if type(data) is bytes else bytes(data)
    except Exception as error:  # whatever a packet of another library raises that cannot be built
        raise UsageError(f"{name}: packet {number} does not give its bytes ({type(error).__name__})") from error
    return _nanoseconds(time, name, number), octets, link_type, size if isinstance(size, int) else 0


def _link_type(value: Any, name: str, number: int) -> int:
    try:
        link_type = index(value)
    except TypeError:
        link_type = -1
    if not 0 <= link_type <= 0xFFFF:
        raise UsageError(f"{name}: packet {number}: {value!r} is no link type: a LINKTYPE number, as 1 for Ethernet")
    return link_type


def _known_link_type(packet: Any, otherwise: int) -> int:
    """By the name of the packet's class. scapy gives `Raw` where it cannot read a frame: that is as those before."""
    return next((LINK_TYPES[kind.__name__] for kind in type(packet).__mro__ if kind.__name__ in LINK_TYPES), otherwise)


def _nanoseconds(time: Any, name: str, number: int) -> int | None:
    """Nanoseconds since 1970 UTC of a time in seconds, or of a datetime; `None` for none, or an impossible one.

    A float of today's times holds no more than microseconds, and is taken as whole ones. `Decimal` and fractions are
    exact to the nanosecond. An integer of the size of nanoseconds is a mistake worth an error.
    """
    if time is None:
        return None
    if isinstance(time, datetime):
        if time.utcoffset() is None:
            raise UsageError(f"{name}: packet {number}: a datetime needs its time zone: {time.isoformat()} has none")
        nanoseconds: int = getattr(time, "nanosecond", 0)  # of pandas' subclass
        time_ns = (time - EPOCH) // timedelta(microseconds=1) * 1000 + nanoseconds
    elif hasattr(type(time), "__index__"):
        if (seconds := index(time)) >= LATEST:
            raise UsageError(
                f"{name}: packet {number}: times are in seconds, and {seconds} is none; nanoseconds are given as "
                "Decimal(ns).scaleb(-9)"
            )
        time_ns = seconds * 10**9
    elif isinstance(time, float):
        time_ns = round(time * 1e6) * 1000 if math.isfinite(time) else -1
    else:
        try:
            above, below = time.as_integer_ratio()
        except (ValueError, OverflowError):  # not a number, infinite
            return None
        time_ns = above * 10**9 // below
    return time_ns if 0 <= time_ns < MAX_TIME_NS else None
