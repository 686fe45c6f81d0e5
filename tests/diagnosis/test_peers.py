"""What the peer did is evidence: hosts that are no setup server, old addresses, placeholders. Each with a near miss."""

import pytest
from diagnosis_lab import SCS, Bench, Lab, moved, named
from test_hello_and_contact import HERE, OTHER, greeted, pki, psk

from amtdecode.provisioning.state.placeholders import empty, swapped, tells_apart
from pcaps.build import TO_CLIENT, TO_SERVER, Host
from pcaps.make import NETWORK

AMI = "03000200-0400-0500-0006-000700080009"
NEW = "192.0.2.77"


def answered(said: bytes, *, banner: bool = False, times: int = 3, server: Host = SCS) -> Lab:
    """Hellos that a host answers, or greets with a banner."""
    lab = Lab()
    lab.found(HERE, server.ip)
    for retry in range(times):
        steps = [(TO_SERVER, pki(retry=retry)), (TO_CLIENT, said)]
        lab.talk(HERE.host, server, 9971, steps[::-1] if banner else steps)
        lab.wait(60)
    return lab


@pytest.mark.parametrize(
    ("said", "banner", "who"),
    [
        (b"HTTP/1.0 400 Bad Request\r\nServer: squid\r\n\r\n", False, "web proxy"),
        (bytes.fromhex("15030100020228"), False, "TLS"),
        (b"220 mail.example.com ESMTP\r\n", True, "SMTP"),
        (b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", True, "SSH"),
        (b"\x01\x02\x03", False, "another service"),
    ],
)
def test_a_host_that_answers_a_hello_is_no_setup_server(bench: Bench, said: bytes, banner: bool, who: str) -> None:
    report = bench.report(answered(said, banner=banner))
    finding = report["findings"][0]
    assert (finding["id"], finding["severity"], finding["verdict"]) == ("AMT-HELLO-002", "high", "confirmed")
    assert "not a setup server" in finding["title"]
    assert who in finding["title"] + finding["explanation"]
    assert "AMT-HELLO-003" not in [each["id"] for each in report["findings"]]


def test_an_answer_of_a_server_that_comes_back_is_no_fault(bench: Bench) -> None:
    lab = answered(b"ok", times=1)
    lab.psk(HERE, stop=2, end="open")
    bench.silent("AMT-HELLO-002", lab)
    lab = answered(b"HTTP/1.0 400 Bad Request\r\n\r\n", times=1, server=Host(OTHER, "192.0.2.80"))
    lab.greet(HERE, pki(retry=1))  # the name was corrected
    bench.silent("AMT-HELLO-002", lab)


@pytest.mark.parametrize("by", ["hello", "lease"])
@pytest.mark.parametrize("how", ["unanswered", "refused"])
def test_the_server_calls_the_address_the_machine_had(bench: Bench, by: str, how: str) -> None:
    now = moved(HERE, NEW)
    lab = Lab()
    lab.lease(NETWORK, HERE)
    lab.greet(HERE, psk())
    lab.wait(40)
    lab.lease(NETWORK, now)
    if by == "hello":
        lab.greet(now, psk(retry=1))
    if how == "refused":
        lab.refused(SCS, HERE.host, 16993)
    else:
        lab.syns(SCS, HERE.host, 16993)
    report = bench.report(lab)
    finding = report["findings"][0]
    assert (finding["id"], finding["verdict"]) == ("AMT-CONN-003", "confirmed")
    assert NEW in finding["explanation"]
    assert HERE.host.ip in finding["explanation"]
    others = {each["id"] for each in report["findings"]} & {"AMT-CONN-001", "AMT-CONN-002", "AMT-HELLO-010"}
    assert not others


def test_a_call_to_the_present_address_is_none_to_a_former_one(bench: Bench) -> None:
    now = moved(HERE, NEW)
    lab = greeted(psk())
    lab.syns(SCS, HERE.host, 16993)  # before it moves
    lab.greet(now, psk(retry=1))
    bench.silent("AMT-CONN-003", lab)
    lab = greeted(psk())
    lab.greet(now, psk(retry=1))
    lab.syns(SCS, now.host, 16993)
    bench.silent("AMT-CONN-003", lab)
    bench.fires("AMT-CONN-001", lab)
    lab = greeted(psk())
    lab.greet(now, psk(retry=1))
    lab.syns(SCS, HERE.host, 16993)
    lab.psk(now, stop=2, end="open")  # then it finds the right one
    bench.silent("AMT-CONN-003", lab)


def test_one_hello_and_an_hour_of_nothing(bench: Bench) -> None:
    finding = bench.fires("AMT-HELLO-003", greeted(psk(), after=3700), verdict="possible")
    assert finding["title"].startswith("1 hello message,")
    bench.silent("AMT-HELLO-003", greeted(psk(), after=1800))
    lab = greeted(psk())
    lab.psk(HERE, stop=2)
    lab.wait(4000)
    lab.who_has(SCS, "192.0.2.99", 1)
    bench.silent("AMT-HELLO-003", lab)


def test_a_pid_whose_check_character_is_wrong_comes_before_the_silence(bench: Bench) -> None:
    wrong = [psk(pid="0000037N", retry=number) for number in range(4)]
    report = bench.report(greeted(*wrong))
    finding = report["findings"][0]
    assert (finding["id"], finding["severity"]) == ("AMT-HELLO-017", "high")
    assert "wrong check character" in finding["title"]
    assert "ask for M" in finding["explanation"]
    assert "AMT-HELLO-003" not in [each["id"] for each in report["findings"]]
    bench.fires("AMT-HELLO-003", greeted(*(psk(pid="0000037M", retry=number) for number in range(4))))
    bench.silent("AMT-HELLO-017", greeted(psk(pid="0000037M")))
    bench.silent("AMT-HELLO-017", greeted(pki()))


@pytest.mark.parametrize(
    ("uuid", "apart"),
    [
        (AMI, False),
        (AMI.upper(), False),
        ("00020003-0004-0005-0006-000700080009", False),  # the other byte order
        ("0" * 8 + "-0000-0000-0000-" + "0" * 12, False),
        ("ffffffff-ffff-ffff-ffff-ffffffffffff", False),
        ("01010101-0101-0101-0101-010101010101", False),
        ("03000200-0400-0500-0006-00070008000a", True),
        ("4c4c4544-0051-3410-8051-b5c04f375931", True),
    ],
)
def test_placeholder_uuids(uuid: str, apart: bool) -> None:
    assert tells_apart(uuid) is apart


def test_swapped_and_empty() -> None:
    assert swapped("00112233-4455-6677-8899-aabbccddeeff") == "33221100-5544-7766-8899-aabbccddeeff"
    assert empty("0" * 32)
    assert empty("F" * 32)
    assert not empty(AMI)


def test_placeholder_uuids_join_no_machines_and_prove_no_replay(bench: Bench) -> None:
    one = named(HERE, AMI)
    two = moved(one, "192.0.2.31", OTHER)
    lab = Lab()
    for computer in (one, two):
        lab.greet(computer, pki(computer))
        lab.wait(5)
    report = bench.report(lab)
    assert len(report["devices"]) == 2
    found = {finding["id"]: finding for finding in report["findings"]}
    assert "AMT-REPLAY-002" not in found
    assert "AMT-HELLO-008" not in found
    assert "placeholder" in found["AMT-HELLO-007"]["title"]
    assert "2 machines" in found["AMT-HELLO-007"]["explanation"]
    own = Lab()
    for computer in (HERE, moved(HERE, "192.0.2.31", OTHER)):
        own.greet(computer, pki(computer))
        own.wait(5)
    report = bench.report(own)
    assert len(report["devices"]) == 1
    assert "AMT-REPLAY-002" in {finding["id"] for finding in report["findings"]}
    assert "AMT-HELLO-007" not in {finding["id"] for finding in report["findings"]}
