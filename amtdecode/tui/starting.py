"""Starts what reads beside the screen: as a process of its own, so that keys are answered whatever is being read."""

from __future__ import annotations

import os
from threading import Thread
from typing import TYPE_CHECKING, Any

from amtdecode.tui.reading import Reading, Seen, Stop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection

    from amtdecode.tui.reading import Job
    from amtdecode.tui.store import Store

NICENESS = 5  # the screen comes first
PATIENCE = 2.0  # seconds for the reader to end by itself


class Beside:
    """The screen's end of the pipe to the reader."""

    def __init__(self, store: Store, pipe: Connection, end: Callable[[], None]) -> None:
        self.store = store
        self._pipe = pipe
        self._end = end
        self._open = True

    def ask(self, message: Any) -> None:
        """Tell the reader something."""
        if self._open:
            try:
                self._pipe.send(message)
            except OSError:
                self._open = False

    def messages(self) -> Iterator[Any]:
        """What the reader has said since this was asked last; the store then knows of further rows."""
        grown = self.store.grown()
        try:
            while self._open and self._pipe.poll():
                message = self._pipe.recv()
                if not isinstance(message, Seen):
                    yield message
                elif message.number == len(self.store.interfaces):  # from a thread it is there already
                    self.store.interfaces.append(message.interface)
        except (EOFError, OSError):
            self._open = False
        self.store.count = grown

    def close(self) -> None:
        """End the reader."""
        self.ask(Stop())
        self._end()
        self._open = False
        self._pipe.close()
        self.store.close()


def beside(job: Job, store: Store, *, process: bool = True) -> Beside:
    """Start reading. `process`: in a process of its own, where the system can split one off (not on Windows)."""
    import multiprocessing

    here, there = multiprocessing.Pipe()
    if process and hasattr(os, "fork"):
        child = multiprocessing.get_context("fork").Process(target=_run, args=(job, store, here, there), daemon=True)
        child.start()
        there.close()

        def end() -> None:
            child.join(PATIENCE)
            if child.is_alive():
                child.terminate()
                child.join()

        return Beside(store, here, end)
    thread = Thread(target=Reading(job, store, there).run, daemon=True)
    thread.start()
    return Beside(store, here, lambda: thread.join(PATIENCE))


def _run(job: Job, store: Store, here: Connection, there: Connection) -> None:
    import gc
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the screen hears of Ctrl-C
    here.close()
    os.nice(NICENESS)
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)  # nothing on the way of a packet makes circles
    Reading(job, store, there).run()
