"""What a packet itself has, under tshark's names: `frame.*`, `eth.*`, `ip.*`, `tcp.*`, `tcp.analysis.*` and others.

Read only when somebody asks; the engine does not need it.

    raw packets ─▶ `dissect` headers ─▶ `conversations` which stream ─▶ `analysis` retransmissions ─▶ `packet` fields

One file per layer declares its fields; `catalogue` has them all, `reading` goes through a capture.
"""

from amtdecode.frame.catalogue import FIELDS
from amtdecode.frame.packet import Packet
from amtdecode.frame.reading import PacketReader

__all__ = ["FIELDS", "Packet", "PacketReader"]
