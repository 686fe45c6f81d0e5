"""RMCP and PET: who answers pings, and what machines report. A pong makes a machine only where it is one of AMT."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.protocols.rmcp.fields import PING
from amtdecode.provisioning.keeping import add_incident
from amtdecode.provisioning.state import AddressQuery
from amtdecode.provisioning.state.incidents import PlatformAlert, Pong, SessionRefused
from amtdecode.provisioning.state.tables import MAX_ADDRESSES, bounded, is_copy

if TYPE_CHECKING:
    from amtdecode.model import Observation
    from amtdecode.protocols.pet import PlatformEvent
    from amtdecode.protocols.rmcp import AsfMessage, AsfPong, AsfRakp, AsfSession
    from amtdecode.provisioning.machines import Machines


def take_message(machines: Machines, observation: Observation, event: AsfMessage) -> None:
    """A ping, among the messages that say nothing else."""
    flow = observation.flow
    if flow is None or event.type != PING or event.acknowledges:
        return
    address = flow.destination(observation.direction).address
    pings = machines.story.pings
    known = pings.get(address)
    time = observation.time_ns
    if known is None:
        bounded(pings, MAX_ADDRESSES)
        asker = machines.share(flow.source(observation.direction).address)
        pings[address] = AddressQuery(machines.ref(observation), time, time, asker=asker)
    else:
        known.count += not is_copy(known.last_time, time)
        known.last_time = time


def take_pong(machines: Machines, observation: Observation, event: AsfPong) -> None:
    """An answer to a ping; by AMT it makes a machine, by any other management controller none."""
    flow = observation.flow
    if flow is None:
        return
    address = flow.source(observation.direction).address
    if (query := machines.story.pings.get(address)) is not None:
        query.answered = True
    if (port := event.port) is None:
        return
    proof, time = machines.ref(observation), observation.time_ns
    device = machines.machine_at(address)
    add_incident(device, Pong(proof, time, version=event.amt_version, port=port, state=event.state))


def take_session(machines: Machines, observation: Observation, event: AsfSession | AsfRakp) -> None:
    """A session is opened, closed or proved: what counts is a refusal by a machine that is known."""
    flow = observation.flow
    if flow is None or not event.status:
        return
    server = flow.source(observation.direction).address
    device = machines.find(server)
    if device is not None:
        client = flow.destination(observation.direction).address
        proof = machines.ref(observation)
        add_incident(device, SessionRefused(proof, observation.time_ns, client=client, status=event.status))


def take_trap(machines: Machines, observation: Observation, event: PlatformEvent) -> None:
    """An alert of a machine that is known, by its UUID in either order of bytes, else by its address."""
    flow = observation.flow
    if flow is None:
        return
    address = flow.source(observation.direction).address
    device = machines.find_by(uuid=event.guid_smbios) or machines.find_by(uuid=event.guid) or machines.find(address)
    if device is not None:
        proof = machines.ref(observation)
        receiver = flow.destination(observation.direction).address
        alert = PlatformAlert(proof, observation.time_ns, event=event.event, severity=event.severity, receiver=receiver)
        add_incident(device, alert)
