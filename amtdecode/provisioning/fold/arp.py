"""ARP: who has an address, and whether anybody answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.provisioning.state import AddressQuery
from amtdecode.provisioning.state.tables import MAX_ADDRESSES, bounded, is_copy

if TYPE_CHECKING:
    from amtdecode.model import Observation
    from amtdecode.protocols.arp import ArpMessage
    from amtdecode.provisioning.machines import Machines


def take_arp(machines: Machines, observation: Observation, event: ArpMessage) -> None:
    """Who has an address, and whether anybody answers."""
    data: bytes = event.data
    story = machines.story
    story.seen.add("arp")
    if data[7] == 1:
        if data[14:18] == data[24:28] or data[14:18] == b"\0\0\0\0":
            return  # an announcement or a probe
        address = event.target_address
        query = story.arp.get(address)
        if query is None or query.answered:
            if query is not None:
                del story.arp[address]
            bounded(story.arp, MAX_ADDRESSES)
            asker = machines.share(event.source_address)
            time = observation.time_ns
            story.arp[address] = AddressQuery(machines.ref(observation), time, time, asker=asker)
        else:
            query.count += not is_copy(query.last_time, observation.time_ns)
            query.last_time = observation.time_ns
    else:
        address = event.source_address
        if (query := story.arp.get(address)) is not None:
            query.answered = True
        if (device := machines.find(address)) is not None:
            machines.name(device, mac=event.source_mac)
