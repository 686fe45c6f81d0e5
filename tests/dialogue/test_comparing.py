"""Two dialogues side by side, step by step, from steps made by hand; and the counters of statistics at their caps."""

from __future__ import annotations

import pytest

from amtdecode.dialogue.comparing import FieldDifference, compare
from amtdecode.dialogue.step import Dialogue, Step
from amtdecode.statistics import Collector, Counts, Timeline, counting
from amtdecode.statistics.counting import BUCKETS, SECOND


def step(kind="a", after=None, time_ns=None, **fields):
    return Step(
        kind=(kind,), sender="peer", protocol="http", event="X", summary=kind, fields=fields, input="f", packet=1,
        time_ns=time_ns, after=after,
    )  # fmt: skip


def compared(good, bad):
    return compare(Dialogue(inputs=["g"], machine="m", steps=good), Dialogue(inputs=["b"], machine="n", steps=bad))


def hows(good, bad):
    found = compared([step(kind) for kind in good], [step(kind) for kind in bad])
    return [row.how for row in found.rows], found.parts_at, found.alike


def test_steps_are_matched_by_their_kind_in_order():
    assert hows("abc", "abc") == (["same"] * 3, None, True)
    assert hows("", "") == ([], None, True)
    assert hows("abc", "ac") == (["same", "only good", "same"], 1, False)
    assert hows("ac", "abc") == (["same", "only bad", "same"], 1, False)
    assert hows("ab", "ax") == (["same", "only good", "only bad"], 1, False)
    assert hows("a", "") == (["only good"], 0, False)


@pytest.mark.parametrize(
    ("good", "bad", "differences"),
    [
        ({"x": 1}, {"x": 1}, []),
        ({"x": 1}, {"x": 2}, [("x", 1, 2)]),
        ({"x": 1}, {}, [("x", 1, None)]),
        ({}, {"x": 1}, [("x", None, 1)]),
        ({"y": 1, "x": 1}, {"x": 2, "z": 3}, [("y", 1, None), ("x", 1, 2), ("z", None, 3)]),
        ({"x": [1, 2, 3]}, {"x": [3, 4]}, [("x", [1, 2], [4])]),
        ({"x": [1, 2]}, {"x": [1]}, [("x", [2], [])]),
        ({"x": [1, 2]}, {"x": [2, 1]}, [("x", [1, 2], [2, 1])]),
        ({"x": [1]}, {"x": 1}, [("x", [1], 1)]),
        ({"dns.id": 1, "http.date": 1, "iamt.tls.bytes": 1}, {"dns.id": 2, "http.date": 2}, []),
        ({"iamt.dhcp.option.domain_name.raw": "a"}, {"iamt.dhcp.option.domain_name.raw": "b"},
         [("iamt.dhcp.option.domain_name.raw", "a", "b")]),
        ({"iamt.dhcp.option.domain_name.raw": "a", "dhcp.option.domain_name": "a"},
         {"iamt.dhcp.option.domain_name.raw": "b", "dhcp.option.domain_name": "b"},
         [("dhcp.option.domain_name", "a", "b")]),
    ],
)  # fmt: skip
def test_fields_that_differ(good, bad, differences):
    (row,) = compared([step(**good)], [step(**bad)]).rows
    assert row.fields == [FieldDifference(name=name, good=one, bad=two) for name, one, two in differences]
    assert row.how == ("changed" if differences else "same")


@pytest.mark.parametrize(
    ("good", "bad", "slower"),
    [
        (None, 9.0, ""), (9.0, None, ""), (0.0, 0.9, ""), (0.0, 1.0, "bad"), (1.0, 0.0, "good"), (1.0, 5.0, "bad"),
        (1.0, 4.9, ""), (0.25, 1.25, "bad"), (0.25, 1.2, ""), (5.0, 1.0, "good"), (3.0, 3.0, ""),
    ],
)  # fmt: skip
def test_who_waited_much_longer(good, bad, slower):
    found = compared([step(after=good)], [step(after=bad)])
    assert (found.rows[0].slower, found.alike) == (slower, True)


def test_what_json_says():
    found = compared([step(time_ns=1_500_000_000, after=0.5, x=b"\xff", y="\ud800")], []).to_dict()
    assert (found["schema"], found["parts_at"], found["good"]["steps"], found["bad"]["steps"]) == (1, 0, 1, 0)
    assert (found["good"]["inputs"], found["bad"]["machine"], found["bad"]["left_out"]) == (["g"], "n", 0)
    (row,) = found["rows"]
    assert (row["how"], row["bad"], row["fields"], row["slower"]) == ("only good", None, [], "")
    shown = row["good"]
    assert (shown["time"], shown["after"], shown["packet"], shown["input"]) == (
        "1970-01-01T00:00:01.500000000Z",
        0.5,
        1,
        "f",
    )
    assert (shown["sender"], shown["protocol"], shown["event"], shown["summary"]) == ("peer", "http", "X", "a")
    assert "\ud800" not in shown["fields"]["y"]


def test_counts_and_their_cap(monkeypatch):
    monkeypatch.setattr(counting, "MAX_COUNTED", 2)
    counts: Counts[tuple[str]] = Counts()
    for key in "bbacac":
        counts.add((key,))
    assert counts.most_common() == [(("a",), 2), (("b",), 2)]
    assert counts.others == 2
    counts.add(("b",))
    assert counts.most_common()[0] == (("b",), 3)


def test_a_timeline_doubles_its_stretches_when_the_time_no_longer_fits():
    line = Timeline()
    assert (line.counts(), line.start, line.width) == ([], None, SECOND)
    line.add(10 * SECOND)
    line.add((10 + BUCKETS - 1) * SECOND)
    assert (line.width, line.start, len(line.counts())) == (SECOND, 10 * SECOND, BUCKETS)
    line.add((10 + BUCKETS) * SECOND)
    assert (line.width, line.start) == (2 * SECOND, 10 * SECOND)
    assert (line.counts()[0], line.counts()[-2:], sum(line.counts())) == (1, [1, 1], 3)
    line.add(12 * SECOND - 1)
    assert line.counts()[0] == 2
    line.add(0)
    assert (line.start, line.width, sum(line.counts())) == (0, 2 * SECOND, 5)


def test_nothing_counted_is_nothing():
    found = Collector().statistics()
    assert (found.protocols, found.connections, found.calls, found.tls) == ([], [], [], [])
    assert (found.hellos.total, found.hellos.machines, found.hellos.by_retry) == (0, 0, {})
    assert found.to_dict()["hellos"]["total"] == 0
