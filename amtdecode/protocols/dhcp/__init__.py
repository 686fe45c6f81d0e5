"""Leases: DHCP for IPv4 (`v4`) and for IPv6 (`v6`), where a machine learns its domain and its DNS server."""

from amtdecode.protocols.dhcp.v4 import DHCP
from amtdecode.protocols.dhcp.v6 import DHCPV6

__all__ = ["DHCP", "DHCPV6"]
