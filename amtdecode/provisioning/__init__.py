"""Observations and log rows become the story of each machine: leases, names, hellos, connections, attempts."""

from amtdecode.provisioning.facts import Attempt, Device, Session, Story
from amtdecode.provisioning.tracker import Tracker

__all__ = ["Attempt", "Device", "Session", "Story", "Tracker"]
