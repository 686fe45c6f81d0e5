"""Known answers of the pseudo-random functions and of what is derived with them."""

from __future__ import annotations

import hashlib
import hmac
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amtdecode.protocols.tls import crypto
from amtdecode.protocols.tls.crypto import primitives
from amtdecode.protocols.tls.crypto.hashes import new_hash
from amtdecode.protocols.tls.crypto.prf import (
    hkdf_expand_label,
    hkdf_extract,
    keyed_hashes,
    p_hash,
    ssl3_prf,
    tls10_prf,
    tls12_prf,
)
from amtdecode.protocols.tls.crypto.schedule import key_block

unhex = bytes.fromhex


def test_tls10_prf_nist():
    """NIST CAVS test vector of the TLS 1.0/1.1 KDF (SP 800-135)."""
    secret = unhex("bded7fa5c1699c010be23dd06ada3a48349f21e5f86263d512c0c5cc379f0e780ec55d9844b2f1db02a96453513568d0")
    client = unhex("e5acaf549cd25c22d964c0d930fa4b5261d2507fad84c33715b7b9a864020693")
    server = unhex("135e4d557fdf3aa6406d82975d5c606a9734c9334b42136e96990fbd5358cdb2")
    master = unhex("2f6962dfbc744c4b2138bb6b3d33054c5ecc14f24851d9896395a44ab3964efc2090c5bf51a0891209f46c1e1e998f62")
    assert tls10_prf(secret, b"master secret", client + server, 48) == master
    assert crypto.master_secret(0x0301, 0x002F, secret, client, server) == master
    assert crypto.master_secret(0x0302, 0x002F, secret, client, server) == master


def test_tls12_prf_sha256():
    """The P_SHA256 vector the TLS working group's list circulates for RFC 5246."""
    output = tls12_prf(
        "sha256",
        unhex("9bbe436ba940f017b17652849a71db35"),
        b"test label",
        unhex("a0ba9f936cda311827a6f796ffd5198c"),
        100,
    )
    assert output == unhex(
        "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e14baf9af0fa022f7"
        "077def17abfd3797c0564bab4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff70187347b66"
    )


def test_tls12_prf_sha384():
    """The same for P_SHA384."""
    output = tls12_prf(
        "sha384",
        unhex("b80b733d6ceefcdc71566ea48e5567df"),
        b"test label",
        unhex("cd665cf6a8447dd6ff8b27555edb7465"),
        148,
    )
    assert output == unhex(
        "7b0c18e9ced410ed1804f2cfa34a336a1c14dffb4900bb5fd7942107e81c83cde9ca0faa60be9fe34f82b1233c9146a0e534cb40"
        "0fed2700884f9dc236f80edd8bfa961144c9e8d792eca722a7b32fc3d416d473ebc2c5fd4abfdad05d9184259b5bf8cd4d90fa0d"
        "31e2dec479e4f1a26066f2eea9a69236a3e52655c9e9aee691c8f3a26854308d5eaa3be85e0990703d73e56f"
    )


def test_ssl3_expansion():
    """Written out from RFC 6101, sections 6.1 and 6.2.2, with hashlib (no published vector is known)."""
    secret, client, server = bytes(range(48)), b"c" * 32, b"s" * 32

    def block(letters, seed):
        return hashlib.md5(secret + hashlib.sha1(letters + secret + seed).digest()).digest()

    seed = client + server
    assert ssl3_prf(secret, seed, 48) == block(b"A", seed) + block(b"BB", seed) + block(b"CCC", seed)
    assert crypto.master_secret(0x0300, 0x0005, secret, client, server) == ssl3_prf(secret, seed, 48)
    seed = server + client
    expected = b"".join(block(bytes([0x41 + n]) * (n + 1), seed) for n in range(7))
    assert key_block(0x0300, 0x0005, secret, client, server, 104) == expected[:104]


def test_hkdf_rfc5869():
    """RFC 5869, test case 1, of which TLS 1.3 uses the extraction."""
    assert hkdf_extract("sha256", unhex("000102030405060708090a0b0c"), b"\x0b" * 22) == unhex(
        "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5"
    )


def test_tls13_key_schedule_rfc8448():
    """RFC 8448, section 3: simple 1-RTT handshake."""
    shared = unhex("8bd4054fb55b9d63fdfbacf9f04b9f0d35e6d63f537563efd46272900f89492d")
    hello_hash = unhex("860c06edc07858ee8e78f0e7428c58edd6b43f2ca3e6e95f02ed063cf0e1cad8")
    secrets = crypto.handshake_secrets(0x1301, hello_hash, shared=shared)
    assert secrets.client == unhex("b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21")
    assert secrets.server == unhex("b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38")
    assert secrets.master == unhex("18df06843d13a08bf2a449844c5f8a478001bc4d4c627984d5a41da8d0402919")
    key = hkdf_expand_label("sha256", secrets.server, b"key", b"", 16)
    assert key == unhex("3fce516009c21727d0f2e4e86ee403bc")
    assert hkdf_expand_label("sha256", secrets.server, b"iv", b"", 12) == unhex("5d313eb2671276ee13000b30")
    finished_hash = unhex("9608102a0f1ccc6db6250b7b7e417b1a000eaada3daae4777a7686c9ff83df13")
    application = crypto.application_secrets(0x1301, secrets.master, finished_hash)
    assert application.client == unhex("9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5")
    assert application.server == unhex("a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643")


def test_psk_premaster_of_the_documented_pair():
    """Intel's documented PPS; layout of RFC 4279, section 2."""
    pps = b"NKLDG5DCRRNQE9YZZIJL7LFLVJED69XJ"
    assert crypto.psk_premaster(pps) == unhex("0020" + "00" * 32 + "0020" + pps.hex())
    other = b"\x03\x01" + bytes(46)
    assert crypto.psk_premaster(b"abc", other) == b"\x00\x30" + other + b"\x00\x03abc"


def test_psk_only_schedule_and_binder():
    """TLS 1.3 with a PSK alone, written out from RFC 8446, section 7.1, with hmac."""
    psk, digest, empty = b"k" * 32, b"h" * 32, hashlib.sha256().digest()

    def expand(secret, label, context, size=32):
        label = b"tls13 " + label
        info = bytes([0, size, len(label)]) + label + bytes([len(context)]) + context
        return hmac.new(secret, info + b"\1", "sha256").digest()[:size]

    def extract(salt, material):
        return hmac.new(salt, material, "sha256").digest()

    early = extract(bytes(32), psk)
    handshake = extract(expand(early, b"derived", empty), bytes(32))
    secrets = crypto.handshake_secrets(0x1301, digest, psk=psk)
    assert secrets.client == expand(handshake, b"c hs traffic", digest)
    assert secrets.server == expand(handshake, b"s hs traffic", digest)
    assert secrets.master == extract(expand(handshake, b"derived", empty), bytes(32))
    assert crypto.early_traffic_secret(0x1301, psk, digest) == expand(early, b"c e traffic", digest)
    binder_key = expand(expand(early, b"ext binder", empty), b"finished", b"")
    assert crypto.psk_binder("sha256", psk, digest) == hmac.new(binder_key, digest, "sha256").digest()
    assert crypto.psk_binder("sha256", psk, digest, resumption=True) != crypto.psk_binder("sha256", psk, digest)


@given(st.sampled_from(["md5", "sha1", "sha256", "sha384"]), st.binary(max_size=200), st.binary(max_size=200))
def test_keyed_hashes_are_hmac(name, key, message):
    inner, outer = keyed_hashes(name, key)
    inner.update(message)
    outer.update(inner.finalize())
    assert outer.finalize() == hmac.new(key, message, name).digest()


@pytest.mark.parametrize("name", ["md5", "sha1", "sha256", "sha384"])
def test_a_hash_that_a_policy_refuses_is_hashlibs(monkeypatch, name):
    monkeypatch.setattr(primitives, "running_hash", lambda _: None)
    running = new_hash(name, b"one")
    branch = running.copy()
    branch.update(b"two")
    assert (running.finalize(), branch.finalize()) == (
        hashlib.new(name, b"one").digest(),
        hashlib.new(name, b"onetwo").digest(),
    )


@given(st.sampled_from(["md5", "sha1", "sha256", "sha384"]), st.binary(max_size=80), st.binary(), st.integers(0, 300))
def test_p_hash_is_that_of_rfc5246(name, secret, seed, size):
    output, step = b"", seed
    while len(output) < size:
        step = hmac.new(secret, step, name).digest()
        output += hmac.new(secret, step + seed, name).digest()
    assert p_hash(name, secret, seed, size) == output[:size]


@pytest.mark.parametrize("size", [47, 48, 68, 1])
def test_tls10_prf_agrees_with_openssl(size):
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl command")
    secret, seed = bytes(range(1, size + 1)), b"extended master secret" + b"x" * 36
    options = ["digest:MD5-SHA1", f"hexsecret:{secret.hex()}", f"hexseed:{seed.hex()}"]
    done = subprocess.run(
        [openssl, "kdf", "-binary", "-keylen", "99", *(f"-kdfopt={option}" for option in options), "TLS1-PRF"],
        capture_output=True,
        check=False,
    )
    if done.returncode:
        pytest.skip("this openssl has no kdf command")
    assert tls10_prf(secret, b"", seed, 99) == done.stdout
    assert crypto.extended_master_secret(0x0301, 0x008C, secret, b"x" * 36) == done.stdout[:48]
