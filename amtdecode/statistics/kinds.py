"""What the packets of a capture are, in words: for captures in which nothing about AMT is found."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from amtdecode.capture import limited, open_records
from amtdecode.counting import counted
from amtdecode.frame import PacketReader

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amtdecode.capture.inputs import Capture
    from amtdecode.frame import Packet

MAX_LOOKED_AT = 20_000  # packets, from the beginning
MAX_KINDS = 8  # told; the others are one
USED_BY = {
    22: "SSH", 25: "SMTP", 53: "DNS", 67: "DHCP", 68: "DHCP", 80: "HTTP", 88: "Kerberos", 123: "NTP", 135: "RPC",
    137: "NetBIOS", 138: "NetBIOS", 139: "NetBIOS", 161: "SNMP", 389: "LDAP", 443: "HTTPS", 445: "SMB", 500: "IKE",
    514: "syslog", 546: "DHCPv6", 547: "DHCPv6", 636: "LDAPS", 1812: "RADIUS", 1900: "SSDP", 3389: "RDP",
    4500: "IPsec", 5353: "mDNS", 5355: "LLMNR", 8080: "HTTP",
}  # fmt: skip
"""Who has a port by the registry of IANA. What was really said there was not looked at."""
NAMES = {"arp": "ARP", "icmp": "ICMP", "icmpv6": "ICMPv6", "ipv6": "other IPv6"}
"""By the last layer in `frame.protocols`."""
TYPES = {0x88CC: "LLDP", 0x888E: "802.1X", 0x8863: "PPPoE discovery", 0x8864: "PPPoE", 0x8847: "MPLS"}
"""By EtherType, as IEEE 802 numbers them."""
FIELDS = ("frame.protocols", "tcp.srcport", "tcp.dstport", "udp.srcport", "udp.dstport", "eth.type", "ip.proto")


def kinds_of(captures: Sequence[Capture]) -> list[tuple[str, int]]:
    """What the first `MAX_LOOKED_AT` packets are, the most frequent first: words, and packets.

    Captures that cannot be read again are for nobody here. Raises what opening them raises.
    """
    found: Counter[str] = Counter()
    for packet in PacketReader(FIELDS).read_all(limited(open_records(captures), MAX_LOOKED_AT)):
        found[_kind(packet)] += 1
    told = found.most_common(MAX_KINDS)
    rest = found.total() - sum(number for _, number in told)
    if rest:
        told.append((f"{counted(len(found) - len(told), 'other kind')}", rest))
    return told


def _kind(packet: Packet) -> str:
    for transport in ("tcp", "udp"):
        ports = [*packet.values(f"{transport}.srcport"), *packet.values(f"{transport}.dstport")]
        if ports:
            port = next((each for each in ports if each in USED_BY), min(ports))
            name = USED_BY.get(port)
            return f"{transport.upper()} port {port}" + (f" ({name})" if name else "")
    last = str(next(iter(packet.values("frame.protocols")), "")).rpartition(":")[2]
    if last in NAMES:
        return NAMES[last]
    if last == "ip":
        numbers = packet.values("ip.proto")
        return f"IP protocol {numbers[-1]}" if numbers else "IPv4 cut in its header"
    types = packet.values("eth.type")
    return TYPES.get(types[-1], f"Ethernet type 0x{types[-1]:04x}") if types else "other frames without IP"
