"""The tables of knowledge: complete, well formed, and saying what their sources say."""

from __future__ import annotations

import re

import pytest

from amtdecode.diagnosis import knowledge
from amtdecode.protocols.hello.roots import CERTIFICATES, ROOTS

SEVERITIES = {"critical", "high", "medium", "low", "info"}


def test_every_cell_with_a_meaning_is_filled_and_every_row_has_its_source():
    tables = (
        knowledge.status_advice().values(),
        knowledge.return_advice().values(),
        knowledge.alerts().values(),
        knowledge.scs_errors().values(),
        knowledge.scs_support(),
        knowledge.capabilities().values(),
        knowledge.power_states(),
        knowledge.placements(),
        knowledge.root_lists(),
    )
    for table in tables:
        assert len(table) > 2
        for row in table:
            assert row.source.strip(), row
            values = row._asdict()
            values.pop("note", None)
            values.pop("scs_below", None)
            values.pop("amt_to", None)
            assert all(
                value != "" and value == (value.strip() if isinstance(value, str) else value)
                for value in values.values()
            ), row


def test_pt_status_advice_covers_the_whole_published_table():
    published = {*range(0x32), 0x200, 0x201, 0x202, 0x203, 0x400, *range(0x800, 0x817), 0x818, 0x81B, 0x81C, 0x821}
    published |= {0x822, 0x9C4, 0x9C5, *range(0x1000, 0x100B), 0x4000}
    advice = knowledge.status_advice()
    assert set(advice) == published
    assert {row.severity for row in advice.values()} <= SEVERITIES
    assert advice[0x810].explanation == "Certificate and private key do not belong together."
    assert "40 minutes" in advice[0x26].fix


def test_return_values_are_those_the_calls_have_names_for():
    from amtdecode.protocols.soap.tables import return_name

    for (call, value), row in knowledge.return_advice().items():
        owner, _, method = call.partition(".")
        assert return_name(owner, method, value)[1], row
        assert row.severity in SEVERITIES


def test_alerts_carry_the_names_of_the_rfcs():
    alerts = knowledge.alerts()
    named = {0: "close_notify", 20: "bad_record_mac", 40: "handshake_failure", 42: "bad_certificate", 48: "unknown_ca"}
    named |= {
        43: "unsupported_certificate",
        44: "certificate_revoked",
        45: "certificate_expired",
        46: "certificate_unknown",
    }
    named |= {49: "access_denied", 51: "decrypt_error", 70: "protocol_version", 71: "insufficient_security"}
    named |= {80: "internal_error", 90: "user_canceled", 115: "unknown_psk_identity", 120: "no_application_protocol"}
    assert {code: alerts[code].name for code in named} == named
    assert alerts[48].rule == "AMT-RCFG-032"
    assert all(re.fullmatch(r"AMT-[A-Z]+-\d{3}", row.rule) for row in alerts.values())


def test_scs_errors_are_those_of_the_article():
    errors = knowledge.scs_errors()
    assert sorted(errors) == [102, 103, 137, 139, 407, 602, 913]
    assert errors[913].title == "No rows found in get UuidMap"
    assert all(row.rule == f"AMT-LOG-{code}" and row.severity in SEVERITIES for code, row in errors.items())


@pytest.mark.parametrize(
    ("capability", "version", "present"),
    [
        ("remote_configuration", "2.0", False),
        ("remote_configuration", "2.1.3", False),
        ("remote_configuration", "2.2", True),
        ("remote_configuration", "2.5.10", False),
        ("remote_configuration", "2.6", True),
        ("remote_configuration", "16.1.25", True),
        ("bare_metal", "2.6.20", False),
        ("bare_metal", "3.0", True),
        ("psk_setup", "10.0.55", True),
        ("psk_setup", "11.0.0", False),
        ("wildcard_certificate", "2.2", False),
        ("wildcard_certificate", "3.0", True),
        ("two_label_suffix", "2.6", True),
        ("two_label_suffix", "3.0.5", None),
        ("two_label_suffix", "4.0", True),
        ("sha1_chains", "15.0.23", None),
        ("sha1_chains", "16.0", False),
        ("sha1_chains", "16", False),
        ("tls_1_0", "11.8.50", True),
        ("tls_1_0", "12.0.0", False),
        ("plain_ports", "16.0.15", True),
        ("plain_ports", "16.1", False),
        ("kvm", "5.2", False),
        ("sha384_nonce", "20.0.5", False),
        ("sha384_nonce", "21.0.6", True),
    ],
)
def test_capability_by_version(capability, version, present):
    assert knowledge.capabilities()[capability].present(knowledge.parse_version(version)) is present


def test_versions_are_read_up_to_what_is_no_number():
    assert knowledge.parse_version("15.0.23.1706") == (15, 0, 23, 1706)
    assert knowledge.parse_version("15.0.23-H.7") == (15, 0, 23)
    assert knowledge.parse_version("unknown") == ()


def test_wireless_and_asleep_is_never_manageable_and_unknown_cells_say_so():
    states = knowledge.power_states()
    asleep = [row for row in states if row.network == "wireless" and row.host == "asleep"]
    assert len(asleep) == 2
    assert all((row.management, row.system_isolation, row.agent_presence) == ("no", "no", "no") for row in asleep)
    cells = {cell for row in states for cell in (row.management, row.system_isolation, row.agent_presence)}
    assert cells == {"yes", "no", "unknown", "as wired"}
    assert {row.network for row in states if "unknown" in row} == {"host vpn"}


def test_a_sick_host_runs_so_isolation_and_agent_presence_are_supported():
    """2007 article: "they both require the host to be running (not necessarily the host operating system)"."""
    rows = [row for row in knowledge.power_states() if row.network in ("wired", "wireless") and row.host == "sick"]
    assert len(rows) == 4
    assert all((row.management, row.system_isolation, row.agent_presence) == ("yes", "yes", "yes") for row in rows)


def test_setup_certificate_stands_in_two_stores_with_its_key_in_one():
    rows = [row for row in knowledge.placements() if row.certificate.startswith("setup certificate")]
    assert [(row.store, row.private_key) for row in rows] == [
        ("certificate store of the SCS service account", "yes"),
        ("certificate store of the local computer", "no"),
    ]
    named = {(row.machine, row.certificate) for row in knowledge.placements() if row.store.startswith("Personal")}
    assert named == {("SCS server", "MTLS client certificate")}  # the only one of which the article names the folder


def test_root_lists_name_roots_of_the_hello_room():
    names = {each.name for each in CERTIFICATES}
    assert {row.root for row in knowledge.root_lists()} <= names
    listed = {(row.version, row.root): row.listed for row in knowledge.root_lists()}
    assert listed["3.0", "Starfield Class 2 CA"] == "no"
    assert listed["2.6", "Starfield Class 2 CA"] == "yes"


def test_every_fingerprint_has_the_length_of_its_algorithm():
    digits = {"SHA-1": 40, "SHA-256": 64, "SHA-384": 96}
    assert all(re.fullmatch(f"[0-9a-f]{{{digits[root.algorithm]}}}", digest) for digest, root in ROOTS.items())
    assert ROOTS["742c3192e607e424eb4549542be1bbc53e6174e2"].name == "VeriSign Class 3 Public Primary CA (G1)"
    assert len(ROOTS) == sum(bool(each.sha1) + bool(each.sha256) + bool(each.sha384) for each in CERTIFICATES)


def test_roots_of_the_sample_hellos_are_named(shared):
    for name in ("meshcentral_hello_1.bin", "meshcentral_hello_2.bin"):
        data = (shared / "captures" / "loopback" / "hello" / name).read_bytes()
        position, hashes = 25, []
        while position < len(data):
            length = data[position + 1]
            hashes.append(data[position + 2 : position + 2 + length].hex())
            position += 2 + length
        assert len(hashes) == data[24]
        assert all(each in ROOTS for each in hashes)


def test_codes_and_names_are_those_of_the_rooms():
    from amtdecode.protocols.soap.pt_status import PT_STATUS
    from amtdecode.protocols.tls.registry import name_of_alert

    assert set(PT_STATUS) <= set(knowledge.status_advice())
    assert all(row.name in str(name_of_alert(code)) for code, row in knowledge.alerts().items())
