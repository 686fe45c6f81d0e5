"""Feeding the HTTP dissector as the engine does, and getting streams out of captures with tshark."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec
import oracle

from amtdecode.model import TO_CLIENT, TO_SERVER, Direction, End, Endpoint, Event, Payload, Statement
from amtdecode.protocols.dissector import Context
from amtdecode.protocols.http import body_framing, framing, lines, message_reader
from amtdecode.protocols.http.dissector import HttpDissector
from amtdecode.protocols.http.events import HttpRequest, HttpResponse
from amtdecode.render.json_lines import shown_fields

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import pytest

CLIENT, SERVER = Endpoint(b"\xc0\0\2\1", 49152), Endpoint(b"\xc0\0\2\x0a", 16992)
CONTEXT = Context("tcp", CLIENT, SERVER)


MODULES = (body_framing, framing, lines, message_reader)


def limited(monkeypatch: pytest.MonkeyPatch, **limits: int) -> None:
    """Lower limits of framing, in every module that looks at them."""
    for name, value in limits.items():
        modules = [module for module in MODULES if hasattr(module, name)]
        assert modules
        for module in modules:
            monkeypatch.setattr(module, name, value)


class Feed:
    """Feeds a dissector, counts down what it skips, and holds it to what it says of its floor."""

    def __init__(self, context: Context = CONTEXT) -> None:
        self.dissector = HttpDissector(context)
        self.statements: list[Statement] = []
        self.floor = [0, 0]

    def data(self, direction: int, data: bytes) -> None:
        skip = self.dissector.skip_bytes
        passed = min(skip[direction], len(data))
        skip[direction] -= passed
        if len(data) > passed and not self.dissector.finished:
            self._take(self.dissector.receive_data(Direction(direction), data[passed:]))

    def gap(self, direction: int, size: int) -> None:
        self._take(self.dissector.receive_gap(Direction(direction), size))

    def eof(self, direction: int, end: End = End.FIN) -> None:
        self._take(self.dissector.receive_eof(Direction(direction), end))

    def _take(self, statements: Iterable[Statement]) -> None:
        for statement in statements:
            assert self.floor[statement.direction] <= statement.start <= statement.end
            assert isinstance(statement.event.summary(), str)
            assert None not in statement.event.fields().values()
            written = statement.event.fields_json()
            assert written is None or written == msgspec.json.encode(shown_fields(statement.event, show_secrets=False))
            self.statements.append(statement)
        for direction in (TO_SERVER, TO_CLIENT):
            assert self.dissector.trim_to[direction] >= self.floor[direction]
            self.floor[direction] = self.dissector.trim_to[direction]


def run(
    parts: Sequence[tuple[int, bytes | int]],
    ends: tuple[End, End] = (End.FIN, End.FIN),
    context: Context = CONTEXT,
) -> list[Statement]:
    """Feed bytes and gaps (their sizes) in this order, and both ends."""
    feed = Feed(context)
    for direction, part in parts:
        if isinstance(part, int):
            feed.gap(direction, part)
        elif part:
            feed.data(direction, part)
    feed.eof(0, ends[0])
    feed.eof(1, ends[1])
    return feed.statements


def events(statements: Iterable[Statement], *kinds: type[Event]) -> list[Event]:
    """The events of these kinds; all but payloads when none is named."""
    found = [statement.event for statement in statements]
    return [event for event in found if (isinstance(event, kinds) if kinds else not isinstance(event, Payload))]


def messages(statements: Iterable[Statement]) -> list[tuple[HttpRequest | HttpResponse, bytes]]:
    """Each message with its body, which must stand right behind it."""
    listed = list(statements)
    found: list[tuple[HttpRequest | HttpResponse, bytes]] = []
    for place, statement in enumerate(listed):
        if isinstance(statement.event, HttpRequest | HttpResponse):
            behind = listed[place + 1]
            assert isinstance(behind.event, Payload)
            assert behind.event.head is statement.event
            assert (behind.direction, behind.start, behind.end) == (statement.direction, statement.start, statement.end)
            assert behind.event.head.body_size == len(behind.event.data)
            found.append((statement.event, behind.event.data))
    assert len(found) == sum(isinstance(statement.event, Payload) for statement in listed)
    return found


def tshark_streams(tshark: str, capture: Path, numbers: Iterable[int]) -> dict[int, list[tuple[int, bytes | int]]]:
    """The bytes of these TCP connections in order of arrival: (node 0 or 1, bytes or the size of a gap)."""
    follow = [word for number in numbers for word in ("-z", f"follow,tcp,raw,{number}")]
    command = [tshark, "-n", "-r", str(capture), "-q", *follow]
    return followed(oracle.run(command, text=True, check=False).stdout)


def followed(text: str) -> dict[int, list[tuple[int, bytes | int]]]:
    """What tshark prints for `follow,…,raw`: stream to parts."""
    streams: dict[int, list[tuple[int, bytes | int]]] = {}
    parts: list[tuple[int, bytes | int]] = []
    for line in text.splitlines():
        if line.startswith("Filter: tcp.stream eq "):
            parts = streams.setdefault(int(line.rsplit(" ", 1)[1]), [])
        elif re.fullmatch(r"\t?[0-9a-f]+", line):
            data = bytes.fromhex(line.strip())
            missing = re.fullmatch(rb"\[(\d+) bytes missing in capture file\]\0?", data)
            parts.append((int(line[0] == "\t"), int(missing[1]) if missing else data))
    return streams
