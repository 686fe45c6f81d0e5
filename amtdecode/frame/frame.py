"""`frame.*`: what the capture itself says of a packet."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from amtdecode.fields import Kind
from amtdecode.frame.header import Header, declare, seconds
from amtdecode.times import IsoTimes

if TYPE_CHECKING:
    from collections.abc import Sequence


class Frame(Header):
    """A packet as captured, before any header is read."""

    __slots__ = ("delta_ns", "number", "precision", "protocols", "relative_ns", "time_ns")

    protocol: ClassVar[str] = "frame"

    def __init__(
        self, data: bytes, start: int, end: int, wire: int, number: int, time_ns: int | None, precision: int
    ) -> None:
        super().__init__(data, start, end, wire)
        self.number = number
        self.time_ns = time_ns
        self.precision = precision
        """Decimals of a second that the capture records: 6 or 9."""
        self.relative_ns: int | None = None
        """Since the first packet."""
        self.delta_ns: int | None = None
        """Since the packet before."""
        self.protocols: Sequence[str] = ()
        """Names of the layers that were read."""


FIELDS = (
    declare("frame.number", Kind.UINT32, "number of the packet, from 1", lambda frame: frame.number),
    declare(
        "frame.time",
        Kind.ABSOLUTE_TIME,
        "when it was captured, UTC, ISO 8601",
        lambda frame: IsoTimes()(frame.time_ns, frame.precision),
    ),
    declare(
        "frame.time_epoch",
        Kind.RELATIVE_TIME,
        "when it was captured: seconds since 1970 UTC",
        lambda frame: seconds(frame.time_ns),
    ),
    declare(
        "frame.time_relative",
        Kind.RELATIVE_TIME,
        "seconds since the first packet",
        lambda frame: seconds(frame.relative_ns),
    ),
    declare(
        "frame.time_delta", Kind.RELATIVE_TIME, "seconds since the packet before", lambda frame: seconds(frame.delta_ns)
    ),
    declare("frame.len", Kind.UINT32, "bytes on the wire", lambda frame: frame.wire - frame.start),
    declare("frame.cap_len", Kind.UINT32, "bytes captured", lambda frame: frame.end - frame.start),
    declare("frame.protocols", Kind.STRING, "its layers, up to transport", lambda frame: ":".join(frame.protocols)),
)
