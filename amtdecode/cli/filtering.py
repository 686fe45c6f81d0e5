"""The option `-Y`, and what commands do with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

from amtdecode.cli.completing import filter_words
from amtdecode.cli.main import complain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from amtdecode.capture import RawPacket, Records
    from amtdecode.filter import Filter
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
        """The rooms, of which only those dissect that the columns and the filter need."""
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

    def _passing(self, batches: Iterable[list[Observation]], quiet: bool) -> Iterator[list[Observation]]:
        yield from self._gate.batches(batches)
        if self._gate.forgotten and not quiet:
            complain(
                f"note: {self._gate.forgotten} observations belong to packets too far back; the filter judged them "
                "without packet fields"
            )
