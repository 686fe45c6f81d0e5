"""AMT-PSK-* and AMT-RCFG-*: real chains and handshakes, a machine that refuses as AMT would."""

import datetime as dt

import pki_lab as pki
import pytest
from cryptography.hazmat.primitives import hashes
from diagnosis_lab import SCS, Bench, Lab, command, desk, lease_options

from pcaps import messages
from pcaps.build import TO_CLIENT, TO_SERVER
from pcaps.make import NETWORK, SET_UP

HERE = desk()
CLIENT, SERVER = TO_SERVER, TO_CLIENT


def hello_psk(**more) -> Lab:
    lab = Lab()
    lab.greet(HERE, messages.hello_psk(HERE.uuid, **more))
    lab.wait(3)
    return lab


# -- PSK -------------------------------------------------------------------------------------------


def test_a_clean_run_says_nothing_above_info(bench: Bench) -> None:
    lab = Lab()
    lab.lease(NETWORK, HERE)
    lab.found(HERE)
    lab.greet(HERE)
    lab.wait(3)
    lab.set_up_psk(NETWORK, HERE, SET_UP)
    lab.wait(300)
    lab.who_has(SCS, "192.0.2.99", 1)
    report = bench.report(lab)
    assert {finding["severity"] for finding in report["findings"]} == {"info"}
    attempt = report["devices"][0]["attempts"][0]
    assert (attempt["stage"], attempt["outcome"], attempt["confidence"]) == ("configuration", "committed", 0.8)
    opened = bench.report(lab, options=("--psk", "*=NKLD-G5DC-RRNQ-E9YZ-ZIJL-7LFL-VJED-69XJ"))
    assert {finding["severity"] for finding in opened["findings"]} == {"info"}
    assert "AMT-OK-001" in [finding["id"] for finding in opened["findings"]]
    assert opened["devices"][0]["attempts"][0]["confidence"] == 1.0
    assert opened["devices"][0]["amt_version"] == "3.0.5"


def test_psk_001_unknown_identity(bench: Bench) -> None:
    lab = hello_psk()
    lab.psk(HERE, alert=(2, 115))
    finding = bench.fires("AMT-PSK-001", lab, verdict="confirmed")
    assert "0000037M" in finding["explanation"]
    lab = hello_psk()
    lab.psk(HERE, alert=(2, 51))
    bench.silent("AMT-PSK-001", lab)


def test_psk_002_other_identity(bench: Bench) -> None:
    lab = hello_psk()
    lab.psk(HERE, pid="ABCDEF0L", alert=(2, 115))
    report = bench.report(lab)
    assert report["findings"][0]["id"] == "AMT-PSK-002"
    lab = hello_psk()
    lab.psk(HERE, pid="0000-037M", alert=(2, 115))  # dashes are presentation
    bench.silent("AMT-PSK-002", lab)


def test_psk_003_wrong_key(bench: Bench) -> None:
    for code in (51, 20):
        lab = hello_psk()
        lab.psk(HERE, alert=(2, code))
        bench.fires("AMT-PSK-003", lab, verdict="confirmed")
    lab = hello_psk()
    lab.psk(HERE, alert=(2, 20), encrypted=True)
    bench.fires("AMT-PSK-003", lab, verdict="likely")
    lab = hello_psk()
    lab.psk(HERE, alert=(2, 51), stop=1)
    bench.silent("AMT-PSK-003", lab)


def test_psk_004_no_suite(bench: Bench) -> None:
    for code in (40, 71):
        lab = hello_psk()
        lab.psk(HERE, stop=1, alert=(2, code))
        finding = bench.fires("AMT-PSK-004", lab)
        assert "TLS_PSK_WITH_AES_128_CBC_SHA" in finding["explanation"]
    lab = hello_psk()
    lab.psk(HERE, alert=(2, 40))
    bench.silent("AMT-PSK-004", lab)


def test_psk_005_certificates_instead(bench: Bench) -> None:
    lab = hello_psk()
    lab.talk(SCS, HERE.host, 16993, pki.shake([]))
    bench.fires("AMT-PSK-005", lab)
    lab = hello_psk()
    lab.psk(HERE)
    bench.silent("AMT-PSK-005", lab)


def test_psk_006_psk_removed(bench: Bench) -> None:
    bench.fires("AMT-PSK-006", hello_psk(), site='amt_version = "11.8.50"\n', severity="medium")
    bench.silent("AMT-PSK-006", hello_psk(), site='amt_version = "10.0.55"\n')


def test_psk_007_no_version(bench: Bench) -> None:
    lab = hello_psk()
    lab.psk(HERE, stop=1, alert=(2, 70))
    bench.fires("AMT-PSK-007", lab)
    lab = hello_psk()
    lab.psk(HERE, stop=1, alert=(2, 40))
    bench.silent("AMT-PSK-007", lab)


@pytest.mark.parametrize("end", ["close", "reset"])
def test_psk_008_silent_close(bench: Bench, end: str) -> None:
    lab = hello_psk()
    lab.psk(HERE, end=end)
    bench.fires("AMT-PSK-008", lab, verdict="likely")
    lab = hello_psk()
    lab.psk(HERE, end=end, by=TO_SERVER)  # the server hangs up
    bench.silent("AMT-PSK-008", lab)


# -- PKI -------------------------------------------------------------------------------------------


def sound() -> list[pki.Authority]:
    return [pki.leaf(), pki.middle(), pki.root()]


def presented(
    chain: list[pki.Authority],
    *,
    code: int | None = None,
    by: int = TO_CLIENT,
    listed: tuple[bytes, ...] | None = None,
    domain: bytes | None = b"example.com",
    flights: list[tuple[int, bytes]] | None = None,
    end: str = "close",
    hello: bool = True,
) -> Lab:
    """A PKI setup up to the certificate of the server, and how the machine takes it: an alert, or silence."""
    lab = Lab()
    lab.now = int(pki.AT.timestamp()) * 1_000_000_000
    lab.dhcp(HERE, options=lease_options(domain))
    if hello:
        own = (pki.root().digest(),) if listed is None else listed
        lab.greet(HERE, messages.hello_pki(HERE.uuid, (*messages.ROOTS_SHA256[:4], *own)))
        lab.wait(3)
    steps = pki.until_client(pki.shake(chain)) if flights is None else flights
    if code is not None:
        steps = [*steps, (by, pki.alert(code))]
    lab.talk(SCS, HERE.host, 16993, steps, end, by)
    return lab


def first(bench: Bench, lab: Lab, site: str = "") -> str:
    return bench.report(lab, site=site)["findings"][0]["id"]


def test_a_clean_remote_configuration_says_nothing_above_info(bench: Bench) -> None:
    lab = presented(sound(), flights=pki.shake(sound(), records=8), end="close", by=TO_SERVER)
    lab.wait(300)
    lab.who_has(SCS, "192.0.2.99", 1)
    report = bench.report(lab)
    above = [finding for finding in report["findings"] if finding["severity"] != "info"]
    assert above == []
    device = report["devices"][0]
    assert device["method"] == "pki"
    assert device["attempts"][0]["outcome"] == "committed"
    assert 0.5 < device["attempts"][0]["confidence"] < 1


def test_rcfg_001_not_marked(bench: Bench) -> None:
    plain = pki.leaf(purposes=(pki.SERVER_AUTH, pki.CLIENT_AUTH))
    lab = presented([plain, pki.middle(), pki.root()], code=42)
    finding = bench.fires("AMT-RCFG-001", lab, severity="high", verdict="confirmed")
    assert pki.SETUP in finding["fix"]
    assert first(bench, lab) == "AMT-RCFG-001"
    bench.silent("AMT-RCFG-001", presented(sound(), code=42))
    by_unit = pki.leaf(purposes=(pki.SERVER_AUTH,), units=(pki.UNIT,))
    bench.silent("AMT-RCFG-001", presented([by_unit, pki.middle(), pki.root()], code=42))


def test_rcfg_002_nearly_marked(bench: Bench) -> None:
    near = pki.leaf(purposes=(pki.SERVER_AUTH,), units=("Intel(R) client setup certificate",))
    lab = presented([near, pki.middle(), pki.root()])
    bench.fires("AMT-RCFG-002", lab, verdict="confirmed")
    assert first(bench, lab) == "AMT-RCFG-002"
    right = pki.leaf(purposes=(pki.SERVER_AUTH,), units=(pki.UNIT,))
    bench.silent("AMT-RCFG-002", presented([right, pki.middle(), pki.root()]))


def test_rcfg_003_root_not_listed_really_refused(bench: Bench) -> None:
    flights = pki.shake(sound(), trusted=[pki.machine_certificate()])  # OpenSSL refuses with unknown_ca by itself
    lab = presented(sound(), listed=(), flights=flights)
    report = bench.report(lab)
    ids = [finding["id"] for finding in report["findings"]]
    assert ids[0] == "AMT-RCFG-003"
    assert "AMT-RCFG-032" in ids
    assert report["findings"][0]["verdict"] == "confirmed"
    assert report["devices"][0]["attempts"][0]["outcome"] == "failed"
    assert report["devices"][0]["attempts"][0]["stage"] == "handshake"
    bench.silent("AMT-RCFG-003", presented(sound(), flights=flights))
    sha1 = pki.root().digest(hashes.SHA1())
    bench.silent("AMT-RCFG-003", presented(sound(), listed=(sha1,), flights=flights))


def test_rcfg_004_listed_but_refused(bench: Bench) -> None:
    bench.fires("AMT-RCFG-004", presented(sound()), severity="medium", verdict="likely")
    bench.silent("AMT-RCFG-004", presented(sound(), listed=()))


def test_rcfg_005_gap(bench: Bench) -> None:
    bench.fires("AMT-RCFG-005", presented([pki.leaf(), pki.root()], code=48))
    bench.silent("AMT-RCFG-005", presented(sound(), code=48))


def test_rcfg_006_order(bench: Bench) -> None:
    lab = presented([pki.leaf(), pki.root(), pki.middle()], code=42)
    bench.fires("AMT-RCFG-006", lab)
    assert first(bench, lab) == "AMT-RCFG-006"
    bench.silent("AMT-RCFG-006", presented(sound(), code=42))


def test_rcfg_007_root_left_out(bench: Bench) -> None:
    lab = presented([pki.leaf(), pki.middle()], code=48)
    bench.fires("AMT-RCFG-007", lab, severity="medium")
    bench.silent("AMT-RCFG-007", presented(sound(), code=48))


def test_rcfg_008_bad_signature(bench: Bench) -> None:
    forged = pki.leaf(signer=pki.key(9))
    bench.fires("AMT-RCFG-008", presented([forged, pki.middle(), pki.root()]), severity="critical")
    bench.silent("AMT-RCFG-008", presented(sound()))


def test_rcfg_009_suffix(bench: Bench) -> None:
    lab = presented(sound(), domain=b"branch.example.org", code=42)
    finding = bench.fires("AMT-RCFG-009", lab, verdict="confirmed")
    assert any("scs.example.com" in proof["text"] for proof in finding["evidence"])
    assert any("branch.example.org" in proof["text"] for proof in finding["evidence"])
    assert first(bench, lab) == "AMT-RCFG-009"
    bench.silent("AMT-RCFG-009", presented(sound(), code=42))
    bench.silent("AMT-RCFG-009", lab, site='[network]\nsuffixes = ["example.com"]\n')


def test_rcfg_010_wildcard(bench: Bench) -> None:
    wild = [pki.leaf("*.example.com"), pki.middle(), pki.root()]
    bench.fires("AMT-RCFG-010", presented(wild), site='amt_version = "2.2"\n')
    bench.silent("AMT-RCFG-010", presented(wild), site='amt_version = "3.0"\n')


def test_rcfg_011_small_business_mode(bench: Bench) -> None:
    bench.fires("AMT-RCFG-011", presented(sound()), site='[scs]\nmode = "smb"\n')
    bench.silent("AMT-RCFG-011", presented(sound()), site='[scs]\nmode = "enterprise"\n')


def test_rcfg_012_two_labels(bench: Bench) -> None:
    deep = [pki.leaf("scs.hq.example.com"), pki.middle(), pki.root()]
    lab = presented(deep, domain=b"lab.example.com")
    finding = bench.fires("AMT-RCFG-012", lab, site='amt_version = "2.6"\n', severity="info", verdict="likely")
    assert any("lab.example.com" in proof["text"] for proof in finding["evidence"])
    bench.silent("AMT-RCFG-009", lab, site='amt_version = "2.6"\n')
    bench.fires("AMT-RCFG-009", lab, site='amt_version = "2.2"\n')
    bench.silent("AMT-RCFG-012", lab, site='amt_version = "2.2"\n')
    taken = presented(deep, domain=b"lab.example.com", flights=pki.shake(deep, records=8), by=TO_SERVER)
    bench.fires("AMT-RCFG-012", taken, site='amt_version = "2.6"\n', severity="info", verdict="confirmed")
    bench.silent("AMT-RCFG-012", presented(sound()), site='amt_version = "2.6"\n')


def test_rcfg_013_version_without_it(bench: Bench) -> None:
    bench.fires("AMT-RCFG-013", presented(sound()), site='amt_version = "2.5"\n')
    bench.silent("AMT-RCFG-013", presented(sound()), site='amt_version = "2.6"\n')


def test_rcfg_014_bare_metal(bench: Bench) -> None:
    site = 'amt_version = "{}"\n[[machine]]\naddress = "' + HERE.host.ip + '"\nagent = {}\n'
    bench.fires("AMT-RCFG-014", presented(sound()), site=site.format("2.6", "false"))
    bench.silent("AMT-RCFG-014", presented(sound()), site=site.format("2.6", "true"))
    bench.silent("AMT-RCFG-014", presented(sound()), site=site.format("3.0", "false"))


def missing(bench: Bench, rule: str, lab: Lab, site: str = "") -> str:
    """What a silent rule is said to lack; "" where it was judged."""
    report = bench.report(lab, site=site)
    assert rule not in [finding["id"] for finding in report["findings"]]
    return next((entry["missing"] for entry in report["not_judged"] if entry["id"] == rule), "")


def test_requirements_ask_for_what_they_do_not_know(bench: Bench) -> None:
    scene = presented(sound())
    assert "scs.mode" in missing(bench, "AMT-RCFG-011", scene)
    assert "amt_version" in missing(bench, "AMT-RCFG-013", scene)
    assert "scs.version" in missing(bench, "AMT-RCFG-016", scene)
    assert "machine.agent" in missing(bench, "AMT-RCFG-014", scene, 'amt_version = "2.2"\n')
    assert not missing(bench, "AMT-RCFG-014", scene, 'amt_version = "3.0"\n')
    assert "policy.otp" in missing(bench, "AMT-RCFG-025", scene)


@pytest.mark.parametrize(
    ("amt", "fires"), [("2.0", True), ("2.1.4", True), ("2.5", True), ("2.2", False), ("3.0", False)]
)
def test_rcfg_013_by_version(bench: Bench, amt: str, fires: bool) -> None:
    found = bench.found("AMT-RCFG-013", presented(sound()), site=f'amt_version = "{amt}"\n')
    assert [(finding["verdict"], finding["severity"]) for finding in found] == [("likely", "high")] * fires
    assert not fires or found[0]["evidence"][0]["text"] == "hello of version 3"


def test_requirements_are_asked_of_remote_configuration_only(bench: Bench) -> None:
    lab = hello_psk()
    lab.psk(HERE)
    site = 'amt_version = "2.5"\n[scs]\nmode = "smb"\nversion = "3.0"\n[policy]\notp = true\n'
    ids = {finding["id"] for finding in bench.report(lab, site=site)["findings"]}
    assert not ids & {"AMT-RCFG-011", "AMT-RCFG-013", "AMT-RCFG-014", "AMT-RCFG-016", "AMT-RCFG-025"}


def test_rcfg_024_what_silences_it(bench: Bench) -> None:
    short = presented(sound(), flights=pki.shake(sound(), records=1), by=TO_SERVER)
    bare = '[policy]\notp = true\n[[machine]]\naddress = "' + HERE.host.ip + '"\nagent = false\n'
    bench.silent("AMT-RCFG-024", short, site=bare)  # no agent makes a password: that is AMT-RCFG-025
    assert "policy.otp" in missing(bench, "AMT-RCFG-024", short)
    assert not missing(bench, "AMT-RCFG-024", presented(sound()))  # the handshake did not even complete
    finding = bench.fires("AMT-RCFG-024", short, site="[policy]\notp = true\n")
    assert [proof["text"] for proof in finding["evidence"]] == ["TLS is established", "and ends after a few records"]


def test_rcfg_015_starfield(bench: Bench) -> None:
    star = pki.issue(
        "Starfield Class 2 Certification Authority", None, 11, authority=True, start=pki.AT - 999 * pki.DAY
    )
    child = pki.issue("scs.example.com", star, 3, purposes=(pki.SERVER_AUTH, pki.CLIENT_AUTH, pki.SETUP))
    bench.fires("AMT-RCFG-015", presented([child, star], listed=(), code=48), site='amt_version = "3.0.1"\n')
    bench.silent("AMT-RCFG-015", presented([child, star], listed=(), code=48), site='amt_version = "2.6"\n')


def test_rcfg_016_old_scs(bench: Bench) -> None:
    def scs(version: str, amt: str) -> str:
        return f'amt_version = "{amt}"\n[scs]\nversion = "{version}"\n'

    scene = presented(sound())
    finding = bench.fires("AMT-RCFG-016", scene, site=scs("3.0", "3.0"), severity="high", verdict="confirmed")
    assert "3.2.1" not in finding["explanation"] + finding["fix"]
    finding = bench.fires("AMT-RCFG-016", scene, site=scs("3.0", "2.2"), severity="high", verdict="confirmed")
    assert "3.1 or later" in finding["explanation"]
    assert "3.2.1" in finding["explanation"]
    bench.fires("AMT-RCFG-016", scene, site='[scs]\nversion = "3.0"\n', severity="high")
    bench.silent("AMT-RCFG-016", scene, site=scs("3.1", "3.0"))
    bench.silent("AMT-RCFG-016", scene, site=scs("3.2.1", "2.6"))


def test_rcfg_016_tells_that_the_sources_disagree_on_2_2_and_2_6(bench: Bench) -> None:
    for amt in ("2.2", "2.6"):
        site = f'amt_version = "{amt}"\n[scs]\nversion = "3.1"\n'
        finding = bench.fires("AMT-RCFG-016", presented(sound()), site=site, severity="medium", verdict="possible")
        assert "The sources disagree" in finding["explanation"]


def test_rcfg_016_no_scs_helps_a_2_5_machine(bench: Bench) -> None:
    site = 'amt_version = "2.5"\n[scs]\nversion = "3.0"\n'
    bench.silent("AMT-RCFG-016", presented(sound()), site=site)
    bench.fires("AMT-RCFG-013", presented(sound()), site=site)


def test_rcfg_017_several_domains(bench: Bench) -> None:
    other = desk(31, "example.net")
    lab = presented(sound())
    lab.dhcp(other, options=lease_options(b"example.net"))
    lab.greet(other, messages.hello_pki(other.uuid, (pki.root().digest(),)))
    lab.talk(SCS, other.host, 16993, pki.until_client(pki.shake(sound())), "close", TO_CLIENT)
    bench.fires("AMT-RCFG-017", lab, severity="medium")
    bench.silent("AMT-RCFG-017", presented(sound()))


def test_rcfg_018_empty_certificate(bench: Bench) -> None:
    flights = pki.shake([], trusted=[pki.root()])
    lab = presented([], flights=flights)
    assert first(bench, lab) == "AMT-RCFG-018"
    finding = bench.fires("AMT-RCFG-018", lab, verdict="confirmed")
    assert "loadcert" in finding["fix"]
    bench.silent("AMT-RCFG-018", presented(sound()))


def test_rcfg_019_no_verify(bench: Bench) -> None:
    flights = pki.until_client(pki.shake(sound()))
    way, last = flights[-1]
    clear = pki.messages_of(last)
    clear = clear[: [kind for kind, _ in clear].index(20)]  # what stands before ChangeCipherSpec
    # the client's flight without CertificateVerify: its certificate and its key exchange only
    kept = [record for _, record in clear if record[5] in (11, 16)]
    assert len(kept) == len(clear) - 1 == 2
    lab = presented(sound(), flights=[*flights[:-1], (way, b"".join(kept))])
    bench.fires("AMT-RCFG-019", lab)
    bench.silent("AMT-RCFG-019", presented(sound()))


def test_rcfg_020_thumbprint(bench: Bench) -> None:
    right = pki.leaf().digest(hashes.SHA1()).hex()
    bench.fires("AMT-RCFG-020", presented(sound()), site=f'[scs]\nthumbprint = "{"0" * 40}"\n')
    bench.silent("AMT-RCFG-020", presented(sound()), site=f'[scs]\nthumbprint = "{right}"\n')
    key = "Windows Registry Editor Version 5.00\r\n\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\INTEL\\AMTConfServer]\r\n"
    exported = bench.file("scs.reg", f'{key}"Thumbprint"="{"1" * 40}"\r\n')
    bench.fires("AMT-RCFG-020", presented(sound()), exported)


def test_rcfg_021_not_asked(bench: Bench) -> None:
    bench.fires("AMT-RCFG-021", presented([], flights=pki.shake([], ask=False)), severity="medium")
    bench.silent("AMT-RCFG-021", presented(sound()))


def test_rcfg_022_issued_certificate(bench: Bench) -> None:
    issued = pki.issue("desk-30.example.com", pki.middle(), 12)
    flights = pki.until_client(pki.shake(sound(), presented=issued))
    bench.fires("AMT-RCFG-022", presented(sound(), flights=flights), severity="low")
    bench.silent("AMT-RCFG-022", presented(sound(), flights=flights), site='amt_version = "16.1"\n')
    bench.silent("AMT-RCFG-022", presented(sound()))


def test_rcfg_023_unusable_certificate(bench: Bench) -> None:
    zero = pki.issue("Intel AMT", None, 13, start=dt.datetime(1970, 1, 1, tzinfo=dt.UTC))
    flights = pki.shake([], presented=zero)[:2]
    lab = presented([], flights=flights, code=42, by=TO_SERVER)
    bench.fires("AMT-RCFG-023", lab)
    bench.silent("AMT-RCFG-023", presented([], flights=pki.shake([])[:2], code=42, by=TO_SERVER))


def test_rcfg_024_one_time_password(bench: Bench) -> None:
    lab = presented(sound(), flights=pki.shake(sound(), records=1), by=TO_SERVER)
    bench.fires("AMT-RCFG-024", lab, site="[policy]\notp = true\n", verdict="likely")
    bench.silent("AMT-RCFG-024", lab, site="[policy]\notp = false\n")
    full = presented(sound(), flights=pki.shake(sound(), records=8), by=TO_SERVER)
    bench.silent("AMT-RCFG-024", full, site="[policy]\notp = true\n")


def test_rcfg_025_password_without_agent(bench: Bench) -> None:
    site = '[policy]\notp = true\n[[machine]]\naddress = "' + HERE.host.ip + '"\nagent = {}\n'
    bench.fires("AMT-RCFG-025", presented(sound()), site=site.format("false"))
    bench.silent("AMT-RCFG-025", presented(sound()), site=site.format("true"))


def test_rcfg_026_no_server_purpose(bench: Bench) -> None:
    wrong = pki.leaf(purposes=(pki.CLIENT_AUTH, pki.SETUP))
    lab = presented([wrong, pki.middle(), pki.root()], code=43)
    bench.fires("AMT-RCFG-026", lab)
    bench.silent("AMT-RCFG-026", presented(sound(), code=43))


def test_rcfg_041_issuer_that_is_no_authority(bench: Bench) -> None:
    middle = pki.issue("Example Issuing", pki.root(), 2)
    leaf = pki.issue("scs.example.com", middle, 3, purposes=(pki.SERVER_AUTH, pki.CLIENT_AUTH, pki.SETUP))
    finding = bench.fires("AMT-RCFG-041", presented([leaf, middle, pki.root()], code=42), verdict="confirmed")
    assert "Example Issuing" in finding["explanation"]
    bench.silent("AMT-RCFG-041", presented(sound(), code=42))


ALERTS = {
    42: "027",
    43: "028",
    44: "029",
    45: "030",
    46: "031",
    48: "032",
    49: "033",
    40: "035",
    51: "036",
    80: "037",
    90: "037",
    10: "040",
    50: "040",
}


@pytest.mark.parametrize("code", ALERTS)
def test_rcfg_alerts(bench: Bench, code: int) -> None:
    rule = f"AMT-RCFG-{ALERTS[code]}"
    finding = bench.fires(rule, presented(sound(), code=code), verdict="confirmed")
    assert any(f"alert {code}" in proof["text"] for proof in finding["evidence"])
    other = 10 if code != 10 else 42
    if ALERTS[other] != ALERTS[code]:
        bench.silent(rule, presented(sound(), code=other))
    else:
        bench.silent(rule, presented(sound(), code=42))


@pytest.mark.parametrize("seen", [1, 2])
def test_rcfg_037_a_silent_close_before_any_certificate_of_the_server(bench: Bench, seen: int) -> None:
    flights = pki.shake(sound())
    lab = presented([], flights=flights[:seen], end="reset")
    assert first(bench, lab) == "AMT-RCFG-037"
    assert bench.fires("AMT-RCFG-037", lab)["verdict"] == "likely"
    bench.silent("AMT-RCFG-037", presented([], flights=flights[:3], end="reset"))  # that is 038


def test_an_alert_prints_every_local_check(bench: Bench) -> None:
    finding = bench.fires("AMT-RCFG-031", presented(sound(), code=46))
    told = [proof["text"] for proof in finding["evidence"] if proof["text"].startswith("check ")]
    for rule in (
        "AMT-RCFG-001",
        "AMT-RCFG-003",
        "AMT-RCFG-005",
        "AMT-RCFG-006",
        "AMT-RCFG-009",
        "AMT-RCFG-026",
        "AMT-CERT-001",
    ):
        assert any(rule in text for text in told), (rule, told)


def test_rcfg_034_server_refuses(bench: Bench) -> None:
    flights = pki.shake([], server_trusts=[pki.root()])  # OpenSSL as the server refuses a self-signed AMT certificate
    lab = presented([], flights=flights, by=TO_SERVER)
    bench.fires("AMT-RCFG-034", lab, verdict="confirmed")
    bench.silent("AMT-RCFG-034", presented(sound(), code=48))


@pytest.mark.parametrize("end", ["close", "reset"])
def test_rcfg_038_silent_refusal(bench: Bench, end: str) -> None:
    lab = presented(sound(), end=end)
    finding = bench.fires("AMT-RCFG-038", lab)
    assert any(proof["text"].startswith("check ") for proof in finding["evidence"])
    bench.silent("AMT-RCFG-038", presented(sound(), end=end, by=TO_SERVER))


def test_rcfg_039_nothing_follows(bench: Bench) -> None:
    lab = presented(sound(), flights=pki.shake(sound(), records=1), by=TO_SERVER)
    bench.fires("AMT-RCFG-039", lab, severity="medium")
    bench.silent("AMT-RCFG-039", presented(sound(), flights=pki.shake(sound(), records=4), by=TO_SERVER))


def test_without_a_hello_the_chain_is_still_judged(bench: Bench) -> None:
    plain = pki.leaf(purposes=(pki.SERVER_AUTH, pki.CLIENT_AUTH))
    lab = presented([plain, pki.middle(), pki.root()], code=42, hello=False)
    ids = [finding["id"] for finding in bench.report(lab)["findings"]]
    assert "AMT-RCFG-001" in ids
    missing = [entry["missing"] for entry in bench.report(lab)["not_judged"] if entry["id"] == "AMT-RCFG-003"]
    assert missing


def test_a_chain_from_a_file_meets_the_hello(bench: Bench) -> None:
    pem = bench.file("chain.pem", b"".join(each.pem for each in sound()))
    lab = Lab()
    lab.now = int(pki.AT.timestamp()) * 1_000_000_000
    lab.greet(HERE, messages.hello_pki(HERE.uuid, messages.ROOTS_SHA256))
    found = bench.found("AMT-RCFG-003", lab, pem)
    assert found[0]["device"] == str(HERE.uuid)
    assert found[0]["evidence"][0]["line"] == 1
    lab = Lab()
    lab.now = int(pki.AT.timestamp()) * 1_000_000_000
    lab.greet(HERE, messages.hello_pki(HERE.uuid, (pki.root().digest(),)))
    bench.silent("AMT-RCFG-003", lab, pem)


def test_validity_is_judged_at_capture_time(bench: Bench) -> None:
    old = pki.leaf(end=pki.AT - 5 * pki.DAY)
    expired = presented([old, pki.middle(), pki.root()], code=45)
    bench.fires("AMT-CERT-001", expired, severity="high", verdict="confirmed")
    assert first(bench, expired) == "AMT-CERT-001"  # and not the alert it causes
    bench.silent("AMT-CERT-001", presented(sound(), code=45))  # long over by now, but not then
    soon = pki.leaf(end=pki.AT + 10 * pki.DAY)
    bench.fires("AMT-CERT-002", presented([soon, pki.middle(), pki.root()]), severity="low")
    bench.silent("AMT-CERT-002", presented(sound()))


def test_cert_004_old_signature(bench: Bench) -> None:
    sha1 = pki.signed_with_sha1(pki.leaf(), pki.middle())
    lab = presented([sha1, pki.middle(), pki.root()], code=43)
    finding = bench.fires("AMT-CERT-004", lab, site='amt_version = "16.0"\n', verdict="confirmed")
    assert "SHA-1" in finding["explanation"]
    assert first(bench, lab, site='amt_version = "16.0"\n') == "AMT-CERT-004"  # and not the alert it causes
    bench.silent("AMT-CERT-004", lab, site='amt_version = "2.6"\n')
    bench.silent("AMT-CERT-004", presented(sound(), code=43), site='amt_version = "16.0"\n')


def test_cert_003_and_005(bench: Bench) -> None:
    small = pki.issue(
        "scs.example.com", pki.middle(), 21, purposes=(pki.SERVER_AUTH, pki.CLIENT_AUTH, pki.SETUP), bits=1024
    )
    lab = presented([small, pki.middle(), pki.root()], code=43)
    bench.fires("AMT-CERT-003", lab, site='amt_version = "16.0"\n')
    assert first(bench, lab, site='amt_version = "16.0"\n') == "AMT-CERT-003"
    bench.silent("AMT-CERT-003", presented(sound(), code=43), site='amt_version = "16.0"\n')
    bench.fires("AMT-CERT-005", presented(sound(), code=43), site='amt_version = "2.6"\n')
    bench.silent("AMT-CERT-005", presented(sound(), code=43), site='amt_version = "12.0"\n')


def test_text_report_begins_with_the_cause(bench: Bench) -> None:
    lab = presented(sound(), listed=(), flights=pki.shake(sound(), trusted=[pki.machine_certificate()]))
    _, out, _ = command("diagnose", str(lab.write(bench.folder / "hidden.pcap")))
    assert "AMT-RCFG-003" in out.splitlines()[1]
    assert hashes.SHA1.name
