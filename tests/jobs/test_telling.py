"""What processes tell becomes one order, however their messages come; none gets far ahead of the slowest."""

from __future__ import annotations

import pickle
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amtdecode.errors import CaptureError
from amtdecode.jobs import telling
from amtdecode.jobs.limits import MAX_AHEAD
from amtdecode.jobs.telling import LAST, CrossedError, Telling, in_order


def done(result=None):
    return pickle.dumps(("done", result))


def told(reached, *items):
    """A message: of each item its place and what it is."""
    return pickle.dumps(("told", (reached, [place for place, _ in items], [item for _, item in items])))


def listening(messages, choose=lambda awaited: awaited):
    """What `in_order` listens to: the messages of each process, of those awaited that `choose` picks."""
    left = [list(each) for each in messages]

    def listen(awaited):
        return [(index, left[index].pop(0)) for index in choose(awaited)]

    return listen, left


@given(data=st.data(), jobs=st.integers(1, 4))
def test_the_order_is_that_of_the_places_and_of_one_place_that_of_the_processes(data, jobs):
    messages, expected = [], []
    for index in range(jobs):
        sent = []
        process = Telling(sent.append)
        places = sorted(data.draw(st.lists(st.integers(1, 30), max_size=20)))
        for count, place in enumerate(places):
            item = (place, index, count)
            process.tell(place, item, data.draw(st.sampled_from((1, telling.FULL))))
            expected.append(item)
        process.end(index * 10)
        messages.append(sent)
    listen, left = listening(messages, lambda awaited: data.draw(st.sets(st.sampled_from(awaited), min_size=1)))
    results = []
    found = [item for items in in_order(listen, jobs, results) for item in items]
    assert found == sorted(expected)
    assert results == [index * 10 for index in range(jobs)]
    assert left == [[]] * jobs


def test_who_is_far_ahead_is_not_listened_to_until_the_slowest_has_come_as_far():
    quick = [told(place, (place, "quick")) for place in range(1, 3 * MAX_AHEAD)]
    slow = [told(1), told(LAST)]
    asked = []

    def choose(awaited):
        asked.append(awaited)
        return [0] if 0 in awaited else [1]

    listen, _ = listening([[*quick, told(LAST), done()], [*slow, done()]], choose)
    assert [item for items in in_order(listen, 2, []) for item in items] == ["quick"] * len(quick)
    assert asked.index([1]) == MAX_AHEAD, "it waits"


def test_a_fault_is_raised_where_it_happened_and_not_before():
    failed = pickle.dumps(("failed", CaptureError("x.pcap: is gone")))
    crossed = pickle.dumps(("crossed", "what others know"))
    for last, error in ((failed, CaptureError), (crossed, CrossedError)):
        listen, _ = listening([[told(5, (4, "a")), last], [told(3, (2, "b")), told(9, (8, "c")), done()]])
        found = []
        with pytest.raises(error):
            found.extend(items for items in in_order(listen, 2, []))
        assert found == [["b"], ["a"]]


def test_a_process_with_nothing_to_tell_says_how_far_it_is():
    sent = []
    process = Telling(sent.append)
    for place in range(1, 2 * telling.SILENCE + 2):
        process.reached(place)
    reached = [pickle.loads(message)[1][0] for message in sent]
    assert reached == [telling.SILENCE, 2 * telling.SILENCE]
    sent.clear()
    for place in range(1, 3 * telling.SILENT_RUNS + 1):
        process.reached(place, telling.SILENCE // telling.SILENT_RUNS)
    assert all(
        later[1][0] - earlier[1][0] == telling.SILENT_RUNS for earlier, later in pairwise(map(pickle.loads, sent))
    )
    assert len(sent) == 3


def test_what_crosses_is_made_of_all_that_is_sent_together():
    sent, seen = [], []
    process = Telling(sent.append)

    def shape(items):
        seen.append(list(items))
        return [item.upper() for item in items]

    process.shape = shape
    for place, item in enumerate("abcd"):
        process.tell(place, item, telling.FULL // 2)
    process.end(None)
    assert seen == [["a", "b"], ["c", "d"], []]
    assert [pickle.loads(each)[1][2] for each in sent[:2]] == [["A", "B"], ["C", "D"]]
