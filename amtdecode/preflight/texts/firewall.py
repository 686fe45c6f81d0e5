"""The ports that setup and management need, as a list for whoever keeps the firewalls."""

from __future__ import annotations

from typing import NamedTuple

from amtdecode import ports
from amtdecode.diagnosis.versions import version_tuple
from amtdecode.preflight.texts.kind import Materials, Written, addresses, alias, one

NO_PLAIN_SINCE = (16, 1)  # AMT: ports 16992, 16994 and 623 are gone (Intel, security considerations)
CIRA_SINCE = (4, 0)
NO_PET_SINCE = (18, 0)
ANY: tuple[int, ...] = ()


class Hole(NamedTuple):
    """One line of the list."""

    source: str
    target: str
    protocol: str
    port: str
    use: str
    since: tuple[int, ...] = ANY
    below: tuple[int, ...] = ANY


def holes(hello_port: int) -> list[Hole]:
    """All of them, in the order in which a machine needs them."""
    return [
        Hole("machine", "DHCP server", "UDP", "67", "lease with options 6 and 15; the answer comes to port 68"),
        Hole("machine", "DNS server", "UDP", "53", "ProvisionServer"),
        Hole("machine", "setup server", "TCP", str(hello_port), "hello"),
        Hole("setup server", "machine", "TCP", str(ports.HTTPS), "setup, and management with TLS"),
        Hole(
            "setup server", "machine", "TCP", str(ports.HTTP), "setup without TLS, and management", below=NO_PLAIN_SINCE
        ),
        Hole("console", "machine", "TCP", str(ports.HTTPS), "management with TLS"),
        Hole("console", "machine", "TCP", str(ports.HTTP), "management without TLS", below=NO_PLAIN_SINCE),
        Hole("console", "machine", "TCP", str(ports.REDIRECTION_TLS), "redirection (serial, disks, KVM) with TLS"),
        Hole("console", "machine", "TCP", str(ports.REDIRECTION), "redirection without TLS", below=NO_PLAIN_SINCE),
        Hole("console", "machine", "UDP", str(ports.DASH), "presence ping (RMCP), where it is used"),
        Hole("machine", "console", "UDP", str(ports.PET), "alerts (PET)", below=NO_PET_SINCE),
        Hole("machine", "MPS", "TCP", str(ports.CIRA), "calls home from outside (CIRA), where it is used", CIRA_SINCE),
    ]


def firewall(materials: Materials) -> list[Written]:
    """The list, without what the AMT version of the site does not have."""
    site = materials.site
    version = version_tuple(site.amt_version)
    server = ", ".join(filter(None, [alias(site), *addresses(site)]))
    lines = ["Firewall list for Intel AMT", ""]
    if server:
        lines.append(f"setup server: {server}")
    if site.dhcp.dns:
        lines.append(f"DNS server: {', '.join(site.dhcp.dns)}")
    if site.amt_version:
        lines.append(f"machines: AMT {site.amt_version}")
    lines += ["", f"{'from':<14}{'to':<14}{'':<5}{'port':<7}for"]
    for hole in holes(site.scs.port):
        if version and (version < hole.since or (hole.below and version >= hole.below)):
            continue
        lines.append(f"{hole.source:<14}{hole.target:<14}{hole.protocol:<5}{hole.port:<7}{hole.use}")
    return one("firewall.txt", lines)
