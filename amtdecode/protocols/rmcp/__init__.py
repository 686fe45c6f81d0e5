"""RMCP and ASF 2.0: pings that ask who answers, power and boot commands, sessions of their own; IPMI is only named.

Protocol    RMCP with ASF messages inside; the pong of Intel AMT, which says port, version and state
Transport   UDP 623; on UDP 664 behind a session header (RSP); each datagram is one message
First word  the console (Presence Ping)
Framing     RMCP: version 06, 00, sequence, class (bit 7: acknowledgment; bits 4 to 0: 6 ASF, 7 IPMI, 8 OEM).
            ASF: IANA number 4542 as u32, type, tag, 00, length of the data; behind the data the trailer of RSP
Byte order  big-endian
Source      DMTF DSP0136 (ASF 2.0); Intel AMT Implementation and Reference Guide, "Use RMCP ping to determine the
            platform state" and "Detailed description"; public source (ipmi4j, MeshCentral's amtscanner.js)
Limits      MAX_PAYLOADS of a session message
Not covered IPMI inside, OEM messages: told as such. What is inside RAKP's hashes cannot be checked without keys

What of AMT is documented is the ping alone; reset, power and sessions are of ASF network cards (inferred: no public
text says that AMT takes them).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode import ports
from amtdecode.fields import declared_by
from amtdecode.protocols.dissector import NO, YES, Context, DatagramDissector, Protocol, Verdict
from amtdecode.protocols.rmcp.fields import ASF_CLASS, ASF_IANA, NAME
from amtdecode.protocols.rmcp.messages import (
    AsfCapabilities,
    AsfControl,
    AsfMessage,
    AsfPong,
    AsfRakp,
    AsfSession,
    AsfState,
    RmcpMessage,
    header_at,
    read,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amtdecode.model import Direction, Event

MIN_ASF = 12  # bytes of both headers, without data
EVENTS = (RmcpMessage, AsfMessage, AsfPong, AsfControl, AsfCapabilities, AsfState, AsfSession, AsfRakp)

__all__ = [
    "RMCP",
    "AsfCapabilities",
    "AsfControl",
    "AsfMessage",
    "AsfPong",
    "AsfRakp",
    "AsfSession",
    "AsfState",
    "RmcpMessage",
]


class RmcpDissector(DatagramDissector):
    """One event a datagram, and what is wrong with it."""

    layer = NAME

    def events(self, data: bytes) -> Iterable[Event]:
        return read(data)


def recognise(data: bytes, direction: Direction, context: Context) -> Verdict:  # noqa: ARG001
    """The header of RMCP on its ports; elsewhere ASF's number and a whole message behind it."""
    if context.transport != "udp":
        return NO
    at = header_at(data)
    if at < 0:
        return NO
    if {context.server.port, context.client.port} & RMCP.ports:
        return YES
    whole = at == 0 and data[3] & 0x1F == ASF_CLASS and data[4:8] == ASF_IANA and len(data) >= MIN_ASF
    return YES if whole and len(data) >= MIN_ASF + data[MIN_ASF - 1] else NO


RMCP = Protocol(
    NAME,
    "udp",
    frozenset({ports.DASH, ports.DASH_TLS}),
    recognise,
    RmcpDissector,
    lambda: declared_by(*EVENTS),
    carries=False,
)
