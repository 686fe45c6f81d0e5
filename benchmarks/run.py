"""Measures amtdecode beside other tools: `python -m benchmarks.run [--only NAME] [--runs N] [--quick]`.

Whole processes, start-up included, pinned to one core, each reading the same file from the page cache; the tools take
turns, and the median of the runs counts. Memory is the peak resident set that the kernel reports of the process
(getrusage). What a tool prints goes to a file. Captures are made first where they are missing (`benchmarks.captures`).
"""

from __future__ import annotations

import argparse
import compileall
import importlib.util
import os
import platform
import shutil
import statistics
import struct
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from benchmarks import captures
from benchmarks.plan import BENCHMARKS, Benchmark, Ceiling, Subject, Target, Throughput

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
MB = 1_000_000
CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [*range(os.cpu_count() or 1)]


class Result(NamedTuple):
    """The median of the runs of one subject."""

    seconds: float
    cpu: float  # seconds of processor time, user and system, children included
    peak_kib: int
    packets: int  # that it read
    size: int  # of the file, bytes
    runs: int

    @property
    def rate(self) -> float:
        """Packets a second; for a log, bytes a second."""
        return (self.packets or self.size) / self.seconds

    @property
    def cpu_rate(self) -> float:
        """The same by processor time, which other programs on the machine disturb less."""
        return (self.packets or self.size) / self.cpu

    @property
    def mib(self) -> float:
        """Peak memory in MiB."""
        return self.peak_kib / 1024


def pin() -> str:
    """Keep this process and all it starts on one core, where the system can."""
    if not hasattr(os, "sched_setaffinity"):
        return "not pinned"
    core = CORES[-1]
    os.sched_setaffinity(0, {core})
    return f"pinned to core {core}"


@contextmanager
def spread(cores: int) -> Iterator[None]:
    """A child that is started meanwhile may use so many cores."""
    if cores == 1 or not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, CORES[-cores:])
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def count_packets(path: Path) -> int:
    """Packets in a classic pcap file of this machine's byte order; 0 for anything else."""
    with path.open("rb") as file:
        if file.read(24)[:4] != b"\xd4\xc3\xb2\xa1":
            return 0
        count = 0
        while head := file.read(16):
            file.seek(struct.unpack_from("<I", head, 8)[0], os.SEEK_CUR)
            count += 1
    return count


def warm(path: Path) -> None:
    """Bring the file into the page cache."""
    with path.open("rb") as file:
        while file.read(1 << 20):
            pass


def available(subject: Subject) -> bool:
    """Whether what the subject needs is installed."""
    if not subject.needs:
        return True
    try:
        return shutil.which(subject.needs) is not None or importlib.util.find_spec(subject.needs) is not None
    except ModuleNotFoundError:
        return False


def run_once(subject: Subject, path: Path, output: Path) -> tuple[float, float, int] | str:
    """Seconds, processor seconds and peak memory in KiB of one run, or what went wrong."""
    words = [word.format(file=path, limit=subject.limit) for word in subject.command]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with output.open("wb") as out, output.with_suffix(".err").open("wb") as errors:
        started = time.perf_counter()
        with spread(subject.cores):
            child = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=out, stderr=errors, env=environment, cwd=ROOT
            )
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - started
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in subject.codes:
        lines = output.with_suffix(".err").read_text(errors="replace").strip().splitlines()
        return f"exit code {child.returncode}: {lines[-1] if lines else ''}"
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss


def measure(benchmark: Benchmark, runs: int, *, quick: bool, against: str) -> dict[str, Result]:
    """Run all subjects of a benchmark in turns."""
    path = captures.path(benchmark.capture, quick=quick)
    lacks = captures.missing(benchmark.capture)
    if lacks and not path.exists():
        print(f"\n### {benchmark.capture}: left out, {lacks} is not there")
        return {}
    if not path.exists():
        print(f"making {path} …", file=sys.stderr, flush=True)
        subprocess.run(
            [sys.executable, "-m", "benchmarks.captures", benchmark.capture, *(["--quick"] * quick)],
            check=True,
            cwd=ROOT,
        )
    warm(path)
    packets, size = count_packets(path), path.stat().st_size
    output = path.with_suffix(".out")
    taken: dict[str, list[tuple[float, float, int]]] = {}
    failed: dict[str, str] = {}
    subjects = [
        subject for subject in benchmark.subjects if against in subject.name or subject.name.startswith("amtdecode")
    ]
    for subject in subjects:
        if not available(subject):
            failed[subject.name] = f"{subject.needs} is not installed"
        elif subject.cores > len(CORES):
            failed[subject.name] = f"it takes {subject.cores} cores"
    for number in range(runs):
        for subject in subjects:
            if subject.name in failed:
                continue
            print(f"{benchmark.capture}: {subject.name}, run {number + 1} of {runs}", file=sys.stderr, flush=True)
            outcome = run_once(subject, path, output)
            if isinstance(outcome, str):
                failed[subject.name] = outcome
            else:
                taken.setdefault(subject.name, []).append(outcome)
    output.unlink(missing_ok=True)
    output.with_suffix(".err").unlink(missing_ok=True)
    results = {}
    for subject in subjects:
        if done := taken.get(subject.name):
            read = min(packets, subject.limit or packets)
            seconds, cpu, kib = (statistics.median(column) for column in zip(*done, strict=True))
            results[subject.name] = Result(seconds, cpu, round(kib), read, size, len(done))
    show(benchmark, results, failed, packets, size, subjects)
    return results


def show(
    benchmark: Benchmark,
    results: dict[str, Result],
    failed: dict[str, str],
    packets: int,
    size: int,
    subjects: list[Subject],
) -> None:
    """Print the table and the goals of one benchmark as Markdown."""
    what = captures.MAKERS[benchmark.capture].what
    print(f"\n### {benchmark.capture}: {what}\n\n{packets:,} packets, {size / MB:,.1f} MB\n")
    first = results.get(subjects[0].name)
    unit = "packets/s" if packets else "bytes/s"
    print(f"| tool | {unit} | MB/s | seconds | CPU s | peak MiB | {subjects[0].name} is … times as fast |")
    print("|---|--:|--:|--:|--:|--:|--:|")
    for subject in subjects:
        if result := results.get(subject.name):
            scaled = f" (first {result.packets:,} packets)" if subject.limit and result.packets < packets else ""
            share = result.packets / packets if packets else 1
            speed = size * share / result.seconds / MB
            ratio = f"{first.rate / result.rate:.2f}" if first and subject is not subjects[0] else "–"
            times = f"{result.seconds:.2f} | {result.cpu:.2f}"
            cells = (f"{result.rate:,.0f}", f"{speed:,.1f}", times, f"{result.mib:,.0f}", ratio)
            print(f"| {subject.name}{scaled} | {' | '.join(cells)} |")
        else:
            print(f"| {subject.name} | {failed.get(subject.name, '')} | | | | | |")
    print()
    for goal in benchmark.goals:
        print(f"- {judge(goal, results)}")
    sys.stdout.flush()


def judge(goal: Target | Ceiling | Throughput, results: dict[str, Result]) -> str:
    """One line on whether a goal is reached."""
    mine = results.get(goal.subject)
    if isinstance(goal, Target):
        other = results.get(goal.against)
        wanted = f"{goal.subject} at least {goal.must:g} times {goal.against}" + (
            f" (aim {goal.aim:g})" if goal.aim else ""
        )
        if not mine or not other:
            return f"not measured: {wanted}"
        ratio = mine.rate / other.rate
        by_cpu = mine.cpu_rate / other.cpu_rate
        return f"{'pass' if ratio >= goal.must else 'FAIL'}: {wanted}: {ratio:.2f} (by processor time {by_cpu:.2f})"
    if isinstance(goal, Throughput):
        wanted = f"{goal.subject} at least {goal.must:g} MB/s"
        if not mine:
            return f"not measured: {wanted}"
        speed = mine.size / mine.seconds / MB
        return f"{'pass' if speed >= goal.must else 'FAIL'}: {wanted}: {speed:.1f}"
    base = results.get(goal.above) if goal.above else None
    wanted = f"{goal.subject} at most {goal.mib:.0f} MiB" + (f" above {goal.above}" if goal.above else "")
    if not mine or (goal.above and not base):
        return f"not measured: {wanted}"
    used = mine.mib - (base.mib if base else 0)
    return f"{'pass' if used <= goal.mib else 'FAIL'}: {wanted}: {used:.1f}"


def describe(pinned: str, runs: int) -> None:
    """Print where and with what it was measured."""
    cpu = platform.processor()
    info = Path("/proc/cpuinfo")
    if info.exists():
        models = [
            line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")
        ]
        cpu = models[0] if models else cpu
    versions = [f"CPython {platform.python_version()}"]
    if tshark := shutil.which("tshark"):
        first = subprocess.run([tshark, "--version"], capture_output=True, text=True, check=False).stdout.splitlines()[
            :1
        ]
        versions.extend(" ".join(line.split()[:3]) for line in first)
    load = f", load {os.getloadavg()[0]:.1f} at the start" if hasattr(os, "getloadavg") else ""
    print(f"{cpu}, {os.cpu_count()} cores; {pinned}; {', '.join(versions)}; median of {runs}{load}")


def main() -> int:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", action="append", choices=list(BENCHMARKS), help="measure only this one (repeatable)")
    parser.add_argument("--runs", type=int, default=5, help="runs of each tool (5)")
    parser.add_argument("--quick", action="store_true", help="small captures, one run: to see that it works")
    parser.add_argument(
        "--against", default="", metavar="WORD", help="of the other tools, only those with WORD in their name"
    )
    options = parser.parse_args()
    runs = 1 if options.quick else max(1, options.runs)
    for folder in ("amtdecode", "benchmarks"):  # as an installation does: no run pays for it, where none may write it
        compileall.compile_dir(ROOT / folder, quiet=2)
    describe(pin(), runs)
    for name in options.only or BENCHMARKS:
        measure(BENCHMARKS[name], runs, quick=options.quick, against=options.against)
    return 0


if __name__ == "__main__":
    sys.exit(main())
