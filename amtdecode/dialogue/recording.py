"""Finds the steps of one machine in captures: once through for the machines, once more for what the chosen one said."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from amtdecode.capture.health import Health
from amtdecode.capture.pcapng import Comment, DecryptionSecrets, NameResolution
from amtdecode.dialogue.step import Dialogue, Step
from amtdecode.errors import UsageError
from amtdecode.flow.events import Connection
from amtdecode.model import LimitReached, Note, Unrecognised
from amtdecode.protocols.arp import ArpMessage
from amtdecode.protocols.dhcp.v4 import DhcpMessage
from amtdecode.protocols.dhcp.v6 import Dhcpv6Message
from amtdecode.protocols.dns.message import DnsMessage
from amtdecode.protocols.http.events import HttpRequest, HttpResponse
from amtdecode.protocols.kerberos import KerberosMessage
from amtdecode.protocols.soap.events import Call, SoapMessage
from amtdecode.protocols.tls.events import Decryption
from amtdecode.provisioning import Tracker
from amtdecode.provisioning.state import Outcome
from amtdecode.provisioning.state.placeholders import tells_apart

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from amtdecode.model import Event, FlowKey, Observation
    from amtdecode.provisioning import Attempt, Device, Story

MAX_STEPS = 2000
"""Steps of one dialogue; what comes behind them is counted. Comparing takes time with their square."""

OWN = {"address": "(its address)", "uuid": "(its UUID)", "mac": "(its MAC)", "name": "(its name)", "pid": "(its PID)"}
SHORTEST_NAME = 3  # characters: a shorter host name stands in too many other words

# Said again by a step that stays (`Call` holds request and answer), or about the capture and not the dialogue.
LEFT_OUT = (
    ArpMessage,
    KerberosMessage,
    SoapMessage,
    Decryption,
    DecryptionSecrets,
    Comment,
    NameResolution,
    Health,
    Note,
)
NOT_STEPS = (*LEFT_OUT, Unrecognised, LimitReached)


class Choice(NamedTuple):
    """Which machine, by UUID, address, name or MAC, and which of its attempts, from 1. Empty: `record` chooses."""

    machine: str = ""
    attempt: int | None = None


def record(open_captures: Callable[[], Iterable[Observation]], choice: Choice, *, good: bool) -> Dialogue:
    """The dialogue of one machine.

    `open_captures` gives the observations from the start each time it is called, outcomes of all connections among
    them (`read(…, connections="all")`). Without a choice it is, for `good`, the machine that was set up, else the one
    that was not; where no machine is so, the first.

    Raises `UsageError` where no machine is seen, or the one named is not, or has no such attempt.
    """
    tracker = Tracker()
    for observation in open_captures():
        tracker.feed(observation)
    story = tracker.finish()
    device = _device(story, choice.machine, good=good)
    number = _attempt(device, choice, good=good)
    wanted = Wanted(device, number)
    dialogue = Dialogue(
        inputs=[*story.inputs],
        machine=device.name,
        uuid=device.uuid,
        addresses=list(device.addresses),
        method=str(device.method),
        attempt=number,
        attempts=len(device.attempts),
    )
    if number is not None:
        attempt = device.attempts[number - 1]
        dialogue.stage, dialogue.outcome = str(attempt.stage), str(attempt.outcome)
    found = sorted(filter(wanted, open_captures()), key=lambda each: (each.time_ns or 0, each.packet))
    dialogue.left_out = max(0, len(found) - MAX_STEPS)
    own = _own_words(device, _names_given(found))
    dialogue.steps = list(_steps(found[:MAX_STEPS], wanted.sender, own))
    return dialogue


def _device(story: Story, wanted: str, *, good: bool) -> Device:
    if not story.devices:
        names = ", ".join(story.inputs) or "the capture"
        raise UsageError(f"{names}: no machine with AMT is seen there")
    if not wanted:
        fitting = [device for device in story.devices if device.committed is good]
        return (fitting or story.devices)[0]
    return device_of(story, wanted)


def device_of(story: Story, wanted: str) -> Device:
    """The machine that is called so, by UUID, address, name or MAC. Raises `UsageError` where there is none."""
    said = wanted.lower()
    for device in story.devices:
        if said in (
            device.uuid.lower(),
            device.mac.lower(),
            device.fqdn.lower(),
            device.fqdn.partition(".")[0].lower(),
        ):
            return device
        if said in device.addresses:
            return device
    known = ", ".join(device.name for device in story.devices[:8])
    raise UsageError(f"{wanted}: no machine is called so; there are {known}")


def _attempt(device: Device, choice: Choice, *, good: bool) -> int | None:
    """The number of the attempt to show; `None` where the machine made none."""
    count = len(device.attempts)
    if choice.attempt is not None:
        if not 1 <= choice.attempt <= count:
            raise UsageError(f"{device.name}: no attempt {choice.attempt}; it made {count}")
        return choice.attempt
    for number in range(count, 0, -1):
        if (device.attempts[number - 1].outcome == Outcome.COMMITTED) is good:
            return number
    return count or None


class Wanted:
    """Whether an observation belongs to the dialogue, and who of the two sent it."""

    def __init__(self, device: Device, number: int | None) -> None:
        self._addresses = set(device.addresses)
        self._mac = device.mac.lower()
        self._begin, self._end = _window(device.attempts, number)

    def __call__(self, observation: Observation) -> bool:
        event, flow, time = observation.event, observation.flow, observation.time_ns
        if flow is None or isinstance(event, NOT_STEPS):
            return False
        if time is not None and not (self._begin <= time <= self._end):
            return False
        if isinstance(event, DhcpMessage | Dhcpv6Message) and self._mac:
            fields = event.fields()
            if (mac := fields.get("dhcp.hw.mac_addr") or fields.get("iamt.dhcpv6.client.mac")) is not None:
                return str(mac).lower() == self._mac
        return bool(self._addresses & {flow.client.address, flow.server.address})

    def sender(self, observation: Observation) -> str:
        """Who sent it: "machine" or "peer"."""
        if isinstance(observation.event, DhcpMessage):
            return "machine" if observation.event.fields().get("dhcp.type") == 1 else "peer"
        source = observation.src
        return "machine" if source is not None and source.address in self._addresses else "peer"


def _window(attempts: Sequence[Attempt], number: int | None) -> tuple[int, int]:
    """From the end of the attempt before to the beginning of the next, nanoseconds since 1970."""
    begin, end = -(1 << 63), 1 << 63
    if number is None:
        return begin, end
    before = _last_time(attempts[number - 2]) if number > 1 else None
    if before is not None:
        begin = before + 1
    if number < len(attempts):
        own, following = _last_time(attempts[number - 1]), attempts[number].started
        end = own if own is not None else (following or end) - 1
    return begin, end


def _last_time(attempt: Attempt) -> int | None:
    """When the last that belongs to it was said."""
    times = [attempt.ended, *(session.last_time for session in attempt.sessions)]
    return max((time for time in times if time is not None), default=None)


def _names_given(observations: Iterable[Observation]) -> set[str]:
    """The names that the setup server gives the machine (EOI SetHostName, HostName of AMT_GeneralSettings)."""
    found = set()
    for observation in observations:
        if isinstance(observation.event, Call):
            for argument in observation.event.fields().get("iamt.soap.argument", ()):
                path, _, text = argument.partition("=")
                if path.rpartition("/")[2] == "HostName":
                    found.add(text)
    return found


def _own_words(device: Device, given: set[str]) -> list[tuple[re.Pattern[str], str]]:
    """Patterns of what names this machine, longest first, and what stands for each in a comparison."""
    words = dict.fromkeys(device.addresses, OWN["address"])
    if device.uuid and tells_apart(device.uuid):
        words[device.uuid] = OWN["uuid"]
    if device.mac:
        words[device.mac] = OWN["mac"]
    names = {device.fqdn, device.fqdn.partition(".")[0], *(lease.hostname for lease in device.leases), *given}
    words.update({name: OWN["name"] for name in names if len(name) >= SHORTEST_NAME})
    for hello in device.hellos:
        if hello.pid:
            words[hello.pid] = words[hello.pid.replace("-", "")] = OWN["pid"]
    return [
        (re.compile(rf"(?<![\w.-]){re.escape(word)}(?![\w-])", re.IGNORECASE), words[word])
        for word in sorted(words, key=len, reverse=True)
    ]


def _steps(
    observations: Iterable[Observation], sender_of: Callable[[Observation], str], own: list[tuple[re.Pattern[str], str]]
) -> Iterator[Step]:
    before: int | None = None
    for observation in observations:
        event, time = observation.event, observation.time_ns
        fields = {name: _general(value, own) for name, value in event.masked_fields().items()}
        sender = sender_of(observation)
        yield Step(
            kind=_kind(event, fields, sender, observation.flow),
            sender=sender,
            protocol=observation.protocol,
            event=type(event).__name__,
            summary=event.summary(),
            fields=fields,
            input=observation.input,
            packet=observation.packet,
            time_ns=time,
            after=None if time is None or before is None else (time - before) / 1e9,
        )
        before = time


def _general(value: Any, own: list[tuple[re.Pattern[str], str]]) -> Any:
    if isinstance(value, str):
        for pattern, word in own:
            value = pattern.sub(word, value)
        return value
    return [_general(each, own) for each in value] if isinstance(value, list) else value


def _kind(event: Event, fields: dict[str, Any], sender: str, flow: FlowKey | None) -> tuple[str, ...]:
    """What a step is, without what it says. Who sent it is part of it, but for the outcome of a connection."""
    name = type(event).__name__
    if isinstance(event, Connection):
        return (name, str(flow.server.port if flow else ""))
    names: tuple[str, ...] = ()
    if isinstance(event, DhcpMessage | Dhcpv6Message):
        names = ("dhcp.option.dhcp", "dhcpv6.msgtype")
    elif isinstance(event, DnsMessage):
        names = ("dns.flags.response", "dns.qry.type")
        asked = str(fields.get("dns.qry.name", "")).lower()
        return (sender, name, asked.partition(".")[0], *(str(fields.get(each, "")) for each in names))
    elif isinstance(event, HttpRequest | HttpResponse):
        names = ("http.request.method", "http.request.uri", "iamt.http.request.method", "iamt.http.request.uri")
    elif isinstance(event, Call):
        names = ("iamt.call.kind", "iamt.call.service", "iamt.eoi.method", "iamt.wsman.class", "iamt.wsman.method")
    return (sender, name, *(str(fields.get(each, "")) for each in names))
