"""PET: alerts of a machine's hardware and firmware, as SNMP traps; AMT sends them to the consoles that subscribed.

Protocol    SNMPv1 Trap-PDU with a Platform Event Trap inside
Transport   UDP 162; each datagram is one trap
First word  the machine, and nobody answers
Framing     BER (X.690): version 0, community, Trap-PDU with one variable, an octet string of 47 to 110 bytes
Byte order  big-endian
Source      RFC 1157 section 4.1.6; IPMI Platform Event Trap Format Specification 1.0; Intel AMT Implementation and
            Reference Guide, "Event filters"; IPMI 2.0 section 42 (names of sensors and events)
Limits      MAX_TRAP bytes of a datagram are read
Unknown     The order of the GUID's bytes: the standard has network order, AMT's is documented nowhere we know. Both
            readings are given. AMT sends PET up to release 17
Not covered other SNMP: not taken for ours. SNMPv3 and informs, of which no AMT is known
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode import ports
from amtdecode.late import late
from amtdecode.protocols.dissector import NO, YES, Context, DatagramDissector, Protocol, Verdict
from amtdecode.protocols.pet.fields import ENTERPRISE, MAX_TRAP, NAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from amtdecode.fields import Field
    from amtdecode.model import Direction, Event
    from amtdecode.protocols.pet.trap import PlatformEvent

__all__ = ["PET", "PlatformEvent"]

__getattr__ = late(__name__, trap="PlatformEvent")

ANNOUNCED = b"\x06" + bytes((len(ENTERPRISE),)) + ENTERPRISE


class PetDissector(DatagramDissector):
    """One event a datagram, or what is wrong with it."""

    layer = NAME

    def events(self, data: bytes) -> Iterable[Event]:
        if ANNOUNCED not in data[:MAX_TRAP]:
            return ()
        from amtdecode.protocols.pet.trap import read

        return read(data)


def recognise(data: bytes, direction: Direction, context: Context) -> Verdict:  # noqa: ARG001
    """A sequence that begins with version 0 (SNMPv1), and the enterprise of PET in it."""
    ours = context.transport == "udp" and data[:1] == b"\x30" and b"\x02\x01\x00\x04" in data[2:8]
    return YES if ours and ANNOUNCED in data[:MAX_TRAP] else NO


def _fields() -> Sequence[Field]:
    from amtdecode.fields import declared_by
    from amtdecode.protocols.pet.trap import PlatformEvent

    return declared_by(PlatformEvent)


PET = Protocol(NAME, "udp", frozenset({ports.PET}), recognise, PetDissector, _fields, carries=False)
