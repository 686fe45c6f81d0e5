"""Where the work is done: here, in processes of this machine, or on a cluster (Dask, extra `scale`)."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from amtdecode.errors import MissingExtraError, WorkerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Executor

Given = TypeVar("Given")
Made = TypeVar("Made")


class Pool:
    """Does tasks, and gives what comes of them in any order."""

    def __init__(self, executor: Executor | None, lost: tuple[type[BaseException], ...] = ()) -> None:
        """`lost`: what its executor raises, beside `BrokenExecutor`, where workers are gone."""
        self._executor = executor
        self._lost = lost

    def results(self, work: Callable[[Given], Made], tasks: Iterable[Given]) -> Iterator[Made]:
        """What comes of each task, as it comes. Raises `WorkerError` where a process ends on its own."""
        if self._executor is None:
            yield from map(work, tasks)
            return
        from concurrent.futures import BrokenExecutor, CancelledError, as_completed

        futures = [self._executor.submit(work, task) for task in tasks]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BrokenExecutor as error:
            raise WorkerError("a process ended on its own; what is done is kept, the next run does the rest") from error
        except self._lost as error:
            raise WorkerError("workers end on their own; what is done is kept, the next run does the rest") from error
        except (CancelledError, OSError) as error:  # the connection to the scheduler
            raise WorkerError("the scheduler is gone; what is done is kept, the next run does the rest") from error
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
            from distributed import KilledWorker

            yield Pool(client.get_executor(pure=False, retries=2), (KilledWorker,))
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
    import logging

    try:
        from distributed import Client
        from distributed.comm import get_address_host_port
    except ImportError as error:
        raise MissingExtraError("--scheduler needs Dask: pip install 'amtdecode[scale]'") from error
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)  # one line says it, not its traceback
    try:
        get_address_host_port(scheduler)  # a client made for what is no address takes a minute to end
        return Client(scheduler, timeout=30)
    except ValueError as error:
        raise WorkerError(f"{scheduler}: is no address of a scheduler; wanted is tcp://host:8786") from error
    except OSError as error:
        raise WorkerError(f"{scheduler}: no scheduler answers there") from error
