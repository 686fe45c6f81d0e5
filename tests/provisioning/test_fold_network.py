"""What DHCP, DNS, ARP, ICMP, connections and the health of captures add to the story, message by message."""

from by_hand import DESK, MAC, SCS, at, hello, lookup, put

from amtdecode.capture.health import Health
from amtdecode.flow.events import Connection
from amtdecode.model import Endpoint, FlowKey, Observation
from amtdecode.net.icmp import IcmpError
from amtdecode.protocols.arp import ArpMessage
from amtdecode.protocols.dhcp.v4 import DhcpMessage
from amtdecode.protocols.dhcp.v6 import Dhcpv6Message
from amtdecode.protocols.dhcp.v6 import Lease as Lease6
from amtdecode.protocols.dns.message import Answer, DnsMessage
from amtdecode.provisioning.fold import arp, dhcp, dns, health, icmp
from amtdecode.provisioning.fold.connections import take_connection
from amtdecode.provisioning.machines import Machines
from amtdecode.provisioning.state import Lease, Lookup
from amtdecode.provisioning.state.incidents import ClearRedirection, ContactElsewhere
from amtdecode.provisioning.state.placeholders import tells_apart
from pcaps.build import packed

OTHER, THIRD, RESOLVER = "192.0.2.80", "192.0.2.81", "192.0.2.53"
UUID = "4c4c4544-0031-4710-8058-b4c04f4a3232"
DISCOVER, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE, INFORM = range(1, 9)


# -- DHCP --------------------------------------------------------------------------------------------------------------


class Dhcp:
    """Messages of one card, and the lease that becomes of them."""

    def __init__(self) -> None:
        self.machines = Machines()

    def say(self, packet: int, kind: int, *options: tuple[int, bytes], seconds: float | None = None, **more) -> Lease:
        message = DhcpMessage(1, 7, more.pop("mac", MAC), options=((53, bytes([kind])), *options), **more)
        put(dhcp.take_dhcp, self.machines, message, packet, seconds)
        return self.lease

    @property
    def lease(self) -> Lease:
        return self.machines.story.leases[MAC]


def test_a_lease_from_its_first_message_to_its_acknowledgement() -> None:
    known = Dhcp()
    known.say(1, DISCOVER, (12, b"desk"))
    lease = known.say(2, OFFER, (54, packed(RESOLVER)))
    assert (lease.ref, lease.time, lease.offer, lease.server) == (1, at(1), 2, RESOLVER)
    lease = known.say(3, REQUEST, (50, packed(DESK)))
    assert (lease.requests, lease.requests_ref, lease.requests_time) == (2, 3, at(3))
    assert (lease.address, lease.hostname, lease.ack) == (DESK, "desk", 0)
    options = (15, b"example.com"), (6, packed(SCS) + packed(RESOLVER)), (51, b"\0\0\x0e\x10")
    lease = known.say(4, ACK, *options, your_address=OTHER)
    assert (lease.ack, lease.ack_time, lease.requests, lease.server) == (4, at(4), 0, RESOLVER)
    assert (lease.suffix, lease.dns, lease.seconds, lease.address) == (b"example.com", (SCS, RESOLVER), 3600, OTHER)
    assert known.machines.latest_message is lease
    assert known.machines.story.seen == {"dhcp"}


def test_options_that_are_absent_and_options_that_are_empty() -> None:
    lease = Dhcp().say(1, ACK, your_address=DESK)
    assert (lease.suffix, lease.dns, lease.seconds, lease.server) == (None, None, 0, "")
    lease = Dhcp().say(1, ACK, (15, b""), (6, b""))
    assert (lease.suffix, lease.dns, lease.address) == (b"", (), "")
    known = Dhcp()
    known.say(1, REQUEST, client_address=DESK)
    assert known.say(2, ACK).address == DESK  # the answer to INFORM gives no address
    known.say(3, ACK, (15, b"example.com"))
    assert known.say(4, ACK).suffix is None  # the latest one counts


def test_requests_that_nobody_answers_are_counted_but_no_copies() -> None:
    known = Dhcp()
    known.say(1, DISCOVER, seconds=1)
    lease = known.say(2, DISCOVER, seconds=1.05)
    assert (lease.requests, lease.requests_ref) == (1, 2)
    assert known.say(3, REQUEST, seconds=2).requests == 2
    assert known.say(4, INFORM, seconds=3).requests == 2
    assert (lease.requests_ref, lease.requests_time) == (3, at(2))
    assert Dhcp().say(1, INFORM).requests == 0
    for kind in (DECLINE, RELEASE):
        assert Dhcp().say(1, kind).requests == 0


def test_the_address_that_is_asked_for_first_counts() -> None:
    known = Dhcp()
    assert known.say(1, DISCOVER).address == ""
    assert known.say(2, REQUEST, (50, packed(DESK))).address == DESK
    assert known.say(3, REQUEST, (50, packed(OTHER))).address == DESK
    assert Dhcp().say(1, REQUEST, (50, packed("0.0.0.0"))).address == ""
    assert Dhcp().say(1, REQUEST, client_address=OTHER).address == OTHER


def test_a_refusal_names_the_server() -> None:
    known = Dhcp()
    known.say(1, REQUEST)
    known.say(2, OFFER, (54, packed(RESOLVER)))
    lease = known.say(3, NAK)
    assert (lease.nak, lease.server, lease.ack) == (3, RESOLVER, 0)
    assert known.say(4, NAK, (54, packed(SCS))).server == SCS
    assert Dhcp().say(5, NAK).ref == 5


def test_a_machine_that_looks_for_a_lease_anew_keeps_the_earlier_one() -> None:
    known = Dhcp()
    device = known.machines.machine_at(DESK)
    known.machines.name(device, mac=MAC)
    known.say(1, DISCOVER)
    known.say(2, DISCOVER)
    assert device.leases == ()  # no lease yet
    granted = known.say(3, ACK, your_address=DESK)
    assert known.say(4, REQUEST) is granted  # it renews
    assert known.say(5, DISCOVER) is not granted
    assert device.leases == (granted,)
    for round_ in range(5):
        known.say(10 + 2 * round_, ACK)
        known.say(11 + 2 * round_, DISCOVER)
    assert [lease.ref for lease in device.leases] == [11, 13, 15, 17]
    stranger = Dhcp()
    stranger.say(1, ACK)
    assert stranger.say(2, DISCOVER).ref == 2


def test_a_card_that_is_not_ethernets_has_no_lease() -> None:
    machines = Machines()
    put(dhcp.take_dhcp, machines, DhcpMessage(1, 7, "", options=((53, b"\1"),)), 1)
    put(dhcp.take_dhcpv6, machines, Dhcpv6Message(1, 7), 2)
    assert (machines.story.leases, machines.story.seen) == ({}, {"dhcp", "dhcpv6"})


def test_dhcpv6() -> None:
    machines = Machines()
    duid = b"\0\3\0\1" + bytes.fromhex(MAC.replace(":", ""))

    def say(packet: int, kind: int, **more) -> Lease:
        put(dhcp.take_dhcpv6, machines, Dhcpv6Message(kind, 7, client_id=duid, **more), packet)
        return machines.story.leases[f"v6 {MAC}"]

    lease = say(1, 1, client_fqdn=b"\0\4desk\7example\3com\0")
    assert (lease.v6, lease.requests, lease.requests_ref, lease.fqdn) == (True, 1, 1, "desk.example.com")
    lease = say(2, 3)
    assert (lease.ref, lease.requests, lease.requests_ref, lease.ack) == (1, 2, 2, 0)
    assert say(3, 5).requests == 2  # RENEW: it has a lease
    leases = Lease6("2001:db8::30", 100, 200), Lease6("2001:db8::31", 100, 200)
    lease = say(4, 7, leases=leases, dns_servers=("2001:db8::53",), domain_list=b"\7example\3com\0\3lab\0")
    assert (lease.ack, lease.ack_time, lease.address, lease.dns) == (4, at(4), "2001:db8::30", ("2001:db8::53",))
    assert (lease.suffix, lease.fqdn) == (b"example.com lab", "desk.example.com")
    lease = say(5, 7)  # an answer without them takes nothing back
    assert (lease.ack, lease.address, lease.suffix) == (5, "2001:db8::30", b"example.com lab")


# -- DNS ---------------------------------------------------------------------------------------------------------------

NAME = "ProvisionServer.example.com"
A, CNAME, PTR, AAAA = 1, 5, 12, 28
RESPONSE, TRUNCATED = 0x8000, 0x0200


class Dns:
    """Messages of one host and its resolver."""

    def __init__(self) -> None:
        self.machines = Machines()

    def say(
        self, packet: int, *answers: tuple[int, str], name: str = NAME, kind: int = A, flags: int | None = None, **more
    ) -> None:
        said = RESPONSE * bool(answers) if flags is None else flags
        message = DnsMessage(
            1, said, name, kind, len(answers), tuple(Answer(name, type_, 60, value) for type_, value in answers)
        )
        key = FlowKey("udp", 0, Endpoint(more.pop("client", DESK), 40000), Endpoint(more.pop("server", RESOLVER), 53))
        put(dns.take_dns, self.machines, message, packet, more.pop("seconds", None), key=key)

    def lookup(self, name: str = NAME, client: str = DESK) -> Lookup:
        return self.machines.story.lookups[client, name.lower()]


def test_a_name_that_is_asked_for_and_found() -> None:
    known = Dns()
    known.say(1)
    known.say(2, seconds=1.05)  # captured twice
    known.say(3)
    found = known.lookup()
    assert (found.client, found.server, found.name, found.kind, found.ref, found.time) == (
        DESK, RESOLVER, NAME, A, 1, at(1),
    )  # fmt: skip
    assert (found.queries, found.last_query, found.last_query_time, found.answer, found.rcode) == (2, 3, at(3), 0, -1)
    known.say(4, (CNAME, "scs.example.com"), (A, SCS))
    assert (found.answer, found.answer_time, found.rcode, found.addresses) == (4, at(4), 0, (SCS,))
    assert (found.aliases, found.cut, found.others) == (("scs.example.com",), False, ())
    (device,) = known.machines.present()
    assert (device.lookups, device.address) == ((found,), DESK)
    assert known.machines.latest_message is found
    known.say(5, name="provisionserver")
    assert len(device.lookups) == 2


def test_an_answer_without_an_address() -> None:
    known = Dns()
    known.say(1)
    known.say(2, flags=RESPONSE | 3)
    assert (known.lookup().rcode, known.lookup().answer, known.lookup().cut) == (3, 2, False)
    known.say(3, flags=RESPONSE | TRUNCATED)
    assert (known.lookup().rcode, known.lookup().cut) == (0, True)
    known.say(4, (A, SCS), flags=RESPONSE | TRUNCATED)
    assert (known.lookup().addresses, known.lookup().cut) == ((SCS,), False)
    known.say(5, flags=RESPONSE | 3, kind=AAAA)  # there is no AAAA record; the A record stands
    assert (known.lookup().addresses, known.lookup().rcode, known.lookup().answer) == ((SCS,), 0, 4)


def test_answers_that_differ_are_kept() -> None:
    known = Dns()
    known.say(1)
    known.say(2, (A, SCS), (A, OTHER))
    known.say(3, (A, OTHER), (A, SCS))  # the order changes
    assert known.lookup().others == ()
    known.say(4, (AAAA, "2001:db8::1"), kind=AAAA)  # of another kind
    assert known.lookup().others == ()
    known.say(5, (AAAA, "2001:db8::2"), kind=AAAA)
    assert (known.lookup().others, known.lookup().other_refs) == ((("2001:db8::1",),), (4,))
    for packet in range(6, 12):
        known.say(packet, (AAAA, f"2001:db8::{packet}"), kind=AAAA)
    assert known.lookup().other_refs == (4, 5, 6)
    assert known.lookup().addresses == ("2001:db8::11",)


def test_who_asks_for_provisionserver() -> None:
    known = Dns()
    known.say(1, (A, SCS))  # an answer that nobody asked for here
    assert known.machines.devices == []
    known.say(2, name="provisionserverx.example.com")
    known.say(3, name="www.example.com")
    assert known.machines.devices == []
    known.say(4, client=DESK)
    known.say(5, client=RESOLVER, server=THIRD)  # the resolver asks its own
    assert [device.address for device in known.machines.present()] == [DESK]
    known.say(6, client=OTHER, server=OTHER)  # a resolver on the host itself
    assert known.machines.resolvers == {RESOLVER: None, THIRD: None}
    known.say(7, name="")
    flowless = DnsMessage(1, 0, NAME, A, 0)
    put(dns.take_dns, known.machines, flowless, 8)
    assert len(known.machines.story.lookups) == 2


def test_names_of_addresses() -> None:
    known = Dns()
    reverse = "30.2.0.192.in-addr.arpa"
    for packet, client in ((1, SCS), (2, OTHER), (4, SCS)):
        known.say(packet, name=reverse, kind=PTR, client=client)
    known.say(5, (PTR, "desk.example.com"), name=reverse, kind=PTR, client=SCS)
    one, two = known.machines.story.reverse[DESK]
    assert (one.client, one.ref, one.queries, one.answer, one.addresses) == (SCS, 1, 2, 5, ("desk.example.com",))
    assert (one.kind, one.name, one.time, one.server) == (PTR, reverse, at(1), RESOLVER)
    assert (two.client, two.ref, two.answer, two.rcode) == (OTHER, 2, 0, -1)
    for packet in range(6, 9):
        known.say(packet, name=reverse, kind=PTR, client=f"198.51.100.{packet}")
    assert [each.ref for each in known.machines.story.reverse[DESK]] == [6, 7, 8]
    known.say(9, name="example.com", kind=PTR)
    assert list(known.machines.story.reverse) == [DESK]
    assert known.machines.devices == []


def test_a_setup_server_looks_up_a_machine() -> None:
    known = Dns()
    known.machines.story.hello_servers[SCS] = 1
    for packet in range(2, 8):
        known.say(packet, (A, f"192.0.2.{packet}"), name=f"desk-{packet}.example.com", client=SCS)
    kept = known.machines.resolved[SCS]
    assert [(each.ref, each.addresses) for each in kept] == [(at_, (f"192.0.2.{at_}",)) for at_ in range(4, 8)]
    assert (kept[-1].name, kept[-1].answer, kept[-1].client) == ("desk-7.example.com", 7, SCS)
    known.say(8, (CNAME, "x.example.com"), name="www.example.com", client=SCS)
    known.say(9, name="desk-9.example.com", client=SCS)
    known.say(10, (A, OTHER), name="desk-9.example.com", client=OTHER)
    assert ([each.ref for each in kept], list(known.machines.resolved)) == ([4, 5, 6, 7], [SCS])


# -- ARP and ICMP ------------------------------------------------------------------------------------------------------


def test_arp_requests_and_their_answers() -> None:
    machines = Machines()

    def say(packet: int, kind: int, sender: str, target: str, seconds: float | None = None) -> None:
        card = bytes.fromhex("00005e005301")
        data = b"\0\1\x08\0\6\4\0" + bytes([kind]) + card + packed(sender) + bytes(6) + packed(target)
        put(arp.take_arp, machines, ArpMessage(data), packet, seconds)

    say(1, 1, SCS, DESK)
    say(2, 1, SCS, DESK, 1.05)  # captured twice
    say(3, 1, SCS, DESK)
    query = machines.story.arp[DESK]
    assert (query.ref, query.time, query.last_time, query.count, query.answered) == (1, at(1), at(3), 2, False)
    say(4, 1, OTHER, OTHER)  # an announcement
    say(5, 1, "0.0.0.0", THIRD)  # a probe
    say(6, 2, THIRD, SCS)
    assert list(machines.story.arp) == [DESK]
    say(7, 2, DESK, SCS)
    assert query.answered
    say(8, 1, SCS, DESK)
    again = machines.story.arp[DESK]
    assert (again.ref, again.count, again.answered, again.last_time) == (8, 1, False, at(8))
    assert machines.story.seen == {"arp"}
    device = machines.machine_at(DESK)
    say(10, 1, DESK, SCS)
    assert device.mac == ""
    say(11, 2, DESK, SCS)
    assert device.mac == "00:00:5e:00:53:01"


def test_icmp_errors_about_ports_of_amt() -> None:
    machines = Machines()

    def say(packet: int, port: int, server: str = DESK) -> None:
        key = FlowKey("tcp", 3, Endpoint(SCS, 40000), Endpoint(server, port))
        error = IcmpError(3, 1, f"host unreachable {packet}", "192.0.2.1")
        put(icmp.take_icmp, machines, error, packet, key=key)

    say(1, 443)
    assert machines.story.icmp == {}
    say(2, 16993)
    say(3, 9971)
    say(4, 16992, OTHER)
    error = machines.story.icmp[DESK]
    assert (error.ref, error.time, error.count) == (2, at(2), 2)
    assert (error.meaning, error.reporter) == ("host unreachable 2", "192.0.2.1")
    assert machines.story.icmp[OTHER].count == 1
    put(icmp.take_icmp, machines, IcmpError(3, 1, "", ""), 5)
    assert list(machines.story.icmp) == [DESK, OTHER]


# -- health ------------------------------------------------------------------------------------------------------------


def test_when_captures_begin_and_end() -> None:
    machines = Machines()

    def read(name: str, first: int | None, last: int | None, *holes: tuple[int, int]) -> None:
        event = Health(9, first=first, last=last, holes=holes)
        health.take_health(machines, Observation(event, 0, (), None, name), event)

    story = machines.story
    read("a.pcap", None, None)
    assert (story.first, story.last, story.covered) == (None, None, ())
    read("b.pcap", 50, 100, (60, 80))
    assert (story.first, story.last, story.covered) == (50, 100, ((50, 60), (80, 100)))
    read("c.pcap", 10, 20)
    assert (story.first, story.last, story.covered) == (10, 100, ((10, 20), (50, 60), (80, 100)))
    read("d.pcap", 20, 55)
    assert story.covered == ((10, 60), (80, 100))
    read("e.pcap", 85, 90)
    assert story.covered == ((10, 60), (80, 100))
    read("f.pcap", 70, 70)
    assert story.covered == ((10, 60), (70, 70), (80, 100))
    read("g.pcap", 300, 200)  # its clock went back
    assert story.covered == ((10, 60), (70, 70), (80, 100))
    assert (sorted(story.health), story.inputs[1], story.health[1].holes) == ([*range(7)], "b.pcap", ((60, 80),))


# -- connections -------------------------------------------------------------------------------------------------------


class Tcp:
    """Ends of connections, and the machines they belong to."""

    def __init__(self) -> None:
        self.machines = Machines()

    def ends(self, packet: int, port: int, state: str = "closed", *, client: str = SCS, server: str = DESK, **more):
        said = {
            "syn_count": 1,
            "client_bytes": 0,
            "server_bytes": 0,
            "first_time_ns": at(packet - 2),
            "last_time_ns": at(packet),
            "closed_by": "client",
        } | more
        number = said.pop("number", packet)
        key = FlowKey("tcp", number, Endpoint(client, 40000), Endpoint(server, port))
        put(take_connection, self.machines, Connection(state, **said), packet, key=key, first=packet - 2)

    @property
    def addresses(self) -> list[str]:
        return [device.address for device in self.machines.present()]


def test_how_a_connection_fared() -> None:
    known = Tcp()
    known.ends(9, 16993, "half-closed", syn_count=3, client_bytes=4, server_bytes=5, client_missing=6, server_missing=7,
               broken_by="server", closed_by="server", number=2)  # fmt: skip
    (device,) = known.machines.present()
    (session,) = device.sessions
    assert (session.state, session.syn_count, session.client_bytes, session.server_bytes) == ("half-closed", 3, 4, 5)
    assert (session.fate.client_missing, session.fate.server_missing, session.only) == (6, 7, "")
    assert (session.who_closed, session.broken_by, session.number) == ("server", "server", 2)
    assert (session.ref, session.time, session.last_ref, session.last_time) == (7, at(7), 9, at(9))
    assert known.machines.flows == {}
    assert known.machines.story.seen == {"tcp"}


def test_whose_connection_it_is() -> None:
    for port in (16992, 16993, 16994, 16995, 623, 664):
        known = Tcp()
        known.ends(9, port)
        assert known.addresses == [DESK]
    for state, expected in (("refused", [SCS]), ("unanswered", [SCS]), ("closed", [])):
        known = Tcp()
        known.ends(9, 9971, state, client_mac=MAC)  # a hello that did not come through
        assert known.addresses == expected
        assert [device.mac for device in known.machines.present()] == [MAC] * bool(expected)
    known = Tcp()
    known.ends(9, 4433)
    assert [(device.address, device.guessed) for device in known.machines.present()] == [(SCS, True)]
    for state, server, expected in (
        ("refused", OTHER, 1), ("unanswered", OTHER, 1), ("closed", OTHER, 0), ("refused", THIRD, 0)
    ):  # fmt: skip
        known = Tcp()
        device = known.machines.machine_at(DESK)
        device.lookups = (lookup(2, OTHER),)
        known.ends(9, 9972, state, client=DESK, server=server)  # ProvisionServer on another port
        assert len(device.sessions) == expected
    known = Tcp()
    known.ends(9, 9972, "refused", client=DESK, server=OTHER)
    assert known.addresses == []


def test_a_connection_that_carried_a_hello_tells_its_card() -> None:
    known = Tcp()
    device = known.machines.machine_with(UUID, DESK)
    said = hello(8, mac="", vlan=-1)
    known.machines.flows[3] = device, said
    known.ends(9, 9971, client=DESK, server=SCS, number=3, client_mac=MAC, vlan=7)
    assert (said.mac, said.vlan, device.mac, device.sessions) == (MAC, 7, MAC, ())
    assert known.machines.flows == {}


def test_connections_that_are_none_of_amts() -> None:
    known = Tcp()
    known.machines.not_amt[3] = None
    known.ends(9, 4433, number=3)
    assert (known.addresses, known.machines.not_amt) == ([], {})
    put(take_connection, known.machines, Connection("closed", 1, 0, 0, 0, 0, ""), 10)
    assert known.addresses == []


def test_redirection_without_tls() -> None:
    for port, more, expected in (
        (16994, {"client_bytes": 1, "server_bytes": 1}, 1),
        (16994, {"client_bytes": 1}, 0),
        (16994, {"server_bytes": 1}, 0),
        (16995, {"client_bytes": 1, "server_bytes": 1}, 0),
        (16994, {"client_bytes": 1, "server_bytes": 1, "client": DESK}, 0),
    ):
        known = Tcp()
        known.ends(9, port, **more)
        (device,) = known.machines.present()
        found = device.incidents_of(ClearRedirection)
        assert [(each.ref, each.time, each.client) for each in found] == [(7, at(7), SCS)] * expected


def test_a_connection_ends_after_its_machine_turned_out_to_be_another() -> None:
    known = Tcp()
    device = known.machines.machine_with(UUID, OTHER)
    key = FlowKey("tcp", 5, Endpoint(SCS, 40000), Endpoint(DESK, 16994))
    session = known.machines.begin(known.machines.machine_at(DESK), key, at(3), 3)
    known.machines.machine_with(UUID, DESK)
    known.ends(9, 16994, "reset", number=5, client_bytes=1, server_bytes=1)
    (found,) = device.incidents_of(ClearRedirection)
    assert (found.ref, found.connection, session.state, session.last_ref) == (3, 5, "reset", 9)
    assert (device.sessions, [*known.machines.present()]) == ((session,), [device])


def test_the_capture_lacks_what_a_host_said() -> None:
    known = Tcp()
    sides = known.machines.story.sides
    known.ends(9, 443, client_bytes=1, server_bytes=1)
    assert sides == {}
    known.ends(10, 443, only="client")
    assert sides == {DESK: -1}
    known.ends(11, 443, only="server")
    assert sides == {DESK: -1, SCS: -1}
    known.ends(12, 443, only="client")
    assert sides[DESK] == -2
    known.ends(13, 443, client_bytes=1, server_bytes=1)
    assert sides == {DESK: -1, SCS: 0}
    known.ends(14, 443, client_bytes=1)
    known.ends(15, 443, server_bytes=1)
    assert sides == {DESK: -1, SCS: 0}


def elsewhere(*hellos, packet: int = 20, port: int = 16993, **more) -> list[ContactElsewhere]:
    """What is noted when the server contacts an address where nobody said hello."""
    known = Tcp()
    for number, said in enumerate(hellos):
        uuid = UUID[:-1] + str(number)
        known.machines.hello(known.machines.machine_with(uuid, said.source), said)
    known.machines.resolved[SCS] = [lookup(15, OTHER, name="desk.example.com"), lookup(16, THIRD, name="x")]
    known.ends(packet, port, server=more.pop("server", OTHER), **more)
    return [each for device in known.machines.present() for each in device.incidents_of(ContactElsewhere)]


def test_a_server_answers_a_hello_at_another_address() -> None:
    assert tells_apart(UUID[:-1] + "0")
    (found,) = elsewhere(hello(8, 8))
    assert (found.ref, found.time, found.server, found.address) == (18, at(18), SCS, OTHER)
    assert found.name == "desk.example.com"
    (found,) = elsewhere(hello(8, 8), server="192.0.2.99")
    assert found.name == ""
    assert len(elsewhere(hello(8, 8), packet=610)) == 1
    for none in (
        elsewhere(hello(8, 8), packet=611),
        elsewhere(hello(8, 19)),
        elsewhere(hello(8, 8, destination=THIRD)),
        elsewhere(hello(8, 8), client=THIRD),
        elsewhere(hello(8, 8), port=16994),
        elsewhere(hello(8, 8), server=DESK),
        elsewhere(hello(8, 8), first_time_ns=None),
        elsewhere(hello(8, 8), hello(9, 9, source=THIRD)),  # it may be meant for either
        elsewhere(),
    ):
        assert none == []
    assert len(elsewhere(hello(8, 8), hello(9, 9, source=THIRD, destination=THIRD))) == 1


def test_no_contact_elsewhere_once_the_machine_has_one() -> None:
    known = Tcp()
    known.machines.hello(known.machines.machine_with(UUID, DESK), hello(8, 8))
    known.ends(12, 16993)
    known.ends(20, 16993, server=OTHER)
    assert known.addresses == [DESK, OTHER]
