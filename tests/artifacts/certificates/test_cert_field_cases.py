"""Failures people had in the field, told by issue threads; each with what the checks must say of it."""

from __future__ import annotations

from datetime import UTC, datetime

from amtdecode.artifacts.certificates import check_chain, order_chain, read_bundle
from amtdecode.artifacts.certificates.strength import PERHAPS_STRICT_SINCE, STRICT_SINCE
from amtdecode.artifacts.certificates.suffix import TWO_LABELS_SINCE, UNSETTLED, WILDCARD_SINCE
from amtdecode.diagnosis.knowledge import capabilities

NOW = datetime(2027, 1, 1, tzinfo=UTC)
CA = "basicConstraints=critical,CA:TRUE"
MARKED = "extendedKeyUsage=serverAuth,2.16.840.1.113741.1.2.3"


def failed(certificates, **facts):
    found = check_chain(certificates, **{"at_time": NOW, **facts})
    return {check.id for check in found if check.outcome == "fail"}


def test_docs_599_purchased_wildcard_without_the_purpose_of_intel(openssl, middle, root):
    bought = openssl.issue("/CN=*.example.com", "extendedKeyUsage=serverAuth,clientAuth", middle)
    assert failed((bought.info, middle.info, root.info), dhcp_suffix="example.com", amt_version="16.1") == {
        "AMT-RCFG-001"
    }


def test_meshcentral_3855_chain_without_its_intermediates(leaf):
    assert "AMT-RCFG-005" in failed((leaf.info,), dhcp_suffix="example.com")


def test_rpc_go_exit_128_root_matches_none_of_the_trusted_roots(chain, root):
    digicert = "cb3ccbb76031e5e0138f8dd39a23f9de47ffc35e43c1144cea27d46a5ab1cb5f"
    assert failed(chain, hashes=[(2, digicert)], dhcp_suffix="example.com", amt_version="16.1") == {"AMT-RCFG-003"}


def test_rpc_go_413_sha1_cross_certificate_makes_the_longer_chain_fail(openssl):
    """Four certificates, one of them signed with SHA-1, fail; the three that end in the same authority's root work."""
    old = openssl.issue("/CN=Old Class 2 Root", CA, digest="sha1", owner="class2")
    own = openssl.issue("/CN=Root G2", CA, owner="g2")
    cross = openssl.issue("/CN=Root G2", CA, old, digest="sha1", owner="g2")
    issuing = openssl.issue("/CN=Secure CA G2", CA, own, owner="secure")
    setup = openssl.issue("/CN=ps.example.com", MARKED, issuing)
    three = (setup.info, issuing.info, own.info)
    four = (setup.info, issuing.info, cross.info, old.info)
    assert failed(three, amt_version="16.1", dhcp_suffix="example.com") == set()
    assert failed(four, amt_version="16.1", dhcp_suffix="example.com") == {"AMT-CERT-004"}
    for both in ((*four, own.info), (own.info, *four), (setup.info, issuing.info, cross.info, own.info)):
        assert order_chain(both).complete
    assert order_chain((setup.info, issuing.info, cross.info, own.info)).certificates == three


def test_rps_1102_custom_root_listed_by_sha1_alone(chain, root):
    found = {check.id: check.outcome for check in check_chain(chain, hashes=[(1, root.info.sha1)])}
    assert (found["AMT-RCFG-003"], found["AMT-HELLO-016"]) == ("pass", "warn")


def test_meshcentral_4901_reversed_chain_and_its_key(leaf, middle, root):
    bundle = read_bundle((root.pem + middle.pem + leaf.pem + leaf.key.read_text()).encode())
    found = failed(bundle.certificates, private_keys=bundle.private_keys, dhcp_suffix="example.com")
    assert found == {"AMT-RCFG-006", "AMT-CERT-011"}


def test_rps_2505_public_chain_of_a_web_server(openssl, middle):
    web = openssl.issue("/CN=ps.example.com", "extendedKeyUsage=serverAuth", middle)
    found = failed((web.info, middle.info), dhcp_suffix="example.com", amt_version="16.1")
    assert found == {"AMT-RCFG-001", "AMT-RCFG-007"}


def test_rps_2686_not_yet_valid_small_key_wrong_key_wrong_signature(openssl, middle, root):
    early = openssl.issue("/CN=ps.example.com", MARKED, middle, start="20270601000000Z", key="1024")
    keys = read_bundle(root.key.read_bytes()).private_keys
    twin = openssl.issue("/O=Example/CN=Example Issuing CA", CA, root, owner="twin")
    found = failed((early.info, twin.info, root.info), private_keys=keys, dhcp_suffix="example.com", amt_version="16.1")
    assert found == {"AMT-CERT-001", "AMT-CERT-003", "AMT-RCFG-008", "AMT-RCFG-036"}


def test_deployment_534_parent_domain_that_amt_takes_and_a_server_does_not(chain):
    assert failed(chain, dhcp_suffix="foo.example.com", amt_version="16.1") == set()


def test_local_domain_needs_the_suffix_of_mebx(chain):
    assert failed(chain, dhcp_suffix="office.local", amt_version="16.1") == {"AMT-RCFG-009"}
    assert failed(chain, dhcp_suffix="office.local", mebx_suffix="example.com", amt_version="16.1") == set()


def test_versions_the_checks_go_by_are_those_of_the_capability_table():
    known = capabilities()
    for capability, since in (("wildcard_certificate", WILDCARD_SINCE), ("two_label_suffix", TWO_LABELS_SINCE)):
        assert known[capability].present(since)
        assert known[capability].present((since[0], since[1] - 1)) is False
    assert known["two_label_suffix"].present(UNSETTLED) is None
    for capability in ("sha1_chains", "rsa_below_2048"):
        assert known[capability].present(STRICT_SINCE) is False
        assert known[capability].present(PERHAPS_STRICT_SINCE) is None


def test_chain_is_found_in_a_crowd_of_authorities(openssl, leaf, middle, root):
    crowd = [openssl.issue(f"/CN=Authority {number}", CA, owner="crowd").info for number in range(8)]
    found = order_chain([*crowd, leaf.info, root.info, middle.info])
    assert found.certificates == (leaf.info, middle.info, root.info)
    assert len(found.strays) == 8
