"""The steps of remote configuration that an agent on the host starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.diagnosis.versions import version_tuple
from amtdecode.planning.common import AFTER, CHECK, CONFIGURE, CONTACT, FOUND, SITE
from amtdecode.planning.pki import ARTICLE, CERTIFICATE, HANDSHAKE, HELLO, PASSWORD
from amtdecode.planning.step import Phase, Step

if TYPE_CHECKING:
    from amtdecode.diagnosis.site import Site

OUT_OF_BAND_SINCE = (2, 1)  # AMT whose firmware is updated out of band; 2007 article on remote configuration
TO_UPDATE = ((2, 0), (2, 1), (2, 5))  # AMT without remote configuration


def needs_update(site: Site) -> bool:
    """Whether the AMT version has to be updated before it can be configured remotely."""
    return version_tuple(site.amt_version)[:2] in TO_UPDATE


AGENT = (
    Step(
        "update",
        Phase.MACHINES,
        "agent or administrator",
        "Update BIOS, AMT firmware and drivers",
        "2.0 and 2.1 become 2.2, 2.5 becomes 2.6, if the maker of the machine offers it (the update of the BIOS often "
        "includes it). {out_of_band}",
        "nothing on the wire; a hello of version 3 shows that the firmware knows remote configuration",
        shown_by="hello",
        when=needs_update,
        source=ARTICLE,
    ),
    Step(
        "drivers",
        Phase.MACHINES,
        "administrator",
        "Install the driver of the Management Engine and LMS",
        "MEI (HECI) and the local manageability service, from the update package of the maker.",
        "nothing on the wire; the agent cannot open the interface without them",
        shown_by="hello",
        source=ARTICLE,
    ),
    Step(
        "agent",
        Phase.MACHINES,
        "administrator",
        "Deploy the agent of the console",
        "In a version that knows remote configuration.",
        "nothing on the wire",
        shown_by="hello",
        source=ARTICLE,
    ),
    CHECK,
    Step(
        "inventory",
        Phase.MACHINES,
        "agent",
        "The agent reads mode, state and version of AMT",
        "Only a machine that is not set up yet, with firmware that knows remote configuration, goes on.",
        "nothing on the wire that can be read here: the console's own protocol",
        shown_by="hello",
        source=ARTICLE,
    ),
    Step(
        "one-time-password",
        Phase.MACHINES,
        "agent",
        "The agent makes a one-time password, and tells it to machine and server",
        "Together with the UUID. The server compares it later, inside TLS.",
        "nothing on the wire that can be read here; an early end of the TLS connection shows that it did not fit",
        shown_by="configuration",
        when=lambda site: site.policy.otp is not False,
        source=ARTICLE,
    ),
    Step(
        "open",
        Phase.HELLO,
        "agent",
        "The agent opens the setup interface",
        "Minutes may pass until the first hello, while the machine makes its key.",
        "the hello",
        shown_by="hello",
        source=f"{ARTICLE}; SDK of Intel (StartConfiguration)",
    ),
)

STEPS = (*SITE, *CERTIFICATE, *AGENT, *FOUND, HELLO, *CONTACT, HANDSHAKE, CONFIGURE[0], PASSWORD, CONFIGURE[1], *AFTER)
