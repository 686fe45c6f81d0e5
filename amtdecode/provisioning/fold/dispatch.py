"""Which event is taken by whom."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from amtdecode.capture.health import Health
from amtdecode.flow.events import Connection
from amtdecode.model import Event, Gap, Malformed, Observation, Truncated, Unrecognised
from amtdecode.net.icmp import IcmpError
from amtdecode.protocols.arp import ArpMessage
from amtdecode.protocols.dhcp.v4 import DhcpMessage
from amtdecode.protocols.dhcp.v6 import Dhcpv6Message
from amtdecode.protocols.dns.message import DnsMessage
from amtdecode.protocols.hello import HelloAnswer, HelloMessage, PartialHello
from amtdecode.protocols.http.events import AuthenticationLoop, HttpRequest, HttpResponse
from amtdecode.protocols.soap.events import Call
from amtdecode.protocols.tls.events import (
    Alert,
    ApplicationData,
    ChangeCipherSpec,
    EncryptedAlert,
    EncryptedHandshake,
    TlsHandshake,
)
from amtdecode.protocols.tls.hellos import ClientHello, ServerHello
from amtdecode.protocols.tls.messages import Certificate, CertificateRequest, CertificateVerify, ClientKeyExchange
from amtdecode.provisioning.fold import arp, calls, connections, dhcp, dns, health, hello, http, icmp, tls
from amtdecode.provisioning.machines import Machines

AnEvent = TypeVar("AnEvent", bound=Event)
Handler = Callable[[Machines, Observation, Event], None]


class Handlers:
    """Functions by the type of event they take. A subclass is taken as its base, unless it has its own."""

    def __init__(self) -> None:
        self._by_type: dict[type[Event], Handler | None] = {}

    def on(self, kind: type[AnEvent], take: Callable[[Machines, Observation, AnEvent], None]) -> None:
        """Events of this type go to this function."""
        self._by_type[kind] = cast("Handler", take)

    def of(self, kind: type[Event]) -> Handler | None:
        """The function that takes events of this type; `None` when nobody needs them."""
        try:
            return self._by_type[kind]
        except KeyError:
            known = (self._by_type[base] for base in kind.__mro__ if base in self._by_type)
            handler = self._by_type[kind] = next(known, None)
            return handler


def handlers() -> Handlers:
    """All of them."""
    table = Handlers()
    table.on(HelloMessage, hello.take_hello)
    table.on(PartialHello, hello.take_beginning)
    table.on(HelloAnswer, hello.take_answer)
    table.on(Malformed, hello.take_malformed)
    table.on(Truncated, hello.take_malformed)
    table.on(Gap, hello.take_malformed)
    table.on(Health, health.take_health)
    table.on(Connection, connections.take_connection)
    table.on(Unrecognised, connections.take_unrecognised)
    table.on(ClientHello, tls.take_client_hello)
    table.on(ServerHello, tls.take_server_hello)
    table.on(Certificate, tls.take_certificate)
    table.on(CertificateRequest, tls.take_certificate_request)
    table.on(ClientKeyExchange, tls.take_client_key_exchange)
    table.on(CertificateVerify, tls.take_certificate_verify)
    table.on(ChangeCipherSpec, tls.take_change_cipher_spec)
    table.on(Alert, tls.take_alert)
    table.on(EncryptedAlert, tls.take_encrypted_alert)
    table.on(ApplicationData, tls.take_application_data)
    table.on(TlsHandshake, tls.take_handshake)
    table.on(EncryptedHandshake, tls.take_encrypted_handshake)
    table.on(HttpRequest, http.take_request)
    table.on(HttpResponse, http.take_response)
    table.on(AuthenticationLoop, http.take_login_loop)
    table.on(Call, calls.take_call)
    table.on(DhcpMessage, dhcp.take_dhcp)
    table.on(Dhcpv6Message, dhcp.take_dhcpv6)
    table.on(DnsMessage, dns.take_dns)
    table.on(ArpMessage, arp.take_arp)
    table.on(IcmpError, icmp.take_icmp)
    return table
