"""What the peer did is evidence: hosts that are no setup server, old addresses, placeholders. Each with a near miss."""

import contextlib
import ssl

import pki_lab
import pytest
from diagnosis_lab import SCS, Bench, Lab, desk, lease_options, moved, named
from test_application import REFUSED, ask, login, say, talked
from test_hello_and_contact import HERE, OTHER, greeted, pki, psk

from amtdecode.artifacts.certificates.naming import check_name
from amtdecode.protocols.tls.certificates import read_certificate
from amtdecode.provisioning.state.placeholders import empty, swapped, tells_apart
from pcaps import messages, tls
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


# -- protocols and ports ----------------------------------------------------------------------------------------------

TLS_FATAL = bytes.fromhex("15030100020246")
NO_TLS_HERE = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize("port", [16993, 664])
def test_http_to_a_port_for_tls(bench: Bench, port: int) -> None:
    lab = talked((ask(), TLS_FATAL), port=port)
    finding = bench.fires("AMT-CONN-010", lab, severity="high", verdict="confirmed")
    assert finding["title"] == f"HTTP to port {port}, which expects TLS"
    assert "AMT-HTTP-007" not in [each["id"] for each in bench.report(lab)["findings"]]
    bench.silent("AMT-CONN-010", talked((ask(), say()), port=port))  # it answers: something speaks HTTP there


@pytest.mark.parametrize("port", [16992, 16994, 623])
def test_tls_to_a_port_without(bench: Bench, port: int) -> None:
    lab = Lab()
    hello = tls.PskConnection(lab.rng, b"x", messages.PSK, hint=None).client_hello()
    lab.talk(SCS, HERE.host, port, [(TO_SERVER, hello), (TO_CLIENT, NO_TLS_HERE)])
    assert bench.fires("AMT-CONN-010", lab, severity="high")["title"] == f"TLS to port {port}, which expects no TLS"
    lab.wait(5)
    lab.psk(HERE, stop=2, end="open")  # then it finds the right port
    bench.fires("AMT-CONN-010", lab, severity="info")
    under_way = Lab()
    under_way.talk(SCS, HERE.host, port, [(TO_SERVER, hello)], "open")
    bench.silent("AMT-CONN-010", under_way)


def test_tls_to_the_port_for_tls_is_right(bench: Bench) -> None:
    lab = Lab()
    lab.psk(HERE, stop=1, end="close")
    bench.silent("AMT-CONN-010", lab)


# -- requests and commits nobody answers ------------------------------------------------------------------------------


def unanswered(times: int, *, client: Host = SCS, end: str = "close", by: int = TO_CLIENT) -> Lab:
    lab = Lab()
    for _ in range(times):
        lab.talk(client, HERE.host, 16992, [(TO_SERVER, ask(authorization=login()))], end, by)
        lab.wait(1)
    return lab


def test_requests_nobody_answers(bench: Bench) -> None:
    finding = bench.fires("AMT-HTTP-007", unanswered(3), severity="high", verdict="confirmed")
    assert finding["title"] == "Nobody answers: 3 requests were left without an answer"
    bench.silent("AMT-SEC-001", unanswered(3))
    bench.fires("AMT-HTTP-007", unanswered(1), severity="medium", verdict="likely")
    bench.silent("AMT-HTTP-007", talked((ask(), say())))
    lab = unanswered(2)
    lab.http(HERE, [(ask(), say())])
    bench.fires("AMT-HTTP-007", lab, severity="info")


def test_a_request_under_way_is_not_judged(bench: Bench) -> None:
    lab = unanswered(1, end="open")
    report = bench.report(lab)
    assert "AMT-HTTP-007" not in [each["id"] for each in report["findings"]]
    assert ("AMT-HTTP-007", "the capture ends before the machine answers") in {
        (entry["id"], entry["missing"]) for entry in report["not_judged"]
    }
    lab.wait(100)
    lab.who_has(SCS, "192.0.2.99", 1)
    bench.fires("AMT-HTTP-007", lab)


def test_lms_does_not_answer(bench: Bench) -> None:
    here = HERE.host
    lab = unanswered(3, client=here)
    assert "LMS" in bench.fires("AMT-HTTP-007", lab)["explanation"]


COMMIT = "CommitChanges"


def commit(*, end: str = "reset", by: int = TO_CLIENT) -> Lab:
    lab = Lab()
    steps = [
        (TO_SERVER, ask()),
        (TO_CLIENT, say()),
        (TO_SERVER, ask("SetTLSEnabled")),
        (TO_CLIENT, say("SetTLSEnabled")),
        (TO_SERVER, ask(COMMIT)),
    ]
    lab.greet(HERE, psk())
    lab.wait(3)
    lab.talk(SCS, HERE.host, 16992, steps, end, by)
    lab.wait(10)
    return lab


@pytest.mark.parametrize(("end", "by"), [("reset", TO_CLIENT), ("close", TO_CLIENT), ("close", TO_SERVER)])
def test_the_answer_to_the_commit_is_lost(bench: Bench, end: str, by: int) -> None:
    report = bench.report(commit(end=end, by=by))
    found = {each["id"]: each for each in report["findings"]}
    assert found["AMT-OK-005"]["verdict"] == "likely"
    assert "probably carried out" in found["AMT-OK-005"]["explanation"]
    assert not {"AMT-CONN-005", "AMT-OK-003", "AMT-HTTP-007"} & set(found)


def test_what_follows_tells_whether_the_commit_was_carried_out(bench: Bench) -> None:
    lab = commit()
    lab.greet(HERE, psk(retry=1))
    finding = bench.fires("AMT-OK-005", lab, severity="high", verdict="confirmed")
    assert "not carried out" in finding["explanation"]
    lab = commit()
    lab.http(HERE, [(ask(COMMIT), say(COMMIT))])
    bench.silent("AMT-OK-005", lab)
    lab = commit(end="open")  # the capture ends
    bench.silent("AMT-OK-005", lab)


# -- refused logins ---------------------------------------------------------------------------------------------------

KERBEROS = ask(authorization="Negotiate YIIBAAYGKwYBBQUC")


@pytest.mark.parametrize("several", [False, True])
def test_a_refused_kerberos_login_is_no_wrong_password(bench: Bench, several: bool) -> None:
    if several:
        lab = Lab()
        for _ in range(3):
            lab.http(HERE, [(KERBEROS, REFUSED)])
    else:
        lab = talked(*[(KERBEROS, REFUSED)] * 3)
    finding = bench.fires("AMT-HTTP-002", lab, severity="high")
    assert finding["title"] == "The machine refuses the Kerberos ticket"
    assert "SPN" in finding["fix"]
    assert "MEBx" not in finding["explanation"] + finding["fix"]


def test_a_refused_password_over_several_connections(bench: Bench) -> None:
    lab = Lab()
    for count in range(3):
        lab.http(HERE, [(ask(), REFUSED), (ask(authorization=login(count + 1)), REFUSED)])
    assert bench.fires("AMT-HTTP-002", lab)["title"] == "The machine refuses the password"
    lab = Lab()
    for _ in range(5):  # an old nonce, then success: a row of one
        lab.http(HERE, [(ask(authorization=login()), REFUSED), (ask(authorization=login(2)), say())])
    bench.silent("AMT-HTTP-002", lab)


# -- CIRA -------------------------------------------------------------------------------------------------------------

MPS = Host("00:00:5e:00:53:90", "192.0.2.90")


def called_home(code: int, *, times: int = 1, known: bool = True, complete: bool = False, sni: str = "") -> Lab:
    """A machine calls its MPS, whose certificate it refuses with an alert; real certificates and flights."""
    lab = Lab()
    if known:
        lab.http(HERE, [(ask(), say())])
    flights = cira_flights(complete=complete, sni=sni)
    for _ in range(times):
        steps = flights if complete else [*flights, (TO_SERVER, pki_lab.alert(code))]
        lab.talk(HERE.host, MPS, 4433, steps)
        lab.wait(10)
    return lab


def cira_flights(*, complete: bool, sni: str) -> list[tuple[int, bytes]]:
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    server = pki_lab._context(ssl.PROTOCOL_TLS_SERVER, [pki_lab.leaf("mps.example.com"), pki_lab.middle()], None, [])
    bios = [ssl.MemoryBIO() for _ in range(4)]
    sides = (
        client.wrap_bio(bios[0], bios[1], server_hostname=sni or None),
        server.wrap_bio(bios[2], bios[3], server_side=True),
    )
    flights: list[tuple[int, bytes]] = []
    for turn in range(6 if complete else 2):
        which = turn % 2
        with contextlib.suppress(ssl.SSLWantReadError):
            sides[which].do_handshake()
        if data := (bios[3] if which else bios[1]).read():
            flights.append((TO_CLIENT if which else TO_SERVER, data))
            (bios[0] if which else bios[2]).write(data)
    return flights


@pytest.mark.parametrize(
    ("code", "said"), [(42, "name"), (45, "clock"), (46, "purpose"), (48, "root"), (43, "kind"), (44, "revoked")]
)
def test_amt_refuses_the_certificate_of_its_mps(bench: Bench, code: int, said: str) -> None:
    finding = bench.fires("AMT-CIRA-001", called_home(code), severity="high", verdict="confirmed")
    assert f"alert {code} " in finding["title"]
    assert said in finding["explanation"]
    assert "mps.example.com" in str(finding["evidence"])
    assert "the chain ends before its root" in str(finding["evidence"])


def test_alerts_that_are_about_no_certificate_are_no_refusal_of_it(bench: Bench) -> None:
    bench.silent("AMT-CIRA-001", called_home(40))
    bench.silent("AMT-CIRA-001", called_home(0, complete=True))


def test_a_host_of_which_only_the_port_speaks(bench: Bench) -> None:
    report = bench.report(called_home(48, known=False))
    assert (report["devices"], report["findings"]) == ([], [])
    finding = bench.fires("AMT-CIRA-001", called_home(48, times=3, known=False), verdict="possible")
    assert "3 times" in str(finding["evidence"])
    browser = bench.report(called_home(48, times=3, known=False, sni="mps.example.com"))
    assert (browser["devices"], browser["findings"]) == ([], [])  # AMT names no server


def test_a_later_call_that_comes_through(bench: Bench) -> None:
    lab = called_home(48)
    lab.talk(HERE.host, MPS, 4433, cira_flights(complete=True, sni=""))
    bench.fires("AMT-CIRA-001", lab, severity="info")


def test_without_the_answers_in_the_capture_nothing_is_said_of_them(bench: Bench) -> None:
    """The same traffic, recorded from the server's side of the wire alone."""
    for lab in (unanswered(3), talked((ask(), TLS_FATAL), port=16993), commit()):
        lab.packets = [each for each in lab.packets if each[1][26:30] != bytes(map(int, HERE.host.ip.split(".")))]
        found = {each["id"] for each in bench.report(lab)["findings"]}
        assert not found & {"AMT-HTTP-007", "AMT-CONN-010", "AMT-OK-005"}


# -- option 15, MAC addresses -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "verdict", "said"),
    [
        (b"example.com.", "possible", "ends with a dot"),
        (b"example.com.\0", "possible", "ends with a NUL byte"),
        (b".example.com.", "likely", "begins with a dot"),
        (b"exam\0ple.com", "likely", "no domain name holds"),
        (b"a.example,b.example", "likely", "several names"),
    ],
)
def test_option_15_with_something_around_it(bench: Bench, raw: bytes, verdict: str, said: str) -> None:
    lab = Lab()
    lab.dhcp(HERE, options=lease_options(raw))
    lab.found(HERE)
    assert said in bench.fires("AMT-NET-002", lab, verdict=verdict)["explanation"]


def test_each_of_several_suffixes_is_compared() -> None:
    leaf = read_certificate(pki_lab.leaf().der)
    outcomes = {}
    for suffix in ("example.com other.org", "other.org, third.org", "example.com"):
        checks = check_name(leaf, suffix, None, (3, 0))
        outcomes[suffix] = next(check.outcome for check in checks if check.id == "AMT-RCFG-009")
    assert outcomes == {"example.com other.org": "warn", "other.org, third.org": "fail", "example.com": "pass"}


def test_two_machines_of_one_mac(bench: Bench) -> None:
    twin = desk(31)._replace(host=Host(HERE.host.mac, "192.0.2.31"))
    lab = Lab()
    for computer in (HERE, twin):
        lab.greet(computer, psk(computer))
        lab.wait(5)
    finding = bench.fires("AMT-NET-006", lab, severity="medium", verdict="likely")
    assert HERE.host.mac in finding["explanation"]
    far = Lab()
    for computer in (moved(HERE, "198.51.100.1"), moved(twin, "198.51.100.2")):
        far.greet(computer, psk(computer))  # a router's address, which all behind it have
    bench.silent("AMT-NET-006", far)
    own = Lab()
    for computer in (HERE, desk(31)):
        own.greet(computer, psk(computer))
    bench.silent("AMT-NET-006", own)
