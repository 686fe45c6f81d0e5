"""Holds a plan against the story: each step of each machine done, not seen, or such as cannot be seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.diagnosis.case import Case
from amtdecode.diagnosis.proving import evidence_of
from amtdecode.diagnosis.report import Tick, Ticked, TickedPlan
from amtdecode.masking import masked
from amtdecode.planning.plan import make, steps_of

if TYPE_CHECKING:
    from amtdecode.diagnosis.site import Site
    from amtdecode.planning.step import Step
    from amtdecode.provisioning.state import Device, Story

MAX_PROOFS = 4  # of one step
MAX_MACHINES = 10_000  # held against a plan


def tick(site: Site, story: Story) -> TickedPlan:
    """The plan of a site with the steps that a story shows. Raises `UsageError` where there is no plan.

    To be asked before `diagnose(…, last=True)`, which lets machines go.
    """
    plan, steps = make(site), steps_of(site)
    titles = {each.id: each.title for each in plan.steps}
    proofs = {each.id: each.proof for each in plan.steps}
    case = Case(story, site, {})
    machines = []
    for device in story.devices[:MAX_MACHINES]:
        ticks = _ticks(case, device, steps, titles, proofs)
        machines.append(Ticked(device=device.name, device_id=device.id, ticks=ticks))
    return TickedPlan(way=plan.way, title=plan.title, machines=machines)


def _ticks(case: Case, device: Device, steps: list[Step], titles: dict[str, str], proofs: dict[str, str]) -> list[Tick]:
    found = {step.id: step.look(case, device) if step.look else [] for step in steps}
    later = _shown(steps, {name for name, seen in found.items() if seen})
    ticks = []
    for step in steps:
        seen = list(dict.fromkeys(found[step.id]))[:MAX_PROOFS]
        shown_by = "" if seen else later.get(step.id, "")
        ticks.append(
            Tick(
                id=step.id,
                title=titles[step.id],
                state="done" if seen else "not seen" if step.look else "cannot be seen",
                shown_by=shown_by,
                proof="" if seen else proofs[step.id],
                evidence=[evidence_of(case.story, proof, masked(words)) for proof, words in seen],
            )
        )
    return ticks


def _shown(steps: list[Step], done: set[str]) -> dict[str, str]:
    """By step, the step behind it that was seen, and cannot happen without it; along the chain of those between."""
    after = {step.id: step.shown_by for step in steps}
    shown: dict[str, str] = {}
    for step in steps:
        name, been = after[step.id], {step.id}
        while name and name not in done and name not in been:
            been.add(name)
            name = after.get(name, "")
        if name in done:
            shown[step.id] = name
    return shown
