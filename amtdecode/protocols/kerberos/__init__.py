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
from amtdecode.model import Event, Malformed, Statement, Truncated
from amtdecode.protocols.dissector import (
    MORE,
    NO,
    YES,
    Context,
    DatagramDissector,
    Dissector,
    Protocol,
    ReceiveBuffer,
    Verdict,
    gap_statement,
)
from amtdecode.protocols.gssapi import ERRORS, MESSAGES, SKEW, TO_KDC_DECLARED, Token, read_kdc_message

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amtdecode.model import Direction, End

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


class KerberosTcpDissector(Dissector):
    """Messages cut out of each direction by their lengths. After a gap the lengths are lost, and with them the rest."""

    all_of_them = False

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._inbox = (ReceiveBuffer(), ReceiveBuffer())
        self._lost = [False, False]

    def receive_data(self, direction: Direction, data: bytes) -> Iterable[Statement]:
        """The next bytes of a direction."""
        if self._lost[direction]:
            return ()
        inbox = self._inbox[direction]
        inbox.append(data)
        found: list[Statement] = []
        held, at = inbox.data, 0
        while at + LENGTH <= len(held):
            size = int.from_bytes(held[at : at + LENGTH], "big")
            if size > MAX_MESSAGE:
                what = Malformed(NAME, f"a message of {size} bytes", held[at : at + LENGTH])
                found.append(Statement(what, direction, inbox.start + at, inbox.start + at + LENGTH))
                at = len(held)
                self._give_up(direction)
                break
            end = at + LENGTH + size
            if end > len(held):
                break
            place = direction, inbox.start + at, inbox.start + end
            events = _events(held[at + LENGTH : end], all_of_them=self.all_of_them)
            found += [Statement(event, *place) for event in events]
            at = end
        inbox.consume(at)
        self.trim_to[direction] = inbox.start
        return found

    def _give_up(self, direction: Direction) -> None:
        self._lost[direction] = True
        self.finished = all(self._lost)

    def receive_gap(self, direction: Direction, size: int) -> Iterable[Statement]:
        """Where the next message begins is not known any more."""
        if self._lost[direction]:
            return ()
        start = self._inbox[direction].end
        self._inbox[direction].jump(size)
        self._give_up(direction)
        return (gap_statement(NAME, direction, start, size),)

    def receive_eof(self, direction: Direction, end: End) -> Iterable[Statement]:
        """A message that is cut by the end."""
        inbox = self._inbox[direction]
        if self._lost[direction] or not inbox.data:
            return ()
        missing = max(0, int.from_bytes(inbox.data[:LENGTH], "big") + LENGTH - len(inbox.data))
        what = Truncated(NAME, f"a message is cut: {end.value}", inbox.end, missing)
        return (Statement(what, direction, inbox.start, inbox.end),)


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
