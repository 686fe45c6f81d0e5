"""What the captures can show of a machine: asked before anything is called absent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.provisioning.sight import answers_shown, long_enough

if TYPE_CHECKING:
    from amtdecode.diagnosis.case import Case
    from amtdecode.provisioning.state import Session

ONE_DIRECTION = "both directions of the traffic: this capture has only one of them"
TOO_SHORT = "what comes next: the capture ends at once"
LOST_ANSWER = "bytes of the connection that the capture lacks"
LOST = "bytes of the handshake that the capture lacks"


def unseen_answer(case: Case, session: Session) -> str:
    """Why an answer to a connection may have been missed; "" where it would have been seen."""
    if not answers_shown(case.story, session):
        return ONE_DIRECTION
    if not long_enough(case.story, session.time):
        return TOO_SHORT
    return ""
