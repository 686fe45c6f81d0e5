"""`amtdecode preflight`: whether all is ready before the first machine is set up, and the texts that make it so."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from amtdecode.cli.common import calm_collector, distinct, opening, use_color
from amtdecode.cli.completing import file_names
from amtdecode.cli.console import text_width, write_json, write_line
from amtdecode.cli.main import EXIT_INPUT, complain
from amtdecode.cli.paging import page, pager_option
from amtdecode.errors import UsageError
from amtdecode.outputs import STANDARD_OUTPUT, Outputs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amtdecode.diagnosis.circumstances import Probed, Way
    from amtdecode.diagnosis.inputs import Inputs
    from amtdecode.diagnosis.site import Site
    from amtdecode.preflight.texts import Kind, Materials, Written
    from amtdecode.provisioning import Story

EXIT_FAILS, EXIT_UNKNOWN = 1, 4
WAYS = {"psk": "psk", "agent": "agent", "bare-metal": "bare metal"}  # diagnosis.circumstances, which loads late
SITE_ENDING = ".toml"
ALL, LIST = "all", "list"


def _texts(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    from amtdecode.preflight.texts import KINDS

    return [name for name in (LIST, ALL, *(kind.name for kind in KINDS)) if name.startswith(incomplete)]


@click.command()
@click.argument("inputs", nargs=-1, metavar="[SITE.toml] [FILE…]", shell_complete=file_names)
@click.option("--example", is_flag=True, help="Print a site file to begin with, every line explained.")
@click.option("--way", "ways", multiple=True, type=click.Choice([*WAYS]), help="Ask about this way of setup alone.")
@click.option("--probe", is_flag=True, help="Ask the resolver, and try ports of the hosts that are named.")
@click.option("--resolver", metavar="ADDRESS[:PORT]", help="With --probe: the DNS server to ask.")
@click.option("--try", "tried", multiple=True, metavar="HOST:PORT", help="With --probe: try this port, too.")
@click.option("--timeout", type=click.FloatRange(0.1, 60), default=2.0, metavar="SECONDS", help="Of each answer.")
@click.option("--at", metavar="TIME", help="Judge certificates at this time (ISO 8601) instead of now.")
@click.option(
    "--texts", "texts", multiple=True, metavar="KIND", shell_complete=_texts,
    help="Write a ready text instead: records, options, requests, .reg files. `--texts list` shows the kinds; all.",
)  # fmt: skip
@click.option("-o", "out", metavar="FILE|FOLDER", shell_complete=file_names, help="Where --texts go.")
@click.option("-T", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the output.")
@click.option("-V", "verbose", is_flag=True, help="All evidence, fixes and sources.")
@click.option("-q", "--quiet", is_flag=True, help="No notes on standard error.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", help="Colour the output.")
@pager_option
def preflight(
    inputs: tuple[str, ...],
    example: bool,
    ways: tuple[str, ...],
    probe: bool,
    resolver: str | None,
    tried: tuple[str, ...],
    timeout: float,
    at: str | None,
    texts: tuple[str, ...],
    out: str | None,
    form: str,
    verbose: bool,
    quiet: bool,
    color: str,
) -> int:
    """Say whether all is ready to set up machines: pass, fail or unknown for each prerequisite, with the fix.

    SITE.toml holds the facts that you know (`--example > site.toml` makes one). FILE: whatever else there is, of
    certificates, captures, setup.bin, logs and .reg exports, in any mix.

    Begin with: amtdecode preflight --example > site.toml, change it, then: amtdecode preflight site.toml

    Exit code: 0 every prerequisite of a way is met; 1 something fails in each; 4 nothing fails, but something is
    unknown; 2 wrong usage; 3 an input could not be read.
    """
    if example:
        sys.stdout.write(example_text())
        return 0
    if LIST in texts:
        return _list()
    if not probe and (resolver or tried):
        raise UsageError(f"{'--resolver' if resolver else '--try'} goes with --probe")
    if out and not texts:
        raise UsageError("-o goes with --texts")
    if not inputs and not texts and not probe:
        raise UsageError("name a site file or other inputs; --example > site.toml makes one to begin with")
    site_file, others = split(inputs)
    site = _site(site_file)
    with opening(quiet=quiet):
        story, kinds = _gathered(others, quiet=quiet)
    if texts:
        from amtdecode.preflight.texts import Materials

        found = tuple(each for file in story.certificate_files for each in file.bundle.certificates)
        return _write(texts, Materials(site, found), out, inputs, quiet=quiet) or _unreadable(kinds)
    if kinds.failed and not site_file and not story.inputs:
        return _unreadable(kinds)
    return _judge(story, site, kinds, ways, at, _probed(site, resolver, tried, timeout) if probe else None,
                  form=form, verbose=verbose, color=color)  # fmt: skip


def _judge(
    story: Story,
    site: Site,
    kinds: Inputs,
    ways: Sequence[str],
    at: str | None,
    probed: Probed | None,
    *,
    form: str,
    verbose: bool,
    color: str,
) -> int:
    from amtdecode.diagnosis.circumstances import Probed, Way
    from amtdecode.preflight.judging import judge
    from amtdecode.preflight.readiness import Outcome

    wanted: list[Way] = [Way(WAYS[each]) for each in ways]
    result = judge(story, site, at=_time(at), ways=wanted, probed=probed or Probed())
    page()
    if form == "json":
        from amtdecode.render.json_text import json_text

        write_json([json_text(result)])
    else:
        from amtdecode.render.preflight_text import preflight_lines

        for line in preflight_lines(result, width=text_width(), verbose=verbose, color=use_color(color)):
            write_line(line)
    if kinds.failed:
        return _unreadable(kinds)
    return {Outcome.PASS: 0, Outcome.FAIL: EXIT_FAILS, Outcome.UNKNOWN: EXIT_UNKNOWN}[result.outcome]


def example_text() -> str:
    """The site file to begin with."""
    from importlib.resources import files

    return files("amtdecode.preflight").joinpath("example.toml").read_text("utf-8")


def split(inputs: Sequence[str]) -> tuple[str | None, list[str]]:
    """The site file among inputs, told by its ending, and the others. Raises `UsageError` for two of them."""
    sites = [name for name in inputs if name.lower().endswith(SITE_ENDING)]
    if len(sites) > 1:
        raise UsageError(f"{sites[1]}: one site file is taken, and {sites[0]} is one")
    return (sites[0] if sites else None), [name for name in inputs if name not in sites]


def _site(name: str | None) -> Site:
    from amtdecode.diagnosis.site import Site, load

    return load(name) if name else Site()


def _gathered(names: Sequence[str], *, quiet: bool) -> tuple[Story, Inputs]:
    """Read everything; certificates in which nothing can be read count as files that cannot be read."""
    from amtdecode.diagnosis.inputs import gather, sort_inputs, with_keys_inside

    calm_collector()
    kinds = sort_inputs(distinct(names, quiet=quiet))
    story = gather(kinds, with_keys_inside(kinds, None))
    for file in story.certificate_files:
        if not file.bundle.certificates and not file.bundle.private_keys:
            fault = file.bundle.faults[0].text if file.bundle.faults else "holds no certificate"
            kinds.failed.append((file.name, f"{file.name}: {fault}"))
    return story, kinds


def _unreadable(kinds: Inputs) -> int:
    for _, text in kinds.failed:
        complain(text)
    return EXIT_INPUT if kinds.failed else 0


def _time(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--at {text}: not a time such as 2026-11-24 or 2026-11-24T12:00:00Z") from None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def _probed(site: Site, resolver: str | None, tried: Sequence[str], timeout: float) -> Probed:
    from amtdecode.preflight.probing import place_of, probe, resolver_of

    asked = resolver_of(resolver) if resolver else None
    return probe(site, asked, [place_of(each) for each in tried], timeout)


# -- texts -----------------------------------------------------------------------------------------------------------


def _list() -> int:
    from amtdecode.preflight.texts import KINDS

    for kind in KINDS:
        write_line(f"{kind.name:<16} {kind.title}")
    return 0


def _write(texts: Sequence[str], materials: Materials, out: str | None, read: Sequence[str], *, quiet: bool) -> int:
    from amtdecode.preflight.texts import KINDS, LackingError, kind_named

    kinds = list(KINDS) if ALL in texts else [kind_named(name) for name in dict.fromkeys(texts)]
    written: list[tuple[Kind, Written]] = []
    lacking: list[str] = []
    for kind in kinds:
        try:
            written += [(kind, file) for file in kind.write(materials)]
        except LackingError as error:
            lacking.append(f"{kind.name}: {error}")
    if lacking and ALL not in texts:
        raise UsageError(f"--texts {lacking[0]}")
    _deliver(written, out, Outputs(read), quiet=quiet)
    for text in lacking if not quiet else ():
        complain(f"note: left out: {text}")
    return 0


def _deliver(written: list[tuple[Kind, Written]], out: str | None, outputs: Outputs, *, quiet: bool) -> None:
    """One text to a file or to standard output, several into a folder."""
    folder = out is not None and (os.path.isdir(out) or out.endswith(os.sep))
    if len(written) > 1 or folder:
        if out is None or out == STANDARD_OUTPUT:
            raise UsageError(f"these are {len(written)} files: name a folder with -o")
        place = outputs.folder(out)
        for kind, file in written:
            name = place.write(file.name, file.data)
            if not quiet:
                complain(f"note: wrote {os.path.join(out, name)}: {kind.title}")
        return
    for _, file in written:
        with outputs.file(out or STANDARD_OUTPUT, "-o") as stream:
            stream.write(file.data)
