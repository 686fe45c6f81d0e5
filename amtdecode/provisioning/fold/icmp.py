"""ICMP: a router or host says that a packet did not arrive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode import ports
from amtdecode.provisioning.state import Unreachable
from amtdecode.provisioning.state.tables import MAX_ADDRESSES, bounded

if TYPE_CHECKING:
    from amtdecode.model import Observation
    from amtdecode.net.icmp import IcmpError
    from amtdecode.provisioning.machines import Machines


def take_icmp(machines: Machines, observation: Observation, event: IcmpError) -> None:
    """A router or host says that a packet did not arrive."""
    flow = observation.flow
    if flow is None or (flow.server.port not in ports.MACHINE and flow.server.port != ports.HELLO):
        return
    errors = machines.story.icmp
    address = flow.server.address
    known = errors.get(address)
    if known is None:
        bounded(errors, MAX_ADDRESSES)
        errors[address] = Unreachable(machines.ref(observation), observation.time_ns, event.meaning, event.reporter)
    else:
        known.count += 1
