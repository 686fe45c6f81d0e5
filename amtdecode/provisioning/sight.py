"""What the captures can show: asked before anything is called absent.

Absence is only seen from a place that would have seen the thing: both directions captured, no bytes lost there, and the
capture going on for a while.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from amtdecode.provisioning.state import Session, Story

ANSWER_SECONDS = 1.0  # before a host asks again (RFC 6298 §2), nobody can tell that there is no answer


def long_enough(story: Story, time: int | None, seconds: float = ANSWER_SECONDS) -> bool:
    """Whether captures go on for so long after `time`. True where times are not known."""
    watched = story.watched_after(time)
    return watched is None or watched >= seconds


def answers_shown(story: Story, session: Session) -> bool:
    """Whether the capture would have shown an answer of the server of a connection."""
    if session.only == "client":
        return False
    return story.sides.get(session.server, 0) >= 0 and not one_direction(story)


def one_direction(story: Story) -> bool:
    """Whether the captures together have mostly one direction of connections."""
    both, one = 0, 0
    for health in story.health.values():
        both += health.both_ways
        one += health.one_way
    return one > both
