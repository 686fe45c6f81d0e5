"""From inputs to one timeline of packets: what an input is, who reads it, and how several become one."""

from __future__ import annotations

import heapq
import os
from functools import partial
from typing import TYPE_CHECKING

from amtdecode.capture.iterables import Packets
from amtdecode.capture.packets import NOTICE, RawPacket, Records
from amtdecode.capture.pcap import is_pcap, pcap_records, read_pcap
from amtdecode.capture.pcapng import is_pcapng, read_pcapng
from amtdecode.capture.source import STANDARD_INPUT, OpenFile, Source, open_source
from amtdecode.errors import CaptureError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from amtdecode.capture.inputs import Capture

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


def _open(given: str | OpenFile, opened: Callable[[Source], None] | None) -> tuple[Source, str]:
    source = open_source(given)
    try:
        kind = identify(source)
    except CaptureError:
        source.close()
        raise
    if opened:
        opened(source)
    return source, kind


def open_capture(
    given: Capture, index: int = 0, opened: Callable[[Source], None] | None = None
) -> Generator[RawPacket, None, None]:
    """The packets of one input (a name, "-" for standard input, an open file, packets), in its own order.

    The input is opened and identified at once, so that a `CaptureError` comes before the first packet. `opened` is
    shown the source, for progress.
    """
    if isinstance(given, Packets):
        return given.packets(index)
    source, kind = _open(given, opened)
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
            packets = captures[index]()
            _push(heads, index, starts[index], next(packets, None), packets)
        if heads:
            time, index, packet, rest = heapq.heappop(heads)
            yield packet
            follower = next(rest, None)
            while follower is not None and follower[7].link_type == NOTICE:
                yield follower  # a word of the capture stays behind its packet
                follower = next(rest, None)
            _push(heads, index, time, follower, rest)


def _push(
    heads: list[tuple[int, int, RawPacket, Iterator[RawPacket]]],
    index: int,
    time: int,
    packet: RawPacket | None,
    rest: Iterator[RawPacket],
) -> None:
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


def reads_again(given: Capture) -> bool:
    """Whether an input can be looked through before it is read. A pipe cannot, nor what is not there."""
    if isinstance(given, OpenFile):
        return given.start is not None
    return not isinstance(given, Packets) and os.path.isfile(given)


def name_of(given: Capture) -> str:
    """What observations call an input."""
    return given if isinstance(given, str) else given.name


def refuse_pipe(given: Capture) -> None:
    """Raise `CaptureError` for what can be read only once: an input among several is looked at before its turn."""
    if isinstance(given, Packets):
        return
    if isinstance(given, OpenFile):
        what = "" if reads_again(given) else "an open file that cannot go back"
    elif given == STANDARD_INPUT:
        what = "standard input"
    else:
        what = "a pipe" if os.path.exists(given) and not (os.path.isfile(given) or os.path.isdir(given)) else ""
    if what:
        raise CaptureError(f"{name_of(given)}: {what} cannot be put in order with other captures; name it alone")


def probe(given: Capture) -> None:
    """Raise `CaptureError` when a capture cannot be read as one of several."""
    refuse_pipe(given)
    open_capture(given).close()


def open_captures(captures: Sequence[Capture], opened: Callable[[Source], None] | None = None) -> Iterator[RawPacket]:
    """The packets of all inputs as one timeline. Errors of any input come before the first packet."""
    if len(captures) == 1:
        return open_capture(captures[0], 0, opened)
    return merge(
        [partial(open_capture, given, index, opened) for index, given in enumerate(captures)],
        [_first_time_of(given) for given in captures],
    )


def _first_time_of(given: Capture) -> int:
    if isinstance(given, Packets):
        return given.first_time()
    refuse_pipe(given)
    packets = open_capture(given)
    try:
        return first_time(packets)
    finally:
        packets.close()


def open_records(
    captures: Sequence[Capture], opened: Callable[[Source], None] | None = None
) -> Iterator[RawPacket | Records]:
    """As `open_captures`, with runs of records where one input allows it: walked faster than packet by packet."""
    if len(captures) != 1 or isinstance(captures[0], Packets):
        return open_captures(captures, opened)
    source, kind = _open(captures[0], opened)
    return pcap_records(source) if kind == "pcap" else read_pcapng(source)
