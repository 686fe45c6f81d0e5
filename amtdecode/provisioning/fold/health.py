"""Health of the captures: what each can show."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from amtdecode.capture.health import Health
    from amtdecode.model import Observation
    from amtdecode.provisioning.machines import Machines
    from amtdecode.provisioning.state import Story


def take_health(machines: Machines, observation: Observation, event: Health) -> None:
    """An input has been read to its end."""
    story = machines.story
    story.health[machines.input(observation.input)] = event
    for time in (event.first, event.last):
        if time is not None:
            story.first = time if story.first is None else min(story.first, time)
            story.last = time if story.last is None else max(story.last, time)
    cover(story)


def cover(story: Story) -> None:
    """When captures begin and end: their spans without the holes in them, joined where they overlap."""
    spans: list[tuple[int, int]] = []
    for health in story.health.values():
        if health.first is None or health.last is None:
            continue
        begin = health.first
        for silent, again in health.holes:
            spans.append((begin, silent))
            begin = again
        spans.append((begin, health.last))
    joined: list[tuple[int, int]] = []
    for begin, end in sorted(spans):
        if joined and begin <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        elif begin <= end:
            joined.append((begin, end))
    story.covered = tuple(joined)
