"""TLS: the protection of AMT's SOAP, redirection and remote access traffic.

Protocol      SSL 3.0 to TLS 1.3, hellos framed as SSL 2.0
Transport     TCP: 16993 and 16995 (AMT listens, the setup and configuration application connects), 664 (DASH),
              4433 (AMT connects to a management presence server); told by content on any port
First         the TLS client, who sends the ClientHello: the role comes from that, not from who opened the connection
Framing       records: content type (1), version (2), length (2), fragment; big endian. Handshake messages inside:
              type (1), length (3), body, over as many records as it takes
Sources       RFC 6101 (SSL 3.0), 2246, 4346, 5246 (TLS 1.0 to 1.2), 8446 (TLS 1.3), 4279 (PSK), 5077 (tickets), 6066,
              7366, 7627; IANA's registries (registry/)
Limits        MAX_HANDSHAKE, MAX_CANDIDATES, MAX_SESSIONS, HANDSHAKE_PROOF
Not covered   SSL 2.0 beyond its hello, DTLS, compressed records (DEFLATE), compressed certificates, secrets of
              Diffie-Hellman without a key log. Anybody's TLS (not on AMT's ports, without PSK and client certificate,
              no keys given) is left once its handshake is complete: no totals, alerts, renegotiations, gaps after that

__init__.py      recognition, registry entry      framing.py     records cut out, boundaries found again
record_header.py the measures of records
handshake_framing.py  messages cut out of records connection_state.py  what one end sends
dissector.py     what records and messages mean   progress.py    which message must come next
handshake_keys.py     keys put to use
hellos.py        ClientHello, ServerHello         messages.py    the other handshake messages
extensions.py    extensions of all of them        reading.py     from bytes to messages
events.py        alerts, protected records, how a handshake went
certificates/    X.509, read strictly or leniently; chains
session.py       what a handshake agreed on       session13.py   secrets of TLS 1.3
decryption.py    which key fits a handshake       memory.py      what the connections of a run share
crypto/          derivation, ciphers              registry/      names of code points
fields.py        fields that events share         catalogue.py   all fields
null_cipher.py   suites that encrypt nothing
spec.py          all messages declared: the reference reader, and `tree()`
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from amtdecode import ports
from amtdecode.protocols.dissector import ANY_BYTE, MORE, NO, YES, Context, Protocol, Verdict, literal
from amtdecode.protocols.tls.record_header import DATA

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amtdecode.fields import Field as Field
    from amtdecode.model import Direction
    from amtdecode.protocols.dissector import Dissector

PORTS = ports.MACHINE_TLS | {ports.CIRA}

_NEED = 11  # bytes that decide: record header, handshake header, version
_MAX_LENGTH = 18432  # RFC 5246, section 6.2.3


def recognise(data: bytes, direction: Direction, context: Context) -> Verdict:  # noqa: ARG001 (roles come later)
    """Recognise a ClientHello or ServerHello on any port, and any record header on AMT's ports."""
    if not data:
        return MORE
    if data[0] & 0x80:
        return _ssl2(data)
    on_amt_port = context.server.port in PORTS or context.client.port in PORTS
    if not _fits(data, any_kind=on_amt_port):
        return NO
    if len(data) < 5:
        return MORE
    if on_amt_port:
        return YES
    if len(data) < _NEED:
        return MORE
    return YES if data[9] in {0x03, 0x7F} else NO


def _fits(data: bytes, *, any_kind: bool) -> bool:
    """Whether the bytes there are begin a record: a hello, or of any kind."""
    size = len(data)
    if not (20 <= data[0] <= 24 if any_kind else data[0] == 22):
        return False
    if size >= 2 and data[1] != 3:
        return False
    if size >= 3 and data[2] > 4:
        return False
    if size >= 5 and data[3] << 8 | data[4] > _MAX_LENGTH:
        return False
    if any_kind:
        return True
    # a hello: type 1 or 2, a length under 2^16 mostly (hellos of megabytes do not exist)
    return (size < 6 or data[5] in {1, 2}) and (size < 7 or data[6] == 0)


def _ssl2(data: bytes) -> Verdict:
    """Recognise a ClientHello framed as SSL 2.0 (RFC 5246, appendix E.2): all its sizes must add up."""
    if len(data) >= 3 and data[2] != 1:
        return NO
    if len(data) >= 4 and data[3] not in {0, 3}:
        return NO
    if len(data) < 11:
        return MORE
    size = (data[0] & 0x7F) << 8 | data[1]
    version, suites, session, challenge = (data[at] << 8 | data[at + 1] for at in (3, 5, 7, 9))
    fits = (
        (version == 0x0002 or 0x0300 <= version <= 0x0304)
        and suites % 3 == 0
        and suites > 0
        and session in {0, 16}
        and 16 <= challenge <= 32
        and size == 9 + suites + session + challenge
    )
    return YES if fits else NO


@cache
def _dissectors() -> type[Dissector]:
    from amtdecode.protocols.tls.dissector import TlsDissector

    return TlsDissector


def _dissector(context: Context) -> Dissector:
    return _dissectors()(context)


def _fields() -> Sequence[Field]:
    from amtdecode.protocols.tls.catalogue import FIELDS

    return FIELDS


_OPENINGS = (
    (*literal(b"\x16\x03"), frozenset(range(5)), ANY_BYTE, ANY_BYTE, frozenset((1, 2)), frozenset((0,))),
    (frozenset(range(0x80, 0x100)), ANY_BYTE, frozenset((1,)), frozenset((0, 3))),  # SSL 2.0
)

TLS = Protocol(
    "tls",
    "tcp",
    PORTS,
    recognise,
    _dissector,
    _fields,
    openings=_OPENINGS,
    record_header=DATA,
)
