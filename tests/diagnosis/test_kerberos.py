"""AMT-KRB-*: what the machine says of a Kerberos ticket it refuses."""

from __future__ import annotations

import pytest
from by_hand import asked, hello, hits, machine
from diagnosis_lab import Bench, Lab, desk

from amtdecode.provisioning.state.incidents import KerberosRefused
from pcaps import kerberos


@pytest.fixture
def bench(tmp_path) -> Bench:
    return Bench(tmp_path)


def refused(token: bytes) -> Lab:
    lab = Lab()
    request = kerberos.ask(kerberos.first(kerberos.framed(kerberos.REQUEST, 1)))
    lab.http(desk(), [(request, kerberos.refuse(token))])
    return lab


def error(code: int) -> Lab:
    return refused(kerberos.answer(kerberos.framed(kerberos.error(code), 3)))


def test_krb_001_clocks(bench: Bench) -> None:
    found = bench.fires("AMT-KRB-001", error(37), severity="high", verdict="confirmed")
    assert "HTTP/desk.example.com:16992" in found["explanation"]
    assert "differ by 700 s" in found["explanation"]
    bench.silent("AMT-KRB-002", error(37))
    bench.silent("AMT-KRB-001", error(32))  # a ticket that ran out tells nothing of clocks
    bench.silent("AMT-KRB-001", refused(b"NTLMSSP\0\2"))


@pytest.mark.parametrize("code", [7, 41])
def test_krb_002_service(bench: Bench, code: int) -> None:
    found = bench.fires("AMT-KRB-002", error(code), severity="high", verdict="confirmed")
    assert "EXAMPLE.COM" in found["explanation"]
    bench.silent("AMT-KRB-001", error(code))
    bench.silent("AMT-KRB-002", error(25))  # asks for preauthentication


def test_by_hand() -> None:
    one = KerberosRefused(4, None, code=37, spn="HTTP/a", realm="A", skew=None, connection=1)
    assert asked("AMT-KRB-001", machine(one)) == [("confirmed", "", [4])]
    assert hits("AMT-KRB-001", machine(one))[0].values == {"by": "", "spn": "HTTP/a"}
    assert asked("AMT-KRB-002", machine(one)) == []
    assert asked("AMT-KRB-001", machine(hello(1))) == []
