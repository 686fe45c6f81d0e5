"""Options 6 and 15 of DHCP (RFC 2132 sections 3.8 and 3.17).

Formats: dhcpd.conf(5) of ISC; dnsmasq(8) dhcp-option; netsh dhcp and the cmdlets of the module DhcpServer, both
documented by Microsoft.
"""

from __future__ import annotations

import re

from amtdecode.preflight.texts.kind import NOT_RUN, Materials, Written, domains, name_servers, one, windows

SCOPE = "SCOPE"
"""Stands where the address of a scope belongs, which no site file tells."""


def isc(materials: Materials) -> list[Written]:
    """Lines of dhcpd.conf."""
    zones, servers = domains(materials.site), ", ".join(name_servers(materials.site))
    lines = ["# Options 6 and 15 for Intel AMT"]
    if len(zones) == 1:
        lines += [f"option domain-name-servers {servers};", f'option domain-name "{zones[0]}";']
    else:
        for zone in zones:
            lines += ["group {", f"    # the subnets of {zone} belong in here"]
            lines += [f"    option domain-name-servers {servers};", f'    option domain-name "{zone}";', "}"]
    return one("dhcpd-amt.conf", lines)


def dnsmasq(materials: Materials) -> list[Written]:
    """Lines of dnsmasq.conf."""
    zones, servers = domains(materials.site), ",".join(name_servers(materials.site))
    lines = ["# Options 6 and 15 for Intel AMT: a file for /etc/dnsmasq.d", f"dhcp-option=option:dns-server,{servers}"]
    if len(zones) == 1:
        lines.append(f"dhcp-option=option:domain-name,{zones[0]}")
    for zone in zones if len(zones) > 1 else ():
        tag = re.sub(r"[^a-z0-9]", "-", zone)
        lines.append(f"# the range of {zone} sets the tag: dhcp-range=set:{tag},FIRST,LAST")
        lines.append(f"dhcp-option=tag:{tag},option:domain-name,{zone}")
    return one("dnsmasq-dhcp.conf", lines)


def netsh(materials: Materials) -> list[Written]:
    """Commands for the DHCP server of Windows up to 2008."""
    zones, servers = domains(materials.site), " ".join(name_servers(materials.site))
    lines = [f"rem {NOT_RUN}", *_scopes("rem", zones)]
    for zone in zones:
        where = f"scope {SCOPE} " if len(zones) > 1 else ""
        lines.append(f"netsh dhcp server {where}set optionvalue 006 IPADDRESS {servers}")
        lines.append(f'netsh dhcp server {where}set optionvalue 015 STRING "{zone}"')
    return windows("dhcp-amt.cmd", lines)


def powershell(materials: Materials) -> list[Written]:
    """Cmdlets for the DHCP server of Windows from 2012 on."""
    zones, servers = domains(materials.site), ", ".join(f"'{each}'" for each in name_servers(materials.site))
    lines = [f"# {NOT_RUN}", *_scopes("#", zones)]
    for zone in zones:
        where = f"-ScopeId {SCOPE} " if len(zones) > 1 else ""
        lines.append(f"Set-DhcpServerv4OptionValue {where}-DnsServer {servers} -DnsDomain '{zone}'")
    return windows("dhcp-amt.ps1", lines)


def _scopes(mark: str, zones: list[str]) -> list[str]:
    if len(zones) == 1:
        return []
    return [f"{mark} Each domain has its own scope: put the scope's address where {SCOPE} stands."]
