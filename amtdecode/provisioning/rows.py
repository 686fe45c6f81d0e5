"""Log rows: joined to machines by UUID, address and name; their clock compared with that of the capture."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from amtdecode.provisioning.facts import Attempt, Mark, Row, Sense, ref
from amtdecode.provisioning.tracker import MAX_FLEET_ROWS

if TYPE_CHECKING:
    from amtdecode.artifacts.logs import LogRow
    from amtdecode.provisioning.facts import Device, Ref
    from amtdecode.provisioning.tracker import Tracker

MAX_ROW_TEXT = 300  # characters of a row that are kept
HOUR = 3_600_000_000_000  # nanoseconds
OFTEN = 3  # times error 137 within an hour that make it serious
COMMITS = frozenset(("scs-commit", "mc-committed"))
UNPROVISIONS = frozenset(("unprovision",))


def take_row(tracker: Tracker, row: LogRow) -> None:
    """One row."""
    proof = ref(tracker.input(row.input, lines=True), row.line)
    tracker.story.seen.add("log")
    sense = tracker.share(Sense(row.anchor, row.kind, row.rule, row.code, row.codes))
    fact = Row(proof, row.time_ns, sense, row.text[:MAX_ROW_TEXT], row.ip or "")
    device = _device(tracker, row, proof)
    if device is None:
        if len(tracker.story.rows) < MAX_FLEET_ROWS:
            tracker.story.rows.append(fact)
        return
    for known in device.rows:  # a machine's rows repeat themselves: the same text is held once
        if known.text == fact.text:
            fact.text = known.text
        if known.address == fact.address:
            fact.address = known.address
    tracker.add_row(device, fact)
    if row.code == "137" and "log.often" not in device.marks:
        _often(tracker, device)
    if row.anchor in COMMITS:
        _commit(device, fact)
    elif row.anchor in UNPROVISIONS:
        kind = "unprovision.partial" if "partial" in fact.text.lower() else "unprovision.full"
        tracker.mark(device, kind, Mark(proof, row.time_ns, text=fact.text))


def _often(tracker: Tracker, device: Device) -> None:
    """Whether error 137 came three times within an hour; rows go, the mark stays."""
    latest = [row for row in device.rows if row.code == "137"][-OFTEN:]
    first, last = latest[0].time, latest[-1].time
    if len(latest) == OFTEN and first is not None and last is not None and last - first <= HOUR:
        tracker.mark(device, "log.often", Mark(latest[-1].ref, last))


def _device(tracker: Tracker, row: LogRow, proof: Ref) -> Device | None:
    """The machine a row is about; a new one where the row names it."""
    if row.uuid:
        found = tracker.find_by(uuid=row.uuid) or tracker.find_by(uuid=_swapped(row.uuid))
        if found is not None:
            if row.fqdn:
                tracker.name(found, fqdn=row.fqdn)
            return found
    if row.ip and (found := tracker.find(row.ip)) is not None:
        if row.uuid and not found.uuid:
            return tracker.machine_with(row.uuid, row.ip, row.time_ns, proof)
        return found
    if row.fqdn and (found := tracker.find_by(name=row.fqdn)) is not None:
        return found
    if not row.anchor:
        return None
    if row.uuid:
        return tracker.machine_named(row.uuid, row.fqdn or "", proof)
    if row.ip:
        return tracker.machine_at(row.ip, row.time_ns, proof)
    if row.fqdn:
        return tracker.machine_named("", row.fqdn, proof)
    return None


def _swapped(uuid: str) -> str:
    """A UUID with its first three groups the other way round: logs do not say in which order they write it."""
    try:
        return str(UUID(bytes=UUID(uuid).bytes_le))
    except ValueError:
        return uuid


def _commit(device: Device, row: Row) -> None:
    if not device.attempts:
        device.attempts.append(Attempt(started=row.time, ended=row.time))
    attempt = device.attempts[-1]
    if not attempt.commit:
        attempt.commit = row.ref
        device.marks_of("commit").append(Mark(row.ref, row.time, text=row.text))


def compare_clocks(tracker: Tracker) -> str:
    """How far the clock of the logs is from that of the capture, out of hellos that both tell of; "" if unknown."""
    logged: list[tuple[str, int]] = []
    captured: list[tuple[str, int]] = []
    for device in tracker.story.devices:
        logged += [(device.name, row.time) for row in device.rows if row.kind == "hello" and row.time is not None]
        captured += [(device.name, hello.time) for hello in device.hellos if hello.time is not None]
    if not logged or not captured:
        return ""
    from amtdecode.artifacts.logs import vote_offset

    offset = vote_offset(logged, captured)
    if offset is None:
        return ""
    zone = offset.zone_minutes
    text = f"the log's clock is UTC{zone // 60:+03d}:{abs(zone) % 60:02d}"
    if abs(offset.error_ns) >= 1_000_000_000:
        text += f", and {abs(offset.error_ns) / 1e9:.0f} s {'slow' if offset.error_ns > 0 else 'fast'}"
    return f"{text} (from {offset.pairs} matched hellos)"
