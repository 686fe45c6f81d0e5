"""APF: who calls home, how far it gets with its management presence server, and what goes wrong there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.model import TO_CLIENT, TO_SERVER
from amtdecode.provisioning.keeping import add_session, without
from amtdecode.provisioning.state import Cira, RefusedChannel
from amtdecode.provisioning.state.terms import Standing

if TYPE_CHECKING:
    from amtdecode.model import Observation
    from amtdecode.protocols.apf import events as e
    from amtdecode.provisioning.machines import Machines
    from amtdecode.provisioning.state import Device, Session

MAX_PORTS = 16  # ports of one connection that are kept; machines forward some seven
MAX_REFUSED = 4  # refused channels of one connection that are kept, by port and reason
MAX_NAME = 64  # characters of a user name that are kept


def _cira(machines: Machines, observation: Observation) -> Cira | None:
    found = machines.session(observation)
    if found is None:
        return None
    session = found[1]
    machines.story.seen.add("apf")
    if session.cira is None:
        session.cira = Cira()
    cira = session.cira
    if observation.direction is TO_SERVER:
        cira.machine_heard = observation.time_ns
    elif not cira.answered:
        cira.answered = machines.ref(observation)
    return cira


def take_message(machines: Machines, observation: Observation, _event: e.ApfMessage) -> None:
    """Any message says at least that its sender is there."""
    _cira(machines, observation)


def take_version(machines: Machines, observation: Observation, event: e.ProtocolVersion) -> None:
    """The machine says who it is, and why it calls."""
    flow = observation.flow
    if flow is not None and observation.direction is TO_SERVER:
        begun = machines.session(observation)
        device = machines.machine_with(event.uuid, flow.client.address)
        if begun is not None and begun[0] is not device:
            _move(machines, begun[1], begun[0], device)
    cira = _cira(machines, observation)
    if cira is not None and observation.direction is TO_SERVER:
        cira.version, cira.trigger = machines.ref(observation), machines.share(event.reason)
        cira.greeted = observation.time_ns


def _move(machines: Machines, session: Session, before: Device, device: Device) -> None:
    """A connection put down for whoever was known at its address is another machine's: both are behind one address."""
    if before.standing is not Standing.JOINED:  # else it was joined with the machine, its connections too
        for attempt in before.attempts:
            attempt.sessions = without(attempt.sessions, session)
        add_session(device, session)
    machines.flows[session.number] = (device, session)


def take_login(machines: Machines, observation: Observation, event: e.UserauthRequest) -> None:
    """User and method of the login."""
    if (cira := _cira(machines, observation)) is not None:
        cira.login = machines.ref(observation)
        cira.user, cira.method = event.user[:MAX_NAME], event.method[:MAX_NAME]


def take_refusal(machines: Machines, observation: Observation, _event: e.UserauthFailure) -> None:
    """The server refuses the login."""
    if (cira := _cira(machines, observation)) is not None:
        cira.refused = machines.ref(observation)
        cira.refusals += 1


def take_acceptance(machines: Machines, observation: Observation, _event: e.UserauthSuccess) -> None:
    """The server accepts the login."""
    if (cira := _cira(machines, observation)) is not None:
        cira.accepted = machines.ref(observation)


def take_service(machines: Machines, observation: Observation, event: e.ServiceRequest) -> None:
    """The machine wants to forward ports."""
    if (cira := _cira(machines, observation)) is not None and event.service.startswith("pfwd"):
        cira.forwarding = machines.ref(observation)


def take_request(machines: Machines, observation: Observation, event: e.GlobalRequest) -> None:
    """A port is to be forwarded, or not any more."""
    cira = _cira(machines, observation)
    if cira is None or event.port is None:
        return
    request = event.request.lower()
    if request.startswith("tcpip-forward"):
        cira.asked = _with(cira.asked, event.port)
    elif request.startswith("cancel"):
        cira.asked = tuple(port for port in cira.asked if port != event.port)
        cira.granted = tuple(port for port in cira.granted if port != event.port)


def take_granted(machines: Machines, observation: Observation, event: e.RequestSuccess) -> None:
    """A port is forwarded from now on."""
    cira = _cira(machines, observation)
    if cira is not None and event.port is not None:
        cira.forwards = machines.ref(observation)
        cira.granted = _with(cira.granted, event.port)


def take_denied(machines: Machines, observation: Observation, event: e.RequestFailure) -> None:
    """A port is not forwarded."""
    cira = _cira(machines, observation)
    if cira is not None and event.port is not None:
        cira.denied = _with(cira.denied, event.port)


def _with(ports: tuple[int, ...], port: int) -> tuple[int, ...]:
    return ports if port in ports or len(ports) >= MAX_PORTS else (*ports, port)


def take_keepalive(machines: Machines, observation: Observation, _event: e.ApfMessage) -> None:
    """A sign of life."""
    if (cira := _cira(machines, observation)) is not None:
        cira.keepalives += 1
        cira.keepalive = machines.ref(observation)


def take_options(machines: Machines, observation: Observation, event: e.KeepaliveOptionsRequest) -> None:
    """How often the server wants one."""
    if (cira := _cira(machines, observation)) is not None:
        cira.interval = event.interval


def take_open(machines: Machines, observation: Observation, _event: e.ChannelOpenConfirmation) -> None:
    """A channel is open."""
    if (cira := _cira(machines, observation)) is not None:
        cira.channels += 1
        cira.channel = cira.channel or machines.ref(observation)


def take_open_failure(machines: Machines, observation: Observation, event: e.ChannelOpenFailure) -> None:
    """The machine refuses a channel. What the machine itself wants to open servers refuse as a matter of course."""
    cira = _cira(machines, observation)
    if cira is None or event.port is None or observation.direction is not TO_SERVER:
        return
    for known in cira.refused_channels:
        if (known.port, known.code) == (event.port, event.code):
            known.count += 1
            return
    if len(cira.refused_channels) < MAX_REFUSED:
        refused = RefusedChannel(machines.ref(observation), event.port, event.code, machines.share(event.reason))
        cira.refused_channels += (refused,)


def take_beyond(machines: Machines, observation: Observation, event: e.BeyondWindow) -> None:
    """Somebody sends more than was granted."""
    cira = _cira(machines, observation)
    if cira is not None and not cira.beyond:
        cira.beyond, cira.beyond_port, cira.excess = machines.ref(observation), event.port, event.excess
        cira.beyond_by_server = observation.direction is TO_CLIENT


def take_disconnect(machines: Machines, observation: Observation, event: e.Disconnect) -> None:
    """One side says why it leaves."""
    if (cira := _cira(machines, observation)) is not None:
        cira.disconnect, cira.disconnect_code = machines.ref(observation), event.code
        cira.disconnect_reason = machines.share(event.reason)
        cira.disconnect_by_server = observation.direction is TO_CLIENT


def take_fault(machines: Machines, observation: Observation, *, gap: bool) -> None:
    """Bytes that are no messages, or that the capture lacks."""
    flow = observation.flow
    if flow is None or flow.number not in machines.flows:
        return
    cira = _cira(machines, observation)
    if cira is None:
        return
    if gap:
        cira.lost = True
    elif not cira.out_of_step:
        cira.out_of_step = machines.ref(observation)
        cira.out_of_step_server = observation.direction is TO_CLIENT
