"""AMT-VER-*, AMT-ENV-* and AMT-RCFG-011 to 025 at their edges: what a site file says, with the packets."""

import pytest
from by_hand import DESK, asked, contact, hello, hits, machine, tls

from amtdecode.provisioning.state import Device, LogEntry, Recognition, Session
from amtdecode.provisioning.state.incidents import SetupStep

HERE = f'[[machine]]\naddress = "{DESK}"\n'


def step(packet: int, name: str) -> SetupStep:
    return SetupStep(packet, None, call=f"A.{packet}", step=name, connection=1)


# -- versions and surroundings -----------------------------------------------------------------------------------------


def test_ver_002_of_each_version_without_an_upgrade() -> None:
    def found(version: str, wanted: str):
        return asked(
            "AMT-VER-002", machine(amt_version=version, version_ref=4), site=HERE + f'upgrade_to = "{wanted}"\n'
        )

    for version in ("2.0", "2.0.5", "2.1", "2.2"):
        assert found(version, "3.0") == [("confirmed", "", [4])]
        assert found(version, "2.6") == []
    for version in ("2.5", "2.6", "3.0", "1.0"):
        assert found(version, "3.0") == []


def test_ver_004_until_3_0() -> None:
    site = HERE + "uns = true\n"
    for version, expected in (("2.6", 1), ("2.9.9", 1), ("3.0", 0), ("3.0.1", 0), ("11.8", 0)):
        found = asked("AMT-VER-004", machine(amt_version=version, version_ref=4), site=site)
        assert found == [("possible", "", [4])] * expected


def test_env_004_the_call_that_sets_the_profile_proves_it() -> None:
    def found(*facts, version: str = "2.1", profile: str = ""):
        site = HERE + (f'wireless_profile = "{profile}"\n' if profile else "")
        return asked("AMT-ENV-004", machine(*facts, amt_version=version), site=site)

    set_up, other = step(7, "wireless profile"), step(4, "ACL")
    assert found(other, set_up) == [("likely", "", [7])]
    assert found(other, set_up, profile="n") == [("likely", "", [7])]
    assert found(other, profile="n") == [("possible", "", [0])]
    assert found(other) == []
    assert found(set_up, version="2.4") == [("likely", "", [7])]
    assert found(set_up, version="2.5") == []
    lacking = "AMT version of the machine (--site: amt_version)"
    assert found(set_up, version="") == [lacking]


@pytest.mark.parametrize("rule", ["AMT-ENV-001", "AMT-ENV-002"])
def test_env_001_and_002_asleep_or_off(rule: str) -> None:
    how = 'link = "wireless"\n' if rule == "AMT-ENV-001" else 'supply = "battery"\n'
    vain = contact(4, "unanswered")
    for power, expected in (("asleep", 1), ("off", 1), ("on", 0)):
        site = HERE + how + f'power = "{power}"\n'
        assert asked(rule, machine(contact(4)), site=site) == [("possible", "", [0])] * expected
        assert asked(rule, machine(vain), site=site) == [("possible", "", [0, 4])] * expected


# -- what remote configuration needs -----------------------------------------------------------------------------------


def test_what_proves_that_it_is_remote_configuration() -> None:
    smb = '[scs]\nmode = "smb"\n'
    assert asked("AMT-RCFG-011", machine(hello(2), hello(7)), site=smb) == [("confirmed", "", [7])]
    shown = [contact(at, handshake=tls(client_hello=at + 1, client_chain=(b"x",))) for at in (10, 20)]
    device = machine(*shown)
    assert asked("AMT-RCFG-011", device, site=smb) == [("confirmed", "", [10])]
    assert hits("AMT-RCFG-011", device, site=smb)[0].proofs == [(10, "TLS with a setup certificate")]
    assert asked("AMT-RCFG-011", machine(hello(2)), site='[scs]\nmode = "enterprise"\n') == []
    assert asked("AMT-RCFG-011", machine(hello(2, version=2)), site=smb) == []


def test_016_by_version_of_scs_and_amt() -> None:
    def found(scs: str, amt: str, *facts):
        device = machine(hello(2), *facts, amt_version=amt)
        return asked("AMT-RCFG-016", device, site=f'[scs]\nversion = "{scs}"\n')

    for amt in ("2.2", "2.6"):
        assert found("3.0.9", amt) == [("confirmed", "", [2])]
        assert found("3.1", amt) == [("possible", "medium", [2])]
        assert found("3.2", amt) == [("possible", "medium", [2])]
        assert found("3.2.1", amt) == []
    for amt in ("3.0", "", "9.1"):
        assert found("3.0.9", amt) == [("confirmed", "", [2])]
        assert found("3.1", amt) == []
    for amt in ("2.0", "2.1", "2.5"):
        assert found("3.0", amt) == []  # no version of SCS helps


def one_time(*lines: str, policy: str = "", agent: str = "", **more) -> list:
    """AMT-RCFG-024 of a handshake that is complete, and ends after a few records."""
    said = {"client_hello": 11, "client_ccs": 13, "server_ccs": 14, "complete": True} | more.pop("tls", {})
    session = contact(10, **({"who_closed": "client", "last_ref": 15, "handshake": tls(**said)} | more))
    entries = [LogEntry(ref=n, time=None, recognition=Recognition(), text=text) for n, text in enumerate(lines, 90)]
    device = machine(hello(2), session, log_entries=entries)
    site = (f"[policy]\notp = {policy}\n" if policy else "") + (HERE + f"agent = {agent}\n" if agent else "")
    return asked("AMT-RCFG-024", device, site=site)


def test_024_a_one_time_password_that_the_server_did_not_take() -> None:
    found = [("likely", "", [10, 15])]
    assert one_time(policy="true") == found
    assert one_time(policy="true", agent="true") == found
    assert one_time(policy="true", agent="false") == []
    assert one_time(policy="false") == []
    assert one_time() == ["whether a one-time password is required (--site: policy.otp)"]
    for text in ("OTP mismatch", "wrong one time password", "One-Time Password", "otpRequired=1", "badOTP"):
        assert one_time("started", text) == [("likely", "", [10, 15, 91])]
    assert one_time("OTP", policy="false") == [("likely", "", [10, 15, 90])]
    for text in ("password", "hotplug of a disk", "its footprint"):
        assert one_time(text) == ["whether a one-time password is required (--site: policy.otp)"]


def test_024_only_where_next_to_nothing_was_said() -> None:
    for near in (
        {"tls": {"requests": 3}},
        {"tls": {"answers": 3}},
        {"tls": {"client_ccs": 0}},
        {"messages": 1},
        {"state": "open"},
        {"server_missing": 1},
        {"tls": {"psk_identity": "x"}},
    ):
        assert one_time(policy="true", **near) == []
    assert one_time(policy="true", tls={"requests": 2, "answers": 2}) == [("likely", "", [10, 15])]


def test_025_a_password_that_nobody_makes() -> None:
    def found(site: str, *facts: Session) -> list:
        device: Device = machine(hello(2), *facts)
        return asked("AMT-RCFG-025", device, site=site)

    assert found("[policy]\notp = true\n" + HERE + "agent = false\n") == [("possible", "", [2])]
    for near in ("[policy]\notp = true\n", "[policy]\notp = true\n" + HERE + "agent = true\n",
                 "[policy]\notp = false\n" + HERE + "agent = false\n"):  # fmt: skip
        assert found(near) == []


def test_013_and_014_by_version() -> None:
    for version, capable, alone in (
        ("2.0", False, True), ("2.1.4", False, True), ("2.5", False, True),
        ("2.2", True, False), ("2.6.3", True, False), ("3.0", True, True),
    ):  # fmt: skip
        device = machine(hello(2), amt_version=version)
        assert asked("AMT-RCFG-013", device) == [("likely", "", [2])] * (not capable)
        assert asked("AMT-RCFG-014", device, site=HERE + "agent = false\n") == [("likely", "", [2])] * (not alone)
        assert asked("AMT-RCFG-014", device, site=HERE + "agent = true\n") == []
