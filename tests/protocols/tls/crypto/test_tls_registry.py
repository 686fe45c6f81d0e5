"""Names and parameters of code points."""

from __future__ import annotations

import oracle
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amtdecode.protocols.tls import registry
from amtdecode.protocols.tls.registry import Suite, suite_parameters
from amtdecode.protocols.tls.registry.suites import SUITES, UNREGISTERED_SUITES


def test_names():
    assert registry.name_of_suite(0x008C) == "TLS_PSK_WITH_AES_128_CBC_SHA"
    assert registry.name_of_suite(0xC02F) == "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
    assert registry.name_of_suite(0x1A1A) == "GREASE (0x1a1a)"
    assert registry.name_of_suite(0x1A2A) == "unknown (0x1a2a)"
    assert registry.name_of_version(0x0301) == "TLS 1.0"
    assert registry.name_of_version(0x7F14) == "TLS 1.3 (draft 20)"
    assert registry.name_of_group(23) == "secp256r1"
    assert registry.name_of_signature_scheme(0x0401) == "rsa_pkcs1_sha256"
    assert registry.name_of_signature_scheme(0x0101) == "md5_rsa"
    assert registry.name_of_extension(22) == "encrypt_then_mac"
    assert registry.name_of_extension(0xFF01) == "renegotiation_info"
    assert registry.name_of_alert(48) == "unknown_ca"
    assert registry.name_of_alert(115) == "unknown_psk_identity"
    assert registry.name_of_alert_level(2) == "fatal"
    assert registry.name_of_handshake(16) == "ClientKeyExchange"
    assert registry.name_of_content_type(21) == "alert"
    assert registry.name_of_ssl2_cipher(0x010080) == "SSL_CK_RC4_128_WITH_MD5"
    assert registry.name_of_ssl2_cipher(0x00002F) == "TLS_RSA_WITH_AES_128_CBC_SHA"


@pytest.mark.parametrize(
    ("code", "parameters"),
    [
        (0x0004, ("RSA", "RSA", "RC4", "", 16, 0, "md5", 16, "sha256", False)),
        (0x000A, ("RSA", "RSA", "3DES", "CBC", 24, 8, "sha1", 20, "sha256", False)),
        (0x002C, ("PSK", "PSK", "NULL", "", 0, 0, "sha1", 20, "sha256", False)),
        (0x002F, ("RSA", "RSA", "AES", "CBC", 16, 16, "sha1", 20, "sha256", False)),
        (0x0034, ("DHE", "anonymous", "AES", "CBC", 16, 16, "sha1", 20, "sha256", False)),
        (0x0084, ("RSA", "RSA", "CAMELLIA", "CBC", 32, 16, "sha1", 20, "sha256", False)),
        (0x008C, ("PSK", "PSK", "AES", "CBC", 16, 16, "sha1", 20, "sha256", False)),
        (0x0090, ("DHE_PSK", "PSK", "AES", "CBC", 16, 16, "sha1", 20, "sha256", False)),
        (0x0095, ("RSA_PSK", "RSA", "AES", "CBC", 32, 16, "sha1", 20, "sha256", False)),
        (0x009D, ("RSA", "RSA", "AES", "GCM", 32, 0, "", 0, "sha384", False)),
        (0x00AF, ("PSK", "PSK", "AES", "CBC", 32, 16, "sha384", 48, "sha384", False)),
        (0xC00A, ("ECDHE", "ECDSA", "AES", "CBC", 32, 16, "sha1", 20, "sha256", False)),
        (0xC0A4, ("PSK", "PSK", "AES", "CCM", 16, 0, "", 0, "sha256", False)),
        (0xC0A8, ("PSK", "PSK", "AES", "CCM_8", 16, 0, "", 0, "sha256", False)),
        (0xC0AA, ("DHE_PSK", "PSK", "AES", "CCM_8", 16, 0, "", 0, "sha256", False)),
        (0xCCA8, ("ECDHE", "RSA", "CHACHA20", "POLY1305", 32, 0, "", 0, "sha256", False)),
        (0x1302, ("", "", "AES", "GCM", 32, 0, "", 0, "sha384", True)),
        (0x1305, ("", "", "AES", "CCM_8", 16, 0, "", 0, "sha256", True)),
    ],
)
def test_parameters(code, parameters):
    assert suite_parameters(code) == Suite(code, SUITES[code], *parameters)


def test_signalling_and_unknown_suites_have_no_parameters():
    for code in (0x0000, 0x00FF, 0x5600, 0x0A0A, 0xABCD):
        assert suite_parameters(code) is None


def test_every_suite_says_how_keys_are_exchanged_and_what_encrypts():
    for code in (SUITES | UNREGISTERED_SUITES).keys() - {0x0000, 0x00FF, 0x5600}:
        parameters = suite_parameters(code)
        assert parameters is not None
        assert parameters.tls13 == (parameters.key_exchange == "")
        assert parameters.cipher
        assert parameters.aead <= (parameters.mac == "")


@given(st.integers(0, 0xFFFFFF))
def test_every_code_has_a_name(code):
    for name in registry.__all__:
        if name.startswith("name_of_"):
            assert getattr(registry, name)(code)


@pytest.fixture(scope="module")
def tshark_values(tshark):
    return oracle.run([tshark, "-G", "values"], text=True, check=True).stdout.splitlines()


@pytest.mark.parametrize(
    ("field", "function"),
    [
        ("tls.handshake.ciphersuite", registry.name_of_suite),
        ("tls.handshake.extensions_supported_group", registry.name_of_group),
        ("tls.handshake.sig_hash_alg", registry.name_of_signature_scheme),
        ("tls.handshake.extensions.supported_version", registry.name_of_version),
    ],
)
def test_names_agree_with_tshark(tshark_values, field, function):
    compared = 0
    for line in tshark_values:
        parts = line.split("\t")
        if parts[:2] != ["V", field] or parts[3] == "Reserved (GREASE)":
            continue
        code = int(parts[2], 0)
        if field.endswith("group") and 0x0200 <= code < 0x0300:  # experiments of old where IANA has ML-KEM now
            continue
        name = function(code)
        if not name.startswith("unknown"):  # national and experimental code points outside IANA's registries
            assert name == parts[3]
            compared += 1
    assert compared > 15
