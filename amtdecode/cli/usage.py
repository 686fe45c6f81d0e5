"""What is wrong with a command line, in one line, with what was probably meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from amtdecode.cli import tshark_options

if TYPE_CHECKING:
    from collections.abc import Sequence

FORMS = {
    # forms of tshark's -T that are not here
    "tabs": "use -T fields with -e FIELD, which are separated by tabs",
    "psml": "use -T text or -T csv for the packet list",
    "ps": "use -T text, and print that",
    "jsonraw": "use -T json, and -x for the bytes",
}


def usage_line(error: click.ClickException, arguments: Sequence[str], group: click.Group) -> str:
    """The line for what click refuses."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "amtdecode"
    if isinstance(error, click.NoSuchOption):
        return _no_such_option(error, arguments, group, context)
    text = error.format_message().replace("\n", " ").strip().rstrip(".")
    if isinstance(error, click.MissingParameter):
        return f"{text[0].lower()}{text[1:]}; see {command} --help"
    if isinstance(error, click.BadParameter):
        form = tshark_options.value_of("-T", arguments)
        if error.param is not None and "-T" in error.param.opts and form in FORMS:
            return f"-T {form}: {FORMS[form]}"
    return f"{text[0].lower()}{text[1:]}" if text else f"wrong usage; see {command} --help"


def _no_such_option(
    error: click.NoSuchOption, arguments: Sequence[str], group: click.Group, context: click.Context | None
) -> str:
    option = error.option_name
    command = context.command_path if context is not None else "amtdecode"

    def having(name: str) -> list[str]:
        found = []
        for other in group.list_commands(click.Context(group)):
            known = group.get_command(click.Context(group), other)
            if known is not None and any(
                name in each.opts and not getattr(each, "hidden", False) for each in known.params
            ):
                found.append(other)
        return found

    text = tshark_options.elsewhere(option, having) if option not in ("-D", "-G", "-s", "-z", "-o") else None
    text = text or tshark_options.answer(option, arguments) or tshark_options.elsewhere(option, having)
    if text is not None:
        return text
    near = error.possibilities or ()
    if not near and context is not None:
        from difflib import get_close_matches

        near = get_close_matches(option, [name for each in context.command.params for name in each.opts], 3)
    meant = f"; did you mean {' or '.join(sorted(near))}?" if near else f"; see {command} --help"
    return f"{option}: no such option{meant}"
