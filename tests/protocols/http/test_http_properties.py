"""Any split gives the same statements; no bytes raise; valid messages are read as h11 reads them."""

from __future__ import annotations

from typing import Any

import h11
import pytest
from http_streams import Feed, events, limited, messages, run
from hypothesis import given
from hypothesis import strategies as st

from amtdecode.model import End, Malformed, Truncated
from amtdecode.protocols.http.events import HttpRequest

TOKEN = st.text("abcXYZ019-", min_size=1, max_size=8)
VALUE = st.text('abc XYZ019-;=,/"', max_size=20).map(str.strip)
HEADERS = st.lists(st.tuples(TOKEN.map(lambda name: "X-" + name), VALUE), max_size=5)
BODY = st.one_of(
    st.binary(max_size=300),
    st.sampled_from([b"", b"HTTP/1.1 200 OK\r\n\r\n", b"POST /wsman HTTP/1.1\r\n\r\n", b"\r\n\r\n"]),
)


@st.composite
def framed(draw: Any, body: bytes) -> tuple[str, bytes]:
    """A body with the header that tells its end."""
    if draw(st.booleans()):
        return f"Content-Length: {len(body)}\r\n", body
    cuts = sorted(draw(st.lists(st.integers(1, max(1, len(body) - 1)), max_size=4, unique=True)))
    chunks = [body[start:end] for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True) if body[start:end]]
    padding = draw(st.integers(0, 4))
    extension = draw(st.sampled_from(["", ";a=b", ';a="b"']))
    sent = b"".join(f"{len(chunk):0{padding}X}{extension}\r\n".encode() + chunk + b"\r\n" for chunk in chunks)
    trailer = draw(st.sampled_from([b"", b"X-Trailer: 1\r\n"]))
    return "Transfer-Encoding: chunked\r\n", sent + b"0" * max(1, padding) + b"\r\n" + trailer + b"\r\n"


@st.composite
def exchanges(draw: Any) -> list[tuple[bytes, bytes]]:
    """Requests with their responses."""
    made = []
    for _ in range(draw(st.integers(1, 4))):
        method = draw(st.sampled_from(["GET", "POST", "HEAD", "PUT", "OPTIONS"]))
        target = draw(st.sampled_from(["/", "/wsman", "/index.htm?a=b", "*"]))
        headers = "".join(f"{name}: {value}\r\n" for name, value in draw(HEADERS))
        length, body = draw(framed(draw(BODY)))
        expect = draw(st.sampled_from(["", "Expect: 100-continue\r\n"]))
        request = f"{method} {target} HTTP/1.1\r\nHost: amt\r\n{expect}{headers}{length}\r\n".encode() + body
        status = draw(st.sampled_from([200, 204, 303, 304, 400, 401, 500]))
        reason = draw(st.sampled_from(["OK", "See Other", ""]))
        headers = "".join(f"{name}: {value}\r\n" for name, value in draw(HEADERS))
        length, body = draw(framed(draw(BODY)))
        if method == "HEAD" or status in (204, 304):
            body = b""
        response = f"HTTP/1.1 {status} {reason}\r\n{headers}{length}\r\n".encode() + body
        if draw(st.integers(0, 5)) == 0:
            response = b"HTTP/1.1 100 Continue\r\n\r\n" + response
        made.append((request, response))
    return made


def read_by_h11(request: bytes, response: bytes) -> list[tuple[Any, ...]]:
    """First line, headers and body of a request and its response (and interim ones), as h11 has them."""
    server, client = h11.Connection(h11.SERVER), h11.Connection(h11.CLIENT)
    found: list[tuple[Any, ...]] = []

    def events_of(connection: h11.Connection) -> None:
        body, headers = b"", []
        while True:
            event = connection.next_event()
            if isinstance(event, h11.Request):
                first: tuple[Any, ...] = (event.method.decode(), event.target.decode())
            elif isinstance(event, h11.Response | h11.InformationalResponse):
                first = (event.status_code, event.reason.decode())
            if isinstance(event, h11.Data):
                body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                trailers = [(name.decode(), value.decode()) for name, value in event.headers.raw_items()]
                found.append((*first, headers + trailers, body))
                return
            elif isinstance(event, h11.InformationalResponse):
                found.append((*first, [], b""))
            else:
                headers = [(name.decode(), value.decode()) for name, value in event.headers.raw_items()]

    server.receive_data(request)
    events_of(server)
    method, target = found[0][:2]
    client.send(h11.Request(method=method, target=target, headers=[("Host", "amt")]))
    client.receive_data(response)
    events_of(client)
    return found


@given(exchanges())
def test_h11_reads_the_same(made: list[tuple[bytes, bytes]]) -> None:
    expected = [message for request, response in made for message in read_by_h11(request, response)]
    for parts in (
        [part for request, response in made for part in ((0, request), (1, response))],
        [(0, b"".join(request for request, _ in made)), (1, b"".join(response for _, response in made))],
    ):
        statements = run(parts)
        read = []
        for event, body in messages(statements):
            assert event.complete
            first = (event.method, event.target) if isinstance(event, HttpRequest) else (event.status, event.reason)
            read.append((*first, list(event.headers), body))
        assert sorted(map(repr, read)) == sorted(map(repr, expected))
        assert events(statements, Malformed, Truncated) == []
        asked = [(event.exchange, event.method) for event, _ in messages(statements) if isinstance(event, HttpRequest)]
        answered = {
            (event.exchange, event.method) for event, _ in messages(statements) if not isinstance(event, HttpRequest)
        }
        assert set(asked) == answered


@st.composite
def conversations(draw: Any) -> list[tuple[int, bytes | int]]:
    """Exchanges, damaged or not, with gaps or not, and now and then something else."""
    parts: list[tuple[int, bytes | int]] = []
    for pair in draw(exchanges()):
        for direction, message in enumerate(pair):
            data = bytearray(message)
            for _ in range(draw(st.integers(0, 3)) if draw(st.booleans()) else 0):
                place = draw(st.integers(0, len(data) - 1))
                what = draw(st.sampled_from(["change", "delete", "insert", "gap"]))
                if what == "change":
                    data[place] = draw(st.sampled_from([0, 10, 13, 32, 48, 57, 58, 65, 255]))
                elif what == "delete":
                    del data[place : place + draw(st.integers(1, 20))]
                    if not data:
                        break
                elif what == "insert":
                    data[place:place] = draw(
                        st.sampled_from(
                            [b"\r\n", b"\n\n", b"HTTP/1.1 200 OK\r\n", b"GET / HTTP/1.1\r\n", b"0\r\n\r\n", b"x" * 50]
                        )
                    )
                else:
                    parts += [(direction, bytes(data[:place])), (direction, draw(st.integers(1, 200)))]
                    del data[:place]
            parts.append((direction, bytes(data)))
    return [part for part in parts if part[1]]


@pytest.mark.parametrize("tight", [False, True])
@given(parts=conversations(), data=st.data(), first=st.sampled_from(list(End)), second=st.sampled_from(list(End)))
def test_any_split_gives_the_same_statements(
    tight: bool, parts: list[tuple[int, bytes | int]], data: st.DataObject, first: End, second: End
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        if tight:
            limited(patch, BODY_LIMIT=50, HEAD_LIMIT=100, HEADERS_LIMIT=3, TRAILER_LIMIT=12, CHUNK_LINE_LIMIT=12)
            limited(patch, LINE_LIMIT=28, PIECES_LIMIT=2, WHOLE_LIMIT=20)
        splits_agree(parts, data, (first, second))


def splits_agree(parts: list[tuple[int, bytes | int]], data: st.DataObject, ends: tuple[End, End]) -> None:
    whole = run(parts, ends)
    singly: list[tuple[int, bytes | int]] = []
    split: list[tuple[int, bytes | int]] = []
    for direction, part in parts:
        if isinstance(part, int):
            singly.append((direction, part))
            split.append((direction, part))
            continue
        singly += [(direction, part[at : at + 1]) for at in range(len(part))]
        cuts = sorted(data.draw(st.lists(st.integers(0, len(part)), max_size=5)))
        split += [(direction, part[at:to]) for at, to in zip([0, *cuts], [*cuts, len(part)], strict=True)]
    assert run(singly, ends) == whole
    assert run(split, ends) == whole


@given(
    st.lists(st.tuples(st.integers(0, 1), st.one_of(st.binary(max_size=200), st.integers(1, 500))), max_size=20),
    st.sampled_from(list(End)),
)
def test_no_bytes_raise(parts: list[tuple[int, bytes | int]], end: End) -> None:
    feed = Feed()
    for direction, part in parts:
        if isinstance(part, int):
            feed.gap(direction, part)
        elif part:
            feed.data(direction, part)
    feed.eof(0, end)
    feed.eof(1, end)


@given(conversations())
def test_neighbours_are_not_touched(parts: list[tuple[int, bytes | int]]) -> None:
    """Whatever came before, a request behind a gap is found, with its body."""
    sane = b"POST /sane HTTP/1.1\r\nContent-Length: 6\r\n\r\n<sane>"
    found = messages(run([*parts, (0, 1 << 20), (0, sane)]))
    assert any(
        isinstance(event, HttpRequest) and event.target == "/sane" and body == b"<sane>" for event, body in found
    )
