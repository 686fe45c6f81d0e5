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


NEED_FACTS = ("AMT-VER-001", "AMT-VER-SCS1", "AMT-ENV-001", "AMT-ENV-002", "AMT-ENV-003", "AMT-ENV-005")


def test_without_facts_they_are_not_judged(bench: Bench) -> None:
    missing = {entry["id"]: entry["missing"] for entry in bench.report(unreached())["not_judged"]}
    for rule in NEED_FACTS:
        assert "--site" in missing[rule], rule


def test_the_wire_knows_the_version_better(bench: Bench) -> None:
    report = bench.report(talked((ask(), say())), site='amt_version = "9.9"\n')
    assert report["devices"][0]["amt_version"] == "3.0.5"
