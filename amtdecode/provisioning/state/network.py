"""What surrounds a machine on its network: names, leases, ARP, ICMP."""

from __future__ import annotations

from amtdecode.provisioning.state.fact import Fact, Ref


class Lookup(Fact):
    """All queries of one host for one name."""

    client: str
    name: str
    ref: Ref
    time: int | None
    server: str = ""
    kind: int = 1  # DNS type
    queries: int = 0
    last_query: Ref = 0
    last_query_time: int | None = None
    answer: Ref = 0
    answer_time: int | None = None
    rcode: int = -1  # -1: no answer
    cut: bool = False  # the capture cut the answer: what it says is not known
    addresses: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    others: tuple[tuple[str, ...], ...] = ()  # earlier, different answers
    other_refs: tuple[Ref, ...] = ()

    @property
    def bare(self) -> bool:
        """The name has one label."""
        return "." not in self.name.rstrip(".")


class ServerLookup(Fact):
    """What one host asked about the name of a server that machines call (CIRA). A ref of 0: it did not come."""

    client: str
    name: str
    ref: Ref
    time: int | None
    server: str = ""
    queries: int = 0
    waiting: int = 0  # since the latest answer
    last_query: Ref = 0
    last_query_time: int | None = None
    failed: Ref = 0  # the latest answer without an address
    failed_time: int | None = None
    failures: int = 0
    rcode: int = 0  # of that
    cut: bool = False  # the latest answer is not whole: what it says is not known
    found: Ref = 0  # the latest answer with one
    addresses: tuple[str, ...] = ()


class Lease(Fact):
    """What DHCP gave, or did not give, to one MAC address. Options as sent: `None` where absent."""

    mac: str
    ref: Ref
    time: int | None
    address: str = ""
    server: str = ""
    requests: int = 0  # DISCOVER and REQUEST without an answer yet
    requests_ref: Ref = 0
    requests_time: int | None = None  # of the latest
    cut: bool = False  # the capture cut the ACK: its options are not all known
    offer: Ref = 0
    ack: Ref = 0
    ack_time: int | None = None
    nak: Ref = 0
    suffix: bytes | None = None  # option 15, or the search list of DHCPv6 option 24
    dns: tuple[str, ...] | None = None  # option 6
    hostname: str = ""  # option 12
    fqdn: str = ""  # option 81
    seconds: int = 0
    v6: bool = False


class PortLogin(Fact):
    """How the switch port of one MAC address let it in by 802.1X, or did not."""

    mac: str
    ref: Ref
    time: int | None
    identity: str = ""  # who it says it is
    identity_ref: Ref = 0
    method: int | None = None  # of EAP: the latest that was tried
    asked: int = 0  # times it was asked who it is, without an answer yet
    asked_ref: Ref = 0
    asked_time: int | None = None  # of the latest
    success: Ref = 0
    failure: Ref = 0
    ended_time: int | None = None  # of the latest success or failure
    failures: int = 0
    alert: int | None = None  # of TLS inside, since the machine last said who it is
    alert_ref: Ref = 0
    alert_of_machine: bool = False


class KdcError(Fact):
    """A KDC gives a client no ticket for a service."""

    ref: Ref
    time: int | None
    code: int
    spn: str
    realm: str
    client: str  # its address
    skew: int | None  # seconds by which the KDC's clock is ahead of the client's
    count: int = 1


class Neighbour(Fact):
    """A switch, by its LLDP: where the capture was made, or the machine is connected."""

    ref: Ref
    switch: str
    port: str
    vlan: int | None


class AddressQuery(Fact):
    """ARP requests, or RMCP pings, for one address. `answered` once somebody says that it is his, or answers."""

    ref: Ref
    time: int | None
    last_time: int | None = None
    count: int = 1
    answered: bool = False
    asker: str = ""  # who asks first


class Unreachable(Fact):
    """ICMP errors about packets to one address."""

    ref: Ref
    time: int | None
    meaning: str
    reporter: str  # address of the router or host that says so
    count: int = 1
