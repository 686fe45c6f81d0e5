"""Observations for people: one line each as a packet list, or a tree of their fields; and hex dumps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amtdecode.frame.flow_fields import flow_fields
from amtdecode.render.json_lines import shown_fields
from amtdecode.render.safe import safe
from amtdecode.times import IsoTimes

if TYPE_CHECKING:
    from collections.abc import Callable

    from amtdecode.model import Observation

SHOWN_LIST = 64  # members of a repeated field shown in a tree; the rest is counted
ALERTING = {"Malformed", "Truncated", "LimitReached", "Gap", "Unrecognised"}


class TextLines:
    """Writes the packet list; with `tree`, every field below each line; with several inputs, which one it is from."""

    def __init__(
        self,
        write: Callable[[str], object],
        *,
        tree: bool = False,
        show_secrets: bool = False,
        inputs: bool = False,
        color: bool = False,
    ) -> None:
        self._write = write
        self._tree = tree
        self._show = show_secrets
        self._inputs = inputs
        self._color = color
        self._time = IsoTimes()

    def __call__(self, observation: Observation) -> None:
        """Write one observation."""
        flow = observation.flow
        way = ""
        if flow is not None:
            src, dst = flow.source(observation.direction), flow.destination(observation.direction)
            way = f"{src} → {dst}" if src.port or dst.port else f"{src.address} → {dst.address}"
        time = self._time(observation.time_ns, observation.precision) or "-"
        number = str(observation.packet) if observation.packet else "-"
        name = f"{safe(observation.input)}  " if self._inputs else ""
        summary = safe(observation.event.summary())
        protocol = safe(observation.protocol)
        if self._color:
            code = "31" if type(observation.event).__name__ in ALERTING else "36"
            protocol = f"\x1b[{code}m{protocol:<11}\x1b[0m"
        self._write(f"{name}{number:>6}  {time}  {way:<45}  {protocol:<11}  {summary}\n")
        if self._tree:
            self._write_tree(observation)

    def _write_tree(self, observation: Observation) -> None:
        packets = ", ".join(map(str, observation.packets))
        self._write(f"        frame.number: {observation.packet}   carried by packets: {packets}\n")
        for place, number in observation.elsewhere:
            self._write(f"        carried too by packet {number} of {safe(place)}\n")
        for name, value in flow_fields(observation).items():
            self._write(f"        {name}: {value}\n")
        whole = "direction" if observation.flow is not None and observation.flow.transport == "tcp" else "message"
        name = type(observation.event).__name__
        self._write(f"        event: {name}, at byte {observation.offset} of its {whole}\n")
        for name, value in shown_fields(observation.event, self._show).items():
            self._write_field(name, value)

    def _write_field(self, name: str, value: Any) -> None:
        if isinstance(value, (list, tuple)):
            for member in value[:SHOWN_LIST]:
                self._write(f"        {name}: {safe(str(member))}\n")
            if len(value) > SHOWN_LIST:
                self._write(f"        {name}: … and {len(value) - SHOWN_LIST} more\n")
        else:
            self._write(f"        {name}: {safe(str(value))}\n")


def hex_dump(data: bytes) -> str:
    """Offset, sixteen bytes and their printable characters a line, as `tshark -x` prints them."""
    lines = []
    for at in range(0, len(data), 16):
        row = data[at : at + 16]
        text = "".join([chr(c) if 0x20 <= c < 0x7F else "." for c in row])
        lines.append(f"{at:04x}  {row.hex(' '):<47}  {text}\n")
    return "".join(lines)
