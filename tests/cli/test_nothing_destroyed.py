"""What `export` never destroys, and who may read what it writes."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

PCAPS = Path(__file__).parents[2] / "pcaps"
posix = pytest.mark.skipif(os.name != "posix", reason="modes of POSIX")


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


KEYS = {
    "--keylog": "{}",
    "--psk-file": "{}",
    "--rsa-key": "{}",
    "--http-password": "admin={}",
}


@pytest.mark.parametrize("option", KEYS)
def test_export_never_writes_to_a_key_file(run, tmp_path, option):
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(65537, 1024)
    held = {
        "--keylog": (PCAPS / "wsman_tls.keylog.txt").read_bytes(),
        "--psk-file": b"pid,pps\nA,B\n",
        "--rsa-key": key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
        "--http-password": b"secret",
    }[option]
    (tmp_path / "key").write_bytes(held)
    done = run("export", option, KEYS[option].format("key"), "--pcap", "key", PCAPS / "wsman_tls.pcap")
    assert (done.code, "is one of the inputs" in done.err) == (2, True)
    assert contents(tmp_path) == {"key": held}


def test_the_log_that_the_environment_names_and_a_password_file_are_inputs_too(run, tmp_path):
    (tmp_path / "key").write_bytes((PCAPS / "wsman_tls.keylog.txt").read_bytes())
    environment = {"SSLKEYLOGFILE": str(tmp_path / "key")}
    done = run("export", "--pcap", "key", PCAPS / "wsman_tls.pcap", env=environment)
    assert (done.code, "is one of the inputs" in done.err) == (2, True)
    from amtdecode.cli.common import key_files

    (tmp_path / "k").write_bytes(b"")
    named = key_files([], [f"{tmp_path}/k:file:{tmp_path}/word"], [], ["a=b"])
    assert named == [f"{tmp_path}/k", f"{tmp_path}/word", "b"]


@posix
def test_exports_are_private_and_certificates_are_not(run, tmp_path):
    before = os.umask(0o022)
    try:
        options = ["--http", "h", "--certs", "c", "--pcap", "p", "--keylog", PCAPS / "wsman_tls.keylog.txt"]
        assert run("export", *options, PCAPS / "wsman_tls.pcap").code == 0
    finally:
        os.umask(before)
    assert {mode(path) for path in (tmp_path / "h").iterdir()} == {0o600}
    assert {mode(path) for path in (tmp_path / "c").iterdir()} == {0o644}
    assert mode(tmp_path / "p") == 0o600
    assert not list(tmp_path.rglob(".amtdecode-*"))
