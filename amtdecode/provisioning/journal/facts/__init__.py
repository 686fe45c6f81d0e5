"""What a journal keeps of each event: the few values that the fold asks for, in its words, and no secret.

A class stands in for the event it is kept of: it has the attributes that the function of `fold` reads. Values are
written in the order of the fields, so a change of them is another `VERSION`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amtdecode.provisioning.journal.facts.apf import (
    ApfMessage,
    BeyondWindow,
    ChannelOpen,
    ChannelOpenFailure,
    Disconnect,
    GlobalRequest,
    Keepalive,
    KeepaliveOptions,
    ProtocolVersion,
    RequestFailure,
    RequestSuccess,
    ServiceRequest,
    UserauthFailure,
    UserauthRequest,
    UserauthSuccess,
)
from amtdecode.provisioning.journal.facts.hello import Hello, HelloAnswer, PartialHello
from amtdecode.provisioning.journal.facts.http import Call, HttpRequest, HttpResponse, LoginLoop
from amtdecode.provisioning.journal.facts.leases import Dhcp, Dhcpv6, Dns
from amtdecode.provisioning.journal.facts.network import Arp, Comment, Connection, Fault, Health, IcmpError, Names
from amtdecode.provisioning.journal.facts.port import Eap, Lldp
from amtdecode.provisioning.journal.facts.redir import (
    Redir,
    RedirAnswer,
    RedirLogin,
    RedirStarted,
    SolControls,
    SolData,
)
from amtdecode.provisioning.journal.facts.rmcp import Kdc, Pong, Rmcp, RmcpSession, Trap
from amtdecode.provisioning.journal.facts.tls import (
    Alert,
    ApplicationData,
    Certificate,
    CertificateRequest,
    CertificateVerify,
    ChangeCipherSpec,
    ClientHello,
    ClientKeyExchange,
    EncryptedAlert,
    EncryptedHandshake,
    ServerHello,
    TlsHandshake,
)

if TYPE_CHECKING:
    from amtdecode.provisioning.fold.dispatch import Handlers
    from amtdecode.provisioning.journal.kept import Kept

VERSION = 2
SEEN_ANYWAY = frozenset(("dns", "dhcp", "dhcpv6", "arp"))

Fact = (
    Connection | Fault | Health | Comment | Names | IcmpError | Arp | Dhcp | Dhcpv6 | Dns | Hello | PartialHello
    | HelloAnswer | ClientHello | ServerHello | Certificate | CertificateRequest | ClientKeyExchange
    | CertificateVerify | ChangeCipherSpec | Alert | EncryptedAlert | ApplicationData | TlsHandshake
    | EncryptedHandshake | HttpRequest | HttpResponse | LoginLoop | Call | Rmcp | Pong | RmcpSession | Trap | Kdc | Eap
    | Lldp | Redir | RedirLogin | RedirAnswer | RedirStarted | SolControls | SolData | ApfMessage | ProtocolVersion
    | ServiceRequest | UserauthRequest | UserauthFailure | UserauthSuccess | GlobalRequest | RequestSuccess
    | RequestFailure | ChannelOpen | ChannelOpenFailure | BeyondWindow | Disconnect | Keepalive | KeepaliveOptions
)  # fmt: skip
"""All of them."""


def kept(handlers: Handlers, event: Any, seen: set[str]) -> Kept | None:
    """What is kept of an event; `None`: nothing, though `seen` is told of protocols of which there was some."""
    name = handlers.kept_of(type(event))
    if not name:
        return None
    kind: type[Kept] = globals()[name]
    said = kind.of(event)
    if said is None and kind.protocol in SEEN_ANYWAY:
        seen.add(kind.protocol)
    return said
