"""Facts made by hand: one rule asked of one machine, and what it answers with the packets it cites.

Times are in seconds, packets are the numbers of packets of the first input.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import msgspec

from amtdecode.capture.health import Health
from amtdecode.diagnosis.asking import Asking
from amtdecode.diagnosis.case import Case
from amtdecode.diagnosis.rule import Hit, Missing
from amtdecode.diagnosis.rulebook import rules
from amtdecode.diagnosis.site import Site
from amtdecode.model import Observation
from amtdecode.provisioning.state import (
    Alert,
    Attempt,
    Device,
    Fate,
    Handshake,
    Hello,
    Lease,
    Lookup,
    Outcome,
    Session,
    Story,
)
from amtdecode.provisioning.state.connection import Talk
from amtdecode.provisioning.state.machine import Ending

if TYPE_CHECKING:
    from collections.abc import Callable

    from amtdecode.model import Event
    from amtdecode.provisioning.machines import Machines
    from amtdecode.provisioning.state.incidents import Incident

UUID = "4c4c4544-0031-4710-8058-b4c04f4a3232"
AMI = "03000200-0400-0500-0006-000700080009"  # of boards whose maker left it as it was
DESK, SCS = "192.0.2.30", "192.0.2.10"
OTHER, THIRD = "192.0.2.80", "192.0.2.81"
MAC = "00:00:5e:00:53:30"
LONG = 100_000.0  # the capture goes on

# what a rule says it lacks
ONE = "the other direction of the traffic: this capture has only one"
AT_ONCE = "what comes next: the capture ends at once"
CUT = "the whole message: the capture cut it"


def at(seconds: float | None) -> int | None:
    """Nanoseconds."""
    return None if seconds is None else int(seconds * 1e9)


def hello(packet: int, seconds: float | None = None, **more: Any) -> Hello:
    """One of remote configuration (version 3), unless `version` says another."""
    version = more.pop("version", 3)
    said = {
        "source": DESK,
        "destination": SCS,
        "port": 9971,
        "admin_credentials_set": 1,
        "retry_count": 0,
        "pid": "0000037M" if version == 2 else "",
        "hashes": (),
        "mac": MAC,
    } | more
    return Hello(ref=packet, time=at(packet if seconds is None else seconds), version=version, **said)


def contact(packet: int, state: str = "closed", seconds: float | None = None, **more: Any) -> Session:
    """A connection of the server to the machine, TLS port."""
    said = {
        "number": packet,
        "client": SCS,
        "server": DESK,
        "port": 16993,
        "last_ref": packet + 1,
        "setup": True,
        "syn_count": 2,
    } | more
    start = float(packet if seconds is None else seconds)
    last = at(said.pop("until", start + 0.5))  # type: ignore[arg-type]
    begun = None if "after_gap" not in said else at(start) - said.pop("after_gap")  # type: ignore[operator]
    fate = Fate(state, **{name: said.pop(name) for name in Fate.__struct_fields__ if name in said})  # type: ignore[arg-type]
    talk = Talk(**{name: said.pop(name) for name in Talk.__struct_fields__ if name in said})  # type: ignore[arg-type]
    return Session(ref=packet, time=at(start), last_time=last, fate=fate, talk=talk, hello_time=begun, **said)


def called(packet: int, state: str = "closed", seconds: float | None = None, **more: Any) -> Session:
    """A connection of the machine to its server, to say hello."""
    said = {"client": DESK, "server": SCS, "port": 9971, "setup": False} | more
    return contact(packet, state, seconds, **said)


def lease(packet: int, **more: Any) -> Lease:
    """A lease that was granted in the packet after the request."""
    said = {
        "address": DESK,
        "server": "192.0.2.1",
        "ack": packet + 1,
        "ack_time": at(packet + 1),
        "suffix": b"example.com",
        "dns": ("192.0.2.53",),
    } | more
    return Lease(mac=MAC, ref=packet, time=at(packet), **said)


def lookup(packet: int, *addresses: str, name: str = "provisionserver.example.com", **more: Any) -> Lookup:
    """A query answered in the next packet, by addresses or by `rcode`."""
    said = {
        "server": "192.0.2.53",
        "queries": 1,
        "last_query": packet,
        "last_query_time": at(packet),
        "answer": packet + 1,
        "answer_time": at(packet + 1),
        "rcode": 0,
        "addresses": addresses,
    } | more
    return Lookup(client=DESK, name=name, ref=packet, time=at(packet), **said)


def tls(**more: Any) -> Handshake:
    """A handshake with nothing but what is given."""
    return Handshake(**more)


def alert(packet: int, code: int, *, server: bool = True, phase: str = "") -> Alert:
    """A fatal alert, of the machine unless said otherwise."""
    return Alert(ref=packet, from_server=server, level=2, code=code, phase=phase)


def attempt(*facts: Hello | Session, outcome: Outcome = Outcome.UNKNOWN, **more: Any) -> Attempt:
    """One try with these hellos and connections."""
    hellos = tuple(fact for fact in facts if isinstance(fact, Hello))
    sessions = tuple(fact for fact in facts if isinstance(fact, Session))
    ending = Ending(outcome, **{name: more.pop(name) for name in ("confidence", "reasons") if name in more})
    return Attempt(hellos=hellos, hello_count=more.pop("hello_count", len(hellos)), sessions=sessions,
                   ending=ending, **more)  # fmt: skip


def machine(*facts: Hello | Session | Lease | Lookup | Attempt | Incident, **more: Any) -> Device:
    """A machine with these facts; hellos and connections outside an attempt make one of their own."""
    attempts = [fact for fact in facts if isinstance(fact, Attempt)]
    loose = [fact for fact in facts if isinstance(fact, Hello | Session)]
    if loose or not attempts:
        attempts.append(attempt(*loose))
    incidents: dict[Any, list[Any]] = defaultdict(list)
    for fact in facts:
        if not isinstance(fact, Hello | Session | Lease | Lookup | Attempt):
            incidents[type(fact)].append(fact)
    *earlier, address = more.pop("addresses", (DESK,)) or ("",)
    said = {"id": 1, "uuid": UUID, "mac": MAC, "address": address, "earlier": tuple(earlier)} | more
    return Device(
        attempts=tuple(attempts),
        leases=tuple(fact for fact in facts if isinstance(fact, Lease)),
        lookups=tuple(fact for fact in facts if isinstance(fact, Lookup)),
        incidents=dict(incidents),
        **said,
    )


def capture(*devices: Device, last: float | None = LONG, seen: str = "dns dhcp hello", **more: Any) -> Story:
    """A capture that goes on until `last`."""
    return Story(inputs=["desk.pcap"], devices=list(devices), first=0, last=at(last), seen=set(seen.split()), **more)


ONE_WAY = {0: Health(packets=9, one_way=2)}
GAPS = {0: Health(packets=9, both_ways=2, gaps=1)}

Answers = list[str | tuple[str, str, list[int]]]


def hits(rule_id: str, device: Device, story: Story | None = None, site: str = "") -> list[Hit | str]:
    """What one rule answers; "not judged" as text."""
    rule = next(rule for rule in rules() if rule.id == rule_id)
    facts = story if story is not None else capture(device)
    if device not in facts.devices:
        facts.devices.append(device)
    case = Case(facts, msgspec.toml.decode(site, type=Site), {})
    asking = Asking(case, (rule,))
    found: list[Hit | str] = []
    questions = asking.of(device)
    found += [lacking.missing for lacking in questions.not_judged]
    answers = [each for _, ask in questions.asked for each in ask(case, device)]
    fleet, lacking = asking.of_all()
    if rule.of_fleet is not None:
        found += [each.missing for each in lacking]
        answers += [each for _, ask in fleet for each in ask(case)]
    return found + [each.what if isinstance(each, Missing) else each for each in answers]


def asked(rule_id: str, device: Device, story: Story | None = None, site: str = "") -> Answers:
    """The same as (verdict, severity where it is not the rule's own, packets cited)."""
    return [
        each
        if isinstance(each, str)
        else (str(each.verdict), str(each.severity or ""), [packet for packet, _ in each.proofs])
        for each in hits(rule_id, device, story, site)
    ]


def put(
    take: Callable[..., None], machines: Machines, event: Event, packet: int, seconds: float | None = None, **more: Any
) -> None:
    """Give an event to the function that takes its kind. `first`: the packet it begins in; `key`: its flow."""
    time = at(packet if seconds is None else seconds)
    take(
        machines,
        Observation(event, packet, (more.get("first", packet), packet), time, "a.pcap", more.get("key")),
        event,
    )
