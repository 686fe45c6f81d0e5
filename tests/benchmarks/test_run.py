"""The measuring script: what it counts, what it says of goals and of programs that fail."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks import captures, plan, run
from benchmarks.run import Result, judge
from pcaps.build import Pcap

ROOT = Path(__file__).resolve().parents[2]
FAST = Result(seconds=1.0, cpu=0.5, peak_kib=30 * 1024, packets=3000, size=40_000_000, runs=1)
SLOW = Result(seconds=2.0, cpu=2.0, peak_kib=90 * 1024, packets=2000, size=40_000_000, runs=1)


def test_packets_are_counted_by_their_headers(tmp_path: Path) -> None:
    path = tmp_path / "x.pcap"
    with path.open("wb") as file:
        capture = Pcap(file)
        for size in (60, 1514, 0, 61):
            capture.packet(0, bytes(size))
    assert run.count_packets(path) == 4


def test_a_slow_program_that_reads_less_is_judged_by_packets_a_second() -> None:
    results = {"mine": FAST, "theirs": SLOW}
    assert judge(plan.Target("mine", "theirs", 3), results).startswith("pass: mine at least 3 times theirs: 3.00")
    assert judge(plan.Target("mine", "theirs", 3.1), results).startswith("FAIL")
    assert "by processor time 6.00" in judge(plan.Target("mine", "theirs", 3), results)
    assert judge(plan.Target("mine", "absent", 3), results).startswith("not measured")


def test_memory_is_judged_alone_or_above_another() -> None:
    results = {"mine": FAST, "theirs": SLOW}
    assert judge(plan.Ceiling("theirs", 90), results).startswith("pass")
    assert judge(plan.Ceiling("theirs", 89), results).startswith("FAIL")
    assert judge(plan.Ceiling("theirs", 60, above="mine"), results) == "pass: theirs at most 60 MiB above mine: 60.0"
    assert judge(plan.Ceiling("theirs", 59, above="mine"), results).startswith("FAIL")


def test_a_log_is_judged_by_bytes_a_second() -> None:
    assert judge(plan.Throughput("mine", 40), {"mine": FAST}) == "pass: mine at least 40 MB/s: 40.0"
    assert judge(plan.Throughput("mine", 41), {"mine": FAST}).startswith("FAIL")


def test_a_program_that_fails_is_not_measured(tmp_path: Path) -> None:
    wrong = plan.Subject("wrong", (sys.executable, "-c", "raise SystemExit('no such thing')"))
    assert run.run_once(wrong, tmp_path / "x", tmp_path / "out") == "exit code 1: no such thing"
    allowed = wrong._replace(codes=(0, 1))
    assert isinstance(run.run_once(allowed, tmp_path / "x", tmp_path / "out"), tuple)


def test_memory_and_processor_time_are_those_of_the_child(tmp_path: Path) -> None:
    # in a process of its own: a child starts with the peak of who forks it, and pytest's may be higher
    ask = """
import sys
from pathlib import Path
from benchmarks import plan, run
work = "from time import process_time as t; data = bytearray(80 << 20); end = t() + 0.2\\nwhile t() < end: pass"
print(*run.run_once(plan.Subject("work", (sys.executable, "-c", work)), Path(sys.argv[1]), Path(sys.argv[2])))
"""
    asked = [sys.executable, "-c", ask, str(tmp_path / "x"), str(tmp_path / "out")]
    done = subprocess.run(asked, capture_output=True, text=True, check=True, cwd=ROOT)
    seconds, cpu, kib = map(float, done.stdout.split())
    assert seconds >= 0.2
    assert cpu >= 0.2
    assert 80 * 1024 < kib < 160 * 1024


def test_every_goal_speaks_of_subjects_that_are_measured() -> None:
    for benchmark in plan.BENCHMARKS.values():
        assert benchmark.capture in captures.MAKERS
        names = {subject.name for subject in benchmark.subjects}
        assert len(names) == len(benchmark.subjects)
        for goal in benchmark.goals:
            assert goal.subject in names
            if isinstance(goal, plan.Target):
                assert goal.against in names
            if isinstance(goal, plan.Ceiling) and goal.above:
                assert goal.above in names


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    assert not run.available(plan.Subject("x", ("x",), needs="no_such_module.inside"))
    assert run.available(plan.Subject("x", ("x",), needs="json"))
