"""The tables and keys of a site file. Everything is optional; what is not told is `None`, empty or "".

`amtdecode preflight --example` prints all of them with a word on each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from amtdecode.ports import HELLO

if TYPE_CHECKING:
    from collections.abc import Sequence


class Table(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One table of the file."""


class Scs(Table, frozen=True):
    """The setup and configuration application."""

    product: Literal["intel scs", "other", ""] = ""  # other: what is known of SCS versions does not concern it
    version: str = ""
    fqdn: str = ""  # name of the server, to which ProvisionServer leads
    addresses: tuple[str, ...] = ()  # the servers allowed to provision and to be ProvisionServer; addresses or networks
    port: int = HELLO  # where it listens for hellos
    mode: Literal["enterprise", "smb", ""] = ""
    thumbprint: str = ""  # SHA-1 of the setup certificate the service is configured to use (registry, loadcert), hex
    schema: bool | None = None  # the schema of Active Directory is extended for AMT
    account_rights: bool | None = None  # the account of the service has the rights it needs, and no more
    key_in_service_store: bool | None = None  # setup certificate and key are in the store of the service's account
    certificate_in_computer_store: bool | None = None  # the certificate is in the store of the computer, for loadcert
    certification_authority: bool | None = None  # one that issues TLS certificates to the machines is ready
    keys_imported: bool | None = None  # the pairs of PID and PPS are in its database


class Policy(Table, frozen=True):
    """What the site wants."""

    method: Literal["psk", "pki", ""] = ""  # pki: remote configuration
    tls: bool | None = None
    mutual_tls: bool | None = None
    otp: bool | None = None
    kerberos: bool | None = None
    window_hours: float = 6.0  # how long the setup interface stays open
    slow_contact_seconds: float = 600.0  # a later connect-back counts as delayed
    system_isolation: bool | None = None


class Network(Table, frozen=True):
    """The network around the machines."""

    suffixes: tuple[str, ...] = ()  # PKI DNS suffixes set in MEBx or by USB
    wireless: tuple[str, ...] = ()  # networks in CIDR notation
    vpn: tuple[str, ...] = ()
    ports_open: bool | None = None  # between machines and setup server nothing is filtered that setup needs


class Dhcp(Table, frozen=True):
    """What the DHCP server gives to the machines."""

    domains: tuple[str, ...] = ()  # option 15, of each scope
    dns: tuple[str, ...] = ()  # option 6, addresses


class Dns(Table, frozen=True):
    """What the name servers answer."""

    provisionserver: tuple[str, ...] = ()  # addresses to which ProvisionServer leads


class Hosts(Table, frozen=True):
    """What runs on the machines, under their operating system."""

    agent: bool | None = None  # a client agent starts the configuration; of every machine not listed
    agent_updated: bool | None = None  # the agent is of a version that knows remote configuration
    wired: bool | None = None  # they are connected by cable until they are set up
    root_hashes: bool | None = None  # the maker confirms that the machines list root hashes
    drivers: bool | None = None  # the driver of the Management Engine (MEI, HECI) and LMS are installed


class Certificates(Table, frozen=True):
    """Certificates and hashes the site uses."""

    roots: tuple[str, ...] = ()  # hashes of the site's own roots as entered in MEBx, hex
    organization: str = ""  # as the request for a setup certificate names it
    country: str = ""  # two letters, likewise


class Machine(Table, frozen=True):
    """One machine, found by UUID, address or name."""

    uuid: str = ""
    address: str = ""
    fqdn: str = ""
    amt_version: str = ""
    upgrade_to: str = ""  # the AMT version someone plans to install
    power: Literal["on", "asleep", "off", ""] = ""
    supply: Literal["ac", "battery", ""] = ""
    link: Literal["wired", "wireless", ""] = ""
    vpn: bool | None = None
    wireless_profile: Literal["", "b/g", "n"] = ""
    features: tuple[str, ...] = ()  # asked for: "system isolation", "agent presence"
    agent: bool | None = None  # a client agent starts the configuration
    uns: bool | None = None  # the User Notification Service is expected


NOBODY = Machine()  # of whom nothing is known


class Site(Table, frozen=True):
    """All of it."""

    amt_version: str = ""  # of every machine not listed
    scs: Scs = Scs()
    policy: Policy = Policy()
    network: Network = Network()
    dhcp: Dhcp = Dhcp()
    dns: Dns = Dns()
    hosts: Hosts = Hosts()
    certificates: Certificates = Certificates()
    machine: tuple[Machine, ...] = ()

    def of(self, uuid: str, addresses: Sequence[str], fqdn: str) -> Machine:
        """What is known of one machine; an empty entry when nothing is."""
        for entry in self.machine:
            if (
                (entry.uuid and entry.uuid.lower() == uuid)
                or (entry.address and entry.address in addresses)
                or (entry.fqdn and fqdn and entry.fqdn.lower() == fqdn.lower())
            ):
                return entry
        return NOBODY
