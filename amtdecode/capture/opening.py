"""From names to one timeline of packets: what an input is, who reads it, and how several become one."""

from __future__ import annotations

import heapq
import os
from functools import partial
from typing import TYPE_CHECKING

from amtdecode.capture.packets import NOTICE, RawPacket, Records
from amtdecode.capture.pcap import is_pcap, pcap_records, read_pcap
from amtdecode.capture.pcapng import is_pcapng, read_pcapng
from amtdecode.capture.source import STANDARD_INPUT, Source, open_source
from amtdecode.errors import CaptureError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

CONVERTED_ELSEWHERE = (
    # (first bytes, what it is, how to convert it)
    (b"snoop\0\0\0", "a Solaris snoop capture", "editcap -F pcapng IN OUT.pcapng"),
    (b"GMBU", "a Microsoft Network Monitor 2 capture", "editcap -F pcapng IN OUT.pcapng"),
    (b"RTSS", "a Microsoft Network Monitor 1 capture", "editcap -F pcapng IN OUT.pcapng"),
)
ETL_CONVERTER = "etl2pcapng IN.etl OUT.pcapng"


def identify(source: Source) -> str:
    """What a source holds: "pcap" or "pcapng".

    Raises `CaptureError` for anything else, naming the converter where there is one.
    """
    head = source.peek(64)
    if not head and source.damage:
        raise CaptureError(f"{source.name}: {source.damage}")
    if is_pcap(head):
        return "pcap"
    if is_pcapng(head):
        return "pcapng"
    if not head:
        raise CaptureError(f"{source.name}: is empty, not a capture")
    for magic, what, converter in CONVERTED_ELSEWHERE:
        if head.startswith(magic):
            raise CaptureError(f"{source.name}: is {what}; convert it first: {converter}")
    if _is_etl(source.name, head):
        raise CaptureError(f"{source.name}: is a Windows event trace; convert it first: {ETL_CONVERTER}")
    raise CaptureError(f"{source.name}: is not a capture (neither pcap nor pcapng)")


def _is_etl(name: str, head: bytes) -> bool:
    """An event trace begins with a WMI_BUFFER_HEADER: buffer size, then offsets within it (evntrace.h)."""
    if name.lower().endswith(".etl"):
        return True
    if len(head) < 12:
        return False
    size, saved, current = (int.from_bytes(head[at : at + 4], "little") for at in (0, 4, 8))
    return size in {1024 << shift for shift in range(2, 11)} and saved <= size and current <= size and saved >= 0x48


def _open(name: str, opened: Callable[[Source], None] | None) -> tuple[Source, str]:
    source = open_source(name)
    try:
        kind = identify(source)
    except CaptureError:
        source.close()
        raise
    if opened:
        opened(source)
    return source, kind


def open_capture(
    name: str, index: int = 0, opened: Callable[[Source], None] | None = None
) -> Generator[RawPacket, None, None]:
    """The packets of one input ("-" for standard input), in its own order.

    The input is opened and identified at once, so that a `CaptureError` comes before the first packet. `opened` is
    shown the source, for progress.
    """
    source, kind = _open(name, opened)
    return (read_pcap if kind == "pcap" else read_pcapng)(source, index)


def merge(captures: Sequence[Callable[[], Iterator[RawPacket]]], starts: Sequence[int]) -> Iterator[RawPacket]:
    """Several captures as one timeline, by time of packet; each is opened when its first packet's turn comes.

    `starts` are the first packets' times. Packets without a time stay behind the one before them.
    """
    order = sorted(range(len(captures)), key=lambda i: (starts[i], i))
    waiting = order[::-1]
    heads: list[tuple[int, int, RawPacket, Iterator[RawPacket]]] = []
    while heads or waiting:
        while waiting and (not heads or starts[waiting[-1]] <= heads[0][0]):
            index = waiting.pop()
            _push(heads, index, starts[index], captures[index]())
        if heads:
            time, index, packet, rest = heapq.heappop(heads)
            yield packet
            _push(heads, index, time, rest)


def _push(
    heads: list[tuple[int, int, RawPacket, Iterator[RawPacket]]], index: int, time: int, rest: Iterator[RawPacket]
) -> None:
    packet = next(rest, None)
    if packet is not None:
        stamp = None if packet[7].link_type == NOTICE else packet[7].time_ns(packet[5], packet[6])
        heapq.heappush(heads, (time if stamp is None else stamp, index, packet, rest))


def first_time(packets: Iterator[RawPacket]) -> int:
    """Time of the first packet that has one, in nanoseconds; 0 when none has."""
    for count, packet in enumerate(packets):
        if packet[7].link_type != NOTICE and (stamp := packet[7].time_ns(packet[5], packet[6])) is not None:
            return stamp
        if count > 1000:  # a capture without times is placed first
            break
    return 0


def refuse_pipe(name: str) -> None:
    """Raise `CaptureError` for what can be read only once: an input among several is looked at before its turn."""
    if name == STANDARD_INPUT or (os.path.exists(name) and not (os.path.isfile(name) or os.path.isdir(name))):
        what = "standard input" if name == STANDARD_INPUT else "a pipe"
        raise CaptureError(f"{name}: {what} cannot be put in order with other captures; name it alone")


def probe(name: str) -> None:
    """Raise `CaptureError` when a capture cannot be read as one of several."""
    refuse_pipe(name)
    open_capture(name).close()


def open_captures(names: Sequence[str], opened: Callable[[Source], None] | None = None) -> Iterator[RawPacket]:
    """The packets of all inputs as one timeline. Errors of any input come before the first packet."""
    if len(names) == 1:
        return open_capture(names[0], 0, opened)
    starts = []
    for name in names:
        refuse_pipe(name)
        packets = open_capture(name)
        starts.append(first_time(packets))
        packets.close()
    return merge([partial(open_capture, name, index, opened) for index, name in enumerate(names)], starts)


def open_records(names: Sequence[str], opened: Callable[[Source], None] | None = None) -> Iterator[RawPacket | Records]:
    """As `open_captures`, with runs of packets where one input allows it: for who walks them faster than one by one."""
    if len(names) != 1:
        return open_captures(names, opened)
    source, kind = _open(names[0], opened)
    return pcap_records(source) if kind == "pcap" else read_pcapng(source)
