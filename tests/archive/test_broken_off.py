"""Whatever breaks a run off, it is said, and the next run has all rows once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from archives import rows, update

from amtdecode.archive import run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

KILLER = """
import os, signal
begun, replace = 0, os.replace

def killing(source, target):
    global begun
    begun += os.environ["KILLED_IN"] in str(target)
    if begun == int(os.environ["KILLED_AT"]):
        os.kill(os.getpid(), signal.SIGKILL)
    replace(source, target)

os.replace = killing
"""


def archive(captures: Path, target: Path, *more: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "amtdecode", "archive", str(captures), "--out", str(target), *more]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | environment)


@pytest.fixture
def killed(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs `archive`, and ends by SIGKILL the process that is about to finish its Nth file in a folder."""
    (tmp_path / "killer").mkdir()
    (tmp_path / "killer" / "sitecustomize.py").write_text(KILLER)

    def call(captures: Path, target: Path, within: str, at: int, *more: str) -> subprocess.CompletedProcess[str]:
        return archive(
            captures, target, *more, PYTHONPATH=str(tmp_path / "killer"), KILLED_IN=within, KILLED_AT=str(at)
        )

    return call


@pytest.mark.parametrize(
    ("within", "at"), [("/.work/", 1), ("/.work/", 4), ("/journals/", 2), ("manifest.json", 1), ("machines.parquet", 1)]
)
def test_a_run_that_was_killed(within: str, at: int, killed: Any, captures: Path, tmp_path: Path) -> None:
    update(captures, tmp_path / "whole")
    assert killed(captures, tmp_path / "a", within, at).returncode == -signal.SIGKILL
    assert archive(captures, tmp_path / "a").returncode == 0
    assert values(tmp_path / "a") == values(tmp_path / "whole")


def test_a_worker_that_was_killed(killed: Any, captures: Path, tmp_path: Path) -> None:
    update(captures, tmp_path / "whole")
    done = killed(captures, tmp_path / "a", "/.work/", 3, "--jobs", "2")
    assert done.returncode not in (0, -signal.SIGKILL)
    assert "a process ended on its own; what is done is kept, the next run does the rest" in done.stderr
    assert "Traceback" not in done.stderr
    assert archive(captures, tmp_path / "a", "--jobs", "2").returncode == 0
    assert values(tmp_path / "a") == values(tmp_path / "whole")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 80 KiB."""
    where = tmp_path / "disk"
    where.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=80k", "tmpfs", str(where)]
    done = subprocess.run(mount, capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"needs a small tmpfs, which only root can mount: {done.stderr.decode().strip()}")
    try:
        yield where
    finally:
        subprocess.run(["umount", str(where)], check=True)


def test_a_full_disk(captures: Path, disk: Path, tmp_path: Path) -> None:
    update(captures, tmp_path / "whole")
    done = archive(captures, disk / "a")
    assert done.returncode == 3
    said = [line for line in done.stderr.splitlines() if "no space left on device" in line.lower()]
    assert len(said) == 1
    assert "Traceback" not in done.stderr
    assert not list(disk.rglob("*.part"))
    subprocess.run(["mount", "-o", "remount,size=16m", str(disk)], check=True)
    assert archive(captures, disk / "a").returncode == 0
    assert values(disk / "a") == values(tmp_path / "whole")


@pytest.mark.parametrize("name", ["berlin/ring_1.pcap", "rome/presence.pcapng"])
def test_a_capture_that_goes_under_way(
    name: str, captures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    update(captures, tmp_path / "whole")
    path = captures / name
    data, times = path.read_bytes(), path.stat()
    after_planning(monkeypatch, path.unlink)
    made = update(captures, tmp_path / "a")
    monkeypatch.undo()
    assert made.failed == [(str(path), f"{path}: no such file or directory")]
    path.write_bytes(data)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert update(captures, tmp_path / "a").failed == []
    assert rows(tmp_path / "a") == rows(tmp_path / "whole")


def test_a_capture_that_grows_under_way(captures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    update(captures, tmp_path / "whole")
    path = captures / "berlin" / "ring_2.pcap"
    data = path.read_bytes()
    path.write_bytes(data[:-100])
    after_planning(monkeypatch, lambda: path.write_bytes(data))
    made = update(captures, tmp_path / "a")
    monkeypatch.undo()
    assert made.failed == [(str(path), f"{path}: is still growing; the next run reads it")]
    assert update(captures, tmp_path / "a").failed == []
    assert rows(tmp_path / "a") == rows(tmp_path / "whole")


def test_a_capture_whose_last_packet_is_cut_is_read_again_when_it_has_grown(captures: Path, tmp_path: Path) -> None:
    update(captures, tmp_path / "whole")
    path = captures / "berlin" / "ring_2.pcap"
    data = path.read_bytes()
    path.write_bytes(data[:-10])
    assert update(captures, tmp_path / "a").failed == []
    assert len(cut_short(tmp_path / "a")) == 1, "it is said"
    assert cut_short(tmp_path / "whole") == []
    path.write_bytes(data)
    assert [len(each.paths) for each in update(captures, tmp_path / "a").read] == [3]
    assert rows(tmp_path / "a") == rows(tmp_path / "whole")


def cut_short(target: Path) -> list[str]:
    return [row for row in rows(target)["observations"] if "file ends" in row]


def after_planning(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], Any]) -> None:
    """Let something happen between looking at the captures and reading them."""
    plan = run.plan

    def planned(*given: Any) -> Any:
        made = plan(*given)
        happens()
        return made

    monkeypatch.setattr(run, "plan", planned)


def values(target: Path) -> dict[str, list[str]]:
    """All rows but for what tells the version: a stretch has another name with each."""
    stretches = json.loads((target / "manifest.json").read_text())["stretches"]
    names = {name: f"{each['stretch']['sensor']} {each['stretch']['captures'][0]}" for name, each in stretches.items()}
    found = rows(target)
    for old, new in names.items():
        found = {table: [row.replace(old, new) for row in each] for table, each in found.items()}
    return {table: sorted(each) for table, each in found.items()}
