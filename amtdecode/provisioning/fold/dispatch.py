"""Which event is taken by whom."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from amtdecode.flow.events import Connection
from amtdecode.model import Event, Gap, Malformed, Observation, Truncated
from amtdecode.net.icmp import IcmpError
from amtdecode.provisioning.machines import Machines

AnEvent = TypeVar("AnEvent", bound=Event)
Handler = Callable[[Machines, Observation, Event], None]


class Handlers:
    """Functions by the type of event they take. A subclass is taken as its base, unless it has its own.

    What a protocol's events need is loaded with the first of them: most captures have few protocols.
    """

    def __init__(self) -> None:
        self._by_type: dict[type[Event], Handler | None] = {}
        self._kept: dict[type[Event], str] = {}
        self._by_kept: dict[str, Handler] = {}
        self._not_loaded = dict(PROTOCOLS)

    def on(self, kind: type[AnEvent], take: Callable[[Machines, Observation, AnEvent], None], keep: str) -> None:
        """Events of this type go to this function. `keep`: the class in `journal.facts` of what a journal keeps."""
        self._by_type[kind] = self._by_kept[keep] = cast("Handler", take)
        self._kept[kind] = keep

    def of(self, kind: type[Event]) -> Handler | None:
        """The function that takes events of this type; `None` when nobody needs them."""
        try:
            return self._by_type[kind]
        except KeyError:
            return self._first_of(kind)

    def _first_of(self, kind: type[Event]) -> Handler | None:
        bases = [base for base in kind.__mro__ if issubclass(base, Event)]
        for base in bases:
            if (register := self._not_loaded.pop(base.protocol, None)) is not None:
                register(self)
        known = next((base for base in bases if base in self._by_type), None)
        handler = self._by_type[kind] = None if known is None else self._by_type[known]
        if known is not None:
            self._kept[kind] = self._kept[known]
        return handler

    def kept_of(self, kind: type[Event]) -> str:
        """The name of what a journal keeps of events of this type; "" when nobody needs them."""
        return self._kept.get(kind, "") if self.of(kind) is not None else ""

    def of_kept(self, name: str, protocol: str) -> Handler:
        """The function that takes the events of which this is kept."""
        if name not in self._by_kept and (register := self._not_loaded.pop(protocol, None)) is not None:
            register(self)
        return self._by_kept[name]


def _register_any(table: Handlers) -> None:
    from amtdecode.provisioning.fold import hello

    table.on(Malformed, hello.take_malformed, "Fault")
    table.on(Truncated, hello.take_malformed, "Fault")
    table.on(Gap, hello.take_malformed, "Fault")


def _register_tcp(table: Handlers) -> None:
    from amtdecode.provisioning.fold import connections

    table.on(Connection, connections.take_connection, "Connection")


def _register_health(table: Handlers) -> None:
    from amtdecode.capture.health import Health
    from amtdecode.provisioning.fold import health

    table.on(Health, health.take_health, "Health")


def _register_remarks(table: Handlers) -> None:
    from amtdecode.capture.pcapng import Comment, NameResolution
    from amtdecode.provisioning.fold import remarks

    table.on(Comment, remarks.take_comment, "Comment")
    table.on(NameResolution, remarks.take_names, "Names")


def _register_icmp(table: Handlers) -> None:
    from amtdecode.provisioning.fold import icmp

    table.on(IcmpError, icmp.take_icmp, "IcmpError")


def _register_hello(table: Handlers) -> None:
    from amtdecode.protocols.hello import HelloAnswer, HelloMessage, PartialHello
    from amtdecode.provisioning.fold import hello

    table.on(HelloMessage, hello.take_hello, "Hello")
    table.on(PartialHello, hello.take_beginning, "PartialHello")
    table.on(HelloAnswer, hello.take_answer, "HelloAnswer")


def _register_tls(table: Handlers) -> None:
    from amtdecode.protocols.tls import events, hellos, messages
    from amtdecode.provisioning.fold import tls

    table.on(hellos.ClientHello, tls.take_client_hello, "ClientHello")
    table.on(hellos.ServerHello, tls.take_server_hello, "ServerHello")
    table.on(messages.Certificate, tls.take_certificate, "Certificate")
    table.on(messages.CertificateRequest, tls.take_certificate_request, "CertificateRequest")
    table.on(messages.ClientKeyExchange, tls.take_client_key_exchange, "ClientKeyExchange")
    table.on(messages.CertificateVerify, tls.take_certificate_verify, "CertificateVerify")
    table.on(events.ChangeCipherSpec, tls.take_change_cipher_spec, "ChangeCipherSpec")
    table.on(events.Alert, tls.take_alert, "Alert")
    table.on(events.EncryptedAlert, tls.take_encrypted_alert, "EncryptedAlert")
    table.on(events.ApplicationData, tls.take_application_data, "ApplicationData")
    table.on(events.TlsHandshake, tls.take_handshake, "TlsHandshake")
    table.on(events.EncryptedHandshake, tls.take_encrypted_handshake, "EncryptedHandshake")


def _register_http(table: Handlers) -> None:
    from amtdecode.protocols.http.events import AuthenticationLoop, HttpRequest, HttpResponse
    from amtdecode.provisioning.fold import http

    table.on(HttpRequest, http.take_request, "HttpRequest")
    table.on(HttpResponse, http.take_response, "HttpResponse")
    table.on(AuthenticationLoop, http.take_login_loop, "LoginLoop")


def _register_soap(table: Handlers) -> None:
    from amtdecode.protocols.soap.events import Call
    from amtdecode.provisioning.fold import calls

    table.on(Call, calls.take_call, "Call")


def _register_dhcp(table: Handlers) -> None:
    from amtdecode.protocols.dhcp.v4 import DhcpMessage
    from amtdecode.provisioning.fold import dhcp

    table.on(DhcpMessage, dhcp.take_dhcp, "Dhcp")


def _register_dhcpv6(table: Handlers) -> None:
    from amtdecode.protocols.dhcp.v6 import Dhcpv6Message
    from amtdecode.provisioning.fold import dhcp

    table.on(Dhcpv6Message, dhcp.take_dhcpv6, "Dhcpv6")


def _register_dns(table: Handlers) -> None:
    from amtdecode.protocols.dns.message import DnsMessage
    from amtdecode.provisioning.fold import dns

    table.on(DnsMessage, dns.take_dns, "Dns")


def _register_arp(table: Handlers) -> None:
    from amtdecode.protocols.arp import ArpMessage
    from amtdecode.provisioning.fold import arp

    table.on(ArpMessage, arp.take_arp, "Arp")


def _register_eapol(table: Handlers) -> None:
    from amtdecode.protocols.eapol import EapMessage
    from amtdecode.provisioning.fold import eapol

    table.on(EapMessage, eapol.take_eap, "Eap")


def _register_lldp(table: Handlers) -> None:
    from amtdecode.protocols.lldp import LldpMessage
    from amtdecode.provisioning.fold import eapol

    table.on(LldpMessage, eapol.take_lldp, "Lldp")


def _register_kerberos(table: Handlers) -> None:
    from amtdecode.protocols.kerberos import KerberosMessage
    from amtdecode.provisioning.fold import kerberos

    table.on(KerberosMessage, kerberos.take_kerberos, "Kdc")


def _register_rmcp(table: Handlers) -> None:
    from amtdecode.protocols.rmcp import AsfMessage, AsfPong, AsfRakp, AsfSession
    from amtdecode.provisioning.fold import rmcp

    table.on(AsfMessage, rmcp.take_message, "Rmcp")
    table.on(AsfPong, rmcp.take_pong, "Pong")
    table.on(AsfSession, rmcp.take_session, "RmcpSession")
    table.on(AsfRakp, rmcp.take_session, "RmcpSession")


def _register_redir(table: Handlers) -> None:
    from amtdecode.protocols.redir import messages
    from amtdecode.provisioning.fold import redir

    table.on(messages.RedirMessage, redir.take_message, "Redir")
    table.on(messages.RedirLogin, redir.take_login, "RedirLogin")
    table.on(messages.RedirAnswer, redir.take_answer, "RedirAnswer")
    table.on(messages.RedirStarted, redir.take_started, "RedirStarted")
    table.on(messages.SolStarted, redir.take_started, "RedirStarted")
    table.on(messages.IderOpened, redir.take_started, "RedirStarted")
    table.on(messages.SolControls, redir.take_controls, "SolControls")
    table.on(messages.SolData, redir.take_console, "SolData")


def _register_pet(table: Handlers) -> None:
    from amtdecode.protocols.pet import PlatformEvent
    from amtdecode.provisioning.fold import rmcp

    table.on(PlatformEvent, rmcp.take_trap, "Trap")


def _register_apf(table: Handlers) -> None:
    from amtdecode.protocols.apf import events as e
    from amtdecode.provisioning.fold import apf

    table.on(e.ApfMessage, apf.take_message, "ApfMessage")
    table.on(e.ProtocolVersion, apf.take_version, "ProtocolVersion")
    table.on(e.ServiceRequest, apf.take_service, "ServiceRequest")
    table.on(e.UserauthRequest, apf.take_login, "UserauthRequest")
    table.on(e.UserauthFailure, apf.take_refusal, "UserauthFailure")
    table.on(e.UserauthSuccess, apf.take_acceptance, "UserauthSuccess")
    table.on(e.GlobalRequest, apf.take_request, "GlobalRequest")
    table.on(e.RequestSuccess, apf.take_granted, "RequestSuccess")
    table.on(e.RequestFailure, apf.take_denied, "RequestFailure")
    table.on(e.ChannelOpenConfirmation, apf.take_open, "ChannelOpen")
    table.on(e.ChannelOpenFailure, apf.take_open_failure, "ChannelOpenFailure")
    table.on(e.BeyondWindow, apf.take_beyond, "BeyondWindow")
    table.on(e.Disconnect, apf.take_disconnect, "Disconnect")
    table.on(e.KeepaliveRequest, apf.take_keepalive, "Keepalive")
    table.on(e.KeepaliveReply, apf.take_keepalive, "Keepalive")
    table.on(e.KeepaliveOptionsRequest, apf.take_options, "KeepaliveOptions")


PROTOCOLS: dict[str, Callable[[Handlers], None]] = {
    # by `protocol` of the events; "" is that of events which any protocol may have
    "": _register_any,
    "tcp": _register_tcp,
    "capture": _register_health,
    "pcapng": _register_remarks,
    "icmp": _register_icmp,
    "iamt.hello": _register_hello,
    "tls": _register_tls,
    "iamt.apf": _register_apf,
    "http": _register_http,
    "iamt.soap": _register_soap,
    "dhcp": _register_dhcp,
    "dhcpv6": _register_dhcpv6,
    "dns": _register_dns,
    "arp": _register_arp,
    "eapol": _register_eapol,
    "kerberos": _register_kerberos,
    "lldp": _register_lldp,
    "rmcp": _register_rmcp,
    "snmp": _register_pet,
    "iamt.redir": _register_redir,
}
