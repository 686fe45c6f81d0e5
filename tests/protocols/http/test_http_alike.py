"""Heads alike but for their values take a shorter way; what comes of it is the same."""

from __future__ import annotations

import msgspec
import pytest
from http_streams import Feed, events
from hypothesis import given
from hypothesis import strategies as st

from amtdecode.model import TO_CLIENT, TO_SERVER
from amtdecode.protocols.http import framing, layouts
from amtdecode.protocols.http.auth import credentials
from amtdecode.protocols.http.events import HttpRequest, HttpResponse
from amtdecode.protocols.http.lines import header_lines

NAMES = (
    "Host",
    "Content-Type",
    "X-Odd",
    "X-Session-Token",
    "Cookie",
    "Server",
    "Date",
    "Set-Cookie",
    "WWW-Authenticate",
)
TEXT = st.text('abc "\\\t:;=,/\xe9\x7f\x01', max_size=12)
DIGEST = (
    'Digest username="admin",realm="D:34BF",nonce="bQ==",uri="/wsman",qop=auth,response="0f",nc=00000001,cnonce=""',
    'Digest username="a", realm="x", nonce="y", uri="/", response="z"',
    'Digest username="",realm="x"',
    'Digest username="a\\"b",realm="x"',
    "Digest username=a,nc=1",
    'Digest username="a",username="b"',
    'Digest username="a",',
    'Digest username="a",stale=true',
    'Digest username="a" realm="b"',
    'Digest username="a",realm="x\\",nonce="y",uri="/",response="z"',
    'Digest username="a",realm="x",nonce="y",uri="/",response="z\\"',
    'Digest username="a", realm="x\x01", nonce="y", uri="/", response="z"',
    'Digest username="a", realm="x", nonce="\xe9", uri="/?password=p", response="z"',
    'Digest username="a", realm="x", nonce="y", uri="//u:p@h/", response="\x01"',
    "Basic YWRtaW46cA==",
    "Negotiate YII=",
    "Digest",
)


@given(
    st.lists(st.sampled_from(NAMES), unique=True, min_size=1),
    st.lists(st.lists(TEXT, min_size=9, max_size=9), min_size=2, max_size=4),
)
def test_heads_of_the_same_names_are_read_as_one_by_one(names, rows):
    feed = Feed()  # compares what events write with their fields
    wanted = []
    for row in rows:
        lines = [f"{name}: {value}" for name, value in zip(names, row, strict=False)]
        head = "\r\n".join(["HTTP/1.1 204 Done", *lines]) + "\r\n\r\n"
        feed.data(TO_CLIENT, head.encode("latin-1"))
        wanted.append(tuple(header_lines(["", *lines])[0]))
    assert [event.headers for event in events(feed.statements) if isinstance(event, HttpResponse)] == wanted


@given(st.lists(st.sampled_from(DIGEST), min_size=2, max_size=5))
def test_credentials_are_read_as_one_by_one(values):
    feed = Feed()
    for value in values:
        feed.data(TO_SERVER, f"GET / HTTP/1.1\r\nAuthorization: {value}\r\nHost: h\r\n\r\n".encode())
    found = [event for event in events(feed.statements) if isinstance(event, HttpRequest)]
    assert [event.auth_user for event in found] == [credentials(value).user for value in values]
    assert [event.fields().get("iamt.http.auth.user", "") for event in found] == [event.auth_user for event in found]


@pytest.mark.parametrize("value", DIGEST[:2])
def test_a_plain_digest_response_needs_no_parsing_and_stays_masked(value):
    feed = Feed()
    feed.data(TO_SERVER, f"GET / HTTP/1.1\r\nAuthorization: {value}\r\nHost: h\r\n\r\n".encode())
    (event,) = [event for event in events(feed.statements) if isinstance(event, HttpRequest)]
    written = event.fields_json()
    assert written is not None
    assert value.encode() not in written
    fields = msgspec.json.decode(written)
    assert fields["http.authorization"] == fields["iamt.http.digest.response"] == "********"
    assert fields["iamt.http.auth.user"] == credentials(value).user
    assert fields["http.host"] == "h"


def test_forms_and_layouts_are_bounded(monkeypatch):
    monkeypatch.setattr(layouts, "_forms", {})
    for number in range(2 * layouts.MAX_DIGEST_FORMS):
        name = "".join("ab"[int(bit)] for bit in f"{number:09b}")
        layout = layouts.layout_of([("Authorization", "")])
        digest = layouts.Headers(layout, (f'Digest username="u",{name}=1',)).digest()
        assert (digest is not None) == (number < layouts.MAX_DIGEST_FORMS)
    assert len(layouts._forms) == layouts.MAX_DIGEST_FORMS
    monkeypatch.setattr(layouts, "_patterns", 0)
    for number in range(2 * layouts.MAX_LAYOUT_PATTERNS):
        layout = layouts.Layout((f"X-{number}",))
        layout.learn()
        assert layout.learned == (number < layouts.MAX_LAYOUT_PATTERNS)
    assert layouts.layout_of([("x" * (layouts.MAX_LAYOUT_SIZE + 1), "")]) is None
    assert layouts.layout_of([("a", "1"), ("A", "2")]) is None


def test_headers_stand_for_the_tuple_of_their_pairs():
    pairs = (("Host", "h"), ("Content-Length", "0"))
    layout = layouts.layout_of(pairs)
    assert layout is not None
    headers = layouts.Headers(layout, ("h", "0"))
    assert headers == pairs
    assert pairs == headers
    assert headers != pairs[:1]
    assert (hash(headers), repr(headers), len(headers)) == (hash(pairs), "<Host, Content-Length>", 2)
    assert (list(headers), headers[1], headers[:1]) == (list(pairs), pairs[1], pairs[:1])


@pytest.mark.parametrize(
    "line",
    [
        "Host:  h",
        "Host:h",
        "Host: h ",
        "Host: \th",
        "Host: ",
        "Host : h",
        "host: h",
        "Host: h\r",
        " Host: h",
        "X: h",
        "Host: \xa0h",
        "Host: \x0bh",
        "Host: h\tx",
        "Host: h\rx",
        "Host: h\nX: 1",
    ],
)
def test_a_head_that_is_not_written_plainly_is_read_as_one_by_one(line):
    feed = Feed()
    plain = "Host: plain\r\nDate: d"
    for head in (plain, plain, f"{line}\r\nDate: d", f"Host: h\r\n{line}\r\nDate: d", "Host: h\nDate: d"):
        feed.data(TO_CLIENT, f"HTTP/1.1 204 Done\r\n{head}\r\n\r\n".encode("latin-1"))
    found = [event.headers for event in events(feed.statements) if isinstance(event, HttpResponse)]
    wanted = [tuple(header_lines(["", *head.split("\n")])[0]) for head in (plain, plain, f"{line}\r\nDate: d")]
    assert found[:3] == wanted
    assert found[4] == (("Host", "h"), ("Date", "d"))


@pytest.mark.parametrize(
    "lines",
    [
        b"Transfer-Encoding: chunked",
        b"Transfer-Encoding: Chunked",
        b"Transfer-Encoding: gzip, chunked",
        b"Transfer-Encoding: chunked\r\nContent-Length: 5",
        b"Transfer-Encoding: chunked\r\nContent-Encoding: gzip",
        b"Transfer-Encoding: identity\r\nContent-Length: 22",
    ],
)
@pytest.mark.parametrize("trailer", [b"", b"X-Trailer: 1\r\n"])
def test_the_layout_of_a_head_tells_the_end_of_the_body_as_its_headers_do(monkeypatch, lines, trailer):
    def read() -> list[object]:
        feed = Feed()
        for _ in range(4):
            body = b"3\r\n<a/\r\n1\r\n>\r\n0\r\n" + trailer + b"\r\n"
            feed.data(TO_CLIENT, b"HTTP/1.1 200 OK\r\n" + lines + b"\r\n\r\n" + body)
        return [
            (event.headers, event.body_size) if isinstance(event, HttpResponse) else event
            for event in events(feed.statements)
        ]

    found = read()
    monkeypatch.setattr(framing, "layout_of", lambda _headers: None)
    monkeypatch.setattr(framing, "_latest", [None, None])
    assert read() == found
