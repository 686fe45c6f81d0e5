"""The keys of a run as a whole: empty or not, silent about secrets, quick to load."""

from __future__ import annotations

import subprocess
import sys

import pytest

from amtdecode.errors import KeyFileError
from amtdecode.secrets import Keys


def test_no_keys_is_false():
    keys = Keys.load()
    assert not keys
    assert keys.psks(b"x") == []
    assert keys.rsa_keys(None) == []
    assert keys.secret("CLIENT_RANDOM", bytes(32)) is None
    assert keys.rsa_premaster(bytes(128)) is None
    assert keys.http_password("admin") is None
    keys.add_keylog(b"CLIENT_RANDOM 00 11")
    assert keys


def test_http_passwords(tmp_path):
    path = tmp_path / "password"
    for data, password in ((b"P@ss=1 \n", "P@ss=1 "), (b"two\n\n", "two\n"), (b"x\r\n", "x"), ("pä".encode(), "pä")):
        path.write_bytes(data)
        keys = Keys.load(http_passwords=[f"admin={path}"])
        assert keys
        assert keys.http_password("admin") == password
        assert keys.http_password("Admin") is None
    path.write_bytes(b"p\xe4\n")
    assert Keys.load(http_passwords=[f"admin={path}"]).http_password("admin") == "pä"
    for option in ("admin", "admin=", f"={path}", f"admin={tmp_path}", "admin=/no/such/file"):
        with pytest.raises(KeyFileError):
            Keys.load(http_passwords=[option])


def test_repr_shows_no_secret(tmp_path):
    path = tmp_path / "password"
    path.write_text("hunter2")
    keys = Keys.load(psk=["abcd=swordfish", "*=hex:c0ffee"], http_passwords=[f"admin={path}"])
    keys.add_keylog(b"CLIENT_RANDOM 00 beef")
    text = f"{keys!r} {keys} {keys.notes}"
    assert text.startswith("Keys(2 PSK identities, 0 RSA keys, 1 logged secret, 1 HTTP password)")
    for secret in ("swordfish", "c0ffee", "beef", "hunter2"):
        assert secret not in text


def test_nothing_heavy_is_loaded_before_it_is_needed():
    script = (
        "import sys, amtdecode.secrets\n"
        "amtdecode.secrets.Keys.load(psk=['a=b'])\n"
        "import amtdecode.protocols.tls.crypto, amtdecode.protocols.tls.registry\n"
        "print([name for name in sys.modules if name.split('.')[0] in {'cryptography', 'construct', 'lxml', 'dpkt'}])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_secret_given_where_a_file_is_wanted_is_not_repeated(tmp_path):
    here = tmp_path / "key.pem"
    here.touch()
    pps = "NKLX-G5DC-RRNQ-E9YZ-ZIJL-7LFL-VJED-69XJ"
    slips = [
        ({"http_passwords": ["admin=NKLX"]}, "HTTP password admin=…"),
        ({"http_passwords": ["NKLX"]}, "USER=FILE"),
        ({"psk_files": [f"0000-037M={pps}"]}, "PSK file 0000-037M=…"),
        ({"psk_files": [pps]}, "PSK file …"),
        ({"psk": [pps]}, "IDENTITY=PPS"),
        ({"psk": ["0000-037M=hex:NKLX"]}, "hexadecimal"),
        ({"rsa_keys": ["k:NKLX"]}, "RSA key k: no such file"),
        ({"rsa_keys": [f"{tmp_path}/none:NKLX"]}, "none: no such file"),
        ({"rsa_keys": [f"{here}:NKLX"]}, "does not open it"),
        ({"rsa_keys": [f"{here}:file:NKLX"]}, "file:…"),
    ]
    for options, told in slips:
        with pytest.raises(KeyFileError) as caught:
            Keys.load(**options)
        assert told in str(caught.value)
        assert "NKLX" not in str(caught.value)
