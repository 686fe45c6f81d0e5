"""Certificates, broken and odd ones included, are shown as far as they go."""

from __future__ import annotations

import pytest
from asn1crypto.x509 import Certificate as Asn1Certificate
from hypothesis import given, settings
from hypothesis import strategies as st
from issuing import issue
from tls_driver import Feeder, context, message, record

from amtdecode.model import TO_CLIENT, TO_SERVER, Malformed, Note
from amtdecode.protocols.tls.certificates import (
    SETUP_UNIT,
    chain_faults,
    chain_fields,
    read_certificate,
    read_name,
)

SHA256_RSA, MD5_RSA = bytes.fromhex("2a864886f70d01010b"), bytes.fromhex("2a864886f70d010104")


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificates")
    root = issue(folder, "Root", ca=True)
    middle = issue(folder, "Middle", root, ca=True)
    return issue(folder, "provisionserver.example.com", middle, setup=True), middle, root


@pytest.fixture(scope="module")
def setup(chain):
    return chain[0].der


def with_serial(der, serial):
    certificate = Asn1Certificate.load(der)
    certificate["tbs_certificate"]["serial_number"] = serial
    return certificate.dump(force=True)


def the_rest_is_there(info):
    assert info.subject.endswith(f"OU={SETUP_UNIT}, CN=provisionserver.example.com")
    assert info.units == ("Provisioning", SETUP_UNIT)
    assert (info.issuer, info.key) == ("O=Test, CN=Middle", "RSA 2048")
    assert info.purposes[2] == "2.16.840.1.113741.1.2.3"
    assert info.alternative_names == ("dns:provisionserver.example.com",)


def test_a_date_of_zero(setup):
    info = read_certificate(setup.replace(b"200101000000Z", b"000000000000Z"))
    the_rest_is_there(info)
    assert (info.not_before, info.not_after) == ("", "2060-01-01T00:00:00Z")
    assert any("notBefore" in fault for fault in info.faults)


def test_a_serial_number_of_zero(setup):
    info = read_certificate(with_serial(setup, 0))
    the_rest_is_there(info)
    assert (info.serial, info.serial_hex) == (0, "00")
    assert "serial number is zero" in info.oddities
    assert read_certificate(with_serial(setup, -5)).serial_hex == "-05"


def test_bytes_behind_the_certificate(setup):
    info = read_certificate(setup + b"behind!")
    the_rest_is_there(info)
    assert (info.faults, info.oddities) == ((), ("7 bytes behind the certificate",))
    assert info.size == len(setup)


def test_md5(setup):
    info = read_certificate(setup.replace(SHA256_RSA, MD5_RSA))
    the_rest_is_there(info)
    assert (info.signature_algorithm, info.signature_hash) == ("md5WithRSAEncryption", "md5")
    assert info.oddities == ("signed with MD5, which can be forged",)


def test_a_cut_certificate_shows_what_came(setup):
    for size in range(len(setup)):
        info = read_certificate(setup[:size])
        assert info.faults
        assert SETUP_UNIT in info.units or size < 250
    assert read_certificate(setup[: len(setup) - 5]).key == "RSA 2048"
    assert read_certificate(b"").faults == ("is not a DER certificate",)
    assert read_certificate(b"no certificate at all").faults == ("is not a DER certificate",)


@settings(max_examples=150)
@given(st.data())
def test_damaged_certificates_never_raise(setup, data):
    damaged = bytearray(setup)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    info = read_certificate(bytes(damaged))
    assert len(info.sha256) == 64
    assert all(isinstance(text, str) for text in (info.subject, info.issuer, info.key, info.not_before, *info.units))


def test_chains_out_of_order_with_gaps_or_without_a_root(chain):
    leaf, middle, root = (read_certificate(one.der) for one in chain)
    assert chain_faults((leaf, middle, root)) == ()
    assert chain_faults((root,)) == ()
    assert chain_faults((leaf, root, middle)) == (
        "out of order: certificate 3, not 2, issued certificate 1",
        "certificate 3 follows a self-issued one",
    )
    assert chain_faults((leaf, root)) == ("gap: the issuer of certificate 1 (O=Test, CN=Middle) is not in the chain",)
    assert chain_faults((leaf, middle)) == ("no root: it ends with a certificate issued by O=Test, CN=Root",)
    assert chain_faults((leaf, leaf, middle, root)) == ("certificate 2 is the same as the one before it",)


def test_fields_of_a_chain_have_one_entry_a_certificate(chain):
    lists = chain_fields([read_certificate(one.der) for one in chain])
    assert {len(value) for value in lists.values()} == {3}
    assert lists["iamt.tls.certificate.ou"] == [f"Provisioning; {SETUP_UNIT}", "", ""]
    assert lists["iamt.tls.certificate.eku"][0] == "serverAuth; clientAuth; Intel AMT setup (2.16.840.1.113741.1.2.3)"
    assert lists["iamt.tls.certificate.self_issued"] == [False, False, True]
    assert lists["iamt.tls.certificate.ca"] == ["false", "true", "true"]


def test_a_dissected_chain_tells_what_is_broken_and_what_is_odd(setup, chain):
    feeder = Feeder(context())
    hello = message(1, b"\x03\x01" + bytes(32) + b"\0" + b"\0\x02\0\x2f" + b"\x01\0")
    feeder.data(TO_SERVER, record(22, hello))
    zero = setup.replace(b"200101000000Z", b"000000000000Z")
    entries = b"".join(len(der).to_bytes(3, "big") + der for der in (zero, setup + b"!", chain[1].der))
    body = message(11, len(entries).to_bytes(3, "big") + entries)
    feeder.data(TO_CLIENT, record(22, message(2, b"\x03\x01" + bytes(32) + b"\0\0\x2f\0")) + record(22, body))
    broken = [event.reason for event in feeder.events if isinstance(event, Malformed)]
    odd = [event.what for event in feeder.events if isinstance(event, Note)]
    assert len(broken) == 1
    assert broken[0].startswith("certificate 1 of the server: ")
    assert "certificate 2 of the server: 1 byte behind the certificate" in odd
    assert any(what.startswith("certificate chain of the server: ") for what in odd)


def test_names_are_escaped_and_bad_ones_kept(chain):
    name = chain[2].certificate.subject.public_bytes()
    assert read_name(name) == "O=Test, CN=Root"
    assert read_name(name[:-3]) == name[:-3].hex()
