"""What a packet itself has, under tshark's names: `frame.*`, `eth.*`, `ip.*`, `tcp.*`, `tcp.analysis.*` and others.

Read only when somebody asks; the engine does not need it.

    raw packets ─▶ `dissect` headers ─▶ `conversations` which stream ─▶ `analysis` retransmissions ─▶ `packet` fields

One file per layer declares its fields; `catalogue` has them all, `reading` goes through a capture.
"""

from typing import TYPE_CHECKING

from amtdecode.late import late

if TYPE_CHECKING:
    from amtdecode.frame.catalogue import FIELDS
    from amtdecode.frame.packet import Packet
    from amtdecode.frame.reading import PacketReader

__all__ = ["FIELDS", "Packet", "PacketReader"]

# most runs print what the flow of an observation gives, and no more
__getattr__ = late(__name__, catalogue="FIELDS", packet="Packet", reading="PacketReader")
