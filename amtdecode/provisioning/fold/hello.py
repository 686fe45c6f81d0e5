"""Hello messages: whole ones, cut ones, malformed ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.model import Gap, Malformed
from amtdecode.provisioning.keeping import add_incident
from amtdecode.provisioning.state import Hello, Lookup
from amtdecode.provisioning.state.incidents import HelloAnswered, MalformedHello
from amtdecode.provisioning.state.tables import MAX_ADDRESSES, MAX_FLOWS, bounded

if TYPE_CHECKING:
    from amtdecode.model import Observation, Truncated
    from amtdecode.protocols.hello import HelloAnswer, HelloMessage, PartialHello
    from amtdecode.provisioning.machines import Machines


def take_hello(machines: Machines, observation: Observation, event: HelloMessage) -> None:
    """A machine asks to be set up."""
    flow = observation.flow
    if flow is None:
        return
    proof = machines.ref(observation)
    machines.story.seen.add("hello")
    source, destination = flow.client.address, flow.server.address
    device = machines.machine_with(event.uuid, source)
    before = device.last_hello
    hello = Hello(
        proof,
        observation.time_ns,
        device.address,  # the same text, held once
        machines.share(destination),
        machines.share(flow.server.port),
        event.version,
        event.admin_credentials_set,
        event.retry_count,
        before.pid if before is not None and before.pid == event.pid else event.pid,
        machines.share(event.hashes) if event.hashes else (),
    )
    machines.hello(device, hello)
    if len(machines.story.hello_servers) < MAX_ADDRESSES:
        machines.story.hello_servers.setdefault(destination, proof)
    if flow.number >= 0:
        bounded(machines.flows, MAX_FLOWS)
        machines.flows[flow.number] = (device, hello)


def take_beginning(machines: Machines, observation: Observation, event: PartialHello) -> None:
    """The machine whose hello is cut; the event that says what is wrong follows."""
    if observation.flow is not None:
        machines.machine_with(event.begun.uuid, observation.flow.client.address)


def take_answer(machines: Machines, observation: Observation, event: HelloAnswer) -> None:
    """The host that heard a hello answers it."""
    flow = observation.flow
    if flow is None:
        return
    known = machines.flows.get(flow.number)
    device = known[0] if known is not None else machines.find(flow.client.address)
    if device is not None:
        proof, server = machines.ref(observation), machines.share(flow.server.address)
        answer = HelloAnswered(
            proof, observation.time_ns, server=server, port=flow.server.port, speaks=event.speaks, data=event.data
        )
        add_incident(device, answer)


def _message_cut(machines: Machines, proof: int) -> None:
    """A DNS or DHCP message breaks off: what it does not say, it may have said."""
    message = machines.latest_message
    if isinstance(message, Lookup):
        if message.answer == proof and not message.addresses:
            message.cut = True
    elif message is not None and message.ack == proof:
        message.cut = True


def take_malformed(machines: Machines, observation: Observation, event: Malformed | Truncated | Gap) -> None:
    """A hello that breaks its rules."""
    flow = observation.flow
    proof = machines.ref(observation)
    if event.layer in ("dns", "dhcp", "dhcpv6"):
        _message_cut(machines, proof)
    if event.layer == "iamt.apf":
        from amtdecode.provisioning.fold.apf import take_fault

        take_fault(machines, observation, gap=not isinstance(event, Malformed))
    if event.layer != "iamt.hello" or flow is None:
        return
    device = machines.machine_at(flow.client.address)
    add_incident(device, MalformedHello(proof, observation.time_ns, fault=event.summary(), cut=isinstance(event, Gap)))
