"""RFB (VNC): the screen of a machine, as AMT's KVM sends it inside a redirection session, or bare on port 5900.

Transport   inside redirection (16994, 16995) behind KVM's open reply; TCP 5900 where it is on; others by content
First word  the server: its version
Framing     12 bytes of version each way, the login, then messages whose length follows from their type
Byte order  big-endian
Source      RFC 6143; AMT's own (tiles, data channel, commands): MeshCommander amt-desktop, and the Intel AMT
            Implementation and Reference Guide, "KVM and Intel AMT", "RFB extensions"
Limits      MAX_TEXT; MAX_CUT bytes of a clipboard are kept, MAX_PROOF bytes before its end prove a screen update
Unknown     RFB 4.0, which AMT speaks up to CSME 20; logins other than none and VNC authentication; other encodings than
            those that AMT uses: `Unrecognised`, and the rest of the direction is not read
Not drawn   tiles are counted and passed over, never kept
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode import ports
from amtdecode.model import TO_SERVER
from amtdecode.protocols.dissector import MORE, NO, YES, Context, Dissector, Protocol, Verdict, literal
from amtdecode.protocols.vnc.names import NAME

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amtdecode.fields import Field
    from amtdecode.model import Direction

__all__ = ["VNC"]

MAGIC = b"RFB 00"


def recognise(data: bytes, direction: Direction, context: Context) -> Verdict:
    """The version of RFB: the server's, and on its port the client's too."""
    if not data or (direction == TO_SERVER and context.server.port != ports.VNC):
        return NO
    if not data.startswith(MAGIC):
        return MORE if MAGIC.startswith(data) else NO
    if len(data) < 12:
        return MORE
    return YES if data[7:8] == b"." and data[11:12] == b"\n" and (data[4:7] + data[8:11]).isdigit() else NO


def _dissector(context: Context) -> Dissector:
    from amtdecode.protocols.vnc.dissector import VncDissector

    return VncDissector(context)


def _fields() -> Sequence[Field]:
    from amtdecode.fields import declared_by
    from amtdecode.protocols.vnc.events import EVENTS

    return declared_by(*EVENTS)


VNC = Protocol(
    NAME,
    "tcp",
    frozenset({ports.VNC}),
    recognise,
    _dissector,
    _fields,
    openings=(literal(MAGIC),),
    carries=False,
)
