"""The offset between two clocks, out of good and bad pairs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from amtdecode.artifacts.logs import estimate_offset, vote_offset
from amtdecode.artifacts.logs.clock import SECOND

HOUR = 3600 * SECOND
START = 1_700_000_000 * SECOND


def test_zone_and_error_are_told_apart():
    """A server in UTC+2 whose clock is 7 seconds fast."""
    pairs = [(START + n * SECOND + 2 * HOUR + 7 * SECOND, START + n * SECOND) for n in (0, 60, 120)]
    offset = estimate_offset(pairs)
    assert offset.offset_ns == -2 * HOUR - 7 * SECOND
    assert (offset.zone_minutes, offset.error_ns, offset.spread_ns, offset.pairs) == (120, -7 * SECOND, 0, 3)


def test_a_wrong_pair_does_not_move_it():
    pairs = [(START + n * SECOND, START + n * SECOND + 5 * HOUR + n % 3) for n in range(9)]
    pairs += [(START, START + 20 * HOUR), (START, START - 9 * HOUR)]
    offset = estimate_offset(pairs)
    assert abs(offset.offset_ns - 5 * HOUR) <= 2
    assert offset.zone_minutes == -300
    assert offset.spread_ns <= 2


def test_nothing_gives_nothing():
    assert estimate_offset([]) is None
    assert vote_offset([], [("a", 1)]) is None
    assert vote_offset([("a", 1)], [("b", 1)]) is None
    assert vote_offset([("a", START)], [("a", START + 27 * HOUR)]) is None


def test_one_match_counts_unless_more_are_asked():
    assert vote_offset([("a", START)], [("a", START + HOUR)]).offset_ns == HOUR
    assert vote_offset([("a", START)], [("a", START + HOUR)], least=2) is None


def test_two_equal_crowds_are_no_answer():
    assert vote_offset([("a", START)], [("a", START + HOUR), ("a", START + 2 * HOUR)]) is None


@given(
    st.integers(-12 * 4, 14 * 4),
    st.integers(-400, 400),
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 86_400)), min_size=8, max_size=40, unique=True),
    st.data(),
)
def test_the_true_offset_wins_the_vote(quarters, error, hellos, data):
    """Hellos in both, some only in one of them, the log's clock in another zone and wrong."""
    offset = (quarters * 900 + error) * SECOND
    kept = data.draw(st.lists(st.sampled_from(hellos), min_size=6, max_size=len(hellos), unique=True))
    captured = [(key, START + second * SECOND) for key, second in hellos]
    logged = [(key, START + second * SECOND - offset + 200_000_000) for key, second in kept]
    found = vote_offset(logged, captured)
    true = sum(1 for _ in logged)
    if found is not None and abs(found.offset_ns - (offset - 200_000_000)) > 5 * SECOND:
        assert found.pairs >= true  # only a crowd at least as large may beat the true one
    elif found is not None:
        assert found.pairs >= true
