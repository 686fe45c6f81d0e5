"""Every check of a setup chain: a chain made with OpenSSL that must fire it, and a near miss that must not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from amtdecode.artifacts.certificates import check_chain, read_bundle

MARK = "Intel(R) Client Setup Certificate"
SETUP = "2.16.840.1.113741.1.2.3"
NOW = datetime(2027, 1, 1, tzinfo=UTC)
SERVER = "basicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth"


def outcomes(certificates, **facts):
    """Outcome by id; a check that is not there is absent."""
    return {check.id: check.outcome for check in check_chain(certificates, **{"at_time": NOW, **facts})}


def the(id_, certificates, **facts):
    """The check of this id."""
    return next(c for c in check_chain(certificates, **{"at_time": NOW, **facts}) if c.id == id_)


def test_clean_chain_passes_everything(chain, leaf, root):
    found = outcomes(
        chain,
        hashes=[(2, root.info.sha256)],
        dhcp_suffix="example.com",
        amt_version="16.1.25",
        private_keys=read_bundle(leaf.key.read_bytes()).private_keys,
    )
    assert set(found.values()) == {"pass"}
    assert len(found) == 22


def test_chain_of_the_shared_loopback_keys_passes(shared):
    keys = shared / "captures" / "loopback" / "keys"
    bundle = read_bundle((keys / "setup_chain.pem").read_bytes())
    found = outcomes(
        bundle.certificates,
        hashes=[("SHA-1", bundle.certificates[2].sha1)],
        dhcp_suffix="example.com",
        amt_version="6.2",
        private_keys=read_bundle((keys / "setup.key").read_bytes()).private_keys,
    )
    assert {id_ for id_, outcome in found.items() if outcome != "pass"} == {"AMT-HELLO-016"}


# marking


def test_marked_by_neither_fires(openssl, middle, root):
    bare = openssl.issue("/OU=Servers/CN=provisionserver.example.com", SERVER, middle)
    check = the("AMT-RCFG-001", (bare.info, middle.info, root.info))
    assert check.outcome == "fail"
    assert [(side.what, side.text) for side in check.compared] == [
        ("key purposes", "1.3.6.1.5.5.7.3.1"), ("wanted", SETUP), ("OU", "Servers"), ("or wanted", MARK),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("subject", "purposes"),
    [("/CN=provisionserver.example.com", f"serverAuth,{SETUP}"), (f"/OU={MARK}/CN=a.example.com", "serverAuth")],
)
def test_marked_by_either_alone_passes(openssl, middle, root, subject, purposes):
    one = openssl.issue(subject, f"extendedKeyUsage={purposes}", middle)
    found = outcomes((one.info, middle.info, root.info))
    assert (found["AMT-RCFG-001"], found["AMT-RCFG-002"]) == ("pass", "pass")


def test_the_purpose_of_a_console_is_no_mark(openssl, middle, root):
    console = openssl.issue("/CN=a.example.com", "extendedKeyUsage=serverAuth,2.16.840.1.113741.1.2.1", middle)
    check = the("AMT-RCFG-001", (console.info, middle.info, root.info))
    assert check.outcome == "fail"
    assert "remote console" in check.explanation


@pytest.mark.parametrize(
    ("unit", "reason"),
    [
        ("Intel(r) Client Setup Certificate", "upper and lower case differ"),
        ("Intel(R)  Client Setup Certificate", "blanks differ"),
        ("Intel® Client Setup Certificate", "the sign ®"),
        ("Intel Client Setup Certificate", "(R) are missing"),
        ("Intel(R) Client Setup Certificat", "letters differ"),
        ("Intel(R) Client Setup Сertificate", "same look"),  # the C is Cyrillic
    ],
)
def test_unit_nearly_right_fires_with_the_bytes_of_both(openssl, middle, root, unit, reason):
    near = openssl.issue(f"/OU={unit}/CN=provisionserver.example.com", SERVER, middle)
    certificates = (near.info, middle.info, root.info)
    check = the("AMT-RCFG-002", certificates)
    assert check.outcome == "fail"
    assert reason in check.explanation
    assert [side.text for side in check.compared] == [unit, MARK]
    assert outcomes(certificates)["AMT-RCFG-001"] == "fail"
    hexed = (
        [unit.encode().hex(), MARK.encode().hex()] if "missing" not in reason and "letters" not in reason else ["", ""]
    )
    assert [side.hex for side in check.compared] == hexed


def test_unit_of_another_meaning_is_no_near_miss(openssl, middle, root):
    other = openssl.issue("/OU=Client Certificates/CN=provisionserver.example.com", SERVER, middle)
    assert outcomes((other.info, middle.info, root.info))["AMT-RCFG-002"] == "pass"


@pytest.mark.parametrize(
    ("extensions", "outcome"),
    [
        (f"extendedKeyUsage=clientAuth,{SETUP}", "fail"),
        (f"extendedKeyUsage=serverAuth,clientAuth,{SETUP}", "pass"),
        ("basicConstraints=CA:FALSE", "warn"),
    ],
)
def test_server_purpose(openssl, middle, root, extensions, outcome):
    made = openssl.issue(f"/OU={MARK}/CN=provisionserver.example.com", extensions, middle)
    assert outcomes((made.info, middle.info, root.info))["AMT-RCFG-026"] == outcome


# hash list


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha384"])
def test_root_is_found_under_each_algorithm(chain, root, algorithm):
    value = getattr(root.info, algorithm)
    assert outcomes(chain, hashes=[(1, "00" * 20), (algorithm, value.upper())])["AMT-RCFG-003"] == "pass"
    assert outcomes(chain, hashes=[(algorithm, bytes.fromhex(value))])["AMT-RCFG-003"] == "pass"


def test_root_not_listed_fires_and_tells_both_sides(chain, root):
    starfield = "ad7e1c28b064ef8f6003402014c3d0e3370eb58a"
    check = the("AMT-RCFG-003", chain, hashes=[(1, starfield)])
    assert check.outcome == "fail"
    assert root.info.sha256 in [side.text for side in check.compared]
    assert check.details == (f"SHA-1 {starfield} Starfield Class 2 CA",)
    assert the("AMT-RCFG-003", chain, hashes=[]).outcome == "fail"


def test_hash_of_the_intermediate_does_not_count(chain, middle):
    assert outcomes(chain, hashes=[(2, middle.info.sha256)])["AMT-RCFG-003"] == "fail"


def test_without_a_hello_or_without_the_root_nothing_is_said(chain):
    assert outcomes(chain)["AMT-RCFG-003"] == "unknown"
    assert outcomes(chain[:2], hashes=[(1, "00" * 20)])["AMT-RCFG-003"] == "unknown"


def wrong(value, digits):
    """The hash with its first digits typed wrongly."""
    return "".join("0" if each != "0" else "1" for each in value[:digits]) + value[digits:]


def test_hash_typed_wrongly_fires(chain, root):
    typed = wrong(root.info.sha1, 4)
    check = the("AMT-HELLO-015", chain, hashes=[(1, typed)])
    assert check.outcome == "fail"
    assert "4 of its hex digits" in check.explanation
    assert [side.text for side in check.compared] == [root.info.sha1, typed]


def test_hash_of_another_root_is_no_typing_error(chain, root):
    assert outcomes(chain, hashes=[(1, wrong(root.info.sha1, 5))])["AMT-HELLO-015"] == "pass"
    assert outcomes(chain, hashes=[(1, root.info.sha1)])["AMT-HELLO-015"] == "pass"


def test_modern_root_listed_by_sha1_alone_is_told(chain, root):
    assert outcomes(chain, hashes=[(1, root.info.sha1)])["AMT-HELLO-016"] == "warn"
    assert outcomes(chain, hashes=[(1, root.info.sha1), (2, root.info.sha256)])["AMT-HELLO-016"] == "pass"


def test_old_root_listed_by_either_digest_is_fine(openssl):
    old = openssl.issue("/CN=Old Root", "basicConstraints=critical,CA:TRUE", digest="sha1").info
    assert outcomes((old,), hashes=[(1, old.sha1)])["AMT-HELLO-016"] == "pass"
    assert outcomes((old,), hashes=[(2, old.sha256)])["AMT-HELLO-016"] == "pass"


def test_starfield_on_amt_3_0(openssl):
    subject = "/O=Starfield Technologies, Inc./OU=Starfield Class 2 Certification Authority"
    starfield = openssl.issue(subject, "basicConstraints=critical,CA:TRUE").info
    assert outcomes((starfield,), hashes=[(1, "00" * 20)], amt_version="3.0.1")["AMT-RCFG-015"] == "fail"
    assert outcomes((starfield,), hashes=[(1, starfield.sha1)], amt_version="3.0.1")["AMT-RCFG-015"] == "pass"
    assert "AMT-RCFG-015" not in outcomes((starfield,), hashes=[(1, "00" * 20)], amt_version="2.6")


# structure


def test_missing_intermediate_fires_as_a_gap(chain):
    certificates = (chain[0], chain[2])
    check = the("AMT-RCFG-005", certificates)
    assert check.outcome == "fail"
    assert check.compared[0].text == "O=Example, CN=Example Issuing CA"
    assert outcomes(certificates)["AMT-RCFG-007"] == "unknown"


def test_leaf_alone_is_a_gap_and_no_omitted_root(chain):
    found = outcomes(chain[:1])
    assert (found["AMT-RCFG-005"], found["AMT-RCFG-007"]) == ("fail", "unknown")
    assert found["AMT-RCFG-008"] == "unknown"


def test_omitted_root_is_told_apart_from_a_gap(chain):
    found = outcomes(chain[:2])
    assert (found["AMT-RCFG-005"], found["AMT-RCFG-007"]) == ("pass", "fail")
    assert outcomes(chain)["AMT-RCFG-007"] == "pass"


@pytest.mark.parametrize("order", [(0, 2, 1), (2, 1, 0), (1, 0, 2)])
def test_wrong_order_fires_and_says_the_right_one(chain, order):
    check = the("AMT-RCFG-006", [chain[each] for each in order])
    assert check.outcome == "fail"
    assert check.compared[1].text == "provisionserver.example.com <- Example Issuing CA <- Example Root"
    assert outcomes([chain[each] for each in order])["AMT-RCFG-005"] == "pass"


def test_certificate_sent_twice_is_still_in_order(chain):
    assert outcomes((*chain, chain[2]))["AMT-RCFG-006"] == "pass"


def test_intermediate_of_the_same_name_with_another_key_does_not_verify(openssl, chain, root):
    twin = openssl.issue("/O=Example/CN=Example Issuing CA", "basicConstraints=critical,CA:TRUE", root, owner="twin")
    check = the("AMT-RCFG-008", (chain[0], twin.info, chain[2]))
    assert check.outcome == "fail"
    assert check.details[0].endswith("does not verify")
    assert check.details[1].endswith("verifies")
    assert outcomes((chain[0], twin.info, chain[1], chain[2]))["AMT-RCFG-008"] == "pass"


# name


@pytest.mark.parametrize(
    ("name", "suffix", "version", "outcome", "rule"),
    [
        ("provisionserver.example.com", "example.com", "2.2", "pass", "exact suffix"),
        ("provisionserver.example.com", "EXAMPLE.COM", "2.2", "pass", "exact suffix"),
        ("provisionserver.example.com", "example.org", "16.1", "fail", ""),
        ("provisionserver.example.com", "example.com.evil.org", "16.1", "fail", ""),
        ("provisionserver.example.com", "loc1.example.com", "2.2", "fail", ""),
        ("provisionserver.example.com", "loc1.example.com", "2.6", "pass", "last two labels"),
        ("provisionserver.example.com", "loc1.example.com", "3.0", "warn", "last two labels"),
        ("provisionserver.example.com", "loc1.example.com", "3", "warn", "last two labels"),
        ("provisionserver.example.com", "loc1.example.com", None, "unknown", "last two labels"),
        ("provisionserver.example.com", "notexample.com", "16.1", "fail", ""),
        ("provisionserver.example.org", "loc1.example.org", "2.6", "warn", "extended suffix table"),
        ("provisionserver.example.org", "loc1.example.org", "12.0", "pass", "extended suffix table"),
        ("ps.example.co.uk", "other.co.uk", "16.1", "fail", ""),
        ("ps.a.example.co.uk", "b.example.co.uk", "16.1", "pass", "extended suffix table"),
        ("*.example.com", "example.com", "2.6", "pass", "wildcard"),
        ("*.example.com", "loc1.example.com", "3.0", "pass", "wildcard"),
        ("*.example.com", "example.com", "2.2", "fail", ""),
        ("*.example.com", "badexample.com", "16.1", "fail", ""),
        ("example.org", "loc1.example.org", "16.1", "pass", "parent domain"),
        ("example.org", "example.org", "2.2", "fail", ""),
    ],
)
def test_name_against_suffix_under_the_rule_of_the_version(openssl, middle, root, name, suffix, version, outcome, rule):
    made = openssl.issue(f"/OU={MARK}/CN={name}", SERVER, middle)
    check = the("AMT-RCFG-009", (made.info, middle.info, root.info), dhcp_suffix=suffix, amt_version=version)
    assert check.outcome == outcome
    assert f"'{rule}'" in check.explanation if rule else "No rule" in check.explanation
    assert [(side.what, side.text) for side in check.compared] == [("CN", name), ("DHCP option 15", suffix)]


def test_two_labels_relied_on_is_told_only_then(chain):
    assert outcomes(chain, dhcp_suffix="loc1.example.com", amt_version="2.6")["AMT-RCFG-012"] == "pass"
    assert "AMT-RCFG-012" not in outcomes(chain, dhcp_suffix="example.com", amt_version="2.6")


def test_suffix_of_mebx_goes_before_option_15(chain):
    assert outcomes(chain, dhcp_suffix="office.local", mebx_suffix="example.com")["AMT-RCFG-009"] == "pass"
    check = the("AMT-RCFG-009", chain, dhcp_suffix="office.local", amt_version="16.1")
    assert check.outcome == "fail"
    assert "MEBx" in check.fix
    assert outcomes(chain)["AMT-RCFG-009"] == "unknown"
    assert outcomes(chain, dhcp_suffix="")["AMT-RCFG-009"] == "fail"


def test_look_alike_suffix_is_shown_in_hex(chain):
    check = the("AMT-RCFG-009", chain, dhcp_suffix="ехample.com", amt_version="16.1")  # Cyrillic е and х
    assert check.outcome == "fail"
    check = the("AMT-NET-002", chain, dhcp_suffix="example.com\0")
    assert check.outcome == "warn"
    assert check.compared[0].hex == b"example.com\0".hex()


@pytest.mark.parametrize(
    ("suffix", "outcome"),
    [("example.com", "pass"), ("example.com\0", "warn"), (" example.com", "warn"), (".example.com", "warn"),
     ("example.com,example.org", "warn"), ("ex-ample.co.uk", "pass")],
)  # fmt: skip
def test_form_of_option_15(chain, suffix, outcome):
    assert outcomes(chain, dhcp_suffix=suffix)["AMT-NET-002"] == outcome


@pytest.mark.parametrize(
    ("name", "version", "outcome"),
    [("*.example.com", "2.2", "fail"), ("*.example.com", "2.6", "pass"), ("*.example.com", "3.0", "pass"),
     ("*.example.com", None, "unknown"), ("ps.example.com", "2.2", "pass"), ("p*.example.com", "16.1", "fail")],
)  # fmt: skip
def test_wildcard_by_version(openssl, middle, root, name, version, outcome):
    made = openssl.issue(f"/OU={MARK}/CN={name}", SERVER, middle)
    assert outcomes((made.info, middle.info, root.info), amt_version=version)["AMT-RCFG-010"] == outcome


def test_certificate_without_a_name_fires(openssl, middle, root):
    made = openssl.issue(f"/OU={MARK}", SERVER + "\nsubjectAltName=DNS:ps.example.com", middle)
    check = the("AMT-RCFG-009", (made.info, middle.info, root.info), dhcp_suffix="example.com")
    assert check.outcome == "fail"
    assert "no CN" in check.explanation


# keys and algorithms


@pytest.mark.parametrize(
    ("key", "version", "outcome"),
    [("512", "2.6", "fail"), ("1024", "2.6", "pass"), ("1024", None, "warn"), ("1024", "15.0", "warn"),
     ("1024", "16.0", "fail"), ("2048", "16.0", "pass"), ("2048", "2.2", "pass"), ("3072", "5.2", "warn"),
     ("3072", "6.0", "pass"), ("EC", "16.0", "warn")],
)  # fmt: skip
def test_key_size_by_version(openssl, middle, root, key, version, outcome):
    made = openssl.issue(f"/OU={MARK}/CN=ps.example.com", SERVER, middle, key=key)
    assert outcomes((made.info, middle.info, root.info), amt_version=version)["AMT-CERT-003"] == outcome


@pytest.mark.parametrize(
    ("digest", "version", "outcome"),
    [("md5", "2.6", "fail"), ("md5", None, "fail"), ("sha1", "2.6", "pass"), ("sha1", None, "warn"),
     ("sha1", "15.0", "warn"), ("sha1", "16.0", "fail"), ("sha256", "16.0", "pass"), ("sha384", "16.0", "pass")],
)  # fmt: skip
def test_signature_algorithm_by_version(openssl, middle, root, digest, version, outcome):
    made = openssl.issue(f"/OU={MARK}/CN=ps.example.com", SERVER, middle, digest=digest)
    found = outcomes((made.info, middle.info, root.info), amt_version=version)
    assert found["AMT-CERT-004"] == outcome
    assert found["AMT-RCFG-008"] == "pass"


def test_sha1_in_the_middle_of_the_chain_is_found(openssl, root):
    cross = openssl.issue("/CN=Cross", "basicConstraints=critical,CA:TRUE", root, digest="sha1", owner="cross")
    made = openssl.issue(f"/OU={MARK}/CN=ps.example.com", SERVER, cross)
    check = the("AMT-CERT-004", (made.info, cross.info, root.info), amt_version="16.1")
    assert check.outcome == "fail"
    assert check.details == (
        "Cross: Signed with SHA-1: AMT from 16 on refuses chains with SHA-1 in them, the root included.",
    )


def test_sha2_on_early_firmware(chain):
    assert outcomes(chain, amt_version="3.2.1")["AMT-CERT-005"] == "warn"
    assert outcomes(chain, amt_version="4.0")["AMT-CERT-005"] == "pass"
    assert outcomes(chain)["AMT-CERT-005"] == "pass"


# dates and odd certificates


@pytest.mark.parametrize(
    ("at", "valid", "soon"),
    [
        ("2025-12-31T23:59:59+00:00", "fail", "pass"),
        ("2026-01-01T00:00:00+00:00", "pass", "pass"),
        ("2035-11-30T00:00:00+00:00", "pass", "pass"),
        ("2035-12-20T00:00:00+00:00", "pass", "warn"),
        ("2036-01-01T00:00:00+00:00", "pass", "warn"),
        ("2036-01-01T00:00:01+00:00", "fail", "pass"),
    ],
)
def test_dates_are_judged_at_the_time_given(chain, at, valid, soon):
    found = outcomes(chain, at_time=datetime.fromisoformat(at))
    assert (found["AMT-CERT-001"], found["AMT-CERT-002"]) == (valid, soon)


def test_without_a_time_dates_are_not_judged(chain):
    found = outcomes(chain, at_time=None)
    assert (found["AMT-CERT-001"], found["AMT-CERT-002"]) == ("unknown", "unknown")


def test_expired_intermediate_is_named(openssl, root):
    old = openssl.issue(
        "/CN=Old CA",
        "basicConstraints=critical,CA:TRUE",
        root,
        owner="old",
        start="20200101000000Z",
        end="20261231000000Z",
    )
    made = openssl.issue(f"/OU={MARK}/CN=ps.example.com", SERVER, old)
    certificates = (made.info, old.info, root.info)
    check = the("AMT-CERT-001", certificates)
    assert check.outcome == "fail"
    assert "Old CA expired 2026-12-31" in check.explanation
    assert outcomes(certificates, at_time=NOW - timedelta(days=2))["AMT-CERT-001"] == "pass"


def odd(info, old, new):
    """The certificate with some bytes replaced; its signature breaks, its shape does not."""
    assert info.der.count(old) == 1
    return read_bundle(info.der.replace(old, new)).certificates[0]


def test_date_zero_is_shown_and_never_an_exception(openssl):
    own = openssl.issue("/CN=IntelAMT", "basicConstraints=CA:FALSE")
    before = b"\x17\x0d260101000000Z"
    zero = odd(own.info, before, b"\x17\x0d000000000000Z")
    check = the("AMT-RCFG-023", (zero,))
    assert check.outcome == "warn"
    assert any("000000000000Z" in line for line in check.details)
    assert outcomes((zero,))["AMT-CERT-001"] == "unknown"
    epoch = odd(own.info, before, b"\x17\x0d700101000000Z")
    assert any("date zero: 1970-01-01" in line for line in the("AMT-RCFG-023", (epoch,)).details)
    near = odd(own.info, before, b"\x17\x0d710101000000Z")
    assert outcomes((near,))["AMT-RCFG-023"] == "pass"


def test_serial_zero_and_trailing_bytes_are_told(openssl):
    zero = openssl.issue("/CN=IntelAMT", "basicConstraints=CA:FALSE", serial="00").info
    assert the("AMT-RCFG-023", (zero,)).details == ("IntelAMT: serial number is zero",)
    own = openssl.issue("/CN=IntelAMT", "basicConstraints=CA:FALSE").info
    longer = read_bundle(own.der + b"\x00\x00\x00").certificates[0]
    check = the("AMT-RCFG-023", (longer,), hashes=[(2, own.sha256)])
    assert check.details == ("IntelAMT: 3 bytes behind the certificate",)
    assert outcomes((longer,), hashes=[(2, own.sha256)])["AMT-RCFG-003"] == "pass"


# private keys


def test_key_of_another_certificate_fires(chain, leaf, middle):
    own = read_bundle(leaf.key.read_bytes()).private_keys
    other = read_bundle(middle.key.read_bytes()).private_keys
    assert outcomes(chain, private_keys=own)["AMT-RCFG-036"] == "pass"
    check = the("AMT-RCFG-036", chain, private_keys=other)
    assert check.outcome == "fail"
    assert "that of Example Issuing CA" in check.explanation
    assert outcomes(chain, private_keys=other + own)["AMT-RCFG-036"] == "pass"
    assert outcomes(chain)["AMT-RCFG-036"] == "unknown"


def test_key_in_a_file_of_certificates_fires_and_one_apart_does_not(chain, leaf, openssl):
    plain = leaf.key.read_text()
    sealed = openssl.run("pkcs8", "-topk8", "-in", leaf.key, "-passout", "pass:secret").decode()
    together, encrypted = read_bundle((leaf.pem + plain).encode()), read_bundle((leaf.pem + sealed).encode())
    apart = read_bundle(plain.encode())
    assert outcomes(chain, private_keys=together.private_keys)["AMT-CERT-011"] == "fail"
    assert outcomes(chain, private_keys=encrypted.private_keys)["AMT-CERT-011"] == "warn"
    assert outcomes(chain, private_keys=apart.private_keys)["AMT-CERT-011"] == "pass"


def test_no_certificate_at_all_is_one_failure():
    assert [(check.id, check.outcome) for check in check_chain(())] == [("AMT-RCFG-005", "fail")]
