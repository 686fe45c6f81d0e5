"""What addresses are called, by the capture itself: names it keeps, and answers of DNS in it (`-N n`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.capture.pcapng import NameResolution
from amtdecode.protocols.dns.message import DnsMessage

if TYPE_CHECKING:
    from amtdecode.model import Observation

ADDRESSES = (1, 28)  # A and AAAA (RFC 1035, RFC 3596)
MAX_NAMES = 65_536  # addresses whose names are remembered


class CaptureNames:
    """The names known so far, by address; the first of each is kept."""

    def __init__(self) -> None:
        self.of: dict[str, str] = {}

    def learn(self, observation: Observation) -> None:
        """Take what one observation says of names."""
        event = observation.event
        if isinstance(event, NameResolution) and event.names:
            self._add(event.address, event.names[0])
        elif isinstance(event, DnsMessage) and event.is_response:
            for answer in event.answers:
                if answer.type in ADDRESSES:
                    self._add(answer.value, event.name)

    def _add(self, address: str, name: str) -> None:
        if name and (address in self.of or len(self.of) < MAX_NAMES):
            self.of.setdefault(address, name)
