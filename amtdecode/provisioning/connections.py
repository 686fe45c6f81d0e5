"""Hellos, and how TCP connections fared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amtdecode.provisioning.facts import CIRA_PORT, DEVICE_PORTS, HELLO_PORT, SETUP_PORTS, Hello, Mark, Session
from amtdecode.provisioning.tracker import MAX_FLOWS, bounded

if TYPE_CHECKING:
    from amtdecode.model import Observation
    from amtdecode.provisioning.facts import Device
    from amtdecode.provisioning.tracker import Tracker

APF_GREETING = b"\xc0\0\0\0\1"  # APF_PROTOCOLVERSION, major version 1 (AMT Port Forwarding, its first message)
ELSEWHERE_SECONDS = 600.0  # a contact this soon after an unanswered hello is taken for the answer to it


def take_hello(tracker: Tracker, observation: Observation) -> None:
    """A machine asks to be set up."""
    event: Any = observation.event
    flow = observation.flow
    if flow is None:
        return
    proof = tracker.ref(observation)
    tracker.story.seen.add("hello")
    source, destination = flow.client.address, flow.server.address
    device = tracker.machine_with(event.uuid, source, observation.time_ns, proof)
    before = device.last_hello
    hello = Hello(
        proof,
        observation.time_ns,
        device.address,  # the same text, held once
        tracker.share(destination),
        flow.server.port,
        event.version,
        event.admin_credentials_set,
        event.retry_count,
        before.pid if before is not None and before.pid == event.pid else event.pid,
        tracker.share(event.hashes) if event.hashes else (),
    )
    tracker.add_hello(device, hello)
    tracker.story.hello_servers.setdefault(destination, proof)
    if flow.number >= 0:
        bounded(tracker.flows, MAX_FLOWS)
        tracker.flows[flow.number] = (device, hello)


def take_connection(tracker: Tracker, observation: Observation) -> None:
    """A connection ended, failed, or is still open when the capture ends."""
    event: Any = observation.event
    flow = observation.flow
    if flow is None:
        return
    tracker.story.seen.add("tcp")
    known = tracker.flows.pop(flow.number, None) if flow.number >= 0 else None
    tracker.web.pop(flow.number, None)
    if flow.number in tracker.others:
        del tracker.others[flow.number]
        return
    if known is not None and isinstance(known[1], Hello):
        device, hello = known[0], known[1]
        hello.mac = tracker.share(event.client_mac) if event.client_mac else ""
        hello.vlan = event.vlan
        tracker.name(device, mac=event.client_mac)
        return
    proof, first = tracker.ref(observation), tracker.first_ref(observation)
    if known is not None:
        device, session = known[0], known[1]
    else:
        port = flow.server.port
        if port in DEVICE_PORTS:
            if port in SETUP_PORTS and tracker.find(flow.server.address) is None and _elsewhere(tracker, observation):
                return
            device = tracker.machine_at(flow.server.address, event.first_time_ns, first)
        elif port == CIRA_PORT:
            device = tracker.machine_at(flow.client.address, event.first_time_ns, first, guessed=True)
        elif port == HELLO_PORT and event.state in ("refused", "unanswered"):
            device = tracker.machine_at(flow.client.address, event.first_time_ns, first)
            tracker.name(device, mac=event.client_mac)
        elif event.state in ("refused", "unanswered") and _asked_for(tracker, flow.client.address, flow.server.address):
            device = tracker.machine_at(flow.client.address, event.first_time_ns, first)
        else:
            return
        session = tracker.begin(device, flow, event.first_time_ns, first)
        tracker.flows.pop(flow.number, None)
    assert isinstance(session, Session)  # noqa: S101 - for the type checker
    session.state = event.state
    session.syn_count = event.syn_count
    session.client_bytes, session.server_bytes = event.client_bytes, event.server_bytes
    session.who_closed = event.closed_by
    session.last_ref, session.last_time = proof, event.last_time_ns
    if session.ref > first:
        session.ref = first
    if event.first_time_ns is not None:
        session.time = event.first_time_ns
    if session.port == 16994 and event.client_bytes and event.server_bytes:
        mark = Mark(session.ref, session.time, name=session.client, text="redirection without TLS", session=flow.number)
        tracker.mark(device, "redirection.clear", mark)


def _asked_for(tracker: Tracker, client: str, server: str) -> bool:
    """Whether `client` was told that `server` is ProvisionServer."""
    device = tracker.find(client)
    return device is not None and any(server in lookup.addresses for lookup in device.lookups)


def _elsewhere(tracker: Tracker, observation: Observation) -> bool:
    """Whether a server that heard a hello contacts an address where nobody said hello; noted for the machine."""
    flow = observation.flow
    event: Any = observation.event
    if flow is None:
        return False
    server, address = flow.client.address, flow.server.address
    waiting = _waiting(tracker, server, event.first_time_ns)
    if waiting is None or waiting.address == address:
        return False
    name = ""
    for lookup in tracker.resolved.get(server, ()):
        if address in lookup.addresses:
            name = lookup.name
    text = f"{server} contacts {address}"
    tracker.mark(waiting, "contact.elsewhere", Mark(tracker.first_ref(observation), event.first_time_ns, name, text))
    return True


def _waiting(tracker: Tracker, server: str, time: int | None) -> Device | None:
    """The only machine that said hello to `server` a short while ago and got no connection since."""
    found: Device | None = None
    for device in tracker.recent.values():
        hello = device.last_hello
        if hello is None or hello.destination != server or device.attempts[-1].sessions:
            continue
        if time is None or hello.time is None or not 0 <= (time - hello.time) / 1e9 <= ELSEWHERE_SECONDS:
            continue
        if found is not None:
            return None
        found = device
    return found


def take_beginning(tracker: Tracker, observation: Observation) -> None:
    """Whose hello it is that is cut; the fault is told next."""
    event: Any = observation.event
    if observation.flow is not None:
        address = observation.flow.client.address
        tracker.machine_with(event.begun.uuid, address, observation.time_ns, tracker.ref(observation))


def take_fault(tracker: Tracker, observation: Observation) -> None:
    """A hello that breaks its rules."""
    event: Any = observation.event
    flow = observation.flow
    if getattr(event, "layer", "") != "iamt.hello" or flow is None:
        return
    proof = tracker.ref(observation)
    device = tracker.machine_at(flow.client.address, observation.time_ns, proof)
    tracker.mark(device, "hello.fault", Mark(proof, observation.time_ns, text=event.summary()))


def take_unrecognised(tracker: Tracker, observation: Observation) -> None:
    """Bytes on CIRA's port that begin as a machine does that calls home, without TLS."""
    event: Any = observation.event
    flow = observation.flow
    if flow is not None and flow.server.port == CIRA_PORT and event.data.startswith(APF_GREETING):
        tracker.machine_at(flow.client.address, observation.time_ns, tracker.ref(observation))


HANDLERS = {
    "HelloMessage": take_hello,
    "PartialHello": take_beginning,
    "Connection": take_connection,
    "Malformed": take_fault,
    "Truncated": take_fault,
    "Gap": take_fault,
    "Unrecognised": take_unrecognised,
}
