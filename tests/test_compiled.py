"""The compiled module of texts says what Python says: fields as JSON, and which texts may hold a secret."""

from __future__ import annotations

from typing import ClassVar

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amtdecode.compiled import TEXTS
from amtdecode.fields import STRING, Field, Fields
from amtdecode.masking import masked, text
from amtdecode.model import TO_CLIENT, TO_SERVER, Event
from amtdecode.protocols.http import auth, body_framing, framing
from amtdecode.protocols.http.body import body_end
from amtdecode.protocols.soap.events import SoapRequest
from amtdecode.protocols.soap.values import Values

pytestmark = pytest.mark.skipif(TEXTS is None, reason="the compiled module is not built, or left out")

TEXT = st.text(st.characters(codec="utf-8"), max_size=60) | st.sampled_from(
    (
        "password: x y",
        "PIN 1234",
        "a@b",
        "9_a",
        "_9a",
        "ABCD-EFGH-1234-5678-ABCD-EFGH-1234-5678",
        "uuid:00000000-8086-8086-8086-000000000000",
        "admin with hunter2",
        'say "x" \\ \x00\x1f\x7f\n\t\b\f\r',
        "a" * 40,
        "http://intel.com/wbem/wscim/1/amt-schema/1/AMT_AuthorizationService",
    )
)
VALUE = st.one_of(TEXT, st.booleans(), st.integers(), st.none(), st.floats(allow_nan=False), st.lists(TEXT, max_size=4))
TO_BOTH = (TO_SERVER, TO_CLIENT)
NAMES = ("plain", "free", "secret", "other")


class Told(Event, frozen=True):
    declared: ClassVar[Fields] = (
        Field("plain", STRING, "as it is"),
        Field("free", STRING, "somebody wrote it", free=True),
        Field("secret", STRING, "a password", secret=True),
    )
    held: dict

    def fields(self):
        return self.held


@given(st.dictionaries(st.sampled_from(NAMES), VALUE))
def test_fields_are_written_as_msgspec_writes_what_is_masked(held):
    if not isinstance(held.get("free", ""), str | list):
        held.pop("free")
    event = Told(held)
    written = event.fields_json()
    if written is not None:
        assert written == msgspec.json.encode(event.masked_fields())


def test_texts_numbers_and_lists_are_written_here_and_other_values_are_not():
    assert (
        Told({"plain": 'a"\x01é', "other": [1, True]}).fields_json()
        == '{"plain":"a\\"\\u0001é","other":[1,true]}'.encode()
    )
    assert Told({"secret": ["a", "b"], "free": ["password=x"]}).fields_json() == (
        b'{"secret":["********","********"],"free":["password=********"]}'
    )
    assert Told({}).fields_json() == b"{}"
    for value in (None, 1.5, {"a": 1}, 1 << 70, b"x", (1, 2)):
        assert Told({"plain": value}).fields_json() is None
    with pytest.raises(UnicodeEncodeError):
        Told({"plain": "\udc80"}).fields_json()


PAIRS = st.lists(
    st.tuples(st.sampled_from(("HostName", "a/Password", "Items/X[1]/PowerState", "Realm")), TEXT | st.just("8"))
)


@given(PAIRS, PAIRS)
def test_values_by_path_are_written_as_their_lines(arguments, headers):
    event = SoapRequest(
        "wsman", "1.2", class_name="CIM_X", method="Get", arguments=Values(arguments), headers=Values(headers)
    )
    assert event.fields_json() == msgspec.json.encode(event.masked_fields())


@given(TEXT)
def test_a_stem_is_found_wherever_it_stands(line):
    expected = not line.isascii() or any(stem in line.lower() for stem in (*text._STEMS, "@", "%"))
    assert TEXTS.has_stem(line) is expected
    assert masked(line) == text._masked(line) or text._PLAIN.fullmatch(line)


@pytest.mark.parametrize("stem", text._STEMS)
def test_each_stem_is_found(stem):
    for line in (stem, f"x{stem.upper()}", f"{stem}x", f"  {stem} "):
        assert TEXTS.has_stem(line)
    assert not TEXTS.has_stem(stem[:-1][:1] + "\x1f" + stem[1:2])


LINE = st.sampled_from(
    (
        b"Host: a",
        b"Host:b\r",
        b"Server: x y ",
        b"X: \t",
        b"Folded:",
        b" more",
        b"No colon",
        b": none",
        b"A : b",
        b"C:\x01",
        b"D:\xe9",
        b"",
    )
) | st.binary(max_size=12)


FIRST = st.sampled_from(
    (
        b"POST /wsman HTTP/1.1\r",
        b"GET / HTTP/1.0",
        b"GET  / HTTP/1.1",
        b"GET / HTTP/2.0",
        b"M-X / HTTP/1.1",
        b"GET /a b HTTP/1.1",
        b"GET / HTTP/1.1 ",
        b"HTTP/1.1 200 OK\r",
        b"HTTP/1.1 200 Not Found \r",
        b"HTTP/1.1 200",
        b"HTTP/1.1 200 ",
        b"HTTP/1.1  200 OK",
        b"HTTP/1.1 099 x",
        b"HTTP/1.1 2000",
        b"HTTP/1.1 20\xb2",
        b"",
    )
) | st.binary(max_size=30)


class Heard:
    """What a reader tells its owner: `read` twice, with the compiled module and without."""

    def __init__(self):
        self.skip_bytes, self.told = [0, 0], []

    def on_head(self, reader):
        self.told.append((reader.begin, reader.first, tuple(reader.headers), [*reader.index.items()]))
        mode, size, problem = body_end(reader.index, bool(reader.direction))
        self.told.append(problem)
        return mode, size

    def on_message(self, reader, body, complete, end):
        self.told.append((body, complete, end))

    def is_answered(self, _reader):
        return False

    def on_lost(self, _reader):
        self.told.append("lost")

    def state(self, event, direction, start, end):
        self.told.append((event, direction, start, end))

    @classmethod
    def of(cls, data, direction, cut):
        owner, reader = cls(), framing.message_reader(direction)
        for piece in (data[:cut], data[cut:]):
            reader.receive(owner, piece)
        return owner.told, reader.floor()


def agree(data, direction, cut):
    read = Heard.of(data, direction, cut)
    with pytest.MonkeyPatch.context() as patch:
        for module in (framing, body_framing):
            patch.setattr(module, "TEXTS", None)
        assert read == Heard.of(data, direction, cut)


@given(FIRST, st.lists(LINE, max_size=6), st.sampled_from(TO_BOTH), st.integers(0, 80))
def test_heads_are_read_as_python_reads_them_or_left_to_it(first, lines, direction, cut):
    agree(b"\n".join((first, *lines, b"", b"GET / HTTP/1.1", b"", b"")), direction, cut)


CHUNK = st.sampled_from(
    (
        b"3\r\nabc\r\n",
        b"0003\r\nabc\r\n",
        b"A\r\n0123456789\r\n",
        b"3;x=y\r\nabc\r\n",
        b"3\nabc\n",
        b"4\r\nabc\r\n",
        b"3\r\nabcd\r\n",
        b"0x3\r\nabc\r\n",
        b"\r\n",
        b"-1\r\n",
        b"0\r\nTrailer: x\r\n",
    )
)


@given(
    st.lists(CHUNK, max_size=4),
    st.sampled_from((b"0\r\n\r\n", b"000\r\n\r\nHTTP/1.1 ", b"0\r\n", b"")),
    st.integers(0, 120),
)
def test_chunks_are_read_as_python_reads_them_or_left_to_it(chunks, last, cut):
    agree(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"".join(chunks) + last, TO_CLIENT, cut)


def test_the_usual_head_is_read_here():
    head = b"HTTP/1.1 200 Very OK\r\nHost: a\r\nContent-Length:  5\t\r\nX:\r\n\r\n"
    read = (
        len(head) + 1,
        ("HTTP/1.1", "200", "Very OK"),
        [("Host", "a"), ("Content-Length", "5"), ("X", "")],
        {"host": "a", "content-length": "5", "x": ""},
    )
    assert TEXTS.head(b"." + head + b"..", 1, (1000, 99, 9), True) == read
    assert TEXTS.head(b"." + head, 1, (len(head), 22, 3), True) == read
    assert TEXTS.head(b"." + head, 1, (len(head) - 1, 22, 3), True) is None
    assert TEXTS.head(head, 0, (1000, 21, 3), True) is None
    assert TEXTS.head(head, 0, (1000, 22, 2), True) is None
    assert TEXTS.head(head, len(head) + 1, (1000, 99, 9), True) is None
    assert TEXTS.head(b"POST /a HTTP/1.1\n\n", 0, (1000, 99, 9), False) == (18, ("POST", "/a", "HTTP/1.1"), [], {})
    for odd in (b"Host: a\nhost: b", b"a", b"A : b", b" a: b", b"a: \x01", b"a: \xe9"):
        assert TEXTS.head(b"POST /a HTTP/1.1\n" + odd + b"\n\n", 0, (1000, 99, 9), False) is None


def test_a_body_in_chunks_is_read_here():
    chunks = b"3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n"
    assert TEXTS.chunks(b"--" + chunks + b"more", 2, 13) == (b"abc0123456789", 2 + len(chunks))
    assert TEXTS.chunks(chunks, 0, 12) is None
    for size in range(len(chunks)):
        assert TEXTS.chunks(chunks[:size], 0, 13) is None


LOOKS = st.sampled_from(
    ("-----BEGIN RSA ", "RSA 0123456789abcdef  x", "eyJhbGciOiJI.e30", "A1b2-", "A1b2", "+/", "=", " ", "x.", "_")
)


@given(st.lists(LOOKS, max_size=16))
def test_what_its_looks_tell_is_masked_in_free_text(pieces):
    event = Told({"free": "".join(pieces)})
    for _ in range(2):
        assert event.fields_json() == msgspec.json.encode(event.masked_fields())


PARAMETER = st.sampled_from(
    (
        'a="x"',
        "a=x",
        "A=y",
        'a="x',
        "a = x",
        "a=",
        ",",
        " ",
        ", ",
        '"',
        "=",
        "\\",
        'b="x, y"',
        'c="\\""',
        "d=\xe9",
        "e=f=g",
        "\t",
        "x",
    )
)


@given(st.lists(PARAMETER, max_size=8))
def test_parameters_are_read_as_python_reads_them_or_left_to_it(pieces):
    written = "".join(pieces)
    found, expected = TEXTS.parameters(written), {}
    auth._parameters(written, expected)
    assert found in (None, expected)
    assert found is None or list(found) == list(expected)


def test_the_usual_credentials_are_read_here():
    assert TEXTS.parameters('username="admin", realm="Digest:AF, b",nc=00000001, NC=2, qop=auth') == {
        "username": "admin",
        "realm": "Digest:AF, b",
        "nc": "00000001",
        "qop": "auth",
    }
    assert TEXTS.parameters(", ".join(f"p{at}=1" for at in range(33))) is None
