"""Each prerequisite: met, not met, and not told; from facts, files and captures."""

from __future__ import annotations

import datetime as dt
import itertools

import pki_lab
import pytest
from diagnosis_lab import Lab, desk

from amtdecode.diagnosis.circumstances import NameAnswer, PortAnswer, Probed, Way
from amtdecode.diagnosis.inputs import gather, sort_inputs
from amtdecode.diagnosis.rulebook import prerequisites
from amtdecode.diagnosis.site import load
from amtdecode.preflight.judging import judge, ways_of
from pcaps import messages
from pcaps.make import DOMAIN

AT = pki_lab.AT
READY = """
amt_version = "3.0"
[policy]
method = "pki"
tls = true
otp = true
kerberos = true
[scs]
version = "3.2.1"
mode = "enterprise"
fqdn = "scs.example.com"
addresses = ["192.0.2.10"]
account_rights = true
certification_authority = true
key_in_service_store = true
certificate_in_computer_store = true
keys_imported = true
schema = true
[dhcp]
domains = ["example.com"]
dns = ["192.0.2.53"]
[dns]
provisionserver = ["192.0.2.10"]
[network]
ports_open = true
[hosts]
wired = true
agent = true
agent_updated = true
drivers = true
root_hashes = true
[certificates]
roots = ["ROOT"]
"""


@pytest.fixture
def ask(tmp_path):
    """Judge a site file, certificates and captures; the answers of one way by id."""

    def judged(site=READY, *inputs, way=Way.AGENT, probed=None, at=AT):
        path = tmp_path / "site.toml"
        path.write_text(site.replace("ROOT", pki_lab.root().digest().hex()))
        story = gather(sort_inputs([str(each) for each in inputs]))
        found = judge(story, load(path), at=at, ways=[way], probed=probed or Probed())
        answers = {}
        for each in found.ways[0].prerequisites:
            answers.setdefault(each.id, each)
        return answers

    return judged


@pytest.fixture
def chain(tmp_path):
    """A PEM file of these certificates; the sound chain without any."""
    number = itertools.count()

    def written(*certificates):
        path = tmp_path / f"chain{next(number)}.pem"
        given = certificates or (pki_lab.leaf(), pki_lab.middle(), pki_lab.root())
        path.write_bytes(b"".join(each.pem for each in given))
        return path

    return written


def outcomes(answers):
    return {rule_id: str(each.outcome) for rule_id, each in answers.items()}


def test_all_is_ready(ask, chain):
    answers = ask(READY, chain())
    assert set(outcomes(answers).values()) == {"pass"}
    assert len(answers) == 21
    assert answers["AMT-PRE-005"].what == "its hash is among those entered on the machines (certificates.roots)"
    assert answers["AMT-PRE-006"].what.startswith("Accepted by the rule")


def test_nothing_is_told(ask):
    for way in Way:
        answers = ask("", way=way)
        assert set(outcomes(answers).values()) == {"unknown"}
        assert all(each.what and "Say it in the site file" in each.fix for each in answers.values())


def test_the_ways_have_their_own_prerequisites(ask):
    agent, bare, psk = (set(ask("", way=way)) for way in (Way.AGENT, Way.BARE_METAL, Way.PSK))
    assert agent - bare == {"AMT-PRE-009", "AMT-PRE-010"}
    assert bare < agent
    assert psk - agent == {"AMT-PRE-020", "AMT-PRE-021"}
    assert {rule.id for rule in prerequisites()} == agent | psk


# what is changed, the rule that fails, words of what it says
FAULTS = [
    ('provisionserver = ["192.0.2.10"]', 'provisionserver = ["192.0.2.99"]', "AMT-PRE-001", "192.0.2.99"),
    ('version = "3.2.1"', 'version = "3.0"', "AMT-PRE-007", "SCS 3.0 has no remote configuration"),
    ('amt_version = "3.0"', 'amt_version = "2.5"', "AMT-PRE-008", "AMT 2.5 cannot do this"),
    ("drivers = true", "drivers = false", "AMT-PRE-009", "driver"),
    ("agent = true", "agent = false", "AMT-PRE-010", "No agent"),
    ("agent_updated = true", "agent_updated = false", "AMT-PRE-010", "does not know"),
    ("root_hashes = true", "root_hashes = false", "AMT-PRE-011", "list no root hashes"),
    ("schema = true", "schema = false", "AMT-PRE-012", "not extended"),
    ("account_rights = true", "account_rights = false", "AMT-PRE-013", "lacks rights"),
    ("key_in_service_store = true", "key_in_service_store = false", "AMT-PRE-014", "are not in the store"),
    ("certificate_in_computer_store = true", "certificate_in_computer_store = false", "AMT-PRE-014", "loadcert"),
    ("ports_open = true", "ports_open = false", "AMT-PRE-016", "not open"),
    ("ports_open = true", "ports_open = false", "AMT-PRE-017", "not open"),
    ('mode = "enterprise"', 'mode = "smb"', "AMT-PRE-018", "small business"),
    ("wired = true", "wired = false", "AMT-PRE-022", "not on a wire"),
    ("certification_authority = true", "certification_authority = false", "AMT-PRE-023", "no authority"),
    ('domains = ["example.com"]', 'domains = ["other.example"]', "AMT-PRE-006", "No rule of AMT 3.0 accepts"),
    ('mode = "enterprise"', 'mode = "enterprise"\nthumbprint = "00ff"', "AMT-PRE-014", "another certificate"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "rule_id", "words"), FAULTS)
def test_one_fact_is_wrong(ask, chain, before, after, rule_id, words):
    assert before in READY
    answers = ask(READY.replace(before, after, 1), chain())
    failed = {each for each, outcome in outcomes(answers).items() if outcome == "fail"}
    assert rule_id in failed
    assert words in answers[rule_id].what
    assert answers[rule_id].fix
    assert failed <= {rule_id, "AMT-PRE-016", "AMT-PRE-017", "AMT-PRE-011"}


UNTOLD = {
    "AMT-PRE-001": 'provisionserver = ["192.0.2.10"]', "AMT-PRE-002": 'dns = ["192.0.2.53"]',
    "AMT-PRE-007": 'version = "3.2.1"', "AMT-PRE-008": 'amt_version = "3.0"', "AMT-PRE-009": "drivers = true",
    "AMT-PRE-010": "agent_updated = true", "AMT-PRE-012": "schema = true", "AMT-PRE-013": "account_rights = true",
    "AMT-PRE-014": "key_in_service_store = true", "AMT-PRE-016": "ports_open = true",
    "AMT-PRE-018": 'mode = "enterprise"', "AMT-PRE-019": "otp = true", "AMT-PRE-022": "wired = true",
    "AMT-PRE-023": "certification_authority = true", "AMT-PRE-005": 'roots = ["ROOT"]',
}  # fmt: skip


@pytest.mark.parametrize(("rule_id", "line"), UNTOLD.items())
def test_one_fact_is_not_told(ask, chain, rule_id, line):
    """What is not said is unknown, and never taken for well."""
    site = READY
    assert line in site
    if rule_id == "AMT-PRE-007":
        site = site.replace("amt_version", "AMT")  # the line stands there twice otherwise
        site = site.replace(line, "").replace("AMT", "amt_version")
    else:
        site = site.replace(line, "", 1)
    answers = ask(site, chain())
    assert str(answers[rule_id].outcome) == "unknown"
    assert "fail" not in outcomes(answers).values()


CERTIFICATES = [
    ({"purposes": (pki_lab.SERVER_AUTH,)}, "AMT-PRE-003", pki_lab.SETUP),
    ({"purposes": (pki_lab.SETUP,)}, "AMT-PRE-003", "serverAuth"),
    ({"end": AT - pki_lab.DAY}, "AMT-PRE-015", "Renew"),
]  # fmt: skip


@pytest.mark.parametrize(("faulty", "rule_id", "words"), CERTIFICATES)
def test_the_certificate_is_wrong(ask, chain, faulty, rule_id, words):
    path = chain(pki_lab.leaf(**faulty), pki_lab.middle(), pki_lab.root())
    answers = ask(READY, path)
    assert [each for each, outcome in outcomes(answers).items() if outcome == "fail"] == [rule_id]
    assert words in answers[rule_id].fix
    assert answers[rule_id].evidence[0].input == str(path)


def test_the_chain_is_not_whole_or_out_of_order(ask, chain):
    assert str(ask(READY, chain(pki_lab.leaf(), pki_lab.root()))["AMT-PRE-004"].outcome) == "fail"
    answers = ask(READY, chain(pki_lab.leaf(), pki_lab.root(), pki_lab.middle()))
    assert str(answers["AMT-PRE-004"].outcome) == "fail"
    assert str(answers["AMT-PRE-003"].outcome) == "pass"
    parts = [chain(each) for each in (pki_lab.root(), pki_lab.leaf(), pki_lab.middle())]  # of files the order is none
    assert set(outcomes(ask(READY, *parts)).values()) == {"pass"}


def test_a_key_that_belongs_to_another_certificate(ask, chain, tmp_path):
    key = tmp_path / "key.pem"
    key.write_bytes(pki_lab.middle().key_pem)
    assert str(ask(READY, chain(), key)["AMT-PRE-014"].outcome) == "fail"
    key.write_bytes(pki_lab.leaf().key_pem)
    assert str(ask(READY, chain(), key)["AMT-PRE-014"].outcome) == "pass"


def test_the_hello_decides_about_the_root(ask, chain, tmp_path):
    def capture(*listed):
        lab = Lab()
        lab.greet(desk(), messages.hello_pki(desk().uuid, listed))
        return lab.write(tmp_path / "hello.pcap")

    other = pki_lab.issue("Another Root", None, 9, authority=True)
    known = ask(READY, chain(), capture(pki_lab.root().digest()))
    assert known["AMT-PRE-005"].what.startswith("The machine lists the root Example Root")
    assert known["AMT-PRE-011"].what.endswith("lists 1 hash")
    unlisted = ask(READY, chain(), capture(other.digest()))
    assert str(unlisted["AMT-PRE-005"].outcome) == "fail"
    none = ask(READY, chain(), capture())
    assert (str(none["AMT-PRE-005"].outcome), str(none["AMT-PRE-011"].outcome)) == ("fail", "fail")


def test_bare_metal_needs_later_firmware_and_no_password(ask, chain):
    answers = ask(READY, chain(), way=Way.BARE_METAL)
    assert [each for each, outcome in outcomes(answers).items() if outcome == "fail"] == ["AMT-PRE-019"]
    answers = ask(READY.replace('"3.0"', '"2.6"').replace("otp = true", "otp = false"), chain(), way=Way.BARE_METAL)
    assert [each for each, outcome in outcomes(answers).items() if outcome == "fail"] == ["AMT-PRE-008"]


def test_sources_that_disagree_are_a_doubt(ask, chain):
    answers = ask(READY.replace('"3.0"', '"2.6"').replace('"3.2.1"', '"3.1"'), chain())
    assert str(answers["AMT-PRE-007"].outcome) == "pass"
    assert "SCS 3.2.1" in answers["AMT-PRE-007"].doubt


def test_versions_of_another_server_are_not_judged(ask, chain):
    answers = ask(READY.replace('version = "3.2.1"', 'product = "other"').replace('mode = "enterprise"', ""), chain())
    assert "AMT-PRE-007" not in answers
    assert set(outcomes(answers).values()) == {"pass"}


def test_what_the_probe_hears(ask, chain):
    name = "ProvisionServer.example.com"
    open_port = PortAnswer("scs.example.com", 9971, "open")
    good = ask(READY, chain(), probed=Probed((NameAnswer(name, "192.0.2.53", ("192.0.2.10",)),), (open_port,)))
    assert good["AMT-PRE-001"].what.endswith("is 192.0.2.10")
    assert good["AMT-PRE-016"].what == "port 9971 is open on scs.example.com"
    bad = ask(
        READY,
        chain(),
        probed=Probed(
            (NameAnswer(name, "192.0.2.53", (), "the answer is no such name"),),
            (PortAnswer("scs.example.com", 9971, "refused"),),
        ),
    )
    assert (str(bad["AMT-PRE-001"].outcome), str(bad["AMT-PRE-016"].outcome)) == ("fail", "fail")
    assert bad["AMT-PRE-016"].what == "scs.example.com port 9971: refused."
    wrong = ask(READY, chain(), probed=Probed((NameAnswer(name, "192.0.2.53", ("198.51.100.1",)),)))
    assert "none of the setup servers" in wrong["AMT-PRE-001"].what


def test_which_ways_are_meant(tmp_path, chain):
    def ways(text, *inputs):
        path = tmp_path / "site.toml"
        path.write_text(text)
        return ways_of(gather(sort_inputs([str(each) for each in inputs])), load(path))

    assert ways("") == [Way.PSK, Way.AGENT, Way.BARE_METAL]
    assert ways('[policy]\nmethod = "psk"') == [Way.PSK]
    assert ways('[policy]\nmethod = "pki"\n[hosts]\nagent = false') == [Way.BARE_METAL]
    assert ways("", chain()) == [Way.AGENT, Way.BARE_METAL]
    assert ways("", "pcaps/setup.bin") == [Way.PSK]
    assert ways("", "pcaps/psk_clean.pcapng") == [Way.PSK]


def test_a_capture_answers_what_it_shows(ask):
    answers = ask("", "pcaps/psk_clean.pcapng", way=Way.PSK)
    passed = {each for each, outcome in outcomes(answers).items() if outcome == "pass"}
    assert passed == {"AMT-PRE-001", "AMT-PRE-002", "AMT-PRE-016", "AMT-PRE-017", "AMT-PRE-020", "AMT-PRE-021"}
    assert answers["AMT-PRE-001"].what == f"provisionserver.{DOMAIN} is 192.0.2.10"
    assert [proof.packet for proof in answers["AMT-PRE-002"].evidence] == [4]


def test_the_machines_have_no_key(ask, tmp_path):
    from amtdecode.artifacts.setupbin import make, release_of, variable_named

    settings = [(variable_named("current-password"), b"admin"), (variable_named("new-password"), b"Aa1!aaaa")]
    path = tmp_path / "setup.bin"
    path.write_bytes(make(release_of("2.6"), settings, [], keep=False, scramble=False).data)
    site = '[policy]\nmethod = "psk"\n'
    assert ask(site, path, way=Way.PSK)["AMT-PRE-020"].what.endswith("setup.bin holds no PID and PPS.")
    answers = ask('amt_version = "2.6"', "pcaps/setup.bin", way=Way.PSK)
    assert "takes version 1 alone" in answers["AMT-PRE-020"].what
    assert str(ask('amt_version = "6.0"', "pcaps/setup.bin", way=Way.PSK)["AMT-PRE-020"].outcome) == "pass"
    late = ask('amt_version = "11.8"', "pcaps/setup.bin", way=Way.PSK)
    assert (str(late["AMT-PRE-008"].outcome), str(late["AMT-PRE-020"].outcome)) == ("fail", "fail")


def test_no_time_of_the_clock_is_asked_inside(ask, chain):
    late = AT + dt.timedelta(days=5000)
    assert str(ask(READY, chain(), at=late)["AMT-PRE-015"].outcome) == "fail"
