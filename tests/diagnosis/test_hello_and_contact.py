"""AMT-HELLO-* and AMT-CONN-*."""

import pytest
from diagnosis_lab import SCS, Bench, Lab, desk, moved, named

from amtdecode.secrets.pid import check_character
from pcaps import messages
from pcaps.build import RST, TO_CLIENT, TO_SERVER, Host
from pcaps.make import NETWORK

HERE = desk()
ROOTS = messages.ROOTS_SHA1
OTHER = "00:00:5e:00:53:77"


def pki(computer=HERE, hashes=ROOTS, **more):
    return messages.hello_pki(computer.uuid, hashes, **more)


def psk(computer=HERE, **more):
    return messages.hello_psk(computer.uuid, **more)


def greeted(*hellos: bytes, apart: float = 60, after: float = 0) -> Lab:
    lab = Lab()
    for data in hellos:
        lab.greet(HERE, data)
        lab.wait(apart)
    if after:
        lab.wait(after)
        lab.who_has(SCS, "192.0.2.99", 1)
    return lab


def test_001_name_known_but_no_hello(bench: Bench) -> None:
    lab = Lab()
    lab.found(HERE)
    lab.wait(130)
    lab.who_has(SCS, "192.0.2.99", 1)
    bench.fires("AMT-HELLO-001", lab, verdict="likely")
    lab = Lab()
    lab.found(HERE)
    lab.greet(HERE)
    lab.wait(130)
    lab.who_has(SCS, "192.0.2.99", 1)
    bench.silent("AMT-HELLO-001", lab)
    lab = Lab()
    lab.found(HERE)
    lab.wait(90)
    lab.who_has(SCS, "192.0.2.99", 1)
    assert any(entry["id"] == "AMT-HELLO-001" for entry in bench.report(lab)["not_judged"])


@pytest.mark.parametrize("how", ["refused", "syns"])
def test_002_hello_not_taken(bench: Bench, how: str) -> None:
    lab = Lab()
    lab.found(HERE)
    getattr(lab, how)(HERE.host, SCS, 9971)
    finding = bench.fires("AMT-HELLO-002", lab, severity="high", verdict="confirmed")
    assert "9971" in finding["title"]
    lab.wait(60)
    lab.greet(HERE)
    bench.silent("AMT-HELLO-002", lab)


def test_002_on_the_port_set_in_mebx(bench: Bench) -> None:
    lab = Lab()
    lab.found(HERE)
    lab.refused(HERE.host, SCS, 9999)
    # a refused connection to any other port is not AMT's business, and its outcome is not even stated
    assert bench.report(lab)["devices"][0]["addresses"] == [HERE.host.ip]


def test_003_hello_ignored(bench: Bench) -> None:
    finding = bench.fires("AMT-HELLO-003", greeted(*(pki(retry=retry) for retry in range(3)), after=120))
    assert finding["device"] == str(HERE.uuid)
    assert "3 hello" in finding["title"]
    bench.silent("AMT-HELLO-003", greeted(pki(retry=0), pki(retry=1), after=120))
    lab = greeted(*(pki(retry=retry) for retry in range(3)))
    lab.refused(SCS, HERE.host, 16993)
    bench.silent("AMT-HELLO-003", lab)


def test_004_retry_counter(bench: Bench) -> None:
    finding = bench.fires("AMT-HELLO-004", greeted(psk(retry=5), psk(retry=6)), severity="info")
    assert "5 hello messages were sent before" in finding["explanation"]
    finding = bench.fires("AMT-HELLO-004", greeted(psk(retry=0), psk(retry=1), psk(retry=0)))
    assert "went back" in finding["explanation"]
    bench.silent("AMT-HELLO-004", greeted(psk(retry=0), psk(retry=1)))


def test_005_odd_hello(bench: Bench) -> None:
    for data in (psk()[:-3], pki()[:-7], psk() + b"behind"):
        bench.fires("AMT-HELLO-005", greeted(data), severity="medium")
    bench.silent("AMT-HELLO-005", greeted(psk(), pki()))


def test_006_unknown_version(bench: Bench) -> None:
    data = bytearray(psk())
    data[2] = 1
    bench.fires("AMT-HELLO-006", greeted(bytes(data)), severity="low")
    bench.silent("AMT-HELLO-006", greeted(psk()))


def test_007_no_uuid(bench: Bench) -> None:
    for digit in "0f":
        blank = named(HERE, digit * 32)
        finding = bench.fires("AMT-HELLO-007", greeted(psk(blank)), severity="high")
        assert finding["device"] == HERE.host.ip
    near = named(HERE, "0" * 31 + "1")
    bench.silent("AMT-HELLO-007", greeted(psk(near)))


def test_007_two_machines_without_a_uuid_stay_two(bench: Bench) -> None:
    blank = named(HERE, "f" * 32)
    lab = Lab()
    lab.greet(blank, psk(blank))
    lab.greet(moved(blank, "192.0.2.31", OTHER), psk(blank))
    assert len(bench.report(lab)["devices"]) == 2


def test_008_cloned_uuid(bench: Bench) -> None:
    twin = moved(HERE, "192.0.2.31", OTHER)
    lab = Lab()
    for retry in range(2):
        for computer in (HERE, twin):
            lab.greet(computer, psk(retry=retry))
            lab.wait(20)
    finding = bench.fires("AMT-HELLO-008", lab, verdict="confirmed")
    assert OTHER in finding["explanation"]
    lab = Lab()
    for computer in (HERE, HERE, twin, twin):  # it moved once: a new network card
        lab.greet(computer, psk())
        lab.wait(200)
    bench.silent("AMT-HELLO-008", lab)


def test_009_address_changed(bench: Bench) -> None:
    lab = Lab()
    lab.greet(HERE, psk())
    lab.wait(300)
    lab.greet(moved(HERE, "198.51.100.30"), psk(retry=1))
    finding = bench.fires("AMT-HELLO-009", lab, severity="info")
    assert finding["evidence"][1]["text"] == "hello from 198.51.100.30"
    assert bench.report(lab)["devices"][0]["addresses"] == [HERE.host.ip, "198.51.100.30"]
    bench.silent("AMT-HELLO-009", greeted(psk(), psk(retry=1)))


def test_010_pre_staged(bench: Bench) -> None:
    lab = Lab()
    lab.greet(HERE, psk())
    lab.wait(30)
    lab.who_has(SCS, HERE.host.ip)
    lab.syns(SCS, HERE.host, 16993)
    lab.wait(4000)
    lab.greet(moved(HERE, "198.51.100.30"), psk())
    finding = bench.fires("AMT-HELLO-010", lab, verdict="likely")
    assert "198.51.100.30" in finding["explanation"]
    lab = greeted(psk(), psk(retry=1))
    lab.syns(SCS, HERE.host, 16993)
    bench.silent("AMT-HELLO-010", lab)


def test_011_default_password(bench: Bench) -> None:
    bench.fires("AMT-HELLO-011", greeted(pki(credentials_set=0)), severity="info")
    bench.fires("AMT-HELLO-011", greeted(psk(credentials_set=0)), severity="low")
    bench.silent("AMT-HELLO-011", greeted(pki()))


def test_012_no_hashes(bench: Bench) -> None:
    bench.fires("AMT-HELLO-012", greeted(pki(hashes=())), severity="high")
    bench.silent("AMT-HELLO-012", greeted(pki(hashes=ROOTS[:1])))


def test_013_many_hashes(bench: Bench) -> None:
    bench.fires("AMT-HELLO-013", greeted(pki(hashes=messages.ROOTS_SHA256)), severity="info")
    bench.silent("AMT-HELLO-013", greeted(pki(hashes=messages.ROOTS_SHA256[:23])))


def test_014_custom_hash(bench: Bench) -> None:
    own = bytes(range(32))
    finding = bench.fires("AMT-HELLO-014", greeted(pki(hashes=(*ROOTS, own))), severity="info")
    assert own.hex() in finding["explanation"]
    finding = bench.fires("AMT-HELLO-014", greeted(pki(hashes=(*ROOTS, own)), pki(retry=1)), severity="medium")
    assert "vanished" in finding["title"]
    bench.silent("AMT-HELLO-014", greeted(pki()))


def test_015_typing_error(bench: Bench) -> None:
    root = ROOTS[2].hex()
    typed = ROOTS[2][:-1] + bytes([ROOTS[2][-1] ^ 0x11])
    site = f'[certificates]\nroots = ["{root}"]\n'
    bench.fires("AMT-HELLO-015", greeted(pki(hashes=(ROOTS[0], typed))), site=site, severity="medium")
    bench.silent("AMT-HELLO-015", greeted(pki(hashes=(ROOTS[0], ROOTS[1]))), site=site)
    bench.silent("AMT-HELLO-015", greeted(pki()), site=site)


def test_015_the_root_that_was_presented(bench: Bench) -> None:
    import pki_lab
    from test_psk_and_rcfg import presented, sound

    digest = pki_lab.root().digest()
    typed = bytes([digest[0] ^ 0x10]) + digest[1:]
    finding = bench.fires("AMT-HELLO-015", presented(sound(), listed=(typed,), code=48))
    assert typed.hex() in finding["explanation"]
    bench.silent("AMT-HELLO-015", presented(sound(), listed=(), code=48))


def test_016_other_algorithm(bench: Bench) -> None:
    go_daddy = "2796bae63f1801e277261ba0d77770028f20eee4"
    site = f'[certificates]\nroots = ["{go_daddy}"]\n'
    bench.fires("AMT-HELLO-016", greeted(pki(hashes=messages.ROOTS_SHA256[:4])), site=site, severity="medium")
    bench.silent("AMT-HELLO-016", greeted(pki()), site=site)


def test_017_bad_pid(bench: Bench) -> None:
    bench.fires("AMT-HELLO-017", greeted(psk(pid="0000 37m")), severity="high")
    bench.silent("AMT-HELLO-017", greeted(psk(pid="ABCDEF0" + check_character("ABCDEF0"))))


def test_018_shared_pid(bench: Bench) -> None:
    twin = desk(31)
    lab = greeted(psk())
    lab.greet(twin, psk(twin))
    finding = bench.fires("AMT-HELLO-018", lab, severity="medium")
    assert len(finding["evidence"]) == 2
    lab = greeted(psk())
    lab.greet(twin, psk(twin, pid="AAAABBBB"))
    bench.silent("AMT-HELLO-018", lab)


def configured(**more) -> Lab:
    lab = Lab()
    lab.greet(HERE, psk())
    lab.wait(3)
    from pcaps.make import SET_UP

    lab.set_up_psk(NETWORK, HERE, SET_UP, **more)
    return lab


def test_019_pid_kept(bench: Bench) -> None:
    lab = configured()
    lab.wait(86400)
    lab.greet(HERE, psk())
    bench.fires("AMT-HELLO-019", lab, severity="medium")
    lab = configured()
    lab.wait(86400)
    lab.greet(HERE, psk(pid="ABCDEF0L"))
    bench.silent("AMT-HELLO-019", lab)


MINUTES_59 = 59 * 60


def hourly(count: int, silent_hours: float, *, first: int = 0, make=pki) -> Lab:
    """Hellos every 59 minutes, and then silence in a capture that goes on."""
    hellos = [make(retry=first + retry) for retry in range(count)]
    return greeted(*hellos, apart=MINUTES_59, after=silent_hours * 3600 - MINUTES_59)


def test_020_silent_after_the_window_of_six_hours(bench: Bench) -> None:
    finding = bench.fires("AMT-HELLO-020", hourly(7, 4), severity="high", verdict="likely")
    assert "for 5.9 h" in finding["explanation"]
    assert "every 59 min" in finding["explanation"]
    assert "none in the 4.0 h" in finding["evidence"][1]["text"]


def test_020_is_silent_where_the_window_was_longer_or_is_open(bench: Bench) -> None:
    bench.silent("AMT-HELLO-020", hourly(8, 4))  # hellos over 6.9 h prove that the window is longer
    bench.silent("AMT-HELLO-020", hourly(5, 4))  # silent after 3.9 h: something else ended it
    bench.silent("AMT-HELLO-020", hourly(7, 4), site="[policy]\nwindow_hours = 255\n")
    bench.fires("AMT-HELLO-020", hourly(5, 4), site="[policy]\nwindow_hours = 4\n")
    bench.silent("AMT-HELLO-020", hourly(7, 4, make=psk))  # setup with a PSK has no such window
    bench.silent("AMT-HELLO-020", hourly(7, 4, first=3))  # earlier hellos are not in the capture
    bench.silent("AMT-HELLO-020", hourly(1, 20))
    bench.silent("AMT-HELLO-020", greeted(pki(), pki(retry=1), after=20 * 3600))  # two make no rhythm


def test_020_is_not_judged_where_the_capture_ends_too_soon(bench: Bench) -> None:
    report = bench.report(hourly(7, 1.5))
    assert "AMT-HELLO-020" not in [finding["id"] for finding in report["findings"]]
    missing = {entry["id"]: entry["missing"] for entry in report["not_judged"]}
    assert "two retry intervals" in missing["AMT-HELLO-020"]


def test_020_is_silent_once_the_server_reached_the_machine(bench: Bench) -> None:
    lab = hourly(7, 4)
    lab.talk(SCS, HERE.host, 16993, [(TO_SERVER, b"x")], "open")
    bench.silent("AMT-HELLO-020", lab)


def test_021_unusual_place(bench: Bench) -> None:
    lab = Lab()
    lab.greet(HERE, psk(), port=19971)
    assert "19971" in bench.fires("AMT-HELLO-021", lab, severity="info")["explanation"]
    lab = Lab()
    lab.greet(HERE, psk(), vlans=(12,))
    assert "VLAN 12" in bench.fires("AMT-HELLO-021", lab)["explanation"]
    bench.silent("AMT-HELLO-021", greeted(psk()))


# -- the connection back ---------------------------------------------------------------------------


def test_conn_001_no_answer(bench: Bench) -> None:
    lab = greeted(psk(), psk(retry=1))
    lab.who_has(SCS, HERE.host.ip)
    lab.syns(SCS, HERE.host, 16993)
    report = bench.report(lab)
    assert report["findings"][0]["id"] == "AMT-CONN-001"
    assert report["devices"][0]["attempts"][0]["outcome"] == "failed"
    finding = bench.fires("AMT-CONN-001", lab, verdict="confirmed")
    assert any("ARP" in proof["text"] for proof in finding["evidence"])
    lab.wait(60)
    lab.talk(SCS, HERE.host, 16993, [(TO_SERVER, b"x")], "open")
    bench.silent("AMT-CONN-001", lab)


def test_conn_001_by_icmp(bench: Bench) -> None:
    lab = greeted(psk())
    lab.unreachable(SCS, HERE.host, 16993)
    finding = bench.fires("AMT-CONN-001", lab)
    assert any("host unreachable" in proof["text"] for proof in finding["evidence"])
    lab = greeted(psk())
    lab.syns(SCS, HERE.host, 16993, times=1)
    bench.silent("AMT-CONN-001", lab)


def test_conn_001_is_over_once_the_machine_answers(bench: Bench) -> None:
    lab = greeted(psk())
    lab.syns(SCS, HERE.host, 16993)  # stated only when the capture ends
    lab.wait(30)
    lab.psk(HERE, alert=(2, 115))
    report = bench.report(lab)
    assert [finding["id"] for finding in report["findings"] if finding["severity"] == "high"] == ["AMT-PSK-001"]
    assert report["devices"][0]["attempts"][0]["stage"] == "handshake"


def test_a_console_that_searches_its_network(bench: Bench) -> None:
    lab = Lab()
    for number in range(40, 70):
        lab.refused(SCS, desk(number).host, 16993)
    report = bench.report(lab)
    assert not report["devices"]  # nothing says that any of them has AMT
    lab.greet(desk(50))
    lab.refused(SCS, desk(50).host, 16993)
    findings = bench.report(lab)["findings"]
    assert [finding["device"] for finding in findings if finding["severity"] == "high"] == [str(desk(50).uuid)]
    assert {finding["severity"] for finding in findings} == {"high", "info"}


def test_conn_002_refused(bench: Bench) -> None:
    lab = greeted(psk())
    lab.refused(SCS, HERE.host, 16993)
    finding = bench.fires("AMT-CONN-002", lab, severity="high", verdict="confirmed")
    assert finding["layer"] == "client"
    lab.wait(5)
    lab.psk(HERE, stop=2, end="open")
    bench.silent("AMT-CONN-002", lab)


def test_conn_003_wrong_address(bench: Bench) -> None:
    elsewhere = Host(OTHER, "192.0.2.200")
    lab = greeted(psk())
    lab.dns(SCS, "desk-30.example.com", [("desk-30.example.com", messages.A, bytes((192, 0, 2, 200)))])
    lab.syns(SCS, elsewhere, 16993)
    report = bench.report(lab)
    assert report["findings"][0]["id"] == "AMT-CONN-003"
    assert report["findings"][0]["verdict"] == "confirmed"
    assert len(report["devices"]) == 1
    lab = greeted(psk())
    lab.syns(SCS, HERE.host, 16993)
    bench.silent("AMT-CONN-003", lab)


def test_conn_004_opened_for_nothing(bench: Bench) -> None:
    lab = greeted(psk())
    lab.talk(SCS, HERE.host, 16993, [])
    bench.fires("AMT-CONN-004", lab, severity="medium")
    lab = greeted(psk())
    lab.talk(SCS, HERE.host, 16993, [(TO_SERVER, b"\x16\x03\x01")])
    bench.silent("AMT-CONN-004", lab)


def test_conn_005_reset(bench: Bench) -> None:
    ask = messages.eoi_request("SecurityAdministration", "GetCoreVersion")
    say = messages.eoi_response("SecurityAdministration", "GetCoreVersion")
    lab = Lab()
    lab.http(HERE, [(ask, say)], end="reset", by=TO_CLIENT)
    finding = bench.fires("AMT-CONN-005", lab, severity="high")
    assert "the machine" in finding["explanation"]
    lab = Lab()
    lab.http(HERE, [(ask, say)])
    bench.silent("AMT-CONN-005", lab)
    assert RST


def test_conn_006_another_server(bench: Bench) -> None:
    second = Host(OTHER, "192.0.2.11")
    lab = greeted(psk())
    lab.psk(HERE, server=second, end="open")
    bench.fires("AMT-CONN-006", lab, severity="info")
    lab = greeted(psk())
    lab.psk(HERE, end="open")
    bench.silent("AMT-CONN-006", lab)


def test_conn_007_stranger(bench: Bench) -> None:
    site = f'[scs]\naddresses = ["{SCS.ip}"]\n'
    lab = greeted(psk())
    lab.psk(HERE, server=Host(OTHER, "203.0.113.5"), end="open")
    bench.fires("AMT-CONN-007", lab, site=site, severity="critical")
    bench.silent("AMT-CONN-007", lab, site='[scs]\naddresses = ["203.0.113.0/24"]\n')
    assert any(entry["id"] == "AMT-CONN-007" for entry in bench.report(lab)["not_judged"])


def test_conn_008_late(bench: Bench) -> None:
    lab = greeted(psk(), apart=1200)
    lab.psk(HERE, end="open")
    bench.fires("AMT-CONN-008", lab, severity="info")
    bench.silent("AMT-CONN-008", lab, site="[policy]\nslow_contact_seconds = 3600\n")


def test_conn_009_wireless(bench: Bench) -> None:
    lab = Lab()
    lab.syns(SCS, HERE.host, 16993)
    bench.fires("AMT-CONN-009", lab, site='[network]\nwireless = ["192.0.2.0/24"]\n')
    bench.silent("AMT-CONN-009", lab, site='[network]\nwireless = ["198.51.100.0/24"]\n')
