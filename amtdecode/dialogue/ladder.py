"""A ladder: who said what to whom, one rung a message, in the order of time. What draws it is in `render`."""

from __future__ import annotations

from typing import Any

import msgspec

from amtdecode.safe import encodable

MACHINE, SERVER, CONSOLE = "machine", "server", "console"
PARTIES = (MACHINE, "DHCP", "DNS", SERVER, CONSOLE)
"""Who may stand at the head of a ladder, in this order."""
GAP_SECONDS = 1.0  # a longer silence before a message is shown as one


class Rung(msgspec.Struct, kw_only=True, gc=False):
    """One message, or how a connection ended. Texts may hold captured text, secrets masked: escape them."""

    sender: str
    receiver: str
    text: str
    protocol: str
    input: str
    packet: int
    """That completes it, from 1; 0 where it belongs to none."""
    time_ns: int | None = None
    after: float | None = None
    """Seconds since the rung before; `None` where a time is unknown."""
    failure: str = ""
    """Here it failed: what is found."""
    fields: dict[str, Any] | None = None
    """Its fields, masked, where asked for."""
    data: bytes = b""
    """The bytes of its message, where asked for, and where nothing of them is secret."""

    @property
    def gap(self) -> float:
        """Seconds of silence before it that are worth a mark; else 0."""
        return self.after if self.after is not None and self.after >= GAP_SECONDS else 0.0


class Ladder(msgspec.Struct, kw_only=True):
    """What one machine and its peers said to each other."""

    device_id: int
    machine: str
    called: str = ""
    """What else it is called."""
    how_far: str = ""
    rungs: list[Rung] = msgspec.field(default_factory=list)
    left_out: int = 0
    """Rungs in the middle that the cap left out, behind `left_out_at`."""
    left_out_at: int = 0
    failure: str = ""
    """What is found, where no rung is its place: nothing follows."""

    @property
    def parties(self) -> list[str]:
        """Who takes part, in the order of `PARTIES`."""
        there = {MACHINE} | {rung.sender for rung in self.rungs} | {rung.receiver for rung in self.rungs}
        return [party for party in PARTIES if party in there]

    def to_svg(self) -> str:
        """The ladder as an SVG document. Captured text is escaped."""
        from importlib import import_module

        # drawing is above this layer, and loaded by its name
        drawn: str = import_module("amtdecode.render.ladder_svg").svg([self])
        return drawn

    def _repr_svg_(self) -> str:
        """For notebooks: the diagram."""
        return self.to_svg()

    def to_dict(self) -> dict[str, Any]:
        """Plain dicts, lists, texts and numbers, without fields and bytes."""
        left_out = ("fields", "data")
        plain: dict[str, Any] = encodable(msgspec.to_builtins(msgspec.structs.replace(self, rungs=[])))
        rungs = [msgspec.to_builtins(msgspec.structs.replace(rung, fields=None, data=b"")) for rung in self.rungs]
        plain["rungs"] = encodable([{k: v for k, v in rung.items() if k not in left_out} for rung in rungs])
        return plain
