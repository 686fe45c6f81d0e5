"""Records that lead ProvisionServer to the setup server.

Formats: zone file lines of RFC 1035 section 5.1 (BIND and others); dnsmasq(8) host-record and cname; dnscmd /RecordAdd
and the cmdlets of the module DnsServer, both documented by Microsoft.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.preflight.texts.kind import (
    NOT_RUN,
    LackingError,
    Materials,
    Written,
    addresses,
    alias,
    domains,
    one,
    windows,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.diagnosis.site import Site

NAME = "ProvisionServer"
TTL = 3600  # seconds


class Record:
    """One record: an alias (CNAME), or an address (A, AAAA)."""

    def __init__(self, zone: str, kind: str, value: str) -> None:
        self.zone, self.kind, self.value = zone, kind, value

    @property
    def owner(self) -> str:
        """The full name."""
        return f"{NAME.lower()}.{self.zone}"


def _records(site: Site, *, prefer_addresses: bool = False) -> list[Record]:
    """An alias where the name of the server is told, else its addresses; in each domain."""
    name, numbers = alias(site), addresses(site)
    if not name and not numbers:
        raise LackingError("the setup server is missing (scs.fqdn, or dns.provisionserver, or scs.addresses)")
    found = []
    for zone in domains(site):
        if name and name != f"{NAME.lower()}.{zone}" and not (prefer_addresses and numbers):
            found.append(Record(zone, "CNAME", name))
        elif numbers:
            found += [Record(zone, "AAAA" if ":" in number else "A", number) for number in numbers]
        else:
            raise LackingError(
                "the server is itself called ProvisionServer: its address is missing (dns.provisionserver)"
            )
    return found


def bind(materials: Materials) -> list[Written]:
    """Zone file lines."""
    lines = ["; ProvisionServer for Intel AMT: add each part to the file of its zone, and count up the zone's serial."]
    zone = ""
    for record in _records(materials.site):
        if record.zone != zone:
            zone = record.zone
            lines += ["", f"$ORIGIN {zone}."]
        value = f"{record.value}." if record.kind == "CNAME" else record.value
        lines.append(f"{NAME}\t{TTL}\tIN\t{record.kind}\t{value}")
    return one("provisionserver.zone", lines)


def dnsmasq(materials: Materials) -> list[Written]:
    """Lines of dnsmasq.conf."""
    lines = ["# ProvisionServer for Intel AMT: a file for /etc/dnsmasq.d"]
    hosts: dict[str, list[str]] = {}
    for record in _records(materials.site, prefer_addresses=True):
        if record.kind == "CNAME":
            lines.append("# an alias works only for a name that this dnsmasq knows itself (hosts file, DHCP)")
            lines.append(f"cname={record.owner},{record.value}")
        else:
            hosts.setdefault(record.owner, []).append(record.value)
    lines += [f"host-record={owner},{number}" for owner, numbers in hosts.items() for number in numbers]
    return one("dnsmasq-dns.conf", lines)


def dnscmd(materials: Materials) -> list[Written]:
    """Commands for the DNS server of Windows up to 2008."""
    lines = [f"rem {NOT_RUN}", "rem On the DNS server itself; instead of the dot the name of another one."]
    for record in _records(materials.site):
        value = f"{record.value}." if record.kind == "CNAME" else record.value
        lines.append(f"dnscmd . /RecordAdd {record.zone} {NAME} {record.kind} {value}")
    return windows("provisionserver.cmd", lines)


def powershell(materials: Materials) -> list[Written]:
    """Cmdlets for the DNS server of Windows from 2012 on."""
    lines = [f"# {NOT_RUN}", *_cmdlets(_records(materials.site))]
    return windows("provisionserver-dns.ps1", lines)


def _cmdlets(records: list[Record]) -> Iterator[str]:
    verbs = {
        "CNAME": ("Add-DnsServerResourceRecordCName", "HostNameAlias"),
        "A": ("Add-DnsServerResourceRecordA", "IPv4Address"),
        "AAAA": ("Add-DnsServerResourceRecordAAAA", "IPv6Address"),
    }
    for record in records:
        verb, parameter = verbs[record.kind]
        value = f"{record.value}." if record.kind == "CNAME" else record.value
        yield f"{verb} -ZoneName '{record.zone}' -Name '{NAME}' -{parameter} '{value}'"
