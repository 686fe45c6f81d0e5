"""What hellos, and messages that break off, add to the story of a machine, message by message."""

from by_hand import DESK, SCS, at, lease, lookup, put

from amtdecode.model import Endpoint, FlowKey, Gap, Malformed, Observation, Truncated
from amtdecode.protocols.hello import HelloAnswer, HelloMessage, PartialHello
from amtdecode.provisioning.fold import hello as fold_hello
from amtdecode.provisioning.machines import Machines
from amtdecode.provisioning.state.incidents import (
    HelloAnswered,
    MalformedHello,
)

OTHER = "192.0.2.80"
UUID, TWIN = "4c4c4544-0031-4710-8058-b4c04f4a3232", "5c4c4544-0031-4710-8058-b4c04f4a3232"


def greeted(packet: int, uuid: str = UUID, *, number: int = 5, source: str = DESK, machines: Machines | None = None):
    known = machines or Machines()
    key = FlowKey("tcp", number, Endpoint(source, 49152), Endpoint(SCS, 9971))
    put(fold_hello.take_hello, known, HelloMessage(1, 2, 3, uuid, pid="0000037M"), packet, key=key)
    return known


def test_a_hello_and_the_machine_that_says_it() -> None:
    known = greeted(7)
    (device,) = known.present()
    (said,) = device.hellos
    assert (said.ref, said.time, said.source, said.destination, said.port) == (7, at(7), DESK, SCS, 9971)
    assert (said.version, said.admin_credentials_set, said.retry_count, said.pid, said.hashes) == (
        2, 1, 3, "0000037M", (),
    )  # fmt: skip
    assert (device.uuid, known.flows[5]) == (UUID, (device, said))
    greeted(9, number=6, machines=known)
    assert (known.story.hello_servers, known.story.seen) == ({SCS: 7}, {"hello"})
    greeted(11, number=-1, machines=known)  # a message without a connection
    assert list(known.flows) == [5, 6]
    fold_hello.take_hello(
        known, Observation(HelloMessage(1, 2, 3, TWIN), 12, (), 0, "a.pcap"), HelloMessage(1, 2, 3, TWIN)
    )
    assert len(known.devices) == 1


def test_a_hello_that_is_cut_names_its_machine() -> None:
    known = Machines()
    key = FlowKey("tcp", 5, Endpoint(DESK, 49152), Endpoint(SCS, 9971))
    begun = PartialHello(HelloMessage(1, 3, 0, UUID), 4)
    put(fold_hello.take_beginning, known, begun, 7, key=key)
    put(fold_hello.take_beginning, known, begun, 8)
    (device,) = known.present()
    assert (device.uuid, device.address, device.hellos) == (UUID, DESK, ())


def test_a_hello_that_breaks_its_rules() -> None:
    for event, cut in (
        (Malformed("iamt.hello", "no UUID", b""), False),
        (Truncated("iamt.hello", 10, 4), False),
        (Gap("iamt.hello", 4), True),
    ):
        known = Machines()
        key = FlowKey("tcp", 5, Endpoint(DESK, 49152), Endpoint(SCS, 9971))
        put(fold_hello.take_malformed, known, event, 7, key=key)
        (device,) = known.present()
        (found,) = device.incidents_of(MalformedHello)
        assert (found.ref, found.time, found.fault, found.cut) == (7, at(7), event.summary(), cut)
        put(fold_hello.take_malformed, known, Malformed("tls", "x", b""), 8, key=key)
        put(fold_hello.take_malformed, known, event, 9)
        assert found.count == 1


def test_the_host_answers_a_hello() -> None:
    known = greeted(7)
    (device,) = known.present()
    answer = HelloAnswer("HTTP", b"HTTP/1.1 400")

    def say(packet: int, number: int, client: str = DESK) -> None:
        key = FlowKey("tcp", number, Endpoint(client, 49152), Endpoint(SCS, 9971))
        put(fold_hello.take_answer, known, answer, packet, key=key)

    say(8, 5)
    (found,) = device.incidents_of(HelloAnswered)
    assert (found.ref, found.time, found.server, found.port, found.speaks) == (8, at(8), SCS, 9971, "HTTP")
    assert found.data == b"HTTP/1.1 400"
    say(9, 77)  # by its address
    assert found.count == 2
    say(10, 78, OTHER)
    put(fold_hello.take_answer, known, answer, 11)
    assert (found.count, len(known.devices)) == (2, 1)


def test_a_message_of_dns_or_dhcp_that_breaks_off() -> None:
    known = Machines()
    cut = Truncated("dns", 10, 4)
    name, found = lookup(4), lookup(4, SCS)
    for message, packet, expected in ((name, 6, False), (name, 5, True), (found, 5, False)):
        known.latest_message = message
        put(fold_hello.take_malformed, known, cut, packet)
        assert message.cut is expected
    granted = lease(4)
    for packet, expected in ((4, False), (5, True)):
        known.latest_message = granted
        put(fold_hello.take_malformed, known, Malformed("dhcp", "x", b""), packet)
        assert granted.cut is expected
    known.latest_message = other = lease(4)
    put(fold_hello.take_malformed, known, Truncated("tls", 10, 4), 5)
    assert not other.cut
    known.latest_message = None
    put(fold_hello.take_malformed, known, cut, 5)
    assert known.devices == []
