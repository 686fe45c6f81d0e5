"""Counts over a whole capture: protocols, conversations, calls by result, TLS versions and suites, hellos over time."""

from amtdecode.statistics.collecting import Collector, Statistics
from amtdecode.statistics.counting import Counts, Timeline

__all__ = ["Collector", "Counts", "Statistics", "Timeline"]
