"""Observations and log lines become the story of each machine: leases, names, hellos, connections, attempts.

`state` holds what is remembered, `fold` what each type of event adds to it; `machines` finds which machine is meant,
`attempts` and `outcomes` judge how far it got.
"""

from amtdecode.provisioning.state import Attempt, Device, Session, Story
from amtdecode.provisioning.tracker import Tracker

__all__ = ["Attempt", "Device", "Session", "Story", "Tracker"]
