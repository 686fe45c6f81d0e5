"""The words of a report that its text and its page share: how far a machine got, and what would be needed to judge."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from amtdecode.counting import counted
from amtdecode.provisioning.state import Outcome, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.diagnosis.report import AttemptReport, Cause, DeviceReport, Evidence, Finding, NotJudged, Report

PLACES = {
    Stage.LEASE: "after the DHCP lease",
    Stage.NAME: "after the name lookup",
    Stage.HELLO: "after hello",
    Stage.CONTACT_BACK: "at the contact back",
    Stage.HANDSHAKE: "at the TLS handshake",
    Stage.CONFIGURATION: "during configuration",
    Stage.COMMIT: "after the commit",
    Stage.MANAGEMENT: "during management",
}
MANAGED = "already managed; setup is not in this capture"
KINDS = {
    "set up": "set up",
    "probably set up": "set up (probably)",
    "failed": "failed",
    "stopped": "stopped",
    "already managed": "already managed",
    "unclear": "unclear",
}
"""Each outcome in a word or two, in the order in which people want to know."""
NEEDS = {
    "--site": "--site",
    ".reg": "the registry key of the setup service",
    "PEM file": "a certificate",
    "certificate": "a certificate",
    "hash list": "a hello",
    "log": "a server log",
    "hello": "a hello",
    "PSK identity": "a hello",
    "DHCP": "DHCP of the machine",
    "DNS": "DNS of the machine",
    "key opens": "a key that opens TLS",
    "decrypt": "a key that opens TLS",
    "capture": "a longer or fuller capture",
    "internal fault": "a repair (please report it)",
}
"""What a rule lacked, by words in what it says of that; the first that fits."""
ELSE_NEEDED = "more of the conversation"
ORDER = (
    "a server log",
    "a certificate",
    "a hello",
    "DHCP of the machine",
    "DNS of the machine",
    "a key that opens TLS",
)
"""What is asked for first; the rest follows, --site last."""


class Group(NamedTuple):
    """Machines with the same cause; `cause` is `None` for those of which nothing above info is said."""

    cause: Cause | None
    devices: list[DeviceReport]


def kind(device: DeviceReport) -> str:
    """How a machine's latest attempt ended, as one of `KINDS`; what is inferred is said to be so."""
    if not device.attempts:
        return "unclear"
    last = device.attempts[-1]
    if last.outcome == Outcome.COMMITTED:
        return "set up" if last.confidence >= 1 else "probably set up"
    if last.outcome == Outcome.FAILED:
        return "failed"
    if last.outcome == Outcome.INCOMPLETE:
        return "stopped"
    return "already managed" if last.stage == Stage.MANAGEMENT else "unclear"


def how_far(attempt: AttemptReport, *, confidence: bool = True) -> str:
    """How far an attempt got and how it ended, in one clause; with `confidence` also how sure a judgement is."""
    place = PLACES.get(attempt.stage, "")
    judged = 0 < attempt.confidence < 1
    sure = f" (confidence {attempt.confidence * 100:.0f} %)" if judged and confidence else ""
    if attempt.outcome == Outcome.COMMITTED:
        return f"probably set up{sure}" if judged else "set up"
    if attempt.outcome == Outcome.FAILED:
        return f"failed {place or 'at the first step'}{sure}"
    if attempt.outcome == Outcome.INCOMPLETE:
        return f"stopped {place or 'before any step was seen'}{sure}"
    if attempt.stage == Stage.MANAGEMENT:
        return MANAGED
    return f"unclear, last seen {place}" if place else "unclear: no step was seen"


def of_machine(device: DeviceReport, *, confidence: bool = True) -> str:
    """The same of its latest attempt."""
    return how_far(device.attempts[-1], confidence=confidence) if device.attempts else "unclear: no step was seen"


def called(device: DeviceReport) -> str:
    """What else a machine is called than `name`: its host name, else the capture's comment. May be captured text."""
    other = device.fqdn if device.fqdn and device.fqdn != device.name else device.comment
    return other or ""


def headline(report: Report) -> str:
    """How many machines, and how many of each kind."""
    kinds = Counter(map(kind, report.devices))
    split = ", ".join(f"{kinds[name]} {KINDS[name]}" for name in sorted(kinds, key=lambda name: -kinds[name]))
    inputs = counted(len(report.inputs), "input")
    return f"{counted(len(report.devices), 'machine')} in {inputs}{': ' + split if split else ''}"


def groups(report: Report) -> Iterator[Group]:
    """The causes in their order, each with all its machines, and at the end the machines without one."""
    foremost: dict[int | None, Finding] = {}
    for finding in report.findings:
        if finding.severity != "info":
            foremost.setdefault(finding.device_id, finding)
    members: dict[tuple[str, str], list[DeviceReport]] = {}
    alike = {cause.id for cause in report.causes if cause.titles > 1}
    rest = []
    for device in report.devices:
        if (found := foremost.get(device.id)) is None:
            rest.append(device)
        else:
            members.setdefault((found.id, "" if found.id in alike else found.title), []).append(device)
    for cause in report.causes:
        yield Group(cause, members.get((cause.id, "" if cause.titles > 1 else cause.title), []) if cause.count else [])
    if rest:
        yield Group(None, rest)


def place_of(proof: Evidence, inputs: int) -> str:
    """Where a proof stands: the packet or line, and in which input where there are several."""
    where = f" of {proof.input}" if inputs > 1 else ""
    if proof.packet is not None:
        return f"packet {proof.packet}{where}"
    return f"line {proof.line}{where}" if proof.line is not None else ""


def lacking(entries: list[NotJudged]) -> str:
    """In one sentence how many rules need more, and of what."""
    needed = {needed_for(entry.missing) for entry in entries}
    rules = len({entry.id for entry in entries})
    ordered = [what for what in dict.fromkeys((*ORDER, *NEEDS.values(), ELSE_NEEDED)) if what in needed - {"--site"}]
    ordered += ["--site"] * ("--site" in needed)
    return f"{counted(rules, 'rule')} {'needs' if rules == 1 else 'need'} more: {', '.join(ordered)}"


def needed_for(missing: str) -> str:
    """What a rule needs, in few words, by what it says that is missing."""
    return next((short for word, short in NEEDS.items() if word in missing), ELSE_NEEDED)
