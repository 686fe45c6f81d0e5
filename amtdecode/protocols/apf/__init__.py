"""APF, the AMT Port Forwarding protocol: how a machine that calls home (CIRA) lets its server reach it.

Protocol      APF 1.0, after SSH's connection protocol
Transport     inside TLS on TCP 4433, from the machine to its management presence server (MPS); bare between programs
              on one host; the same messages go between AMT and LMS (the local manageability service) over MEI
First         the machine, with PROTOCOLVERSION; MeshCentral's agent may say JSON_CONTROL before it
Framing       none: each message begins with its type (1 byte), which says what follows. Strings are a length (4 bytes)
              and bytes, without a zero behind them; big-endian. `spec.py` has every layout
Order         PROTOCOLVERSION both ways, SERVICE_REQUEST auth, USERAUTH_REQUEST, SERVICE_REQUEST pfwd, then
              GLOBAL_REQUEST tcpip-forward for each port of the machine; from then on CHANNEL_OPEN by the server, data
              and window adjustments both ways, keep-alives
Roles         whoever opens a channel is client in it: for `forwarded-tcpip` the MPS, so the machine is the HTTP server
              in it; for `direct-tcpip` (events the machine sends) the machine
Ambiguous     REQUEST_SUCCESS has 5 bytes behind tcpip-forward and 1 behind the others: requests are remembered in
              order. Where that is lost the byte behind it decides: 0 begins a port. The flag in USERAUTH_FAILURE has 1
              byte (LMS, go-wsman-messages) or 2 (Open AMT's MPS, MeshCentral): a zero behind it belongs to it
Sources       Intel AMT Port Forwarding Protocol Reference Manual 1.0.5 (2008), as public sources have it: Intel LMS
              (PortForwardingService), go-wsman-messages pkg/apf/types.go, Open AMT mps APFProcessor.ts, MeshCentral
              mpsserver.js
Limits        MAX_STRING, MAX_DATAGRAM, MAX_JSON, MAX_DATA, MAX_OPEN, MAX_PENDING, MAX_FORGOTTEN
Unknown       trigger reason 9, which a machine was seen to send; what stands in the reserved bytes

__init__.py   recognition, registry entry       beginning.py  what may come before
framing.py    bytes that wait, the step found again
reading.py    from bytes to messages            channels.py   numbers, windows, totals
dissector.py  what messages mean                events.py     what is stated
fields.py     fields, names of values           spec.py       all messages declared
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from amtdecode import ports
from amtdecode.protocols.apf.beginning import TEXT, begins_as_control
from amtdecode.protocols.dissector import ANY_BYTE, MORE, NO, YES, Context, Protocol, Verdict, literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amtdecode.fields import Field
    from amtdecode.model import Direction
    from amtdecode.protocols.dissector import Dissector

PORTS = frozenset({ports.CIRA})

_HEAD = 13  # bytes that decide where APF is at home: type, major, minor and trigger, all of them small numbers
_SIZE = 93  # of PROTOCOLVERSION, which elsewhere must end in 64 bytes of zero


def recognise(data: bytes, direction: Direction, context: Context) -> Verdict:  # noqa: ARG001 (both sides send it)
    """Recognise the first message of either side, or what MeshCentral's agent says before it."""
    if not data:
        return MORE
    at_home = context.carrier or context.server.port in PORTS
    if at_home and begins_as_control(data):
        return YES if data[TEXT:] else MORE
    if data[0] != 0xC0 or any(data[1:4]) or any(data[5:8]) or any(data[9:12]):
        return NO
    if len(data) < (_HEAD if at_home else _SIZE):
        return NO if any(data[29:]) and not at_home else MORE
    return YES if at_home or not any(data[29:_SIZE]) else NO


def _begins_inside(data: bytes, direction: Direction) -> bool:  # noqa: ARG001
    from amtdecode.protocols.apf.framing import NAMED

    return NAMED.search(data) is not None


@cache
def _class() -> type[Dissector]:
    from amtdecode.protocols.apf.dissector import ApfDissector

    return ApfDissector


def _dissector(context: Context) -> Dissector:
    return _class()(context)


def _fields() -> Sequence[Field]:
    from amtdecode.fields import declared_by
    from amtdecode.protocols.apf.events import EVENTS

    return declared_by(*EVENTS)


_SMALL = (*literal(b"\0\0\0"), ANY_BYTE)

APF = Protocol(
    "iamt.apf",
    "tcp",
    PORTS,
    recognise,
    _dissector,
    _fields,
    begins_inside=_begins_inside,
    openings=((*literal(b"\xc0"), *_SMALL, *_SMALL, *_SMALL),),
)
