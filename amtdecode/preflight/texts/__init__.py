"""Ready texts: each kind is one row here, and one function in the file of its subject."""

from __future__ import annotations

from difflib import get_close_matches

from amtdecode.errors import UsageError
from amtdecode.preflight.texts import dhcp, dns, files, firewall, requests
from amtdecode.preflight.texts.kind import Kind, LackingError, Materials, Written

__all__ = ["KINDS", "Kind", "LackingError", "Materials", "Written", "kind_named"]

KINDS = (
    Kind("dns-bind", "records of ProvisionServer for a zone file (BIND and others)", dns.bind),
    Kind("dns-dnsmasq", "records of ProvisionServer for dnsmasq", dns.dnsmasq),
    Kind("dns-dnscmd", "records of ProvisionServer: dnscmd of Windows (not run here)", dns.dnscmd),
    Kind("dns-powershell", "records of ProvisionServer: PowerShell (not run here)", dns.powershell),
    Kind("dhcp-isc", "options 6 and 15 for ISC dhcpd", dhcp.isc),
    Kind("dhcp-dnsmasq", "options 6 and 15 for dnsmasq", dhcp.dnsmasq),
    Kind("dhcp-netsh", "options 6 and 15: netsh of Windows (not run here)", dhcp.netsh),
    Kind("dhcp-powershell", "options 6 and 15: PowerShell (not run here)", dhcp.powershell),
    Kind("csr-openssl", "request for the setup certificate: configuration for openssl req", requests.openssl),
    Kind("csr-certreq", "request for the setup certificate: INF file for certreq (not run here)", requests.certreq),
    Kind("pem-chain", "the certificates given, in the order that gSOAP wants", files.pem_chain),
    Kind("reg-log-on", "registry file: debug log of SCS on", files.log_on),
    Kind("reg-log-off", "registry file: debug log of SCS off", files.log_off),
    Kind("firewall", "list of the ports that setup and management need", firewall.firewall),
)


def kind_named(name: str) -> Kind:
    """The kind with this name. Raises `UsageError`, with the nearest names, where there is none."""
    names = {kind.name: kind for kind in KINDS}
    if name in names:
        return names[name]
    near = get_close_matches(name, names, 3) or [each for each in names if each.startswith(name.partition("-")[0])]
    meant = f"did you mean {' or '.join(near)}?" if near else "--texts list shows all"
    raise UsageError(f"--texts {name}: no such text; {meant}")
