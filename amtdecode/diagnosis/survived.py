"""What a machine survived: a refusal that a later success makes up for is worth a word, and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.diagnosis.rule import text_of
from amtdecode.diagnosis.severity import Severity
from amtdecode.provisioning.state import Outcome, place
from amtdecode.provisioning.state.incidents import CallFault, CallRefused, Login, LoginLoop

if TYPE_CHECKING:
    from amtdecode.diagnosis.ranking import Found
    from amtdecode.provisioning.state import Device, Ref
    from amtdecode.provisioning.state.incidents import Incident

JOB_STARTED = 4096  # of CIM's methods: it goes on by itself


def granted_later(device: Device, refused: Incident) -> bool:
    """Whether the machine granted later what it refused here: the same call, or a login on the same connection."""
    if isinstance(refused, CallRefused | CallFault):
        return bool(refused.granted)
    if isinstance(refused, LoginLoop):
        return any(
            login.connection == refused.connection and login.ref > refused.ref for login in device.incidents_of(Login)
        )
    return False


def soften(found: list[Found], device: Device) -> list[Found]:
    """Lower to info what lies before a commit of the machine, seen or inferred: setup succeeded all the same."""
    commits = [attempt.commit for attempt in device.attempts if attempt.outcome == Outcome.COMMITTED and attempt.commit]
    if not commits:
        return found
    times = _times(device)
    return [
        each._replace(hit=each.hit._replace(severity=Severity.INFO)) if _survived(each, commits, times) else each
        for each in found
    ]


def _survived(found: Found, commits: list[Ref], times: dict[Ref, int | None]) -> bool:
    if found.rule.question.place is None or text_of(found.rule).lasting:
        return False
    proofs = [proof for proof, _ in found.hit.proofs if proof]
    return bool(proofs) and any(all(_before(proof, commit, times) for proof in proofs) for commit in commits)


def _before(proof: Ref, commit: Ref, times: dict[Ref, int | None]) -> bool:
    """Whether a proof lies before a commit: by their places in one input, by their times in two."""
    if place(proof)[0] == place(commit)[0]:
        return proof < commit
    time, end = times.get(proof), times.get(commit)
    return time is not None and end is not None and time < end


def _times(device: Device) -> dict[Ref, int | None]:
    """When the packets came that tell of a machine: its hellos, connections, incidents, names, leases."""
    times = {hello.ref: hello.time for hello in device.hellos}
    for session in device.sessions:
        times[session.ref], times[session.last_ref] = session.time, session.last_time
    for incidents in device.incidents.values():
        times |= {incident.ref: incident.time for incident in incidents}
    for lookup in device.lookups:
        times[lookup.ref], times[lookup.last_query] = lookup.time, lookup.last_query_time
        times[lookup.answer] = lookup.answer_time
    for lease in device.leases:
        times[lease.ref], times[lease.ack] = lease.time, lease.ack_time
    return times
