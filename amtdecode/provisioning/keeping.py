"""How facts are put down for a machine: each list has a cap, and what is let go is counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, cast

from amtdecode.provisioning.state import Attempt
from amtdecode.provisioning.state.fact import Fact
from amtdecode.provisioning.state.incidents import Incident

if TYPE_CHECKING:
    from amtdecode.provisioning.state import Device, Hello, LogEntry, Lookup, Session

Some = TypeVar("Some", bound=Fact)

MAX_HELLOS = 16  # kept per machine: the first half and the last half
MAX_SESSIONS = 12  # kept per machine: those of the setup before those of later management
MAX_ATTEMPTS = 8  # kept per machine: the first and the last seven
MAX_INCIDENTS = Incident.most  # kept per machine and kind, where the kind says no other; further ones are counted
MAX_LOOKUPS = 12  # names asked for, kept per machine
MAX_LOG_ENTRIES = 12  # log lines kept per machine
MAX_ALIKE_ENTRIES = 4  # of one anchor: the first and the latest three


def without(facts: tuple[Some, ...], one: Some) -> tuple[Some, ...]:
    """All but one of them."""
    return tuple([fact for fact in facts if fact is not one])


def add_incident(device: Device, incident: Incident) -> None:
    """Note a rare thing; of many alike the first is kept, and the others counted."""
    kept = incidents_to_add_to(device, type(incident))
    for known in kept:
        if known.alike(incident):
            known.count += incident.count
            return
    if len(kept) < incident.most:
        kept.append(incident)
    else:
        kept[-1].count += 1
        device.dropped += 1


def incidents_to_add_to(device: Device, kind: type[Incident]) -> list[Incident]:
    """The list of one kind. Most machines of a fleet have none, and share an empty table."""
    if not device.incidents:
        device.incidents = {}
    return cast("dict[type[Incident], list[Incident]]", device.incidents).setdefault(kind, [])


def add_log_entry(device: Device, entry: LogEntry) -> None:
    """Put a log line down for a machine."""
    entries = device.log_entries
    if len(entries) >= MAX_ALIKE_ENTRIES:
        alike = [known for known in entries if known.anchor == entry.anchor]
        if len(alike) >= MAX_ALIKE_ENTRIES:
            entries = without(entries, alike[1])
            device.dropped += 1
        elif len(entries) >= MAX_LOG_ENTRIES:
            entries = without(entries, entries[MAX_LOG_ENTRIES // 2])
            device.dropped += 1
    device.log_entries = (*entries, entry)


def add_lookup(device: Device, lookup: Lookup) -> None:
    """Put a name lookup down for a machine."""
    if all(known is not lookup for known in device.lookups):
        if len(device.lookups) >= MAX_LOOKUPS:
            device.lookups = (device.lookups[0], *device.lookups[2:])
            device.dropped += 1
        device.lookups += (lookup,)


def add_attempt(device: Device, time: int | None) -> Attempt:
    """A new attempt begins."""
    attempt = Attempt(started=time, ended=time)
    if len(device.attempts) >= MAX_ATTEMPTS:
        device.attempts = without(device.attempts, device.attempts[1])
        device.dropped += 1
    device.attempts += (attempt,)
    return attempt


def attempt_under_way(device: Device, time: int | None) -> Attempt:
    """The machine's latest attempt; a new one if it had none."""
    return device.attempts[-1] if device.attempts else add_attempt(device, time)


def add_hello(device: Device, attempt: Attempt, hello: Hello) -> None:
    """Put a hello down in an attempt."""
    attempt.started = hello.time if attempt.started is None else attempt.started
    attempt.ended = hello.time
    attempt.hello_count += 1
    if len(attempt.hellos) >= MAX_HELLOS:
        attempt.hellos = without(attempt.hellos, attempt.hellos[MAX_HELLOS // 2])
        device.dropped += 1
    attempt.hellos += (hello,)


def add_session(device: Device, session: Session) -> None:
    """Put a connection to or from a machine down in its latest attempt."""
    attempt = attempt_under_way(device, session.time)
    if len(attempt.sessions) >= MAX_SESSIONS:
        victim = next((s for s in attempt.sessions[1:] if s.state and not s.setup), attempt.sessions[1])
        attempt.sessions = without(attempt.sessions, victim)
        device.dropped += 1
    attempt.sessions += (session,)
    if session.last_time is not None or session.time is not None:
        attempt.ended = session.last_time if session.last_time is not None else session.time
