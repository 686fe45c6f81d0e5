"""Facts no packet shows, told by the administrator in a TOML file (`--site FILE`).

Every table and key is optional; an unknown key is an error, so that a misspelt fact is not silently ignored.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

import msgspec

from amtdecode.errors import ArtifactError, UsageError, reason

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

HOUR = 3600
MOST_HOURS = 10_000  # a longer window is a slip
MAX_FILE = 1 << 20  # bytes of a site file
_VERSION = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9}){0,7}")


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


def facts_of(site: Site | str | os.PathLike[str] | None) -> Site | None:
    """The facts, or those of the TOML file that is named. `UsageError` for what is neither; the rest as `load`."""
    if site is None or isinstance(site, Site):
        return site
    if not isinstance(site, (str, os.PathLike)):
        raise UsageError(f"site takes a Site or the name of a TOML file, not a value of type {type(site).__name__}")
    return load(os.fspath(site))


def load(path: str | Path) -> Site:
    """Read a site file. `ArtifactError` says what is wrong and where."""
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_FILE + 1)
    except (OSError, ValueError) as error:
        raise ArtifactError(f"{path}: {reason(error)}") from error
    if len(data) > MAX_FILE:
        raise ArtifactError(f"{path}: larger than {MAX_FILE >> 20} MiB, which no site file is")
    tables = _tables(data, path)
    try:
        site = msgspec.convert(tables, Site)
    except msgspec.ValidationError:
        what = next(_wrong(tables, Site, ""), "a value is not what is wanted there")
        raise ArtifactError(f"{path}: {what}") from None
    _check(site, path)
    return site


def _tables(data: bytes, path: str | Path) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(data.decode())
    except UnicodeDecodeError:
        raise ArtifactError(f"{path}: not UTF-8 text") from None
    except RecursionError:
        raise ArtifactError(f"{path}: tables or lists too deep inside each other") from None
    except ValueError as error:  # TOMLDecodeError, and numbers too long to be read
        found = re.search(r"line (\d+), column (\d+)", str(error))
        where = f"line {found[1]}, column {found[2]}: " if found else ""
        raise ArtifactError(f"{path}: {where}not TOML") from None


_WANTED: dict[Any, tuple[tuple[type, ...], str]] = {
    str: ((str,), "a text"),
    float: ((int, float), "a number"),
    bool | None: ((bool,), "true or false"),
}


def _wrong(value: Any, kind: Any, where: str) -> Iterator[str]:
    """What in a value is not as a type of this file wants it, in the order of the file."""
    if isinstance(kind, type) and issubclass(kind, _Table):
        if not isinstance(value, dict):
            yield f"{where}: must be a table"
            return
        fields = {field.name: field.type for field in msgspec.structs.fields(kind)}
        for name, each in value.items():
            place = f"{where}.{name}" if where else name
            if name in fields:
                yield from _wrong(each, fields[name], place)
            else:
                from difflib import get_close_matches

                near = get_close_matches(name, fields, 1)
                yield f"{place}: no such key" + (f"; did you mean {near[0]}?" if near else "")
    elif get_origin(kind) is tuple:
        if not isinstance(value, list):
            yield f"{where}: must be a list"
            return
        for number, each in enumerate(value, 1):
            yield from _wrong(each, get_args(kind)[0], f"{where}, entry {number}")
    elif get_origin(kind) is Literal:
        if value not in get_args(kind):
            yield f"{where}: must be {' or '.join(filter(None, get_args(kind)))}"
    else:
        types, wanted = _WANTED[kind]
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            yield f"{where}: must be {wanted}"


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
        if text and not _VERSION.fullmatch(text):
            raise ArtifactError(f"{path}: {name}: {text!r} is not a version such as 3.2.1")
    if not 0 < site.policy.window_hours <= MOST_HOURS:
        raise ArtifactError(f"{path}: policy.window_hours must be above 0, and no more than {MOST_HOURS}")
    if not 0 <= site.policy.slow_contact_seconds <= MOST_HOURS * HOUR:
        raise ArtifactError(f"{path}: policy.slow_contact_seconds must be from 0 to {MOST_HOURS * HOUR}")
