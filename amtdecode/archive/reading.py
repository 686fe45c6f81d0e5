"""Reads one stretch, in whatever process: tables, partitioned by day and sensor, and the journal of its machines."""

from __future__ import annotations

import re
import time
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import quote

from amtdecode.archive.manifest import WORK
from amtdecode.archive.opening import opened
from amtdecode.capture import one_by_one, open_records
from amtdecode.engine import Engine
from amtdecode.errors import AmtdecodeError, CaptureError, OutputError, reason
from amtdecode.model import PACKET_NUMBER_BITS
from amtdecode.outputs import Outputs
from amtdecode.protocols.registry import REGISTRY
from amtdecode.provisioning.journal import Keeper
from amtdecode.stores import join, store_of
from amtdecode.tables.arrow import pyarrow
from amtdecode.tables.collecting import TOGETHER, Collector
from amtdecode.tables.schemas import names, of_observations
from amtdecode.tables.writing import Writer, parquet_writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from amtdecode.archive.planning import Stretch
    from amtdecode.capture import RawPacket, Records
    from amtdecode.protocols.dissector import Protocol
    from amtdecode.secrets import Keys
    from amtdecode.stores import About

DAY_NS: Final = 86_400 * 10**9
NUMBER: Final = (1 << PACKET_NUMBER_BITS) - 1  # of a packet, in its id
NO_DAY: Final = "none"
MAX_DAYS: Final = 31  # of one stretch, whose packets may say whatever time they like
MAX_NAME: Final = 200  # of a folder; file systems take 255 bytes, and `sensor=` goes before it
JOURNALS: Final = "journals"
TIMELINE: Final = "timeline"
"""The column that says of which stretch a row is: numbers of observations, packets and streams count within it."""


class Task(NamedTuple):
    """What is to be read."""

    archive: str
    stretch: Stretch
    paths: tuple[str, ...]
    """Where its captures stand."""
    looked: tuple[About, ...]
    """What each was when it was looked through."""
    keys: Keys | None
    version: str
    rooms: Callable[[], tuple[Protocol, ...]] | None = None
    """The protocols, where they are not our own: called in the process that reads."""


class Result(NamedTuple):
    """What came of it."""

    stretch: Stretch
    paths: tuple[str, ...]
    """Where its captures stood."""
    parts: tuple[str, ...]
    """Files below `WORK` and the id of the stretch, by the names they are to have in the archive."""
    rows: dict[str, int]
    error: str
    seconds: float


def tables(registry: tuple[Protocol, ...] = REGISTRY) -> tuple[str, ...]:
    """The tables that are written of each stretch."""
    return tuple(of_observations(names(registry)))


def read_stretch(task: Task) -> Result:
    """Read it. Whatever is wrong with the captures is in `error`, and nothing but the folder of work is touched.

    Raises `OutputError` where it cannot be written.
    """
    started = time.monotonic()
    stretch, store = task.stretch, store_of(task.archive)
    folder = join(task.archive, WORK, stretch.id)
    rows: dict[str, int] = {}
    parts: tuple[str, ...] = ()
    error = ""
    try:
        registry = REGISTRY if task.rooms is None else task.rooms()
        with DayFolders(folder, stretch, task.version, registry) as writer:
            journal = _read(task, writer, registry)
            part = f"{JOURNALS}/{stretch.id}.journal"
            store.make(join(folder, JOURNALS))
            with Outputs().file(join(folder, part)) as file:
                file.write(journal)
        parts, rows = (*writer.parts, part), {name: count for name, count in writer.rows.items() if count}
        error = _changed(task)
    except OutputError:  # no fault of the captures
        store.remove_folder(folder)
        raise
    except AmtdecodeError as failure:
        error = str(failure)
    except OSError as failure:
        error = f"{task.paths[0]}: {reason(failure)}"
    except MemoryError:
        error = f"{task.paths[0]}: too little memory"
    return Result(stretch, task.paths, parts, rows, error, time.monotonic() - started)


def _read(task: Task, writer: DayFolders, registry: tuple[Protocol, ...]) -> bytes:
    from amtdecode.diagnosis.inputs import sort_inputs, with_keys_inside

    with opened(task.paths) as captures:
        inputs = sort_inputs(captures)
        if inputs.failed:
            raise CaptureError(inputs.failed[0][1])
        keys = with_keys_inside(inputs, task.keys)
        engine = Engine(keys, connections="all", registry=registry, batch_size=TOGETHER)
        collector = Collector(writer.take, tables(registry), registry, outcomes=True)
        keeper = Keeper(task.stretch.sensor, task.paths)
        for batch in engine.batches(_behind(open_records(inputs.captures), task.stretch.after)):
            collector.add(batch)
            for observation in batch:
                keeper.feed(observation)
        collector.flush()
    return keeper.journal().to_bytes()


def _behind(packets: Iterator[RawPacket | Records], after: Sequence[int]) -> Iterator[RawPacket | Records]:
    """Without the first packets of each capture that another stretch has."""
    if not any(after):
        return packets
    return (each for each in one_by_one(packets) if each[0] & NUMBER > after[each[0] >> PACKET_NUMBER_BITS])


def _changed(task: Task) -> str:
    """Which of the files is no longer what it was when it was looked through."""
    for path, before in zip(task.paths, task.looked, strict=True):
        try:
            about = store_of(path).about(path)
        except OSError as error:
            return f"{path}: {reason(error)}"
        if about != before:
            return f"{path}: is still growing; the next run reads it"
    return ""


class DayFolders(Writer):
    """`TABLE/day=2026-11-24/sensor=berlin/ID.parquet`, the partitions that DuckDB and Spark know."""

    def __init__(self, folder: str, stretch: Stretch, version: str, registry: tuple[Protocol, ...]) -> None:
        super().__init__(tables(registry), registry, version)
        self._folder = folder
        self._place = f"sensor={_partition(stretch.sensor)}/{stretch.id}.parquet"
        self._id = stretch.id
        self._outputs = Outputs()
        self._days: set[int] = set()
        self.parts: list[str] = []
        """Files written."""

    def take(self, name: str, table: Any) -> None:
        """Take rows of a table: each to its day."""
        import pyarrow.compute as pc

        pa = pyarrow()
        self.rows[name] += table.num_rows
        table = table.append_column(TIMELINE, pa.repeat(self._id, table.num_rows))
        times = table.column("started" if name == "flows" else "time").cast(pa.int64())
        days = pc.fill_null(pc.divide(times, DAY_NS), -1)
        for number in pc.unique(days).to_pylist():
            rows = table.filter(pc.equal(days, number))
            if len(self._days) < MAX_DAYS:
                self._days.add(number)
            self.put(f"{name}/day={_day(number if number in self._days else -1)}/{self._place}", rows)

    def opened(self, key: str, table: Any) -> Any:
        """The file of a table and day."""
        path = join(self._folder, key)
        store_of(path).make(join(self._folder, key.rpartition("/")[0]))
        name = key.partition("/")[0]
        schema = self.schemas[name].append(table.schema.field(TIMELINE))
        self.parts.append(key)
        return parquet_writer(self.open.enter_context(self._outputs.file(path)), schema, table)


def _partition(sensor: str) -> str:
    """The name of a sensor in the name of a folder, as DuckDB and Spark read it back; a long one ends in its digest."""
    name = quote(sensor, safe="")
    if len(name) <= MAX_NAME:
        return name
    digest = blake2b(sensor.encode(), digest_size=8).hexdigest()
    return f"{re.sub('%.?$', '', name[: MAX_NAME - len(digest) - 1])}~{digest}"


def _day(number: int) -> str:
    from datetime import date

    if number < 0:
        return NO_DAY
    return date.fromordinal(date(1970, 1, 1).toordinal() + number).isoformat()
