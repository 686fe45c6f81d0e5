"""Plans as text: the steps, the sheet for the first plug-in, and the steps held against machines."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from amtdecode.counting import counted
from amtdecode.render.report_words import place_of
from amtdecode.render.safe import safe
from amtdecode.render.wrapping import colored, headed, plain, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.diagnosis.report import Tick, TickedPlan
    from amtdecode.planning.plan import Plan

MARKS = {"done": "[x]", "not seen": "[ ]", "cannot be seen": "[-]"}
COLORS = {"done": "32", "not seen": "33", "cannot be seen": "2"}  # SGR
INDENT = "    "
MAX_WHOLE = 20  # machines whose steps are all shown without -V


def plan_lines(plan: Plan, *, width: int, color: bool = False) -> Iterator[str]:
    """The steps, part by part: who does what, and what proves it."""
    paint = colored if color else plain
    version = f", AMT {plan.amt_version}" if plan.amt_version else ""
    yield paint("1", safe(f"{plan.title}{version}"))
    phase = ""
    for step in plan.steps:
        if step.phase != phase:
            phase = step.phase
            yield ""
            yield paint("1", phase)
        yield from wrapped(safe(f"{step.title} ({step.who})"), width, f"{step.number:>2}. ", INDENT)
        yield from wrapped(safe(step.text), width, INDENT)
        yield from wrapped(safe(f"Proof: {step.proof}"), width, INDENT, f"{INDENT}  ")
    yield ""
    yield from wrapped("`amtdecode plan SITE.toml --sheet` prints the page for the first plug-in.", width)
    yield from wrapped("`amtdecode diagnose --plan SITE.toml CAPTURE…` ticks the steps off.", width)


def ticked_lines(found: TickedPlan, *, width: int, inputs: int, verbose: bool, color: bool = False) -> Iterator[str]:
    """The steps of each machine; of many machines how often each step was seen, unless `verbose`."""
    paint = colored if color else plain
    yield paint("1", f"Plan: {found.title}")
    if len(found.machines) > MAX_WHOLE and not verbose:
        yield from _counts(found, width)
        return
    if not found.machines:
        yield f"{INDENT}no machine was seen"
    for machine in found.machines:
        yield safe(machine.device)
        for number, tick in enumerate(machine.ticks, 1):
            head = (COLORS[tick.state], f"{MARKS[tick.state]} {number:>2}. {safe(tick.title)}")
            yield from headed(head, safe(_tail(tick, machine.ticks, inputs)), width, paint, "  ", f"{INDENT}    ")
    yield "   ".join(f"{mark} {state}" for state, mark in MARKS.items())


def _tail(tick: Tick, ticks: list[Tick], inputs: int) -> str:
    if tick.evidence:
        proof = tick.evidence[0]
        place = place_of(proof, inputs)
        return f": {place}: {proof.text}" if place else f": {proof.text}"
    if tick.shown_by:
        number = next(at for at, each in enumerate(ticks, 1) if each.id == tick.shown_by)
        return f": step {number} shows that it was done"
    return f": would show: {tick.proof}" if tick.state == "not seen" else ""


def _counts(found: TickedPlan, width: int) -> Iterator[str]:
    states = [
        Counter(machine.ticks[at].state for machine in found.machines) for at in range(len(found.machines[0].ticks))
    ]
    for number, (tick, count) in enumerate(zip(found.machines[0].ticks, states, strict=True), 1):
        seen = "cannot be seen" if count["cannot be seen"] else f"seen of {counted(count['done'], 'machine')}"
        yield from wrapped(safe(f"{number:>2}. {tick.title}: {seen}"), width, "  ", INDENT + "  ")
    yield f"of {counted(len(found.machines), 'machine')}; -V shows each"
