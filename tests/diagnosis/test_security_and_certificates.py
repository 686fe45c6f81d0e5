"""AMT-REPLAY-*, AMT-SEC-*, AMT-CERT-*."""

import pki_lab as pki
import pytest
from diagnosis_lab import SCS, Bench, Lab, desk, moved
from test_application import NONCE, REALM, ask, login, returns, say, talked, wsman
from test_psk_and_rcfg import presented, sound

from pcaps import messages, tls
from pcaps.build import TO_CLIENT, TO_SERVER, Host
from pcaps.make import NETWORK, SET_UP

HERE = desk()
OTHER = "00:00:5e:00:53:77"
ONLY_SCS = f'[scs]\naddresses = ["{SCS.ip}"]\n'


def committed(lab: Lab | None = None) -> Lab:
    """A setup that is seen to succeed."""
    lab = lab or Lab()
    lab.greet(HERE)
    lab.wait(3)
    lab.http(HERE, [(wsman("CommitChanges"), returns("CommitChanges", 0))])
    lab.wait(600)
    return lab


def managed(flights: list[tuple[int, bytes]], *, end: str = "close", by: int = TO_SERVER, port: int = 16993) -> Lab:
    """A TLS connection after a setup."""
    lab = Lab()
    lab.now = int(pki.AT.timestamp()) * 1_000_000_000
    committed(lab)
    lab.talk(SCS, HERE.host, port, flights, end, by)
    return lab


def operational() -> pki.Authority:
    return pki.issue("desk-30.example.com", pki.middle(), 12)


def test_replay_001_hello_after_commit(bench: Bench) -> None:
    lab = committed()
    lab.greet(HERE)
    bench.fires("AMT-REPLAY-001", lab, severity="medium", verdict="confirmed")
    lab = committed()
    lab.greet(moved(HERE, "192.0.2.99", OTHER))
    bench.fires("AMT-REPLAY-001", lab, severity="critical")
    lab = committed()
    lab.http(HERE, [(wsman("Unprovision"), returns("Unprovision", 0))])
    lab.wait(60)
    lab.greet(HERE)
    bench.silent("AMT-REPLAY-001", lab)


def test_replay_001_makes_102_critical(bench: Bench) -> None:
    log = bench.file(
        "scs.log", f"2007-11-05 09:10:00 Error 102 - Intel AMT device is already provisioned {HERE.host.ip}\n"
    )
    lab = committed()
    lab.greet(HERE)
    bench.fires("AMT-LOG-102", lab, log, severity="critical")


def test_replay_002_same_hello_elsewhere(bench: Bench) -> None:
    lab = Lab()
    lab.greet(HERE)
    lab.wait(10)
    lab.greet(moved(HERE, "192.0.2.99", OTHER), messages.hello_psk(HERE.uuid))
    finding = bench.fires("AMT-REPLAY-002", lab, severity="critical")
    assert OTHER in finding["explanation"]
    lab = Lab()
    lab.greet(HERE)
    lab.wait(10)
    lab.greet(moved(HERE, "192.0.2.99"), messages.hello_psk(HERE.uuid))  # the same card: a new lease
    bench.silent("AMT-REPLAY-002", lab)
    lab = Lab()
    lab.greet(HERE)
    lab.wait(10)
    lab.greet(moved(HERE, "192.0.2.99", OTHER), messages.hello_psk(HERE.uuid, retry=1))
    bench.silent("AMT-REPLAY-002", lab)


def test_sec_001_clear_management(bench: Bench) -> None:
    bench.fires("AMT-SEC-001", talked((ask(), say())), severity="high")
    bench.silent(
        "AMT-SEC-001", managed(pki.shake([], presented=operational(), ask=False, records=4)) if False else Lab()
    )
    bench.fires("AMT-SEC-001", talked((ask(), say())), site="[policy]\ntls = false\n", severity="info")


def test_sec_002_secret_in_clear(bench: Bench) -> None:
    secret = "<Username>admin</Username><Password>Example-1</Password>"
    lab = talked((ask("SetAdminAclEntry", secret), say("SetAdminAclEntry")))
    finding = bench.fires("AMT-SEC-002", lab, severity="critical")
    assert "Example-1" not in str(bench.report(lab))
    assert finding["evidence"]
    bench.silent("AMT-SEC-002", talked((ask("GetCoreVersion"), say())))
    basic = talked((ask(authorization="Basic YWRtaW46RXhhbXBsZS0x"), say()))
    bench.fires("AMT-SEC-002", basic)
    assert "RXhhbXBsZS0x" not in str(bench.report(basic))


def test_sec_003_clear_redirection(bench: Bench) -> None:
    start = bytes.fromhex("1000000053 4f4c20".replace(" ", ""))
    lab = Lab()
    lab.talk(
        SCS, HERE.host, 16994, [(TO_SERVER, start), (TO_CLIENT, bytes.fromhex("11000000 00010000 00".replace(" ", "")))]
    )
    bench.fires("AMT-SEC-003", lab, severity="high")
    lab = Lab()
    lab.refused(SCS, HERE.host, 16994)
    bench.silent("AMT-SEC-003", lab)


def test_sec_004_digest_in_clear(bench: Bench) -> None:
    lab = talked((ask(), messages.unauthorized(REALM, NONCE)), (ask(authorization=login()), say()))
    bench.fires("AMT-SEC-004", lab, severity="medium")
    bench.silent("AMT-SEC-004", talked((ask(), messages.unauthorized(REALM, NONCE))))


def chosen(suite: int, version: int = 0x0301, client: int = 0x0301) -> list[tuple[int, bytes]]:
    """ClientHello and ServerHello that choose a suite."""
    import struct

    def hello(kind: int, body: bytes) -> bytes:
        message = tls.message(kind, body)
        return struct.pack(">BHH", 22, 0x0301, len(message)) + message

    offered = struct.pack(">HHHH", 6, suite, 0x002F, 0xC02F)
    first = hello(1, struct.pack(">H", client) + bytes(32) + b"\0" + offered + b"\x01\0")
    return [
        (TO_SERVER, first),
        (TO_CLIENT, hello(2, struct.pack(">H", version) + bytes(32) + b"\0" + struct.pack(">HB", suite, 0))),
    ]


@pytest.mark.parametrize("suite", [0x0004, 0x0001, 0x0003, 0x0009, 0x0018])
def test_sec_005_weak_suite(bench: Bench, suite: int) -> None:
    lab = Lab()
    lab.talk(SCS, HERE.host, 16993, chosen(suite))
    bench.fires("AMT-SEC-005", lab, severity="info")
    bench.fires("AMT-SEC-005", lab, site='amt_version = "12.0"\n', severity="high")
    lab = Lab()
    lab.talk(SCS, HERE.host, 16993, chosen(0x002F))
    bench.silent("AMT-SEC-005", lab)


def test_sec_005_a_machine_that_can_do_better(bench: Bench) -> None:
    lab = Lab()
    lab.talk(SCS, HERE.host, 16993, chosen(0x0004))
    lab.talk(SCS, HERE.host, 16993, chosen(0x002F))
    bench.fires("AMT-SEC-005", lab, severity="high")


def test_sec_006_old_version(bench: Bench) -> None:
    lab = Lab()
    lab.talk(SCS, HERE.host, 16993, chosen(0x002F))
    bench.fires("AMT-SEC-006", lab, severity="info")
    bench.fires("AMT-SEC-006", lab, site='amt_version = "14.0"\n', severity="medium")
    lab = Lab()
    lab.talk(SCS, HERE.host, 16993, [*chosen(0x002F, client=0x0303)[:1], (TO_CLIENT, pki.alert(70))], by=TO_CLIENT)
    bench.fires("AMT-SEC-006", lab, severity="medium")
    lab = Lab()
    lab.talk(SCS, HERE.host, 16993, chosen(0x009C, 0x0303, 0x0303))
    bench.silent("AMT-SEC-006", lab)


def test_sec_007_no_forward_secrecy(bench: Bench) -> None:
    lab = Lab()
    lab.talk(SCS, HERE.host, 16993, chosen(0x002F))
    bench.fires("AMT-SEC-007", lab, severity="info")
    finding = bench.fires("AMT-SEC-007", lab, site='amt_version = "12.0"\n', severity="low")
    assert "ECDHE" in finding["fix"]
    lab = Lab()
    lab.talk(SCS, HERE.host, 16993, chosen(0xC013))
    bench.silent("AMT-SEC-007", lab)


def test_sec_007_names_the_key_of_this_handshake(bench: Bench) -> None:
    lab = Lab()
    lab.talk(SCS, HERE.host, 16993, chosen(0x002F))
    finding = bench.fires("AMT-SEC-007", lab)
    assert "RSA key" in finding["explanation"]
    assert "PPS" not in finding["explanation"] + finding["fix"]
    assert "Nothing to do" in finding["fix"]
    lab = Lab()
    lab.talk(SCS, HERE.host, 16993, chosen(0x008C))
    finding = bench.fires("AMT-SEC-007", lab)
    assert "learns the PPS" in finding["explanation"]
    assert "PPS" in finding["fix"]


def test_sec_008_mutual_not_asked(bench: Bench) -> None:
    lab = managed(pki.shake([], presented=operational(), ask=False, records=4))
    bench.fires("AMT-SEC-008", lab, site="[policy]\nmutual_tls = true\n", severity="medium")
    bench.silent("AMT-SEC-008", lab, site="[policy]\nmutual_tls = false\n")
    mutual = managed(pki.shake(sound(), presented=operational(), records=4))
    bench.silent("AMT-SEC-008", mutual, site="[policy]\nmutual_tls = true\n")


def test_sec_009_rogue_server(bench: Bench) -> None:
    rogue = Host(OTHER, "203.0.113.66")
    lab = Lab()
    lab.found(HERE, rogue.ip)
    lab.greet(HERE, server=rogue)
    finding = bench.fires("AMT-SEC-009", lab, site=ONLY_SCS, severity="critical")
    assert rogue.ip in finding["explanation"]
    lab = Lab()
    lab.found(HERE)
    lab.greet(HERE)
    bench.silent("AMT-SEC-009", lab, site=ONLY_SCS)
    assert any(entry["id"] == "AMT-SEC-009" for entry in bench.report(lab)["not_judged"])


def test_sec_010_two_provisioners(bench: Bench) -> None:
    lab = Lab()
    lab.greet(HERE)
    lab.psk(HERE, end="open")
    lab.psk(HERE, server=Host(OTHER, "192.0.2.11"), end="open")
    bench.fires("AMT-SEC-010", lab, severity="medium")
    lab = Lab()
    lab.greet(HERE)
    lab.psk(HERE, end="open")
    lab.psk(HERE, end="open")
    bench.silent("AMT-SEC-010", lab)


def test_sec_010_a_console_beside_the_setup_server_is_no_second_one(bench: Bench) -> None:
    lab = Lab()
    lab.greet(HERE)
    lab.psk(HERE, end="open")
    lab.refused(Host(OTHER, "192.0.2.11"), HERE.host, 16993)  # tried, not connected
    bench.silent("AMT-SEC-010", lab)


def test_sec_005_says_why_the_suite_is_weak(bench: Bench) -> None:
    for suite, why in ((0x0001, "encrypts nothing"), (0x0005, "RC4"), (0x0009, "tried out"), (0x0034, "nobody proves")):
        lab = Lab()
        lab.talk(SCS, HERE.host, 16993, chosen(suite))
        finding = bench.fires("AMT-SEC-005", lab, severity="info")
        assert why in finding["explanation"], finding
        assert bench.fires("AMT-SEC-005", lab, site='amt_version = "12.0"\n')["severity"] == "high"
    lab = Lab()
    lab.talk(SCS, HERE.host, 16993, chosen(0x002F))
    bench.silent("AMT-SEC-005", lab)


def test_sec_011_admin_realm(bench: Bench) -> None:
    entry = "<Username>helpdesk</Username><Realms><Realm>{}</Realm></Realms>"
    lab = talked((ask("AddUserAclEntry", entry.format(3)), say("AddUserAclEntry")))
    bench.fires("AMT-SEC-011", lab, severity="low")
    bench.silent("AMT-SEC-011", talked((ask("AddUserAclEntry", entry.format(5)), say("AddUserAclEntry"))))


# -- certificates in operation and in files --------------------------------------------------------


def test_cert_006_client_root_missing(bench: Bench) -> None:
    flights = pki.shake(sound(), presented=operational(), trusted=[pki.machine_certificate()])
    finding = bench.fires("AMT-CERT-006", managed(flights, by=TO_CLIENT), severity="high", verdict="confirmed")
    assert "Example Issuing" in finding["explanation"]
    bench.silent("AMT-CERT-006", managed(pki.shake(sound(), presented=operational(), records=4)))


def test_cert_006_in_tls13(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """There AMT judges the certificate behind both Finished (RFC 8446, section 2)."""
    keylog = bench.folder / "keys.log"
    monkeypatch.setenv("SSLKEYLOGFILE", str(keylog))
    flights = pki.shake(sound(), presented=operational(), trusted=[pki.machine_certificate()], keylog=keylog)
    finding = bench.fires("AMT-CERT-006", managed(flights, by=TO_CLIENT), severity="high", verdict="confirmed")
    assert "alert 48 unknown_ca" in finding["evidence"][-1]["text"]
    good = pki.shake(sound(), presented=operational(), records=4, keylog=keylog)
    bench.silent("AMT-CERT-006", managed(good))


def test_cert_007_console_lacks_root(bench: Bench) -> None:
    flights = pki.shake([], presented=operational(), ask=False, server_trusts=[pki.machine_certificate()])
    bench.fires("AMT-CERT-007", managed(flights), severity="high")
    bench.silent("AMT-CERT-007", managed(pki.shake([], presented=operational(), ask=False, records=4)))


def test_cert_008_pem_lint(bench: Bench) -> None:
    good = b"".join(each.pem for each in sound())
    wrong = b"".join(each.pem for each in (pki.leaf(), pki.root(), pki.middle()))
    bench.fires("AMT-CERT-008", None, bench.file("wrong.pem", wrong), severity="high")
    bench.silent("AMT-CERT-008", None, bench.file("good.pem", good))


def test_cert_009_renamed_host(bench: Bench) -> None:
    site = '[[machine]]\naddress = "192.0.2.30"\nfqdn = "{}"\n'
    lab = managed(pki.shake([], presented=operational(), ask=False, records=4))
    bench.fires("AMT-CERT-009", lab, site=site.format("sales-7.example.com"), severity="medium")
    bench.silent("AMT-CERT-009", lab, site=site.format("DESK-30.example.com"))


def test_cert_010_still_self_signed(bench: Bench) -> None:
    bench.fires("AMT-CERT-010", managed(pki.shake([], ask=False, records=4)), severity="medium")
    bench.silent("AMT-CERT-010", managed(pki.shake([], presented=operational(), ask=False, records=4)))


def test_cert_011_key_lies_open(bench: Bench) -> None:
    chain = b"".join(each.pem for each in sound())
    both = bench.file("both.pem", chain + pki.leaf().key_pem)
    finding = bench.fires("AMT-CERT-011", None, both, severity="critical")
    assert finding["evidence"][0]["line"] > 10
    bench.silent("AMT-CERT-011", None, bench.file("chain.pem", chain))


def test_file_alone_is_judged(bench: Bench) -> None:
    plain = pki.leaf(purposes=(pki.SERVER_AUTH,))
    file = bench.file("plain.pem", plain.pem + pki.middle().pem + pki.root().pem)
    bench.fires("AMT-RCFG-001", None, file)
    assert presented
    assert NETWORK
    assert SET_UP
