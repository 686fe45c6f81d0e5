"""AMT-CIRA-013: the name of the management presence server; what DNS passes over until a machine calls there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest
from by_hand import DESK, ONE, ONE_WAY, asked, called, capture, hits, lookup, machine
from diagnosis_lab import NETWORK, Lab, packed

import amtdecode
from amtdecode.capture import open_records
from amtdecode.diagnosis import diagnose
from amtdecode.engine import Engine, lane
from amtdecode.protocols.dns.message import DnsMessage
from amtdecode.provisioning import Tracker
from amtdecode.provisioning.journal import Journal, Keeper, tell
from amtdecode.provisioning.state import Cira, ServerLookup
from amtdecode.provisioning.state.incidents import PresenceServer
from pcaps import apf
from pcaps.build import TO_CLIENT, TO_SERVER, Host
from pcaps.scene import machine as made

if TYPE_CHECKING:
    from pathlib import Path

    from diagnosis_lab import Bench

HERE = made(61, "example.com")
NAME = "presence.example.net"
OUTSIDE = Host("00:00:5e:00:53:90", "192.88.99.7")  # in no range from within a site
INSIDE = Host("00:00:5e:00:53:90", "192.0.2.90")
NXDOMAIN, SERVFAIL = 3, 2
DNS = NETWORK.dns.ip


# -- by hand ---------------------------------------------------------------------------------------------------------


def looked_up(packet: int, **more) -> ServerLookup:
    said = {"server": DNS, "queries": 1, "last_query": packet, "last_query_time": packet * 10**9} | more
    return ServerLookup(DESK, said.pop("name", NAME), packet, packet * 10**9, **said)


def story_of(*lookups: ServerLookup, **more):
    return capture(server_lookups={(each.client, each.name): each for each in lookups}, **more)


TOLD = PresenceServer(5, 5 * 10**9, name=NAME, connection=1)


def test_the_name_fails() -> None:
    failed = looked_up(10, failed=11, failures=1, rcode=NXDOMAIN)
    assert asked("AMT-CIRA-013", machine(TOLD), story_of(failed)) == [("confirmed", "", [10, 11, 5])]
    (hit,) = hits("AMT-CIRA-013", machine(TOLD), story_of(failed))
    assert hit.proofs[1] == (11, "answer: NXDOMAIN, 1 time")
    home = called(40, port=4433, cira=Cira(version=41), lookup=lookup(38, OUTSIDE.ip, name=NAME))
    assert asked("AMT-CIRA-013", machine(home), story_of(failed)) == [("confirmed", "", [10, 11, 40])]
    found = looked_up(10, failed=11, failures=1, rcode=NXDOMAIN, found=21, addresses=(OUTSIDE.ip,))
    assert asked("AMT-CIRA-013", machine(TOLD), story_of(found)) == [("confirmed", "info", [10, 11, 5, 21])]


def test_only_its_own_name_says_that_it_is_the_mps() -> None:
    failed = looked_up(10, name="mps.example.net", failed=11, failures=2, rcode=SERVFAIL)
    (hit,) = hits("AMT-CIRA-013", machine(), story_of(failed))
    assert (str(hit.verdict), "inferred from its name" in hit.values["what"]) == ("possible", True)
    assert "SERVFAIL" in hit.values["what"]


def test_no_answer() -> None:
    silent = looked_up(10, queries=2, waiting=2)
    assert asked("AMT-CIRA-013", machine(TOLD), story_of(silent)) == [("likely", "", [10, 5])]
    assert asked("AMT-CIRA-013", machine(TOLD), story_of(silent, health=ONE_WAY)) == [ONE]
    assert asked("AMT-CIRA-013", machine(TOLD), story_of(looked_up(10, waiting=1))) == []


def test_near_misses() -> None:
    found = looked_up(10, found=11, addresses=(OUTSIDE.ip,))
    assert asked("AMT-CIRA-013", machine(TOLD), story_of(found)) == []
    again = looked_up(10, found=11, addresses=(OUTSIDE.ip,), waiting=3)
    assert asked("AMT-CIRA-013", machine(TOLD), story_of(again)) == []
    elsewhere = ServerLookup("192.0.2.77", NAME, 10, 10, failed=11, failures=1, rcode=NXDOMAIN)
    assert asked("AMT-CIRA-013", machine(TOLD), story_of(elsewhere)) == []
    cut = looked_up(10, cut=True, failed=11, failures=1, rcode=NXDOMAIN)
    assert asked("AMT-CIRA-013", machine(TOLD), story_of(cut)) == ["the whole message: the capture cut it"]


# -- from packets ----------------------------------------------------------------------------------------------------


def noise(lab: Lab) -> None:
    """What an office asks, of which nothing is told."""
    lab.dns(HERE.host, "wpad.example.com", [], code=NXDOMAIN)
    lab.dns(HERE.host, "www.example.org", [("www.example.org", 1, packed("192.88.99.9"))])


def home(lab: Lab, server: Host) -> None:
    lab.talk(HERE.host, server, 4433, [(TO_SERVER, apf.version(HERE.uuid))])


def names(lab: Lab, folder: Path, **options) -> list[tuple[int, bool, str, int]]:
    """What is told of DNS: packet, whether it is an answer, name, code."""
    found = amtdecode.read(lab.write(folder / "a.pcap"), **options)
    return [
        (each.packet, each.event.is_response, each.event.name, each.event.reply_code)
        for each in found
        if isinstance(each.event, DnsMessage)
    ]


def test_what_was_passed_over_is_told_once_the_machine_calls(tmp_path: Path) -> None:
    lab = Lab()
    noise(lab)
    lab.dns(HERE.host, NAME, [], code=NXDOMAIN)  # 5, 6
    lab.dns(HERE.host, NAME, [(NAME, 1, packed(OUTSIDE.ip))])  # 7, 8
    assert names(lab, tmp_path) == []
    home(lab, OUTSIDE)
    told = [(5, False, NAME, 0), (6, True, NAME, NXDOMAIN), (7, False, NAME, 0), (8, True, NAME, 0)]
    assert names(lab, tmp_path) == told
    noise(lab)
    lab.dns(HERE.host, NAME.upper(), [], code=SERVFAIL)  # from now on as it comes
    after = names(lab, tmp_path)
    assert after[:4] == told
    assert [each[1:] for each in after[4:]] == [(False, NAME.upper(), 0), (True, NAME.upper(), SERVFAIL)]
    kept = names(lab, tmp_path, pdus=True)
    assert kept == after
    trees = [o for o in amtdecode.read(tmp_path / "a.pcap", pdus=True) if isinstance(o.event, DnsMessage)]
    assert all(each.tree() for each in trees)


@pytest.mark.parametrize("refused", [True, False])
def test_other_servers_change_nothing(tmp_path: Path, refused: bool) -> None:
    lab = Lab()
    lab.dns(HERE.host, NAME, [(NAME, 1, packed(OUTSIDE.ip))])
    lab.dns(HERE.host, NAME, [], code=NXDOMAIN)
    lab.talk(HERE.host, OUTSIDE, 443, [(TO_SERVER, b"\x16\x03\x01\0\5hello")])  # no call home
    other = made(62, "example.com").host
    if refused:
        lab.refused(other, OUTSIDE, 4433)  # of a host that never asked
    assert names(lab, tmp_path) == []


def test_a_call_that_nobody_answers_tells_too(tmp_path: Path) -> None:
    lab = Lab()
    lab.dns(HERE.host, NAME, [(NAME, 1, packed(OUTSIDE.ip))])
    lab.refused(HERE.host, OUTSIDE, 4433)
    assert [each[0] for each in names(lab, tmp_path)] == [1, 2]


@pytest.mark.parametrize("server", [INSIDE, OUTSIDE])
@pytest.mark.parametrize("jobs", [1, 2])
def test_the_story_names_the_look_up(bench: Bench, server: Host, jobs: int) -> None:
    lab = Lab()
    noise(lab)
    lab.dns(HERE.host, NAME, [], code=NXDOMAIN)  # 5, 6
    lab.dns(HERE.host, NAME, [(NAME, 1, packed(server.ip))])  # 7, 8
    home(lab, server)
    report = bench.report(lab, options=("--jobs", str(jobs)))
    found = {each["id"]: each for each in report["findings"] if each["id"].startswith("AMT-CIRA")}
    failed = found["AMT-CIRA-013"]
    assert (failed["verdict"], failed["severity"]) == ("confirmed", "info")
    assert [(each["packet"], each["text"]) for each in failed["evidence"]] == [
        (7, f'{HERE.host.ip} asks {DNS} for "{NAME}"'),
        (6, "answer: NXDOMAIN, 1 time"),
        (9, f"{HERE.host.ip} calls home to {server.ip}:4433, where this name leads"),
        (8, f"a later answer: {server.ip}"),
    ]


def test_the_setting_of_the_machine_names_its_server(bench: Bench) -> None:
    name = "AMT_RemoteAccessService"
    uri = f"http://intel.com/wbem/wscim/1/amt-schema/1/{name}"

    def soap(first: str, action: str, body: str) -> bytes:
        envelope = (
            '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
            'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
            'xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"><s:Header>'
            f"<a:Action>{uri}/{action}</a:Action>"
            f"<w:ResourceURI>{uri}</w:ResourceURI></s:Header><s:Body>{body}</s:Body></s:Envelope>"
        )
        head = f"{first}\r\nContent-Type: application/soap+xml\r\nContent-Length: {len(envelope)}\r\n\r\n"
        return (head + envelope).encode()

    asks = (
        f'<h:AddMpServer_INPUT xmlns:h="{uri}"><h:AccessInfo>{NAME}</h:AccessInfo><h:InfoFormat>201</h:InfoFormat>'
        "<h:Port>4433</h:Port></h:AddMpServer_INPUT>"
    )
    says = f'<h:AddMpServer_OUTPUT xmlns:h="{uri}"><h:ReturnValue>0</h:ReturnValue></h:AddMpServer_OUTPUT>'
    for configured in (True, False):
        lab = Lab()
        said = [(TO_SERVER, soap("POST /wsman HTTP/1.1", "AddMpServer", asks if configured else ""))]
        said.append((TO_CLIENT, soap("HTTP/1.1 200 OK", "AddMpServerResponse", says)))
        lab.talk(Host("00:00:5e:00:53:0a", "192.0.2.10"), HERE.host, 16992, said)
        number = len(lab.packets) + 1
        lab.dns(HERE.host, NAME, [], code=NXDOMAIN)
        found = [each for each in bench.report(lab)["findings"] if each["id"] == "AMT-CIRA-013"]
        if not configured:
            assert found == []
            continue
        (finding,) = found
        assert (finding["verdict"], finding["severity"]) == ("confirmed", "high")
        assert [each["packet"] for each in finding["evidence"]][:2] == [number, number + 1]


def test_a_name_that_looks_like_one(bench: Bench, tmp_path: Path) -> None:
    """The hint is told of any host, and said to be one; a host that is no machine has no story."""
    lab = Lab()
    lab.dns(HERE.host, "mps.example.net", [], code=NXDOMAIN)
    lab.dns(HERE.host, "mpsx.example.net", [], code=NXDOMAIN)
    assert names(lab, tmp_path) == [(1, False, "mps.example.net", 0), (2, True, "mps.example.net", NXDOMAIN)]
    assert bench.report(lab)["findings"] == []
    lab.greet(HERE)
    (finding,) = [each for each in bench.report(lab)["findings"] if each["id"] == "AMT-CIRA-013"]
    assert finding["verdict"] == "possible"


def held_back() -> Lab:
    """Look-ups that only the call tells to be of the server."""
    lab = Lab()
    noise(lab)
    lab.dns(HERE.host, NAME, [], code=NXDOMAIN)
    lab.dns(HERE.host, NAME, [(NAME, 1, packed(OUTSIDE.ip))])
    home(lab, OUTSIDE)
    noise(lab)
    return lab


def test_a_journal_tells_the_same(tmp_path: Path) -> None:
    path = str(held_back().write(tmp_path / "a.pcap"))
    seen = list(Engine(None, connections="all").observe(open_records((path,))))
    tracker, keeper = Tracker(), Keeper("", (path,))
    tracker.input(path)
    for observation in seen:
        tracker.feed(observation)
        keeper.feed(observation)
    said = diagnose(tracker.finish())
    assert "AMT-CIRA-013" in {finding.id for finding in said.findings}
    told = tell(Journal.from_bytes(keeper.journal().to_bytes()))
    assert msgspec.json.encode(diagnose(told), enc_hook=str) == msgspec.json.encode(said, enc_hook=str)


def test_the_loop_alone_states_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = held_back().write(tmp_path / "a.pcap")
    both = [str(each) for each in amtdecode.read(path)]
    monkeypatch.setattr(lane, "COMPILED", None)
    assert [str(each) for each in amtdecode.read(path)] == both
