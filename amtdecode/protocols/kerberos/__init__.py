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

from typing import TYPE_CHECKING

from amtdecode.late import late
from amtdecode.protocols.dissector import (
    MORE,
    NO,
    YES,
    Context,
    DatagramDissector,
    Protocol,
    Verdict,
)
from amtdecode.protocols.kerberos.names import NAME
from amtdecode.protocols.prefixed import PrefixedDissector

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from amtdecode.fields import Field
    from amtdecode.model import Direction, Event, Statement
    from amtdecode.protocols.kerberos.message import KerberosMessage

__all__ = ["KERBEROS_TCP", "KERBEROS_UDP", "KerberosMessage"]

__getattr__ = late(__name__, message="KerberosMessage")

PORT = 88
TAGS = frozenset((0x6A, 0x6B, 0x6C, 0x6D, 0x7E))  # APPLICATION 10 to 13 and 30, constructed
LENGTH = 4  # bytes in front of a message over TCP (RFC 4120 section 7.2.2)
MAX_MESSAGE = 65_536  # bytes; tickets with many groups have some 12,000 (MaxTokenSize of Windows: 48,000)


class KerberosUdpDissector(DatagramDissector):
    """One message a datagram."""

    layer = NAME
    all_of_them = False

    def events(self, data: bytes) -> Iterable[Event]:
        from amtdecode.protocols.kerberos.message import events

        return events(data, all_of_them=self.all_of_them)

    def receive_gap(self, direction: Direction, size: int) -> Iterable[Statement]:  # noqa: ARG002
        """Of most messages the bytes that the capture does not hold would have said nothing."""
        return ()


class KerberosTcpDissector(PrefixedDissector):
    """Messages with their length in front."""

    name, prefix, most = NAME, LENGTH, MAX_MESSAGE
    all_of_them = False

    def events(self, message: bytes) -> Iterable[Event]:
        from amtdecode.protocols.kerberos.message import events

        return events(message, all_of_them=self.all_of_them)


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


def _fields() -> Sequence[Field]:
    from amtdecode.fields import declared_by
    from amtdecode.protocols.kerberos.message import KerberosMessage

    return declared_by(KerberosMessage)


_UDP = Protocol(NAME, "udp", frozenset({PORT}), recognise_udp, KerberosUdpDissector, _fields, carries=False)
_TCP = _UDP._replace(transport="tcp", recognise=recognise_tcp, dissector=KerberosTcpDissector, openings=())
KERBEROS_UDP = _UDP._replace(in_full=_UDP._replace(dissector=FullUdpDissector))
KERBEROS_TCP = _TCP._replace(in_full=_TCP._replace(dissector=FullTcpDissector))
