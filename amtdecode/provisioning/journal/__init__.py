"""Journals: what was seen of machines, small and in order. They merge in any order, and tell the machines' story.

facts/          what is kept of each event, one file for each source; kept.py what they have in common
keeping.py      observations to a journal
reading.py      one reading as it lies in memory and in files
journal.py      several readings: merging, bytes
telling.py      a journal to the story, through the same fold as a capture
connections.py  connections that one reading ends in and the next goes on with
sites.py        several sensors: machines are everybody's, addresses are of one site
joining.py      machines that are one though no UUID says so
clocks.py       what two sensors captured alike, and how far their clocks are apart
"""

from amtdecode.provisioning.journal.journal import Journal
from amtdecode.provisioning.journal.keeping import Keeper
from amtdecode.provisioning.journal.telling import replay, tell

__all__ = ["Journal", "Keeper", "replay", "tell"]
