"""Link Layer Discovery Protocol: which switch, port and VLAN a machine or a capture is at.

Protocol    LLDP (IEEE 802.1AB), with the port VLAN and VLAN names of 802.1Q (annex D)
Transport   EtherType 0x88CC; each frame is one datagram: the bytes behind the EtherType, padding included
First word  every switch, on every port, every half minute or so; nobody answers
Framing     parts of 7 bits of type, 9 bits of length, and value, up to an end of type 0
Byte order  big-endian
Source      IEEE 802.1AB-2016 clause 8; IEEE 802.1Q-2018 annex D; IANA, "Address Family Numbers"
Limits      MAX_PARTS of a frame are read
Not covered what organisations add but for the VLAN: power, DCBX, MED; CDP and other makers' own

Why it is here: what keeps a machine from its lease is often the port, and this names it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.late import late
from amtdecode.protocols.dissector import NO, YES, Context, DatagramDissector, Protocol, Verdict
from amtdecode.protocols.lldp.fields import NAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from amtdecode.fields import Field
    from amtdecode.model import Direction, Event
    from amtdecode.protocols.lldp.message import LldpMessage

__all__ = ["LLDP", "LldpMessage"]

__getattr__ = late(__name__, message="LldpMessage")


class LldpDissector(DatagramDissector):
    """One event a frame, and what is wrong with it."""

    layer = NAME

    def events(self, data: bytes) -> Iterable[Event]:
        from amtdecode.protocols.lldp.message import read

        return read(data)


def recognise(data: bytes, direction: Direction, context: Context) -> Verdict:  # noqa: ARG001
    """The chassis first, as the standard wants it."""
    return YES if context.transport == NAME and len(data) > 2 and data[0] == 2 and len(data) > 2 + data[1] else NO


def _fields() -> Sequence[Field]:
    from amtdecode.fields import declared_by
    from amtdecode.protocols.lldp.message import LldpMessage

    return declared_by(LldpMessage)


LLDP = Protocol(NAME, NAME, frozenset(), recognise, LldpDissector, _fields, carries=False)
