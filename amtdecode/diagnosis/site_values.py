"""Values of a site file that have the right type, and still make no sense."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.diagnosis.site_tables import Site

HIGHEST_PORT = 65_535
MOST_HOURS = 10_000  # a longer window is a slip
MOST_SECONDS = MOST_HOURS * 3600
LONGEST_NAME = 253  # characters of a domain name, RFC 1035 section 2.3.4 without the root
_LABEL = "[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_NAME = re.compile(rf"(?:{_LABEL}\.)*{_LABEL}\.?")
_ORGANIZATION = re.compile(r"[\w .,&'()-]{0,64}")  # 64: the upper bound of RFC 5280, appendix A
_VERSION = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9}){0,7}")


def faults(site: Site) -> Iterator[str]:
    """What is wrong, in the order of the tables."""
    yield from _addresses(site)
    yield from _names(site)
    yield from _certificates(site)
    yield from _versions(site)
    if not 0 < site.scs.port <= HIGHEST_PORT:
        yield f"scs.port must be from 1 to {HIGHEST_PORT}"
    if not 0 < site.policy.window_hours <= MOST_HOURS:
        yield f"policy.window_hours must be above 0, and no more than {MOST_HOURS}"
    if not 0 <= site.policy.slow_contact_seconds <= MOST_SECONDS:
        yield f"policy.slow_contact_seconds must be from 0 to {MOST_SECONDS}"


def _addresses(site: Site) -> Iterator[str]:
    from ipaddress import ip_address, ip_network

    for name, networks in (
        ("scs.addresses", site.scs.addresses),
        ("network.wireless", site.network.wireless),
        ("network.vpn", site.network.vpn),
    ):
        for network in networks:
            try:
                ip_network(network, strict=False)
            except ValueError:
                yield f"{name}: {network!r} is neither an address nor a network"
    for name, addresses in (("dhcp.dns", site.dhcp.dns), ("dns.provisionserver", site.dns.provisionserver)):
        for address in addresses:
            try:
                ip_address(address)
            except ValueError:
                yield f"{name}: {address!r} is not an address"


def _names(site: Site) -> Iterator[str]:
    """They get into ready texts, where anything else than a name would be a command."""
    names = [("scs.fqdn", site.scs.fqdn)] if site.scs.fqdn else []
    names += [("dhcp.domains", each) for each in site.dhcp.domains]
    for name, text in names:
        if len(text) > LONGEST_NAME or not _NAME.fullmatch(text):
            yield f"{name}: {text[:LONGEST_NAME]!r} is not a name of letters, digits, dashes and dots"
    if site.scs.fqdn and "." not in site.scs.fqdn.rstrip("."):
        yield f"scs.fqdn: {site.scs.fqdn!r} has no domain"


def _certificates(site: Site) -> Iterator[str]:
    for text in site.certificates.roots:
        if set(text.replace(":", "").replace(" ", "").lower()) - set("0123456789abcdef"):
            yield f"certificates.roots: {text!r} is not a hash in hex"
    if not _ORGANIZATION.fullmatch(site.certificates.organization):
        yield "certificates.organization: up to 64 letters, digits, blanks and .,&'()- are taken"
    if site.certificates.country and not re.fullmatch("[A-Za-z]{2}", site.certificates.country):
        yield "certificates.country: two letters are wanted, as DE or US"


def _versions(site: Site) -> Iterator[str]:
    versions = [("amt_version", site.amt_version), ("scs.version", site.scs.version)]
    versions += [("machine.amt_version", entry.amt_version) for entry in site.machine]
    versions += [("machine.upgrade_to", entry.upgrade_to) for entry in site.machine]
    for name, text in versions:
        if text and not _VERSION.fullmatch(text):
            yield f"{name}: {text!r} is not a version such as 3.2.1"
