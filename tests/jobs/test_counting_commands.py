"""`flows --jobs` and `stats --jobs`: what one process prints, to the byte, for any number of them."""

from __future__ import annotations

import multiprocessing
import sys
from pathlib import Path

import msgspec
import pytest
import shares_in_turn
import wire
from hypothesis import given
from hypothesis import strategies as st

from amtdecode.capture import open_records
from amtdecode.cli import sharing
from amtdecode.cli.flows import FlowShare, row
from amtdecode.cli.main import run as run_command
from amtdecode.engine import Engine, lane
from amtdecode.flow import table
from amtdecode.jobs import several, workers
from amtdecode.jobs.several import Jobs
from amtdecode.secrets import Keys
from amtdecode.statistics import Collector, collecting, counting
from amtdecode.statistics.sharing import CountShare, counted_by_several

ROOT = Path(__file__).resolve().parents[2]
PCAPS = sorted(ROOT.glob("pcaps/*.pcap*"))
PSK = "0000-037M=NKLD-G5DC-RRNQ-E9YZ-ZIJL-7LFL-VJED-69XJ"


@pytest.fixture
def in_turn(monkeypatch):
    """Shares one after the other, in this process."""

    def shared(work, jobs, *, by_addresses=False, method=None, results=None):
        yield shares_in_turn.told(work, jobs, by_addresses=by_addresses, results=results)

    monkeypatch.setattr(workers, "shared", shared)


def rows_of(captures):
    engine = Engine(statistics=True)
    for _ in engine.observe(open_records(captures)):
        pass
    return [row(flow) for flow in engine.conversations()]


def rows_by(captures, jobs):
    results = several.results_of(FlowShare(captures, None), Jobs(jobs), by_addresses=False)
    rows = [cells for rows, _ in results for cells in rows]
    return sorted(rows, key=lambda cells: (cells["transport"], cells["flow"]))


def counts_of(captures, keys=None):
    collector = Collector()
    for observation in Engine(keys, connections="all").observe(open_records(captures)):
        collector.feed(observation)
    return msgspec.json.encode(collector.statistics())


def counts_by(captures, jobs, keys=None, crossed=None):
    why = [] if crossed is None else crossed
    collector = counted_by_several(CountShare(captures, None, keys), Jobs(jobs, crossed=why.append))
    return None if collector is None else msgspec.json.encode(collector.statistics())


@pytest.mark.parametrize("pure", [False, True], ids=["lane", "pure"])
def test_our_captures(pure, in_turn, monkeypatch):
    if pure:
        monkeypatch.setattr(lane, "COMPILED", None)
    keys = Keys.load(psk=[PSK])
    told = 0
    for number, path in enumerate(PCAPS):
        captures = (str(path),)
        jobs = 2 + number % 3
        assert rows_by(captures, jobs) == rows_of(captures), path.name
        for held in (None, keys):
            found = counts_by(captures, jobs, held)
            assert found in (None, counts_of(captures, held)), path.name
            told += found is not None
    assert told > 1.8 * len(PCAPS)


def test_all_of_them_as_one_timeline(in_turn):
    captures = tuple(map(str, PCAPS))
    assert rows_by(captures, 3) == rows_of(captures)
    assert counts_by(captures, 3) == counts_of(captures)


def many_endings(path):
    """More connections that have ended than are remembered of others, and late packets of the first ones."""
    talks = [wire.Talk(sport=10_000 + number) for number in range(2 * table.MAX_CLOSED_FLOWS + 200)]
    packets = [packet for talk in talks for packet in (*talk.open(), *talk.say(b"x" * 9), *talk.close())]
    packets += [packet for talk in talks[:20] for packet in talk.say(b"late")]
    packets += [packet for number in range(20) for packet in wire.Talk(sport=60_000 + number).open()]
    path.write_bytes(wire.pcap(wire.frames(packets)))
    return (str(path),)


def test_connections_that_ended_long_ago_keep_their_numbers(in_turn, tmp_path):
    captures = many_endings(tmp_path / "many.pcap")
    expected = rows_of(captures)
    assert len(expected) == 2 * table.MAX_CLOSED_FLOWS + 220
    assert rows_by(captures, 2) == expected


@pytest.mark.parametrize(
    "method", [each for each in ("fork", "spawn") if each in multiprocessing.get_all_start_methods()]
)
@pytest.mark.parametrize(
    "words", [["flows"], ["flows", "-T", "json"], ["stats"], ["stats", "-T", "json", "--psk", PSK]]
)
def test_processes(method, words, monkeypatch, capfdbinary):
    monkeypatch.setattr(sharing, "METHOD", method)
    words = [*words, "--no-duplicate", str(ROOT / "pcaps/wsman_tls.pcap"), str(ROOT / "pcaps/office.pcapng")]
    assert run_command(words) == 0
    expected = capfdbinary.readouterr()
    assert expected.out
    assert run_command([*words, "--jobs", "2"]) == 0
    assert capfdbinary.readouterr() == expected
    assert not multiprocessing.active_children()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["flows", "-Y", "tcp", str(PCAPS[0])], "-Y looks at packets of all connections"),
        (["flows", "-"], "standard input"),
        (["stats", "-"], "standard input"),
    ],
)
def test_what_one_process_must_do_is_said(words, why, monkeypatch, capfd):
    capture = str(PCAPS[0])
    assert run_command([capture if word == "-" else word for word in words]) == 0
    expected = capfd.readouterr().out
    with open(capture) as file:
        monkeypatch.setattr(sys, "stdin", file)
        assert run_command([*words, "--jobs", "2"]) == 0
    out, err = capfd.readouterr()
    assert out == expected
    assert err.count("\n") == 1
    assert why in err


def test_more_rows_than_a_table_has_are_counted_by_one(in_turn, monkeypatch):
    captures = (str(ROOT / "pcaps/office.pcapng"),)
    crossed = []
    assert counts_by(captures, 2, crossed=crossed) == counts_of(captures)
    assert crossed == []
    monkeypatch.setattr(counting, "MAX_COUNTED", 3)
    monkeypatch.setattr(collecting, "MAX_COUNTED", 3)
    assert counts_by(captures, 2, crossed=crossed) is None
    assert crossed == ["3 rows of a table"]


@given(st.lists(st.tuples(st.integers(0, 10**15), st.integers(0, 2)), max_size=80))
def test_timelines_add_up(times):
    whole, parts = counting.Timeline(), [counting.Timeline() for _ in range(3)]
    for time, part in times:
        whole.add(time)
        parts[part].add(time)
    first, *others = parts
    for other in others:
        first.merge(other)
    assert (first.width, first.start, first.counts()) == (whole.width, whole.start, whole.counts())
