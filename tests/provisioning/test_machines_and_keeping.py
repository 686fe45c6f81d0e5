"""Which machine is meant, and what is let go when a list is full."""

from typing import ClassVar

import pytest
from by_hand import DESK, SCS, at, attempt, contact, hello, lease, lookup, machine

from amtdecode.model import Endpoint, Event, FlowKey, Observation
from amtdecode.provisioning import keeping, machines
from amtdecode.provisioning.machines import Machines
from amtdecode.provisioning.state import Device, LogEntry, Lookup, Outcome, Recognition, ref
from amtdecode.provisioning.state.incidents import CallFault, Commit
from amtdecode.provisioning.state.tables import is_copy

UUID, TWIN = "4c4c4544-0031-4710-8058-b4c04f4a3232", "5c4c4544-0031-4710-8058-b4c04f4a3232"
AMI = "03000200-0400-0500-0006-000700080009"
OTHER, THIRD = "192.0.2.80", "192.0.2.81"


def addresses(device: Device) -> list[str]:
    return list(device.addresses)


# -- machines ----------------------------------------------------------------------------------------------------------


def test_one_uuid_is_one_machine_wherever_it_is() -> None:
    known = Machines()
    one = known.machine_with(UUID, DESK)
    assert known.machine_with(UUID, OTHER) is one
    assert known.machine_with(TWIN, THIRD) is not one
    assert (one.uuid, addresses(one), one.id) == (UUID, [DESK, OTHER], 1)
    assert known.find(DESK) is known.find(OTHER) is one
    assert known.find_by(uuid=UUID) is one
    assert known.find_by(uuid="none") is None
    other = known.machine_with(TWIN, DESK)
    assert known.find(DESK) is other  # who has the address now
    assert len(known.devices) == 2


def test_placeholder_uuids_join_nothing() -> None:
    known = Machines()
    one = known.machine_with(AMI, DESK)
    assert known.machine_with(AMI, OTHER) is not one
    assert known.machine_with(AMI, DESK) is one


def test_a_host_known_by_its_address_turns_out_to_be_a_machine() -> None:
    known = Machines()
    host = known.machine_at(DESK, guessed=True)
    assert host.guessed
    assert known.machine_at(DESK, guessed=True).guessed
    assert known.machine_with(UUID, DESK) is host
    assert (host.uuid, host.guessed) == (UUID, False)
    assert addresses(host) == [DESK]
    assert not known.machine_at(OTHER).guessed
    other = known.machine_at(THIRD, guessed=True)
    known.machine_at(THIRD)
    assert not other.guessed


def test_two_that_turn_out_to_be_one_are_joined() -> None:
    known = Machines()
    device = known.machine_with(UUID, DESK)
    other = known.machine_at(OTHER)
    other.lookups, other.leases, other.amt_version = (lookup(3, SCS),), (lease(2),), "9.0"
    known.name(other, "mac-b", "desk.example.com")
    keeping.add_incident(other, Commit(ref=5, time=at(5), call="C"))
    keeping.add_session(other, contact(6))
    keeping.add_log_entry(other, LogEntry(ref=7, time=None, recognition=Recognition()))
    assert known.machine_with(UUID, OTHER) is device
    assert (len(device.lookups), len(device.leases), device.amt_version) == (1, 1, "9.0")
    assert (device.mac, device.fqdn, len(device.incidents_of(Commit))) == ("mac-b", "desk.example.com", 1)
    assert ([each.number for each in device.sessions], len(device.log_entries)) == ([6], 1)
    assert [*known.present()] == [device]
    assert known.find(OTHER) is device
    twin = known.machine_with(TWIN, THIRD)
    assert known.machine_with(UUID, THIRD) is device
    assert [*known.present()] == [device, twin]  # it has a UUID of its own


def test_what_was_known_of_one_that_is_joined_is_not_lost() -> None:
    known = Machines()
    device = known.machine_with(UUID, DESK)
    other = known.machine_at(OTHER)
    known.name(other, "mac-b", "desk")
    known.name(device, "mac-a", "desk.example.com")
    assert known.find_by(mac="mac-b") is other
    other.amt_version, other.version_ref, other.dropped = "9.0", 8, 3
    keeping.add_session(other, contact(6))
    other.attempts[0].commit = 7
    assert known.machine_with(UUID, OTHER) is device
    assert (device.amt_version, device.version_ref, device.dropped) == ("9.0", 8, 3)
    assert [(made.commit, made.ended) for made in device.attempts] == [(7, at(6.5))]
    assert known.find_by(name="DESK") is known.find_by(mac="mac-b") is device
    assert (other.itself, device.itself) == (device, device)
    third = known.machine_at(THIRD)
    third.amt_version, third.version_ref = "7.0", 18
    keeping.add_session(third, contact(16))
    third.attempts[0].commit = 17
    known.machine_with(UUID, THIRD)
    assert (device.amt_version, device.version_ref, device.attempts[0].commit) == ("9.0", 8, 7)


def test_an_address_that_is_forgotten_stays_with_who_has_it_now() -> None:
    known = Machines()
    device = known.machine_with(UUID, DESK)
    known.place(device, OTHER)
    twin = known.machine_with(TWIN, OTHER)
    for number in range(machines.MAX_DEVICE_ADDRESSES):
        known.place(device, f"198.51.100.{number}")
    assert OTHER not in device.addresses
    assert known.find(OTHER) is twin


def test_names_and_macs_stay_bounded_where_machines_are_joined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machines, "MAX_DEVICES", 4)
    known = Machines()
    known.machine_with(UUID, DESK)
    assert known.find_by(mac="none") is None
    for number in range(12):
        known.name(known.machine_at(f"198.51.100.{number}"), f"mac-{number}", f"pc{number}.example.com")
        known.machine_with(UUID, f"198.51.100.{number}")
    assert known.by_mac is not None
    assert (list(known.by_mac), list(known.by_name)) == (
        [f"mac-{number}" for number in (8, 9, 10, 11)],
        [f"pc{number}.example.com" for number in (8, 9, 10, 11)],
    )
    assert known.story.limits == []


def test_those_that_were_joined_take_no_place_and_are_forgotten_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machines, "MAX_DEVICES", 3)
    known = Machines()
    first, device = known.machine_at(OTHER), known.machine_with(UUID, DESK)
    for number in range(20):
        address = f"198.51.100.{number}"
        known.machine_at(address)
        assert known.machine_with(UUID, address) is device
        assert [*known.present()] == [first, device]
        assert len(known.devices) <= 4
    last = known.machine_at(THIRD)
    assert [each.id for each in known.present()] == [1, 2, 23]
    assert known.story.limits == []
    assert (last.id, known.machine_at("203.0.113.9").id, known.story.limits) == (23, 0, ["MAX_DEVICES"])


def test_addresses_are_kept_in_the_order_of_their_use() -> None:
    known = Machines()
    device = known.machine_with(UUID, DESK)
    known.place(device, OTHER)
    known.place(device, DESK)
    assert addresses(device) == [OTHER, DESK]
    known.machine_at(OTHER)  # somebody calls an older address: that says nothing of now
    assert addresses(device) == [OTHER, DESK]
    for number in range(10):
        known.place(device, f"198.51.100.{number}")
    assert len(device.addresses) == machines.MAX_DEVICE_ADDRESSES
    assert addresses(device)[:2] == [OTHER, "198.51.100.3"]
    assert known.find("198.51.100.2") is None
    assert known.find("198.51.100.3") is device


def test_names_are_kept_unless_a_fuller_one_comes() -> None:
    known = Machines()
    device = known.machine_named("", "desk")
    assert known.find_by(name="DESK") is device
    known.name(device, "mac-a", "desk.example.com")
    known.name(device, "mac-b", "other.example.com")
    assert (device.mac, device.fqdn) == ("mac-a", "desk.example.com")
    assert known.find_by(mac="mac-a") is device
    assert known.find_by(mac="mac-b") is None
    assert known.find_by(name="Desk.example.com") is device
    assert known.find_by() is None
    logged = known.machine_named(UUID, "")
    assert known.find_by(uuid=UUID) is logged


def test_memory_stays_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machines, "MAX_DEVICES", 2)
    known = Machines()
    for number in range(4):
        known.machine_at(f"198.51.100.{number}")
        known.name(known.machine_with(TWIN[:-1] + str(number), f"198.51.100.{10 + number}"), fqdn=f"pc{number}")
        known.machine_named(UUID[:-1] + str(number), f"desk{number}")
    assert [device.id for device in known.devices] == [1, 2]
    assert (len(known.by_address), len(known.by_uuid), len(known.by_name)) == (2, 1, 1)
    assert known.story.limits == ["MAX_DEVICES"]


def test_leases_and_names_that_surround_a_machine() -> None:
    known = Machines()
    device = machine(hello(4, mac="mac-hello"), mac="")
    by_mac, by_address = lease(9, hostname="desk"), lease(2, suffix=None)
    known.join(device, {"mac-hello": [by_mac], DESK: [by_address, by_mac], OTHER: [lease(1)]})
    assert device.leases == (by_address, by_mac)
    assert (device.mac, device.fqdn) == ("00:00:5e:00:53:30", "desk.example.com")
    for more, name in (
        ({"hostname": "desk", "suffix": None}, "desk"),
        ({"hostname": "desk", "suffix": b"a.example\0"}, "desk.a.example"),
        ({"hostname": "desk.b.example", "suffix": b"a.example"}, "desk.b.example"),
        ({"hostname": "desk", "fqdn": "full.example.com."}, "full.example.com"),
        ({}, ""),
    ):
        device = machine()
        known.join(device, {DESK: [lease(2, **more)]})
        assert device.fqdn == name


def test_the_reverse_name_counts_where_there_is_no_other() -> None:
    known = Machines()
    known.story.reverse[DESK] = [
        Lookup(client=SCS, name="x", ref=1, time=None),
        Lookup(client=SCS, name="x", ref=1, time=None, addresses=("desk.example.com.",)),
    ]
    nameless, named = machine(), machine(fqdn="own.example.com")
    known.join(nameless, {})
    known.join(named, {})
    assert (nameless.fqdn, named.fqdn) == ("desk.example.com", "own.example.com")


def flow(port: int = 16993, number: int = 5) -> FlowKey:
    return FlowKey("tcp", number, Endpoint(SCS, 40000), Endpoint(DESK, port))


def test_a_connection_belongs_to_setup_after_a_hello() -> None:
    def begun(*facts, port: int = 16993, time: float | None = 10, number: int = 5):
        known = Machines()
        device = machine(*facts)
        return known.begin(device, flow(port, number), at(time), 9), known

    session, known = begun(hello(4))
    assert (session.setup, session.after_gap, session.ref, session.last_ref) == (True, at(6), 9, 9)
    assert known.flows[5][1] is session
    assert begun(hello(4), port=16992)[0].setup
    for near in (begun(hello(4), port=16995)[0], begun()[0], begun(hello(4), time=None)[0]):
        assert (near.setup, near.after_gap) == (False, 0)
    assert begun(hello(40))[0].after_gap == 0  # the clock went back
    done, _ = begun(attempt(hello(4), commit=6, outcome=Outcome.COMMITTED))
    assert (done.setup, done.after_gap) == (False, at(6))
    assert begun(hello(4), number=0)[1].flows
    assert not begun(hello(4), number=-1)[1].flows


def test_a_hello_goes_on_with_an_attempt_or_begins_one() -> None:
    known = Machines()
    device = known.machine_with(UUID, DESK)
    for packet, retry in ((1, 0), (2, 1), (3, 0)):
        known.hello(device, hello(packet, retry_count=retry))
    assert [[each.ref for each in made.hellos] for made in device.attempts] == [[1, 2], [3]]
    assert [(made.started, made.ended) for made in device.attempts] == [(at(1), at(2)), (at(3), at(3))]
    for number in range(20):
        other = known.machine_with(TWIN[:-2] + f"{number:02d}", f"198.51.100.{number}")
        known.hello(other, hello(9))
        known.hello(device, hello(10 + number, retry_count=number))
    assert len(known.recent) == machines.RECENT_HELLOS
    assert list(known.recent)[-1] == device.id


# -- what is let go ----------------------------------------------------------------------------------------------------


def test_incidents_alike_are_counted() -> None:
    device = Device()

    def fault(packet: int, call: str) -> CallFault:
        return CallFault(ref=packet, time=at(packet), call=call, fault="x", wsman=True, connection=1)

    for packet in (4, 5, 6):
        keeping.add_incident(device, fault(packet, "same"))
    (only,) = device.incidents_of(CallFault)
    assert (only.ref, only.count, device.dropped) == (4, 3, 0)
    for number in range(keeping.MAX_INCIDENTS + 1):
        keeping.add_incident(device, fault(10 + number, f"call {number}"))
    kept = device.incidents_of(CallFault)
    assert [(each.call, each.count) for each in kept][-2:] == [("call 3", 1), ("call 4", 3)]
    assert (len(kept), device.dropped) == (keeping.MAX_INCIDENTS, 2)


def test_log_lines_let_go() -> None:
    def kept(*anchors: str) -> tuple[str, int]:
        device = Device()
        for number, anchor in enumerate(anchors):
            keeping.add_log_entry(device, LogEntry(ref=number, time=None, recognition=Recognition(anchor=anchor)))
        return " ".join(str(entry.ref) for entry in device.log_entries), device.dropped

    assert kept(*"aaaa") == ("0 1 2 3", 0)
    assert kept(*"aaaaa") == ("0 2 3 4", 1)
    assert kept(*"aaaab") == ("0 1 2 3 4", 0)
    assert kept(*"abcdefghijkl") == ("0 1 2 3 4 5 6 7 8 9 10 11", 0)
    assert kept(*"abcdefghijklm") == ("0 1 2 3 4 5 7 8 9 10 11 12", 1)


def test_lookups_hellos_attempts_and_sessions_let_go() -> None:
    device = machine()
    made = [lookup(number, name=f"n{number}") for number in range(14)]
    for each in (*made, made[-1]):
        keeping.add_lookup(device, each)
    assert [each.ref for each in device.lookups] == [0, *range(3, 14)]
    assert device.dropped == 2
    device = machine()
    for number in range(1, 19):
        keeping.add_hello(device, device.attempts[0], hello(number))
    first = device.attempts[0]
    assert [each.ref for each in first.hellos] == [*range(1, 9), *range(11, 19)]
    assert (first.hello_count, first.started, first.ended, device.dropped) == (18, at(1), at(18), 2)
    device = Device()
    for number in range(10):
        keeping.add_attempt(device, at(number))
    assert [each.started for each in device.attempts] == [at(number) for number in (0, 3, 4, 5, 6, 7, 8, 9)]
    assert (device.attempts[0].ended, device.dropped) == (at(0), 2)
    assert keeping.attempt_under_way(device, at(99)) is device.attempts[-1]
    assert keeping.attempt_under_way(Device(), at(99)).started == at(99)


def test_connections_of_setup_are_kept_before_those_of_management() -> None:
    device = Device()
    for number in range(12):
        keeping.add_session(device, contact(number, setup=number != 7, state="" if number == 5 else "closed"))
    assert device.dropped == 0
    keeping.add_session(device, contact(12))
    assert [each.number for each in device.sessions] == [0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12]
    keeping.add_session(device, contact(13))
    assert [each.number for each in device.sessions] == [0, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13]
    (made,) = device.attempts
    assert (made.started, made.ended, device.dropped) == (at(0), at(13.5), 2)
    under_way = contact(20)
    under_way.last_time = None
    keeping.add_session(device, under_way)
    assert made.ended == at(20)
    under_way = contact(30)
    under_way.time = under_way.last_time = None
    keeping.add_session(device, under_way)
    assert made.ended == at(20)


def test_a_copy_of_a_packet_comes_at_once() -> None:
    assert is_copy(at(1), at(1))
    assert is_copy(at(1), at(1.0999))
    assert not is_copy(at(1), at(1) + 100_000_000)
    assert not is_copy(at(1), at(0.9))
    assert not is_copy(None, at(1))
    assert not is_copy(at(1), None)


# -- connections of observations ---------------------------------------------------------------------------------------


class Said(Event, frozen=True):
    """An event of any protocol."""

    protocol: ClassVar[str] = "tls"
    server_name: str = ""


class Apf(Event, frozen=True):
    """A message of the port forwarding protocol."""

    protocol: ClassVar[str] = "iamt.apf"


def seen(event: Event, port: int, *, number: int = 5, packet: int = 9, transport: str = "tcp", name: str = "a.pcap"):
    key = FlowKey(transport, number, Endpoint(DESK, 40000), Endpoint(SCS, port))
    return Observation(event, packet, (packet - 1, packet), at(packet), name, key)


@pytest.mark.parametrize("port", [16992, 16993, 16994, 16995, 623, 664])
def test_a_connection_to_a_port_of_amt_is_one_of_the_host_there(port: int) -> None:
    known = Machines()
    found = known.session(seen(Said(), port))
    assert found is not None
    device, session = found
    assert (addresses(device), device.guessed) == ([SCS], False)
    assert (session.client, session.server, session.port, session.ref, session.time) == (DESK, SCS, port, 8, at(9))
    assert known.session(seen(Said(), port, packet=20)) == (device, session)
    again = known.session(seen(Said(), port, number=6))
    assert again is not None
    assert again[0] is device
    assert again[1] is not session


def test_other_connections_are_nobodys() -> None:
    known = Machines()
    assert known.session(seen(Said(), 443)) is None
    assert known.session(seen(Said(), 16993, transport="udp")) is None
    assert known.session(Observation(Said(), 1, (1,), at(1), "a.pcap")) is None
    greeting = hello(4)
    known.flows[5] = machine(), greeting
    assert known.session(seen(Said(), 16993)) is None
    assert known.devices == []


def test_a_machine_that_calls_home_is_the_client() -> None:
    known = Machines()
    found = known.session(seen(Said(), 4433))
    assert found is not None
    assert (addresses(found[0]), found[0].guessed) == ([DESK], True)
    found = Machines().session(seen(Apf(), 4433))
    assert found is not None
    assert not found[0].guessed
    found = Machines().session(seen(Apf(), 8443))  # on any port
    assert found is not None
    assert addresses(found[0]) == [DESK]


def test_a_client_that_names_its_server_is_no_amt() -> None:
    known = Machines()
    assert known.session(seen(Said(server_name="mps.example.com"), 4433)) is None
    assert known.session(seen(Said(), 4433)) is None  # the same connection
    assert known.session(seen(Said(), 4433, number=6)) is not None
    assert known.session(seen(Apf(), 4433)) is not None


def test_proofs_name_their_input() -> None:
    known = Machines()
    assert known.ref(seen(Said(), 443, name="a.pcap")) == 9
    assert known.ref(seen(Said(), 443, name="b.pcap")) == ref(1, 9)
    assert known.first_ref(seen(Said(), 443, name="b.pcap")) == ref(1, 8)
    assert known.first_ref(Observation(Said(), 7, (), at(1), "b.pcap")) == ref(1, 7)
    assert (known.input("c.log", lines=True), known.input("a.pcap")) == (2, 0)
    assert (known.story.inputs, known.story.line_inputs) == (["a.pcap", "b.pcap", "c.log"], {2})


def test_what_many_have_in_common_is_held_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machines, "MAX_SHARED", 2)
    monkeypatch.setattr(machines, "MAX_FLOWS", 2)
    known = Machines()
    one, same = ("a", "b"), ("a", "b")
    assert known.share(one) is known.share(same) is one
    for number in range(4):
        known.share(number)
        known.session(seen(Said(), 16993, number=number))
        known.session(seen(Said(server_name="x"), 4433, number=10 + number))
    assert len(known.shared) == 2
    assert (list(known.flows), list(known.not_amt)) == ([2, 3], [12, 13])


def test_a_connection_goes_on_after_the_hello_that_names_its_machine() -> None:
    known = Machines()
    device = known.machine_with(UUID, OTHER)
    before = known.session(seen(Said(), 16993, packet=9))
    assert before is not None
    assert before[0] is not device
    assert known.machine_with(UUID, SCS) is device  # it says hello from where the contact went
    assert known.session(seen(Said(), 16993, packet=20)) == (device, before[1])
    assert [*known.present()] == [device]
    assert device.sessions == (before[1],)
