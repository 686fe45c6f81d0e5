"""Leases and names of a machine: what several rules ask of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from amtdecode.provisioning.state import Device, Lease, Lookup


def latest_lease(device: Device) -> Lease | None:
    """The latest DHCPv4 lease that was granted."""
    return next((lease for lease in reversed(device.leases) if lease.ack and not lease.v6), None)


def resolved(device: Device) -> list[Lookup]:
    """Lookups that gave an address."""
    return [lookup for lookup in device.lookups if lookup.addresses]


def suffix_of(device: Device) -> str | None:
    """The domain of a machine: option 15 of its lease, else the one it asked for ProvisionServer in."""
    for lease in reversed(device.leases):
        if lease.ack and not lease.v6:
            if lease.suffix is not None:
                return lease.suffix.decode("latin-1")
            break
    for lookup in reversed(device.lookups):
        if not lookup.bare:
            return lookup.name.partition(".")[2].rstrip(".")
    for lease in reversed(device.leases):
        if lease.v6 and lease.suffix:  # up to five, of which the machine tries one after the other
            return lease.suffix.decode("latin-1").split(" ")[0]
    if any(lease.ack and not lease.v6 for lease in device.leases):
        return ""
    return None
