"""RSA keys in their file formats, found by certificate, and what they open."""

from __future__ import annotations

import datetime as dt

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

from amtdecode.errors import KeyFileError
from amtdecode.secrets import Keys

PREMASTER = b"\x03\x01" + bytes(range(46))
PASSWORD = b"pass:with:colons"


@pytest.fixture(scope="module")
def key():
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="module")
def other_key():
    return rsa.generate_private_key(65537, 1024)


def certificate_of(key):
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "amt.example.com")])
    day = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    return x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), day, day).sign(
        key, hashes.SHA256()
    )


def encrypt(key, secret):
    return key.public_key().encrypt(secret, padding.PKCS1v15())


FORMATS = {
    "pkcs1.pem": lambda key: key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()),
    "pkcs8.pem": lambda key: key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    "pkcs1.der": lambda key: key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption()),
    "pkcs8.der": lambda key: key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
    "chain.pem": lambda key: certificate_of(key).public_bytes(Encoding.PEM) + FORMATS["pkcs8.pem"](key),
    "open.pfx": lambda key: pkcs12.serialize_key_and_certificates(b"amt", key, None, None, NoEncryption()),
}
LOCKED = {
    "pkcs1.pem": lambda key: key.private_bytes(
        Encoding.PEM, PrivateFormat.TraditionalOpenSSL, BestAvailableEncryption(PASSWORD)
    ),
    "pkcs8.pem": lambda key: key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(PASSWORD)),
    "pkcs8.der": lambda key: key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, BestAvailableEncryption(PASSWORD)),
    "key.pfx": lambda key: pkcs12.serialize_key_and_certificates(
        b"amt", key, certificate_of(key), None, BestAvailableEncryption(PASSWORD)
    ),
}


@pytest.mark.parametrize("name", FORMATS)
def test_formats(tmp_path, key, name):
    path = tmp_path / name
    path.write_bytes(FORMATS[name](key))
    for option in (str(path), f"{path}:needless") if name != "open.pfx" else (str(path),):
        (loaded,) = Keys.load(rsa_keys=[option]).rsa_keys(None)
        assert loaded.decrypt_pms(encrypt(key, PREMASTER)) == PREMASTER


@pytest.mark.parametrize("name", LOCKED)
def test_formats_with_a_password(tmp_path, key, name):
    path = tmp_path / name
    path.write_bytes(LOCKED[name](key))
    password_file = tmp_path / "password"
    password_file.write_bytes(PASSWORD + b"\n")
    for option in (f"{path}:{PASSWORD.decode()}", f"{path}:file:{password_file}"):
        (loaded,) = Keys.load(rsa_keys=[option]).rsa_keys(None)
        assert loaded.decrypt_pms(encrypt(key, PREMASTER)) == PREMASTER
    with pytest.raises(KeyFileError, match="needs its password"):
        Keys.load(rsa_keys=[str(path)])
    with pytest.raises(KeyFileError, match="does not open it") as caught:
        Keys.load(rsa_keys=[f"{path}:wrong secret"])
    assert "wrong secret" not in str(caught.value)


def test_a_file_whose_name_has_a_colon(tmp_path, key):
    path = tmp_path / "amt:16993.pem"
    path.write_bytes(FORMATS["pkcs8.pem"](key))
    assert len(Keys.load(rsa_keys=[str(path)]).rsa_keys(None)) == 1


def test_files_that_hold_no_rsa_key(tmp_path, key):
    elliptic = ec.generate_private_key(ec.SECP256R1())
    files = {
        "ec.pem": (FORMATS["pkcs8.pem"](elliptic), "not an RSA key"),
        "cert.pem": (certificate_of(key).public_bytes(Encoding.PEM), "no private key in it"),
        "noise": (b"\x30\x82\x01\x00noise", "not a private key"),
        "empty": (b"", "not a private key"),
        "broken.pem": (FORMATS["pkcs8.pem"](key).replace(b"MII", b"!!!"), "not a private key"),
        "broken.pfx": (b"\x30\x82\x01\x00\x02\x01\x03noise", "PFX"),
    }
    for name, (data, message) in files.items():
        path = tmp_path / name
        path.write_bytes(data)
        with pytest.raises(KeyFileError, match=message) as caught:
            Keys.load(rsa_keys=[str(path)])
        assert "\n" not in str(caught.value)
    for option in ("/no/such/file:secret", "/no/such/file"):
        with pytest.raises(KeyFileError, match="/no/such/file: no such file") as caught:
            Keys.load(rsa_keys=[option])
        assert "secret" not in str(caught.value)


def test_keys_are_found_by_certificate(tmp_path, key, other_key):
    options = []
    for number, one in enumerate((key, other_key)):
        path = tmp_path / f"{number}.pem"
        path.write_bytes(FORMATS["pkcs8.pem"](one))
        options.append(str(path))
    keys = Keys.load(rsa_keys=options)
    assert len(keys.rsa_keys(None)) == 2
    for number, one in enumerate((key, other_key)):
        certificate = certificate_of(one).public_bytes(Encoding.DER)
        (found,) = keys.rsa_keys(certificate)
        assert found.name == options[number]
        assert keys.rsa_keys(certificate + b"trailing") == [found]
    assert keys.rsa_keys(b"") == []
    assert keys.rsa_keys(certificate_of(ec.generate_private_key(ec.SECP256R1())).public_bytes(Encoding.DER)) == []


def test_what_is_no_premaster_secret(tmp_path, key, other_key):
    path = tmp_path / "key.pem"
    path.write_bytes(FORMATS["pkcs8.pem"](key))
    (loaded,) = Keys.load(rsa_keys=[str(path)]).rsa_keys(None)
    for encrypted in (b"", b"\0" * 300, b"\xff" * 256, encrypt(key, PREMASTER[:-1]), encrypt(key, b"")):
        assert loaded.decrypt_pms(encrypted) is None
    assert loaded.decrypt_pms(encrypt(other_key, PREMASTER)) != PREMASTER
    # a premaster secret whose encryption begins with zeros may come without them
    while (encrypted := encrypt(key, PREMASTER))[0]:
        pass
    assert loaded.decrypt_pms(encrypted.lstrip(b"\0")) == PREMASTER


def test_a_key_whose_primes_are_in_the_odd_order(shared):
    folder = shared / "captures" / "third-party" / "wireshark" / "keys"
    for name in ("rsa-p-lt-q.key", "rsa-p-lt-q.p8"):
        (loaded,) = Keys.load(rsa_keys=[str(folder / name)]).rsa_keys(None)
        assert "1024 bits" in repr(loaded)
    (loaded,) = Keys.load(rsa_keys=[f"{folder / 'key.p12'}:WebAS"]).rsa_keys(None)
    assert "2048 bits" in repr(loaded)
