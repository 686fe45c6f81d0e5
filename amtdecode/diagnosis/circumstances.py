"""What a preflight is about: the way machines are to be set up, the time, and what the network answered."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime

    from amtdecode.diagnosis.case import Case

KEY = "preflight"
"""Where a case keeps its circumstances."""


class Way(StrEnum):
    """How a machine comes to its setup (2007 article on remote configuration)."""

    PSK = "psk"
    AGENT = "agent"
    BARE_METAL = "bare metal"

    @property
    def words(self) -> str:
        """In an administrator's words."""
        return _TITLES[self]


_TITLES = {
    Way.PSK: "Setup with a pre-shared key (PSK, one-touch)",
    Way.AGENT: "Remote configuration that an agent starts (RCFG, TLS-PKI)",
    Way.BARE_METAL: "Bare-metal remote configuration (RCFG, TLS-PKI)",
}


class NameAnswer(NamedTuple):
    """What a resolver said of a name."""

    name: str
    server: str  # who was asked
    addresses: tuple[str, ...] = ()
    fault: str = ""  # why there is no address; "" where there is


class PortAnswer(NamedTuple):
    """What a TCP connection to a port came to."""

    host: str
    port: int
    state: str  # "open", "refused", "no answer", or why not


class Probed(NamedTuple):
    """What the network answered."""

    names: tuple[NameAnswer, ...] = ()
    ports: tuple[PortAnswer, ...] = ()


class Circumstances(NamedTuple):
    """What a preflight is about. `at`: certificates are judged at this time."""

    way: Way
    at: datetime | None = None
    probed: Probed = Probed()


def circumstances(case: Case) -> Circumstances:
    """Those of a case; where nobody set them (a diagnosis) bare metal at no time."""
    found = case.shared.get(KEY)
    return found if isinstance(found, Circumstances) else Circumstances(Way.BARE_METAL)
