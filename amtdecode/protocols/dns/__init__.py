"""Names: who asked for ProvisionServer, what was answered, and reverse look-ups (`room` has the spec card)."""

from amtdecode.protocols.dns.room import DNS_TCP, DNS_UDP

__all__ = ["DNS_TCP", "DNS_UDP"]
