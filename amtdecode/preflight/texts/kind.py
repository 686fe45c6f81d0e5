"""What a ready text is, and what it is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from amtdecode.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from amtdecode.diagnosis.site import Site
    from amtdecode.protocols.tls.certificates import CertificateInfo

NOT_RUN = "Written from documentation, and not run here: try it on a test system first."
"""On top of what only Windows could run."""


class Materials(NamedTuple):
    """What texts are made of."""

    site: Site
    certificates: tuple[CertificateInfo, ...] = ()


class Written(NamedTuple):
    """One file of a text."""

    name: str  # of the file, where a folder is written
    data: bytes


class Kind(NamedTuple):
    """One kind of text."""

    name: str
    title: str
    write: Callable[[Materials], list[Written]]
    """Raises `LackingError` where a fact is missing."""


class LackingError(UsageError):
    """A text cannot be written: facts are missing."""


def domains(site: Site) -> list[str]:
    """The domains of the machines, without a last dot. Raises `LackingError`."""
    found = list(dict.fromkeys(each.rstrip(".").lower() for each in site.dhcp.domains))
    if not found:
        raise LackingError("the domains of the machines are missing (dhcp.domains)")
    return found


def addresses(site: Site) -> list[str]:
    """The addresses of the setup server; none where the site names networks alone."""
    from ipaddress import ip_network

    single = [each for each in site.scs.addresses if ip_network(each, strict=False).num_addresses == 1]
    return list(site.dns.provisionserver or [each.partition("/")[0] for each in single])


def alias(site: Site) -> str:
    """The name of the setup server, without a last dot; "" where it is not told."""
    return site.scs.fqdn.rstrip(".").lower()


def name_servers(site: Site) -> list[str]:
    """The IPv4 addresses of option 6. Raises `LackingError`."""
    found = [each for each in site.dhcp.dns if ":" not in each]
    if not found:
        raise LackingError("the DNS servers of the machines are missing (dhcp.dns, IPv4 addresses)")
    return found


def one(name: str, lines: list[str]) -> list[Written]:
    """A text of one file, its lines ended by LF."""
    return [Written(name, "".join(f"{line}\n" for line in lines).encode())]


def windows(name: str, lines: list[str]) -> list[Written]:
    """The same with CR LF, as Windows writes them."""
    return [Written(name, "".join(f"{line}\r\n" for line in lines).encode())]
