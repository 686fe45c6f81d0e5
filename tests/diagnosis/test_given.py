"""What a program may give `diagnose` in place of file names."""

import io
import ssl
from pathlib import Path

import msgspec
import pytest
from diagnosis_lab import Bench

import amtdecode
from amtdecode.diagnosis import Report

PCAPS = Path(__file__).resolve().parents[2] / "pcaps"


@pytest.mark.parametrize("path", sorted(PCAPS.glob("*.pcap*")), ids=lambda path: path.name)
def test_bytes_files_and_observations_are_diagnosed_as_the_file_is(path: Path) -> None:
    by_name = amtdecode.diagnose(path)
    observations = amtdecode.read(path, connections="all")
    by_observations = amtdecode.diagnose(observations)
    if by_name.other_traffic:  # it is counted from packets, where nothing of AMT is seen
        by_observations.other_traffic, by_observations.health = by_name.other_traffic, by_name.health
    assert by_observations == by_name
    text = msgspec.json.encode(by_name).decode()

    def renamed(name: str) -> Report:
        return msgspec.json.decode(text.replace(f'"{path}"', f'"{name}"'), type=Report)

    assert amtdecode.diagnose(path.read_bytes()) == renamed("<bytes>")
    assert amtdecode.diagnose(io.BytesIO(path.read_bytes())) == renamed("<file>")
    with path.open("rb") as file:
        assert amtdecode.diagnose([file]) == by_name


def test_logs_certificates_and_setup_bin_may_be_bytes(bench: Bench) -> None:
    log = b"2008-05-14 12:00:00 ERROR: Error while trying to establish TLS-PSK connection with 192.0.2.10\n" * 3
    pem = ssl.DER_cert_to_PEM_cert(b"\x30\x03\x02\x01\x01").encode()
    reg = b'REGEDIT4\r\n\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\INTEL\\AMTConfServer\\Log]\r\n"LogLevel"="V"\r\n'
    given = {"a.log": log, "a.pem": pem, "a.reg": reg}
    by_name = amtdecode.diagnose([bench.file(name, data) for name, data in given.items()])
    in_memory = amtdecode.diagnose([log, io.BytesIO(pem), reg])
    assert in_memory.inputs == ["<file>", "<bytes 2>", "<bytes>"]
    assert len(by_name.inputs) == 3
    text = msgspec.json.encode(by_name).decode()
    for name, other in (("a.log", "<bytes>"), ("a.pem", "<file>"), ("a.reg", "<bytes 2>")):
        text = text.replace(str(bench.folder / name), other)
    assert msgspec.json.decode(text, type=Report) == in_memory


def test_what_is_among_observations_must_be_one() -> None:
    path = PCAPS / "hello.pcap"
    with pytest.raises(amtdecode.UsageError, match="among observations, there is a str"):
        amtdecode.diagnose([*amtdecode.read(path), "x"])
    with pytest.raises(amtdecode.UsageError, match="observations have been read already"):
        amtdecode.read(amtdecode.read(path))
