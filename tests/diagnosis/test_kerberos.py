"""AMT-KRB-*: what the machine says of a Kerberos ticket it refuses."""

from __future__ import annotations

import pytest
from by_hand import SCS, asked, at, capture, contact, hello, hits, machine
from diagnosis_lab import SCS as CONSOLE
from diagnosis_lab import Bench, Lab, desk

from amtdecode.provisioning.state import KdcError
from amtdecode.provisioning.state.incidents import ClockApart, ClockSet, KerberosLogin, KerberosRefused
from pcaps import kerberos
from pcaps.build import Host, datagram


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
    what = "The machine refuses the ticket for HTTP/a: its clock and that of the console differ"
    assert hits("AMT-KRB-001", machine(one))[0].values == {"what": what}
    assert asked("AMT-KRB-002", machine(one)) == []
    assert asked("AMT-KRB-001", machine(hello(1))) == []


def test_krb_001_the_call_that_sets_the_clock() -> None:
    def refused(packet: int, code: int = 37) -> KerberosRefused:
        return KerberosRefused(packet, None, code=code, spn="HTTP/a", realm="A", skew=None, connection=1)

    def setting(packet: int, skew: int, *, done: bool = True) -> ClockSet:
        return ClockSet(packet, None, skew=skew, done=done, connection=2)

    cured = ("confirmed", "info", [4, 9])
    assert asked("AMT-KRB-001", machine(refused(4), setting(9, -700))) == [cured]
    assert hits("AMT-KRB-001", machine(refused(4), setting(9, -700)))[0].proofs[1] == (
        9, "a call sets the machine's clock, 700 s behind: done"
    )  # fmt: skip
    for near in (setting(9, 700, done=False), setting(9, 40), setting(3, 700)):  # not done, no cure, too early
        assert asked("AMT-KRB-001", machine(refused(4), near)) == [("confirmed", "", [4, near.ref])]
    login = KerberosLogin(2, None, scheme="negotiate", connection=1)
    assert asked("AMT-KRB-001", machine(login, setting(9, 700))) == [("likely", "info", [9])]
    assert asked("AMT-KRB-001", machine(login, setting(9, 700, done=False))) == [("likely", "", [9])]
    assert asked("AMT-KRB-001", machine(login, setting(9, 300))) == []
    assert asked("AMT-KRB-001", machine(setting(9, 700))) == []  # nobody uses Kerberos
    assert asked("AMT-KRB-001", machine(refused(4, 7), setting(9, 40))) == []


@pytest.mark.parametrize(("result", "severity"), [(0, "info"), (1, "high")])
def test_krb_001_the_clock_is_set_over_the_wire(bench: Bench, result: int, severity: str) -> None:
    def soap(first: str, action: str, body: str) -> bytes:
        envelope = (
            '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
            'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
            f'xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd" xmlns:h="{uri}"><s:Header>'
            f"<a:Action>{uri}/{action}</a:Action>"
            f"<w:ResourceURI>{uri}</w:ResourceURI></s:Header><s:Body>{body}</s:Body></s:Envelope>"
        )
        head = f"{first}\r\nContent-Type: application/soap+xml\r\nContent-Length: {len(envelope)}\r\n\r\n"
        return (head + envelope).encode()

    uri = "http://intel.com/wbem/wscim/1/amt-schema/1/AMT_TimeSynchronizationService"
    name = "SetHighAccuracyTimeSynch"
    times = "".join(f"<h:{key}>{value}</h:{key}>" for key, value in (("Ta0", 5000), ("Tm1", 9000), ("Tm2", 9000)))
    asks = soap("POST /wsman HTTP/1.1", name, f"<h:{name}_INPUT>{times}</h:{name}_INPUT>")
    answer = f"<h:{name}_OUTPUT><h:ReturnValue>{result}</h:ReturnValue></h:{name}_OUTPUT>"
    lab = error(37)
    lab.http(desk(), [(asks, soap("HTTP/1.1 200 OK", f"{name}Response", answer))])
    found = bench.fires("AMT-KRB-001", lab, severity=severity, verdict="confirmed")
    word = "done" if not result else "refused, or not answered"
    assert found["evidence"][-1]["text"] == f"a call sets the machine's clock, 4000 s behind: {word}"


# -- of a KDC ----------------------------------------------------------------------------------------------------------

KDC = Host("00:00:5e:00:53:04", "192.0.2.4")


def kdc(data: bytes, *, console: Host = CONSOLE, contacted: tuple[int, ...] = (30,)) -> Lab:
    """A console asks for a ticket and gets this, then logs in to machines by other means."""
    lab = Lab()
    lab.put([datagram(console, KDC, 40000, 88, kerberos.asks(12, "HTTP/desk.example.com:16992"))])
    lab.put([datagram(KDC, console, 88, 40000, data)])
    for number in contacted:
        lab.http(
            desk(number),
            [(b"GET /wsman HTTP/1.1\r\nHost: desk\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")],
        )
    return lab


def test_krb_002_a_name_that_the_kdc_does_not_know(bench: Bench) -> None:
    found = bench.fires("AMT-KRB-002", kdc(kerberos.error(7, "")), severity="high", verdict="likely")
    assert f"The KDC gives {CONSOLE.ip} no ticket for HTTP/desk.example.com:16992" in found["explanation"]
    bench.silent("AMT-KRB-001", kdc(kerberos.error(7, "")))
    bench.silent("AMT-KRB-002", kdc(kerberos.gives(13)))
    bench.silent("AMT-KRB-002", kdc(kerberos.error(25)))  # asks for preauthentication
    bench.silent("AMT-KRB-002", kdc(kerberos.error(7, ""), contacted=(30, 31)))  # which of them?
    bench.silent("AMT-KRB-002", kdc(kerberos.error(7, ""), console=desk(77).host))  # who talks to no machine
    assert bench.report(kdc(kerberos.error(7, ""), contacted=()))["findings"] == []


def test_krb_001_the_clock_of_a_console(bench: Bench) -> None:
    found = bench.fires("AMT-KRB-001", kdc(kerberos.error(37)), severity="high", verdict="likely")
    assert f"its clock and that of {CONSOLE.ip} differ by 700 s" in found["explanation"]
    bench.silent("AMT-KRB-002", kdc(kerberos.error(37)))


def test_krb_001_the_date_of_the_machine(bench: Bench) -> None:
    def dated(date: str, scheme: bytes = b"Negotiate ") -> Lab:
        lab = Lab()
        ask = kerberos.ask(kerberos.first(kerberos.framed(kerberos.REQUEST, 1))).replace(b"Negotiate ", scheme)
        say = b"HTTP/1.1 401 Unauthorized\r\nDate: %s\r\nWWW-Authenticate: Negotiate\r\nContent-Length: 0\r\n\r\n"
        lab.http(desk(), [(ask, say % date.encode())])
        return lab

    found = bench.fires("AMT-KRB-001", dated("Mon, 05 Nov 2007 10:00:00 GMT"), verdict="likely")
    assert "that of the capture differ by 3600 s" in found["explanation"]
    bench.silent("AMT-KRB-001", dated("Mon, 05 Nov 2007 09:04:30 GMT"))
    bench.silent("AMT-KRB-001", dated("once upon a time"))
    bench.silent("AMT-KRB-001", dated("Mon, 05 Nov 2007 10:00:00 GMT", b"Basic "))


def error_of(code: int, spn: str, client: str = SCS) -> KdcError:
    return KdcError(4, at(4), code, spn, "EXAMPLE.COM", client, None)


@pytest.mark.parametrize(
    ("spn", "verdict"),
    [
        ("HTTP/desk.example.com", "confirmed"),
        ("HTTP/DESK.example.com:16993", "confirmed"),
        ("HTTP/desk", "confirmed"),
        ("HTTP/other.example.com:16992", "likely"),  # whose name the capture does not tell
        ("HTTP/other.example.com", ""),  # a web server
        ("HTTP/desk.example.net", ""),
    ],
)
def test_whose_name_it_is(spn: str, verdict: str) -> None:
    one = machine(contact(9), fqdn="desk.example.com")
    told = capture(one)
    told.kdc_errors = {(spn.lower(), 7, SCS): error_of(7, spn)}
    assert asked("AMT-KRB-002", one, told) == ([(verdict, "", [4])] if verdict else [])


def test_001_by_hand() -> None:
    one = machine(contact(9))
    told = capture(one)
    told.kdc_errors = {("krbtgt/example.com", 37, SCS): error_of(37, "krbtgt/EXAMPLE.COM")}
    assert asked("AMT-KRB-001", one, told) == [("likely", "", [4])]
    elsewhere = machine(contact(9, client="192.0.2.99"))
    other = capture(elsewhere)
    other.kdc_errors = told.kdc_errors
    assert asked("AMT-KRB-001", elsewhere, other) == []
    assert asked("AMT-KRB-001", machine(ClockApart(4, at(4), skew=-900, connection=1))) == [("likely", "", [4])]
