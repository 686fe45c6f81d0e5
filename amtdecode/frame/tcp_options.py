"""`tcp.options*`: the options of a TCP header (RFC 9293 §3.2; numbers: IANA, TCP Parameters)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from amtdecode.fields import Kind
from amtdecode.frame.header import declare

if TYPE_CHECKING:
    from collections.abc import Callable

    from amtdecode.frame.tcp import Tcp

END, NO_OPERATION, MSS, WINDOW_SCALE, SACK_PERMITTED, SACK, TIMESTAMPS = 0, 1, 2, 3, 4, 5, 8
MD5, USER_TIMEOUT, FAST_OPEN = 19, 28, 34
LEAST = 20  # bytes of a header without options
NAMES = {
    END: "end of options",
    NO_OPERATION: "no operation",
    MSS: "maximum segment size",
    WINDOW_SCALE: "window scale",
    SACK_PERMITTED: "SACK permitted",
    SACK: "SACK",
    TIMESTAMPS: "timestamps",
    MD5: "MD5 signature",
    USER_TIMEOUT: "user timeout",
    FAST_OPEN: "TCP Fast Open cookie",
    30: "Multipath TCP",
    254: "experiment",
}
SIZES = {MSS: 4, WINDOW_SCALE: 3, SACK_PERMITTED: 2, TIMESTAMPS: 10, MD5: 18, USER_TIMEOUT: 4}
MOST_SCALE = 14  # RFC 7323 §2.3


class Option(NamedTuple):
    """One option: its kind, its length as it says (0 where it has none), and the bytes behind both."""

    kind: int
    length: int
    value: bytes

    @property
    def regular(self) -> bool:
        """Whether it is as long as its kind has to be."""
        return SIZES.get(self.kind, self.length) == self.length


def raw_options(tcp: Tcp) -> bytes | None:
    """All bytes of the options, as far as they were captured; `None` where there are none."""
    size = tcp.size()
    if size is None or size <= LEAST:
        return None
    return tcp.data[tcp.start + LEAST : min(tcp.end, tcp.start + size)] or None


def options(tcp: Tcp) -> list[Option]:
    """The options in order, up to the first that breaks the rules."""
    raw = raw_options(tcp) or b""
    found, at = [], 0
    while at < len(raw):
        kind = raw[at]
        if kind in (END, NO_OPERATION):
            found.append(Option(kind, 0, b""))  # what follows the end is padding, and tshark lists it as more ends
            at += 1
            continue
        length = raw[at + 1] if at + 1 < len(raw) else 0
        if length < 2 or at + length > len(raw):
            break
        found.append(Option(kind, length, raw[at + 2 : at + length]))
        at += length
    return found


def number(tcp: Tcp, kind: int) -> int | None:
    """The value of the first option of a kind as a number."""
    for option in options(tcp):
        if option.kind == kind and option.regular:
            return int.from_bytes(option.value, "big")
    return None


def window_scale(tcp: Tcp) -> int | None:
    """By how many bits the sender wants windows shifted."""
    scale = number(tcp, WINDOW_SCALE)
    return None if scale is None else min(scale, MOST_SCALE)


def sack_edges(tcp: Tcp) -> list[tuple[int, int]]:
    """Left and right edges of the blocks that the sender has (RFC 2018 §3), as sent."""
    return [
        (int.from_bytes(option.value[at : at + 4], "big"), int.from_bytes(option.value[at + 4 : at + 8], "big"))
        for option in options(tcp)
        if option.kind == SACK and option.length % 8 == 2
        for at in range(0, len(option.value), 8)
    ]


def _part(kind: int, start: int, end: int) -> Callable[[Tcp], list[int]]:
    def read(tcp: Tcp) -> list[int]:
        return [
            int.from_bytes(option.value[start:end], "big")
            for option in options(tcp)
            if option.kind == kind and option.regular
        ]

    return read


def _relative(tcp: Any, side: int) -> list[int]:
    base = tcp.place.ack_base if tcp.place else 0
    return [edge[side] - base & 0xFFFFFFFF for edge in sack_edges(tcp)]


def _whole(kind: int) -> Callable[[Tcp], list[str]]:
    """The options of a kind with their kind and length."""

    def read(tcp: Tcp) -> list[str]:
        return [
            (bytes((kind, option.length)) + option.value if option.length else bytes((kind,))).hex()
            for option in options(tcp)
            if option.kind == kind and option.regular
        ]

    return read


_WHOLE = (
    ("nop", NO_OPERATION, "no operation"),
    ("eol", END, "end of options"),
    ("mss", MSS, "maximum segment size"),
    ("wscale", WINDOW_SCALE, "window scale"),
    ("sack_perm", SACK_PERMITTED, "SACK permitted"),
    ("timestamp", TIMESTAMPS, "timestamps"),
)

FIELDS = (
    declare("tcp.options", Kind.BYTES, "all options", raw_options),
    *[
        declare(f"tcp.options.{name}", Kind.BYTES, f"{meaning}, with kind and length", _whole(kind), repeated=True)
        for name, kind, meaning in _WHOLE
    ],
    declare(
        "tcp.option_kind",
        Kind.UINT8,
        "kind of an option",
        lambda tcp: [option.kind for option in options(tcp)],
        repeated=True,
        values=NAMES,
    ),
    declare(
        "tcp.option_len",
        Kind.UINT8,
        "bytes of an option",
        lambda tcp: [option.length for option in options(tcp) if option.length],
        repeated=True,
    ),
    declare("tcp.options.mss_val", Kind.UINT16, "maximum segment size", _part(MSS, 0, 2), repeated=True),
    declare(
        "tcp.options.wscale.shift",
        Kind.UINT8,
        "bits by which windows are to be shifted",
        _part(WINDOW_SCALE, 0, 1),
        repeated=True,
    ),
    declare(
        "tcp.options.wscale.multiplier",
        Kind.UINT16,
        "what windows are to be multiplied by",
        lambda tcp: [1 << min(shift, MOST_SCALE) for shift in _part(WINDOW_SCALE, 0, 1)(tcp)],
        repeated=True,
    ),
    declare(
        "tcp.options.sack.count",
        Kind.UINT8,
        "blocks that the sender has",
        lambda tcp: [
            len(option.value) // 8 for option in options(tcp) if option.kind == SACK and option.length % 8 == 2
        ],
        repeated=True,
    ),
    declare("tcp.options.timestamp.tsval", Kind.UINT32, "sender's clock", _part(TIMESTAMPS, 0, 4), repeated=True),
    declare(
        "tcp.options.timestamp.tsecr", Kind.UINT32, "receiver's clock, echoed", _part(TIMESTAMPS, 4, 8), repeated=True
    ),
    declare(
        "tcp.options.md5.digest",
        Kind.BYTES,
        "MD5 signature",
        lambda tcp: [option.value for option in options(tcp) if option.kind == MD5 and option.regular],
        repeated=True,
    ),
)

STREAM_FIELDS = (
    declare(
        "tcp.options.sack_le",
        Kind.UINT32,
        "left edge of a block that the sender has, relative",
        lambda tcp: _relative(tcp, 0),
        repeated=True,
    ),
    declare(
        "tcp.options.sack_re",
        Kind.UINT32,
        "right edge of a block that the sender has, relative",
        lambda tcp: _relative(tcp, 1),
        repeated=True,
    ),
)
