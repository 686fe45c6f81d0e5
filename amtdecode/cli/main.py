"""The command group: finds the command's file, and turns whatever happens into an exit code.

0 done; 1 findings at or above --fail-on, or a difference; 2 wrong usage; 3 an input could not be read at all;
4 `diagnose` saw no AMT traffic, or `preflight` cannot tell; 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from amtdecode.errors import AmtdecodeError, FilterError, UsageError, reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from click.shell_completion import CompletionItem

COMMANDS = {
    # command: (module, one line for --help, so that help loads none of them)
    "read": ("read", "List what a capture holds, one line per observation."),
    "diagnose": ("diagnose", "Tell the story of each machine, and why it stopped."),
    "bundle": ("bundle", "Pack a report and what proves it into one zip for a ticket."),
    "stats": ("stats", "Count protocols, calls, TLS versions, hellos."),
    "diff": ("diff", "Compare a machine that works with one that does not."),
    "follow": ("follow", "Print the bytes of one flow."),
    "flows": ("flows", "List the conversations of a capture."),
    "archive": ("archive", "Read folders of captures into tables that grow."),
    "export": ("export", "Write out certificates, bodies or proving packets."),
    "fields": ("fields", "List the field names, their types and meanings."),
    "hello": ("hello", "Decode one hello message from a file or hex."),
    "setupbin": ("setupbin", "Look at a setup.bin, or make one."),
    "psk": ("psk", "Make and check pairs of PID and PPS."),
    "cert": ("cert", "Judge a setup certificate chain."),
    "preflight": ("preflight", "Say whether all is ready for setup, and write what makes it so."),
    "plan": ("plan", "Say step by step how machines are set up."),
    "explain": ("explain", "Say what a code, port, rule or word means."),
    "log": ("log", "Explain the codes in logs of setup servers."),
    "wireshark": ("wireshark", "Write a plugin for Wireshark."),
    "tui": ("tui", "Look through captures, or watch an interface, on a screen."),
    "live": ("live", "Watch a network interface."),
    "listen": ("listen", "Accept hello messages and print them."),
}
DEFAULT = "read"

EXIT_USAGE, EXIT_INPUT, EXIT_INTERRUPTED = 2, 3, 130


class Commands(click.Group):
    """Loads a command's module when it is called; a first word that is no command is a capture to read."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's interface
        """In the order above."""
        return [name for name, (module, _) in COMMANDS.items() if _exists(module)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's
        """A command, from its module; `None` for a name that is none."""
        if cmd_name in self.commands:
            return self.commands[cmd_name]
        if cmd_name not in COMMANDS or not _exists(COMMANDS[cmd_name][0]):
            return None
        from importlib import import_module

        command = getattr(import_module(f"amtdecode.cli.{COMMANDS[cmd_name][0]}"), cmd_name.replace("-", "_"))
        assert isinstance(command, click.Command)  # noqa: S101
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Without loading them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in self.list_commands(ctx)])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Commands, else captures."""
        found = super().shell_complete(ctx, incomplete)
        if not found and not incomplete.startswith("-"):
            from amtdecode.cli.completing import file_names

            found = file_names(ctx, None, incomplete)
        return found

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """`amtdecode CAPTURE` means `amtdecode read CAPTURE`."""
        if args[:1] == ["--no-pager"] and len(args) > 1:  # where git has it
            args = [args[1], args[0], *args[2:]]
        own = {"--help", "-h", "--version"}
        if args and args[0] not in COMMANDS and not own.intersection(args[:1]):
            args = _routed(args)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        """Run the command. What the system refuses is told apart here: click would end on a closed pipe with 1."""
        try:
            return super().invoke(ctx)
        except OSError as error:
            raise _OutputError(error) from error


class _OutputError(Exception):
    """Output could not be written (inputs have errors of their own)."""

    def __init__(self, error: OSError) -> None:
        super().__init__(reason(error))
        self.closed = isinstance(error, BrokenPipeError)


def _routed(args: list[str]) -> list[str]:
    """A command line without a command, with the one that is meant in front. Raises `UsageError` for a misspelt one."""
    if args[0].startswith("-") and args[0] != "-":
        from amtdecode.cli.tshark_options import route

        return route(args)
    if not os.path.lexists(args[0]):
        from amtdecode.cli.tshark_options import nearest_command

        near = nearest_command(args[0], [*COMMANDS])
        if near is not None:
            raise UsageError(f"{args[0]}: is neither a file nor a command; did you mean amtdecode {near}?")
    return [DEFAULT, *args]


def _exists(module: str) -> bool:
    from importlib.util import find_spec

    return find_spec(f"amtdecode.cli.{module}") is not None


def _version(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value:
        from amtdecode import __version__
        from amtdecode.engine.lane import kind

        click.echo(f"amtdecode {__version__} ({kind()})")
        ctx.exit()


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Print the version."
)
def group() -> None:
    """Decode Intel AMT provisioning traffic.

    `amtdecode CAPTURE` lists what a capture holds. A file named like a command is given as ./NAME.
    """


def run(arguments: Sequence[str]) -> int:
    """Run a command line; returns the exit code."""
    try:
        return _run(arguments)
    finally:
        if paging := sys.modules.get("amtdecode.cli.paging"):
            paging.finish()


def _run(arguments: Sequence[str]) -> int:
    try:
        result = group.main(list(arguments), prog_name="amtdecode", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.exceptions.Abort:
        return EXIT_INTERRUPTED
    except click.ClickException as error:
        from amtdecode.cli.usage import usage_line

        complain(usage_line(error, arguments, group))
        return EXIT_USAGE
    except FilterError as error:
        complain(error.shown())
        return EXIT_USAGE
    except UsageError as error:
        complain(str(error))
        return EXIT_USAGE
    except AmtdecodeError as error:
        complain(str(error))
        return EXIT_INPUT
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except (_OutputError, OSError) as error:
        _abandon_output()
        if isinstance(error, BrokenPipeError) or (isinstance(error, _OutputError) and error.closed):
            return 0
        complain(f"cannot go on: {reason(error) if isinstance(error, OSError) else error}")
        return EXIT_INPUT
    return result if isinstance(result, int) else 0


def complain(text: str) -> None:
    """What is wrong, clearly, on standard error: one line, or for a filter with the caret below."""
    from amtdecode.render.safe import safe

    click.echo("amtdecode: " + "\n".join(map(safe, text.split("\n"))), err=True)


def _abandon_output() -> None:
    """Whoever read our output went away: say nothing, not even when Python closes it."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
