"""Each capture read once with all rooms, for tests that judge many filters over it."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from amtdecode.capture import open_records
from amtdecode.engine import Engine
from amtdecode.filter import compile_filter
from amtdecode.filter.facts import Facts
from amtdecode.filter.packets import Judge


class Read(NamedTuple):
    number: int
    facts: Facts


@lru_cache(None)
def decoded(path):
    """All packets of a capture, with all that was decoded from each."""
    everything = compile_filter("iamt.layer")  # asks for an event, so that all are decoded
    judge = Judge(everything, lambda: Engine(pdus=True), None)
    return [
        Read(each.packet.number, Facts(each.packet, each.observations)) for each in judge.judge(open_records([path]))
    ]
