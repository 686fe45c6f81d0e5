"""Every kind of record protection against the primitives of the cryptography package, and against forgery."""

from __future__ import annotations

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tls_seal import Sealer, seal13

from amtdecode.protocols.tls import crypto
from amtdecode.protocols.tls.crypto.prf import hkdf_expand_label
from amtdecode.protocols.tls.registry import suite_parameters
from amtdecode.protocols.tls.registry.suites import SUITES

MASTER, CLIENT_RANDOM, SERVER_RANDOM = b"m" * 48, b"c" * 32, b"s" * 32
SESSION = (MASTER, CLIENT_RANDOM, SERVER_RANDOM)
SSL3, TLS10, TLS11, TLS12 = 0x0300, 0x0301, 0x0302, 0x0303
MESSAGES = [(22, b"\x14\0\0\x0c" + b"f" * 12), (23, b""), (23, b"x"), (21, b"\1\0"), (23, bytes(range(256)) * 64)]

BLOCK_SUITES = [
    0x0007,  # IDEA
    0x0009,  # DES
    0x000A,  # 3DES
    0x002F,  # AES-128
    0x0035,  # AES-256
    0x0041,  # CAMELLIA-128
    0x0084,  # CAMELLIA-256
    0x0096,  # SEED
    0x008B,  # PSK, 3DES
    0x008C,  # PSK, AES-128
]
STREAM_SUITES = [0x0001, 0x0002, 0x0004, 0x0005, 0x002C, 0x008A]
TLS12_SUITES = [
    0x003B,  # NULL, SHA-256
    0x003C,  # AES-128-CBC, SHA-256
    0x00AF,  # PSK, AES-256-CBC, SHA-384
    0x009C,  # AES-128-GCM
    0x009D,  # AES-256-GCM, SHA-384
    0xC09C,  # AES-128-CCM
    0xC0A1,  # AES-256-CCM-8
    0xC0A8,  # PSK, AES-128-CCM-8
    0xCCA8,  # ChaCha20-Poly1305
    0xCCAB,  # PSK, ChaCha20-Poly1305
]
CASES = (
    [(version, suite, False) for version in (SSL3, TLS10, TLS11, TLS12) for suite in BLOCK_SUITES + STREAM_SUITES]
    + [(version, suite, True) for version in (TLS10, TLS11, TLS12) for suite in BLOCK_SUITES]
    + [(TLS12, suite, False) for suite in TLS12_SUITES]
    + [(TLS12, suite, True) for suite in (0x003C, 0x00AF)]
)


def name_of(case):
    version, suite, etm = case
    return f"{version:04x}-{SUITES[suite]}{'-etm' if etm else ''}"


def pair(version, suite, *, etm=False, truncated=False):
    ciphers = crypto.open_ciphers(version, suite, *SESSION, encrypt_then_mac=etm, truncated_hmac=truncated)
    assert ciphers is not None
    return [
        (cipher, Sealer(version, suite, *SESSION, side, etm=etm, truncated=truncated))
        for side, cipher in enumerate(ciphers)
    ]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_records_open(case):
    version, suite, etm = case
    for cipher, sealer in pair(version, suite, etm=etm):
        for kind, data in MESSAGES:
            assert cipher.open(kind, version, sealer.seal(kind, data)) == (kind, data)
        assert cipher.sequence == len(MESSAGES)


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_what_was_tampered_with_does_not_open(case):
    version, suite, etm = case
    data = b"POST /wsman HTTP/1.1"
    sealed = Sealer(version, suite, *SESSION, 0, etm=etm).seal(23, data)

    def opened(kind, record_version, fragment, sequence=0):
        cipher, _ = crypto.open_ciphers(version, suite, *SESSION, encrypt_then_mac=etm)
        cipher.sequence = sequence
        return cipher.open(kind, record_version, fragment)

    assert opened(23, version, sealed) == (23, data)
    assert opened(22, version, sealed) is None
    assert opened(23, version, sealed, sequence=1) is None
    if version != SSL3:  # whose MAC leaves the version out
        assert opened(23, version ^ 1, sealed) is None
    for size in range(len(sealed)):
        assert opened(23, version, sealed[:size]) is None
    parameters = suite_parameters(suite)
    padding = range(len(sealed) - parameters.block_size, len(sealed) - 1)
    for at in range(len(sealed)):
        forged = bytearray(sealed)
        forged[at] ^= 0x40
        if version == SSL3 and at in padding:
            continue  # any padding will do there
        assert opened(23, version, bytes(forged)) is None, at


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_another_master_secret_opens_nothing(case):
    version, suite, etm = case
    other = crypto.open_ciphers(version, suite, b"M" + MASTER[1:], *SESSION[1:], encrypt_then_mac=etm)
    for side in (0, 1):
        sealer = Sealer(version, suite, *SESSION, side, etm=etm)
        assert [other[side].open(kind, version, sealer.seal(kind, data)) for kind, data in MESSAGES] == [None] * 5
    client, server = crypto.open_ciphers(version, suite, *SESSION, encrypt_then_mac=etm)
    assert server.open(23, version, Sealer(version, suite, *SESSION, 0, etm=etm).seal(23, b"client's")) is None
    assert client.open(23, version, Sealer(version, suite, *SESSION, 1, etm=etm).seal(23, b"server's")) is None


@pytest.mark.parametrize("version", [TLS10, TLS11, TLS12])
@pytest.mark.parametrize("etm", [False, True])
@pytest.mark.parametrize("blocks", [0, 1, 14])
def test_padding_may_be_longer_than_needed(version, etm, blocks):
    for cipher, sealer in pair(version, 0x008C, etm=etm):
        assert cipher.open(23, version, sealer.seal(23, b"hidden length", blocks)) == (23, b"hidden length")


def test_padding_longer_than_a_block_is_refused_in_ssl3():
    (cipher, sealer), _ = pair(SSL3, 0x002F)
    assert cipher.open(23, SSL3, sealer.seal(23, b"data", 1)) is None


@pytest.mark.parametrize("suite", [0x002F, 0x003C, 0x0005, 0x0002])
@pytest.mark.parametrize("etm", [False, True])
def test_truncated_hmac(suite, etm):
    if etm and not suite_parameters(suite).block_size:
        return
    for cipher, sealer in pair(TLS12, suite, etm=etm, truncated=True):
        for kind, data in MESSAGES:
            assert cipher.open(kind, TLS12, sealer.seal(kind, data)) == (kind, data)


def test_encrypt_then_mac_changes_nothing_for_suites_without_blocks():
    for suite in (0x0005, 0x002C, 0x009C, 0xCCA8):
        cipher, _ = crypto.open_ciphers(TLS12, suite, *SESSION, encrypt_then_mac=True)
        assert cipher.open(23, TLS12, Sealer(TLS12, suite, *SESSION, 0).seal(23, b"data")) == (23, b"data")


def test_suites_that_cannot_be_opened_say_so():
    for suite in (0x0000, 0x0003, 0x0006, 0x00FF, 0x1301, 0xC100, 0xC0B4, 0xCC13, 0x0A0A, 0xBEEF):
        assert crypto.open_ciphers(TLS12, suite, *SESSION) is None
    assert crypto.supported(0x1301)
    for suite in (0x0000, 0x0003, 0x0006, 0x00FF, 0xC100, 0xC0B4, 0xCC13, 0x0A0A, 0xBEEF):
        assert not crypto.supported(suite)
    assert all(
        (crypto.open_ciphers(TLS12, s, *SESSION) is not None) == crypto.supported(s) for s in SUITES if s >> 8 != 0x13
    )


@pytest.mark.parametrize("case", CASES, ids=name_of)
@pytest.mark.parametrize("lost", [1, 30])
def test_records_open_again_after_some_were_lost(case, lost):
    version, suite, etm = case
    (cipher, sealer), _ = pair(version, suite, etm=etm)
    assert cipher.open(22, version, sealer.seal(22, b"before")) == (22, b"before")
    gap = sum(5 + len(sealer.seal(23, b"lost" * number)) for number in range(lost))
    resumed = crypto.ResumedCipher(cipher, gap)
    after = [resumed.open(23, version, sealer.seal(23, b"after %d" % number)) for number in range(20)]
    known = [(23, b"after %d" % number) for number in range(20)]
    if suite_parameters(suite).cipher == "RC4":
        assert after == [None] * 20
        assert not resumed.adrift
        return
    chained = version <= TLS10 and suite_parameters(suite).block_size
    assert after == ([None, *known[1:]] if chained else known)
    assert not resumed.adrift
    forged = bytearray(sealer.seal(23, b"forged"))
    forged[-1] ^= 0x40
    assert resumed.open(23, version, bytes(forged)) is None


def test_no_place_is_found_where_there_is_none():
    for case in CASES:
        version, suite, etm = case
        cipher, _ = crypto.open_ciphers(version, suite, *SESSION, encrypt_then_mac=etm)
        resumed = crypto.ResumedCipher(cipher, 500)
        sealer = Sealer(version, suite, b"M" * 48, *SESSION[1:], 0, etm=etm)
        assert [resumed.open(23, version, sealer.seal(23, b"another key")) for _ in range(10)] == [None] * 10
        assert not resumed.adrift


@given(st.data())
def test_no_mutation_opens_and_none_raises(data):
    version, suite, etm = data.draw(st.sampled_from(CASES))
    content = data.draw(st.binary(max_size=100))
    sealed = Sealer(version, suite, *SESSION, 0, etm=etm).seal(23, content)
    at = data.draw(st.integers(0, len(sealed)))
    removed = data.draw(st.integers(0, 40))
    forged = sealed[:at] + data.draw(st.binary(max_size=40)) + sealed[at + removed :]
    cipher, _ = crypto.open_ciphers(version, suite, *SESSION, encrypt_then_mac=etm)
    answer = cipher.open(23, version, forged)
    # SSL 3.0 checks no padding, so that what is forged there may open, to the same content
    assert answer is None or (answer == (23, content) and (forged == sealed or version == SSL3))


@given(st.data(), st.binary(max_size=300))
def test_noise_never_opens(data, noise):
    version, suite, etm = data.draw(st.sampled_from(CASES))
    cipher, _ = crypto.open_ciphers(version, suite, *SESSION, encrypt_then_mac=etm)
    assert cipher.open(data.draw(st.integers(0, 255)), data.draw(st.integers(0, 0xFFFF)), noise) is None
    assert cipher.sequence == 0


TLS13_SUITES = [0x1301, 0x1302, 0x1303, 0x1304, 0x1305]


def keys13(suite, secret):
    p = suite_parameters(suite)
    return hkdf_expand_label(p.prf, secret, b"key", b"", p.key_size), hkdf_expand_label(p.prf, secret, b"iv", b"", 12)


@pytest.mark.parametrize("suite", TLS13_SUITES, ids=SUITES.get)
def test_tls13_records_and_key_update(suite):
    secret = b"t" * (48 if suite == 0x1302 else 32)
    cipher = crypto.Tls13Cipher(suite, secret)
    for _generation in range(3):
        key, iv = keys13(suite, secret)
        for sequence, (kind, content) in enumerate(MESSAGES):
            sealed = seal13(suite, key, iv, sequence, kind, content, padding=sequence * 5)
            assert cipher.open(22, 0x0303, sealed) is None  # the record header is authenticated
            assert cipher.open(23, 0x0303, sealed) == (kind, content)
            assert cipher.open(23, 0x0303, sealed) is None  # nor does it open twice
        prf = suite_parameters(suite).prf
        info = bytes([0, len(secret), 17]) + b"tls13 traffic upd" + b"\0\1"
        secret = hmac.new(secret, info, prf).digest()
        cipher.update()


@pytest.mark.parametrize("suite", TLS13_SUITES, ids=SUITES.get)
def test_tls13_records_open_again_after_some_were_lost(suite):
    secret = b"t" * 32
    key, iv = keys13(suite, secret)
    resumed = crypto.ResumedCipher(crypto.Tls13Cipher(suite, secret), 1000)
    for sequence in (30, 31, 32):
        assert resumed.open(23, 0x0303, seal13(suite, key, iv, sequence, 23, b"after")) == (23, b"after")
    assert resumed.open(23, 0x0303, seal13(suite, key, iv, 34, 23, b"after")) is None


@pytest.mark.parametrize("suite", TLS13_SUITES, ids=SUITES.get)
def test_tls13_record_of_zeros_alone_has_no_type(suite):
    secret = b"t" * 32
    key, iv = keys13(suite, secret)
    cipher = crypto.Tls13Cipher(suite, secret)
    assert cipher.open(23, 0x0303, seal13(suite, key, iv, 0, 0, b"", padding=30)) is None
    assert cipher.open(23, 0x0303, seal13(suite, key, iv, 0, 23, b"still")) == (23, b"still")


@given(st.sampled_from(TLS13_SUITES), st.binary(max_size=80), st.integers(0, 200), st.binary(max_size=20))
def test_tls13_no_mutation_opens(suite, content, at, change):
    secret = b"t" * 32
    key, iv = keys13(suite, secret)
    sealed = seal13(suite, key, iv, 0, 23, content)
    forged = sealed[:at] + change + sealed[at + len(change) :]
    answer = crypto.Tls13Cipher(suite, secret).open(23, 0x0303, forged)
    assert answer == ((23, content) if forged == sealed else None)


def test_tls13_suite_that_is_none_opens_nothing():
    for suite in (0x002F, 0x1306, 0xC0B4, 0xBEEF):
        cipher = crypto.Tls13Cipher(suite, b"t" * 32)
        cipher.update()
        assert cipher.open(23, 0x0303, bytes(100)) is None
