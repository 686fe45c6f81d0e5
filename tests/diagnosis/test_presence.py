"""AMT-RMCP-* and AMT-PET-*: pings, pongs and alerts, and what makes a machine of a host that answers."""

from __future__ import annotations

import pytest
from by_hand import AT_ONCE, DESK, GAPS, ONE, ONE_WAY, SCS, asked, at, capture, hello, hits, machine
from diagnosis_lab import Bench, Lab, desk

from amtdecode.diagnosis.case import Case
from amtdecode.diagnosis.site import Site
from amtdecode.provisioning.state import AddressQuery, Device, Story
from amtdecode.provisioning.state.incidents import PlatformAlert, Pong, SessionRefused
from pcaps import messages
from pcaps.build import Host, datagram
from pcaps.make import NETWORK

CONSOLE = NETWORK.scs
BMC = bytes.fromhex("000011be000000008100000000000000")
REFUSED = bytes.fromhex("00000000 00000000 0600ff06 000011be 43 01 00 0c 01000000 00000001 00000000")


@pytest.fixture
def bench(tmp_path) -> Bench:
    return Bench(tmp_path)


def pinged(lab: Lab, host: Host, pong: bytes | None, times: int = 3) -> Lab:
    for tag in range(times):
        lab.put([datagram(CONSOLE, host, 40000, 623, messages.rmcp_ping(tag))])
        if pong is not None:
            lab.put([datagram(host, CONSOLE, 623, 40000, pong)])
        lab.wait(2)
    return lab


def names(report) -> list[list[str]]:
    return [each["addresses"] for each in report["devices"]]


def test_a_pong_of_amt_makes_a_machine(bench: Bench) -> None:
    scene = pinged(Lab(), desk().host, messages.amt_pong(0))
    report = bench.report(scene)
    assert names(report) == [[desk().host.ip]]
    (finding,) = [each for each in report["findings"] if each["id"] == "AMT-RMCP-001"]
    assert finding["title"] == "AMT answers pings: version 6.2, provisioned"


@pytest.mark.parametrize(
    "data",
    [
        BMC,
        bytes.fromhex("00000157000000008100000000000000"),  # Intel's number, IPMI
        bytes.fromhex("00000157123460020020000000000000"),  # Intel's number, another port
        bytes.fromhex("00000157000000000000000000000000"),  # Intel's number, and nothing of AMT
    ],
)
def test_no_other_pong_makes_one(bench: Bench, data: bytes) -> None:
    report = bench.report(pinged(Lab(), desk().host, messages.rmcp_pong(0, data)))
    assert report["devices"] == []
    assert report["findings"] == []


def test_pings_alone_make_no_machine(bench: Bench) -> None:
    assert bench.report(pinged(Lab(), desk().host, None, times=9))["devices"] == []


def test_rmcp_002_pings_nobody_answers(bench: Bench) -> None:
    def scene(times: int, pong: bytes | None = None) -> Lab:
        lab = Lab()
        lab.greet(desk())
        pinged(lab, desk().host, pong, times)
        lab.who_has(CONSOLE, "192.0.2.77", 1)  # the capture goes on
        return lab

    found = bench.fires("AMT-RMCP-002", scene(3), severity="low", verdict="confirmed")
    assert "3 pings to" in found["explanation"]
    bench.silent("AMT-RMCP-002", scene(2))
    bench.silent("AMT-RMCP-002", scene(3, messages.rmcp_pong(0, BMC)))


def pings(**more) -> dict[str, AddressQuery]:
    return {DESK: AddressQuery(**({"ref": 4, "time": at(4), "last_time": at(8), "count": 3, "asker": SCS} | more))}


def story(device: Device, queries: dict[str, AddressQuery], **more) -> Story:
    told = capture(device, **more)
    told.pings = queries
    return told


def test_002_only_where_the_capture_would_show_the_answer() -> None:
    one = machine(hello(1))
    assert asked("AMT-RMCP-002", one, story(one, pings())) == [("confirmed", "", [4])]
    assert asked("AMT-RMCP-002", one, story(one, pings(count=2))) == []
    assert asked("AMT-RMCP-002", one, story(one, pings(answered=True))) == []
    assert asked("AMT-RMCP-002", one, story(one, pings(), health=ONE_WAY)) == [ONE]
    assert asked("AMT-RMCP-002", one, story(one, pings(), health=GAPS)) == [("likely", "", [4])]
    assert asked("AMT-RMCP-002", one, story(one, pings(), last=8)) == [AT_ONCE]
    new = machine(hello(1), amt_version="16.1.25")
    assert asked("AMT-RMCP-002", new, story(new, pings())) == []  # it does not listen there
    late = machine(hello(1), amt_version="16.0.1")
    assert asked("AMT-RMCP-002", late, story(late, pings())) == [("confirmed", "", [4])]


def test_rmcp_003_a_session_that_is_refused(bench: Bench) -> None:
    lab = Lab()
    lab.greet(desk())
    lab.put([datagram(desk().host, CONSOLE, 664, 40000, REFUSED)])
    found = bench.fires("AMT-RMCP-003", lab, severity="medium")
    assert found["title"].endswith("insufficient resources to create a session")
    well = Lab()
    well.greet(desk())
    well.put([datagram(desk().host, CONSOLE, 664, 40000, REFUSED[:20] + b"\0" + REFUSED[21:])])
    bench.silent("AMT-RMCP-003", well)
    stranger = Lab()
    stranger.put([datagram(desk().host, CONSOLE, 664, 40000, REFUSED)])
    assert bench.report(stranger)["devices"] == []


def test_pet_001_by_uuid_in_either_order_or_by_address(bench: Bench) -> None:
    from uuid import UUID

    computer, elsewhere = desk(), Host("00:00:5e:00:53:99", "192.0.2.99")
    network = messages.trap(computer.uuid, elsewhere.ip, 0x1E6F02, 0x10)
    smbios = messages.trap(UUID(bytes=computer.uuid.bytes_le), elsewhere.ip, 0x1E6F02, 0x08)
    for data, host, level in ((network, elsewhere, "medium"), (smbios, elsewhere, "low")):
        lab = Lab()
        lab.greet(computer)
        lab.put([datagram(host, CONSOLE, 40000, 162, data)])
        found = bench.fires("AMT-PET-001", lab, severity=level)
        assert found["title"] == "The machine reports: boot error: network boot server not found"
    other = messages.trap(UUID(int=5), computer.host.ip, 0x1D6F00, 0x01)
    lab = Lab()
    lab.greet(computer)
    lab.put([datagram(computer.host, CONSOLE, 40000, 162, other)])
    bench.fires("AMT-PET-001", lab, severity="info")
    lab = Lab()
    lab.greet(computer)
    lab.put([datagram(elsewhere, CONSOLE, 40000, 162, other)])
    bench.silent("AMT-PET-001", lab)  # of a machine that nobody knows


def test_001_and_003_by_hand() -> None:
    told = Pong(4, None, version="", port=16993, state=None)
    (hit,) = hits("AMT-RMCP-001", machine(told))
    assert hit.values == {"version": "before 6.0", "state": "state not told", "where": "port 16993 open"}
    assert asked("AMT-RMCP-001", machine(hello(1))) == []
    refusals = SessionRefused(4, None, client=SCS, status=0xD), SessionRefused(9, None, client=SCS, status=0x33)
    assert [hit.values["what"] for hit in hits("AMT-RMCP-003", machine(*refusals))] == [
        "unauthorized name",
        "status 51",
    ]
    alert = PlatformAlert(4, None, 3, event="fan: is well", severity=0x04, receiver=SCS)
    assert asked("AMT-PET-001", machine(alert)) == [("confirmed", "info", [4])]


def test_the_version_of_a_pong_counts_where_no_answer_tells_more() -> None:
    def version(*pongs: str, **more) -> str:
        facts = [Pong(4, None, version=each, port=16992, state=2) for each in pongs]
        return Case(capture(), Site(), {}).version(machine(*facts, **more))

    assert version("6.0", "6.2") == "6.2"
    assert version("6.2", amt_version="6.2.50") == "6.2.50"
    assert version("") == version() == ""
