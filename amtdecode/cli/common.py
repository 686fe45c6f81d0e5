"""Options that commands share, and how they become keys, packets and writers."""

from __future__ import annotations

import os
import signal
import stat
import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

import click

from amtdecode.capture import NOTICE, limited, one_by_one, open_records, probe
from amtdecode.cli.completing import field_names, file_names
from amtdecode.cli.main import EXIT_INPUT, EXIT_INTERRUPTED, complain
from amtdecode.cli.paging import to_terminal
from amtdecode.counting import counted
from amtdecode.errors import AmtdecodeError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from amtdecode.capture import RawPacket, Records
    from amtdecode.diagnosis.rule import Rule
    from amtdecode.net.copies import Copies
    from amtdecode.protocols.dissector import Protocol
    from amtdecode.secrets import Keys

Command = TypeVar("Command", bound="Callable[..., Any]")

OUTPUT_BUFFER = 1 << 16  # bytes
PROGRESS_FROM = 64 << 20  # bytes of input from which on a progress bar is worth its lines
NO_DUPLICATE = "amtdecode.no_duplicate"
"""Where click keeps whether `--no-duplicate` is given."""
READ_FILES = "amtdecode.read_files"
"""Where click keeps the files that `-r` names."""


def key_options(command: Command) -> Command:
    """The options that bring keys."""
    for option in reversed(
        (
            click.option(
                "--psk",
                multiple=True,
                metavar="IDENTITY=PPS",
                help="Pre-shared key; also IDENTITY=hex:…, and *=… for any identity.",
            ),
            click.option(
                "--psk-file",
                multiple=True,
                metavar="FILE",
                shell_complete=file_names,
                help="Table of keys (CSV: pid,pps) or setup.bin; - is standard input.",
            ),
            click.option(
                "--rsa-key",
                multiple=True,
                metavar="FILE[:PASSWORD]",
                shell_complete=file_names,
                help="RSA private key: PEM, DER or PFX.",
            ),
            click.option(
                "--keylog",
                multiple=True,
                metavar="FILE",
                shell_complete=file_names,
                help="NSS key log (also taken from SSLKEYLOGFILE).",
            ),
            click.option(
                "--http-password",
                multiple=True,
                metavar="USER=FILE",
                help="Password of an HTTP digest user, to verify its responses.",
            ),
        )
    ):
        command = option(command)
    return command


def input_options(command: Command) -> Command:
    """What is read, and how much of it."""
    for option in reversed(
        (
            inputs_argument("captures", "CAPTURE…"),
            click.option("-c", "count", type=click.IntRange(min=1), metavar="N", help="Read no more than N packets."),
            click.option("-q", "--quiet", is_flag=True, help="No notes and no progress on standard error."),
        )
    ):
        command = option(command)
    return no_duplicate_option(harmless_options(command))


def no_duplicate_option(command: Command) -> Command:
    """Packets that came twice."""
    return click.option(
        "--no-duplicate",
        is_flag=True,
        expose_value=False,
        callback=lambda context, _parameter, value: context.meta.update({NO_DUPLICATE: value}),
        help="Leave out packets that a mirror port delivered twice, and say how many.",
    )(command)


def copies() -> Copies | None:
    """What leaves out packets that came twice, where `--no-duplicate` asks for it."""
    context = click.get_current_context(silent=True)
    if context is None or not context.meta.get(NO_DUPLICATE):
        return None
    from amtdecode.net.copies import Copies

    return Copies()


def plugin_option(command: Command) -> Command:
    """Rooms of other packages."""
    return click.option("--plugins", is_flag=True, help="Use protocols and rules of installed packages.")(command)


def registry(*, plugins: bool) -> tuple[Protocol, ...]:
    """Our rooms, and those of installed packages if asked for. Raises `PluginError`."""
    if plugins:
        from amtdecode.plugins import rooms

        return rooms(plugins=True)
    from amtdecode.protocols.registry import REGISTRY

    return REGISTRY


def own_rules(*, plugins: bool) -> Sequence[Rule]:
    """The rules of installed packages if asked for. Raises `PluginError`."""
    if not plugins:
        return ()
    from amtdecode.plugins import own_rules

    return own_rules(plugins=True)


def inputs_argument(name: str, metavar: str) -> Callable[[Command], Command]:
    """The inputs: the files named, and those behind `-r`, as tshark takes them."""
    return click.argument(name, nargs=-1, metavar=metavar, shell_complete=file_names, callback=_named)


def _named(context: click.Context, parameter: click.Parameter, named: tuple[str, ...]) -> tuple[str, ...]:
    named = (*context.meta.get(READ_FILES, ()), *named)
    if not named:
        raise click.MissingParameter(ctx=context, param=parameter)
    if not all(map(os.path.lexists, named)):
        from amtdecode.cli.main import COMMANDS
        from amtdecode.cli.tshark_options import misplaced

        wrong = misplaced(named, [*COMMANDS])
        if wrong is not None:
            raise UsageError(wrong)
    return named


def _read_files(context: click.Context, _parameter: click.Parameter, named: tuple[str, ...]) -> None:
    context.meta[READ_FILES] = named


def no_names_option(command: Command) -> Command:
    """`-n`, which users of tshark type by habit: no name is ever asked for here."""
    return click.option("-n", "ignored_n", is_flag=True, hidden=True, expose_value=False)(command)


def harmless_options(command: Command) -> Command:
    """What users of tshark type by habit: `-n`, and `-r FILE` for a file to read."""
    return click.option(
        "-r",
        "--read-file",
        "read_files",
        multiple=True,
        is_eager=True,
        hidden=True,
        expose_value=False,
        callback=_read_files,
        shell_complete=file_names,
    )(no_names_option(command))


def output_options(command: Command) -> Command:
    """How observations are written."""
    for option in reversed(
        (
            click.option(
                "-T",
                "form",
                type=click.Choice(["text", "json", "ek", "fields", "csv", "pdml"]),
                default="text",
                help="Form of the output.",
            ),
            click.option(
                "-e",
                "columns",
                multiple=True,
                metavar="FIELD",
                shell_complete=field_names,
                help="With -T fields or csv: a field to print, or a glob of names; repeatable.",
            ),
            click.option(
                "-E",
                "layout",
                multiple=True,
                metavar="NAME=VALUE",
                help="With them: header=y, separator=, quote=d|s, occurrence=f|l, aggregator=, bom=y, as in tshark.",
            ),
            click.option("-l", "at_once", is_flag=True, help="Write out each line at once."),
            click.option("-V", "tree", is_flag=True, help="Every layer and field, and where it stands in the bytes."),
            click.option(
                "-O", "only", metavar="PROTOCOL[,…]", help="As -V, the fields of these protocols; one line of others."
            ),
            click.option("-x", "dump", is_flag=True, help="The bytes of the packets behind every observation."),
            click.option(
                "--field",
                "marked",
                metavar="FIELD",
                shell_complete=field_names,
                help="The bytes of each message that has this field, those of the field marked.",
            ),
            click.option(
                "-t",
                "times",
                type=click.Choice(["a", "ad", "adoy", "d", "dd", "e", "r", "u", "ud", "udoy"]),
                help="Form of times, as in tshark: r since the first packet, d since the one before, e since 1970.",
            ),
            click.option("-N", "resolve", metavar="FLAGS", help="With n: names that the capture gives for addresses."),
            click.option("--show-secrets", is_flag=True, help="Do not mask passwords and keys."),
            click.option(
                "--color", type=click.Choice(["auto", "always", "never"]), default="auto", help="Colour the output."
            ),
        )
    ):
        command = option(command)
    return command


def load_keys(
    psk: Sequence[str],
    psk_file: Sequence[str],
    rsa_key: Sequence[str],
    keylog: Sequence[str],
    http_password: Sequence[str],
    quiet: bool = False,
    await_keylogs: bool = False,
) -> Keys | None:
    """The keys the options and SSLKEYLOGFILE name; `None` when there are none.

    `await_keylogs`: key logs may come later, as when a capture is live. Raises `KeyFileError` with one clear line.
    """
    logs = key_logs(keylog, await_keylogs=await_keylogs)
    if not (psk or psk_file or rsa_key or logs or http_password):
        return None
    from amtdecode.secrets import Keys

    keys = Keys.load(psk, psk_file, rsa_key, logs, http_password, await_keylogs=await_keylogs)
    if not quiet:
        for note in keys.notes:
            complain(note)
    return keys


def key_files(
    psk_file: Sequence[str], rsa_key: Sequence[str], keylog: Sequence[str], http_password: Sequence[str], **_: Any
) -> list[str]:
    """The files that the key options name, those of passwords included: nothing is ever written to them."""
    from amtdecode.secrets.rsa import files_of

    passwords = [option.partition("=")[2] for option in http_password]
    return [*psk_file, *(name for option in rsa_key for name in files_of(option)), *key_logs(keylog), *passwords]


def key_logs(named: Sequence[str], *, await_keylogs: bool = False) -> list[str]:
    """The key logs named, and that of SSLKEYLOGFILE, if it exists or may come."""
    logs = list(named)
    environment = os.environ.get("SSLKEYLOGFILE")
    if environment and environment not in logs and (await_keylogs or os.path.exists(environment)):
        logs.append(environment)
    return logs


def distinct(names: Sequence[str], *, quiet: bool = False) -> list[str]:
    """The names without those of a file that was named before, also by a link; a note says which are left out."""
    found: dict[tuple[int, int], str] = {}
    kept = []
    for name in names:
        try:
            about = os.stat(name)
        except (OSError, ValueError):  # whoever opens it says why it cannot be
            about = None
        if about is not None and stat.S_ISREG(about.st_mode):
            before = found.setdefault((about.st_dev, about.st_ino), "")
            if before:
                if not quiet:
                    complain(f"note: {name} is the same file as {before}, and is read once")
                continue
            found[about.st_dev, about.st_ino] = name
        kept.append(name)
    return kept


def told_copies(found: Copies) -> str:
    """How many packets were left out."""
    return f"note: {counted(found.left_out, 'packet')} left out that the capture has twice"


class Inputs:
    """The captures that can be opened, as one timeline; for each that cannot, a line on standard error."""

    def __init__(
        self, names: Sequence[str], *, quiet: bool = False, count: int | None = None, until: Until | None = None
    ) -> None:
        self.failed = False
        self._until = until
        self._count = count
        good = []
        names = distinct(names, quiet=quiet)
        for name in names:
            if len(names) > 1:
                try:
                    probe(name)
                except AmtdecodeError as error:
                    complain(str(error))
                    self.failed = True
                    continue
            good.append(name)
        self.names = good
        self._sources: list[Any] = []
        self._packets = open_records(good, self._sources.append) if good else iter(())
        self._quiet = quiet

    @property
    def exit_code(self) -> int:
        """What the inputs contribute to the exit code."""
        if self._until is not None and self._until.interrupted:
            return EXIT_INTERRUPTED
        return EXIT_INPUT if self.failed else 0

    @property
    def packets(self) -> Iterator[RawPacket | Records]:
        """All packets, with a progress bar where somebody watches a long file; fewer where `until` says so."""
        packets = limited(self._packets, self._count)
        found = copies()
        if found is not None:
            packets = self._without(found, packets)
        if self._until is not None:
            packets = self._ended(packets, self._until)
        size = sum(source.size or 0 for source in self._sources)
        if self._quiet or size < PROGRESS_FROM or not sys.stderr.isatty() or to_terminal():
            return packets
        return self._watched(one_by_one(packets), size)

    def _without(self, found: Copies, packets: Iterator[RawPacket | Records]) -> Iterator[RawPacket | Records]:
        try:
            yield from found.watch(packets)
        finally:
            if not self._quiet:
                complain(told_copies(found))

    def _ended(self, packets: Iterator[RawPacket | Records], until: Until) -> Iterator[RawPacket | Records]:
        """The packets until it is time to stop, so that what is known by then is told."""
        for source in self._sources:
            if source.end_when is not None:
                source.end_when(until)
        until.begin()
        try:
            for piece in packets:
                if isinstance(piece, tuple) and piece[7].link_type == NOTICE and until():
                    break  # a pipe that was given up ends inside a packet
                yield piece
                if until():
                    break
        finally:
            until.end()

    def _watched(self, packets: Iterator[RawPacket], size: int) -> Iterator[RawPacket]:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

        with Progress(
            BarColumn(), DownloadColumn(), TimeRemainingColumn(), console=Console(stderr=True), transient=True
        ) as progress:
            task = progress.add_task("reading", total=size)
            for number, packet in enumerate(packets):
                if not number & 0x3FFF:
                    progress.update(task, completed=sum(source.raw_position() for source in self._sources))
                yield packet


@contextmanager
def opening(*, quiet: bool) -> Iterator[None]:
    """While inputs are opened, which a pipe may keep waiting for its first bytes: Ctrl-C says that none came."""
    try:
        yield
    except KeyboardInterrupt:
        if not quiet:
            complain("note: interrupted before anything was read")
        raise click.exceptions.Exit(EXIT_INTERRUPTED) from None


class Until:
    """Says when to stop watching: after so many seconds, or at the first Ctrl-C; what is known is then still told."""

    def __init__(self, seconds: float | None, *, begins: bool = True) -> None:
        self.interrupted = False
        self._seconds = seconds
        self._ends: float | None = None
        self._before: Any = None
        if begins:
            self.begin()

    def begin(self) -> None:
        """From now on: the seconds count, and Ctrl-C is caught."""
        self._ends = None if self._seconds is None else time.monotonic() + self._seconds
        with suppress(ValueError):  # not in the main thread, which alone hears of Ctrl-C
            self._before = signal.signal(signal.SIGINT, self._interrupt)

    def end(self) -> None:
        """Ctrl-C ends the program again."""
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
            self._before = None

    def now(self) -> None:
        """Somebody else heard Ctrl-C."""
        self.interrupted = True

    def _interrupt(self, _number: int, _frame: object) -> None:
        if self.interrupted:  # asked for twice: at once
            raise KeyboardInterrupt
        self.interrupted = True

    def __call__(self) -> bool:
        """Whether it is time to stop."""
        return self.interrupted or (self._ends is not None and time.monotonic() > self._ends)

    @property
    def exit_code(self) -> int:
        """What this end contributes to the exit code."""
        return EXIT_INTERRUPTED if self.interrupted else 0


def use_color(choice: str) -> bool:
    """Whether to colour: as asked, else as NO_COLOR or FORCE_COLOR say (https://no-color.org, https://force-color.org).

    Where none of them is set, for a terminal, unless TERM says that it is a dumb one.
    """
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return to_terminal() and os.environ.get("TERM") != "dumb"


def binary_output() -> Any:
    """Standard output for bytes, with a large buffer when nobody watches line by line."""
    if sys.stdout.isatty():
        return sys.stdout.buffer
    import io

    return io.BufferedWriter(io.FileIO(sys.stdout.fileno(), "wb", closefd=False), OUTPUT_BUFFER)


def calm_collector() -> None:
    """Nothing on the way of a packet makes circles: the garbage collector may rest more than by default."""
    import gc

    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
