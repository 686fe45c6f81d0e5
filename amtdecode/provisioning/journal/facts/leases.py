"""What a journal keeps of names and leases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from amtdecode.provisioning.journal.kept import Kept

if TYPE_CHECKING:
    from typing import Self

SUFFIX, RESOLVERS = 15, 6  # options of DHCP (RFC 2132)
PTR, CNAME = 12, 5  # RFC 1035 §3.2.2


class Dhcp(Kept, tag="dhcp", frozen=True):
    """A message of DHCPv4."""

    protocol: ClassVar[str] = "dhcp"
    mac: str
    message_type: int | None
    host_name: str | None
    fqdn: str | None
    requested_address: str | None
    client_address: str | None
    your_address: str | None
    server_id: str | None
    suffix: bytes | None
    dns_servers: tuple[str, ...] | None
    lease_time: int | None

    @classmethod
    def of(cls, event: Any) -> Self | None:
        if not event.mac:
            return None
        servers = event.option(RESOLVERS)
        return cls(
            event.mac,
            event.message_type,
            event.host_name,
            event.fqdn,
            event.requested_address,
            event.client_address,
            event.your_address,
            event.server_id,
            event.option(SUFFIX),
            None if servers is None else tuple(event.dns_servers),
            event.lease_time,
        )

    def option(self, code: int) -> Any:
        """Of an option that is asked for, whether it is there and what it holds."""
        return self.suffix if code == SUFFIX else self.dns_servers


class Address(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One of DHCPv6."""

    address: str


class Dhcpv6(Kept, tag="dhcp6", frozen=True):
    """A message of DHCPv6."""

    protocol: ClassVar[str] = "dhcpv6"
    mac: str
    message_type: int
    domains: tuple[str, ...]
    dns_servers: tuple[str, ...]
    leases: tuple[Address, ...]
    fqdn: str | None

    @classmethod
    def of(cls, event: Any) -> Self | None:
        if not event.mac:
            return None
        leases = tuple(Address(each.address) for each in event.leases[:1])
        domains, servers = tuple(event.domains), tuple(event.dns_servers)
        return cls(event.mac, event.message_type, domains, servers, leases, event.fqdn)


class Dns(Kept, tag="dns", frozen=True):
    """A query or response for ProvisionServer, an address's name, the address of a name, or a server machines call."""

    protocol: ClassVar[str] = "dns"
    name: str
    asks_for_provision_server: bool
    type: int
    is_response: bool
    is_truncated: bool
    reply_code: int
    addresses: tuple[str, ...]
    pointers: tuple[str, ...]
    aliases: tuple[str, ...]

    @classmethod
    def of(cls, event: Any) -> Self | None:
        if not event.name:
            return None
        asks = bool(event.asks_for_provision_server)
        return cls(
            event.name,
            asks,
            event.type,
            bool(event.is_response),
            bool(event.is_truncated),
            event.reply_code,
            tuple(event.addresses),
            tuple(event.values(PTR)),
            tuple(event.values(CNAME)),
        )

    def values(self, kind: int) -> tuple[str, ...]:
        """Of records of a type."""
        return self.pointers if kind == PTR else self.aliases
