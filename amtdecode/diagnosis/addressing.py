"""Leases and names of a machine: what several rules ask of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode import ports
from amtdecode.diagnosis.case import about_all
from amtdecode.protocols.gssapi import SKEW
from amtdecode.provisioning.state import place

if TYPE_CHECKING:
    from amtdecode.diagnosis.case import Case
    from amtdecode.provisioning.state import Device, KdcError, Lease, Lookup, Neighbour, PortLogin, Ref, ServerLookup


PORTS = frozenset(str(port) for port in ports.MACHINE)


def latest_lease(device: Device) -> Lease | None:
    """The latest DHCPv4 lease that was granted."""
    return next((lease for lease in reversed(device.leases) if lease.ack and not lease.v6), None)


def port_login(case: Case, device: Device) -> PortLogin | None:
    """How the switch port of a machine let it in by 802.1X, or did not; `None` where nothing was seen of it."""
    logins = case.story.port_logins
    if not logins:
        return None
    macs = (device.mac, *(hello.mac for hello in device.hellos), *(lease.mac for lease in device.leases))
    return next((logins[mac] for mac in macs if mac in logins), None)


def server_lookups(case: Case, device: Device) -> list[ServerLookup]:
    """What a machine asked about the names of servers to call home to."""
    lookups = case.story.server_lookups
    return [each for each in lookups.values() if each.client in device.addresses] if lookups else []


def kdc_errors(case: Case, device: Device) -> list[tuple[KdcError, bool]]:
    """What a KDC refused to those who want the machine, and whether the name says that it is the machine.

    Else the client talks to no machine but this one, and the name has a port of AMT.
    """
    found: list[tuple[KdcError, bool]] = []
    for error in case.story.kdc_errors.values():
        host, _, port = error.spn.partition("/")[2].lower().partition(":")
        names = {name.lower() for name in (device.fqdn, *device.addresses) if name}
        bare = {name.partition(".")[0] for name in names if not name[:1].isdecimal()}
        if host and (host in names or ("." not in host and host in bare)):
            found.append((error, True))
        elif (port in PORTS or error.code == SKEW) and _consoles(case).get(error.client) == {device.id}:
            found.append((error, False))
    return found


@about_all
def _consoles(case: Case) -> dict[str, set[int]]:
    """The machines to which each console that a KDC refused something opened connections."""
    found: dict[str, set[int]] = {error.client: set() for error in case.story.kdc_errors.values()}
    for device in case.story.devices if found else ():
        for session in device.sessions:
            if session.client in found:
                found[session.client].add(device.id)
    return found


def got_in(device: Device, since: int | None) -> bool:
    """Whether a machine had the network after this time: a lease, a query, a hello, a connection that was opened."""
    times = [lease.ack_time for lease in device.leases if lease.ack]
    times += [lookup.last_query_time for lookup in device.lookups]
    times += [hello.time for hello in device.hellos]
    times += [session.last_time for session in device.sessions if session.connected]
    return since is None or any(time is not None and time >= since for time in times)


def neighbour_of(case: Case, proof: Ref) -> list[tuple[Ref, str]]:
    """The switch port at which the capture with this packet was made, as a proof; none where LLDP tells of several."""
    source, _ = place(proof)
    found = [each for (where, _, _), each in case.story.neighbours.items() if where == source]
    return [(found[0].ref, f"LLDP: captured at {port_words(found[0])}")] if len(found) == 1 else []


def port_words(neighbour: Neighbour) -> str:
    """A switch port in words."""
    vlan = f", VLAN {neighbour.vlan}" if neighbour.vlan else ""
    return f"switch {neighbour.switch or '(no name)'}, port {neighbour.port or '(no name)'}{vlan}"


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
