"""How far each attempt got, and how it ended.

Inside TLS that cannot be opened a commit is inferred, never seen: enough data both ways, an orderly end, no further
hello, later management with another certificate. Each of these adds to the confidence, which is printed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode import ports
from amtdecode.provisioning.attempts import failed_handshake, substantial
from amtdecode.provisioning.state import Attempt, Outcome, Stage

if TYPE_CHECKING:
    from amtdecode.provisioning.state import Device, Session, Story

QUIET_SECONDS = 120.0  # two hello intervals without a hello
BASE, ORDERLY, QUIET, CERTIFIED = 0.5, 0.15, 0.15, 0.15  # shares of the confidence; certainty is 1
STAGES = tuple(Stage)  # in the order of the steps


def judge(device: Device, story: Story) -> None:
    """Stage, outcome and confidence of every attempt of a machine."""
    if device.log_entries and all(not attempt.hellos and not attempt.sessions for attempt in device.attempts):
        _by_log(device)
        return
    if not device.attempts and (device.lookups or device.leases):
        evidence = device.lookups[0] if device.lookups else device.leases[0]
        device.attempts.append(Attempt(started=evidence.time, ended=evidence.time))
    for number, attempt in enumerate(device.attempts):
        later = device.attempts[number + 1 :]
        attempt.stage = _stage(attempt, device)
        _outcome(attempt, later, device, story)


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
        device.attempts.append(attempt)
    attempt.started, attempt.ended = entries[0].time, entries[-1].time
    if attempt.commit:
        attempt.stage, attempt.outcome, attempt.confidence = Stage.COMMIT, Outcome.COMMITTED, 1.0
        return
    stages = [LOG_STAGES.get(entry.rule) or STEP_STAGES.get(entry.step, Stage.NONE) for entry in entries]
    attempt.stage = max(stages, key=STAGES.index)
    failed = entries[-1].kind == "failure"
    attempt.outcome, attempt.confidence = (Outcome.FAILED, 0.6) if failed else (Outcome.INCOMPLETE, 0.5)


def _stage(attempt: Attempt, device: Device) -> Stage:
    if attempt.commit:
        return Stage.COMMIT
    setup = [session for session in attempt.sessions if session.setup or session.port in ports.SETUP]
    handshakes = [session.handshake for session in setup if session.handshake]
    if any(tls.client_records and tls.server_records for tls in handshakes) or any(s.messages for s in setup):
        return Stage.CONFIGURATION if attempt.hellos or any(s.setup for s in setup) else Stage.MANAGEMENT
    if handshakes:
        return Stage.HANDSHAKE
    if setup:
        return Stage.CONTACT_BACK
    if attempt.hellos:
        return Stage.HELLO
    if attempt.sessions:
        own = {address.text for address in device.addresses}
        return Stage.MANAGEMENT if any(s.server in own and s.connected for s in attempt.sessions) else Stage.HELLO
    if device.lookups:
        return Stage.NAME
    return Stage.LEASE if device.leases else Stage.NONE


def _outcome(attempt: Attempt, later: list[Attempt], device: Device, story: Story) -> None:
    if attempt.commit:
        attempt.outcome, attempt.confidence = Outcome.COMMITTED, 1.0
        return
    done = next((session for session in attempt.sessions if substantial(session)), None)
    if done is not None and done.messages:
        ended = done.state in ("closed", "reset", "half-closed")  # opened, read, and no commit in it
        attempt.outcome, attempt.confidence = (Outcome.FAILED, 0.9) if ended else (Outcome.INCOMPLETE, 0.6)
        return
    if done is not None:
        _infer(attempt, done, later, device, story)
        return
    setup = [session for session in attempt.sessions if session.port in ports.SETUP]
    if setup:
        last = setup[-1]
        tls = last.handshake
        if last.state in ("refused", "unanswered") or (tls is not None and failed_handshake(tls, last)):
            attempt.outcome, attempt.confidence = Outcome.FAILED, 0.9
        elif attempt.hellos or any(session.setup for session in setup):
            attempt.outcome, attempt.confidence = Outcome.INCOMPLETE, 0.6
        else:
            attempt.outcome = Outcome.UNKNOWN
        return
    if any(session.state in ("refused", "unanswered") for session in attempt.sessions):
        attempt.outcome, attempt.confidence = Outcome.FAILED, 0.9
    elif attempt.hellos or device.lookups:
        attempt.outcome, attempt.confidence = Outcome.INCOMPLETE, 0.6
    else:
        attempt.outcome = Outcome.UNKNOWN


def _infer(attempt: Attempt, done: Session, later: list[Attempt], device: Device, story: Story) -> None:
    tls = done.handshake
    assert tls is not None  # noqa: S101 - substantial() saw to it
    reasons = [
        f"{tls.client_records} records with {tls.client_bytes} bytes to the machine, {tls.server_records} back",
    ]
    confidence = BASE
    broken = any(alert.level != 1 and alert.code > 0 for alert in tls.alerts)
    if done.state in ("closed", "half-closed") and not broken:
        confidence += ORDERLY
        reasons.append("the connection ends in order")
    end = done.last_time
    again = next((attempt for attempt in later if attempt.hellos), None)
    watched = story.watched_after(end)
    if again is None and watched is not None and watched >= QUIET_SECONDS:
        confidence += QUIET
        reasons.append(f"no further hello in {watched:.0f} s")
    elif again is not None and _soon(again.started, end):
        confidence -= 0.3
        reasons.append("but another hello follows within two minutes")
    if (proof := _certified(done, device)) is not None:
        confidence += CERTIFIED
        reasons.append("later management shows another, issued certificate")
        attempt.commit = 0
        done.last_ref = done.last_ref or proof
    attempt.outcome = Outcome.COMMITTED if confidence >= BASE else Outcome.UNKNOWN
    attempt.confidence = round(min(confidence, 0.95), 2)
    attempt.reasons = tuple(reasons)
    attempt.commit = done.last_ref
    attempt.stage = Stage.COMMIT


def _certified(done: Session, device: Device) -> int | None:
    """Proof of a later connection whose certificate is another than that of the setup."""
    before = done.handshake.server_chain if done.handshake else ()
    for session in device.sessions:
        if session.time is not None and done.last_time is not None and session.time > done.last_time:
            tls = session.handshake
            if tls is not None and tls.server_chain and tls.server_chain != before:
                return tls.server_certificate
    return None


def _soon(start: int | None, end: int | None) -> bool:
    return start is not None and end is not None and (start - end) / 1e9 < QUIET_SECONDS
