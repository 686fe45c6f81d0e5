"""All rooms, in one literal tuple. The order decides only where content and ports leave a tie."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.protocols.apf import APF
from amtdecode.protocols.arp import ARP
from amtdecode.protocols.dhcp import DHCP, DHCPV6
from amtdecode.protocols.dns import DNS_TCP, DNS_UDP
from amtdecode.protocols.eapol import EAPOL
from amtdecode.protocols.hello import HELLO
from amtdecode.protocols.http import HTTP
from amtdecode.protocols.kerberos import KERBEROS_TCP, KERBEROS_UDP
from amtdecode.protocols.lldp import LLDP
from amtdecode.protocols.pet import PET
from amtdecode.protocols.redir import REDIR
from amtdecode.protocols.rmcp import RMCP
from amtdecode.protocols.soap import SOAP
from amtdecode.protocols.tls import TLS
from amtdecode.protocols.vnc import VNC

if TYPE_CHECKING:
    from amtdecode.protocols.dissector import Protocol

REGISTRY: tuple[Protocol, ...] = (
    HELLO,
    TLS,
    HTTP,
    SOAP,
    APF,
    REDIR,
    VNC,
    DHCP,
    DHCPV6,
    DNS_UDP,
    DNS_TCP,
    KERBEROS_UDP,
    KERBEROS_TCP,
    RMCP,
    PET,
    ARP,
    EAPOL,
    LLDP,
)
