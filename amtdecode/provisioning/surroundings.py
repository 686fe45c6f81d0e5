"""What surrounds a machine: leases, names, ARP, ICMP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amtdecode.provisioning.facts import DEVICE_PORTS, HELLO_PORT, Lease, Lookup, Mark
from amtdecode.provisioning.tracker import MAX_ADDRESSES, MAX_LEASES, MAX_NAMES, bounded

if TYPE_CHECKING:
    from amtdecode.model import Observation
    from amtdecode.provisioning.tracker import Tracker

DISCOVER, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE, INFORM = range(1, 9)  # RFC 2132 §9.6
REPLY6, SOLICIT6, REQUEST6 = 7, 1, 3  # RFC 8415 §7.3
DOMAIN_NAME, DNS_SERVERS = 15, 6
UNSPECIFIED = "0.0.0.0"  # noqa: S104 - an address seen, not bound to
PTR = 12
MAX_OTHER_ANSWERS = 3  # earlier, different answers kept of one name
RECENT_NAMES = 4  # name lookups kept of one host
MAX_HOSTS = 1024  # hosts whose recent lookups are kept
PROVISION_SERVER = "provisionserver"


def dhcp(tracker: Tracker, observation: Observation) -> None:
    """A DHCPv4 message."""
    event: Any = observation.event
    mac: str = event.mac
    tracker.story.seen.add("dhcp")
    if not mac:
        return
    leases = tracker.story.leases
    kind = event.message_type
    proof = tracker.ref(observation)
    lease = leases.get(mac)
    if kind in (DISCOVER, REQUEST, INFORM):
        if lease is None or (lease.ack and kind == DISCOVER):
            if lease is not None and (device := tracker.find_by(mac=mac)) is not None:
                device.leases = (*device.leases, lease)[-MAX_KEPT_LEASES:]
            bounded(leases, MAX_LEASES)
            lease = leases[mac] = Lease(mac, proof, observation.time_ns)
        if kind != INFORM:
            lease.requests += 1
            lease.requests_ref = proof
        lease.hostname = tracker.share(event.host_name or lease.hostname)
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
        lease.server = tracker.share(event.server_id or "")
    elif kind == NAK:
        lease.nak = proof
        lease.server = tracker.share(event.server_id or lease.server)
    elif kind == ACK:
        lease.ack, lease.ack_time, lease.requests = proof, observation.time_ns, 0
        lease.server = tracker.share(event.server_id or lease.server)
        suffix = event.option(DOMAIN_NAME)
        lease.suffix = tracker.share(suffix) if suffix is not None else None
        lease.dns = tracker.share(event.dns_servers) if event.option(DNS_SERVERS) is not None else None
        lease.seconds = event.lease_time or 0
        lease.fqdn = event.fqdn or lease.fqdn
        if event.your_address != UNSPECIFIED:
            lease.address = event.your_address


MAX_KEPT_LEASES = 4  # earlier leases kept of one machine


def dhcpv6(tracker: Tracker, observation: Observation) -> None:
    """A DHCPv6 message."""
    event: Any = observation.event
    tracker.story.seen.add("dhcpv6")
    mac: str = event.mac
    if not mac:
        return
    key = f"v6 {mac}"
    leases = tracker.story.leases
    lease = leases.get(key)
    proof = tracker.ref(observation)
    if lease is None:
        bounded(leases, MAX_LEASES)
        lease = leases[key] = Lease(mac, proof, observation.time_ns, v6=True)
    if event.message_type == REPLY6:
        lease.ack, lease.ack_time = proof, observation.time_ns
        if event.domains:
            lease.suffix = tracker.share(" ".join(event.domains).encode())
        if event.dns_servers:
            lease.dns = tracker.share(event.dns_servers)
        if event.leases:
            lease.address = event.leases[0].address
    elif event.message_type in (SOLICIT6, REQUEST6):
        lease.requests += 1
        lease.requests_ref = proof
    lease.fqdn = event.fqdn or lease.fqdn


def dns(tracker: Tracker, observation: Observation) -> None:
    """A query or a response: for ProvisionServer, for the name of an address, or of a host about to be contacted."""
    event: Any = observation.event
    flow = observation.flow
    tracker.story.seen.add("dns")
    if flow is None or not event.name:
        return
    client, server = flow.client.address, flow.server.address
    if event.asks_for_provision_server and event.name[len(PROVISION_SERVER) :][:1] in ("", "."):
        _provision_server(tracker, observation, client, server)
    elif event.type == PTR:
        _reverse(tracker, observation, client, server)
    elif event.is_response and event.addresses:
        _other(tracker, observation, client, server)


def _lookup(tracker: Tracker, observation: Observation, client: str, server: str) -> Lookup:
    event: Any = observation.event
    names = tracker.story.lookups
    key = (client, event.name.lower().rstrip("."))
    lookup = names.get(key)
    if lookup is None:
        bounded(names, MAX_NAMES)
        proof = tracker.ref(observation)
        name = tracker.share(event.name)
        lookup = names[key] = Lookup(
            client, name, proof, observation.time_ns, server=tracker.share(server), kind=event.type
        )
    return lookup


def _fill(tracker: Tracker, observation: Observation, lookup: Lookup) -> None:
    event: Any = observation.event
    proof = tracker.ref(observation)
    if not event.is_response:
        lookup.queries += 1
        lookup.last_query, lookup.last_query_time = proof, observation.time_ns
        return
    addresses = event.addresses or tuple(event.values(PTR))
    if lookup.addresses and not addresses:
        return  # the answer to AAAA after that to A
    if (
        lookup.addresses
        and addresses
        and _differ(lookup.addresses, addresses)
        and len(lookup.others) < MAX_OTHER_ANSWERS
    ):
        lookup.others += (lookup.addresses,)
        lookup.other_refs += (lookup.answer,)
    lookup.answer, lookup.answer_time, lookup.rcode = proof, observation.time_ns, event.reply_code
    lookup.addresses = tracker.share(tuple(addresses))
    lookup.aliases = tracker.share(tuple(event.values(5)))


def _differ(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether two answers of one kind (A or AAAA) disagree."""
    return (":" in one[0]) == (":" in other[0]) and set(one) != set(other)


def _provision_server(tracker: Tracker, observation: Observation, client: str, server: str) -> None:
    event: Any = observation.event
    device = tracker.find(client)
    if server not in tracker.resolvers and server != client:
        bounded(tracker.resolvers, MAX_HOSTS)
        tracker.resolvers[server] = None
    if device is None and (event.is_response or client in tracker.resolvers):
        return  # a resolver's talk with another one, or an answer nobody asked for here
    device = tracker.machine_at(client, observation.time_ns, tracker.ref(observation))
    lookup = _lookup(tracker, observation, client, server)
    tracker.add_lookup(device, lookup)
    _fill(tracker, observation, lookup)


def _reverse(tracker: Tracker, observation: Observation, client: str, server: str) -> None:
    event: Any = observation.event
    address = reversed_address(event.name)
    if not address:
        return
    reverse = tracker.story.reverse
    known = reverse.get(address)
    if known is None:
        bounded(reverse, MAX_ADDRESSES)
        known = reverse[address] = []
    lookup = next((each for each in known if each.client == client), None)
    if lookup is None:
        lookup = Lookup(client, event.name, tracker.ref(observation), observation.time_ns, server=server, kind=PTR)
        known.append(lookup)
        del known[:-MAX_OTHER_ANSWERS]
    _fill(tracker, observation, lookup)


def reversed_address(name: str) -> str:
    """The IPv4 or IPv6 address a reverse name asks about; "" when it is none (RFC 1035 §3.5, RFC 3596 §2.5)."""
    labels = name.lower().rstrip(".").split(".")
    if labels[-2:] == ["in-addr", "arpa"] and len(labels) == 6:
        return ".".join(reversed(labels[:4]))
    if labels[-2:] == ["ip6", "arpa"] and len(labels) == 34:
        from ipaddress import ip_address

        digits = "".join(reversed(labels[:32]))
        try:
            return str(ip_address(bytes.fromhex(digits)))
        except ValueError:
            return ""
    return ""


def _other(tracker: Tracker, observation: Observation, client: str, server: str) -> None:
    """A host learns the address of a name: remembered in case it contacts a machine there."""
    event: Any = observation.event
    if client not in tracker.story.hello_servers:
        return
    known = tracker.resolved.get(client)
    if known is None:
        bounded(tracker.resolved, MAX_HOSTS)
        known = tracker.resolved[client] = []
    lookup = Lookup(client, event.name, tracker.ref(observation), observation.time_ns, server=server, kind=event.type)
    _fill(tracker, observation, lookup)
    known.append(lookup)
    del known[:-RECENT_NAMES]


def arp(tracker: Tracker, observation: Observation) -> None:
    """Who has an address, and whether anybody answers."""
    event: Any = observation.event
    data: bytes = event.data
    story = tracker.story
    story.seen.add("arp")
    if data[7] == 1:
        if data[14:18] == data[24:28] or data[14:18] == b"\0\0\0\0":
            return  # an announcement or a probe
        address = event.target_address
        mark = story.arp.get(address)
        if mark is None or mark.value:
            if mark is not None:
                del story.arp[address]
            bounded(story.arp, MAX_ADDRESSES)
            story.arp[address] = Mark(tracker.ref(observation), observation.time_ns)
        else:
            mark.count += 1
    else:
        address = event.source_address
        mark = story.arp.get(address)
        if mark is not None:
            mark.value = 1
        if (device := tracker.find(address)) is not None:
            tracker.name(device, mac=event.source_mac)


def icmp(tracker: Tracker, observation: Observation) -> None:
    """A router or host says that a packet did not arrive."""
    event: Any = observation.event
    flow = observation.flow
    if flow is None or (flow.server.port not in DEVICE_PORTS and flow.server.port != HELLO_PORT):
        return
    errors = tracker.story.icmp
    address = flow.server.address
    mark = errors.get(address)
    if mark is None:
        bounded(errors, MAX_ADDRESSES)
        text = f"{event.meaning}, says {event.reporter}"
        errors[address] = Mark(tracker.ref(observation), observation.time_ns, name=event.reporter, text=text)
    else:
        mark.count += 1


HANDLERS = {"DhcpMessage": dhcp, "Dhcpv6Message": dhcpv6, "DnsMessage": dns, "ArpMessage": arp, "IcmpError": icmp}
