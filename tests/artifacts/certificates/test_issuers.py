"""Who issued whom: authorities that change their key, sign for each other, or are none; and what cannot be read."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

import pytest

from amtdecode.artifacts.certificates import check_chain, order_chain
from amtdecode.artifacts.certificates.chain import is_root
from amtdecode.protocols.tls.certificates import read_certificate

NOW = datetime(2027, 1, 1, tzinfo=UTC)
CA = "basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign,cRLSign\nsubjectKeyIdentifier=hash"
KEYED = f"{CA}\nauthorityKeyIdentifier=keyid:always"
LEAF = "basicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth,2.16.840.1.113741.1.2.3"


def checks(certificates, **facts):
    return {check.id: check for check in check_chain(certificates, **{"at_time": NOW, **facts})}


def failed(certificates, **facts):
    return {id_ for id_, check in checks(certificates, **facts).items() if check.outcome == "fail"}


# -- an authority that changes its key: self-issued, but not self-signed (RFC 5280 section 3.2) --


@pytest.fixture(scope="module", params=[KEYED, CA], ids=["with key identifiers", "without"])
def changed(request, openssl):
    """Root of the old key, the certificate it gave the new key under the same name, and a leaf of the new key."""
    name = f"/CN=Turning Root {request.param_index}"
    old = openssl.issue(name, CA, owner=f"old{request.param_index}")
    new = openssl.issue(name, request.param, old, owner=f"new{request.param_index}")
    leaf = openssl.issue("/CN=ps.example.com", LEAF, new)
    return leaf.info, new.info, old.info


def test_a_new_key_of_the_same_authority_is_no_root(changed):
    _, new, old = changed
    for order in itertools.permutations(changed):
        found = order_chain(order)
        assert found.certificates == changed
        assert found.complete
    assert failed(changed) == set()
    assert checks(changed)["AMT-RCFG-008"].outcome == "pass"
    assert checks(changed, hashes=[(2, old.sha256)])["AMT-RCFG-003"].outcome == "pass"
    assert checks(changed, hashes=[(2, new.sha256)])["AMT-RCFG-003"].outcome == "fail"


def test_its_old_root_may_be_left_out(openssl):
    old = openssl.issue("/CN=Gone Root", CA, owner="gone-old")
    new = openssl.issue("/CN=Gone Root", KEYED, old, owner="gone-new")
    leaf = openssl.issue("/CN=ps.example.com", LEAF, new)
    assert (is_root(old.info), is_root(new.info)) == (True, False)
    found = failed((leaf.info, new.info))
    assert "AMT-RCFG-008" not in found  # nothing was altered
    assert "AMT-RCFG-007" in found  # the root was left out


def test_a_root_that_was_altered_still_fails(openssl):
    made = openssl.issue("/CN=Altered Root", CA, owner="altered")
    leaf = openssl.issue("/CN=ps.example.com", LEAF, made)
    der = made.info.der
    altered = read_certificate(der[:-5] + bytes([der[-5] ^ 1]) + der[-4:])
    assert "AMT-RCFG-008" in failed((leaf.info, altered))


# -- authorities that sign for each other --


@pytest.fixture(scope="module")
def crossed(openssl):
    """Two roots that signed for each other, and a leaf of the first."""
    one = openssl.issue("/CN=First Root", CA, owner="first")
    two = openssl.issue("/CN=Second Root", CA, owner="second")
    one_by_two = openssl.issue("/CN=First Root", CA, two, owner="first")
    two_by_one = openssl.issue("/CN=Second Root", CA, one, owner="second")
    leaf = openssl.issue("/CN=ps.example.com", LEAF, one)
    return leaf.info, one.info, two.info, one_by_two.info, two_by_one.info


def test_cross_signed_authorities_are_found_in_any_order(crossed):
    leaf, one, two, one_by_two, _ = crossed
    allowed = {(leaf, one), (leaf, one_by_two, two)}
    for order in itertools.permutations(crossed):
        found = order_chain(order).certificates
        assert found in allowed
        if order[0] is not leaf:
            assert found == (leaf, one)  # the shortest way


def test_of_several_ways_the_one_that_was_sent_counts(crossed):
    leaf, one, two, one_by_two, two_by_one = crossed
    assert order_chain((leaf, one_by_two, two, one)).certificates == (leaf, one_by_two, two)
    assert order_chain((leaf, one, one_by_two, two)).certificates == (leaf, one)
    assert checks((leaf, one_by_two, two, one))["AMT-RCFG-006"].outcome == "pass"
    only = order_chain((two_by_one, one_by_two, leaf))  # a circle without a root
    assert not only.complete
    assert only.certificates[0] == leaf


# -- issuers that are none --


@pytest.mark.parametrize(
    ("extensions", "words"),
    [
        ("basicConstraints=CA:FALSE", "CA:FALSE"),
        ("subjectKeyIdentifier=hash", "no basic constraints"),
        ("basicConstraints=critical,CA:TRUE\nkeyUsage=digitalSignature", "key usage"),
    ],
)
def test_an_issuer_that_is_no_authority_fails(openssl, root, extensions, words):
    middle = openssl.issue("/CN=No Authority", extensions, root, owner="none")
    leaf = openssl.issue("/CN=ps.example.com", LEAF, middle)
    check = checks((leaf.info, middle.info, root.info))["AMT-RCFG-041"]
    assert check.outcome == "fail"
    assert check.explanation.startswith("A certificate was issued by one that may not issue any: No Authority: ")
    assert words in check.explanation
    assert "CA:TRUE" in check.fix


def test_an_authority_and_a_root_without_extensions_pass(openssl, chain, root):
    assert checks(chain)["AMT-RCFG-041"].outcome == "pass"
    bare = openssl.issue("/CN=Bare Root", "subjectKeyIdentifier=hash", owner="bare")
    leaf = openssl.issue("/CN=ps.example.com", LEAF, bare)
    assert checks((leaf.info, bare.info))["AMT-RCFG-041"].outcome == "pass"
    denied = openssl.issue("/CN=Denied Root", "basicConstraints=CA:FALSE", owner="denied")
    leaf = openssl.issue("/CN=ps.example.com", LEAF, denied)
    assert checks((leaf.info, denied.info))["AMT-RCFG-041"].outcome == "fail"


# -- SHA-1 in the root (Intel article 000090051) --


@pytest.mark.parametrize(
    ("digest", "version", "outcome"),
    [("sha1", "16.0", "fail"), ("sha1", "15.0", "warn"), ("sha1", "11.8", "pass"), ("sha1", None, "warn"),
     ("md5", "16.0", "fail"), ("md5", "11.8", "warn"), ("sha256", "16.0", "pass")],
)  # fmt: skip
def test_the_digest_of_the_root_counts_too(openssl, digest, version, outcome):
    root = openssl.issue(f"/CN=Root {digest}", CA, digest=digest, owner="dated")
    leaf = openssl.issue("/CN=ps.example.com", LEAF, root)
    check = checks((leaf.info, root.info), amt_version=version)["AMT-CERT-004"]
    assert check.outcome == outcome
    if outcome == "fail":
        assert check.explanation.startswith(f"Root {digest}: ")
        assert "the root too" in check.fix


# -- what cannot be read --


GARBAGE = read_certificate(b"\x30\x0anonsense!!")


def test_a_leaf_that_cannot_be_read_is_not_replaced_by_an_authority(chain, root):
    found = checks((GARBAGE, *chain[1:]), dhcp_suffix="example.com")
    for id_ in ("AMT-RCFG-001", "AMT-RCFG-009", "AMT-RCFG-026", "AMT-RCFG-036"):
        assert found[id_].outcome == "unknown"
        assert "The setup certificate itself cannot be read" in found[id_].explanation
    assert found["AMT-RCFG-023"].outcome == "fail"
    assert "A certificate cannot be read at all" in found["AMT-RCFG-023"].explanation
    assert found["AMT-RCFG-008"].outcome == "pass"


def test_an_authority_that_cannot_be_read_leaves_the_leaf_judged(chain):
    found = checks((chain[0], GARBAGE, chain[2]), dhcp_suffix="example.com")
    assert found["AMT-RCFG-001"].outcome == "pass"
    assert found["AMT-RCFG-009"].outcome == "pass"
    assert found["AMT-RCFG-005"].outcome == "fail"
    assert found["AMT-RCFG-023"].outcome == "fail"


def test_nothing_that_can_be_read(chain):
    (check,) = check_chain((GARBAGE,))
    assert (check.id, check.outcome) == ("AMT-RCFG-005", "fail")
    assert "No certificate can be read" in check.explanation


def test_authorities_alone_that_were_read_whole_are_judged_as_they_stand(root, middle):
    """Nothing was lost, so the first of them is what the server would show."""
    assert "AMT-RCFG-001" in failed((middle.info, root.info))
