"""Gathers what stands on the page, and lays it out with Jinja2, which escapes all of it."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from amtdecode.errors import MissingExtraError
from amtdecode.render.html.evidence import Shown, shown_evidence
from amtdecode.render.ladder_text import since
from amtdecode.render.report_words import KINDS, called, groups, headline, how_far, kind, lacking, of_machine
from amtdecode.render.safe import safe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amtdecode.diagnosis.report import DeviceReport, Evidence, Finding, Report
    from amtdecode.diagnosis.told_chains import ToldChain
    from amtdecode.dialogue import Ladder

MAX_LISTED = 5_000  # machines on a page
MAX_ROWS = 50_000  # messages on a page
MAX_CALLS = 200  # rows of calls
MARKS = {"critical": "◆", "high": "▲", "medium": "■", "low": "●", "info": "○"}
"""A shape beside each word, so that nothing is said by colour alone."""


class Retold(NamedTuple):
    """What a report does not hold, told from the captures once more."""

    ladders: Sequence[Ladder] = ()
    chains: Sequence[ToldChain] = ()


class Machine(msgspec.Struct, kw_only=True):
    """One machine on the page."""

    device: DeviceReport
    kind: str
    how_far: str
    attempts: list[str]
    findings: list[Finding]
    ladder: Ladder | None
    rows: list[tuple[Any, ...]]
    chains: list[int]


def page(report: Report, retold: Retold | None = None) -> str:
    """The whole file. Without `retold` it has neither dialogues, chains nor bytes.

    Raises `MissingExtraError` without Jinja2 (extra `report`).
    """
    have_jinja()
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup, escape

    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: safe(value) if isinstance(value, str) and not isinstance(value, Markup) else value,
    )
    environment.filters["dump"] = escape  # ours: hexadecimal digits and printable ASCII
    style, script = _text("report.css"), _text("report.js")
    template = environment.from_string(_text("report.html.j2"))
    facts = _facts(report, retold or Retold())
    return template.render(
        style=Markup(style),  # noqa: S704 - files of this package
        script=Markup(script),  # noqa: S704
        style_hash=_hash(style),
        script_hash=_hash(script),
        **facts,
    )


def have_jinja() -> None:
    """Raise `MissingExtraError` without Jinja2."""
    try:
        import jinja2  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("the HTML report needs Jinja2: pip install 'amtdecode[report]'") from error


def _facts(report: Report, retold: Retold) -> dict[str, Any]:
    ladders = {ladder.device_id: ladder for ladder in retold.ladders}
    evidence = shown_evidence(report, retold.ladders)
    by_device: dict[int | None, list[Finding]] = {}
    for finding in report.findings:
        by_device.setdefault(finding.device_id, []).append(finding)
    of_chain: dict[int, list[int]] = {}
    for number, chain in enumerate(retold.chains, 1):
        for machine in chain.machines:
            of_chain.setdefault(machine, []).append(number)
    machines, rows = [], 0
    for device in report.devices[:MAX_LISTED]:
        ladder = ladders.get(device.id)
        if ladder is not None and rows + len(ladder.rungs) > MAX_ROWS:
            ladder = None
        rows += len(ladder.rungs) if ladder is not None else 0
        machines.append(
            Machine(
                device=device,
                kind=kind(device),
                how_far=of_machine(device),
                attempts=[how_far(attempt) for attempt in device.attempts],
                findings=by_device.get(device.id, []),
                ladder=ladder,
                rows=_rows(ladder) if ladder is not None else [],
                chains=of_chain.get(device.id, []),
            )
        )
    kinds = Counter(map(kind, report.devices))
    return {
        "report": report,
        "headline": headline(report),
        "outcomes": [(words, kinds[name]) for name, words in KINDS.items() if kinds[name]],
        "groups": [*groups(report)],
        "machines": machines,
        "more_machines": max(0, len(report.devices) - MAX_LISTED),
        "general": by_device.get(None, []),
        "chains": [(number, chain) for number, chain in enumerate(retold.chains, 1)],
        "calls": _calls(retold.ladders),
        "evidence": evidence,
        "names": {device.id: device.name for device in report.devices},
        "not_judged": lacking(report.not_judged) if report.not_judged else "",
        "plan": None if report.plan is msgspec.UNSET else report.plan,
        "told": bool(retold.ladders),
        "marks": MARKS,
        "called": called,
        "place": lambda proof: _place(proof, evidence, len(report.inputs)),
        "since": since,
    }


def _rows(ladder: Ladder) -> list[tuple[Any, ...]]:
    """The rows of the table: kind, and cells."""
    rows: list[tuple[Any, ...]] = []
    start = next((rung.time_ns for rung in ladder.rungs if rung.time_ns is not None), None)
    for number, rung in enumerate(ladder.rungs):
        if ladder.left_out and number == ladder.left_out_at:
            rows.append(("gap", f"{ladder.left_out} messages are left out here"))
        if rung.gap:
            rows.append(("gap", f"{rung.gap:.1f} s later"))
        rows.append(("", rung.packet or "-", since(rung, start), rung.sender, rung.receiver, rung.text))
        if rung.failure:
            rows.append(("bad", rung.failure))
    if ladder.failure:
        rows.append(("bad", ladder.failure))
    return rows


def _calls(ladders: Sequence[Ladder]) -> list[tuple[str, str, int]]:
    """Each call with its answer, and how often it was made; the most frequent first."""
    counts: Counter[tuple[str, str]] = Counter()
    for ladder in ladders:
        asked = ""
        for rung in ladder.rungs:
            if rung.protocol != "iamt.soap":
                continue
            if rung.sender == "machine" and asked:
                counts[asked, rung.text] += 1
                asked = ""
            else:
                asked = rung.text
    return [(call, answer, count) for (call, answer), count in counts.most_common(MAX_CALLS)]


def _place(proof: Evidence, evidence: Shown, inputs: int) -> tuple[str, str]:
    """Where a proof stands, in words, and the id of its bytes on the page, if they are there."""
    where = f" of {proof.input}" if inputs > 1 else ""
    if proof.packet is not None:
        return f"packet {proof.packet}{where}", evidence.ids.get((proof.input, proof.packet), "")
    return (f"line {proof.line}{where}" if proof.line is not None else ""), ""


def _text(name: str) -> str:
    return files("amtdecode.render.html").joinpath(name).read_text("utf-8")


def _hash(text: str) -> str:
    """As a content security policy names it."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
