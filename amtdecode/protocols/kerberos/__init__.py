"""Kerberos between clients and a KDC: whether a console gets a ticket for a machine.

Protocol    AS-REQ, AS-REP, TGS-REQ, TGS-REP, KRB-ERROR of Kerberos 5
Transport   UDP or TCP port 88
First word  the client; the KDC answers each request
Framing     UDP: each datagram is one message. TCP: 4 bytes of length in front of each
Byte order  DER (X.690)
Source      RFC 4120 sections 5.4, 5.9.1 and 7.2 (transports); `protocols/gssapi.py` reads the messages
Limits      MAX_MESSAGE bytes of one over TCP
Not covered what is encrypted; preauthentication, and the ticket in a TGS-REQ; kpasswd

Why it is here: a service principal name that the KDC does not know, or clocks apart, explain why Kerberos fails at AMT.
Offices are full of Kerberos. Unless somebody asks for it, only what concerns HTTP services, as AMT is one, is stated,
and that clocks are apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from amtdecode.fields import Fields, declared_by, reader
from amtdecode.model import Event, Malformed
from amtdecode.protocols.dissector import (
    MORE,
    NO,
    YES,
    Context,
    DatagramDissector,
    Protocol,
    Verdict,
)
from amtdecode.protocols.gssapi import ERRORS, MESSAGES, SKEW, TO_KDC_DECLARED, Token, read_kdc_message
from amtdecode.protocols.prefixed import PrefixedDissector

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amtdecode.model import Direction, Statement
    from amtdecode.tree import Node

NAME = "kerberos"
PORT = 88
TAGS = frozenset((0x6A, 0x6B, 0x6C, 0x6D, 0x7E))  # APPLICATION 10 to 13 and 30, constructed
LENGTH = 4  # bytes in front of a message over TCP (RFC 4120 section 7.2.2)
MAX_MESSAGE = 65_536  # bytes; tickets with many groups have some 12,000 (MaxTokenSize of Windows: 48,000)


_fields_of = reader(TO_KDC_DECLARED)


class KerberosMessage(Event, frozen=True, gc=False):
    """One message of a client to its KDC, or of the KDC."""

    protocol: ClassVar[str] = NAME
    declared: ClassVar[Fields] = TO_KDC_DECLARED
    token: Token

    @property
    def error(self) -> int | None:
        """The code of a KRB-ERROR."""
        return self.token.error

    @property
    def spn(self) -> str:
        """The service principal name, as `HTTP/desk.example.com:16992`."""
        return self.token.spn

    @property
    def realm(self) -> str:
        """Of the service."""
        return self.token.realm

    @property
    def skew(self) -> int | None:
        """Seconds by which the KDC's clock is ahead of the client's, where an error tells both."""
        return self.token.skew

    def fields(self) -> dict[str, Any]:
        """Those of the message itself; tshark adds those of preauthentication."""
        return _fields_of(self.token)

    def tree(self, pdu: bytes) -> tuple[Node, ...]:
        """Read the message into its elements."""
        from amtdecode.protocols.kerberos.spec import tree

        return tree(pdu)

    def summary(self) -> str:
        token = self.token
        said = f"Kerberos {MESSAGES[token.message]}"
        if token.error is not None:
            said += f" {token.error}: {ERRORS.get(token.error, 'error')}"
        who = f" by {'/'.join(token.client)}" if token.client else ""
        return f"{said}, for {token.spn or 'no service'}{who}, realm {token.realm}"


def _events(data: bytes, *, all_of_them: bool) -> list[Event]:
    token = read_kdc_message(data)
    if token is None:
        return [Malformed(NAME, "not to be read as Kerberos", data[:64])] if all_of_them else []
    concerns = token.error == SKEW or (token.service[:1] and token.service[0].upper() == "HTTP")
    return [KerberosMessage(token)] if all_of_them or concerns else []


class KerberosUdpDissector(DatagramDissector):
    """One message a datagram."""

    layer = NAME
    all_of_them = False

    def events(self, data: bytes) -> Iterable[Event]:
        return _events(data, all_of_them=self.all_of_them)

    def receive_gap(self, direction: Direction, size: int) -> Iterable[Statement]:  # noqa: ARG002
        """Of most messages the bytes that the capture does not hold would have said nothing."""
        return ()


class KerberosTcpDissector(PrefixedDissector):
    """Messages with their length in front."""

    name, prefix, most = NAME, LENGTH, MAX_MESSAGE
    all_of_them = False

    def events(self, message: bytes) -> Iterable[Event]:
        return _events(message, all_of_them=self.all_of_them)


class FullUdpDissector(KerberosUdpDissector):
    """Every message."""

    all_of_them = True


class FullTcpDissector(KerberosTcpDissector):
    """Every message."""

    all_of_them = True


def recognise_udp(data: bytes, direction: Direction, context: Context) -> Verdict:  # noqa: ARG001
    """On port 88 alone, by the first tag."""
    on_port = PORT in (context.client.port, context.server.port)
    return YES if context.transport == "udp" and on_port and data[:1] and data[0] in TAGS else NO


def recognise_tcp(data: bytes, direction: Direction, context: Context) -> Verdict:  # noqa: ARG001
    """As over UDP, behind the length."""
    on_port = PORT in (context.client.port, context.server.port)
    if context.transport != "tcp" or not on_port or data[:1] not in (b"", b"\0"):
        return NO
    if len(data) <= LENGTH:
        return MORE
    return YES if data[LENGTH] in TAGS else NO


_UDP = Protocol(
    *(NAME, "udp", frozenset({PORT}), recognise_udp, KerberosUdpDissector),
    lambda: declared_by(KerberosMessage),
    carries=False,
)
_TCP = _UDP._replace(transport="tcp", recognise=recognise_tcp, dissector=KerberosTcpDissector, openings=())
KERBEROS_UDP = _UDP._replace(in_full=_UDP._replace(dissector=FullUdpDissector))
KERBEROS_TCP = _TCP._replace(in_full=_TCP._replace(dissector=FullTcpDissector))
