"""DHCP: which lease a machine got, and with which options."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.provisioning.state import Lease
from amtdecode.provisioning.state.tables import MAX_LEASES, bounded, is_copy

if TYPE_CHECKING:
    from amtdecode.model import Observation
    from amtdecode.protocols.dhcp.v4 import DhcpMessage
    from amtdecode.protocols.dhcp.v6 import Dhcpv6Message
    from amtdecode.provisioning.machines import Machines

DISCOVER, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE, INFORM = range(1, 9)  # RFC 2132 §9.6
REPLY6, SOLICIT6, REQUEST6 = 7, 1, 3  # RFC 8415 §7.3
DOMAIN_NAME, DNS_SERVERS = 15, 6
UNSPECIFIED = "0.0.0.0"  # noqa: S104 - an address seen, not bound to
MAX_KEPT_LEASES = 4  # earlier leases kept of one machine


def take_dhcp(machines: Machines, observation: Observation, event: DhcpMessage) -> None:
    """A DHCPv4 message."""
    mac: str = event.mac
    machines.story.seen.add("dhcp")
    if not mac:
        return
    leases = machines.story.leases
    kind = event.message_type
    proof = machines.ref(observation)
    lease = leases.get(mac)
    if kind in (DISCOVER, REQUEST, INFORM):
        if lease is None or (lease.ack and kind == DISCOVER):
            if lease is not None and (device := machines.find_by(mac=mac)) is not None:
                device.leases = (*device.leases, lease)[-MAX_KEPT_LEASES:]
            bounded(leases, MAX_LEASES)
            lease = leases[mac] = Lease(mac, proof, observation.time_ns)
        if kind != INFORM:
            lease.requests += not is_copy(lease.requests_time, observation.time_ns)
            lease.requests_ref, lease.requests_time = proof, observation.time_ns
        lease.hostname = machines.share(event.host_name or lease.hostname)
        lease.fqdn = event.fqdn or lease.fqdn
        wanted = event.requested_address or event.client_address
        if not lease.address and wanted != UNSPECIFIED:
            lease.address = wanted or ""
        return
    if lease is None:
        bounded(leases, MAX_LEASES)
        lease = leases[mac] = Lease(mac, proof, observation.time_ns)
    if kind == OFFER:
        lease.offer = proof
        lease.server = machines.share(event.server_id or "")
    elif kind == NAK:
        lease.nak = proof
        lease.server = machines.share(event.server_id or lease.server)
    elif kind == ACK:
        lease.ack, lease.ack_time, lease.requests, lease.cut = proof, observation.time_ns, 0, False
        machines.latest_message = lease
        lease.server = machines.share(event.server_id or lease.server)
        suffix = event.option(DOMAIN_NAME)
        lease.suffix = machines.share(suffix) if suffix is not None else None
        lease.dns = machines.share(event.dns_servers) if event.option(DNS_SERVERS) is not None else None
        lease.seconds = event.lease_time or 0
        lease.fqdn = event.fqdn or lease.fqdn
        if event.your_address != UNSPECIFIED:
            lease.address = event.your_address


def take_dhcpv6(machines: Machines, observation: Observation, event: Dhcpv6Message) -> None:
    """A DHCPv6 message."""
    machines.story.seen.add("dhcpv6")
    mac: str = event.mac
    if not mac:
        return
    key = f"v6 {mac}"
    leases = machines.story.leases
    lease = leases.get(key)
    proof = machines.ref(observation)
    if lease is None:
        bounded(leases, MAX_LEASES)
        lease = leases[key] = Lease(mac, proof, observation.time_ns, v6=True)
    if event.message_type == REPLY6:
        lease.ack, lease.ack_time, lease.cut = proof, observation.time_ns, False
        machines.latest_message = lease
        if event.domains:
            lease.suffix = machines.share(" ".join(event.domains).encode())
        if event.dns_servers:
            lease.dns = machines.share(event.dns_servers)
        if event.leases:
            lease.address = event.leases[0].address
    elif event.message_type in (SOLICIT6, REQUEST6):
        lease.requests += 1
        lease.requests_ref = proof
    lease.fqdn = event.fqdn or lease.fqdn
