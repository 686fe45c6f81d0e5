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
from amtdecode.model import Event
from amtdecode.protocols.http import auth
from amtdecode.protocols.http import lines as http_lines
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


@given(st.lists(LINE, min_size=1, max_size=6))
def test_headers_are_read_as_python_reads_them_or_left_to_it(lines):
    data = b"\n".join(lines)
    found = TEXTS.headers(data)
    if found is not None and data:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(http_lines, "TEXTS", None)
            assert (*found, []) == http_lines.header_lines(data)


def test_the_usual_head_is_read_here():
    assert TEXTS.headers(b"Host: a\r\nContent-Length:  5\t\r\nX:\r") == (
        [("Host", "a"), ("Content-Length", "5"), ("X", "")],
        {"host": "a", "content-length": "5", "x": ""},
    )
    for odd in (b"Host: a\nhost: b", b"a", b"A : b", b" a: b", b"a: \x01", b"a: \xe9", b"\r"):
        assert TEXTS.headers(odd) is None


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
