"""Folders as they are found: odd names, links, what may not be read, captures of nothing, two runs at once."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import duckdb
import pyarrow.parquet as pq
import pytest
from archives import HEADER, PCAPS, rotated, rows, update

import amtdecode
from amtdecode.archive.run import Archive
from amtdecode.errors import UsageError, WorkerError

if TYPE_CHECKING:
    from pathlib import Path

LONG = "/".join(("mit Umlaut ü und mehr " * 4)[:80].strip() for _ in range(4))


@pytest.mark.parametrize(
    "sensor", ["two words", "a=b", "deep/er", "day=none", "東京", "100%", "'; DROP TABLE x; --", "x..", LONG]
)
def test_sensors_of_any_name(sensor: str, tmp_path: Path) -> None:
    folder = tmp_path / "captures" / sensor
    folder.mkdir(parents=True)
    shutil.copy(PCAPS / "hello.pcap", folder)
    update(tmp_path / "captures", tmp_path / "a")
    assert update(tmp_path / "captures", tmp_path / "a").read == []
    assert pq.read_table(tmp_path / "a" / "captures.parquet").column("sensor").to_pylist() == [sensor]
    query = f"SELECT DISTINCT sensor FROM read_parquet('{tmp_path}/a/iamt_hello/**/*.parquet', hive_partitioning=true)"
    (found,) = duckdb.sql(query).fetchall()[0]
    if sensor != LONG:
        assert found == sensor
    assert all(len(os.fsencode(part)) < 256 for path in (tmp_path / "a").rglob("*") for part in path.parts)


def test_long_sensors_stay_apart(tmp_path: Path) -> None:
    for number in range(2):
        folder = tmp_path / "captures" / LONG / str(number)
        folder.mkdir(parents=True)
        (folder / "x.pcap").write_bytes((PCAPS / ("hello.pcap", "rmcp.pcap")[number]).read_bytes())
    update(tmp_path / "captures", tmp_path / "a")
    assert len({part.parent.name for part in (tmp_path / "a" / "observations").rglob("*.parquet")}) == 2


def test_names_that_are_no_utf_8(captures: Path, tmp_path: Path) -> None:
    name = os.fsencode(captures / "rome") + b"/caf\xe9.pcap"
    with open(name, "wb") as file:
        file.write((PCAPS / "rmcp.pcap").read_bytes())
    made = update(captures, tmp_path / "a")
    ((path, said),) = made.failed
    assert said == f"{path}: its name is not in UTF-8; give it another one"
    assert len(made.read) == 2


def test_links(captures: Path, tmp_path: Path) -> None:
    """One to a file is that file; those to folders are not followed, so that no loop has an end to look for."""
    update(captures, tmp_path / "whole")
    (captures / "rome" / "loop").symlink_to(captures)
    (captures / "rome" / "berlin").symlink_to(captures / "berlin")
    (captures / "rome" / "zz.pcap").symlink_to(captures / "berlin" / "ring_0.pcap")
    (captures / "rome" / "gone.pcap").symlink_to(captures / "nothing")
    made = update(captures, tmp_path / "a")
    assert made.failed == []
    found, wanted = rows(tmp_path / "a"), rows(tmp_path / "whole")
    assert len(found.pop("captures")) == len(wanted.pop("captures")) + 1, "the link is listed, and counts once"
    assert found == wanted
    (captures / "rome" / "self.pcap").symlink_to(captures / "rome" / "self.pcap")
    assert [said for _, said in update(captures, tmp_path / "a").failed] == [
        f"{captures}/rome/self.pcap: too many levels of symbolic links"
    ]


def test_an_archive_inside_its_captures(captures: Path, tmp_path: Path) -> None:
    update(captures, tmp_path / "whole")
    update(captures, captures / "made")
    assert update(captures, captures / "made").read == []
    assert rows(captures / "made") == rows(tmp_path / "whole")
    with pytest.raises(UsageError, match="holds other things, and no archive"):
        Archive(str(captures), version="0")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read(captures: Path, tmp_path: Path) -> None:
    forbids(captures, tmp_path)


def test_what_may_not_be_read_by_somebody_else(captures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same for root, whom the system refuses nothing: it is refused here."""
    scandir, opened = os.scandir, open

    def refused(path: object) -> bool:
        return str(path).endswith("/berlin") or str(path).endswith("presence.pcapng")

    def guarded(path: str = ".") -> object:
        if refused(path):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    def guarded_open(path: object, *more: object, **named: object) -> object:
        if refused(path):
            raise PermissionError(13, "Permission denied", path)
        return opened(path, *more, **named)  # type: ignore[call-overload]

    monkeypatch.setattr(os, "scandir", guarded)
    monkeypatch.setattr("builtins.open", guarded_open)
    made = update(captures, tmp_path / "a")
    monkeypatch.undo()
    check_refused(made, captures, tmp_path)


def forbids(captures: Path, tmp_path: Path) -> None:
    (captures / "berlin").chmod(0)
    (captures / "rome" / "presence.pcapng").chmod(0)
    try:
        made = update(captures, tmp_path / "a")
    finally:
        (captures / "berlin").chmod(0o755)
        (captures / "rome" / "presence.pcapng").chmod(0o644)
    check_refused(made, captures, tmp_path)


def check_refused(made: Archive, captures: Path, tmp_path: Path) -> None:
    assert sorted(said for _, said in made.failed) == [
        f"{captures}/berlin: permission denied",
        f"{captures}/rome/presence.pcapng: permission denied",
    ]
    assert pq.read_table(tmp_path / "a" / "errors.parquet").num_rows == 2
    update(captures, tmp_path / "a")
    update(captures, tmp_path / "whole")
    assert rows(tmp_path / "a") == rows(tmp_path / "whole"), "with permission all is there"


def test_a_folder_that_cannot_be_listed_loses_nothing(
    captures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    update(captures, tmp_path / "a")
    before = rows(tmp_path / "a")
    scandir = os.scandir

    def guarded(path: str = ".") -> object:
        if str(path).endswith("/berlin"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)
    made = update(captures, tmp_path / "a")
    monkeypatch.undo()
    assert [said for _, said in made.failed] == [f"{captures}/berlin: permission denied"]
    assert rows(tmp_path / "a")["observations"] == before["observations"]
    assert update(captures, tmp_path / "a").read == []
    assert rows(tmp_path / "a") == before


def test_captures_of_nothing(captures: Path, tmp_path: Path) -> None:
    (captures / "rome" / "empty.pcap").write_bytes(b"")
    (captures / "rome" / "header.pcap").write_bytes((PCAPS / "hello.pcap").read_bytes()[:HEADER])
    (captures / "rome" / "cut.pcap").write_bytes((PCAPS / "hello.pcap").read_bytes()[: HEADER - 3])
    made = update(captures, tmp_path / "a")
    assert [said for _, said in made.failed] == [f"{captures}/rome/empty.pcap: is empty, not a capture"]
    listed = pq.read_table(tmp_path / "a" / "captures.parquet").to_pylist()
    assert sorted(os.path.basename(row["path"]) for row in listed if not row["packets"]) == ["cut.pcap", "header.pcap"]
    assert update(captures, tmp_path / "a").read == []


def test_clocks_that_go_back(tmp_path: Path) -> None:
    """Packets and files whose times go backwards: all rows are there, as in one reading of the same files."""
    folder = tmp_path / "captures" / "site"
    folder.mkdir(parents=True)
    parts = rotated((PCAPS / "hello.pcap").read_bytes(), (20, 40, 60))
    parts[1], parts[2] = parts[2], parts[1]
    (folder / "1.pcap").write_bytes(parts[0] + parts[1][HEADER:])
    (folder / "2.pcap").write_bytes(parts[2] + parts[3][HEADER:])
    os.utime(folder / "2.pcap", (0, 0))
    made = update(folder, tmp_path / "a")
    assert [len(each.paths) for each in made.read] == [2]
    wanted = list(amtdecode.read([folder / "1.pcap", folder / "2.pcap"]))
    read = [row for part in (tmp_path / "a").glob("observations/**/*.parquet") for row in pq.ParquetFile(part).read(
        ["observation", "summary"]).to_pylist()]  # fmt: skip
    assert [row["summary"] for row in sorted(read, key=lambda row: row["observation"])] == [
        each.event.summary() for each in wanted
    ]


def test_a_capture_of_two_interfaces(tmp_path: Path) -> None:
    """Packets of both are read, and the first one's name is the stretch's."""
    (tmp_path / "captures").mkdir()
    section = bytes.fromhex("0a0d0d0a1c0000004d3c2b1a01000000ffffffffffffffff1c000000")
    data = (PCAPS / "hello.pcap").read_bytes()
    blocks = [section, interface(b"eth0"), interface(b"eth1")]
    at, number = HEADER, 0
    while at < len(data):
        seconds, micros, size, _ = (int.from_bytes(data[at + k : at + k + 4], "little") for k in (0, 4, 8, 12))
        blocks.append(packet(number % 2, seconds * 10**6 + micros, data[at + 16 : at + 16 + size]))
        at, number = at + 16 + size, number + 1
    (tmp_path / "captures" / "two.pcapng").write_bytes(b"".join(blocks))
    made = update(tmp_path / "captures", tmp_path / "a")
    assert [each.stretch.interface for each in made.read] == ["eth0"]
    hellos = sum(pq.ParquetFile(part).metadata.num_rows for part in (tmp_path / "a").glob("iamt_hello/**/*.parquet"))
    wanted = [each for each in amtdecode.read(PCAPS / "hello.pcap") if each.event.protocol == "iamt.hello"]
    assert hellos == len(wanted) > 0


def interface(name: bytes) -> bytes:
    options = b"\x02\x00" + len(name).to_bytes(2, "little") + name + b"\0\0\0\0"
    return block(1, b"\x01\0\0\0\0\0\0\0" + options)


def packet(interface: int, micros: int, data: bytes) -> bytes:
    head = b"".join(
        each.to_bytes(4, "little") for each in (interface, micros >> 32, micros & 0xFFFFFFFF, len(data), len(data))
    )
    return block(6, head + data + bytes(-len(data) % 4))


def block(kind: int, body: bytes) -> bytes:
    size = (len(body) + 12).to_bytes(4, "little")
    return kind.to_bytes(4, "little") + size + body + size


def test_two_runs_at_once(captures: Path, tmp_path: Path) -> None:
    """The second ends with one line, whatever process it is; the first goes on."""
    one, other = Archive(str(tmp_path / "a"), version="0"), Archive(str(tmp_path / "a"), version="0")
    said: list[str] = []

    def meanwhile(_said: str) -> None:
        with pytest.raises(WorkerError, match="another run is at work there"):
            other.update([str(captures)])
        command = [sys.executable, "-m", "amtdecode", "archive", str(captures), "--out", str(tmp_path / "a")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        said.append(f"{done.returncode} {done.stderr}")

    one.update([str(captures)], say=meanwhile)
    assert said == [f"3 amtdecode: {tmp_path}/a: another run is at work there; one at a time\n"] * 2
    update(captures, tmp_path / "whole")
    assert rows(tmp_path / "a") == rows(tmp_path / "whole")
    other.update([str(captures)])
    assert other.read == []
