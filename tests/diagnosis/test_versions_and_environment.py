"""AMT-VER-* and AMT-ENV-*: what the site file tells."""

import pytest
from diagnosis_lab import SCS, Bench, Lab, desk
from test_application import ask, say, talked

HERE = desk()


def unreached() -> Lab:
    lab = Lab()
    lab.greet(HERE)
    lab.syns(SCS, HERE.host, 16993)
    return lab


def machine(**facts: str) -> str:
    return f'[[machine]]\naddress = "{HERE.host.ip}"\n' + "".join(
        f"{name} = {value}\n" for name, value in facts.items()
    )


CASES = {
    "AMT-VER-001": (
        'amt_version = "3.2"\n[scs]\nversion = "1.3"\n',
        'amt_version = "2.1"\n[scs]\nversion = "1.3"\n',
        "high",
    ),
    "AMT-VER-SCS1": ('[scs]\nversion = "1.2"\n', '[scs]\nversion = "3.0"\n', "low"),
    "AMT-VER-002": (
        machine(amt_version='"2.1"', upgrade_to='"3.0"'),
        machine(amt_version='"2.1"', upgrade_to='"2.2"'),
        "info",
    ),
    "AMT-VER-003": ('amt_version = "2.15.15.0000"\n', 'amt_version = "2.1.5.1000"\n', "low"),
    "AMT-VER-004": (machine(amt_version='"2.6"', uns="true"), machine(amt_version='"3.0"', uns="true"), "info"),
    "AMT-ENV-001": (machine(link='"wireless"', power='"asleep"'), machine(link='"wireless"', power='"on"'), "high"),
    "AMT-ENV-002": (machine(supply='"battery"', power='"asleep"'), machine(supply='"ac"', power='"asleep"'), "medium"),
    "AMT-ENV-003": ('[network]\nvpn = ["192.0.2.0/24"]\n', '[network]\nvpn = ["10.8.0.0/16"]\n', "medium"),
    "AMT-ENV-004": (
        machine(amt_version='"2.1"', wireless_profile='"b/g"'),
        machine(amt_version='"2.5"', wireless_profile='"b/g"'),
        "medium",
    ),
    "AMT-ENV-005": ("[policy]\nsystem_isolation = true\n", "[policy]\nsystem_isolation = false\n", "medium"),
    "AMT-ENV-006": (machine(wireless_profile='"n"'), machine(wireless_profile='"b/g"'), "low"),
    "AMT-ENV-007": (
        machine(features='["agent presence"]', power='"asleep"'),
        machine(features='["agent presence"]', power='"on"'),
        "info",
    ),
}


@pytest.mark.parametrize("rule", CASES)
def test_site_facts(bench: Bench, rule: str) -> None:
    fire, near, severity = CASES[rule]
    bench.fires(rule, unreached(), site=fire, severity=severity)
    bench.silent(rule, unreached(), site=near)


def test_ver_001_is_a_possibility_after_the_matrix_of_2007(bench: Bench) -> None:
    def scs(version: str, amt: str) -> str:
        return f'amt_version = "{amt}"\n[scs]\nversion = "{version}"\n'

    finding = bench.fires("AMT-VER-001", unreached(), site=scs("2.0", "3.0"), severity="high", verdict="confirmed")
    assert "SCS 2.0 does not serve AMT 3.0" in finding["explanation"]
    finding = bench.fires("AMT-VER-001", unreached(), site=scs("9.1", "11.8"), severity="low", verdict="possible")
    assert "not documented" in finding["explanation"]
    bench.silent("AMT-VER-001", unreached(), site=scs("12.1", "14.0"))
    bench.silent("AMT-VER-001", unreached(), site=scs("9.1", "9.0"))
    bench.silent("AMT-VER-001", unreached(), site=scs("3.0", "3.2"))


def test_ver_002_tells_a_2_2_machine_to_stay(bench: Bench) -> None:
    plan = machine(amt_version='"2.2"', upgrade_to='"3.0"')
    assert "Keep 2.2" in bench.fires("AMT-VER-002", unreached(), site=plan)["fix"]
    plan = machine(amt_version='"2.1"', upgrade_to='"3.0"')
    assert "Update to 2.2" in bench.fires("AMT-VER-002", unreached(), site=plan)["fix"]
    bench.silent("AMT-VER-002", unreached(), site=machine(amt_version='"2.6"', upgrade_to='"3.0"'))  # no source says


def test_ver_003_the_version_of_mebx_is_not_taken_for_that_of_amt(bench: Bench) -> None:
    site = 'amt_version = "2.15.15.0000"\n[scs]\nversion = "1.3"\n'
    report = bench.report(unreached(), site=site)
    assert report["devices"][0]["amt_version"] is None
    assert any(entry["id"] == "AMT-VER-001" for entry in report["not_judged"])
    assert "AMT-VER-001" not in [finding["id"] for finding in report["findings"]]
    finding = bench.fires("AMT-VER-003", unreached(), site=site, verdict="likely")
    assert "MEBx" not in finding["fix"]  # its screen shows this very number
    seen = bench.fires("AMT-VER-003", talked((ask(), say())), site=site, verdict="confirmed")
    assert "AMT 3.0.5" in seen["evidence"][0]["text"]
    assert set(seen["evidence"][1]) == {"input", "text"}  # what the site file says is at no packet


NEED_FACTS = ("AMT-VER-001", "AMT-VER-SCS1", "AMT-ENV-001", "AMT-ENV-002", "AMT-ENV-003", "AMT-ENV-005")


def test_without_facts_they_are_not_judged(bench: Bench) -> None:
    missing = {entry["id"]: entry["missing"] for entry in bench.report(unreached())["not_judged"]}
    for rule in NEED_FACTS:
        assert "--site" in missing[rule], rule


def test_the_wire_knows_the_version_better(bench: Bench) -> None:
    report = bench.report(talked((ask(), say())), site='amt_version = "9.9"\n')
    assert report["devices"][0]["amt_version"] == "3.0.5"


def reached() -> Lab:
    return talked((ask(), say()))


def lacks(bench: Bench, rule: str, scene: Lab, site: str = "") -> str:
    """What a rule is said to lack; "" where it was judged."""
    report = bench.report(scene, site=site)
    assert rule not in [finding["id"] for finding in report["findings"]]
    return next((entry["missing"] for entry in report["not_judged"] if entry["id"] == rule), "")


def test_env_001_by_link_or_by_network(bench: Bench) -> None:
    network = '[network]\nwireless = ["192.0.2.0/24"]\n'
    finding = bench.fires("AMT-ENV-001", unreached(), site=machine(power='"off"') + network, verdict="possible")
    assert finding["title"] == "The machine is off, on a wireless link"
    assert len(finding["evidence"]) == 2  # the site file, and the contact that failed
    assert any(proof.get("packet") for proof in finding["evidence"])
    bench.silent("AMT-ENV-001", unreached(), site=machine(power='"off"', link='"wired"'))
    bench.silent("AMT-ENV-001", unreached(), site=machine(power='"on"') + network)
    assert "machine.power" in lacks(bench, "AMT-ENV-001", unreached())
    assert "machine.power" in lacks(bench, "AMT-ENV-001", reached(), site=machine(link='"wireless"'))
    assert not lacks(bench, "AMT-ENV-001", reached(), site=machine(link='"wired"'))


def test_env_002_needs_battery_and_sleep(bench: Bench) -> None:
    bench.fires("AMT-ENV-002", unreached(), site=machine(supply='"battery"', power='"off"'), verdict="possible")
    bench.silent("AMT-ENV-002", unreached(), site=machine(supply='"battery"', power='"on"'))
    assert "machine.supply" in lacks(bench, "AMT-ENV-002", unreached(), site=machine(power='"asleep"'))
    assert not lacks(bench, "AMT-ENV-002", reached(), site=machine(power='"asleep"'))
    assert not lacks(bench, "AMT-ENV-002", unreached(), site=machine(supply='"battery"', power='"on"'))


def test_env_003_by_the_site_file_or_by_the_pool(bench: Bench) -> None:
    told = bench.fires("AMT-ENV-003", unreached(), site=machine(vpn="true"), verdict="possible")
    assert "the machine is on a VPN of its host" in told["explanation"]
    pool = bench.fires("AMT-ENV-003", unreached(), site='[network]\nvpn = ["192.0.2.0/24"]\n')
    assert f"{HERE.host.ip} lies in the VPN's pool" in pool["explanation"]
    assert "network.vpn" in lacks(bench, "AMT-ENV-003", unreached())
    assert not lacks(bench, "AMT-ENV-003", unreached(), site=machine(vpn="false"))
    assert not lacks(bench, "AMT-ENV-003", unreached(), site='[network]\nvpn = ["10.8.0.0/16"]\n')
    assert not lacks(bench, "AMT-ENV-003", reached(), site="[policy]\ntls = true\n")


def test_env_004_from_the_wire_or_from_the_site_file(bench: Bench) -> None:
    told = machine(amt_version='"2.1"', wireless_profile='"b/g"')
    assert "b/g" in bench.fires("AMT-ENV-004", unreached(), site=told, verdict="possible")["evidence"][0]["text"]
    bench.silent("AMT-ENV-004", unreached(), site=machine(amt_version='"2.1"'))


def test_env_005_needs_a_contact_that_failed(bench: Bench) -> None:
    bench.silent("AMT-ENV-005", reached(), site="[policy]\nsystem_isolation = true\n")
    assert "system_isolation" in lacks(bench, "AMT-ENV-005", unreached())
    assert not lacks(bench, "AMT-ENV-005", reached(), site="[policy]\ntls = true\n")


def test_env_007_needs_to_know_the_power(bench: Bench) -> None:
    both = machine(features='["System Isolation", "agent presence"]', power='"off"')
    finding = bench.fires("AMT-ENV-007", unreached(), site=both)
    assert finding["title"] == "System Isolation and agent presence asked for while the host is off"
    assert "machine.power" in lacks(bench, "AMT-ENV-007", unreached(), site=machine(features='["agent presence"]'))
    assert not lacks(bench, "AMT-ENV-007", unreached(), site=machine(features='["KVM"]'))
    bench.silent("AMT-ENV-007", unreached(), site=machine(features='["KVM"]', power='"off"'))


def test_the_matrix_of_scs_is_read_by_its_rows(bench: Bench) -> None:
    def scs(version: str, amt: str) -> str:
        return f'amt_version = "{amt}"\n[scs]\nversion = "{version}"\n'

    bench.fires("AMT-VER-001", unreached(), site=scs("1.3", "2.2"), verdict="confirmed")  # 1.x only up to 2.1
    bench.silent("AMT-VER-001", unreached(), site=scs("1.3", "2.1.9"))
    bench.silent("AMT-VER-001", unreached(), site=scs("2.0", "2.5"))  # no row: its major number serves it
    bench.silent("AMT-VER-001", unreached(), site=scs("3.0", "3.0"))
    bench.fires("AMT-VER-001", unreached(), site=scs("3.2.1", "4.0"), verdict="possible")
    bench.fires("AMT-VER-001", unreached(), site=scs("11.2", "12.0"), verdict="possible")
    bench.silent("AMT-VER-001", unreached(), site=scs("12.0", "16.1"))


def test_where_the_version_is_from_is_said(bench: Bench) -> None:
    site = 'amt_version = "3.0"\n[scs]\nversion = "2.0"\n'
    told = bench.fires("AMT-VER-001", unreached(), site=site)
    assert told["evidence"][0]["text"] == "AMT 3.0, as the site file says"
    assert "packet" not in told["evidence"][0]
    seen = bench.fires("AMT-VER-001", reached(), site='[scs]\nversion = "2.0"\n')
    assert seen["evidence"][0]["text"] == "AMT 3.0.5, as its HTTP server says"
    assert seen["evidence"][0]["packet"]


@pytest.mark.parametrize(
    ("told", "mebx"),
    [("2.15.15.0000", True), ("3.10.0.1", True), ("2.9.15.0000", False), ("4.15.15.0000", False), ("2.15.15", False)],
)
def test_ver_003_what_looks_like_a_version_of_mebx(bench: Bench, told: str, mebx: bool) -> None:
    found = bench.found("AMT-VER-003", unreached(), site=f'amt_version = "{told}"\n')
    assert bool(found) is mebx


def test_ver_002_other_plans(bench: Bench) -> None:
    bench.silent("AMT-VER-002", unreached(), site=machine(amt_version='"2.0"', upgrade_to='"2.9"'))
    bench.silent("AMT-VER-002", unreached(), site=machine(amt_version='"3.0"', upgrade_to='"3.2"'))
    bench.fires("AMT-VER-002", unreached(), site=machine(amt_version='"2.1.5"', upgrade_to='"3.0"'))
    finding = bench.fires("AMT-VER-002", unreached(), site=machine(amt_version='"2.2"', upgrade_to='"4.0"'))
    assert finding["title"] == "AMT 2.2 cannot be upgraded to 4.0"


def test_ver_scs1_is_about_1_x(bench: Bench) -> None:
    bench.fires("AMT-VER-SCS1", unreached(), site='[scs]\nversion = "1.0"\n', verdict="confirmed")
    bench.silent("AMT-VER-SCS1", unreached(), site='[scs]\nversion = "2.1"\n')
    bench.silent("AMT-VER-SCS1", unreached(), site='[scs]\nversion = "11.1"\n')
