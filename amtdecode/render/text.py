"""Observations for people: one line each, as a packet list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.render.fitting import fitted, shortened
from amtdecode.render.safe import safe
from amtdecode.render.stamps import stamps

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from amtdecode.model import Endpoint, Observation

ALERTING = {"Malformed", "Truncated", "LimitReached", "Gap", "Unrecognised"}


COLORS = {
    # protocol: SGR code
    "iamt.hello": "35",
    "tls": "36",
    "http": "32",
    "iamt.soap": "32",
    "dns": "34",
    "dhcp": "34",
    "dhcpv6": "34",
    "arp": "33",
    "eapol": "33",
    "kerberos": "33",
    "lldp": "33",
    "rmcp": "33",
    "iamt.redir": "32",
    "vnc": "32",
    "snmp": "33",
}
ALERT_COLOR, PLAIN_COLOR = "31", "36"
WAY, LEAST_WAY = 45, 36  # columns for both ends of a conversation
OTHERS = 90  # columns of the rest of a line, with a short summary
LEAST_INPUT = 12  # columns for the name of an input


class TextLines:
    """Writes the packet list, one line an observation; with several inputs, which one it is from.

    `time`: writes its time. `names`: what addresses are called, which other lines may add to while they are written.
    `width`: columns of the terminal, for which long paths are shortened; 0 for none.
    """

    def __init__(
        self,
        write: Callable[[str], object],
        *,
        inputs: bool = False,
        color: bool = False,
        time: Callable[[Observation], str] | None = None,
        names: Mapping[str, str] | None = None,
        width: int = 0,
    ) -> None:
        self._write = write
        self._inputs = inputs
        self._color = color
        self._time = time or stamps(None)
        self._names = names
        self._width = width
        self._way = min(WAY, max(LEAST_WAY, width - OTHERS)) if width else WAY
        self._input = max(LEAST_INPUT, width // 6) if width else 0

    def __call__(self, observation: Observation) -> None:
        """Write one observation."""
        flow = observation.flow
        way = ""
        if flow is not None:
            src, dst = flow.source(observation.direction), flow.destination(observation.direction)
            if self._names is not None:
                way = f"{self._called(src)} → {self._called(dst)}"
            else:
                way = f"{src} → {dst}" if src.port or dst.port else f"{src.address} → {dst.address}"
        number = str(observation.packet) if observation.packet else "-"
        name = ""
        if self._inputs:
            name = safe(observation.input)
            name = f"{shortened(name, self._input) if self._input else name}  "
        summary = safe(observation.event.summary())
        protocol = safe(observation.protocol)
        front = f"{name}{number:>6}  {self._time(observation)}  {way:<{self._way}}  "
        if self._width:
            summary = fitted(summary, self._width - len(front) - max(11, len(protocol)) - 2)
        if self._color:
            alerting = type(observation.event).__name__ in ALERTING
            code = ALERT_COLOR if alerting else COLORS.get(protocol, PLAIN_COLOR)
            protocol = f"\x1b[{code}m{protocol:<11}\x1b[0m"
            if alerting:
                summary = f"\x1b[{code}m{summary}\x1b[0m"
        self._write(f"{front}{protocol:<11}  {summary}\n")

    def _called(self, endpoint: Endpoint) -> str:
        assert self._names is not None  # noqa: S101 - for the type checker
        name = self._names.get(endpoint.address)
        if name is None:
            return str(endpoint) if endpoint.port else endpoint.address
        return f"{safe(name)}:{endpoint.port}" if endpoint.port else safe(name)
