"""Tables for analysis (`export --parquet`, `export --arrow`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.cli.common import Inputs, calm_collector
from amtdecode.cli.filtering import say_forgotten
from amtdecode.cli.main import EXIT_INPUT, complain
from amtdecode.counting import counted
from amtdecode.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amtdecode.diagnosis.rule import Rule
    from amtdecode.filter import Filter
    from amtdecode.outputs import Outputs
    from amtdecode.protocols.dissector import Protocol
    from amtdecode.secrets import Keys
    from amtdecode.tables.writing import Writer


def write_tables(
    captures: Sequence[str],
    outputs: Outputs,
    parquet: str | None,
    arrow: str | None,
    chosen: Sequence[str],
    keys: Keys | None,
    rooms: tuple[Protocol, ...],
    rules: Sequence[Rule],
    display_filter: Filter | None = None,
    *,
    count: int | None,
    quiet: bool,
) -> int:
    """Write the tables chosen; without a choice all to a folder, `observations` to a stream.

    `display_filter`: rows of observations are of packets that pass; the story is of all.
    """
    from amtdecode import __version__
    from amtdecode.api import with_secrets_inside
    from amtdecode.tables.making import fill
    from amtdecode.tables.schemas import OBSERVATIONS, names
    from amtdecode.tables.writing import ArrowStream, ParquetFolder

    known = names(rooms)
    for name in chosen:
        if name not in known:
            raise UsageError(f"--table {name}: there is no such table; there are {', '.join(known)}")
    if arrow is not None and len(set(chosen)) > 1:
        raise UsageError("--arrow takes one table; --parquet writes several")
    tables = list(dict.fromkeys(chosen)) or ([OBSERVATIONS] if arrow is not None else [*known])
    inputs = Inputs(captures, quiet=quiet, count=count)
    if not inputs.names:
        return EXIT_INPUT
    keys = with_secrets_inside(inputs.names, keys)
    calm_collector()
    writer: Writer
    if arrow is not None:
        writer = ArrowStream(arrow, outputs, tables[0], rooms, version=__version__)
    else:
        assert parquet is not None  # noqa: S101 - for the type checker
        writer = ParquetFolder(parquet, outputs, tables, rooms, version=__version__)
    with writer:
        forgotten = fill(
            writer, inputs.names, inputs.packets, tables, keys=keys, registry=rooms, rules=rules, chosen=display_filter
        )
    if not quiet:
        say_forgotten(forgotten)
        rows = counted(sum(writer.rows.values()), "row")
        where = f"{counted(len(tables), 'table')} in {parquet}" if arrow is None else tables[0]
        complain(f"{rows}: {where}")
    return inputs.exit_code
