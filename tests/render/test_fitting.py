"""Long paths give way where the terminal is narrow."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amtdecode.render.fitting import LEAST, fitted, shortened


@pytest.mark.parametrize(
    ("path", "size", "shown"),
    [
        ("captures/branch/hello.pcap", 26, "captures/branch/hello.pcap"),
        ("captures/branch/hello.pcap", 25, "captures…ranch/hello.pcap"),
        ("captures/branch/hello.pcap", 14, "capt…ello.pcap"),
    ],
)
def test_a_path_keeps_its_ends(path, size, shown):
    assert shortened(path, size) == shown


@pytest.mark.parametrize(
    ("text", "room", "shown"),
    [
        ("POST /wsman", 5, "POST /wsman"),  # short paths stay
        ("GET /a/very/long/path/to/a/page.htm HTTP", 30, "GET /a/ver…/to/a/page.htm HTTP"),
        ("GET /a/very/long/path/to/a/page.htm HTTP", 40, "GET /a/very/long/path/to/a/page.htm HTTP"),
        ("nothing that is a path in all of this text", 10, "nothing that is a path in all of this text"),
    ],
)
def test_words_with_a_slash_give_way(text, room, shown):
    assert fitted(text, room) == shown


@given(st.text("ab/ ", max_size=80), st.integers(0, 90))
def test_no_more_is_taken_than_need_be(text, room):
    told = fitted(text, room)
    assert len(told.split(" ")) == len(text.split(" "))
    if len(text) <= room:
        assert told == text
    elif len(told) > room:  # all paths are as short as they get
        assert all(len(word) <= LEAST or "/" not in word.replace("…", "/")[:1] + word for word in told.split(" "))
    else:
        assert len(told) >= min(room, len(text)) - 1 or "…" in told
