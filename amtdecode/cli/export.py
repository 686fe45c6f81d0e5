"""`amtdecode export`: certificates, HTTP and SOAP bodies, keys, proving packets, as files."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

import click

from amtdecode.cli.common import (
    Inputs,
    input_options,
    key_files,
    key_logs,
    key_options,
    load_keys,
    own_rules,
    plugin_option,
    registry,
)
from amtdecode.cli.filtering import compiled, filter_option
from amtdecode.errors import UsageError
from amtdecode.outputs import Outputs

if TYPE_CHECKING:
    from collections.abc import Sequence


@click.command()
@input_options
@click.option("--certs", type=click.Path(file_okay=False), metavar="DIR", help="Write every certificate once, as PEM.")
@click.option("--http", type=click.Path(file_okay=False), metavar="DIR", help="Write every HTTP body.")
@click.option("--soap", type=click.Path(file_okay=False), metavar="DIR", help="Write every SOAP body.")
@click.option(
    "--ider", type=click.Path(file_okay=False), metavar="DIR", help="Write what hosts read of redirected drives."
)
@click.option(
    "--pcap",
    metavar="FILE",
    help="Write the packets that prove the findings (or pass -Y) as pcapng, findings as comments, with TLS secrets.",
)
@click.option("--device", metavar="MACHINE", help="With --pcap or --csv: only this machine's (UUID, name or address).")
@click.option(
    "--frame", "frames", multiple=True, metavar="N[-M]", help="With --pcap: these packets instead; 5, 7-9 or 20-."
)
@click.option("--exact", is_flag=True, help="With --pcap: without the rest of the TLS connections that keys open.")
@click.option("--no-comments", is_flag=True, help="With --pcap: without the findings as comments.")
@click.option(
    "--write-keylog",
    "--export-tls-session-keys",
    "keylog_out",
    metavar="FILE",
    help="Write what opens TLS here as an NSS key log, also where a PSK or RSA key opened it.",
)
@click.option("--csv", "table", metavar="FILE", help="Write a table for spreadsheets: a row for each finding.")
@click.option(
    "--rows",
    type=click.Choice(["findings", "observations"]),
    default="findings",
    help="With --csv: what a row is.",
)
@click.option(
    "--parquet",
    type=click.Path(file_okay=False),
    metavar="DIR",
    help="Write tables for analysis: observations, one per protocol, flows, machines, findings.",
)
@click.option("--arrow", metavar="FILE", help="Write one table as an Arrow stream: observations, or --table.")
@click.option("--table", "tables", multiple=True, metavar="NAME", help="With them: only this table; repeatable.")
@filter_option
@key_options
@plugin_option
def export(
    captures: tuple[str, ...],
    count: int | None,
    quiet: bool,
    certs: str | None,
    http: str | None,
    soap: str | None,
    ider: str | None,
    pcap: str | None,
    device: str | None,
    frames: tuple[str, ...],
    exact: bool,
    no_comments: bool,
    keylog_out: str | None,
    table: str | None,
    rows: str,
    parquet: str | None,
    arrow: str | None,
    tables: tuple[str, ...],
    display_filter: str | None,
    plugins: bool,
    **keys: Any,
) -> int:
    """Write objects out of captures, bytes as captured: secrets in them are not masked, but in tables.

    FILE may be - for standard output.
    """
    _check_tables(parquet, arrow, tables)
    _check(
        [pcap, keylog_out, table, arrow],
        [certs, http, soap, ider, parquet],
        pcap,
        table,
        device,
        frames,
        exact=exact or no_comments,
    )
    if display_filter is not None and (device or frames):
        raise UsageError("-Y chooses packets, and takes the place of --frame and --device")
    if display_filter is not None and table is not None and rows == "findings":
        raise UsageError("-Y chooses packets, not findings: with --csv it needs --rows observations")
    rooms = registry(plugins=plugins)
    chosen = compiled(display_filter, rooms)
    outputs = Outputs([*captures, *key_files(**keys)])
    held, logs = load_keys(**keys, quiet=quiet), key_logs(keys["keylog"])
    rules = own_rules(plugins=plugins)
    for name, option in ((pcap, "--pcap"), (keylog_out, "--write-keylog"), (table, "--csv"), (arrow, "--arrow")):
        if name is not None:
            outputs.refuse(name, option)
    code = 0
    if pcap is not None:
        from amtdecode.cli.proof import Choice, write_packets

        choice = Choice(device, Frames(frames) if frames else None, chosen, exact, not no_comments)
        code = write_packets(captures, outputs, pcap, choice, held, logs, rooms, rules, count=count, quiet=quiet)
    if table is not None:
        from amtdecode.cli.table import Wish, write_table

        wish = Wish(table, rows, device, display_filter)
        code = write_table(captures, outputs, wish, held, rooms, rules, count=count, quiet=quiet)
    if parquet is not None or arrow is not None:
        from amtdecode.cli.tables import write_tables

        code = write_tables(
            captures, outputs, parquet, arrow, tables, held, rooms, rules, chosen, count=count, quiet=quiet
        )
    if certs or http or soap or ider or keylog_out is not None:
        from amtdecode.cli.objects import Objects

        objects = Objects(outputs, certs, http, soap, ider, keylog_out)
        code = objects.write(Inputs(captures, quiet=quiet, count=count), held, chosen, rooms, quiet=quiet)
    return code


def _check(
    files: Sequence[str | None],
    folders: Sequence[str | None],
    pcap: str | None,
    table: str | None,
    device: str | None,
    frames: Sequence[str],
    *,
    exact: bool,
) -> None:
    """Raise `UsageError` where options make no sense together."""
    if not (any(folders) or any(name is not None for name in files)):
        raise UsageError(
            "export needs --certs, --http, --soap, --ider, --pcap, --write-keylog, --csv, --parquet or --arrow"
        )
    named = [name for name in files if name is not None]
    if len(set(named)) < len(named):
        raise UsageError("--pcap, --write-keylog, --csv and --arrow need a file each")
    if pcap == "-" and sys.stdout.isatty():
        raise UsageError("--pcap -: standard output is a terminal; name a file, or pipe it into a program")
    if device and pcap is None and table is None:
        raise UsageError("--device goes with --pcap or --csv")
    if (frames or exact) and pcap is None:
        raise UsageError("--frame, --exact and --no-comments go with --pcap")
    if frames and device and table is None:
        raise UsageError("--device chooses among findings; --frame takes their place")


def _check_tables(parquet: str | None, arrow: str | None, tables: Sequence[str]) -> None:
    """Raise `UsageError` where options of tables make no sense together."""
    if parquet is None and arrow is None:
        if tables:
            raise UsageError("--table goes with --parquet or --arrow")
        return
    if parquet is not None and arrow is not None:
        raise UsageError("--parquet and --arrow: one of them at a time")
    if arrow == "-" and sys.stdout.isatty():
        raise UsageError("--arrow -: standard output is a terminal; name a file, or pipe it into a program")


class Frames:
    """Packet numbers, given as 5, 7-9 or 20-, also several with commas between. Raises `UsageError` for others."""

    def __init__(self, given: Sequence[str]) -> None:
        self._ranges: list[tuple[int, float]] = []
        for part in ",".join(given).split(","):
            match = re.fullmatch(r"\s*(\d+)\s*(?:(-)\s*(\d+)?)?\s*", part, re.ASCII)
            if match is None or len(part) > 40:
                raise UsageError(f"--frame {part}: is not a packet number, nor N-M")
            first = int(match[1])
            last = float("inf") if match[2] and not match[3] else int(match[3] or first)
            if first < 1 or last < first:
                raise UsageError(f"--frame {part}: numbers count from 1, the lower one first")
            self._ranges.append((first, last))

    def __call__(self, number: int) -> bool:
        """Whether a packet is among them."""
        return any(first <= number <= last for first, last in self._ranges)
