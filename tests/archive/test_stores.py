"""Captures and archives in a store: the rows that the same captures on a disk give, and the same care."""

from __future__ import annotations

import http.server
import json
import subprocess
import sys
import threading
import uuid
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest
from archives import rows, update

from amtdecode.archive.manifest import load
from amtdecode.archive.run import Archive
from amtdecode.cli.main import run
from amtdecode.errors import AmtdecodeError, CaptureError, OutputError, UsageError, WorkerError
from amtdecode.outputs import Outputs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

fsspec = pytest.importorskip("fsspec", reason="fsspec is not installed: pip install 'amtdecode[scale]'")


@pytest.fixture
def bucket() -> Iterator[str]:
    """A folder of its own in memory."""
    where = f"memory://{uuid.uuid4().hex}"
    yield where
    files = fsspec.filesystem("memory")
    if files.exists(where):
        files.rm(where, recursive=True)


@pytest.fixture
def server(captures: Path) -> Iterator[str]:
    """The captures behind a web server of lists of files."""
    pytest.importorskip("aiohttp", reason="aiohttp is not installed: fsspec reads http with it")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given, directory=str(captures))

        def log_message(self, *_: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as httpd:
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()


@pytest.fixture(scope="module")
def amazon() -> Iterator[str]:
    """A bucket of a server that speaks S3, of this machine."""
    pytest.importorskip("s3fs", reason="s3fs is not installed")
    moto = pytest.importorskip("moto.server", reason="moto is not installed: pip install 'moto[server]'")
    patch = pytest.MonkeyPatch()
    made = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    made.start()
    for name, value in {
        "AWS_ENDPOINT_URL": "http://{}:{}".format(*made.get_host_and_port()),
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        patch.setenv(name, value)
    fsspec.filesystem("s3").mkdir("archives")
    yield "s3://archives"
    made.stop()
    patch.undo()


def put(captures: Path, where: str) -> None:
    """The captures into a store."""
    files, top = fsspec.core.url_to_fs(where)
    for path in captures.rglob("*.pcap*"):
        name = f"{top}/{path.relative_to(captures).as_posix()}"
        files.makedirs(name.rpartition("/")[0], exist_ok=True)
        files.pipe_file(name, path.read_bytes())


def got(where: str, into: Path) -> Path:
    """An archive out of a store."""
    files, top = fsspec.core.url_to_fs(where)
    for name in files.find(top):
        path = into / name[len(top) + 1 :]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(files.cat_file(name))
    return into


def same(target: Path, captures: str, whole: Path, local: Path) -> bool:
    """Whether both hold the same rows, but for where their captures lie and what they are called."""
    tables, others = rows(target), rows(whole)
    return {name: sorted(row.replace(captures, str(local)) for row in each) for name, each in tables.items()} == others


def test_in_memory(bucket: str, captures: Path, tmp_path: Path) -> None:
    put(captures, f"{bucket}/captures")
    where = f"{bucket}/archive"
    archive = Archive(where, version="0")
    archive.update([f"{bucket}/captures"])
    assert sorted(len(each.paths) for each in archive.read) == [1, 3]
    update(captures, tmp_path / "whole")
    assert same(got(where, tmp_path / "got"), f"memory:///{bucket[9:]}/captures", tmp_path / "whole", captures)
    again = Archive(where, version="0")
    again.update([f"{bucket}/captures/"])
    assert (again.read, again.unchanged) == ([], 2)
    left = [name for name in fsspec.filesystem("memory").find(where) if "/." in name[len(bucket) :]]
    assert left == [], "nothing that was written aside is left"


@pytest.mark.parametrize("after", range(0, 24, 3))
def test_broken_off_in_memory(
    after: int, bucket: str, captures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(captures, f"{bucket}/captures")
    memory = type(fsspec.filesystem("memory"))
    calls, moves = iter(range(1000)), memory.mv

    def breaks(self: Any, *given: Any, **more: Any) -> None:
        if next(calls) == after:
            raise KeyboardInterrupt
        moves(self, *given, **more)

    monkeypatch.setattr(memory, "mv", breaks)
    with pytest.raises(KeyboardInterrupt):
        Archive(f"{bucket}/a", version="0").update([f"{bucket}/captures"])
    monkeypatch.undo()
    Archive(f"{bucket}/a", version="0").update([f"{bucket}/captures"])
    Archive(f"{bucket}/whole", version="0").update([f"{bucket}/captures"])
    assert rows(got(f"{bucket}/a", tmp_path / "a")) == rows(got(f"{bucket}/whole", tmp_path / "whole"))


def test_a_capture_that_changes_in_a_store_is_read_again(bucket: str, captures: Path, tmp_path: Path) -> None:
    put(captures, f"{bucket}/captures")
    files, name = fsspec.core.url_to_fs(f"{bucket}/captures/berlin/ring_2.pcap")
    data = files.cat_file(name)
    files.pipe_file(name, data[:-100])
    Archive(f"{bucket}/a", version="0").update([f"{bucket}/captures"])
    files.pipe_file(name, data)
    again = Archive(f"{bucket}/a", version="0")
    again.update([f"{bucket}/captures"])
    assert [len(each.paths) for each in again.read] == [3]
    Archive(f"{bucket}/whole", version="0").update([f"{bucket}/captures"])
    assert rows(got(f"{bucket}/a", tmp_path / "a")) == rows(got(f"{bucket}/whole", tmp_path / "whole"))


def test_a_file_system_of_this_machine_with_a_pool(captures: Path, tmp_path: Path) -> None:
    where = f"file://{tmp_path}/a"
    Archive(where, version="0").update([f"file://{captures}"], jobs=2)
    update(captures, tmp_path / "whole")
    assert same(tmp_path / "a", f"file://{captures}", tmp_path / "whole", captures)


def test_a_web_server(server: str, captures: Path, tmp_path: Path) -> None:
    Archive(str(tmp_path / "a"), version="0").update([server])
    update(captures, tmp_path / "whole")
    assert same(tmp_path / "a", server, tmp_path / "whole", captures)


def test_s3(amazon: str, captures: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    put(captures, f"{amazon}/captures")
    assert run(["archive", f"{amazon}/captures", "--out", f"{amazon}/archive"]) == 0
    assert "4 captures read" in capfd.readouterr().err
    assert run(["archive", f"{amazon}/captures", "--out", f"{amazon}/archive"]) == 0
    assert "read" not in capfd.readouterr().err
    update(captures, tmp_path / "whole")
    target = got(f"{amazon}/archive", tmp_path / "got")
    count = {name: len(each) for name, each in rows(target).items()}
    assert count == {name: len(each) for name, each in rows(tmp_path / "whole").items()}
    run(["diagnose", "-T", "json", f"{amazon}/archive"])
    told = json.loads(capfd.readouterr().out)["findings"]
    assert [each["id"] for each in told] == pq.read_table(target / "findings.parquet").column("rule").to_pylist()


def test_a_bucket_that_is_not_there(amazon: str) -> None:
    with pytest.raises(CaptureError, match=r"^s3://nowhere/captures: is no folder$"):
        Archive(f"{amazon}/other", version="0").update(["s3://nowhere/captures"])
    with pytest.raises(AmtdecodeError, match=r"^s3://nowhere/archive") as caught:
        Archive("s3://nowhere/archive", version="0").update([amazon])
    assert "\n" not in str(caught.value)


def test_diagnose_in_memory(bucket: str, captures: Path, capfd: pytest.CaptureFixture[str]) -> None:
    put(captures, f"{bucket}/captures")
    assert run(["archive", f"{bucket}/captures", "--out", f"{bucket}/a", "-q"]) == 0
    run(["diagnose", "-T", "json", f"{bucket}/a"])
    assert len(json.loads(capfd.readouterr().out)["devices"]) == 5
    run(["diagnose", f"{bucket}/captures"])
    assert "holds no archive" in capfd.readouterr().err


def test_two_runs_at_once_in_a_store(bucket: str, captures: Path) -> None:
    put(captures, f"{bucket}/captures")
    one, other = Archive(f"{bucket}/a", version="0"), Archive(f"{bucket}/a", version="0")

    def meanwhile(_said: str) -> None:
        if not other.read:
            other.update([f"{bucket}/captures"])

    with pytest.raises((WorkerError, OutputError)) as caught:
        one.update([f"{bucket}/captures"], say=meanwhile)
    assert "\n" not in str(caught.value)
    Archive(f"{bucket}/a", version="0").update([f"{bucket}/captures"])
    files = fsspec.filesystem("memory")
    assert all(files.exists(f"{bucket}/a/{part}") for part in load(f"{bucket}/a").parts())


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("nonsense://x/y", "^nonsense://x/y: "),
        ("ftp://somebody:secret@host/x", "^a path with a password in it would be written into tables"),
    ],
)
def test_what_is_no_store(path: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        Archive(str(tmp_path / "a"), version="0").update([path])
    assert "secret" not in str(caught.value)


def test_a_file_that_fails_is_not_there(bucket: str) -> None:
    files = fsspec.filesystem("memory")

    def fail() -> None:
        with Outputs().file(f"{bucket}/x") as file:
            file.write(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert files.find(bucket) == []
    with Outputs().file(f"{bucket}/x") as file:
        file.write(b"whole")
    assert files.cat(f"{bucket}/x") == b"whole"
    with pytest.raises(UsageError, match="is one of the inputs"), Outputs([f"{bucket}/x"]).file(f"{bucket}/x"):
        pass


def test_paths_of_this_machine_need_no_fsspec(captures: Path, tmp_path: Path) -> None:
    program = (
        "import sys; from amtdecode.archive.run import Archive\n"
        f"Archive({str(tmp_path / 'a')!r}, version='0').update([{str(captures)!r}])\n"
        "print(sorted(name for name in sys.modules if name.startswith(('fsspec', 'aiohttp', 's3fs'))))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_without_fsspec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    assert run(["archive", "s3://x/y", "--out", str(tmp_path / "a")]) == 3
    assert "s3://x/y: needs fsspec: pip install 'amtdecode[scale]'" in capfd.readouterr().err
