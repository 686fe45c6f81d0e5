"""AMT-NET-* and AMT-DNS-*: each rule fires on its fault, and not on the next best thing."""

from diagnosis_lab import NETWORK, SCS, Bench, Lab, desk, lease_options, moved

from pcaps import messages
from pcaps.build import Host, datagram, packed
from pcaps.make import DOMAIN

HERE = desk()
NAME = f"provisionserver.{DOMAIN}"


def asked_bare() -> Lab:
    """A machine that has no domain: only the bare name is asked for."""
    lab = Lab()
    lab.dhcp(HERE, options=lease_options(None))
    lab.dns(HERE.host, "ProvisionServer", [], code=messages.NXDOMAIN)
    lab.wait(200)
    lab.who_has(SCS, "192.0.2.99", 1)
    return lab


def test_net_001_no_suffix(bench: Bench) -> None:
    finding = bench.fires("AMT-NET-001", asked_bare(), severity="high", verdict="confirmed")
    assert finding["evidence"][0]["packet"] == 2
    assert finding["device"] == HERE.host.ip
    lab = Lab()
    lab.dhcp(HERE)
    lab.found(HERE)
    bench.silent("AMT-NET-001", lab)


def test_net_001_without_dhcp_is_not_judged(bench: Bench) -> None:
    lab = Lab()
    lab.found(HERE)
    missing = {(entry["id"], entry["missing"]) for entry in bench.report(lab)["not_judged"]}
    assert ("AMT-NET-001", "no DHCP in this capture") in missing


def test_net_001_is_the_first_thing_said(bench: Bench) -> None:
    report = bench.report(asked_bare())
    assert report["findings"][0]["id"] == "AMT-NET-001"
    assert "AMT-DNS-002" not in [finding["id"] for finding in report["findings"]]  # its consequence


def test_net_002_malformed_suffix(bench: Bench) -> None:
    for raw, verdict in (
        (b"example.com ", "likely"),
        (b".example.com", "likely"),
        (b"a.example b.example", "likely"),
        (b"example.com\0", "possible"),
    ):
        lab = Lab()
        lab.dhcp(HERE, options=lease_options(raw))
        lab.found(HERE)
        finding = bench.fires("AMT-NET-002", lab, verdict=verdict)
        assert raw.hex(" ") in finding["evidence"][0]["text"]
    lab = Lab()
    lab.dhcp(HERE, options=lease_options(b"sub.example-1.com"))
    lab.found(HERE)
    bench.silent("AMT-NET-002", lab)


def test_net_003_no_name_server(bench: Bench) -> None:
    lab = Lab()
    lab.dhcp(HERE, options=lease_options(dns=None))
    lab.wait(30)
    lab.refused(SCS, HERE.host, 16993)
    lab.greet(desk(77))  # which makes SCS a setup server
    bench.fires("AMT-NET-003", lab, verdict="confirmed")
    lab = Lab()
    lab.dhcp(HERE, options=lease_options(dns=None))
    lab.found(HERE)  # a resolver set by hand
    bench.silent("AMT-NET-003", lab)


def test_net_004_no_lease(bench: Bench) -> None:
    for answer in (messages.NAK, None):
        lab = Lab()
        lab.greet(HERE)
        lab.wait(3600)
        lab.dhcp(HERE, answer=answer, times=3)
        finding = bench.fires("AMT-NET-004", lab, verdict="confirmed")
        assert HERE.host.mac in finding["explanation"]
    lab = Lab()
    lab.greet(HERE)
    lab.wait(3600)
    lab.dhcp(HERE, times=3)
    bench.silent("AMT-NET-004", lab)


def test_other_hosts_without_a_lease_are_nobodys_business(bench: Bench) -> None:
    lab = Lab()
    lab.dhcp(HERE, answer=None, times=5)
    report = bench.report(lab)
    assert report["devices"] == []
    assert report["findings"] == []


def test_net_005_silence(bench: Bench) -> None:
    lab = Lab()
    lab.dhcp(HERE)
    lab.wait(20)
    lab.refused(SCS, HERE.host, 16993)
    lab.greet(desk(77))  # which makes SCS a setup server
    lab.wait(200)
    lab.who_has(SCS, "192.0.2.99", 1)
    finding = bench.fires("AMT-NET-005", lab, verdict="likely")
    states = finding["explanation"].partition("six states of a machine: ")[2].partition(". All but")[0]
    assert len(states.split("; ")) == 6
    lab = Lab()
    lab.dhcp(HERE)
    lab.found(HERE)
    lab.wait(20)
    lab.refused(SCS, HERE.host, 16993)
    lab.wait(200)
    lab.who_has(SCS, "192.0.2.99", 1)
    bench.silent("AMT-NET-005", lab)
    lab = Lab()
    lab.dhcp(HERE)
    lab.wait(20)
    lab.refused(SCS, HERE.host, 16993)
    lab.greet(desk(77))
    report = bench.report(lab)
    assert any(entry["id"] == "AMT-NET-005" and "2 min" in entry["missing"] for entry in report["not_judged"])


def test_dns_001_no_record(bench: Bench) -> None:
    lab = Lab()
    lab.dns(HERE.host, NAME, [], code=messages.NXDOMAIN)
    finding = bench.fires("AMT-DNS-001", lab, severity="high", verdict="confirmed")
    assert NAME in finding["title"]
    assert [proof["packet"] for proof in finding["evidence"]] == [1, 2]
    lab = Lab()
    lab.dns(HERE.host, "provisionserver", [], code=messages.NXDOMAIN)
    lab.found(HERE)
    bench.silent("AMT-DNS-001", lab)


def test_dns_001_needs_the_machines_name(bench: Bench) -> None:
    lab = Lab()
    lab.dns(HERE.host, f"provisionserver2.{DOMAIN}", [], code=messages.NXDOMAIN)
    assert bench.report(lab)["findings"] == []


def test_a_resolver_that_passes_the_question_on_is_no_machine(bench: Bench) -> None:
    lab = Lab()
    upstream = Host("00:00:5e:00:53:01", "198.51.100.53")
    lab.dns(HERE.host, NAME, None)
    lab.put([datagram(NETWORK.dns, upstream, 5353, 53, messages.dns_query(7, NAME))])
    lab.put([datagram(upstream, NETWORK.dns, 53, 5353, messages.dns_response(7, NAME, code=messages.NXDOMAIN))])
    report = bench.report(lab)
    assert [device["addresses"] for device in report["devices"]] == [[HERE.host.ip]]


def test_dns_002_bare_name_only(bench: Bench) -> None:
    lab = Lab()
    lab.dns(HERE.host, "ProvisionServer", [], code=messages.NXDOMAIN)
    lab.wait(60)
    lab.who_has(SCS, "192.0.2.99", 1)
    bench.fires("AMT-DNS-002", lab, severity="high")
    lab = Lab()
    lab.dns(HERE.host, "ProvisionServer", [], code=messages.NXDOMAIN)
    lab.dns(HERE.host, NAME, [], code=messages.NXDOMAIN)
    lab.wait(60)
    lab.who_has(SCS, "192.0.2.99", 1)
    bench.silent("AMT-DNS-002", lab)


def test_dns_003_resolver_fails(bench: Bench) -> None:
    for code, word in ((messages.SERVFAIL, "SERVFAIL"), (messages.REFUSED, "REFUSED")):
        lab = Lab()
        lab.dns(HERE.host, NAME, [], code=code)
        assert word in bench.fires("AMT-DNS-003", lab)["explanation"]
    lab = Lab()
    lab.dns(HERE.host, NAME, None)
    lab.wait(5)
    lab.dns(HERE.host, NAME, None)
    bench.fires("AMT-DNS-003", lab)
    lab = Lab()
    lab.dns(HERE.host, NAME, None)
    lab.wait(2)
    lab.found(HERE)
    bench.silent("AMT-DNS-003", lab)


def test_dns_004_empty_answer(bench: Bench) -> None:
    lab = Lab()
    lab.dns(HERE.host, NAME, [(NAME, messages.CNAME, messages.dns_name("gone.example.com"))])
    finding = bench.fires("AMT-DNS-004", lab)
    assert "gone.example.com" in finding["explanation"]
    lab = Lab()
    alias = (NAME, messages.CNAME, messages.dns_name("scs.example.com"))
    lab.dns(HERE.host, NAME, [alias, ("scs.example.com", messages.A, packed(SCS.ip))])
    lab.dns(HERE.host, NAME, [], kind=messages.AAAA)
    bench.silent("AMT-DNS-004", lab)


def test_dns_005_wrong_host(bench: Bench) -> None:
    other = Host("00:00:5e:00:53:50", "192.0.2.80")
    lab = Lab()
    lab.found(HERE, other.ip)
    lab.refused(HERE.host, other, 9971)
    bench.fires("AMT-DNS-005", lab, verdict="possible")
    finding = bench.fires("AMT-DNS-005", lab, site=f'[scs]\naddresses = ["{SCS.ip}"]\n', verdict="confirmed")
    assert other.ip in finding["explanation"]
    lab = Lab()
    lab.found(HERE)
    lab.greet(HERE)
    bench.silent("AMT-DNS-005", lab, site=f'[scs]\naddresses = ["{SCS.ip}"]\n')


def test_dns_006_different_answers(bench: Bench) -> None:
    lab = Lab()
    lab.found(HERE)
    lab.wait(60)
    lab.found(HERE, "192.0.2.81")
    finding = bench.fires("AMT-DNS-006", lab, severity="medium")
    assert SCS.ip in finding["explanation"]
    assert "192.0.2.81" in finding["explanation"]
    lab = Lab()
    lab.found(HERE)
    lab.wait(60)
    lab.found(HERE)
    bench.silent("AMT-DNS-006", lab)


def test_dns_007_no_reverse_record(bench: Bench) -> None:
    reverse = ".".join(reversed(HERE.host.ip.split("."))) + ".in-addr.arpa"
    lab = Lab()
    lab.greet(HERE)
    lab.dns(SCS, reverse, [], code=messages.NXDOMAIN, kind=messages.PTR)
    bench.fires("AMT-DNS-007", lab, severity="low")
    lab = Lab()
    lab.greet(HERE)
    lab.dns(SCS, reverse, [(reverse, messages.PTR, messages.dns_name("desk-30.example.com"))], kind=messages.PTR)
    report = bench.report(lab)
    assert "AMT-DNS-007" not in [finding["id"] for finding in report["findings"]]
    assert report["devices"][0]["fqdn"] == "desk-30.example.com"


def test_the_root_cause_silences_its_consequences(bench: Bench) -> None:
    lab = Lab()
    lab.dhcp(HERE, options=lease_options())
    lab.dns(HERE.host, NAME, [], code=messages.NXDOMAIN)
    lab.wait(300)
    lab.who_has(SCS, "192.0.2.99", 1)
    above = [finding["id"] for finding in bench.report(lab)["findings"] if finding["severity"] != "info"]
    assert above == ["AMT-DNS-001"]


def test_what_did_not_stop_the_machine_silences_nothing(bench: Bench) -> None:
    lab = Lab()
    lab.dhcp(HERE, options=lease_options(None))
    lab.dns(HERE.host, NAME, [], code=messages.NXDOMAIN)
    for retry in range(4):  # its server is set by hand
        lab.greet(HERE, messages.hello_pki(HERE.uuid, retry=retry))
        lab.wait(60)
    found = {finding["id"]: finding["severity"] for finding in bench.report(lab)["findings"]}
    assert found["AMT-HELLO-003"] == "high"
    assert (found["AMT-NET-001"], found["AMT-DNS-001"]) == ("low", "low")
    assert bench.report(lab)["findings"][0]["id"] == "AMT-HELLO-003"


def test_an_office_without_amt_yields_nothing(bench: Bench) -> None:
    lab = Lab()
    other = moved(HERE, "192.0.2.77")
    lab.dhcp(other, options=lease_options(None, None))
    lab.dns(other.host, "www.example.com", [], code=messages.NXDOMAIN)
    lab.refused(other.host, NETWORK.dns, 443)
    lab.syns(other.host, NETWORK.dns, 445)
    report = bench.report(lab)
    assert report["devices"] == []
    assert report["findings"] == []
