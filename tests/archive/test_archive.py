"""An archive holds the same rows however it came about."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from itertools import permutations
from typing import TYPE_CHECKING, Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from archives import PCAPS, rows, update

import amtdecode
from amtdecode.archive.metrics import metrics_of

if TYPE_CHECKING:
    from pathlib import Path


def test_rotated_files_are_one_story(captures: Path, tmp_path: Path) -> None:
    archive = update(captures, tmp_path / "a")
    assert [len(each.paths) for each in archive.read] == [3, 1]
    read = ds.dataset(tmp_path / "a" / "observations", partitioning="hive").to_table().to_pylist()
    whole = list(amtdecode.read(str(PCAPS / "hello.pcap")))
    berlin = sorted((row for row in read if row["sensor"] == "berlin"), key=lambda row: row["observation"])
    assert [(row["event"], row["summary"]) for row in berlin] == [
        (type(each.event).__name__, each.event.summary()) for each in whole
    ]
    expected = amtdecode.diagnose(str(PCAPS / "hello.pcap"))
    names = {row["name"] for row in pq.read_table(tmp_path / "a" / "machines.parquet").to_pylist()}
    assert {device.name for device in expected.devices} <= names


def test_a_pool_writes_the_same_rows(captures: Path, tmp_path: Path) -> None:
    update(captures, tmp_path / "one")
    update(captures, tmp_path / "pool", jobs=2)
    assert rows(tmp_path / "pool") == rows(tmp_path / "one")


@pytest.mark.parametrize("order", [*permutations(range(3))])
def test_file_by_file_is_the_same(order: tuple[int, ...], captures: Path, tmp_path: Path) -> None:
    update(captures, tmp_path / "whole")
    kept = tmp_path / "aside"
    shutil.move(captures / "berlin", kept)
    (captures / "berlin").mkdir()
    for number in order:
        shutil.copy2(kept / f"ring_{number}.pcap", captures / "berlin")
        archive = update(captures, tmp_path / "grown")
    assert {each.stretch.sensor for each in archive.read} == {"berlin"}, "rome is not read again"
    assert rows(tmp_path / "grown") == rows(tmp_path / "whole")
    assert update(captures, tmp_path / "grown").read == []


@pytest.mark.parametrize("after", range(6))
def test_a_run_broken_off_is_gone_on_with(
    after: int, captures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    update(captures, tmp_path / "whole")
    calls = iter(range(1000))
    replace = os.replace

    def breaks(*names: Any) -> None:
        if next(calls) == 3 * after:
            raise KeyboardInterrupt
        replace(*names)

    monkeypatch.setattr(os, "replace", breaks)
    with pytest.raises(KeyboardInterrupt):
        update(captures, tmp_path / "broken")
    monkeypatch.undo()
    update(captures, tmp_path / "broken")
    assert rows(tmp_path / "broken") == rows(tmp_path / "whole")


def test_captures_that_are_gone_stay(captures: Path, tmp_path: Path) -> None:
    update(captures, tmp_path / "a")
    before = rows(tmp_path / "a")
    shutil.rmtree(captures / "berlin")
    assert update(captures, tmp_path / "a").read == []
    after = rows(tmp_path / "a")
    listed = after.pop("captures")
    assert after | {"captures": before["captures"]} == before
    assert sorted("'there': True" in row for row in listed) == [False, False, False, True]


def test_a_name_used_again_keeps_both(captures: Path, tmp_path: Path) -> None:
    update(captures, tmp_path / "a")
    before = len(rows(tmp_path / "a")["observations"])
    shutil.copy(PCAPS / "rmcp.pcap", captures / "berlin" / "ring_0.pcap")
    update(captures, tmp_path / "a")
    assert len(rows(tmp_path / "a")["observations"]) == before + len(list(amtdecode.read(str(PCAPS / "rmcp.pcap"))))


def test_a_bad_file_is_a_row_in_errors(captures: Path, tmp_path: Path) -> None:
    (captures / "rome" / "bad.pcap").write_bytes(b"no capture")
    archive = update(captures, tmp_path / "a")
    assert [path for path, _ in archive.failed] == [str(captures / "rome" / "bad.pcap")]
    assert pq.read_table(tmp_path / "a" / "errors.parquet").column("sensor").to_pylist() == ["rome"]
    assert b'amtdecode_captures{state="error"} 1\n' in metrics_of(archive)


def test_diagnose_tells_of_an_archive(captures: Path, tmp_path: Path) -> None:
    update(captures, tmp_path / "a")
    done = subprocess.run(
        [sys.executable, "-m", "amtdecode", "diagnose", "-T", "json", str(tmp_path / "a")],
        capture_output=True,
        check=True,
    )
    report = json.loads(done.stdout)
    found = pq.read_table(tmp_path / "a" / "findings.parquet").column("rule").to_pylist()
    assert [finding["id"] for finding in report["findings"]] == found
    assert found


def test_duckdb_polars_and_pandas_read_its_partitions(captures: Path, tmp_path: Path) -> None:
    update(captures, tmp_path / "a")
    files = f"{tmp_path}/a/iamt_hello/**/*.parquet"
    columns = "sensor", "src", "packet"
    asked = f"SELECT {', '.join(columns)} FROM read_parquet('{files}', hive_partitioning=true)"
    wanted = sorted(duckdb.sql(asked).fetchall())
    wholes = (PCAPS / "hello.pcap", PCAPS / "presence.pcapng")
    hellos = [each for path in wholes for each in amtdecode.read(path) if each.event.protocol == "iamt.hello"]
    assert len(wanted) == len(hellos)
    assert {sensor for sensor, _, _ in wanted} == {"berlin", "rome"}
    assert sorted(pl.scan_parquet(files, hive_partitioning=True).select(columns).collect().rows()) == wanted
    frame = pd.read_parquet(tmp_path / "a" / "iamt_hello")
    assert sorted(frame[[*columns]].itertuples(index=False, name=None)) == wanted
