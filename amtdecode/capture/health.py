"""What a capture can show, and what it cannot: stated once for each input, when all of it has been read."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from amtdecode.counting import counted
from amtdecode.fields import BOOLEAN, STRING, UINT32, UINT64, Field, Fields
from amtdecode.model import Event

if TYPE_CHECKING:
    from collections.abc import Iterator


COPY_NS = 100_000_000  # hosts wait longer before they send again (RFC 6298 §2: one second; Linux 200 ms)


class Health(Event, frozen=True):
    """How far one input can be trusted: where it begins and ends, what it lacks, what in it was not read.

    Times are nanoseconds since 1970 UTC, `None` where the capture has none.
    """

    protocol: ClassVar[str] = "capture"
    declared: ClassVar[Fields] = (
        Field("iamt.health.packets", UINT64, "packets of the input", "packets"),
        Field("iamt.health.cut_packets", UINT64, "packets of interest that the capture cut", "cut_packets", 0),
        Field("iamt.health.cut_length", UINT32, "bytes captured of the longest of them", "cut_length", 0),
        Field("iamt.health.gaps", UINT64, "directions of connections that lack bytes", "gaps", 0),
        Field("iamt.health.gap_bytes", UINT64, "bytes they lack", "gap_bytes", 0),
        Field("iamt.health.both_ways", UINT64, "connections captured in both directions", "both_ways", 0),
        Field("iamt.health.one_way", UINT64, "connections of which one direction was captured", "one_way", 0),
        Field("iamt.health.duplicates", UINT64, "packets that came twice within milliseconds", "duplicates", 0),
        Field("iamt.health.dropped", UINT64, "packets the capture itself says it dropped", "dropped", 0),
        Field(
            "iamt.health.unread", STRING, "what was not read, and how many packets of it", "unread", (), repeated=True
        ),
        Field(
            "iamt.health.unwrapped",
            STRING,
            "tunnels whose packets were read as if they were outside, and how many",
            "unwrapped",
            (),
            repeated=True,
        ),
        Field("iamt.health.odd_lengths", UINT64, "packets with an impossible length", "odd_lengths", 0),
        Field(
            "iamt.health.nanoseconds", BOOLEAN, "times are nanoseconds in a file of microseconds", "nanoseconds", False
        ),
        Field("iamt.health.jumps", UINT64, "how often the time went back", "jumps", 0),
        Field("iamt.health.damage", STRING, "where the file is damaged", "damage", (), repeated=True),
    )
    packets: int
    first: int | None = None
    """Time of the first packet."""
    last: int | None = None
    """Time of the last one."""
    holes: tuple[tuple[int, int], ...] = ()
    """Begin and end of a silence of weeks inside: captures put together."""
    cut_packets: int = 0
    """At least so many: packets that nobody wants are not looked at."""
    cut_length: int = 0
    gaps: int = 0
    gap_bytes: int = 0
    both_ways: int = 0
    """Connections of AMT, as `one_way`."""
    one_way: int = 0
    """Only one side was captured, and it acknowledges what the other one said."""
    duplicates: int = 0
    dropped: int = 0
    unread: tuple[str, ...] = ()
    """Tunnels and link types that are not read, as "ESP: 12 packets"."""
    unwrapped: tuple[str, ...] = ()
    """Tunnels that are, as "VXLAN: 12 packets"."""
    odd_lengths: int = 0
    nanoseconds: bool = False
    jumps: int = 0
    damage: tuple[str, ...] = ()

    @property
    def lacks_packets(self) -> bool:
        """Whether packets are missing: what is absent here may have been on the wire all the same."""
        return bool(self.gaps or self.dropped or self.cut_packets or self.unread or self.damage or self.one_way)

    @property
    def troubled(self) -> bool:
        """Whether there is anything to say."""
        return bool(self.said)

    @property
    def said(self) -> tuple[str, ...]:
        """What is wrong, one clause each, and what follows from it. May hold captured text: escape it."""
        return tuple(_said(self))

    def summary(self) -> str:
        return f"{counted(self.packets, 'packet')}; " + ("; ".join(self.said) or "nothing is wrong with the capture")


def too_soon(earlier: int, later: int) -> bool:
    """Whether what came at `later` is a copy of the same that came at `earlier`, in ns: no host sends again so soon."""
    return 0 <= later - earlier < COPY_NS


def _said(health: Health) -> Iterator[str]:
    if health.cut_packets:
        yield (
            f"packets cut at {health.cut_length} bytes (at least {health.cut_packets} of {health.packets}; capture"
            " whole packets: snap length 0): what stood in the lost parts is not judged"
        )
    if health.one_way:
        whole = health.one_way + health.both_ways
        yield (
            f"captured in one direction only: {health.one_way} of {counted(whole, 'connection')};"
            " what the other side did not do is not judged"
        )
    if health.gaps:
        yield (
            f"{counted(health.gap_bytes, 'byte')} missing in {counted(health.gaps, 'stream')}, lost by the capture:"
            " what stood there is not judged"
        )
    if health.dropped:
        yield f"the capture counted {counted(health.dropped, 'dropped packet')}"
    if health.unread:
        yield f"not read: {', '.join(health.unread)}; conversations in them are not judged"
    if health.unwrapped:
        yield f"unwrapped: {', '.join(health.unwrapped)}; addresses and connections are those inside"
    if health.odd_lengths:
        yield (
            f"{counted(health.odd_lengths, 'packet')} with an impossible length (segmentation offload, TSO: captured"
            " before the network card set it): the captured length was taken"
        )
    if health.nanoseconds:
        yield "the times are nanoseconds, though the file says microseconds: read as nanoseconds"
    if health.jumps:
        yield f"the time goes back {counted(health.jumps, 'time')}: intervals around that are not to be trusted"
    if health.duplicates:
        yield f"{counted(health.duplicates, 'packet')} captured twice: counted once"
    if health.holes:
        days = sum(end - start for start, end in health.holes) / 86400e9
        yield f"{days:.0f} days without a packet: nothing is concluded from that silence"
    for damage in health.damage:
        yield f"damaged: {damage}"
