"""`amtdecode diagnose`: the story of each machine, and why it stopped."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from amtdecode.capture import name_of
from amtdecode.cli.common import Inputs as Captures
from amtdecode.cli.common import (
    Until,
    calm_collector,
    distinct,
    harmless_options,
    inputs_argument,
    key_options,
    load_keys,
    no_duplicate_option,
    opening,
    own_rules,
    plugin_option,
    registry,
)
from amtdecode.cli.completing import file_names
from amtdecode.cli.ladders import Again
from amtdecode.cli.main import EXIT_INPUT, EXIT_INTERRUPTED, complain
from amtdecode.cli.paging import page, pager_option
from amtdecode.cli.planned import Planned
from amtdecode.cli.report_forms import Wish, deliver
from amtdecode.cli.sharing import jobs_option
from amtdecode.counting import counted
from amtdecode.errors import CaptureError, UsageError
from amtdecode.stores.paths import is_remote

if TYPE_CHECKING:
    from amtdecode.audit import Audit
    from amtdecode.diagnosis.inputs import Inputs
    from amtdecode.diagnosis.report import Report
    from amtdecode.provisioning import Story, Tracker
    from amtdecode.render.redact import Redaction

EXIT_FOUND, EXIT_NO_AMT = 1, 4
LEVELS = ("critical", "high", "medium", "low", "info")  # diagnosis.severity, which loads late


@click.command()
@inputs_argument("inputs", "INPUT…")
@click.option(
    "--site",
    metavar="FILE",
    shell_complete=file_names,
    help="Facts no packet shows (TOML): versions, servers, suffixes, policy, machines.",
)
@click.option(
    "-T",
    "form",
    type=click.Choice(["text", "json", "list", "mermaid", "svg", "sarif"]),
    default="text",
    help="Form of the report; list, mermaid and svg are forms of --ladder, sarif is one of --audit.",
)
@click.option(
    "--plan",
    "plan",
    metavar="FILE",
    shell_complete=file_names,
    help="Tick off the steps of `amtdecode plan FILE`, a site file.",
)
@click.option("--audit", is_flag=True, help="Say how each channel was protected, who changed what, what is exposed.")
@click.option("--ladder", is_flag=True, help="Draw who said what to whom: of each machine that failed, or of --device.")
@click.option(
    "--html",
    "html",
    metavar="FILE",
    shell_complete=file_names,
    help="Write the report as one page of HTML.",
)
@click.option("--since", metavar="TIME", help="Of an archive: only captures that go on after this day or time (UTC).")
@click.option("--device", metavar="MACHINE", help="With --ladder: the machine, by UUID, name, address or MAC.")
@click.option("-V", "verbose", is_flag=True, help="All evidence, sources, every machine, every rule not judged.")
@click.option("--fail-on", type=click.Choice(LEVELS), help="Exit with 1 on a finding of this severity or a worse one.")
@click.option("--redact", is_flag=True, help="Mask UUIDs, addresses and names, each by the same word everywhere.")
@click.option("-c", "count", type=click.IntRange(min=1), metavar="N", help="Read no more than N packets.")
@click.option("-q", "--quiet", is_flag=True, help="No notes and no progress on standard error.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", help="Colour the report.")
@key_options
@plugin_option
@jobs_option
@no_duplicate_option
@pager_option
@harmless_options
def diagnose(
    inputs: tuple[str, ...],
    site: str | None,
    form: str,
    plan: str | None,
    audit: bool,
    ladder: bool,
    device: str | None,
    html: str | None,
    since: str | None,
    verbose: bool,
    fail_on: str | None,
    redact: bool,
    count: int | None,
    quiet: bool,
    color: str,
    plugins: bool,
    jobs: int,
    **keys: Any,
) -> int:
    """Say how far each machine got, what stopped it, what proves it, and what to do.

    INPUT: captures, logs of the setup server, PEM files, setup.bin, .reg exports, in any mix. Captures are read as one
    timeline. Or an archive, as `amtdecode archive` makes it.
    """
    from amtdecode.cli.sharing import shares
    from amtdecode.diagnosis import diagnose as judge
    from amtdecode.diagnosis import load
    from amtdecode.diagnosis.inputs import gather, has_amt_evidence, other_traffic, sort_inputs, with_keys
    from amtdecode.diagnosis.site import Site
    from amtdecode.provisioning.private import private_names

    wish = Wish(form, ladder, device, html, verbose, color, quiet, audit)
    outputs = wish.check((*inputs, site, plan), keys)
    planned = Planned(plan, audit=audit)
    facts = load(site) if site else planned.site or Site()
    rooms = registry(plugins=plugins)
    rules = own_rules(plugins=plugins)
    archives = [name for name in inputs if os.path.isdir(name) or is_remote(name)]
    with opening(quiet=quiet):
        kinds = sort_inputs(distinct([name for name in inputs if name not in archives], quiet=quiet))
    told = _told(archives, kinds, since, ladder=ladder)
    keys["psk_file"] = (*keys["psk_file"], *map(name_of, with_keys(kinds.setup_bins)))
    held = load_keys(**keys, quiet=quiet)
    calm_collector()
    until = Until(None, begins=False)
    with opening(quiet=quiet):
        named = [name_of(each) for each in kinds.captures]
        captures = Captures(named, quiet=quiet, count=count, until=until) if named else None
    if captures is not None:
        from amtdecode.api import with_secrets_inside

        kinds = kinds._replace(captures=[*captures.names])
        held = with_secrets_inside(captures.names, held)
    again = Again([*kinds.captures], held, rooms, count)
    if ladder:
        again.check()
    several = shares(jobs, [*kinds.captures], plugins=plugins, quiet=quiet)
    story = gather(kinds, held, captures.packets if captures else None, count, rooms, until.now, several, told)
    private = set(private_names(story)) if redact else set()
    anything = has_amt_evidence(story)
    other = other_traffic(kinds.captures, story)
    planned.look(story)
    found: Audit | None = None
    if audit:
        from amtdecode.audit import audit as look_at

        found, report = look_at(story, facts, rules=rules)
    else:
        report = judge(story, facts, rules=rules, last=not (ladder or html))
    planned.add_to(report)
    report.other_traffic = other
    for _, reason in kinds.failed:
        complain(reason)
    if kinds.failed and not report.inputs:
        return EXIT_INPUT
    redaction = _redaction(report, private) if redact else None
    page()
    if found is not None:
        from amtdecode.cli.auditing import write_audit

        write_audit(found, wish, redaction)
        report.findings = found.findings
    else:
        deliver(wish, report, story, facts, again, redaction, outputs)
    if not quiet:
        _note_files(story)
    if until.interrupted:
        if not quiet:
            complain("note: interrupted; the report is about what was read until then")
        return EXIT_INTERRUPTED
    if kinds.failed or (captures is not None and captures.failed):
        return EXIT_INPUT
    if not anything:
        if not quiet:
            complain("no AMT traffic, and nothing else about AMT, in what was given")
        return EXIT_NO_AMT
    worst = report.worst()
    if fail_on and worst is not None and LEVELS.index(worst) <= LEVELS.index(fail_on):
        return EXIT_FOUND
    return 0


def _told(archives: list[str], kinds: Inputs, since: str | None, *, ladder: bool) -> Tracker | None:
    """What archives among the inputs tell."""
    if since is not None and not archives:
        raise UsageError("--since goes with an archive; for captures choose with editcap -A")
    if not archives:
        return None
    from amtdecode.archive.manifest import is_archive
    from amtdecode.archive.telling import moment, tracker_of

    for name in archives:
        if not is_archive(name):
            what = "holds no archive" if is_remote(name) else "is a directory, and no archive"
            raise CaptureError(f"{name}: {what}; amtdecode archive {name} --out DIR makes one")
    if kinds.captures:
        raise UsageError("captures beside an archive: read them into it with amtdecode archive")
    if ladder:
        raise UsageError(
            "--ladder draws each message, and an archive keeps what they came to: name its captures instead"
        )
    try:
        return tracker_of(archives, None if since is None else moment(since))
    except ValueError:
        raise UsageError(f"--since {since}: wanted is a day or time as 2026-11-24 or 2026-11-24T09:00+01:00") from None


def _note_files(story: Story) -> None:
    """What the report does not say of files beside the captures."""
    for file in story.setup_bins:
        complain(f"note: {file.name}: {file.words}; `amtdecode setupbin show` lists what is in it")
    for log in story.logs:
        if not (log.entries or log.product):
            complain(f"note: {log.name}: no log known here, {counted(log.lines, 'line')} passed over")


def _redaction(report: Report, private: set[str]) -> Redaction:
    from amtdecode.render.redact import Redaction

    return Redaction(report, private)
