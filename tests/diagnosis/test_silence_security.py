"""AMT-SEC-* at their edges: what is weak, what merely looks so, and what the machine could do better."""

import pytest
from by_hand import SCS, alert, asked, attempt, capture, contact, hello, hits, lookup, machine, tls

from amtdecode.provisioning.state import Outcome, Session
from amtdecode.provisioning.state.incidents import (
    AdminEntry,
    ClearDigest,
    ClearManagement,
    ClearRedirection,
    ClearSecret,
)

OTHER, THIRD = "192.0.2.80", "192.0.2.81"
SSL3, TLS10, TLS11, TLS12, TLS13 = 0x0300, 0x0301, 0x0302, 0x0303, 0x0304
RSA, RC4, ECDHE = "TLS_RSA_WITH_AES_128_CBC_SHA", "TLS_RSA_WITH_RC4_128_SHA", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"
COMMITTED = attempt(hello(2), outcome=Outcome.COMMITTED)


def chosen(packet: int, name: str = RSA, version: int = TLS10, *, session: dict | None = None, **more) -> Session:
    """The machine chooses a suite in the packet 2 after the SYN."""
    said = {
        "client_hello": packet + 1,
        "server_hello": packet + 2,
        "suite": 1,
        "suite_name": name,
        "version": version,
        "offered_version": TLS12,
    } | more
    return contact(packet, handshake=tls(**said), **(session or {}))


# -- without TLS -------------------------------------------------------------------------------------------------------


def test_001_calls_without_tls() -> None:
    one = ClearManagement(4, None, 1, client=SCS, port=16992)
    two = ClearManagement(9, None, 3, client=OTHER, port=623)
    assert asked("AMT-SEC-001", machine(one, two)) == [("confirmed", "", [4, 9])]
    (hit,) = hits("AMT-SEC-001", machine(one, two))
    assert hit.proofs[1][1] == f"{OTHER} calls the machine without TLS, port 623, 3 calls"
    assert hit.values == {"port": 16992}
    assert asked("AMT-SEC-001", machine(one), site="[policy]\ntls = false\n") == [("confirmed", "info", [4])]
    assert asked("AMT-SEC-001", machine(one), site="[policy]\ntls = true\n") == [("confirmed", "", [4])]
    assert asked("AMT-SEC-001", machine(contact(4, port=16992))) == []


def test_002_003_and_004_secrets_redirection_and_logins_without_tls() -> None:
    secrets = (
        ClearSecret(4, None, what="Basic login as admin", connection=1),
        ClearSecret(9, None, what="X", connection=2),
    )
    assert asked("AMT-SEC-002", machine(*secrets)) == [("confirmed", "", [4, 9])]
    assert hits("AMT-SEC-002", machine(*secrets))[0].values == {"what": "Basic login as admin"}
    flows = ClearRedirection(4, None, client=SCS, connection=1), ClearRedirection(9, None, client=OTHER, connection=2)
    assert asked("AMT-SEC-003", machine(*flows)) == [("confirmed", "", [4, 9])]
    assert hits("AMT-SEC-003", machine(*flows))[0].proofs[1] == (9, f"{OTHER} to port 16994, without TLS")
    logins = ClearDigest(4, None, user="admin", connection=1), ClearDigest(9, None, user="", connection=2)
    assert asked("AMT-SEC-004", machine(*logins)) == [("confirmed", "", [4])]
    assert hits("AMT-SEC-004", machine(*logins))[0].values == {"user": '"admin"'}
    assert hits("AMT-SEC-004", machine(logins[1]))[0].values == {"user": "the user"}
    assert asked("AMT-SEC-004", machine(*logins), site="[policy]\ntls = false\n") == [("confirmed", "info", [4])]
    assert asked("AMT-SEC-004", machine(*logins), site="[policy]\ntls = true\n") == [("confirmed", "", [4])]


# -- suites and versions -----------------------------------------------------------------------------------------------


def test_005_a_weak_suite_is_a_fault_only_where_the_machine_can_do_better() -> None:
    weak = chosen(10, RC4)
    assert asked("AMT-SEC-005", machine(weak)) == [("confirmed", "info", [12])]
    assert hits("AMT-SEC-005", machine(weak))[0].values == {"suite": RC4, "why": "RC4 gives parts of the text away"}
    for version, severity in (("12.0", ""), ("11.8", "info"), ("14.1.5", "")):
        assert asked("AMT-SEC-005", machine(weak, amt_version=version)) == [("confirmed", severity, [12])]
    assert asked("AMT-SEC-005", machine(chosen(4), weak)) == [("confirmed", "", [12])]
    assert asked("AMT-SEC-005", machine(weak, chosen(20, version=TLS12))) == [("confirmed", "", [12])]
    for other in (
        chosen(20, RC4),
        chosen(20, version=SSL3),
        chosen(20, suite=-1),
        chosen(20, server_hello=0),
        chosen(20, session={"server": OTHER}),
    ):
        assert asked("AMT-SEC-005", machine(weak, other)) == [("confirmed", "info", [12])]
    assert asked("AMT-SEC-005", machine(chosen(4), chosen(8, ECDHE))) == []


def test_005_names_every_reason() -> None:
    both = hits("AMT-SEC-005", machine(chosen(10, "TLS_RSA_EXPORT_WITH_RC4_40_MD5")))[0]
    assert both.values["why"] == "its keys are short enough to be tried out, and RC4 gives parts of the text away"
    once = hits("AMT-SEC-005", machine(chosen(10, "TLS_RSA_EXPORT_WITH_DES40_CBC_SHA")))[0]
    assert once.values["why"] == "its keys are short enough to be tried out"


def test_006_an_old_version() -> None:
    for version, name in ((SSL3, "SSL 3.0"), (TLS10, "TLS 1.0"), (TLS11, "TLS 1.1")):
        desk = machine(chosen(10, version=version))
        assert asked("AMT-SEC-006", desk) == [("confirmed", "info", [12])]
        assert hits("AMT-SEC-006", desk)[0].values == {"version": name}
    for version in (0, TLS12, TLS13):
        assert asked("AMT-SEC-006", machine(chosen(10, version=version))) == []
    assert asked("AMT-SEC-006", machine(chosen(10), amt_version="12.0")) == [("confirmed", "", [12])]
    assert asked("AMT-SEC-006", machine(chosen(10), amt_version="11.0")) == [("confirmed", "info", [12])]
    assert asked("AMT-SEC-006", machine(chosen(4, version=TLS12), chosen(10))) == [("confirmed", "", [12])]
    assert asked("AMT-SEC-006", machine(chosen(4), chosen(10))) == [("confirmed", "info", [6])]


def test_006_a_client_that_is_too_old_for_the_machine() -> None:
    def turned_away(*alerts, **more) -> Session:
        return chosen(10, server_hello=0, offered_version=TLS10, alerts=list(alerts), **more)

    desk = machine(turned_away(alert(12, 40), alert(13, 70)))
    assert asked("AMT-SEC-006", desk) == [("confirmed", "", [11, 13])]
    assert hits("AMT-SEC-006", desk)[0].values == {"version": "TLS 1.0"}
    for near in (turned_away(alert(13, 40)), turned_away(), turned_away(alert(13, 70), client_hello=0)):
        assert asked("AMT-SEC-006", machine(near)) == []


def test_007_no_forward_secrecy() -> None:
    assert asked("AMT-SEC-007", machine(chosen(10))) == [("confirmed", "info", [12])]
    assert asked("AMT-SEC-007", machine(chosen(10), amt_version="12.0")) == [("confirmed", "", [12])]
    assert asked("AMT-SEC-007", machine(chosen(10, version=TLS12))) == [("confirmed", "info", [12])]
    assert asked("AMT-SEC-007", machine(chosen(4, ECDHE), chosen(10), chosen(20))) == [("confirmed", "info", [12])]
    for near in (ECDHE, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA", "", "unknown suite 0x1234"):
        assert asked("AMT-SEC-007", machine(chosen(10, near))) == []
    assert asked("AMT-SEC-007", machine(chosen(10, "TLS_AES_128_GCM_SHA256", TLS13))) == []

    def values(name: str, version: str = "") -> tuple[str, str]:
        said = hits("AMT-SEC-007", machine(chosen(10, name), amt_version=version))[0].values
        return said["key"], said["advice"].split(" ")[0]

    assert values(RSA) == ("the RSA key of the machine", "Nothing")
    assert values(RSA, "12.0") == ("the RSA key of the machine", "Offer")
    assert values("TLS_PSK_WITH_AES_128_CBC_SHA") == ("the PPS", "Let")
    assert values("TLS_PSK_WITH_AES_128_CBC_SHA", "12.0") == ("the PPS", "Let")


# -- who may what ------------------------------------------------------------------------------------------------------


def managed(packet: int, **more) -> Session:
    both = {"client_ccs": packet + 3, "server_ccs": packet + 4}
    return chosen(packet, session={"setup": False}, **(both | more))


def test_008_mutual_tls_is_wanted_and_not_asked_for() -> None:
    wanted = "[policy]\nmutual_tls = true\n"
    desk = machine(COMMITTED, attempt(managed(20)))
    assert asked("AMT-SEC-008", desk, site=wanted) == [("confirmed", "", [22])]
    assert asked("AMT-SEC-008", desk, site="[policy]\nmutual_tls = false\n") == []
    lacking = "whether mutual TLS is wanted (--site: policy.mutual_tls)"
    assert asked("AMT-SEC-008", desk) == [lacking]
    assert asked("AMT-SEC-008", machine(chosen(10))) == []  # that is setup
    for near in (managed(20, request=22), managed(20, client_ccs=0)):
        assert asked("AMT-SEC-008", machine(COMMITTED, attempt(near)), site=wanted) == []
    several = machine(COMMITTED, attempt(managed(20, request=22), managed(40), managed(60)))
    assert asked("AMT-SEC-008", several, site=wanted) == [("confirmed", "", [42])]


def test_009_a_server_that_the_site_does_not_name() -> None:
    site = f'[scs]\naddresses = ["{SCS}"]\n'

    def found(*facts):
        return asked("AMT-SEC-009", machine(*facts), site=site)

    assert found(hello(2), lookup(1, SCS)) == []
    assert found(hello(2, destination=OTHER)) == [("confirmed", "", [2])]
    assert found(lookup(4, SCS, OTHER)) == [("confirmed", "", [5])]
    assert found(lookup(4, OTHER), hello(8, destination=OTHER), hello(9), hello(10, destination=THIRD)) == [
        ("confirmed", "", [5, 8, 10])
    ]
    (hit,) = hits("AMT-SEC-009", machine(lookup(4, OTHER), hello(8, destination=THIRD)), site=site)
    assert hit.values == {"servers": f"{OTHER}, {THIRD}", "allowed": SCS}
    assert hit.proofs == [(5, f"DNS names {OTHER} as ProvisionServer"), (8, f"hello to {THIRD}")]
    assert asked("AMT-SEC-009", machine(hello(2))) == ["the list of servers that may provision (--site: scs.addresses)"]


def test_010_two_servers_configure_one_machine() -> None:
    def found(*sessions: Session):
        desk = machine(hello(2), *sessions)
        return asked("AMT-SEC-010", desk, capture(desk))

    one, two = contact(10), contact(20, client=OTHER)
    assert found(one, two) == [("confirmed", "", [10, 20])]
    assert found(one, contact(15), two, contact(30, client=OTHER)) == [("confirmed", "", [10, 20])]
    assert hits("AMT-SEC-010", machine(hello(2), one, two))[0].values == {"servers": f"{SCS}, {OTHER}"}
    assert found(one) == []
    for near in (
        contact(20, client=OTHER, port=16994),
        contact(20, "refused", client=OTHER),
        contact(20, "unanswered", client=OTHER),
        contact(20, client=OTHER, setup=False),
        contact(20, client=OTHER, server=THIRD),
    ):
        assert found(one, near) == []
    by_key = contact(20, client=OTHER, setup=False, handshake=tls(client_hello=21, psk_identity="x"))
    assert found(one, by_key) == [("confirmed", "", [10, 20])]  # it is one of setup by what it says


@pytest.mark.parametrize(
    ("call", "fires"), [("AddUserAclEntry", True), ("SecurityAdministration.SetAdminAclEntry", False)]
)
def test_011_an_account_that_may_do_everything(call: str, fires: bool) -> None:
    entry = AdminEntry(4, None, call=call, connection=1)
    expected = [("confirmed", "", [4])] * fires
    assert asked("AMT-SEC-011", machine(entry)) == expected
