"""Where an attempt at provisioning a machine begins, and which connection belongs to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.provisioning.state import Outcome
from amtdecode.provisioning.state.incidents import FullUnprovision, MalformedHello, PartialUnprovision

if TYPE_CHECKING:
    from amtdecode.provisioning.state import Attempt, Device, Handshake, Hello, Session

SUBSTANTIAL_REQUESTS = 5  # to the machine: a profile takes many calls, a refusal two
SUBSTANTIAL_BYTES = 2000  # to the machine
COMPLETE_REQUESTS = 7  # login, mode, passwords, settings, clock, commit: a setup takes no fewer
KINDS_OF_ANSWERS = 3  # sizes of answers: the challenge, and at least two kinds of results
ENDED = ("closed", "reset", "half-closed")


def begins_anew(attempt: Attempt, hello: Hello, device: Device) -> bool:
    """Whether a hello starts another attempt rather than going on with this one."""
    if attempt.commit or unprovisioned(device):
        return bool(attempt.hellos or attempt.sessions)
    if not attempt.hellos:
        return attempt.outcome == Outcome.COMMITTED or any(substantial(session) for session in attempt.sessions)
    if any(substantial(session) for session in attempt.sessions):
        return True
    return hello.retry_count < attempt.hellos[-1].retry_count


def unprovisioned(device: Device) -> bool:
    """Whether the machine was unprovisioned, in part or whole."""
    return FullUnprovision in device.incidents or PartialUnprovision in device.incidents


def in_setup(device: Device) -> bool:
    """Whether a connection made now belongs to setup: a hello came, perhaps a cut one, and no success since."""
    cut = any(hello.cut for hello in device.incidents_of(MalformedHello))
    if not device.attempts:
        return cut
    attempt = device.attempts[-1]
    return (bool(attempt.hellos) or cut) and not attempt.commit and not any(looks_complete(s) for s in attempt.sessions)


def substantial(session: Session) -> bool:
    """Whether enough was said in a setup connection to configure a machine."""
    tls = session.handshake
    if not session.setup or tls is None:
        return False
    return (
        tls.requests >= SUBSTANTIAL_REQUESTS
        and tls.answers >= SUBSTANTIAL_REQUESTS // 2
        and tls.client_bytes >= SUBSTANTIAL_BYTES
    )


def ends_in_order(session: Session) -> bool:
    """Whether a connection came to its end, and neither RST nor a fatal alert broke it off."""
    tls = session.handshake
    broken = tls is not None and any(alert.level != 1 and alert.code > 0 for alert in tls.alerts)
    return session.state in ENDED and not session.broken_by and not broken


def looks_complete(session: Session) -> bool:
    """Whether a closed setup connection looks like one that ended with a commit.

    CommitChanges carries no arguments, so no request behind the login is shorter. Answers that are all alike may be
    refused logins.
    """
    tls = session.handshake
    return (
        tls is not None
        and not session.messages
        and substantial(session)
        and tls.requests >= COMPLETE_REQUESTS
        and tls.answer_sizes >= KINDS_OF_ANSWERS
        and tls.last_is_least
        and ends_in_order(session)
    )


def failed_handshake(tls: Handshake, session: Session) -> bool:
    """Whether a handshake began and did not come to data, though the connection ended."""
    if tls.requests and tls.answers:
        return False
    if any(alert.level != 1 and alert.code >= 0 for alert in tls.alerts):
        return True
    if not tls.client_hello:
        return False
    return session.whole and session.state in ENDED and not tls.server_ccs


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
        attempt.sessions = ()
    for session in sessions:
        number = len(begins) - 1
        while number and _before(session.time, begins[number]):
            number -= 1
        device.attempts[number].sessions += (session,)


def _began(session: Session) -> int:
    return session.time or 0


def _before(time: int | None, start: int | None) -> bool:
    return time is not None and start is not None and time < start
