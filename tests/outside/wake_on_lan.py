"""Wake-on-LAN: the datagram that switches a sleeping machine on.

Protocol    Magic Packet
Transport   UDP port 9 or 7; each datagram is one message
First word  whoever wants the machine awake
Framing     6 bytes ff, the machine's MAC address 16 times, and perhaps a password of 4 or 6 bytes
Source      AMD, Magic Packet Technology, publication 20213
Limits      none: nothing is kept between datagrams
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from amtdecode.fields import BYTES, ETHER, Field, Fields, declared_by
from amtdecode.model import Direction, Event
from amtdecode.protocols.dissector import NO, YES, Context, DatagramDissector, Protocol, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

SYNC = b"\xff" * 6
SIZE = 6 + 16 * 6


class MagicPacket(Event, frozen=True, gc=False):
    """One call to wake up."""

    protocol: ClassVar[str] = "wol"
    declared: ClassVar[Fields] = (
        Field("wol.mac", ETHER, "the card that is to wake its machine", lambda event: event.mac.hex(":")),
        Field("wol.passwd", BYTES, "the password behind it", "password", absent=b"", secret=True),
    )
    mac: bytes
    password: bytes

    def summary(self) -> str:
        return f"Wake-on-LAN: {self.mac.hex(':')} is to wake up"


class MagicPacketDissector(DatagramDissector):
    layer = "wol"

    def events(self, data: bytes) -> Iterable[Event]:
        return (MagicPacket(data[6:12], data[SIZE:]),) if is_call(data) else ()


def is_call(data: bytes) -> bool:
    return len(data) >= SIZE and data[:SIZE] == SYNC + data[6:12] * 16


def recognise(data: bytes, direction: Direction, context: Context) -> Verdict:
    return YES if is_call(data) else NO


WAKE_ON_LAN = Protocol(
    "wol", "udp", frozenset({7, 9}), recognise, MagicPacketDissector, lambda: declared_by(MagicPacket)
)
