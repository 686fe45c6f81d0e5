"""Log lines: joined to machines by UUID, address and name; their clock compared with that of the capture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from amtdecode.artifacts.logs import facts
from amtdecode.artifacts.logs.anchors import table
from amtdecode.masking import doubtful, masked
from amtdecode.provisioning.keeping import add_incident, add_log_entry, incidents_to_add_to
from amtdecode.provisioning.state import Attempt, LogEntry, Recognition, ref
from amtdecode.provisioning.state.incidents import (
    Commit,
    FullUnprovision,
    PartialUnprovision,
    RequestRefusedOften,
)
from amtdecode.provisioning.state.placeholders import swapped, tells_apart
from amtdecode.provisioning.state.tables import MAX_FLEET_ENTRIES

if TYPE_CHECKING:
    from amtdecode.artifacts.logs import LogRow
    from amtdecode.provisioning.machines import Machines
    from amtdecode.provisioning.state import Device, Story

MAX_ENTRY_TEXT = 300  # characters of a line that are kept
HOUR = 3_600_000_000_000  # nanoseconds
OFTEN = 3  # times error 137 within an hour that make it serious
BUSY = "scs-137"
GREETING = "mc-cira-greeting"  # of a call home: written as the machine's first message comes


def take_line(machines: Machines, row: LogRow) -> None:
    """One line that says something."""
    if row.fqdn and doubtful((row.text,)):  # a password may look like the name of a host
        row = replace(row, fqdn=facts.fqdn(masked(row.text)))
    proof = ref(machines.input(row.input, lines=True), row.line)
    machines.story.seen.add("log")
    recognition = machines.share(
        Recognition(
            row.anchor,
            row.kind,
            row.rule,
            row.product,
            row.step,
            row.code,
            row.codes,
            masked(row.call),
            masked(row.fault),
            row.amt_version,
        )
    )
    entry = LogEntry(proof, row.time_ns, recognition, row.text[:MAX_ENTRY_TEXT], row.ip or "")
    device = _device(machines, row)
    if device is None:
        if len(machines.story.log_entries) < MAX_FLEET_ENTRIES:
            machines.story.log_entries.append(entry)
        return
    for known in device.log_entries:  # a machine's lines repeat themselves: the same text is held once
        if known.text == entry.text:
            entry.text = known.text
        if known.address == entry.address:
            entry.address = known.address
    add_log_entry(device, entry)
    if row.amt_version and not device.amt_version:
        device.amt_version = row.amt_version
    if row.anchor == BUSY and RequestRefusedOften not in device.incidents:
        _refused_often(device)
    anchor = table().by_id.get(row.anchor)
    sets = anchor.sets if anchor else ""
    if sets == "commit":
        _commit(device, entry)
    elif sets == "unprovision":
        kind = PartialUnprovision if "partial" in entry.text.lower() else FullUnprovision
        add_incident(device, kind(proof, row.time_ns, line=entry.text))


def _refused_often(device: Device) -> None:
    """Whether error 137 came three times within an hour; lines are let go, the incident stays."""
    latest = [entry for entry in device.log_entries if entry.anchor == BUSY][-OFTEN:]
    first, last = latest[0].time, latest[-1].time
    if len(latest) == OFTEN and first is not None and last is not None and last - first <= HOUR:
        add_incident(device, RequestRefusedOften(latest[-1].ref, last))


def _device(machines: Machines, row: LogRow) -> Device | None:
    """The machine a line is about; a new one where the line names it."""
    uuid = row.uuid if row.uuid and tells_apart(row.uuid) else ""  # a placeholder names none
    if uuid:
        found = machines.find_by(uuid=uuid) or machines.find_by(uuid=swapped(uuid))
        if found is not None:
            if row.fqdn:
                machines.name(found, fqdn=row.fqdn)
            return found
    if row.ip and (found := machines.find(row.ip)) is not None:
        if uuid and not found.uuid:
            return machines.machine_with(uuid, row.ip)
        return found
    if row.fqdn and (found := machines.find_by(name=row.fqdn)) is not None:
        return found
    if not row.anchor:
        return None
    if uuid:
        return machines.machine_named(uuid, row.fqdn or "")
    if row.ip:
        return machines.machine_at(row.ip)
    if row.fqdn:
        return machines.machine_named("", row.fqdn)
    return None


def _commit(device: Device, entry: LogEntry) -> None:
    if not device.attempts:
        device.attempts = (Attempt(started=entry.time, ended=entry.time),)
    attempt = device.attempts[-1]
    if not attempt.commit:
        attempt.commit = entry.ref
        incidents_to_add_to(device, Commit).append(Commit(entry.ref, entry.time, line=entry.text))


def compare_clocks(story: Story) -> None:
    """How far the clock of the logs is from that of the capture, by the hellos and calls home in both."""
    logged: list[tuple[tuple[int, str], int]] = []
    captured: list[tuple[tuple[int, str], int]] = []
    for device in story.devices:
        logged += [
            ((device.id, entry.kind), entry.time)
            for entry in device.log_entries
            if entry.time is not None and (entry.kind == "hello" or entry.anchor == GREETING)
        ]
        captured += [((device.id, "hello"), hello.time) for hello in device.hellos if hello.time is not None]
        for session in device.sessions:
            if session.cira is not None and session.cira.greeted is not None:
                captured.append(((device.id, "state"), session.cira.greeted))
    if not logged or not captured:
        return
    from amtdecode.artifacts.logs.clock import vote_offset

    offset = vote_offset(logged, captured)
    if offset is None:
        return
    hours, minutes = divmod(abs(offset.zone_minutes), 60)
    text = f"the log's clock is UTC{'-' if offset.zone_minutes < 0 else '+'}{hours:02d}:{minutes:02d}"
    if abs(offset.error_ns) >= 1_000_000_000:
        text += f", and {abs(offset.error_ns) / 1e9:.0f} s {'slow' if offset.error_ns > 0 else 'fast'}"
    kinds = {kind for (_, kind), _ in logged}
    of = "hellos" if kinds == {"hello"} else "calls home" if kinds == {"state"} else "hellos and calls home"
    story.clock, story.log_offset = f"{text} (from {offset.pairs} matched {of})", offset.offset_ns
