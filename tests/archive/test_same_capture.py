"""A capture is known by what it holds: under another name, in another folder, packed, or grown, it counts once."""

from __future__ import annotations

import gzip
import os
import shutil
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest
from archives import PCAPS, rotated, rows, update

if TYPE_CHECKING:
    from pathlib import Path


def listed(target: Path) -> list[tuple[str, str, bool]]:
    """Name in the tables, where it stands, and whether it is there: of each capture, the names of files alone."""
    found = pq.read_table(target / "captures.parquet").to_pylist()
    return sorted((os.path.basename(row["input"]), os.path.basename(row["path"]), row["there"]) for row in found)


def without_listing(target: Path) -> dict[str, list[str]]:
    return {name: each for name, each in rows(target).items() if name != "captures"}


def packed(path: Path) -> None:
    path.with_suffix(".pcap.gz").write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()


def renamed(path: Path) -> None:
    path.rename(path.with_name("another.pcap"))


def moved(path: Path) -> None:
    path.parent.parent.joinpath("shelf").mkdir()
    path.rename(path.parent.parent / "shelf" / "another.pcap")


def copied(path: Path) -> None:
    shutil.copy(path, path.with_name("another.pcap"))


@pytest.mark.parametrize(
    ("happens", "name", "copies"),
    [(packed, "ring_1.pcap.gz", 0), (renamed, "another.pcap", 0), (moved, "another.pcap", 0), (copied, "", 1)],
)
@pytest.mark.parametrize("number", [0, 1, 2])
def test_the_same_bytes_are_read_once(
    happens: Any, name: str, copies: int, number: int, captures: Path, tmp_path: Path
) -> None:
    update(captures, tmp_path / "a")
    before = without_listing(tmp_path / "a")
    happens(captures / "berlin" / f"ring_{number}.pcap")
    assert update(captures, tmp_path / "a").read == []
    assert without_listing(tmp_path / "a") == before
    found = listed(tmp_path / "a")
    assert len(found) == 4 + copies
    stands = name.replace("ring_1", f"ring_{number}")
    assert (f"ring_{number}.pcap", stands or "another.pcap", True) in found
    assert update(captures, tmp_path / "a").read == []
    (captures / "berlin" / "ring_9.pcap").write_bytes((PCAPS / "rmcp.pcap").read_bytes())
    update(captures, tmp_path / "a")
    assert len(before["observations"]) < len(without_listing(tmp_path / "a")["observations"])


@pytest.mark.parametrize("number", [0, 1, 2])
def test_what_has_grown_under_another_name_is_read_as_grown(number: int, captures: Path, tmp_path: Path) -> None:
    path = captures / "berlin" / f"ring_{number}.pcap"
    data = path.read_bytes()
    path.write_bytes(rotated(data, (3,))[0])
    update(captures, tmp_path / "a")
    path.unlink()
    path.with_name("ring_8.pcap").write_bytes(data)
    update(captures, tmp_path / "a")
    update(captures, tmp_path / "whole")
    assert rows(tmp_path / "a") == rows(tmp_path / "whole")


def test_what_grew_after_its_neighbour_went_is_read_on(tmp_path: Path) -> None:
    """As in a ring buffer: the oldest file is gone before the latest, which was read as it grew, is whole."""
    folder = tmp_path / "captures" / "site"
    folder.mkdir(parents=True)
    first, second, third = rotated((PCAPS / "hello.pcap").read_bytes(), (20, 60))
    begun = rotated(second, (12,))[0]
    (folder / "1.pcap").write_bytes(first)
    (folder / "2.pcap").write_bytes(begun + second[len(begun) :][:7])  # in the middle of a packet
    update(folder, tmp_path / "a")
    (folder / "1.pcap").unlink()
    (folder / "2.pcap").write_bytes(second)
    (folder / "3.pcap").write_bytes(third)
    made = update(folder, tmp_path / "a")
    assert made.failed == []
    assert [each.stretch.after for each in made.read] == [(12, 0)]
    assert update(folder, tmp_path / "a").read == []
    packets = pq.ParquetDataset(tmp_path / "a" / "iamt_hello").read(["input", "packet"]).to_pylist()
    counted = sorted((os.path.basename(row["input"]), row["packet"]) for row in packets)
    assert len(counted) == len(set(counted)), "no packet of a hello is there twice"
    (folder / "1.pcap").write_bytes(first)
    again = update(folder, tmp_path / "a")
    assert [each.stretch.after for each in again.read] == [(0, 0, 0)], "with the first back, all is read as one"
    update(folder, tmp_path / "whole")
    assert rows(tmp_path / "a") == rows(tmp_path / "whole")


def test_empty_captures_stay_apart(tmp_path: Path) -> None:
    """Two files of nothing but a header are not one, and each may grow."""
    folder = tmp_path / "captures" / "site"
    folder.mkdir(parents=True)
    parts = rotated((PCAPS / "hello.pcap").read_bytes(), (20,))
    for number in range(2):
        (folder / f"{number}.pcap").write_bytes(parts[0][:24])
    update(folder, tmp_path / "a")
    for number, data in enumerate(parts):
        (folder / f"{number}.pcap").write_bytes(data)
        update(folder, tmp_path / "a")
    update(folder, tmp_path / "whole")
    assert rows(tmp_path / "a") == rows(tmp_path / "whole")
