"""AMT-OK-*, AMT-UNP-*: whether setup came to its end, and whether the machine was unprovisioned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amtdecode.counting import counted
from amtdecode.diagnosis import needs
from amtdecode.diagnosis.contacts import swept
from amtdecode.diagnosis.handshakes import stopped
from amtdecode.diagnosis.phrases import quoted
from amtdecode.diagnosis.question import Question
from amtdecode.diagnosis.rule import Missing, Rules, confirmed, likely, possible
from amtdecode.diagnosis.severity import Severity
from amtdecode.diagnosis.sight import absent, unseen_bytes
from amtdecode.diagnosis.survived import JOB_STARTED, granted_later
from amtdecode.diagnosis.versions import version_tuple
from amtdecode.provisioning.attempts import substantial
from amtdecode.provisioning.state import Outcome
from amtdecode.provisioning.state.incidents import (
    CallFault,
    CallRefused,
    Commit,
    ErrorStatus,
    FullUnprovision,
    LoginLoop,
    PartialUnprovision,
    SetupStep,
    Unprovision,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.diagnosis.case import Case
    from amtdecode.diagnosis.rule import Answer, MachineRule
    from amtdecode.provisioning.state import Attempt, Device, Ref
    from amtdecode.provisioning.state.incidents import Incident

OPENED = "the calls themselves: the traffic is encrypted and no key opens it"
COMMIT_SECONDS = 60.0
HOW_ENDED = {"refused": "RST answers the SYN", "unanswered": "nothing answers the SYN", "reset": "RST ends it",
             "closed": "it is closed", "half-closed": "one side closes it", "open": "it stays open"}  # fmt: skip


SUFFIX_KEPT = (12,)  # from 12.0 on a full unprovision leaves the PKI DNS suffix; the guide, restoring factory mode


def _suffix(version: tuple[int, ...]) -> dict[str, Any]:
    """What becomes of the suffix from MEBx, and whether it has to be entered again."""
    if not version:
        words = "AMT before 12.0 erases the PKI DNS suffix of MEBx too, later versions keep it"
        return {"suffix": words, "too": ", and the suffix before AMT 12.0"}
    if version >= SUFFIX_KEPT:
        return {"suffix": "this version keeps the PKI DNS suffix of MEBx", "too": ""}
    return {"suffix": "this version erases the PKI DNS suffix of MEBx too", "too": ", suffix"}


def unprovisioned(kind: type[Unprovision]) -> MachineRule:
    """The rule for a partial or a full unprovision."""

    def ask(case: Case, device: Device) -> Iterator[Answer]:
        done = device.incidents_of(kind)[0]
        proofs: list[tuple[Ref, str]] = [(done.ref, done.line or done.call)]
        severity: Severity | None = None
        timed = [(hello, hello.time) for hello in device.hellos if hello.time is not None]
        before = [hello for hello, time in timed if done.time is not None and time < done.time]
        after = [hello for hello, time in timed if done.time is not None and time > done.time]
        if after:
            hello = after[0]
            said = f"PID {hello.pid}" if hello.pid else counted(len(hello.hashes), "hash", "hashes")
            proofs.append((hello.ref, f"next hello: {said}"))
            if kind is FullUnprovision and before and set(before[-1].hashes) - set(hello.hashes):
                severity = Severity.MEDIUM
        yield confirmed(*proofs, severity=severity, **_suffix(version_tuple(case.version(device))))

    return ask


RULES = Rules(Question.APPLICATION)


@RULES.machine("AMT-OK-003", when=(needs.CONNECTION,))
def no_commit(case: Case, device: Device) -> Iterator[Answer]:
    steps = device.incidents_of(SetupStep)
    if not steps:
        sessions = [s for s in device.sessions if s.setup and s.handshake and s.handshake.established]
        if sessions and not any(s.messages for s in sessions) and not device.incidents_of(Commit):
            yield Missing(OPENED)
        return
    if device.incidents_of(Commit) or any(attempt.commit for attempt in device.attempts):
        return
    if not any(attempt.hellos or any(s.setup for s in attempt.sessions) for attempt in device.attempts):
        return  # later management changes settings without a commit
    last = next((s for s in device.sessions if s.number == steps[-1].connection), None)
    if last is not None and last.state in ("", "open"):
        watched = case.story.watched_after(steps[-1].time)
        if watched is None or watched < COMMIT_SECONDS:
            yield Missing("the capture ends while the machine is being configured")
            return
    if refusals(device, steps[-1]):
        return  # that is why
    if last is not None and (lacking := unseen_bytes(last)):
        yield lacking
        return
    proofs = [(step.ref, f"{step.call} ({step.step})") for step in steps]
    answer = absent(case)
    yield answer(*proofs, count=len(steps), last=steps[-1].call)


def refusals(device: Device, last: SetupStep) -> list[Incident]:
    """Calls and logins refused in the attempt of the last step, and not granted later."""
    attempt = device.attempt_of(last.connection)
    own = {session.number for session in attempt.sessions} if attempt is not None else {last.connection}
    found: list[Incident] = [
        refused
        for refused in device.incidents_of(CallRefused)
        if refused.connection in own and not (refused.own_value and refused.code == JOB_STARTED)
    ]
    found += [fault for fault in device.incidents_of(CallFault) if fault.connection in own]
    found += [error for error in device.incidents_of(ErrorStatus) if error.connection in own]
    found += [loop for loop in device.incidents_of(LoginLoop) if loop.connection in own]
    return [each for each in found if not granted_later(device, each)]


@RULES.machine("AMT-UNP-003", when=(needs.LOG_LINES,))
def unprovision_pending(_case: Case, device: Device) -> Iterator[Answer]:
    done: list[Unprovision] = [*device.incidents_of(PartialUnprovision), *device.incidents_of(FullUnprovision)]
    if not done:
        return
    first = done[0]
    refused = [entry for entry in device.log_entries if entry.anchor == "scs-137" and entry.ref > first.ref]
    if refused:
        yield likely((first.ref, first.line or first.call), *((entry.ref, entry.text) for entry in refused))


RULES.machine("AMT-UNP-002", when=(needs.incident(FullUnprovision),))(unprovisioned(FullUnprovision))


RULES.machine("AMT-UNP-001", when=(needs.incident(PartialUnprovision),))(unprovisioned(PartialUnprovision))


@RULES.machine("AMT-OK-001", when=(needs.incident(Commit),))
def committed(_case: Case, device: Device) -> Iterator[Answer]:
    commit = device.incidents_of(Commit)[0]
    yield confirmed((commit.ref, commit.line or f"{commit.call} succeeds"))


@RULES.machine("AMT-OK-002", when=(needs.INFERRED,))
def success_inferred(_case: Case, device: Device) -> Iterator[Answer]:
    if device.incidents_of(Commit):
        return
    for attempt in device.attempts:
        if not needs.inferred(attempt):
            continue
        done = attempt.outcome == Outcome.COMMITTED
        session = next((s for s in reversed(attempt.sessions) if substantial(s)), None)
        proof = attempt.commit or (session.last_ref if session else 0)
        answer = likely if done else possible
        yield answer(
            *((proof, reason) for reason in attempt.reasons),
            how="probably" if done else "may have",
            confidence=f"{attempt.confidence:.0%}",
            reasons="; ".join(attempt.reasons),
        )


@RULES.machine("AMT-OK-004", when=(needs.FAILED,))
def failed_without_a_rule(case: Case, device: Device) -> Iterator[Answer]:
    if all(swept(case, device, session.client) for session in device.sessions) and device.sessions:
        return  # a console searches its network, and this host only lay on the way
    for number, attempt in enumerate(device.attempts):
        if attempt.outcome != Outcome.FAILED or (found := _end_of(device, attempt)) is None:
            continue
        proof, what = found
        succeeded = any(later.outcome == Outcome.COMMITTED for later in device.attempts[number + 1 :])
        yield confirmed((proof, what), severity=Severity.INFO if succeeded else None, what=what)


def _end_of(device: Device, attempt: Attempt) -> tuple[Ref, str] | None:
    """The last packet or line of an attempt that failed, in words."""
    session = next((s for s in reversed(attempt.sessions) if s.state), None)
    if session is not None:
        stop = stopped(session)
        how = stop.text if stop is not None else HOW_ENDED.get(session.state, session.state)
        return session.last_ref or session.ref, f"{session.client} to {session.server}:{session.port}: {how}"
    entry = next((entry for entry in reversed(device.log_entries) if entry.kind == "failure"), None)
    return (entry.ref, f"the log says {quoted(entry.text)}") if entry is not None else None
