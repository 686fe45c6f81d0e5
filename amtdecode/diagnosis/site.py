"""Facts no packet shows, told by the administrator in a TOML file (`--site FILE`).

Every table and key is optional; an unknown key is an error, so that a misspelt fact is not silently ignored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from amtdecode.errors import ArtifactError, reason

if TYPE_CHECKING:
    from pathlib import Path

HOUR = 3600


class _Table(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    pass


class Scs(_Table, frozen=True):
    """The setup and configuration application."""

    version: str = ""
    addresses: tuple[str, ...] = ()  # the servers allowed to provision and to be ProvisionServer; addresses or networks
    mode: Literal["enterprise", "smb", ""] = ""
    thumbprint: str = ""  # SHA-1 of the setup certificate the service is configured to use (registry, loadcert), hex


class Policy(_Table, frozen=True):
    """What the site wants."""

    tls: bool | None = None
    mutual_tls: bool | None = None
    otp: bool | None = None
    kerberos: bool | None = None
    window_hours: float = 6.0  # how long the setup interface stays open
    slow_contact_seconds: float = 600.0  # a later connect-back counts as delayed
    system_isolation: bool | None = None


class Network(_Table, frozen=True):
    """The network around the machines."""

    suffixes: tuple[str, ...] = ()  # PKI DNS suffixes set in MEBx or by USB
    wireless: tuple[str, ...] = ()  # networks in CIDR notation
    vpn: tuple[str, ...] = ()


class Certificates(_Table, frozen=True):
    """Certificates and hashes the site uses."""

    roots: tuple[str, ...] = ()  # hashes of the site's own roots as entered in MEBx, hex


class Machine(_Table, frozen=True):
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


class Site(_Table, frozen=True):
    """All of it."""

    amt_version: str = ""  # of every machine not listed
    scs: Scs = Scs()
    policy: Policy = Policy()
    network: Network = Network()
    certificates: Certificates = Certificates()
    machine: tuple[Machine, ...] = ()

    def of(self, uuid: str, addresses: list[str], fqdn: str) -> Machine:
        """What is known of one machine; an empty entry when nothing is."""
        for entry in self.machine:
            if (
                (entry.uuid and entry.uuid.lower() == uuid)
                or (entry.address and entry.address in addresses)
                or (entry.fqdn and fqdn and entry.fqdn.lower() == fqdn.lower())
            ):
                return entry
        return NOBODY


def within(address: str, networks: tuple[str, ...]) -> bool:
    """Whether an address is one of these addresses or lies in one of these networks."""
    if not networks:
        return False
    from ipaddress import ip_address, ip_network

    try:
        number = ip_address(address)
    except ValueError:
        return False
    return any(number in ip_network(network, strict=False) for network in networks)


def load(path: str | Path) -> Site:
    """Read a site file. `ArtifactError` says what is wrong and where."""
    try:
        with open(path, "rb") as file:
            site = msgspec.toml.decode(file.read().decode("utf-8"), type=Site)
    except OSError as error:
        raise ArtifactError(f"{path}: {reason(error)}") from error
    except UnicodeDecodeError as error:
        raise ArtifactError(f"{path}: not UTF-8 text") from error
    except msgspec.DecodeError as error:
        raise ArtifactError(f"{path}: {error}") from error
    except ValueError as error:  # a NUL in the name
        raise ArtifactError(f"{str(path)!r}: {error}") from error
    _check(site, path)
    return site


def _check(site: Site, path: str | Path) -> None:
    from ipaddress import ip_network

    for name, networks in (
        ("scs.addresses", site.scs.addresses),
        ("network.wireless", site.network.wireless),
        ("network.vpn", site.network.vpn),
    ):
        for network in networks:
            try:
                ip_network(network, strict=False)
            except ValueError as error:
                raise ArtifactError(f"{path}: {name}: {network!r} is neither an address nor a network") from error
    for text in site.certificates.roots:
        if set(text.replace(":", "").replace(" ", "").lower()) - set("0123456789abcdef"):
            raise ArtifactError(f"{path}: certificates.roots: {text!r} is not a hash in hex")
    versions = [("amt_version", site.amt_version), ("scs.version", site.scs.version)]
    versions += [("machine.amt_version", entry.amt_version) for entry in site.machine]
    versions += [("machine.upgrade_to", entry.upgrade_to) for entry in site.machine]
    for name, text in versions:
        if text and not all(part.isdigit() for part in text.split(".")):
            raise ArtifactError(f"{path}: {name}: {text!r} is not a version such as 3.2.1")
    if site.policy.window_hours <= 0:
        raise ArtifactError(f"{path}: policy.window_hours must be above 0")
