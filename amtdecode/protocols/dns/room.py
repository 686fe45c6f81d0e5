"""Domain Name System: how a machine finds ProvisionServer, and how a server finds the machine's name.

Protocol    DNS, queries and responses
Transport   UDP and TCP port 53; over UDP each datagram is one message
First word  the client
Framing     over TCP each message is preceded by its length, 2 bytes
Byte order  big-endian
Source      RFC 1034, RFC 1035; Intel AMT Implementation and Reference Guide, "Setup Mode Hello Messages" (the name)
Limits      MAX_ANSWERS records of one message; names of 255 bytes; a TCP message is at most 65535 bytes by its framing
Not covered mDNS, LLMNR, NetBIOS names, DNS over TLS or HTTPS, dynamic updates, zone transfers; the authority and
            additional sections

Offices are full of DNS, so most messages are refused from their first bytes, before anything is decoded (0.4 to 0.9 µs
each). Stated are: questions whose first label begins with "provisionserver", and their responses; PTR questions and
responses; failures that do not repeat the question; and responses whose first answer gives the name asked for an
address from within a site (IANA special-purpose: private, shared, link-local, documentation), since a server that
looks up a machine before contacting it is of interest. Failures, names with public addresses, and those reached through
an alias, are refused unless they are ProvisionServer's, or those of a server that machines call (`ServerNames`: its
first label is `mps`, a call to AMT says it, or a machine connects there, `hindsight`). In a reading in which somebody
asks for `dns` or its fields, every message is stated (`Protocol.in_full`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.fields import declared_by
from amtdecode.protocols.dissector import (
    ANY_BYTE,
    MORE,
    NO,
    YES,
    Context,
    DatagramDissector,
    Protocol,
    Verdict,
)
from amtdecode.protocols.dns.hindsight import DnsHindsight, question_of
from amtdecode.protocols.dns.message import HEADER_SIZE, NAME, DnsMessage, of_interest, plausible
from amtdecode.protocols.prefixed import PrefixedDissector
from amtdecode.protocols.servers import ServerNames

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from amtdecode.fields import Field
    from amtdecode.model import Direction, Event, Statement

PORT = 53
PORTS = frozenset({PORT})


def _events(data: bytes) -> Iterable[Event]:
    from amtdecode.protocols.dns.message import read

    return read(data)


def _questions(context: Context) -> set[bytes]:
    """The names of servers that machines call, as far as they are known so far."""
    return context.memory.of(ServerNames).questions if context.memory is not None else set()


def _is_any(data: bytes) -> bool:  # noqa: ARG001
    """Where somebody asks for DNS, every message is of interest."""
    return True


class UdpDissector(DatagramDissector):
    """One message a datagram."""

    layer = NAME
    chosen = staticmethod(of_interest)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.questions = _questions(context)

    def events(self, data: bytes) -> Iterable[Event]:
        if self.chosen(data) or (self.questions and question_of(data) in self.questions):
            return _events(data)
        return ()

    def receive_gap(self, direction: Direction, size: int) -> Iterable[Statement]:  # noqa: ARG002
        """Of most messages the bytes that the capture does not hold would have been refused."""
        return ()


class FullUdpDissector(UdpDissector):
    """Every message."""

    chosen = staticmethod(_is_any)


class TcpDissector(PrefixedDissector):
    """Messages with their length in front."""

    name, prefix, most = NAME, 2, 0xFFFF
    chosen = staticmethod(of_interest)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.questions = _questions(context)

    def events(self, message: bytes) -> Iterable[Event]:
        return _events(message) if self.concerns(message) else ()

    def concerns(self, message: bytes) -> bool:
        return self.chosen(message) or (bool(self.questions) and question_of(message) in self.questions)


class FullTcpDissector(TcpDissector):
    """Every message."""

    chosen = staticmethod(_is_any)


def recognise_udp(data: bytes, direction: Direction, context: Context) -> Verdict:  # noqa: ARG001
    """Any plausible message on port 53; elsewhere only one that asks for ProvisionServer."""
    if context.client.port == PORT or context.server.port == PORT:
        return YES if plausible(data) else NO
    return YES if data[13:28].lower() == b"provisionserver" and plausible(data) else NO


def recognise_tcp(data: bytes, direction: Direction, context: Context) -> Verdict:  # noqa: ARG001
    """As over UDP, behind the length."""
    on_port = context.client.port == PORT or context.server.port == PORT
    wanted = 2 + HEADER_SIZE + (0 if on_port else 16)
    if len(data) < wanted:
        # header bytes that are there must already fit: opcode 0, and a length that holds a header
        fits = (len(data) < 5 or not data[4] & 0x78) and (len(data) < 2 or data[:2] >= b"\0\x0c")
        return MORE if fits and (on_port or len(data) < 8 or data[6:8] == b"\0\1") else NO
    if data[:2] < b"\0\x0c" or not plausible(data[2 : 2 + HEADER_SIZE]):
        return NO
    return YES if on_port or data[15:30].lower() == b"provisionserver" else NO


def recognise_every_udp(data: bytes, direction: Direction, context: Context) -> Verdict:
    """Whatever comes to port 53, of whatever kind; elsewhere as above."""
    on_port = PORT in (context.client.port, context.server.port)
    return YES if on_port else recognise_udp(data, direction, context)


def recognise_every_tcp(data: bytes, direction: Direction, context: Context) -> Verdict:
    """As over UDP, behind the length."""
    if PORT not in (context.client.port, context.server.port):
        return recognise_tcp(data, direction, context)
    if len(data) < 2:
        return MORE
    return YES if data[:2] >= b"\0\x0c" else NO


def fields() -> Sequence[Field]:
    """The room's part of the field catalogue."""
    return declared_by(DnsMessage)


DNS_UDP = Protocol(
    *(NAME, "udp", PORTS, recognise_udp, UdpDissector, fields),
    in_full=Protocol(NAME, "udp", PORTS, recognise_every_udp, FullUdpDissector, fields),
    hindsight=DnsHindsight,
)
_NO_OPCODE = frozenset(flags for flags in range(256) if not flags & 0x78)
# length, identifier, flags, and no more than one question
_OPENING = (*[ANY_BYTE] * 4, _NO_OPCODE, ANY_BYTE, ANY_BYTE, frozenset((0, 1)))
DNS_TCP = Protocol(
    *(NAME, "tcp", PORTS, recognise_tcp, TcpDissector, fields),
    openings=(_OPENING,),
    carries=False,
    in_full=Protocol(
        *(NAME, "tcp", PORTS, recognise_every_tcp, FullTcpDissector, fields), openings=(_OPENING,), carries=False
    ),
)
