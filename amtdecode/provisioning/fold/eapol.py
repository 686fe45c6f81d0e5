"""802.1X: whether a switch port lets a machine in. LLDP: which switch and port it is.

Switches mostly send to a group address, which names no machine: what they say then belongs to the machine whose latest
response has the same number (RFC 3748 section 4.2: success and failure repeat it; a request has the next one).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.protocols.eapol.fields import FAILURE, IDENTITY, NAK, NOTIFICATION, REQUEST, RESPONSE, SUCCESS
from amtdecode.provisioning.state import AddressQuery, Neighbour, PortLogin
from amtdecode.provisioning.state.tables import MAX_ADDRESSES, MAX_LEASES, MAX_NEIGHBOURS, bounded, is_copy

if TYPE_CHECKING:
    from amtdecode.model import Observation
    from amtdecode.protocols.eapol import EapMessage
    from amtdecode.protocols.lldp import LldpMessage
    from amtdecode.provisioning.machines import Machines

SEVERAL = ""  # in place of a machine: more than one gave a response with that number


def take_eap(machines: Machines, observation: Observation, event: EapMessage) -> None:
    """A packet of EAP."""
    flow = observation.flow
    machines.story.seen.add("eapol")
    if flow is None:
        return
    if event.code == RESPONSE:
        _response(machines, observation, event, flow.client.address)
        return
    target = flow.server
    one = target.address if len(target.packed) == 6 and not target.packed[0] & 1 else ""  # no group
    if event.code == REQUEST and event.method == IDENTITY:
        _asks(machines, observation, flow.client.address, one)
        return
    mac = one or machines.eap_numbers.get(event.id) or machines.eap_numbers.get(event.id - 1 & 0xFF)
    if not mac or (login := machines.story.port_logins.get(mac)) is None:
        return
    proof, time = machines.ref(observation), observation.time_ns
    if event.code == REQUEST:
        if (alert := event.alert) is not None:
            login.alert, login.alert_ref, login.alert_of_machine = alert, proof, False
    elif event.code == SUCCESS:
        login.success, login.ended_time = proof, time
    elif event.code == FAILURE:
        login.failures += not (login.failure and is_copy(login.ended_time, time))
        login.failure, login.ended_time = proof, time


def _asks(machines: Machines, observation: Observation, switch: str, mac: str) -> None:
    """A switch asks who is there: one machine, or whoever is at the other end."""
    proof, time = machines.ref(observation), observation.time_ns
    if mac:
        login = _login(machines, observation, mac)
        if not login.asked:
            login.asked_ref = proof
        login.asked += not is_copy(login.asked_time, time)
        login.asked_time = time
        return
    asks = machines.story.port_asks
    known = asks.get(switch)
    if known is None or known.answered:
        asks.pop(switch, None)
        bounded(asks, MAX_ADDRESSES)
        asks[switch] = AddressQuery(proof, time, time, asker=switch)
    else:
        known.count += not is_copy(known.last_time, time)
        known.last_time = time


def _response(machines: Machines, observation: Observation, event: EapMessage, mac: str) -> None:
    """A machine answers."""
    proof = machines.ref(observation)
    login = _login(machines, observation, mac)
    login.asked = 0
    for asks in machines.story.port_asks.values():
        asks.answered = True
    numbers = machines.eap_numbers
    before = numbers.get(event.id, mac)
    numbers[event.id] = mac if before in (mac, SEVERAL) or _is_over(machines, before) else SEVERAL
    if event.method == IDENTITY:
        login.identity, login.identity_ref, login.alert = event.identity, proof, None
    elif event.method not in (None, NAK, NOTIFICATION):
        login.method = event.method
        if (alert := event.alert) is not None:
            login.alert, login.alert_ref, login.alert_of_machine = alert, proof, True


def _is_over(machines: Machines, mac: str) -> bool:
    """Whether a machine's login has ended since it said who it is."""
    login = machines.story.port_logins.get(mac)
    return login is None or max(login.success, login.failure) > login.identity_ref


def _login(machines: Machines, observation: Observation, mac: str) -> PortLogin:
    logins = machines.story.port_logins
    login = logins.get(mac)
    if login is None:
        bounded(logins, MAX_LEASES)
        login = logins[mac] = PortLogin(mac, machines.ref(observation), observation.time_ns)
    return login


def take_lldp(machines: Machines, observation: Observation, event: LldpMessage) -> None:
    """A switch says who it is, and which of its ports this is; telephones and hosts say the same of themselves."""
    if not event.is_switch or not event.ttl:
        return
    machines.story.seen.add("lldp")
    neighbours = machines.story.neighbours
    proof = machines.ref(observation)
    key = (machines.input(observation.input), event.switch, event.port)
    if key not in neighbours:
        bounded(neighbours, MAX_NEIGHBOURS)
        neighbours[key] = Neighbour(proof, event.switch, event.port, event.port_vlan or None)
