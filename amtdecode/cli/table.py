"""Tables for spreadsheets (`export --csv`)."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, NamedTuple

from amtdecode.cli.common import Inputs
from amtdecode.cli.filtering import Filtered
from amtdecode.cli.main import EXIT_INPUT, complain
from amtdecode.counting import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amtdecode.diagnosis.rule import Rule
    from amtdecode.outputs import Outputs
    from amtdecode.protocols.dissector import Protocol
    from amtdecode.render.csv_rows import Rows
    from amtdecode.secrets import Keys

MARK = b"\xef\xbb\xbf"  # by which spreadsheets know UTF-8


class Wish(NamedTuple):
    """Which table, and where to."""

    target: str
    kind: str
    """"findings" or "observations"."""
    device: str | None = None
    """The machine that findings must be about."""
    filter: str | None = None
    """The display filter that observations must pass."""


def write_table(
    captures: Sequence[str],
    outputs: Outputs,
    wish: Wish,
    keys: Keys | None,
    rooms: tuple[Protocol, ...],
    rules: Sequence[Rule],
    *,
    count: int | None,
    quiet: bool,
) -> int:
    """Write a row for each finding or observation."""
    from amtdecode.api import with_secrets_inside
    from amtdecode.render.csv_rows import FINDINGS, OBSERVATIONS, Rows

    inputs = Inputs(captures, quiet=quiet, count=count)
    if not inputs.names:
        return EXIT_INPUT
    keys = with_secrets_inside(inputs.names, keys)
    target, findings = wish.target, wish.kind == "findings"
    with outputs.file(target, "--csv") as file:
        if target != "-":
            file.write(MARK)
        text = io.TextIOWrapper(file, "utf-8", newline="")
        rows = Rows(text, FINDINGS if findings else OBSERVATIONS)
        if findings:
            _findings(rows, inputs, wish.device, keys, rooms, rules)
        else:
            _observations(rows, inputs, keys, Filtered(wish.filter, rooms), rooms, quiet=quiet)
        text.flush()
        text.detach()
    if not quiet:
        complain(counted(rows.count, "row") + ("" if target == "-" else f" in {target}"))
    return inputs.exit_code


def _findings(
    rows: Rows,
    inputs: Inputs,
    device: str | None,
    keys: Keys | None,
    rooms: tuple[Protocol, ...],
    rules: Sequence[Rule],
) -> None:
    from amtdecode.cli.proof import machine_of
    from amtdecode.diagnosis import diagnose
    from amtdecode.diagnosis.inputs import gather, sort_inputs
    from amtdecode.render.csv_rows import finding_rows

    story = gather(sort_inputs(inputs.names), keys, inputs.packets, registry=rooms)
    chosen = None if device is None else machine_of(device, story)
    for row in finding_rows(diagnose(story, rules=rules, last=True), chosen):
        rows(row)


def _observations(
    rows: Rows, inputs: Inputs, keys: Keys | None, chosen: Filtered, rooms: tuple[Protocol, ...], *, quiet: bool
) -> None:
    from amtdecode.engine import Engine
    from amtdecode.render.csv_rows import ObservationRows

    write = ObservationRows(rows)
    engine = Engine(keys, registry=chosen.rooms_for((), rooms), pdus=chosen.reads_messages)
    for batch in chosen.batches(engine.batches(chosen.watch(inputs.packets)), quiet=quiet):
        for observation in batch:
            write(observation)
