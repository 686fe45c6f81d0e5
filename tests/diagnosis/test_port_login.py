"""AMT-NET-007, AMT-NET-008: whether the switch port lets a machine in (802.1X), and what LLDP says of the port."""

from __future__ import annotations

import pytest
from by_hand import MAC, ONE, ONE_WAY, asked, at, capture, hello, hits, lease, machine
from diagnosis_lab import Bench, Lab, desk

from amtdecode.provisioning.state import AddressQuery, Device, Neighbour, PortLogin, Story
from pcaps import eapol as port
from pcaps.build import ethernet

HERE, OTHER = desk(), desk(44)
SWITCH = "00:00:5e:00:53:f0"
NAME = "host/desk-30.example.com"
AT_PORT = port.lldp(SWITCH, "Gi1/0/21", port.part(5, b"sw-3"), port.part(7, b"\0\4\0\4"))


@pytest.fixture
def bench(tmp_path) -> Bench:
    return Bench(tmp_path)


class Port(Lab):
    """A machine that is known by its hello an hour ago, and its switch port."""

    def __init__(self) -> None:
        super().__init__()
        self.greet(HERE)
        self.wait(3600)

    def say(self, data: bytes, source: str = HERE.host.mac, target: str = port.GROUP, kind: int = 0x888E) -> None:
        self.put([ethernet(source, target, data, kind)])
        self.wait(1)

    def switch(self, data: bytes, target: str = port.GROUP) -> None:
        self.say(data, SWITCH, target)

    def login(self, end: bytes, *, target: str = port.GROUP, computer: object = HERE, number: int = 1) -> None:
        """Identity, EAP-TLS up to an alert of the machine, and the end."""
        mac = computer.host.mac  # type: ignore[attr-defined]
        self.switch(port.eapol(0, port.eap(1, number, 1)), target)
        self.say(port.identity(number, NAME), mac)
        self.switch(port.begins(number + 1), target)
        self.say(port.alert(number + 1, 48), mac)
        self.switch(end, target)

    def on(self) -> Lab:
        """The capture goes on."""
        self.wait(60)
        self.who_has(self.network.scs, "192.0.2.99", 1)
        return self


FAILURE, SUCCESS = (port.eapol(0, port.eap(code, 2)) for code in (port.FAILURE, port.SUCCESS))


@pytest.mark.parametrize("target", [port.GROUP, HERE.host.mac])
def test_net_007_the_port_refuses(bench: Bench, target: str) -> None:
    lab = Port()
    lab.say(AT_PORT, SWITCH, port.LLDP_GROUP, port.LLDP_TYPE)
    lab.login(FAILURE, target=target)
    lab.dhcp(HERE, answer=None, times=3)
    found = bench.fires("AMT-NET-007", lab.on(), severity="high", verdict="confirmed")
    assert f'{HERE.host.mac} says who it is as "{NAME}", and is refused by EAP-TLS' in found["explanation"]
    assert "the machine ends TLS with the alert unknown_ca" in found["explanation"]
    assert "LLDP: captured at switch sw-3, port Gi1/0/21" in [each["text"] for each in found["evidence"]]
    bench.silent("AMT-NET-004", lab)  # the port explains it


def test_007_not_where_the_machine_gets_in_after_all(bench: Bench) -> None:
    again = Port()
    again.login(FAILURE)
    again.login(SUCCESS)
    bench.silent("AMT-NET-007", again.on())
    leased = Port()
    leased.login(FAILURE)
    leased.dhcp(HERE)  # of a guest VLAN
    bench.silent("AMT-NET-007", leased.on())
    other = Port()
    other.login(FAILURE, computer=OTHER)
    bench.silent("AMT-NET-007", other.on())
    assert [each["id"] for each in bench.report(other)["findings"] if "NET" in each["id"]] == []


def test_007_not_where_it_is_not_clear_whose_failure_it_is(bench: Bench) -> None:
    lab = Port()
    lab.switch(port.WHO)
    for computer in (HERE, OTHER):
        lab.say(port.identity(1, NAME), computer.host.mac)
    lab.switch(port.eapol(0, port.eap(port.FAILURE, 1)))
    bench.silent("AMT-NET-007", lab.on())


def test_004_says_that_the_port_is_not_the_cause(bench: Bench) -> None:
    lab = Port()
    lab.login(SUCCESS)
    lab.dhcp(HERE, answer=None, times=3)
    found = bench.fires("AMT-NET-004", lab.on())
    assert "802.1X let the machine in: look behind the port (VLAN, relay, scope)" in [
        each["text"] for each in found["evidence"]
    ]


def test_net_008_nobody_answers(bench: Bench) -> None:
    def scene(times: int, *, target: str = HERE.host.mac, answer: bool = False, requests: bool = True) -> Lab:
        lab = Port()
        for number in range(times):
            lab.switch(port.eapol(0, port.eap(1, number, 1)), target)
            lab.wait(30)
        if answer:
            lab.say(port.identity(times - 1, NAME))
        if requests:
            lab.dhcp(HERE, answer=None, times=3)
        return lab.on()

    found = bench.fires("AMT-NET-008", scene(3), severity="medium", verdict="confirmed")
    assert "asks 3 times who is there" in found["explanation"]
    bench.fires("AMT-NET-008", scene(3, target=port.GROUP), verdict="possible")
    bench.silent("AMT-NET-008", scene(3, target=port.GROUP, requests=False))  # whoever it is
    bench.silent("AMT-NET-008", scene(2))
    bench.silent("AMT-NET-008", scene(3, answer=True))
    bench.silent("AMT-NET-008", scene(3, target=port.GROUP, answer=True))


def story(device: Device, login: PortLogin | None, **more) -> Story:
    told = capture(device, **more)
    told.seen.add("eapol")
    told.port_logins = {MAC: login} if login is not None else {}
    return told


def test_by_hand() -> None:
    one = machine(hello(1))
    refused = PortLogin(MAC, 4, at(4), failure=9, ended_time=at(9), failures=1)
    assert asked("AMT-NET-007", one, story(one, refused)) == [("confirmed", "", [9])]
    (hit,) = hits("AMT-NET-007", one, story(one, refused))
    assert hit.values == {
        "mac": MAC,
        "who": "without a name",
        "method": "no method",
        "why": "the authentication server gives no reason",
    }
    for after in (hello(9), lease(9)):
        late = machine(hello(1), after)
        assert asked("AMT-NET-007", late, story(late, refused)) == []
    let_in = PortLogin(MAC, 4, at(4), failure=9, success=12, ended_time=at(12), failures=1)
    assert asked("AMT-NET-007", one, story(one, let_in)) == []
    assert asked("AMT-NET-007", one, story(one, None)) == []
    silent = PortLogin(MAC, 4, at(4), asked=3, asked_ref=4, asked_time=at(8))
    assert asked("AMT-NET-008", one, story(one, silent)) == [("confirmed", "", [4])]
    assert asked("AMT-NET-008", one, story(one, silent, health=ONE_WAY)) == [ONE]
    waiting = machine(lease(2, ack=0, requests=3))
    asks = {f"00:00:5e:00:53:f{n}": AddressQuery(n, at(n), at(90), 3, asker="switch") for n in (5, 6)}
    told = story(waiting, None)
    told.port_asks = asks
    assert asked("AMT-NET-008", waiting, told) == []  # two of them: whose port is it?
    asks.popitem()
    assert asked("AMT-NET-008", waiting, told) == [("possible", "", [5])]


def test_lldp_of_several_ports_names_none() -> None:
    one = machine(hello(1))
    told = story(one, PortLogin(MAC, 4, at(4), failure=9, ended_time=at(9), failures=1))
    told.neighbours = {(0, "sw-3", "1"): Neighbour(2, "sw-3", "1", 20)}
    assert asked("AMT-NET-007", one, told) == [("confirmed", "", [9, 2])]
    (hit,) = hits("AMT-NET-007", one, told)
    assert hit.proofs[-1] == (2, "LLDP: captured at switch sw-3, port 1, VLAN 20")
    told.neighbours[0, "sw-3", "2"] = Neighbour(3, "sw-3", "2", None)
    assert asked("AMT-NET-007", one, told) == [("confirmed", "", [9])]


def test_the_report_says_at_which_port_a_capture_was_made(bench: Bench) -> None:
    lab = Port()
    lab.say(AT_PORT, SWITCH, port.LLDP_GROUP, port.LLDP_TYPE)
    telephone = port.lldp("00:00:5e:00:53:f1", "1", port.part(7, b"\0\x24\0\x20"))
    lab.say(telephone, "00:00:5e:00:53:f1", port.LLDP_GROUP, port.LLDP_TYPE)
    (health,) = bench.report(lab)["health"]
    assert health["switch_ports"] == ["switch sw-3, port Gi1/0/21"]
