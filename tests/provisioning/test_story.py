"""Observations become machines, attempts, stages; tables stay bounded; nothing a capture holds makes it fail."""

import contextlib
import random
import ssl
from pathlib import Path

import pytest
from diagnosis_lab import SCS, Lab, desk, lease_options, moved
from hypothesis import given
from hypothesis import strategies as st

from amtdecode import read
from amtdecode.diagnosis import diagnose
from amtdecode.diagnosis.inputs import gather, observe, sort_inputs
from amtdecode.model import Endpoint, FlowKey, Observation
from amtdecode.protocols.hello import HelloMessage
from amtdecode.provisioning import Story, Tracker, keeping, machines
from amtdecode.provisioning.fold import arp, dhcp, dns
from amtdecode.provisioning.fold.dns import reversed_address
from amtdecode.provisioning.state import Stage
from pcaps import messages
from pcaps.build import TO_CLIENT, TO_SERVER, Host
from pcaps.make import NETWORK, SET_UP

HERE = desk()


@pytest.fixture
def told(tmp_path: Path):
    """The story of a scene."""
    count = iter(range(100))

    def tell(lab: Lab) -> Story:
        return gather(sort_inputs([str(lab.write(tmp_path / f"{next(count)}.pcap"))]))

    return tell


def test_all_stages_of_one_machine(told) -> None:
    lab = Lab()
    lab.lease(NETWORK, HERE)
    lab.found(HERE)
    lab.greet(HERE)
    lab.wait(3)
    lab.set_up_psk(NETWORK, HERE, SET_UP)
    lab.wait(130)
    lab.who_has(SCS, "192.0.2.99", 1)
    (device,) = told(lab).devices
    assert (device.uuid, device.mac, device.method) == (str(HERE.uuid), HERE.host.mac, "psk")
    assert list(device.addresses) == [HERE.host.ip]
    assert device.leases[0].suffix == b"example.com"
    assert device.leases[0].dns == (NETWORK.dns.ip,)
    assert device.lookups[0].addresses == (SCS.ip,)
    (attempt,) = device.attempts
    (hello,) = attempt.hellos
    assert (hello.version, hello.pid, hello.source, hello.destination, hello.port) == (
        2,
        "0000037M",
        HERE.host.ip,
        SCS.ip,
        9971,
    )
    assert hello.mac == HERE.host.mac
    (session,) = attempt.sessions
    tls = session.handshake
    assert tls is not None
    assert (session.client, session.server, session.port, session.state, session.setup) == (
        SCS.ip,
        HERE.host.ip,
        16993,
        "closed",
        True,
    )
    assert (tls.psk_identity, tls.suite, tls.version, tls.established) == ("0000037M", 0x8C, 0x0301, True)
    assert tls.requests >= len(SET_UP)
    assert (attempt.stage, attempt.outcome) == ("configuration", "committed")  # the commit itself was not seen
    assert attempt.refs() == sorted(set(attempt.refs()))


def test_stages(told) -> None:
    def stage(*steps) -> tuple[str, str]:
        lab = Lab()
        for step in steps:
            step(lab)
        attempt = told(lab).devices[0].attempts[-1]
        return attempt.stage, attempt.outcome

    name = [lambda lab: lab.found(HERE)]
    hello = [*name, lambda lab: lab.greet(HERE)]
    assert stage(*name) == ("name", "incomplete")
    assert stage(*hello) == ("hello", "incomplete")
    assert stage(*hello, lambda lab: lab.refused(SCS, HERE.host, 16993)) == ("contact back", "failed")
    assert stage(*hello, lambda lab: lab.psk(HERE, alert=(2, 115))) == ("handshake", "failed")
    assert stage(*hello, lambda lab: lab.set_up_psk(NETWORK, HERE, SET_UP[:1])) == ("configuration", "incomplete")
    whole = [*hello, lambda lab: lab.set_up_psk(NETWORK, HERE, SET_UP)]
    assert stage(*whole) == ("configuration", "unknown")  # the capture ends before silence can tell
    quiet = [lambda lab: lab.wait(119), lambda lab: lab.who_has(SCS, "192.0.2.99", 1)]
    assert stage(*whole, *quiet) == ("configuration", "unknown")
    assert stage(*whole, lambda lab: lab.wait(1), *quiet) == ("configuration", "committed")
    vain = stage(lambda lab: lab.syns(SCS, HERE.host, 16994))
    assert vain == ("none", "unknown")  # nothing says that this host has AMT


def test_attempts_begin_anew(told) -> None:
    lab = Lab()
    for retry in (0, 1, 2):
        lab.greet(HERE, messages.hello_psk(HERE.uuid, retry=retry))
        lab.wait(60)
    lab.greet(HERE, messages.hello_psk(HERE.uuid, retry=0))  # restarted
    lab.wait(3)
    lab.set_up_psk(NETWORK, HERE, SET_UP)
    lab.wait(9000)
    lab.greet(HERE, messages.hello_psk(HERE.uuid, "ABCDEF0L"))  # provisioned again
    (device,) = told(lab).devices
    assert [attempt.hello_count for attempt in device.attempts] == [3, 1, 1]
    assert [attempt.outcome for attempt in device.attempts] == ["incomplete", "committed", "incomplete"]


def test_name_then_hello_are_one_machine(told) -> None:
    lab = Lab()
    lab.found(HERE)
    lab.greet(HERE)
    (device,) = told(lab).devices
    assert device.uuid == str(HERE.uuid)
    assert device.lookups


def test_a_machine_that_moves_stays_one(told) -> None:
    there = moved(HERE, "198.51.100.7")
    lab = Lab()
    lab.found(HERE)
    lab.greet(HERE)
    lab.wait(600)
    lab.found(there)
    lab.greet(there, messages.hello_psk(HERE.uuid, retry=1))
    lab.refused(SCS, there.host, 16993)
    (device,) = told(lab).devices
    assert list(device.addresses) == [HERE.host.ip, there.host.ip]
    assert len(device.lookups) == 2
    assert device.sessions[-1].server == there.host.ip


def test_an_address_that_changes_hands(told) -> None:
    second = moved(desk(31), HERE.host.ip, "00:00:5e:00:53:31")
    lab = Lab()
    lab.greet(HERE)
    lab.refused(SCS, HERE.host, 16993)
    lab.wait(4000)
    lab.greet(second)
    lab.psk(second, alert=(2, 115))
    one, two = told(lab).devices
    assert (one.uuid, one.sessions[0].state) == (str(HERE.uuid), "refused")
    assert two.uuid == str(desk(31).uuid)
    assert two.sessions[0].handshake is not None


def test_client_of_a_scan_is_not_a_machine(told) -> None:
    lab = Lab()
    lab.refused(HERE.host, SCS, 80)
    lab.talk(
        HERE.host,
        SCS,
        9971,
        [
            (TO_SERVER, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
            (TO_CLIENT, b"HTTP/1.1 404 no\r\nContent-Length: 0\r\n\r\n"),
        ],
    )
    assert told(lab).devices == []


def test_ipv6_machines(told) -> None:
    computer = moved(HERE, "2001:db8::30")
    server = Host(SCS.mac, "2001:db8::10")
    lab = Lab()
    lab.greet(computer, server=server)
    lab.refused(server, computer.host, 16993)
    (device,) = told(lab).devices
    assert device.address == "2001:db8::30"
    assert device.attempts[0].outcome == "failed"


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("30.2.0.192.in-addr.arpa", "192.0.2.30"),
        ("30.2.0.192.IN-ADDR.ARPA.", "192.0.2.30"),
        ("0." * 31 + "2.ip6.arpa", "2000::"),
        ("2.0.192.in-addr.arpa", ""),
        ("x." * 32 + "ip6.arpa", ""),
    ],
)
def test_reversed_address(name: str, address: str) -> None:
    assert reversed_address(name) == address


# -- bounds ----------------------------------------------------------------------------------------


def hello_of(number: int, uuid: str, retry: int = 0, address: bytes = b"\xc0\0\2\x1e") -> Observation:
    flow = FlowKey("tcp", number, Endpoint(address, 49152), Endpoint(b"\xc0\0\2\x0a", 9971))
    event = HelloMessage(1, 2, retry, uuid, "0000037M")
    return Observation(event, number + 1, (number + 1,), number * 60_000_000_000, "x.pcap", flow)


def test_hellos_of_one_machine_are_bounded() -> None:
    watch = Tracker()
    for number in range(500):
        watch.feed(hello_of(number, str(HERE.uuid), retry=number))
    (device,) = watch.finish().devices
    (attempt,) = device.attempts
    assert attempt.hello_count == 500
    assert len(attempt.hellos) == keeping.MAX_HELLOS
    assert attempt.hellos[0].retry_count == 0
    assert attempt.hellos[-1].retry_count == 499


def test_attempts_of_one_machine_are_bounded() -> None:
    watch = Tracker()
    for number in range(200):
        watch.feed(hello_of(number, str(HERE.uuid), retry=number % 2))
    (device,) = watch.finish().devices
    assert len(device.attempts) == keeping.MAX_ATTEMPTS


def test_sessions_are_bounded_and_setup_is_kept(told) -> None:
    lab = Lab()
    lab.greet(HERE)
    for _ in range(40):
        lab.refused(SCS, HERE.host, 16993)
    (device,) = told(lab).devices
    assert len(device.sessions) == keeping.MAX_SESSIONS
    assert len({id(session.fate) for session in device.sessions}) == 1  # all were refused alike


def test_machines_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machines, "MAX_DEVICES", 5)
    watch = Tracker()
    for number in range(20):
        watch.feed(hello_of(number, f"{number:08x}-0000-0000-0000-000000000001", address=number.to_bytes(4, "big")))
    story = watch.finish()
    assert len(story.devices) == 5
    assert story.limits == ["MAX_DEVICES"]


def test_a_flood_of_leases_is_bounded(monkeypatch: pytest.MonkeyPatch, told) -> None:
    monkeypatch.setattr(dhcp, "MAX_LEASES", 8)
    monkeypatch.setattr(dns, "MAX_NAMES", 8)
    monkeypatch.setattr(dns, "MAX_ADDRESSES", 8)
    monkeypatch.setattr(arp, "MAX_ADDRESSES", 8)
    lab = Lab()
    for number in range(30):
        computer = desk(number + 1)
        lab.dhcp(computer, options=lease_options())
        lab.who_has(SCS, f"192.0.2.{100 + number}", 1)
        lab.dns(SCS, f"{number + 1}.2.0.192.in-addr.arpa", [], code=3, kind=messages.PTR)
    story = told(lab)
    assert len(story.leases) == 8
    assert len(story.arp) == 8
    assert len(story.reverse) == 8
    assert story.devices == []


def test_a_machine_costs_less_than_4_kb(told) -> None:
    import sys

    lab = Lab()
    for number in range(1, 21):
        computer = desk(number)
        lab.greet(computer)
        lab.wait(1)
        lab.set_up_psk(NETWORK, computer, SET_UP)
    story = told(lab)
    seen: set[int] = set()

    def size(value: object) -> int:
        if id(value) in seen:
            return 0
        seen.add(id(value))
        total = sys.getsizeof(value)
        if isinstance(value, (list, tuple)):
            total += sum(map(size, value))
        elif isinstance(value, dict):
            total += sum(size(key) + size(entry) for key, entry in value.items())
        elif hasattr(value, "__struct_fields__"):
            total += sum(size(getattr(value, name)) for name in value.__struct_fields__)
        return total

    costs = [size(device) for device in story.devices]
    assert len(costs) == 20
    assert max(costs[2:]) < 4096


# -- whatever comes --------------------------------------------------------------------------------


def scene() -> bytes:
    lab = Lab()
    lab.lease(NETWORK, HERE)
    lab.found(HERE)
    lab.greet(HERE)
    lab.wait(3)
    lab.set_up_psk(NETWORK, HERE, SET_UP)
    lab.http(
        HERE, [(messages.eoi_request("SecurityAdministration", "GetCoreVersion"), messages.unauthorized("r", "n"))]
    )
    lab.syns(SCS, HERE.host, 16993)
    import io

    from pcaps.build import Pcap

    out = io.BytesIO()
    capture = Pcap(out)
    for time_ns, data, _ in lab.packets:
        capture.packet(time_ns, data)
    return out.getvalue()


SCENE = scene()


@given(st.integers(0, 2**32), st.integers(1, 60))
def test_no_damage_makes_it_fail(seed: int, changes: int) -> None:
    import tempfile

    rng = random.Random(seed)
    data = bytearray(SCENE)
    for _ in range(changes):
        data[rng.randrange(24, len(data))] = rng.randrange(256)
    if seed & 1:
        del data[rng.randrange(24, len(data)) :]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "damaged.pcap"
        path.write_bytes(data)
        report = diagnose(gather(sort_inputs([str(path)])))
        assert all(finding.title for finding in report.findings)


@given(st.permutations(range(40)))
def test_no_order_of_observations_makes_it_fail(order: list[int]) -> None:
    observations = OBSERVATIONS[:]
    picked = [observations[index % len(observations)] for index in order]
    watch = Tracker()
    for observation in picked:
        watch.feed(observation)
    diagnose(watch.finish())


def _observations() -> list[Observation]:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "whole.pcap"
        path.write_bytes(SCENE)
        return list(observe([str(path)], None))


OBSERVATIONS = _observations()


def test_outcomes_of_all_connections_are_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "whole.pcap"
    path.write_bytes(SCENE)
    names = [type(observation.event).__name__ for observation in OBSERVATIONS]
    assert names.count("Connection") > [type(o.event).__name__ for o in read(path)].count("Connection")
    assert list(Stage)[:2] == [Stage.NONE, Stage.LEASE]


# -- IPv6 ------------------------------------------------------------------------------------------------------------


def test_dhcpv6_gives_the_suffix() -> None:
    from amtdecode.diagnosis.addressing import suffix_of
    from amtdecode.protocols.dhcp.v6 import Dhcpv6Message, Lease

    mac = bytes.fromhex("00005e00531e")
    address = bytes.fromhex("20010db8000000000000000000000030")
    message = Dhcpv6Message(
        7,
        1,
        client_id=b"\0\3\0\1" + mac,
        leases=(Lease("2001:db8::30", 100, 200),),
        domain_list=b"\7example\3com\0\3lab\7example\3com\0",
    )
    udp = FlowKey("udp", 0, Endpoint(address, 546), Endpoint(bytes(16), 547))
    watch = Tracker()
    watch.feed(Observation(message, 1, (1,), 0, "x.pcap", udp))
    watch.feed(hello_of(1, str(HERE.uuid), address=address))
    (device,) = watch.finish().devices
    assert device.mac == mac.hex(":")
    assert device.leases[0].v6
    assert suffix_of(device) == "example.com"


@pytest.mark.parametrize("name", [None, "www.example.com"])
def test_a_client_of_ciras_port_is_a_machine_where_something_else_says_so(told, name: str | None) -> None:
    """AMT sends no server name (SNI): whoever sends one to CIRA's port does not call home."""
    client, answer, out = ssl.MemoryBIO(), ssl.MemoryBIO(), ssl.create_default_context()
    out.check_hostname, out.verify_mode = False, ssl.CERT_NONE
    side = out.wrap_bio(answer, client, server_hostname=name)
    with contextlib.suppress(ssl.SSLWantReadError):
        side.do_handshake()
    refusal = bytes.fromhex("15030300020228")
    client_bytes = client.read()
    lab = Lab()
    lab.talk(HERE.host, SCS, 4433, [(TO_SERVER, client_bytes), (TO_CLIENT, refusal)])
    assert told(lab).devices == []
    for first in True, False:
        known = Lab()
        if first:
            known.greet(HERE)
        known.talk(HERE.host, SCS, 4433, [(TO_SERVER, client_bytes), (TO_CLIENT, refusal)])
        if not first:
            known.greet(HERE)
        (device,) = told(known).devices
        sessions = [session.port for attempt in device.attempts for session in attempt.sessions]
        assert (device.address, sessions) == (HERE.host.ip, [] if name else [4433])


def test_a_machine_that_calls_home_without_tls(told) -> None:
    greeting = bytes.fromhex("c00000000100000000") + bytes(84)
    lab = Lab()
    lab.talk(HERE.host, SCS, 4433, [(TO_SERVER, greeting), (TO_CLIENT, greeting)])
    assert [device.address for device in told(lab).devices] == [HERE.host.ip]
