"""The escape of captured text, times as text, hex dumps: known answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from amtdecode.render.safe import safe
from amtdecode.render.text import hex_dump
from amtdecode.times import IsoTimes


def test_safe_escapes_what_a_terminal_obeys():
    assert safe("plain grüß → 日本") == "plain grüß → 日本"
    assert safe("a\x1b[31m\x9b\x7f\r\n\t\0") == "a\\x1b[31m\\x9b\\x7f\\x0d\\x0a\\x09\\x00"
    hidden = "\u00ad\u115f\u1160\u180e\u200c\u200d\u206a\u206f\u3164\uffa0\U000e0041"
    assert safe(hidden) == hidden.encode("unicode-escape").decode().replace("\\xad", "\\u00ad")
    assert safe("\u202e\u2066\u200b\u2028\ufeff\udcff") == "\\u202e\\u2066\\u200b\\u2028\\ufeff\\udcff"


@given(st.integers(0, 253402300799), st.integers(0, 10**9 - 1))
def test_times_are_those_of_datetime(seconds, nanoseconds):
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    text = moment.strftime("%H:%M:%S")
    time = seconds * 10**9 + nanoseconds
    write = IsoTimes()
    for _ in range(2):
        assert write(time, 9) == f"{moment.date().isoformat()}T{text}.{nanoseconds:09d}Z"
        assert write(time) == f"{moment.date().isoformat()}T{text}.{nanoseconds // 1000:06d}Z"
    assert write(None) is None


def test_hex_dump():
    assert hex_dump(bytes(range(0x3F, 0x51))) == (
        f"0000  3f 40 41 42 43 44 45 46 47 48 49 4a 4b 4c 4d 4e  ?@ABCDEFGHIJKLMN\n0010  {'4f 50':<47}  OP\n"
    )
