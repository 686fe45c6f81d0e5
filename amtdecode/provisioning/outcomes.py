"""How far each attempt got, and how it ended.

Inside TLS that cannot be opened a commit is inferred, never seen. Enough requests and answers of several kinds, a short
last request and an orderly end are needed, and then silence: a machine that was not set up says hello again. Or later
management shows another certificate. Each of these adds to the confidence, which is printed.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from amtdecode import ports
from amtdecode.counting import counted
from amtdecode.provisioning.attempts import (
    ENDED,
    KINDS_OF_ANSWERS,
    ends_in_order,
    failed_handshake,
    looks_complete,
    substantial,
)
from amtdecode.provisioning.sight import answers_shown, long_enough
from amtdecode.provisioning.state import Attempt, Outcome, Stage
from amtdecode.provisioning.state.machine import UNJUDGED, Ending

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amtdecode.provisioning.state import Device, Session, Story

QUIET_SECONDS = 120.0  # two of the first intervals between hellos
BASE, ORDERLY, QUIET, CERTIFIED = 0.5, 0.15, 0.15, 0.15  # shares of the confidence; certainty is 1
UNLIKE = 0.3  # what speaks against it takes away
STAGES = tuple(Stage)  # in the order of the steps
COMMITTED = Ending(Outcome.COMMITTED, 1.0)
FAILED = Ending(Outcome.FAILED, 0.9)
INCOMPLETE = Ending(Outcome.INCOMPLETE, 0.6)
FAILED_BY_LOG = Ending(Outcome.FAILED, 0.6)
INCOMPLETE_BY_LOG = Ending(Outcome.INCOMPLETE, 0.5)


def judge(device: Device, story: Story) -> None:
    """Stage, outcome and confidence of every attempt of a machine."""
    if device.log_entries and all(not attempt.hellos and not attempt.sessions for attempt in device.attempts):
        _by_log(device)
        return
    if not device.attempts and (device.lookups or device.leases):
        evidence = device.lookups[0] if device.lookups else device.leases[0]
        device.attempts = (Attempt(started=evidence.time, ended=evidence.time),)
    for number, attempt in enumerate(device.attempts):
        later = device.attempts[number + 1 :]
        attempt.stage = _stage(attempt, device)
        _outcome(attempt, later, device, story)
        if device.suspected:
            attempt.ending = UNJUDGED


LOG_STAGES = {  # how far a machine got when a log line of this rule is written
    "AMT-LOG-CCB": Stage.CONTACT_BACK,
    "AMT-LOG-TCP": Stage.CONTACT_BACK,
    "AMT-LOG-SCH": Stage.HANDSHAKE,
    "AMT-LOG-407": Stage.CONFIGURATION,
    "AMT-LOG-ACU": Stage.CONFIGURATION,
}


STEP_STAGES = {  # and of this step
    "hello": Stage.HELLO,
    "name of the machine": Stage.HELLO,
    "connection back": Stage.CONTACT_BACK,
    "TLS handshake": Stage.HANDSHAKE,
    "configuration": Stage.CONFIGURATION,
    "certificate chain": Stage.CONFIGURATION,
    "activation": Stage.CONFIGURATION,
    "commit": Stage.CONFIGURATION,
    "MEBx password": Stage.CONFIGURATION,
}


def _by_log(device: Device) -> None:
    """The attempt of a machine that only a log knows: what the latest line says of it."""
    entries = device.log_entries
    attempt = device.attempts[-1] if device.attempts else Attempt()
    if not device.attempts:
        device.attempts = (attempt,)
    attempt.started, attempt.ended = entries[0].time, entries[-1].time
    if attempt.commit:
        attempt.stage, attempt.ending = Stage.COMMIT, COMMITTED
        return
    stages = [LOG_STAGES.get(entry.rule) or STEP_STAGES.get(entry.step, Stage.NONE) for entry in entries]
    attempt.stage = max(stages, key=STAGES.index)
    failed = entries[-1].kind == "failure"
    attempt.ending = FAILED_BY_LOG if failed else INCOMPLETE_BY_LOG


def _stage(attempt: Attempt, device: Device) -> Stage:
    if attempt.commit:
        return Stage.COMMIT
    setup = [session for session in attempt.sessions if session.setup or session.port in ports.SETUP]
    handshakes = [session.handshake for session in setup if session.handshake]
    if any(tls.requests and tls.answers for tls in handshakes) or any(_called(session) for session in setup):
        return Stage.CONFIGURATION if attempt.hellos or any(s.setup for s in setup) else Stage.MANAGEMENT
    if handshakes:
        return Stage.HANDSHAKE
    if setup:
        return Stage.CONTACT_BACK
    if attempt.hellos:
        return Stage.HELLO
    if attempt.sessions:
        own = device.addresses
        if any(s.server in own and s.connected for s in attempt.sessions):
            return Stage.MANAGEMENT
    if device.lookups:
        return Stage.NAME
    return Stage.LEASE if device.leases else Stage.NONE


def _called(session: Session) -> bool:
    """Whether calls were made; HTTP to a port for TLS that nobody answers is none."""
    clear = session.handshake is None and session.port in ports.MACHINE_TLS
    return bool(session.answered if clear else session.messages)


def _outcome(attempt: Attempt, later: Sequence[Attempt], device: Device, story: Story) -> None:
    if attempt.commit:
        attempt.ending = COMMITTED
        return
    done = next((session for session in reversed(attempt.sessions) if substantial(session)), None)
    if done is not None and done.messages:
        if not done.whole:  # the commit may be among what is missing
            attempt.ending = UNJUDGED
            return
        ended = done.state in ENDED  # opened, read, and no commit in it
        attempt.ending = FAILED if ended else INCOMPLETE
        return
    if done is not None:
        _infer(attempt, done, later, device, story)
        return
    setup = [session for session in attempt.sessions if session.port in ports.SETUP]
    if setup:
        last = setup[-1]
        tls = last.handshake
        if _not_reached(last, story) or (tls is not None and failed_handshake(tls, last)):
            attempt.ending = FAILED
        elif not last.whole or not last.connected:  # what is missing decides
            attempt.ending = UNJUDGED
        elif attempt.hellos or any(session.setup for session in setup):
            attempt.ending = INCOMPLETE
        else:
            attempt.ending = UNJUDGED
        return
    if any(_not_reached(session, story) for session in attempt.sessions):
        attempt.ending = FAILED
    elif attempt.hellos or device.lookups:
        attempt.ending = INCOMPLETE
    else:
        attempt.ending = UNJUDGED


def _not_reached(session: Session, story: Story) -> bool:
    """Whether a connection demonstrably failed: refused, or unanswered where an answer would have been seen."""
    if session.state == "unanswered":
        return answers_shown(story, session) and long_enough(story, session.time)
    return session.state == "refused"


def _infer(attempt: Attempt, done: Session, later: Sequence[Attempt], device: Device, story: Story) -> None:
    """Whether a closed connection of setup succeeded: its own pattern, and what comes after it, must both say so."""
    tls = done.handshake
    assert tls is not None  # noqa: S101 - substantial() saw to it
    end = done.last_time
    again = next((attempt for attempt in later if attempt.hellos), None)
    watched = story.watched_after(end) if again is None else story.watched_between(end, again.started)
    quiet = watched is not None and watched >= _quiet(attempt)
    proof = _certified(done, device)
    complete = looks_complete(done)
    sent = f"{counted(tls.requests, 'request')} with {counted(tls.client_bytes, 'byte')}"
    reasons = [f"{sent} to the machine, {counted(tls.answers, 'answer')}"]
    confidence = BASE if complete or proof is not None else BASE - UNLIKE
    if complete:
        confidence += ORDERLY
        reasons.append("the last request is as short as a commit, and the connection ends in order")
    elif tls.answer_sizes < KINDS_OF_ANSWERS:
        reasons.append("but the answers are all alike, as when login after login is refused")
    elif not ends_in_order(done):
        reasons.append("but the connection does not end in order")
    else:
        reasons.append("but it does not end as a commit does: too few requests, or a long one at the end")
    if quiet and watched is not None:
        confidence += QUIET
        reasons.append(f"no further hello in {watched:.0f} s")
    elif again is not None:
        confidence -= UNLIKE
        reasons.append("but another hello follows soon")
    if goes_on := again is not None and _goes_on(attempt, again):
        confidence -= UNLIKE
        reasons.append("but the next hello goes on counting: the machine still tries")
    if proof is not None:
        confidence += CERTIFIED
        reasons.append("later management shows another, issued certificate")
    outcome = Outcome.UNKNOWN
    if proof is not None or (complete and quiet and not goes_on):
        outcome = Outcome.COMMITTED  # the stage stays the one that was seen
        attempt.commit = done.last_ref or proof or 0
    attempt.ending = Ending(outcome, round(min(max(confidence, 0.0), 0.95), 2), tuple(reasons))


def _quiet(attempt: Attempt) -> float:
    """Seconds without a hello that say something: two intervals, and as hellos go on they come less often."""
    times = [hello.time for hello in attempt.hellos[-2:] if hello.time is not None]
    return max(QUIET_SECONDS, *(2 * (after - before) / 1e9 for before, after in pairwise(times)), 0.0)


def _certified(done: Session, device: Device) -> int | None:
    """Proof of a later connection whose certificate is another than that of the setup."""
    before = done.handshake.server_chain if done.handshake else ()
    for session in device.sessions:
        if session.time is not None and done.last_time is not None and session.time > done.last_time:
            tls = session.handshake
            if tls is not None and tls.server_chain and tls.server_chain != before:
                return tls.server_certificate
    return None


def _goes_on(attempt: Attempt, again: Attempt) -> bool:
    """Whether the retry counter of the next hello continues: after a setup it begins at 0 again."""
    return bool(attempt.hellos) and again.hellos[0].retry_count > attempt.hellos[-1].retry_count
