"""The bytes of TCP connections, put in order and renamed as a whole: where segments end does not matter then."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from amtdecode import ports
from amtdecode.rewriting.datagrams import dns, hello
from amtdecode.rewriting.text import is_http
from amtdecode.rewriting.tls import is_tls, rewrite_tls

if TYPE_CHECKING:
    from amtdecode.rewriting.pseudonyms import Pseudonyms
    from amtdecode.rewriting.text import Cut, TextRewriter

MAX_DIRECTION = 4 << 20  # bytes of one direction that are put in order
MAX_ALL = 64 << 20  # bytes of all of them
DNS_PORT = 53
HALF = 1 << 31


class Direction:
    """The bytes of one direction, from its first sequence number on."""

    def __init__(self, base: int, port: int, *, fixed: bool) -> None:
        self.base, self.port, self.fixed = base, port, fixed
        self.segments: list[tuple[int, bytes]] = []
        self.size = 0
        self.made = b""
        self.cuts: list[Cut] = []

    def offset(self, seq: int) -> int:
        """Where a sequence number lies; below zero ahead of the beginning."""
        distance = (seq - self.base) & 0xFFFFFFFF
        return distance - (1 << 32) if distance >= HALF else distance

    def in_order(self) -> bytes:
        """What came, without a gap."""
        out = bytearray()
        for at, data in sorted(self.segments, key=lambda each: (each[0], -len(each[1]))):
            if at > len(out):
                break
            if at >= 0:
                out += data[len(out) - at :]
        return bytes(out)

    def take(self, seq: int, size: int) -> tuple[bytes, int]:
        """The renamed bytes of a segment, and how many of them may stay."""
        at = self.offset(seq)
        if at < 0:
            return b"", 0
        data = self.made[at : at + size]
        stay = len(data)
        for start, end in self.cuts:
            if start < at + stay and end > at:
                stay = max(0, start - at)
        return data, stay


class Both(NamedTuple):
    """What a connection is made of, by who sends: addresses and ports."""

    client: Direction
    server: Direction


class Streams:
    """Connections by the key of each direction: packed addresses and ports."""

    def __init__(self, known: Pseudonyms, text: TextRewriter) -> None:
        self._known, self._text = known, text
        self._directions: dict[bytes, Direction] = {}
        self._all = 0

    def put(self, key: bytes, port: int, seq: int, data: bytes, *, syn: bool) -> None:
        """A segment; `port` is where it goes."""
        first = seq + 1 if syn else seq
        known = self._directions.get(key)
        if known is None:
            known = self._directions[key] = Direction(first & 0xFFFFFFFF, port, fixed=syn)
        elif syn and known.fixed and known.offset(first):  # the same addresses and ports once more
            return
        at = known.offset(seq)
        if not data or known.size + len(data) > MAX_DIRECTION or self._all + len(data) > MAX_ALL:
            return
        if at < 0 and not known.fixed:
            known.base = seq
            known.segments = [(place - at, piece) for place, piece in known.segments]
            at = 0
        known.segments.append((at, data))
        known.size += len(data)
        self._all += len(data)

    def finish(self) -> None:
        """All segments came: rename them."""
        done: set[bytes] = set()
        for key, one in self._directions.items():
            if key in done:
                continue
            half = (len(key) - 4) // 2
            back = key[half : 2 * half] + key[:half] + key[-2:] + key[-4:-2]
            done.update((key, back))
            other = self._directions.get(back) or Direction(0, 0, fixed=False)
            client, server = (other, one) if _serves(other, one) else (one, other)
            self._rename(client, server)
            one.segments, other.segments = [], []

    def _rename(self, client: Direction, server: Direction) -> None:
        asked, answered = client.in_order(), server.in_order()
        if is_tls(asked) or is_tls(answered):
            (client.made, client.cuts), (server.made, server.cuts) = rewrite_tls(asked, answered, self._known)
        elif is_http(asked) or is_http(answered):
            client.made, client.cuts = self._text.stream(asked)
            server.made, server.cuts = self._text.stream(answered)
        elif DNS_PORT in (client.port, server.port):
            client.made, server.made = self._dns(asked), self._dns(answered)
        elif (made := hello(asked, self._known)) is not None and not answered:
            client.made = made

    def _dns(self, data: bytes) -> bytes:
        """Messages behind their lengths (RFC 1035 section 4.2.2), as far as they are understood."""
        out = b""
        while len(data) >= 2:
            size = int.from_bytes(data[:2], "big")
            made = dns(data[2 : 2 + size], self._known) if len(data) >= 2 + size else None
            if made is None:
                break
            out += data[:2] + made
            data = data[2 + size :]
        return out

    def take(self, key: bytes, seq: int, size: int) -> tuple[bytes, int]:
        """The renamed bytes of a segment, and how many of them may stay."""
        known = self._directions.get(key)
        return known.take(seq, size) if known is not None else (b"", 0)


def _serves(other: Direction, one: Direction) -> bool:
    """Whether `other` is the direction to the server: a port of AMT or a low one tells."""
    if one.port in ports.AMT or other.port in ports.AMT:
        return other.port in ports.AMT
    return 0 < other.port < one.port
