"""The option `--jobs`: several processes decode a share each, and what they write is put in order here."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from amtdecode.capture.source import STANDARD_INPUT
from amtdecode.cli.common import copies, registry, told_copies, use_color
from amtdecode.cli.main import complain
from amtdecode.jobs.limits import MAX_JOBS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from amtdecode.cli.filtering import Filtered
    from amtdecode.cli.writing import Output
    from amtdecode.engine import Engine
    from amtdecode.flow.share import Share
    from amtdecode.jobs.several import Jobs
    from amtdecode.jobs.telling import Telling
    from amtdecode.model import Observation
    from amtdecode.net.copies import Copies
    from amtdecode.protocols.dissector import Protocol
    from amtdecode.secrets import Keys

READ_ONCE = "standard input and pipes can be read once only"
Command = TypeVar("Command", bound="Callable[..., Any]")
BYTES_EACH = 512  # of what is printed of an observation, about
METHOD = "fork" if sys.platform.startswith("linux") else None
"""How processes are begun: without loading everything anew where that is safe; else as Python does."""


def jobs_option(command: Command) -> Command:
    """How many processes decode."""
    return click.option(
        "--jobs",
        type=click.IntRange(1, MAX_JOBS),
        default=1,
        metavar="N",
        help="Decode with N processes, each of which reads the captures and decodes its share of the connections.",
    )(command)


def possible(
    jobs: int,
    captures: Sequence[str],
    *,
    seconds: float | None,
    target: str | None,
    shown: Mapping[str, Any],
    quiet: bool,
) -> int:
    """How many processes `read` can use; a note says why it is one."""
    if jobs == 1:
        return 1
    alone = _alone(captures, seconds=seconds, target=target, shown=shown)
    if alone and not quiet:
        say_alone(jobs, alone)
    return 1 if alone else jobs


def say_alone(jobs: int, why: str) -> None:
    """Tell that one process reads."""
    complain(f"note: --jobs {jobs}: one process reads; {why}")


def _read_once(captures: Sequence[str]) -> bool:
    return any((os.path.exists(name) and not os.path.isfile(name)) or name == STANDARD_INPUT for name in captures)


def _alone(captures: Sequence[str], *, seconds: float | None, target: str | None, shown: Mapping[str, Any]) -> str:
    """Why one process must do it; "" where several can."""
    if _read_once(captures):
        return READ_ONCE
    for given, why in (
        (target, "-w writes the packets as they come"),
        (seconds, "with -a the time of each would end elsewhere"),
        (shown["times"] == "dd", "-t dd counts from line to line"),
        (shown["resolve"], "with -N a line depends on the lines before it"),
        (shown["form"] == "json" and shown["columns"], "-T json with -e is one list"),
    ):
        if given:
            return why
    return ""


def shares(jobs: int, captures: Sequence[Any], *, plugins: bool, quiet: bool) -> Jobs | None:
    """How several processes read for other commands than `read`; `None`, with a note, where one does."""
    if jobs == 1 or not captures:
        return None
    from amtdecode.jobs.several import Jobs

    if _read_once(captures):
        if not quiet:
            say_alone(jobs, READ_ONCE)
        return None

    def told(found: Copies) -> None:
        if not quiet:
            complain(told_copies(found))

    def crossed(why: str) -> None:
        if not quiet:
            say_crossed(jobs, why)

    rooms = partial(registry, plugins=True) if plugins else None
    return Jobs(jobs, METHOD, rooms, copies() is not None, told, crossed)


def say_crossed(jobs: int, why: str) -> None:
    """Tell that one process reads after all."""
    complain(f"note: one process reads all of it again: what the {jobs} had to tell depends on {why}")


class Behind:
    """A stream of bytes, of which the first are left out that were written before."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.flush = stream.flush
        self.written = 0
        self._left_out = 0

    def write(self, data: bytes) -> None:
        """Write on."""
        if self._left_out:
            rest = data[self._left_out :]
            self._left_out -= len(data) - len(rest)
            data = rest
        self.written += len(data)
        self._stream.write(data)

    def begin_again(self, start: int) -> None:
        """What was written since `start` comes once more."""
        self._left_out = self.written - start


class ReadShare(NamedTuple):
    """What each process does for `read`: its observations as they are printed."""

    captures: tuple[str, ...]
    most: int | None
    display_filter: str | None
    shown: Mapping[str, Any]
    several: bool
    plugins: bool
    keys: Keys | None
    without_copies: bool = False

    def __call__(self, share: Share, telling: Telling) -> tuple[int, int, Copies | None]:
        """How many observations had no packet any more, for columns and for the filter; copies that were left out."""
        from amtdecode.cli.common import calm_collector, registry
        from amtdecode.cli.console import register
        from amtdecode.cli.filtering import Filtered
        from amtdecode.cli.writing import Output
        from amtdecode.jobs.places import Places
        from amtdecode.jobs.several import opened

        register()
        rooms = registry(plugins=self.plugins)
        chosen = Filtered(self.display_filter, rooms)
        written = _Written()
        output = Output(**self.shown, inputs=self.several, quiet=True, rooms=rooms, stream=written)
        engine = engine_for(chosen, output, rooms, self.keys, share=share)
        calm_collector()
        places = Places(engine, telling)
        telling.lacks = lambda: engine.lacks() or chosen.lacks()
        written.taken()  # the heading
        packets, copies = opened(self.captures, self.most, without_copies=self.without_copies)
        batches = chosen.batches(engine.batches(output.watch(chosen.watch(places.watch(packets)))), quiet=True)
        if output.reads_packets:  # while they are there
            for batch in batches:
                for text in _texts(output, written, [batch]):
                    if text:
                        telling.tell(places.now(), text, len(text))
        else:
            telling.shape = partial(_texts, output, written)
            for batch in batches:
                if batch:
                    telling.tell(places.now(), batch, BYTES_EACH * len(batch))
        return output.forgotten, chosen.forgotten, copies


def _texts(output: Output, written: _Written, batches: list[list[Observation]]) -> list[bytes]:
    """What is printed of each batch."""
    texts = []

    def one_by_one() -> Iterator[Observation]:
        for batch in batches:
            yield from batch
            texts.append(written.taken())

    output.write(one_by_one())
    return texts


def engine_for(
    chosen: Filtered,
    output: Output,
    rooms: tuple[Protocol, ...],
    keys: Keys | None,
    *,
    batch_size: int = 1,
    share: Share | None = None,
) -> Engine:
    """The engine that makes what is to be printed, and no more."""
    from amtdecode.engine import Engine

    running = chosen.rooms_for(output.columns, rooms)
    keeping = chosen.reads_messages or output.reads_messages
    return Engine(keys, batch_size=batch_size, registry=running, pdus=keeping, share=share)


class _Written:
    """A stream of bytes that are taken away again."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self.write = self._pieces.append

    def taken(self) -> bytes:
        """What was written since."""
        pieces = self._pieces
        text = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        pieces.clear()
        return text

    def flush(self) -> None:
        """It goes nowhere."""


def write_shared(work: ReadShare, jobs: int, output: Output, stream: Behind, *, at_once: bool, quiet: bool) -> bool:
    """Write what `jobs` processes have to print; false where one must do it, from the beginning."""
    from amtdecode.cli import filtering, writing
    from amtdecode.jobs.telling import CrossedError
    from amtdecode.jobs.workers import shared

    begin = stream.written
    work = work._replace(shown={**work.shown, "color": "always" if use_color(work.shown["color"]) else "never"})
    results: list[tuple[int, int, Copies | None]] = []
    stream.flush()
    try:
        told = shared(work, jobs, by_addresses=work.keys is not None, method=METHOD, results=results)
        with closing(told):  # here, not by the collector, in which an interrupt would be lost
            for texts in told:
                stream.write(b"".join(texts))
                if at_once:
                    stream.flush()
    except CrossedError as error:
        if not quiet:
            say_crossed(jobs, error.why)
        stream.begin_again(begin)
        return False
    output.finish()
    output.flush()
    writing.say_forgotten(sum(result[0] for result in results))
    if not quiet:
        filtering.say_forgotten(sum(result[1] for result in results))
        copies = results[0][2]  # all leave out the same
        if copies is not None:
            complain(told_copies(copies))
    return True
