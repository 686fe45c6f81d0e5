"""The side that reads: files packets into the store, diagnoses them, and looks for those that pass a filter.

It runs beside the screen and talks to it through a pipe: here come `Watch` and `Stop`, there go the other messages.
"""

from __future__ import annotations

import time
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, NamedTuple

from amtdecode.capture import limited, one_by_one, open_records
from amtdecode.errors import AmtdecodeError
from amtdecode.tui.filing import Filing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from multiprocessing.connection import Connection

    from amtdecode.capture import Interface, RawPacket, Records
    from amtdecode.diagnosis.rule import Rule
    from amtdecode.diagnosis.site import Site
    from amtdecode.protocols.dissector import Protocol
    from amtdecode.provisioning import Story, Tracker
    from amtdecode.secrets import Keys
    from amtdecode.tui.store import Store

REFRESH = 1.0  # seconds between two reports, at least
SHARE = 20  # a report may take a twentieth of the time
LONGEST = 10.0  # seconds between two reports, at most
WAIT = 0.1  # seconds between looks at whether packets have come
TOGETHER = 2048  # packets between looks at the clock


class Seen(NamedTuple):
    """An interface of which packets will come, and its number."""

    number: int
    interface: Interface


class Judged(NamedTuple):
    """The diagnosis, so far or of all, as MessagePack."""

    report: bytes
    last: bool


class Passing(NamedTuple):
    """Further rows that pass a filter; `done`: of how many rows in all it is known."""

    filter: int
    rows: bytes
    """Numbers of 32 bits, in this machine's order."""
    done: int
    ended: bool


class Ended(NamedTuple):
    """All packets are in the store. `fault`: why not, if something is wrong."""

    fault: str = ""


class Failed(NamedTuple):
    """Something that was asked for cannot be done."""

    fault: str


class Watch(NamedTuple):
    """Look for the packets that pass a filter; an empty one ends that."""

    filter: int
    text: str


class Stop(NamedTuple):
    """Nobody looks any more."""


class Job(NamedTuple):
    """What is to be read, and how. `packets`: where not the files named are read, gives packets until told to stop."""

    names: Sequence[str]
    keys: Keys | None
    rooms: tuple[Protocol, ...]
    rules: Sequence[Rule] = ()
    site: Site | None = None
    most: int | None = None
    """Packets to read."""
    packets: Callable[[Callable[[], bool]], Iterator[RawPacket]] | None = None
    again: bool = True
    """Whether the files named can be read more than once."""


class Reading:
    """Does a job, and answers."""

    def __init__(self, job: Job, store: Store, pipe: Connection) -> None:
        self._job, self._store, self._pipe = job, store, pipe
        self._sending = Lock()
        self._stopped = False
        self._filter = 0
        """The latest one that was asked for."""
        self._complete = False
        self._filing = Filing(store, job.names, self._seen)
        self._tracker: Tracker | None = None
        self._looked = 0
        self._next = 0.0

    def run(self) -> None:
        """Until everything is read and nobody asks any more."""
        threads = [Thread(target=self._read, daemon=True)]
        threads[0].start()
        while not self._stopped:
            try:
                asked = self._pipe.recv()
            except (EOFError, OSError):
                break
            if isinstance(asked, Watch):
                self._filter = asked.filter
                if asked.text:
                    threads = [each for each in threads if each.is_alive()]
                    threads.append(Thread(target=self._watch, args=asked, daemon=True))
                    threads[-1].start()
            else:
                break
        self._stopped = True
        for each in threads:
            each.join()

    def _send(self, message: Any) -> None:
        try:
            with self._sending:
                self._pipe.send(message)
        except OSError:  # the screen is gone
            self._stopped = True

    def _seen(self, number: int, interface: Interface) -> None:
        self._send(Seen(number, interface))

    def _open(self, opened: Any = None) -> Iterator[RawPacket | Records]:
        return limited(open_records(list(self._job.names), opened), self._job.most)

    def _read(self) -> None:
        try:
            if self._job.packets is None and self._job.again:
                for _ in self._filing.watch(self._until_stopped(one_by_one(self._open(self._filing.opened)))):
                    pass
                self._ended("")
                self._diagnose(self._pausing(self._open()))
            else:
                given = self._job.packets
                source = given(self._breathe) if given is not None else one_by_one(self._open(self._piped))
                self._diagnose(self._filing.watch(self._flushing(limited(source, self._job.most))))
                self._ended("")
        except AmtdecodeError as error:
            self._ended(str(error))
        except OSError as error:
            self._ended(f"reading failed: {error.strerror or error}")
        except Exception as error:  # a defect: it is said, and what was read stays on the screen
            self._ended(f"internal fault ({type(error).__name__}); please report it with the capture")
        finally:
            self._filing.close()

    def _piped(self, source: Any) -> None:
        if source.end_when is not None:
            source.end_when(self._breathe)

    def _ended(self, fault: str) -> None:
        if not self._complete:
            if not fault:
                self._filing.flush()
            self._complete = True
            self._send(Ended(fault))
        elif fault:
            self._send(Failed(fault))

    def _until_stopped(self, packets: Iterator[RawPacket]) -> Iterator[RawPacket]:
        for raw in packets:
            if self._stopped:
                return
            yield raw

    def _pausing(self, pieces: Iterator[RawPacket | Records]) -> Iterator[RawPacket | Records]:
        """Pieces until nobody looks any more; a report now and then."""
        for number, piece in enumerate(pieces):
            if self._stopped:
                return
            yield piece
            if not number & 63:
                self._look()

    def _flushing(self, packets: Iterator[RawPacket | Records]) -> Iterator[RawPacket]:
        for number, raw in enumerate(one_by_one(packets)):
            if self._stopped:
                return
            yield raw
            if not number & 63:
                self._look()

    def _breathe(self) -> bool:
        """What is asked while no packet comes: whether to stop."""
        try:
            self._filing.flush()
        except AmtdecodeError as error:
            self._ended(str(error))
            return True
        self._look()
        return self._stopped

    def _diagnose(self, packets: Iterator[RawPacket | Records]) -> None:
        from amtdecode.engine import Engine
        from amtdecode.provisioning import Tracker

        self._tracker = tracker = Tracker()
        for name in self._job.names:
            tracker.input(name)
        engine = Engine(self._job.keys, connections="all", registry=self._job.rooms)
        for observation in engine.observe(packets):
            tracker.feed(observation)
        self._tracker = None
        self._send(Judged(self._judged(tracker.finish(), last=True), True))

    def _look(self) -> None:
        now, tracker = time.monotonic(), self._tracker
        if tracker is None or now < self._next or tracker.story.observations == self._looked:
            return
        self._looked = tracker.story.observations
        self._send(Judged(self._judged(tracker.so_far(), last=False), False))
        self._next = now + min(max(REFRESH, SHARE * (time.monotonic() - now)), LONGEST)

    def _judged(self, story: Story, *, last: bool) -> bytes:
        import msgspec

        from amtdecode.diagnosis import diagnose
        from amtdecode.safe import encodable

        report = diagnose(story, self._job.site, rules=self._job.rules, last=last)
        try:
            return msgspec.msgpack.encode(report)
        except UnicodeEncodeError:  # odd file names
            return msgspec.msgpack.encode(encodable(msgspec.to_builtins(report)))

    def _watch(self, number: int, text: str) -> None:
        """Tell which packets pass a filter, until another one is asked for."""
        from array import array

        from amtdecode.engine import Engine
        from amtdecode.filter import compile_filter
        from amtdecode.filter.packets import MAX_HELD, Judge

        found, row = array("I"), -1

        def tell(*, ended: bool = False) -> None:
            self._send(Passing(number, found.tobytes(), row + 1, ended))
            del found[:]

        try:
            chosen = compile_filter(text, self._job.rooms)
            keys = self._job.keys.copy() if self._job.keys is not None else None
            growing = self._job.packets is not None or not self._job.again
            # what later packets say of one that passed is not waited for while packets come one by one
            judge = Judge(
                chosen,
                lambda: Engine(keys, registry=self._job.rooms, pdus=chosen.reads_messages),
                held=1 if growing else MAX_HELD,
            )
            told = time.monotonic()
            for row, judged in enumerate(judge.judge(self._all_rows(tell) if growing else self._open())):
                if self._filter != number or self._stopped:
                    return
                if judged.passes:
                    found.append(row)
                if not row % TOGETHER and time.monotonic() > told + WAIT:
                    tell()
                    told = time.monotonic()
        except AmtdecodeError as error:
            self._send(Failed(str(error)))
        tell(ended=True)

    def _all_rows(self, idle: Callable[[], None]) -> Iterator[RawPacket]:
        """All packets of the store, also those to come; `idle` is called where one must wait for them."""
        from amtdecode.capture.packets import notice
        from amtdecode.filter.packets import TICK

        view = self._store.view()
        row = 0
        raw: RawPacket | None = None
        while not self._stopped:
            complete = self._complete
            while row < view.grown():
                raw = view.raw(row)
                yield raw
                row += 1
            if complete and row >= view.grown():
                return
            if raw is not None:
                yield notice(raw[7].input, raw[0], TICK)
            idle()
            time.sleep(WAIT)
