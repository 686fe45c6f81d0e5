"""The event classes, by name: all that a room, or the capture itself, states.

`amtdecode.HelloMessage` and its like come from here; this module loads every room, so it is loaded when first asked.
"""

from amtdecode.capture.health import Health
from amtdecode.capture.pcapng import Comment, DecryptionSecrets, NameResolution
from amtdecode.flow.events import Connection
from amtdecode.model import (
    ChannelClosed,
    ChannelGap,
    ChannelOpened,
    Event,
    Gap,
    LimitReached,
    Malformed,
    Note,
    Payload,
    Truncated,
    Unrecognised,
)
from amtdecode.net.icmp import IcmpError
from amtdecode.protocols.arp import ArpMessage
from amtdecode.protocols.dhcp.v4 import DhcpMessage
from amtdecode.protocols.dhcp.v6 import Dhcpv6Message
from amtdecode.protocols.dns.message import DnsMessage
from amtdecode.protocols.hello.answers import HelloAnswer
from amtdecode.protocols.hello.messages import HelloMessage, PartialHello
from amtdecode.protocols.http.events import AuthenticationLoop, HttpMessage, HttpRequest, HttpResponse
from amtdecode.protocols.pet.trap import PlatformEvent
from amtdecode.protocols.rmcp.messages import (
    AsfCapabilities,
    AsfControl,
    AsfMessage,
    AsfPong,
    AsfRakp,
    AsfSession,
    AsfState,
    RmcpMessage,
)
from amtdecode.protocols.soap.events import Call, SoapFault, SoapMessage, SoapRequest, SoapResponse
from amtdecode.protocols.tls.events import (
    Alert,
    ApplicationData,
    ChangeCipherSpec,
    Decryption,
    EncryptedAlert,
    EncryptedHandshake,
    Heartbeat,
    TlsHandshake,
)
from amtdecode.protocols.tls.hellos import ClientHello, Handshake, HelloRequest, ServerHello
from amtdecode.protocols.tls.messages import (
    Certificate,
    CertificateRequest,
    CertificateStatus,
    CertificateVerify,
    ClientKeyExchange,
    EncryptedExtensions,
    Finished,
    KeyUpdate,
    NewSessionTicket,
    OtherHandshake,
    ServerHelloDone,
    ServerKeyExchange,
)

__all__ = [
    "Alert",
    "ApplicationData",
    "ArpMessage",
    "AsfCapabilities",
    "AsfControl",
    "AsfMessage",
    "AsfPong",
    "AsfRakp",
    "AsfSession",
    "AsfState",
    "AuthenticationLoop",
    "Call",
    "Certificate",
    "CertificateRequest",
    "CertificateStatus",
    "CertificateVerify",
    "ChangeCipherSpec",
    "ChannelClosed",
    "ChannelGap",
    "ChannelOpened",
    "ClientHello",
    "ClientKeyExchange",
    "Comment",
    "Connection",
    "Decryption",
    "DecryptionSecrets",
    "DhcpMessage",
    "Dhcpv6Message",
    "DnsMessage",
    "EncryptedAlert",
    "EncryptedExtensions",
    "EncryptedHandshake",
    "Event",
    "Finished",
    "Gap",
    "Handshake",
    "Health",
    "Heartbeat",
    "HelloAnswer",
    "HelloMessage",
    "HelloRequest",
    "HttpMessage",
    "HttpRequest",
    "HttpResponse",
    "IcmpError",
    "KeyUpdate",
    "LimitReached",
    "Malformed",
    "NameResolution",
    "NewSessionTicket",
    "Note",
    "OtherHandshake",
    "PartialHello",
    "Payload",
    "PlatformEvent",
    "RmcpMessage",
    "ServerHello",
    "ServerHelloDone",
    "ServerKeyExchange",
    "SoapFault",
    "SoapMessage",
    "SoapRequest",
    "SoapResponse",
    "TlsHandshake",
    "Truncated",
    "Unrecognised",
]
