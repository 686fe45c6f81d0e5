"""The option `-Y`, and what commands do with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

from amtdecode.cli.completing import filter_words
from amtdecode.cli.main import complain
from amtdecode.counting import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from amtdecode.capture import RawPacket, Records
    from amtdecode.engine import Engine
    from amtdecode.filter import Filter
    from amtdecode.filter.selecting import Selected
    from amtdecode.model import Observation
    from amtdecode.protocols.dissector import Protocol

Command = TypeVar("Command", bound="Callable[..., Any]")


def filter_option(command: Command) -> Command:
    """A display filter."""
    return click.option(
        "-Y",
        "display_filter",
        metavar="FILTER",
        shell_complete=filter_words,
        help="Only packets that pass this display filter (Wireshark's).",
    )(command)


def compiled(text: str | None, rooms: tuple[Protocol, ...] | None = None) -> Filter | None:
    """The filter of `-Y`; `None` where it is not given. Raises `FilterError`."""
    if text is None:
        return None
    from amtdecode.filter import compile_filter

    return compile_filter(text) if rooms is None else compile_filter(text, rooms)


class Filtered:
    """What `-Y` puts around an engine; nothing where it is not given."""

    def __init__(self, text: str | None, rooms: tuple[Protocol, ...]) -> None:
        self.filter = compiled(text, rooms)
        self._gate: Any = None
        if self.filter is not None:
            from amtdecode.filter.gate import Gate

            self._gate = Gate(self.filter)

    @property
    def reads_messages(self) -> bool:
        """Whether the engine must keep the bytes of messages."""
        return self.filter is not None and self.filter.reads_messages

    def rooms_for(self, columns: Sequence[str], rooms: tuple[Protocol, ...]) -> tuple[Protocol, ...]:
        """The rooms, of which with columns only those dissect that these and the filter need."""
        if not columns:
            return rooms if self.filter is None else self.filter.in_full(rooms)
        from amtdecode.protocols.demand import on_demand

        names = self.filter.event_names if self.filter is not None else frozenset()
        return on_demand(rooms, {*columns, *names})

    def watch(self, pieces: Iterator[RawPacket | Records]) -> Iterator[RawPacket | Records]:
        """The packets on their way to the engine."""
        return pieces if self._gate is None else iter(self._gate.watch(pieces))

    def batches(self, batches: Iterable[list[Observation]], *, quiet: bool) -> Iterable[list[Observation]]:
        """The observations on their way out."""
        if self._gate is None:
            return batches
        return self._passing(batches, quiet)

    def packets(
        self,
        pieces: Iterator[RawPacket | Records],
        columns: Sequence[str],
        engine: Callable[[tuple[Protocol, ...], int], Engine],
        rooms: tuple[Protocol, ...],
        *,
        waiting: bool,
        inputs: int,
        quiet: bool,
    ) -> Iterator[list[Selected]]:
        """The packets that pass, each once: for columns that only packets have. See `Selection`."""
        from amtdecode.filter.selecting import Selection

        assert self.filter is not None  # noqa: S101 - asked only with -Y
        selection = Selection(self.filter, engine, rooms, columns, waiting=waiting, inputs=inputs)
        yield from selection.of(pieces)
        if selection.forgotten and not quiet:
            complain(f"note: {counted(selection.forgotten, 'packet')} too far back for packet fields")

    def _passing(self, batches: Iterable[list[Observation]], quiet: bool) -> Iterator[list[Observation]]:
        yield from self._gate.batches(batches)
        if not quiet:
            say_forgotten(self.forgotten)

    @property
    def forgotten(self) -> int:
        """Observations judged without their packet, which lay too far back."""
        return self._gate.forgotten if self._gate is not None else 0

    def lacks(self) -> str:
        """Of one share of several: what the filter would have to know of the others; "" for nothing."""
        return self._gate.lacks if self._gate is not None else ""


def say_forgotten(count: int) -> None:
    """Tell of observations that the filter judged without their packet."""
    if count:
        complain(
            f"note: {count} observations belong to packets too far back; the filter judged them without packet fields"
        )
