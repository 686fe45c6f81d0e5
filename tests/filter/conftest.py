"""The packets that a filter selects, each capture read once with all rooms, and judged for each filter."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import pytest

import amtdecode
from amtdecode.capture import open_records
from amtdecode.engine import Engine
from amtdecode.filter import compile_filter
from amtdecode.filter.facts import Facts
from amtdecode.filter.packets import Judge

ROOT = Path(__file__).resolve().parents[2]


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


@pytest.fixture(scope="session")
def select():
    """The numbers of the packets that pass."""

    def selected(path, text):
        passes = compile_filter(text).passes
        return [packet.number for packet in decoded(str(path)) if passes(packet.facts)]

    return selected


@pytest.fixture(scope="session")
def by_library():
    """The same as a program gets them."""
    return lambda path, text: [packet.number for packet in amtdecode.packets(path, filter=text)]


@pytest.fixture(scope="session")
def pcaps():
    return ROOT / "pcaps"
