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
SAMPLE: Final = 4_096  # values of the first rows that tell whether a column wants a dictionary
COUNTING: Final = frozenset({"observation", "packet", "time", "stream", "started", "ended", "finding", "machine"})
"""Columns whose values go up: their differences are kept."""


class Writer:
    """The files of several tables. Use it with `with`: files appear at its end, each whole."""

    def __init__(self, tables: Iterable[str], registry: tuple[Protocol, ...], version: str) -> None:
        wanted = set(tables)
        self.schemas = {
            name: schema.with_metadata({**schema.metadata, TOOL: version, "amtdecode.table": name})
            for name, schema in schemas(registry).items()
            if name in wanted
        }
        """By table."""
        self.open = ExitStack()
        """Closes the files."""
        self.rows: dict[str, int] = dict.fromkeys(self.schemas, 0)
        """Rows taken, by table."""
        self.writers: dict[str, Any] = {}
        """By key: the table, or the table and its partition."""
        self._waiting: dict[str, list[Any]] = {}
        self._bytes: dict[str, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            with self.open:  # which closes all, or lets go of all
                if error is None:
                    self._finish()
                    for writer in self.writers.values():
                        writer.close()
                else:
                    self.open.__exit__(kind, error, traceback)
        finally:
            for writer in self.writers.values():
                writer.is_open = False  # a ParquetWriter that is let go would write its end into a closed file

    def take(self, name: str, table: Any) -> None:
        """Take rows of a table."""
        self.rows[name] += table.num_rows
        self.put(name, table)

    def put(self, key: str, table: Any) -> None:
        """Put rows where they go; they are written once there are enough for a row group."""
        waiting = self._waiting.setdefault(key, [])
        waiting.append(table)
        self._bytes[key] = self._bytes.get(key, 0) + table.nbytes
        if sum(part.num_rows for part in waiting) >= GROUP_ROWS:
            self._write(key)
        while sum(self._bytes.values()) > MAX_WAITING:
            self._write(max(self._bytes, key=self._bytes.__getitem__))

    def opened(self, key: str, table: Any) -> Any:
        """The writer of a key that has none yet, for its first rows."""
        raise NotImplementedError

    def _finish(self) -> None:
        """Write what still waits."""
        for key in [*self._waiting]:
            self._write(key)

    def _write(self, key: str) -> None:
        table = pyarrow().concat_tables(self._waiting.pop(key))
        del self._bytes[key]
        if key not in self.writers:
            self.writers[key] = self.opened(key, table)
        self.writers[key].write_table(table)


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
        for name in self.schemas:
            outputs.refuse(os.path.join(folder, f"{name}.parquet"), option)
        self._files = {
            name: self.open.enter_context(outputs.file(os.path.join(folder, f"{name}.parquet"), option))
            for name in self.schemas
        }

    def opened(self, key: str, table: Any) -> Any:
        """See `Writer`."""
        return parquet_writer(self._files[key], self.schemas[key], table)

    def _finish(self) -> None:
        super()._finish()
        for name, schema in self.schemas.items():
            if name not in self.writers:
                self.writers[name] = parquet_writer(self._files[name], schema)


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
        file = self.open.enter_context(outputs.file(name, option))
        options = pa.ipc.IpcWriteOptions(compression="zstd")
        self.writers[table] = pa.ipc.new_stream(file, self.schemas[table], options=options)


def parquet_writer(file: Any, schema: Any, first: Any = None) -> Any:
    """A `pyarrow.parquet.ParquetWriter` set up as all our files are. `first`: the rows that are written first."""
    from pyarrow import parquet

    counting = [name for name in schema.names if name in COUNTING]
    if "packets" in schema.names:
        counting.append("packets.list.element")
    return parquet.ParquetWriter(
        file,
        schema,
        compression="zstd",
        compression_level=LEVEL,
        data_page_size=PAGE_BYTES,
        use_dictionary=_recurring(schema.empty_table() if first is None else first),
        column_encoding=dict.fromkeys(counting, "DELTA_BINARY_PACKED"),
        write_statistics=[*PLACE, "machine"],
    )


def _recurring(table: Any) -> list[str]:
    """The columns, by Parquet's names, whose values come again: a dictionary of texts that mostly differ is in vain."""
    import pyarrow.compute as pc

    types = pyarrow().types
    found = []
    for field in table.schema:
        if field.name in COUNTING or field.name in ("fields", "packets"):
            continue
        name, kind, values = field.name, field.type, table.column(field.name).slice(0, SAMPLE)
        if types.is_list(kind):
            name, kind, values = f"{name}.list.element", kind.value_type, pc.list_flatten(values).slice(0, SAMPLE)
        if types.is_struct(kind):
            continue
        is_text = types.is_string(kind) or types.is_binary(kind)
        if is_text and 2 * pc.count_distinct(values).as_py() > len(values) - values.null_count:
            continue
        found.append(name)
    return found
