"""The processes that decode a share each. They end with the reading, however that ends."""

from __future__ import annotations

import os
import pickle
import signal
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Protocol

from amtdecode.errors import AmtdecodeError, WorkerError, reason
from amtdecode.flow.share import Share
from amtdecode.jobs.telling import CrossedError, Telling, in_order

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from multiprocessing.connection import Connection
    from multiprocessing.context import BaseContext
    from multiprocessing.process import BaseProcess

PIPE = 1 << 20  # bytes that may wait in it, beside `MAX_AHEAD`: as many as Linux lets a user have
PATIENCE = 5.0  # seconds until a process that was asked to end is made to


class Work(Protocol):
    """What each process does: it goes there with all that it needs, so it can be pickled."""

    def __call__(self, share: Share, telling: Telling) -> Any:
        """Decode a share, and tell; what it gives at its end goes to who began it."""
        ...


def shared(
    work: Work, jobs: int, *, by_addresses: bool = False, method: str | None = None, results: list[Any] | None = None
) -> Generator[list[Any], None, None]:
    """What `jobs` processes tell of their shares, in order. `results` gets what each of them gave at its end.

    `method`: how processes are begun, as in `multiprocessing`. Raises `CrossedError` where the shares cannot be told
    apart, `WorkerError` where a process ends on its own, and what is raised in one.
    """
    import multiprocessing

    context = multiprocessing.get_context(method)
    shares = [Share(index, jobs, by_addresses=by_addresses) for index in range(jobs)]
    processes: list[BaseProcess] = []
    receivers: list[Connection] = []
    try:
        with _undisturbed():
            for share in shares:
                _begin(context, work, share, processes, receivers)
        yield from in_order(_listener(receivers, processes), jobs, results if results is not None else [])
    finally:
        with _undisturbed():
            _end(processes, receivers)


def _end(processes: list[BaseProcess], receivers: list[Connection]) -> None:
    for receiver in receivers:
        receiver.close()
    for process in processes:
        process.terminate()
    for process in processes:
        process.join(PATIENCE)
        if process.exitcode is None:
            process.kill()
            process.join()
        process.close()


def _begin(
    context: BaseContext, work: Work, share: Share, processes: list[BaseProcess], receivers: list[Connection]
) -> None:
    receiver, sender = context.Pipe(duplex=False)
    widen(sender)
    # a child that was forked has the ends of the others, too: as long as it holds them, nobody is told that we are gone
    inherited = [*receivers, receiver] if context.get_start_method() == "fork" else []
    receivers.append(receiver)
    process = context.Process(target=_serve, args=(work, share, sender, inherited), daemon=True)  # type: ignore[attr-defined]
    try:
        process.start()
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise WorkerError("what was given cannot be sent to other processes") from error
    except OSError as error:
        raise WorkerError(f"no further process can be begun: {reason(error)}") from error
    finally:
        sender.close()
    processes.append(process)


def widen(sender: Connection) -> None:
    """Let a whole message wait in a pipe, where the system can: whoever has told it works on meanwhile."""
    with suppress(ImportError, AttributeError, OSError):  # not Linux; or its user has too many of them
        import fcntl

        fcntl.fcntl(sender.fileno(), fcntl.F_SETPIPE_SZ, PIPE)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Ctrl-C waits until all processes are there, or gone, and does not reach them: who began them ends them."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _listener(
    receivers: list[Connection], processes: list[BaseProcess]
) -> Callable[[list[int]], Iterator[tuple[int, bytes]]]:
    from multiprocessing.connection import wait

    def listen(awaited: list[int]) -> Iterator[tuple[int, bytes]]:
        ready = wait([receivers[index] for index in awaited])
        for index in awaited:
            if receivers[index] in ready:
                yield index, _receive(receivers[index], processes[index])

    return listen


def _receive(receiver: Connection, process: BaseProcess) -> bytes:
    try:
        return receiver.recv_bytes()
    except (EOFError, OSError):
        process.join(PATIENCE)
        code = process.exitcode
        how = f"by signal {-code}" if code is not None and code < 0 else f"with exit code {code}"
        raise WorkerError(f"a process that decoded a share ended before its work was done, {how}") from None


def _serve(work: Work, share: Share, sender: Connection, inherited: list[Connection]) -> None:
    """Of a process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for each in inherited:
        each.close()
    telling = Telling(sender.send_bytes)
    try:
        try:
            telling.end(work(share, telling))
        except CrossedError as error:
            sender.send_bytes(pickle.dumps(("crossed", error.why)))
        except AmtdecodeError as error:
            sender.send_bytes(pickle.dumps(("failed", error)))
        except (MemoryError, Exception) as error:
            if isinstance(error, BrokenPipeError):
                raise
            told = WorkerError(f"a process that decoded a share failed ({type(error).__name__}); please report it")
            sender.send_bytes(pickle.dumps(("failed", told)))
    except BrokenPipeError:  # nobody listens any more
        pass
    finally:
        with suppress(OSError):
            sender.close()
    sys.stderr.flush()
    os._exit(0)  # nothing of what the process that began this one left half written is written here
