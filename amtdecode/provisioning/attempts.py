"""Where an attempt begins, how far it got, and how it ended.

Inside TLS that cannot be opened a commit is inferred, never seen: enough data both ways, an orderly end, no further
hello, later management with another certificate. Each of these adds to the confidence, which is printed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.provisioning.facts import SETUP_PORTS

if TYPE_CHECKING:
    from amtdecode.provisioning.facts import Attempt, Device, Handshake, Hello, Session, Story

STAGES = ("lease", "name", "hello", "contact back", "handshake", "configuration", "commit", "management")

SUBSTANTIAL_RECORDS = 5  # application data records to the machine: a profile takes many calls, a refusal two
SUBSTANTIAL_BYTES = 2000  # to the machine
QUIET_SECONDS = 120.0  # two hello intervals without a hello
BASE, ORDERLY, QUIET, CERTIFIED = 0.5, 0.15, 0.15, 0.15  # shares of the confidence; certainty is 1


def begins_anew(attempt: Attempt, hello: Hello, device: Device) -> bool:
    """Whether a hello starts another attempt rather than going on with this one."""
    if attempt.commit or device.marks.get("unprovision.full") or device.marks.get("unprovision.partial"):
        return bool(attempt.hellos or attempt.sessions)
    if not attempt.hellos:
        return attempt.outcome == "committed" or any(substantial(session) for session in attempt.sessions)
    if any(substantial(session) for session in attempt.sessions):
        return True
    return hello.retry_count < attempt.hellos[-1].retry_count


def in_setup(device: Device) -> bool:
    """Whether a connection made now belongs to setup: a hello came, and no success since."""
    if not device.attempts:
        return False
    attempt = device.attempts[-1]
    return bool(attempt.hellos) and not attempt.commit and not any(substantial(s) for s in attempt.sessions)


def substantial(session: Session) -> bool:
    """Whether enough was said in a setup connection to configure a machine."""
    tls = session.handshake
    if not session.setup or tls is None:
        return False
    return (
        tls.client_records >= SUBSTANTIAL_RECORDS
        and tls.server_records >= SUBSTANTIAL_RECORDS // 2
        and tls.client_bytes >= SUBSTANTIAL_BYTES
    )


def failed_handshake(tls: Handshake, session: Session) -> bool:
    """Whether a handshake began and did not come to data, though the connection ended."""
    if not tls.client_hello or (tls.client_records and tls.server_records):
        return False
    if any(alert.level != 1 and alert.code >= 0 for alert in tls.alerts):
        return True
    return session.state in ("closed", "reset", "half-closed") and not tls.server_ccs


def settle(device: Device) -> None:
    """Put connections in the order of their beginnings, each into the attempt of its time.

    One that nobody answers is stated only when the capture ends.
    """
    if not any(attempt.sessions for attempt in device.attempts):
        return
    sessions = [session for attempt in device.attempts for session in attempt.sessions]
    if any(session.time is None for session in sessions):
        return
    sessions.sort(key=_began)
    begins = [attempt.hellos[0].time if attempt.hellos else None for attempt in device.attempts]
    for attempt in device.attempts:
        attempt.sessions = []
    for session in sessions:
        number = len(begins) - 1
        while number and _before(session.time, begins[number]):
            number -= 1
        device.attempts[number].sessions.append(session)


def _began(session: Session) -> int:
    return session.time or 0


def _before(time: int | None, start: int | None) -> bool:
    return time is not None and start is not None and time < start


def judge(device: Device, story: Story) -> None:
    """Stage, outcome and confidence of every attempt of a machine."""
    if device.rows and all(not attempt.hellos and not attempt.sessions for attempt in device.attempts):
        _by_rows(device)
        return
    if not device.attempts and (device.lookups or device.leases):
        from amtdecode.provisioning.facts import Attempt

        evidence = device.lookups[0] if device.lookups else device.leases[0]
        device.attempts.append(Attempt(started=evidence.time, ended=evidence.time))
    for number, attempt in enumerate(device.attempts):
        later = device.attempts[number + 1 :]
        attempt.stage = _stage(attempt, device)
        _outcome(attempt, later, device, story)


ROW_STAGES = {  # how far a machine got when a log row of this rule is written
    "AMT-LOG-CCB": "contact back",
    "AMT-LOG-TCP": "contact back",
    "AMT-LOG-SCH": "handshake",
    "AMT-LOG-407": "configuration",
    "AMT-LOG-ACU": "configuration",
}


def _by_rows(device: Device) -> None:
    """The attempt of a machine that only a log knows: what the latest row says of it."""
    from amtdecode.provisioning.facts import Attempt

    rows = device.rows
    attempt = device.attempts[-1] if device.attempts else Attempt()
    if not device.attempts:
        device.attempts.append(attempt)
    attempt.started, attempt.ended = rows[0].time, rows[-1].time
    if attempt.commit:
        attempt.stage, attempt.outcome, attempt.confidence = "commit", "committed", 1.0
        return
    stages = [ROW_STAGES.get(row.rule, "hello") for row in rows]
    attempt.stage = max(stages, key=STAGES.index)
    failed = rows[-1].kind == "failure"
    attempt.outcome, attempt.confidence = ("failed", 0.6) if failed else ("incomplete", 0.5)


def _stage(attempt: Attempt, device: Device) -> str:
    if attempt.commit:
        return "commit"
    setup = [session for session in attempt.sessions if session.setup or session.port in SETUP_PORTS]
    handshakes = [session.handshake for session in setup if session.handshake]
    if any(tls.client_records and tls.server_records for tls in handshakes) or any(s.messages for s in setup):
        return "configuration" if attempt.hellos or any(s.setup for s in setup) else "management"
    if handshakes:
        return "handshake"
    if setup:
        return "contact back"
    if attempt.hellos:
        return "hello"
    if attempt.sessions:
        own = {address.text for address in device.addresses}
        return "management" if any(s.server in own and s.connected for s in attempt.sessions) else "hello"
    if device.lookups:
        return "name"
    return "lease" if device.leases else ""


def _outcome(attempt: Attempt, later: list[Attempt], device: Device, story: Story) -> None:
    if attempt.commit:
        attempt.outcome, attempt.confidence = "committed", 1.0
        return
    done = next((session for session in attempt.sessions if substantial(session)), None)
    if done is not None and done.messages:
        ended = done.state in ("closed", "reset", "half-closed")  # opened, read, and no commit in it
        attempt.outcome, attempt.confidence = ("failed", 0.9) if ended else ("incomplete", 0.6)
        return
    if done is not None:
        _infer(attempt, done, later, device, story)
        return
    setup = [session for session in attempt.sessions if session.port in SETUP_PORTS]
    if setup:
        last = setup[-1]
        tls = last.handshake
        if last.state in ("refused", "unanswered") or (tls is not None and failed_handshake(tls, last)):
            attempt.outcome, attempt.confidence = "failed", 0.9
        elif attempt.hellos or any(session.setup for session in setup):
            attempt.outcome, attempt.confidence = "incomplete", 0.6
        else:
            attempt.outcome = "unknown"
        return
    if any(session.state in ("refused", "unanswered") for session in attempt.sessions):
        attempt.outcome, attempt.confidence = "failed", 0.9
    elif attempt.hellos or device.lookups:
        attempt.outcome, attempt.confidence = "incomplete", 0.6
    else:
        attempt.outcome = "unknown"


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
    attempt.outcome = "committed" if confidence >= BASE else "unknown"
    attempt.confidence = round(min(confidence, 0.95), 2)
    attempt.reasons = tuple(reasons)
    attempt.commit = done.last_ref
    attempt.stage = "commit"


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
