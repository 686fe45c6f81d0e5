"""TCP connections: how those to and from a machine fared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode import ports
from amtdecode.provisioning.keeping import add_incident
from amtdecode.provisioning.state import Fate, Hello, Session
from amtdecode.provisioning.state.incidents import ClearRedirection, ContactElsewhere
from amtdecode.provisioning.state.tables import MAX_ADDRESSES, bounded

if TYPE_CHECKING:
    from amtdecode.flow.events import Connection
    from amtdecode.model import FlowKey, Observation
    from amtdecode.provisioning.machines import Machines
    from amtdecode.provisioning.state import Device

ELSEWHERE_SECONDS = 600.0  # a contact this soon after an unanswered hello is taken for the answer to it


def take_connection(machines: Machines, observation: Observation, event: Connection) -> None:
    """A connection ended, failed, or is still open when the capture ends."""
    flow = observation.flow
    if flow is None:
        return
    machines.story.seen.add("tcp")
    _note_sides(machines, flow, event)
    known = machines.flows.pop(flow.number, None) if flow.number >= 0 else None
    machines.logins.pop(flow.number, None)
    if flow.number in machines.not_amt:
        del machines.not_amt[flow.number]
        return
    if known is not None and isinstance(known[1], Hello):
        device, hello = known[0], known[1]
        hello.mac = machines.share(event.client_mac) if event.client_mac else ""
        hello.vlan = event.vlan
        machines.name(device, mac=event.client_mac)
        return
    proof, first = machines.ref(observation), machines.first_ref(observation)
    if known is not None:
        device, session = known[0].itself, known[1]
    else:
        port = flow.server.port
        if port in ports.MACHINE:
            if (
                port in ports.SETUP
                and machines.find(flow.server.address) is None
                and _elsewhere(machines, observation, event)
            ):
                return
            device = machines.machine_at(flow.server.address)
        elif port == ports.CIRA:
            device = machines.machine_at(flow.client.address, guessed=True)
        elif port == ports.HELLO and event.state in ("refused", "unanswered"):
            device = machines.machine_at(flow.client.address)
            machines.name(device, mac=event.client_mac)
        elif event.state in ("refused", "unanswered") and _asked_for(
            machines, flow.client.address, flow.server.address
        ):
            device = machines.machine_at(flow.client.address)
        else:
            return
        session = machines.begin(device, flow, event.first_time_ns, first)
        machines.flows.pop(flow.number, None)
    assert isinstance(session, Session)  # noqa: S101 - for the type checker
    session.fate = _fate(machines, event)
    session.last_ref, session.last_time = proof, event.last_time_ns
    if session.ref > first:
        session.ref = first
    if event.first_time_ns is not None:
        session.time = event.first_time_ns
    if session.port == ports.REDIRECTION and event.client_bytes and event.server_bytes and not session.local:
        add_incident(device, ClearRedirection(session.ref, session.time, client=session.client, connection=flow.number))


def _fate(machines: Machines, event: Connection) -> Fate:
    fate = Fate(
        event.state,
        event.syn_count,
        event.client_bytes,
        event.server_bytes,
        event.client_missing,
        event.server_missing,
        event.only,
        event.closed_by,
        event.broken_by,
    )
    return fate if event.server_bytes else machines.share(fate)


def _note_sides(machines: Machines, flow: FlowKey, event: Connection) -> None:
    """Whether the capture has what the hosts of a connection said in it."""
    sides = machines.story.sides
    client, server = flow.client.address, flow.server.address
    if event.only:
        missing = server if event.only == "client" else client
        if missing not in sides:
            bounded(sides, MAX_ADDRESSES)
        sides[missing] = sides.get(missing, 0) - 1
    elif event.client_bytes and event.server_bytes:
        for host in (client, server):
            if host in sides:
                sides[host] += 1


def _asked_for(machines: Machines, client: str, server: str) -> bool:
    """Whether `client` was told that `server` is ProvisionServer."""
    device = machines.find(client)
    return device is not None and any(server in lookup.addresses for lookup in device.lookups)


def _elsewhere(machines: Machines, observation: Observation, event: Connection) -> bool:
    """Whether a server that heard a hello contacts an address where nobody said hello; noted for the machine."""
    flow = observation.flow
    if flow is None:
        return False
    server, address = flow.client.address, flow.server.address
    waiting = _waiting(machines, server, event.first_time_ns)
    if waiting is None or waiting.address == address:
        return False
    name = ""
    for lookup in machines.resolved.get(server, ()):
        if address in lookup.addresses:
            name = lookup.name
    proof = machines.first_ref(observation)
    add_incident(waiting, ContactElsewhere(proof, event.first_time_ns, server=server, address=address, name=name))
    return True


def _waiting(machines: Machines, server: str, time: int | None) -> Device | None:
    """The only machine that said hello to `server` a short while ago and got no connection since."""
    found: Device | None = None
    for device in machines.recent.values():
        if device.attempts[-1].sessions or not any(_called_for(hello, server, time) for hello in device.hellos):
            continue
        if found is not None:
            return None
        found = device
    return found


def _called_for(hello: Hello, server: str, time: int | None) -> bool:
    """Whether a server may answer this hello by a connection at this time."""
    if hello.destination != server or time is None or hello.time is None:
        return False
    return 0 <= (time - hello.time) / 1e9 <= ELSEWHERE_SECONDS
