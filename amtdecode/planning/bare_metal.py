"""The steps of bare-metal remote configuration: no operating system, no agent."""

from __future__ import annotations

from amtdecode.planning.common import AFTER, CHECK, CONFIGURE, CONTACT, FOUND, SITE
from amtdecode.planning.pki import ARTICLE, CERTIFICATE, HANDSHAKE, HELLO, PASSWORD
from amtdecode.planning.step import Phase, Step

MACHINES = (
    Step(
        "hashes",
        Phase.MACHINES,
        "administrator",
        "Ask the maker which root hashes the machines list",
        "Makers may change the list of the factory.",
        "the hashes in the hello",
        shown_by="handshake",
        source=ARTICLE,
    ),
    CHECK,
    Step(
        "plug-in",
        Phase.HELLO,
        "help desk",
        "Connect the machine by cable, and to power",
        "No operating system is needed. The wired card alone has power while the machine is asleep.",
        "the first packet of the machine",
        shown_by="lease",
        source=ARTICLE,
    ),
)

STEPS = (
    *SITE, *CERTIFICATE, *MACHINES, *FOUND, HELLO, *CONTACT, HANDSHAKE, CONFIGURE[0], PASSWORD, CONFIGURE[1], *AFTER,
)  # fmt: skip
