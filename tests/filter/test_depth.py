"""A filter cannot be made so deep that reading or asking it ends in Python's limit of recursion."""

from __future__ import annotations

import pytest

from amtdecode.errors import FilterError
from amtdecode.filter import compile_filter
from amtdecode.filter.parser import MAX_DEPTH, MAX_STEPS

STEPS = f"more than {MAX_STEPS} operators or slices stand in one comparison."
DEPTH = f"more than {MAX_DEPTH} brackets or signs stand inside each other."


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("frame.number == " + "1+" * (MAX_STEPS + 1) + "1", STEPS),
        ("frame.number == " + "1+" * 20_000 + "1", STEPS),
        ("frame.number" + " * 1" * (MAX_STEPS + 1) + " == 1", STEPS),
        ("eth.src" + "[0:1]" * (MAX_STEPS + 2) + " == 02", STEPS),
        ("eth.src" + "[0:1]" * 10_000 + " == 02", STEPS),
        ("frame.number == " + "{" * (MAX_DEPTH + 1) + "1" + "}" * (MAX_DEPTH + 1), DEPTH),
        ("(" * 20_000 + "tcp" + ")" * 20_000, DEPTH),
        ("len(" * 10_000 + "eth.src" + ")" * 10_000 + " == 1", DEPTH),
    ],
)
def test_what_is_too_deep_is_refused(text, reason):
    with pytest.raises(FilterError) as raised:
        compile_filter(text)
    assert raised.value.reason == reason


@pytest.mark.parametrize(
    ("text", "passing"),
    [
        ("frame.number" + " + 1" * MAX_STEPS + f" == {MAX_STEPS + 3}", [3]),
        ("{" * MAX_DEPTH + "frame.number" + " + 1}" * MAX_DEPTH + f" == {MAX_DEPTH + 4}", [4]),
        ("frame.number == 1 and eth.src" + "[0:1]" * (MAX_STEPS + 1) + " == 00", [1]),
        ("(" * MAX_DEPTH + "frame.number == 2" + ")" * MAX_DEPTH, [2]),
        ("not " * 10_001 + "frame.number > 3", [1, 2, 3]),
        (" or ".join(f"frame.number == {at} + 0" for at in range(5, 2 * MAX_STEPS + 5)), list(range(5, 64))),
    ],
)
def test_what_is_as_deep_as_may_be_is_asked(text, passing, select, pcaps):
    assert select(pcaps / "hello.pcap", text) == passing
