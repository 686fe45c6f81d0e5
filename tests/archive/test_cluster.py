"""An archive made by the workers of a Dask cluster holds the rows that one process makes."""

from __future__ import annotations

import os
import signal
import warnings
from typing import TYPE_CHECKING

import pytest
from archives import rows, update

from amtdecode.archive.pools import pool
from amtdecode.archive.run import Archive
from amtdecode.errors import WorkerError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

distributed = pytest.importorskip("distributed", reason="Dask is not installed: pip install 'amtdecode[scale]'")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Of a scheduler with two workers, processes of their own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Dask itself
        with distributed.LocalCluster(2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
            yield cluster.scheduler_address
            with distributed.Client(cluster) as client:  # one that a test killed must be back before it is closed
                client.wait_for_workers(2, timeout=60)


def test_a_cluster_writes_the_same_rows(address: str, captures: Path, tmp_path: Path) -> None:
    update(captures, tmp_path / "one")
    made = update(captures, tmp_path / "cluster", scheduler=address)
    assert sorted(len(each.paths) for each in made.read) == [1, 3]
    assert rows(tmp_path / "cluster") == rows(tmp_path / "one")
    assert update(captures, tmp_path / "cluster", scheduler=address).read == []


def test_a_cluster_reads_and_writes_a_store(address: str, captures: Path, tmp_path: Path) -> None:
    update(captures, tmp_path / "one")
    made = Archive(f"file://{tmp_path}/cluster", version="0")
    made.update([f"file://{captures}"], scheduler=address)
    assert sorted(len(each.paths) for each in made.read) == [1, 3]
    found = {name: [row.replace("file://", "") for row in each] for name, each in rows(tmp_path / "cluster").items()}
    assert found == rows(tmp_path / "one")


def test_what_a_lost_worker_had_is_done_by_another(address: str, tmp_path: Path) -> None:
    with pool(scheduler=address) as workers:
        assert sorted(workers.results(ends_once, [str(tmp_path / "a"), str(tmp_path / "b")])) == ["a", "b"]


def ends_once(path: str) -> str:
    if not os.path.exists(path):
        open(path, "xb").close()
        os.kill(os.getpid(), signal.SIGKILL)
    return os.path.basename(path)


def test_work_that_ends_each_worker_is_said(address: str) -> None:
    with pool(scheduler=address) as workers, pytest.raises(WorkerError, match="workers end on their own"):
        list(workers.results(os._exit, [1]))


@pytest.mark.parametrize("wrong", ["nonsense", "foo://host:8786", "tcp://host"])
def test_what_is_no_address_is_said_at_once(wrong: str) -> None:
    with pytest.raises(WorkerError, match=f"^{wrong}: is no address of a scheduler"), pool(scheduler=wrong):
        pass
