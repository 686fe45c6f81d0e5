"""Redirection: the console, the drives and the screen of a machine over the network (SOL, IDE-R or USB-R, KVM).

Transport   TCP 16994, inside TLS on 16995; in APF channels; other ports by content. The console is the client
Framing     each message begins with its type; its length follows from that, or stands in it
Byte order  little-endian, apart from SCSI commands and RFB
Order       start session, its reply; query and login; then the messages of SOL, of IDE-R, or KVM's open and its reply,
            behind which plain RFB follows, without frames (room `vnc`)
Source      public source: MeshCommander (amt-redir, amt-ider), amtterm (redir.c, auth.c, ider.c), MeshCentral; Intel
            AMT Implementation and Reference Guide for KVM. Intel's own description of the protocol is not public
Limits      framing.MAX_LOGIN; messages of data are shorter than 64 KiB by their own counters
Unknown     SOL start reply (21h) behind its sequence number; what 27h does; status codes of KVM's open reply; messages
            of USB-R alone (AMT 11 and later), which clients speak as IDE-R. Types nobody knows are `Unrecognised`, and
            the rest of their direction is not read: nothing says where they end
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode import ports
from amtdecode.model import TO_CLIENT
from amtdecode.protocols.dissector import MORE, NO, YES, Context, Dissector, Protocol, Verdict, literal
from amtdecode.protocols.redir.names import KINDS, NAME, START, STARTED, STATUSES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amtdecode.fields import Field
    from amtdecode.model import Direction

__all__ = ["REDIR"]

HEADS = tuple(bytes((START, attribute, 0, 0)) + kind for attribute in (0, 1) for kind in KINDS)
HOME = frozenset({ports.REDIRECTION, ports.REDIRECTION_TLS})


def recognise(data: bytes, direction: Direction, context: Context) -> Verdict:
    """The start of a session; of the other direction, on its own ports, the reply to that."""
    if not data:
        return NO
    if direction == TO_CLIENT:
        if context.server.port not in HOME or data[0] != STARTED:
            return NO
        if len(data) < 4:
            return MORE
        return YES if data[1] in STATUSES and not data[2] and not data[3] else NO
    for head in HEADS:
        if data.startswith(head):
            return YES
        if head.startswith(data):
            return MORE
    return NO


def _dissector(context: Context) -> Dissector:
    from amtdecode.protocols.redir.dissector import RedirDissector

    return RedirDissector(context)


def _fields() -> Sequence[Field]:
    from amtdecode.fields import declared_by
    from amtdecode.protocols.redir.messages import EVENTS

    return declared_by(*EVENTS)


REDIR = Protocol(
    NAME,
    "tcp",
    HOME,
    recognise,
    _dissector,
    _fields,
    openings=tuple(map(literal, HEADS)),
)
