"""What the captures can show of a machine: asked before anything is called absent, or sure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.diagnosis.case import about_all
from amtdecode.diagnosis.rule import Missing, confirmed, likely
from amtdecode.provisioning.sight import answers_shown, long_enough, one_direction

if TYPE_CHECKING:
    from collections.abc import Callable

    from amtdecode.diagnosis.case import Case
    from amtdecode.diagnosis.rule import Hit
    from amtdecode.provisioning.state import Lease, Lookup, ServerLookup, Session

ONE_DIRECTION = "the other direction of the traffic: this capture has only one"
TOO_SHORT = "what comes next: the capture ends at once"
LOST = "bytes of the connection that the capture lacks"
CUT = "the whole message: the capture cut it"


def absent(case: Case) -> Callable[..., Hit]:
    """How sure it is that something did not happen.

    Confirmed only where the captures lack no packets, and show that anybody was answered at all.
    """
    return confirmed if case.story.whole and _answers_seen(case) else likely


@about_all
def _answers_seen(case: Case) -> bool:
    """Whether the captures have an answer of anybody to anything: a mirror of one direction has none."""
    story = case.story
    return (
        not story.health
        or any(health.both_ways for health in story.health.values())
        or any(lookup.answer for lookup in story.lookups.values())
        or any(lease.ack or lease.nak for device in story.devices for lease in device.leases)
    )


def unseen_answer(case: Case, session: Session) -> Missing | None:
    """Why an answer to a connection may have been missed; `None` where the capture would have shown it."""
    if not answers_shown(case.story, session):
        return Missing(ONE_DIRECTION)
    if not long_enough(case.story, session.time):
        return Missing(TOO_SHORT)
    return None


def unseen_reply(case: Case, asked: Lookup | ServerLookup | Lease, last: int | None, seconds: float) -> Missing | None:
    """The same of a query that nobody seems to answer, asked first and `last` at these times."""
    if asked.cut:
        return Missing(CUT)
    if one_direction(case.story):
        return Missing(ONE_DIRECTION)
    if not long_enough(case.story, asked.time if asked.time is not None else last, seconds):
        return Missing(TOO_SHORT)
    return None


def unseen_bytes(session: Session) -> Missing | None:
    """Why what a connection did not carry may have been missed."""
    if session.only:
        return Missing(ONE_DIRECTION)
    return None if session.whole else Missing(LOST)
