"""Framing and pairing, value by value."""

from __future__ import annotations

import gzip
import zlib

import pytest
import wire
from http_streams import CONTEXT, Feed, events, limited, messages, run

import amtdecode
from amtdecode.model import End, Gap, LimitReached, Malformed, Note, Payload, Truncated, Unrecognised
from amtdecode.protocols.http import body, dissector
from amtdecode.protocols.http.events import HttpRequest, HttpResponse

GET = b"GET / HTTP/1.1\r\nHost: amt\r\n\r\n"
POST = b"POST /wsman HTTP/1.1\r\nHost: amt\r\nContent-Length: 4\r\n\r\n<a/>"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def chunked(head: bytes, *chunks: bytes) -> bytes:
    return head + b"Transfer-Encoding: chunked\r\n\r\n" + b"".join(chunks)


def test_a_request_and_its_response() -> None:
    request = b"POST /wsman HTTP/1.1\r\nHost: 192.0.2.10:16992\r\nUser-Agent:  x \r\nContent-Length: 4\r\n\r\n<a/>"
    response = (
        b"HTTP/1.1 200 OK\r\nServer: Intel(R) Active Management Technology 14.0.39.1339\r\n"
        b"Content-Type: application/soap+xml; charset=UTF-8\r\nContent-Length: 4\r\n\r\n<b/>"
    )
    statements = run([(0, request), (1, response)])
    assert [(s.direction, s.start, s.end) for s in statements] == [
        (0, 0, len(request)), (0, 0, len(request)), (1, 0, len(response)), (1, 0, len(response)),
    ]  # fmt: skip
    (asked, sent), (answered, got) = messages(statements)
    assert (sent, got) == (b"<a/>", b"<b/>")
    assert asked == HttpRequest(
        "POST", "/wsman", "HTTP/1.1",
        (("Host", "192.0.2.10:16992"), ("User-Agent", "x"), ("Content-Length", "4")), 4, True, 1,
    )  # fmt: skip
    assert asked.fields() == {
        "http.request": True,
        "http.request.method": "POST",
        "http.request.uri": "/wsman",
        "http.request.version": "HTTP/1.1",
        "http.host": "192.0.2.10:16992",
        "http.user_agent": "x",
        "http.content_length_header": "4",
        "http.content_length": 4,
        "iamt.http.body.size": 4,
        "iamt.http.exchange": 1,
    }
    assert isinstance(answered, HttpResponse)
    assert answered.fields() == {
        "http.response": True,
        "http.response.version": "HTTP/1.1",
        "http.response.code": 200,
        "http.response.phrase": "OK",
        "http.server": "Intel(R) Active Management Technology 14.0.39.1339",
        "http.content_type": "application/soap+xml; charset=UTF-8",
        "http.content_length_header": "4",
        "http.content_length": 4,
        "iamt.http.body.size": 4,
        "iamt.http.exchange": 1,
        "iamt.http.request.method": "POST",
        "iamt.http.request.uri": "/wsman",
        "iamt.product": "Intel(R) Active Management Technology",
        "iamt.version": "14.0.39.1339",
    }
    assert answered.summary() == "200 OK for POST /wsman"
    assert [event.hint for event in events(statements, Payload)] == ["iamt.soap", "iamt.soap"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        ((b"0004\r\nabcd\r\n", b"0\r\n\r\n"), b"abcd"),
        ((b"0425\r\n" + b"x" * 1061 + b"\r\n", b"003C\r\n" + b"y" * 60 + b"\r\n0\r\n\r\n"), b"x" * 1061 + b"y" * 60),
        ((b'4;name=value;other="a;b"\r\nabcd\r\n', b"0;last\r\n\r\n"), b"abcd"),
        ((b"4  \r\nabcd\r\n", b"0\r\nX-Sum: 1\r\nX-More: 2\r\n\r\n"), b"abcd"),
        ((b"2\nab\n", b"2\r\ncd\r\n", b"0\n\n"), b"abcd"),
        ((b"00000000000000000000000000000000004\r\nabcd\r\n0\r\n\r\n",), b"abcd"),
        ((b"0\r\n\r\n",), b""),
    ],
)  # fmt: skip
def test_chunks(chunks: tuple[bytes, ...], expected: bytes) -> None:
    response = chunked(b"HTTP/1.1 200 OK\r\n", *chunks)
    statements = run([(0, GET), (1, response + OK)])
    assert [body for _, body in messages(statements)][1:] == [expected, b"ok"]
    assert len(events(statements)) == 3  # and nothing to complain of
    assert messages(statements)[1][0].complete


def test_trailers_are_headers() -> None:
    ((response, _),) = messages(run([(1, chunked(b"HTTP/1.1 200 OK\r\n", b"0\r\nX-Sum: 1\r\n\r\n"))]))
    assert response.header("x-sum") == "1"


@pytest.mark.parametrize("size", [b"x", b"0x4", b"-4", b"+4", b"4_0", b"", b"4 4", b"11111111111111111"])
def test_a_chunk_size_that_is_none_loses_the_rest_of_the_message(size: bytes) -> None:
    response = chunked(b"HTTP/1.1 200 OK\r\n", b"2\r\nab\r\n" + size + b"\r\nabcd\r\n0\r\n\r\n")
    statements = run([(1, response + OK)])
    (first, kept), (second, whole) = messages(statements)
    assert (first.complete, kept, second.complete, whole) == (False, b"ab", True, b"ok")
    assert [event.reason for event in events(statements, Malformed)] == ["no chunk size where one is due"]  # type: ignore[attr-defined]


def test_a_body_that_ends_with_the_connection() -> None:
    response = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<a></a>"
    ((event, content),) = messages(run([(1, response)]))
    assert (event.complete, content) == (True, b"<a></a>")
    for end in (End.RESET, End.CAPTURE, End.EVICTED):
        statements = run([(1, response)], (end, end))
        ((event, content),) = messages(statements)
        assert (event.complete, content) == (False, b"<a></a>")
        assert events(statements, Truncated) == [Truncated("http", f"inside the body: {end.value}", len(response))]


def test_http_1_0() -> None:
    (asked, _), (answered, content) = messages(
        run([(0, b"GET / HTTP/1.0\r\n\r\n"), (1, b"HTTP/1.0 200 OK\r\n\r\nabc")])
    )
    assert (asked.version, answered.version, content) == ("HTTP/1.0", "HTTP/1.0", b"abc")


def test_pipelining() -> None:
    requests = b"".join(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % n for n in range(5))
    responses = b"".join(b"HTTP/1.1 20%d OK\r\nContent-Length: 1\r\n\r\n%d" % (n, n) for n in range(4))
    found = messages(run([(0, requests), (1, responses)]))
    answers = [(e.status, e.target, e.exchange, b) for e, b in found if isinstance(e, HttpResponse)]
    assert answers == [(200 + n, f"/{n}", n + 1, b"%d" % n if n != 4 else b"") for n in range(4)]


def test_interim_responses_answer_nothing() -> None:
    request = b"POST /wsman HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"
    statements = run([(0, request), (1, b"HTTP/1.1 100 Continue\r\n\r\n"), (0, b"<a/>"), (1, OK + OK)])
    found = [(e.status, e.exchange, e.target) for e in events(statements, HttpResponse)]  # type: ignore[attr-defined]
    assert found == [(100, 1, "/wsman"), (200, 1, "/wsman"), (200, 2, "")]
    assert [(p.head.complete, p.hint) for p in events(statements, Payload)] == [  # type: ignore[attr-defined]
        (True, ""), (True, "iamt.soap"), (True, "iamt.soap"), (True, ""),
    ]  # fmt: skip


def test_a_body_kept_back_because_no_100_came() -> None:
    request = b"POST /wsman HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"
    refusal = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"
    kept_back = Note("http", "the client waited for 100 Continue and kept the body back")
    statements = run([(0, request), (1, refusal)])
    assert [(e.complete, b) for e, b in messages(statements)] == [(True, b""), (False, b"")]
    assert events(statements, Note, Truncated) == [kept_back]
    again = [(0, POST[:9]), (0, POST[9:]), (1, OK)]
    statements = run([(0, request), (1, refusal), *again])
    assert [(e.complete, e.exchange, b) for e, b in messages(statements)] == [
        (True, 1, b""), (False, 1, b""), (True, 2, b"<a/>"), (True, 2, b"ok"),
    ]  # fmt: skip
    assert events(statements, Note, Truncated) == [kept_back]
    # a body that is text all the same, and one that the end of the capture hides
    for parts in (
        [(0, request), (0, b"PO"), (0, b"ST"), (1, refusal)],
        [(0, request), (1, refusal), (0, b"PO"), (0, b"ST")],
    ):
        (event, content), _ = sorted(messages(run(parts)), key=lambda found: isinstance(found[0], HttpResponse))
        assert (event.complete, content) == (True, b"POST")
    assert len(events(run([(0, request)], (End.CAPTURE, End.CAPTURE)), Truncated)) == 1


def test_responses_without_a_body_whatever_their_headers_say() -> None:
    head = b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"
    lengthy = b"Content-Length: 100\r\n\r\n"
    for request, status in ((head, b"200 OK"), (GET, b"204 No Content"), (GET, b"304 Not Modified")):
        statements = run([(0, request + GET), (1, b"HTTP/1.1 " + status + b"\r\n" + lengthy + OK)])
        assert [content for _, content in messages(statements)] == [b"", b"", b"", b"ok"]
        assert all(event.complete for event, _ in messages(statements))
        assert events(statements, Malformed, Truncated, Note) == []


def test_the_way_to_the_web_pages() -> None:
    response = (
        b"HTTP/1.1 303 See Other\r\nLocation: /logon.htm\r\nContent-Length: 0\r\n"
        b"Server: Intel(R) Active Management Technology 7.1.91\r\n\r\n"
    )
    _, (event, content) = messages(run([(0, GET), (1, response)]))
    assert isinstance(event, HttpResponse)
    assert event.summary() == "303 See Other to /logon.htm for GET /"
    assert (event.fields()["http.location"], event.amt_version, content) == ("/logon.htm", "7.1.91", b"")


@pytest.mark.parametrize(
    ("server", "product", "version"),
    [
        ("Intel(R) Active Management Technology 15.0.23.1706", "Intel(R) Active Management Technology", "15.0.23.1706"),
        ("Intel(R) Active Management Technology 3.0.5", "Intel(R) Active Management Technology", "3.0.5"),
        ("Intel(R) Standard Manageability 8.1.40", "Intel(R) Standard Manageability", "8.1.40"),
        ("Intel(R) Active Management Technology", "Intel(R) Active Management Technology", None),
        ("Apache/2.4.1", None, None),
        ("", None, None),
    ],
)
def test_the_version_of_amt(server: str, product: str | None, version: str | None) -> None:
    response = b"HTTP/1.1 200 OK\r\nServer: " + server.encode() + b"\r\nContent-Length: 0\r\n\r\n"
    ((event, _),) = messages(run([(1, response)]))
    assert (event.fields().get("iamt.product"), event.fields().get("iamt.version")) == (product, version)


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "deflate", "raw deflate", "gzip, deflate", "transfer"])
def test_compressed_bodies(coding: str) -> None:
    text = b"<a>" + b"amt " * 1000 + b"</a>"
    raw = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = {
        "gzip": gzip.compress(text),
        "x-gzip": gzip.compress(text),
        "deflate": zlib.compress(text),
        "raw deflate": raw.compress(text) + raw.flush(),
        "gzip, deflate": zlib.compress(gzip.compress(text)),
        "transfer": gzip.compress(text),
    }[coding]
    name = coding.removeprefix("raw ").encode()
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: " + name + b"\r\nContent-Length: %d\r\n\r\n" % len(packed)
    if coding == "transfer":
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n%X\r\n" % len(packed)
        packed += b"\r\n0\r\n\r\n"
    statements = run([(1, head + packed + OK)])
    (event, content), (_, behind) = messages(statements)
    assert (content, event.body_size, behind) == (text, len(text), b"ok")
    assert events(statements, Malformed) == []


def test_compression_that_fails_or_bursts(monkeypatch: pytest.MonkeyPatch) -> None:
    def given(packed: bytes, coding: bytes = b"gzip") -> tuple[bytes, list[str]]:
        head = b"HTTP/1.1 200 OK\r\nContent-Encoding: %b\r\nContent-Length: %d\r\n\r\n" % (coding, len(packed))
        statements = run([(1, head + packed + OK)])
        assert messages(statements)[1][1] == b"ok"
        return messages(statements)[0][1], [event.summary() for event in events(statements, Malformed, LimitReached)]

    assert given(b"<a/>") == (b"<a/>", ["malformed http: no gzip stream"])
    assert given(b"<a/>", b"br") == (b"<a/>", ["malformed http: coding br is not undone"])
    text, problems = given(gzip.compress(bytes(range(256)) * 9)[:-20])
    assert text
    assert (bytes(range(256)) * 9).startswith(text)
    assert problems == ["malformed http: gzip stream stops before its end"]
    monkeypatch.setattr(body, "DECODED_LIMIT", 5000)
    text, problems = given(gzip.compress(bytes(1_000_000)))
    assert (text, len(problems)) == (bytes(5000), 1)
    assert "DECODED_LIMIT" in problems[0]


def test_connect_and_upgrade_end_our_interest() -> None:
    connect = b"CONNECT amt:16993 HTTP/1.1\r\nHost: amt\r\n\r\n"
    upgrade = b"GET /redir HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
    answers = (b"HTTP/1.1 200 Connection established\r\n\r\n", b"HTTP/1.1 101 Go\r\nUpgrade: websocket\r\n\r\n")
    for request, answer, what in zip((connect, upgrade), answers, ("amt:16993", "websocket"), strict=True):
        feed = Feed()
        feed.data(0, request)
        feed.data(1, answer + b"\x16\x03\x01")
        assert feed.dissector.finished
        feed.eof(0)
        feed.eof(1)
        assert len(messages(feed.statements)) == 2
        assert events(feed.statements, Note) == [Note("http", f"the connection goes on as {what}, not looked into")]
        assert len(events(feed.statements)) == 3
    refused = run([(0, connect + GET), (1, b"HTTP/1.1 403 No\r\nContent-Length: 1\r\n\r\nx" + OK)])
    assert [content for _, content in messages(refused)] == [b"", b"", b"x", b"ok"]


def test_cut_by_the_end_of_the_capture() -> None:
    ends = (End.CAPTURE, End.CAPTURE)
    cut = POST[:-1]
    statements = run([(0, cut)], ends)
    ((event, content),) = messages(statements)
    assert (event.complete, content, event.fields()["iamt.http.incomplete"]) == (False, b"<a/", True)
    assert events(statements, Truncated) == [Truncated("http", "inside the body: the capture ends", len(cut), 1)]
    # inside a chunk, between chunks, behind the last one
    whole = chunked(b"HTTP/1.1 200 OK\r\n", b"0004\r\n<a/>\r\n0\r\n\r\n")
    for back, content, complete, missing in ((8, b"<a/", False, 1), (5, b"<a/>", False, 0), (2, b"<a/>", True, 0)):
        statements = run([(1, whole[:-back])], ends)
        assert [(e.complete, b) for e, b in messages(statements)] == [(complete, content)]
        assert [(e.missing, e.offset) for e in events(statements, Truncated)] == [(missing, len(whole) - back)]  # type: ignore[attr-defined]
    # inside the head: the headers that are there
    statements = run([(0, b"GET /a HTTP/1.1\r\nHost: amt\r\nUser-Ag")], ends)
    ((event, content),) = messages(statements)
    assert isinstance(event, HttpRequest)
    assert (event.target, event.headers, event.complete) == ("/a", (("Host", "amt"),), False)
    assert events(run([(0, b"GET /a HT")], ends)) == [Truncated("http", "inside the head: the capture ends", 9)]


def test_a_response_body_that_was_never_sent() -> None:
    response = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 693\r\nConnection: close\r\n\r\n"
    statements = run([(0, POST), (1, response)])
    assert [(e.complete, b) for e, b in messages(statements)] == [(True, b"<a/>"), (False, b"")]
    assert events(statements, Truncated)[0].missing == 693  # type: ignore[attr-defined]


def test_starting_inside_a_message() -> None:
    statements = run([(0, b"rest of a body</Envelope>" + POST), (1, b"tail\r\n0\r\n\r\n" + OK)])
    assert [(e.exchange, b) for e, b in messages(statements)] == [(1, b"<a/>"), (1, b"ok")]
    assert [event.summary() for event in events(statements, Note)] == [
        "http: does not begin with a request line: looking for the next",
        "http: in step again at a request line, 25 bytes passed over",
        "http: does not begin with a status line: looking for the next",
        "http: in step again at a status line, 11 bytes passed over",
    ]


def test_starting_with_a_response() -> None:
    statements = run([(1, OK), (0, GET), (1, OK), (0, POST), (1, OK)])
    found = [(e.exchange, e.method) for e in events(statements, HttpResponse)]  # type: ignore[attr-defined]
    assert found == [(0, ""), (1, "GET"), (2, "POST")]
    # the first response was of the first request, shown in the wrong order: the second then has its own
    statements = run([(1, OK), (0, GET), (0, POST), (1, OK)])
    assert [(e.exchange, e.method) for e in events(statements, HttpResponse)] == [(0, ""), (2, "POST")]  # type: ignore[attr-defined]


def test_a_response_shown_before_its_request() -> None:
    statements = run([(0, GET), (1, OK), (1, OK), (0, POST), (0, GET), (1, OK)])
    found = [(e.exchange, e.method) for e in events(statements, HttpRequest, HttpResponse)]  # type: ignore[attr-defined]
    assert found == [(1, "GET"), (1, "GET"), (2, ""), (2, "POST"), (3, "GET"), (3, "GET")]


def test_nothing_of_http() -> None:
    statements = run([(0, b"\x16\x03\x01\x00\x05hello\nabc"), (1, b"SSH-2.0-x\r\n")])
    assert [type(event) for event in events(statements)] == [Note, Note, Unrecognised, Unrecognised]
    assert events(statements, Unrecognised)[0] == Unrecognised("http", "14 bytes without a request line")


def test_a_gap_inside_a_body_of_known_length_keeps_step() -> None:
    request = b"POST /wsman HTTP/1.1\r\nContent-Length: 100\r\n\r\n"
    statements = run([(0, request + b"a" * 10), (0, 50), (0, b"a" * 40 + POST), (1, OK + OK)])
    assert [(e.complete, b) for e, b in messages(statements)] == [
        (False, b"a" * 10), (True, b"<a/>"), (True, b"ok"), (True, b"ok"),
    ]  # fmt: skip
    assert [e.exchange for e in events(statements, HttpResponse)] == [1, 2]  # type: ignore[attr-defined]
    gap = next(s for s in statements if isinstance(s.event, Gap))
    assert (gap.start, gap.end) == (len(request) + 10, len(request) + 60)


def test_a_gap_inside_a_chunk_keeps_step() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0064\r\n"
    statements = run([(1, head + b"a" * 10), (1, 50), (1, b"a" * 40 + b"\r\n0003\r\nabc\r\n0\r\n\r\n" + OK)])
    assert [(e.complete, b) for e, b in messages(statements)] == [(False, b"a" * 10), (True, b"ok")]


def test_a_gap_beyond_a_message_looks_for_the_next() -> None:
    statements = run([(0, POST), (0, 500), (0, b"rest" + GET), (1, OK), (1, OK), (1, OK)])
    assert [e.method for e in events(statements, HttpRequest)] == ["POST", "GET"]  # type: ignore[attr-defined]
    # how many requests were lost is not known: in lockstep, as AMT's clients work, the last asked is the next answered
    assert [e.method for e in events(statements, HttpResponse)] == ["GET", "", ""]  # type: ignore[attr-defined]
    statements = run([(0, b"POST /wsman HTTP/1.1\r\nHost: amt\r\nConte"), (0, 30), (0, b"\r\n\r\n" + POST)])
    assert [(e.complete, e.headers) for e, _ in messages(statements)] == [  # type: ignore[attr-defined]
        (False, (("Host", "amt"),)), (True, (("Host", "amt"), ("Content-Length", "4"))),
    ]  # fmt: skip


def test_a_lost_response_does_not_shift_the_following() -> None:
    statements = run([(0, GET), (1, 200), (0, POST), (1, OK), (0, GET), (1, OK)])
    found = [(e.exchange, e.method) for e in events(statements, HttpResponse)]  # type: ignore[attr-defined]
    assert found == [(2, "POST"), (3, "GET")]


def test_a_bare_400_and_an_error_page() -> None:
    bare = b"HTTP/1.1 400 Bad Request\r\n\r\n"
    statements = run([(0, POST), (1, bare)])
    assert [(e.complete, b) for e, b in messages(statements)] == [(True, b"<a/>"), (True, b"")]
    assert events(statements, Payload)[1].hint == "iamt.soap"  # type: ignore[attr-defined]
    page = b"<html><body>Log on failed.</body></html>"
    denied = b"HTTP/1.1 401 Unauthorized\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(page) + page
    assert messages(run([(0, GET), (1, denied)]))[1][1] == page


def test_bodies_for_the_soap_room() -> None:
    def hint(head: bytes) -> str:
        return events(run([(0, head + b"Content-Length: 0\r\n\r\n")]), Payload)[0].hint  # type: ignore[attr-defined]

    assert hint(b"POST /wsman HTTP/1.1\r\n") == "iamt.soap"
    assert hint(b"POST /SecurityAdministrationService HTTP/1.1\r\n") == "iamt.soap"
    assert hint(b'POST /x HTTP/1.1\r\nSOAPAction: "a#b"\r\n') == "iamt.soap"
    assert hint(b"POST /x HTTP/1.1\r\nContent-Type: application/soap+xml;charset=UTF-8\r\n") == "iamt.soap"
    assert hint(b"POST /x HTTP/1.1\r\nContent-Type: text/plain\r\n") == ""
    assert hint(b"GET /logon.htm HTTP/1.1\r\n") == ""
    lone = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 0\r\n\r\n"
    assert events(run([(1, lone)]), Payload)[0].hint == "iamt.soap"  # type: ignore[attr-defined]


def test_odd_heads() -> None:
    request = b"\r\n\r\nGET /a b HTTP/1.1\nHost : amt\n X: y\nno colon\nAccept: a\nAccept: b\n\n" + GET
    statements = run([(0, request)])
    (first, _), (second, _) = messages(statements)
    assert isinstance(first, HttpRequest)
    assert first.target == "/a b"
    assert first.headers == (("Host", "amt X: y"), ("Accept", "a"), ("Accept", "b"))
    assert first.fields()["http.accept"] == "a, b"
    assert first.header("accept") == "a"
    assert first.header("nothing") == ""
    assert second.header("host") == "amt"
    assert [event.summary() for event in events(statements, Malformed)] == [
        "malformed http: 1 of 5 header lines without a name, 1 of 5 header lines with a space before the colon"
    ]


@pytest.mark.parametrize(
    ("line", "header", "fault"),
    [
        (b"Host : amt", ("Host", "amt"), "1 of 2 header lines with a space before the colon"),
        (b"Host\t: amt", ("Host", "amt"), "1 of 2 header lines with a space before the colon"),
        (b"Host: a\0b", ("Host", "a\0b"), "1 of 2 header lines with control characters"),
        (b"Ho\x1bst: a", ("Ho\x1bst", "a"), "1 of 2 header lines with control characters"),
        (b"Host: a\rb", ("Host", "a\rb"), "1 of 2 header lines with control characters"),
        (b"Host: a\x7f", ("Host", "a\x7f"), "1 of 2 header lines with control characters"),
        (b"Host: a\tb", ("Host", "a\tb"), ""),
        (b"Host: caf\xe9\xa0\x85", ("Host", "café\xa0\x85"), ""),
    ],
)
def test_header_lines_that_no_sender_may_write(line: bytes, header: tuple[str, str], fault: str) -> None:
    """They are read, as most receivers do, and told (RFC 9112 §5.1, RFC 9110 §5.5)."""
    statements = run([(0, b"GET / HTTP/1.1\r\n" + line + b"\r\nAccept: x\r\n\r\n")])
    ((event, _),) = messages(statements)
    assert event.headers == (header, ("Accept", "x"))
    assert [event.reason for event in events(statements, Malformed)] == ([fault] if fault else [])  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("direction", "line", "words", "note"),
    [
        (1, b"HTTP/1.1  401 Unauthorized", (401, "Unauthorized", "HTTP/1.1"), "several spaces before the status"),
        (1, b"HTTP/1.0    200", (200, "", "HTTP/1.0"), "several spaces before the status"),
        (1, b"HTTP/2.0 200 OK", (200, "OK", "HTTP/2.0"), "HTTP/2.0 in a message of text, read as HTTP/1.1"),
        (0, b"GET /x HTTP/2.0", ("GET", "/x", "HTTP/2.0"), "HTTP/2.0 in a message of text, read as HTTP/1.1"),
    ],
)
@pytest.mark.parametrize("ending", [b"\r\n\r\n", b"\r\nContent-Le"])
def test_first_lines_that_are_odd(direction: int, line: bytes, words: tuple, note: str, ending: bytes) -> None:
    statements = run([(direction, line + ending)])
    ((event, _),) = messages(statements)
    found = (event.status, event.reason, event.version) if direction else (event.method, event.target, event.version)
    assert found == words
    (told,) = [statement for statement in statements if isinstance(statement.event, Note)]
    assert (told.event.what, told.start, told.end) == (note, 0, len(line))


@pytest.mark.parametrize("size", [1, 100, 1460, 9000])
def test_a_first_request_line_of_almost_8_kilobytes(size: int) -> None:
    """In a capture, with packets of any size: what recognises it sees less of it than the whole line."""
    target = b"/index.htm?" + b"x" * 8100
    talk = wire.Talk(dport=16992)
    request = b"GET " + target + b" HTTP/1.1\r\nHost: amt\r\n\r\n"
    pieces = [request[at : at + size] for at in range(0, len(request), size)]
    frames = [*talk.open(), *(frame for piece in pieces for frame in talk.say(piece)), *talk.close()]
    found = [one.event for one in amtdecode.read(wire.pcap(wire.frames(frames)))]
    assert [(event.method, event.target.encode()) for event in found if isinstance(event, HttpRequest)] == [
        ("GET", target)
    ]


@pytest.mark.parametrize(
    ("lengths", "problem"),
    [
        (b"Content-Length: 2, 2\r\n", None),
        (b"Content-Length: 2\r\nContent-Length: 2\r\n", None),
        (b"Content-Length: 00000000000000000000000002\r\n", None),
        (b"Content-Length: 2\r\nContent-Length: 3\r\n", "Content-Length is no number"),
        (b"Content-Length: -2\r\n", "Content-Length is no number"),
        (b"Content-Length: \xb2\r\n", "Content-Length is no number"),
        (b"Content-Length: 99999999999999999999\r\n", "Content-Length has 20 digits"),
        (b"Transfer-Encoding: odd\r\n", "Transfer-Encoding odd does not tell where the body ends"),
    ],
)
def test_lengths(lengths: bytes, problem: str | None) -> None:
    statements = run([(1, b"HTTP/1.1 200 OK\r\n" + lengths + b"\r\nok")])
    ((event, content),) = messages(statements)
    assert (content, event.complete) == (b"ok", True)
    assert [event.reason for event in events(statements, Malformed)] == ([problem] if problem else [])  # type: ignore[attr-defined]


def test_chunks_outrank_a_length() -> None:
    response = chunked(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n", b"2\r\nab\r\n0\r\n\r\n")
    statements = run([(1, response + OK)])
    assert [content for _, content in messages(statements)] == [b"ab", b"ok"]
    assert events(statements, Malformed) == [Malformed("http", "both Content-Length and Transfer-Encoding are given")]


def test_the_limit_of_a_body(monkeypatch: pytest.MonkeyPatch) -> None:
    limited(monkeypatch, BODY_LIMIT=100)
    size = 10_000
    by_length = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"a" * size
    in_chunks = chunked(b"HTTP/1.1 200 OK\r\n", *[b"07D0\r\n" + b"a" * 2000 + b"\r\n"] * 5, b"0\r\n\r\n")
    for response in (by_length, in_chunks):
        for step in (1, 77, 1460, 100_000):
            parts = [(1, (response + OK)[at : at + step]) for at in range(0, len(response + OK), step)]
            statements = run([(0, GET + GET), *parts])
            assert [(e.complete, b) for e, b in messages(statements)][2:] == [(False, b"a" * 100), (True, b"ok")]
            assert [e.limit for e in events(statements, LimitReached)] == ["BODY_LIMIT"]  # type: ignore[attr-defined]
            assert events(statements, HttpResponse)[1].exchange == 2  # type: ignore[attr-defined]
    exact = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + b"a" * 100
    assert [e.complete for e, _ in messages(run([(1, exact)]))] == [True]


def test_what_is_beyond_the_limit_is_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    limited(monkeypatch, BODY_LIMIT=100)
    feed = Feed()
    feed.data(1, b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + b"a" * 101)
    assert feed.dissector.skip_bytes == [0, 4899]
    feed.gap(1, 1000)
    assert feed.dissector.skip_bytes == [0, 3899]
    feed.data(1, b"a" * 3899 + OK)
    assert [content for _, content in messages(feed.statements)] == [b"a" * 100, b"ok"]


def test_other_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    limited(monkeypatch, HEAD_LIMIT=500, HEADERS_LIMIT=5, TRAILER_LIMIT=50, CHUNK_LINE_LIMIT=50, LINE_LIMIT=100)
    monkeypatch.setattr(dissector, "PENDING_LIMIT", 4)

    def limits(data: bytes) -> tuple[list[str], bytes]:
        statements = run([(1, data + OK)])
        return [event.limit for event in events(statements, LimitReached)], messages(statements)[-1][1]  # type: ignore[attr-defined]

    assert limits(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 600 + b"\r\n\r\n") == (["HEAD_LIMIT"], b"ok")
    assert limits(b"HTTP/1.1 200 OK\r\n" + b"X: x\r\n" * 6 + b"Content-Length: 0\r\n\r\n") == (["HEADERS_LIMIT"], b"ok")
    assert limits(chunked(b"HTTP/1.1 200 OK\r\n", b"0\r\nX: " + b"x" * 50 + b"\r\n\r\n")) == (["TRAILER_LIMIT"], b"ok")
    assert limits(chunked(b"HTTP/1.1 200 OK\r\n", b"1;" + b"x" * 50 + b"\r\na\r\n0\r\n\r\n")) == ([], b"ok")
    assert limits(b"HTTP/1.1 200 " + b"x" * 100 + b"\r\n\r\n") == ([], b"ok")
    statements = run([(0, GET * 6)])
    assert [event.limit for event in events(statements, LimitReached)] == ["PENDING_LIMIT"]  # type: ignore[attr-defined]


def test_an_unhurried_head_costs_no_more_than_it_must() -> None:
    feed = Feed(CONTEXT)
    for byte in b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 3000:
        feed.data(0, bytes([byte]))
    assert feed.statements == []
    feed.data(0, b"\r\n")
    assert len(messages(feed.statements)) == 1
