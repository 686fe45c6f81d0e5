"""EAP over LAN (IEEE 802.1X): whether a switch port lets a machine in.

Protocol    EAPOL and in it EAP: who is there, by which method it is proved, success or failure
Transport   EtherType 0x888E; each frame is one datagram: the bytes behind the EtherType, padding included
First word  the switch (who is there?), or the machine (EAPOL-Start)
Framing     4 bytes of header with the length of what follows; EAP has a length of its own inside
Byte order  big-endian
Source      IEEE 802.1X-2010 clause 11; RFC 3748 section 4 and 5 (EAP); RFC 5216 section 3 (flags of EAP-TLS, which
            EAP-TTLS, PEAP, EAP-FAST and TEAP share)
Limits      none: nothing is kept between frames
Not covered what methods say inside (of EAP-TLS only an alert that is a fragment of its own), keys (EAPOL-Key, MKA)

Why it is here: a port that does not let a machine in explains why it gets no lease.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.late import late
from amtdecode.protocols.dissector import NO, YES, Context, DatagramDissector, Protocol, Verdict
from amtdecode.protocols.eapol.names import HEADER, NAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from amtdecode.fields import Field
    from amtdecode.model import Direction, Event
    from amtdecode.protocols.eapol.messages import EapMessage, EapolMessage

__all__ = ["EAPOL", "EapMessage", "EapolMessage"]

__getattr__ = late(__name__, messages="EapMessage EapolMessage")


class EapolDissector(DatagramDissector):
    """One event a frame, and what is wrong with it."""

    layer = NAME

    def events(self, data: bytes) -> Iterable[Event]:
        from amtdecode.protocols.eapol.messages import read

        return read(data)


def recognise(data: bytes, direction: Direction, context: Context) -> Verdict:  # noqa: ARG001
    """A header, and all that it announces."""
    whole = len(data) >= HEADER and len(data) - HEADER >= int.from_bytes(data[2:4], "big")
    return YES if context.transport == NAME and whole else NO


def _fields() -> Sequence[Field]:
    from amtdecode.fields import declared_by
    from amtdecode.protocols.eapol.messages import EapMessage, EapolMessage

    return declared_by(EapolMessage, EapMessage)


EAPOL = Protocol(NAME, NAME, frozenset(), recognise, EapolDissector, _fields, carries=False)
