"""Statistics for a terminal: tables, bars, and a line of blocks for what happens over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode import counting
from amtdecode.render.safe import safe

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from amtdecode.statistics import Statistics

FIRST_ROWS = 20  # of a table, printed without -V
BAR = 20  # columns
BLOCKS, PLAIN_BLOCKS = " ▁▂▃▄▅▆▇█", " .:-=+*#@"
FULL, PLAIN_FULL = "█", "#"


def statistics_lines(counted: Statistics, *, verbose: bool = False, plain: bool = False) -> Iterator[str]:
    """The lines. Captured text is escaped. `verbose`: all rows; `plain`: no characters beyond ASCII in the pictures."""
    full = PLAIN_FULL if plain else FULL
    limit = None if verbose else FIRST_ROWS
    yield from _protocols(counted)
    yield from _table(
        "Connections by port",
        ("port", "state"),
        [((str(row.port), row.state), row.count) for row in counted.connections],
        limit,
        full,
    )
    yield from _table(
        "Calls by result",
        ("class or service", "method", "result"),
        [((row.service, row.method, row.result), row.count) for row in counted.calls],
        limit,
        full,
    )
    yield from _table(
        "TLS handshakes",
        ("version", "suite", "kind", "outcome"),
        [((row.version, row.suite, row.kind, row.outcome), row.count) for row in counted.tls],
        limit,
        full,
    )
    yield from _hellos(counted, limit, plain)
    for name, count in counted.others.items():
        yield ""
        yield f"{count} more are counted in no row of the table of {name}: it is full"


def _protocols(counted: Statistics) -> Iterator[str]:
    yield f"Protocols: {counted.observations} observations"
    known: set[tuple[str, ...]] = set()
    for row in counted.protocols:
        for depth in range(1, len(row.layers)):
            outer = tuple(row.layers[:depth])
            if outer not in known:
                known.add(outer)
                yield f"  {'  ' * (depth - 1)}{safe(outer[-1])}"
        known.add(tuple(row.layers))
        name = f"{'  ' * (len(row.layers) - 1)}{safe(row.layers[-1])}"
        yield f"  {name:<30} {row.observations:>9}"


def _table(
    title: str, headings: Sequence[str], rows: list[tuple[tuple[str, ...], int]], limit: int | None, full: str
) -> Iterator[str]:
    if not rows:
        return
    shown = [(tuple(safe(cell) or "-" for cell in cells), count) for cells, count in rows[:limit]]
    widths = [max(len(heading), *(len(cells[at]) for cells, _ in shown)) for at, heading in enumerate(headings)]
    most = max(count for _, count in shown)
    yield ""
    yield title
    yield "  " + "  ".join(f"{head:<{width}}" for head, width in zip(headings, widths, strict=True)) + "      count"
    for cells, count in shown:
        bar = full * max(1, round(BAR * count / most))
        yield (
            "  "
            + "  ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True))
            + f"  {count:>9}  {bar}"
        )
    if len(rows) > len(shown):
        yield f"  and {len(rows) - len(shown)} more rows with -V"


def _hellos(counted: Statistics, limit: int | None, plain: bool) -> Iterator[str]:
    hellos = counted.hellos
    if not hellos.total:
        return
    yield from _table(
        f"Hello: {counting.counted(hellos.total, 'message')} of {counting.counted(hellos.machines, 'machine')}",
        ("retry counter",),
        [((retry,), count) for retry, count in hellos.by_retry.items()],
        limit,
        PLAIN_FULL if plain else FULL,
    )
    if hellos.over_time:
        yield f"  from {hellos.start}, {hellos.seconds:g} s a column, at most {max(hellos.over_time)}:"
        yield f"  |{spark(hellos.over_time, plain=plain)}|"


def spark(counts: Sequence[int], *, plain: bool = False) -> str:
    """One character a count: higher for more, and never empty where something was counted."""
    blocks = PLAIN_BLOCKS if plain else BLOCKS
    most, steps = max(counts), len(blocks) - 1
    return "".join(blocks[-(-count * steps // most)] for count in counts)
