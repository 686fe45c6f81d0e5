"""A disk that is full, at every door through which files are written: nothing half is left, and one line says why.

The disk is a small tmpfs. It can be mounted by root only, so everywhere else these tests are skipped.
"""

from __future__ import annotations

import errno
import os
import subprocess
from pathlib import Path

import pytest

import amtdecode
from amtdecode.outputs import Outputs

ROOT = Path(__file__).resolve().parents[2]
CALLS, OFFICE, OPENED = (str(ROOT / "pcaps" / name) for name in ("wsman.pcap", "office.pcapng", "wsman_tls.pcap"))
KEYLOG = str(ROOT / "pcaps" / "wsman_tls.keylog.txt")
PAGE = 4096  # bytes: what a tmpfs gives out at a time
SIZE = 16 * PAGE
FULL = os.strerror(errno.ENOSPC).lower()

NEW = ("--set", "new-password=Chosen12!")
DOORS = {  # name of the file or folder, and the command that writes it
    "read -w": ("x.pcapng", "read", CALLS, "-w"),
    "export --pcap": ("x.pcapng", "export", CALLS, "--frame", "1-200", "--pcap"),
    "export --csv": ("x.csv", "export", CALLS, "--rows", "observations", "--csv"),
    "export --write-keylog": ("x.txt", "export", OPENED, "--keylog", KEYLOG, "--write-keylog"),
    "export --http": ("bodies", "export", CALLS, "--http"),
    "export --soap": ("bodies", "export", CALLS, "--soap"),
    "export --certs": ("certs", "export", OPENED, "--certs"),
    "wireshark --lua": ("amt.lua", "wireshark", "--lua"),
    "psk make --out": ("pairs.csv", "psk", "make", "-n", "900", "--out"),
    "setupbin make --out": ("setup.bin", "setupbin", "make", "--amt", "4.0", *NEW, "--psk", "900", "--out"),
    "setupbin make --csv": (
        "p.csv",
        "setupbin",
        "make",
        "--amt",
        "4.0",
        *NEW,
        "--psk",
        "900",
        "--out",
        "s.bin",
        "--csv",
    ),
    "cert check --write-pem": ("chain.pem", "cert", "check", OPENED, "--write-pem"),
}
SMALL = {"export --write-keylog", "cert check --write-pem"}  # a page is enough


@pytest.fixture
def disk(tmp_path):
    """A disk of its own, with 16 pages."""
    where = tmp_path / "disk"
    where.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", where], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip(f"needs a small tmpfs, which only root can mount: {done.stderr.decode().strip()}")
    try:
        yield where
    finally:
        subprocess.run(["umount", where], check=True)


def leave(disk, pages):
    """Fill the disk up to so many pages."""
    (disk / "other").write_bytes(bytes(SIZE - pages * PAGE))


def left(disk):
    return {str(path.relative_to(disk)): path.read_bytes() for path in disk.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("door", "pages"), [(door, pages) for door in DOORS for pages in (0, 1)[: 1 + (door not in SMALL)]]
)
def test_nothing_half_is_left(run, disk, door, pages):
    name, *command = DOORS[door]
    leave(disk, pages)
    before = left(disk)
    done = run(*command, disk / name)
    assert (done.code, done.out) == (3, "")
    problem = [line for line in done.err.splitlines() if line.startswith("amtdecode: ") and str(disk) in line]
    assert len(problem) == 1
    assert FULL in problem[0]
    assert "Traceback" not in done.err
    after = left(disk)
    assert after.pop("other") == before.pop("other")
    whole = {path: data for path, data in after.items() if path.startswith(name + "/")}  # of a folder what was whole
    assert after == whole
    if whole:
        twice = run(*command, disk.parent / "all")
        assert twice.code == 0
        assert all((disk.parent / "all" / Path(path).name).read_bytes() == data for path, data in whole.items())


@pytest.mark.parametrize("door", ["read -w", "export --csv", "wireshark --lua"])
def test_what_was_there_stays(run, disk, door):
    name, *command = DOORS[door]
    (disk / name).write_bytes(b"as it was")
    leave(disk, 1)
    done = run(*command, disk / name)
    assert done.code == 3
    assert FULL in done.err
    assert set(left(disk)) == {"other", name}
    assert (disk / name).read_bytes() == b"as it was"


def test_with_room_it_is_written(run, disk):
    name, *command = DOORS["export --csv"]
    assert run(*command, disk / name).code == 0
    assert set(left(disk)) == {name}


def test_a_capture_that_grows_is_whole_as_far_as_it_got(disk):
    """A live capture is there while it is taken: what was written before the disk was full can be read."""
    leave(disk, 1)
    path = str(disk / "live.pcap")
    file = Outputs().growing(path, "-w")
    file.write(Path(CALLS).read_bytes()[:PAGE])
    file.flush()
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
        file.write(bytes(SIZE))
    file.close()
    assert os.path.getsize(path) == PAGE
    assert len([*amtdecode.packets(path)]) > 10


def test_of_two_files_there_is_neither_where_one_cannot_be_written(run, disk, tmp_path):
    leave(disk, 0)
    done = run(*DOORS["setupbin make --csv"][1:], disk / "p.csv")
    assert (done.code, (tmp_path / "s").exists(), set(left(disk))) == (3, False, {"other"})
