"""The sieve lets through every line that a plain search for the needles would, however much lines are alike."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from amtdecode.artifacts.logs import sieve, table
from amtdecode.artifacts.logs.sieve import DIGITS, ERROR_NUMBER, Sieve

WORDS = [
    *(needle.decode() for needle in table().by_needle), "Error 102", "ERROR: 7777", "error 10:22", "0x8009030E", "0x1",
    "0x80072ee9", "max 12", "(0xC0003E93)", "Executing", "code0x80090308",
    "939b524b-13d4-1d18", "12", "x", " ", "-", "é",
]  # fmt: skip


def _lines(blocks):
    """What the sieve says of each line of the blocks."""
    one = Sieve()
    for words in blocks:
        lines = ["".join(line).encode() for line in words]
        block = b"".join(line + b"\n" for line in lines)
        said = {number: anchors for number, anchors, _ in one.telling(block, lines)}
        yield from ((line, said.get(number, [])) for number, line in enumerate(lines))


@given(st.lists(st.lists(st.lists(st.sampled_from(WORDS), max_size=5), max_size=6), max_size=4))
def test_the_sieve_agrees_with_a_plain_search(blocks):
    for line, said in _lines(blocks):
        low = line.lower()
        expected = {anchor.id for needle, anchors in table().by_needle.items() if needle in low for anchor in anchors}
        for number in ERROR_NUMBER.findall(low):
            expected.add(known.id if (known := table().numbered.get(number)) else "unknown-error")
        got = {anchor.id for anchor in said}
        assert got <= expected
        # a code is only missed where no pattern would take it: it goes on past its digits
        assert expected - got <= {"schannel", "acu-chain"}
        for name in expected - got:
            assert not table().by_id[name].pattern.search(low.decode())


def test_what_it_remembers_is_bounded(monkeypatch):
    monkeypatch.setattr(sieve, "MAX_KNOWN", 1000)
    one = Sieve()
    for number in range(50):
        text = "".join(chr(97 + int(digit)) for digit in str(number * 7919)) * 30
        lines = [text.encode(), b"Got hello from 192.0.2.9"]
        found = list(one.telling(b"\n".join(lines) + b"\n", lines))
        assert [number for number, *_ in found] == [1]
        assert sum(map(len, one._known)) <= 1000 + len(text)


def test_a_needle_with_digits_is_a_hexadecimal_code():
    assert all(b"0x" in needle for needle in table().by_needle if set(needle).intersection(DIGITS))
