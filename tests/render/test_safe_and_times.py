"""The escape of captured text, times as text, hex dumps: known answers."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amtdecode.render.hex_text import hex_dump
from amtdecode.render.safe import safe
from amtdecode.safe import safe_json
from amtdecode.times import IsoTimes


def test_safe_escapes_what_a_terminal_obeys():
    assert safe("plain grüß → 日本") == "plain grüß → 日本"
    assert safe("a\x1b[31m\x9b\x7f\r\n\t\0") == "a\\x1b[31m\\x9b\\x7f\\x0d\\x0a\\x09\\x00"
    hidden = "\u00ad\u115f\u1160\u180e\u200c\u200d\u206a\u206f\u3164\uffa0\U000e0041"
    assert safe(hidden) == hidden.encode("unicode-escape").decode().replace("\\xad", "\\u00ad")
    assert safe("\u202e\u2066\u200b\u2028\ufeff\udcff") == "\\u202e\\u2066\\u200b\\u2028\\ufeff\\udcff"


RANGES = (
    range(0x3400),
    range(0xA000, 0x18000),
    range(0xE0000, 0xE1010),
    range(0xF0000, 0xF0010),
    range(0x10FFF0, 0x110000),
)
EVERY = [chr(code) for codes in RANGES for code in codes]  # all but ideographs
UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u2800\u3164\uffa0\ufff0-\ufff8\U000e0000-\U000e0fff]"
)


def test_every_character_is_escaped_by_its_category_in_text_and_in_json_alike():
    """The categories of Unicode, and what is not seen though it is a letter, mark or sign."""
    for character in EVERY:
        hidden = unicodedata.category(character) in ("Cc", "Cf", "Co", "Cs", "Zl", "Zp") or bool(
            UNSEEN.match(character)
        )
        shown = safe(character)
        assert (shown == character) is not hidden, ascii(character)
        if hidden:
            assert shown == character.encode("unicode-escape").decode() or ord(character) < 0x100, ascii(character)
            assert shown.isascii()
            assert shown.isprintable()
        if unicodedata.category(character) != "Cs" and character >= " ":
            line = msgspec.json.encode(character)
            written = safe_json(line)
            assert (written == line) is not hidden, ascii(character)
            assert written.isascii() or not hidden
            assert msgspec.json.decode(written) == character


@pytest.mark.parametrize(
    ("line", "written"),
    [
        ("Get X → OK", "Get X → OK"),
        ("→\x7f", "→\\u007f"),
        ("→\u200b→", "→\\u200b→"),
        ("é → é", "é → é"),
        ("←", "←"),
    ],
)
def test_the_arrow_of_calls_hides_nothing_beside_it(line, written):
    assert safe_json(line.encode()) == written.encode()


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
