"""Ready texts, read back by the programs that they are for."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import subprocess
from pathlib import Path

import pki_lab
import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID

from amtdecode.artifacts.certificates import lint, read_bundle
from amtdecode.artifacts.reg import read_reg
from amtdecode.diagnosis.site import Certificates, Dhcp, Dns, Scs, Site
from amtdecode.preflight.texts import KINDS, LackingError, Materials, kind_named
from amtdecode.protocols.tls.certificates import SETUP_UNIT, read_certificate

NAME = "scs01.corp.example"
ONE = Site(
    amt_version="3.0",
    scs=Scs(fqdn=NAME, addresses=("192.0.2.10",)),
    dhcp=Dhcp(domains=("corp.example",), dns=("192.0.2.53", "192.0.2.54")),
    certificates=Certificates(organization="O'Neil & Müller (Test), Ltd.", country="de"),
)
TWO = Site(
    scs=Scs(fqdn=NAME),
    dhcp=Dhcp(domains=("corp.example", "lab.example"), dns=("192.0.2.53",)),
    dns=Dns(provisionserver=("192.0.2.10", "2001:db8::10")),
)
PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin", os.environ.get("AMTDECODE_SBIN", "")])


def text(kind: str, site: Site = ONE, certificates: tuple = ()) -> str:
    [written] = kind_named(kind).write(Materials(site, certificates))
    return written.data.decode()


def program(name: str) -> str:
    """An outside program, which skips where it is missing."""
    path = shutil.which(name, path=PATH)
    if path is None:
        pytest.skip(f"{name} is not installed")
    return path


def ran(*command: object) -> str:
    done = subprocess.run([str(each) for each in command], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    ("site", "records"),
    [
        (ONE, {"corp.example": {f"provisionserver.corp.example. CNAME {NAME}."}}),
        (
            Site(dhcp=TWO.dhcp, dns=TWO.dns),
            {
                zone: {f"provisionserver.{zone}. A 192.0.2.10", f"provisionserver.{zone}. AAAA 2001:db8::10"}
                for zone in TWO.dhcp.domains
            },
        ),
    ],
)
def test_bind_reads_the_records(tmp_path, site, records):
    check = program("named-checkzone")
    lines = text("dns-bind", site)
    for zone, wanted in records.items():
        part = re.search(rf"\$ORIGIN {re.escape(zone)}\.\n(?:[^$]*\n)*", lines)[0]
        file = tmp_path / f"{zone}.zone"
        head = f"$TTL 3600\n$ORIGIN {zone}.\n@ IN SOA ns.{zone}. host.{zone}. 1 3600 900 604800 300\n@ IN NS ns\n"
        file.write_text(
            f"{head}ns IN A 192.0.2.53\n{NAME}. IN A 192.0.2.10\n"
            if zone == "corp.example"
            else f"{head}ns IN A 192.0.2.53\n"
        )
        with file.open("a") as added:
            added.write(part)
        out = ran(check, "-D", "-i", "none", zone, file)
        found = {
            " ".join((line.split()[0].lower(), *line.split()[3:])) for line in out.splitlines() if "rovision" in line
        }
        assert found == wanted


def test_named_takes_the_file_into_a_zone(tmp_path):
    check = program("named-checkconf")
    zone = tmp_path / "corp.zone"
    head = "$TTL 3600\n@ IN SOA ns host 1 3600 900 604800 300\n@ IN NS ns\nns IN A 192.0.2.53\nscs01 IN A 192.0.2.10\n"
    zone.write_text(head + text("dns-bind"))
    conf = tmp_path / "named.conf"
    conf.write_text(f'options {{ directory "{tmp_path}"; }};\nzone "corp.example" {{ type master; file "{zone}"; }};\n')
    assert "zone corp.example/IN: loaded serial 1" in ran(check, "-z", conf)


@pytest.mark.parametrize("site", [ONE, TWO])
@pytest.mark.parametrize("kind", ["dns-dnsmasq", "dhcp-dnsmasq"])
def test_dnsmasq_takes_the_lines(tmp_path, site, kind):
    conf = tmp_path / "amt.conf"
    conf.write_text(text(kind, site))
    assert "syntax check OK" in ran(program("dnsmasq"), "--test", f"--conf-file={conf}")


@pytest.mark.parametrize("site", [ONE, TWO])
def test_isc_dhcpd_takes_the_lines(tmp_path, site):
    conf = tmp_path / "dhcpd.conf"
    conf.write_text(text("dhcp-isc", site) + "\nsubnet 192.0.2.0 netmask 255.255.255.0 {}\n")
    out = ran(program("dhcpd"), "-t", "-cf", conf)
    assert "error" not in out.lower().replace("errors", "")
    broken = tmp_path / "broken.conf"
    broken.write_text(conf.read_text().replace('";', '"', 1))
    assert subprocess.run([program("dhcpd"), "-t", "-cf", broken], capture_output=True, check=False).returncode


def test_openssl_makes_the_request(tmp_path):
    conf, request = tmp_path / "request.cnf", tmp_path / "request.csr"
    conf.write_text(text("csr-openssl"))
    openssl = program("openssl")
    ran(
        openssl,
        "req",
        "-new",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-keyout",
        tmp_path / "key",
        "-out",
        request,
        "-config",
        conf,
    )
    made = x509.load_pem_x509_csr(request.read_bytes())
    assert made.is_signature_valid
    assert made.public_key().key_size == 2048
    named = {each.oid: each.value for each in made.subject}
    assert named == {
        NameOID.COUNTRY_NAME: "DE",
        NameOID.ORGANIZATION_NAME: "O'Neil & Müller (Test), Ltd.",
        NameOID.ORGANIZATIONAL_UNIT_NAME: SETUP_UNIT,
        NameOID.COMMON_NAME: NAME,
    }
    purposes = made.extensions.get_extension_for_oid(ExtensionOID.EXTENDED_KEY_USAGE).value
    assert [each.dotted_string for each in purposes] == [ExtendedKeyUsageOID.SERVER_AUTH.dotted_string, pki_lab.SETUP]
    other = made.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value
    assert other.get_values_for_type(x509.DNSName) == [NAME]


def test_each_domain_has_a_request_of_its_own():
    files = kind_named("csr-openssl").write(Materials(TWO))
    assert [file.name for file in files] == [f"{NAME}.cnf", "provisionserver.lab.example.cnf"]
    assert b"\nCN = provisionserver.lab.example\n" in files[1].data
    with pytest.raises(LackingError, match="longer than the 64 characters"):
        kind_named("csr-openssl").write(Materials(Site(dhcp=Dhcp(domains=("a" * 50 + ".example",)))))


def test_certreq_has_both_marks():
    parser = configparser.ConfigParser(strict=False, interpolation=None, comment_prefixes=(";",))
    parser.optionxform = str
    lines = text("csr-certreq")
    assert "not run here" in lines.splitlines()[0]
    parser.read_string(lines)
    subject = parser["NewRequest"]["Subject"]
    assert subject == f'"CN={NAME},OU={SETUP_UNIT},O=""O\'Neil & Müller (Test), Ltd."",C=DE"'
    assert re.findall(r"^OID = (.*)\r$", lines, re.MULTILINE) == ["1.3.6.1.5.5.7.3.1", pki_lab.SETUP]
    assert parser["NewRequest"]["MachineKeySet"] == "FALSE"


def test_the_parser_of_registry_files_reads_the_levels(tmp_path):
    for kind, level in (("reg-log-on", "V"), ("reg-log-off", None)):
        [written] = kind_named(kind).write(Materials(Site()))
        assert written.data.startswith(b"\xff\xfe")
        file = tmp_path / written.name
        file.write_bytes(written.data)
        found = read_reg(file)
        assert (found.log_key_seen, found.log_level, found.faults) == (True, level, ())
        assert "AMTconfig" in written.data.decode("utf-16")


def test_the_chain_is_in_the_order_of_gsoap():
    wanted = [pki_lab.leaf().der, pki_lab.middle().der, pki_lab.root().der]
    given = tuple(read_certificate(der) for der in (wanted[2], wanted[0], wanted[1]))
    bundle = read_bundle(text("pem-chain", ONE, given).encode(), "chain.pem")
    assert [each.der for each in bundle.certificates] == wanted
    assert lint(bundle).outcome == "pass"
    with pytest.raises(LackingError, match="the chain is not whole"):
        text("pem-chain", ONE, given[1:2])


def test_windows_commands():
    assert text("dns-dnscmd").split("\r\n")[2] == (f"dnscmd . /RecordAdd corp.example ProvisionServer CNAME {NAME}.")
    assert text("dns-powershell", Site(dhcp=ONE.dhcp, dns=TWO.dns)).split("\r\n")[1:3] == [
        "Add-DnsServerResourceRecordA -ZoneName 'corp.example' -Name 'ProvisionServer' -IPv4Address '192.0.2.10'",
        "Add-DnsServerResourceRecordAAAA -ZoneName 'corp.example' -Name 'ProvisionServer' -IPv6Address '2001:db8::10'",
    ]
    assert "set optionvalue 006 IPADDRESS 192.0.2.53 192.0.2.54\r\n" in text("dhcp-netsh")
    assert "Set-DhcpServerv4OptionValue -DnsServer '192.0.2.53', '192.0.2.54' -DnsDomain 'corp.example'" in text(
        "dhcp-powershell"
    )
    assert text("dhcp-powershell", TWO).count("-ScopeId SCOPE ") == 2
    for kind in KINDS:
        if "not run here" in kind.title:
            [written, *_] = kind.write(Materials(ONE))
            assert b"not run here" in written.data.splitlines()[0]


@pytest.mark.parametrize(
    ("version", "left_out", "kept"),
    [("2.6", ["4433"], ["16992", "162"]), ("16.1", ["16992", "16994"], ["16993", "162"]), ("18.0", ["162"], ["4433"])],
)
def test_the_firewall_list_suits_the_version(version, left_out, kept):
    import msgspec

    lines = text("firewall", msgspec.structs.replace(ONE, amt_version=version))
    ports = re.findall(r"(?:TCP|UDP)\s+(\d+)", lines)
    assert not set(left_out) & set(ports)
    assert {*kept, "9971", "53", "67"} <= set(ports)


@pytest.mark.parametrize(
    ("kind", "site", "what"),
    [
        ("dns-bind", Site(), "scs.fqdn, or dns.provisionserver"),
        ("dns-bind", Site(scs=Scs(fqdn=NAME)), "dhcp.domains"),
        ("dns-bind", Site(scs=Scs(fqdn="ProvisionServer.corp.example"), dhcp=ONE.dhcp), "itself called"),
        ("dns-bind", Site(scs=Scs(addresses=("192.0.2.0/24",)), dhcp=ONE.dhcp), "setup server is missing"),
        ("dhcp-isc", Site(dhcp=Dhcp(domains=("a.example",))), "dhcp.dns"),
        ("csr-certreq", Site(), "dhcp.domains"),
        ("pem-chain", Site(), "certificates of the chain are missing"),
    ],
)
def test_what_is_missing_is_said(kind, site, what):
    with pytest.raises(LackingError, match=re.escape(what)):
        kind_named(kind).write(Materials(site))


def test_all_kinds_are_tried_here():
    tests = Path(__file__).read_text()
    assert [kind.name for kind in KINDS if f'"{kind.name}"' not in tests] == []
