"""Writes tables: a folder of Parquet files, or one table as an Arrow stream. Row groups are written as rows come.

Whatever the capture holds, no more than `MAX_WAITING` bytes of rows wait to be written.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

from amtdecode.errors import OutputError
from amtdecode.protocols.registry import REGISTRY
from amtdecode.tables.arrow import pyarrow
from amtdecode.tables.schemas import PLACE, schemas

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType
    from typing import Self

    from amtdecode.outputs import Outputs
    from amtdecode.protocols.dissector import Protocol

GROUP_ROWS: Final = 131_072  # rows of a row group: large enough to compress, small enough to be read in parallel
MAX_WAITING: Final = 128 << 20  # bytes of rows that wait for their row group to be full
LEVEL: Final = 6  # of Zstandard: 9 saves a tenth of the room, and costs a tenth of the time
TOOL: Final = "amtdecode.version"
"""Under which the metadata of a file has the version of the program."""
PAGE_BYTES: Final = 8 << 20  # what is compressed together
COUNTING: Final = frozenset({"observation", "packet", "time", "stream", "started", "ended", "finding", "machine"})
"""Columns whose values go up: their differences are kept."""


class Writer:
    """The files of several tables. Use it with `with`: files appear at its end, each whole."""

    def __init__(self, tables: Iterable[str], registry: tuple[Protocol, ...], version: str) -> None:
        wanted = set(tables)
        self._schemas = {
            name: schema.with_metadata({**schema.metadata, TOOL: version, "amtdecode.table": name})
            for name, schema in schemas(registry).items()
            if name in wanted
        }
        self._open = ExitStack()
        self._waiting: dict[str, list[Any]] = {name: [] for name in self._schemas}
        self._bytes: dict[str, int] = dict.fromkeys(self._schemas, 0)
        self._writers: dict[str, Any] = {}
        self.rows: dict[str, int] = dict.fromkeys(self._schemas, 0)
        """Rows written, by table."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._open:  # which closes all, or lets go of all
            if error is None:
                for name in self._waiting:
                    self._write(name)
                for writer in self._writers.values():
                    writer.close()
            else:
                self._open.__exit__(kind, error, traceback)

    def take(self, name: str, table: Any) -> None:
        """Take rows of a table."""
        waiting = self._waiting[name]
        waiting.append(table)
        self.rows[name] += table.num_rows
        self._bytes[name] += table.nbytes
        if sum(part.num_rows for part in waiting) >= GROUP_ROWS:
            self._write(name)
        while sum(self._bytes.values()) > MAX_WAITING:
            self._write(max(self._bytes, key=self._bytes.__getitem__))

    def _write(self, name: str) -> None:
        waiting = self._waiting[name]
        if waiting:
            table = pyarrow().concat_tables(waiting)
            self._writers[name].write_table(table)
            waiting.clear()
            self._bytes[name] = 0


class ParquetFolder(Writer):
    """`DIR/observations.parquet` and so on. All tables are there, also those without a row."""

    def __init__(
        self,
        folder: str,
        outputs: Outputs,
        tables: Iterable[str],
        registry: tuple[Protocol, ...] = REGISTRY,
        *,
        version: str,
        option: str = "--parquet",
    ) -> None:
        super().__init__(tables, registry, version)
        try:
            os.makedirs(folder, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{option} {folder}: cannot be made a folder: {error.strerror}") from error
        for name in self._schemas:
            outputs.refuse(os.path.join(folder, f"{name}.parquet"), option)
        for name, schema in self._schemas.items():
            file = self._open.enter_context(outputs.file(os.path.join(folder, f"{name}.parquet"), option))
            self._writers[name] = parquet_writer(file, schema)


class ArrowStream(Writer):
    """One table as an Arrow IPC stream."""

    def __init__(
        self,
        name: str,
        outputs: Outputs,
        table: str,
        registry: tuple[Protocol, ...] = REGISTRY,
        *,
        version: str,
        option: str = "--arrow",
    ) -> None:
        super().__init__([table], registry, version)
        pa = pyarrow()
        file = self._open.enter_context(outputs.file(name, option))
        options = pa.ipc.IpcWriteOptions(compression="zstd")
        self._writers[table] = pa.ipc.new_stream(file, self._schemas[table], options=options)


def parquet_writer(file: Any, schema: Any) -> Any:
    """A `pyarrow.parquet.ParquetWriter` set up as all our files are."""
    from pyarrow import parquet

    counting = [name for name in schema.names if name in COUNTING]
    return parquet.ParquetWriter(
        file,
        schema,
        compression="zstd",
        compression_level=LEVEL,
        data_page_size=PAGE_BYTES,
        use_dictionary=[name for name in schema.names if name not in COUNTING and name not in ("fields", "summary")],
        column_encoding=dict.fromkeys(counting, "DELTA_BINARY_PACKED"),
        write_statistics=[*PLACE, "machine"],
    )
