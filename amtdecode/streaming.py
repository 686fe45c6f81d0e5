"""Observations while they happen, of an interface or of a sink for hello messages: for loops and for asyncio."""

from __future__ import annotations

from _thread import allocate_lock
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from concurrent.futures import Future
    from types import TracebackType
    from typing import Self

    from amtdecode.capture.packets import RawPacket
    from amtdecode.engine import Engine
    from amtdecode.filter.gate import Gate
    from amtdecode.frame import Packet
    from amtdecode.model import Observation


class Observations:
    """Observations of captures, one by one. Threads may share it: each observation goes to one of them."""

    def __init__(self, batches: Iterator[list[Observation]]) -> None:
        self._batches = batches
        self._ready: Iterator[Observation] = iter(())
        self._lock = allocate_lock()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Observation:
        for observation in self._ready:  # of a list, which is safe without a lock
            return observation
        with self._lock:
            while True:
                for observation in self._ready:  # another thread may have fetched more
                    return observation
                self._ready = iter(next(self._batches))

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The observations still to come as the Arrow table `observations` (docs/tables.md), read as it is consumed.

        So DuckDB, Polars, pandas and pyarrow take them. Raises `MissingExtraError` without pyarrow (extra `arrow`).
        """
        from importlib import import_module

        # tables are above this layer, and loaded by their name
        stream: object = import_module("amtdecode.tables.streams").arrow_stream(self, requested_schema)
        return stream

    def close(self) -> None:
        """Read no further, and let go of the inputs."""
        with self._lock:
            self._ready = iter(())
            getattr(self._batches, "close", lambda: None)()


class Packets:
    """Packets of captures, one by one. Threads may share it: each packet goes to one of them."""

    def __init__(self, packets: Iterator[Packet]) -> None:
        self._packets = packets
        self._lock = allocate_lock()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Packet:
        with self._lock:
            return next(self._packets)

    def close(self) -> None:
        """Read no further, and let go of the inputs."""
        with self._lock:
            getattr(self._packets, "close", lambda: None)()


class LiveObservations:
    """Observations as they become known, by `for` or `async for`, once.

    Leaving the loop ends the capture within a fifth of a second, and so do `stop()` from any thread, the end of a
    `with`, and cancelling the task. After `stop()` the loop still gives what the end makes known, as the connections
    that were under way.
    """

    def __init__(
        self,
        packets: Callable[[Callable[[], bool]], Iterator[RawPacket]],
        engine: Engine,
        gate: Gate | None = None,
    ) -> None:
        self._stopped = False
        read = packets(lambda: self._stopped)
        self._batches = engine.batches(read) if gate is None else gate.batches(engine.batches(gate.watch(read)))
        self.port: int | None = None
        """Where `listen` accepts connections."""

    def stop(self) -> None:
        """End the capture soon. May be called from another thread."""
        self._stopped = True

    def close(self) -> None:
        """End the capture, and wait until it has. While another thread reads it, that thread ends it; see `stop`."""
        self.stop()
        if getattr(self._batches, "gi_running", False):
            return
        for _ in self._batches:  # the socket is closed by whoever reads it
            pass

    def __iter__(self) -> Iterator[Observation]:
        try:
            for batch in self._batches:
                yield from batch
        finally:
            self.close()

    def __aiter__(self) -> AsyncIterator[Observation]:
        return _InThread(self, self._batches)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class _InThread:
    """The `async for`: waiting for packets blocks, so a thread of its own does it.

    No asynchronous generator, since one that is left by `break` ends only when its loop comes to it.
    """

    def __init__(self, live: LiveObservations, batches: Iterator[list[Observation]]) -> None:
        from concurrent.futures import ThreadPoolExecutor

        self._live = live
        self._batches = batches
        self._thread = ThreadPoolExecutor(1, "amtdecode")
        self._ready: deque[Observation] = deque()
        self._ended = False

    def __aiter__(self) -> AsyncIterator[Observation]:
        return self

    async def __anext__(self) -> Observation:
        from asyncio import CancelledError, get_running_loop, wrap_future

        while not self._ready:
            if self._ended:
                raise StopAsyncIteration
            try:
                batch = await get_running_loop().run_in_executor(self._thread, next, self._batches, None)
            except CancelledError:
                await wrap_future(self._end())
                raise
            if batch is None:
                self._end()
            else:
                self._ready.extend(batch)
        return self._ready.popleft()

    def _end(self) -> Future[None]:
        """End the capture behind what is under way."""
        self._ended = True
        self._live.stop()
        ending = self._thread.submit(self._live.close)
        self._thread.shutdown(wait=False)
        return ending

    def __del__(self) -> None:
        if not self._ended:
            with suppress(RuntimeError):  # the interpreter ends, and its threads with it
                self._end()
