"""A file that wants its password hashed without end is refused before it is opened."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from hypothesis import given
from hypothesis import strategies as st

from amtdecode.artifacts.certificates import read_bundle
from amtdecode.errors import KeyFileError
from amtdecode.secrets import Keys
from amtdecode.secrets.rounds import MAX_ROUNDS, wants_too_much

KEY = rsa.generate_private_key(65537, 1024)
FEW = 0x010203  # rounds that stand out in the bytes
MANY = b"\x02\x03\x7f\xff\xff"  # 8,388,607: allowed
ENDLESS = b"\x02\x04\x7f\xff\xff\xff"


def sealed():
    encryption = form.PrivateFormat.PKCS12.encryption_builder().kdf_rounds(FEW).hmac_hash(hashes.SHA256())
    encryption = encryption.key_cert_algorithm(pkcs12.PBES.PBESv2SHA256AndAES256CBC)
    return pkcs12.serialize_key_and_certificates(b"x", KEY, None, None, encryption.build(b"secret"))


def test_the_number_is_found_wherever_it_stands():
    data = sealed()
    assert not wants_too_much(data)
    salt = b"\x04\x08saltsalt"
    for inner in (salt + ENDLESS, b"\x30\x10" + salt + ENDLESS):
        carried = b"\x30" + bytes([len(inner)]) + inner
        for wrapped in (inner, b"\x30\x80" + inner + b"\0\0", b"\x04" + bytes([len(carried)]) + carried):
            assert wants_too_much(b"\x30\x80" + wrapped + b"\0\0\0\0")
    assert wants_too_much(b"\x24\x0a" + salt + ENDLESS)  # a salt in parts, and a whole file in two
    whole = b"\x30" + bytes([len(salt + ENDLESS)]) + salt + ENDLESS
    assert wants_too_much(b"\x24\x80\x04\x06" + whole[:6] + b"\x04" + bytes([len(whole) - 6]) + whole[6:] + b"\0\0")
    assert not wants_too_much(salt + MANY)
    assert not wants_too_much(ENDLESS)  # a serial number, say: no salt before it


@pytest.mark.parametrize("kind", ["pfx", "der", "pem"])
def test_readers_refuse_it(tmp_path, monkeypatch, kind):
    if kind == "pfx":
        data = sealed()
    else:
        encoding = form.Encoding.PEM if kind == "pem" else form.Encoding.DER
        data = KEY.private_bytes(encoding, form.PrivateFormat.PKCS8, form.BestAvailableEncryption(b"secret"))
    (tmp_path / "key").write_bytes(data)
    option = f"{tmp_path}/key:secret"
    assert len(Keys.load(rsa_keys=[option]).rsa_keys(None)) == 1
    monkeypatch.setattr("amtdecode.secrets.rounds.MAX_ROUNDS", 1000)
    with pytest.raises(KeyFileError, match=f"hashed more than {MAX_ROUNDS} times"):
        Keys.load(rsa_keys=[option])
    bundle = read_bundle(data, "key", b"secret")
    told = [fault.text for fault in bundle.faults] + [key.fault for key in bundle.private_keys]
    assert f"wants its password hashed more than {MAX_ROUNDS} times" in " ".join(told)


@given(st.binary(max_size=200))
def test_no_bytes_make_it_raise(data):
    assert wants_too_much(data) in (True, False)


def test_nesting_has_an_end():
    assert not wants_too_much(b"\x30\x80" * 100_000)
