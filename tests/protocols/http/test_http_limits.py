"""Framing at the last value of each limit, and what stands behind gaps and early ends."""

from __future__ import annotations

import pytest
from http_streams import events, limited, messages, run

from amtdecode.model import End, Gap, LimitReached, Malformed, Note, Truncated, Unrecognised

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


def told(statements):
    """The messages, as complete, body and headers, and what else was said."""
    read = [(event.complete, body) for event, body in messages(statements)]
    return read, events(statements, Gap, LimitReached, Malformed, Note, Truncated, Unrecognised)


@pytest.mark.parametrize(("size", "limit"), [(400, []), (401, ["HEAD_LIMIT"])])
def test_the_largest_head(monkeypatch, size, limit):
    """What fills the limit with the line end of its last header is a whole head yet."""
    limited(monkeypatch, HEAD_LIMIT=400)
    head = HEAD + b"X: "
    head += b"x" * (size - len(head) - 4) + b"\r\n\r\n"
    assert len(head) == size
    for step in (1, 50, 1000):
        data = head + OK
        parts = [(1, data[at : at + step]) for at in range(0, len(data), step)]
        statements = run(parts)
        assert [event.limit for event in events(statements, LimitReached)] == limit
        if limit:
            assert messages(statements)[-1][1] == b"ok"


@pytest.mark.parametrize(("count", "limit"), [(5, []), (6, ["HEADERS_LIMIT"])])
def test_the_most_headers(monkeypatch, count, limit):
    limited(monkeypatch, HEADERS_LIMIT=5)
    statements = run([(1, HEAD + b"".join(b"X-%d: x\r\n" % number for number in range(count)) + b"\r\n")])
    assert [event.limit for event in events(statements, LimitReached)] == limit
    ((event, _),) = messages(statements)
    assert [name for name, _ in event.headers] == [f"X-{number}" for number in range(5)]


@pytest.mark.parametrize(("size", "read"), [(99, True), (100, False)])
def test_the_longest_first_line(monkeypatch, size, read):
    limited(monkeypatch, LINE_LIMIT=100)
    line = b"GET /" + b"x" * (size - 5 - 10) + b" HTTP/1.1\r"
    assert len(line) == size
    for step in (1, 1000):
        data = line + b"\nA: b\r\n\r\n"
        parts = [(0, data[at : at + step]) for at in range(0, len(data), step)]
        assert len(messages(run(parts))) == read


@pytest.mark.parametrize(("size", "limit"), [(48, []), (49, ["TRAILER_LIMIT"])])
def test_the_largest_trailers(monkeypatch, size, limit):
    """Their empty line counts."""
    limited(monkeypatch, TRAILER_LIMIT=50)
    trailers = b"A: b\r\nX: " + b"x" * (size - 11) + b"\r\n"
    assert len(trailers) == size
    statements = run([(1, CHUNKED + b"2\r\nab\r\n0\r\n" + trailers + b"\r\n" + OK)])
    assert [event.limit for event in events(statements, LimitReached)] == limit
    assert [body for _, body in messages(statements)] == [b"ab", b"ok"]
    names = [name for name, _ in messages(statements)[0][0].headers]
    assert names == ["Transfer-Encoding", "A", "X"]


def test_faults_are_stated_from_the_beginning_of_their_message_to_where_it_is_lost(monkeypatch):
    limited(monkeypatch, TRAILER_LIMIT=20)
    chunk = CHUNKED + b"2\r\nab"
    for data, kind, lost in (
        (OK + chunk + b"\r\n0\r\nA: b\r\n" + b"X: " + b"x" * 30 + b"\r\n\r\n", LimitReached, b"X: xxx"),
        (OK + chunk + b"X\r\n0\r\n\r\n", Malformed, b"X\r\n0"),
        (OK + chunk + b"\r\nzz\r\n\r\n", Malformed, b"zz\r\n"),
    ):
        (fault,) = [statement for statement in run([(1, data)]) if isinstance(statement.event, kind)]
        assert (fault.start, fault.end) == (len(OK), data.index(lost) + 1)


def test_trailers_count_among_the_headers_and_lines_without_a_colon_do_not(monkeypatch):
    limited(monkeypatch, HEADERS_LIMIT=3)
    statements = run([(1, CHUNKED + b"0\r\nnone\r\nA : b \r\nC:d\r\nE: f\r\n\r\n" + OK)])
    (event, body), second = messages(statements)
    assert [*event.headers] == [("Transfer-Encoding", "chunked"), ("A", "b"), ("C", "d")]
    assert (event.complete, body, second[1]) == (True, b"", b"ok")


def test_trailers_that_never_end_leave_the_body_whole():
    statements = run([(1, CHUNKED + b"2\r\nab\r\n0\r\nA: b\r\n")])
    read, other = told(statements)
    assert read == [(True, b"ab")]
    (event,) = other
    assert isinstance(event, Truncated)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"2\r\nabX\r\n0\r\n\r\n", "a chunk is longer than its size says"),
        (b"x\r\nab\r\n0\r\n\r\n", "no chunk size where one is due"),
    ],
)
def test_chunks_that_break_the_rules(body, text):
    read, other = told(run([(1, CHUNKED + body + OK)]))
    assert read[-1] == (True, b"ok")
    assert not read[0][0]
    assert other[0] == Malformed("http", text)


@pytest.mark.parametrize("newline", [b"\r\n", b"\n"])
def test_a_chunk_whose_line_end_comes_later(newline):
    for first in (b"2000\r\n" + b"a" * 0x2000, b"2000\r\n" + b"a" * 0x1000):
        rest = b"a" * (0x2006 - len(first)) + newline + b"0\r\n\r\n" + OK
        slow = max(0, len(rest) - 60)
        parts = [(1, CHUNKED + first), (1, rest[:slow]), *[(1, rest[at : at + 1]) for at in range(slow, len(rest))]]
        assert [(len(body), event.complete) for event, body in messages(run(parts))] == [(0x2000, True), (2, True)]


@pytest.mark.parametrize(
    ("data", "gap", "behind", "read", "complete"),
    [
        (HEAD + b"Content-Length: 10\r\n\r\n0123", 6, OK, [b"0123", b"ok"], [False, True]),
        (HEAD + b"Content-Length: 10\r\n\r\n0123", 4, b"89" + OK, [b"0123", b"ok"], [False, True]),
        (HEAD + b"Content-Length: 10\r\n\r\n0123", 7, b"TTP/1.1 404 Not\r\n\r\n" + OK, [b"0123", b"ok"], [False, True]),
        (CHUNKED + b"4\r\nabcd\r\n8\r\nxy", 6, b"\r\n0\r\n\r\n" + OK, [b"abcdxy", b"ok"], [False, True]),
        (CHUNKED + b"4\r\nabcd\r\n8\r\nxy", 20, OK, [b"abcdxy", b"ok"], [False, True]),
        (CHUNKED + b"4\r\nabcd\r\n", 20, OK, [b"abcd", b"ok"], [False, True]),
        (HEAD + b"A: b\r\nContent-Le", 20, OK, [b"", b"ok"], [False, True]),
        (b"HTTP/1.1 20", 20, OK, [b"ok"], [True]),
        (OK, 20, OK, [b"ok", b"ok"], [True, True]),
    ],
)
def test_behind_missing_bytes(data, gap, behind, read, complete):
    statements = run([(0, b"GET / HTTP/1.1\r\n\r\n" * 3), (1, data), (1, gap), (1, behind)])
    answers = [(event.complete, body) for event, body in messages(statements) if hasattr(event, "status")]
    assert answers == list(zip(complete, read, strict=True))
    (hole,) = [statement for statement in statements if isinstance(statement.event, Gap)]
    assert hole.event == Gap("http", gap)
    assert (hole.start, hole.end) == (len(data), len(data) + gap)


def test_a_body_that_ends_with_its_connection_goes_on_behind_a_gap():
    statements = run([(1, HEAD + b"\r\nabc"), (1, 5), (1, b"def")])
    ((event, body),) = [pair for pair in messages(statements) if hasattr(pair[0], "status")]
    assert (event.complete, body) == (False, b"abc")


@pytest.mark.parametrize(
    ("data", "end", "read", "missing", "where"),
    [
        (HEAD + b"Content-Length: 10\r\n\r\n0123", End.FIN, [(False, b"0123")], 6, "inside the body"),
        (HEAD + b"Content-Length: 10\r\n\r\n", End.RESET, [(False, b"")], 10, "inside the body"),
        (CHUNKED + b"4\r\nabcd\r\n8\r\nxy", End.CAPTURE, [(False, b"abcdxy")], 6, "inside the body"),
        (CHUNKED + b"4\r\nabcd\r\n", End.FIN, [(False, b"abcd")], 0, "inside the body"),
        (HEAD + b"A: b\r\nCon", End.FIN, [(False, b"")], 0, "inside the head"),
        (b"HTTP/1.1 200", End.FIN, [], 0, "inside the head"),
        (HEAD + b"\r\nabc", End.CAPTURE, [(False, b"abc")], 0, "inside the body"),
        (HEAD + b"\r\nabc", End.RESET, [(False, b"abc")], 0, "inside the body"),
    ],
)
def test_early_ends(data, end, read, missing, where):
    statements = run([(1, data)], (End.FIN, end))
    assert told(statements)[0] == read
    (cut,) = [statement for statement in statements if isinstance(statement.event, Truncated)]
    assert cut.event == Truncated("http", f"{where}: {end.value}", len(data), missing)
    assert (cut.start, cut.end) == (0, len(data))


def test_a_body_until_the_end_of_its_connection_is_whole_when_that_ends_in_order():
    assert told(run([(1, HEAD + b"\r\nabc")])) == ([(True, b"abc")], [])


def test_nothing_is_said_of_ends_between_messages():
    for data in (b"", OK, OK + b"\r\n"):
        assert told(run([(1, data)]))[1] == []


def test_bytes_that_are_no_http_are_counted_once_when_they_end():
    data = b"\x10\0\0\0\n" * 10
    statements = run([(0, data)])
    read, other = told(statements)
    assert read == []
    assert other[0] == Note("http", "does not begin with a request line: looking for the next")
    assert other[-1] == Unrecognised("http", f"{len(data)} bytes without a request line")
    assert len(other) == 2
    statements = run([(1, OK + b"junk\n" + OK)])
    read, other = told(statements)
    assert read == [(True, b"ok"), (True, b"ok")]
    assert other == [
        Malformed("http", "no status line where one is due"),
        Note("http", "in step again at a status line, 5 bytes passed over"),
    ]


def test_empty_lines_ahead_of_a_message_and_bare_line_feeds():
    for lead in (b"\r\n", b"\n\n", b"\r\n\r\n"):
        read, other = told(run([(1, lead + OK + lead + OK)]))
        assert (read, other) == ([(True, b"ok")] * 2, [])
    bare = b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok"
    assert told(run([(1, bare + OK)])) == ([(True, b"ok")] * 2, [])
    mixed = b"HTTP/1.1 200 OK\nContent-Length: 6\n\n\r\n\r\nok" + OK
    assert told(run([(1, mixed)])) == ([(True, b"\r\n\r\nok"), (True, b"ok")], [])
