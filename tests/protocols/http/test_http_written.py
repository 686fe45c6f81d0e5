"""What messages write as JSON, and which credentials they hold, for heads of any kind."""

from __future__ import annotations

from http_streams import Feed, events
from hypothesis import given
from hypothesis import strategies as st

from amtdecode.model import TO_CLIENT, TO_SERVER
from amtdecode.protocols.http.auth import credentials
from amtdecode.protocols.http.events import HttpRequest, HttpResponse

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
    st.lists(st.sampled_from(NAMES), min_size=1),
    st.lists(TEXT, min_size=9, max_size=9),
)
def test_what_messages_write_is_what_their_fields_say(names, row):
    feed = Feed()  # compares the two
    lines = [f"{name}: {value}" for name, value in zip(names, row, strict=False)]
    head = "\r\n".join(["HTTP/1.1 204 Done", *lines]) + "\r\n\r\n"
    feed.data(TO_CLIENT, head.encode("latin-1"))
    (event,) = [event for event in events(feed.statements) if isinstance(event, HttpResponse)]
    assert [name for name, _ in event.headers] == names[:9]


@given(st.lists(st.sampled_from(DIGEST), min_size=2, max_size=5))
def test_credentials_are_read_by_their_event(values):
    feed = Feed()
    for value in values:
        feed.data(TO_SERVER, f"GET / HTTP/1.1\r\nAuthorization: {value}\r\nHost: h\r\n\r\n".encode())
    found = [event for event in events(feed.statements) if isinstance(event, HttpRequest)]
    assert [event.auth_user for event in found] == [credentials(value).user for value in values]
    assert [event.fields().get("iamt.http.auth.user", "") for event in found] == [event.auth_user for event in found]
