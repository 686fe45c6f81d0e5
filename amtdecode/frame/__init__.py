"""What a packet itself has, under tshark's names: `frame.*`, `eth.*`, `ip.*`, `tcp.*`, `tcp.analysis.*` and others.

Read only when somebody asks; the engine does not need it.

    raw packets ─▶ `dissect` headers ─▶ `conversations` which stream ─▶ `analysis` retransmissions ─▶ `packet` fields

One file per layer declares its fields; `catalogue` has them all, `reading` goes through a capture.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from amtdecode.frame.catalogue import FIELDS
    from amtdecode.frame.packet import Packet
    from amtdecode.frame.reading import PacketReader

__all__ = ["FIELDS", "Packet", "PacketReader"]

_LATE = {"FIELDS": "catalogue", "Packet": "packet", "PacketReader": "reading"}


def __getattr__(name: str) -> Any:
    """Load the layers when somebody asks: most runs print what the flow of an observation gives, and no more."""
    if name in _LATE:
        from importlib import import_module

        return getattr(import_module(f"amtdecode.frame.{_LATE[name]}"), name)
    raise AttributeError(f"module 'amtdecode.frame' has no attribute {name!r}")
