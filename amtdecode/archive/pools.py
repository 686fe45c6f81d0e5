"""Where the work is done: here, in processes of this machine, or on a cluster (Dask, extra `scale`)."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from amtdecode.errors import MissingExtraError, WorkerError, reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Executor

Given = TypeVar("Given")
Made = TypeVar("Made")


class Pool:
    """Does tasks, and gives what comes of them in any order."""

    def __init__(self, executor: Executor | None) -> None:
        self._executor = executor

    def results(self, work: Callable[[Given], Made], tasks: Iterable[Given]) -> Iterator[Made]:
        """What comes of each task, as it comes. Raises `WorkerError` where a process ends on its own."""
        if self._executor is None:
            yield from map(work, tasks)
            return
        from concurrent.futures import BrokenExecutor, as_completed

        futures = [self._executor.submit(work, task) for task in tasks]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BrokenExecutor as error:
            raise WorkerError("a process ended on its own; what is done is kept, the next run does the rest") from error
        except OSError as error:  # the connection to the scheduler
            raise WorkerError(f"scheduler: {reason(error)}") from error
        finally:
            for future in futures:
                future.cancel()


@contextmanager
def pool(jobs: int = 1, scheduler: str = "") -> Iterator[Pool]:
    """A pool: of `jobs` processes, or of the workers of a Dask scheduler (`tcp://host:8786`).

    Raises `MissingExtraError` without `distributed`, `WorkerError` where the scheduler cannot be reached.
    """
    if scheduler:
        with _client(scheduler) as client:
            yield Pool(client.get_executor(pure=False, retries=2))
        return
    if jobs <= 1:
        yield Pool(None)
        return
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    executor = ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn"))
    try:
        yield Pool(executor)
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def _client(scheduler: str) -> Any:
    try:
        from distributed import Client
    except ImportError as error:
        raise MissingExtraError("--scheduler needs Dask: pip install 'amtdecode[scale]'") from error
    try:
        return Client(scheduler, timeout=30)
    except (OSError, ValueError) as error:
        raise WorkerError(f"{scheduler}: {error}") from error
