"""What the capture itself says of machines: comments on packets, and names of addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.masking import masked
from amtdecode.provisioning.state.tables import bounded

if TYPE_CHECKING:
    from amtdecode.capture.pcapng import Comment, NameResolution
    from amtdecode.model import Observation
    from amtdecode.provisioning.machines import Machines

MAX_COMMENTS = 4096  # comments on packets remembered
MAX_KEPT_NAMES = 16_384  # addresses for which the capture keeps a name
MAX_COMMENT = 120  # characters of one comment


def take_comment(machines: Machines, observation: Observation, event: Comment) -> None:
    """A comment on a packet, which may be one of a machine's."""
    if event.subject != "packet" or not observation.packet:
        return
    comments = machines.story.comments
    bounded(comments, MAX_COMMENTS)
    comments.setdefault(machines.ref(observation), masked(" ".join(event.text.split()))[:MAX_COMMENT])


def take_names(machines: Machines, _observation: Observation, event: NameResolution) -> None:
    """A name that the capture keeps for an address."""
    if event.names:
        bounded(machines.story.names, MAX_KEPT_NAMES)
        machines.story.names.setdefault(event.address, event.names[0])
