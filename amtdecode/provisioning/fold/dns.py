"""DNS: the name ProvisionServer, the names of addresses, of hosts about to be contacted, of servers machines call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.provisioning.keeping import add_lookup
from amtdecode.provisioning.state import Lookup, ServerLookup
from amtdecode.provisioning.state.tables import MAX_ADDRESSES, MAX_HOSTS, MAX_NAMES, bounded, is_copy

if TYPE_CHECKING:
    from amtdecode.model import Observation
    from amtdecode.protocols.dns.message import DnsMessage
    from amtdecode.provisioning.machines import Machines

A, CNAME, PTR = 1, 5, 12  # RFC 1035 §3.2.2
MAX_OTHER_ANSWERS = 3  # earlier, different answers kept of one name
RECENT_NAMES = 4  # name lookups kept of one host
PROVISION_SERVER = "provisionserver"


def take_dns(machines: Machines, observation: Observation, event: DnsMessage) -> None:
    """A query or a response: for ProvisionServer, for the name of an address, or of a host about to be contacted."""
    flow = observation.flow
    machines.story.seen.add("dns")
    if flow is None or not event.name:
        return
    client, server = flow.client.address, flow.server.address
    if event.asks_for_provision_server and event.name[len(PROVISION_SERVER) :][:1] in ("", "."):
        _provision_server(machines, observation, event, client, server)
    elif event.type == PTR:
        _reverse(machines, observation, event, client, server)
    else:
        _of_server(machines, observation, event, client, server)
        if event.is_response and event.addresses:
            _other(machines, observation, event, client, server)


def _lookup(machines: Machines, observation: Observation, event: DnsMessage, client: str, server: str) -> Lookup:
    names = machines.story.lookups
    key = (client, event.name.lower().rstrip("."))
    lookup = names.get(key)
    if lookup is None:
        bounded(names, MAX_NAMES)
        proof = machines.ref(observation)
        name = machines.share(event.name)
        lookup = names[key] = Lookup(
            client, name, proof, observation.time_ns, server=machines.share(server), kind=event.type
        )
    return lookup


def _fill(machines: Machines, observation: Observation, event: DnsMessage, lookup: Lookup) -> None:
    proof = machines.ref(observation)
    if not event.is_response:
        lookup.queries += not is_copy(lookup.last_query_time, observation.time_ns)
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
    machines.latest_message = lookup
    lookup.cut = event.is_truncated and not addresses
    lookup.answer, lookup.answer_time, lookup.rcode = proof, observation.time_ns, event.reply_code
    lookup.addresses = machines.share(tuple(addresses))
    lookup.aliases = machines.share(tuple(event.values(CNAME)))


def _differ(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether two answers of one kind (A or AAAA) disagree."""
    return (":" in one[0]) == (":" in other[0]) and set(one) != set(other)


def _provision_server(
    machines: Machines, observation: Observation, event: DnsMessage, client: str, server: str
) -> None:
    device = machines.find(client)
    if server not in machines.resolvers and server != client:
        bounded(machines.resolvers, MAX_HOSTS)
        machines.resolvers[server] = None
    if device is None and (event.is_response or client in machines.resolvers):
        return  # a resolver's talk with another one, or an answer nobody asked for here
    device = machines.machine_at(client)
    lookup = _lookup(machines, observation, event, client, server)
    add_lookup(device, lookup)
    _fill(machines, observation, event, lookup)


def _reverse(machines: Machines, observation: Observation, event: DnsMessage, client: str, server: str) -> None:
    address = reversed_address(event.name)
    if not address:
        return
    reverse = machines.story.reverse
    known = reverse.get(address)
    if known is None:
        bounded(reverse, MAX_ADDRESSES)
        known = reverse[address] = []
    lookup = next((each for each in known if each.client == client), None)
    if lookup is None:
        lookup = Lookup(client, event.name, machines.ref(observation), observation.time_ns, server=server, kind=PTR)
        known.append(lookup)
        del known[:-MAX_OTHER_ANSWERS]
    _fill(machines, observation, event, lookup)


def _of_server(machines: Machines, observation: Observation, event: DnsMessage, client: str, server: str) -> None:
    """The name of a server that machines call. What else there is of other names says only where they lead."""
    lookups = machines.story.server_lookups
    key = (client, event.name.lower().rstrip("."))
    lookup = lookups.get(key)
    proof, time = machines.ref(observation), observation.time_ns
    if lookup is None:
        if event.is_response and event.addresses:
            return
        bounded(lookups, MAX_NAMES)
        lookup = lookups[key] = ServerLookup(client, machines.share(event.name), proof, time, machines.share(server))
        for (asker, _), named in machines.named.items():  # told at once, while the rest was held back
            if asker == client and named.name.lower().rstrip(".") == key[1]:
                lookup.found, lookup.addresses = named.answer, named.addresses
    if not event.is_response:
        if not is_copy(lookup.last_query_time, time):
            lookup.queries += 1
            lookup.waiting += 1
        lookup.last_query, lookup.last_query_time = proof, time
        return
    lookup.waiting = 0
    lookup.cut = event.is_truncated and not event.addresses
    if event.addresses:
        lookup.found, lookup.addresses = proof, machines.share(event.addresses)
    elif event.reply_code or (event.type == A and not event.is_truncated):  # many names have no AAAA
        if not is_copy(lookup.failed_time, time):
            lookup.failures += 1
        lookup.failed, lookup.failed_time, lookup.rcode = proof, time, event.reply_code


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


def _other(machines: Machines, observation: Observation, event: DnsMessage, client: str, server: str) -> None:
    """A host learns the address of a name: remembered in case it contacts a machine there, or is one and calls home."""
    lookup = Lookup(
        client,
        machines.share(event.name),
        machines.ref(observation),
        observation.time_ns,
        server=server,
        kind=event.type,
    )
    _fill(machines, observation, event, lookup)
    named = machines.named
    for address in lookup.addresses:
        if named.pop((client, address), None) is None:
            bounded(named, MAX_NAMES)
        named[client, address] = lookup
    if client not in machines.story.hello_servers:
        return
    known = machines.resolved.get(client)
    if known is None:
        bounded(machines.resolved, MAX_HOSTS)
        known = machines.resolved[client] = []
    known.append(lookup)
    del known[:-RECENT_NAMES]
