"""What an archive tells: one story of rotated files, the latest days alone, outcomes for Prometheus, and no secret."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest
from archives import PCAPS, rotated, rows, update

from amtdecode.archive.telling import journal_of
from amtdecode.cli import archive as command
from amtdecode.cli.main import run

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRETS = Path(__file__).resolve().parents[1] / "data" / "secrets.pcap.gz"
MARK = re.compile(r"Zq\d\d\dXy")
NAMED_BY_NOTHING = {"Zq142Xy", "Zq154Xy", "Zq162Xy", "Zq166Xy"}
"""Marks that nothing tells from words and numbers of the standards: tests/test_canaries.py."""
METRICS = """\
# HELP amtdecode_machines Machines by how far the latest attempt got, and how it ended.
# TYPE amtdecode_machines gauge
amtdecode_machines{stage="contact back",outcome="failed"} 1
amtdecode_machines{stage="hello",outcome="incomplete"} 2
amtdecode_machines{stage="none",outcome="none"} 2
# HELP amtdecode_cause_machines Machines by what troubles them foremost: the rule, its severity and verdict.
# TYPE amtdecode_cause_machines gauge
amtdecode_cause_machines{rule="AMT-HELLO-017",severity="high",verdict="confirmed"} 1
amtdecode_cause_machines{rule="AMT-CONN-002",severity="high",verdict="confirmed"} 1
amtdecode_cause_machines{rule="AMT-PET-001",severity="medium",verdict="confirmed"} 1
# HELP amtdecode_captures Captures by whether they could be read.
# TYPE amtdecode_captures gauge
amtdecode_captures{state="read"} 4
amtdecode_captures{state="error"} 1
# HELP amtdecode_last_packet_timestamp_seconds Time of the latest packet of each sensor.
# TYPE amtdecode_last_packet_timestamp_seconds gauge
amtdecode_last_packet_timestamp_seconds{sensor="berlin"} 1795479920.402
amtdecode_last_packet_timestamp_seconds{sensor="rome"} 1194253208.031
"""


@pytest.mark.parametrize(
    ("name", "cuts"),
    [
        ("hello.pcap", (13, 40)),
        ("tls10_psk.pcap", (5, 7)),  # behind ServerHello, and inside the flight that answers it
        ("wsman.pcap", (4, 20)),  # between a request and its answer, and inside an answer
    ],
)
def test_rotated_files_tell_what_the_whole_tells(name: str, cuts: tuple[int, ...], tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole" / "site", tmp_path / "parts" / "site"
    whole.mkdir(parents=True)
    parts.mkdir(parents=True)
    shutil.copy(PCAPS / name, whole)
    for number, data in enumerate(rotated((PCAPS / name).read_bytes(), cuts)):
        (parts / f"ring_{number}.pcap").write_bytes(data)
    update(whole, tmp_path / "a")
    made = update(parts, tmp_path / "b")
    assert [len(each.paths) for each in made.read] == [len(cuts) + 1]
    for table in ("observations", "flows", "calls"):
        assert read(tmp_path / "b", table) == read(tmp_path / "a", table)
    for table in ("machines", "attempts", "findings"):
        assert story(tmp_path / "b", table) == story(tmp_path / "a", table)


def read(target: Path, table: str) -> list[dict[str, Any]]:
    """The rows of a table in their order, without the names of files and their packets' numbers."""
    found = [row for part in sorted((target / table).rglob("*.parquet")) for row in pq.read_table(part).to_pylist()]
    without = {"input", "packet", "timeline", "packets", "elsewhere"}
    return [{key: value for key, value in row.items() if key not in without} for row in found]


def story(target: Path, table: str) -> list[dict[str, Any]]:
    without = {"input", "packet", "packets"}
    found = pq.read_table(target / f"{table}.parquet").to_pylist()
    return [{key: value for key, value in row.items() if key not in without} for row in found]


def test_metrics(captures: Path, tmp_path: Path) -> None:
    (captures / "rome" / "bad.pcap").write_bytes(b"no capture")
    run(["archive", str(captures), "--out", str(tmp_path / "a"), "--metrics", str(tmp_path / "x.prom"), "-q"])
    assert (tmp_path / "x.prom").read_text() == METRICS


@pytest.mark.parametrize(
    ("since", "machines"), [("2026-11-01", 2), ("2007-11-05T09:00:08Z", 5), ("2007-11-06", 2), ("2026-11-25", 0)]
)
def test_since(since: str, machines: int, captures: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    update(captures, tmp_path / "a")
    run(["diagnose", "-T", "json", "--since", since, str(tmp_path / "a")])
    assert len(json.loads(capfd.readouterr().out)["devices"]) == machines


def test_watch_takes_what_comes(
    captures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    update(captures, tmp_path / "whole")
    kept = shutil.move(captures / "rome", tmp_path / "aside")

    class Waiting:
        """A capture is closed during the first turn; Ctrl-C is pressed during the second."""

        def __init__(self, *_: object, **__: object) -> None:
            self.turns, self.interrupted = 0, False

        def begin(self) -> None:
            self.turns += 1

        def end(self) -> None:
            pass

        def __call__(self) -> bool:
            if self.turns == 1:
                shutil.copytree(kept, captures / "rome")
            self.interrupted = self.turns == 2
            return True

    monkeypatch.setattr(command, "Until", Waiting)
    assert run(["archive", str(captures), "--out", str(tmp_path / "a"), "--watch"]) == 130
    said = capfd.readouterr().err
    assert "amtdecode: 3 captures read, 2 machines in " in said
    assert "amtdecode: 1 capture read, 5 machines in " in said
    assert sum(map(len, rows(tmp_path / "a").values())) == sum(map(len, rows(tmp_path / "whole").values()))


def test_no_file_of_an_archive_holds_a_secret(tmp_path: Path) -> None:
    (tmp_path / "captures").mkdir()
    (tmp_path / "captures" / "secrets.pcap").write_bytes(gzip.decompress(SECRETS.read_bytes()))
    run(["archive", str(tmp_path / "captures"), "--out", str(tmp_path / "a"), "-q"])
    texts = [*written(tmp_path / "a")]
    assert sum(map(len, texts)) > 100_000
    assert {mark for text in texts for mark in MARK.findall(text)} <= NAMED_BY_NOTHING


def written(target: Path) -> Iterator[str]:
    """All that the files of an archive say: their bytes, and what is packed in them."""
    for path in filter(Path.is_file, target.rglob("*")):
        yield path.read_bytes().decode("latin-1")
        if path.suffix == ".parquet":
            yield str(pq.read_metadata(path).to_dict())
            yield str(pq.read_table(path).to_pylist())
    for reading in journal_of(str(target)).readings.values():
        for packed in (*reading.flow_blocks, *reading.entry_blocks):
            yield zlib.decompress(packed).decode()
