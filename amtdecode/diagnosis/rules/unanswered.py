"""AMT-OK-005, AMT-HTTP-007: requests, and the call that ends setup, to which no answer came."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.counting import counted
from amtdecode.diagnosis import needs, sight
from amtdecode.diagnosis.contacts import ENDED, began_after, contacts, wrong_protocol
from amtdecode.diagnosis.phrases import SECOND, seconds
from amtdecode.diagnosis.question import Question
from amtdecode.diagnosis.rule import Missing, Rules, confirmed, likely
from amtdecode.diagnosis.severity import Severity
from amtdecode.provisioning.sight import answers_shown
from amtdecode.provisioning.state.incidents import Commit, CommitUnanswered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.diagnosis.case import Case
    from amtdecode.diagnosis.rule import Answer
    from amtdecode.provisioning.state import Device, Ref, Session

ANSWER_SECONDS = 60.0  # what a request may take in a connection that stays open
BUSY = "The firmware is busy or restarts, another service has the port, or something in between ends the connection."
BUSY_LOCALLY = "The interface to the Management Engine (MEI) does not answer it, or another program uses it."
POWER_CYCLE = (
    "Try again; if it repeats, cut the power of the machine for a moment so that the Management Engine restarts."
)
RESTART_LMS = (
    "Restart the service LMS, look at the MEI driver, and see that only one program talks to the Management Engine."
)

RULES = Rules(Question.APPLICATION)


@RULES.machine("AMT-OK-005", when=(needs.incident(CommitUnanswered),))
def commit_unanswered(case: Case, device: Device) -> Iterator[Answer]:
    sent = device.incidents_of(CommitUnanswered)[-1]
    if any(commit.ref > sent.ref for commit in device.incidents_of(Commit)):
        return  # it was repeated, and answered
    session = next((s for s in device.sessions if s.number == sent.connection), None)
    if session is not None and not (session.whole and answers_shown(case.story, session)):
        yield Missing(sight.LOST)
        return
    if session is not None and session.state not in ENDED:
        watched = case.story.watched_after(sent.time)
        if watched is None or watched < ANSWER_SECONDS:
            yield Missing("the capture ends before the machine answers")
            return
    proofs: list[tuple[Ref, str]] = [(sent.ref, f"{sent.call}: no answer")]
    if session is not None and session.state in ENDED:
        proofs.append((session.last_ref, _end_of(session)))
    said, severity = "It was probably carried out: check the machine before setup is repeated.", None
    again = [hello for hello in device.hellos if sent.time is not None and (hello.time or 0) > sent.time]
    later = [
        s for s in device.sessions if session is not None and began_after(s, session) and not s.setup and s.answered
    ]
    if again:
        proofs.append((again[0].ref, "the machine says hello again"))
        said, severity = "The machine says hello again: it was not carried out.", Severity.HIGH
    elif later:
        proofs.append((later[0].ref, f"later {later[0].client} manages the machine"))
        said, severity = "Later management shows that it was carried out.", Severity.INFO
    answer = confirmed if again else likely
    yield answer(*proofs, severity=severity, call=sent.call, said=said)


@RULES.machine("AMT-HTTP-007", when=(needs.CONTACT,))
def unanswered_requests(case: Case, device: Device) -> Iterator[Answer]:
    told = {sent.connection for sent in device.incidents_of(CommitUnanswered)}  # AMT-OK-005
    silent: list[Session] = []
    answered: list[Session] = []
    for session in contacts(case, device):
        if session.answered and session.answered >= session.asked:
            answered.append(session)
        if session.asked <= session.answered or session.number in told or wrong_protocol(session):
            continue
        if not session.whole or not answers_shown(case.story, session):
            yield Missing(sight.LOST)
            continue
        if session.state not in ENDED:
            watched = case.story.watched_after(session.last_time)
            if watched is None or watched < ANSWER_SECONDS:
                yield Missing("the capture ends before the machine answers")
                continue
        silent.append(session)
    if not silent:
        return
    last = silent[-1]
    count = sum(session.asked - session.answered for session in silent)
    proofs = [
        (s.last_ref or s.ref, f"{s.client} to {s.server}:{s.port}: {_unanswered(s)}; {_end_of(s)}") for s in silent[-3:]
    ]
    severity = Severity.INFO if any(began_after(session, last) for session in answered) else None
    if severity is None and count == 1:
        severity = Severity.MEDIUM
    local = last.client == last.server
    who = "LMS, the local service that stands for the machine," if local else "The machine"
    answer = likely if count == 1 or last.who_closed == "client" else confirmed
    yield answer(
        *proofs,
        severity=severity,
        count=counted(count, "request was", "requests were"),
        who=who,
        why=BUSY_LOCALLY if local else BUSY,
        todo=RESTART_LMS if local else POWER_CYCLE,
    )


def _unanswered(session: Session) -> str:
    return f"{counted(session.asked - session.answered, 'request')} of {session.asked} without an answer"


def _end_of(session: Session) -> str:
    who = {"server": "the machine", "client": session.client}.get(session.who_closed, "")
    how = {"reset": "resets the connection", "open": "stays silent"}.get(session.state, "closes the connection")
    spent = (session.last_time or 0) - (session.time or 0) if session.time is not None else 0
    after = f" after {seconds(spent)}" if spent >= SECOND else ""
    return f"{who} {how}{after}" if who else f"the connection is {session.state}"
